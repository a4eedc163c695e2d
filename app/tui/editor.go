package tui

import (
	"bytes"
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

// An editor is where an author writes. What is typed is kept aside a moment
// after each change and when the session ends, so that no word is lost; the
// blog changes only when the author saves.
type editor struct {
	b   *browser
	buf *buffer.Buffer

	name       string   // path of the file; "" until a new text is saved
	base       blog.Rev // what the text was taken from
	hash       string
	unsaved    bool // differs from base though nothing was typed: continued, merged
	closed     bool // its last line ends with a line end, and shall
	edition    *blog.Edition
	overtaken  bool // somebody has changed the file since
	committing bool // and that is the author

	keep    *keeper
	waiting bool // to be kept soon
	kept    time.Time
	unkept  string // why not
	seen    int    // the version that was last looked at

	top     int  // where the first row begins
	loose   bool // the wheel has moved the text away from the cursor
	goal    int  // the column that up and down keep to; -1: the cursor's
	numbers bool
	shown   []span // the rows on the screen
	wrapped *wrapping
	at      *terminal.Cell
	pressed time.Time
	where   int // the place that was pressed
	words   string

	sketch    blog.Sketch
	sketched  int // the version it is of; -1: none
	sketching bool
	slow      time.Duration // the last one took
	draft     *typeset.Draft
	draftFor  pageKey
	alone     bool // no preview beside the text
}

// A work is a text to be edited, and what it was taken from.
type work struct {
	name    string
	base    blog.Rev
	hash    string
	text    []byte
	at      int
	id      string // of what is kept of it
	unsaved bool
}

const (
	keepAfter    = time.Second            // a change is kept after so long
	sketchAfter  = 120 * time.Millisecond // a preview waits for a pause in the typing
	sketchShare  = 4                      // of the time at most one in so many parts is spent on previews
	doubleClick  = 400 * time.Millisecond
	wheelRows    = 3
	previewFrom  = 120         // cells of a window that has room for the preview beside the text
	adopted      = time.Second // what is changed by hand is in the history after so long
	goodbyeLimit = 3 * time.Second
)

func (b *browser) openEditor(w work) *editor {
	e := &editor{b: b, buf: buffer.New(string(w.text), w.at, b.longestText()), name: w.name, base: w.base, hash: w.hash, unsaved: w.unsaved,
		edition: b.edition, goal: -1, sketched: -1, closed: w.hash == "" || bytes.HasSuffix(w.text, []byte("\n")),
		keep: &keeper{visitor: b.conf.Visitor, version: -1}}
	e.keep.hold(w.id)
	e.seen = e.buf.Version()
	b.push(e)
	e.sketching = true
	b.work(e.sketchJob())
	if e.dirty() {
		e.keepNow()
	}
	return e
}

// longestText is how long a text may be typed: so that there is room for the line
// end that saving adds.
func (b *browser) longestText() int {
	return int(b.conf.Visitor.MaxFile("x.md")) - len("\r\n")
}

// refused reports a change that would have made the text too long, after saying
// so.
func (e *editor) refused() bool {
	if !e.buf.Refused() {
		return false
	}
	e.tooLong()
	return true
}

func (e *editor) tooLong() {
	e.b.say(fmt.Sprintf("Too long: a post has at most %d KB. Delete something or begin another post.", e.b.conf.Visitor.MaxFile("x.md")>>10))
}

// edit opens a post's source; what is kept of it is offered first.
func (b *browser) edit(p *blog.Post) {
	v, ctx := b.conf.Visitor, b.ctx
	b.workDesk(func() func() {
		name, base, hash, src, err := v.Open(ctx, p.Path)
		var mine []blog.Kept
		if err == nil {
			mine, err = v.Kept(ctx)
		}
		return func() {
			if err != nil {
				b.refused(err)
				return
			}
			now := work{name: name, base: base, hash: hash, text: src}
			for _, k := range mine {
				if k.Path == name && k.Door == door {
					b.choice = &choice{b: b, text: "You have an unsaved text of this, kept " + ago(k.Time, time.Now()) + ".", options: []option{
						{"c", "continue it", func() { b.openEditor(b.continued(k)) }},
						{"n", "leave it aside", func() { b.openEditor(now) }},
					}}
					return
				}
			}
			b.openEditor(now)
		}
	})
}

// continued is the work that a kept text was. Where it is open in another
// session, which may be one that only seems to be alive, both go on with a copy
// of their own.
func (b *browser) continued(k blog.Kept) work {
	w := work{name: k.Path, base: k.Base, hash: k.Hash, text: k.Text, at: k.At, id: k.ID, unsaved: true}
	if b.conf.Visitor.Held(k.ID) {
		w.id = ""
	}
	return w
}

func (e *editor) place() place { return onEditor }

func (e *editor) crumb() string {
	st := e.b.styles
	s := st.Bold.On(typeset.Truncate(e.title(), max(e.b.geo.width/2, 10)))
	if e.dirty() {
		s += " ●"
	}
	if e.sketched >= 0 && e.sketch.Post != nil {
		s += "  " + st.Dim.On(e.sketch.Post.State.String())
	}
	return s
}

func (e *editor) title() string {
	if e.sketched >= 0 && e.sketch.Post != nil && oneLine(e.sketch.Post.Title) != "" {
		return oneLine(e.sketch.Post.Title)
	}
	if e.name != "" {
		return oneLine(e.name)
	}
	return "a new post"
}

func (e *editor) window() string { return title(e.b.edition.Site().Title, e.title()) }

func (e *editor) status() string {
	t, _, at := e.state()
	line := t.Line(at)
	pos := fmt.Sprintf("line %d, col %d", line+1, cells(t.Slice(t.LineStart(line), at))+1)
	switch {
	case e.unkept != "":
		return "NOT KEPT  " + pos
	case e.dirty() && !e.kept.IsZero() && e.b.geo.width >= narrow:
		return "kept " + seconds(time.Since(e.kept)) + "   " + pos
	}
	return pos
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

func (e *editor) hint(k binding) string { return k.hint }

// state gives the text, the other end of the selection, and the cursor.
func (e *editor) state() (t buffer.Text, anchor, at int) {
	anchor, at = e.buf.Selection()
	return e.buf.Text(), anchor, at
}

func (e *editor) dirty() bool { return e.unsaved || e.buf.Changed() }

func (e *editor) sync() {
	if e.edition != e.b.edition {
		e.edition = e.b.edition
		e.compareBase()
		e.b.later(adopted, e.compareBase)
	}
	if e.sketched >= 0 && e.draftFor != e.pageKey() {
		e.look(0)
	}
}

// changed does what follows from a change of the text.
func (e *editor) changed() {
	v := e.buf.Version()
	if v == e.seen {
		return
	}
	e.seen = v
	if !e.waiting {
		e.waiting = true
		e.b.later(keepAfter, e.keepNow)
	}
	e.look(max(sketchAfter, e.slow*sketchShare))
}

func (e *editor) can(a action) bool {
	switch a {
	case cancel:
		anchor, at := e.buf.Selection()
		return anchor != at
	case findAgain:
		return e.words != ""
	}
	return true
}

func (e *editor) act(a action) {
	switch a {
	case save:
		e.save(nil)
	case publishText:
		e.publish()
	case preview:
		if e.b.geo.width >= previewFrom {
			e.alone = !e.alone
		} else {
			e.openPreview()
		}
	case fieldsOf:
		e.b.openForm(e)
	case findText:
		e.askFind()
	case findAgain:
		e.find(e.words, true)
	case replaceText:
		e.askReplace()
	case goToLine:
		e.askLine()
	case undoText:
		if !e.buf.Undo() {
			e.b.say("nothing to undo")
		}
	case redoText:
		if !e.buf.Redo() {
			e.b.say("nothing to redo")
		}
	case cutText:
		e.b.clipped(e.buf.Cut())
	case copyText:
		e.copy()
	case pasteText:
		e.buf.Paste(e.b.clip)
	case selectAll:
		e.buf.SelectAll()
	case lineNumbers:
		e.numbers = !e.numbers
	case closeText:
		e.ask()
		return
	}
	e.moved()
}

// moved is called after everything that may have changed the text or the place
// of the cursor.
func (e *editor) moved() {
	e.goal, e.loose = -1, false
	e.refused()
	e.changed()
}

// clipped takes what was cut or copied, for the terminal's clipboard too.
func (b *browser) clipped(s string) {
	if s == "" {
		return
	}
	b.clip = s
	if len(s) > mostCopied {
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
	e.b.clipped(s)
}

// event takes what is typed, pasted, and done with the mouse.
func (e *editor) event(ev terminal.Event) {
	switch ev.Kind {
	case terminal.Paste:
		e.buf.Paste(printable(ev.Text))
		e.moved()
	case terminal.PointerDown, terminal.PointerDrag, terminal.WheelUp, terminal.WheelDown:
		e.mouse(ev)
	case terminal.Key:
		e.key(ev)
	}
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

func (e *editor) key(ev terminal.Event) {
	key := ev.Key
	selecting := strings.Contains(key, "shift+")
	if selecting {
		key = strings.Replace(key, "shift+", "", 1)
	}
	if m, ok := motionOf(key); ok {
		e.buf.Move(m, selecting)
		e.moved()
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
		e.edge(key == "end", selecting)
	case "backspace":
		e.buf.Erase(buffer.Left)
	case "delete", "ctrl+d":
		if selecting {
			e.b.clipped(e.buf.Cut())
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
	e.moved()
}

// vertical moves by rows as they stand on the screen.
func (e *editor) vertical(rows int, selecting bool) {
	t, _, at := e.state()
	w := e.wrapping(t)
	s := w.row(at)
	if e.goal < 0 {
		e.goal = w.column(s, at)
	}
	step, by := w.next, 1
	if rows < 0 {
		step, by = w.previous, -1
	}
	goal, moved := e.goal, false
	for ; rows != 0; rows -= by {
		next, ok := step(s)
		if !ok {
			break
		}
		s, moved = next, true
	}
	to := w.place(s, goal)
	if !moved && by > 0 {
		to = t.Len()
	} else if !moved {
		to = 0
	}
	e.buf.MoveTo(to, selecting)
	e.loose = false
	e.goal = goal
}

// edge moves to the beginning or the end of the row, and from there to that of
// the line.
func (e *editor) edge(end, selecting bool) {
	t, _, at := e.state()
	w := e.wrapping(t)
	s := w.row(at)
	m, to := buffer.LineStart, s.from
	if end {
		m, to = buffer.LineEnd, w.place(s, 1<<30)
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
		s := w.row(e.top)
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
		e.top, e.loose = s.from, true
		return
	}
	y := ev.Y
	if e.b.geo.header {
		y--
	}
	if len(e.shown) == 0 {
		return
	}
	w := e.wrapping(e.buf.Text())
	s := e.shown[max(min(y, len(e.shown)-1), 0)]
	if y < 0 {
		s, _ = w.previous(s)
	} else if y >= e.b.geo.body() {
		s, _ = w.next(s)
	}
	left, _ := e.room()
	at := w.place(s, max(ev.X-left, 0))
	if ev.Kind == terminal.PointerDrag {
		e.buf.MoveTo(at, true)
		e.goal, e.loose = -1, false
		return
	}
	e.buf.MoveTo(at, false)
	if at == e.where && time.Since(e.pressed) < doubleClick {
		e.buf.SelectWord()
	}
	e.where, e.pressed = at, time.Now()
	e.goal, e.loose = -1, true
}

// beside reports whether the preview stands beside the text.
func (e *editor) beside() bool { return e.b.geo.width >= previewFrom && !e.alone }

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
	if e.beside() {
		width = (g.width-3)/2 - left
	}
	if spare := width - widest - 1; spare > 0 {
		width -= spare
		if !e.beside() && g.width >= centred {
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
	top := w.row(min(e.top, w.text.Len()))
	e.top = top.from
	if e.loose || height < 1 {
		return
	}
	cur := w.row(at)
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

func (e *editor) cursor() *terminal.Cell { return e.at }

func (e *editor) rows(height int) []terminal.Row {
	t, anchor, at := e.state()
	w := e.wrapping(t)
	e.ensure(w, height)
	left, _ := e.room()
	from, to := min(anchor, at), max(anchor, at)
	marks := map[int]bool{}
	for _, p := range e.problems() {
		if e.own(p) {
			marks[p.Line-1] = true
		}
	}
	e.shown, e.at = e.shown[:0], nil
	rows := make([]terminal.Row, 0, height)
	s := w.row(e.top)
	cur := w.row(at)
	for len(rows) < height {
		line := t.Line(s.from)
		first := s.from == t.LineStart(line)
		if s.from == cur.from && s.to == cur.to {
			e.at = &terminal.Cell{X: min(left+w.column(s, at), e.b.geo.width-1), Y: len(rows)}
		}
		rows = append(rows, terminal.Row{At: 0, Text: e.gutter(left, line, first, marks[line]) + e.line(t, s, from, to)})
		e.shown = append(e.shown, s)
		next, ok := w.next(s)
		if !ok {
			break
		}
		s = next
	}
	if e.beside() {
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
		if e.words != "" && pos >= matchTo && (match < 0 || pos > match) {
			match, matchTo = e.matchFrom(t, pos, s.to)
		}
		var now typeset.Style
		switch {
		case pos >= from && pos < to:
			now = st.Selected
		case match >= 0 && pos >= match && pos < matchTo:
			now = st.Match
		case e.sketched >= 0 && pos < e.sketch.Body:
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
	if e.sketched < 0 || e.sketch.Post == nil {
		return nil
	}
	return e.sketch.Problems
}

// own reports a problem of this text; it may make one for another post.
func (e *editor) own(p blog.Problem) bool {
	return markdown.Clean(p.Path) == markdown.Clean(e.sketch.Post.Path)
}

// remark says what is doubtful in the cursor's line; in the first one also what
// is so in no line of this text, once it has a name.
func (e *editor) remark() string {
	t, _, at := e.state()
	line := t.Line(at) + 1
	var all []string
	for _, p := range e.problems() {
		switch own := e.own(p); {
		case own && (p.Line == line || p.Line == 0 && line == 1 && e.name != ""):
			all = append(all, oneLine(p.Text))
		case !own && line == 1:
			all = append(all, oneLine(p.String()))
		}
	}
	return strings.Join(all, " · ")
}

// door is the name of this way in, in the record.
const door = "browser"

// later does something to the browser after a while.
func (b *browser) later(d time.Duration, f func()) { b.after(d, deliver(f)) }
