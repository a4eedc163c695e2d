package tui

import (
	"sheaf/app/typeset"
)

// A pager shows a text that is only looked at: a difference, a preview,
// statistics.
type pager struct {
	sheet
	b    *browser
	name string
	// setText sets the text anew. It is called outside of Update.
	setText func(measure int, t typeset.Theme) *typeset.Page
	goTo    int // the source line to begin at, once there is a page; 0: the top
}

func (p *pager) kind() screenKind      { return onPager }
func (p *pager) breadcrumb() string    { return p.name }
func (p *pager) windowTitle() string   { return windowTitle(p.b.edition.Site().Title, p.name) }
func (p *pager) hint(k binding) string { return k.hint }
func (p *pager) status() string        { return p.percent() }

func (p *pager) refresh() {
	if !p.outdated(p.b) {
		return
	}
	geo, theme := p.geo, p.theme
	p.b.background(func() func() {
		page := p.setText(geo.measure, theme)
		return func() {
			if p.geo != geo || p.theme != theme {
				return // another one is being set
			}
			p.show(page.Lines)
			if p.goTo > 0 {
				p.to(page.StartOf(p.goTo) + geo.lead - geo.body()/3)
				p.goTo = 0
			}
		}
	})
}

func (p *pager) can(a action) bool { return a.moves() }
func (p *pager) act(a action)      { p.to(p.target(a)) }

// plainPage is for a pager whose text is no document but just lines.
func plainPage(lines func(width int, st typeset.Styles) []string) func(int, typeset.Theme) *typeset.Page {
	return func(measure int, t typeset.Theme) *typeset.Page {
		return &typeset.Page{Lines: lines(measure, typeset.Styled(t))}
	}
}
