package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/terminal"
)

// commands hands over the commands that have come together.
func (b *browser) commands() tea.Cmd {
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

// background does what may take a while outside of Update; what it returns is called
// in Update. Most often it is done at once: then so is that.
func (b *browser) background(job func() (then func())) {
	ctx := b.ctx
	done := make(chan func(), 1)
	guard(b.crash, func() { done <- job() })
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

// openInput is work that a desk comes of. What is typed before it is there is
// meant for it, and for nothing else: it waits for it, and is lost when something
// else comes.
func (b *browser) openInput(job func() (then func())) {
	before := b.current()
	b.opening = true
	b.background(func() func() {
		then := job()
		return func() {
			b.opening = false
			then()
			early := b.queued
			b.queued = nil
			if d, ok := b.current().(inputScreen); ok && screen(d) != before && b.prompt == nil && b.choice == nil {
				for _, e := range early {
					b.event(e)
				}
			}
		}
	})
}

// enqueue keeps what is typed for the desk that comes, as much as one paste may be.
func (b *browser) enqueue(e terminal.Event) {
	const most = 1000
	size := len(e.Text)
	for _, was := range b.queued {
		size += len(was.Text)
	}
	if len(b.queued) < most && size <= maxPasteAuthor {
		b.queued = append(b.queued, e)
	}
}

// later does something to the browser after a while.
func (b *browser) later(d time.Duration, f func()) { b.after(d, deliver(f)) }

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
