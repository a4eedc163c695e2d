package blog

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/markdown"
)

// A Inspection is what the blog would make of a text that is not in it.
type Inspection struct {
	Post     *Post     // in no edition; its Document is of the text
	Problems []Problem // by line; those without one first
	Body     int       // where the text after the front matter begins, in bytes
}

// Inspect reads a text as if it stood at a path, where there may be nothing yet.
// Nothing is kept and nobody is waited for, so that it can follow every key.
// The problems are those that Check would tell of; of a text that has errors,
// those too that Check would tell when they are gone.
func (a Author) Inspect(name string, src []byte) Inspection {
	now := a.blog.lib.now()
	all := a.blog.current.Load()
	old := all.author.byFile(name)
	at, is := all.listing.locate(name)
	if !is {
		at = file{path: name, section: all.listing.nearest(path.Dir(name))}
	} else if old != nil {
		at = old.entry.file
	}
	lib := &library{worktree: a.blog.lib.worktree, docs: newDocuments(1 << 20), now: a.blog.lib.now}
	e := newEntry(at, src, lib, markdown.Auto)
	e.given = src
	day, known := all.first[name]
	if !known {
		day = now
	}
	e.setDay(day)

	var out Inspection
	say := func(line int, warning bool, text string) {
		out.Problems = append(out.Problems, Problem{Path: name, Line: line, Warning: warning, Text: text})
	}
	if clean, err := PathFor(name); err != nil {
		say(0, false, err.Error())
	} else if clean != name {
		say(0, false, "is not a plain path")
	} else if !is {
		say(0, true, notAPost)
	}
	if why := wrongSize(int64(len(src)), a.MaxFile(name)); why != "" {
		say(0, false, why)
	}
	if line, why := Unprintable(src); why != "" {
		e.problems = e.problems[:len(e.problems)-1] // the same, as what it is for a post that stands
		say(line, false, why)
	}
	out.Problems = append(out.Problems, e.problems...)

	state, slug, home := e.state(now), e.slug(), false
	if is && slices.Contains(all.listing.homes, name) && (all.author.home == nil || all.author.home.Path == name) {
		slug, home = "index", true
	} else if is {
		var taken []Problem
		slug, state, taken = all.slugOf(e, state, now)
		out.Problems = append(out.Problems, taken...)
	}
	above := e.title
	if home {
		above = all.author.site.Title
	}
	out.Post = e.post(slug, above, state)
	if old != nil && old.Slug != slug {
		out.Problems = append(out.Problems, out.Post.movedFrom(old))
	}
	edition := *all.author
	edition.inspected = out.Post
	out.Problems = append(out.Problems, edition.inspect(out.Post)...)
	sortProblems(out.Problems)
	out.Body = markdown.BodyStart(src, at.section.options(name, markdown.Auto))
	return out
}

const notAPost = "not a post: its name or folder says so"

// slugOf gives the slug of a file that is not among the others yet, and what is
// wrong with it.
func (v *snapshot) slugOf(e *entry, state State, now time.Time) (string, State, []Problem) {
	key := strings.ToLower(e.slug())
	others := v.assigned.wants(v.claims, key)
	if old := v.author.byFile(e.path); old != nil && strings.ToLower(old.entry.slug()) == key {
		others--
	}
	if holder := v.author.bySlug(key); others == 0 && (holder == nil || holder.Path == e.path) && !(e.empty && e.indexFile()) {
		return e.slug(), state, nil
	}
	// Somebody else wants it: the whole blog decides.
	s := &index{listing: v.listing, entries: v.entries.with(map[string]*entry{e.path: e})}
	states := make([]State, len(s.entries))
	for i, o := range s.entries {
		states[i] = o.state(now)
	}
	a := assign(s.claims(states))
	problems := slices.DeleteFunc(a.problems, func(p Problem) bool { return p.Path != e.path && slices.Contains(v.author.problems, p) })
	i, _ := s.entries.find(e.path)
	slug := cmp.Or(a.slugs[i], e.slug())
	if a.broken[i] {
		state = Broken
	}
	return slug, state, problems
}
