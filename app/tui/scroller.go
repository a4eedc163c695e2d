package tui

import (
	"fmt"

	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A scroller shows a window over the lines of a text. Above the first line are
// geo.lead blank rows that scroll away with the text; rows are counted from the
// first of them.
type scroller struct {
	geo   geometry
	lines []string // of the measure, or shorter
	top   int      // the first row of the window
}

// end is the last row that may be at the top.
func (s *scroller) end() int { return max(s.geo.lead+len(s.lines)-s.geo.body(), 0) }

// to scrolls to a row, or as near to it as there is text.
func (s *scroller) to(row int) { s.top = min(max(row, 0), s.end()) }

// target is the row that an action scrolls to, which may be beyond the ends.
func (s *scroller) target(a action) int {
	switch a {
	case actTop:
		return 0
	case actBottom:
		return s.end()
	}
	return s.top + a.rows(s.geo.body())
}

// percent tells how far the text is scrolled; "" when all of it is seen.
func (s *scroller) percent() string {
	if s.end() == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", s.top*100/s.end())
}

// rows gives the window, at most height rows.
func (s *scroller) rows(height int) []terminal.Row {
	rows := make([]terminal.Row, 0, height)
	for i := s.top - s.geo.lead; len(rows) < height && i < len(s.lines); i++ {
		if i < 0 {
			rows = append(rows, terminal.Row{})
			continue
		}
		rows = append(rows, terminal.Row{At: s.geo.left, Text: s.lines[i]})
	}
	return rows
}

// A sheet is a scroller whose lines are set anew for another window or theme.
type sheet struct {
	scroller
	theme typeset.Theme
	valid bool // the lines are of this geometry and theme
}

// outdated takes over the browser's geometry and theme, and reports whether the
// lines have to be set anew for them.
func (s *sheet) outdated(b *browser) bool {
	if s.valid && s.geo == b.geo && s.theme == b.theme {
		return false
	}
	s.geo, s.theme, s.valid = b.geo, b.theme, true
	return true
}

// show takes over lines that were set.
func (s *sheet) show(lines []string) {
	s.lines = lines
	s.to(s.top)
}
