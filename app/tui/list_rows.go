package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// rows makes the rows on the screen: the part of the introduction that is seen,
// then posts.
func (l *list) rows(height int) []terminal.Row {
	rows := make([]terminal.Row, 0, height)
	skip := l.top.row
	for item := l.top.item; item <= len(l.posts) && len(rows) < height; item++ {
		if item == 0 {
			for n := l.height(0); skip < n && len(rows) < height; skip++ {
				rows = append(rows, l.introRow(skip-l.b.geo.lead))
			}
		} else {
			of := l.postRows(item - 1)
			rows = append(rows, of[min(skip, len(of)):]...)
		}
		skip = 0
	}
	if len(l.posts) == 0 && (l.query != "" || l.intro == nil) {
		text := "No posts yet."
		if l.query != "" {
			text = "No match for «" + markdown.Line(l.query) + "»."
		} else if l.where != onHome {
			text = "No posts."
		}
		text = l.b.styles.Dim.On(typeset.Truncate(text, l.b.geo.measure))
		rows = append(rows, terminal.Row{At: l.b.geo.left, Text: text})
	}
	rows = rows[:min(len(rows), height)]
	l.b.drawLabels(func(line int) *terminal.Row {
		if y := l.introY(line); y >= 0 && y < len(rows) {
			return &rows[y]
		}
		return nil
	})
	return rows
}

// introRow returns a row of what stands above the posts: the home page, then,
// for authors, problems.
func (l *list) introRow(i int) terminal.Row {
	if l.intro != nil && len(l.intro.Lines) > 0 {
		if i >= 0 && i < len(l.intro.Lines) {
			return terminal.Row{At: l.b.geo.left, Text: l.intro.Lines[i]}
		}
		i -= len(l.intro.Lines) + 1
	}
	if i >= 0 && i < len(l.notices) {
		return terminal.Row{At: l.b.geo.left, Text: l.notices[i]}
	}
	return terminal.Row{}
}

// problemLines says which files an author should look at.
func (l *list) problemLines() (lines []string) {
	const most = 5
	if l.where != onHome {
		return nil
	}
	st := l.b.styles
	var all []blog.Problem // but for those that stand in the list
	for _, p := range l.edition.Problems() {
		listed := func(q *blog.Post) bool { return q.Path == p.Path && q.State == blog.Broken }
		if l.broken[p.Path] != p.String() || !slices.ContainsFunc(l.all, listed) {
			all = append(all, p)
		}
	}
	for i, p := range all {
		if i == most {
			return append(lines, st.Dim.On(fmt.Sprintf("and %d more", len(all)-most)))
		}
		word := st.Error.On("problem")
		if p.Warning {
			word = st.Warning.On("warning")
		}
		lines = append(lines, typeset.Truncate(word+"  "+markdown.Line(p.String()), l.b.geo.measure))
	}
	return lines
}

// introY is the row of the screen on which a line of the home page stands.
func (l *list) introY(line int) int {
	if l.top.item > 0 {
		return -1
	}
	return line + l.b.geo.lead - l.top.row
}

func (l *list) introSeen(line int) bool {
	y := l.introY(line)
	return y >= 0 && y < l.b.geo.body()
}

// yearLine returns what stands above a post: the year, where it is the first of
// one.
func (l *list) yearLine(i int) []string {
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

// titleLines breaks a post's title into lines. They are kept for the posts that
// were seen lately, because heights are asked for often.
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
	lines := wrapped(markdown.Line(text), l.cols.title, 2)
	l.titles[p] = lines
	return lines
}

// postRows makes the rows of a post.
func (l *list) postRows(i int) []terminal.Row {
	c, st, p := l.cols, l.b.styles, l.posts[i]
	var rows []terminal.Row
	for _, h := range l.yearLine(i) {
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

// details returns the reading time and tags of a post, after pad blanks.
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

// timeOf is what stands right of a title: the reading time, for authors also
// how often the post was viewed, or, if only authors see it, when it was edited
// or goes live.
func (l *list) timeOf(p *blog.Post) string {
	switch {
	case p.State == blog.Scheduled:
		return p.Due().In(l.b.zone()).Format("2 Jan 15:04")
	case p.State.Visible() && l.viewsShown():
		return viewsAndTime(l.b.author.visitor.Views(p), p, l.minutesWide)
	case p.State.Visible(), l.b.author == nil:
		return minutes(p)
	}
	s, v := "", l.b.author.visitor
	if t := v.Edited(p); !t.IsZero() {
		s = "edited " + ago(t, l.now)
	}
	if _, shared := v.PreviewOf(p); shared {
		s = strings.TrimSpace("shared, " + s)
	}
	return s
}

// viewsShown reports whether the list shows how often posts were viewed.
func (l *list) viewsShown() bool { return l.b.author != nil && l.b.geo.width >= 80 }

// recount makes room for the views, which change without a new edition. It does
// not look at each key, because there may be many posts.
func (l *list) recount() {
	const pace = 2 * time.Second
	if !l.viewsShown() || time.Since(l.counted) < pace {
		return
	}
	l.counted = time.Now()
	if cells := l.timeRoom(); cells != l.timeCells {
		l.timeCells = cells
		l.colsFor = geometry{}
	}
}

// timeRoom is the width of the widest text right of a title.
func (l *list) timeRoom() (cells int) {
	l.minutesWide = 0
	for _, p := range l.all {
		if p.State.Visible() {
			l.minutesWide = max(l.minutesWide, len(minutes(p)))
		}
	}
	for _, p := range l.all {
		n := ansi.StringWidth(l.timeOf(p))
		if !p.State.Visible() {
			n = min(n, widestAge)
		}
		cells = max(cells, n)
	}
	return cells
}
