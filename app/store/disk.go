package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// A disk is a directory and what is below it. Everything this package does to
// files goes through one, except for the lock: a test puts another in its
// place to record, drop, reorder or fail operations, as with SQLite's VFS.
//
// Names are slash-separated and relative to the directory. No name leads out
// of it, whatever links there are. Errors are those of package os. The methods
// are safe for concurrent use.
type disk interface {
	// OpenFile is os.OpenFile. It never waits for the other end of a pipe. A
	// directory can be opened for reading, and synced.
	OpenFile(name string, flag int, perm fs.FileMode) (file, error)
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	Readlink(name string) (string, error)
	// ReadDir lists a directory, sorted by name. Of the entries only Name, IsDir
	// and Type may be used: whatever else is asked goes through the disk.
	ReadDir(name string) ([]fs.DirEntry, error)
	Mkdir(name string, perm fs.FileMode) error
	Remove(name string) error
	Rename(from, to string) error
	Chtimes(name string, atime, mtime time.Time) error
	// Sub opens a directory below as a disk of its own: many operations in one
	// directory are quicker without the way there.
	Sub(name string) (disk, error)
	// SyncAll makes everything on the file system durable that was written
	// before, or is errors.ErrUnsupported.
	SyncAll() error
	// InPlace reports whether the path the disk was opened by still leads to
	// the same directory.
	InPlace() bool
	// Same reports whether a name leads to a file that is open.
	Same(name string, f file) bool
	// DropCache has the next read of a file come from the disk, where the
	// system can be asked for that.
	DropCache(name string)
	Close() error
}

// A file is an open file or directory of a disk; an *os.File is one.
type file interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	ReadDir(n int) ([]fs.DirEntry, error)
	Chmod(mode fs.FileMode) error
	Truncate(size int64) error
	Sync() error
}

// osDisk is a directory of the operating system, confined by an os.Root.
type osDisk struct {
	root *os.Root
	dir  string // its path
}

func openDisk(dir string) (disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &osDisk{root, dir}, nil
}

// makeDisk is openDisk of a directory that is made if it is not there.
func makeDisk(dir string) (disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return openDisk(dir)
}

func (d *osDisk) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := d.root.OpenFile(name, flag|openFlags, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *osDisk) Stat(name string) (fs.FileInfo, error)  { return d.root.Stat(name) }
func (d *osDisk) Lstat(name string) (fs.FileInfo, error) { return d.root.Lstat(name) }
func (d *osDisk) Readlink(name string) (string, error)   { return d.root.Readlink(name) }

// ReadDir asks by path: a directory opened through an os.Root looks at every
// entry once more, which doubles the time of a walk. Names are all that a link
// made at this very moment could lead to.
func (d *osDisk) ReadDir(name string) ([]fs.DirEntry, error) {
	return os.ReadDir(filepath.Join(d.dir, filepath.FromSlash(name)))
}

func (d *osDisk) Mkdir(name string, perm fs.FileMode) error { return d.root.Mkdir(name, perm) }
func (d *osDisk) Remove(name string) error                  { return d.root.Remove(name) }
func (d *osDisk) Rename(from, to string) error              { return d.root.Rename(from, to) }

func (d *osDisk) Chtimes(name string, atime, mtime time.Time) error {
	return d.root.Chtimes(name, atime, mtime)
}

func (d *osDisk) Sub(name string) (disk, error) {
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &osDisk{root, filepath.Join(d.dir, filepath.FromSlash(name))}, nil
}

func (d *osDisk) InPlace() bool {
	now, err := os.Stat(d.dir)
	if err != nil {
		return false
	}
	opened, err := d.root.Stat(".")
	return err == nil && os.SameFile(now, opened)
}

func (d *osDisk) Same(name string, f file) bool {
	now, err1 := d.root.Lstat(name)
	opened, err2 := f.Stat()
	return err1 == nil && err2 == nil && os.SameFile(now, opened)
}

func (d *osDisk) Close() error { return d.root.Close() }

// What is in .sheaf is nobody's but the server's: old versions of drafts are.
const (
	privateFile = 0o600
	privateDir  = 0o700
)

// readAll gives the bytes of a file.
func readAll(d disk, name string) ([]byte, error) {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, info.Size()+1) // a read beyond the end says that it is one
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// writeAll writes a file of .sheaf, in place of what it had. It is not durable.
func writeAll(d disk, name string, b []byte) error {
	return create(d, name, os.O_TRUNC, privateFile, b)
}

// replace puts a file of .sheaf in place of the one that has the name, all of
// it or nothing. When it returns nil it is durable.
func replace(d disk, name string, b []byte) error {
	if err := swapIn(d, name, b); err != nil {
		return err
	}
	return fsync(d, path.Dir(name))
}

// swapIn is replace, but that a power cut may bring the old file back.
func swapIn(d disk, name string, b []byte) error {
	tmp, err := writeTemp(d, b)
	if err != nil {
		return err
	}
	err = fsync(d, tmp)
	if err == nil {
		err = d.Rename(tmp, name)
	}
	if err != nil {
		_ = d.Remove(tmp)
	}
	return err
}

func create(d disk, name string, flag int, perm fs.FileMode, b []byte) error {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|flag, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// fsync makes a file durable, or the names in a directory.
func fsync(d disk, name string) error {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// makeDirs makes a directory and those above it with mkdir, or as private ones
// if that is nil. It gives those that were not there, the topmost first,
// and ENOTDIR if one is a file.
func makeDirs(d disk, dir string, mkdir func(dir string) error) (made []string, err error) {
	if dir == "." {
		return nil, nil
	}
	info, err := d.Lstat(dir)
	if err == nil && info.IsDir() {
		return nil, nil
	}
	if err == nil {
		return nil, syscall.ENOTDIR
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if made, err = makeDirs(d, path.Dir(dir), mkdir); err != nil {
		return made, err
	}
	if mkdir == nil {
		err = d.Mkdir(dir, privateDir)
	} else {
		err = mkdir(dir)
	}
	if err != nil {
		return made, err
	}
	return append(made, dir), nil
}

// A descent keeps the directory open that was used last: names of one
// directory in a row find it at once. It is for one goroutine.
type descent struct {
	top disk
	dir string // with a slash at its end
	sub disk   // of dir; nil: none yet
}

// at gives the directory of name and its last element; of a directory that
// cannot be opened, the top and name as it is.
func (d *descent) at(name string) (in disk, base string) {
	dir, base := path.Split(name)
	if dir == "" {
		return d.top, name
	}
	if d.sub == nil || d.dir != dir {
		d.leave()
		sub, err := d.top.Sub(dir[:len(dir)-1])
		if err != nil {
			return d.top, name
		}
		d.dir, d.sub = dir, sub
	}
	return d.sub, base
}

// in reports whether the descent has come down to dir.
func (d *descent) in(dir string) bool {
	return dir == "." || d.sub != nil && d.dir == dir+"/"
}

func (d *descent) leave() {
	if d.sub != nil {
		d.sub.Close()
		d.sub = nil
	}
}
