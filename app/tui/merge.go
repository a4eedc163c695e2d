package tui

import (
	"fmt"
	"strings"

	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// A merge shows what an author and somebody else have made of the same post.
// What only one of them has changed is taken; where both have changed the same
// lines, the author chooses. Nothing is saved by it: the editor goes on with
// the text that comes out.
type merge struct {
	sheet
	b         *browser
	e         *editor
	other     string // who was first, and when
	theirs    origin // what the text that comes out is taken from
	hunks     []textdiff.Hunk
	conflicts []int        // the hunks to choose in
	begins    []int        // the line of each conflict
	taken     map[int]byte // by hunk: 'm', 't' or 'b'
	sel       int          // of conflicts
}

func newMerge(e *editor, other string, hunks []textdiff.Hunk, theirs origin) *merge {
	m := &merge{b: e.b, e: e, other: other, theirs: theirs, hunks: hunks, taken: map[int]byte{}}
	for i, h := range m.hunks {
		if h.Kind == textdiff.Clash {
			m.conflicts = append(m.conflicts, i)
		}
	}
	return m
}

func (m *merge) kind() screenKind      { return onMerge }
func (m *merge) breadcrumb() string    { return m.e.title() + " › two texts" }
func (m *merge) windowTitle() string   { return windowTitle(m.b.edition.Site().Title, "two texts") }
func (m *merge) hint(k binding) string { return k.hint }

func (m *merge) status() string {
	if n := len(m.conflicts); n > 0 {
		return fmt.Sprintf("%d of %d chosen", len(m.taken), n)
	}
	return "nothing to choose"
}

func (m *merge) can(a action) bool {
	switch a {
	case actTakeMine, actTakeTheirs, actTakeBoth:
		return len(m.conflicts) > 0
	case actFinish:
		return len(m.taken) == len(m.conflicts)
	case actCancel:
		return false
	}
	return true
}

func (m *merge) act(a action) {
	switch a {
	case actTakeMine:
		m.take('m')
	case actTakeTheirs:
		m.take('t')
	case actTakeBoth:
		m.take('b')
	case actLineDown, actLineUp:
		// From conflict to conflict as long as there are more, else by lines.
		next := m.sel + m.target(a) - m.top
		if len(m.conflicts) == 0 || next < 0 || next >= len(m.conflicts) {
			m.to(m.target(a))
			return
		}
		m.sel = next
		m.showSelected()
	case actFinish:
		m.b.back()
		m.e.merged(m.result(), m.theirs)
	default:
		m.to(m.target(a))
	}
}

// take chooses in the selected conflict and goes on to the next that waits.
func (m *merge) take(which byte) {
	m.taken[m.conflicts[m.sel]] = which
	for i := 1; i <= len(m.conflicts); i++ {
		if next := (m.sel + i) % len(m.conflicts); m.taken[m.conflicts[next]] == 0 {
			m.sel = next
			break
		}
	}
	m.showSelected()
}

// showSelected marks the selected conflict and scrolls to it.
func (m *merge) showSelected() {
	m.valid = false
	m.refresh()
	if row := m.begins[m.sel] + m.geo.lead; row < m.top || row-m.top > m.geo.body()*2/3 {
		m.to(row - 1)
	}
}

// result is the text that comes out of the choices.
func (m *merge) result() string {
	var out strings.Builder
	for i, h := range m.hunks {
		switch {
		case h.Kind == textdiff.Clash && m.taken[i] == 'b':
			out.Write(h.Mine)
			out.Write(h.Theirs)
		case h.Kind == textdiff.Theirs, h.Kind == textdiff.Clash && m.taken[i] == 't':
			out.Write(h.Theirs)
		default:
			out.Write(h.Mine)
		}
	}
	return out.String()
}

func (m *merge) refresh() {
	if m.outdated(m.b) {
		m.render()
		m.to(m.top)
	}
}

// render sets both texts: what each has changed, with a little around it, and
// the conflicts in full.
func (m *merge) render() {
	width := m.geo.measure
	m.lines, m.begins = nil, nil
	say := func(style typeset.Style, text string) {
		for _, l := range typeset.Wrap(text, width) {
			m.lines = append(m.lines, style.On(l))
		}
	}
	if len(m.conflicts) > 0 {
		say(typeset.Style{}, "You and "+m.other+" have changed the same lines. Nothing is lost: choose for each place.")
	} else {
		say(typeset.Style{}, "You and "+m.other+" have changed this post in different places. "+
			"Both changes are in the text below.")
	}
	m.lines = append(m.lines, "")
	nth := 0
	for i, h := range m.hunks {
		switch h.Kind {
		case textdiff.Same, textdiff.Both:
			m.context(string(h.Mine), i == 0, i == len(m.hunks)-1)
		case textdiff.Mine:
			m.changed("yours", h.Base, h.Mine)
		case textdiff.Theirs:
			m.changed("theirs", h.Base, h.Theirs)
		case textdiff.Clash:
			m.begins = append(m.begins, len(m.lines))
			m.choice(h, m.taken[i], nth == m.sel)
			nth++
		}
	}
}

// context shows the beginning and the end of lines that are the same on both
// sides.
func (m *merge) context(text string, first, last bool) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	head, tail := contextLines, contextLines
	if first {
		head = 0
	}
	if last {
		tail = 0
	}
	for i, l := range lines {
		switch {
		case i < head || i >= len(lines)-tail:
			same := diffLine{spans: []textdiff.Span{{Kind: ' ', Text: strings.TrimRight(l, "\r")}}}
			m.lines = append(m.lines, diffLineRows(same, m.geo.measure, m.b.styles)...)
		case i == head:
			m.lines = append(m.lines, m.b.styles.Dim.On("  …"))
		}
	}
}

// changed shows what only one side has changed.
func (m *merge) changed(whose string, before, now []byte) {
	m.lines = append(m.lines, m.b.styles.Dim.On("  "+whose+", taken:"))
	for _, l := range diffLines(textdiff.Words(string(before), string(now))) {
		m.lines = append(m.lines, diffLineRows(l, m.geo.measure, m.b.styles)...)
	}
}

// choice shows lines that both sides have changed.
func (m *merge) choice(h textdiff.Hunk, taken byte, selected bool) {
	st := m.b.styles
	bar := "  "
	if selected {
		bar = st.Accent.On("▌") + " "
	}
	block := func(key byte, name string, before, text []byte) {
		mark := ""
		if key != 0 && (taken == key || taken == 'b') {
			mark = "  ✓ taken"
		}
		head := st.Bold.On(name)
		if key == 0 {
			head = st.Dim.On(name)
		} else {
			head = st.Accent.On(string(key)) + " " + head
		}
		m.lines = append(m.lines, bar+head+st.Accent.On(mark))
		rows := diffLines(textdiff.Words(string(before), string(text)))
		if key == 0 {
			rows = diffLines([]textdiff.Span{{Kind: ' ', Text: string(text)}})
		}
		for _, l := range rows {
			for _, r := range diffLineRows(l, m.geo.measure-2, st) {
				m.lines = append(m.lines, bar+r)
			}
		}
		if len(rows) == 0 {
			m.lines = append(m.lines, bar+st.Dim.On("  (nothing)"))
		}
	}
	block('m', "yours", h.Base, h.Mine)
	block('t', "theirs: "+m.other, h.Base, h.Theirs)
	block(0, "before", nil, h.Base)
	m.lines = append(m.lines, "")
}

// merged goes on with a text made of both, unless it is too long.
func (e *editor) merged(text string, theirs origin) {
	if !e.buf.Fits(len(text)) {
		e.sayTooLong()
		return
	}
	e.take(text)
	e.origin, e.unsaved, e.changedElsewhere = theirs, true, false
	e.afterEdit()
	e.b.say("Both are in the text now. Save it when you have read it.")
}
