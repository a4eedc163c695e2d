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
	softLimit    = 1 * time.Second // past it blocks are set as plain text
	hardLimit    = 2 * time.Second // past it the rest is left out
	minTextWidth = 10              // cells that must remain for a margin (a bar, a bullet's indent) to be set
	maxTarget    = 2000            // bytes of an address an OSC 8 may have
	maxPageWidth = 1000
)

// A composer makes one page.
type composer struct {
	doc           *markdown.Document
	pal           *palette
	highlighter   *highlighter
	page          *Page
	start         time.Time
	pastSoftLimit bool
	pastHardLimit bool

	margins       []margin
	marginCells   int     // of all margins
	pendingBlanks int     // empty lines to write before the next row
	spacing       spacing // after what stands above
	tight         bool    // in a list whose items have no blank lines between them
	pendingMark   []run   // a mark that found no room in the margin and goes before the text

	uris         []string // by link: what its OSC 8 holds, "" for none
	unlinked     []int    // links whose target stands in no OSC 8
	sourceLine   int      // where the block begins that is set next, 0 once that is in starts
	starts       []Start  // of blocks, in the order of the page
	headingIndex int      // how many headings of the document have been passed
	uncertain    bool     // what was set depends on more than a digest knows
	buf          []byte   // reused by writeRow
	rowBuf       row      // reused by writeRow
}

// A margin stands at the left of every row of a container.
type margin struct {
	first, rest row
	cells       int
	used        bool // first has been set
}

// spacing says which blank lines may stand before the next block.
type spacing uint8

const (
	afterText    spacing = iota // any
	afterHeading                // one, if more than one is wanted: text follows its heading at once
	atTop                       // none: this is the first block of a container
)

func newComposer(d *markdown.Document, width int, pal *palette, h *highlighter) *composer {
	return &composer{doc: d, pal: pal, highlighter: h, page: &Page{Width: width}, start: time.Now(), spacing: atTop}
}

// narrow is the width, in cells, below which a page is sparing with blanks.
const narrow = 50

// avail is the width left for text.
func (co *composer) avail() int { return max(co.page.Width-co.marginCells, 1) }

// wantBlanks asks for at least n empty lines before the next row.
func (co *composer) wantBlanks(n int) {
	switch {
	case co.spacing == atTop, co.spacing == afterHeading && n < 2:
		return
	case co.spacing == afterHeading:
		n = 1
	}
	co.pendingBlanks = max(co.pendingBlanks, n)
}

// clearHeading keeps what follows clear of a heading, which text and lists may
// touch.
func (co *composer) clearHeading() {
	if co.spacing == afterHeading {
		co.spacing = afterText
	}
}

// openContainer begins a container: the first row in it stands behind first,
// all others behind rest. Where there is no room for that, first goes before
// the text instead. It reports whether there is a margin, which closeContainer
// wants to know.
func (co *composer) openContainer(first, rest row) bool {
	n := max(first.cells(), rest.cells())
	if co.avail()-n < minTextWidth {
		for _, p := range first {
			co.pendingMark = append(co.pendingMark, run{text: p.text, face: p.face})
		}
		co.flushBlanks()
		co.spacing = atTop
		return false
	}
	co.flushBlanks()
	co.margins = append(co.margins, margin{first: first, rest: rest, cells: n})
	co.marginCells += n
	co.spacing = atTop
	return true
}

// closeContainer ends a container. One without a row still shows its mark.
func (co *composer) closeContainer(opened bool) {
	if !opened {
		co.flushMark()
		co.spacing = afterText
		return
	}
	m := co.margins[len(co.margins)-1]
	if !m.used && len(m.first) > 0 {
		co.addRow(nil)
	}
	co.margins = co.margins[:len(co.margins)-1]
	co.marginCells -= m.cells
	co.spacing = afterText
}

// flushBlanks writes the pending empty lines, behind the margins as they are
// now.
func (co *composer) flushBlanks() {
	n := co.pendingBlanks
	co.pendingBlanks = 0
	for range n {
		co.writeRow(nil, false)
	}
}

// flushMark sets the pending mark, if there is one, on a row of its own.
func (co *composer) flushMark() {
	if len(co.pendingMark) == 0 {
		return
	}
	rows := breakRuns(co.pendingMark, co.avail())
	co.pendingMark = nil
	for _, r := range rows {
		co.addRow(r)
	}
}

// addText sets runs as a paragraph.
func (co *composer) addText(runs []run) {
	if len(co.pendingMark) > 0 {
		runs = append(co.pendingMark, runs...)
		co.pendingMark = nil
	}
	for _, r := range breakRuns(runs, co.avail()) {
		co.addRow(r)
	}
}

// addRow sets a finished row.
func (co *composer) addRow(r row) {
	co.flushBlanks()
	if co.sourceLine > 0 {
		co.starts = append(co.starts, Start{co.sourceLine, len(co.page.Lines)})
	}
	co.sourceLine = 0
	co.writeRow(r, true)
	co.spacing = afterText
}

// writeRow appends a row with its margins to the page: the shortest sequences,
// no blanks at the end, nothing left open. Links and images learn where they
// stand. marks asks for the first of a margin where that has not been shown.
func (co *composer) writeRow(r row, marks bool) {
	co.rowBuf = append(co.withMargins(co.rowBuf[:0], marks), r...)
	b := co.buf[:0]
	var on face
	link, col := 0, 0
	const lines = underline | struck | reverse // what shows on a blank
	for _, p := range trimRow(co.rowBuf) {
		text := sanitize(p.text)
		if p.link != link {
			b = co.switchLink(b, link, p.link)
			link = p.link
		}
		if p.link != 0 {
			co.placeLink(p.link-1, Place{len(co.page.Lines), col, p.cells})
		}
		if p.image != 0 {
			co.page.Images[p.image-1].Line = len(co.page.Lines)
		}
		col += p.cells
		if (on.attrs|p.face.attrs)&lines != 0 || strings.TrimLeft(text, " ") != "" {
			b = append(b, co.switchFace(on, p.face)...)
			on = p.face
		}
		b = append(b, text...)
	}
	b = co.switchLink(b, link, 0)
	b = append(b, co.switchFace(on, face{})...)
	co.page.Lines = append(co.page.Lines, string(b))
	co.buf = b
}

// withMargins appends what stands before a row.
func (co *composer) withMargins(r row, marks bool) row {
	for i := range co.margins {
		m := &co.margins[i]
		side := m.rest
		if marks && !m.used {
			m.used = true
			if len(m.first) > 0 {
				side = m.first
			}
		}
		r = append(r, side...)
		if n := m.cells - side.cells(); n > 0 {
			r = append(r, blankPiece(n))
		}
	}
	return r
}

// trimRow takes the blanks from the end of a row, which it changes.
func trimRow(r row) row {
	for n := len(r); n > 0; n-- {
		p := &r[n-1]
		t := strings.TrimRight(p.text, " ")
		p.cells -= len(p.text) - len(t)
		p.text = t
		if t != "" {
			return r[:n]
		}
	}
	return nil
}

// switchLink closes the OSC 8 of one link and opens that of another; 0 is no
// link.
func (co *composer) switchLink(b []byte, from, to int) []byte {
	if from != 0 && co.uris[from-1] != "" && (to == 0 || co.uris[to-1] == "") {
		b = append(b, "\x1b]8;;\x1b\\"...)
	}
	if to != 0 && co.uris[to-1] != "" {
		b = append(b, "\x1b]8;;"...)
		b = append(b, co.uris[to-1]...)
		b = append(b, "\x1b\\"...)
	}
	return b
}

func (co *composer) switchFace(from, to face) string {
	if co.pal.plain {
		return ""
	}
	return from.transition(to)
}

// placeLink adds a stretch of a line to where a link stands.
func (co *composer) placeLink(i int, p Place) {
	l := &co.page.Links[i]
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

// sanitize is the last check before a terminal: whatever reached a row, no
// control character or one that turns the direction of writing leaves it.
func sanitize(s string) string {
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

const manySpaces = "                                                                "

// spaces returns n of them, without an allocation for few.
func spaces(n int) string {
	if n <= len(manySpaces) {
		return manySpaces[:n]
	}
	return strings.Repeat(" ", n)
}

// checkTime reports whether the soft limit is past, and says so on the page.
func (co *composer) checkTime() bool {
	if !co.pastSoftLimit && time.Since(co.start) > softLimit {
		co.pastSoftLimit = true
		co.wantBlanks(1)
		co.addText([]run{{text: "(This post takes long to set; the rest follows as plain text.)", face: co.pal.dim}})
		co.wantBlanks(1)
	}
	return co.pastSoftLimit
}

// composePlain sets what is below n as plain text, until the hard limit is
// past.
func (co *composer) composePlain(n ast.Node) {
	if time.Since(co.start) > hardLimit {
		if !co.pastHardLimit {
			co.pastHardLimit = true
			co.wantBlanks(1)
			co.addText([]run{{text: "(The rest is left out.)", face: co.pal.dim}})
		}
		return
	}
	switch n.Kind() {
	case ast.KindLinkReferenceDefinition, ast.KindHTMLBlock:
		return
	}
	co.wantBlanks(1)
	if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 && !n.HasChildren() {
		lines := n.Lines()
		for i := range lines.Len() {
			at := lines.At(i)
			co.addText([]run{{text: markdown.Clean(string(at.Value(co.doc.Source)))}})
		}
		return
	}
	if c := n.FirstChild(); c != nil && c.Type() == ast.TypeInline {
		co.addText([]run{{text: co.plainText(n)}})
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		co.composePlain(c)
	}
}

// plainText returns the text below n.
func (co *composer) plainText(n ast.Node) string {
	var b strings.Builder
	co.appendText(&b, n, 0)
	return b.String()
}
