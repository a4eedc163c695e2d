package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// ErrHeld says that another process serves the folder.
var ErrHeld = errors.New("held by another server")

const lockName = "lock"

// A lock is the file "lock" of a folder, locked by this process.
type lock struct {
	*flock.Flock
	file fs.FileInfo
}

// takeLock locks the file "lock" in dir, which says who holds it.
// The system gives the lock back when the process ends, however it ends.
func takeLock(dir, holder string) (*lock, error) {
	name := filepath.Join(dir, lockName)
	l := flock.New(name, flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(privateFile))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("%w (%s)", ErrHeld, holderOf(name))
	}
	host, _ := os.Hostname()
	who := fmt.Sprintf("pid %d on %s", os.Getpid(), host)
	if holder != "" {
		who += ", " + holder
	}
	// A courtesy: on a full disk the folder is held without it.
	_ = os.WriteFile(name, []byte(who+"\n"), privateFile)
	info, err := l.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), l.Close())
	}
	return &lock{l, info}, nil
}

// inPlace reports whether the file that is locked is the one that others find.
func (l *lock) inPlace() bool {
	now, err := os.Lstat(l.Path())
	return err == nil && os.SameFile(now, l.file)
}

func holderOf(name string) string {
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		b := make([]byte, 256)
		n, _ := f.Read(b)
		if who := strings.TrimSpace(string(b[:n])); who != "" {
			return who
		}
	}
	return "one that has not said who it is"
}

// release leaves an empty file behind: removing it would let two servers
// hold two files of one name.
func (l *lock) release() error {
	return errors.Join(os.Truncate(l.Path(), 0), l.Close())
}
