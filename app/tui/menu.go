package tui

import (
	"strings"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// An menu is a list of anything but posts by date: tags, years, headings,
// what a search has found. It is short enough to be made as a whole.
type menu struct {
	b     *browser
	where screenKind // 0 is onIndex
	name  string
	unit  string // "tag"; counted in the line above
	empty string
	build func() []item          // anew for each edition, geometry and theme
	acts  map[action]func(i int) // what else can be done with an entry

	edition *blog.Edition
	geo     geometry
	theme   typeset.Theme
	entries []item
	at      []int // the first row of each entry
	total   int
	sel     int
	top     int
}

// An item is one thing to choose.
type item struct {
	name  string   // tells it from the others
	lines []string // at least one
	open  func()   // nil: it is only read
}

func (x *menu) kind() screenKind {
	if x.where != 0 {
		return x.where
	}
	return onMenu
}

func (x *menu) breadcrumb() string { return x.name }

func (x *menu) windowTitle() string { return title(x.b.edition.Site().Title, x.name) }

func (x *menu) hint(k binding) string {
	if k.do == actOpen && x.where == 0 {
		return "open"
	}
	return k.hint
}

func (x *menu) status() string {
	if len(x.entries) == 0 || x.unit == "" {
		return ""
	}
	return counted(len(x.entries), x.unit)
}

func (x *menu) refresh() {
	if x.edition == x.b.edition && x.geo == x.b.geo && x.theme == x.b.theme {
		return
	}
	name := ""
	if x.sel < len(x.entries) {
		name = x.entries[x.sel].name
	}
	x.edition, x.geo, x.theme = x.b.edition, x.b.geo, x.b.theme
	x.entries = x.build()
	x.at = x.at[:0]
	x.total = x.geo.lead
	for i, e := range x.entries {
		if name != "" && e.name == name {
			x.sel, name = i, ""
		}
		x.at = append(x.at, x.total)
		x.total += len(e.lines)
	}
	x.sel = max(min(x.sel, len(x.entries)-1), 0)
	x.ensure()
}

// ensure scrolls until the selection is on the screen.
func (x *menu) ensure() {
	h := x.geo.body()
	if len(x.entries) > 0 {
		from := x.at[x.sel]
		to := from + len(x.entries[x.sel].lines)
		if x.sel == 0 {
			from = 0
		}
		x.top = min(x.top, from)
		x.top = max(x.top, to-h)
	}
	x.top = min(x.top, max(x.total-h, 0))
}

func (x *menu) can(a action) bool {
	switch a {
	case actOpen:
		return len(x.entries) > 0 && x.entries[x.sel].open != nil
	case actLineDown, actLineUp, actHalfDown, actHalfUp, actPageDown, actPageUp, actTop, actBottom:
		return true
	}
	return len(x.entries) > 0 && x.acts[a] != nil
}

// reload makes the entries anew.
func (x *menu) reload() {
	x.edition = nil
	x.refresh()
}

func (x *menu) act(a action) {
	h := max(x.geo.body(), 1)
	per := 1
	if len(x.entries) > 0 {
		per = len(x.entries[x.sel].lines)
	}
	by := 0
	switch a {
	case actLineDown:
		by = 1
	case actLineUp:
		by = -1
	case actHalfDown:
		by = max(h/2/per, 1)
	case actHalfUp:
		by = -max(h/2/per, 1)
	case actPageDown:
		by = max(h/per-1, 1)
	case actPageUp:
		by = -max(h/per-1, 1)
	case actTop:
		by = -len(x.entries)
	case actBottom:
		by = len(x.entries)
	case actOpen:
		x.entries[x.sel].open()
		return
	default:
		x.acts[a](x.sel)
		return
	}
	x.sel = max(min(x.sel+by, len(x.entries)-1), 0)
	x.ensure()
}

func (x *menu) rows(height int) []terminal.Row {
	if len(x.entries) == 0 {
		rows := make([]terminal.Row, x.geo.lead)
		return append(rows, terminal.Row{At: x.geo.left, Text: x.b.styles.Dim.On(typeset.Truncate(x.empty, x.geo.measure))})
	}
	c := newColumns(x.geo, 0, 0, 0)
	rows := make([]terminal.Row, 0, height)
	for range max(x.geo.lead-x.top, 0) {
		rows = append(rows, terminal.Row{})
	}
	for i, e := range x.entries {
		for n, line := range e.lines {
			y := x.at[i] + n
			if y < x.top || y >= x.top+height {
				continue
			}
			bar := " "
			if i == x.sel {
				bar = x.b.styles.Accent.On("▌")
			}
			rows = append(rows, terminal.Row{At: c.at, Text: bar + strings.Repeat(" ", c.gap-1) + line})
		}
	}
	return rows
}

// room is how wide a line of an entry may be.
func (x *menu) room() int {
	c := newColumns(x.b.geo, 0, 0, 0)
	return max(c.width-c.gap, 1)
}
