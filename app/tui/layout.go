package tui

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/typeset"
)

// geometry is where things stand in a window.
type geometry struct {
	width, height int
	left          int  // where the text begins
	measure       int  // how wide it is
	lead          int  // blank lines above it
	header        bool // there is room for the line above
	footer        bool // there is room for the line below
}

const (
	widest   = 80  // the measure, at most
	narrow   = 50  // below it there are no margins
	centred  = 100 // from here on the text stands in the middle
	leadFrom = 20  // from this height on a text begins with a blank line
)

func newGeometry(width, height int) geometry {
	g := geometry{width: width, height: height, header: height >= 4, footer: height >= 3}
	switch {
	case width < narrow:
		g.measure = width
	case width < centred:
		g.left, g.measure = 2, min(width-4, widest)
	default:
		g.left, g.measure = (width-widest)/2, widest
	}
	if height >= leadFrom {
		g.lead = 1
	}
	return g
}

// body is how many rows a screen has between the lines above and below.
func (g geometry) body() int {
	h := g.height
	if g.header {
		h--
	}
	if g.footer {
		h--
	}
	return max(h, 0)
}

// edge is where the lines above and below begin, and how far they go.
func (g geometry) edge() (at, width int) {
	if g.left < 2 {
		return 0, g.width
	}
	return g.left - 1, min(g.measure+2, g.width-g.left+1)
}

// between sets a left and a right text on one line. Where there is not enough
// room for both, the left one is cut and ends in "…"; if little would be left
// of it, the right one goes.
func between(left, right string, width int) string {
	l, r := ansi.StringWidth(left), ansi.StringWidth(right)
	if r == 0 {
		return typeset.Truncate(left, width)
	}
	if l+2+r > width {
		if room := width - r - 2; room >= 12 || room >= l {
			left = typeset.Truncate(left, room)
			l = ansi.StringWidth(left)
		} else {
			return typeset.Truncate(left, width)
		}
	}
	return left + strings.Repeat(" ", width-l-r) + right
}

// rightAligned puts blanks before s.
func rightAligned(s string, width int) string {
	return strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)) + s
}

// leftAligned puts blanks after s.
func leftAligned(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// wrapped breaks a title into at most lines lines, the last of which ends in
// "…" when that was not enough.
func wrapped(s string, width, lines int) []string {
	if width < 1 {
		return []string{""}
	}
	if ansi.StringWidth(s) <= width {
		return []string{s}
	}
	all := typeset.Wrap(s, width)
	if len(all) <= lines {
		return all
	}
	all = all[:lines]
	last := all[lines-1]
	if ansi.StringWidth(last) >= width {
		last = ansi.Truncate(last, width-1, "")
	}
	all[lines-1] = strings.TrimRight(last, " ") + "…"
	return all
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
