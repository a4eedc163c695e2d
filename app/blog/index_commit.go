package blog

import (
	"maps"
	"path"
	"slices"
	"strings"

	"sheaf/app/markdown"
)

// with gives the shelf as it would be: entries that are not concerned are
// shared.
func (s *shelf) with(f *filing, changed []Entry) *shelf {
	lib := &library{folder: s.lib.folder, docs: newDocuments(1 << 20), now: s.lib.now, coming: map[string]bool{}}
	next := &shelf{lib: lib, listing: s.listing, known: maps.Clone(s.known), posts: s.posts, moved: s.moved, first: s.first}
	for _, e := range changed {
		lib.coming[e.Path] = e.Hash != ""
		delete(next.known, e.Path)
		src, text := f.sources[e.Path]
		if !text {
			continue
		}
		if at, ok := s.listing.place(e.Path); ok {
			post := newEntry(at, src, lib, markdown.Auto)
			post.given = src
			when := f.Time
			if when.IsZero() {
				when = lib.now()
			}
			next.date(post, when)
			next.known[e.Path] = &shelved{entry: post}
		}
	}
	if !slices.ContainsFunc(changed, func(e Entry) bool { return path.Base(e.Path) == "index.md" || path.Base(e.Path) == "_index.md" }) {
		// No new home page.
	} else if l := *s.listing; true {
		for _, e := range changed {
			if stem := strings.TrimSuffix(e.Path, path.Ext(e.Path)); (stem == "index" || stem == "_index") && !slices.Contains(l.homes, e.Path) {
				l.homes = append(slices.Clone(l.homes), e.Path)
			}
		}
		next.listing = &l
	}
	next.entries = arranged(s.entries, changed, next.known)
	return next
}

// follow brings the shelf to what a commit has written, without a look at all
// other files. It declines (false) what may change how those are read:
// configurations, index files, folders that come or go.
func (s *shelf) follow(changed []Entry) bool {
	stays, indexed := map[string]bool{}, map[string]bool{} // folders: with other posts, with an index file
	changes := map[string]bool{}
	for _, e := range changed {
		changes[e.Path] = true
	}
	for _, e := range s.entries {
		dir := path.Dir(e.path)
		stays[dir] = stays[dir] || !changes[e.path]
		indexed[dir] = indexed[dir] || e.indexFile()
	}
	files := make([]file, len(changed)) // of the posts
	for i, e := range changed {
		dir, known := path.Dir(e.Path), s.known[e.Path]
		base := path.Base(e.Path)
		stem := strings.TrimSuffix(base, path.Ext(base))
		switch {
		case isConfigFile(e.Path), base == "config.md", stem == base, !isMarkdown(e.Path) && !stays[dir]:
			return false
		case !isMarkdown(e.Path):
		case known != nil && e.Hash != "":
			files[i] = known.entry.file
		case !stays[dir], indexed[dir], stem == "index", stem == "_index", dir == "." && e.Hash == "":
			return false
		case e.Hash != "":
			at, ok := s.listing.place(e.Path)
			if !ok {
				return false
			}
			files[i] = at
		}
	}
	s.learn(s.lib.folder.Ledger())
	r := s.lib.folder.NewReader()
	defer r.Close()
	found := make([]shelved, len(changed))
	for i, f := range files {
		if f.section == nil {
			continue
		}
		if found[i] = s.look(r, f); found[i].entry == nil {
			return false
		}
	}
	var gone []*entry
	for i, e := range changed {
		if old := s.known[e.Path]; old != nil && old.entry != found[i].entry {
			gone = append(gone, old.entry)
			delete(s.known, e.Path)
		}
		if found[i].entry != nil {
			s.known[e.Path] = &found[i]
		}
	}
	s.entries = arranged(s.entries, changed, s.known)
	s.version++
	s.lib.docs.forget(gone)
	return true
}

// arranged gives entries, in their order, with those that have changed taken
// from known.
func arranged(entries []*entry, changed []Entry, known map[string]*shelved) []*entry {
	touched := make(map[string]bool, len(changed))
	var fresh []*entry
	for _, c := range changed {
		touched[c.Path] = true
		if k := known[c.Path]; k != nil {
			fresh = append(fresh, k.entry)
		}
	}
	slices.SortFunc(fresh, func(a, b *entry) int { return walkOrder(a.path, b.path) })
	out := make([]*entry, 0, len(entries)+len(fresh))
	for _, e := range entries {
		if touched[e.path] {
			continue
		}
		for len(fresh) > 0 && walkOrder(fresh[0].path, e.path) < 0 {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		out = append(out, e)
	}
	return append(out, fresh...)
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
