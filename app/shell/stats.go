package shell

import (
	"encoding/json"
	"strconv"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// countJSON is a blog.Count in JSON.
type countJSON struct {
	Total int              `json:"total"`
	Month int              `json:"month"` // the last 30 days
	Week  int              `json:"week"`  // the last 7 days
	Today int              `json:"today"`
	Days  map[blog.Day]int `json:"days"` // by date; days with none are left out
}

func newCountJSON(n blog.Count) countJSON {
	if n.Days == nil {
		n.Days = map[blog.Day]int{}
	}
	return countJSON{Total: n.Total, Month: n.Month, Week: n.Week, Today: n.Today, Days: n.Days}
}

// postCountJSON is how often a post was viewed, in JSON.
type postCountJSON struct {
	Slug  string `json:"slug"`
	Title string `json:"title"`
	countJSON
}

// statsJSON are the stats in JSON.
type statsJSON struct {
	Today    blog.Day        `json:"today"`
	Now      int             `json:"now"` // sessions
	Sessions countJSON       `json:"sessions"`
	Views    countJSON       `json:"views"`
	Posts    []postCountJSON `json:"posts"`
}

// shownDays is how many days are listed, one a line.
const shownDays = 14

// stats prints what readers have read, and how many sessions there were.
func (c authorCall) stats() error {
	s := c.author.Stats()
	if c.hasOption("--json") {
		return c.printStatsJSON(s)
	}
	sums := []countRow{
		{counts: []string{"30 days", "7 days", "today", "total"}},
		newCountRow("sessions", s.Sessions, ""),
		newCountRow("views", s.Views, ""),
	}
	if len(s.Posts) > 0 {
		sums = append(sums, countRow{})
	}
	first := len(blog.Day(0).String())
	for _, p := range s.Posts {
		slug := oneLine(p.Post.Slug)
		sums = append(sums, newCountRow(slug, p.Count, oneLine(p.Post.Title)))
		first = max(first, typeset.Width(slug))
	}
	days := []countRow{{}, {counts: []string{"sessions", "views"}}}
	for d := s.Today; d > s.Today-shownDays; d-- {
		days = append(days, countRow{
			name:   d.String(),
			counts: []string{strconv.Itoa(s.Sessions.Days[d]), strconv.Itoa(s.Views.Days[d])},
		})
	}
	now := strconv.Itoa(s.Now) + " sessions now"
	if s.Now == 1 {
		now = "1 session now"
	}
	first = min(first, slugColumn)
	if err := c.printCounts(sums, first); err != nil {
		return err
	}
	if err := c.printCounts(days, first); err != nil {
		return err
	}
	if err := c.println(""); err != nil {
		return err
	}
	return c.println(now)
}

func (c *call) printStatsJSON(s blog.Stats) error {
	posts := make([]postCountJSON, len(s.Posts))
	for i, p := range s.Posts {
		posts[i] = postCountJSON{
			Slug:      oneLine(p.Post.Slug),
			Title:     oneLine(p.Post.Title),
			countJSON: newCountJSON(p.Count),
		}
	}
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(statsJSON{
		Today:    s.Today,
		Now:      s.Now,
		Sessions: newCountJSON(s.Sessions),
		Views:    newCountJSON(s.Views),
		Posts:    posts,
	})
}

// A countRow says how often something happened. One without a name is a row of
// headings; the zero row is an empty line.
type countRow struct {
	name   string
	counts []string
	title  string
}

func newCountRow(name string, n blog.Count, title string) countRow {
	return countRow{
		name: name,
		counts: []string{
			strconv.Itoa(n.Month), strconv.Itoa(n.Week), strconv.Itoa(n.Today), strconv.Itoa(n.Total),
		},
		title: title,
	}
}

// printCounts prints rows in aligned columns, of which that of the names is
// first cells wide. In a terminal names give way to the counts.
func (c *call) printCounts(rows []countRow, first int) error {
	var widths []int
	for _, r := range rows {
		for i, n := range r.counts {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], typeset.Width(n))
		}
	}
	used := 0
	for _, w := range widths {
		used += 2 + w
	}
	narrow := c.Terminal && c.Width > 0
	if narrow {
		first = min(first, max(c.Width-used, 8))
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, r := range rows {
		text := ""
		if r.counts != nil {
			name := r.name
			if narrow {
				name = typeset.Truncate(name, first)
			}
			text = padRight(name, first)
			for i, n := range r.counts {
				text += "  " + padLeft(n, widths[i])
			}
			if r.title != "" {
				text += "  " + r.title
			}
			text = c.fit(text)
			if r.name == "" {
				text = style.Dim.On(text)
			}
		}
		if err := c.println(text); err != nil {
			return err
		}
	}
	return nil
}
