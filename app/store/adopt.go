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
// changed, and keeps nobody from reading.
func (f *Folder) Adopt(ctx context.Context, skip func(path string, dir bool) bool) (Rev, error) {
	l := f.ledger.Load()
	if f.home == nil {
		return l.Rev(), nil
	}
	var found []Entry
	there := make(map[string]bool, l.Len())
	r := f.NewReader()
	defer r.Close()
	var failed error
	err := f.Walk(func(d *Dir) (enter []string) {
		if failed = errors.Join(failed, ctx.Err(), f.ctx.Err()); failed != nil {
			return nil
		}
		for _, name := range d.Files {
			p := path.Join(d.Path, name)
			there[p] = true
			if skip(p, false) || !keepable(p) {
				continue
			}
			e, changed, err := f.look(r, l, p)
			switch {
			case err == nil && changed:
				found = append(found, e)
			case err != nil && !isGone(err):
				failed = err
				return nil
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
	if len(found) == 0 {
		return l.Rev(), nil
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.ctx.Err() != nil {
		return 0, fs.ErrClosed
	}
	// What has changed again since it was looked at comes with the next call.
	l = f.ledger.Load()
	still := found[:0]
	for _, e := range found {
		now, known := l.Entry(e.Path)
		s, err := f.Stat(e.Path)
		switch {
		case e.Hash == "":
			if _, lerr := f.root.Load().Lstat(e.Path); known && isGone(lerr) {
				still = append(still, e)
			}
		case err == nil && s.MTime == e.MTime.UnixNano() && s.Size == e.Size && now.Hash != e.Hash:
			still = append(still, e)
		}
	}
	if len(still) > 0 {
		if l, err = f.record(l, handCommit(still), false); err != nil {
			return 0, err
		}
	}
	if err := f.index.save(f); err != nil {
		f.log.Warn("index not saved", "err", err)
	}
	return l.Rev(), nil
}

// keepable reports a path that the log can hold.
func keepable(p string) bool {
	return utf8.ValidString(p) && !strings.ContainsFunc(p, unicode.IsControl)
}

func handCommit(entries []Entry) Commit { return Commit{Door: "hand", Entries: entries} }

func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) || errors.Is(err, ErrTooLarge) ||
		errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// look finds out whether a plain file is another than the tree has, and keeps
// its bytes if it is.
func (f *Folder) look(r *Reader, l *Ledger, name string) (e Entry, changed bool, err error) {
	if info, err := f.root.Load().Lstat(name); err != nil || !info.Mode().IsRegular() {
		return e, false, err
	}
	known, ok := l.Entry(name)
	if s, err := f.Stat(name); err == nil {
		if hash, same := f.index.get(name, s); same && ok && hash == known.Hash {
			return e, false, nil
		}
	}
	b, s, err := r.ReadFile(name, maxKept)
	if err != nil {
		return e, false, err
	}
	hash := hashOf(b)
	f.index.put(name, s, hash)
	if ok && hash == known.Hash {
		return e, false, nil
	}
	if _, err := f.Put(f.ctx, b); err != nil {
		return e, false, err
	}
	return Entry{Path: name, Hash: hash, Size: s.Size, MTime: time.Unix(0, s.MTime)}, true, nil
}

// byHand finds out which of the paths a commit names have been changed by hand
// since the head. The lock is held.
func (f *Folder) byHand(l *Ledger, entries []Entry) ([]Entry, error) {
	r := f.NewReader()
	defer r.Close()
	var found []Entry
	for _, e := range entries {
		is, changed, err := f.look(r, l, e.Path)
		switch _, known := l.Entry(e.Path); {
		case err == nil && changed:
			found = append(found, is)
		case errors.Is(err, fs.ErrNotExist) && known:
			found = append(found, Entry{Path: e.Path})
		case err != nil && !isGone(err):
			return nil, fmt.Errorf("content %s: %s: %w", f.dir, e.Path, Reason(err))
		}
	}
	return found, nil
}

// plainHash is the hash of a plain file, "" when there is none.
func (f *Folder) plainHash(name string) (string, error) {
	b, _, err := f.ReadFile(name, maxKept)
	if isGone(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return hashOf(b), nil
}

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
