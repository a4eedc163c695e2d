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

// postJSON is a post in JSON.
type postJSON struct {
	Slug    string   `json:"slug"`
	Title   string   `json:"title"`
	Date    string   `json:"date"`    // RFC 3339, "" for none
	Updated string   `json:"updated"` // RFC 3339, "" for never
	Tags    []string `json:"tags"`
	Minutes int      `json:"minutes"`
	Summary string   `json:"summary"`
	Words   int      `json:"words"`
	Address string   `json:"address"`
	State   string   `json:"state"`
	Preview string   `json:"preview,omitempty"` // the command that shows it, for authors
}

func (c *call) postJSON(p *blog.Post) postJSON {
	j := postJSON{
		Slug:    oneLine(p.Slug),
		Title:   oneLine(p.Title),
		Tags:    make([]string, 0, len(p.Tags)),
		Minutes: p.Minutes,
		Summary: oneLine(p.Summary()),
		Words:   p.Words,
		Address: c.address(p),
		State:   p.State.String(),
	}
	if author, ok := c.Visitor.Author(); ok {
		if shared, ok := author.PreviewOf(p); ok {
			j.Preview = c.previewAddress(shared)
		}
	}
	if p.HasDate {
		j.Date = p.Date.Format(time.RFC3339)
	}
	if !p.Updated.IsZero() {
		j.Updated = p.Updated.Format(time.RFC3339)
	}
	for _, t := range p.Tags {
		j.Tags = append(j.Tags, oneLine(t))
	}
	return j
}

// hitJSON is what a search has found in a post.
type hitJSON struct {
	postJSON
	Heading string `json:"heading"`
	Line    int    `json:"line"`
	Snippet string `json:"snippet"`
}

// address is the address of a post for programs that open ssh addresses.
func (c *call) address(p *blog.Post) string { return address(c.host(), p) }

func address(host blog.Host, p *blog.Post) string { return host.URL("/" + escapeSlug(p.Slug)) }

// escapeSlug escapes a slug for addresses. Its slashes stay.
func escapeSlug(slug string) string {
	parts := strings.Split(slug, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	return strings.Join(parts, "/")
}

// printArray prints n values as a JSON array, one a line, and makes each only
// when it is printed.
func printArray[T any](c *call, n int, value func(int) T) error {
	sep := "["
	for i := range n {
		if err := c.println(sep); err != nil {
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
		return c.println("[]")
	}
	return c.println("\n]")
}

func (c *call) list() error {
	posts := c.edition.Posts()
	if tag, ok := c.options["--tag"]; ok {
		if posts = c.edition.Tagged(tag); len(posts) == 0 && !c.hasOption("--json") {
			return refuse("ls: no post has the tag "+excerpt(tag), "tags lists the tags")
		}
	}
	if c.hasOption("--json") {
		return printArray(c, len(posts), func(i int) postJSON { return c.postJSON(posts[i]) })
	}
	if len(posts) == 0 {
		return nothing("ls: no posts yet")
	}
	return c.printPosts(posts, nil)
}

// Widths of columns, in cells. Slugs and titles that are longer than their
// column do not move the ones after it.
const (
	dateColumn    = 10
	slugColumn    = 32 // at most
	titleColumn   = 60 // at most
	minutesColumn = 7

	minTitle = 20 // beside a slug
)

// printPosts prints posts in aligned columns, two blanks apart: date, slug,
// title, reading time, tags. In a terminal too narrow for all of them the tags
// go first, then the reading time, then the slug; the title is cut last. What
// note returns is printed below its post, unless it is ""; note may be nil.
func (c *call) printPosts(posts []*blog.Post, note func(*blog.Post) string) error {
	slugs, titles := 0, 0
	for _, p := range posts {
		slugs = max(slugs, typeset.Width(oneLine(p.Slug)))
		titles = max(titles, typeset.Width(oneLine(p.Title)))
	}
	slugs, titles = min(slugs, slugColumn), min(titles, titleColumn)
	style := typeset.Styled(c.theme(c.Color))
	for _, p := range posts {
		row := c.postRow(p, slugs, titles, style)
		if err := c.println(strings.TrimRight(row, " ")); err != nil {
			return err
		}
		if note == nil {
			continue
		}
		if text := note(p); text != "" {
			if err := c.println(strings.Repeat(" ", dateColumn+2) + text); err != nil {
				return err
			}
		}
	}
	return nil
}

// postRow returns a row of printPosts, given the widths of the columns of slugs
// and titles.
func (c *call) postRow(p *blog.Post, slugs, titles int, style typeset.Styles) string {
	slug, title := oneLine(p.Slug), oneLine(p.Title)
	minutes, tags := "", ""
	if p.Minutes > 0 {
		minutes = strconv.Itoa(p.Minutes) + " min"
	}
	for _, t := range p.Tags {
		tags += " #" + oneLine(t)
	}
	tags = strings.TrimSpace(tags)
	minutes = padLeft(minutes, minutesColumn)
	date := style.Dim.On(padRight(dateOrState(p), dateColumn)) + "  "
	if !c.Terminal {
		return date + padRight(slug, slugs) + "  " + padRight(title, titles) + "  " + minutes + "  " + tags
	}
	room := max(c.Width, 20)
	left := dateColumn + 2 + slugs + 2
	slug = padRight(typeset.Truncate(slug, slugs), slugs) + "  "
	if room < left+minTitle {
		left, slug = dateColumn+2, ""
	}
	title = typeset.Truncate(title, min(titles, max(room-left, 8)))
	row := date + slug + style.Bold.On(title)
	used := left + typeset.Width(title)
	at := left + titles + 2
	if p.Minutes > 0 && at+minutesColumn <= room {
		row += strings.Repeat(" ", at-used) + style.Dim.On(minutes)
		used = at + minutesColumn
	}
	if at += minutesColumn + 2; tags != "" && at+typeset.Width(tags) <= room {
		row += strings.Repeat(" ", at-used) + style.Dim.On(tags)
	}
	return row
}

// dateOrState is a post's date, or why readers do not see it.
func dateOrState(p *blog.Post) string {
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

// search lists the posts that contain all words, each with the place where they
// were found.
func (c *call) search() error {
	query := strings.Join(c.operands, " ")
	if len(query) > maxQuery {
		return misuse(fmt.Sprintf("search: more than %d characters", maxQuery), "")
	}
	hits := c.edition.Search(query)
	if c.hasOption("--json") {
		return printArray(c, len(hits), func(i int) hitJSON {
			h := hits[i]
			return hitJSON{
				postJSON: c.postJSON(h.Post),
				Heading:  oneLine(h.Heading),
				Line:     h.Line,
				Snippet:  oneLine(h.Snippet),
			}
		})
	}
	if len(hits) == 0 {
		return refuse("search: No match for «"+excerpt(query)+"».", "")
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, h := range hits {
		head := padRight(dateOrState(h.Post), dateColumn) + "  " + oneLine(h.Post.Slug) + "  " + oneLine(h.Post.Title)
		if err := c.println(style.Bold.On(c.fit(head))); err != nil {
			return err
		}
		if h.Snippet != "" {
			if err := c.println(c.fit("    " + oneLine(h.Snippet))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) tags() error {
	tags := c.edition.Tags()
	type tagJSON struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
	}
	if c.hasOption("--json") {
		return printArray(c, len(tags), func(i int) tagJSON {
			return tagJSON{Name: oneLine(tags[i].Name), Count: tags[i].Count}
		})
	}
	names := 0 // width
	for _, t := range tags {
		names = max(names, typeset.Width(oneLine(t.Name)))
	}
	for _, t := range tags {
		if err := c.println(fmt.Sprintf("%s  %d", padRight(oneLine(t.Name), min(names, 40)), t.Count)); err != nil {
			return err
		}
	}
	return nil
}
