package shell

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"sheaf/app/blog"
)

// maxInput bounds what is read of one file; the blog's own limits are narrower
// for posts.
const maxInput = 16 << 20

// publish publishes the input, or a draft that is named.
func (c *call) publish() error {
	if c.Terminal {
		if len(c.words) == 0 {
			return usage(c.verb, "the post comes from the standard input, not from a terminal")
		}
		if _, _, err := c.find(c.words[0]); err != nil {
			return usage(c.verb, "the post comes from the standard input, not from a terminal")
		}
		return c.done(c.desk().Publish(c.ctx, c.words[0]))
	}
	src, err := c.input()
	if err != nil {
		return err
	}
	if len(src) == 0 && len(c.words) == 1 && path.Ext(c.words[0]) == "" {
		if _, _, err := c.find(c.words[0]); err == nil {
			return c.done(c.desk().Publish(c.ctx, c.words[0]))
		}
	}
	change, err := c.change(src)
	if err != nil {
		return err
	}
	return c.done(c.Visitor.Through("pipe").Commit(c.ctx, change))
}

// check tells what publish would.
func (c *call) check() error {
	if c.Terminal {
		return usage(c.verb, "the post comes from the standard input, not from a terminal")
	}
	src, err := c.input()
	if err != nil {
		return err
	}
	change, err := c.change(src)
	if err != nil {
		return err
	}
	receipt, err := c.Visitor.Check(c.ctx, change)
	if err != nil {
		return c.lost(err)
	}
	for _, p := range receipt.Warnings {
		p.Text = "warning: " + p.Text
		if err := c.put(line(p.String())); err != nil {
			return err
		}
	}
	return nil
}

// input reads all that the client sends, and asks whether it is all.
func (c *call) input() ([]byte, error) {
	if c.In == nil {
		return nil, nil
	}
	src, err := io.ReadAll(io.LimitReader(c.In, maxInput+1))
	switch {
	case c.ctx.Err() != nil:
		return nil, c.ctx.Err()
	case len(src) > maxInput:
		return nil, &refusal{1, fmt.Sprintf("%s: the input has more than %d MB", c.verb.Name, maxInput>>20), ""}
	case err != nil, c.Alive == nil, !c.Alive(c.ctx):
		return nil, &refusal{1, c.verb.Name + ": the input was cut off; nothing was changed", ""}
	}
	return src, nil
}

// change puts the input where the caller said, or where the blog keeps such
// posts.
func (c *call) change(src []byte) (blog.Change, error) {
	if len(src) == 0 {
		return blog.Change{}, &refusal{1, c.verb.Name + ": the input is empty", "usage: " + c.verb.Usage}
	}
	to, err := c.place(src)
	if err != nil {
		return blog.Change{}, err
	}
	hash, err := c.Visitor.Put(c.ctx, src)
	if err != nil {
		return blog.Change{}, err
	}
	return blog.Change{Entries: []blog.Entry{{Path: to, Hash: hash, Size: int64(len(src))}}}, nil
}

func (c *call) place(src []byte) (string, error) {
	if len(c.words) == 0 {
		return c.Visitor.PathOf(src)
	}
	to := c.words[0]
	switch {
	case strings.HasSuffix(to, "/"):
		made, err := c.Visitor.PathOf(src)
		if err != nil {
			return "", err
		}
		to += path.Base(made)
	case path.Ext(to) == "":
		p, _, err := c.find(to)
		if err == nil {
			return p.Path, nil
		}
		to += ".md"
	}
	to, err := blog.PathFor(to)
	if err != nil {
		return "", &refusal{1, brief(c.words[0]) + ": " + err.Error(), ""}
	}
	return to, nil
}

// done answers with a receipt.
func (c *call) done(r blog.Receipt, err error) error {
	if err != nil {
		return c.lost(err)
	}
	for _, l := range r.Lines(c.host()) {
		if err := c.put(line(l)); err != nil {
			return err
		}
	}
	return nil
}

// lost makes an answer of a post that is not there.
func (c *call) lost(err error) error {
	if errors.Is(err, fs.ErrNotExist) && len(c.words) > 0 {
		return notFound(c.words[0])
	}
	return err
}

// desk is the visitor for what is changed without a file coming in.
func (c *call) desk() blog.Visitor { return c.Visitor.Through("shell") }

func (c *call) unpublish() error { return c.done(c.desk().Unpublish(c.ctx, c.words[0])) }
func (c *call) remove() error    { return c.done(c.desk().Remove(c.ctx, c.words[0])) }
func (c *call) rename() error    { return c.done(c.desk().Rename(c.ctx, c.words[0], c.words[1])) }

func (c *call) schedule() error {
	text := strings.Join(c.words[1:], " ")
	at, err := blog.ParseWhen(text, time.Now(), c.edition.Site().Location)
	if err != nil {
		return &refusal{2, "schedule: " + brief(text) + ": not a date", "2026-12-01 9:00, tomorrow 9:00, friday 18:00, in 2h"}
	}
	return c.done(c.desk().Schedule(c.ctx, c.words[0], at))
}

func (c *call) drafts() error {
	var hidden []*blog.Post
	for _, p := range c.edition.Posts() {
		if !p.State.Visible() {
			hidden = append(hidden, p)
		}
	}
	if c.has("--json") {
		return array(c, len(hidden), func(i int) item { return c.item(hidden[i]) })
	}
	if len(hidden) == 0 {
		return &refusal{0, "drafts: none", ""}
	}
	return c.table(hidden, func(p *blog.Post) string {
		shared, ok := c.Visitor.PreviewOf(p)
		if !ok {
			return ""
		}
		return c.previewAddress(shared)
	})
}

// preview shares a post with whoever has the address, or ends that.
func (c *call) preview() error {
	p, _, err := c.find(c.words[0])
	if err != nil {
		return err
	}
	if !c.has("--revoke") {
		shared, err := c.desk().Share(c.ctx, p.Slug)
		if err != nil {
			return c.lost(err)
		}
		return c.put(c.previewAddress(shared))
	}
	shared, ok := c.Visitor.PreviewOf(p)
	if ok {
		err = c.desk().Revoke(c.ctx, shared.Token)
		ok = !errors.Is(err, fs.ErrNotExist) // somebody else was first
	}
	if !ok {
		return &refusal{1, "preview: " + line(p.Slug) + " is not shared", "drafts lists the addresses"}
	}
	if err != nil {
		return err
	}
	return c.put("revoked    " + line(p.Slug))
}

// previewAddress is what one types to see a preview.
func (c *call) previewAddress(p blog.Preview) string {
	return "ssh preview-" + p.Token + "@" + c.host()
}
