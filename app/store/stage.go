package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// stagedPrefix begins the names of new bytes. They stand where they will be
// renamed: that a directory may be on another disk, or not be ours to write, is
// found out before the commit. Import removes those that a stop has left.
const stagedPrefix = sheafDir + "-"

func isStaged(name string) bool { return strings.HasPrefix(name, stagedPrefix) }

// stage writes the new bytes of every update, and makes sure that there is
// leave to remove what has to go. After an error the caller abandons them. The
// lock is held.
func (w *Worktree) stage(ctx context.Context, updates []update) error {
	root := w.root()
	down := &descent{top: root}
	defer down.leave()
	tried := map[string]bool{} // directories that let us write
	for i := range updates {
		u := &updates[i]
		dir := path.Dir(u.entry.Path)
		var err error
		switch {
		case u.entry.Hash != "":
			err = w.stageOne(ctx, down, u)
		case !tried[dir]:
			probe := path.Join(dir, stagedPrefix+rand.Text())
			if err = create(root, probe, os.O_EXCL, 0o600, nil); err == nil {
				err = root.Remove(probe)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", u.entry.Path, Reason(err))
		}
		tried[dir] = true
	}
	return nil
}

// stageOne writes the new bytes of one update beside their place, and makes the
// directories for it. What it has made by the time of an error is in u.
func (w *Worktree) stageOne(ctx context.Context, down *descent, u *update) error {
	b, err := w.Get(ctx, u.entry.Hash)
	if err != nil {
		return err
	}
	if int64(len(b)) != u.entry.Size {
		return fmt.Errorf("no blob of %d bytes %s: %w", u.entry.Size, u.entry.Hash, fs.ErrNotExist)
	}
	dir := path.Dir(u.entry.Path)
	if !down.in(dir) {
		u.made, err = w.makeDirs(dir)
		for errors.Is(err, syscall.ENOTDIR) { // in the way is a file that this commit removes
			dir = path.Dir(dir)
			_, err = w.makeDirs(dir)
		}
		if err != nil {
			return err
		}
	}
	mode := u.mode
	if mode == 0 {
		mode = 0o644
	}
	temp := path.Join(dir, stagedPrefix+rand.Text())
	in, base := down.at(temp)
	file, err := in.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
	if err != nil {
		return err
	}
	u.temp = temp
	_, err = file.Write(b)
	if err == nil && u.mode != 0 {
		err = file.Chmod(u.mode)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := in.Chtimes(base, u.entry.MTime, u.entry.MTime); err != nil {
		return err
	}
	info, err := in.Lstat(base)
	if err == nil {
		u.stamp, u.device = stamp(info), device(info)
	}
	return err
}

// makeDirs makes a directory of the folder and those above it: see makeDirs.
func (w *Worktree) makeDirs(dir string) (made []string, err error) {
	root := w.root()
	return makeDirs(root, dir, func(dir string) error {
		return w.cache.change(dir, nil, &known{dir: true}, func() error { return root.Mkdir(dir, 0o755) })
	})
}

// syncStaged makes the staged bytes durable. Many are with one call, and with
// them the blobs that the store has for them on the same disk. The lock is
// held.
func (w *Worktree) syncStaged(updates []update) error {
	root := w.root()
	var staged []update
	for _, u := range updates {
		if u.temp != "" {
			staged = append(staged, u)
		}
	}
	if len(staged) > few {
		switch err := w.syncAll(updates); {
		case err == nil:
			on := w.device()
			staged = slices.DeleteFunc(staged, func(u update) bool { return u.device == on })
		case !errors.Is(err, errors.ErrUnsupported):
			return err
		}
	}
	for _, u := range staged {
		if err := fsync(root, u.temp); err != nil {
			return fmt.Errorf("%s: %w", u.entry.Path, Reason(err))
		}
	}
	return nil
}

// syncAll makes durable what is on the disk of .sheaf.
func (w *Worktree) syncAll(updates []update) error {
	if w.local == nil {
		return w.home.disk.SyncAll()
	}
	entries := make([]Entry, len(updates))
	for i, u := range updates {
		entries[i] = u.entry
	}
	return w.local.syncAll(entries)
}

// device is the one that .sheaf is on.
func (w *Worktree) device() uint64 {
	info, err := w.home.disk.Stat(".")
	if err != nil {
		return 0
	}
	return device(info)
}

// abandon takes back what stage has done. The lock is held.
func (w *Worktree) abandon(updates []update) {
	root := w.root()
	for i := range updates {
		w.unstage(root, &updates[i])
	}
	for _, u := range slices.Backward(updates) {
		for _, dir := range slices.Backward(u.made) {
			_ = w.removeDir(root, dir, false)
		}
	}
}

// unstage removes the staged bytes of one update.
func (w *Worktree) unstage(root disk, u *update) {
	if u.temp != "" {
		_ = root.Remove(u.temp)
		u.temp = ""
	}
}
