package blog

import (
	"path"
	"slices"
	"strings"

	"sheaf/app/markdown"
)

// with returns the index as a change would make it, and the entries that are
// new in it, by path; nil for a file that goes or is no post. sources are the
// texts that come. The index itself stays as it is, and shares with the other
// what does not change.
func (s *index) with(changed []Entry, sources map[string][]byte) (next *index, fresh map[string]*entry) {
	lib := &library{worktree: s.lib.worktree, docs: newDocuments(1 << 20), now: s.lib.now, pending: map[string]bool{}}
	fresh = make(map[string]*entry, len(changed))
	for _, e := range changed {
		lib.pending[e.Path] = e.Hash != ""
		fresh[e.Path] = nil
		src, text := sources[e.Path]
		at, ok := s.listing.locate(e.Path)
		if old := s.entries.get(e.Path); old != nil {
			at, ok = old.file, true
		}
		if text && ok {
			post := newEntry(at, src, lib, markdown.Auto)
			post.given = src
			fresh[e.Path] = post
		}
	}
	return &index{lib: lib, listing: s.listing.with(changed), entries: s.entries.with(fresh), last: s.last,
		learned: s.learned, moved: s.moved, first: s.first}, fresh
}

// with returns the listing with the home pages that come with a change.
func (l *listing) with(changed []Entry) *listing {
	next := *l
	for _, e := range changed {
		stem := strings.TrimSuffix(e.Path, path.Ext(e.Path))
		if (stem == "index" || stem == "_index") && !slices.Contains(l.homes, e.Path) {
			next.homes = append(slices.Clone(next.homes), e.Path)
		}
	}
	return &next
}

// keep takes over the entries of an index made by with, when the change stands.
// What was parsed to judge it is not parsed again.
func (s *index) keep(next *index, fresh map[string]*entry) {
	var gone []*entry
	for path, e := range fresh {
		if old := s.entries.get(path); old != nil {
			gone = append(gone, old)
		}
		if e == nil {
			continue
		}
		if len(fresh) <= maxInspected {
			e.searchText() // while its bytes are at hand
		}
		e.lib, e.given = s.lib, nil
		if d := e.doc.Value(); d != nil {
			s.lib.docs.use(e, d)
		}
	}
	s.lib.docs.forget(gone)
	s.entries = next.entries
}

// keepsShape reports whether the files that are not in a change are still read
// as before it, so that the folder need not be walked. It is false for a change
// of a configuration, when a folder of posts comes or goes, and when a file
// becomes or stops being the index of others.
func (s *index) keepsShape(changed []Entry) bool {
	changes := make(map[string]bool, len(changed))
	for _, e := range changed {
		changes[e.Path] = true
	}
	type folder struct{ stays, indexed bool } // with other posts, with an index file
	folders := map[string]folder{}
	for _, e := range changed {
		dir, base := path.Split(e.Path)
		in, seen := folders[dir]
		if !seen {
			for _, o := range s.entries.in(dir) {
				in.stays = in.stays || !changes[o.path]
				in.indexed = in.indexed || o.indexFile()
			}
			folders[dir] = in
		}
		stem := strings.TrimSuffix(base, path.Ext(base))
		switch {
		case isConfigFile(e.Path), base == "config.md", stem == base:
			return false
		case !IsMarkdown(e.Path):
			if !in.stays {
				return false
			}
		case e.Hash != "" && s.entries.get(e.Path) != nil: // it stays
		case !in.stays, in.indexed, stem == "index", stem == "_index", dir == "" && e.Hash == "":
			return false
		}
	}
	return true
}

// in returns the entries of one directory, "" or "dir/".
func (l entryList) in(dir string) entryList {
	from, _ := l.find(dir)
	to := from
	for to < len(l) && strings.HasPrefix(l[to].path, dir) && !strings.Contains(l[to].path[len(dir):], "/") {
		to++
	}
	return l[from:to]
}
