package store

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
)

// A Ledger is what the commits of a Store add up to: the newest tree, and the
// way there. It is one fold over Commits, whatever the store, and immutable.
type Ledger struct {
	tree    map[string]Entry
	commits []Commit
}

// Apply gives the ledger with one more commit, whose Rev follows.
func (l *Ledger) Apply(c Commit) *Ledger {
	next := &Ledger{tree: maps.Clone(l.tree), commits: append(l.commits, c)}
	if next.tree == nil {
		next.tree = make(map[string]Entry, len(c.Entries))
	}
	next.add(c)
	return next
}

func (l *Ledger) add(c Commit) {
	for _, e := range c.Entries {
		if e.Hash == "" {
			delete(l.tree, e.Path)
		} else {
			l.tree[e.Path] = e
		}
	}
}

// Rev is the newest revision.
func (l *Ledger) Rev() Rev {
	if l == nil || len(l.commits) == 0 {
		return 0
	}
	return l.commits[len(l.commits)-1].Rev
}

// Entry is a file of the newest tree.
func (l *Ledger) Entry(path string) (Entry, bool) {
	e, ok := l.tree[path]
	return e, ok
}

// Len is the number of files.
func (l *Ledger) Len() int { return len(l.tree) }

// Entries gives the newest tree, sorted by path.
func (l *Ledger) Entries() []Entry {
	all := slices.Collect(maps.Values(l.tree))
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// At gives the tree of a revision, unsorted.
func (l *Ledger) At(rev Rev) map[string]Entry {
	old := &Ledger{tree: map[string]Entry{}}
	for _, c := range l.commits {
		if c.Rev > rev {
			break
		}
		old.add(c)
	}
	return old.tree
}

// Commit gives one commit. It is shared: nothing of it may be changed.
func (l *Ledger) Commit(rev Rev) (Commit, bool) {
	i, ok := slices.BinarySearchFunc(l.commits, rev, func(c Commit, r Rev) int { return int(int64(c.Rev) - int64(r)) })
	if !ok {
		return Commit{}, false
	}
	return l.commits[i], true
}

// Commits gives the commits after a revision in order, those of All from the
// first. They are shared: nothing of them may be changed.
func (l *Ledger) Commits(since Rev) []Commit {
	i, ok := slices.BinarySearchFunc(l.commits, since, func(c Commit, r Rev) int { return int(int64(c.Rev) - int64(r)) })
	if ok {
		i++
	}
	return l.commits[i:len(l.commits):len(l.commits)]
}

// Of gives the commits that name a path, in order.
func (l *Ledger) Of(path string) iter.Seq2[Commit, Entry] {
	return func(yield func(Commit, Entry) bool) {
		for _, c := range l.commits {
			for _, e := range c.Entries {
				if e.Path == path && !yield(c, e) {
					return
				}
			}
		}
	}
}

// Ledger gives the folder's ledger as it stands.
func (f *Folder) Ledger() *Ledger { return f.ledger.Load() }

// Head is the newest revision: see Store.
func (f *Folder) Head(ctx context.Context) (Rev, error) { return f.ledger.Load().Rev(), ctx.Err() }

// Commits gives every commit after since, then waits: see Store.
func (f *Folder) Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for {
			f.news.Lock()
			more := f.more
			f.news.Unlock()
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
			case <-f.ctx.Done():
				yield(Commit{}, f.ctx.Err())
				return
			}
		}
	}
}
