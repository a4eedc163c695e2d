package sshd

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/shell"
	"sheaf/app/transfer"
	"sheaf/app/tui"
	"sheaf/app/typeset"
)

// router sends each session to the room that answers it.
type router struct {
	Config
	log      *slog.Logger
	browsers chan struct{} // one for each open browser
	copies   *places       // of sftp and scp
	programs *places       // of rsync and git, which are run
	turns    *turns        // of readers' commands
	feeds    shell.Feeds
	queue    time.Duration      // how long a command waits for its turn
	failed   func(error) string // logs an error; the id that it is logged under
}

// serve has a session answered, and returns its exit status. It decides whom
// the session sees the blog as (the guest of a preview, an author, a reader),
// and which room answers: transfer for the subsystem and for programs that copy
// files, tui for a terminal without a command or with the address of a post,
// and shell for everything else.
func (r *router) serve(s *session) int {
	visitor := r.Blog.Reader()
	if token, is := strings.CutPrefix(s.stream.User(), previewUser); is {
		// With an author's key as well: authors see what they send to others.
		var open bool
		if visitor, open = r.Blog.Guest(token); !open {
			s.verb = "preview"
			return s.fail("This preview does not exist any more.", 1)
		}
	} else if s.author != nil {
		visitor = r.Blog.Author(s.author.name).Visitor()
	}
	if s.sftp {
		return r.transfer(s, visitor, nil)
	}
	args, err := splitCommand(s.command)
	if err != nil {
		s.verb = "-"
		return s.fail("command line: "+err.Error(), 2)
	}
	preview, guest := visitor.Preview()
	if s.terminal {
		if len(args) == 0 {
			return r.browse(s, visitor, preview)
		}
		if len(args) == 1 && !shell.IsVerb(args[0]) {
			slug, _, _ := strings.Cut(args[0], "#")
			if _, err := visitor.Edition().Post(slug); err == nil {
				return r.browse(s, visitor, args[0])
			}
		}
	}
	if len(args) > 0 && transfer.IsCopyCommand(args[0]) {
		return r.transfer(s, visitor, args)
	}
	if guest && len(args) == 0 {
		args = []string{"read", "--", preview}
	}
	return r.command(s, visitor, args)
}

// internalError logs an error of the machine, tells the visitor its id, and
// returns the exit status.
func (r *router) internalError(s *session, err error) int {
	return s.fail("internal error ("+r.failed(err)+")", 1)
}

// host is where the server is in addresses that are printed for a session.
// Without a name from its owner it is localhost for whoever is on the same
// machine; anybody else reads HOST, with the port that the client has reached.
func (r *router) host(s *session, v blog.Visitor) blog.Host {
	if h := cmp.Or(r.Host, v.Edition().Site().Host); h != "" {
		return h
	}
	name, port := "HOST", ""
	if at, err := netip.ParseAddrPort(s.channel.conn.LocalAddr().String()); err == nil {
		port = strconv.Itoa(int(at.Port()))
		if at.Addr().Unmap().IsLoopback() {
			name = "localhost"
		}
	}
	return blog.JoinHost(name, port)
}

// command runs a command line in shell, and returns its exit status. Colours
// are used on a terminal whose user has not declined them. A reader's command
// waits for its turn among those of its network.
func (r *router) command(s *session, visitor blog.Visitor, args []string) int {
	s.verb = "ls"
	if len(args) > 0 {
		s.verb = oneLine(args[0])
	}
	out := io.Writer(s.stream)
	if s.author == nil {
		ctx, cancel := context.WithTimeoutCause(s.ctx, r.queue, errManyCommands)
		defer cancel()
		turn, err := r.turns.take(ctx, s.channel.conn.from)
		if err != nil {
			return s.fail(oneLine(err.Error()), 1)
		}
		defer turn.done()
		out = turnWriter{w: out, ctx: s.ctx, srv: s.channel.conn.srv, turn: turn}
	}
	defer visitor.Visit()()
	theme := typeset.Theme{Name: "plain", Accent: visitor.Edition().Site().Accent}
	color := s.terminal && !s.noColor()
	if color {
		theme.Name = "dark"
	}
	status, err := shell.Run(s.ctx, shell.Call{
		Args:     args,
		Visitor:  visitor,
		Setter:   r.Setter,
		Feeds:    &r.feeds,
		Host:     r.host(s, visitor),
		Terminal: s.terminal,
		Width:    s.size.Width,
		Color:    color,
		Theme:    theme,
		Denied:   s.denied(),
		In:       s.stream,
		Alive:    s.alive,
		Out:      out,
		Err:      s.stream.Stderr(),
	})
	if err != nil {
		return r.internalError(s, err)
	}
	if reason := s.closeReason(); reason != "" {
		return s.fail(reason, 1)
	}
	return status
}

// browserVerb is what a browser is called in the log.
const browserVerb = "browser"

// browse runs the browser, which begins with the post at the address open (""
// is the list), and returns its exit status. One more than Limits.Browsers is
// refused.
func (r *router) browse(s *session, visitor blog.Visitor, open string) int {
	s.verb = browserVerb
	select {
	case r.browsers <- struct{}{}:
		defer func() { <-r.browsers }()
	default:
		return s.fail("too many readers at the moment; "+r.host(s, visitor).Command("ls")+" lists the posts", 1)
	}
	defer visitor.Visit()()
	refused := 0
	if s.author == nil {
		refused = s.keysRefused
	}
	err := tui.Run(s.ctx, tui.Terminal{
		In:      s.stream,
		Out:     s.stream,
		Term:    s.term,
		Env:     s.env,
		Width:   s.size.Width,
		Height:  s.size.Height,
		Resizes: s.sizes,
		Notices: s.notices,
		NoColor: s.noColor(),
	}, tui.Config{
		Visitor:     visitor,
		Setter:      r.Setter,
		Host:        r.host(s, visitor),
		Open:        open,
		KeysRefused: refused,
		MaxPaste:    s.channel.conn.pasteLimit(),
		Log:         r.log,
	})
	switch {
	case s.ctx.Err() != nil:
		return 1
	case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF): // EOF: the client has gone
		return r.internalError(s, err)
	}
	return 0
}
