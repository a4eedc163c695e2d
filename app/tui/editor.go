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

// door is the name of this way in, in the record.
const door = "browser"
