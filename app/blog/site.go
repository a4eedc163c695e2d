package blog

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Site is what a blog says of itself: in site.yaml, else in the configuration
// of its generator. A blog without a title has that of its home page, else the
// name of its folder.
type Site struct {
	Title    string
	Tagline  string
	Author   string
	Host     Host   // "" unless said
	Accent   string // "", #rrggbb, or the number of a colour
	Lang     string
	Links    []Link
	Location *time.Location // of dates that name no zone
	Git      bool           // readers may clone what is published

	titled bool     // the title was said
	hosts  []string // of the web site whose folder this is
	base   string   // the path the web site has on its host, without slashes
}

func (s Site) equal(t Site) bool {
	return s.Title == t.Title && s.Tagline == t.Tagline && s.Author == t.Author && s.Host == t.Host &&
		s.Accent == t.Accent && s.Lang == t.Lang && s.Git == t.Git && s.base == t.base &&
		s.Location.String() == t.Location.String() && slices.Equal(s.Links, t.Links) && slices.Equal(s.hosts, t.hosts)
}

// A Link is one of the site's links elsewhere.
type Link struct{ Text, URL string }

const maxConfig = 1 << 20

// readSite reads the configuration at the top of a folder, or in the content
// folder of a generator.
func readSite(folder *store.Worktree, d *store.Dir) (Site, []Problem) {
	s := Site{Location: time.Local}
	var problems []Problem
	read := func(name string) frontmatter.Fields {
		b, _, err := folder.ReadFile(name, maxConfig)
		if err != nil {
			return nil
		}
		fs, bad := frontmatter.ParseFile(name, b)
		if bad != nil {
			_, why, _ := strings.Cut(bad.Text, ": ")
			text := markdown.Clean("cannot be read: " + why)
			problems = append(problems, Problem{Path: name, Line: bad.Line, Text: text})
		}
		return fs
	}
	for _, name := range siteFilesIn(d) {
		if fs := read(name); len(fs) > 0 {
			problems = append(problems, s.fill(name, fs)...)
			break
		}
	}
	for _, name := range namesFor(describes) {
		if slices.Contains(d.Files, name) {
			s.fillFrom(read(name))
		}
	}
	if s.Title == "" {
		s.Title = markdown.Clean(filepath.Base(folder.Dir()))
	} else {
		s.titled = true
	}
	return s, problems
}

// siteFilesIn returns this program's own configuration files that may be at the
// top of a folder, or in the content folder of a generator.
func siteFilesIn(top *store.Dir) []string {
	var names []string
	for _, name := range siteFiles {
		if slices.Contains(top.Files, name) {
			names = append(names, name)
		}
	}
	for _, name := range siteFiles {
		if slices.Contains(top.Dirs, "content") {
			names = append(names, "content/"+name)
		}
	}
	return names
}

// fill takes site.yaml. The problems are warnings.
func (s *Site) fill(name string, fs frontmatter.Fields) []Problem {
	var problems []Problem
	bad := func(key, format string, args ...any) {
		f, _ := fs.Get(key)
		text := fmt.Sprintf(format, args...)
		problems = append(problems, Problem{Path: name, Line: f.Line, Warning: true, Text: text})
	}
	s.fillFrom(fs)
	if h, err := ParseHost(fs.Text("host")); err == nil {
		s.Host = h
	} else {
		bad("host", "%v", err)
	}
	if yes, set := fs.Flag("git"); set {
		s.Git = yes
	} else if w := fs.Text("git"); w != "" {
		bad("git", "git %q is neither true nor false", markdown.Shorten(markdown.Clean(w), 40))
	}
	if a := strings.ToLower(fs.Text("accent", "color", "colour")); a != "" {
		if s.Accent = accentOf(a); s.Accent == "" {
			bad("accent", "accent %q is neither #rrggbb nor a colour's number or name",
				markdown.Shorten(markdown.Clean(a), 40))
		}
	}
	if z := fs.Text("timezone"); z != "" {
		if _, err := time.LoadLocation(z); err != nil {
			bad("timezone", "timezone %q is not known", markdown.Shorten(markdown.Clean(z), 40))
		}
	}
	f, _ := fs.Get("links")
	switch v := f.Value.(type) {
	case []any:
		for _, x := range v {
			switch x := x.(type) {
			case frontmatter.Fields:
				l := Link{
					Text: markdown.PlainLine(x.Text("title", "name", "text", "label")),
					URL:  markdown.Clean(x.Text("url", "href", "link")),
				}
				if l.URL == "" && len(x) == 1 { // - GitHub: https://…
					l = Link{markdown.PlainLine(x[0].Name), markdown.Clean(x[0].String())}
				}
				s.link(l)
			case string:
				s.link(Link{plainHost(x), markdown.Clean(x)})
			}
		}
	case frontmatter.Fields:
		for _, m := range v {
			s.link(Link{markdown.PlainLine(m.Name), markdown.Clean(m.String())})
		}
	}
	return problems
}

// link adds a link, if it leads somewhere.
func (s *Site) link(l Link) {
	if l.URL == "" {
		return
	}
	if l.Text == "" {
		l.Text = plainHost(l.URL)
	}
	s.Links = append(s.Links, l)
}

// fillFrom takes what is still missing from the configuration of any generator.
func (s *Site) fillFrom(fs frontmatter.Fields) {
	params := append(append(append(frontmatter.Fields{}, fs.Sub("extra")...), fs.Sub("params")...), fs...)
	set := func(to *string, v string) {
		if *to == "" {
			*to = markdown.Shorten(markdown.PlainLine(v), 300)
		}
	}
	set(&s.Title, fs.Text("websitetitle", "title", "name"))
	set(&s.Tagline, params.Text("tagline", "websitedescr", "websitedescription", "description", "subtitle"))
	set(&s.Author, params.Text("author"))
	for _, m := range []frontmatter.Fields{fs, params} {
		if a := append(m.Sub("author"), m.Sub("params").Sub("author")...); len(a) > 0 {
			set(&s.Author, a.Text("name"))
		}
		if f, ok := m.Get("author", "authors"); ok {
			if list := f.List(); len(list) > 0 {
				set(&s.Author, list[0])
			}
		}
	}
	set(&s.Lang, fs.Text("lang", "locale", "languagecode", "defaultlanguage", "defaultcontentlanguage", "pagelang"))
	if z := fs.Text("timezone"); z != "" && s.Location == time.Local {
		if loc, err := time.LoadLocation(z); err == nil {
			s.Location = loc
		}
	}
	if u, err := url.Parse(fs.Text("baseurl", "url", "websiteurl")); err == nil && u.Host != "" {
		s.hosts = append(s.hosts, strings.TrimPrefix(u.Host, "www."))
		s.base = strings.Trim(u.Path, "/")
	} else if err == nil {
		s.base = strings.Trim(u.Path, "/")
	}
	if u, err := url.Parse(fs.Text("url")); err == nil && u.Host != "" { // Jekyll has both
		s.hosts = append(s.hosts, strings.TrimPrefix(u.Host, "www."))
	}
}

// accentOf returns a colour in the form of Site.Accent: of #rgb, #rrggbb, a
// number from 0 to 255, or an ANSI name. It returns "" for anything else.
func accentOf(s string) string {
	if h, ok := strings.CutPrefix(s, "#"); ok {
		if _, err := strconv.ParseUint(h, 16, 32); err != nil {
			return ""
		}
		switch len(h) {
		case 3:
			return "#" + string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
		case 6:
			return s
		}
		return ""
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 256 {
		return strconv.Itoa(n)
	}
	for i, name := range []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"} {
		if s == name {
			return strconv.Itoa(i)
		}
	}
	return ""
}
