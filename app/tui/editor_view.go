package tui

import (
	"strconv"
	"strings"
	"time"

	"sheaf/app/buffer"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
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

	wrapped   *wrapping
	spans     []span         // of the rows on the screen
	cursor    *terminal.Cell // nil: it is not on the screen
	clicked   time.Time
	clickedAt int
}

// state gives the text, the other end of the selection, and the cursor.
func (v *textView) state() (t buffer.Text, anchor, at int) {
	anchor, at = v.buf.Selection()
	return v.buf.Text(), anchor, at
}

// fit finds where the rows begin and how many cells they have, one of which is
// for the cursor behind them.
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

func (v *textView) wrapping(t buffer.Text) *wrapping {
	if w := v.wrapped; w == nil || !w.text.Same(t) || w.width != v.width-1 {
		v.wrapped = &wrapping{text: t, width: v.width - 1}
	}
	return v.wrapped
}

// ensure scrolls until the cursor is seen: by as little as will do where it is
// near, else so that it stands in the upper third.
func (v *textView) ensure(w *wrapping, height int) {
	_, at := v.buf.Selection()
	top := w.rowAt(min(v.top, w.text.Len()))
	v.top = top.from
	if v.scrolledAway || height < 1 {
		return
	}
	cur := w.rowAt(at)
	back := func(rows int) {
		s := cur
		for range rows {
			if next, ok := w.previous(s); ok {
				s = next
			}
		}
		v.top = s.from
	}
	if cur.from < top.from {
		s := cur
		for range height {
			if s.from >= top.from {
				v.top = cur.from
				return
			}
			s, _ = w.next(s)
		}
		back(height / 3)
		return
	}
	s := top
	for i := range 2 * height {
		if s.from == cur.from {
			if i >= height {
				back(height - 1)
			}
			return
		}
		var ok bool
		if s, ok = w.next(s); !ok {
			break
		}
	}
	back(height / 3)
}

// rows gives at most height rows of the text. The front matter, up to body, is
// dim; problems are the lines that have one.
func (v *textView) rows(height, body int, problems map[int]bool, st typeset.Styles) []terminal.Row {
	t, _, at := v.state()
	w := v.wrapping(t)
	v.ensure(w, height)
	v.spans, v.cursor = v.spans[:0], nil
	rows := make([]terminal.Row, 0, height)
	s, cur := w.rowAt(v.top), w.rowAt(at)
	for len(rows) < height {
		line := t.Line(s.from)
		first := s.from == t.LineStart(line)
		if s.from == cur.from && s.to == cur.to {
			v.cursor = &terminal.Cell{X: min(v.left+w.column(s, at), v.right), Y: len(rows)}
		}
		text := v.gutter(line, first, problems[line], st) + v.row(t, s, body, st)
		rows = append(rows, terminal.Row{Text: text})
		v.spans = append(v.spans, s)
		next, ok := w.next(s)
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
func (v *textView) row(t buffer.Text, s span, body int, st typeset.Styles) string {
	anchor, cursor := v.buf.Selection()
	from, to := min(anchor, cursor), max(anchor, cursor)
	text := t.Slice(s.from, s.to)
	var out, run strings.Builder
	var style typeset.Style
	flush := func() {
		out.WriteString(style.On(run.String()))
		run.Reset()
	}
	match, matchTo := -1, -1
	col := 0
	for i := 0; i < len(text); {
		pos := s.from + i
		g := character(text[i:])
		shown, n := glyph(g, col)
		if col+n > v.width {
			break
		}
		if v.sought != "" && pos >= matchTo && (match < 0 || pos > match) {
			match, matchTo = v.matchFrom(t, pos, s.to)
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
	if s.to >= from && s.to < to && s.to == t.LineEnd(t.Line(s.from)) && col < v.width {
		out.WriteString(st.Selected.On(" ")) // the line end is selected too
	}
	return strings.TrimRight(out.String(), " ")
}

// matchFrom finds what is looked for in a row; from end to end if it is not
// there.
func (v *textView) matchFrom(t buffer.Text, at, end int) (from, to int) {
	if from, to, ok := t.Match(v.sought, at, end); ok {
		return from, to
	}
	return end, end
}

// cells counts the cells of a line, a very long one not to its end.
func cells(s string) int {
	if len(s) > piece {
		s = s[len(s)-piece:]
	}
	n := 0
	for len(s) > 0 {
		g := character(s)
		_, w := glyph(g, n)
		n += w
		s = s[len(g):]
	}
	return n
}
