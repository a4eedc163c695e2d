package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// A commit changes the plain files in three steps: plan finds what stands
// there, stage puts the new bytes beside it, and apply, when the commit stands,
// lets them take its place.

// An update is what one entry of a commit does to its plain file.
type update struct {
	entry  Entry
	before *Stamp      // of the file that stood there; nil: none
	mode   fs.FileMode // of that file, which the new one keeps; 0: none
	temp   string      // the new bytes, in the same directory; "": not staged
	stamp  Stamp       // of temp, and of the file that it becomes
	device uint64      // that temp is on
	made   []string    // directories that were made for it, the topmost first
}

// An obstruction is what a commit never overwrites, for it has no history.
type obstruction struct{ error }

func (o obstruction) Unwrap() error { return o.error }

// A planner finds out what entries do to the plain files, which are of l but
// for what was changed by hand. It is for one goroutine.
type planner struct {
	w       *Worktree
	l       *Ledger
	r       *Reader
	removed map[string]bool // by the entries
	dirs    map[string]bool // that were checked
}

func (w *Worktree) newPlanner(l *Ledger, entries []Entry) *planner {
	p := &planner{w: w, l: l, r: w.NewReader(), removed: map[string]bool{}, dirs: map[string]bool{".": true}}
	for _, e := range entries {
		if e.Hash == "" {
			p.removed[e.Path] = true
		}
	}
	return p
}

// plan finds the updates of the entries of a commit, and what was changed by
// hand there since l. The lock is held.
func (w *Worktree) plan(l *Ledger, entries []Entry) (updates []update, byHand []Entry, err error) {
	p := w.newPlanner(l, entries)
	defer p.r.Close()
	for _, e := range entries {
		u, changed, err := p.entry(e)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		if u != nil {
			updates = append(updates, *u)
		}
		if changed != nil {
			byHand = append(byHand, *changed)
		}
	}
	return updates, byHand, nil
}

// entry gives the update of an entry, or what was changed by hand in its
// place, or neither if there is nothing to do.
func (p *planner) entry(e Entry) (u *update, byHand *Entry, err error) {
	if err := p.checkDir(path.Dir(e.Path)); err != nil {
		return nil, nil, err
	}
	in, base := p.r.at(e.Path)
	info, err := in.Lstat(base)
	switch {
	case isMissing(err):
		if _, known := p.l.Entry(e.Path); known {
			return nil, &Entry{Path: e.Path}, nil
		}
		if e.Hash == "" {
			return nil, nil, nil
		}
		return &update{entry: e}, nil, nil
	case err != nil:
		return nil, nil, Reason(err)
	case info.IsDir():
		if e.Hash == "" {
			return nil, nil, nil
		}
		return &update{entry: e}, nil, p.emptied(e.Path)
	case !info.Mode().IsRegular():
		return nil, nil, irregular(info.Mode())
	}
	is, s, changed, err := p.w.changedOnDisk(p.r, p.l, e.Path)
	if err != nil {
		err = fmt.Errorf("what stands there cannot be kept: %w", Reason(err))
		if errors.Is(err, ErrTooLarge) {
			err = obstruction{err}
		}
		return nil, nil, err
	}
	if changed {
		return nil, &is, nil
	}
	return &update{entry: e, before: &s, mode: info.Mode().Perm()}, nil, nil
}

// checkDir checks that a directory is one or can be made: no link leads away
// from where a path says it is.
func (p *planner) checkDir(dir string) error {
	if p.dirs[dir] {
		return nil
	}
	if err := p.checkDir(path.Dir(dir)); err != nil {
		return err
	}
	info, err := p.r.top.Lstat(dir)
	switch {
	case isMissing(err):
	case err != nil:
		return Reason(err)
	case info.Mode().IsRegular() && p.removed[dir]:
	case info.Mode().IsRegular():
		return obstruction{fmt.Errorf("%s is a file", dir)}
	case !info.IsDir():
		return fmt.Errorf("%s: %w", dir, irregular(info.Mode()))
	}
	p.dirs[dir] = true
	return nil
}

// emptied checks that the entries remove all that is in a directory.
func (p *planner) emptied(dir string) error {
	below, err := p.r.top.ReadDir(dir)
	for _, e := range below {
		name := path.Join(dir, e.Name())
		switch {
		case err != nil:
		case e.IsDir():
			err = p.emptied(name)
		case isStaged(e.Name()): // left by a commit that was cut short
		case !p.removed[name]:
			err = obstruction{errors.New("is a directory")}
		}
	}
	return err
}

func irregular(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return obstruction{errors.New("is a symbolic link")}
	}
	return obstruction{errNotRegular}
}
