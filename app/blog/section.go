package blog

import (
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A section is a part of the folder with a configuration of its own: what the
// nearest config.md, _posts, hugo.toml ... says about the posts below it. It is
// immutable.
type section struct {
	dir      string // below the folder, "" for the folder itself
	kind     markdown.Dialect
	site     *markdown.Site
	defaults frontmatter.Fields // Franklin's config.md: definitions for every page
	ignored  []string
	base     string // below dir: a generator's folder of content, outside of which there are no posts
	loc      *time.Location
	hosts    []string
	key      uint64 // equal for sections that say the same
}

func newSection(
	folder *store.Worktree, dir string, kind markdown.Dialect, config []byte, base string, loc *time.Location,
) *section {
	s := &section{dir: dir, kind: kind, base: base, loc: loc}
	files, err := fs.Sub(folder.FS(), s.dirOrDot())
	if err != nil {
		files = nil
	}
	s.site = markdown.NewSite(kind, config, files)
	if kind == markdown.Franklin {
		defs, _ := frontmatter.ParseFile("config.md", config) // never an error
		for _, f := range defs {
			switch f.Key {
			case "ignore":
				s.ignored = f.List()
			case "title", "slug", "date", "rsspubdate", "published", "description", "rssdescription", "rss", "tags":
				// Of the site, not of each page.
			default:
				s.defaults = append(s.defaults, f)
			}
		}
	}
	s.seal(config)
	return s
}

// seal computes the key.
func (s *section) seal(config []byte) {
	var h maphash.Hash
	h.SetSeed(hashSeed)
	fmt.Fprintf(&h, "%s\x00%s\x00%v\x00%v\x00", s.dir, s.kind, s.base, s.loc)
	h.Write(config)
	s.key = h.Sum64()
}

// location is the time zone of dates that name none.
func (s *section) location() *time.Location {
	if s.loc == nil {
		return time.Local
	}
	return s.loc
}

func (s *section) dirOrDot() string {
	if s.dir == "" {
		return "."
	}
	return s.dir
}

func (s *section) dirSlash() string {
	if s.dir == "" {
		return ""
	}
	return s.dir + "/"
}

// contentTop is the first folder on the way to the content.
func (s *section) contentTop() string {
	first, _, _ := strings.Cut(s.base, "/")
	return path.Join(s.dirOrDot(), first)
}

// ignores reports whether the configuration excludes a path.
func (s *section) ignores(p string) bool {
	rel := strings.TrimPrefix(p, s.dirSlash())
	for _, i := range s.ignored {
		if rel == i || strings.HasSuffix(i, "/") && strings.HasPrefix(rel, i) {
			return true
		}
	}
	return false
}

// ours reports whether a host is that of the section's site on the web.
func (s *section) ours(host string) bool {
	return slices.Contains(s.hosts, strings.TrimPrefix(host, "www."))
}

// options says how a source at a path is read in a dialect.
func (s *section) options(p string, d markdown.Dialect) markdown.Options {
	return markdown.Options{Dialect: d, Path: strings.TrimPrefix(p, s.dirSlash()), Site: s.site}
}
