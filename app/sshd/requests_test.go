package sshd

import (
	"bytes"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

func TestTerminalNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                       "dumb",
		"xterm-256color":         "xterm-256color",
		"dumb":                   "dumb",
		"x\x1b[2J":               "xterm",
		"../../etc/terminfo":     "xterm",
		strings.Repeat("a", 65):  "xterm",
		"screen.xterm-256color+": "screen.xterm-256color+",
	} {
		if got := terminalName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestTheEnvironmentIsSmall(t *testing.T) {
	var r requests
	passed := 0
	for range 100 {
		if r.judge("env", gossh.Marshal(struct{ K, V string }{"LC_ALL", "C"})).verdict == pass {
			passed++
		}
	}
	if passed != maxEnv {
		t.Errorf("%d passed", passed)
	}
	r = requests{}
	for range 100 {
		r.judge("env", gossh.Marshal(struct{ K, V string }{"LANG", strings.Repeat("x", 500)}))
	}
	if n := len(strings.Join(r.env, "")); n > maxEnvBytes {
		t.Errorf("%d bytes passed", n)
	}
}

// Whatever the requests and their order, few pass, and what passes is small
// and in range. The script is a list of requests: a letter, a length, bytes.
func FuzzRequests(f *testing.F) {
	kinds := map[byte]string{'p': "pty-req", 'w': "window-change", 'e': "env", 's': "shell", 'x': "exec", 'y': "subsystem", 'a': "auth-agent-req@openssh.com"}
	script := func(kind byte, payload []byte) []byte {
		return append([]byte{kind, byte(len(payload))}, payload...)
	}
	pty := gossh.Marshal(ptyRequest{Term: "xterm", Cols: 1<<32 - 1, Rows: 5})
	f.Add(append(append(script('p', pty), script('w', gossh.Marshal(windowChange{Cols: 9, Rows: 1 << 20}))...), script('s', nil)...))
	f.Add(append(script('e', gossh.Marshal(struct{ K, V string }{"LANG", "C"})), script('x', gossh.Marshal(struct{ C string }{"ls"}))...))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r requests
		passed, starts := 0, 0
		for len(in) >= 2 {
			kind, n := kinds[in[0]], min(int(in[1]), len(in)-2)
			payload := in[2 : 2+n]
			in = in[2+n:]
			j := r.judge(kind, payload)
			switch j.verdict {
			case pass:
				passed++
				switch kind {
				case "pty-req":
					var p ptyRequest
					if err := gossh.Unmarshal(j.payload, &p); err != nil || p.Cols < 1 || p.Cols > maxCols || p.Rows < 1 || p.Rows > maxRows || !termName().MatchString(p.Term) {
						t.Errorf("%+v %v", p, err)
					}
				case "shell", "exec":
					starts++
				case "subsystem":
					starts++
					if r.terminal || !bytes.HasSuffix(payload, []byte(subsystem)) {
						t.Errorf("%q passed, terminal %v", payload, r.terminal)
					}
				case "env":
				default:
					t.Errorf("%q passed", kind)
				}
			case resize:
				if s := j.size; s.Width < 1 || s.Width > maxCols || s.Height < 1 || s.Height > maxRows || kind != "window-change" {
					t.Errorf("%s: %v", kind, s)
				}
			}
		}
		if passed > maxPassed || starts > 1 {
			t.Errorf("%d passed, %d of them starts", passed, starts)
		}
	})
}
