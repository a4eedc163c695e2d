package blog

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/markdown"
)

// An Inspection is what the blog would make of a text that is not in it.
type Inspection struct {
	Post     *Post     // in no edition; its Document is of the text
	Problems []Problem // by line; those without one first
	Body     int       // where the text after the front matter begins, in bytes
}

// Inspect reads a text as if it stood at a path, which need not exist. Nothing
// is stored and nobody is waited for, so it can follow every key. The problems
// are those that Check would report and, for a text with errors, those that it
// would report when the errors are gone.
func (a Author) Inspect(name string, src []byte) Inspection {
	now := a.blog.lib.now()
	all := a.blog.current.Load()
	old := all.author.byFile(name)
	at, isPost := all.listing.locate(name)
	if !isPost {
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

	out := Inspection{Problems: a.wrongText(e, isPost)}
	out.Problems = append(out.Problems, e.problems...)
	state, slug, above := e.state(now), e.slug(), e.title
	home := all.author.home
	if isPost && slices.Contains(all.listing.homes, name) && (home == nil || home.Path == name) {
		slug, above = "index", all.author.site.Title
	} else if isPost {
		var taken []Problem
		slug, state, taken = all.slugOf(e, state, now)
		out.Problems = append(out.Problems, taken...)
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

// wrongText returns why a text could not be committed at its path, whatever it
// says; isPost says whether it is a post there.
func (a Author) wrongText(e *entry, isPost bool) (problems []Problem) {
	say := func(line int, warning bool, text string) {
		problems = append(problems, Problem{Path: e.path, Line: line, Warning: warning, Text: text})
	}
	if clean, err := PathFor(e.path); err != nil {
		say(0, false, err.Error())
	} else if clean != e.path {
		say(0, false, "is not a plain path")
	} else if !isPost {
		say(0, true, notAPost)
	}
	if why := wrongSize(int64(len(e.given)), a.MaxFile(e.path)); why != "" {
		say(0, false, why)
	}
	if line, why := Unprintable(e.given); why != "" {
		e.problems = e.problems[:len(e.problems)-1] // the same, as what it is for a post that stands
		say(line, false, why)
	}
	return problems
}

const notAPost = "not a post: its name or folder says so"

// slugOf returns the slug and the state of an entry that is not among the
// others yet, and what is wrong with its slug.
func (v *snapshot) slugOf(e *entry, state State, now time.Time) (string, State, []Problem) {
	key := strings.ToLower(e.slug())
	others := v.assigned.wants(v.claims, key)
	if old := v.author.byFile(e.path); old != nil && strings.ToLower(old.entry.slug()) == key {
		others--
	}
	holder := v.author.bySlug(key)
	if others == 0 && (holder == nil || holder.Path == e.path) && !(e.empty && e.indexFile()) {
		return e.slug(), state, nil
	}
	// Somebody else wants it: the whole blog decides.
	s := &index{listing: v.listing, entries: v.entries.with(map[string]*entry{e.path: e})}
	states := make([]State, len(s.entries))
	for i, o := range s.entries {
		states[i] = o.state(now)
	}
	a := assign(s.claims(states))
	problems := slices.DeleteFunc(a.problems, func(p Problem) bool {
		return p.Path != e.path && slices.Contains(v.author.problems, p)
	})
	i, _ := s.entries.find(e.path)
	slug := cmp.Or(a.slugs[i], e.slug())
	if a.broken[i] {
		state = Broken
	}
	return slug, state, problems
}
