package shell

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// item is a post in JSON.
type item struct {
	Slug    string   `json:"slug"`
	Title   string   `json:"title"`
	Date    string   `json:"date"`    // RFC 3339, "" when it has none
	Updated string   `json:"updated"` // RFC 3339, "" when never
	Tags    []string `json:"tags"`
	Minutes int      `json:"minutes"`
	Summary string   `json:"summary"`
	Words   int      `json:"words"`
	Address string   `json:"address"`
	State   string   `json:"state"`
	Preview string   `json:"preview,omitempty"` // to authors: what shows it to others
}

// found is a hit of a search in JSON.
type found struct {
	item
	Heading string `json:"heading"`
	Line    int    `json:"line"`
	Snippet string `json:"snippet"`
}

func (c *call) item(p *blog.Post) item {
	i := item{
		Slug:    line(p.Slug),
		Title:   line(p.Title),
		Tags:    make([]string, 0, len(p.Tags)),
		Minutes: p.Minutes,
		Summary: line(p.Summary()),
		Words:   p.Words,
		Address: c.address(p),
		State:   p.State.String(),
	}
	if shared, ok := c.Visitor.PreviewOf(p); ok {
		i.Preview = c.previewAddress(shared)
	}
	if p.HasDate {
		i.Date = p.Date.Format(time.RFC3339)
	}
	if !p.Updated.IsZero() {
		i.Updated = p.Updated.Format(time.RFC3339)
	}
	for _, t := range p.Tags {
		i.Tags = append(i.Tags, line(t))
	}
	return i
}

// address is where a post is for any program that knows ssh addresses.
func (c *call) address(p *blog.Post) string {
	return "ssh://" + c.host() + "/" + escape(p.Slug)
}

func escape(slug string) string {
	parts := strings.Split(slug, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	return strings.Join(parts, "/")
}

// array writes JSON values as they come, one a line.
func array[T any](c *call, n int, value func(int) T) error {
	sep := "["
	for i := range n {
		if err := c.put(sep); err != nil {
			return err
		}
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(value(i)); err != nil {
			return err
		}
		_, _ = c.out.WriteString(strings.TrimSuffix(b.String(), "\n"))
		sep = ","
	}
	if n == 0 {
		return c.put("[]")
	}
	return c.put("\n]")
}

func (c *call) list() error {
	posts := c.edition.Posts()
	if tag, ok := c.options["--tag"]; ok {
		if posts = c.edition.Tagged(tag); len(posts) == 0 && !c.has("--json") {
			return &refusal{1, "ls: no post has the tag " + brief(tag), "tags lists the tags"}
		}
	}
	if c.has("--json") {
		return array(c, len(posts), func(i int) item { return c.item(posts[i]) })
	}
	if len(posts) == 0 {
		return &refusal{0, "ls: no posts yet", ""}
	}
	return c.table(posts, nil)
}

// Slugs and titles beyond these do not push the columns behind them away.
const (
	slugColumn  = 32
	titleColumn = 60
	leastTitle  = 20
)

// table prints posts as aligned columns, two blanks apart: date, slug, title,
// reading time, tags. A terminal that is too narrow for all loses the tags
// first, then the reading time; the title is cut last. below, if it is given,
// says what more is to be said of a post; "" is nothing.
func (c *call) table(posts []*blog.Post, below func(*blog.Post) string) error {
	slugs, titles := 0, 0
	for _, p := range posts {
		slugs = max(slugs, typeset.Width(line(p.Slug)))
		titles = max(titles, typeset.Width(line(p.Title)))
	}
	slugs, titles = min(slugs, slugColumn), min(titles, titleColumn)
	style := typeset.Styled(c.theme(c.Color))
	one := func(p *blog.Post) error {
		date, slug, title := when(p), line(p.Slug), line(p.Title)
		minutes, tags := "", ""
		if p.Minutes > 0 {
			minutes = strconv.Itoa(p.Minutes) + " min"
		}
		for _, t := range p.Tags {
			tags += " #" + line(t)
		}
		tags = strings.TrimSpace(tags)
		var row strings.Builder
		row.WriteString(style.Dim.On(pad(date, 10)) + "  ")
		if !c.Terminal {
			row.WriteString(pad(slug, slugs) + "  " + pad(title, titles) + "  " + fmt.Sprintf("%7s", minutes) + "  " + tags)
			return c.put(strings.TrimRight(row.String(), " "))
		}
		room := max(c.Width, 20)
		head := 10 + 2 + slugs + 2
		slug = pad(typeset.Truncate(slug, slugs), slugs)
		if room < head+leastTitle { // too narrow for a column of slugs
			head, slug = 12, ""
		} else {
			slug += "  "
		}
		title = typeset.Truncate(title, min(titles, max(room-head, 8)))
		used := head + typeset.Width(title)
		row.WriteString(slug + style.Bold.On(title))
		at := head + titles + 2
		if minutes != "" && at+7 <= room {
			row.WriteString(strings.Repeat(" ", at-used) + style.Dim.On(fmt.Sprintf("%7s", minutes)))
			used = at + 7
		}
		if at += 9; tags != "" && at+typeset.Width(tags) <= room {
			row.WriteString(strings.Repeat(" ", at-used) + style.Dim.On(tags))
		}
		return c.put(strings.TrimRight(row.String(), " "))
	}
	for _, p := range posts {
		if err := one(p); err != nil {
			return err
		}
		if below == nil {
			continue
		}
		if text := below(p); text != "" {
			if err := c.put("            " + text); err != nil {
				return err
			}
		}
	}
	return nil
}

// when is a post's date, or why readers do not see it.
func when(p *blog.Post) string {
	switch {
	case !p.State.Visible():
		return p.State.String()
	case p.HasDate:
		return p.Date.Format("2006-01-02")
	}
	return "-"
}

// maxQuery bounds what is searched for, in bytes.
const maxQuery = 100

func (c *call) search() error {
	query := strings.Join(c.words, " ")
	if len(query) > maxQuery {
		return &refusal{2, fmt.Sprintf("search: more than %d characters", maxQuery), ""}
	}
	hits := c.edition.Search(query)
	if c.has("--json") {
		return array(c, len(hits), func(i int) found {
			h := hits[i]
			return found{c.item(h.Post), line(h.Heading), h.Line, line(h.Snippet)}
		})
	}
	if len(hits) == 0 {
		return &refusal{1, "search: No match for «" + brief(query) + "».", ""}
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, h := range hits {
		head := pad(when(h.Post), 10) + "  " + line(h.Post.Slug) + "  " + line(h.Post.Title)
		text := "    " + line(h.Snippet)
		if c.Terminal && c.Width > 0 {
			head, text = typeset.Truncate(head, c.Width), typeset.Truncate(text, c.Width)
		}
		if err := c.put(style.Bold.On(head)); err != nil {
			return err
		}
		if h.Snippet != "" {
			if err := c.put(text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) tags() error {
	tags := c.edition.Tags()
	type tag struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
	}
	if c.has("--json") {
		return array(c, len(tags), func(i int) tag { return tag{line(tags[i].Name), tags[i].Count} })
	}
	wide := 0
	for _, t := range tags {
		wide = max(wide, typeset.Width(line(t.Name)))
	}
	for _, t := range tags {
		if err := c.put(fmt.Sprintf("%s  %d", pad(line(t.Name), min(wide, 40)), t.Count)); err != nil {
			return err
		}
	}
	return nil
}
