package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxKept bounds the files that are taken up; larger ones stay in the folder
// without a history.
const maxKept = 64 << 20

// Adopt takes up what was changed by hand since the last commit, as one commit
// without an author, and gives the head. The first one takes up the whole
// folder. Files that skip names are left alone; so are hidden names, links,
// what is no regular file, and files over 64 MB. It reads no more than has
// changed, and keeps nobody from reading. A file that cannot be read is left
// for the next time.
//
// In a folder that cannot be written the commit is in memory only: what is
// read there can be fetched like anywhere else.
func (f *Folder) Adopt(ctx context.Context, skip func(path string, dir bool) bool) (Rev, error) {
	if f.view {
		return 0, nil
	}
	l, err := f.settledLedger()
	if err != nil {
		return 0, err
	}
	var found []Entry
	var litter []string // of commits that were never made
	there := make(map[string]bool, l.Len())
	r := f.NewReader()
	defer r.Close()
	var failed error
	err = f.Walk(func(d *Dir) (enter []string) {
		if failed = errors.Join(failed, ctx.Err(), f.ctx.Err()); failed != nil {
			return nil
		}
		for _, name := range d.Dots {
			if isStaged(name) {
				litter = append(litter, path.Join(d.Path, name))
			}
		}
		for _, name := range d.Files {
			p := path.Join(d.Path, name)
			there[p] = true
			if skip(p, false) || !keepable(p) {
				continue
			}
			if info, err := d.root.Lstat(p); err != nil || !info.Mode().IsRegular() {
				continue
			}
			e, _, changed, err := f.taken(r, l, p)
			var put *putError
			switch {
			case err == nil && changed:
				found = append(found, e)
			case errors.As(err, &put):
				failed = err
				return nil
			case err != nil && !isGone(err):
				f.log.Warn("not taken into the history", "path", p, "err", Reason(err))
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
		return 0, err
	}
	for _, e := range l.Entries() {
		if !there[e.Path] {
			found = append(found, Entry{Path: e.Path})
		}
	}
	if len(found) == 0 && len(litter) == 0 {
		return l.Rev(), nil
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.ctx.Err() != nil {
		return 0, fs.ErrClosed
	}
	if f.home != nil {
		if err := f.inPlace(); err != nil {
			return 0, err
		}
		for _, name := range litter { // nobody is staging now
			_ = f.root.Load().Remove(name)
		}
	}
	// What has changed again since it was looked at comes with the next call.
	l = f.ledger.Load()
	still := found[:0]
	for _, e := range found {
		now, known := l.Entry(e.Path)
		s, err := f.Stat(e.Path)
		switch {
		case e.Hash == "":
			if _, lerr := f.root.Load().Lstat(e.Path); known && isMissing(lerr) {
				still = append(still, e)
			}
		case err == nil && s.MTime == e.MTime.UnixNano() && s.Size == e.Size && now.Hash != e.Hash:
			still = append(still, e)
		}
	}
	if len(still) > 0 {
		if l, err = f.record(l, handCommit(still), nil); err != nil {
			return 0, err
		}
	}
	if f.home != nil {
		if err := f.index.save(f); err != nil {
			f.log.Warn("index not saved", "err", err)
		}
	}
	return l.Rev(), nil
}

// settledLedger gives the ledger that the plain files are of.
func (f *Folder) settledLedger() (*Ledger, error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.ctx.Err() != nil {
		return nil, fs.ErrClosed
	}
	if f.home != nil {
		if err := f.inPlace(); err != nil {
			return nil, err
		}
	}
	return f.ledger.Load(), nil
}

// keepable reports a path that the log can hold.
func keepable(p string) bool {
	return utf8.ValidString(p) && !strings.ContainsFunc(p, unicode.IsControl)
}

// doorHand is the door of what did not come through one.
const doorHand = "hand"

func handCommit(entries []Entry) Commit { return Commit{Door: doorHand, Entries: entries} }

func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) || errors.Is(err, ErrTooLarge) ||
		errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// taken finds out whether a plain file, which is a regular one, is another than
// the tree has, and keeps its bytes if it is.
func (f *Folder) taken(r *Reader, l *Ledger, name string) (e Entry, s Stamp, changed bool, err error) {
	known, ok := l.Entry(name)
	if s, err := f.Stat(name); err == nil {
		if hash, same := f.index.get(name, s); same && ok && hash == known.Hash {
			return e, s, false, nil
		}
	}
	b, s, err := r.ReadFile(name, maxKept)
	if err != nil {
		return e, s, false, err
	}
	hash := hashOf(b)
	f.index.put(name, s, hash)
	if ok && hash == known.Hash {
		return e, s, false, nil
	}
	if f.home != nil {
		if _, err := f.Put(f.ctx, b); err != nil {
			return e, s, false, &putError{err}
		}
	}
	return Entry{Path: name, Hash: hash, Size: int64(len(b)), MTime: time.Unix(0, s.MTime)}, s, true, nil
}

// putError is a failure to write, as against one to read.
type putError struct{ error }

func (e *putError) Unwrap() error { return e.error }

// index remembers which bytes a file had when it was last looked at, by its
// stamp. It can be lost: the files are then read again.
type index struct {
	mu      sync.Mutex
	files   map[string]stamped
	changed bool
}

type stamped struct {
	stamp Stamp
	hash  string
}

// settled is how old a file must be for its stamp to be trusted: a second edit
// within the clock's step would have the same one.
const settled = 50 * time.Millisecond

func (x *index) get(name string, s Stamp) (hash string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f, ok := x.files[name]
	return f.hash, ok && f.stamp == s
}

func (x *index) put(name string, s Stamp, hash string) {
	if time.Since(time.Unix(0, s.MTime)) < settled {
		x.drop(name)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files[name] = stamped{s, hash}
	x.changed = true
}

func (x *index) drop(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.files, name)
	x.changed = true
}

const indexName = "index"

func (x *index) save(f *Folder) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.changed {
		return nil
	}
	var b bytes.Buffer
	for name, s := range x.files {
		fmt.Fprintf(&b, "%s %d %d %d %s\n", s.hash, s.stamp.Size, s.stamp.MTime, s.stamp.Inode, name)
	}
	tmp, err := writeTemp(f.home, b.Bytes())
	if err != nil {
		return err
	}
	x.changed = false
	return f.home.Rename(tmp, indexName)
}

// load reads what an earlier server has left, if nothing was looked at yet.
func (x *index) load(f *Folder) {
	x.mu.Lock()
	defer x.mu.Unlock()
	b, err := f.home.ReadFile(indexName)
	if err != nil || len(x.files) > 0 {
		return
	}
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		if len(parts) != 5 || !validHash(parts[0]) {
			continue
		}
		size, err1 := strconv.ParseInt(parts[1], 10, 64)
		mtime, err2 := strconv.ParseInt(parts[2], 10, 64)
		inode, err3 := strconv.ParseUint(parts[3], 10, 64)
		if err1 == nil && err2 == nil && err3 == nil {
			x.files[parts[4]] = stamped{Stamp{Size: size, MTime: mtime, Inode: inode}, parts[0]}
		}
	}
}
