package shell

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"
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
		XMLName  xml.Name   `xml:"http://www.w3.org/2005/Atom feed"`
		Lang     string     `xml:"xml:lang,attr,omitempty"`
		ID       string     `xml:"id"`
		Title    string     `xml:"title"`
		Subtitle string     `xml:"subtitle,omitempty"`
		Updated  string     `xml:"updated"`
		Author   []atomName `xml:"author"`
		Links    []atomLink `xml:"link"`
	}
	atomEntry struct {
		XMLName    xml.Name       `xml:"entry"`
		ID         string         `xml:"id"`
		Title      string         `xml:"title"`
		Published  string         `xml:"published"`
		Updated    string         `xml:"updated"`
		Author     []atomName     `xml:"author"`
		Links      []atomLink     `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Summary    string         `xml:"summary,omitempty"`
		Content    *atomText      `xml:"content"`
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

// Feeds makes feeds, one of an edition for all who read it, and keeps the last.
// The zero value is ready. It is safe for concurrent use.
type Feeds struct {
	making sync.Mutex // one is made at a time
	mu     sync.Mutex
	kept   []*keptFeed // the newest last
}

// A keptFeed is a feed that is made, or being made until ready is closed.
type keptFeed struct {
	edition *blog.Edition
	host    blog.Host
	ready   chan struct{}
	text    []byte
	err     error
}

const (
	maxFeed   = 1 << 20 // bytes; from the first post on whose text does not fit, they come without it
	keptFeeds = 4       // readers' and authors', by an address or two
)

// get returns the feed of an edition, which nobody may change. It is made apart
// from the session that asks first, so that others get it when that ends; the
// error is that of making it, or the cause of the end of ctx.
func (f *Feeds) get(ctx context.Context, edition *blog.Edition, host blog.Host) ([]byte, error) {
	f.mu.Lock()
	i := slices.IndexFunc(f.kept, func(k *keptFeed) bool { return k.edition == edition && k.host == host })
	var k *keptFeed
	if i >= 0 {
		k = f.kept[i]
	} else {
		k = &keptFeed{edition: edition, host: host, ready: make(chan struct{})}
		f.kept = append(f.kept[max(0, len(f.kept)-keptFeeds+1):], k)
		go f.make(k)
	}
	f.mu.Unlock()
	select {
	case <-k.ready:
		return k.text, k.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// make makes a feed, which is forgotten if that fails.
func (f *Feeds) make(k *keptFeed) {
	defer close(k.ready)
	f.making.Lock()
	defer f.making.Unlock()
	defer func() {
		if p := recover(); p != nil {
			k.err = fmt.Errorf("feed: panic: %v", p)
		}
		if k.err != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.kept = slices.DeleteFunc(f.kept, func(other *keptFeed) bool { return other == k })
		}
	}()
	k.text, k.err = feedMaker{k.edition, k.host}.feed()
}

// feed prints the newest posts that have a date.
func (c *call) feed() error {
	feeds := c.Feeds
	if feeds == nil {
		feeds = new(Feeds)
	}
	text, err := feeds.get(c.ctx, c.edition, c.host())
	for len(text) > 0 && err == nil {
		part := text[:min(len(text), 64<<10)] // more than c.out buffers, so it is not copied
		text = text[len(part):]
		if _, err = c.out.Write(part); err == nil {
			err = c.ctx.Err()
		}
	}
	return err
}

// A feedMaker makes the feed of an edition at a host.
type feedMaker struct {
	edition *blog.Edition
	host    blog.Host
}

// feed makes the feed, at most about maxFeed bytes long.
func (m feedMaker) feed() ([]byte, error) {
	site, domain := m.edition.Site(), m.host.Name()
	f := atomFeed{
		Lang:     oneLine(site.Lang),
		ID:       "tag:" + domain + ",2000:sheaf",
		Title:    oneLine(site.Title),
		Subtitle: oneLine(site.Tagline),
		Author:   []atomName{{oneLine(cmp.Or(site.Author, site.Title))}},
		Links: []atomLink{
			{Rel: "self", Href: m.host.URL("/feed")},
			{Rel: "alternate", Href: m.host.URL("")},
		},
	}
	var newest time.Time
	var entries bytes.Buffer
	count, room := 0, maxFeed
	for _, p := range m.edition.Posts() {
		if p.State != blog.Published || !p.HasDate {
			continue
		}
		if count++; count > feedPosts {
			break
		}
		changed := p.Date
		if p.Updated.After(changed) {
			changed = p.Updated
		}
		if changed.After(newest) {
			newest = changed
		}
		e := m.entry(p, domain, changed, room)
		entry, err := xml.MarshalIndent(e, " ", " ")
		if err != nil {
			return nil, err
		}
		if room -= len(entry); e.Content == nil {
			room = 0
		}
		entries.WriteByte('\n')
		entries.Write(entry)
	}
	f.Updated = newest.Format(time.RFC3339)
	frame, err := xml.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, err
	}
	const end = "\n</feed>"
	frame = bytes.TrimSuffix(frame, []byte(end))
	return slices.Concat([]byte(xml.Header), frame, entries.Bytes(), []byte(end+"\n")), nil
}

// entry returns a post's entry, with its text unless that is larger than room.
// Its id (a tag URI, RFC 4151) is made of the domain, the post's date and its
// slug: it stays when the text or the title changes.
func (m feedMaker) entry(p *blog.Post, domain string, changed time.Time, room int) atomEntry {
	e := atomEntry{
		ID:        "tag:" + domain + "," + p.Date.Format("2006-01-02") + ":" + escapeSlug(p.Slug),
		Title:     oneLine(p.Title),
		Published: p.Date.Format(time.RFC3339),
		Updated:   changed.Format(time.RFC3339),
		Links:     []atomLink{{Rel: "alternate", Href: address(m.host, p)}},
		Summary:   oneLine(p.Description),
	}
	if room > 0 {
		if text := m.contentHTML(p); len(text) <= room {
			e.Content = &atomText{Type: "html", Body: text}
		}
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
func (m feedMaker) contentHTML(p *blog.Post) string {
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
	b.WriteString(m.linksHTML(p, d))
	return b.String()
}

// linksHTML makes an HTML list of the links of a post, "" if there are none.
// Links to other posts lead to their addresses.
func (m feedMaker) linksHTML(p *blog.Post, d *markdown.Document) string {
	var b strings.Builder
	for _, l := range d.Links {
		target := l.Target
		if to, _, ok := m.edition.Resolve(p, target); ok {
			target = address(m.host, to)
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
