package transfer

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"sheaf/app/blog"
)

// An uploader stores the files of a set in the blog, several at a time, while
// the next ones are being read.
type uploader struct {
	t       *Transfer
	author  blog.Author
	ctx     context.Context
	slots   chan struct{} // bounds how many files are stored at the same time
	running sync.WaitGroup

	mu      sync.Mutex
	added   int
	entries map[string]numbered // by path
	err     error               // the first
}

// numbered is an entry that knows how many came before it.
type numbered struct {
	blog.Entry
	number int
}

func (t *Transfer) newUploader(ctx context.Context, a blog.Author) *uploader {
	return &uploader{
		t:       t,
		author:  a,
		ctx:     ctx,
		slots:   make(chan struct{}, min(2*runtime.GOMAXPROCS(0), 8)),
		entries: map[string]numbered{},
	}
}

// add begins to store b under e's path and takes ownership of b. It waits while
// too many files are being stored. If a path is added twice, the later file
// counts. The error is that of an earlier file. Only one goroutine at a time
// may call add.
func (u *uploader) add(e blog.Entry, b []byte) error {
	u.slots <- struct{}{}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		<-u.slots
		return u.err
	}
	u.added++
	number := u.added
	u.running.Go(func() {
		defer func() { <-u.slots }()
		var err error
		func() {
			defer u.t.contain(&err)
			e.Hash, err = u.author.Put(u.ctx, b)
		}()
		u.mu.Lock()
		defer u.mu.Unlock()
		switch {
		case err != nil:
			u.err = cmp.Or(u.err, err)
		case u.entries[e.Path].number < number:
			u.entries[e.Path] = numbered{e, number}
		}
	})
	return nil
}

// wait returns the entries with their hashes, sorted by path, when all files
// are stored, and the first error there was.
func (u *uploader) wait() ([]blog.Entry, error) {
	u.running.Wait()
	entries := make([]blog.Entry, 0, len(u.entries))
	for _, e := range u.entries {
		entries = append(entries, e.Entry)
	}
	slices.SortFunc(entries, byPath)
	return entries, u.err
}

func byPath(a, b blog.Entry) int { return strings.Compare(a.Path, b.Path) }
