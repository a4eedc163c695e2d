package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// formatVersion is the number of the layout of .sheaf that this program reads
// and writes: see the package comment. Whoever changes a file in it so that an
// older program would misread it raises this number, and brings what is older
// up in upgrade.
const formatVersion = 1

const formatName = "format"

// checkFormat refuses a .sheaf that a newer program has made, and brings up one
// that is older.
func (h *home) checkFormat() error {
	name := path.Join(sheafDir, formatName)
	b, err := readAll(h.disk, formatName)
	if errors.Is(err, fs.ErrNotExist) {
		if !h.writable() {
			return nil
		}
		return h.upgrade()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, Reason(err))
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	switch {
	case err != nil || n == 0:
		return fmt.Errorf("%s: %.20q is not the number of a format", name, b)
	case n > formatVersion:
		return fmt.Errorf("%s: format %d was made by a newer version of Sheaf, this one knows %d: start the newer one",
			name, n, formatVersion)
	}
	return nil
}

// upgrade brings up a .sheaf from before formats had numbers. Its files are
// those of format 1; only others could read them.
func (h *home) upgrade() error {
	if err := makePrivate(h.disk, "."); err != nil {
		return fmt.Errorf("%s: %w", sheafDir, Reason(err))
	}
	// Its name is durable with that of the log; without it there is no harm.
	return swapIn(h.disk, formatName, strconv.AppendUint(nil, formatVersion, 10))
}

// makePrivate takes a directory and what is in it away from other users.
func makePrivate(d disk, name string) error {
	if err := chmod(d, name, privateDir); err != nil {
		return err
	}
	list, err := d.ReadDir(name)
	for _, e := range list {
		below := path.Join(name, e.Name())
		info, stat := d.Lstat(below)
		switch {
		case stat != nil:
			err = errors.Join(err, stat)
		case info.IsDir():
			err = errors.Join(err, makePrivate(d, below))
		case info.Mode().IsRegular():
			err = errors.Join(err, chmod(d, below, privateFile))
		}
	}
	return err
}

func chmod(d disk, name string, mode fs.FileMode) error {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(mode), f.Close())
}
