package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// The preview of a text being written is what a reader would be shown: the
// blog is asked what it would make of the text, and that is set as any post
// is. It is made outside of Update, one at a time, when the typing pauses, and
// blocks that have not changed are taken over.

// inspectSoon has the text looked at again after a while.
func (e *editor) inspectSoon(after time.Duration) {
	if e.inspecting {
		return
	}
	e.inspecting = true
	e.b.later(after, e.inspectNow)
}

func (e *editor) inspectNow() {
	job := e.inspectJob()
	e.b.command(func() tea.Msg { return deliver(job()) })
}

// inspectJob gives what makes the preview of the text as it stands now.
func (e *editor) inspectJob() func() (then func()) {
	v, conf, key := e.b.conf.Visitor, e.b.conf, e.pageKey()
	version, text, name, before := e.buf.Version(), e.buf.Text(), e.path, e.previewDraft
	if e.previewKey != key {
		before = nil
	}
	return func() func() {
		begin := time.Now()
		made := v.Sketch(name, []byte(text.String()))
		p := made.Post
		var set *typeset.IncrementalPage
		if key.measure > 0 {
			set = conf.Setter.Incremental(before, p.Document(), typeset.Header{Title: oneLine(p.Title), Note: oneLine(p.Note())}, key.measure, key.theme)
		}
		took := time.Since(begin)
		return func() {
			e.inspecting = false
			e.inspection, e.inspected, e.previewDraft, e.previewKey, e.inspectTook = made, version, set, key, took
			if e.buf.Version() != version || e.pageKey() != key {
				e.inspectSoon(max(inspectAfter, took*inspectShare))
			}
		}
	}
}

// pageKey is how the preview beside the text is set; its measure is 0 when there
// is none.
func (e *editor) pageKey() pageKey {
	if !e.previewBeside() {
		return pageKey{theme: e.b.theme}
	}
	return pageKey{min(widest, e.b.geo.width-e.previewAt()-1), e.b.theme}
}

// previewAt is the column at which the preview begins.
func (e *editor) previewAt() int { return (e.b.geo.width-3)/2 + 3 }

// withPreview sets the preview behind the rows of the text, so that the
// cursor's paragraph stands beside the cursor.
func (e *editor) withPreview(rows []terminal.Row, height int) []terminal.Row {
	for len(rows) < height {
		rows = append(rows, terminal.Row{})
	}
	at := e.previewAt()
	var lines []string
	first := 0
	if e.previewDraft != nil {
		lines = e.previewDraft.Page().Lines
		t, _, cursor := e.state()
		beside := height / 3
		if e.cursorCell != nil {
			beside = e.cursorCell.Y
		}
		first = max(min(e.previewDraft.Page().StartOf(t.Line(cursor)+1)-beside, len(lines)-height+1), 0)
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

// openPreview shows the preview on a screen of its own, at the cursor's
// paragraph.
func (e *editor) openPreview() {
	b := e.b
	version, text, name := e.buf.Version(), e.buf.Text(), e.path
	v := b.conf.Visitor
	b.background(func() func() {
		made := v.Sketch(name, []byte(text.String()))
		return func() {
			_, _, at := e.state()
			e.inspection, e.inspected = made, version
			p := made.Post
			var page *typeset.Page
			s := &pager{b: b, name: oneLine(p.Title) + " › preview"}
			s.make = func(width int) []string {
				set := b.conf.Setter.Incremental(nil, p.Document(), typeset.Header{Title: oneLine(p.Title), Note: oneLine(p.Note())}, width, b.theme)
				page = set.Page()
				return page.Lines
			}
			b.push(s)
			s.refresh()
			s.to(page.StartOf(text.Line(at)+1) + s.geo.lead - s.geo.body()/3)
		}
	})
}
