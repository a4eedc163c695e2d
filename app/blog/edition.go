package blog

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Edition is the whole blog at one moment, as one kind of visitor may see
// it. It is immutable and shared: callers must not change the slices it gives.
type Edition struct {
	site     Site
	home     *Post
	posts    []*Post
	pages    []*Post
	searched []*Post // everything that search looks into
	problems []Problem

	slugs      map[string]*Post  // by address, in lower case
	moved      map[string]string // addresses that posts had, to paths
	index      *index
	superseded chan struct{}

	sketch *Post // stands for the post of its path: see Visitor.Sketch
}

// An index is what is made of an edition's posts when somebody first asks.
type index struct {
	addresses, lists sync.Once

	others map[string]*Post // by every other address: aliases, the web's, the full one
	paths  map[string]*Post // by path without index and extension
	files  map[string]*Post // by path
	place  map[*Post]int    // in posts
	tags   []Tag
	tagged map[string][]*Post // by folded name
}

// A Tag is a name that posts share.
type Tag struct {
	Name  string
	Count int
}

func newEdition(site Site) *Edition {
	return &Edition{site: site, slugs: map[string]*Post{}, index: &index{}, superseded: make(chan struct{})}
}

// Site is what the blog says of itself.
func (e *Edition) Site() Site { return e.site }

// Home is the page shown above the list, nil when there is none.
func (e *Edition) Home() *Post { return e.home }

// Posts is the list: newest first, those without a date last. Authors have
// what readers do not see in front of it.
func (e *Edition) Posts() []*Post { return e.posts }

// Pages is the menu.
func (e *Edition) Pages() []*Post { return e.pages }

// Problems is what authors should look at, by path and line; readers have
// none.
func (e *Edition) Problems() []Problem { return e.problems }

// Superseded is closed when a newer edition is out that differs in what this
// kind of visitor can see.
func (e *Edition) Superseded() <-chan struct{} { return e.superseded }

// Tags are those of the listed posts, the most used first.
func (e *Edition) Tags() []Tag { return e.byTag().tags }

// Tagged gives the posts with a tag, in the order of the list.
func (e *Edition) Tagged(tag string) []*Post {
	return e.byTag().tagged[foldString(strings.TrimPrefix(strings.TrimSpace(tag), "#"))]
}

// Post finds a post or page by its slug or any other of its addresses, in any
// case. What there is not, or not for this visitor, is fs.ErrNotExist.
func (e *Edition) Post(slug string) (*Post, error) {
	key := addressKey(slug)
	if p := e.slugs[key]; p != nil {
		return p, nil
	}
	others := e.byAddress().others
	if p := others[key]; p != nil {
		return p, nil
	}
	if p := others[foldString(key)]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("post %q: %w", slug, fs.ErrNotExist)
}

// addressKey is what addresses are compared by.
func addressKey(s string) string {
	s = strings.ToLower(strings.Trim(s, "/ "))
	for _, ext := range []string{".md", ".html", ".markdown", ".mdx"} {
		if t := strings.TrimSuffix(s, ext); t != s {
			s = t
			break
		}
	}
	return s
}

// Neighbours gives the posts before and after p in the list; nil at its ends,
// and for what is not in the list.
func (e *Edition) Neighbours(p *Post) (newer, older *Post) {
	place := e.byTag().place
	i, ok := place[p]
	if !ok && p != nil {
		// A post that has changed since is still at its address.
		now := e.slugs[addressKey(p.Slug)]
		if i, ok = place[now]; !ok {
			return nil, nil
		}
	}
	if !ok {
		return nil, nil
	}
	if i > 0 {
		newer = e.posts[i-1]
	}
	if i+1 < len(e.posts) {
		older = e.posts[i+1]
	}
	return newer, older
}

// edition makes both views of what is on the shelf, and says when time alone
// will change them (zero: never).
func (s *shelf) edition(now time.Time) (*views, time.Time) {
	var due time.Time
	states := make(map[*entry]State, len(s.entries))
	for _, e := range s.entries {
		states[e] = e.state(now)
		if t := e.next(now); !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	problems := slices.Clone(s.listing.problems)
	for _, e := range s.entries {
		problems = append(problems, e.problems...)
	}
	homes := s.homes()
	slugs := s.address(states, homes, &problems)

	posts := make(map[*entry]*Post, len(s.entries))
	site := s.listing.site
	v := &views{reader: newEdition(site), author: newEdition(site), listing: s.listing, entries: s.entries, first: s.first}
	v.slugs = sync.OnceValue(func() map[string]int { return wanted(v.entries) })
	for _, e := range s.entries {
		slug, ok := slugs[e]
		if !ok {
			continue // another home page's second
		}
		home, above := homes[e], e.title
		if home {
			if !site.titled && e.titled && states[e].Visible() {
				site.Title = e.title
			}
			above = site.Title
		}
		p := s.posts[e]
		if p == nil || p.Slug != slug || p.State != states[e] || p.above != above {
			p = e.post(slug, above, states[e])
		}
		posts[e] = p
		v.author.add(p, home)
		if p.State.Visible() {
			v.reader.add(p, home)
		}
	}
	s.posts = posts
	v.reader.site, v.author.site = site, site
	v.author.moved, v.reader.moved = maps.Clone(s.moved), map[string]string{}
	for old, to := range s.moved {
		if p := s.post(to); p != nil && p.State.Visible() {
			v.reader.moved[old] = to
		}
	}
	v.reader.sort()
	if len(v.reader.slugs) == len(v.author.slugs) {
		// Nothing is hidden: authors share what is made of the reader's.
		all := *v.reader
		all.superseded = make(chan struct{})
		v.author = &all
	} else {
		v.author.sort()
	}
	sortProblems(problems)
	v.author.problems = problems
	return v, due
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
}

// homes gives the entries that are candidates for the home page; true for the
// one that is it: the first with something to read.
func (s *shelf) homes() map[*entry]bool {
	m := map[*entry]bool{}
	found := false
	for _, path := range s.listing.homes {
		k := s.known[path]
		if k == nil {
			continue
		}
		is := !found && (!k.entry.empty || k.entry.broken)
		m[k.entry] = is
		found = found || is
	}
	return m
}

// address gives every post its slug. One that is taken goes to the first in
// the order of paths, what readers can see before what they cannot; the next
// one is told by its folder, or by the date in its name (`2014/intro`), and is
// an error when nothing tells it or its author has asked for that very slug.
func (s *shelf) address(states map[*entry]State, homes map[*entry]bool, problems *[]Problem) map[*entry]string {
	slugs := make(map[*entry]string, len(s.entries))
	taken := make(map[string]*entry, len(s.entries))
	give := func(e *entry, slug string) bool {
		key := strings.ToLower(slug)
		if taken[key] != nil {
			return false
		}
		taken[key], slugs[e] = e, slug
		return true
	}
	for e, is := range homes {
		if is {
			give(e, "index")
		}
	}
	for _, visible := range []bool{true, false} {
		for _, e := range s.entries {
			if _, home := homes[e]; home || states[e].Visible() != visible || e.empty && e.indexFile() {
				continue
			}
			if _, done := slugs[e]; done {
				continue
			}
			if give(e, e.address[len(e.address)-1]) {
				continue
			}
			wanted := e.address[len(e.address)-1]
			first := taken[strings.ToLower(wanted)]
			insists := e.explicit && first.explicit && e.lang == first.lang
			done := false
			if !insists {
				for i := len(e.address) - 2; i >= 0 && !done; i-- {
					if i > 0 && len(e.address[i]) <= 2 && strings.Trim(e.address[i], "0123456789") == "" {
						continue // 2026/01/x, not 01/x
					}
					done = give(e, strings.Join(e.address[i:], "/"))
				}
				done = done || give(e, slugOf(e.path))
			}
			if done {
				if e.lang == first.lang {
					*problems = append(*problems, Problem{Path: e.path, Warning: true,
						Text: fmt.Sprintf("slug %q is that of %s; this post is at %s", wanted, first.path, slugs[e])})
				}
				continue
			}
			*problems = append(*problems, Problem{Path: e.path, Text: fmt.Sprintf("slug %q is already that of %s", wanted, first.path)})
			states[e] = Broken
			for full := strings.Join(addressOf(pathKey(e.path)), "/"); !give(e, full); full += "-2" {
			}
		}
	}
	return slugs
}

// indexFile reports an index.md: without a text it is there for a generator
// only.
func (e *entry) indexFile() bool {
	return strings.TrimSuffix(path.Base(e.path), path.Ext(e.path)) == "index"
}

func (e *entry) post(slug, above string, state State) *Post {
	return &Post{above: above, Slug: slug, Path: e.path, Title: e.title, Date: e.date, Updated: e.updated, Expires: e.expires, HasDate: e.hasDate,
		State: state, Tags: e.tags, Aliases: e.aliases, Authors: e.authors, Description: e.description, Lang: e.lang,
		Series: e.series, External: e.external, Unlisted: e.unlisted, Words: e.words, Minutes: e.minutes, entry: e}
}

// add puts a post where it belongs in this view.
func (e *Edition) add(p *Post, home bool) {
	e.slugs[strings.ToLower(p.Slug)] = p
	switch {
	case home:
		e.home = p
	case p.Unlisted && p.State.Visible():
		return
	case p.State == Page:
		e.pages = append(e.pages, p)
	default:
		e.posts = append(e.posts, p)
	}
	e.searched = append(e.searched, p)
}

// same reports whether two editions show the same.
func (e *Edition) same(o *Edition) bool {
	return e.site.equal(o.site) && e.home == o.home && slices.Equal(e.posts, o.posts) && slices.Equal(e.pages, o.pages) &&
		maps.Equal(e.slugs, o.slugs) && maps.Equal(e.moved, o.moved)
}

// sort brings the lists in order.
func (e *Edition) sort() {
	slices.SortStableFunc(e.posts, listOrder)
	slices.SortStableFunc(e.pages, func(a, b *Post) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), strings.Compare(a.Path, b.Path))
	})
}

// byTag makes what follows from the list.
func (e *Edition) byTag() *index {
	x := e.index
	x.lists.Do(func() {
		x.place = make(map[*Post]int, len(e.posts))
		x.tagged = map[string][]*Post{}
		names := map[string]map[string]int{}
		for i, p := range e.posts {
			x.place[p] = i
			for _, t := range p.Tags {
				key := foldString(t)
				x.tagged[key] = append(x.tagged[key], p)
				if names[key] == nil {
					names[key] = map[string]int{}
				}
				names[key][t]++
			}
		}
		for key, spellings := range names {
			t := Tag{Count: len(x.tagged[key])}
			for name, n := range spellings {
				if best := spellings[t.Name]; n > best || n == best && name < t.Name {
					t.Name = name
				}
			}
			x.tags = append(x.tags, t)
		}
		slices.SortFunc(x.tags, func(a, b Tag) int {
			return cmp.Or(b.Count-a.Count, strings.Compare(foldString(a.Name), foldString(b.Name)))
		})
	})
	return x
}

// byAddress makes what links and old addresses are found by.
func (e *Edition) byAddress() *index {
	x := e.index
	x.addresses.Do(func() {
		x.others = make(map[string]*Post, 2*len(e.slugs))
		x.paths = make(map[string]*Post, len(e.slugs))
		all := e.ordered()
		x.files = make(map[string]*Post, len(all))
		for _, p := range all {
			x.paths[pathKey(p.Path)], x.files[p.Path] = p, p
		}
		// Own addresses go before those that others have as aliases; among
		// equals the order of paths decides.
		for _, addresses := range []func(p *Post) []string{
			func(p *Post) []string { return []string{strings.Join(p.entry.address, "/"), p.entry.url} },
			func(p *Post) []string { return p.Aliases },
			func(p *Post) []string { return []string{pathKey(p.Path), slugOf(p.Path), foldString(p.Slug)} },
		} {
			for _, p := range all {
				for _, a := range addresses(p) {
					key := addressKey(a)
					if key == "" || e.slugs[key] != nil || x.others[key] != nil {
						continue
					}
					x.others[key] = p
				}
			}
		}
		for old, to := range e.moved {
			if p := x.files[to]; p != nil && e.slugs[old] == nil && x.others[old] == nil {
				x.others[old] = p
			}
		}
	})
	return x
}

// ordered gives every post of the edition by path.
func (e *Edition) ordered() []*Post {
	all := make([]*Post, 0, len(e.slugs))
	for _, p := range e.slugs {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Post) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// weight orders the menu: what was given none comes after what was.
func weight(p *Post) int64 {
	if w := p.entry.weight; w != 0 {
		return w
	}
	return 1 << 40
}

// listOrder puts what readers do not see first, then the newest, then what has
// no date.
func listOrder(a, b *Post) int {
	rank := func(p *Post) int {
		switch {
		case p.State == Broken:
			return 0
		case p.State == Draft:
			return 1
		case p.State == Scheduled:
			return 2
		case p.HasDate:
			return 3
		}
		return 4
	}
	return cmp.Or(rank(a)-rank(b), b.Date.Compare(a.Date), strings.Compare(a.Path, b.Path))
}
