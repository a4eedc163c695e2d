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

// maxInput bounds what is read, in bytes. The blog's own limits are narrower
// for posts.
const maxInput = 16 << 20

const noTerminal = "the post comes from the standard input, not from a terminal"

// publish publishes the input or, if there is none, the draft that is named.
func (c authorCall) publish() error {
	if c.Terminal {
		if len(c.operands) == 0 {
			return c.usageError(noTerminal)
		}
		if _, _, err := c.findPost(c.operands[0]); err != nil {
			return c.usageError(noTerminal)
		}
		return c.printReceipt(c.viaShell().Publish(c.ctx, c.operands[0]))
	}
	src, err := c.readInput()
	if err != nil {
		return err
	}
	if len(src) == 0 && len(c.operands) == 1 && path.Ext(c.operands[0]) == "" {
		if _, _, err := c.findPost(c.operands[0]); err == nil {
			return c.printReceipt(c.viaShell().Publish(c.ctx, c.operands[0]))
		}
	}
	change, err := c.change(src)
	if err != nil {
		return err
	}
	return c.printReceipt(c.author.Via("pipe").Commit(c.ctx, change))
}

// check prints the warnings publish would, and refuses what it would.
func (c authorCall) check() error {
	if c.Terminal {
		return c.usageError(noTerminal)
	}
	src, err := c.readInput()
	if err != nil {
		return err
	}
	change, err := c.change(src)
	if err != nil {
		return err
	}
	receipt, err := c.author.Check(c.ctx, change)
	if err != nil {
		return c.asNotFound(err)
	}
	for _, p := range receipt.Warnings {
		p.Text = "warning: " + p.Text
		if err := c.println(oneLine(p.String())); err != nil {
			return err
		}
	}
	return nil
}

// readInput returns all that the client has sent. An input that may be
// incomplete is refused.
func (c *call) readInput() ([]byte, error) {
	if c.In == nil {
		return nil, nil
	}
	src, err := io.ReadAll(io.LimitReader(c.In, maxInput+1))
	switch {
	case c.ctx.Err() != nil:
		return nil, c.ctx.Err()
	case len(src) > maxInput:
		return nil, refuse(fmt.Sprintf("%s: the input has more than %d MB", c.verb.name(), maxInput>>20), "")
	case err != nil, c.Alive == nil, !c.Alive(c.ctx):
		return nil, refuse(c.verb.name()+": the input was cut off; nothing was changed", "")
	}
	return src, nil
}

// change makes a change of the blog from the source of a post.
func (c authorCall) change(src []byte) (blog.Change, error) {
	if len(src) == 0 {
		return blog.Change{}, refuse(c.verb.name()+": the input is empty", "usage: "+c.verb.usage)
	}
	to, err := c.destination(src)
	if err != nil {
		return blog.Change{}, err
	}
	hash, err := c.author.Put(c.ctx, src)
	if err != nil {
		return blog.Change{}, err
	}
	return blog.Change{Entries: []blog.Entry{{Path: to, Hash: hash, Size: int64(len(src))}}}, nil
}

// destination returns the path of the file that src becomes: the one that is
// given as an operand, that of the post whose address is given, or where the
// blog keeps such posts.
func (c authorCall) destination(src []byte) (string, error) {
	if len(c.operands) == 0 {
		return c.author.PathOf(src)
	}
	to := c.operands[0]
	switch {
	case strings.HasSuffix(to, "/"):
		usual, err := c.author.PathOf(src)
		if err != nil {
			return "", err
		}
		to += path.Base(usual)
	case path.Ext(to) == "":
		if p, _, err := c.findPost(to); err == nil {
			return p.Path, nil
		}
		to += ".md"
	}
	to, err := blog.PathFor(to)
	if err != nil {
		return "", refuse(excerpt(c.operands[0])+": "+err.Error(), "")
	}
	return to, nil
}

// printReceipt answers with the outcome of a change.
func (c *call) printReceipt(r blog.Receipt, err error) error {
	if err != nil {
		return c.asNotFound(err)
	}
	for _, l := range r.Lines(c.host()) {
		if err := c.println(oneLine(l)); err != nil {
			return err
		}
	}
	return nil
}

// asNotFound makes fs.ErrNotExist the answer that there is no such post.
func (c *call) asNotFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) && len(c.operands) > 0 {
		return notFound(c.operands[0])
	}
	return err
}

// viaShell is the author of changes that do not come with the contents of a
// file.
func (c authorCall) viaShell() blog.Author { return c.author.Via("shell") }

func (c authorCall) unpublish() error {
	return c.printReceipt(c.viaShell().Unpublish(c.ctx, c.operands[0]))
}

func (c authorCall) remove() error {
	return c.printReceipt(c.viaShell().Remove(c.ctx, c.operands[0]))
}

func (c authorCall) rename() error {
	return c.printReceipt(c.viaShell().Rename(c.ctx, c.operands[0], c.operands[1]))
}

func (c authorCall) schedule() error {
	text := strings.Join(c.operands[1:], " ")
	at, err := blog.ParseWhen(text, time.Now(), c.edition.Site().Location)
	if err != nil {
		return misuse("schedule: "+excerpt(text)+": not a date",
			"2026-12-01 9:00, tomorrow 9:00, friday 18:00, in 2h")
	}
	return c.printReceipt(c.viaShell().Schedule(c.ctx, c.operands[0], at))
}

// drafts lists the posts that readers do not see, each with the address of its
// preview if it is shared.
func (c authorCall) drafts() error {
	var hidden []*blog.Post
	for _, p := range c.edition.Posts() {
		if !p.State.Visible() {
			hidden = append(hidden, p)
		}
	}
	if c.hasOption("--json") {
		return printArray(c.call, len(hidden), func(i int) postJSON { return c.postJSON(hidden[i]) })
	}
	if len(hidden) == 0 {
		return nothing("drafts: none")
	}
	return c.printPosts(hidden, func(p *blog.Post) string {
		shared, ok := c.author.PreviewOf(p)
		if !ok {
			return ""
		}
		return c.previewAddress(shared)
	})
}

// preview shares a draft with whoever has the address it prints, or ends that.
func (c authorCall) preview() error {
	p, _, err := c.findPost(c.operands[0])
	if err != nil {
		return err
	}
	if !c.hasOption("--revoke") {
		shared, err := c.viaShell().Share(c.ctx, p.Slug)
		if err != nil {
			return c.asNotFound(err)
		}
		return c.println(c.previewAddress(shared))
	}
	shared, ok := c.author.PreviewOf(p)
	if ok {
		err = c.viaShell().Revoke(c.ctx, shared.Token)
		ok = !errors.Is(err, fs.ErrNotExist) // another author was faster
	}
	if !ok {
		return refuse("preview: "+oneLine(p.Slug)+" is not shared", "drafts lists the addresses")
	}
	if err != nil {
		return err
	}
	return c.println("revoked    " + oneLine(p.Slug))
}

// previewAddress is what one types to see a preview.
func (c *call) previewAddress(p blog.Preview) string {
	return c.host().Preview(p.Token)
}
