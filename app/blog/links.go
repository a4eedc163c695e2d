package blog

import (
	"net/url"
	"path"
	"strings"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// pathKey returns the form in which paths are compared: without extension and
// index, in lower case.
func pathKey(p string) string {
	p = strings.ToLower(strings.Trim(p, "/"))
	switch ext := path.Ext(p); ext {
	case ".md", ".markdown", ".mdx", ".mkd", ".html", ".htm":
		p = strings.TrimSuffix(p, ext)
	}
	if p == "index" || p == "_index" {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(p, "/_index"), "/index")
}

// Resolve finds the post that a link in another one leads to. It takes the
// forms of all dialects: a path beside the post or below the site, with or
// without .md, Zola's @/post.md, an address of the site on the web, a slug. A
// #heading may follow, or stand alone for the post itself. ok is false for a
// link that leads elsewhere.
func (e *Edition) Resolve(from *Post, target string) (p *Post, heading string, ok bool) {
	target = strings.TrimSpace(target)
	target, heading, _ = strings.Cut(target, "#")
	target, _, _ = strings.Cut(target, "?")
	if h, err := url.PathUnescape(heading); err == nil {
		heading = markdown.Clean(h)
	}
	if t, err := url.PathUnescape(target); err == nil {
		target = t
	}
	if target == "" {
		return from, heading, from != nil && heading != ""
	}
	if i := strings.Index(target, ":"); i > 0 || strings.HasPrefix(target, "//") {
		u, err := url.Parse(target)
		if err != nil || u.Host == "" || !e.ours(from, u.Host) {
			return nil, "", false
		}
		target = "/" + strings.Trim(u.Path, "/")
	}
	switch path.Ext(target) {
	case ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".mp4",
		".pdf", ".zip", ".css", ".js", ".xml", ".txt", ".csv":
		return nil, "", false
	}
	p = e.resolve(from, target)
	if s := e.inspected; s != nil && (p != nil && p.Path == s.Path || p == nil && s.at(from, target)) {
		p = s
	}
	if p == nil {
		return nil, "", false
	}
	return p, heading, true
}

// ours reports whether a host is that of this site.
func (e *Edition) ours(from *Post, host string) bool {
	host = strings.TrimPrefix(host, "www.")
	if e.site.Host != "" && host == e.site.Host.Name() {
		return true
	}
	for _, h := range e.site.hosts {
		if h == host {
			return true
		}
	}
	return false
}

// resolve finds the post of a link without heading and host: by its path, then
// by any of its addresses, then by the last element alone. It returns nil if
// there is none.
func (e *Edition) resolve(from *Post, target string) *Post {
	inside, zola := strings.CutPrefix(target, "@/")
	if !zola {
		inside = strings.Trim(target, "/")
	}
	var p *Post
	if zola || strings.HasPrefix(target, "/") {
		if b := e.site.base; b != "" && !zola {
			inside = strings.TrimPrefix(strings.TrimPrefix(inside, b), "/")
		}
		if inside == "" {
			return e.home
		}
		p = e.belowSite(from, inside)
	} else {
		p = e.besidePost(from, inside)
	}
	if p != nil {
		return p
	}
	inside = strings.TrimPrefix(path.Clean("/"+inside), "/")
	if p, err := e.Post(inside); err == nil {
		return p
	}
	return e.byLastElement(from, inside)
}

// belowSite finds a post by its path below the site, or below the section of
// the post that links to it.
func (e *Edition) belowSite(from *Post, inside string) *Post {
	tops := []string{""}
	if from != nil {
		sec := from.entry.section
		tops = []string{path.Join(sec.dir, sec.base), sec.dir, ""}
	}
	for _, top := range tops {
		if p := e.byPath(pathKey(path.Join(top, inside))); p != nil {
			return p
		}
	}
	return nil
}

// besidePost finds a post by its path beside the file that links to it or, as
// browsers see it, beside the page, which is one folder deeper when its address
// ends with a slash.
func (e *Edition) besidePost(from *Post, inside string) *Post {
	bases := []string{".", ""}
	if from != nil {
		bases = []string{path.Dir(from.Path), strings.TrimSuffix(from.Path, path.Ext(from.Path))}
	}
	for _, base := range bases {
		if full := path.Join(base, inside); !strings.HasPrefix(full, "../") {
			if p := e.byPath(pathKey(full)); p != nil {
				return p
			}
		}
	}
	return nil
}

// byLastElement finds a post by a name alone, or by the last element of an
// address on the web whose pattern is not known here.
func (e *Edition) byLastElement(from *Post, address string) *Post {
	stem := addressKey(path.Base(address))
	if stem == "index" {
		stem = path.Base(path.Dir(address))
	}
	for _, name := range []string{stem, strings.Join(addressOf(stem), "/")} {
		if p := e.bySlug(name); p != nil && p != e.home {
			return p
		}
	}
	if from != nil {
		if _, rest, ok := frontmatter.NameDate(stem, from.entry.section.location()); ok {
			return e.bySlug(rest)
		}
	}
	return nil
}

// at reports whether a link in a post can mean p, by its slug or its path.
func (p *Post) at(from *Post, target string) bool {
	key := pathKey(strings.TrimPrefix(target, "@/"))
	beside := pathKey(path.Join(path.Dir(pathOf(from)), target))
	return key == strings.ToLower(p.Slug) || key == pathKey(p.Path) || beside == pathKey(p.Path)
}

func pathOf(p *Post) string {
	if p == nil {
		return ""
	}
	return p.Path
}
