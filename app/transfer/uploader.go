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

// puts gives the files of a set to the blog, a few at a time, while the next
// ones are being read.
type puts struct {
	t      *Transfer
	v      blog.Visitor
	ctx    context.Context
	places chan struct{}
	busy   sync.WaitGroup

	mu      sync.Mutex
	count   int
	entries map[string]numbered // by path
	err     error               // the first
}

type numbered struct {
	blog.Entry
	number int
}

func (t *Transfer) puts(ctx context.Context, v blog.Visitor) *puts {
	return &puts{t: t, v: v, ctx: ctx, entries: map[string]numbered{}, places: make(chan struct{}, min(2*runtime.GOMAXPROCS(0), 8))}
}

// add takes an entry and its bytes, which are not the caller's any more. Of two
// of one path the later counts. An error is that of an earlier one. It is for
// one goroutine at a time.
func (p *puts) add(e blog.Entry, b []byte) error {
	p.places <- struct{}{}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		<-p.places
		return p.err
	}
	p.count++
	number := p.count
	p.busy.Go(func() {
		defer func() { <-p.places }()
		var err error
		func() {
			defer p.t.contain(&err)
			e.Hash, err = p.v.Put(p.ctx, b)
		}()
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case err != nil:
			p.err = cmp.Or(p.err, err)
		case p.entries[e.Path].number < number:
			p.entries[e.Path] = numbered{e, number}
		}
	})
	return nil
}

// wait gives the entries with their hashes, sorted by path.
func (p *puts) wait() ([]blog.Entry, error) {
	p.busy.Wait()
	entries := make([]blog.Entry, 0, len(p.entries))
	for _, e := range p.entries {
		entries = append(entries, e.Entry)
	}
	slices.SortFunc(entries, byPath)
	return entries, p.err
}

func byPath(a, b blog.Entry) int { return strings.Compare(a.Path, b.Path) }
