package blog

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// A custom is how most posts of a blog are written and filed.
type custom struct {
	dir   string             // that most posts are in
	dated bool               // their names begin with their dates
	kind  markdown.FrontKind // of front matter
	flag  string             // the field that says whether they are drafts; "": the generator's own
}

// makeCustom finds out by looking at all posts.
func (v *snapshot) makeCustom() custom {
	inDir, datedInDir := map[string]int{}, map[string]int{}
	kinds, flags := map[markdown.FrontKind]int{}, map[string]int{}
	c := custom{dir: "posts", kind: markdown.YAML}
	if v.listing.nearest(".").kind == markdown.Jekyll {
		c.dir = "_posts"
	}
	for _, p := range v.author.all {
		e := p.entry
		if e.front != markdown.NoFront {
			kinds[e.front]++
		}
		if e.flag != "" {
			flags[e.flag]++
		}
		if p.State == Page || e.indexFile() || strings.Contains("/"+e.path, "/_drafts/") {
			continue
		}
		dir := path.Dir(e.path)
		if inDir[dir]++; inDir[dir] > inDir[c.dir] || inDir[dir] == inDir[c.dir] && dir < c.dir {
			c.dir = dir
		}
		if frontmatter.BeginsWithDate(path.Base(e.path)) {
			datedInDir[dir]++
		}
	}
	c.dated = path.Base(c.dir) == "_posts" || datedInDir[c.dir]*2 > inDir[c.dir]
	switch kind := v.listing.nearest(c.dir).kind; {
	case len(kinds) > 0:
		c.kind = most(kinds)
	case kind == markdown.Franklin:
		c.kind = markdown.Julia
	case kind == markdown.Zola:
		c.kind = markdown.TOML
	}
	c.flag = most(flags)
	return c
}

// PathOf returns where a post with this source goes: to the post with its slug
// if there is one, else into the folder that most posts are in, named after its
// slug or title, with its date in the name if most names there have one. A
// source with neither slug nor title is a Refusal.
func (a Author) PathOf(src []byte) (name string, err error) {
	now := a.blog.current.Load()
	custom := now.custom()
	at := file{path: path.Join(custom.dir, "post.md"), section: now.listing.nearest(custom.dir)}
	e := newEntry(at, src, a.blog.lib, markdown.Auto)
	slug := e.slug()
	switch {
	case e.explicit:
	case e.titled:
		slug = slugFor(e.title)
	default:
		return "", refusal("post", "has neither a title nor a slug: say where it goes, as in publish posts/name.md")
	}
	if p := now.author.bySlug(strings.ToLower(slug)); p != nil {
		return p.Path, nil
	}
	if custom.dated {
		day := e.date
		if !e.hasDate {
			day = a.blog.lib.now()
		}
		slug = day.In(at.section.location()).Format("2006-01-02-") + slug
	}
	return path.Join(custom.dir, slug+".md"), nil
}

// slugFor makes a slug of a title: its letters and digits in lower case, 80
// bytes at most.
func slugFor(title string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	}) {
		if w = strings.NewReplacer("'", "", "’", "").Replace(w); w != "" {
			words = append(words, w)
		}
	}
	slug := strings.Join(words, "-")
	for len(slug) > 80 {
		i := strings.LastIndexByte(slug[:80], '-')
		if i <= 0 {
			return strings.ToValidUTF8(slug[:80], "")
		}
		slug = slug[:i]
	}
	if slug == "" {
		return "post"
	}
	return slug
}

// Starter returns the source of a new post, a draft written as most posts of
// the blog are, and where the cursor goes: to the title if that is empty, else
// to the text. PathOf says where the post goes.
func (a Author) Starter(title string) (src []byte, at int) {
	title = strings.TrimSpace(markdown.Clean(strings.Join(strings.Fields(title), " ")))
	now := a.blog.current.Load()
	custom := now.custom()
	to := file{path: path.Join(custom.dir, "post.md"), section: now.listing.nearest(custom.dir)}
	o := to.section.options(to.path, markdown.Auto)
	for _, kind := range []markdown.FrontKind{custom.kind, markdown.YAML} {
		src, at = start(kind, custom.flag, title, o, to.section)
		if newEntry(to, src, a.blog.lib, markdown.Auto).state(a.blog.lib.now()) == Draft {
			break
		}
	}
	return src, at
}

// most returns the key with the largest count, the first of equals.
func most[K cmp.Ordered](n map[K]int) (best K) {
	for _, k := range slices.Sorted(maps.Keys(n)) {
		if n[k] > n[best] {
			best = k
		}
	}
	return best
}

// start writes a front matter of a kind. flag is the field in which the blog's
// posts say whether they are drafts; "" is the generator's own. at is where the
// cursor goes.
func start(kind markdown.FrontKind, flag, title string, o markdown.Options, sec *section) (src []byte, at int) {
	const stand = "Untitled"
	text := map[markdown.FrontKind]string{
		markdown.YAML:  "---\ntitle: " + stand + "\n---\n\n",
		markdown.TOML:  "+++\ntitle = \"" + stand + "\"\n+++\n\n",
		markdown.JSON:  "{\n  \"title\": \"" + stand + "\"\n}\n\n",
		markdown.Julia: "@def title = \"" + stand + "\"\n\n",
	}[kind]
	src = []byte(text)
	out, err := frontmatter.SetDraft(src, o, sec.defaults, true)
	if k := frontmatter.KeyOf(flag); k != "" {
		out, err = frontmatter.SetNamed(src, o, flag, slices.Contains(frontmatter.Keys(frontmatter.Draft), k))
	}
	if err == nil {
		src = out
	}
	if title != "" {
		if out, err := frontmatter.Set(src, o, "title", title); err == nil {
			return out, len(out)
		}
	}
	at = bytes.Index(src, []byte(stand))
	return append(src[:at:at], src[at+len(stand):]...), at
}
