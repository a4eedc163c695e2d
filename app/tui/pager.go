package tui

import (
	"fmt"

	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A pager is a text that is only looked at: a difference, a preview.
type pager struct {
	b    *browser
	name string
	make func(width int) []string // anew for each geometry and theme
	acts map[action]func()        // what else can be done

	geo   geometry
	theme typeset.Theme
	lines []string
	made  bool
	top   int
}

func (s *pager) kind() screenKind      { return onPager }
func (s *pager) breadcrumb() string    { return s.name }
func (s *pager) windowTitle() string   { return title(s.b.edition.Site().Title, s.name) }
func (s *pager) hint(k binding) string { return k.hint }

func (s *pager) status() string {
	if s.end() == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", s.top*100/s.end())
}

func (s *pager) refresh() {
	if s.made && s.geo == s.b.geo && s.theme == s.b.theme {
		return
	}
	s.geo, s.theme, s.made = s.b.geo, s.b.theme, true
	s.lines = s.make(s.geo.measure)
	s.to(s.top)
}

// end is the last row that may be at the top.
func (s *pager) end() int { return max(s.geo.lead+len(s.lines)-s.geo.body(), 0) }

func (s *pager) to(row int) { s.top = min(max(row, 0), s.end()) }

func (s *pager) can(a action) bool {
	switch a {
	case actLineDown, actLineUp, actHalfDown, actHalfUp, actPageDown, actPageUp, actTop, actBottom:
		return true
	}
	return s.acts[a] != nil
}

func (s *pager) act(a action) {
	if f := s.acts[a]; f != nil {
		f()
		return
	}
	s.to(s.top + scrolled(a, s.top, s.geo.body(), s.end()))
}

// scrolled is by how many rows an action moves a text that stands at row top
// of at most end.
func scrolled(a action, at, body, end int) int {
	switch a {
	case actLineDown:
		return 1
	case actLineUp:
		return -1
	case actHalfDown:
		return max(body/2, 1)
	case actHalfUp:
		return -max(body/2, 1)
	case actPageDown:
		return max(body-1, 1)
	case actPageUp:
		return -max(body-1, 1)
	case actTop:
		return -at
	case actBottom:
		return end - at
	}
	return 0
}

func (s *pager) rows(height int) []terminal.Row { return s.geo.window(s.lines, s.top, height) }
