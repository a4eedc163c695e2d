package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
)

// A autosaver keeps the newest version of one text, whoever of several
// goroutines is last.
type autosaver struct {
	visitor blog.Visitor

	mu      sync.Mutex
	id      string
	version int
	unlock  func() // of the hold on what is kept
}

// lock tells other sessions of the author that this text is open here.
func (k *autosaver) lock(id string) {
	if id != k.id && k.unlock != nil {
		k.unlock()
		k.unlock = nil
	}
	if k.id = id; id != "" && k.unlock == nil {
		k.unlock = k.visitor.Hold(id)
	}
}

// release gives up the hold.
func (k *autosaver) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unlock != nil {
		k.unlock()
		k.unlock = nil
	}
}

func (k *autosaver) put(ctx context.Context, version int, text blog.Kept) error {
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
	k.lock(id)
	k.version = version
	return nil
}

// discard forgets what is kept: up to this version the text is safe elsewhere, or
// not wanted. What was kept later stays.
func (k *autosaver) discard(ctx context.Context, version int) error {
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
		k.lock("")
	}
	return err
}

func (e *editor) snapshot() (version int, k blog.Kept) {
	t, _, at := e.state()
	return e.buf.Version(), blog.Kept{Path: e.path, Base: e.base, Hash: e.hash, Text: []byte(t.String()), At: at, Time: time.Now(), Door: door}
}

// autosave keeps the text aside, off this goroutine.
func (e *editor) autosave() {
	e.autosaveDue = false
	ctx, keep := e.b.ctx, e.saver
	if !e.dirty() { // all of it was undone
		version := e.buf.Version()
		e.b.command(func() tea.Msg {
			_ = keep.discard(ctx, version) // it is offered once more, at worst
			return nil
		})
		return
	}
	version, text := e.snapshot()
	e.b.command(func() tea.Msg {
		err := keep.put(ctx, version, text)
		return deliver(func() { e.autosaveDone(text.Time, err) })
	})
}

func (e *editor) autosaveDone(t time.Time, err error) {
	if err == nil {
		e.autosaved, e.autosaveError = t, ""
		return
	}
	if e.b.ctx.Err() != nil {
		return
	}
	why := e.b.reason(err)
	if e.autosaveError != why || e.b.message == "" { // a key has taken the words away, not their cause
		e.autosaveError = why
		e.b.say("Your text is not being kept: " + why)
	}
	if !e.autosaveDue { // it may pass
		e.autosaveDue = true
		e.b.later(5*time.Second, e.autosave)
	}
}

// close keeps the text when the session ends, however it does.
func (e *editor) close() {
	defer e.saver.release()
	if !e.dirty() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.b.ctx), closeTimeout)
	defer cancel()
	version, text := e.snapshot()
	if err := e.saver.put(ctx, version, text); err != nil {
		e.b.conf.Log.Error("a text is not kept", "path", text.Path, "err", err)
	}
}
