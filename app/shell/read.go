package shell

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

func (c *call) cat() error {
	p, _, err := c.find(c.words[0])
	if err != nil {
		return err
	}
	src, err := p.Source()
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(c.words[0])
	}
	if err != nil {
		return err
	}
	c.Visitor.Viewed(p)
	if c.Terminal {
		src = []byte(markdown.Clean(string(src)))
	}
	_, err = c.out.Write(src)
	return err
}

func (c *call) read() error {
	p, heading, err := c.find(c.words[0])
	if err != nil {
		return err
	}
	return c.set(p, heading)
}

func (c *call) latest() error {
	for _, p := range c.edition.Posts() {
		if p.State == blog.Published {
			return c.set(p, "")
		}
	}
	return &refusal{1, "latest: no posts yet", ""}
}

// The measure: lines longer than this are hard to read.
const (
	measure           = 80
	narrowest, widest = 10, 1000
)

// set prints a post as a page, from a heading on if one is named.
func (c *call) set(p *blog.Post, heading string) error {
	width := measure
	if c.Terminal && c.Width > 0 {
		width = min(width, c.Width)
	}
	if v, ok := c.options["--width"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < narrowest || n > widest {
			return &refusal{2, fmt.Sprintf("--width %s: not a number from %d to %d", brief(v), narrowest, widest), ""}
		}
		width = n
	}
	color := c.Color
	switch v := c.options["--color"]; v {
	case "", "auto":
	case "always", "never":
		color = v == "always"
	default:
		return &refusal{2, "--color " + brief(v) + ": not auto, always or never", ""}
	}
	page := c.Setter.Page(p.Document(), typeset.Header{Title: p.Title, Note: p.Note()}, width, c.theme(color))
	lines := page.Lines
	if heading != "" {
		at, ok := page.Anchor(heading)
		if !ok {
			return &refusal{1, brief(c.words[0]) + ": no such heading", "read " + p.Slug + " shows all of the post"}
		}
		lines = lines[at:]
	}
	c.Visitor.Viewed(p)
	for _, l := range lines {
		if err := c.put(l); err != nil {
			return err
		}
	}
	return nil
}
