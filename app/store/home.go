package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
)

// sheafDir is what Sheaf keeps in a folder beside the plain files.
const sheafDir = ".sheaf"

// A home is the .sheaf of a folder, which this process has to itself as long
// as it is open.
type home struct {
	dir  string // of the folder, absolute
	disk disk   // of .sheaf; nil: there is none, and none can be made
	lock *lock  // nil: the folder cannot be written
}

// openHome takes a folder for this process, makes its .sheaf if there is none,
// and sweeps what an earlier process was about to write. A folder held by
// another process is an error that wraps ErrHeld. One that cannot be written
// has no lock, and a warning is logged.
func openHome(dir string, log *slog.Logger, o options) (_ *home, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	root, err := o.disk(dir)
	if err != nil {
		return nil, Reason(err)
	}
	defer root.Close()
	h := &home{dir: dir}
	err = root.Mkdir(sheafDir, privateDir)
	made := err == nil
	if made || errors.Is(err, fs.ErrExist) {
		h.lock, err = takeLock(filepath.Join(dir, sheafDir), o.holder)
	}
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		log.Warn("content is read-only: no lock taken, nothing can be published", "dir", dir, "err", err)
		if h.disk, err = o.disk(filepath.Join(dir, sheafDir)); err != nil {
			h.disk = nil // there is none
			return h, nil
		}
		return h, h.checkFormat()
	default:
		return nil, err
	}
	if h.disk, err = o.disk(filepath.Join(dir, sheafDir)); err == nil {
		err = h.prepare()
	}
	if err == nil && made {
		err = errors.Join(fsync(h.disk, "."), fsync(root, "."))
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// prepare makes what every .sheaf has, and empties tmp.
func (h *home) prepare() error {
	if _, err := makeDirs(h.disk, "tmp", nil); err != nil {
		return err
	}
	if err := h.checkFormat(); err != nil {
		return err
	}
	left, err := h.disk.ReadDir("tmp")
	if err != nil {
		return err
	}
	for _, e := range left {
		_ = h.disk.Remove(path.Join("tmp", e.Name()))
	}
	if _, err := h.disk.Lstat(".gitignore"); errors.Is(err, fs.ErrNotExist) {
		_ = create(h.disk, ".gitignore", os.O_EXCL, privateFile, []byte("*\n"))
	}
	return nil
}

// errReplaced is what a folder says that was exchanged for another, or that has
// lost its .sheaf: the log that is open is not the one a next start would read.
var errReplaced = errors.New("the folder or its .sheaf was replaced: Sheaf has to be started again to keep changes")

// errForeignLock says that the lock is on a file that others no longer see, so
// that a second server may have taken the folder.
var errForeignLock = errors.New("another program has removed or replaced .sheaf/lock: " +
	"Sheaf has to be started again to keep changes")

// inPlace makes sure that .sheaf is still the folder's, and the lock its lock.
func (h *home) inPlace() error {
	err := errReplaced
	if h.disk.InPlace() {
		if h.lock.inPlace() {
			return nil
		}
		err = errForeignLock
	}
	return fmt.Errorf("content %s: %w", h.dir, err)
}

// writable reports whether anything can be kept.
func (h *home) writable() bool { return h != nil && h.lock != nil }

func (h *home) close() error {
	var err error
	if h.disk != nil {
		err = h.disk.Close()
	}
	if h.lock != nil {
		err = errors.Join(err, h.lock.release())
	}
	return err
}
