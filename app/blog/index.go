package blog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// An index is what is known of every source in the folder. It belongs to one
// goroutine at a time; what it holds at one moment is handed out as a snapshot.
type index struct {
	lib     *library
	shallow bool // only the folder itself, nothing below it
	listing *listing
	entries entryList
	last    *snapshot // that was made of the index; nil before the first

	learned store.Rev            // of the log
	moved   map[string]string    // addresses that posts had, to the paths they lead to
	first   map[string]time.Time // when a file was first committed; zero when it was found in the folder
}

func newIndex(f *store.Worktree) *index {
	return &index{lib: &library{worktree: f, docs: newDocuments(64 << 20), now: time.Now}}
}

// An entryList is sorted by walkOrder of the paths.
type entryList []*entry

// find returns the position of the file with a path, or where it would be.
func (l entryList) find(path string) (int, bool) {
	return slices.BinarySearchFunc(l, path, func(e *entry, path string) int { return walkOrder(e.path, path) })
}

// get returns the entry of the file with a path, nil if there is none.
func (l entryList) get(path string) *entry {
	if i, ok := l.find(path); ok {
		return l[i]
	}
	return nil
}

// with returns the list after a change: changed holds new entries by path, nil
// for a file that goes.
func (l entryList) with(changed map[string]*entry) entryList {
	out := make(entryList, 0, len(l)+len(changed))
	from := 0
	for _, name := range slices.SortedFunc(maps.Keys(changed), walkOrder) {
		i, there := l.find(name)
		out = append(out, l[from:i]...)
		if e := changed[name]; e != nil {
			out = append(out, e)
		}
		if from = i; there {
			from++
		}
	}
	return append(out, l[from:]...)
}

// walkOrder is the order in which a walk finds files: those of a directory
// before those below it.
func walkOrder(a, b string) int {
	for {
		x, inA, dirA := strings.Cut(a, "/")
		y, inB, dirB := strings.Cut(b, "/")
		if dirA != dirB {
			if dirB {
				return -1
			}
			return 1
		}
		if c := strings.Compare(x, y); c != 0 || !dirA {
			return c
		}
		a, b = inA, inB
	}
}

// rescan brings the index up to date with the folder and reports whether
// anything in it is new. Only files whose stamp has changed are read, and only
// those whose bytes have changed are parsed.
func (s *index) rescan() (changed bool, err error) {
	s.learn(s.lib.worktree.Ledger())
	l, err := scan(s.lib.worktree, s.listing, s.shallow)
	if err != nil {
		return false, err
	}
	l.keepUnread(s.listing)
	known := make([]*entry, len(l.files)) // what was known of them
	for i, j := 0, 0; i < len(l.files) && j < len(s.entries); {
		switch c := walkOrder(l.files[i].path, s.entries[j].path); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			known[i] = s.entries[j]
			i, j = i+1, j+1
		}
	}
	found := make([]*entry, len(l.files))
	unread := make([]error, len(l.files)) // of those of which more is known than can be read
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			const some = 32 // neighbours, mostly of one directory
			r := s.lib.worktree.NewReader()
			defer r.Close()
			for {
				from := int(next.Add(some)) - some
				if from >= len(found) {
					return
				}
				for i := from; i < min(from+some, len(found)); i++ {
					found[i], unread[i] = s.look(r, l.files[i], known[i])
				}
			}
		})
	}
	workers.Wait()
	for i, err := range unread {
		if err != nil && !l.isUnread(l.files[i].path) { // else its directory has been told of
			l.problem(l.files[i].path, err)
		}
	}

	entries := entryList(slices.DeleteFunc(found, func(e *entry) bool { return e == nil })) // gone since it was listed
	same := s.listing != nil && s.listing.site.equal(l.site) && slices.Equal(s.listing.problems, l.problems) &&
		slices.Equal(s.entries, entries)
	if !same {
		s.lib.docs.forget(s.entries.without(entries))
	}
	s.listing, s.entries = l, entries
	return !same, nil
}

// without returns the entries that are not in another list.
func (l entryList) without(o entryList) []*entry {
	var gone []*entry
	for _, e := range l {
		for len(o) > 0 && o[0] != e && walkOrder(o[0].path, e.path) < 0 {
			o = o[1:]
		}
		if len(o) == 0 || o[0] != e {
			gone = append(gone, e)
		}
	}
	return gone
}

// look returns what is known of a file, reading it if it has to; old is what
// was known of its path, nil if nothing was. It gives nil for a file that is
// not there any more. What cannot be read, and could be before, is as it was:
// unread says why.
func (s *index) look(r *store.Reader, f file, old *entry) (e *entry, unread error) {
	defer func() {
		if p := recover(); p != nil { // a fault of ours must not hide the other posts
			e = s.broken(f, old, "cannot be read: "+markdown.Line(fmt.Sprint(p)))
		}
	}()
	if old != nil && old.file == f {
		if stamp, err := s.lib.worktree.Stat(f.path); err == nil && stamp == old.stamp {
			return old, nil
		}
	}
	src, stamp, err := r.ReadFile(f.path, maxPost)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, store.ErrTooLarge):
		return s.broken(f, old, fmt.Sprintf("larger than %d MB", maxPost>>20)), nil
	case err != nil && old != nil && !old.unread:
		return old, err
	case err != nil:
		return s.broken(f, old, "cannot be read: "+store.Reason(err).Error()), nil
	}
	if old != nil && old.file == f && old.hash == sum(src) && !old.unread {
		e = old
	} else {
		e = newEntry(f, src, s.lib, markdown.Auto)
		e.setDay(s.day(time.Time{}, f.path))
	}
	e.stamp = stamp
	return e, nil
}

func (s *index) broken(f file, old *entry, why string) *entry {
	if old != nil && old.unread && old.file == f && old.problems[0].Text == why {
		return old
	}
	return brokenEntry(f, s.lib, why)
}

// learn reads the log on from where it was read last, for old addresses and
// first days. Snapshots share the maps, so changes are made to copies.
func (s *index) learn(l *store.Ledger) {
	ownFirst, ownMoved := false, false
	for _, c := range l.Commits(s.learned) {
		s.learned = c.Rev
		slugs, paths := renamings(c)
		if len(slugs)+len(paths) > 0 {
			s.moved, ownMoved = owned(s.moved, ownMoved), true
			for old, at := range s.moved {
				if to, ok := paths[at]; ok {
					s.moved[old] = to
				}
			}
			maps.Copy(s.moved, slugs)
		}
		if len(paths) > 0 {
			s.first, ownFirst = owned(s.first, ownFirst), true
			days := map[string]time.Time{} // all at once: two posts may have changed places
			for from, to := range paths {
				if t, ok := s.first[from]; ok {
					days[to] = t
				}
			}
			for from := range paths {
				delete(s.first, from)
			}
			maps.Copy(s.first, days)
		}
		for _, e := range c.Entries {
			if _, known := s.first[e.Path]; known || e.Hash == "" || !IsMarkdown(e.Path) {
				continue
			}
			s.first, ownFirst = owned(s.first, ownFirst), true
			s.first[e.Path] = c.Time
			if c.Channel == "hand" { // it was found: since when, nobody knows
				s.first[e.Path] = time.Time{}
			}
		}
	}
}

// owned returns a map that may be changed: m itself if it is ours, else a copy.
func owned[V any](m map[string]V, ours bool) map[string]V {
	switch {
	case m == nil:
		return map[string]V{}
	case ours:
		return m
	}
	return maps.Clone(m)
}

// renamings returns what a commit records about moved posts: the slugs they
// gave up, with the paths that these go on leading to, and their old paths with
// the new ones.
func renamings(c store.Commit) (slugs, paths map[string]string) {
	slugs, paths = map[string]string{}, map[string]string{}
	for key, to := range c.Meta {
		old, ok := strings.CutPrefix(key, movedKey)
		if from, path := strings.CutPrefix(old, pathPrefix); ok && path {
			paths[from] = to
		} else if ok {
			slugs[old] = to
		}
	}
	return slugs, paths
}

// day returns when the first of the paths that has been committed was committed
// first: now if none has, zero for a file that was found in the folder.
func (s *index) day(now time.Time, paths ...string) time.Time {
	for _, path := range paths {
		if t, known := s.first[path]; known {
			return t
		}
	}
	return now
}

// setDay gives a post without a date one. Zero is none.
func (e *entry) setDay(day time.Time) {
	if !day.IsZero() && !e.hasDate && !e.page && !e.broken && !e.indexFile() {
		e.date, e.hasDate = day.In(e.section.location()), true
	}
}
