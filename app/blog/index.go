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

// A shelf holds what is known of every file, from one scan to the next. It
// belongs to one goroutine at a time.
type shelf struct {
	lib     *library
	shallow bool // only the folder itself, nothing below it
	listing *listing
	entries []*entry            // in path order
	known   map[string]*shelved // by path
	posts   map[*entry]*Post    // as they stand in the last edition
	version int                 // one more with every scan that found a change
	due     time.Time           // when time alone will change the edition; zero: never

	learned store.Rev            // of the log
	moved   map[string]string    // addresses that posts had, to the paths they lead to
	first   map[string]time.Time // when a file first came through a door
}

func newShelf(f *store.Worktree) *shelf {
	return &shelf{lib: &library{folder: f, docs: newDocuments(64 << 20), now: time.Now},
		moved: map[string]string{}, first: map[string]time.Time{}}
}

type shelved struct {
	entry *entry
	stamp store.Stamp
}

// rescan brings the shelf up to date. Only files whose stamp has changed are
// read, and only those whose bytes have changed are taken apart.
func (s *shelf) rescan() error {
	s.learn(s.lib.folder.Ledger())
	l, err := scan(s.lib.folder, s.listing, s.shallow)
	if err != nil {
		return err
	}
	found := make([]shelved, len(l.files))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			const some = 32 // neighbours, mostly of one directory
			r := s.lib.folder.NewReader()
			defer r.Close()
			for {
				from := int(next.Add(some)) - some
				if from >= len(found) {
					return
				}
				for i := from; i < min(from+some, len(found)); i++ {
					found[i] = s.look(r, l.files[i])
				}
			}
		})
	}
	workers.Wait()

	known := make(map[string]*shelved, len(found))
	entries := make([]*entry, 0, len(found))
	same := s.listing != nil && s.listing.site.equal(l.site) && slices.Equal(s.listing.problems, l.problems)
	for i := range found {
		f := &found[i]
		if f.entry == nil {
			continue // gone since it was listed
		}
		known[f.entry.path] = f
		entries = append(entries, f.entry)
		old := s.known[f.entry.path]
		same = same && old != nil && old.entry == f.entry
	}
	same = same && len(entries) == len(s.entries)
	if !same {
		s.version++
		var gone []*entry
		for _, e := range s.entries {
			if k := known[e.path]; k == nil || k.entry != e {
				gone = append(gone, e)
			}
		}
		s.lib.docs.forget(gone)
	}
	s.listing, s.entries, s.known = l, entries, known
	return nil
}

// look gives what is known of a file, reading it if it has to.
func (s *shelf) look(r *store.Reader, f file) (is shelved) {
	old := s.known[f.path]
	defer func() {
		if p := recover(); p != nil { // a fault of ours must not hide the other posts
			is = s.broken(f, old, "cannot be read: "+oneLine(fmt.Sprint(p)))
		}
	}()
	if old != nil && old.entry.file == f {
		if stamp, err := s.lib.folder.Stat(f.path); err == nil && stamp == old.stamp {
			return *old
		}
	}
	src, stamp, err := r.ReadFile(f.path, maxPost)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return shelved{}
	case errors.Is(err, store.ErrTooLarge):
		return s.broken(f, old, fmt.Sprintf("larger than %d MB", maxPost>>20))
	case err != nil:
		return s.broken(f, old, "cannot be read: "+store.Reason(err).Error())
	}
	if old != nil && old.entry.file == f && old.entry.hash == sum(src) && !old.entry.unread {
		return shelved{old.entry, stamp}
	}
	e := newEntry(f, src, s.lib, markdown.Auto)
	s.date(e, time.Time{})
	return shelved{e, stamp}
}

func (s *shelf) broken(f file, old *shelved, why string) shelved {
	if old != nil && old.entry.unread && old.entry.file == f && old.entry.problems[0].Text == why {
		return *old
	}
	return shelved{entry: brokenEntry(f, s.lib, why)}
}

// post gives the post of a path, nil if there is none.
func (s *shelf) post(name string) *Post {
	if k := s.known[name]; k != nil {
		return s.posts[k.entry]
	}
	return nil
}

// learn takes what the log says about addresses and first days, from where it
// was read last.
func (s *shelf) learn(l *store.Ledger) {
	commits := l.Commits(s.learned)
	if len(commits) > 0 {
		s.first = maps.Clone(s.first) // editions have the old one
	}
	for _, c := range commits {
		s.learned = c.Rev
		renamed := map[string]string{}
		for key, to := range c.Meta {
			if old, ok := strings.CutPrefix(key, movedKey); ok {
				if from, ok := strings.CutPrefix(old, pathPrefix); ok {
					renamed[from] = to
				}
			}
		}
		if len(renamed) > 0 { // all at once: two posts may have changed places
			for old, at := range s.moved {
				if to, ok := renamed[at]; ok {
					s.moved[old] = to
				}
			}
			days := map[string]time.Time{}
			for from, to := range renamed {
				if t, ok := s.first[from]; ok {
					days[to] = t
				}
			}
			for from := range renamed {
				delete(s.first, from)
			}
			maps.Copy(s.first, days)
		}
		for key, to := range c.Meta {
			if old, ok := strings.CutPrefix(key, movedKey); ok && !strings.HasPrefix(old, pathPrefix) {
				s.moved[old] = to
			}
		}
		for _, e := range c.Entries {
			if _, known := s.first[e.Path]; known || e.Hash == "" || !isMarkdown(e.Path) {
				continue
			}
			s.first[e.Path] = c.Time
			if c.Door == "hand" { // it was found: since when, nobody knows
				s.first[e.Path] = time.Time{}
			}
		}
	}
}

// date gives a post without a date that of its first commit; now is the time of
// the one that is being made, zero if none is.
func (s *shelf) date(e *entry, now time.Time) {
	if e.hasDate || e.page || e.broken || e.indexFile() {
		return
	}
	t, known := s.first[e.path]
	if !known {
		t = now
	}
	if !t.IsZero() {
		e.date, e.hasDate = t.In(e.section.location()), true
	}
}
