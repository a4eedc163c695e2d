package shell

import (
	"encoding/json"
	"strconv"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// counted is a blog.Count in JSON.
type counted struct {
	Total int              `json:"total"`
	Month int              `json:"month"` // the last 30 days
	Week  int              `json:"week"`  // the last 7 days
	Today int              `json:"today"`
	Days  map[blog.Day]int `json:"days"` // by date, those on which there were any
}

func countedOf(n blog.Count) counted {
	if n.Days == nil {
		n.Days = map[blog.Day]int{}
	}
	return counted{n.Total, n.Month, n.Week, n.Today, n.Days}
}

// readPost is how often a post was viewed, in JSON.
type readPost struct {
	Slug  string `json:"slug"`
	Title string `json:"title"`
	counted
}

// shownDays is how many days are listed, one a line.
const shownDays = 14

// stats tells what readers read, and how many sessions there were.
func (c *call) stats() error {
	s, err := c.Visitor.Stats()
	if err != nil {
		return err
	}
	if c.has("--json") {
		return c.statsJSON(s)
	}
	row := func(what string, n blog.Count, title string) []string {
		return []string{what, strconv.Itoa(n.Month), strconv.Itoa(n.Week), strconv.Itoa(n.Today), strconv.Itoa(n.Total), title}
	}
	sums := [][]string{
		{"", "30 days", "7 days", "today", "total", ""},
		row("sessions", s.Sessions, ""),
		row("views", s.Views, ""),
	}
	if len(s.Posts) > 0 {
		sums = append(sums, nil)
	}
	first := len(blog.Day(0).String())
	for _, p := range s.Posts {
		sums = append(sums, row(line(p.Post.Slug), p.Count, line(p.Post.Title)))
		first = max(first, typeset.Width(line(p.Post.Slug)))
	}
	days := [][]string{nil, {"", "sessions", "views", ""}}
	for d := s.Today; d > s.Today-shownDays; d-- {
		days = append(days, []string{d.String(), strconv.Itoa(s.Sessions.Days[d]), strconv.Itoa(s.Views.Days[d]), ""})
	}
	now := strconv.Itoa(s.Now) + " sessions now"
	if s.Now == 1 {
		now = "1 session now"
	}
	first = min(first, slugColumn)
	if err := c.figures(sums, first); err != nil {
		return err
	}
	if err := c.figures(days, first); err != nil {
		return err
	}
	if err := c.put(""); err != nil {
		return err
	}
	return c.put(now)
}

func (c *call) statsJSON(s blog.Stats) error {
	posts := make([]readPost, len(s.Posts))
	for i, p := range s.Posts {
		posts[i] = readPost{line(p.Post.Slug), line(p.Post.Title), countedOf(p.Count)}
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Today    blog.Day   `json:"today"`
		Now      int        `json:"now"` // sessions
		Sessions counted    `json:"sessions"`
		Views    counted    `json:"views"`
		Posts    []readPost `json:"posts"`
	}{s.Today, s.Now, countedOf(s.Sessions), countedOf(s.Views), posts})
}

// figures prints rows that say what they are about, how often, and end with a
// text; first is the room for what they are about. A row of names is dim, and
// nil is an empty line.
func (c *call) figures(rows [][]string, first int) error {
	wide := map[int]int{}
	used := 0
	for _, r := range rows {
		for i := 1; i < len(r)-1; i++ {
			wide[i] = max(wide[i], typeset.Width(r[i]))
		}
	}
	for _, w := range wide {
		used += 2 + w
	}
	cut := c.Terminal && c.Width > 0
	if cut {
		first = min(first, max(c.Width-used, 8))
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, r := range rows {
		if r == nil {
			if err := c.put(""); err != nil {
				return err
			}
			continue
		}
		text := r[0]
		if cut {
			text = typeset.Truncate(text, first)
		}
		text = pad(text, first)
		for i := 1; i < len(r)-1; i++ {
			text += "  " + leftPad(r[i], wide[i])
		}
		if title := r[len(r)-1]; title != "" {
			text += "  " + title
		}
		if cut {
			text = typeset.Truncate(text, c.Width)
		}
		if r[0] == "" {
			text = style.Dim.On(text)
		}
		if err := c.put(text); err != nil {
			return err
		}
	}
	return nil
}
