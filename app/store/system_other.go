//go:build !unix

package store

import (
	"errors"
	"io/fs"
	"os"
)

const openFlags = 0

var errBusy = errors.New("busy")

// lockFile holds a second name while the lock is held; after a crash its owner
// has to remove it.
func lockFile(f *os.File) error {
	held, err := os.OpenFile(f.Name()+".held", os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errBusy
	}
	if err != nil {
		return err
	}
	return held.Close()
}

func unlockFile(f *os.File) error { return os.Remove(f.Name() + ".held") }

func isReadOnly(error) bool { return false }

func inode(fs.FileInfo) uint64 { return 0 }
