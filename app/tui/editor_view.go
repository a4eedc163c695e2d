package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/buffer"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// previewBeside reports whether the preview stands beside the text.
func (e *editor) previewBeside() bool { return e.b.geo.width >= previewFrom && !e.previewHidden }

// room is where the text begins and how many cells it has, one of which is for
// the cursor behind it.
func (e *editor) room() (left, width int) {
	g := e.b.geo
	left, width = 2, g.width-2
	if g.width >= narrow {
		left, width = 3, g.width-5
	}
	if e.numbers {
		n := len(strconv.Itoa(e.buf.Text().Lines())) + 1
		left, width = left+n, width-n
	}
	if e.previewBeside() {
		width = (g.width-3)/2 - left
	}
	if spare := width - widest - 1; spare > 0 {
		width -= spare
		if !e.previewBeside() && g.width >= centred {
			left += spare / 2
		}
	}
	return left, max(width, 2)
}

func (e *editor) wrapping(t buffer.Text) *wrapping {
	_, width := e.room()
	if w := e.wrapped; w == nil || !w.text.Same(t) || w.width != width-1 {
		e.wrapped = &wrapping{text: t, width: width - 1}
	}
	return e.wrapped
}

// ensure scrolls until the cursor is seen.
func (e *editor) ensure(w *wrapping, height int) {
	_, at := e.buf.Selection()
	top := w.rowAt(min(e.top, w.text.Len()))
	e.top = top.from
	if e.scrolledAway || height < 1 {
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
		e.top = s.from
	}
	if cur.from < top.from {
		s := cur
		for range height {
			if s.from >= top.from {
				e.top = cur.from
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

func (e *editor) cursor() *terminal.Cell { return e.cursorCell }

func (e *editor) rows(height int) []terminal.Row {
	t, anchor, at := e.state()
	w := e.wrapping(t)
	e.ensure(w, height)
	left, _ := e.room()
	from, to := min(anchor, at), max(anchor, at)
	marks := map[int]bool{}
	for _, p := range e.problems() {
		if e.isOwn(p) {
			marks[p.Line-1] = true
		}
	}
	e.shownRows, e.cursorCell = e.shownRows[:0], nil
	rows := make([]terminal.Row, 0, height)
	s := w.rowAt(e.top)
	cur := w.rowAt(at)
	for len(rows) < height {
		line := t.Line(s.from)
		first := s.from == t.LineStart(line)
		if s.from == cur.from && s.to == cur.to {
			e.cursorCell = &terminal.Cell{X: min(left+w.column(s, at), e.b.geo.width-1), Y: len(rows)}
		}
		rows = append(rows, terminal.Row{At: 0, Text: e.gutter(left, line, first, marks[line]) + e.line(t, s, from, to)})
		e.shownRows = append(e.shownRows, s)
		next, ok := w.next(s)
		if !ok {
			break
		}
		s = next
	}
	if e.previewBeside() {
		rows = e.withPreview(rows, height)
	}
	return rows
}

// gutter is what stands before a row: its line's number, and a mark where
// something is doubtful.
func (e *editor) gutter(width, line int, first, problem bool) string {
	s := ""
	if e.numbers && first {
		s = strconv.Itoa(line + 1)
	}
	st := e.b.styles
	mark := " "
	if problem && first {
		mark = st.Error.On("!")
	}
	return strings.Repeat(" ", width-2-len(s)) + st.Dim.On(s) + mark + " "
}

// line shows a row of the text.
func (e *editor) line(t buffer.Text, s span, from, to int) string {
	st := e.b.styles
	text := t.Slice(s.from, s.to)
	_, room := e.room()
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
		if col+n > room {
			break
		}
		if e.sought != "" && pos >= matchTo && (match < 0 || pos > match) {
			match, matchTo = e.matchFrom(t, pos, s.to)
		}
		var now typeset.Style
		switch {
		case pos >= from && pos < to:
			now = st.Selected
		case match >= 0 && pos >= match && pos < matchTo:
			now = st.Match
		case e.inspected >= 0 && pos < e.inspection.Body:
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
	if s.to >= from && s.to < to && s.to == t.LineEnd(t.Line(s.from)) && col < room {
		out.WriteString(st.Selected.On(" ")) // the line end is selected too
	}
	return strings.TrimRight(out.String(), " ")
}

// problems are those of the text as it was last looked at.
func (e *editor) problems() []blog.Problem {
	if e.inspected < 0 || e.inspection.Post == nil {
		return nil
	}
	return e.inspection.Problems
}

// isOwn reports a problem of this text; it may make one for another post.
func (e *editor) isOwn(p blog.Problem) bool {
	return markdown.Clean(p.Path) == markdown.Clean(e.inspection.Post.Path)
}

// lineProblem says what is doubtful in the cursor's line; in the first one also what
// is so in no line of this text, once it has a name.
func (e *editor) lineProblem() string {
	t, _, at := e.state()
	line := t.Line(at) + 1
	var all []string
	for _, p := range e.problems() {
		switch own := e.isOwn(p); {
		case own && (p.Line == line || p.Line == 0 && line == 1 && e.path != ""):
			all = append(all, oneLine(p.Text))
		case !own && line == 1:
			all = append(all, oneLine(p.String()))
		}
	}
	return strings.Join(all, " · ")
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

func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d/time.Second))
	}
	return fmt.Sprintf("%d min ago", int(d/time.Minute))
}
