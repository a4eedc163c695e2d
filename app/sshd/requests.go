package sshd

import (
	"strings"

	gossh "golang.org/x/crypto/ssh"

	"sheaf/app/lazyregexp"
)

const (
	maxCols, maxRows = 500, 200
	maxCommand       = 8 << 10
	maxEnv           = 16
	maxEnvBytes      = 2 << 10

	// maxPassed bounds the requests that reach the library on one channel:
	// one terminal, one start, and the environment.
	maxPassed = 2 + maxEnv
)

// subsystem is the only one there is.
const subsystem = "sftp"

// verdict is what becomes of a request that a client sends on a channel.
type verdict int

const (
	refuse verdict = iota // it is answered "no"
	pass                  // the library gets it, with the payload of the judgement
	resize                // it is a new window size, and stays here
)

// judgement is the answer to one request.
type judgement struct {
	verdict verdict
	payload []byte
	size    size
}

// requests judges the requests of one channel, in their order. What is not
// known to be both harmless and useful is refused.
type requests struct {
	terminal bool // a pty has been asked for
	started  bool // a shell, a command or a subsystem has been asked for
	typed    bool // what comes in is typed: there is a terminal, or no command
	term     string
	env      []string
	envBytes int // of all of env
	size     size
}

var (
	termName = lazyregexp.New(`^[A-Za-z0-9._+-]{1,64}$`)
	envName  = lazyregexp.New(`^(LANG|LC_[A-Z]{1,32}|COLORTERM|TERM_PROGRAM|NO_COLOR|GIT_PROTOCOL)$`)
)

// ptyRequest is the payload of a pty-req (RFC 4254, section 6.2).
type ptyRequest struct {
	Term                string
	Cols, Rows          uint32
	PixelCols, PixelRow uint32
	Modes               string
}

// windowChange is the payload of a window-change (RFC 4254, section 6.7).
type windowChange struct {
	Cols, Rows          uint32
	PixelCols, PixelRow uint32
}

// judge says what becomes of the next request (RFC 4254, section 6). A terminal
// and a start pass once each, in this order; the environment passes before the
// start, if its names are of a short list and its values printable ASCII,
// within maxEnv and maxEnvBytes. What passes is rewritten so that nothing in it
// is out of range: sizes are clamped, terminal modes are dropped.
func (r *requests) judge(kind string, payload []byte) judgement {
	switch kind {
	case "pty-req":
		var p ptyRequest
		if r.terminal || r.started || gossh.Unmarshal(payload, &p) != nil {
			return judgement{}
		}
		r.terminal = true
		r.term = terminalName(p.Term)
		r.size = clamp(p.Cols, p.Rows)
		return judgement{verdict: pass, payload: gossh.Marshal(ptyRequest{
			Term: r.term, Cols: uint32(r.size.Width), Rows: uint32(r.size.Height), Modes: "\x00",
		})}
	case "window-change":
		var w windowChange
		if !r.terminal || gossh.Unmarshal(payload, &w) != nil {
			return judgement{}
		}
		r.size = clamp(w.Cols, w.Rows)
		return judgement{verdict: resize, size: r.size}
	case "env":
		var kv struct{ Name, Value string }
		if r.started || len(payload) > maxEnvBytes || gossh.Unmarshal(payload, &kv) != nil {
			return judgement{}
		}
		entry := kv.Name + "=" + kv.Value
		if !envName().MatchString(kv.Name) || strings.ContainsFunc(kv.Value, unprintable) ||
			len(r.env) >= maxEnv || r.envBytes+len(entry) > maxEnvBytes {
			return judgement{}
		}
		r.env = append(r.env, entry)
		r.envBytes += len(entry)
		return judgement{verdict: pass, payload: payload}
	case "shell":
		if r.started {
			return judgement{}
		}
		r.started, r.typed = true, true
		return judgement{verdict: pass}
	case "exec":
		var c struct{ Command string }
		if r.started || len(payload) > maxCommand || gossh.Unmarshal(payload, &c) != nil {
			return judgement{}
		}
		r.started, r.typed = true, r.terminal
		return judgement{verdict: pass, payload: payload}
	case "subsystem":
		var s struct{ Name string }
		// A terminal would change the bytes on their way.
		if r.started || r.terminal || gossh.Unmarshal(payload, &s) != nil || s.Name != subsystem {
			return judgement{}
		}
		r.started = true
		return judgement{verdict: pass, payload: payload}
	}
	return judgement{}
}

// terminalName is what the client calls its terminal, or xterm if that is no
// name.
func terminalName(s string) string {
	if s == "" {
		return "dumb"
	}
	if !termName().MatchString(s) {
		return "xterm"
	}
	return s
}

// clamp makes a window size that can be painted of any that can be claimed; 0
// is unknown.
func clamp(cols, rows uint32) size {
	side := func(n, def, most uint32) int {
		if n == 0 {
			return int(def)
		}
		return int(min(n, most))
	}
	return size{Width: side(cols, 80, maxCols), Height: side(rows, 24, maxRows)}
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }
