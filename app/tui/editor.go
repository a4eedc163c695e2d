package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
	"sheaf/app/buffer"
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
	at      *cell
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

// A keeper keeps the newest version of one text, whoever of several
// goroutines is last.
type keeper struct {
	visitor blog.Visitor

	mu      sync.Mutex
	id      string
	version int
	release func() // of the hold on what is kept
}

// hold keeps other sessions of the author from being offered this text.
func (k *keeper) hold(id string) {
	if id != k.id && k.release != nil {
		k.release()
		k.release = nil
	}
	if k.id = id; id != "" && k.release == nil {
		k.release = k.visitor.Hold(id)
	}
}

// end gives up the hold.
func (k *keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.release != nil {
		k.release()
		k.release = nil
	}
}

func (k *keeper) put(ctx context.Context, version int, text blog.Kept) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version <= k.version {
		return nil
	}
	text.ID = k.id
	id, err := k.visitor.Keep(ctx, text)
	if err != nil {
		return err
	}
	k.hold(id)
	k.version = version
	return nil
}

// drop forgets what is kept: up to this version the text is safe elsewhere, or
// not wanted.
func (k *keeper) drop(ctx context.Context, version int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.version = max(k.version, version)
	if k.id == "" {
		return nil
	}
	err := k.visitor.Forget(ctx, k.id)
	if err == nil {
		k.hold("")
	}
	return err
}

func (b *browser) openEditor(w work) *editor {
	e := &editor{b: b, buf: buffer.New(string(w.text), w.at), name: w.name, base: w.base, hash: w.hash, unsaved: w.unsaved,
		edition: b.edition, goal: -1, sketched: -1, closed: w.hash == "" || bytes.HasSuffix(w.text, []byte("\n")),
		keep: &keeper{visitor: b.conf.Visitor, version: -1}}
	e.keep.hold(w.id)
	e.seen = e.buf.Version()
	b.push(e)
	e.sketching = true
	b.work(e.sketchJob())
	return e
}

// edit opens a post's source; what is kept of it is offered first.
func (b *browser) edit(p *blog.Post) {
	v, ctx := b.conf.Visitor, b.ctx
	b.work(func() func() {
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
	pos := fmt.Sprintf("line %d, col %d", line+1, e.b.cells(t.Slice(t.LineStart(line), at))+1)
	switch {
	case e.unkept != "":
		return "NOT KEPT  " + pos
	case e.dirty() && !e.kept.IsZero() && e.b.geo.width >= narrow:
		return "kept " + seconds(time.Since(e.kept)) + "   " + pos
	}
	return pos
}

// cells counts the cells of a line, a very long one not to its end.
func (b *browser) cells(s string) int {
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

// compareBase says when somebody else has changed the post since the text was
// taken from it.
func (e *editor) compareBase() {
	if e.name == "" || e.hash == "" || e.overtaken || e.committing {
		return
	}
	f, err := e.b.conf.Visitor.Files(e.b.ctx)
	if err != nil {
		return
	}
	if now, err := f.Stat(e.name); err != nil || now.Hash != e.hash {
		e.overtaken = true
		e.b.say("Somebody has changed this post. Saving will show both texts.")
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

func (e *editor) snapshot() (version int, k blog.Kept) {
	t, _, at := e.state()
	return e.buf.Version(), blog.Kept{Path: e.name, Base: e.base, Hash: e.hash, Text: []byte(t.String()), At: at, Time: time.Now(), Door: door}
}

// keepNow keeps the text aside, off this goroutine.
func (e *editor) keepNow() {
	e.waiting = false
	ctx, keep := e.b.ctx, e.keep
	if !e.dirty() { // all of it was undone
		version := e.buf.Version()
		e.b.do(func() tea.Msg {
			_ = keep.drop(ctx, version) // it is offered once more, at worst
			return nil
		})
		return
	}
	version, text := e.snapshot()
	e.b.do(func() tea.Msg {
		err := keep.put(ctx, version, text)
		return deliver(func() { e.keptAt(text.Time, err) })
	})
}

func (e *editor) keptAt(t time.Time, err error) {
	if err == nil {
		e.kept, e.unkept = t, ""
		return
	}
	if e.b.ctx.Err() != nil {
		return
	}
	why := e.b.why(err)
	if e.unkept != why {
		e.unkept = why
		e.b.say("Your text is not being kept: " + why)
	}
	if !e.waiting { // it may pass
		e.waiting = true
		e.b.later(5*time.Second, e.keepNow)
	}
}

// close keeps the text when the session ends, however it does.
func (e *editor) close() {
	defer e.keep.end()
	if !e.dirty() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.b.ctx), goodbyeLimit)
	defer cancel()
	version, text := e.snapshot()
	if err := e.keep.put(ctx, version, text); err != nil {
		e.b.conf.Log.Error("a text is not kept", "path", text.Path, "err", err)
	}
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
	b.paint.copy(s)
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
func (e *editor) event(ev event) bool {
	switch ev.answer {
	case paste:
		e.buf.Paste(printable(ev.text))
		e.moved()
		return true
	case pointerDown, pointerDrag, wheelUp, wheelDown:
		e.mouse(ev)
		return true
	case noAnswer:
		return e.key(ev)
	}
	return false
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

func (e *editor) key(ev event) bool {
	key := ev.key
	selecting := strings.Contains(key, "shift+")
	if selecting {
		key = strings.Replace(key, "shift+", "", 1)
	}
	if m, ok := motionOf(key); ok {
		e.buf.Move(m, selecting)
		e.moved()
		return true
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
		return true
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
		s := printable(ev.text)
		if s == "" {
			return false
		}
		e.buf.Type(s)
	}
	e.moved()
	return true
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

func (e *editor) mouse(ev event) {
	switch ev.answer {
	case wheelUp, wheelDown:
		w := e.wrapping(e.buf.Text())
		s := w.row(e.top)
		for range wheelRows {
			next, ok := w.next(s)
			if ev.answer == wheelUp {
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
	y := ev.y
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
	at := w.place(s, max(ev.x-left, 0))
	if ev.answer == pointerDrag {
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

func (e *editor) cursor() *cell { return e.at }

func (e *editor) rows(height int) []row {
	t, anchor, at := e.state()
	w := e.wrapping(t)
	e.ensure(w, height)
	left, _ := e.room()
	from, to := min(anchor, at), max(anchor, at)
	marks := map[int]bool{}
	if e.sketched >= 0 {
		for _, p := range e.sketch.Problems {
			marks[p.Line-1] = true
		}
	}
	e.shown, e.at = e.shown[:0], nil
	rows := make([]row, 0, height)
	s := w.row(e.top)
	cur := w.row(at)
	for len(rows) < height {
		line := t.Line(s.from)
		first := s.from == t.LineStart(line)
		if s.from == cur.from && s.to == cur.to {
			e.at = &cell{min(left+w.column(s, at), e.b.geo.width-1), len(rows)}
		}
		rows = append(rows, row{0, e.gutter(left, line, first, marks[line]) + e.line(t, s, from, to)})
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
	return st.Dim.On(rightAligned(s, width-2)) + mark + " "
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

// matchFrom finds what is looked for in a row.
func (e *editor) matchFrom(t buffer.Text, at, end int) (from, to int) {
	if from, to, ok := t.Match(e.words, at, end); ok {
		return from, to
	}
	return end, end
}

// remark says what is doubtful in the cursor's line.
func (e *editor) remark() string {
	if e.sketched < 0 {
		return ""
	}
	t, _, at := e.state()
	line := t.Line(at) + 1
	var all []string
	for _, p := range e.sketch.Problems {
		if p.Line == line {
			all = append(all, oneLine(p.Text))
		}
	}
	return strings.Join(all, " · ")
}

func (e *editor) askFind() {
	_, start := e.buf.Selection()
	t := e.buf.Text()
	e.b.prompt = &prompt{b: e.b, label: "find: ",
		tail: func() string {
			if e.b.prompt == nil || e.b.prompt.text == "" {
				return ""
			}
			if n := t.Count(e.b.prompt.text); n > 0 {
				if n == 1 {
					return "1 match"
				}
				return strconv.Itoa(n) + " matches"
			}
			return "no match"
		},
		change: func(words string) {
			e.words = words
			if from, to, ok := t.Find(words, start); ok && words != "" {
				e.buf.MoveTo(from, false)
				e.buf.MoveTo(to, true)
			} else {
				e.buf.MoveTo(start, false)
			}
			e.loose = false
		},
		enter: func(words string) {
			if words == "" && e.words != "" {
				e.find(e.words, true)
				return
			}
			e.find(words, false)
		},
		cancel: func() {
			e.words = ""
			e.buf.MoveTo(start, false)
		},
	}
	if sel := e.buf.Selected(); sel != "" && len(sel) < mostTyped && !strings.Contains(sel, "\n") {
		e.b.prompt.text = sel
		e.words = sel
	}
}

// find selects the next place of some words, or the one at the cursor.
func (e *editor) find(words string, next bool) bool {
	anchor, at := e.buf.Selection()
	e.words = words
	start := min(anchor, at)
	if next {
		start = max(anchor, at)
	}
	from, to, ok := e.buf.Text().Find(words, start)
	if !ok {
		e.b.say("No match for «" + oneLine(words) + "».")
		e.words = ""
		return false
	}
	if from < start {
		e.b.say("from the beginning again")
	}
	e.buf.MoveTo(from, false)
	e.buf.MoveTo(to, true)
	e.goal, e.loose = -1, false
	return true
}

func (e *editor) askReplace() {
	e.b.prompt = &prompt{b: e.b, label: "replace: ", text: e.words, enter: func(words string) {
		if words == "" {
			return
		}
		e.b.prompt = &prompt{b: e.b, label: "by: ", bare: true, enter: func(by string) {
			if e.find(words, false) {
				e.askEach(words, by)
			}
		}}
	}}
}

// askEach goes from match to match.
func (e *editor) askEach(words, by string) {
	next := func() {
		if e.find(words, true) {
			e.askEach(words, by)
		}
	}
	e.b.choice = &choice{b: e.b, text: "Replace this one?", options: []option{
		{"y", "yes", func() {
			e.buf.Replace(by)
			e.moved()
			next()
		}},
		{"n", "next", next},
		{"a", "all", func() {
			n := e.buf.ReplaceAll(words, by)
			e.words = ""
			e.moved()
			e.b.say(fmt.Sprintf("replaced %d", n))
		}},
	}}
}

func (e *editor) askLine() {
	e.b.prompt = &prompt{b: e.b, label: "line: ", tail: func() string { return "of " + strconv.Itoa(e.buf.Text().Lines()) }, enter: func(s string) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return
		}
		t := e.buf.Text()
		e.buf.MoveTo(t.LineStart(max(min(n, t.Lines()), 1)-1), false)
		e.moved()
	}}
}

// ask closes the editor; a text that is not saved is not left in silence.
func (e *editor) ask() {
	if !e.dirty() {
		e.leave(true)
		return
	}
	e.b.choice = &choice{b: e.b, text: "Not saved.", options: []option{
		{"s", "save", func() { e.save(func() { e.leave(true) }) }},
		{"k", "keep for later", func() {
			e.b.work(func() func() {
				version, text := e.snapshot()
				err := e.keep.put(e.b.ctx, version, text)
				return func() {
					if err != nil {
						e.keptAt(time.Time{}, err)
						return
					}
					e.leave(false)
					e.b.say("kept; w in the list shows it")
				}
			})
		}},
		{"d", "discard", func() {
			e.leave(true)
			e.b.say("discarded")
		}},
	}}
}

// leave takes the editor off; forget also drops what is kept.
func (e *editor) leave(forget bool) {
	if forget {
		version := e.buf.Version()
		ctx, keep := e.b.ctx, e.keep
		e.b.work(func() func() {
			err := keep.drop(ctx, version)
			return func() {
				if err != nil {
					e.b.refused(err)
				}
			}
		})
	}
	e.unsaved = false
	e.buf.Saved()
	if !forget {
		e.keep.end()
	}
	if e.b.top() == screen(e) {
		e.b.back()
	}
}

// save commits the text. When somebody else has changed the post, both texts
// are shown instead.
func (e *editor) save(then func()) {
	e.commit("save", nil, then)
}

// publish commits the text and shows it to readers.
func (e *editor) publish() {
	v := e.b.conf.Visitor
	e.commit("publish", func(ctx context.Context, r blog.Receipt) (blog.Receipt, error) {
		for _, f := range r.Files {
			if f.Post != nil {
				return v.Publish(ctx, f.Post.Slug)
			}
		}
		return r, nil
	}, nil)
}

func (e *editor) commit(verb string, more func(context.Context, blog.Receipt) (blog.Receipt, error), then func()) {
	v, ctx := e.b.conf.Visitor, e.b.ctx
	version, text := e.buf.Version(), e.buf.Text()
	src := []byte(text.String())
	if n := len(src); e.closed && n > 0 && src[n-1] != '\n' {
		src = append(src, '\n')
	}
	name, base, hash := e.name, e.base, e.hash
	head := e.b.head()
	if e.committing {
		return
	}
	e.committing = true
	e.b.work(func() func() {
		var err error
		if name == "" {
			name, err = v.PathOf(src)
		}
		var saved, r blog.Receipt
		if err == nil {
			saved, err = v.Save(ctx, name, base, hash, src, verb+" "+name)
		}
		var now []byte
		r = saved
		var after error
		if err == nil {
			if more != nil {
				r, after = more(ctx, saved)
			}
			_, base, hash, now, err = v.Open(ctx, name)
		}
		return func() {
			e.committing = false
			switch {
			case errors.Is(err, blog.ErrConflict):
				e.conflict(name)
				return
			case err != nil:
				e.b.refused(err)
				return
			}
			e.name, e.base, e.hash, e.unsaved, e.overtaken = name, base, hash, false, false
			e.b.committed(saved, head, "saving "+e.title())
			e.b.follow(v.Edition())
			if after == nil {
				e.b.committed(r, saved.Rev, "publishing "+e.title())
			}
			if e.buf.Version() == version {
				e.take(string(now))
				e.buf.Saved()
				version = e.buf.Version()
			} else {
				e.unsaved = string(now) != string(src) // the rest comes with the next saving
			}
			e.seen = e.buf.Version()
			keep := e.keep
			e.b.do(func() tea.Msg {
				_ = keep.drop(ctx, version) // it is offered once more, at worst
				return nil
			})
			e.look(0)
			if after != nil {
				e.b.refused(after)
				return
			}
			what := "saved"
			if more != nil {
				what = "published"
			}
			e.b.say(e.b.outcome(r, what))
			if then != nil {
				then()
			}
		}
	})
}

// take brings the text to what the file is now, as one change of what differs.
func (e *editor) take(now string) {
	old := e.buf.Text().String()
	if old == now {
		return
	}
	from, to, s := difference(old, now)
	e.buf.Splice(from, to, s)
}

// difference gives what has to be put in the place of what, to make one text of
// another. It cuts no character in two.
func difference(old, now string) (from, to int, s string) {
	for from < min(len(old), len(now)) && old[from] == now[from] {
		from++
	}
	for from > 0 && from < len(old) && old[from-1] != '\n' {
		from--
	}
	end := 0
	for end < min(len(old), len(now))-from && old[len(old)-1-end] == now[len(now)-1-end] {
		end++
	}
	for end > 0 && end < len(old) && old[len(old)-end-1] != '\n' {
		end--
	}
	return from, len(old) - end, now[from : len(now)-end]
}

// conflict shows what somebody else has made of the post meanwhile.
func (e *editor) conflict(name string) {
	v, ctx := e.b.conf.Visitor, e.b.ctx
	mine, hash := e.buf.Text().String(), e.hash
	e.b.work(func() func() {
		_, rev, now, theirs, err := v.Open(ctx, name)
		gone := errors.Is(err, fs.ErrNotExist)
		if gone {
			err = nil
		}
		var before []byte
		if err == nil && hash != "" {
			before, err = v.Get(ctx, hash)
		}
		var who string
		if log, e := v.Log(ctx, name, 1); e == nil && len(log) > 0 {
			who = authorOf(log[0])
		}
		return func() {
			switch {
			case err != nil:
				e.b.refused(err)
			case gone:
				e.b.choice = &choice{b: e.b, text: "Deleted by " + who + ".", options: []option{{"n", "save it as new", func() {
					e.base, e.hash, e.unsaved = 0, "", true
					e.save(nil)
				}}}}
			default:
				e.b.push(newMerge(e, who, before, []byte(mine), theirs, rev, now))
			}
		}
	})
}

func authorOf(r blog.Revision) string {
	who := oneLine(r.Author)
	if who == "" {
		who = "somebody at the server"
	}
	return who + " (" + r.Door + ", " + ago(r.Time, time.Now()) + ")"
}

// door is the name of this way in, in the record.
const door = "browser"

// later does something to the browser after a while.
func (b *browser) later(d time.Duration, f func()) { b.after(d, deliver(f)) }
