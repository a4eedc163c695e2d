package blog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Config says what a Blog is made of.
type Config struct {
	Store  *store.Worktree  // stays the caller's to close, after the blog
	State  store.State      // what is kept beside the posts; nil: with Store
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: none
	Limits Limits
}

// A Blog is a folder of posts that is kept up with. Its methods are safe for
// concurrent use.
type Blog struct {
	lib        *library
	state      store.State
	log        *slog.Logger
	current    atomic.Pointer[snapshot]
	limits     Limits
	cancel     context.CancelFunc
	closed     <-chan struct{}
	jobs       chan func(*index) // for the goroutine that owns the index
	imported   chan struct{}     // closed when the folder has been looked through once
	handEdited chan struct{}     // cap 1: something was changed by hand
	done       sync.WaitGroup

	files         struct{ reader, author atomic.Pointer[Files] } // the last that were asked for
	autosaving    sync.Mutex                                     // one text at a time
	autosaveLocks map[string]int                                 // by the names of their states
	previews      previews
	stats         stats
}

// Open reads the folder and follows its changes until ctx ends or Close is
// called.
func Open(ctx context.Context, c Config) (*Blog, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.State == nil {
		c.State = c.Store.State()
	}
	s := newIndex(c.Store)
	s.lib.now = c.Now
	b := &Blog{
		log: c.Log, lib: s.lib, state: c.State, limits: c.Limits.or(), autosaveLocks: map[string]int{},
		jobs: make(chan func(*index)), imported: make(chan struct{}), handEdited: make(chan struct{}, 1),
	}
	ctx, b.cancel = context.WithCancel(ctx)
	b.closed = ctx.Done()
	changed := c.Store.Watch(ctx, unwatched)
	start := time.Now()
	if _, err := s.rescan(); err != nil {
		b.cancel()
		for range changed { // until the watcher has gone
		}
		return nil, err
	}
	b.loadPreviews()
	b.loadStats()
	b.setEdition(s, s.snapshot(c.Now()))
	b.log.Info("content read", "posts", len(s.entries), "took", time.Since(start).Round(time.Millisecond))
	b.done.Go(func() { b.recordHandEdits(ctx) })
	b.done.Go(func() { b.run(ctx, s, changed) })
	b.done.Go(func() { b.warm(ctx) })
	b.done.Go(func() { b.keepStats(ctx, statsPause) })
	return b, nil
}

// unwatched reports folders that are large and hold no posts.
func unwatched(dir string) bool {
	switch path.Base(dir) {
	case "node_modules", "__site", "_site":
		return true
	}
	return false
}

// Close stops following the folder, waits until that has stopped, and saves the
// counts. Editions stay valid, but posts that were not read yet can no longer
// be.
func (b *Blog) Close() error {
	b.cancel()
	b.done.Wait()
	b.stats.save(b.log)
	return nil
}

// warm makes the text that searches look into in the background, so that the
// first search is as quick as the others.
func (b *Blog) warm(ctx context.Context) {
	for {
		e := b.current.Load().author
		for _, p := range e.searched {
			if ctx.Err() != nil {
				return
			}
			_ = b.contain(func() { p.entry.searchText() })
		}
		select {
		case <-ctx.Done():
			return
		case <-e.superseded:
		}
	}
}

// run makes the next edition when the folder has changed, an author commits, or
// a post's time has come. It owns the index.
func (b *Blog) run(ctx context.Context, s *index, changed <-chan struct{}) {
	timer := time.NewTimer(b.wait(s.last.due))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-b.jobs:
			job(s)
		case _, ok := <-changed:
			if !ok { // nobody watches any more; authors still commit
				changed = nil
				continue
			}
			_ = b.contain(func() { b.refresh(s) })
			select { // readers first, the history after them
			case b.handEdited <- struct{}{}:
			default:
			}
		case <-timer.C:
			if !s.last.due.IsZero() && !s.last.due.After(b.lib.now()) {
				_ = b.contain(func() { b.setEdition(s, s.snapshot(b.lib.now())) })
			}
		}
		timer.Reset(b.wait(s.last.due))
	}
}

// refresh makes the next edition if anything in the folder is new.
func (b *Blog) refresh(s *index) {
	changed, err := s.rescan()
	if err != nil {
		b.log.Warn("content not read", "err", err)
	} else if changed {
		b.setEdition(s, s.snapshot(b.lib.now()))
	}
}

// contain runs f. If f panics, that is logged and ends there, with an error.
func (b *Blog) contain(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("panic", "panic", markdown.Line(fmt.Sprint(p)), "stack", string(debug.Stack()))
			err = errors.New("something went wrong here; the log says more")
		}
	}()
	f()
	return nil
}

// recordHandEdits commits what was changed by hand, once at the start and then
// whenever something was. If that fails, on a full disk for example, it is
// tried again half a minute later.
func (b *Blog) recordHandEdits(ctx context.Context) {
	first := b.imported
	said := ""
	for {
		var err error
		panicked := b.contain(func() {
			_, err = b.lib.worktree.Import(ctx, func(p string, dir bool) bool {
				if dir {
					return unwatched(p)
				}
				return Scratch(path.Base(p))
			})
		})
		err = cmp.Or(panicked, err)
		if first != nil {
			close(first)
			first = nil
		}
		var again <-chan time.Time
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil:
			again = time.After(30 * time.Second)
			if err.Error() != said {
				said = err.Error()
				b.log.Warn("changes by hand not taken into the history", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-b.handEdited:
		case <-again:
		}
	}
}

// wait returns how long to sleep until a post's time has come, a minute at
// most, because the clock may be set meanwhile.
func (b *Blog) wait(due time.Time) time.Duration {
	if due.IsZero() {
		return time.Minute
	}
	return min(max(due.Sub(b.lib.now()), 10*time.Millisecond), time.Minute)
}

// setEdition makes a snapshot of the index the current one, and tells those who
// wait for a newer edition.
func (b *Blog) setEdition(s *index, next *snapshot) {
	old := b.current.Load()
	if old != nil && old.reader.same(next.reader) {
		// What readers see is as it was: nobody of them is told that
		// authors are at work.
		next.reader = old.reader
	}
	s.last = next
	b.current.Store(next)
	b.showPreviews(next)
	b.stats.followMoves(b.lib.worktree.Ledger())
	if old != nil {
		if old.reader != next.reader {
			close(old.reader.superseded)
		}
		close(old.author.superseded)
		b.log.Info("new edition", "posts", len(next.reader.posts), "problems", len(next.author.problems))
	}
}

// A Visitor is somebody who sees an edition; there is no other way to one. The
// zero Visitor sees nothing.
type Visitor struct {
	blog    *Blog
	author  bool
	name    string
	channel string
	guest   *share // the only post the visitor sees; nil: not a guest
}

// An Author is a visitor who sees everything and may change it. Its methods are
// what a reader cannot ask for: an Author is made by Blog.Author, for somebody
// who has proven a key, or had from a Visitor who is one. The zero Author is
// nobody, and its methods must not be called.
type Author struct {
	visitor // not exported, or anybody could make an author of a reader
}

type visitor = Visitor

// Reader returns a visitor who sees what is published.
func (b *Blog) Reader() Visitor { return Visitor{blog: b} }

// Author returns an author. The caller promises that the key which goes with
// this byline was proven.
func (b *Blog) Author(name string) Author {
	return Author{Visitor{blog: b, author: true, name: name}}
}

// Visitor returns the author as a visitor like any other.
func (a Author) Visitor() Visitor { return a.visitor }

// Author returns the author that the visitor is; ok is false for readers and
// guests.
func (v Visitor) Author() (a Author, ok bool) {
	if !v.author {
		return Author{}, false
	}
	return Author{v}, true
}

// Edition returns the blog at this moment, as the visitor may see it.
func (v Visitor) Edition() *Edition {
	switch {
	case v.blog == nil:
		return newEdition(Site{Location: time.Local})
	case v.guest != nil:
		return v.guest.edition.Load()
	case v.author:
		return v.blog.current.Load().author
	}
	return v.blog.current.Load().reader
}

// IsAuthor reports whether the visitor is an author.
func (v Visitor) IsAuthor() bool { return v.author }

// Name is the author's name, "" for readers.
func (v Visitor) Name() string { return v.name }
