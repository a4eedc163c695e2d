package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
)

const (
	autosaveAfter = time.Second     // from a change to the autosave
	autosaveAgain = 5 * time.Second // from one that failed to the next
	closeTimeout  = 3 * time.Second // for the last one of a session
)

// An autosaver keeps the newest version of one text aside. Several goroutines
// may use it: an older version never replaces a newer one. Its methods wait for
// the disk, and are not called in Update.
type autosaver struct {
	visitor blog.Author

	mu       sync.Mutex
	id       string
	version  int    // the newest that is kept, or need not be; -1: none
	unlock   func() // nil: not locked
	released bool
}

// lock tells the author's other sessions that the text is open here.
func (k *autosaver) lock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lockID(k.id)
}

func (k *autosaver) lockID(id string) {
	if id != k.id && k.unlock != nil {
		k.unlock()
		k.unlock = nil
	}
	if k.id = id; id != "" && k.unlock == nil && !k.released {
		k.unlock = k.visitor.LockAutosave(id)
	}
}

// release gives up the lock for good.
func (k *autosaver) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.released = true
	if k.unlock != nil {
		k.unlock()
		k.unlock = nil
	}
}

// put keeps a version of the text, unless a newer one is kept already.
func (k *autosaver) put(ctx context.Context, version int, text blog.Autosave) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version <= k.version {
		return nil
	}
	text.ID = k.id
	id, err := k.visitor.Autosave(ctx, text)
	if err != nil {
		return err
	}
	k.lockID(id)
	k.version = version
	return nil
}

// discard removes what is kept of the text up to a version, which is safe
// elsewhere or not wanted. If a later version has been kept, it stays.
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
	err := k.visitor.DiscardAutosave(ctx, k.id)
	if err == nil {
		k.lockID("")
	}
	return err
}

// autosaving is what an editor knows of its autosaver.
type autosaving struct {
	due     bool
	last    time.Time
	problem string // why the text is not being kept; "": it is
}

// snapshot is the text as it stands now.
func (e *editor) snapshot() (version int, k blog.Autosave) {
	t, _, at := e.view.state()
	return e.buf.Version(), blog.Autosave{
		Text:   blog.Text{Path: e.path, Hash: e.hash, Body: []byte(t.String())},
		Cursor: at, Time: time.Now(), Channel: channel,
	}
}

// autosave keeps the text aside, outside of Update.
func (e *editor) autosave() {
	e.autosaving.due = false
	if !e.dirty() { // all of it was undone
		e.discardAutosave(e.buf.Version())
		return
	}
	ctx, saver := e.b.ctx, e.saver
	version, text := e.snapshot()
	e.b.command(func() tea.Msg {
		err := saver.put(ctx, version, text)
		return deliver(func() { e.autosaved(text.Time, err) })
	})
}

// discardAutosave forgets what is kept up to a version, outside of Update.
func (e *editor) discardAutosave(version int) {
	ctx, saver := e.b.ctx, e.saver
	e.b.command(func() tea.Msg {
		_ = saver.discard(ctx, version) // it is offered once more, at worst
		return nil
	})
}

// autosaved notes what came of an autosave. One that failed is tried again, and
// as long as it fails the reason is shown again whenever it has disappeared.
func (e *editor) autosaved(t time.Time, err error) {
	if err == nil {
		e.autosaving.last, e.autosaving.problem = t, ""
		return
	}
	if e.b.ctx.Err() != nil {
		return
	}
	why := e.a.reason(err)
	if e.autosaving.problem != why || e.b.message == "" {
		e.autosaving.problem = why
		e.b.say("Your text is not being kept: " + why)
	}
	if !e.autosaving.due {
		e.autosaving.due = true
		e.b.later(autosaveAgain, e.autosave)
	}
}

// close keeps the text when the session ends, for whatever reason.
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
