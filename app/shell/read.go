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

// cat prints a post's source. To a terminal it is made safe, elsewhere it is
// byte for byte. Nobody knows whether that is a terminal, too, so a source that
// one might obey is refused.
func (c *call) cat() error {
	p, _, err := c.findPost(c.operands[0])
	if err != nil {
		return err
	}
	src, err := p.Source()
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(c.operands[0])
	}
	if err != nil {
		return err
	}
	if line, why := blog.Unprintable(src); why != "" && !c.Terminal {
		hint := "read " + oneLine(p.Slug) + " shows it"
		if c.Visitor.IsAuthor() {
			hint = "scp fetches it as it is"
		}
		return refuse(fmt.Sprintf("cat: %s: line %d %s", oneLine(p.Slug), line, why), hint)
	}
	c.Visitor.Viewed(p)
	if c.Terminal {
		src = []byte(markdown.Clean(string(src)))
	}
	_, err = c.out.Write(src)
	return err
}

func (c *call) read() error {
	p, heading, err := c.findPost(c.operands[0])
	if err != nil {
		return err
	}
	return c.printPost(p, heading)
}

func (c *call) latest() error {
	for _, p := range c.edition.Posts() {
		if p.State == blog.Published {
			return c.printPost(p, "")
		}
	}
	return refuse("latest: no posts yet", "")
}

// Widths of a page, in cells. Lines longer than the default are hard to read.
const (
	defaultWidth = 80
	minWidth     = 10
	maxWidth     = 1000
)

// printPost prints a post as a page, from a heading on unless that is "".
func (c *call) printPost(p *blog.Post, heading string) error {
	width := defaultWidth
	if c.Terminal && c.Width > 0 {
		width = min(width, c.Width)
	}
	if v, ok := c.options["--width"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < minWidth || n > maxWidth {
			return misuse(fmt.Sprintf("--width %s: not a number from %d to %d", excerpt(v), minWidth, maxWidth), "")
		}
		width = n
	}
	color := c.Color
	switch v := c.options["--color"]; v {
	case "", "auto":
	case "always", "never":
		color = v == "always"
	default:
		return misuse("--color "+excerpt(v)+": not auto, always or never", "")
	}
	page := c.Setter.Page(p.Document(), typeset.Header{Title: p.Title, Note: p.Note()}, width, c.theme(color))
	lines := page.Lines
	if heading != "" {
		at, ok := page.Anchor(heading)
		if !ok {
			return refuse(excerpt(c.operands[0])+": no such heading", "read "+p.Slug+" shows all of the post")
		}
		lines = lines[at:]
	}
	c.Visitor.Viewed(p)
	for _, l := range lines {
		if err := c.println(l); err != nil {
			return err
		}
	}
	return nil
}
