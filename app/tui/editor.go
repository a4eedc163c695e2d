package tui

import (
	"bytes"
	"fmt"
	"time"

	"sheaf/app/blog"
	"sheaf/app/buffer"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// An editor is where an author writes. What is typed is kept aside a moment
// after each change and when the session ends, so that no word is lost; the
// blog changes only when the author saves.
type editor struct {
	b   *browser
	buf *buffer.Buffer

	path             string   // path of the file; "" until a new text is saved
	base             blog.Rev // what the text was taken from
	hash             string
	unsaved          bool // differs from base though nothing was typed: continued, merged
	finalNewline     bool // its last line ends with a line end, and shall
	edition          *blog.Edition
	changedElsewhere bool // somebody has changed the file since
	committing       bool // and that is the author

	saver         *autosaver
	autosaveDue   bool // to be kept soon
	autosaved     time.Time
	autosaveError string // why not
	seenVersion   int    // the version that was last looked at

	top          int  // where the first row begins
	scrolledAway bool // the wheel has moved the text away from the cursor
	goalColumn   int  // the column that up and down keep to; -1: the cursor's
	numbers      bool
	shownRows    []span // the rows on the screen
	wrapped      *wrapping
	cursorCell   *terminal.Cell
	clickedWhen  time.Time
	clickedAt    int // the place that was pressed
	sought       string

	inspection    blog.Sketch
	inspected     int // the version it is of; -1: none
	inspecting    bool
	inspectTook   time.Duration // the last one took
	previewDraft  *typeset.IncrementalPage
	previewKey    pageKey
	previewHidden bool // no preview beside the text
}

// A document is a text to be edited, and what it was taken from.
type document struct {
	path    string
	base    blog.Rev
	hash    string
	text    []byte
	cursor  int
	keptID  string // of what is kept of it
	unsaved bool
}

const (
	autosaveAfter = time.Second            // a change is kept after so long
	inspectAfter  = 120 * time.Millisecond // a preview waits for a pause in the typing
	inspectShare  = 4                      // of the time at most one in so many parts is spent on previews
	doubleClick   = 400 * time.Millisecond
	wheelRows     = 3
	previewFrom   = 120         // cells of a window that has room for the preview beside the text
	recordedAfter = time.Second // what is changed by hand is in the history after so long
	closeTimeout  = 3 * time.Second
)

func (b *browser) openEditor(w document) *editor {
	e := &editor{b: b, buf: buffer.New(string(w.text), w.cursor, b.longestText()), path: w.path, base: w.base, hash: w.hash, unsaved: w.unsaved,
		edition: b.edition, goalColumn: -1, inspected: -1, finalNewline: w.hash == "" || bytes.HasSuffix(w.text, []byte("\n")),
		saver: &autosaver{visitor: b.conf.Visitor, version: -1}}
	e.saver.lock(w.keptID)
	e.seenVersion = e.buf.Version()
	b.push(e)
	e.inspecting = true
	b.background(e.inspectJob())
	if e.dirty() {
		e.autosave()
	}
	return e
}

// longestText is how long a text may be typed: so that there is room for the line
// end that saving adds.
func (b *browser) longestText() int {
	return int(b.conf.Visitor.MaxFile("x.md")) - len("\r\n")
}

// refusedTooLong reports a change that would have made the text too long, after saying
// so.
func (e *editor) refusedTooLong() bool {
	if !e.buf.Refused() {
		return false
	}
	e.sayTooLong()
	return true
}

func (e *editor) sayTooLong() {
	e.b.say(fmt.Sprintf("Too long: a post has at most %d KB. Delete something or begin another post.", e.b.conf.Visitor.MaxFile("x.md")>>10))
}

// edit opens a post's source; what is kept of it is offered first.
func (b *browser) edit(p *blog.Post) {
	v, ctx := b.conf.Visitor, b.ctx
	b.openInput(func() func() {
		name, base, hash, src, err := v.Open(ctx, p.Path)
		var mine []blog.Kept
		if err == nil {
			mine, err = v.Kept(ctx)
		}
		return func() {
			if err != nil {
				b.sayRefused(err)
				return
			}
			now := document{path: name, base: base, hash: hash, text: src}
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
func (b *browser) continued(k blog.Kept) document {
	w := document{path: k.Path, base: k.Base, hash: k.Hash, text: k.Text, cursor: k.At, keptID: k.ID, unsaved: true}
	if b.conf.Visitor.Held(k.ID) {
		w.keptID = ""
	}
	return w
}

func (e *editor) kind() screenKind { return onEditor }

func (e *editor) breadcrumb() string {
	st := e.b.styles
	s := st.Bold.On(typeset.Truncate(e.title(), max(e.b.geo.width/2, 10)))
	if e.dirty() {
		s += " ●"
	}
	if e.inspected >= 0 && e.inspection.Post != nil {
		s += "  " + st.Dim.On(e.inspection.Post.State.String())
	}
	return s
}

func (e *editor) title() string {
	if e.inspected >= 0 && e.inspection.Post != nil && oneLine(e.inspection.Post.Title) != "" {
		return oneLine(e.inspection.Post.Title)
	}
	if e.path != "" {
		return oneLine(e.path)
	}
	return "a new post"
}

func (e *editor) windowTitle() string { return title(e.b.edition.Site().Title, e.title()) }

func (e *editor) status() string {
	t, _, at := e.state()
	line := t.Line(at)
	pos := fmt.Sprintf("line %d, col %d", line+1, cells(t.Slice(t.LineStart(line), at))+1)
	switch {
	case e.autosaveError != "":
		return "NOT KEPT  " + pos
	case e.dirty() && !e.autosaved.IsZero() && e.b.geo.width >= narrow:
		return "kept " + seconds(time.Since(e.autosaved)) + "   " + pos
	}
	return pos
}

func (e *editor) hint(k binding) string { return k.hint }

// state gives the text, the other end of the selection, and the cursor.
func (e *editor) state() (t buffer.Text, anchor, at int) {
	anchor, at = e.buf.Selection()
	return e.buf.Text(), anchor, at
}

func (e *editor) dirty() bool { return e.unsaved || e.buf.Changed() }

func (e *editor) refresh() {
	if e.edition != e.b.edition {
		e.edition = e.b.edition
		e.compareBase()
		e.b.later(recordedAfter, e.compareBase)
	}
	if e.inspected >= 0 && e.previewKey != e.pageKey() {
		e.inspectSoon(0)
	}
}

// changed does what follows from a change of the text.
func (e *editor) changed() {
	v := e.buf.Version()
	if v == e.seenVersion {
		return
	}
	e.seenVersion = v
	if !e.autosaveDue {
		e.autosaveDue = true
		e.b.later(autosaveAfter, e.autosave)
	}
	e.inspectSoon(max(inspectAfter, e.inspectTook*inspectShare))
}

func (e *editor) can(a action) bool {
	switch a {
	case actCancel:
		anchor, at := e.buf.Selection()
		return anchor != at
	case actFindAgain:
		return e.sought != ""
	}
	return true
}

func (e *editor) act(a action) {
	switch a {
	case actSave:
		e.save(nil)
	case actPublishText:
		e.publish()
	case actPreview:
		if e.b.geo.width >= previewFrom {
			e.previewHidden = !e.previewHidden
		} else {
			e.openPreview()
		}
	case actFields:
		e.b.openForm(e)
	case actFindText:
		e.askFind()
	case actFindAgain:
		e.find(e.sought, true)
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
		e.b.toClipboard(e.buf.Cut())
	case actCopyText:
		e.copy()
	case actPasteText:
		e.buf.Paste(e.b.clipboard)
	case actSelectAll:
		e.buf.SelectAll()
	case actLineNumbers:
		e.numbers = !e.numbers
	case actClose:
		e.askClose()
		return
	}
	e.afterEdit()
}

// afterEdit is called after everything that may have changed the text or the place
// of the cursor.
func (e *editor) afterEdit() {
	e.goalColumn, e.scrolledAway = -1, false
	e.refusedTooLong()
	e.changed()
}

// door is the name of this way in, in the record.
const door = "browser"
