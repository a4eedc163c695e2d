package blog

import (
	"fmt"
	"hash/maphash"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sheaf/app/fold"
	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// metadata is what a source file says of itself, whatever the moment and the
// other files.
type metadata struct {
	title       string
	date        time.Time
	hasDate     bool
	updated     time.Time
	due         time.Time // when readers may see it; zero: always
	expires     time.Time
	draft       bool
	page        bool
	broken      bool
	unread      bool // the file could not be read at all
	unlisted    bool
	unprintable bool // the source holds what Unprintable finds
	titled      bool // by its author, not by the name of the file
	empty       bool // nothing to read
	tags        []string
	authors     []string
	aliases     []string
	description string
	lang        string
	series      string
	external    string
	words       int
	minutes     int
	weight      int64
	front       markdown.FrontKind
	flag        string // the field that says whether it is a draft, as written; "": none

	address  []string // elements of the full address; the last alone is the slug
	explicit bool     // the slug stands in the front matter
	url      string   // the address the site had on the web, "" unless said
	problems []Problem
}

// A Problem is something an author should look at.
type Problem struct {
	Path    string
	Line    int // from 1; 0: the file as a whole
	Text    string
	Warning bool // the post is shown all the same
}

// String returns "path:line: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

const maxPost = 8 << 20

var hashSeed = maphash.MakeSeed()

func sum(b []byte) uint64 { return maphash.Bytes(hashSeed, b) }

// newEntry reads what src, the source of f, says of itself. A source that Skim
// takes is not read whole.
func newEntry(f file, src []byte, lib *library, d markdown.Dialect) *entry {
	e := &entry{file: f, hash: sum(src), lib: lib, dialect: d}
	o := f.section.options(f.path, d)
	s, ok := markdown.Skim(src, o)
	var fs frontmatter.Fields
	var bad *frontmatter.Error
	if ok {
		fs, bad = frontmatter.Parse(s.Front)
	}
	if !ok || bad != nil || s.Heading == "" && fs.Text("title") == "" {
		s = markdown.Read(src, o)
		fs, bad = frontmatter.Parse(s.Front)
	}
	e.read(s, fs, bad)
	if line, why := Unprintable(src); why != "" {
		e.unprintable = true
		e.problem(line, true, "%s: readers do not get its source", why)
	}
	e.folded = fold.String(e.title + "\n" + strings.Join(e.tags, "\n"))
	return e
}

// brokenEntry stands for a file that cannot be read.
func brokenEntry(f file, lib *library, why string) *entry {
	e := &entry{file: f, lib: lib}
	e.metadata = metadata{title: path.Base(f.path), broken: true, unread: true, address: f.pathInfo().address}
	e.problem(0, false, "%s", why)
	e.folded = fold.String(e.title)
	return e
}

func (e *entry) problem(line int, warning bool, format string, args ...any) {
	e.problems = append(e.problems, Problem{Path: markdown.Clean(e.path), Line: line, Warning: warning,
		Text: markdown.Clean(fmt.Sprintf(format, args...))})
}

// read takes everything that a source and its fields say; bad is what is wrong
// with the fields. The defaults of the section stand below the file's own.
func (e *entry) read(s *markdown.Source, fs frontmatter.Fields, bad *frontmatter.Error) {
	for _, p := range s.Problems {
		// An error of Read is about the front matter: without its end nobody
		// knows whether this is a draft.
		e.problem(p.Line, p.Warning, "%s", p.Text)
		e.broken = e.broken || !p.Warning
	}
	if bad != nil {
		e.problem(bad.Line, false, "%s", bad.Text)
		e.broken = true
	}
	if len(e.section.defaults) > 0 {
		fs = append(e.section.defaults[:len(e.section.defaults):len(e.section.defaults)], fs...)
	}
	at := e.pathInfo()
	e.front = s.Front.Kind
	e.draft, e.page, e.lang = at.draft, at.page, at.lang
	e.words, e.minutes = s.Words, minutes(s.Words, s.Wide)
	e.readTitle(fs, s, at.name)
	e.readDates(fs, at, e.section.location())
	e.readState(fs)
	e.readAddress(fs, at)
	e.readAbout(fs)

	e.empty = s.Words == 0 && s.Heading == "" && e.external == ""
	if e.empty && !e.hasDate && !e.broken && !e.draft {
		e.unlisted = true // it sends browsers on, or waits to be written
		if !e.indexFile() {
			e.problem(0, true, "has no text: not in the list")
		}
	}
}

// readAbout takes what is said about the post and decides nothing: tags,
// authors, description, language, series, place in the menu.
func (e *entry) readAbout(fs frontmatter.Fields) {
	e.tags = fs.Tags()
	e.readAuthors(fs)
	e.description = markdown.Shorten(markdown.PlainLine(fs.TextOf(frontmatter.Summary)), 1000)
	if e.description == "." || e.description == "-" {
		e.description = "" // a filled-in field that says nothing
	}
	if l := fs.Text(frontmatter.KeysIn(e.section.kind, frontmatter.Language)...); l != "" && len(l) <= 16 {
		e.lang = markdown.PlainLine(l)
	}
	if f, ok := fs.Find(frontmatter.Series); ok {
		if list := f.List(); len(list) > 0 {
			e.series = markdown.PlainLine(list[0])
		}
	} else if list := fs.Sub("taxonomies").Names("series"); len(list) > 0 {
		e.series = markdown.PlainLine(list[0])
	}
	e.external = fs.External()
	if f, ok := fs.Find(frontmatter.Weight); ok {
		e.weight = f.Int()
	}
}

// readAuthors takes the names of the first field that has any. Franklin's may
// be links: <a href="...">A</a>, <a ...>B</a>.
func (e *entry) readAuthors(fs frontmatter.Fields) {
	for _, k := range frontmatter.Keys(frontmatter.Authors) {
		for _, a := range fs.Names(k) {
			a = strings.ReplaceAll(a, "</a>", ",")
			for _, a := range strings.Split(markdown.PlainLine(a), ",") {
				a = strings.TrimPrefix(strings.TrimSpace(a), "and ")
				if a != "" && !containsFold(e.authors, a) {
					e.authors = append(e.authors, a)
				}
			}
		}
		if len(e.authors) > 0 {
			return
		}
	}
}

// readTitle decides the title: the front matter's, else the first heading,
// else name, that of the file. In Obsidian's folders a note is called what its
// file is called.
func (e *entry) readTitle(fs frontmatter.Fields, s *markdown.Source, name string) {
	t := fs.TextOf(frontmatter.Title)
	e.titled = t != "" || s.Heading != ""
	switch {
	case t != "":
		t = markdown.PlainLine(t)
	case e.section.kind == markdown.Obsidian:
		t = name
	default:
		t = s.Heading
	}
	if t == "" {
		t = strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(name))
		if strings.Contains(name, " ") || strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
			t = name // a name that was written to be read
		}
		r, n := utf8.DecodeRuneInString(t)
		t = string(unicode.ToUpper(r)) + t[n:]
	}
	t = strings.TrimSuffix(t, ".md")
	e.title = markdown.Shorten(markdown.Clean(t), 500)
}

// readDates takes the dates. That of the post is in the front matter, else in
// the name of its file or folder (at), else in the address it had on the web.
func (e *entry) readDates(fs frontmatter.Fields, at pathInfo, loc *time.Location) {
	read := func(f frontmatter.Field) (time.Time, bool) {
		t, err := f.Date(loc)
		if err != nil {
			e.problem(f.Line, false, "%s %q is not a date", f.Name, markdown.Shorten(f.String(), 60))
			e.broken = true
		}
		return t, err == nil
	}
	for _, k := range frontmatter.KeysIn(e.section.kind, frontmatter.Date) {
		f, ok := fs.Get(k)
		if !ok {
			continue
		}
		if k == "published" {
			if _, isFlag := fs.Flag(k); isFlag {
				continue
			}
		}
		if e.date, ok = read(f); ok {
			e.hasDate = true
			break
		}
	}
	if !e.hasDate && !e.broken {
		if e.date = at.date; !e.date.IsZero() {
			e.hasDate = true
		}
		for _, k := range frontmatter.Keys(frontmatter.Address) {
			if at := fs.Text(k); at != "" && !e.hasDate {
				e.date, e.hasDate = frontmatter.PathDate(at, loc)
			}
		}
	}
	if e.hasDate {
		e.due = e.date
	}
	if f, ok := fs.Find(frontmatter.Visible); ok {
		if t, ok := read(f); ok {
			e.due = t
		}
	}
	if f, ok := fs.Find(frontmatter.Expiry); ok {
		if t, ok := read(f); ok {
			e.expires = t
		}
	}
	if f, ok := fs.Find(frontmatter.Updated); ok {
		if t, err := f.Date(loc); err == nil {
			e.updated = t
		} else if !strings.HasPrefix(f.String(), ":") { // Hugo's ":git"
			e.problem(f.Line, true, "%s %q is not a date", f.Name, markdown.Shorten(f.String(), 60))
		}
	}
}

// readState decides whether this is a draft, a page, listed. A yes-or-no that is
// neither breaks the post: nobody may read a draft for a slip of the pen.
func (e *entry) readState(fs frontmatter.Fields) {
	for _, m := range []frontmatter.Meaning{frontmatter.Draft, frontmatter.Hidden} {
		for _, k := range frontmatter.Keys(m) {
			f, ok := fs.Get(k)
			if !ok {
				continue
			}
			if _, set := fs.Flag(k); !set {
				e.problem(f.Line, false, "%s %q is neither true nor false", f.Name, markdown.Shorten(f.String(), 40))
				e.broken = true
			}
		}
	}
	e.draft = e.draft || fs.IsDraft()
	for _, m := range []frontmatter.Meaning{frontmatter.Draft, frontmatter.Published} {
		for _, k := range frontmatter.Keys(m) {
			if _, set := fs.Flag(k); set && e.flag == "" {
				f, _ := fs.Get(k)
				e.flag = f.Name
			}
		}
	}
	e.unlisted, _ = fs.Flag(frontmatter.Keys(frontmatter.Unlisted)[0])
	decided := false
	for _, k := range frontmatter.Keys(frontmatter.Page) {
		if yes, set := fs.Flag(k); set {
			e.page, decided = yes, true
		}
	}
	if !decided && strings.EqualFold(fs.TextOf(frontmatter.Layout), "page") && !e.hasDate {
		e.page, decided = true, true
	}
	if !decided && !e.page && !e.hasDate {
		e.page = e.undatedPage()
	}
}

// readAddress decides the slug. Front matter `slug` first; then the last
// element of the address the site had on the web; then the file.
func (e *entry) readAddress(fs frontmatter.Fields, at pathInfo) {
	e.address = at.address
	for _, k := range frontmatter.Keys(frontmatter.Address) {
		f, ok := fs.Get(k)
		if !ok {
			continue
		}
		u, _ := f.Value.(string)
		if strings.Contains(u, ":") { // a pattern, or another host
			if p, err := url.Parse(u); err == nil && p.Host != "" && e.section.ours(p.Host) {
				u = p.Path
			} else {
				continue
			}
		}
		u = strings.TrimSuffix(strings.TrimSuffix(strings.Trim(u, "/ "), ".html"), "/index")
		if a := addressOf(u); len(a) > 0 {
			e.url, e.address = u, a
			break
		}
	}
	if f, ok := fs.Find(frontmatter.Slug); ok {
		if a := addressOf(strings.Trim(f.String(), "/ ")); len(a) > 0 {
			e.explicit = true
			dir := at.address[:len(at.address)-1]
			e.address = append(dir[:len(dir):len(dir)], a[len(a)-1])
		} else {
			e.problem(f.Line, true, "slug %q cannot be an address", markdown.Shorten(f.String(), 60))
		}
	}
	for _, k := range frontmatter.Keys(frontmatter.Aliases) {
		for _, a := range fs.Names(k) {
			a = strings.TrimSuffix(strings.Trim(a, "/ "), ".html")
			if a != "" {
				e.aliases = append(e.aliases, markdown.Clean(a))
			}
		}
	}
}

// state is what the post is at a moment.
func (e *entry) state(now time.Time) State {
	switch {
	case e.broken:
		return Broken
	case e.draft:
		return Draft
	case !e.due.IsZero() && e.due.After(now):
		return Scheduled
	case !e.expires.IsZero() && !e.expires.After(now):
		return Expired
	case e.page:
		return Page
	}
	return Published
}

// next is the first moment after now at which the state changes by itself.
func (e *entry) next(now time.Time) time.Time {
	if e.broken || e.draft {
		return time.Time{}
	}
	if e.due.After(now) {
		return e.due
	}
	if e.expires.After(now) {
		return e.expires
	}
	return time.Time{}
}

// plainHost returns the host of an address, without www.
func plainHost(u string) string {
	if p, err := url.Parse(u); err == nil {
		return strings.TrimPrefix(p.Host, "www.")
	}
	return u
}

// minutes is the time to read a text: 220 words a minute, 400 of those that
// are one Chinese or Japanese character.
func minutes(words, wide int) int {
	if words == 0 {
		return 0
	}
	return max(1, int(float64(words-wide)/220+float64(wide)/400+0.5))
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}
