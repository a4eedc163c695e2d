package tui

import (
	"bytes"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

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
	b    *browser
	a    *author
	buf  *buffer.Buffer
	view textView

	origin            // what the text was taken from
	unsaved      bool // differs from there though nothing was typed: continued, merged
	finalNewline bool // its last line ends with a line end, and shall

	edition          *blog.Edition // in which the origin was compared last
	changedElsewhere bool          // somebody has changed the file since
	saving           bool

	seenVersion int // the version of the text that autosave and inspection know of
	saver       *autosaver
	autosaving  autosaving
	inspecting  inspecting
}

// An origin is the state of a file that a text was taken from.
type origin struct {
	path string // "" until a new text is saved
	hash string // of the blob; "" when there was no file
}

func originOf(t blog.Text) origin { return origin{t.Path, t.Hash} }

// A document is a text to be edited.
type document struct {
	blog.Text
	cursor  int
	keptID  string // of the autosave it comes from; "": of none, or a copy
	unsaved bool
}

// recordedAfter is how long it takes at most until a change that was made by
// hand is in the history.
const recordedAfter = time.Second

// openEditor puts an editor on top.
func (a *author) openEditor(d document) *editor {
	b := a.b
	e := &editor{
		b: b, a: a, buf: buffer.New(string(d.Body), d.cursor, a.longestText()),
		origin: originOf(d.Text), unsaved: d.unsaved,
		finalNewline: d.Hash == "" || bytes.HasSuffix(d.Body, []byte("\n")),
		edition:      b.edition, saver: &autosaver{visitor: a.visitor, id: d.keptID, version: -1},
		inspecting: inspecting{version: -1, running: true},
	}
	e.view = textView{buf: e.buf, goalColumn: -1}
	e.seenVersion = e.buf.Version()
	e.inBackground(e.saver.lock)
	b.push(e)
	b.background(e.inspectJob())
	if e.dirty() {
		e.autosave()
	}
	return e
}

// longestText is how many bytes may be typed. It leaves room for the line end
// that saving adds.
func (a *author) longestText() int {
	return int(a.visitor.MaxFile("x.md")) - len("\r\n")
}

// tooLong reports, and tells the author, that the last change was refused
// because it would have made the text too long.
func (e *editor) tooLong() bool {
	if !e.buf.Refused() {
		return false
	}
	e.sayTooLong()
	return true
}

func (e *editor) sayTooLong() {
	most := e.a.visitor.MaxFile("x.md") >> 10
	e.b.say(fmt.Sprintf("Too long: a post has at most %d KB. Delete something or begin another post.", most))
}

func (e *editor) kind() screenKind { return onEditor }

func (e *editor) breadcrumb() string {
	st := e.b.styles
	s := st.Bold.On(typeset.Truncate(e.title(), max(e.b.geo.width/2, 10)))
	if e.dirty() {
		s += " ●"
	}
	if p := e.inspecting.result.Post; p != nil {
		s += "  " + st.Dim.On(p.State.String())
	}
	return s
}

// title is the post's title when the text was last inspected, else its path.
func (e *editor) title() string {
	if p := e.inspecting.result.Post; p != nil && markdown.Line(p.Title) != "" {
		return markdown.Line(p.Title)
	}
	if e.path != "" {
		return markdown.Line(e.path)
	}
	return "a new post"
}

func (e *editor) windowTitle() string { return windowTitle(e.b.edition.Site().Title, e.title()) }

func (e *editor) status() string {
	t, _, at := e.view.state()
	line := t.Line(at)
	pos := fmt.Sprintf("line %d, col %d", line+1, cells(t.Slice(t.LineStart(line), at))+1)
	switch {
	case e.autosaving.problem != "":
		return "NOT KEPT  " + pos
	case e.dirty() && !e.autosaving.last.IsZero() && e.b.geo.width >= narrow:
		return "kept " + seconds(time.Since(e.autosaving.last)) + "   " + pos
	}
	return pos
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

func (e *editor) dirty() bool { return e.unsaved || e.buf.Changed() }

func (e *editor) refresh() {
	if e.edition != e.b.edition {
		e.edition = e.b.edition
		e.compareOrigin()
		e.b.later(recordedAfter, e.compareOrigin)
	}
	if e.inspecting.version >= 0 && e.inspecting.key != e.previewKey() {
		e.inspect(0)
	}
}

func (e *editor) cursor() *terminal.Cell { return e.view.cursor }

func (e *editor) rows(height int) []terminal.Row {
	e.fit()
	problems := map[int]bool{}
	for _, p := range e.problems() {
		if e.isOwn(p) {
			problems[p.Line-1] = true
		}
	}
	rows := e.view.rows(height, e.inspecting.result.Body, problems, e.b.styles)
	if e.previewBeside() {
		rows = e.withPreview(rows, height)
	}
	return rows
}

// fit gives the text the room that it has.
func (e *editor) fit() { e.view.fit(e.b.geo, e.previewBeside()) }

// event takes what is typed, pasted, and done with the mouse.
func (e *editor) event(ev terminal.Event) {
	e.fit()
	switch ev.Kind {
	case terminal.Paste:
		e.buf.Paste(printable(ev.Text))
		e.afterEdit()
	case terminal.PointerDown, terminal.PointerDrag, terminal.WheelUp, terminal.WheelDown:
		e.view.mouse(ev, e.b.geo)
	case terminal.Key:
		e.key(ev)
	}
}

func (e *editor) can(a action) bool {
	switch a {
	case actCancel:
		anchor, at := e.buf.Selection()
		return anchor != at
	case actFindAgain:
		return e.view.sought != ""
	}
	return true
}

// act does what a key of the key map stands for. All other keys come to event.
func (e *editor) act(a action) {
	e.fit()
	switch a {
	case actSave:
		e.save(nil)
	case actPublishText:
		e.publish()
	case actPreview:
		e.togglePreview()
	case actFields:
		e.a.openForm(e)
	case actFindText:
		e.askFind()
	case actFindAgain:
		e.find(e.view.sought, true)
	case actReplaceText:
		e.askReplace()
	case actGoToLine:
		e.askLine()
	case actUndoText:
		if !e.buf.Undo() {
			e.b.say("nothing to undo")
		}
	case actRedoText:
		if !e.buf.Redo() {
			e.b.say("nothing to redo")
		}
	case actCutText:
		e.a.copy(e.buf.Cut())
	case actCopyText:
		e.copy()
	case actPasteText:
		e.buf.Paste(e.a.clipboard)
	case actSelectAll:
		e.buf.SelectAll()
	case actLineNumbers:
		e.view.numbers = !e.view.numbers
	case actClose:
		e.askClose()
		return
	}
	e.afterEdit()
}

// afterEdit must be called after everything that may have changed the text or
// moved the cursor.
func (e *editor) afterEdit() {
	e.view.goalColumn, e.view.scrolledAway = -1, false
	e.tooLong()
	e.changed()
}

// changed schedules an autosave and an inspection if the text has changed.
func (e *editor) changed() {
	v := e.buf.Version()
	if v == e.seenVersion {
		return
	}
	e.seenVersion = v
	if !e.autosaving.due {
		e.autosaving.due = true
		e.b.later(autosaveAfter, e.autosave)
	}
	e.inspectSoon()
}

// copy copies the selection, or the line the cursor is in.
func (e *editor) copy() {
	s := e.buf.Selected()
	if s == "" {
		t, _, at := e.view.state()
		line := t.Line(at)
		from, to := t.LineStart(line), t.Len()
		if line+1 < t.Lines() {
			to = t.LineStart(line + 1)
		}
		s = t.Slice(from, to)
	}
	e.a.copy(s)
}

// inBackground does something outside of Update that nothing comes of.
func (e *editor) inBackground(f func()) {
	e.b.command(func() tea.Msg {
		f()
		return nil
	})
}
