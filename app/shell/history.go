package shell

import (
	"cmp"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// restore brings a post back as it was at a revision.
func (c authorCall) restore() error {
	rev, err := c.parseRev(c.operands[1])
	if err != nil {
		return err
	}
	return c.printReceipt(c.viaShell().Restore(c.ctx, c.operands[0], rev))
}

// undo takes back what one revision has changed.
func (c authorCall) undo() error {
	rev, err := c.parseRev(c.operands[0])
	if err != nil {
		return err
	}
	r, err := c.viaShell().Undo(c.ctx, rev)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("undo: "+excerpt(c.operands[0])+": no such revision", "log lists them")
	}
	return c.printReceipt(r, err)
}

// parseRev reads a revision as log prints it, r12, or its number alone.
func (c *call) parseRev(word string) (blog.Rev, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(word, "r"), 10, 64)
	if err != nil || n == 0 {
		return 0, misuse(c.verb.name()+": "+excerpt(word)+": not a revision", "log lists them, r1 is the first")
	}
	return blog.Rev(n), nil
}

// revisionJSON is what a revision has changed in one file.
type revisionJSON struct {
	Rev     uint64 `json:"rev"`
	Time    string `json:"time"`   // RFC 3339
	Author  string `json:"author"` // "" for files that were changed by hand
	Channel string `json:"door"`   // the channel it came by
	Path    string `json:"path"`
	Removed bool   `json:"removed"`
	Message string `json:"message"`
}

// log prints the history of a post, or of the blog, newest first.
func (c authorCall) log() error {
	post := ""
	if len(c.operands) > 0 {
		post = c.operands[0]
	}
	revisions, err := c.author.Log(c.ctx, post, 0)
	if err != nil {
		return c.asNotFound(err)
	}
	if c.hasOption("--json") {
		return printArray(c.call, len(revisions), func(i int) revisionJSON {
			r := revisions[i]
			return revisionJSON{
				Rev:     uint64(r.Rev),
				Time:    r.Time.Format(time.RFC3339),
				Author:  oneLine(r.Author),
				Channel: oneLine(r.Channel),
				Path:    oneLine(r.Path),
				Removed: r.Hash == "",
				Message: oneLine(r.Message),
			}
		})
	}
	type row struct{ rev, time, by, what string }
	rows := make([]row, len(revisions))
	var widths struct{ rev, time, by int }
	for i, r := range revisions {
		what := oneLine(r.Path)
		if r.Hash == "" {
			what += " removed"
		}
		if m := oneLine(r.Message); m != "" {
			what += "  " + m
		}
		by := oneLine(cmp.Or(r.Author, "-")) + " by " + oneLine(cmp.Or(r.Channel, "-"))
		rows[i] = row{
			rev:  "r" + strconv.FormatUint(uint64(r.Rev), 10),
			time: r.Time.In(c.location()).Format("2006-01-02 15:04"),
			by:   typeset.Truncate(by, 40),
			what: what,
		}
		widths.rev = max(widths.rev, typeset.Width(rows[i].rev))
		widths.time = max(widths.time, typeset.Width(rows[i].time))
		widths.by = max(widths.by, typeset.Width(rows[i].by))
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, r := range rows {
		rev := style.Bold.On(padRight(r.rev, widths.rev))
		at := style.Dim.On(padRight(r.time, widths.time))
		if err := c.println(c.fit(rev + "  " + at + "  " + padRight(r.by, widths.by) + "  " + r.what)); err != nil {
			return err
		}
	}
	return nil
}

// location is the site's time zone, or the server's if it has none.
func (c *call) location() *time.Location {
	if l := c.edition.Site().Location; l != nil {
		return l
	}
	return time.Local
}

// diff prints what has changed in a post since a revision, or in its last one.
func (c authorCall) diff() error {
	var rev blog.Rev
	if len(c.operands) > 1 {
		var err error
		if rev, err = c.parseRev(c.operands[1]); err != nil {
			return err
		}
	}
	lines, err := c.author.Diff(c.ctx, c.operands[0], rev)
	if err != nil {
		return c.asNotFound(err)
	}
	style := typeset.Styled(c.theme(c.Color))
	for _, l := range lines {
		text := oneLine(l.Text)
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
		if err := c.println(text); err != nil {
			return err
		}
	}
	return nil
}
