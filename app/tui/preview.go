package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// The preview of a text being written is what a reader would be shown: the
// blog is asked what it would make of the text, and that is set as any post
// is. It is made outside of Update, one at a time, when the typing pauses, and
// blocks that have not changed are taken over.

const (
	previewFrom  = 120                    // cells of a window that has room for the preview beside the text
	inspectAfter = 120 * time.Millisecond // an inspection waits for a pause in the typing
	inspectShare = 4                      // of the time at most one in so many parts is spent on inspections
)

// inspecting is what the blog makes of a text as it stood a moment ago.
type inspecting struct {
	result  blog.Inspection
	version int  // of the text that result is of; -1: of none yet
	running bool // another one is being made, or about to be
	took    time.Duration

	preview *typeset.IncrementalPage // beside the text; nil: none
	key     pageKey                  // of the preview
	hidden  bool                     // the author wants no preview beside the text
}

// inspectSoon has the text inspected when the typing pauses, the later the
// longer an inspection takes.
func (e *editor) inspectSoon() { e.inspect(max(inspectAfter, e.inspecting.took*inspectShare)) }

// inspect has the text inspected after a while, unless it is about to be.
func (e *editor) inspect(after time.Duration) {
	if e.inspecting.running {
		return
	}
	e.inspecting.running = true
	e.b.later(after, func() {
		job := e.inspectJob()
		e.b.command(func() tea.Msg { return deliver(job()) })
	})
}

// inspectJob returns the job that inspects the text as it is now, and sets its
// preview.
func (e *editor) inspectJob() func() (then func()) {
	visitor, setter, key := e.a.visitor, e.b.conf.Setter, e.previewKey()
	version, text, path, before := e.buf.Version(), e.buf.Text(), e.path, e.inspecting.preview
	if e.inspecting.key != key {
		before = nil
	}
	return func() func() {
		begin := time.Now()
		result := visitor.Inspect(path, []byte(text.String()))
		var preview *typeset.IncrementalPage
		if key.measure > 0 {
			preview = setter.Incremental(before, result.Post.Document(), header(result.Post), key.measure, key.theme)
		}
		took := time.Since(begin)
		return func() {
			i := &e.inspecting
			i.result, i.version, i.running, i.took = result, version, false, took
			i.preview, i.key = preview, key
			if e.buf.Version() != version || e.previewKey() != key {
				e.inspectSoon()
			}
		}
	}
}

// problems are those of the text as it was last inspected.
func (e *editor) problems() []blog.Problem {
	if e.inspecting.result.Post == nil {
		return nil
	}
	return e.inspecting.result.Problems
}

// isOwn reports whether a problem is one of this text. A text may also make one
// for another post, by taking its address.
func (e *editor) isOwn(p blog.Problem) bool {
	return markdown.Clean(p.Path) == markdown.Clean(e.inspecting.result.Post.Path)
}

// lineProblem returns the problems of the line the cursor is in. Those of the
// whole file (once it has a name) and of other posts belong to the first line.
func (e *editor) lineProblem() string {
	t, _, at := e.view.state()
	line := t.Line(at) + 1
	var all []string
	for _, p := range e.problems() {
		switch own := e.isOwn(p); {
		case own && (p.Line == line || p.Line == 0 && line == 1 && e.path != ""):
			all = append(all, markdown.Line(p.Text))
		case !own && line == 1:
			all = append(all, markdown.Line(p.String()))
		}
	}
	return strings.Join(all, " · ")
}

// previewBeside reports whether the preview stands beside the text.
func (e *editor) previewBeside() bool { return e.b.geo.width >= previewFrom && !e.inspecting.hidden }

// previewAt is the column at which the preview beside the text begins.
func (e *editor) previewAt() int { return (e.b.geo.width-3)/2 + 3 }

// previewKey is what the preview beside the text is set for. The measure is 0
// if there is no preview.
func (e *editor) previewKey() pageKey {
	if !e.previewBeside() {
		return pageKey{theme: e.b.theme}
	}
	return pageKey{min(widest, e.b.geo.width-e.previewAt()-1), e.b.theme}
}

// withPreview sets the preview behind the rows of the text, so that the
// cursor's paragraph stands beside the cursor.
func (e *editor) withPreview(rows []terminal.Row, height int) []terminal.Row {
	for len(rows) < height {
		rows = append(rows, terminal.Row{})
	}
	at := e.previewAt()
	var lines []string
	first := 0
	if e.inspecting.preview != nil {
		page := e.inspecting.preview.Page()
		lines = page.Lines
		t, _, cursor := e.view.state()
		beside := height / 3
		if e.view.cursor != nil {
			beside = e.view.cursor.Y
		}
		first = max(min(page.StartOf(t.Line(cursor)+1)-beside, len(lines)-height+1), 0)
		if first > 0 {
			first-- // nothing begins at the very top
		}
	}
	rule := e.b.styles.Dim.On("│")
	for y := range rows {
		line := ""
		if i := first + y; i < len(lines) {
			line = lines[i]
		}
		text := leftAligned(rows[y].Text, at-2-rows[y].At) + rule
		if line != "" {
			text += " " + line
		}
		rows[y].Text = text
	}
	return rows
}

// togglePreview shows or hides the preview beside the text. In a narrow window
// the preview is a screen of its own.
func (e *editor) togglePreview() {
	if e.b.geo.width >= previewFrom {
		e.inspecting.hidden = !e.inspecting.hidden
		return
	}
	e.openPreview()
}

// openPreview shows the preview on a screen of its own, at the cursor's
// paragraph.
func (e *editor) openPreview() {
	b, visitor, path := e.b, e.a.visitor, e.path
	version, text := e.buf.Version(), e.buf.Text()
	b.background(func() func() {
		result := visitor.Inspect(path, []byte(text.String()))
		return func() {
			e.inspecting.result, e.inspecting.version = result, version
			p, setter := result.Post, b.conf.Setter
			_, at := e.buf.Selection()
			b.push(&pager{
				b: b, name: markdown.Line(p.Title) + " › preview", goTo: text.Line(at) + 1,
				setText: func(measure int, t typeset.Theme) *typeset.Page {
					return setter.Incremental(nil, p.Document(), header(p), measure, t).Page()
				},
			})
		}
	})
}
