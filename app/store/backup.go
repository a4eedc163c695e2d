package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrNotEmpty says that a folder has something in it already.
var ErrNotEmpty = errors.New("is not empty")

// backupTries is how often the blobs are copied again because a server gave
// back the room of old ones in between.
const backupTries = 5

// Backup copies a folder, its plain files and all of its history, to another
// that is not there yet or empty. It takes no lock: the folder may be served
// and published to meanwhile. The copy is of one revision, as what it is made
// of is only ever added to: first the log, then the blobs that it names. It is
// durable when Backup returns nil, and whole: every version was read again.
// What was changed by hand and is in no commit yet is in the copy as well.
//
// After an error to may hold a part of the copy.
func Backup(ctx context.Context, from, to string) (Rev, error) {
	b, err := newCopier(from, to)
	if err != nil {
		return 0, err
	}
	defer b.close()
	if b.home == nil {
		return 0, fmt.Errorf("%s: %w", from, ErrNoHistory)
	}
	rev, err := b.history(ctx)
	if err == nil {
		err = b.plain(ctx)
	}
	if err == nil {
		err = b.to.SyncAll()
		if errors.Is(err, errors.ErrUnsupported) {
			err = b.syncAll(".")
		}
	}
	if err != nil {
		return 0, fmt.Errorf("backup of %s to %s: %w", from, to, err)
	}
	return rev, nil
}

// Restore puts a backup in place of a folder that is not there or empty, and
// gives the revision it is of. A backup in which something is damaged is
// refused before anything is written; Fsck says more of it.
func Restore(ctx context.Context, from, to string) (Rev, error) {
	findings, err := Fsck(from, false)
	if err != nil {
		return 0, err
	}
	if i := slices.IndexFunc(findings, func(f Finding) bool { return f.Damage }); i >= 0 {
		return 0, fmt.Errorf("%s is damaged: %s", from, findings[i])
	}
	return Backup(ctx, from, to)
}

// copier copies a folder.
type copier struct {
	view     *Worktree // of the folder
	home     disk      // its .sheaf; nil: there is none
	to       disk
	homePath string
	ledger   *Ledger // of the copy
}

func newCopier(from, to string) (_ *copier, err error) {
	c := &copier{homePath: filepath.Join(from, sheafDir)}
	if c.view, err = View(from); err != nil {
		return nil, err
	}
	if c.home, err = openDisk(c.homePath); err != nil {
		c.home = nil
	}
	if c.to, err = emptyFolder(to); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// emptyFolder opens a folder that has nothing in it, and makes it if it is not
// there.
func emptyFolder(dir string) (disk, error) {
	d, err := makeDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, Reason(err))
	}
	list, err := d.ReadDir(".")
	if err == nil && len(list) > 0 {
		err = ErrNotEmpty
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, Reason(err)), d.Close())
	}
	return d, nil
}

func (c *copier) close() {
	c.view.Close()
	if c.home != nil {
		c.home.Close()
	}
	if c.to != nil {
		c.to.Close()
	}
}

// history copies .sheaf as it is at one revision.
func (c *copier) history(ctx context.Context) (Rev, error) {
	for _, dir := range []string{"objects", "state", "tmp"} {
		if _, err := makeDirs(c.to, path.Join(sheafDir, dir), nil); err != nil {
			return 0, err
		}
	}
	if err := c.one(formatName); err != nil {
		return 0, err
	}
	log, err := readAll(c.home, journalName)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.homePath, Reason(err))
	}
	log = log[:bytes.LastIndexByte(log, '\n')+1] // a line may be on its way
	text, err := readLog(bytes.NewReader(log), filepath.Join(c.homePath, journalName))
	if err == nil && text.torn > 0 {
		err = fmt.Errorf("%s: its last line is damaged", filepath.Join(c.homePath, journalName))
	}
	if err != nil {
		return 0, err
	}
	c.ledger = fold(text.commits)
	if err := create(c.to, path.Join(sheafDir, journalName), os.O_EXCL, privateFile, log); err != nil {
		return 0, err
	}
	if err := c.objects(ctx); err != nil {
		return 0, err
	}
	if err := c.each("state", ""); err != nil {
		return 0, err
	}
	shown := fmt.Appendf(nil, "%d", c.ledger.Rev())
	return c.ledger.Rev(), create(c.to, path.Join(sheafDir, appliedName), os.O_EXCL, privateFile, shown)
}

// objects copies packs and loose blobs until everything is there that the
// newest tree needs. A server may remove a pack while it is copied, when it has
// moved what is in it to a newer one.
func (c *copier) objects(ctx context.Context) error {
	var missing error
	for range backupTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.each("objects", indexSuffix); err != nil {
			return err
		}
		if missing = c.missing(); missing == nil {
			return nil
		}
	}
	return missing
}

// missing reads the copies of all blobs that the newest tree names.
func (c *copier) missing() error {
	home, err := c.to.Sub(sheafDir)
	if err != nil {
		return err
	}
	defer home.Close()
	o, err := openObjects(home)
	if err != nil {
		return err
	}
	for _, e := range c.ledger.Entries() {
		if _, err := o.get(e.Hash); err == nil {
			continue
		}
		// A plain file has what was lost: see Worktree.Get.
		b, _, err := c.view.ReadFile(e.Path, maxKept)
		if err != nil || hashOf(b) != e.Hash {
			return fmt.Errorf("%s: the version of revision %d is not in the store", e.Path, c.ledger.Rev())
		}
		name := objectName(e.Hash)
		if _, err := makeDirs(home, path.Dir(name), nil); err != nil {
			return err
		}
		if err := create(home, name, os.O_TRUNC, privateFile, b); err != nil {
			return err
		}
	}
	return nil
}

// each copies the files below a folder of .sheaf, but for those whose names end
// in skip. One that goes meanwhile is left out.
func (c *copier) each(dir, skip string) error {
	list, err := c.home.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = c.each(name, skip)
		case skip == "" || !strings.HasSuffix(name, skip):
			err = c.one(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one copies a file of .sheaf, as long as it is now.
func (c *copier) one(name string) error {
	f, err := c.home.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, Reason(err))
	}
	defer f.Close()
	to := path.Join(sheafDir, name)
	if _, err := makeDirs(c.to, path.Dir(to), nil); err != nil {
		return err
	}
	return c.write(to, f, privateFile, time.Time{})
}

func (c *copier) write(name string, r io.Reader, perm fs.FileMode, mtime time.Time) error {
	f, err := c.to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err == nil && !mtime.IsZero() {
		err = c.to.Chtimes(name, mtime, mtime)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, Reason(err))
	}
	return nil
}

// plain copies the plain files. One that a later commit than the copy's has
// changed meanwhile is taken from the history.
func (c *copier) plain(ctx context.Context) error {
	var failed error
	err := c.view.Walk(func(d *Dir) []string {
		if failed == nil {
			failed = ctx.Err()
		}
		if failed == nil && d.Path != "." {
			_, failed = makeDirs(c.to, d.Path, c.mkdir)
		}
		for _, name := range d.Files {
			if failed == nil {
				failed = c.plainFile(path.Join(d.Path, name))
			}
		}
		return d.Dirs
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	return c.afterwards()
}

func (c *copier) plainFile(name string) error {
	info, err := c.view.root().Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil // gone, or a link, which a commit never overwrites and a copy does not follow
	}
	f, err := c.view.root().OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, Reason(err))
	}
	defer f.Close()
	return c.write(name, f, info.Mode().Perm(), info.ModTime())
}

// afterwards brings the files of the copy's last commit, and of those made
// since, to what they are at its revision: they were being written while they
// were copied. What is no version of theirs was changed by hand, and stays.
func (c *copier) afterwards() error {
	log, err := readAll(c.home, journalName)
	if err != nil {
		return err
	}
	text, err := readLog(bytes.NewReader(log[:bytes.LastIndexByte(log, '\n')+1]), journalName)
	if err != nil {
		return err
	}
	home, err := c.to.Sub(sheafDir)
	if err != nil {
		return err
	}
	defer home.Close()
	o, err := openObjects(home)
	if err != nil {
		return err
	}
	now := fold(text.commits)
	for _, e := range lastEntries(now.Commits(max(c.ledger.Rev(), 1) - 1)) {
		if !c.isVersion(now, e.Path) {
			continue
		}
		was, ok := c.ledger.Entry(e.Path)
		if !ok {
			if err := c.to.Remove(e.Path); err != nil && !isMissing(err) {
				return err
			}
			continue
		}
		b, err := o.get(was.Hash)
		if err == nil {
			_, err = makeDirs(c.to, path.Dir(e.Path), c.mkdir)
		}
		if err == nil {
			err = c.write(e.Path, bytes.NewReader(b), 0o644, was.MTime)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isVersion reports whether a file of the copy is as some commit has made it.
func (c *copier) isVersion(l *Ledger, name string) bool {
	b, err := readAll(c.to, name)
	if err != nil {
		return true // it was not there
	}
	hash := hashOf(b)
	for _, e := range l.Of(name) {
		if e.Hash == hash {
			return true
		}
	}
	return false
}

func (c *copier) mkdir(dir string) error { return c.to.Mkdir(dir, 0o755) }

// syncAll makes every file below a folder of the copy durable.
func (c *copier) syncAll(dir string) error {
	list, err := c.to.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			err = errors.Join(err, c.syncAll(name))
		} else {
			err = errors.Join(err, fsync(c.to, name))
		}
	}
	return errors.Join(err, fsync(c.to, dir))
}
