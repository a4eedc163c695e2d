package app

import (
	"context"
	"fmt"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// backup is the command that copies a blog.
type backup struct {
	Dir     string `arg:"" help:"Where to: a folder that is not there yet, or empty."`
	Content string `env:"SHEAF_CONTENT" default:"content" placeholder:"DIR" help:"The folder of posts (${default}, $$${env})."`
}

// Run copies a blog, also while it is served.
func (c backup) Run(ctx context.Context, p Process) error {
	rev, err := store.Backup(ctx, c.Content, c.Dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "revision %d of %s is in %s\n", rev, markdown.Line(c.Content), markdown.Line(c.Dir))
	return err
}

// restore is the command that puts a copy in place.
type restore struct {
	Dir     string `arg:"" help:"A folder that sheaf backup has made."`
	Content string `env:"SHEAF_CONTENT" default:"content" placeholder:"DIR" help:"Where to: a folder that is not there yet, or empty (${default}, $$${env})."`
}

// Run puts a backup in place.
func (c restore) Run(ctx context.Context, p Process) error {
	rev, err := store.Restore(ctx, c.Dir, c.Content)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "revision %d is in %s\n", rev, markdown.Line(c.Content))
	return err
}
