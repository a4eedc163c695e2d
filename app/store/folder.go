// Package store keeps what a blog is made of: plain files that stay the
// owner's, edited with anything, and beside them every version they have had.
//
// The versions are a log of commits over blobs. A blob is the bytes of a file
// under their hash; a commit names the files it changes and their blobs; the
// tree is what all commits add up to (Ledger). Store is that much as an
// interface, which asks nothing of a disk; Folder is the one there is, on a
// directory:
//
//	content/            the plain files: the newest tree, for everybody to read and edit
//	  .sheaf/log        one commit a line, with a checksum; only ever added to
//	  .sheaf/objects/   the blobs: small ones in packs, a larger one in a file of its own
//	  .sheaf/state/     small things that have no history (State)
//	  .sheaf/index      which bytes a file had when it was last looked at; can be lost
//	  .sheaf/shown      the revision the plain files are of; can be lost
//	  .sheaf/tmp/       files on their way; swept at the start
//	  .sheaf/lock       who holds the folder
//
// A commit is made in this order: blobs and temporary copies of the files are
// made durable, the line is added to the log and made durable, the copies are
// renamed into place. The line is the moment that counts. Before it, nothing
// has happened: a full disk or a stop leaves everything as it was. After it,
// the commit stands: what was not yet renamed is before the next commit, or at
// the next start. The copies wait beside the files they replace, under hidden
// names, so that a directory which cannot be written, or is on another disk,
// is found out while the commit can still be refused.
//
// A small blob is added to a pack, as a record with a checksum of its own. A
// pack is never changed otherwise: what is forgotten stays in it until it is
// more than half of the pack (and 256 KB), and then the rest moves to the newest
// pack before the file is removed. So old versions can take twice the room that
// History allows. An index beside a pack tells a start what is in it; it can be
// lost.
//
// What is changed by hand is found and becomes a commit of its own (Adopt),
// also in front of a commit that would have overwritten it. The time from an
// edit to its commit is the owner's risk: a version that was replaced by hand
// before anybody looked has left no trace. What has no history, a link or a file
// that is too large, is never overwritten by a commit.
//
// A folder that cannot be written is served all the same: its history is read,
// and what has changed since is known in memory.
//
// A Folder promises three more things. One server holds a folder at a time (Open
// takes .sheaf/lock and a second Open says who has it). Nothing outside the
// folder can be read or written through it: all paths go through os.Root,
// which follows no symbolic link out; FS opens regular files and directories
// only, and hides every name that begins with a dot. And a change by any means
// is noticed (Watch): by the system's notifications, and by a slow poll behind
// them for file systems that send none.
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
	"runtime/debug"
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

	view     bool
	home     *os.Root // .sheaf; nil: a view, or a folder that cannot be written
	past     *os.Root // .sheaf of a folder that cannot be written, if there is one
	objects  *objects // nil: neither home nor past
	history  int64
	ledger   atomic.Pointer[Ledger]
	index    index
	unsynced sync.Map   // hash to the time of the Put, of blobs that no commit has made durable
	pruned   sync.Map   // hashes of blobs that are known to be removed
	writing  sync.Mutex // one commit at a time; guards journal, ids, behind and settled
	journal  *journal
	ids      map[string]Rev
	behind   []place    // of the head, that its plain files have not taken yet
	settled  Rev        // what the plain files are of
	news     sync.Mutex // guards more
	more     chan struct{}
}

const sheafDir = ".sheaf"

// An Option changes how Open works.
type Option func(*options)

type options struct {
	poll    time.Duration
	holder  string
	history int64
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
	f.view = false
	f.log, f.poll, f.history = log, o.poll, o.history
	f.lock, err = takeLock(filepath.Join(f.dir, sheafDir), o.holder)
	switch {
	case err == nil:
		if err := f.openHome(); err != nil {
			f.Close()
			return nil, fmt.Errorf("content %s: %w", dir, err)
		}
		f.watchers.Go(f.tidy)
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		log.Warn("content is read-only: no lock taken, nothing can be published", "dir", dir, "err", err)
		if err := f.openPast(); err != nil {
			f.Close()
			return nil, fmt.Errorf("content %s: %w", dir, err)
		}
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
	f := &Folder{dir: abs, view: true, log: slog.New(slog.DiscardHandler), poll: 30 * time.Second,
		quiet: 150 * time.Millisecond, late: 700 * time.Millisecond, bulk: 3 * time.Second}
	f.root.Store(root)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.more, f.ids = make(chan struct{}), map[string]Rev{}
	f.index.files = map[string]stamped{}
	f.ledger.Store(&Ledger{})
	return f, nil
}

// readOnly is the answer to whoever wants to change a folder that cannot be.
func (f *Folder) readOnly() error {
	return fmt.Errorf("content %s cannot be written: %w", f.dir, fs.ErrPermission)
}

// Dir is the folder's absolute path.
func (f *Folder) Dir() string { return f.dir }

// Close ends every Watch, waits for them, and gives the folder back.
func (f *Folder) Close() error {
	f.cancel()
	f.watchers.Wait()
	err := f.root.Load().Close()
	if f.home != nil {
		f.writing.Lock() // a commit under way is finished
		defer f.writing.Unlock()
		if f.journal != nil {
			err = errors.Join(err, f.index.save(f), f.journal.file.Close())
		}
		if f.objects != nil {
			err = errors.Join(err, f.objects.packs.close())
		}
		err = errors.Join(err, f.home.Close())
	}
	if f.past != nil {
		err = errors.Join(err, f.past.Close())
	}
	if f.lock != nil {
		err = errors.Join(err, f.lock.release())
	}
	return err
}

// survive is deferred in goroutines: a mistake in one does not end the process.
func (f *Folder) survive(what string) {
	if r := recover(); r != nil {
		f.log.Error("panic", "in", what, "reason", fmt.Sprint(r), "stack", string(debug.Stack()))
	}
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

// A Reader reads many files, quickest in the order of a Walk. It is for one
// goroutine, which has to Close it.
type Reader struct {
	descent
	buf []byte
}

// NewReader makes a Reader of the folder as it stands.
func (f *Folder) NewReader() *Reader { return &Reader{descent: descent{top: f.root.Load()}} }

// ReadFile is Folder.ReadFile. The bytes are good until the next call.
func (r *Reader) ReadFile(name string, limit int64) ([]byte, Stamp, error) {
	root, base := r.at(name)
	b, s, err := readFile(root, base, name, limit, r.buf)
	if err != nil && root != r.top {
		// A link that leaves its directory but not the folder.
		b, s, err = readFile(r.top, name, name, limit, r.buf)
	}
	if cap(b) > cap(r.buf) {
		r.buf = b[:0]
	}
	return b, s, err
}

// Close lets go of the directory.
func (r *Reader) Close() { r.leave() }

// A descent goes down to a directory once for all that is done in it in a row.
type descent struct {
	top  *os.Root
	dir  string
	root *os.Root // of dir; nil: none yet
}

// at gives the directory of name and its last element; of a directory that
// cannot be opened, the top and name as it is.
func (d *descent) at(name string) (root *os.Root, base string) {
	dir, base := path.Split(name)
	if dir == "" {
		return d.top, name
	}
	if d.root == nil || d.dir != dir {
		d.leave()
		root, err := d.top.OpenRoot(dir[:len(dir)-1])
		if err != nil {
			return d.top, name
		}
		d.dir, d.root = dir, root
	}
	return d.root, base
}

// in reports whether the descent has come down to dir.
func (d *descent) in(dir string) bool {
	return dir == "." || d.root != nil && d.dir == dir+"/"
}

func (d *descent) leave() {
	if d.root != nil {
		d.root.Close()
		d.root = nil
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
