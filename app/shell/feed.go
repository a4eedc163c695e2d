package shell

import (
	"encoding/xml"
	"html"
	"net"
	"strings"
	"time"

	"sheaf/app/blog"
)

// feedPosts is how many posts a feed holds: each comes with its whole text.
const feedPosts = 50

// The elements of an Atom feed (RFC 4287) that are used here.
type (
	atomFeed struct {
		XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang     string      `xml:"xml:lang,attr,omitempty"`
		ID       string      `xml:"id"`
		Title    string      `xml:"title"`
		Subtitle string      `xml:"subtitle,omitempty"`
		Updated  string      `xml:"updated"`
		Author   []atomName  `xml:"author"`
		Links    []atomLink  `xml:"link"`
		Entries  []atomEntry `xml:"entry"`
	}
	atomEntry struct {
		ID         string         `xml:"id"`
		Title      string         `xml:"title"`
		Published  string         `xml:"published"`
		Updated    string         `xml:"updated"`
		Author     []atomName     `xml:"author"`
		Links      []atomLink     `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Summary    string         `xml:"summary,omitempty"`
		Content    atomText       `xml:"content"`
	}
	atomName struct {
		Name string `xml:"name"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	}
	atomCategory struct {
		Term string `xml:"term,attr"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Body string `xml:",chardata"`
	}
)

// feed prints the newest dated posts. An entry's id is made of the host, the
// post's date and its slug: it stays when the text or the title changes.
func (c *call) feed() error {
	site, host := c.edition.Site(), c.host()
	owner := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		owner = h
	}
	f := atomFeed{
		Lang:     line(site.Lang),
		ID:       "tag:" + owner + ",2000:sheaf",
		Title:    line(site.Title),
		Subtitle: line(site.Tagline),
		Author:   []atomName{{line(site.Author)}},
		Links:    []atomLink{{"self", "ssh://" + host + "/feed"}, {"alternate", "ssh://" + host}},
	}
	if site.Author == "" {
		f.Author[0].Name = line(site.Title)
	}
	var newest time.Time
	for _, p := range c.edition.Posts() {
		if p.State != blog.Published || !p.HasDate {
			continue
		}
		if len(f.Entries) == feedPosts {
			break
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		changed := p.Date
		if p.Updated.After(changed) {
			changed = p.Updated
		}
		if changed.After(newest) {
			newest = changed
		}
		e := atomEntry{
			ID:        "tag:" + owner + "," + p.Date.Format("2006-01-02") + ":" + escape(p.Slug),
			Title:     line(p.Title),
			Published: p.Date.Format(time.RFC3339),
			Updated:   changed.Format(time.RFC3339),
			Links:     []atomLink{{"alternate", c.address(p)}},
			Summary:   line(p.Description),
			Content:   atomText{"html", paragraphs(p.Document().Text)},
		}
		for _, a := range p.Authors {
			e.Author = append(e.Author, atomName{line(a)})
		}
		for _, t := range p.Tags {
			e.Categories = append(e.Categories, atomCategory{line(t)})
		}
		f.Entries = append(f.Entries, e)
	}
	f.Updated = newest.Format(time.RFC3339)
	_, _ = c.out.WriteString(xml.Header)
	enc := xml.NewEncoder(c.out)
	enc.Indent("", " ")
	if err := enc.Encode(f); err != nil {
		return err
	}
	return c.out.WriteByte('\n')
}

// paragraphs makes HTML of plain text: a blank line ends a paragraph, a line
// end in it stays one.
func paragraphs(text string) string {
	var b strings.Builder
	for par := range strings.SplitSeq(text, "\n\n") {
		if par = strings.Trim(par, "\n"); par == "" {
			continue
		}
		b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(par), "\n", "<br/>\n") + "</p>\n")
	}
	return b.String()
}
