// Package store keeps what a blog is made of. For now that is the folder
// itself: plain files that stay the owner's, edited with anything.
//
// A Folder promises three things. One server holds a folder at a time (Open
// takes .sheaf/lock and a second Open says who has it). Nothing outside the
// folder can be read through it: FS is confined by the kernel, follows no
// symbolic link out, opens regular files and directories only, and hides
// every name that begins with a dot. And a change by any means is noticed
// (Watch): by the system's notifications, and by a slow poll behind them for
// file systems that send none.
//
// The files are read, never written, but for the lock.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// A Folder is a directory of posts. Its methods are safe for concurrent use.
type Folder struct {
	dir  string // absolute
	log  *slog.Logger
	root atomic.Pointer[os.Root]
	lock *lock // nil: a view, or a folder that cannot be written
	poll time.Duration

	quiet, late, bulk time.Duration // see Watch

	ctx      context.Context // ends every Watch on Close
	cancel   context.CancelFunc
	watchers sync.WaitGroup
}

// An Option changes how Open works.
type Option func(*options)

type options struct {
	poll   time.Duration
	holder string
}

// Poll sets how often Watch compares the whole folder with what it saw before;
// 30 seconds unless told.
func Poll(every time.Duration) Option { return func(o *options) { o.poll = every } }

// Holder adds a word about this process to the lock, such as the address it
// listens on, for the error a second server prints.
func Holder(what string) Option { return func(o *options) { o.holder = what } }

// Open takes a folder for this process. A folder held by another one is an
// error that wraps ErrHeld and names the holder. A folder that cannot be
// written is opened without a lock, with a warning.
func Open(dir string, log *slog.Logger, opts ...Option) (*Folder, error) {
	o := options{poll: 30 * time.Second}
	for _, set := range opts {
		set(&o)
	}
	f, err := View(dir)
	if err != nil {
		return nil, err
	}
	f.log, f.poll = log, o.poll
	f.lock, err = takeLock(filepath.Join(f.dir, ".sheaf"), o.holder)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		log.Warn("content is read-only: no lock taken", "dir", dir, "err", err)
	default:
		f.Close()
		return nil, fmt.Errorf("content %s: %w", dir, err)
	}
	return f, nil
}

// View opens a folder for reading only: it takes no lock and leaves no trace.
func View(dir string) (*Folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, Reason(err))
	}
	f := &Folder{dir: abs, log: slog.New(slog.DiscardHandler), poll: 30 * time.Second,
		quiet: 150 * time.Millisecond, late: 700 * time.Millisecond, bulk: 3 * time.Second}
	f.root.Store(root)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f, nil
}

// Dir is the folder's absolute path.
func (f *Folder) Dir() string { return f.dir }

// Close ends every Watch, waits for them, and gives the folder back.
func (f *Folder) Close() error {
	f.cancel()
	f.watchers.Wait()
	err := f.root.Load().Close()
	if f.lock != nil {
		err = errors.Join(err, f.lock.release())
	}
	return err
}

// renew follows a folder that was replaced as a whole: a deployment that
// renames directories, a link that points elsewhere now.
func (f *Folder) renew() {
	now, err := os.Stat(f.dir)
	if err != nil {
		return
	}
	old := f.root.Load()
	was, err := old.Stat(".")
	if err == nil && os.SameFile(now, was) {
		return
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return
	}
	// The old root stays open for those who are reading through it; its
	// descriptor goes with the last of them.
	if !f.root.CompareAndSwap(old, root) {
		root.Close()
	}
}

// Reason takes the operation and the path off a system error, for those who
// say them in their own words.
func Reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ReadFile reads one regular file of at most limit bytes and tells what it was
// when it was read. Larger files give ErrTooLarge.
func (f *Folder) ReadFile(name string, limit int64) ([]byte, Stamp, error) {
	return readFile(f.root.Load(), name, name, limit, nil)
}

// Stat looks at one regular file.
func (f *Folder) Stat(name string) (Stamp, error) {
	info, err := confined{f}.Stat(name)
	if err != nil {
		return Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return Stamp{}, &fs.PathError{Op: "stat", Path: name, Err: errNotRegular}
	}
	return stamp(info), nil
}

// ErrTooLarge says that a file is over the limit its reader has set.
var ErrTooLarge = errors.New("file too large")

// A Reader reads many files, quickest in the order of a Walk: it goes down to a
// directory once. It is for one goroutine, which has to Close it.
type Reader struct {
	top  *os.Root
	dir  string
	root *os.Root // of dir; nil: none yet
	buf  []byte
}

// NewReader makes a Reader of the folder as it stands.
func (f *Folder) NewReader() *Reader { return &Reader{top: f.root.Load()} }

// ReadFile is Folder.ReadFile. The bytes are good until the next call.
func (r *Reader) ReadFile(name string, limit int64) ([]byte, Stamp, error) {
	dir, base := path.Split(name)
	root := r.top
	if dir != "" {
		if r.root == nil || r.dir != dir {
			r.Close()
			var err error
			if r.root, err = r.top.OpenRoot(dir[:len(dir)-1]); err != nil {
				r.root = nil
				return nil, Stamp{}, err
			}
			r.dir = dir
		}
		root = r.root
	}
	b, s, err := readFile(root, base, name, limit, r.buf)
	if err != nil && dir != "" {
		// A link that leaves its directory but not the folder.
		b, s, err = readFile(r.top, name, name, limit, r.buf)
	}
	if cap(b) > cap(r.buf) {
		r.buf = b[:0]
	}
	return b, s, err
}

// Close lets go of the directory.
func (r *Reader) Close() {
	if r.root != nil {
		r.root.Close()
		r.root = nil
	}
}

// readFile reads name in root, which is full in the folder, into buf if it is
// large enough.
func readFile(root *os.Root, name, full string, limit int64, buf []byte) ([]byte, Stamp, error) {
	if hidden(full) {
		return nil, Stamp{}, &fs.PathError{Op: "open", Path: full, Err: fs.ErrNotExist}
	}
	file, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, Stamp{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, Stamp{}, &fs.PathError{Op: "open", Path: full, Err: errNotRegular}
	}
	if info.Size() > limit {
		return nil, Stamp{}, &fs.PathError{Op: "read", Path: full, Err: ErrTooLarge}
	}
	// One read is enough for a file that does not grow meanwhile: a short
	// read of a regular file is its end.
	if size := int(info.Size()) + 1; size <= cap(buf) {
		buf = buf[:size]
	} else {
		buf = make([]byte, size, size+size/4)
	}
	n := 0
	for {
		m, err := file.Read(buf[n:])
		n += m
		if err == io.EOF || (err == nil && n < len(buf)) {
			return buf[:n], stamp(info), nil
		}
		if err != nil {
			return nil, Stamp{}, err
		}
		if int64(n) > limit {
			return nil, Stamp{}, &fs.PathError{Op: "read", Path: full, Err: ErrTooLarge}
		}
		buf = append(buf, make([]byte, len(buf))...)
	}
}
