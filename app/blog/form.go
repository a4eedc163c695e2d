package blog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// Fields are what a front matter says, as a person would type it; "" is not
// said.
type Fields struct {
	Title   string
	Slug    string
	Date    string // "2026-12-01 09:00" in the site's zone; a day alone when it is its beginning
	Tags    string // "life, moving house"
	Summary string
	Draft   string // "yes" or "no"
}

// place returns how a text at a path is read, which need not exist.
func (a Author) place(name string) (markdown.Options, *section) {
	sec := a.blog.current.Load().listing.nearest(path.Dir(name))
	return sec.options(name, markdown.Auto), sec
}

// Fields reads the front matter of a text as if it stood at a path. The error
// is a plain reason.
func (a Author) Fields(name string, src []byte) (Fields, error) {
	o, sec := a.place(name)
	s, fs, err := frontmatter.Read(src, o)
	if err != nil {
		return Fields{}, err
	}
	f := Fields{
		Title:   markdown.PlainLine(fs.Text("title")),
		Slug:    markdown.PlainLine(fs.Text("slug")),
		Summary: markdown.PlainLine(fs.TextOf(frontmatter.Summary)),
		Tags:    strings.Join(tagsIn(fs, s.Dialect), ", "),
		Draft:   "no",
	}
	if own, ok := fs.Get(frontmatter.KeyOf(fs.NameOf("date", s.Dialect))); ok {
		if t, err := own.Date(sec.location()); err == nil {
			f.Date = typed(t.In(sec.location()))
		} else {
			f.Date = markdown.PlainLine(own.String())
		}
	}
	if slices.Concat(sec.defaults, fs).IsDraft() || (file{path: name, section: sec}).pathInfo().draft {
		f.Draft = "yes"
	}
	return f, nil
}

// tagsIn returns the tags of the one field that SetField would write them to.
func tagsIn(fs frontmatter.Fields, d markdown.Dialect) []string {
	table, name, nested := strings.Cut(fs.NameOf("tags", d), ".")
	if nested {
		fs = fs.Sub(frontmatter.KeyOf(table))
	} else {
		name = table
	}
	var tags []string
	for _, t := range fs.Words(frontmatter.KeyOf(name)) {
		if t = strings.TrimSpace(strings.TrimPrefix(markdown.PlainLine(t), "#")); t != "" {
			tags = append(tags, t)
		}
	}
	return tags
}

// typed writes a date as a person types it.
func typed(t time.Time) string {
	switch {
	case t.Equal(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())):
		return t.Format("2006-01-02")
	case t.Second() == 0:
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("2006-01-02 15:04:05")
}

// SetField returns a text with one field of its front matter changed to what
// was typed, and all other bytes as they were. The fields are title, slug, date
// (see ParseWhen), tags (between commas), summary and draft (yes or no). An
// empty value removes the field. The error is a plain reason.
func (a Author) SetField(name string, src []byte, field, value string) ([]byte, error) {
	o, sec := a.place(name)
	value = strings.TrimSpace(value)
	switch field {
	case "title", "summary":
	case "slug":
		value = strings.TrimSuffix(value, ".md")
		if s := addressOf(value); value != "" && (len(s) != 1 || s[0] != value) {
			typed := markdown.Shorten(markdown.Clean(value), 60)
			return nil, fmt.Errorf("%q cannot be a slug: letters, digits and dashes can", typed)
		}
	case "date":
		if value == "" {
			break
		}
		t, err := frontmatter.ParseWhen(value, a.blog.lib.now(), sec.location())
		if err != nil {
			return nil, err
		}
		return frontmatter.Set(src, o, field, t.In(sec.location()))
	case "tags":
		var tags []string
		for _, t := range strings.Split(value, ",") {
			t = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(t), "#"))
			if t != "" && !slices.Contains(tags, t) {
				tags = append(tags, t)
			}
		}
		if tags == nil {
			return frontmatter.Set(src, o, field, nil)
		}
		return frontmatter.Set(src, o, field, tags)
	case "draft":
		return typedDraft(src, o, sec.defaults, value)
	default:
		return nil, fmt.Errorf("field %q is not in the form", markdown.Shorten(markdown.Clean(field), 60))
	}
	if value == "" {
		return frontmatter.Set(src, o, field, nil)
	}
	return frontmatter.Set(src, o, field, value)
}

func typedDraft(src []byte, o markdown.Options, given frontmatter.Fields, value string) ([]byte, error) {
	switch strings.ToLower(value) {
	case "yes", "y", "true", "on", "1":
		return frontmatter.SetDraft(src, o, given, true)
	case "no", "n", "false", "off", "0":
		return frontmatter.SetDraft(src, o, given, false)
	case "":
	default:
		return nil, fmt.Errorf("%q is neither yes nor no", markdown.Shorten(markdown.Clean(value), 40))
	}
	return frontmatter.ClearDraft(src, o)
}

// ParseWhen reads a date as people type it: "tomorrow 9:00", "1 Dec", "in 2h",
// and what front matters may say. loc is the site's zone; see
// frontmatter.ParseWhen.
func ParseWhen(text string, now time.Time, loc *time.Location) (time.Time, error) {
	return frontmatter.ParseWhen(text, now, loc)
}

// Beside returns the files that belong to a post, or to one that is to be at a
// path: what is in a folder of its own, what has its name, and what its text
// names in the same folder. They are sorted.
func (a Author) Beside(name string) []string {
	all := a.blog.current.Load()
	p := all.author.byFile(name)
	own := map[string]bool{}
	var words []string
	if p != nil {
		for _, e := range a.bundle(p) {
			own[e.Path] = true
		}
		for _, w := range p.names() {
			words = append(words, path.Base(w))
		}
	}
	dir, stem := path.Dir(name), strings.TrimSuffix(path.Base(name), path.Ext(name))
	folder := strings.TrimSuffix(name, path.Ext(name)) + "/"
	ledger := a.blog.lib.worktree.Ledger()
	entries := ledger.Entries()
	if ledger.Rev() == 0 {
		entries = a.blog.standing()
	}
	var list []string
	for _, e := range entries {
		base := path.Base(e.Path)
		switch {
		case e.Path == name, IsMarkdown(base), isConfigFile(e.Path):
		case own[e.Path], strings.HasPrefix(e.Path, folder),
			path.Dir(e.Path) == dir && stem != "index" && hasName(base, stem),
			path.Dir(e.Path) == dir && slices.Contains(words, base):
			list = append(list, e.Path)
		}
	}
	slices.Sort(list)
	return list
}

// hasName reports whether a file has a post's name, like sea.png and sea-2.png
// of sea.
func hasName(base, stem string) bool {
	rest, ok := strings.CutPrefix(base, stem)
	return ok && rest != "" && strings.ContainsRune(".-_ ", rune(rest[0]))
}
