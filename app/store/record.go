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
	"strconv"
	"time"
)

// few is how many files are made durable one by one. More are with one call
// for the whole file system, where there is one.
const few = 8

// Commit makes c the next revision: see Store. The plain files are as the
// commit says when it returns. A file that somebody has changed by hand and
// that has not been taken up yet becomes a commit of its own first, so that
// nothing is overwritten unseen: base is then no longer the head.
func (f *Folder) Commit(ctx context.Context, base Rev, c Commit) (Rev, error) {
	if f.home == nil {
		return 0, f.readOnly()
	}
	if err := f.acceptable(c); err != nil {
		return 0, err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := f.ctx.Err(); err != nil {
		return 0, fs.ErrClosed
	}
	l := f.ledger.Load()
	if rev, ok := f.ids[c.ID]; ok && c.ID != "" {
		return rev, nil
	}
	byHand, err := f.byHand(l, c.Entries)
	if err != nil {
		return 0, err
	}
	if len(byHand) > 0 {
		if l, err = f.record(l, handCommit(byHand), false); err != nil {
			return 0, err
		}
	}
	if base != l.Rev() {
		return 0, ErrConflict
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if l, err = f.record(l, c, true); err != nil {
		return 0, err
	}
	return l.Rev(), nil
}

// acceptable refuses what could not be kept: it is the last check, behind
// those that know what a blog is.
func (f *Folder) acceptable(c Commit) error {
	if len(c.Entries) == 0 {
		return errors.New("a commit without files")
	}
	seen := make(map[string]bool, len(c.Entries))
	for _, e := range c.Entries {
		if !fs.ValidPath(e.Path) || e.Path == "." || hidden(e.Path) || !keepable(e.Path) || seen[e.Path] {
			return fmt.Errorf("path %q: %w", e.Path, fs.ErrInvalid)
		}
		seen[e.Path] = true
		if e.Hash == "" {
			continue
		}
		if size, err := (objects{f.home}).size(e.Hash); err != nil || size != e.Size {
			return fmt.Errorf("%s: no blob of %d bytes %s: %w", e.Path, e.Size, e.Hash, fs.ErrNotExist)
		}
	}
	return nil
}

// record appends a commit and makes it the head; apply says that the plain
// files have to follow it. The lock is held.
//
// Everything that needs room on the disk comes before the log: a commit that
// is in it can be carried out.
func (f *Folder) record(l *Ledger, c Commit, apply bool) (_ *Ledger, err error) {
	c.Rev = l.Rev() + 1
	if c.ID == "" {
		c.ID = rand.Text()
	}
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	c.Time = c.Time.Round(0)
	c.Entries = slices.Clone(c.Entries)
	var fresh []string
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Hash != "" && e.MTime.IsZero() {
			e.MTime = c.Time
		}
		if _, is := f.unsynced.Load(e.Hash); is {
			fresh = append(fresh, e.Hash)
		}
	}
	var files *placing
	if apply {
		if files, err = f.place(c.Entries); err != nil {
			return nil, fmt.Errorf("content %s: %w", f.dir, err)
		}
		defer files.clean()
	}
	atOnce := canSyncAll && len(c.Entries) > few
	if atOnce {
		err = syncAll(f.home)
	} else {
		err = (objects{f.home}).sync(fresh)
		if err == nil && apply {
			err = files.sync()
		}
	}
	if err == nil {
		err = f.journal.append(c)
	}
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", f.dir, err)
	}
	for _, h := range fresh {
		f.unsynced.Delete(h)
	}
	if apply {
		if err := files.show(!atOnce); err != nil {
			// The commit stands. Its files come with the next start.
			f.log.Error("files of a commit not written", "rev", c.Rev, "err", err)
		} else {
			f.finished(c.Rev)
		}
	} else {
		f.finished(c.Rev)
	}
	next := l.Apply(c)
	f.ids[c.ID] = c.Rev
	f.ledger.Store(next)
	f.news.Lock()
	close(f.more)
	f.more = make(chan struct{})
	f.news.Unlock()
	f.prune(next)
	return next, nil
}

// finished notes the revision that the plain files are of. It need not be
// durable: an older note costs a look at the files of one commit.
func (f *Folder) finished(rev Rev) {
	if err := f.home.WriteFile("shown", strconv.AppendUint(nil, uint64(rev), 10), 0o644); err != nil {
		f.log.Warn("revision not noted", "err", err)
	}
}

// shown is the revision that the plain files are of, as far as is known.
func (f *Folder) shown() Rev {
	b, err := f.home.ReadFile("shown")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(string(b), 10, 64)
	return Rev(n)
}

// placing brings plain files to what a commit says, in two steps: what can
// fail for want of room, and the renaming.
type placing struct {
	f       *Folder
	root    *os.Root
	entries []Entry
	tmp     []string // by entry: its temporary file in .sheaf, "" when it is in place
	made    []string // directories that were not there
}

func (f *Folder) place(entries []Entry) (*placing, error) {
	p := &placing{f: f, root: f.root.Load(), entries: entries, tmp: make([]string, len(entries))}
	for i, e := range entries {
		if e.Hash == "" {
			continue
		}
		if err := p.prepare(i, e); err != nil {
			p.clean()
			return nil, fmt.Errorf("%s: %w", e.Path, Reason(err))
		}
	}
	return p, nil
}

func (p *placing) prepare(i int, e Entry) error {
	if info, err := p.root.Lstat(e.Path); err == nil && info.IsDir() {
		return errors.New("is a directory")
	}
	if err := p.mkdir(path.Dir(e.Path)); err != nil {
		return err
	}
	b, err := (objects{p.f.home}).get(e.Hash)
	if err != nil {
		return err
	}
	if p.tmp[i], err = writeTemp(p.f.home, b); err != nil {
		return err
	}
	return p.f.home.Chtimes(p.tmp[i], e.MTime, e.MTime)
}

func (p *placing) mkdir(dir string) error {
	if dir == "." {
		return nil
	}
	if _, err := p.root.Stat(dir); err == nil {
		return nil
	}
	if err := p.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	err := p.root.Mkdir(dir, 0o755)
	if err == nil {
		p.made = append(p.made, dir)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (p *placing) sync() error {
	for _, tmp := range p.tmp {
		if tmp == "" {
			continue
		}
		if err := fsync(p.f.home, tmp); err != nil {
			return err
		}
	}
	return nil
}

// show removes what is to be removed and renames the files into place. Last go
// the directories that are empty then: not before, a file may come into one.
func (p *placing) show(durable bool) error {
	var errs []error
	dirs := map[string]bool{}
	for i, e := range p.entries {
		if dirs[path.Dir(e.Path)] = true; e.Hash != "" || p.tmp[i] != "" {
			continue
		}
		if err := p.root.Remove(e.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: %w", e.Path, Reason(err)))
			continue
		}
		p.f.index.drop(e.Path)
	}
	for i, e := range p.entries {
		if p.tmp[i] == "" {
			continue
		}
		if err := p.root.Rename(path.Join(sheafDir, p.tmp[i]), e.Path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Path, Reason(err)))
			continue
		}
		p.tmp[i] = ""
		if s, err := p.f.Stat(e.Path); err == nil {
			p.f.index.put(e.Path, s, e.Hash)
		}
	}
	for _, e := range p.entries {
		if e.Hash != "" {
			continue
		}
		for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
			if p.root.Remove(dir) != nil {
				break // not empty, or gone
			}
			delete(dirs, dir)
			dirs[path.Dir(dir)] = true
		}
	}
	if durable {
		for dir := range dirs {
			if err := fsync(p.root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	p.made = nil
	return errors.Join(errs...)
}

// clean takes away what was not used.
func (p *placing) clean() {
	for i, tmp := range p.tmp {
		if tmp != "" {
			_ = p.f.home.Remove(tmp)
			p.tmp[i] = ""
		}
	}
	for _, dir := range slices.Backward(p.made) {
		_ = p.root.Remove(dir)
	}
	p.made = nil
}

// redo carries out the last commit if the server was stopped before its plain
// files were written. A file that is neither as the commit wants it nor as it
// was before has been changed by hand since, and stays.
func (f *Folder) redo(l *Ledger) error {
	last, ok := l.Commit(l.Rev())
	if !ok || f.shown() >= last.Rev {
		return nil
	}
	before := l.At(last.Rev - 1)
	var todo []Entry
	for _, e := range last.Entries {
		is, err := f.plainHash(e.Path)
		if err != nil {
			return err
		}
		if is != e.Hash && is == before[e.Path].Hash {
			todo = append(todo, e)
		}
	}
	p, err := f.place(todo)
	if err != nil {
		return err
	}
	defer p.clean()
	if err := p.sync(); err != nil {
		return err
	}
	if err := p.show(true); err != nil {
		return err
	}
	f.finished(last.Rev)
	if len(todo) > 0 {
		f.log.Info("last commit carried out again", "rev", last.Rev, "files", len(todo))
	}
	return nil
}
