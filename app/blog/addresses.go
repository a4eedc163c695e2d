package blog

import (
	"slices"
	"strings"
	"sync"

	"sheaf/app/fold"
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
		enter := func(i int32, keys ...string) {
			for _, key := range keys {
				if _, slug := a.slugs[key]; slug || key == "" {
					continue
				}
				if _, is := a.others[key]; !is {
					a.others[key] = i
				}
			}
		}
		for _, i := range order {
			keys := all[i].entry.addressKeys()
			a.paths[keys.path] = i
			enter(i, keys.own...)
		}
		for _, i := range order {
			enter(i, all[i].entry.addressKeys().aliases...)
		}
		for _, i := range order {
			enter(i, all[i].entry.addressKeys().file...)
			enter(i, addressKey(fold.String(all[i].Slug)))
		}
	})
	return a.others, a.paths
}

// addressKeys are the addresses that follow from one file, as they are compared.
type addressKeys struct {
	path    string   // see pathKey
	own     []string // the full one, and that of the site on the web
	aliases []string
	file    []string // what the path alone leads to
}

// addressKeys makes the keys once for every version of the file.
func (e *entry) addressKeys() *addressKeys {
	if k := e.keys.Load(); k != nil {
		return k
	}
	k := &addressKeys{path: pathKey(e.path), own: []string{addressKey(strings.Join(e.address, "/"))}}
	if e.url != "" {
		k.own = append(k.own, addressKey(e.url))
	}
	for _, alias := range e.aliases {
		k.aliases = append(k.aliases, addressKey(alias))
	}
	for _, key := range []string{addressKey(k.path), addressKey(slugOf(e.path))} {
		if key != k.own[0] {
			k.file = append(k.file, key)
		}
	}
	e.keys.Store(k)
	return k
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
