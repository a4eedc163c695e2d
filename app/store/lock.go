package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ErrHeld says that another process serves the folder.
var ErrHeld = errors.New("held by another server")

type lock struct{ file *os.File }

// takeLock makes dir and locks the file "lock" in it, which says who holds it.
func takeLock(dir, holder string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(file); err != nil {
		said, _ := io.ReadAll(io.LimitReader(file, 256))
		file.Close()
		if !errors.Is(err, errBusy) {
			return nil, fmt.Errorf("lock: %w", err)
		}
		who := strings.TrimSpace(string(said))
		if who == "" {
			who = "one that has not said who it is"
		}
		return nil, fmt.Errorf("%w (%s)", ErrHeld, who)
	}
	host, _ := os.Hostname()
	who := fmt.Sprintf("pid %d on %s", os.Getpid(), host)
	if holder != "" {
		who += ", " + holder
	}
	// A courtesy: on a full disk the folder is held without it.
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(who+"\n"), 0)
	}
	return &lock{file}, nil
}

// release leaves an empty file behind: removing it would let two servers hold
// two files of one name.
func (l *lock) release() error {
	err := l.file.Truncate(0)
	return errors.Join(err, unlockFile(l.file), l.file.Close())
}
