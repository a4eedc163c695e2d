package tui

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sheaf/app/buffer"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"

	"github.com/charmbracelet/x/ansi"
)

// A textView shows the rows of a text around its cursor.
type textView struct {
	buf         *buffer.Buffer
	left, width int // where the rows begin and how many cells they have
	right       int // the last column of the window

	top          int  // where in the text the first row begins
	scrolledAway bool // the mouse has moved the text; the cursor need not be seen
	goalColumn   int  // the column that up and down keep to; -1: the cursor's
	numbers      bool // of the lines, before them
	sought       string

	broken    *buffer.Rows
	seen      []buffer.Row   // on the screen
	cursor    *terminal.Cell // nil: it is not on the screen
	clicked   time.Time
	clickedAt int
}

// state gives the text, the other end of the selection, and the cursor.
func (v *textView) state() (t buffer.Text, anchor, at int) {
	anchor, at = v.buf.Selection()
	return v.buf.Text(), anchor, at
}

// fit computes where the rows begin and how wide they are. One cell of the
// width is for the cursor behind a full row.
func (v *textView) fit(g geometry, previewBeside bool) {
	left, width := 2, g.width-2
	if g.width >= narrow {
		left, width = 3, g.width-5
	}
	if v.numbers {
		n := len(strconv.Itoa(v.buf.Text().Lines())) + 1
		left, width = left+n, width-n
	}
	if previewBeside {
		width = (g.width-3)/2 - left
	}
	if spare := width - widest - 1; spare > 0 {
		width -= spare
		if !previewBeside && g.width >= centred {
			left += spare / 2
		}
	}
	v.left, v.width, v.right = left, max(width, 2), g.width-1
}

func (v *textView) rowsOf(t buffer.Text) *buffer.Rows {
	if !v.broken.Of(t, v.width-1) {
		v.broken = buffer.NewRows(t, v.width-1, glyphCells)
	}
	return v.broken
}

// ensure scrolls until the cursor is on the screen: as little as possible if it
// is less than a screenful away, else so that it stands in the upper third.
func (v *textView) ensure(r *buffer.Rows, height int) {
	_, at := v.buf.Selection()
	top := r.At(min(v.top, v.buf.Text().Len()))
	v.top = top.From
	if v.scrolledAway || height < 1 {
		return
	}
	cur := r.At(at)
	back := func(rows int) {
		s := cur
		for range rows {
			if next, ok := r.Previous(s); ok {
				s = next
			}
		}
		v.top = s.From
	}
	if cur.From < top.From {
		s := cur
		for range height {
			if s.From >= top.From {
				v.top = cur.From
				return
			}
			s, _ = r.Next(s)
		}
		back(height / 3)
		return
	}
	s := top
	for i := range 2 * height {
		if s.From == cur.From {
			if i >= height {
				back(height - 1)
			}
			return
		}
		var ok bool
		if s, ok = r.Next(s); !ok {
			break
		}
	}
	back(height / 3)
}

// rows gives at most height rows of the text. The front matter, up to body, is
// dim; problems are the lines that have one.
func (v *textView) rows(height, body int, problems map[int]bool, st typeset.Styles) []terminal.Row {
	t, _, at := v.state()
	r := v.rowsOf(t)
	v.ensure(r, height)
	v.seen, v.cursor = v.seen[:0], nil
	rows := make([]terminal.Row, 0, height)
	s, cur := r.At(v.top), r.At(at)
	for len(rows) < height {
		line := t.Line(s.From)
		first := s.From == t.LineStart(line)
		if s.From == cur.From && s.To == cur.To {
			v.cursor = &terminal.Cell{X: min(v.left+r.Column(s, at), v.right), Y: len(rows)}
		}
		text := v.gutter(line, first, problems[line], st) + v.row(t, s, body, st)
		rows = append(rows, terminal.Row{Text: text})
		v.seen = append(v.seen, s)
		next, ok := r.Next(s)
		if !ok {
			break
		}
		s = next
	}
	return rows
}

// gutter is what stands before a row: its line's number, and a mark where there
// is a problem.
func (v *textView) gutter(line int, first, problem bool, st typeset.Styles) string {
	s := ""
	if v.numbers && first {
		s = strconv.Itoa(line + 1)
	}
	mark := " "
	if problem && first {
		mark = st.Error.On("!")
	}
	return strings.Repeat(" ", v.left-2-len(s)) + st.Dim.On(s) + mark + " "
}

// row shows a row of the text, with what is selected in it and what was looked
// for.
func (v *textView) row(t buffer.Text, s buffer.Row, body int, st typeset.Styles) string {
	anchor, cursor := v.buf.Selection()
	from, to := min(anchor, cursor), max(anchor, cursor)
	text := t.Slice(s.From, s.To)
	var out, run strings.Builder
	var style typeset.Style
	flush := func() {
		out.WriteString(style.On(run.String()))
		run.Reset()
	}
	match, matchTo := -1, -1
	col := 0
	for i := 0; i < len(text); {
		pos := s.From + i
		g := buffer.Character(text[i:])
		shown, n := glyph(g, col)
		if col+n > v.width {
			break
		}
		if v.sought != "" && pos >= matchTo && (match < 0 || pos > match) {
			match, matchTo = v.matchFrom(t, pos, s.To)
		}
		var now typeset.Style
		switch {
		case pos >= from && pos < to:
			now = st.Selected
		case match >= 0 && pos >= match && pos < matchTo:
			now = st.Match
		case pos < body:
			now = st.Dim
		}
		if now != style {
			flush()
			style = now
		}
		run.WriteString(shown)
		col += n
		i += len(g)
	}
	flush()
	if s.To >= from && s.To < to && s.To == t.LineEnd(t.Line(s.From)) && col < v.width {
		out.WriteString(st.Selected.On(" ")) // the line end is selected too
	}
	return strings.TrimRight(out.String(), " ")
}

// matchFrom finds what is searched for between two places. If it is not there,
// both results are end.
func (v *textView) matchFrom(t buffer.Text, at, end int) (from, to int) {
	if from, to, ok := t.Match(v.sought, at, end); ok {
		return from, to
	}
	return end, end
}

// longLine bounds how many bytes of a line are measured.
const longLine = 8 << 10

// cells counts the cells of a line, of a very long one only those of its end.
func cells(s string) int {
	if len(s) > longLine {
		s = s[len(s)-longLine:]
	}
	n := 0
	for len(s) > 0 {
		g := buffer.Character(s)
		n += glyphCells(g, n)
		s = s[len(g):]
	}
	return n
}

// glyph returns what to show for a character at a column, and its width in
// cells. Nothing but text comes out: a sign stands for what would be invisible
// or would move what stands around it.
func glyph(g string, col int) (shown string, cells int) {
	if len(g) == 1 && g[0] >= ' ' && g[0] < 0x7f {
		return g, 1
	}
	if g == "\t" {
		n := buffer.TabStop - col%buffer.TabStop
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

func glyphCells(g string, col int) int {
	_, n := glyph(g, col)
	return n
}
