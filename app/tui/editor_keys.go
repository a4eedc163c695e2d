package tui

import (
	"strings"
	"time"

	"sheaf/app/buffer"
	"sheaf/app/terminal"
)

const (
	doubleClick = 400 * time.Millisecond
	wheelRows   = 3
)

// printable removes control characters, which have no place in a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r < 0xa0 || r == '\ufffd' {
			return -1
		}
		return r
	}, s)
}

// motionOf returns the motion that a key stands for.
func motionOf(key string) (m buffer.Motion, ok bool) {
	switch key {
	case "left":
		return buffer.Left, true
	case "right":
		return buffer.Right, true
	case "ctrl+left", "alt+left", "alt+b":
		return buffer.WordLeft, true
	case "ctrl+right", "alt+right", "alt+f":
		return buffer.WordRight, true
	case "ctrl+up", "alt+up":
		return buffer.ParagraphUp, true
	case "ctrl+down", "alt+down":
		return buffer.ParagraphDown, true
	case "ctrl+home":
		return buffer.TextStart, true
	case "ctrl+end":
		return buffer.TextEnd, true
	case "ctrl+e":
		return buffer.LineEnd, true
	}
	return 0, false
}

// key takes a key that is no action: it moves, selects, deletes or types.
func (e *editor) key(ev terminal.Event) {
	key := ev.Key
	selecting := strings.Contains(key, "shift+")
	if selecting {
		key = strings.Replace(key, "shift+", "", 1)
	}
	if m, ok := motionOf(key); ok {
		e.buf.Move(m, selecting)
		e.afterEdit()
		return
	}
	page := max(e.b.geo.body()-1, 1)
	switch key {
	case "up":
		e.view.vertical(-1, selecting)
		return
	case "down":
		e.view.vertical(1, selecting)
		return
	case "pgup":
		e.view.vertical(-page, selecting)
		return
	case "pgdown":
		e.view.vertical(page, selecting)
		return
	case "home", "end":
		e.view.rowEdge(key == "end", selecting)
	case "backspace":
		e.buf.Erase(buffer.Left)
	case "delete", "ctrl+d":
		if selecting {
			e.a.copy(e.buf.Cut())
		} else {
			e.buf.Erase(buffer.Right)
		}
	case "alt+backspace", "ctrl+backspace":
		e.buf.Erase(buffer.WordLeft)
	case "ctrl+delete", "alt+delete", "alt+d":
		e.buf.Erase(buffer.WordRight)
	case "enter":
		e.buf.Newline()
	case "tab":
		if selecting {
			e.buf.Outdent()
		} else {
			e.buf.Indent()
		}
	case "esc":
		_, at := e.buf.Selection()
		e.buf.MoveTo(at, false)
	default:
		s := printable(ev.Text)
		if s == "" {
			return
		}
		e.buf.Type(s)
	}
	e.afterEdit()
}

// vertical moves the cursor by rows of the screen. It keeps to the column in
// which the first of several such moves began. From the first row it goes on to
// the beginning of the text, from the last one to its end.
func (v *textView) vertical(rows int, selecting bool) {
	t, _, at := v.state()
	r := v.rowsOf(t)
	s := r.At(at)
	if v.goalColumn < 0 {
		v.goalColumn = r.Column(s, at)
	}
	step, by := r.Next, 1
	if rows < 0 {
		step, by = r.Previous, -1
	}
	moved := false
	for ; rows != 0; rows -= by {
		next, ok := step(s)
		if !ok {
			break
		}
		s, moved = next, true
	}
	to := r.Offset(s, v.goalColumn)
	if !moved && by > 0 {
		to = t.Len()
	} else if !moved {
		to = 0
	}
	v.buf.MoveTo(to, selecting)
	v.scrolledAway = false
}

// rowEdge moves to the beginning or the end of the row, and from there to that
// of the line.
func (v *textView) rowEdge(end, selecting bool) {
	t, _, at := v.state()
	r := v.rowsOf(t)
	s := r.At(at)
	m, to := buffer.LineStart, s.From
	if end {
		m, to = buffer.LineEnd, r.Offset(s, 1<<30)
	}
	if line := t.LineStart(t.Line(at)); to == at || !end && s.From == line {
		to = t.To(m, at)
	}
	v.buf.MoveTo(to, selecting)
}

// mouse places the cursor, selects what is dragged over and the word that is
// pressed twice. The wheel scrolls and leaves the cursor where it is.
func (v *textView) mouse(ev terminal.Event, g geometry) {
	r := v.rowsOf(v.buf.Text())
	if ev.Kind == terminal.WheelUp || ev.Kind == terminal.WheelDown {
		s := r.At(v.top)
		for range wheelRows {
			next, ok := r.Next(s)
			if ev.Kind == terminal.WheelUp {
				next, ok = r.Previous(s)
			}
			if !ok {
				break
			}
			s = next
		}
		v.top, v.scrolledAway = s.From, true
		return
	}
	if len(v.seen) == 0 {
		return
	}
	y := ev.Y
	if g.header {
		y--
	}
	s := v.seen[max(min(y, len(v.seen)-1), 0)]
	if y < 0 {
		s, _ = r.Previous(s)
	} else if y >= g.body() {
		s, _ = r.Next(s)
	}
	at := r.Offset(s, max(ev.X-v.left, 0))
	if ev.Kind == terminal.PointerDrag {
		v.buf.MoveTo(at, true)
		v.goalColumn, v.scrolledAway = -1, false
		return
	}
	v.buf.MoveTo(at, false)
	if at == v.clickedAt && time.Since(v.clicked) < doubleClick {
		v.buf.SelectWord()
	}
	v.clickedAt, v.clicked = at, time.Now()
	v.goalColumn, v.scrolledAway = -1, true
}
