// Package sshd is the door: who gets in, what they may take from the machine,
// and which room answers them.
//
// # Who is who
//
// An author is somebody who has proven a key of keys/authors; everybody else
// is a reader, whatever keys their agent offers and whatever name they log in
// with. Only the authors' keys are accepted (auth.go): others are refused one
// by one until the client asks for keyboard-interactive, which has no question
// and lets it in. The names guest and anonymous are let in without any method,
// for scripts. So is preview-TOKEN, who sees the one post that an author shares
// under this token and is nothing else, also with an author's key. Who it is is
// decided anew for each session, from the key in the permissions of the finished
// handshake; a callback that sees a key offered decides nothing. keys/authors is
// read again when it changes (authors.go), and a key that is gone takes its
// sessions along.
//
// # The guard
//
// The library below passes on whatever a client sends. All that is closed in a
// few places: gate.go counts connections before they have said a word;
// penalty.go keeps those away for a while that failed again and again; conn.go
// is a connection with timers of its own (the library wipes deadlines), that of
// the handshake, the lifetime and of idleness; vanished_linux.go has the kernel
// notice a peer whose network is gone; session.go takes every request off a
// channel, keeps window sizes to itself and gives a session a context that ends
// with its channel; requests.go says which requests pass; input.go and output.go
// bound what is typed and what is not read. Every
// goroutine started here survives a panic, and a panic in a room costs one
// session. The figures are Limits.
//
// Text that comes from a client is cleaned before it is logged; keys and names
// of readers are not logged at all.
//
// # Rooms
//
// A terminal without a command, or with the address of a post alone, gets
// tui. The far end of a program that copies files (the subsystem sftp, or scp,
// rsync and git) gets transfer; everything else is a command line (command.go)
// and gets shell. Subsystems, which the library takes past all middleware,
// have the same guard, record and recovery as commands.
package sshd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/shell"
	"sheaf/app/transfer"
	"sheaf/app/tui"
	"sheaf/app/typeset"
)

// Config is what a server is made of.
type Config struct {
	Blog     *blog.Blog
	Setter   *typeset.Setter
	Transfer *transfer.Transfer
	Keys     string // folder of the host key and of the authors' keys
	Authors  string // more authors, as lines of the file keys/authors
	Host     string // the public name, printed in addresses; "" takes the site's
	Version  string // of the program, told to clients
	Limits   Limits
	Exempt   []netip.Prefix // networks that have no penalties
	Proxies  []netip.Prefix // networks whose connections begin with a header of the PROXY protocol, and have no penalties
	Log      *slog.Logger   // nil: none
}

// size is that of a window, in cells.
type size = tui.Size

// New makes a server. The host key is made when there is none; one that is
// broken, or that others can read, is an error and stays as it is.
func New(c Config) (*Server, error) {
	r := &rooms{Config: c}
	s, err := newServer(c, r.answer)
	if err != nil {
		return nil, err
	}
	r.log = s.log
	r.browsers = make(chan struct{}, s.limits.Browsers)
	r.transfers = newTransfers(s.limits)
	r.failed = s.failed
	s.browsers = func() int { return len(r.browsers) }
	return s, nil
}

// rooms is where sessions go.
type rooms struct {
	Config
	log       *slog.Logger
	browsers  chan struct{} // one for each open browser
	transfers *transfers
	failed    func(error) string
}

// answer sends a visit to its room and gives the exit status.
func (r *rooms) answer(v *visit) int {
	visitor := r.Blog.Reader()
	if token, is := strings.CutPrefix(v.session.User(), previewUser); is {
		// With an author's key too: what they send to others is what they see.
		var open bool
		if visitor, open = r.Blog.Guest(token); !open {
			v.verb = "preview"
			return v.fail("This preview does not exist any more.", 1)
		}
	} else if v.author != nil {
		visitor = r.Blog.Author(v.author.name)
	}
	if v.copies {
		return r.transfer(v, visitor, nil)
	}
	args, err := words(v.command)
	if err != nil {
		v.verb = "-"
		return v.fail("command line: "+err.Error(), 2)
	}
	preview, guest := visitor.Preview()
	if v.terminal {
		if len(args) == 0 {
			return r.browse(v, visitor, preview)
		}
		if len(args) == 1 && !shell.IsVerb(args[0]) {
			slug, _, _ := strings.Cut(args[0], "#")
			if _, err := visitor.Edition().Post(slug); err == nil {
				return r.browse(v, visitor, args[0])
			}
		}
	}
	if len(args) > 0 && transfer.IsCopyCommand(args[0]) {
		return r.transfer(v, visitor, args)
	}
	if guest && len(args) == 0 {
		args = []string{"read", "--", preview}
	}
	return r.command(v, visitor, args)
}

func (r *rooms) host(v blog.Visitor) string {
	if r.Host != "" {
		return r.Host
	}
	if h := v.Edition().Site().Host; h != "" {
		return h
	}
	return "localhost"
}

func (r *rooms) command(v *visit, visitor blog.Visitor, args []string) int {
	v.verb = "ls"
	if len(args) > 0 {
		v.verb = clean(args[0])
	}
	defer visitor.Visit()()
	theme := typeset.Theme{Name: "plain", Accent: visitor.Edition().Site().Accent}
	color := v.terminal && !v.noColor()
	if color {
		theme.Name = "dark"
	}
	status, err := shell.Run(v.ctx, shell.Call{
		Args:     args,
		Visitor:  visitor,
		Setter:   r.Setter,
		Host:     r.host(visitor),
		Terminal: v.terminal,
		Width:    v.size.Width,
		Color:    color,
		Theme:    theme,
		Denied:   v.denied(),
		In:       v.session,
		Alive:    v.alive,
		Out:      v.session,
		Err:      v.session.Stderr(),
	})
	if err != nil {
		return v.fail("internal error ("+r.failed(err)+")", 1)
	}
	if f := v.farewell(); f != "" {
		return v.fail(f, 1)
	}
	return status
}

// browserVerb is what a browser is called in the log.
const browserVerb = "browser"

func (r *rooms) browse(v *visit, visitor blog.Visitor, open string) int {
	v.verb = browserVerb
	select {
	case r.browsers <- struct{}{}:
		defer func() { <-r.browsers }()
	default:
		return v.fail("too many readers at the moment; ssh "+r.host(visitor)+" ls lists the posts", 1)
	}
	defer visitor.Visit()()
	refused := 0
	if v.author == nil {
		refused = v.refused
	}
	err := tui.Run(v.ctx, tui.Terminal{
		In:      v.session,
		Out:     v.session,
		Term:    v.term,
		Env:     v.env,
		Width:   v.size.Width,
		Height:  v.size.Height,
		Resizes: v.sizes,
		Notices: v.notices,
		NoColor: v.noColor(),
	}, tui.Config{
		Visitor:     visitor,
		Setter:      r.Setter,
		Host:        r.host(visitor),
		Open:        open,
		KeysRefused: refused,
		Log:         r.log,
	})
	switch {
	case v.ctx.Err() != nil:
		return 1
	case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF): // EOF: the client has gone
		return v.fail("internal error ("+r.failed(err)+")", 1)
	}
	return 0
}
