package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/buffer"
	"sheaf/app/markdown"
)

// A span is what one row of an editor shows of its text: the bytes from from to
// to. The line end is in none.
type span struct{ from, to int }

// A wrapping breaks the lines of a text into rows of a width, at words. Only
// the lines that are asked for are broken, and a long one in pieces, each of
// which begins a row: a line without end costs no more than a screenful.
//
// What was broken last is kept, as neighbours are asked for one after the other.
type wrapping struct {
	text  buffer.Text
	width int

	from, to int    // the piece that spans are of
	spans    []span // nil: none
}

// piece is how much of a line is broken at once, in bytes.
const piece = 8 << 10

// tabStop is the distance of tab stops, in cells.
const tabStop = 4

// glyph is what a terminal shows of a character at a column, and how many cells
// that takes. Nothing but text comes out: what would not show itself, or move
// what stands around it, is shown by a sign.
func glyph(g string, col int) (shown string, cells int) {
	if len(g) == 1 && g[0] >= ' ' && g[0] < 0x7f {
		return g, 1
	}
	if g == "\t" {
		n := tabStop - col%tabStop
		return strings.Repeat(" ", n), n
	}
	if markdown.Clean(g) != g {
		return "\ufffd", 1
	}
	if w := ansi.StringWidth(g); w > 0 {
		return g, w
	}
	if r, n := utf8.DecodeRuneInString(g); n == len(g) && unicode.Is(unicode.Mn, r) {
		return "◌" + g, 1
	}
	return "\ufffd", 1
}

// character cuts the first character off.
func character(s string) string {
	if len(s) > 1 && s[0] < utf8.RuneSelf && s[1] < utf8.RuneSelf {
		return s[:1]
	}
	g, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	if g == "" {
		return s[:1]
	}
	return g
}

// breaks finds where the rows of a piece of a line begin. Blanks at the end of a
// row may stand beyond its width; no row begins with them.
func breaks(s string, width int) []int {
	begins := []int{0}
	col, begin := 0, 0
	chance := -1 // the last place in this row where it may be broken
	blank := false
	wide := false
	for i := 0; i < len(s); {
		g := character(s[i:])
		_, cells := glyph(g, col)
		isBlank := g == " " || g == "\t"
		if i > begin && !isBlank && (blank || wide || cells == 2) {
			chance = i
		}
		if col+cells > width && !isBlank && i > begin {
			if chance <= begin {
				chance = i
			}
			begins = append(begins, chance)
			begin = chance
			col = 0
			for j := begin; j < i; {
				h := character(s[j:])
				_, n := glyph(h, col)
				col += n
				j += len(h)
			}
			_, cells = glyph(g, col)
		}
		col += cells
		blank, wide = isBlank, cells == 2
		i += len(g)
	}
	return begins
}

// piece gives the beginning of the piece of a line that a place is in, and its
// end.
func (w *wrapping) piece(at int) (from, to int) {
	line := w.text.Line(at)
	start, end := w.text.LineStart(line), w.text.LineEnd(line)
	if end-start <= piece {
		return start, end
	}
	nth := func(k int) int { return min(w.rune(min(start+k*piece, end)), end) }
	k := (min(at, end) - start) / piece
	if nth(k+1) <= at && nth(k+1) < end {
		k++
	}
	for k > 0 && (nth(k) > at || nth(k) == end) {
		k--
	}
	return nth(k), nth(k + 1)
}

// rune moves a place back to where a rune begins.
func (w *wrapping) rune(at int) int {
	for n := 0; n < utf8.UTFMax && at > 0 && at < w.text.Len(); n++ {
		if utf8.RuneStart(w.text.Slice(at, at+1)[0]) {
			break
		}
		at--
	}
	return at
}

// around gives the rows of the piece around a place.
func (w *wrapping) around(at int) []span {
	from, to := w.piece(at)
	if w.spans != nil && w.from == from && w.to == to {
		return w.spans
	}
	begins := breaks(w.text.Slice(from, to), w.width)
	spans := make([]span, len(begins))
	for i, b := range begins {
		spans[i] = span{from + b, to}
		if i > 0 {
			spans[i-1].to = from + b
		}
	}
	w.from, w.to, w.spans = from, to, spans
	return spans
}

// rowAt finds the row that a place is on.
func (w *wrapping) rowAt(at int) span {
	spans := w.around(at)
	for i, s := range spans {
		if at < s.to || i == len(spans)-1 {
			return s
		}
	}
	return span{at, at}
}

// next is the row below, false at the end of the text.
func (w *wrapping) next(s span) (span, bool) {
	line := w.text.Line(s.from)
	if s.to < w.text.LineEnd(line) {
		return w.rowAt(s.to), true
	}
	if line+1 >= w.text.Lines() {
		return s, false
	}
	return w.around(w.text.LineStart(line + 1))[0], true
}

// previous is the row above, false at the beginning.
func (w *wrapping) previous(s span) (span, bool) {
	line := w.text.Line(s.from)
	if start := w.text.LineStart(line); s.from > start {
		return w.rowAt(s.from - 1), true
	}
	if line == 0 {
		return s, false
	}
	end := w.text.LineEnd(line - 1)
	spans := w.around(end)
	return spans[len(spans)-1], true
}

// column tells how many cells are before a place in its row.
func (w *wrapping) column(s span, at int) int {
	text := w.text.Slice(s.from, s.to)
	col := 0
	for i := 0; i < len(text) && s.from+i < at; {
		g := character(text[i:])
		_, n := glyph(g, col)
		col += n
		i += len(g)
	}
	return col
}

// offsetAt finds the character of a row that is nearest to a column: at it or
// before it. In a row that goes on in the next one it is never the end, which
// is the next one's beginning.
func (w *wrapping) offsetAt(s span, column int) int {
	text := w.text.Slice(s.from, s.to)
	col, last := 0, 0
	for i := 0; i < len(text); {
		g := character(text[i:])
		_, n := glyph(g, col)
		if col+n > column {
			return s.from + i
		}
		col += n
		last = i
		i += len(g)
	}
	if s.to < w.text.LineEnd(w.text.Line(s.from)) {
		return s.from + last
	}
	return s.to
}
