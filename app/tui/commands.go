package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A job is work that is done outside of Update, because it may take a while. It
// must not touch the browser; what it returns is called in Update.
type job func() (then func())

// quickEnough is how long Update waits for a job itself. Nobody notices that,
// and most jobs are done by then.
const quickEnough = 50 * time.Millisecond

// takeCommands returns the commands that were added since the last call.
func (b *browser) takeCommands() tea.Cmd {
	cmds := b.cmds
	b.cmds = nil
	return tea.Batch(cmds...)
}

// command adds a command. It must not touch the browser.
func (b *browser) command(cmd tea.Cmd) {
	crash := b.crash
	b.cmds = append(b.cmds, func() tea.Msg {
		defer func() {
			if p := recover(); p != nil {
				crash(p)
			}
		}()
		return cmd()
	})
}

// after sends a message later.
func (b *browser) after(d time.Duration, msg tea.Msg) {
	ctx := b.ctx
	b.command(func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return msg
		case <-ctx.Done():
			return nil
		}
	})
}

// later does something to the browser after a while.
func (b *browser) later(d time.Duration, f func()) { b.after(d, deliver(f)) }

// listen waits for the next thing that is not typed. There is one such command
// at any time.
func (b *browser) listen() {
	ctx, news, resizes, notices := b.ctx, b.edition.Superseded(), b.term.Resizes, b.term.Notices
	b.command(func() tea.Msg {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			return superseded{}
		case s, ok := <-resizes:
			if !ok {
				return channelClosed{resizes: true}
			}
			return resized(s)
		case s, ok := <-notices:
			if !ok {
				return channelClosed{notices: true}
			}
			return notice(s)
		}
	})
}

// background does a job. Most jobs are done at once: then what they return is
// called before background returns, and the screen does not change twice.
func (b *browser) background(j job) {
	ctx := b.ctx
	done := make(chan func(), 1)
	guard(b.crash, func() { done <- j() })
	t := time.NewTimer(quickEnough)
	defer t.Stop()
	select {
	case then := <-done:
		then()
	case <-t.C:
		b.command(func() tea.Msg {
			select {
			case then := <-done:
				return deliver(then)
			case <-ctx.Done():
				return nil
			}
		})
	case <-ctx.Done():
	}
}

// try runs do in the background. If it succeeds, then is called in Update with
// its result; else the reason is shown.
func try[T any](a *author, do func(context.Context) (T, error), then func(T)) {
	ctx := a.b.ctx
	a.b.background(func() func() {
		v, err := do(ctx)
		return func() {
			if err != nil {
				a.sayRefused(err)
				return
			}
			then(v)
		}
	})
}

// hold does a job after which keys mean something else, like opening an editor.
// Keys and pastes that come before it is done wait for it. Then, if meant still
// says that they are meant for what came of the job, they are handed over; else
// they are dropped.
func (a *author) hold(j job, meant func() bool) {
	a.holds++
	a.b.background(func() func() {
		then := j()
		return func() {
			a.holds--
			then()
			if a.holds > 0 {
				return
			}
			queued := a.queued
			a.queued = nil
			if !meant() {
				return
			}
			for _, e := range queued {
				a.b.event(e)
			}
		}
	})
}

// openInput is hold for a job that opens an input screen. What is typed
// meanwhile is meant for that screen and for nothing else.
func (a *author) openInput(j job) {
	before := a.b.current()
	a.hold(j, func() bool {
		s, ok := a.b.current().(inputScreen)
		return ok && screen(s) != before && !a.b.asking()
	})
}

// queue takes an event that has to wait for a job, and reports whether it has
// taken it. Keys and pastes are kept, up to the size of one paste; what the
// mouse does is dropped. There may be no author.
func (a *author) queue(e terminal.Event) bool {
	const most = 1000
	if a == nil || a.holds == 0 {
		return false
	}
	switch e.Kind {
	case terminal.Key, terminal.Paste:
		if e.Key == "ctrl+c" {
			a.b.leaving = true
			return true
		}
		size := len(e.Text)
		for _, q := range a.queued {
			size += len(q.Text)
		}
		if len(a.queued) < most && size <= a.b.conf.MaxPaste {
			a.queued = append(a.queued, e)
		}
		return true
	case terminal.PointerDown, terminal.PointerDrag, terminal.PointerUp, terminal.WheelUp, terminal.WheelDown:
		return true
	}
	return false
}

// guard runs f in a goroutine; a panic in it is reported to crash.
func guard(crash func(any), f func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				crash(p)
			}
		}()
		f()
	}()
}

// page sets a post. It may take a while and is called in jobs.
func page(c Config, p *blog.Post, h typeset.Header, measure int, t typeset.Theme) *typeset.Page {
	page := c.Setter.Page(p.Document(), h, measure, t)
	if page.Problem != "" {
		c.Log.Error("a post cannot be set", "path", p.Path, "problem", page.Problem)
	}
	return page
}

// header is what stands above a post.
func header(p *blog.Post) typeset.Header {
	return typeset.Header{Title: markdown.Line(p.Title), Note: markdown.Line(p.Note())}
}
