// Package tui is the browser that a visitor meets on a terminal: the list of
// posts, a post, the ways between them, and what authors do there.
//
// [Run] is one session. bubbletea is its event loop, and its one model is the
// browser (browser.go). It holds a stack of screens (screen.go) and hands what
// is typed to the one on top; each is a struct that is told what to do and
// answers with at most as many rows as it has room for. Rows of a post are
// those of the page that all sessions share.
//
// Only Update changes anything. What may take a while is a job (commands.go):
// it is done in a goroutine, and what it returns is called in Update.
//
// What a key means is said once, in the key map (keymap.go), of which the
// bottom line and the help screen are made. A [terminal.Decoder] turns packets
// into keys.
//
// bubbletea draws nothing here. A [terminal.Painter] owns the screen and sends
// what differs between frames from a goroutine of its own, so that a slow
// terminal delays nobody, not even its own session. The terminal is restored
// however a session ends, and the reason why the server has ended it is printed
// on the normal screen.
//
// A terminal that cannot address its cursor (TERM=dumb) gets lists and posts
// one after the other as plain text (plain.go).
//
// # Author mode
//
// An author meets the same browser with more in it (author.go). What is done to
// a post from a list ends in a commit of package blog, as through any other
// channel: blog decides, the screens only ask. The session remembers its
// commits, so that undo takes the last one back.
//
// The editor (editor.go) is a screen that takes keys, pastes and the mouse
// itself. Its text is a [buffer.Buffer], of which a textView (editor_view.go)
// shows the rows around the cursor. The preview (preview.go) is the reader's
// own page of the text, made when the typing pauses. The form (form.go) edits
// the front matter in the same buffer.
//
// No word is lost. A changed text is kept aside by package blog (autosave.go) a
// second later and when the session ends, whatever ends it, and unsaved.go
// offers what was kept. The blog changes only by saving (save.go), and only if
// the post is still what the text was taken from; else merge.go shows both
// texts. versions.go shows the history.
//
// # What is promised to a terminal
//
// Every text of a blog passes [markdown.Clean] or comes out of package typeset,
// which has cleaned it. No row is wider than the window. The background colour
// is asked for once, before the first frame, which waits for the answer a tenth
// of a second at most.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// Size is that of a window, in cells.
type Size struct{ Width, Height int }

// Terminal is what a reader sits at.
type Terminal struct {
	In            io.Reader // read until it fails; its end ends the session
	Out           io.Writer
	Term          string // "xterm-256color"
	Env           []string
	Width, Height int
	Resizes       <-chan Size   // may be nil
	Notices       <-chan string // lines for the reader from outside; may be nil
	NoColor       bool
}

// Config is what a session is about.
type Config struct {
	Visitor     blog.Visitor
	Setter      *typeset.Setter
	Host        blog.Host // in printed addresses; "": the site's own, or none
	Open        string    // begin with this post: slug or slug#heading
	KeysRefused int       // keys the visitor has offered that are no author's
	MaxPaste    int       // bytes; a longer paste is refused, and the visitor told. 64 KiB if 0
	Log         *slog.Logger
}

// ErrPanic is what Run returns of a session that has met a bug of ours; the
// log has the rest.
var ErrPanic = errors.New("internal error")

// channel names the browser in the records of commits.
const channel = "browser"

// Run shows the blog until the visitor quits, the input ends, or ctx does; then
// the reason for that (context.Cause) is printed, unless it is only that it was
// cancelled. The terminal is always restored first. A Read of t.In may still be
// waiting when Run returns: it ends with the input.
func Run(ctx context.Context, t Terminal, c Config) (err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxPaste == 0 {
		c.MaxPaste = terminal.DefaultMaxPaste
	}
	t.Width, t.Height = boundedSize(t.Width, t.Height)
	c.Visitor = c.Visitor.Via(channel)
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	crash := func(p any) {
		c.Log.Error("panic in a browser", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		cancel(ErrPanic)
	}
	if t.Term == "dumb" || t.Term == "" {
		return runPlain(own, t, c, crash)
	}

	profile := colourProfile(t)
	out := t.Out
	if profile == colorprofile.ANSI {
		out = &colorprofile.Writer{Forward: t.Out, Profile: profile}
	}
	coloured := profile >= colorprofile.ANSI
	if !coloured {
		profile = colorprofile.ASCII
	}
	p := terminal.NewPainter(out, coloured, func(err error) { cancel(fmt.Errorf("write to the terminal: %w", err)) })
	guard(crash, p.Run)

	b := newBrowser(own, t, c, p, crash)
	if !coloured {
		b.theme.Name, b.monochrome, b.ready = "mono", true, true
	}
	program := tea.NewProgram(b,
		tea.WithContext(own), tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithEnvironment(t.Env),
		tea.WithColorProfile(profile), tea.WithoutRenderer(), tea.WithoutSignalHandler(),
		tea.WithFPS(1)) // its ticker runs although it draws nothing
	guard(crash, func() { readInput(t.In, program) })
	_, _ = program.Run()
	b.close()

	cause, farewell := context.Cause(own), ""
	switch {
	case errors.Is(cause, ErrPanic):
		farewell, err = "sheaf: internal error\r\n", ErrPanic
	case ctx.Err() != nil:
		if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
			farewell = markdown.Line(why.Error()) + "\r\n"
		}
	case cause != nil:
		err = cause
	}
	cancel(nil)
	if stalled := p.End(farewell); err == nil {
		err = stalled
	}
	return err
}

// readInput hands what is typed to the program until no more comes.
func readInput(in io.Reader, program *tea.Program) {
	for {
		buf := make([]byte, 1<<10)
		n, err := in.Read(buf)
		if n > 0 {
			program.Send(packet(buf[:n:n]))
		}
		if err != nil {
			program.Send(inputEnd{})
			return
		}
	}
}

// boundedSize bounds a window's size; 0 is unknown.
func boundedSize(width, height int) (int, int) {
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 24
	}
	return min(width, 500), min(height, 200)
}

// colourProfile says how many colours a terminal has.
func colourProfile(t Terminal) colorprofile.Profile {
	mono := strings.HasPrefix(t.Term, "vt1") || strings.HasPrefix(t.Term, "vt2") ||
		strings.HasSuffix(t.Term, "-m") || strings.HasSuffix(t.Term, "-mono")
	if t.NoColor || mono {
		return colorprofile.ASCII
	}
	env := append([]string{}, t.Env...)
	return colorprofile.Env(append(env, "TERM="+t.Term))
}

// windowTitle joins the parts of a window's title, made fit for one line.
func windowTitle(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = markdown.Line(p); p != "" {
			kept = append(kept, p)
		}
	}
	return markdown.Clean(strings.Join(kept, " · "))
}
