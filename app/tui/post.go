package tui

import (
	"fmt"
	"slices"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A post shows one post or page: a window over the lines of its page.
type post struct {
	scroller
	b    *browser
	slug string
	p    *blog.Post
	gone bool

	edition  *blog.Edition
	position string // "2 of 14"
	older    *blog.Post
	newer    *blog.Post

	page   *typeset.Page // nil until it is set for the first time
	asked  *blog.Post    // what a page was asked for last, and how
	askFor pageKey

	reading anchor     // what is being read
	goTo    func()     // where to go when the page comes
	link    int        // the selected one, -1 for none
	search  textSearch // in this post
}

// countView counts a post that is shown, once for the session.
func (b *browser) countView(p *blog.Post) {
	if b.viewed[p.Path] {
		return
	}
	b.viewed[p.Path] = true
	b.conf.Visitor.Viewed(p)
}

func newPost(b *browser, p *blog.Post, aim func(*post)) *post {
	s := &post{b: b, p: p, slug: p.Slug, link: -1}
	s.geo = b.geo
	if aim != nil {
		s.goTo = func() { aim(s) }
	}
	return s
}

func (s *post) kind() screenKind { return onPost }

func (s *post) breadcrumb() string {
	return markdown.Line(s.p.Title)
}

func (s *post) windowTitle() string { return windowTitle(s.p.Title, s.b.edition.Site().Title) }

func (s *post) status() string {
	var parts []string
	if s.search.words != "" {
		parts = append(parts, s.search.status(s.geo.width >= narrow))
	}
	if s.position != "" && (s.search.words == "" || s.geo.width >= narrow) {
		parts = append(parts, s.position)
	}
	if percent := s.percent(); percent != "" {
		parts = append(parts, percent)
	}
	return strings.Join(parts, "  ")
}

func (s *post) hint(k binding) string {
	switch {
	case k.do == actOlder:
		return k.hint + ": " + markdown.Line(s.older.Title)
	case k.do == actPublish && s.p.State.Visible():
		return "take back"
	}
	return k.hint
}

// refresh follows the browser: a newer edition, another window, another theme.
func (s *post) refresh() {
	if s.edition != s.b.edition {
		s.edition = s.b.edition
		s.locate()
	}
	key := s.b.pageKey()
	if s.asked == s.p && s.askFor == key {
		if s.geo != s.b.geo {
			s.geo = s.b.geo
			s.restore(s.reading)
		}
		return
	}
	changed := s.asked != nil && s.asked != s.p
	s.asked, s.askFor = s.p, key
	p, conf, head := s.p, s.b.conf, header(s.p)
	s.b.background(func() func() {
		set := page(conf, p, head, key.measure, key.theme)
		return func() {
			if s.asked == p && s.askFor == key {
				s.setPage(set, changed)
			}
		}
	})
}

// locate finds the post in a new edition.
func (s *post) locate() {
	p, err := s.edition.Post(s.slug)
	s.gone = err != nil
	if s.gone {
		s.position, s.older, s.newer = "", nil, nil
		return
	}
	s.p, s.slug = p, p.Slug
	among := ordered(s.edition)
	s.position = ""
	if p.State == blog.Page {
		among = s.edition.Pages()
	}
	i := slices.Index(among, p)
	s.older, s.newer = nil, nil
	if i < 0 {
		return
	}
	if p.State != blog.Page {
		s.position = fmt.Sprintf("%d of %d", i+1, len(among))
	}
	if i > 0 {
		s.newer = among[i-1]
	}
	if i+1 < len(among) {
		s.older = among[i+1]
	}
}

// setPage takes over a page that was set, and stays where the reader was.
func (s *post) setPage(set *typeset.Page, changed bool) {
	s.page, s.lines, s.geo = set, set.Lines, s.b.geo
	if s.b.current() == screen(s) {
		s.b.countView(s.p)
	}
	s.link = -1
	s.search.find(set)
	s.restore(s.reading)
	if changed {
		s.realign()
	}
	if s.goTo != nil {
		s.goTo()
		s.goTo = nil
	}
	if s.b.picker != nil && s.b.current() == screen(s) {
		s.b.picker = nil
	}
}

// to scrolls to a row and notes which place in the source that is.
func (s *post) to(row int) {
	s.scroller.to(row)
	s.reading = anchor{}
	line := s.top - s.geo.lead
	if s.page == nil || line <= 0 {
		return
	}
	for line+1 < len(s.page.Lines) && s.page.Lines[line] == "" {
		line++
	}
	above := line - (s.top - s.geo.lead)
	source := s.page.SourceOf(line)
	if source == 0 {
		return
	}
	begin, end := s.block(source)
	s.reading = anchor{source: source, row: line - begin, of: max(end-begin, 1), above: above, line: s.page.Lines[line]}
}

// can tells what there is something for in the post. From one that is gone or
// not set yet one can only go back and forward.
func (s *post) can(a action) bool {
	if a == actHistoryBack {
		return len(s.b.past) > 0
	}
	if a == actHistoryForward {
		return len(s.b.future) > 0
	}
	if s.gone || s.page == nil {
		return false
	}
	switch a {
	case actOlder:
		return s.older != nil
	case actNewer:
		return s.newer != nil
	case actFind:
		return true
	case actFindNext, actFindPrevious:
		return s.search.words != ""
	case actCancel:
		return s.search.words != "" || s.link >= 0
	case actOutline, actHeadingNext, actHeadingPrevious:
		return len(s.page.Heads) > 0
	case actLinkNext, actLinkPrevious, actLinkLabels:
		return len(s.page.Links) > 0
	case actOpenLink:
		return s.link >= 0
	case actCopyCode:
		return len(s.page.Codes) > 0
	case actCopyAddress:
		return s.b.host() != ""
	}
	return true
}

// act scrolls, goes to another post, or does something with this one.
func (s *post) act(a action) {
	if a.moves() {
		s.to(s.target(a))
		return
	}
	switch a {
	case actOlder:
		s.b.pushHistory()
		s.b.replacePost(s.older, nil)
	case actNewer:
		s.b.pushHistory()
		s.b.replacePost(s.newer, nil)
	case actHistoryBack:
		s.b.travel(&s.b.past, &s.b.future)
	case actHistoryForward:
		s.b.travel(&s.b.future, &s.b.past)
	case actFind:
		s.askFind()
	case actFindNext:
		s.showMatch(s.search.step(1))
	case actFindPrevious:
		s.showMatch(s.search.step(-1))
	case actCancel:
		s.search = textSearch{}
		s.link = -1
	case actOutline:
		s.b.push(newOutline(s.b, s))
	case actHeadingNext, actHeadingPrevious:
		s.goToHeading(a == actHeadingNext)
	case actLinkNext:
		s.selectLink(1)
	case actLinkPrevious:
		s.selectLink(-1)
	case actOpenLink:
		s.openLink(s.page.Links[s.link])
	case actLinkLabels:
		s.label()
	case actCopyCode:
		s.copyCode()
	case actCopyAddress:
		address := s.b.host().Open(s.slug)
		s.b.paint.Copy(address)
		s.b.say("copied: " + address)
	}
}

// goToHeading scrolls to the next or the previous heading.
func (s *post) goToHeading(next bool) {
	at := s.top - s.geo.lead
	to := -1
	for _, h := range s.page.Heads {
		if next && h.Line > at {
			s.to(h.Line + s.geo.lead)
			return
		}
		if !next && h.Line < at {
			to = h.Line
		}
	}
	if !next {
		s.to(to + s.geo.lead)
	}
}

// onScreen reports whether a line of the page is on the screen.
func (s *post) onScreen(line int) bool {
	y := line + s.geo.lead - s.top
	return y >= 0 && y < s.geo.body()
}

// scrollTo scrolls until a line is on the screen.
func (s *post) scrollTo(line int) {
	if !s.onScreen(line) {
		s.to(line + s.geo.lead - s.geo.body()/3)
	}
}

// selectLink selects the next link or the one before. It begins with the links
// on the screen.
func (s *post) selectLink(by int) {
	links := s.page.Links
	i := s.link + by
	if s.link < 0 || !s.onScreen(links[s.link].Line) {
		i = slices.IndexFunc(links, func(l typeset.Link) bool { return s.onScreen(l.Line) })
		if i < 0 {
			i = slices.IndexFunc(links, func(l typeset.Link) bool { return l.Line+s.geo.lead > s.top })
		}
		if by < 0 && s.link >= 0 {
			i--
		}
	}
	s.link = (i + len(links)) % len(links)
	s.scrollTo(links[s.link].Line)
	s.b.message = ""
}

// openLink goes where a link of this post leads.
func (s *post) openLink(l typeset.Link) {
	inside := func(id string) {
		if line, ok := s.page.Anchor(id); ok {
			s.b.pushHistory()
			s.link = -1
			s.to(line + s.geo.lead)
		}
	}
	if _, ok := s.page.Anchor(l.Target); ok && strings.HasPrefix(l.Target, "#") {
		inside(l.Target)
		return
	}
	s.b.openLink(s.p, l.Target, inside)
}

// label lets the reader choose one of the links on the screen; if there is
// none, it scrolls to the next.
func (s *post) label() {
	if !slices.ContainsFunc(s.page.Links, func(l typeset.Link) bool { return s.onScreen(l.Line) }) {
		s.selectLink(1)
		s.link = -1
	}
	s.b.pickLink(s.page, s.onScreen, s.openLink)
}

// maxCopied is what terminals take by OSC 52.
const maxCopied = 72 << 10

// copyCode copies the block of code on the screen. Of several the reader
// chooses one; if there is none, it scrolls to the next.
func (s *post) copyCode() {
	var codes []typeset.Code
	var marks []labelPos
	for _, c := range s.page.Codes {
		lines := strings.Count(strings.TrimRight(c.Text, "\n"), "\n") + 1
		first, last := c.Line, c.Line+lines-1
		around := first+s.geo.lead < s.top && last+s.geo.lead >= s.top
		if around || s.onScreen(first) || s.onScreen(last) {
			codes = append(codes, c)
			marks = append(marks, labelPos{line: max(c.Line, s.top-s.geo.lead), over: true})
		}
	}
	put := func(i int) {
		text := codes[i].Text
		if len(text) > maxCopied {
			s.b.say("too long for a clipboard")
			return
		}
		s.b.paint.Copy(text)
		what := counted(strings.Count(strings.TrimRight(text, "\n"), "\n")+1, "line")
		if lang := markdown.Line(codes[i].Lang); lang != "" && lang != "text" && lang != "plaintext" {
			what += " of " + lang
		}
		s.b.say("copied " + what)
	}
	switch len(codes) {
	case 0:
		for _, c := range s.page.Codes {
			if c.Line+s.geo.lead > s.top {
				s.scrollTo(c.Line)
				return
			}
		}
		s.b.say("no code from here on")
	case 1:
		put(0)
	default:
		s.b.picker = &picker{b: s.b, label: "code", labels: marks, choose: put}
	}
}

// askFind searches in this post.
func (s *post) askFind() {
	s.b.prompt = &prompt{b: s.b, label: "/", enter: func(words string) {
		s.search = textSearch{words: words}
		if words == "" {
			return
		}
		s.search.find(s.page)
		s.showMatch(s.search.from(s.top - s.geo.lead))
		if len(s.search.matches) == 0 {
			s.b.say("No match for «" + words + "».")
			s.search = textSearch{}
		}
	}}
}

func (s *post) showMatch(m match, ok bool) {
	if ok {
		s.scrollTo(m.line)
	}
}

func (s *post) rows(height int) []terminal.Row {
	left, measure, st := s.geo.left, s.geo.measure, s.b.styles
	say := func(text string) []terminal.Row {
		rows := make([]terminal.Row, s.geo.lead, s.geo.lead+1)
		return append(rows, terminal.Row{At: left, Text: st.Dim.On(typeset.Truncate(text, measure))})
	}
	switch {
	case s.gone:
		return say("This post is gone; q goes back.")
	case s.page == nil:
		return say("a moment…")
	}
	rows := s.scroller.rows(height)
	s.highlight(rows)
	return rows
}

// highlight shows what was found, the selected link, and the numbers to choose
// by.
func (s *post) highlight(rows []terminal.Row) {
	st := s.b.styles
	first := s.top - s.geo.lead
	at := func(line int) *terminal.Row {
		if y := line - first; y >= 0 && y < len(rows) {
			return &rows[y]
		}
		return nil
	}
	for i, m := range s.search.matches {
		if r := at(m.line); r != nil {
			style := st.Underline
			if i == s.search.at || m.part == s.search.at+1 {
				style = st.Match
			}
			r.Text = restyled(r.Text, m.col, m.cells, style)
		}
	}
	if s.link >= 0 && s.link < len(s.page.Links) {
		l := s.page.Links[s.link]
		for _, place := range append([]typeset.Place{{Line: l.Line, Col: l.Col, Cells: l.Cells}}, l.Rest...) {
			if r := at(place.Line); r != nil {
				r.Text = restyled(r.Text, place.Col, place.Cells, st.Selected)
			}
		}
	}
	s.b.drawLabels(at)
}
