package shell

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/typeset"
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

func (c *call) restore() error {
	rev, err := c.rev(c.words[1])
	if err != nil {
		return err
	}
	return c.done(c.desk().Restore(c.ctx, c.words[0], rev))
}

func (c *call) undo() error {
	rev, err := c.rev(c.words[0])
	if err != nil {
		return err
	}
	r, err := c.desk().Undo(c.ctx, rev)
	if errors.Is(err, fs.ErrNotExist) {
		return &refusal{1, "undo: " + brief(c.words[0]) + ": no such revision", "log lists them"}
	}
	return c.done(r, err)
}

// rev reads a revision as log shows it.
func (c *call) rev(word string) (blog.Rev, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(word, "r"), 10, 64)
	if err != nil || n == 0 {
		return 0, &refusal{2, c.verb.Name + ": " + brief(word) + ": not a revision", "log lists them, r1 is the first"}
	}
	return blog.Rev(n), nil
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

// revision is a revision in JSON.
type revision struct {
	Rev     uint64 `json:"rev"`
	Time    string `json:"time"`   // RFC 3339
	Author  string `json:"author"` // "" when it was found changed by hand
	Door    string `json:"door"`
	Path    string `json:"path"`
	Removed bool   `json:"removed"`
	Message string `json:"message"`
}

// log prints the history of a post, or of the blog.
func (c *call) log() error {
	post := ""
	if len(c.words) > 0 {
		post = c.words[0]
	}
	all, err := c.Visitor.Log(c.ctx, post, 0)
	if err != nil {
		return c.lost(err)
	}
	if c.has("--json") {
		return array(c, len(all), func(i int) revision {
			r := all[i]
			return revision{uint64(r.Rev), r.Time.Format(time.RFC3339), line(r.Author), line(r.Door), line(r.Path), r.Hash == "", line(r.Message)}
		})
	}
	style := typeset.Styled(c.theme(c.Color))
	rows := make([][4]string, len(all))
	wide := [4]int{}
	for i, r := range all {
		what := line(r.Path)
		if r.Hash == "" {
			what += " removed"
		}
		if m := line(r.Message); m != "" {
			what += "  " + m
		}
		rows[i] = [4]string{"r" + strconv.FormatUint(uint64(r.Rev), 10), r.Time.In(c.zone()).Format("2006-01-02 15:04"),
			typeset.Truncate(line(cmp.Or(r.Author, "-"))+" by "+line(cmp.Or(r.Door, "-")), 40), what}
		for n, s := range rows[i] {
			wide[n] = max(wide[n], typeset.Width(s))
		}
	}
	for _, r := range rows {
		row := style.Bold.On(pad(r[0], wide[0])) + "  " + style.Dim.On(pad(r[1], wide[1])) + "  " + pad(r[2], wide[2]) + "  " + r[3]
		if c.Terminal && c.Width > 0 {
			row = typeset.Truncate(row, c.Width)
		}
		if err := c.put(row); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) zone() *time.Location {
	if l := c.edition.Site().Location; l != nil {
		return l
	}
	return time.Local
}

func (c *call) diff() error {
	var rev blog.Rev
	if len(c.words) > 1 {
		var err error
		if rev, err = c.rev(c.words[1]); err != nil {
			return err
		}
	}
	lines, err := c.Visitor.Diff(c.ctx, c.words[0], rev)
	if err != nil {
		return c.lost(err)
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, l := range lines {
		text := line(l.Text)
		switch l.Kind {
		case '+':
			text = style.Added.On("+" + text)
		case '-':
			text = style.Removed.On("-" + text)
		case '@':
			text = style.Dim.On(text)
		default:
			text = " " + text
		}
		if err := c.put(text); err != nil {
			return err
		}
	}
	return nil
}
