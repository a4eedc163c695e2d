package app

import (
	"fmt"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// check is the command that looks for faults in posts.
type check struct {
	Path []string `arg:"" help:"Posts or folders of posts."`
}

// Run lists errors and warnings, one on a line; errors make the exit status 1.
func (c check) Run(p Process) error {
	problems, err := blog.Check(c.Path)
	if err != nil {
		return err
	}
	bad := false
	for _, q := range problems {
		word := ""
		if q.Warning {
			word = "warning: "
		} else {
			bad = true
		}
		fmt.Fprintf(p.Stdout, "%s:%d: %s%s\n", markdown.Line(q.Path), q.Line, word, markdown.Line(q.Text))
	}
	if bad {
		return errSilent
	}
	return nil
}
