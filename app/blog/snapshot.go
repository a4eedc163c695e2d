package blog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A snapshot is what is known of the blog at one moment: the files, and the
// editions made of them. It is immutable once it is current, and shares with
// the snapshot before it what has not changed.
type snapshot struct {
	listing  *listing
	entries  entryList
	claims   []claim // of the entries
	assigned *assignment
	posts    []*Post // of the entries; nil for one that is not listed
	reader   *Edition
	author   *Edition
	due      time.Time            // when time alone will change it; zero: never
	first    map[string]time.Time // when a file was first committed: see index
	custom   func() custom        // made when somebody first asks
}

// post returns the post of the file with a path, nil if there is none.
func (v *snapshot) post(path string) *Post {
	if i, ok := v.entries.find(path); ok {
		return v.posts[i]
	}
	return nil
}

// snapshot makes the editions of what the index holds. Files that have not
// changed keep their *Post from the snapshot before, and the posts their order
// and their addresses.
func (s *index) snapshot(now time.Time) *snapshot {
	before := s.last
	if before == nil {
		before = &snapshot{reader: newEdition(Site{}), author: newEdition(Site{})}
	}
	v := &snapshot{listing: s.listing, entries: s.entries, posts: make([]*Post, len(s.entries)), first: s.first}
	problems := slices.Clone(s.listing.problems)
	states := make([]State, len(s.entries))
	for i, e := range s.entries {
		states[i] = e.state(now)
		if t := e.next(now); !t.IsZero() && (v.due.IsZero() || t.Before(v.due)) {
			v.due = t
		}
		problems = append(problems, e.problems...)
	}
	v.custom = sync.OnceValue(v.makeCustom)
	v.claims = s.claims(states)
	if v.assigned = before.assigned; v.assigned == nil || !slices.EqualFunc(v.claims, before.claims, claim.same) {
		v.assigned = assign(v.claims)
	}
	for i := range v.assigned.broken {
		states[i] = Broken
	}
	problems = append(problems, v.assigned.problems...)

	site := s.listing.site
	for i, c := range v.claims {
		if c.home == isHome && !site.titled && c.titled && states[i].Visible() {
			site.Title = c.title
		}
	}
	fresh, gone := v.makePosts(before, states, site.Title)
	v.reader = v.edition(before.reader, site, fresh, gone, func(p *Post) bool { return p.State.Visible() })
	if slices.ContainsFunc(v.posts, func(p *Post) bool { return p != nil && !p.State.Visible() }) {
		v.author = v.edition(before.author, site, fresh, gone, nil)
	} else { // authors share what is made of the readers'
		all := *v.reader
		all.superseded = make(chan struct{})
		v.author = &all
	}
	sortProblems(problems)
	v.author.problems = problems
	v.setMoved(s.moved)
	return v
}

// claims returns what the entries claim, given their states.
func (s *index) claims(states []State) []claim {
	claims := make([]claim, len(s.entries))
	for i, e := range s.entries {
		claims[i] = claim{e, states[i].Visible(), notHome}
	}
	role := isHome
	for _, path := range s.listing.homes {
		i, there := s.entries.find(path)
		switch {
		case !there:
		case role == isHome && (!s.entries[i].empty || s.entries[i].broken):
			claims[i].home, role = isHome, otherHome
		default:
			claims[i].home = otherHome
		}
	}
	return claims
}

// makePosts sets the post of every listed entry, which is that of the snapshot
// before if nothing about it has changed. It returns the posts that are new,
// and those of before that are gone.
func (v *snapshot) makePosts(before *snapshot, states []State, siteTitle string) (fresh []*Post, gone map[*Post]bool) {
	gone = map[*Post]bool{}
	j := 0
	for i, c := range v.claims {
		for j < len(before.entries) && before.entries[j] != c.entry && walkOrder(before.entries[j].path, c.path) < 0 {
			gone[before.posts[j]] = true
			j++
		}
		var old *Post
		wasHome := false
		if j < len(before.entries) && before.entries[j].path == c.path {
			old, wasHome = before.posts[j], before.claims[j].home == isHome
			j++
		}
		slug, above := v.assigned.slugs[i], c.title
		if c.home == isHome {
			above = siteTitle
		}
		switch {
		case slug == "":
		case old != nil && old.entry == c.entry && old.Slug == slug && old.State == states[i] && old.above == above &&
			wasHome == (c.home == isHome):
			v.posts[i] = old
			continue
		default:
			v.posts[i] = c.post(slug, above, states[i])
			fresh = append(fresh, v.posts[i])
		}
		gone[old] = true
	}
	for ; j < len(before.entries); j++ {
		gone[before.posts[j]] = true
	}
	return fresh, gone
}

// edition makes an edition of the posts that a visitor may see: those that sees
// accepts, or all if it is nil. It takes from the edition before what is still
// right.
func (v *snapshot) edition(
	before *Edition, site Site, fresh []*Post, gone map[*Post]bool, sees func(*Post) bool,
) *Edition {
	e := newEdition(site)
	e.all = make([]*Post, 0, len(v.posts))
	e.searched = make([]*Post, 0, len(v.posts))
	for i, p := range v.posts {
		if p == nil || sees != nil && !sees(p) {
			continue
		}
		e.all = append(e.all, p)
		switch {
		case v.claims[i].home == isHome:
			e.home = p
		case !p.inLists():
			continue
		case p.State == Page:
			e.pages = append(e.pages, p)
		}
		e.searched = append(e.searched, p)
	}
	slices.SortStableFunc(e.pages, func(a, b *Post) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), strings.Compare(a.Path, b.Path))
	})
	e.posts = merged(before.posts, gone, slices.DeleteFunc(slices.Clone(fresh), func(p *Post) bool {
		return p == e.home || p.State == Page || !p.inLists() || sees != nil && !sees(p)
	}))
	if e.addresses = before.addresses; !slices.EqualFunc(e.all, before.all, (*Post).sameAddresses) {
		e.addresses = newAddresses(e.all)
	}
	return e
}

// inLists reports whether a post is in a list, for those who can see it.
func (p *Post) inLists() bool { return !p.Unlisted || !p.State.Visible() }

// merged returns a sorted list without the posts that are gone, and with fresh
// ones, which it sorts.
func merged(list []*Post, gone map[*Post]bool, fresh []*Post) []*Post {
	kept := make([]*Post, 0, len(list))
	for _, p := range list {
		if !gone[p] {
			kept = append(kept, p)
		}
	}
	if len(fresh) == 0 {
		return kept
	}
	slices.SortFunc(fresh, listOrder)
	out := make([]*Post, 0, len(kept)+len(fresh))
	for _, p := range fresh {
		i, _ := slices.BinarySearchFunc(kept, p, listOrder)
		out = append(append(out, kept[:i]...), p)
		kept = kept[i:]
	}
	return append(out, kept...)
}

// setMoved sets the addresses that posts had. Each edition has those that lead
// to a post in it.
func (v *snapshot) setMoved(moved map[string]string) {
	v.author.moved, v.reader.moved = moved, map[string]string{}
	for old, to := range moved {
		if p := v.post(to); p != nil && p.State.Visible() {
			v.reader.moved[old] = to
		}
	}
}

// same reports whether two editions show the same.
func (e *Edition) same(o *Edition) bool {
	return e.site.equal(o.site) && e.home == o.home && slices.Equal(e.all, o.all) && maps.Equal(e.moved, o.moved)
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
}

// weight orders the menu: pages without a weight come last.
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
