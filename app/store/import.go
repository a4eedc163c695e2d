package store

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxKept bounds the files that are imported; larger ones stay in the folder
// without a history.
const maxKept = 64 << 20

// Import takes what was changed by hand since the last commit into the
// history, as one commit without an author, and gives the head. The first one
// takes the whole folder. Files that skip names are left alone; so are hidden
// names, links, what is no regular file, and files over 64 MB. It reads no more
// than has changed, and keeps nobody from reading. A file that cannot be read
// is left for the next time.
//
// In a folder that cannot be written the commit is in memory only: what is
// read there can be fetched like anywhere else. A view imports nothing.
func (w *Worktree) Import(ctx context.Context, skip func(path string, dir bool) bool) (Rev, error) {
	if w.store == nil {
		return 0, nil
	}
	l, err := w.settledLedger()
	if err != nil {
		return 0, err
	}
	found, litter, err := w.changedByHand(ctx, l, skip)
	if err != nil {
		return 0, err
	}
	if len(found) == 0 && len(litter) == 0 {
		return l.Rev(), nil
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.life.Err() != nil {
		return 0, fs.ErrClosed
	}
	if w.home.writable() {
		if err := w.settled(); err != nil {
			return 0, err
		}
		for _, name := range litter { // nobody is staging now
			_ = w.root().Remove(name)
		}
	}
	for {
		if now := w.stillChanged(found); len(now) > 0 {
			err = w.commitByHand(now)
		}
		if !errors.Is(err, ErrConflict) {
			break
		}
		if err = w.catchUp(); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	if w.home.writable() {
		if err := w.cache.save(w.home.disk); err != nil {
			w.log.Warn("index not saved", "err", err)
		}
	}
	return w.Ledger().Rev(), nil
}

// settledLedger gives the ledger that the plain files are of.
func (w *Worktree) settledLedger() (*Ledger, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.life.Err() != nil {
		return nil, fs.ErrClosed
	}
	if w.home.writable() {
		if err := w.settled(); err != nil {
			return nil, err
		}
	}
	return w.Ledger(), nil
}

// changedByHand walks the folder for what differs from l. Litter is what
// commits have left that were never made.
func (w *Worktree) changedByHand(
	ctx context.Context, l *Ledger, skip func(path string, dir bool) bool,
) (found []Entry, litter []string, err error) {
	there := make(map[string]bool, l.Len())
	var unread []string // directories, with a slash: their files may be there or not
	w.reopen()
	r := w.NewReader()
	defer r.Close()
	var failed error
	look := func(p string) {
		if info, err := r.top.Lstat(p); err != nil || !info.Mode().IsRegular() {
			return
		}
		e, _, changed, err := w.changedOnDisk(r, l, p)
		var put *putError
		switch {
		case err == nil && changed:
			found = append(found, e)
		case errors.As(err, &put):
			failed = err
		case err != nil && !isUnkeepable(err):
			w.log.Warn("not taken into the history", "path", p, "err", Reason(err))
		}
	}
	err = w.Walk(func(d *Dir) (enter []string) {
		if failed = errors.Join(failed, ctx.Err(), w.life.Err()); failed != nil {
			return nil
		}
		if d.Err != nil {
			unread = append(unread, strings.TrimPrefix(d.Path+"/", "./"))
			w.log.Warn("not looked at for changes by hand", "path", d.Path, "err", Reason(d.Err))
		}
		for _, name := range d.Dots {
			if isStaged(name) {
				litter = append(litter, path.Join(d.Path, name))
			}
		}
		for _, name := range d.Files {
			p := path.Join(d.Path, name)
			there[p] = true
			if failed == nil && !skip(p, false) && loggable(p) {
				look(p)
			}
		}
		for _, name := range d.Dirs {
			if p := path.Join(d.Path, name); !skip(p, true) {
				enter = append(enter, name)
			}
		}
		return enter
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, nil, err
	}
	for _, e := range l.Entries() {
		below := func(dir string) bool { return strings.HasPrefix(e.Path, dir) }
		if !there[e.Path] && !slices.ContainsFunc(unread, below) {
			found = append(found, Entry{Path: e.Path})
		}
	}
	return found, litter, nil
}

// stillChanged gives those of found that differ from the ledger. What has
// changed again since it was looked at comes with the next import. The lock is
// held.
func (w *Worktree) stillChanged(found []Entry) (still []Entry) {
	l, root := w.Ledger(), w.root()
	for _, e := range found {
		now, known := l.Entry(e.Path)
		if e.Hash == "" {
			if _, err := root.Lstat(e.Path); known && isMissing(err) {
				still = append(still, e)
			}
			continue
		}
		s, err := w.Stat(e.Path)
		if err == nil && s.MTime == e.MTime.UnixNano() && s.Size == e.Size && now.Hash != e.Hash {
			still = append(still, e)
		}
	}
	return still
}

// isUnkeepable reports a file that has gone, or that is none of those which
// have a history.
func isUnkeepable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) || errors.Is(err, ErrTooLarge) ||
		errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// changedOnDisk finds out whether a plain file, which is a regular one, is
// another than l has, and keeps its bytes if it is.
func (w *Worktree) changedOnDisk(r *Reader, l *Ledger, name string) (e Entry, s Stamp, changed bool, err error) {
	was, ok := l.Entry(name)
	if s, err := w.Stat(name); err == nil {
		if hash, known := w.cache.get(name, s); known && ok && hash == was.Hash {
			return e, s, false, nil
		}
	}
	b, s, err := r.ReadFile(name, maxKept)
	if err != nil {
		return e, s, false, err
	}
	hash := hashOf(b)
	w.cache.put(name, s, hash)
	if ok && hash == was.Hash {
		return e, s, false, nil
	}
	if w.home.writable() {
		if _, err := w.store.Put(w.life, b); err != nil {
			return e, s, false, &putError{err}
		}
	}
	return Entry{Path: name, Hash: hash, Size: int64(len(b)), MTime: time.Unix(0, s.MTime)}, s, true, nil
}

// putError is a failure to write, as against one to read.
type putError struct{ error }

func (e *putError) Unwrap() error { return e.error }
