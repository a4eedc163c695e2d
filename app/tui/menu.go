package tui

import (
	"strings"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A menu is a list of anything but posts by date: tags, years, headings, what a
// search has found. It is short enough to be made as a whole.
type menu struct {
	scroller
	b     *browser
	where screenKind // 0: onMenu
	name  string
	unit  string // "tag"; counted in the line above
	empty string // said when there are no items
	// build makes the items, anew for each edition, geometry and theme.
	build func() []item
	acts  map[action]func(i int) // what else can be done with an item
	// load gives the job that fetches what build needs, for each edition but
	// the first. May be nil.
	load func() job

	edition *blog.Edition
	theme   typeset.Theme
	items   []item
	begins  []int // the first line of each item
	sel     int
	loads   int // counts them: only the result of the newest is taken
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

func (x *menu) breadcrumb() string  { return x.name }
func (x *menu) windowTitle() string { return windowTitle(x.b.edition.Site().Title, x.name) }

func (x *menu) hint(k binding) string {
	if k.do == actOpen && x.where == 0 {
		return "open"
	}
	return k.hint
}

func (x *menu) status() string {
	if len(x.items) == 0 || x.unit == "" {
		return ""
	}
	return counted(len(x.items), x.unit)
}

func (x *menu) refresh() {
	switch {
	case x.edition != x.b.edition && x.edition != nil && x.load != nil:
		x.edition = x.b.edition
		x.reload()
	case x.edition != x.b.edition || x.geo != x.b.geo || x.theme != x.b.theme:
		x.rebuild()
	}
}

// reload loads what the items are made of and builds them anew.
func (x *menu) reload() {
	x.loads++
	nth, load := x.loads, x.load()
	x.b.background(func() func() {
		put := load()
		return func() {
			if nth == x.loads {
				put()
				x.rebuild()
			}
		}
	})
}

// rebuild makes the items anew and keeps the selected one selected.
func (x *menu) rebuild() {
	name := ""
	if x.sel < len(x.items) {
		name = x.items[x.sel].name
	}
	x.edition, x.geo, x.theme = x.b.edition, x.b.geo, x.b.theme
	x.items = x.build()
	x.lines, x.begins = nil, nil
	for i, it := range x.items {
		if name != "" && it.name == name {
			x.sel, name = i, ""
		}
		x.begins = append(x.begins, len(x.lines))
		x.lines = append(x.lines, it.lines...)
	}
	x.sel = max(min(x.sel, len(x.items)-1), 0)
	x.ensure()
}

// selected gives the first line of the selected item and the one behind its
// last.
func (x *menu) selected() (from, to int) {
	if len(x.items) == 0 {
		return 0, 0
	}
	return x.begins[x.sel], x.begins[x.sel] + len(x.items[x.sel].lines)
}

// ensure scrolls until the selection is on the screen.
func (x *menu) ensure() {
	from, to := x.selected()
	top := min(x.top, from+x.geo.lead)
	if x.sel == 0 {
		top = 0
	}
	x.to(max(top, to+x.geo.lead-x.geo.body()))
}

func (x *menu) can(a action) bool {
	switch {
	case a.moves():
		return true
	case len(x.items) == 0:
		return false
	case a == actOpen:
		return x.items[x.sel].open != nil
	}
	return x.acts[a] != nil
}

// act moves the selection, a screenful being as many items of the selected
// one's height as it holds, or does something with the selected item.
func (x *menu) act(a action) {
	per := 1
	if from, to := x.selected(); to > from {
		per = to - from
	}
	by := a.rows(max(x.geo.body(), 1) / per)
	switch {
	case a == actTop:
		by = -len(x.items)
	case a == actBottom:
		by = len(x.items)
	case a == actOpen:
		x.items[x.sel].open()
		return
	case !a.moves():
		x.acts[a](x.sel)
		return
	}
	x.sel = max(min(x.sel+by, len(x.items)-1), 0)
	x.ensure()
}

func (x *menu) rows(height int) []terminal.Row {
	if len(x.items) == 0 {
		rows := make([]terminal.Row, x.geo.lead)
		text := typeset.Truncate(x.empty, x.geo.measure)
		return append(rows, terminal.Row{At: x.geo.left, Text: x.b.styles.Dim.On(text)})
	}
	c := newColumns(x.geo, 0, 0, 0)
	from, to := x.selected()
	rows := x.scroller.rows(height)
	for y := range rows {
		line := x.top - x.geo.lead + y
		if line < 0 {
			continue
		}
		bar := " "
		if line >= from && line < to {
			bar = x.b.styles.Accent.On("▌")
		}
		rows[y] = terminal.Row{At: c.at, Text: bar + strings.Repeat(" ", c.gap-1) + rows[y].Text}
	}
	return rows
}

// room is how wide a line of an item may be.
func (x *menu) room() int {
	c := newColumns(x.b.geo, 0, 0, 0)
	return max(c.width-c.gap, 1)
}
