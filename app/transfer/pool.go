package transfer

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"sheaf/app/blog"
)

// A pool keeps on the disk, once for all sessions, the files that are being
// sent. A file is removed when nobody sends it any more. A pool is safe for
// concurrent use.
type pool struct {
	dir     string
	filling chan struct{} // one for each file that is being read into memory

	mu    sync.Mutex
	count int // of the names given
	files map[poolKey]*pooledFile
}

// A poolKey tells files apart. What authors send is kept apart from what
// readers are sent, whom the blog may refuse a text that it gives to authors.
type poolKey struct {
	author     bool
	path, hash string
	mtime      int64
}

// A pooledFile is a file of a pool, which whoever has taken it gives back.
type pooledFile struct {
	p     *pool
	key   poolKey
	name  string // in the file system
	size  int64
	users int // pool.mu guards it

	mu   sync.Mutex
	made bool
	open *os.File // nil until somebody reads it here
}

func newPool(dir string) *pool {
	const largeFiles = 2 // in memory at a time
	return &pool{dir: dir, filling: make(chan struct{}, largeFiles), files: map[poolKey]*pooledFile{}}
}

// take returns a file of the blog, found in files, with its time. It has to be
// given back.
func (p *pool) take(ctx context.Context, v blog.Visitor, files *blog.Files, info blog.FileInfo) (
	f *pooledFile, err error,
) {
	key := poolKey{v.IsAuthor(), info.Path, info.Hash, info.MTime.UnixNano()}
	p.mu.Lock()
	if f = p.files[key]; f == nil {
		p.count++
		f = &pooledFile{p: p, key: key, name: filepath.Join(p.dir, strconv.Itoa(p.count)), size: info.Size}
		p.files[key] = f
	}
	f.users++
	p.mu.Unlock()
	if err := f.fill(ctx, files, info); err != nil {
		f.give()
		return nil, err
	}
	return f, nil
}

// give gives a file back.
func (f *pooledFile) give() {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	delete(f.p.files, f.key)
	if f.open != nil {
		_ = f.open.Close()
	}
	_ = os.Remove(f.name)
}

// fill writes the file, unless that was done before.
func (f *pooledFile) fill(ctx context.Context, files *blog.Files, info blog.FileInfo) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made {
		return nil
	}
	select {
	case f.p.filling <- struct{}{}:
		defer func() { <-f.p.filling }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	b, err := files.Read(ctx, info)
	if err == nil && int64(len(b)) != info.Size {
		err = fmt.Errorf("%s: has %d bytes, not %d", info.Path, len(b), info.Size)
	}
	if err == nil {
		err = os.MkdirAll(f.p.dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(f.name, b, 0o644)
	}
	if err == nil {
		err = os.Chtimes(f.name, info.MTime, info.MTime)
	}
	f.made = err == nil
	return err
}

// reader returns what reads the file until it is given back.
func (f *pooledFile) reader() (io.ReaderAt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		var err error
		if f.open, err = os.Open(f.name); err != nil {
			return nil, err
		}
	}
	return f.open, nil
}
