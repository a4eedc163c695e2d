package blog

import (
	"slices"
	"strings"
	"sync"
)

// addresses say where the posts of an edition are in its list of all, by
// everything they can be found by. Editions whose posts have the same addresses
// share them: a changed text makes no new ones. They hold no posts, and are
// safe for concurrent use.
type addresses struct {
	slugs map[string]int32 // in lower case

	once   sync.Once        // for the others, which are made when somebody asks
	others map[string]int32 // by every other address: aliases, the web's, the full one
	paths  map[string]int32 // by path without index and extension
}

func newAddresses(all []*Post) *addresses {
	a := &addresses{slugs: make(map[string]int32, len(all))}
	for i, p := range all {
		a.slugs[strings.ToLower(p.Slug)] = int32(i)
	}
	return a
}

// sameAddresses reports whether two posts are found in the same ways.
func (p *Post) sameAddresses(o *Post) bool {
	if p.Slug != o.Slug {
		return false
	}
	a, b := p.entry, o.entry
	return a == b || a.path == b.path && a.url == b.url &&
		slices.Equal(a.address, b.address) && slices.Equal(a.aliases, b.aliases)
}

// more returns the addresses besides the slugs. all are the posts, in their
// order. Where several posts claim one, own addresses come before aliases, and
// then the order of paths decides.
func (a *addresses) more(all []*Post) (others, paths map[string]int32) {
	a.once.Do(func() {
		a.others, a.paths = make(map[string]int32, 2*len(all)), make(map[string]int32, len(all))
		order := make([]int32, len(all))
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(i, j int32) int { return strings.Compare(all[i].Path, all[j].Path) })
		enter := func(i int32, address string) {
			key := addressKey(address)
			if _, slug := a.slugs[key]; slug || key == "" {
				return
			}
			if _, is := a.others[key]; !is {
				a.others[key] = i
			}
		}
		for _, i := range order {
			e := all[i].entry
			a.paths[pathKey(e.path)] = i
			enter(i, strings.Join(e.address, "/"))
			enter(i, e.url)
		}
		for _, i := range order {
			for _, alias := range all[i].Aliases {
				enter(i, alias)
			}
		}
		for _, i := range order {
			enter(i, pathKey(all[i].Path))
			enter(i, slugOf(all[i].Path))
			enter(i, foldString(all[i].Slug))
		}
	})
	return a.others, a.paths
}

// addressKey returns the form in which addresses are compared.
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
