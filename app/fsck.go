package app

import (
	"context"
	"fmt"

	"sheaf/app/store"
)

type fsck struct {
	Dir    string `arg:"" optional:"" env:"SHEAF_CONTENT" default:"content" help:"The folder of posts (${default}, $$${env})."`
	Repair bool   `help:"Make it fit to be served again; what is taken away is kept in .sheaf/damaged-TIME."`
}

// Run lists what is damaged, one a line, and ends with status 1 if anything is
// that was not mended.
func (c fsck) Run(p Process) error {
	findings, err := store.Fsck(c.Dir, c.Repair)
	damaged := 0
	for _, f := range findings {
		word := "note: "
		if f.Damage {
			word = ""
			if f.Mended == "" {
				damaged++
			}
		}
		fmt.Fprintln(p.Stdout, word+oneLine(f.String()))
	}
	switch {
	case err != nil:
		return fmt.Errorf("fsck: %w", err)
	case damaged > 0 && !c.Repair:
		return hinted{errDamaged(damaged), "sheaf fsck --repair " + c.Dir + ", with the server stopped; a copy of the folder first does no harm"}
	case damaged > 0:
		return errDamaged(damaged)
	}
	fmt.Fprintln(p.Stdout, "all good")
	return nil
}

type errDamaged int

func (n errDamaged) Error() string {
	if n == 1 {
		return "fsck: one thing is damaged"
	}
	return fmt.Sprintf("fsck: %d things are damaged", int(n))
}

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
	_, err = fmt.Fprintf(p.Stdout, "revision %d of %s is in %s\n", rev, oneLine(c.Content), oneLine(c.Dir))
	return err
}

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
	_, err = fmt.Fprintf(p.Stdout, "revision %d is in %s\n", rev, oneLine(c.Content))
	return err
}

// damageHint says what to do about a folder whose history is damaged.
func damageHint(content string, err error) error {
	if !store.IsDamage(err) {
		return err
	}
	return hinted{err, "nothing was removed; sheaf fsck " + content + " says what is whole, sheaf restore puts a backup in place"}
}

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }
