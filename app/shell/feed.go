package shell

import (
	"encoding/xml"
	"fmt"
	"html"
	"net"
	"net/url"
	"slices"
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
			Content:   atomText{"html", c.markup(p)},
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

// markup makes HTML of a post's text: headings, code and paragraphs where they
// stand, and the addresses of its links at the end. All of it is escaped;
// nothing of the HTML that the post itself may hold comes through.
func (c *call) markup(p *blog.Post) string {
	d := p.Document()
	var b strings.Builder
	heads, codes := d.Headings, d.Codes
	text := d.Text
	if len(heads) > 0 && heads[0].Text == p.Title && strings.HasPrefix(text, p.Title+"\n") {
		heads, text = heads[1:], text[len(p.Title)+1:]
	}
	for text != "" {
		if len(codes) > 0 {
			code := strings.TrimRight(codes[0].Text, "\n")
			if rest, ok := strings.CutPrefix(text, code); ok && code != "" && (rest == "" || rest[0] == '\n') {
				b.WriteString("<pre><code>" + html.EscapeString(code) + "</code></pre>")
				codes, text = codes[1:], strings.TrimLeft(rest, "\n")
				continue
			}
		}
		var l string
		l, text, _ = strings.Cut(text, "\n")
		switch {
		case strings.TrimSpace(l) == "":
		case len(heads) > 0 && l == heads[0].Text:
			fmt.Fprintf(&b, "<h%d>%s</h%[1]d>", min(heads[0].Level+1, 6), html.EscapeString(l))
			heads = heads[1:]
		default:
			b.WriteString("<p>" + html.EscapeString(l) + "</p>")
		}
	}
	links := ""
	for _, l := range d.Links {
		target := l.Target
		if to, _, ok := c.edition.Resolve(p, target); ok {
			target = c.address(to)
		}
		u, err := url.Parse(target)
		if err != nil || !slices.Contains([]string{"http", "https", "mailto", "ssh"}, u.Scheme) {
			continue
		}
		name := line(l.Text)
		if name == "" {
			name = line(target)
		}
		links += `<li><a href="` + html.EscapeString(u.String()) + `">` + html.EscapeString(name) + "</a></li>"
	}
	if links != "" {
		b.WriteString("<ul>" + links + "</ul>")
	}
	return b.String()
}
