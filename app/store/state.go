package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
)

// State gives a small thing kept beside the posts and not in their history,
// fs.ErrNotExist if there is none.
func (f *Folder) State(name string) ([]byte, error) {
	if f.home == nil {
		return nil, fs.ErrNotExist
	}
	b, err := f.home.ReadFile(path.Join("state", name))
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", name, Reason(err))
	}
	return b, nil
}

// SetState keeps such a thing, all of it or as it was; nil forgets it. When it
// returns nil it is durable. A name is one word without a slash.
func (f *Folder) SetState(name string, b []byte) error {
	if f.home == nil {
		return f.readOnly()
	}
	if name == "" || hidden(name) || strings.Contains(name, "/") {
		return fmt.Errorf("state %q: %w", name, fs.ErrInvalid)
	}
	if err := f.setState(path.Join("state", name), b); err != nil {
		return fmt.Errorf("state %s: %w", name, Reason(err))
	}
	return nil
}

func (f *Folder) setState(name string, b []byte) error {
	if b == nil {
		if err := f.home.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return fsync(f.home, "state")
	}
	tmp, err := writeTemp(f.home, b)
	if err != nil {
		return err
	}
	err = fsync(f.home, tmp)
	if err == nil {
		err = f.home.Rename(tmp, name)
	}
	if err != nil {
		_ = f.home.Remove(tmp)
		return err
	}
	return fsync(f.home, "state")
}

// States lists the names.
func (f *Folder) States() ([]string, error) {
	if f.home == nil {
		return nil, nil
	}
	list, err := readDir(f.home, "state")
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, err
}

// openHome makes what .sheaf holds, reads the log, and brings the last commit
// to its end.
func (f *Folder) openHome() error {
	root, err := os.OpenRoot(path.Join(f.dir, sheafDir))
	if err != nil {
		return err
	}
	f.home = root
	for _, dir := range []string{"objects", "state", "tmp"} {
		if err := mkdir(root, dir); err != nil {
			return err
		}
	}
	left, err := readDir(root, "tmp")
	if err != nil {
		return err
	}
	for _, e := range left {
		_ = root.RemoveAll(path.Join("tmp", e.Name()))
	}
	var blobs sync.WaitGroup // found while the log is read
	blobs.Go(func() { f.openObjects(root) })
	defer blobs.Wait()
	if f.journal, err = openJournal(root); err != nil {
		return err
	}
	if _, err := root.Lstat(".gitignore"); errors.Is(err, fs.ErrNotExist) {
		_ = root.WriteFile(".gitignore", []byte("*\n"), 0o644)
	}
	f.index.load(f)
	l, err := f.journal.read()
	if err != nil {
		return err
	}
	for _, c := range l.commits {
		f.ids[c.ID] = c.Rev
	}
	f.ledger.Store(l)
	blobs.Wait()
	return f.redo(l)
}

// openPast reads the history of a folder that cannot be written, if there is
// one and it may be read.
func (f *Folder) openPast() error {
	root, err := os.OpenRoot(path.Join(f.dir, sheafDir))
	if err != nil {
		return nil
	}
	f.past = root
	f.openObjects(root)
	file, err := root.Open(journalName)
	if err != nil {
		return nil
	}
	defer file.Close()
	l, _, err := readLog(file)
	if err != nil {
		return err
	}
	f.ledger.Store(l)
	return nil
}
