package tui

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// columns is how a line of the list is divided. What there is no room for has
// no cells: tags go first, then the reading time, then the year.
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

// heading gives what stands between a post and the one before it.
func (l *list) heading(i int) []string {
	if !l.cols.years {
		return nil
	}
	y := year(l.posts[i])
	if i > 0 && year(l.posts[i-1]) == y || i == 0 && y == "" {
		return nil
	}
	if y == "" {
		return []string{""}
	}
	return []string{y}
}

func year(p *blog.Post) string {
	if !p.HasDate || !p.State.Visible() {
		return ""
	}
	return strconv.Itoa(p.Date.Year())
}

// titleLines are kept for the posts that were seen lately: the height of the
// list is asked for often.
func (l *list) titleLines(i int) []string {
	p := l.posts[i]
	if lines, ok := l.titles[p]; ok {
		return lines
	}
	const most = 500
	if l.titles == nil || len(l.titles) >= most {
		l.titles = make(map[*blog.Post][]string)
	}
	text := p.Title
	if why := l.broken[p.Path]; p.State == blog.Broken && why != "" {
		text = why
	}
	lines := wrapped(oneLine(text), l.cols.title, 2)
	l.titles[p] = lines
	return lines
}

// item makes the rows of a post.
func (l *list) item(i int) []terminal.Row {
	c, st, p := l.cols, l.b.styles, l.posts[i]
	var rows []terminal.Row
	for _, h := range l.heading(i) {
		if h == "" {
			rows = append(rows, terminal.Row{})
		} else {
			rows = append(rows, terminal.Row{At: c.at + c.gap, Text: st.Dim.On(h)})
		}
	}
	selected := i == l.sel
	for n, text := range l.titleLines(i) {
		var b strings.Builder
		if selected {
			b.WriteString(st.Accent.On("▌"))
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(strings.Repeat(" ", c.gap-1))
		if c.date > 0 {
			date := ""
			if n == 0 {
				date = typeset.Truncate(l.dateOf(p), c.date)
			}
			style := st.Dim
			if p.State == blog.Broken {
				style = st.Error
			}
			b.WriteString(style.On(leftAligned(date, c.date)) + "  ")
		}
		if selected {
			b.WriteString(st.Bold.On(text))
		} else {
			b.WriteString(text)
		}
		if n == 0 {
			b.WriteString(l.details(p, c.title-ansi.StringWidth(text)))
		}
		rows = append(rows, terminal.Row{At: c.at, Text: strings.TrimRight(b.String(), " ")})
	}
	return rows
}

// dateOf is a post's date in the list; what readers do not see says why.
func (l *list) dateOf(p *blog.Post) string {
	switch {
	case !p.State.Visible():
		return badge(p, l.now)
	case p.HasDate:
		return p.Date.Format("02 Jan")
	}
	return ""
}

// details are reading time and tags, behind pad blanks.
func (l *list) details(p *blog.Post, pad int) string {
	c := l.cols
	if c.time == 0 {
		return ""
	}
	text := l.timeOf(p)
	if p.State.Visible() && ansi.StringWidth(text) > c.time { // viewed since there was room
		text = minutes(p)
	}
	s := rightAligned(typeset.Truncate(text, c.time), c.time)
	if c.tags > 0 && len(p.Tags) > 0 {
		s += "  " + tagsWithin(p.Tags, c.tags)
	}
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return strings.Repeat(" ", pad+2) + l.b.styles.Dim.On(s)
}

// timeOf is what stands right of a title: how long it takes to read, to authors
// how often readers have, or, of what only authors see, when it was edited or
// comes.
func (l *list) timeOf(p *blog.Post) string {
	v := l.b.conf.Visitor
	switch {
	case p.State == blog.Scheduled:
		return p.Due().In(l.b.zone()).Format("2 Jan 15:04")
	case p.State.Visible() && l.viewsShown():
		return viewsAndTime(v.Views(p), p, l.minutesWide)
	case p.State.Visible(), !v.IsAuthor():
		return minutes(p)
	}
	s := ""
	if t := v.Edited(p); !t.IsZero() {
		s = "edited " + ago(t, l.now)
	}
	if _, shared := v.PreviewOf(p); shared {
		s = strings.TrimSpace("shared, " + s)
	}
	return s
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
	s := typeset.Truncate("#"+oneLine(tags[0]), width)
	for _, t := range tags[1:] {
		more := s + " #" + oneLine(t)
		if ansi.StringWidth(more) > width {
			break
		}
		s = more
	}
	return s
}
