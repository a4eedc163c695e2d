package blog

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"sheaf/app/fold"
)

// An Edition is the whole blog at one moment, as one kind of visitor may see
// it. It is immutable and shared: callers must not change the slices that its
// methods return.
type Edition struct {
	site     Site
	home     *Post
	all      []*Post // by walkOrder of their paths
	posts    []*Post
	pages    []*Post
	searched []*Post // everything that search looks into
	problems []Problem

	addresses  *addresses        // of all
	moved      map[string]string // addresses that posts had, to paths
	byTag      *tagIndex
	superseded chan struct{}

	inspected *Post // stands for the post of its path: see Author.Sketch
}

// A tagIndex finds posts by tag. It is made when somebody first asks.
type tagIndex struct {
	once   sync.Once
	tags   []Tag
	tagged map[string][]*Post // by folded name
}

// A Tag is a name that posts share.
type Tag struct {
	Name  string
	Count int
}

func newEdition(site Site, posts ...*Post) *Edition {
	return &Edition{
		site: site, all: posts, posts: posts, searched: posts,
		addresses: newAddresses(posts), byTag: &tagIndex{}, superseded: make(chan struct{}),
	}
}

// Site is what the blog says of itself.
func (e *Edition) Site() Site { return e.site }

// Home returns the page shown above the list, nil if there is none.
func (e *Edition) Home() *Post { return e.home }

// Posts returns the list: the newest first, posts without a date last. Authors
// have what readers do not see in front of it.
func (e *Edition) Posts() []*Post { return e.posts }

// Pages returns the menu.
func (e *Edition) Pages() []*Post { return e.pages }

// Problems returns what authors should look at, by path and line. Readers have
// none.
func (e *Edition) Problems() []Problem { return e.problems }

// Superseded returns a channel that is closed when a newer edition is out, if
// that differs in what this kind of visitor can see.
func (e *Edition) Superseded() <-chan struct{} { return e.superseded }

// Tags returns the tags of the listed posts, the most used first.
func (e *Edition) Tags() []Tag { return e.tagIndex().tags }

// Tagged returns the posts with a tag, in the order of the list. Case and
// accents of the tag do not matter.
func (e *Edition) Tagged(tag string) []*Post {
	return e.tagIndex().tagged[fold.String(strings.TrimPrefix(strings.TrimSpace(tag), "#"))]
}

// Post finds a post or page by its slug or any of its other addresses, in any
// case. The error is fs.ErrNotExist, and the same for what does not exist and
// for what this visitor may not see.
func (e *Edition) Post(slug string) (*Post, error) {
	key := addressKey(slug)
	p := e.bySlug(key)
	if p == nil {
		p = e.byOther(key)
	}
	if p == nil {
		p = e.byOther(fold.String(key))
	}
	if p == nil {
		return nil, fmt.Errorf("post %q: %w", slug, fs.ErrNotExist)
	}
	return p, nil
}

// bySlug finds a post by its slug in lower case. It returns nil if there is
// none.
func (e *Edition) bySlug(slug string) *Post {
	if i, ok := e.addresses.slugs[slug]; ok {
		return e.all[i]
	}
	return nil
}

// byOther finds a post by an address that is not its slug: another that it has,
// or one that it had.
func (e *Edition) byOther(key string) *Post {
	others, _ := e.addresses.more(e.all)
	if i, ok := others[key]; ok {
		return e.all[i]
	}
	if to, ok := e.moved[key]; ok && e.bySlug(key) == nil {
		return e.byFile(to)
	}
	return nil
}

// byFile finds the post whose file has a path.
func (e *Edition) byFile(path string) *Post {
	i, ok := slices.BinarySearchFunc(e.all, path, func(p *Post, path string) int { return walkOrder(p.Path, path) })
	if !ok {
		return nil
	}
	return e.all[i]
}

// byPath finds a post by the path of its file, in the form of pathKey.
func (e *Edition) byPath(key string) *Post {
	_, paths := e.addresses.more(e.all)
	if i, ok := paths[key]; ok {
		return e.all[i]
	}
	return nil
}

// indexFile reports whether the file is an index.md. Without a text it is there
// for a generator only.
func (e *entry) indexFile() bool {
	return strings.TrimSuffix(path.Base(e.path), path.Ext(e.path)) == "index"
}

// post makes a post of an entry. above is the title shown above its text.
func (e *entry) post(slug, above string, state State) *Post {
	return &Post{
		Slug: slug, Path: e.path, Title: e.title,
		Date: e.date, Updated: e.updated, Expires: e.expires, HasDate: e.hasDate, State: state,
		Tags: e.tags, Aliases: e.aliases, Authors: e.authors, Description: e.description, Lang: e.lang,
		Series: e.series, External: e.external, Unlisted: e.unlisted, Words: e.words, Minutes: e.minutes,
		above: above, entry: e,
	}
}

// tagIndex makes what follows from the tags.
func (e *Edition) tagIndex() *tagIndex {
	x := e.byTag
	x.once.Do(func() {
		x.tagged = map[string][]*Post{}
		names := map[string]map[string]int{}
		for _, p := range e.posts {
			folded := strings.Split(p.entry.folded, "\n") // the tags last
			for i, t := range p.Tags {
				key := folded[len(folded)-len(p.Tags)+i]
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
			return cmp.Or(b.Count-a.Count, strings.Compare(fold.String(a.Name), fold.String(b.Name)))
		})
	})
	return x
}
