package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A crashDisk is a file system in memory that can lose power, in the manner of
// SQLite's test VFS. What was written and not synced may be there afterwards or
// not, sector by sector and in any order; so may names. What was synced is
// there. It is nastier than any real one:
//
//   - a file's bytes are durable when the file was synced, its name when its
//     directory was (of a rename, the new one's), and neither before;
//   - a file that was synced without success has its new bytes until they are
//     read from the disk, and will never have them there.
//
// Operations that change something, or sync, are counted. before is asked in
// front of each: an error is what the operation then gives, and nothing is
// done.
type crashDisk struct {
	mu     sync.Mutex
	root   *node
	inodes uint64
	count  int
	before func(op operation) error
}

// An operation is what before is asked about.
type operation struct {
	n    int    // counted from 1
	what string // write, sync, rename ...
	name string // for people
	site string // of a sync: the place in the code that wants it
}

// errPower is what everything gives when the power has gone.
var errPower = errors.New("the power is gone")

// A node is a file or a directory.
type node struct {
	inode  uint64
	mode   fs.FileMode
	mtime  time.Time
	data   []byte       // of a file, as everybody reads it
	stable []byte       // as it is on the disk
	writes []crashWrite // not synced yet, in order
	lost   bool         // data has what a failed sync has not written
	names  map[string]*node
	onDisk map[string]*node // the names that are durable
	linked []*linkChange    // not durable yet, in order
}

type crashWrite struct {
	at   int64 // -1: cut to size
	b    []byte
	size int64
}

// A linkChange is one change of names; a rename changes two directories at
// once. It is on the disk or not.
type linkChange struct {
	from, to         *node // directories
	fromName, toName string
	of               *node // nil: to is not named
	done             bool
}

func newCrashDisk() *crashDisk {
	d := &crashDisk{}
	d.root = d.newNode(fs.ModeDir | 0o755)
	return d
}

func (d *crashDisk) newNode(mode fs.FileMode) *node {
	d.inodes++
	n := &node{inode: d.inodes, mode: mode, mtime: time.Unix(1_700_000_000, 0)}
	if mode.IsDir() {
		n.names, n.onDisk = map[string]*node{}, map[string]*node{}
	}
	return n
}

// do counts an operation and carries it out. The lock is not held.
func (d *crashDisk) do(what, name string, op func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if d.before != nil {
		o := operation{n: d.count, what: what, name: name}
		if what == "sync" {
			o.site = syncSite()
		}
		if err := d.before(o); err != nil {
			return err
		}
	}
	return op()
}

// syncSite is the way in the code to a sync: the last lines of this package that
// are no part of this file.
func syncSite() string {
	pcs := make([]uintptr, 20)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var lines []string
	for more := true; more && len(lines) < 4; {
		var f runtime.Frame
		f, more = frames.Next()
		base := filepath.Base(f.File)
		if strings.HasPrefix(f.Function, "sheaf/app/store.") && !strings.HasSuffix(base, "_test.go") {
			lines = append(lines, fmt.Sprintf("%s:%d", base, f.Line))
		}
	}
	slices.Reverse(lines)
	return strings.Join(lines, " > ")
}

func (d *crashDisk) find(from *node, name string) (*node, error) {
	n := from
	if name != "." {
		for part := range strings.SplitSeq(name, "/") {
			if n.names == nil {
				return nil, syscall.ENOTDIR
			}
			if n = n.names[part]; n == nil {
				return nil, fs.ErrNotExist
			}
		}
	}
	return n, nil
}

// parent gives the directory of a name, and its last element.
func (d *crashDisk) parent(from *node, name string) (*node, string, error) {
	dir, base := path.Split(name)
	n, err := d.find(from, path.Clean(dir))
	if err == nil && n.names == nil {
		err = syscall.ENOTDIR
	}
	return n, base, err
}

func (d *crashDisk) link(c *linkChange) {
	if c.from != nil {
		delete(c.from.names, c.fromName)
		c.from.linked = append(c.from.linked, c)
	}
	if c.to != nil {
		c.to.names[c.toName] = c.of
		if c.to != c.from {
			c.to.linked = append(c.to.linked, c)
		}
	}
}

// persist puts a change of names on the disk.
func (c *linkChange) persist() {
	if c.done {
		return
	}
	c.done = true
	if c.from != nil {
		delete(c.from.onDisk, c.fromName)
	}
	if c.to != nil {
		c.to.onDisk[c.toName] = c.of
	}
}

// sync puts a file's bytes or a directory's names on the disk.
func (n *node) sync() {
	if n.names == nil {
		if !n.lost {
			n.stable = slices.Clone(n.data)
		}
		for _, w := range n.writes {
			if n.lost { // what was written since the failure
				n.stable = w.apply(n.stable, func() bool { return true })
			}
		}
		n.writes = nil
		return
	}
	for _, c := range n.linked {
		if c.to == n || c.to == nil || c.done {
			c.persist()
		}
	}
	n.linked = slices.DeleteFunc(n.linked, func(c *linkChange) bool { return c.done })
}

// failSync is a sync that has not put the bytes there, though they are read.
func (n *node) failSync() {
	if n.names == nil && len(n.writes) > 0 {
		n.lost, n.writes = true, nil
	}
}

func (d *crashDisk) each(visit func(n *node)) {
	seen := map[*node]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		visit(n)
		for _, m := range n.names {
			walk(m)
		}
		for _, m := range n.onDisk {
			walk(m)
		}
	}
	walk(d.root)
}

// afterPowerCut gives what is on the disk: of each write that was not synced
// and each change of names keep says whether it has made it.
func (d *crashDisk) afterPowerCut(keep func() bool) *crashDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.each(func(n *node) {
		if n.names == nil {
			for _, w := range n.writes {
				n.stable = w.apply(n.stable, keep)
			}
			return
		}
		for _, c := range n.linked {
			if keep() {
				c.persist()
			}
		}
	})
	next := newCrashDisk()
	copies := map[*node]*node{d.root: next.root}
	var fill func(n *node)
	fill = func(n *node) {
		to := copies[n]
		for name, m := range n.onDisk {
			if copies[m] == nil {
				copies[m] = next.newNode(m.mode)
				copies[m].mtime = m.mtime
				copies[m].data, copies[m].stable = slices.Clone(m.stable), slices.Clone(m.stable)
				if m.names != nil {
					fill(m)
				}
			}
			to.names[name], to.onDisk[name] = copies[m], copies[m]
		}
	}
	fill(d.root)
	return next
}

const sector = 512

// apply puts the sectors of a write that keep says into b.
func (w crashWrite) apply(b []byte, keep func() bool) []byte {
	if w.at < 0 {
		if keep() {
			b = resize(b, w.size)
		}
		return b
	}
	for at, rest := w.at, w.b; len(rest) > 0; {
		n := min(int64(len(rest)), sector-at%sector)
		if keep() {
			if int64(len(b)) < at+n {
				b = resize(b, at+n)
			}
			copy(b[at:], rest[:n])
		}
		at, rest = at+n, rest[n:]
	}
	return b
}

func resize(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size:size]
	}
	return append(b[:len(b):len(b)], make([]byte, size-int64(len(b)))...)
}

// at is the disk as the code below test knows it.
func (d *crashDisk) at(top string) func(dir string) (disk, error) {
	return func(dir string) (disk, error) {
		rel, err := filepath.Rel(top, dir)
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		n, err := d.find(d.root, filepath.ToSlash(rel))
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
		}
		return crashDir{d, n, filepath.ToSlash(rel)}, nil
	}
}

// A crashDir is a directory of a crashDisk.
type crashDir struct {
	*crashDisk
	dir  *node
	name string // for people
}

func (d crashDir) said(name string) string { return path.Join(d.name, name) }

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func (d crashDir) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	d.mu.Lock()
	n, err := d.find(d.dir, name)
	d.mu.Unlock()
	switch {
	case err == nil && flag&os.O_EXCL != 0:
		err = fs.ErrExist
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		err = d.do("create", d.said(name), func() error {
			dir, base, err := d.parent(d.dir, name)
			if err == nil {
				n = d.newNode(perm)
				d.link(&linkChange{to: dir, toName: base, of: n})
			}
			return err
		})
	case err == nil && flag&os.O_TRUNC != 0:
		err = d.do("truncate", d.said(name), func() error { n.truncate(0); return nil })
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &crashFile{d: d, n: n, name: name}, nil
}

func (n *node) truncate(size int64) {
	n.data = resize(n.data, size)
	n.writes = append(n.writes, crashWrite{at: -1, size: size})
}

func (d crashDir) Stat(name string) (fs.FileInfo, error) { return d.Lstat(name) }

func (d crashDir) Readlink(string) (string, error) { return "", errors.ErrUnsupported }

func (d crashDir) Lstat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(d.dir, name)
	if err != nil {
		return nil, pathError("lstat", name, err)
	}
	return n.info(path.Base(name)), nil
}

func (d crashDir) ReadDir(name string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(d.dir, name)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	var list []fs.DirEntry
	for _, base := range slices.Sorted(maps.Keys(n.names)) {
		list = append(list, fs.FileInfoToDirEntry(n.names[base].info(base)))
	}
	return list, nil
}

func (d crashDir) Mkdir(name string, perm fs.FileMode) error {
	return d.do("mkdir", d.said(name), func() error {
		dir, base, err := d.parent(d.dir, name)
		if err == nil && dir.names[base] != nil {
			err = fs.ErrExist
		}
		if err == nil {
			d.link(&linkChange{to: dir, toName: base, of: d.newNode(perm | fs.ModeDir)})
		}
		return pathError("mkdir", name, err)
	})
}

func (d crashDir) Remove(name string) error {
	return d.do("remove", d.said(name), func() error {
		dir, base, err := d.parent(d.dir, name)
		if err == nil {
			switch n := dir.names[base]; {
			case n == nil:
				err = fs.ErrNotExist
			case len(n.names) > 0:
				err = syscall.ENOTEMPTY
			default:
				d.link(&linkChange{from: dir, fromName: base})
			}
		}
		return pathError("remove", name, err)
	})
}

func (d crashDir) Rename(from, to string) error {
	return d.do("rename", d.said(to), func() error {
		dir, base, err := d.parent(d.dir, from)
		if err == nil && dir.names[base] == nil {
			err = fs.ErrNotExist
		}
		var toDir *node
		var toBase string
		if err == nil {
			toDir, toBase, err = d.parent(d.dir, to)
		}
		if err == nil && toDir.names[toBase] != nil && toDir.names[toBase].names != nil {
			err = syscall.EISDIR
		}
		if err == nil {
			d.link(&linkChange{from: dir, fromName: base, to: toDir, toName: toBase, of: dir.names[base]})
		}
		return pathError("rename", from, err)
	})
}

func (d crashDir) Chtimes(name string, _, mtime time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(d.dir, name)
	if err == nil {
		n.mtime = mtime
	}
	return pathError("chtimes", name, err)
}

func (d crashDir) Sub(name string) (disk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(d.dir, name)
	if err == nil && n.names == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return crashDir{d.crashDisk, n, d.said(name)}, nil
}

func (d crashDir) SyncAll() error {
	err := d.do("sync", "everything", func() error {
		d.each((*node).sync)
		return nil
	})
	if err != nil && !errors.Is(err, errPower) && !errors.Is(err, errNotSynced) {
		d.mu.Lock()
		d.each((*node).failSync)
		d.mu.Unlock()
	}
	return forgiven(err)
}

func (d crashDir) InPlace() bool { return true }

func (d crashDir) Same(name string, f file) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find(d.dir, name)
	return err == nil && n == f.(*crashFile).n
}

func (d crashDir) DropCache(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, err := d.find(d.dir, name); err == nil && n.lost {
		n.data, n.lost = slices.Clone(n.stable), false
	}
}

func (d crashDir) Close() error { return nil }

func (n *node) info(name string) fs.FileInfo {
	return crashInfo{name, n.inode, int64(len(n.data)), n.mode, n.mtime}
}

type crashInfo struct {
	name  string
	inode uint64
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func (i crashInfo) Name() string       { return i.name }
func (i crashInfo) Size() int64        { return i.size }
func (i crashInfo) Mode() fs.FileMode  { return i.mode }
func (i crashInfo) ModTime() time.Time { return i.mtime }
func (i crashInfo) IsDir() bool        { return i.mode.IsDir() }
func (i crashInfo) Sys() any           { return &syscall.Stat_t{Ino: i.inode, Dev: 1} }

// errNotSynced has a sync do nothing and say that it has.
var errNotSynced = errors.New("not synced")

func forgiven(err error) error {
	if errors.Is(err, errNotSynced) {
		return nil
	}
	return err
}

// A crashFile is an open file.
type crashFile struct {
	d    crashDir
	n    *node
	name string
	pos  int64
}

func (f *crashFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *crashFile) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if len(b) > 0 && at >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := 0
	if at < int64(len(f.n.data)) {
		n = copy(b, f.n.data[at:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *crashFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.pos)
	f.pos += int64(n)
	return n, err
}

// WriteAt that fails may have written a part.
func (f *crashFile) WriteAt(b []byte, at int64) (int, error) {
	n := len(b)
	err := f.d.do("write", f.d.said(f.name), func() error { f.n.write(b, at); return nil })
	if err != nil {
		n = 0
		if !errors.Is(err, errPower) {
			f.d.mu.Lock()
			n = len(b) / 2
			f.n.write(b[:n], at)
			f.d.mu.Unlock()
		}
		return n, pathError("write", f.name, err)
	}
	return n, nil
}

func (n *node) write(b []byte, at int64) {
	if int64(len(n.data)) < at+int64(len(b)) {
		n.data = resize(n.data, at+int64(len(b)))
	}
	n.data = slices.Clone(n.data) // others may have it
	copy(n.data[at:], b)
	n.writes = append(n.writes, crashWrite{at: at, b: slices.Clone(b)})
}

func (f *crashFile) Close() error { return nil }

func (f *crashFile) Stat() (fs.FileInfo, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.n.info(f.name), nil
}

func (f *crashFile) ReadDir(int) ([]fs.DirEntry, error) { return nil, errors.ErrUnsupported }

func (f *crashFile) Chmod(mode fs.FileMode) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.n.mode = f.n.mode&fs.ModeType | mode
	return nil
}

func (f *crashFile) Truncate(size int64) error {
	return f.d.do("truncate", f.d.said(f.name), func() error { f.n.truncate(size); return nil })
}

func (f *crashFile) Sync() error {
	err := f.d.do("sync", f.d.said(f.name), func() error { f.n.sync(); return nil })
	if err != nil && !errors.Is(err, errPower) && !errors.Is(err, errNotSynced) {
		f.d.mu.Lock()
		f.n.failSync()
		f.d.mu.Unlock()
	}
	return pathError("sync", f.name, forgiven(err))
}

// chance keeps what it is asked about with a probability.
func chance(seed uint64, p float64) func() bool {
	r := rand.New(rand.NewPCG(seed, 1))
	return func() bool { return r.Float64() < p }
}
