package shell

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"html"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// feedPosts is how many posts a feed holds at most: each comes with its whole
// text.
const feedPosts = 50

// The elements of an Atom feed (RFC 4287) that are used.
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

// feed prints the newest posts that have a date.
func (c *call) feed() error {
	site, host := c.edition.Site(), c.host()
	domain := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		domain = h
	}
	f := atomFeed{
		Lang:     oneLine(site.Lang),
		ID:       "tag:" + domain + ",2000:sheaf",
		Title:    oneLine(site.Title),
		Subtitle: oneLine(site.Tagline),
		Author:   []atomName{{oneLine(cmp.Or(site.Author, site.Title))}},
		Links:    []atomLink{{Rel: "self", Href: "ssh://" + host + "/feed"}, {Rel: "alternate", Href: "ssh://" + host}},
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
		f.Entries = append(f.Entries, c.feedEntry(p, domain, changed))
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

// feedEntry returns a post's entry. Its id (a tag URI, RFC 4151) is made of the
// domain, the post's date and its slug: it stays when the text or the title
// changes.
func (c *call) feedEntry(p *blog.Post, domain string, changed time.Time) atomEntry {
	e := atomEntry{
		ID:        "tag:" + domain + "," + p.Date.Format("2006-01-02") + ":" + escapeSlug(p.Slug),
		Title:     oneLine(p.Title),
		Published: p.Date.Format(time.RFC3339),
		Updated:   changed.Format(time.RFC3339),
		Links:     []atomLink{{Rel: "alternate", Href: c.address(p)}},
		Summary:   oneLine(p.Description),
		Content:   atomText{Type: "html", Body: c.contentHTML(p)},
	}
	for _, a := range p.Authors {
		e.Author = append(e.Author, atomName{oneLine(a)})
	}
	for _, t := range p.Tags {
		e.Categories = append(e.Categories, atomCategory{oneLine(t)})
	}
	return e
}

// contentHTML makes HTML of a post's text: its headings, code and paragraphs,
// and a list of its links at the end. All of the text is escaped; no HTML that
// the post may hold itself comes through.
func (c *call) contentHTML(p *blog.Post) string {
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
	b.WriteString(c.linksHTML(p, d))
	return b.String()
}

// linksHTML makes an HTML list of the links of a post, "" if there are none.
// Links to other posts lead to their addresses.
func (c *call) linksHTML(p *blog.Post, d *markdown.Document) string {
	var b strings.Builder
	for _, l := range d.Links {
		target := l.Target
		if to, _, ok := c.edition.Resolve(p, target); ok {
			target = c.address(to)
		}
		u, err := url.Parse(target)
		if err != nil || !slices.Contains([]string{"http", "https", "mailto", "ssh"}, u.Scheme) {
			continue
		}
		name := cmp.Or(oneLine(l.Text), oneLine(target))
		b.WriteString(`<li><a href="` + html.EscapeString(u.String()) + `">` + html.EscapeString(name) + "</a></li>")
	}
	if b.Len() == 0 {
		return ""
	}
	return "<ul>" + b.String() + "</ul>"
}
