package tui

import (
	"strconv"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// openStats shows an author how much the blog is read, as of now.
func (a *author) openStats() {
	a.b.background(func() func() {
		s := a.visitor.Stats()
		return func() {
			a.b.push(&pager{b: a.b, name: "readers", setText: plainPage(func(width int, st typeset.Styles) []string {
				return statsLines(s, width, st)
			})})
		}
	})
}

// statsDays is how many days are drawn.
const statsDays = 14

// statsLines draws what was counted: days as bars, then the posts that readers
// have opened, those of the last 30 days first.
func statsLines(s blog.Stats, width int, st typeset.Styles) []string {
	now := st.Dim.On("nobody is reading now")
	if s.Now > 0 {
		now = st.Accent.On("●") + " " + st.Bold.On(counted(s.Now, "session")) + " now"
	}
	lines := []string{typeset.Truncate(now, width), ""}
	lines = append(lines, dayLines(s, width, st)...)
	lines = append(lines, "")
	lines = append(lines, postLines(s, width, st)...)
	lines = append(lines, "")
	const told = "Sums for posts and days are kept, nothing about who it was. What authors read is not counted."
	for _, l := range typeset.Wrap(told, width) {
		lines = append(lines, st.Dim.On(l))
	}
	return lines
}

// dayLines draws the last days, the newest first: views and sessions side by
// side.
func dayLines(s blog.Stats, width int, st typeset.Styles) []string {
	const gap, widestBar = 2, 24
	form := "Mon 02 Jan"
	if width < narrow {
		form = "02 Jan"
	}
	views, sessions := newBars(s.Views.Days, s.Today), newBars(s.Sessions.Days, s.Today)
	cells := max(min((width-len(form)-2*gap-views.digits-sessions.digits-3)/2, widestBar), 1)
	column := max(views.digits+1+cells, len("sessions"))
	head := strings.Repeat(" ", len(form)+gap) + leftAligned("views", column+gap) + "sessions"
	lines := []string{st.Dim.On(typeset.Truncate(head, width))}
	for i := range statsDays {
		d := s.Today - blog.Day(i)
		label := d.Date().Format(form)
		if i > 0 {
			label = st.Dim.On(label)
		}
		line := label + strings.Repeat(" ", gap) +
			leftAligned(views.draw(d, cells, st), column+gap) + sessions.draw(d, cells, st)
		lines = append(lines, typeset.Truncate(strings.TrimRight(line, " "), width))
	}
	return lines
}

// bars draws counts of days to one scale.
type bars struct {
	of     map[blog.Day]int
	most   int
	digits int
}

func newBars(of map[blog.Day]int, today blog.Day) bars {
	b := bars{of: of, digits: 1}
	for i := range statsDays {
		b.most = max(b.most, of[today-blog.Day(i)])
	}
	b.digits = len(strconv.Itoa(b.most))
	return b
}

// draw draws the number and the bar of a day.
func (b bars) draw(d blog.Day, cells int, st typeset.Styles) string {
	n := b.of[d]
	if n == 0 {
		return st.Dim.On(rightAligned("·", b.digits))
	}
	return rightAligned(strconv.Itoa(n), b.digits) + " " + st.Accent.On(bar(n, b.most, cells))
}

// bar draws n of most in eighths of a cell.
func bar(n, most, cells int) string {
	parts := [...]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}
	if n <= 0 || most <= 0 {
		return ""
	}
	eighths := max(int(int64(n)*int64(cells)*8/int64(most)), 1)
	return strings.Repeat("█", eighths/8) + parts[eighths%8]
}

// maxStatsPosts bounds how many posts are listed.
const maxStatsPosts = 1000

// postLines lists posts by views.
func postLines(s blog.Stats, width int, st typeset.Styles) []string {
	if len(s.Posts) == 0 {
		return []string{st.Dim.On(typeset.Truncate("No post has been opened yet.", width))}
	}
	type column struct {
		name string
		of   func(blog.Count) int
	}
	all := []column{
		{"30 days", func(c blog.Count) int { return c.Month }},
		{"7 days", func(c blog.Count) int { return c.Week }},
		{"today", func(c blog.Count) int { return c.Today }},
		{"total", func(c blog.Count) int { return c.Total }},
	}
	if width < narrow {
		all = []column{all[0], all[3]}
	}
	posts := s.Posts[:min(len(s.Posts), maxStatsPosts)]
	wide, used := make([]int, len(all)), 0
	for i, c := range all {
		wide[i] = max(len(c.name), len(strconv.Itoa(c.of(s.Views))))
		used += 2 + wide[i]
	}
	room := max(width-used, 8)
	numbers := func(c blog.Count, strong int) (text string) {
		for i, col := range all {
			n := "  " + rightAligned(strconv.Itoa(col.of(c)), wide[i])
			if i != strong {
				n = st.Dim.On(n)
			}
			text += n
		}
		return text
	}
	head := leftAligned("views of", room)
	for i, c := range all {
		head += "  " + rightAligned(c.name, wide[i])
	}
	lines := []string{st.Dim.On(typeset.Truncate(head, width))}
	for _, p := range posts {
		title := typeset.Truncate(markdown.Line(p.Post.Title), room)
		lines = append(lines, typeset.Truncate(leftAligned(title, room)+numbers(p.Count, 0), width))
	}
	if more := len(s.Posts) - len(posts); more > 0 {
		lines = append(lines, st.Dim.On(typeset.Truncate("and "+counted(more, "post")+" more", width)))
	}
	return append(lines, typeset.Truncate(st.Dim.On(leftAligned("all posts", room))+numbers(s.Views, 0), width))
}
