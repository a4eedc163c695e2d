package markdown

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"sheaf/app/markup"
)

// imageTags are the names of template tags that show an image.
var imageTags = []string{
	"figure", "img", "image", "imgproc", "picture", "gallery-img", "responsive-image", "fig", "photo",
}

// embedTags are the names of template tags that show something of a service.
// They may have "embed" before or behind them.
var embedTags = []string{
	"youtube", "vimeo", "bilibili", "gist", "tweet", "twitter", "instagram", "asciinema", "video", "audio",
	"youtube-nocookie", "figma", "spotify", "iframe", "pdf", "speakerdeck", "mastodon", "codepen", "jsfiddle", "x",
}

// embed returns an image or a link for a template tag that embeds something,
// "" if its name or its arguments name nothing this package knows of.
func (p *page) embed(name string, c markup.Shortcode) string {
	if slices.Contains(imageTags, name) {
		return p.embedImage(c)
	}
	for _, n := range []string{name, strings.TrimSuffix(name, "-embed"), strings.TrimPrefix(name, "embed-")} {
		if slices.Contains(embedTags, n) {
			return p.embedService(n, c)
		}
	}
	return ""
}

// embedImage returns the image of a tag, and its caption as a paragraph below
// it unless that is the alternative text already.
func (p *page) embedImage(c markup.Shortcode) string {
	src := p.stash.restore(c.Arg(0, "src", "link", "url", "path", "file", "image_path", "filename"))
	if src == "" {
		return ""
	}
	alt := c.Arg(-1, "alt", "caption", "title")
	args := c.PlainArgs()
	if alt == "" && c.Form != markup.HugoTag && len(args) > 1 && c.Arg(-1, "src", "path") == "" {
		alt = args[1]
	} else if alt == "" && len(args) > 1 && c.Arg(-1, "src") == "" {
		alt = args[len(args)-1]
	}
	image := p.stash.put(placeholder{kind: phImage, target: src, text: p.stash.text(alt)})
	if caption := c.Arg(-1, "caption"); caption != "" && caption != alt {
		para := p.stash.paragraph()
		return para + image + para + caption + para
	}
	return image
}

// embedService returns the link to what a tag embeds, as a paragraph.
func (p *page) embedService(name string, c markup.Shortcode) string {
	id := p.stash.restore(c.Arg(0, "id", "src", "url", "link", "href", "vid", "file", "user", "source", "mp4"))
	if id == "" {
		return ""
	}
	switch name {
	case "gist":
		if args := c.PlainArgs(); len(args) > 1 {
			id = args[0] + "/" + args[1]
		}
	case "tweet", "twitter", "x":
		if user, status := c.Arg(-1, "user"), c.Arg(-1, "id"); user != "" && status != "" {
			id = "https://x.com/" + user + "/status/" + status
		}
	}
	para := p.stash.paragraph()
	return para + p.serviceLink(name, id) + para
}

// A service is a site whose things posts embed. It is known by a word in the
// name of a tag or component, or, if exact, by that name alone.
type service struct {
	word  string
	exact bool
	what  string // what it shows; "" is video
	url   string // of a thing, without the thing's id; "" if ids are addresses
	label string
}

var services = []service{
	{word: "gist", what: "code", url: "https://gist.github.com/", label: "gist"},
	{word: "tweet", what: "post", url: "https://x.com/i/status/", label: "x.com"},
	{word: "twitter", exact: true, what: "post", url: "https://x.com/i/status/", label: "x.com"},
	{word: "twitter", what: "post"},
	{word: "x", exact: true, what: "post", url: "https://x.com/i/status/", label: "x.com"},
	{word: "youtube", url: "https://www.youtube.com/watch?v=", label: "youtube.com"},
	{word: "vimeo", url: "https://vimeo.com/", label: "vimeo.com"},
	{word: "bilibili", url: "https://www.bilibili.com/video/", label: "bilibili.com"},
	{word: "instagram", what: "post", url: "https://www.instagram.com/p/", label: "instagram.com"},
	{word: "asciinema", url: "https://asciinema.org/a/", label: "asciinema.org"},
	{word: "codepen", what: "code"},
	{word: "jsfiddle", what: "code"},
	{word: "mastodon", what: "post"},
	{word: "audio", exact: true, what: "audio"},
	{word: "spotify", exact: true, what: "audio"},
	{word: "iframe", exact: true, what: "frame"},
	{word: "pdf", exact: true, what: "frame"},
	{word: "figma", exact: true, what: "frame"},
	{word: "speakerdeck", exact: true, what: "frame"},
}

// serviceLink returns a link to the thing id at the service a name stands for.
// An id may be an address; then that is linked.
func (p *page) serviceLink(name, id string) string {
	var of service
	for _, s := range services {
		if name == s.word || !s.exact && strings.Contains(name, s.word) {
			of = s
			break
		}
	}
	what, target, label := of.what, id, name
	if what == "" {
		what = "video"
	}
	if !strings.Contains(id, "/") || name == "gist" && !strings.Contains(id, ":") {
		if of.url != "" {
			target, label = of.url+id, of.label
		}
	} else if h := hostOf(id); h != "" {
		label = h
	}
	return p.stash.put(placeholder{kind: phLink, target: target, text: "[" + what + ": " + label + "]"})
}

// hostOf returns the name to show for an address: its host without www, or the
// file at its end.
func hostOf(target string) string {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Host, "www.")
	}
	return path.Base(target)
}
