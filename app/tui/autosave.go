package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
)

// A keeper keeps the newest version of one text, whoever of several
// goroutines is last.
type keeper struct {
	visitor blog.Visitor

	mu      sync.Mutex
	id      string
	version int
	release func() // of the hold on what is kept
}

// hold tells other sessions of the author that this text is open here.
func (k *keeper) hold(id string) {
	if id != k.id && k.release != nil {
		k.release()
		k.release = nil
	}
	if k.id = id; id != "" && k.release == nil {
		k.release = k.visitor.Hold(id)
	}
}

// end gives up the hold.
func (k *keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.release != nil {
		k.release()
		k.release = nil
	}
}

func (k *keeper) put(ctx context.Context, version int, text blog.Kept) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version <= k.version {
		return nil
	}
	text.ID = k.id
	id, err := k.visitor.Keep(ctx, text)
	if err != nil {
		return err
	}
	k.hold(id)
	k.version = version
	return nil
}

// drop forgets what is kept: up to this version the text is safe elsewhere, or
// not wanted. What was kept later stays.
func (k *keeper) drop(ctx context.Context, version int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version > version {
		return nil
	}
	k.version = version
	if k.id == "" {
		return nil
	}
	err := k.visitor.Forget(ctx, k.id)
	if err == nil {
		k.hold("")
	}
	return err
}

func (e *editor) snapshot() (version int, k blog.Kept) {
	t, _, at := e.state()
	return e.buf.Version(), blog.Kept{Path: e.name, Base: e.base, Hash: e.hash, Text: []byte(t.String()), At: at, Time: time.Now(), Door: door}
}

// keepNow keeps the text aside, off this goroutine.
func (e *editor) keepNow() {
	e.waiting = false
	ctx, keep := e.b.ctx, e.keep
	if !e.dirty() { // all of it was undone
		version := e.buf.Version()
		e.b.do(func() tea.Msg {
			_ = keep.drop(ctx, version) // it is offered once more, at worst
			return nil
		})
		return
	}
	version, text := e.snapshot()
	e.b.do(func() tea.Msg {
		err := keep.put(ctx, version, text)
		return deliver(func() { e.keptAt(text.Time, err) })
	})
}

func (e *editor) keptAt(t time.Time, err error) {
	if err == nil {
		e.kept, e.unkept = t, ""
		return
	}
	if e.b.ctx.Err() != nil {
		return
	}
	why := e.b.why(err)
	if e.unkept != why || e.b.note == "" { // a key has taken the words away, not their cause
		e.unkept = why
		e.b.say("Your text is not being kept: " + why)
	}
	if !e.waiting { // it may pass
		e.waiting = true
		e.b.later(5*time.Second, e.keepNow)
	}
}

// close keeps the text when the session ends, however it does.
func (e *editor) close() {
	defer e.keep.end()
	if !e.dirty() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.b.ctx), goodbyeLimit)
	defer cancel()
	version, text := e.snapshot()
	if err := e.keep.put(ctx, version, text); err != nil {
		e.b.conf.Log.Error("a text is not kept", "path", text.Path, "err", err)
	}
}
