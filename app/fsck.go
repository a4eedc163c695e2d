package app

import (
	"fmt"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// fsck is the command that looks for damage in the history of a blog.
type fsck struct {
	Dir    string `arg:"" optional:"" env:"SHEAF_CONTENT" default:"content" help:"The folder of posts (${default}, $$${env})."`
	Repair bool   `help:"Make it fit to be served again; what is taken away is kept in .sheaf/damaged-TIME."`
}

// Run lists what is damaged, one on a line. The exit status is 1 if anything is
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
		fmt.Fprintln(p.Stdout, word+markdown.Line(f.String()))
	}
	switch {
	case err != nil:
		return fmt.Errorf("fsck: %w", err)
	case damaged > 0 && !c.Repair:
		return hinted{errDamaged(damaged), "sheaf fsck --repair " + c.Dir +
			", with the server stopped; a copy of the folder first does no harm"}
	case damaged > 0:
		return errDamaged(damaged)
	}
	fmt.Fprintln(p.Stdout, "all good")
	return nil
}

// errDamaged is how many things are damaged.
type errDamaged int

func (n errDamaged) Error() string {
	if n == 1 {
		return "fsck: one thing is damaged"
	}
	return fmt.Sprintf("fsck: %d things are damaged", int(n))
}

// damageHint says what to do about a folder whose history is damaged.
func damageHint(content string, err error) error {
	if !store.IsDamage(err) {
		return err
	}
	return hinted{err, "nothing was removed; sheaf fsck " + content +
		" says what is whole, sheaf restore puts a backup in place"}
}

// hinted is an error with a hint of what to do about it, which Main prints.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }
