package blog

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A claim is what counts when slugs are assigned: the slug that an entry asks
// for, and its precedence.
type claim struct {
	*entry
	visible bool // to readers
	home    homeRole
}

// A homeRole says whether an entry is in the place of a home page.
type homeRole int8

const (
	notHome homeRole = iota
	isHome           // the first of them that has something to read
	otherHome
)

// same reports whether two claims lead to the same outcome.
func (c claim) same(o claim) bool {
	if c.visible != o.visible || c.home != o.home {
		return false
	}
	return c.entry == o.entry || c.path == o.path && c.explicit == o.explicit && c.lang == o.lang &&
		c.empty == o.empty && slices.Equal(c.address, o.address)
}

// slug is what the post is called if no other wants the name.
func (e *entry) slug() string { return e.address[len(e.address)-1] }

// listed reports whether a claim gets a slug. A second home page does not, nor
// does an index file without a text, which is there for a generator only.
func (c claim) listed() bool {
	return c.home == isHome || c.home == notHome && !(c.empty && c.indexFile())
}

// An assignment is the outcome of the claims of all entries, in their order. It
// depends on nothing else, so editions with the same claims share one. It is
// immutable.
type assignment struct {
	slugs    []string     // "" for an entry that is not listed
	broken   map[int]bool // the entries whose slug is that of another
	problems []Problem

	counted sync.Once
	wanted  map[string]int
}

// assign gives every listed entry its slug. Of several that want the same one,
// those that readers can see come first, then the order of paths decides. The
// next is told apart by its folder or by the date in its name (`2014/intro`);
// it has an error if nothing tells it apart, or if its author has asked for
// that very slug.
func assign(claims []claim) *assignment {
	a := &assignment{slugs: make([]string, len(claims)), broken: map[int]bool{}}
	taken := make(map[string]int, len(claims))
	give := func(i int, slug string) bool {
		key := strings.ToLower(slug)
		if _, is := taken[key]; is {
			return false
		}
		taken[key], a.slugs[i] = i, slug
		return true
	}
	for i, c := range claims {
		if c.home == isHome {
			give(i, "index")
		}
	}
	for _, visible := range []bool{true, false} {
		for i, c := range claims {
			if c.home != notHome || c.visible != visible || !c.listed() || give(i, c.slug()) {
				continue
			}
			first := claims[taken[strings.ToLower(c.slug())]]
			insists := c.explicit && first.explicit && c.lang == first.lang
			if !insists && c.longerSlug(func(s string) bool { return give(i, s) }) {
				if c.lang == first.lang {
					why := fmt.Sprintf("slug %q is that of %s; this post is at %s", c.slug(), first.path, a.slugs[i])
					a.problems = append(a.problems, Problem{Path: c.path, Warning: true, Text: why})
				}
				continue
			}
			why := fmt.Sprintf("slug %q is already that of %s", c.slug(), first.path)
			a.problems = append(a.problems, Problem{Path: c.path, Text: why})
			a.broken[i] = true
			for full := strings.Join(addressOf(pathKey(c.path)), "/"); !give(i, full); full += "-2" {
			}
		}
	}
	return a
}

// longerSlug tries the slugs by which an entry can be told from another that
// has its own, until one is accepted: with the folders before it, then with the
// date of its file's name.
func (e *entry) longerSlug(accept func(slug string) bool) bool {
	for i := len(e.address) - 2; i >= 0; i-- {
		if i > 0 && len(e.address[i]) <= 2 && strings.Trim(e.address[i], "0123456789") == "" {
			continue // 2026/01/x, not 01/x
		}
		if accept(strings.Join(e.address[i:], "/")) {
			return true
		}
	}
	return accept(slugOf(e.path))
}

// wants returns how many entries would like to have a slug, which is in lower
// case. claims are those of the assignment.
func (a *assignment) wants(claims []claim, slug string) int {
	a.counted.Do(func() {
		a.wanted = make(map[string]int, len(claims))
		for _, c := range claims {
			a.wanted[strings.ToLower(c.slug())]++
		}
	})
	return a.wanted[slug]
}
