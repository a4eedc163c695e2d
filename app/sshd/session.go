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

// session is one session as the router sees it: a person or a script, what was
// asked for, and streams that are guarded.
type session struct {
	ctx          context.Context // its cause is a closeReason when the server ends it
	stream       ssh.Session     // guarded: reads what is typed, writes to the client
	channel      *channel
	author       *author  // nil: a reader
	keysRefused  int      // keys offered that are no author's
	fingerprints []string // of the first of these

	command  string // as it came; "" asks for the browser or the list
	sftp     bool   // the subsystem is asked for, not a command
	terminal bool
	term     string // its name, as in TERM
	env      []string
	size     size // of the terminal at the start
	sizes    <-chan size
	notices  <-chan string
	verb     string // what the session turned out to be, for the log
}

type sessionKey struct{}

func (s *Server) newSession(stream ssh.Session, ch *channel) *session {
	sess := &session{
		ctx:     ch.ctx,
		stream:  stream,
		channel: ch,
		author:  s.authors.find(stream.PublicKey()),
		command: stream.RawCommand(),
		sftp:    stream.Subsystem() == subsystem,
		env:     stream.Environ(),
		sizes:   ch.sizes.out,
		notices: ch.notices,
	}
	sess.keysRefused, sess.fingerprints = ch.conn.refusedKeys()
	if pty, _, ok := stream.Pty(); ok {
		sess.terminal, sess.term = true, pty.Term
		sess.size = size{Width: pty.Window.Width, Height: pty.Window.Height}
	}
	return sess
}

// noColor reports whether the visitor wants text without escape sequences
// (TERM=dumb, or NO_COLOR that is not empty).
func (s *session) noColor() bool {
	return s.term == "dumb" || slices.ContainsFunc(s.env, func(e string) bool {
		return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR="
	})
}

// fail tells the visitor on standard error why nothing came of the session, and
// returns the exit status.
func (s *session) fail(why string, status int) int {
	_, _ = io.WriteString(s.stream.Stderr(), "sheaf: "+why+"\n")
	return status
}

// alive asks the client whether it is still there, and waits for its answer for
// at most Limits.Alive. A connection that breaks looks like a client that has
// closed its input, so nothing that was uploaded counts as complete before the
// client has answered once more.
func (s *session) alive(ctx context.Context) bool {
	srv := s.channel.conn.srv
	ctx, cancel := context.WithTimeout(ctx, srv.limits.Alive)
	defer cancel()
	answered := make(chan bool, 1)
	srv.start(func() {
		// No client knows this request, and every client has to say so.
		_, err := s.stream.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err == nil
	})
	select {
	case ok := <-answered:
		return ok && s.ctx.Err() == nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return false
}

// denied tells a reader who tries to change something which keys were offered,
// and what to do about it. It is "" for an author.
func (s *session) denied() string {
	if s.author != nil {
		return ""
	}
	lines := []string{"sheaf: permission denied: no author key"}
	for _, f := range s.fingerprints {
		lines = append(lines, "offered: "+f)
	}
	if n := s.keysRefused - len(s.fingerprints); n > 0 {
		lines = append(lines, fmt.Sprintf("offered: and %d more", n))
	}
	switch user := s.stream.User(); {
	case strings.HasPrefix(user, previewUser):
	case s.keysRefused > 0:
		lines = append(lines, "hint: a line of your .pub file in keys/authors on the server makes you an author")
	case isAnonymous(user):
		lines = append(lines, "hint: the name "+user+" is let in without a key; log in with any other name")
	default:
		lines = append(lines, "hint: no key was offered; ssh -i FILE names one, ssh-keygen makes one, "+
			"keys/authors on the server lists the authors'")
	}
	return strings.Join(lines, "\n")
}

// closeReason is why the server ends the session, or "" if it does not.
func (s *session) closeReason() string {
	var reason closeReason
	if errors.As(context.Cause(s.ctx), &reason) {
		return reason.Error()
	}
	return ""
}

// logging is the outermost middleware. It logs a session when it is over, and
// tells the channel that nobody answers it any more.
func (s *Server) logging(next ssh.Handler) ssh.Handler {
	return func(stream ssh.Session) {
		ch, _ := stream.Context().Value(channelKey{}).(*channel)
		if ch == nil {
			return
		}
		defer close(ch.answered)
		defer ch.conn.sessionOver(ch)
		began := time.Now()
		s.counts.open.Add(1)
		defer s.counts.open.Add(-1)
		sess := s.newSession(stream, ch)
		stream.Context().SetValue(sessionKey{}, sess)
		next(stream)
		s.counts.session(sess)
		attrs := []any{
			"from", ch.conn.from.Addr().String(),
			"verb", sess.verb,
			"time", time.Since(began).Round(time.Millisecond).String(),
		}
		if sess.author != nil {
			attrs = append(attrs, "author", oneLine(sess.author.name))
		}
		if reason := sess.closeReason(); reason != "" {
			attrs = append(attrs, "ended", reason)
		}
		s.log.Info("session", attrs...)
	}
}

// leaveScreen brings a terminal back after a panic: main screen, no mouse, no
// bracketed paste, cursor and colours as they were.
const leaveScreen = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m\r\n"

// recovering is the middleware that makes a panic cost one session.
func (s *Server) recovering(next ssh.Handler) ssh.Handler {
	return func(stream ssh.Session) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			id := s.panicked(p)
			if _, _, ok := stream.Pty(); ok {
				wish.Print(stream, leaveScreen)
			}
			wish.Errorf(stream, "sheaf: internal error (%s)\n", id)
			_ = stream.Exit(1)
		}()
		next(stream)
	}
}

// routing is the innermost middleware: it has the session answered, and sends
// the exit status back.
func (s *Server) routing(ssh.Handler) ssh.Handler {
	return func(stream ssh.Session) {
		sess, _ := stream.Context().Value(sessionKey{}).(*session)
		if sess.channel.conn.turnAway() {
			sess.verb = "-"
			_ = stream.Exit(sess.fail("too many readers at the moment; try again a little later", 1))
			return
		}
		_ = stream.Exit(s.handle(sess))
	}
}
