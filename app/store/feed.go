package store

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// A feed is a ledger that grows, and whoever waits for it to. Publish is for
// one goroutine at a time; all else is safe for concurrent use.
type feed struct {
	ledger atomic.Pointer[Ledger]
	mu     sync.Mutex
	ids    map[string]Rev // of the commits; guarded by mu
	more   chan struct{}  // closed by the next publish; guarded by mu
}

func newFeed(l *Ledger) *feed {
	f := &feed{ids: map[string]Rev{}, more: make(chan struct{})}
	f.ledger.Store(&Ledger{})
	f.publish(l)
	return f
}

// publish makes l, which begins as the ledger before, the newest.
func (f *feed) publish(l *Ledger) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range l.Commits(f.ledger.Load().Rev()) {
		f.ids[c.ID] = c.Rev
	}
	f.ledger.Store(l)
	close(f.more)
	f.more = make(chan struct{})
}

// known gives the revision of the commit that has an ID; none has "".
func (f *feed) known(id string) (Rev, bool) {
	if id == "" {
		return 0, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	rev, ok := f.ids[id]
	return rev, ok
}

// next is closed as soon as there is another ledger than the one that is asked
// for afterwards.
func (f *feed) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.more
}

// commits is Store.Commits; it ends with either context.
func (f *feed) commits(ctx, life context.Context, since Rev) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for {
			more := f.next()
			for _, c := range f.ledger.Load().Commits(since) {
				if !yield(c, nil) {
					return
				}
				since = c.Rev
			}
			select {
			case <-more:
			case <-ctx.Done():
				yield(Commit{}, ctx.Err())
				return
			case <-life.Done():
				yield(Commit{}, life.Err())
				return
			}
		}
	}
}
