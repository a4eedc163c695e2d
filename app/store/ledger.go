package store

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// A Ledger is what the commits of a Store add up to: the newest tree, and the
// way there. It is one fold over Commits, whatever the store, and immutable.
type Ledger struct {
	base    map[string]Entry // the tree, but for what recent says; shared with the ledgers before
	recent  map[string]Entry // an entry without a hash: not in the tree
	len     int              // files in the tree
	commits []Commit         // shares its array with the ledgers before
}

// Apply gives the ledger with one more commit, whose Rev follows. Of one
// ledger's successors only the newest may be in use. It costs as much as the
// commits of late are large, not as the tree is.
func (l *Ledger) Apply(c Commit) *Ledger {
	next := &Ledger{base: l.base, len: l.len, commits: append(l.commits, c)}
	if n := len(l.recent) + len(c.Entries); n*n <= len(l.base) {
		if next.recent = maps.Clone(l.recent); next.recent == nil {
			next.recent = map[string]Entry{}
		}
	} else {
		next.base = maps.Collect(l.tree())
	}
	next.add(c.Entries)
	return next
}

// fold is Apply of commits in a row to the empty ledger.
func fold(commits []Commit) *Ledger {
	l := &Ledger{base: map[string]Entry{}, commits: commits}
	for _, c := range commits {
		l.add(c.Entries)
	}
	return l
}

// add changes the tree of a ledger that nobody else knows yet: in base, if
// there is nothing in recent.
func (l *Ledger) add(entries []Entry) {
	for _, e := range entries {
		_, was := l.Entry(e.Path)
		switch is := e.Hash != ""; {
		case is && !was:
			l.len++
		case was && !is:
			l.len--
		}
		switch {
		case l.recent != nil:
			l.recent[e.Path] = e
		case e.Hash == "":
			delete(l.base, e.Path)
		default:
			l.base[e.Path] = e
		}
	}
}

// tree gives the files of the newest tree in no order.
func (l *Ledger) tree() iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
		for name, e := range l.recent {
			if e.Hash != "" && !yield(name, e) {
				return
			}
		}
		for name, e := range l.base {
			if _, changed := l.recent[name]; !changed && !yield(name, e) {
				return
			}
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
	if e, ok := l.recent[path]; ok {
		if e.Hash == "" {
			return Entry{}, false
		}
		return e, true
	}
	e, ok := l.base[path]
	return e, ok
}

// Len is the number of files.
func (l *Ledger) Len() int { return l.len }

// Entries gives the newest tree, sorted by path.
func (l *Ledger) Entries() []Entry {
	all := make([]Entry, 0, l.len)
	for _, e := range l.tree() {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// At gives the tree of a revision, unsorted.
func (l *Ledger) At(rev Rev) map[string]Entry {
	i, ok := l.find(rev)
	if ok {
		i++
	}
	return fold(l.commits[:i]).base
}

// Commit gives one commit. It is shared: nothing of it may be changed.
func (l *Ledger) Commit(rev Rev) (Commit, bool) {
	i, ok := l.find(rev)
	if !ok {
		return Commit{}, false
	}
	return l.commits[i], true
}

func (l *Ledger) find(rev Rev) (i int, ok bool) {
	return slices.BinarySearchFunc(l.commits, rev, func(c Commit, r Rev) int { return int(int64(c.Rev) - int64(r)) })
}

// Commits gives the commits after a revision in order, those of 0 from the
// first. They are shared: nothing of them may be changed.
func (l *Ledger) Commits(since Rev) []Commit {
	i, ok := l.find(since)
	if ok {
		i++
	}
	return l.commits[i:len(l.commits):len(l.commits)]
}

// until gives the ledger as it was at a revision.
func (l *Ledger) until(rev Rev) *Ledger {
	i, ok := l.find(rev)
	if !ok || i == len(l.commits)-1 {
		return l
	}
	return fold(l.commits[: i+1 : i+1])
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

// hashes gives every blob that a commit names.
func (l *Ledger) hashes() map[string]bool {
	named := map[string]bool{}
	for _, c := range l.commits {
		for _, e := range c.Entries {
			named[e.Hash] = true
		}
	}
	return named
}
