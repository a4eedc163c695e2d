package typeset

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"

	"sheaf/app/markdown"
)

// Limits of setting one page. A post that a person wrote meets none of them.
const (
	softLimit  = 1 * time.Second // past it blocks are set as plain text
	hardLimit  = 2 * time.Second // past it the rest is left out
	leastText  = 10              // cells that must remain for a margin (a bar, a bullet's indent) to be set
	maxTarget  = 2000            // bytes of an address an OSC 8 may have
	widestPage = 1000
)

// A setting is one page in the making.
type setting struct {
	doc   *markdown.Document
	pal   *palette
	code  *highlighter
	page  *Page
	start time.Time
	late  bool // past the soft limit
	over  bool // past the hard limit

	margins []margin
	taken   int   // cells of all margins
	blanks  int   // empty lines owed before the next row
	fresh   fresh // what stood before
	tight   bool  // in a list whose items have no blank lines between them
	lead    []run // a mark that found no room in the margin and goes before the text

	uris   []string // by link: what its OSC 8 holds, "" for none
	unsaid []int    // links whose target no OSC 8 says
	source int      // line of the source at which the block begins that is set next, 0 when that is noted
	begun  []Start  // where blocks began, in the order of the page
	heads  int      // headings of the document passed so far
	doubt  bool     // what was set depends on more than a digest knows
	buf    []byte
	rowBuf row
}

// A margin stands at the left of every row of a container.
type margin struct {
	first, rest row
	cells       int
	used        bool // first has been set
}

// fresh says which blank lines the next block does without.
type fresh uint8

const (
	afterText    fresh = iota
	afterHeading       // text follows its heading at once
	atTop              // a container's first block needs no distance
)

func newSetting(d *markdown.Document, width int, pal *palette, h *highlighter) *setting {
	return &setting{doc: d, pal: pal, code: h, page: &Page{Width: width}, start: time.Now(), fresh: atTop}
}

// narrow is the width, in cells, below which a page is sparing with blanks.
const narrow = 50

// avail is the width left for text.
func (s *setting) avail() int { return max(s.page.Width-s.taken, 1) }

// need asks for n empty lines before the next row.
func (s *setting) need(n int) {
	switch {
	case s.fresh == atTop, s.fresh == afterHeading && n < 2:
		return
	case s.fresh == afterHeading:
		n = 1
	}
	s.blanks = max(s.blanks, n)
}

// stand keeps what follows clear of a heading, which text and lists may touch.
func (s *setting) stand() {
	if s.fresh == afterHeading {
		s.fresh = afterText
	}
}

// open begins a container: rows up to its close stand behind first (once) and then rest. When there is no room for
// it the first mark goes before the text instead. It reports whether the margin was set.
func (s *setting) open(first, rest row) bool {
	n := max(first.cells(), rest.cells())
	if s.avail()-n < leastText {
		for _, p := range first {
			s.lead = append(s.lead, run{text: p.text, face: p.face})
		}
		s.settle()
		s.fresh = atTop
		return false
	}
	s.settle()
	s.margins = append(s.margins, margin{first: first, rest: rest, cells: n})
	s.taken += n
	s.fresh = atTop
	return true
}

// close ends the container that open began. A container without a row still shows its mark.
func (s *setting) close(opened bool) {
	if !opened {
		s.leadRow()
		s.fresh = afterText
		return
	}
	m := s.margins[len(s.margins)-1]
	if !m.used && len(m.first) > 0 {
		s.row(nil)
	}
	s.margins = s.margins[:len(s.margins)-1]
	s.taken -= m.cells
	s.fresh = afterText
}

// settle writes the empty lines owed, behind the margins as they are now.
func (s *setting) settle() {
	n := s.blanks
	s.blanks = 0
	for range n {
		s.write(nil, false)
	}
}

// leadRow sets a mark that waits for text on a row of its own.
func (s *setting) leadRow() {
	if len(s.lead) == 0 {
		return
	}
	rows := breakRuns(s.lead, s.avail())
	s.lead = nil
	for _, r := range rows {
		s.row(r)
	}
}

// text sets runs as a paragraph.
func (s *setting) text(runs []run) {
	if len(s.lead) > 0 {
		runs = append(s.lead, runs...)
		s.lead = nil
	}
	for _, r := range breakRuns(runs, s.avail()) {
		s.row(r)
	}
}

// row sets a finished row.
func (s *setting) row(r row) {
	s.settle()
	if s.source > 0 {
		s.begun = append(s.begun, Start{s.source, len(s.page.Lines)})
	}
	s.source = 0
	s.write(r, true)
	s.fresh = afterText
}

// write turns a row with its margins into a line of the page: the shortest sequences, nothing at the end.
func (s *setting) write(r row, marks bool) {
	all := s.rowBuf[:0]
	for i := range s.margins {
		m := &s.margins[i]
		side := m.rest
		if marks && !m.used {
			m.used = true
			if len(m.first) > 0 {
				side = m.first
			}
		}
		all = append(all, side...)
		if n := m.cells - side.cells(); n > 0 {
			all = append(all, piece{text: blanks(n), cells: n})
		}
	}
	all = append(all, r...)
	s.rowBuf = all
	for n := len(all); n > 0; n-- {
		p := &all[n-1]
		t := strings.TrimRight(p.text, " ")
		p.cells -= len(p.text) - len(t)
		p.text = t
		if t != "" {
			break
		}
		all = all[:n-1]
	}

	b := s.buf[:0]
	var on face
	link, col := 0, 0
	const lines = underline | struck | reverse // what shows on a blank
	for _, p := range all {
		text := safe(p.text)
		if p.link != link {
			b = s.turnLink(b, link, p.link)
			link = p.link
		}
		if p.link != 0 {
			s.place(p.link-1, Place{len(s.page.Lines), col, p.cells})
		}
		if p.image != 0 {
			s.page.Images[p.image-1].Line = len(s.page.Lines)
		}
		col += p.cells
		if (on.attrs|p.face.attrs)&lines != 0 || strings.TrimLeft(text, " ") != "" {
			b = append(b, s.turn(on, p.face)...)
			on = p.face
		}
		b = append(b, text...)
	}
	b = s.turnLink(b, link, 0)
	b = append(b, s.turn(on, face{})...)
	s.page.Lines = append(s.page.Lines, string(b))
	s.buf = b
}

// turnLink closes one OSC 8 and opens another.
func (s *setting) turnLink(b []byte, from, to int) []byte {
	if from != 0 && s.uris[from-1] != "" && (to == 0 || s.uris[to-1] == "") {
		b = append(b, "\x1b]8;;\x1b\\"...)
	}
	if to != 0 && s.uris[to-1] != "" {
		b = append(b, "\x1b]8;;"...)
		b = append(b, s.uris[to-1]...)
		b = append(b, "\x1b\\"...)
	}
	return b
}

func (s *setting) turn(from, to face) string {
	if s.pal.plain {
		return ""
	}
	return from.turn(to)
}

// place notes where the text of a link stands.
func (s *setting) place(i int, p Place) {
	l := &s.page.Links[i]
	switch n := len(l.Rest); {
	case l.Line < 0:
		l.Line, l.Col, l.Cells = p.Line, p.Col, p.Cells
	case n == 0 && l.Line == p.Line && l.Col+l.Cells == p.Col:
		l.Cells += p.Cells
	case n > 0 && l.Rest[n-1].Line == p.Line && l.Rest[n-1].Col+l.Rest[n-1].Cells == p.Col:
		l.Rest[n-1].Cells += p.Cells
	default:
		l.Rest = append(l.Rest, p)
	}
}

// safe is the last gate before a terminal: whatever reached a row, no control character leaves it.
func safe(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f {
			return scrub(s)
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return s
	}
	for _, r := range s {
		switch {
		case r < 0xA0 && r >= 0x7f, r == utf8.RuneError, r == 0x061C, r == 0x200E, r == 0x200F,
			r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r >= 0xE0000 && r <= 0xE007F:
			return scrub(s)
		}
	}
	return s
}

func scrub(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(markdown.Clean(s))
}

const blankRow = "                                                                                                                                "

func blanks(n int) string {
	if n <= len(blankRow) {
		return blankRow[:n]
	}
	return strings.Repeat(" ", n)
}

// isLate looks at the clock between two blocks.
func (s *setting) isLate() bool {
	if !s.late && time.Since(s.start) > softLimit {
		s.late = true
		s.need(1)
		s.text([]run{{text: "(This post takes long to set; the rest follows as plain text.)", face: s.pal.dim}})
		s.need(1)
	}
	return s.late
}

// flat sets what is below n as plain text.
func (s *setting) flat(n ast.Node) {
	if time.Since(s.start) > hardLimit {
		if !s.over {
			s.over = true
			s.need(1)
			s.text([]run{{text: "(The rest is left out.)", face: s.pal.dim}})
		}
		return
	}
	switch n.Kind() {
	case ast.KindLinkReferenceDefinition, ast.KindHTMLBlock:
		return
	}
	s.need(1)
	if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 && !n.HasChildren() {
		lines := n.Lines()
		for i := range lines.Len() {
			at := lines.At(i)
			s.text([]run{{text: markdown.Clean(string(at.Value(s.doc.Source)))}})
		}
		return
	}
	if c := n.FirstChild(); c != nil && c.Type() == ast.TypeInline {
		s.text([]run{{text: s.plainText(n)}})
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		s.flat(c)
	}
}

// plainText joins the text below n.
func (s *setting) plainText(n ast.Node) string {
	var b strings.Builder
	s.gather(&b, n, 0)
	return b.String()
}
