package blog

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// PathOf says where a post with this source goes: to the post with its slug, if
// there is one, else into the folder that most posts are in, named after its
// slug or title, and after its date if the others there are.
func (v Visitor) PathOf(src []byte) (name string, err error) {
	if !v.author {
		return "", ErrNotAuthor
	}
	err = v.blog.do(context.Background(), func(s *shelf) {
		dir, dated := s.usual()
		at := file{path: path.Join(dir, "post.md"), section: s.listing.nearest(dir)}
		e := newEntry(at, src, s.lib, markdown.Auto)
		slug := e.address[len(e.address)-1]
		if !e.explicit {
			if !e.titled {
				return
			}
			slug = slugFor(e.title)
		}
		for _, p := range s.posts {
			if strings.EqualFold(p.Slug, slug) {
				name = p.Path
				return
			}
		}
		if dated {
			day := e.date
			if !e.hasDate {
				day = s.lib.now()
			}
			slug = day.In(at.section.location()).Format("2006-01-02-") + slug
		}
		name = path.Join(dir, slug+".md")
	})
	if err == nil && name == "" {
		err = refusal("post", "has neither a title nor a slug: say where it goes, as in publish posts/name.md")
	}
	return name, err
}

// usual gives the folder that most posts are in, and whether their names begin
// with their dates.
func (s *shelf) usual() (dir string, dated bool) {
	all, days := map[string]int{}, map[string]int{}
	dir = "posts"
	if s.listing.nearest(".").kind == markdown.Jekyll {
		dir = "_posts"
	}
	for e, p := range s.posts {
		if p.State == Page || e.indexFile() || strings.Contains("/"+e.path, "/_drafts/") {
			continue
		}
		d := path.Dir(e.path)
		if all[d]++; all[d] > all[dir] || all[d] == all[dir] && d < dir {
			dir = d
		}
		if frontmatter.BeginsWithDate(path.Base(e.path)) {
			days[d]++
		}
	}
	return dir, path.Base(dir) == "_posts" || days[dir]*2 > all[dir]
}

// slugFor makes a slug of a title: its letters and digits, in lower case.
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

// Starter gives the source of a new post, a draft, in the manner that most of
// this blog's posts are written in, and where the cursor goes: to the title if
// there is none, else to the text. PathOf says where the post goes.
func (v Visitor) Starter(title string) (src []byte, at int) {
	if !v.author {
		return nil, 0
	}
	title = strings.TrimSpace(markdown.Clean(strings.Join(strings.Fields(title), " ")))
	kinds, flags := map[markdown.FrontKind]int{}, map[string]int{}
	var dir string
	var sec *section
	err := v.blog.do(context.Background(), func(s *shelf) {
		dir, _ = s.usual()
		sec = s.listing.nearest(dir)
		for e := range s.posts {
			if e.front != markdown.NoFront {
				kinds[e.front]++
			}
			if e.flag != "" {
				flags[e.flag]++
			}
		}
	})
	kind := most(kinds)
	if err != nil || len(kinds) == 0 {
		kind = markdown.YAML
		if sec != nil {
			switch sec.kind {
			case markdown.Franklin:
				kind = markdown.Julia
			case markdown.Zola:
				kind = markdown.TOML
			}
		}
	}
	if sec == nil {
		sec = v.blog.current.Load().listing.nearest(".")
	}
	flag := most(flags)
	o := sec.options(path.Join(dir, "post.md"), markdown.Auto)
	for _, kind := range []markdown.FrontKind{kind, markdown.YAML} {
		src, at = start(kind, flag, title, o, sec)
		if e := newEntry(file{path: path.Join(dir, "post.md"), section: sec}, src, v.blog.lib, markdown.Auto); e.state(v.blog.lib.now()) == Draft {
			break
		}
	}
	return src, at
}

// most gives what there is most of, the first of equals.
func most[K cmp.Ordered](n map[K]int) (best K) {
	for _, k := range slices.Sorted(maps.Keys(n)) {
		if n[k] > n[best] {
			best = k
		}
	}
	return best
}

// start writes a front matter of a kind. flag is the field that the blog's
// posts say in whether they are drafts, "" its generator's own.
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
