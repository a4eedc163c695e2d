package tui

import (
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// columns are the widths of the parts of a line in the list. When room gets
// scarce tags go first, then the reading time, then the year; a part that has
// gone is 0 cells wide.
type columns struct {
	at, width int // of the line, with the bar
	gap       int // from the bar to the text
	date      int // or, for authors, the badge
	title     int
	time      int
	tags      int
	years     bool
}

func newColumns(g geometry, date, time, tags int) columns {
	c := columns{at: max(g.left-2, 0), gap: 2, width: g.measure + 2}
	if g.left < 2 {
		c.gap, c.width = 1, g.width
	}
	room := c.width - c.gap
	if date > 0 && room >= 26 {
		c.date = date
		if room < 50 {
			c.date = min(date, 8)
		}
		room -= c.date + 2
	}
	if room >= 42 {
		c.years = true
	}
	if room >= 46 && time > 0 {
		c.time = time
		room -= c.time + 2
	}
	if (room >= 48 || time > 8 && room >= 42) && tags > 0 {
		c.tags = min(tags, 14, room/3)
		room -= c.tags + 2
	}
	c.title = max(room, 1)
	return c
}

func year(p *blog.Post) string {
	if !p.HasDate || !p.State.Visible() {
		return ""
	}
	return strconv.Itoa(p.Date.Year())
}

// minutes is the reading time of a post in the list.
func minutes(p *blog.Post) string {
	if p.Minutes == 0 {
		return ""
	}
	return strconv.Itoa(p.Minutes) + " min"
}

// tagsWithin shows as many whole tags as fit; the first is cut if it must be.
func tagsWithin(tags []string, width int) string {
	s := typeset.Truncate("#"+markdown.Line(tags[0]), width)
	for _, t := range tags[1:] {
		more := s + " #" + markdown.Line(t)
		if ansi.StringWidth(more) > width {
			break
		}
		s = more
	}
	return s
}

// viewsAndTime is what authors see of a published post: "41 views  4 min". The
// reading time is padded to minutesWide, so that views line up as well.
func viewsAndTime(views int, p *blog.Post, minutesWide int) string {
	if views == 0 {
		return minutes(p)
	}
	s := counted(views, "view")
	if minutesWide == 0 {
		return s
	}
	return s + "  " + rightAligned(minutes(p), minutesWide)
}
