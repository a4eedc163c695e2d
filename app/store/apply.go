package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"syscall"
)

// apply brings the plain files to the head, removals first: a directory may
// take the place of a file. What it cannot do stays pending, and until then
// there is no other commit. The lock is held.
func (w *Worktree) apply(head Rev) error {
	root := w.root()
	on := w.device()
	dirs := map[string]uint64{} // whose names have changed, with their devices
	var left []update
	var failed error
	down := &descent{top: root}
	defer down.leave()
	for _, remove := range []bool{true, false} {
		for _, u := range w.pending {
			if (u.entry.Hash == "") != remove {
				continue
			}
			if err := w.applyOne(down, &u, dirs); err != nil {
				left = append(left, u)
				if failed == nil {
					failed = fmt.Errorf("revision %d is not in place: %s: %w", head, u.entry.Path, Reason(err))
				}
			}
		}
		down.leave()
		if remove {
			w.removeEmptied(root, dirs)
		}
	}
	// Also those of a large commit: only the last one is ever carried out again.
	if len(dirs) > few {
		switch err := w.home.disk.SyncAll(); {
		case err == nil:
			maps.DeleteFunc(dirs, func(_ string, device uint64) bool { return device == on })
		case !errors.Is(err, errors.ErrUnsupported):
			failed = errors.Join(failed, err)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := fsync(root, dir); err != nil && !isMissing(err) {
			failed = errors.Join(failed, err)
		}
	}
	if w.pending = left; failed == nil && w.appliedRev < head {
		w.setApplied(head)
	}
	return failed
}

// applyOne does one update, and notes the directories whose names it changes.
// A file that was changed by hand since the plan keeps that change: Import
// makes it the next revision.
func (w *Worktree) applyOne(down *descent, u *update, dirs map[string]uint64) error {
	root, name := down.top, u.entry.Path
	in, base := down.at(name)
	info, err := in.Lstat(base)
	if err != nil && !isMissing(err) {
		return err
	}
	there, isDir := err == nil, err == nil && info.IsDir()
	if u.before == nil && there && !isDir || u.before != nil && (!there || stamp(info) != *u.before) {
		w.unstage(root, u)
		return nil
	}
	var before *known
	if u.before != nil {
		before = &known{stamp: *u.before}
	}
	if u.entry.Hash == "" {
		if err := w.cache.change(name, before, nil, func() error { return in.Remove(base) }); err != nil {
			return err
		}
		dirs[path.Dir(name)] = device(info)
		return nil
	}
	if u.temp == "" {
		if err := w.stageOne(context.WithoutCancel(w.life), down, u); err != nil {
			w.unstage(root, u)
			return err
		}
		if err := fsync(root, u.temp); err != nil {
			return err
		}
	}
	if isDir {
		if err := w.removeDir(root, name, true); err != nil {
			return err
		}
	}
	var made []string
	if !down.in(path.Dir(name)) {
		if made, err = w.makeDirs(path.Dir(name)); err != nil {
			return err
		}
	}
	from, temp := down.at(u.temp)
	if in, base = down.at(name); in != from {
		in, temp, base = root, u.temp, name
	}
	after := &known{stamp: u.stamp, hash: u.entry.Hash}
	if err := w.cache.change(name, before, after, func() error { return in.Rename(temp, base) }); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			u.temp = "" // somebody has tidied up: the next time makes another
		}
		return err
	}
	for _, dir := range append(u.made, made...) {
		dirs[path.Dir(dir)] = u.device
	}
	dirs[path.Dir(name)] = u.device
	return nil
}

// removeEmptied removes those of dirs in which nothing is left, and those above
// them: their names are then gone from another directory.
func (w *Worktree) removeEmptied(root disk, dirs map[string]uint64) {
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		at, gone := dir, false
		for at != "." && w.removeDir(root, at, false) == nil {
			at, gone = path.Dir(at), true
		}
		if gone {
			dirs[at] = dirs[dir]
		}
	}
}

// removeDir removes a directory that has nothing in it but directories and, with
// litter, what commits have left that were cut short.
func (w *Worktree) removeDir(root disk, name string, litter bool) error {
	info, err := root.Lstat(name)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return err
	}
	below, err := root.ReadDir(name)
	for _, e := range below {
		if err == nil && !e.IsDir() && !(litter && isStaged(e.Name())) {
			err = syscall.ENOTEMPTY
		}
	}
	for _, e := range below {
		switch {
		case err != nil:
		case e.IsDir():
			err = w.removeDir(root, path.Join(name, e.Name()), litter)
		default:
			err = root.Remove(path.Join(name, e.Name()))
		}
	}
	if err != nil {
		return err
	}
	return w.cache.change(name, &known{dir: true}, nil, func() error { return root.Remove(name) })
}

// isMissing reports that there is no file: none of that name, or one where its
// directory would be.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
