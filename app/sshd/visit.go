package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/ssh"
	"charm.land/wish/v2"
)

// visit is one session as the rooms see it: a person or a script, what it
// asked for, and streams that are guarded.
type visit struct {
	ctx     context.Context // its cause is the farewell when the server ends it
	session ssh.Session
	author  *author // nil: a reader
	refused int     // keys offered that are no author's
	offers  []string
	channel *channel

	command  string // as it came; "" asks for the browser or the list
	copies   bool   // the subsystem is asked for, not a command
	terminal bool
	term     string
	env      []string
	size     size
	sizes    <-chan size
	notices  <-chan string
	verb     string // for the log: what it turned out to be
}

// noColor tells whether the visitor wants text without escape codes.
func (v *visit) noColor() bool {
	return v.term == "dumb" || slices.ContainsFunc(v.env, func(e string) bool {
		return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR="
	})
}

// fail tells the visitor why nothing came of it.
func (v *visit) fail(what string, status int) int {
	_, _ = io.WriteString(v.session.Stderr(), "sheaf: "+what+"\n")
	return status
}

// alive asks the client whether it is still there. A connection that is cut
// ends the input just as a client does that has said all, so that nothing is
// complete before the client has answered once more.
func (v *visit) alive(ctx context.Context) bool {
	s := v.channel.conn.srv
	ctx, cancel := context.WithTimeout(ctx, s.limits.Alive)
	defer cancel()
	answered := make(chan bool, 1)
	s.start(func() {
		// No client knows the request, and each must say so.
		_, err := v.session.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err == nil
	})
	select {
	case ok := <-answered:
		return ok && v.ctx.Err() == nil
	case <-ctx.Done():
	case <-v.ctx.Done():
	}
	return false
}

// denied is what a reader is told who tries to change something: which keys
// were offered, and what to do. "" for an author.
func (v *visit) denied() string {
	if v.author != nil {
		return ""
	}
	lines := []string{"sheaf: permission denied: no author key"}
	for _, o := range v.offers {
		lines = append(lines, "offered: "+o)
	}
	if n := v.refused - len(v.offers); n > 0 {
		lines = append(lines, fmt.Sprintf("offered: and %d more", n))
	}
	switch {
	case strings.HasPrefix(v.session.User(), previewUser):
	case v.refused > 0:
		lines = append(lines, "hint: a line of your .pub file in keys/authors on the server makes you an author")
	case openDoor(v.session.User()):
		lines = append(lines, "hint: the name "+v.session.User()+" is let in without a key; log in with any other name")
	default:
		lines = append(lines, "hint: no key was offered; ssh -i FILE names one, ssh-keygen makes one, keys/authors on the server lists the authors'")
	}
	return strings.Join(lines, "\n")
}

// recording is the outermost middleware: it logs a session when it is over,
// and tells the channel that nobody answers it any more.
func (s *Server) recording(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		ch, _ := sess.Context().Value(channelKey{}).(*channel)
		if ch == nil {
			return
		}
		defer close(ch.answered)
		began := time.Now()
		s.counts.open.Add(1)
		defer s.counts.open.Add(-1)
		v := s.visit(sess, ch)
		sess.Context().SetValue(visitKey{}, v)
		next(sess)
		s.counts.session(v)
		attrs := []any{"from", ch.conn.from.Addr().String(), "verb", v.verb, "time", time.Since(began).Round(time.Millisecond).String()}
		if v.author != nil {
			attrs = append(attrs, "author", clean(v.author.name))
		}
		if f := v.farewell(); f != "" {
			attrs = append(attrs, "ended", f)
		}
		s.log.Info("session", attrs...)
	}
}

type visitKey struct{}

func (s *Server) visit(sess ssh.Session, ch *channel) *visit {
	v := &visit{
		ctx:     ch.own,
		session: sess,
		author:  s.authors.find(sess.PublicKey()),
		channel: ch,
		command: sess.RawCommand(),
		copies:  sess.Subsystem() == subsystem,
		env:     sess.Environ(),
		sizes:   ch.sizes.out,
		notices: ch.notices,
	}
	v.refused, v.offers = ch.conn.keysRefused()
	if pty, _, ok := sess.Pty(); ok {
		v.terminal, v.term, v.size = true, pty.Term, size{Width: pty.Window.Width, Height: pty.Window.Height}
	}
	return v
}

// leaveScreen brings a terminal back after a panic: main screen, no mouse, no
// paste mode, cursor and colours as they were.
const leaveScreen = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m\r\n"

// recovering makes a panic cost one session.
func (s *Server) recovering(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			id := s.panicked(p)
			if _, _, ok := sess.Pty(); ok {
				wish.Print(sess, leaveScreen)
			}
			wish.Errorf(sess, "sheaf: internal error (%s)\n", id)
			_ = sess.Exit(1)
		}()
		next(sess)
	}
}

// answering is the innermost: a room answers, and its status goes back.
func (s *Server) answering(ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		v, _ := sess.Context().Value(visitKey{}).(*visit)
		_ = sess.Exit(s.answer(v))
	}
}

// farewell is what the server ends the session with, "" when it does not.
func (v *visit) farewell() string {
	var f farewell
	if errors.As(context.Cause(v.ctx), &f) {
		return f.Error()
	}
	return ""
}
