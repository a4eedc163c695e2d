package tui

import (
	"strings"
	"time"

	"sheaf/app/buffer"
	"sheaf/app/terminal"
)

// event takes what is typed, pasted, and done with the mouse.
func (e *editor) event(ev terminal.Event) {
	switch ev.Kind {
	case terminal.Paste:
		e.buf.Paste(printable(ev.Text))
		e.afterEdit()
	case terminal.PointerDown, terminal.PointerDrag, terminal.WheelUp, terminal.WheelDown:
		e.mouse(ev)
	case terminal.Key:
		e.key(ev)
	}
}

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
	switch key {
	case "up", "down", "pgup", "pgdown":
		n := 1
		if strings.HasPrefix(key, "pg") {
			n = max(e.b.geo.body()-1, 1)
		}
		if key == "up" || key == "pgup" {
			n = -n
		}
		e.vertical(n, selecting)
		return
	case "home", "end":
		e.rowEdge(key == "end", selecting)
	case "backspace":
		e.buf.Erase(buffer.Left)
	case "delete", "ctrl+d":
		if selecting {
			e.b.toClipboard(e.buf.Cut())
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

// motions are the keys that move; with shift before them they select.
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

// printable takes out what has no place in a text: control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r < 0xa0 || r == '\ufffd' {
			return -1
		}
		return r
	}, s)
}

// vertical moves by rows as they stand on the screen.
func (e *editor) vertical(rows int, selecting bool) {
	t, _, at := e.state()
	w := e.wrapping(t)
	s := w.rowAt(at)
	if e.goalColumn < 0 {
		e.goalColumn = w.column(s, at)
	}
	step, by := w.next, 1
	if rows < 0 {
		step, by = w.previous, -1
	}
	goal, moved := e.goalColumn, false
	for ; rows != 0; rows -= by {
		next, ok := step(s)
		if !ok {
			break
		}
		s, moved = next, true
	}
	to := w.offsetAt(s, goal)
	if !moved && by > 0 {
		to = t.Len()
	} else if !moved {
		to = 0
	}
	e.buf.MoveTo(to, selecting)
	e.scrolledAway = false
	e.goalColumn = goal
}

// rowEdge moves to the beginning or the end of the row, and from there to that of
// the line.
func (e *editor) rowEdge(end, selecting bool) {
	t, _, at := e.state()
	w := e.wrapping(t)
	s := w.rowAt(at)
	m, to := buffer.LineStart, s.from
	if end {
		m, to = buffer.LineEnd, w.offsetAt(s, 1<<30)
	}
	if line := t.LineStart(t.Line(at)); to == at || !end && s.from == line {
		to = t.To(m, at)
	}
	e.buf.MoveTo(to, selecting)
}

func (e *editor) mouse(ev terminal.Event) {
	switch ev.Kind {
	case terminal.WheelUp, terminal.WheelDown:
		w := e.wrapping(e.buf.Text())
		s := w.rowAt(e.top)
		for range wheelRows {
			next, ok := w.next(s)
			if ev.Kind == terminal.WheelUp {
				next, ok = w.previous(s)
			}
			if !ok {
				break
			}
			s = next
		}
		e.top, e.scrolledAway = s.from, true
		return
	}
	y := ev.Y
	if e.b.geo.header {
		y--
	}
	if len(e.shownRows) == 0 {
		return
	}
	w := e.wrapping(e.buf.Text())
	s := e.shownRows[max(min(y, len(e.shownRows)-1), 0)]
	if y < 0 {
		s, _ = w.previous(s)
	} else if y >= e.b.geo.body() {
		s, _ = w.next(s)
	}
	left, _ := e.room()
	at := w.offsetAt(s, max(ev.X-left, 0))
	if ev.Kind == terminal.PointerDrag {
		e.buf.MoveTo(at, true)
		e.goalColumn, e.scrolledAway = -1, false
		return
	}
	e.buf.MoveTo(at, false)
	if at == e.clickedAt && time.Since(e.clickedWhen) < doubleClick {
		e.buf.SelectWord()
	}
	e.clickedAt, e.clickedWhen = at, time.Now()
	e.goalColumn, e.scrolledAway = -1, true
}

// toClipboard takes what was cut or copied, for the terminal's clipboard too.
func (b *browser) toClipboard(s string) {
	if s == "" {
		return
	}
	b.clipboard = s
	if len(s) > maxCopied {
		b.say("copied for here; it is too long for your terminal's clipboard")
		return
	}
	b.paint.Copy(s)
}

func (e *editor) copy() {
	s := e.buf.Selected()
	if s == "" {
		t, _, at := e.state()
		line := t.Line(at)
		from, to := t.LineStart(line), t.Len()
		if line+1 < t.Lines() {
			to = t.LineStart(line + 1)
		}
		s = t.Slice(from, to)
	}
	e.b.toClipboard(s)
}
