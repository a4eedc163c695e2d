package blog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
	"sheaf/app/store"
)

// ReadPost reads one file on disk as the blog around it would: the content
// folder is the nearest one above the file that looks like one, else the
// file's own. Auto finds the dialect. A post whose front matter is broken is
// given all the same, in state Broken; the error is about the file itself.
func ReadPost(name string, d markdown.Dialect, now time.Time) (*Post, Site, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, Site{}, err
	}
	src, err := readAny(abs)
	if err != nil {
		return nil, Site{}, fmt.Errorf("%s: %w", name, store.Reason(err))
	}
	root, _ := contentRoot(filepath.Dir(abs))
	rel, err := filepath.Rel(root, abs)
	if err != nil {
		return nil, Site{}, err
	}
	folder, err := store.View(root)
	if err != nil {
		return nil, Site{}, err
	}
	lib := newIndex(folder).lib
	lib.now = func() time.Time { return now }
	rel = filepath.ToSlash(rel)
	l, err := around(folder, path.Dir(rel))
	if err != nil {
		return nil, Site{}, err
	}
	e := newEntry(file{path: rel, section: l.nearest(path.Dir(rel))}, src, lib, d)
	e.given = src
	return e.post(e.address[len(e.address)-1], e.title, e.state(now)), l.site, nil
}

// readAny reads what somebody at this machine has asked for by name: a link, a
// hidden file or a pipe as well.
func readAny(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxPost+1))
	if err == nil && len(src) > maxPost {
		err = store.ErrTooLarge
	}
	return src, err
}

// contentRoot climbs from a directory to the top of the blog it is in: the
// nearest folder with the configuration of a site, or that holds the posts of
// one. A repository's top ends the search; when there is none it is the
// directory itself, and found is false.
func contentRoot(dir string) (root string, found bool) {
	for at, depth := dir, 0; depth < 8; depth++ {
		has := func(name string) bool {
			_, err := os.Stat(filepath.Join(at, name))
			return err == nil
		}
		if slices.ContainsFunc(siteFiles, has) || slices.ContainsFunc(namesFor(isTop), has) {
			return at, true
		}
		up := filepath.Dir(at)
		if base := filepath.Base(at); base == "content" {
			if filepath.Base(up) == "src" {
				return filepath.Dir(up), true
			}
			return up, true
		}
		if up == at || has(".git") {
			break
		}
		at = up
	}
	return dir, false
}

// around finds the sections from the top of a folder down to one directory.
func around(folder *store.Worktree, dir string) (*listing, error) {
	return walkSections(folder, nil, func(l *listing, d *store.Dir, sec *section) []string {
		return slices.DeleteFunc(slices.Clone(d.Dirs), func(name string) bool {
			p := path.Join(d.Path, name)
			return dir != p && !strings.HasPrefix(dir, p+"/")
		})
	})
}

// nearest returns the section that a directory is in.
func (l *listing) nearest(dir string) *section {
	for {
		if s := l.sections[dir]; s != nil {
			return s
		}
		dir = path.Dir(dir)
	}
}

// Check looks for what an author would want to know about files and folders:
// front matter and dates that cannot be read, slugs used twice, links to posts
// and images that are not there, code that is never closed, fields that look
// like a slip of the pen. The paths of the problems begin with those given.
// The error is about a path that cannot be read at all.
func Check(paths []string) ([]Problem, error) {
	c := checker{now: time.Now(), read: map[string]*checked{}}
	defer c.close()
	var all []Problem
	var errs []error
	for _, name := range paths {
		problems, err := c.check(name)
		if err != nil {
			errs = append(errs, err)
		}
		all = append(all, problems...)
	}
	return all, errors.Join(errs...)
}

// A checker reads every blog once, however many of its files are asked about.
type checker struct {
	now  time.Time
	read map[string]*checked // by root
}

// A checked blog is one that was read as it would be served.
type checked struct {
	index *index
	all   *Edition
}

func (c *checker) close() {
	for _, r := range c.read {
		r.index.lib.worktree.Close()
	}
}

// open reads the blog at root, once. A shallow reading, of the top folder only,
// gives way to a whole one when that is asked for.
func (c *checker) open(root string, shallow bool) (*checked, error) {
	if r := c.read[root]; r != nil && (shallow || !r.index.shallow) {
		return r, nil
	}
	folder, err := store.View(root)
	if err != nil {
		return nil, err
	}
	s := newIndex(folder)
	s.shallow = shallow
	if _, err := s.rescan(); err != nil {
		folder.Close()
		return nil, err
	}
	s.last = s.snapshot(c.now)
	if old := c.read[root]; old != nil {
		old.index.lib.worktree.Close()
	}
	c.read[root] = &checked{s, s.last.author}
	return c.read[root], nil
}

// check returns the problems of one file or folder, with paths that begin with
// its name as it was given. The blog around it decides on slugs and links.
func (c *checker) check(name string) ([]Problem, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, store.Reason(err))
	}
	dir := abs
	if !info.IsDir() {
		dir = filepath.Dir(abs)
	}
	root, found := contentRoot(dir)
	r, err := c.open(root, !found && !info.IsDir())
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(root, abs)
	if err != nil {
		return nil, err
	}
	below = filepath.ToSlash(below)
	inside := func(p string) bool { return below == "." || p == below || strings.HasPrefix(p, below+"/") }
	var problems []Problem
	for _, p := range r.all.problems {
		if inside(p.Path) {
			problems = append(problems, p)
		}
	}
	post := false
	for _, p := range r.all.all {
		if inside(p.Path) {
			post = true
			problems = append(problems, r.all.inspect(p)...)
		}
	}
	if !info.IsDir() && !post {
		problems = append(problems, Problem{Path: below, Warning: true, Text: notAPost})
	}
	sortProblems(problems)
	for i := range problems {
		rel := strings.TrimPrefix(strings.TrimPrefix(problems[i].Path, below), "/")
		if below == "." {
			rel = problems[i].Path
		}
		problems[i].Path = filepath.Join(name, filepath.FromSlash(rel))
	}
	return problems, nil
}

// inspect reads a post whole and returns the problems that only its text can
// tell.
func (e *Edition) inspect(p *Post) []Problem {
	var out []Problem
	add := func(line int, warning bool, format string, args ...any) {
		pr := Problem{Path: p.Path, Line: line, Warning: warning, Text: markdown.Clean(fmt.Sprintf(format, args...))}
		for _, o := range p.entry.problems {
			if o.Line == line && o.Text == pr.Text {
				return
			}
		}
		if !slices.Contains(out, pr) {
			out = append(out, pr)
		}
	}
	src, err := p.Source()
	if err != nil {
		add(0, false, "%v", store.Reason(err))
		return out
	}
	if p.State == Broken && p.entry.unread {
		return out
	}
	s := markdown.Read(src, p.entry.section.options(p.Path, p.entry.dialect))
	if fields, bad := frontmatter.Parse(s.Front); bad == nil && s.Front.Kind != markdown.Julia {
		for _, f := range fields {
			if meant := frontmatter.Misspelt(f.Key); meant != "" {
				if _, both := fields.Get(meant); !both {
					add(f.Line, true, "field %q: did you mean %q?", f.Name, meant)
				}
			}
		}
	}
	if line := s.OpenFence(); line > 0 {
		add(line, true, "this block of code is never closed")
	}
	d := p.Document()
	for _, pr := range d.Problems {
		add(pr.Line, true, "%s", pr.Text)
	}
	for _, l := range d.Links {
		if why := e.deadLink(p, d, l.Target); why != "" {
			add(l.Line, true, "link to %q: %s", markdown.Shorten(l.Target, 120), why)
		}
	}
	for _, i := range d.Images {
		if i.Alt == "" {
			add(i.Line, true, "image %q has no description", markdown.Shorten(i.Target, 120))
		}
		if local(i.Target) && !e.fileFor(p, i.Target) {
			add(i.Line, true, "image %q is not there", markdown.Shorten(i.Target, 120))
		}
	}
	return out
}

// local reports a target that is a path.
func local(target string) bool {
	if target == "" || target[0] == '#' || strings.HasPrefix(target, "//") {
		return false
	}
	u, err := url.Parse(target)
	return err == nil && u.Scheme == "" && u.Host == ""
}

// deadLink says in a few words why a link of p leads nowhere; "" if it may lead
// somewhere, as all do that name another host or the web site's own root.
func (e *Edition) deadLink(p *Post, d *markdown.Document, target string) string {
	if rest, ok := strings.CutPrefix(target, "#"); ok {
		if rest == "" || rest == "top" || strings.HasPrefix(rest, "fn") || hasHeading(d, rest) {
			return ""
		}
		return "no such heading in this post"
	}
	if !local(target) {
		return ""
	}
	to, heading, ok := e.Resolve(p, target)
	switch {
	case ok && to == nil: // home
		return ""
	case ok && heading != "" && !hasHeading(to.Document(), heading):
		return "no such heading in " + to.Path
	case ok:
		return ""
	}
	clean, _, _ := strings.Cut(target, "#")
	ext := strings.ToLower(path.Ext(clean))
	if IsMarkdown(clean) || strings.HasPrefix(target, "@/") {
		return "no such post"
	}
	if strings.HasPrefix(target, "/") || e.fileFor(p, target) {
		return ""
	}
	if ext == "" || ext == ".html" {
		return "no such post"
	}
	return "no such file"
}

// hasHeading reports whether a document has a place of this name: a heading, an
// anchor of raw HTML, a label of an equation, a footnote.
func hasHeading(d *markdown.Document, id string) bool {
	if u, err := url.PathUnescape(id); err == nil {
		id = u
	}
	if slices.ContainsFunc(d.Headings, func(h markdown.Heading) bool {
		return strings.EqualFold(h.ID, id) || strings.EqualFold(h.Text, id)
	}) {
		return true
	}
	// A link to the place is not the place.
	return bytes.Contains(bytes.ReplaceAll(d.Source, []byte("(#"+id+")"), nil), []byte(id))
}

// fileFor looks for a file a post names: beside it, in a folder of its name,
// at the tops of the site, in the generators' folders of files.
func (e *Edition) fileFor(p *Post, target string) bool {
	target, _, _ = strings.Cut(target, "#")
	target, _, _ = strings.Cut(target, "?")
	if t, err := url.PathUnescape(target); err == nil {
		target = t
	}
	if b := e.site.base; b != "" {
		target = strings.TrimPrefix(target, "/"+b)
	}
	lib := p.entry.lib
	for _, at := range e.places(p) {
		name := path.Join(at, strings.TrimPrefix(target, "/"))
		if there, known := lib.pending[name]; known {
			if there {
				return true
			}
			continue
		}
		if info, err := fs.Stat(lib.worktree.FS(), name); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

// places are the folders that a file a post names may be in.
func (e *Edition) places(p *Post) []string {
	sec := p.entry.section
	places := []string{path.Dir(p.Path), strings.TrimSuffix(p.Path, path.Ext(p.Path))}
	for _, top := range []string{sec.dir, ""} {
		for _, in := range []string{"", "static", "public", "assets", "_assets", "content", "src"} {
			places = append(places, path.Join(top, in))
		}
	}
	return places
}
