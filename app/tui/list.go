package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A list shows posts, newest first. Home is a list with the home page above it,
// and both scroll together. Only the rows on the screen are made, so that ten
// thousand posts cost no more than forty; that is why a position is a spot,
// never a number of rows from the top.
type list struct {
	b      *browser
	where  screenKind
	name   string
	source func(*blog.Edition) []*blog.Post

	edition  *blog.Edition
	all      []*blog.Post // of source
	posts    []*blog.Post // those that the filter leaves
	query    string
	sel      int
	top      spot
	nextPage int

	notices     []string // what an author should know, above the posts
	noticesIn   typeset.Theme
	intro       *typeset.Page
	introOf     *blog.Post
	introFor    pageKey
	tagCells    int
	timeCells   int
	counted     time.Time // views, last
	minutesWide int       // the longest reading time
	dateCells   int
	now         time.Time         // when the edition was taken: ages are counted from it
	broken      map[string]string // by path: why a file is no post
	colsFor     geometry
	cols        columns
	titles      map[*blog.Post][]string // broken into lines for cols
}

// widestAge is the room for "edited 23 min ago".
const widestAge = 17

// pageKey is what a page was set for.
type pageKey struct {
	measure int
	theme   typeset.Theme
}

func (b *browser) pageKey() pageKey { return pageKey{b.geo.measure, b.theme} }

func newHome(b *browser) *list {
	l := &list{b: b, where: onHome, source: ordered}
	l.refresh()
	return l
}

// newList shows some of the posts.
func newList(b *browser, name string, source func(*blog.Edition) []*blog.Post) *list {
	l := &list{b: b, where: onList, name: name, source: source}
	l.refresh()
	return l
}

func (l *list) kind() screenKind { return l.where }

func (l *list) breadcrumb() string {
	return l.name
}

func (l *list) windowTitle() string {
	return windowTitle(l.b.edition.Site().Title, l.name)
}

func (l *list) status() string {
	switch {
	case l.query != "" && l.b.prompt == nil:
		return fmt.Sprintf("/%s  %d of %d", markdown.Line(l.query), len(l.posts), len(l.all))
	case l.where == onHome && l.b.author != nil:
		return strings.Join(strings.Fields("you are "+markdown.Line(l.b.author.visitor.Name())+" (author)"), " ")
	case l.where == onHome:
		return markdown.Line(l.b.edition.Site().Tagline)
	}
	return counted(len(l.posts), "post")
}

func (l *list) hint(k binding) string {
	switch k.do {
	case actPublish:
		if p := l.b.selected(); p != nil && p.State.Visible() {
			return "take back"
		}
	case actDrafts:
		if l.name == draftsName {
			return ""
		}
	case actNextPage:
		var names []string
		for _, p := range l.b.edition.Pages() {
			names = append(names, markdown.Line(p.Title))
		}
		return "pages: " + strings.Join(names, " · ")
	case actOpen:
		if first, last := l.visible(l.b.geo.body()); l.sel < first || l.sel > last {
			return "to the posts"
		}
	}
	return k.hint
}

// refresh follows the browser.
func (l *list) refresh() {
	if l.edition != l.b.edition {
		var selected *blog.Post
		line := 0
		if l.sel < len(l.posts) {
			selected, line = l.posts[l.sel], l.lineOf(l.sel)
		}
		l.edition = l.b.edition
		l.all = l.source(l.edition)
		l.applyFilter()
		l.tagCells, l.dateCells = 0, 0
		l.now, l.broken = time.Now(), map[string]string{}
		for _, p := range l.edition.Problems() {
			if !p.Warning && l.broken[p.Path] == "" {
				l.broken[p.Path] = p.String()
			}
		}
		for _, t := range l.edition.Tags() {
			l.tagCells = max(l.tagCells, ansi.StringWidth(t.Name)+1)
		}
		for _, p := range l.all {
			l.dateCells = max(l.dateCells, len(l.dateOf(p)))
		}
		l.colsFor = geometry{}
		if selected != nil {
			l.reselect(selected, line)
		}
	}
	l.recount()
	if l.colsFor != l.b.geo || l.noticesIn != l.b.theme {
		l.colsFor, l.noticesIn = l.b.geo, l.b.theme
		l.notices = l.problemLines()
		l.titles = nil
		l.timeCells, l.counted = l.timeRoom(), time.Now()
		l.cols = newColumns(l.b.geo, l.dateCells, l.timeCells, l.tagCells)
		l.clamp()
	}
	if l.where != onHome {
		return
	}
	home := l.edition.Home()
	if key := l.b.pageKey(); home != l.introOf || home != nil && key != l.introFor {
		l.introOf, l.introFor = home, key
		if home == nil {
			l.intro = nil
			l.clamp()
			return
		}
		conf := l.b.conf
		l.b.background(func() func() {
			set := page(conf, home, typeset.Header{}, key.measure, key.theme)
			return func() {
				if l.introOf == home && l.introFor == key {
					l.intro = set
					l.clamp()
				}
			}
		})
	}
}

// reselect selects the same post after a change, and keeps it on the line of
// the screen on which it was.
func (l *list) reselect(p *blog.Post, line int) {
	if i := slices.IndexFunc(l.posts, func(q *blog.Post) bool { return q.Slug == p.Slug }); i >= 0 {
		moved := i - l.sel
		l.sel = i
		if l.top.item > 0 && moved != 0 {
			l.top = spot{i + 1, 0}
			l.step(-line)
		}
	}
	l.clamp()
}

// selectPost selects the post with that address, if it is in the list.
func (l *list) selectPost(slug string) {
	if i := slices.IndexFunc(l.posts, func(q *blog.Post) bool { return q.Slug == slug }); i >= 0 && i != l.sel {
		l.sel = i
		l.ensure()
	}
}

// applyFilter applies the filter.
func (l *list) applyFilter() {
	l.posts = l.all
	if l.query == "" {
		return
	}
	l.posts = hiddenFirst(l.edition.Filter(l.query))
	if l.where == onHome {
		return
	}
	in := make(map[*blog.Post]bool, len(l.all))
	for _, p := range l.all {
		in[p] = true
	}
	l.posts = slices.DeleteFunc(slices.Clone(l.posts), func(p *blog.Post) bool { return !in[p] })
}

func (l *list) can(a action) bool {
	switch a {
	case actOpen:
		return len(l.posts) > 0
	case actFilter:
		return len(l.all) > 0
	case actNextPage:
		return len(l.b.edition.Pages()) > 0
	case actCancel:
		return l.query != ""
	case actLinkLabels:
		seen := func(k typeset.Link) bool { return l.introSeen(k.Line) }
		return l.intro != nil && l.query == "" && slices.ContainsFunc(l.intro.Links, seen)
	}
	return true
}

// act moves the selection or does something with the selected post. While none
// is on the screen, the text above the posts is scrolled.
func (l *list) act(a action) {
	h := l.b.geo.body()
	switch a {
	case actLineDown:
		l.lineDown()
	case actLineUp:
		l.lineUp()
	case actHalfDown, actHalfUp, actPageDown, actPageUp:
		l.jump(a.rows(h))
	case actTop:
		l.top, l.sel = spot{}, 0
	case actBottom:
		l.top, l.sel = l.last(h), max(len(l.posts)-1, 0)
	case actOpen:
		if first, last := l.visible(h); l.sel < first || l.sel > last {
			l.top = spot{l.sel + 1, 0}
			l.clamp()
			return
		}
		l.b.openPost(l.posts[l.sel], nil)
	case actFilter:
		l.askFilter()
	case actNextPage:
		pages := l.b.edition.Pages()
		l.nextPage %= len(pages)
		l.b.openPost(pages[l.nextPage], nil)
		l.nextPage++
	case actCancel:
		l.unfilter()
	case actLinkLabels:
		l.labelLinks()
	}
}

// labelLinks lets the reader choose a link of the home page.
func (l *list) labelLinks() {
	home := l.introOf
	l.b.pickLink(l.intro, l.introSeen, func(k typeset.Link) {
		l.b.openLink(home, k.Target, func(id string) {
			if line, ok := l.intro.Anchor(id); ok {
				l.top = spot{0, line + l.b.geo.lead}
				l.clamp()
			}
		})
	})
}

// askFilter filters while the reader types.
func (l *list) askFilter() {
	selected, top, query := l.sel, l.top, l.query
	if query != "" {
		selected, top = 0, spot{}
	}
	l.b.prompt = &prompt{
		lineInput: lineInput{l.query}, b: l.b, label: "/",
		tail: func() string { return fmt.Sprintf("%d of %d", len(l.posts), len(l.all)) },
		change: func(text string) {
			l.query = text
			l.applyFilter()
			l.sel, l.top = 0, spot{}
			if text == "" {
				l.sel, l.top = selected, top
			}
			l.clamp()
		},
		move: l.act,
		enter: func(string) {
			if len(l.posts) > 0 && l.query != "" {
				l.b.openPost(l.posts[l.sel], nil)
			}
		},
		cancel: func() {
			l.query = ""
			l.applyFilter()
			l.sel, l.top = selected, top
			l.clamp()
		},
	}
}

// unfilter brings all posts back and keeps the selected one.
func (l *list) unfilter() {
	var p *blog.Post
	if l.sel < len(l.posts) {
		p = l.posts[l.sel]
	}
	l.query = ""
	l.applyFilter()
	l.sel, l.top = 0, spot{}
	if p != nil {
		l.selectPost(p.Slug)
	}
	l.clamp()
}

const draftsName = "drafts"

// hidden returns the posts that readers do not see.
func hidden(e *blog.Edition) (posts []*blog.Post) {
	for _, p := range e.Posts() {
		if !p.State.Visible() {
			posts = append(posts, p)
		}
	}
	return posts
}

// ordered returns the posts in the order of the list: those that readers do not
// see come first.
func ordered(e *blog.Edition) []*blog.Post {
	if first := hidden(e); len(first) > 0 {
		return hiddenFirst(e.Posts())
	}
	return e.Posts()
}

func hiddenFirst(posts []*blog.Post) []*blog.Post {
	posts = slices.Clone(posts)
	slices.SortStableFunc(posts, func(a, b *blog.Post) int {
		switch x, y := a.State.Visible(), b.State.Visible(); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return posts
}
