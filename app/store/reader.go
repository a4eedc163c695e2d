package store

import (
	"io"
	"io/fs"
	"os"
)

// A Reader reads many files, quickest in the order of a Walk. It is for one
// goroutine, which has to Close it.
type Reader struct {
	descent
	buf []byte
}

// NewReader makes a Reader of the folder as it stands.
func (w *Worktree) NewReader() *Reader { return &Reader{descent: descent{top: w.root()}} }

// ReadFile is Worktree.ReadFile. The bytes are good until the next call.
func (r *Reader) ReadFile(name string, limit int64) ([]byte, Stamp, error) {
	in, base := r.at(name)
	b, s, err := readFile(in, base, name, limit, r.buf)
	if err != nil && in != r.top {
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

// readFile reads name on d, which is full in the folder, into buf if it is
// large enough.
func readFile(d disk, name, full string, limit int64, buf []byte) ([]byte, Stamp, error) {
	if hidden(full) {
		return nil, Stamp{}, &fs.PathError{Op: "open", Path: full, Err: fs.ErrNotExist}
	}
	file, err := d.OpenFile(name, os.O_RDONLY, 0)
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
