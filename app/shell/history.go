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
