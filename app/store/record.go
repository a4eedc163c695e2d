package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// few is how many files are made durable one by one. More are with one call
// for the whole file system, where there is one.
const few = 8

// Commit makes c the next revision: see Store. The plain files are as the
// commit says when it returns. A file that somebody has changed by hand and
// that has not been taken up yet becomes a commit of its own first, so that
// nothing is overwritten unseen: base is then no longer the head. What cannot
// be taken up (a link, a file that is too large or may not be read) is never
// overwritten.
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
	if err := f.inPlace(); err != nil {
		return 0, err
	}
	places, byHand, err := f.look(l, c.Entries)
	if err != nil {
		return 0, fmt.Errorf("content %s: %w", f.dir, err)
	}
	if len(byHand) > 0 {
		if l, err = f.record(l, handCommit(byHand), nil); err != nil {
			return 0, err
		}
	}
	if base != l.Rev() {
		return 0, ErrConflict
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if l, err = f.record(l, c, places); err != nil {
		return 0, err
	}
	return l.Rev(), nil
}

// errReplaced is what a folder says that was exchanged for another, or that has
// lost its .sheaf: the log that is open is not the one a next start would read.
var errReplaced = errors.New("the folder or its .sheaf was replaced: Sheaf has to be started again to keep changes")

// inPlace makes sure that the log is the folder's and that its plain files are
// of the head, which they are not if a commit could not write them all. The
// lock is held.
func (f *Folder) inPlace() error {
	home, err := f.home.Stat(".")
	if err == nil {
		var now fs.FileInfo
		now, err = f.root.Load().Stat(sheafDir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(home, now) {
			err = errReplaced
		}
	}
	if err == nil {
		err = f.settle(f.ledger.Load().Rev())
	}
	if err != nil {
		return fmt.Errorf("content %s: %w", f.dir, Reason(err))
	}
	return nil
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
		if size, err := f.objects.size(e.Hash); err != nil || size != e.Size {
			return fmt.Errorf("%s: no blob of %d bytes %s: %w", e.Path, e.Size, e.Hash, fs.ErrNotExist)
		}
	}
	return nil
}

// record appends a commit and makes it the head; places are those of the plain
// files that have to follow it. The lock is held.
//
// Everything that needs room on the disk comes before the log: a commit that
// is in it can be carried out.
func (f *Folder) record(l *Ledger, c Commit, places []place) (_ *Ledger, err error) {
	c.Rev = l.Rev() + 1
	if c.ID == "" {
		c.ID = rand.Text()
	}
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	c.Time = c.Time.Round(0)
	for _, s := range []*string{&c.ID, &c.Author, &c.Door, &c.Message} {
		*s = strings.ToValidUTF8(*s, "\uFFFD") // as it is when it is read again
	}
	c.Entries = slices.Clone(c.Entries)
	at := make(map[string]int, len(c.Entries))
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Hash != "" && e.MTime.IsZero() {
			e.MTime = c.Time
		}
		at[e.Path] = i
	}
	for i := range places {
		places[i].entry = c.Entries[at[places[i].entry.Path]]
	}
	if f.home != nil {
		if err := f.write(c, places); err != nil {
			return nil, fmt.Errorf("content %s: %w", f.dir, err)
		}
		f.behind = places
		if err := f.settle(c.Rev); err != nil {
			// The commit stands. Its files come before the next one,
			// or with the next start.
			f.log.Error("files of a commit not written", "rev", c.Rev, "err", err)
		}
	}
	next := l.Apply(c)
	f.ids[c.ID] = c.Rev
	f.ledger.Store(next)
	f.news.Lock()
	close(f.more)
	f.more = make(chan struct{})
	f.news.Unlock()
	f.prune(next)
	if f.home != nil {
		if err := f.objects.packs.save(false); err != nil {
			f.log.Warn("index of blobs not saved", "err", err)
		}
	}
	return next, nil
}

// write brings a commit as far as the log, or leaves no trace.
func (f *Folder) write(c Commit, places []place) (err error) {
	if err := f.stage(places); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.abandon(places)
		}
	}()
	var hashes []string
	for _, e := range c.Entries {
		if _, is := f.unsynced.Load(e.Hash); is {
			hashes = append(hashes, e.Hash)
		}
	}
	if canSyncAll && len(c.Entries) > few {
		err = syncAll(f.home)
	} else if err = f.objects.sync(hashes); err == nil {
		for _, p := range places {
			if p.temp != "" && err == nil {
				err = fsync(f.root.Load(), p.temp)
			}
		}
	}
	if err == nil {
		err = f.journal.append(c)
	}
	if err != nil {
		return err
	}
	for _, h := range hashes {
		f.unsynced.Delete(h)
	}
	return nil
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
