package blog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime/debug"

	"sheaf/app/store"
)

// Through gives the visitor as it comes through a door (sftp, scp, rsync, git,
// pipe, shell, browser), for the record of what it commits.
func (v Visitor) Through(door string) Visitor {
	v.door = door
	return v
}

// Put keeps the bytes of a file for a change and gives their hash for an
// Entry.
func (v Visitor) Put(ctx context.Context, data []byte) (hash string, err error) {
	if !v.author {
		return "", ErrNotAuthor
	}
	return v.blog.lib.folder.Put(ctx, data)
}

// MaxFile is the most bytes that a file of this path may have.
func (v Visitor) MaxFile(name string) int64 {
	if v.blog == nil {
		return 0
	}
	if isMarkdown(name) {
		return v.blog.limits.Post
	}
	return v.blog.limits.File
}

// Commit checks a change, makes it durable and shows it: when it returns, the
// next edition is out. All of it is made or nothing: a *Refusal says why not.
// Readers get ErrNotAuthor.
func (v Visitor) Commit(ctx context.Context, c Change) (Receipt, error) { return v.file(ctx, c, true) }

// Check is Commit without the change: what it would answer.
func (v Visitor) Check(ctx context.Context, c Change) (Receipt, error) { return v.file(ctx, c, false) }

func (v Visitor) file(ctx context.Context, c Change, keep bool) (r Receipt, err error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return Receipt{}, err
	}
	for range 5 { // somebody may edit by hand at the same time
		work := v.blog.do(ctx, func(s *shelf) { r, err = v.blog.file(ctx, s, v, c, keep) })
		if work != nil {
			return Receipt{}, work
		}
		var not *Refusal
		if !errors.Is(err, store.ErrConflict) || errors.As(err, &not) {
			break
		}
	}
	return r, err
}

// file does the work of Commit in the goroutine that owns the shelf.
func (b *Blog) file(ctx context.Context, s *shelf, v Visitor, c Change, keep bool) (Receipt, error) {
	f := &filing{Change: c, ledger: b.lib.folder.Ledger(), limits: b.limits,
		sources: map[string][]byte{}, gone: map[string]bool{}, moved: map[string]string{}}
	changed := f.entries()
	if len(f.problems) > 0 {
		return Receipt{}, f.refusal()
	}
	if err := f.read(ctx, b.lib.folder, changed); err != nil {
		return Receipt{}, err
	}
	next := s.with(f, changed)
	after, _ := next.edition(b.lib.now())
	f.judge(s, next, b.current.Load().author, after.author, changed, !keep)
	if len(f.problems) > 0 {
		return Receipt{}, f.refusal()
	}
	f.receipt.Rev = f.ledger.Rev()
	if keep && len(changed) > 0 {
		meta := maps.Clone(c.Meta)
		for old, to := range f.moved {
			if meta == nil {
				meta = map[string]string{}
			}
			meta[movedKey+old] = to
		}
		rev, err := b.lib.folder.Commit(ctx, f.ledger.Rev(), store.Commit{ID: c.ID, Time: c.Time, Author: v.name, Door: v.door,
			Message: c.Message, Meta: meta, Entries: changed})
		if err != nil {
			return Receipt{}, err
		}
		f.receipt.Rev = rev
		if !s.follow(changed) {
			if err := s.rescan(); err != nil {
				return Receipt{}, err
			}
		}
		b.publish(s)
		next = s
	}
	for i := range f.receipt.Files {
		f.receipt.Files[i].Post = next.post(f.receipt.Files[i].Path)
	}
	return f.receipt, nil
}

// do runs f in the goroutine that owns the shelf, and waits for it.
func (b *Blog) do(ctx context.Context, f func(*shelf)) error {
	done := make(chan error, 1)
	job := func(s *shelf) {
		defer func() {
			if p := recover(); p != nil {
				b.log.Error("panic", "panic", oneLine(fmt.Sprint(p)), "stack", string(debug.Stack()))
				done <- errors.New("something went wrong here; the log says more")
			}
		}()
		f(s)
		done <- nil
	}
	select {
	case b.jobs <- job:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}

// adoption waits until the folder has been looked through once.
func (b *Blog) adoption(ctx context.Context) error {
	select {
	case <-b.adopted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}
