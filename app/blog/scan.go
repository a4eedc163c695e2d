package blog

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A file is where the source of a post stands.
type file struct {
	path     string
	section  *section
	siblings bool // an index file of a folder that has posts beside it
}

// rel is the path below the content of the file's section.
func (f file) rel() string {
	rel := strings.TrimPrefix(f.path, f.section.dirSlash())
	if b := f.section.base; b != "" {
		rel = strings.TrimPrefix(rel, b+"/")
	}
	return rel
}

// A listing is what one walk of the folder finds.
type listing struct {
	files    []file
	sections map[string]*section // by directory
	homes    []string            // candidates for the home page, the best first
	site     Site
	problems []Problem
	unread   []string // directories of which not all is known
}

// scan walks the folder. Sections that have not changed since before, which may
// be nil, are shared with it. A shallow scan stays at the top.
func scan(folder *store.Worktree, before *listing, shallow bool) (*listing, error) {
	l, err := walkSections(folder, before, func(l *listing, d *store.Dir, sec *section) []string {
		l.collect(d, sec)
		if shallow {
			return nil
		}
		return sec.enter(d)
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.homes, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
	return l, nil
}

// walkSections walks the folder and calls visit with each directory and the
// section it is in; visit returns the directories to enter.
func walkSections(folder *store.Worktree, before *listing,
	visit func(*listing, *store.Dir, *section) (enter []string),
) (*listing, error) {
	l := &listing{sections: map[string]*section{}}
	in := map[string]*section{}
	err := folder.Walk(func(d *store.Dir) []string {
		var sec *section
		if d.Path == "." {
			l.site, l.problems = readSite(folder, d)
			sec = l.sectionAt(folder, d, nil)
		} else if sec = l.sectionAt(folder, d, in[path.Dir(d.Path)]); sec == nil {
			sec = in[path.Dir(d.Path)]
		}
		if before != nil {
			if old := before.sections[d.Path]; old != nil && old.key == sec.key {
				sec = old
			}
		}
		if d.Path == sec.dirOrDot() {
			l.sections[d.Path] = sec
		}
		in[d.Path] = sec
		if d.Err != nil {
			l.unread = append(l.unread, d.Path)
			l.problem(d.Path, d.Err)
		}
		return visit(l, d, sec)
	})
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", folder.Dir(), store.Reason(err))
	}
	return l, nil
}

// problem tells authors of a file or folder that cannot be read.
func (l *listing) problem(name string, err error) {
	l.problems = append(l.problems, Problem{Path: markdown.Clean(name),
		Text: "cannot be read: " + markdown.Clean(store.Reason(err).Error()) + "; what was known of it stays"})
}

// keepUnread takes over the files of directories that could be read before and
// cannot be now.
func (l *listing) keepUnread(before *listing) {
	if before == nil || len(l.unread) == 0 {
		return
	}
	have := make(map[string]bool, len(l.files))
	for _, f := range l.files {
		have[f.path] = true
	}
	for _, f := range before.files {
		if !have[f.path] && l.isUnread(f.path) {
			l.files = append(l.files, f)
		}
	}
	slices.SortFunc(l.files, func(a, b file) int { return walkOrder(a.path, b.path) })
}

// isUnread reports a path below a directory that cannot be read.
func (l *listing) isUnread(name string) bool {
	return slices.ContainsFunc(l.unread, func(dir string) bool {
		return dir == "." || strings.HasPrefix(name, dir+"/")
	})
}

// sectionAt returns the section that begins at a directory, nil if none does.
// above is the section of the directory it is in, nil at the top.
func (l *listing) sectionAt(folder *store.Worktree, d *store.Dir, above *section) *section {
	kind, config, configured := generatorOf(folder, d)
	if above != nil && !configured && (kind == markdown.Auto || kind == above.kind) {
		return nil
	}
	dir := d.Path
	if dir == "." {
		dir = ""
	}
	base := ""
	switch {
	case kind == markdown.MDX && slices.Contains(d.Dirs, "src"):
		if info, err := fs.Stat(folder.FS(), path.Join(d.Path, "src/content")); err == nil && info.IsDir() {
			base = "src/content"
		}
	case !slices.Contains(d.Dirs, "content"):
	case kind == markdown.Hugo, kind == markdown.Zola:
		base = "content"
	case above == nil && kind == markdown.Auto:
		// Nothing else to read at the top: the folder of some generator.
		base = "content"
		for _, name := range d.Files {
			if stem := strings.TrimSuffix(name, path.Ext(name)); IsMarkdown(name) && stem != "index" && !notPost(stem) {
				base = ""
			}
		}
	}
	return newSection(folder, dir, kind, config, base, l.site.Location)
}

// collect takes the posts of one directory.
func (l *listing) collect(d *store.Dir, sec *section) {
	main := sec.dir == ""
	atTop := d.Path == sec.dirOrDot()
	home := main && (atTop || d.Path == sec.base)
	var names []string
	for _, name := range d.Files {
		if IsMarkdown(name) && !sec.skips(d.Path, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		p := path.Join(d.Path, name)
		index := strings.TrimSuffix(name, path.Ext(name))
		switch {
		case home && (index == "index" || index == "_index"):
			l.homes = append(l.homes, p)
		case index == "_index", atTop && sec.base != "":
			continue
		}
		l.files = append(l.files, file{path: p, section: sec, siblings: index == "index" && len(names) > 1})
	}
}

// locate reports whether a file with this path is read as a post, and where
// that stands.
func (l *listing) locate(name string) (file, bool) {
	dir := path.Dir(name)
	sec := l.nearest(dir)
	if !IsMarkdown(name) || sec.skips(dir, path.Base(name)) {
		return file{}, false
	}
	for at, parts := ".", strings.Split(dir, "/"); dir != "." && len(parts) > 0; parts = parts[1:] {
		above := l.nearest(at)
		if len(above.enter(&store.Dir{Path: at, Dirs: parts[:1]})) == 0 {
			return file{}, false
		}
		at = path.Join(at, parts[0])
	}
	index := strings.TrimSuffix(path.Base(name), path.Ext(name))
	if index == "_index" && dir != sec.dirOrDot() || dir == sec.dirOrDot() && sec.base != "" {
		return file{}, false
	}
	return file{path: name, section: sec}, true
}

// enter returns the directories that may hold posts.
func (s *section) enter(d *store.Dir) []string {
	var in []string
	atTop := d.Path == s.dirOrDot()
	for _, name := range d.Dirs {
		switch {
		case name == "node_modules" || s.ignores(path.Join(d.Path, name)+"/"):
		case name[0] == '_' && !s.underscored(name):
		case atTop && s.base != "" && path.Join(d.Path, name) != s.contentTop():
		case atTop && slices.Contains(s.foreign(), name):
		default:
			in = append(in, name)
		}
	}
	return in
}

// underscored reports whether a folder with an underscore holds posts: Jekyll's
// own do, and the collections of a Jekyll site.
func (s *section) underscored(name string) bool {
	switch name {
	case "_posts", "_drafts", "_pages":
		return true
	case "_layouts", "_layout", "_includes", "_data", "_sass", "_site", "_assets", "_css", "_libs", "_rss", "_literate",
		"_plugins", "_cache", "__site", "_templates", "_build", "_output":
		return false
	}
	return s.kind == markdown.Jekyll
}

// foreign returns the folders of a generator that hold no posts.
func (s *section) foreign() []string {
	switch s.kind {
	case markdown.Hugo, markdown.Zola:
		return []string{"archetypes", "themes", "layouts", "public", "static", "resources", "assets", "data", "i18n",
			"templates", "sass", "target"}
	case markdown.Jekyll:
		return []string{"vendor", "assets", "script", "features", "spec", "test", "lib", "rake"}
	case markdown.Eleventy, markdown.MDX:
		return []string{"public", "dist", "_site", "vendor", "assets"}
	}
	return nil
}

// IsMarkdown reports whether a file of this name can be a post.
func IsMarkdown(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".mdx", ".mkd":
		return true
	}
	return false
}

// skips reports whether a Markdown file is not a post.
func (s *section) skips(dir, name string) bool {
	stem := strings.TrimSuffix(name, path.Ext(name))
	if name[0] == '.' || name[0] == '_' && stem != "_index" {
		return true
	}
	if notPost(stem) {
		return true
	}
	if s.kind == markdown.Franklin && dir == s.dirOrDot() && (name == "config.md" || name == "search.md") {
		return true // the search page is nothing without a browser's script
	}
	return s.ignores(path.Join(dir, name))
}

// notPost reports the names of files that every repository has.
func notPost(stem string) bool {
	switch strings.ToUpper(stem) {
	case "README", "LICENSE", "LICENCE", "CHANGELOG", "404":
		return true
	case "CONTRIBUTING", "CODE_OF_CONDUCT":
		return true
	}
	return false
}

// A pathInfo is what the path of a file says about the post.
type pathInfo struct {
	name    string // the file, or the folder of an index file, without its date
	address []string
	date    time.Time // zero: none
	draft   bool
	page    bool
	lang    string
}

// pathInfo reads the path of a file: date, language and folder names are taken
// out of it, and what is left is the address.
func (f file) pathInfo() pathInfo {
	sec, rel := f.section, f.rel()
	parts := strings.Split(rel, "/")
	last := len(parts) - 1
	name := strings.TrimSuffix(parts[last], path.Ext(parts[last]))
	var at pathInfo
	at.readFolders(parts[:last])
	if sec.kind == markdown.Hugo || sec.kind == markdown.Zola {
		// about.fr.md, index.fr.md
		if i := strings.LastIndexByte(name, '.'); i > 0 && isLang(name[i+1:]) {
			at.lang, name = name[i+1:], name[:i]
		}
	}
	dirs := parts[:last:last]
	if name == "index" || name == "_index" {
		switch {
		case last > 0:
			name, dirs = parts[last-1], parts[:last-1:last-1]
		case sec.dir != "":
			name, dirs = path.Base(sec.dir), nil
		default:
			at.name, at.address = "index", []string{"index"}
			return at
		}
	}
	if t, rest, ok := frontmatter.NameDate(name, sec.location()); ok {
		at.date, name = t, rest
	} else if t, ok := frontmatter.PathDate(rel, sec.location()); ok {
		at.date = t
	}
	at.name = name
	if sec.dir != "" && !(last == 0 && dirs == nil) {
		at.address = addressOf(sec.dir)
	}
	at.makeAddress(dirs)
	return at
}

// readFolders takes what the names of folders say about the posts in them.
func (at *pathInfo) readFolders(dirs []string) {
	for _, dir := range dirs {
		switch strings.ToLower(dir) {
		case "_drafts":
			at.draft = true
		case "_pages", "pages":
			at.page = true
		}
		if at.lang == "" && isLang(dir) {
			at.lang = dir
		}
	}
}

// makeAddress adds to the address of the section those of the folders, the
// language and the name. Folders that only a generator needs are not in it.
func (at *pathInfo) makeAddress(dirs []string) {
	for _, dir := range dirs {
		switch dir {
		case "_posts", "_drafts", "_pages", "src", "content":
		default:
			at.address = append(at.address, addressOf(strings.TrimPrefix(dir, "_"))...)
		}
	}
	if at.lang != "" && !slices.Contains(at.address, at.lang) {
		at.address = append(at.address, at.lang)
	}
	name := addressOf(at.name)
	if len(name) == 0 {
		name = []string{"post"}
	}
	at.address = append(at.address, name...)
}

// isLang reports whether a name of a folder or file is that of a language.
func isLang(s string) bool {
	switch strings.ToLower(s) {
	case "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "da", "no", "nb", "fi", "tr", "el",
		"he", "ar", "fa", "hi", "ja", "ko", "zh", "cn", "tw", "vi", "th", "id", "hu", "ro", "bg", "ca", "eu", "gl",
		"zh-cn", "zh-tw", "zh-hans", "zh-hant", "pt-br", "pt-pt", "en-us", "en-gb", "es-es", "es-mx":
		return true
	}
	return false
}

// undatedPage decides whether a file is a page that has no date and does not
// say what it is. In a generator's folder it is one at the top; in Franklin's,
// so is the index of a folder. In a plain folder it is a post, but for the
// index of a folder with posts in it and the names that every site gives its
// pages.
func (f file) undatedPage() bool {
	s := f.section
	rel := f.rel()
	depth := strings.Count(rel, "/")
	stem := strings.TrimSuffix(path.Base(rel), path.Ext(rel))
	index := stem == "index"
	switch s.kind {
	case markdown.Franklin:
		return depth == 0 || index
	case markdown.Hugo, markdown.Jekyll, markdown.Zola, markdown.Eleventy, markdown.MDX:
		return depth == 0 || depth == 1 && index && !f.posts()
	case markdown.Obsidian:
		return false
	}
	if index && f.siblings {
		return true
	}
	if index {
		stem, depth = path.Base(path.Dir(rel)), depth-1
	}
	switch strings.ToLower(stem) {
	case "about", "contact", "now", "imprint", "impressum", "colophon", "privacy", "cv", "uses":
		return depth <= 0
	}
	return false
}

// posts reports whether the file is in a folder made for posts.
func (f file) posts() bool { return strings.Contains("/"+f.path, "/_posts/") }

// addressOf returns the elements of an address for a path: without blanks, and
// without what a shell or `SLUG#heading` would take for something else.
func addressOf(p string) []string {
	var out []string
	for _, s := range strings.Split(p, "/") {
		s = strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r), strings.ContainsRune("#?\\\"'`$&|;<>*%", r):
				return '-'
			case !unicode.IsPrint(r):
				return -1
			}
			return r
		}, markdown.Clean(s))
		for strings.Contains(s, "--") {
			s = strings.ReplaceAll(s, "--", "-")
		}
		if s = strings.TrimRight(strings.TrimLeft(s, "-.~"), "-"); s != "" {
			out = append(out, markdown.Shorten(s, 200))
		}
	}
	return out
}

// slugOf returns the slug that a path leads to.
func slugOf(p string) string {
	a := addressOf(strings.TrimSuffix(path.Base(p), path.Ext(p)))
	if len(a) == 0 {
		return "post"
	}
	return a[len(a)-1]
}
