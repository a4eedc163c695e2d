package blog

import (
	"context"
	"errors"
	"io/fs"

	"sheaf/app/store"
)

// Via returns the visitor as coming by a channel (sftp, scp, rsync, git, pipe,
// shell, browser). Commits record it.
func (v Visitor) Via(channel string) Visitor {
	v.channel = channel
	return v
}

// Via returns the author as coming by a channel: see Visitor.Via.
func (a Author) Via(channel string) Author { return Author{a.visitor.Via(channel)} }

// Put stores the bytes of a file for a later change and returns the hash that
// its Entry needs. Bytes that no commit names are removed after a day.
func (a Author) Put(ctx context.Context, data []byte) (hash string, err error) {
	return a.blog.lib.worktree.Put(ctx, data)
}

// MaxFile is the largest size, in bytes, of a file with this path.
func (v Visitor) MaxFile(name string) int64 {
	if v.blog == nil {
		return 0
	}
	if IsMarkdown(name) {
		return v.blog.limits.Post
	}
	return v.blog.limits.File
}

// Commit checks a change, makes it durable and shows it: when it returns, the
// next edition is out. If anything is wrong with it nothing is changed, and the
// error is a *Refusal.
func (a Author) Commit(ctx context.Context, c Change) (Receipt, error) { return a.apply(ctx, c, true) }

// Check returns what Commit would, and changes nothing.
func (a Author) Check(ctx context.Context, c Change) (Receipt, error) { return a.apply(ctx, c, false) }

// apply is Commit or, if keep is false, Check. It begins again when a file of
// the change is edited by hand at the same moment.
func (a Author) apply(ctx context.Context, c Change, keep bool) (r Receipt, err error) {
	if err := a.blog.awaitImport(ctx); err != nil {
		return Receipt{}, err
	}
	for range 5 { // somebody may edit by hand at the same time
		work := a.blog.withIndex(ctx, func(s *index) { r, err = a.blog.apply(ctx, s, a, c, keep) })
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

// apply does the work of Commit in the goroutine that owns the index. What the
// change would make of the index is what it is judged by; once the store has
// the commit, that becomes the index, and nothing is read again. Only a change
// of how other files are read needs a look at the folder.
func (b *Blog) apply(ctx context.Context, s *index, a Author, c Change, keep bool) (Receipt, error) {
	now := b.lib.now()
	if c.Time.IsZero() {
		c.Time = now
	}
	r := &review{
		Change: c, ledger: b.lib.worktree.Ledger(), limits: b.limits,
		sources: map[string][]byte{}, gone: map[string]bool{}, moved: map[string]string{},
	}
	s.learn(r.ledger)
	changed := r.entries()
	if len(r.problems) > 0 {
		return Receipt{}, r.refusal()
	}
	if err := r.read(ctx, b.lib.worktree, changed); err != nil {
		return Receipt{}, err
	}
	next, fresh := s.with(changed, r.sources)
	r.findRenamed(s.last, next, changed)
	for name, e := range fresh {
		if e != nil {
			e.setDay(s.day(c.Time, r.renamed[name], name))
		}
	}
	after := next.snapshot(now)
	r.judge(s.last, after, changed, !keep)
	if len(r.problems) > 0 {
		return Receipt{}, r.refusal()
	}
	r.receipt.Rev = r.ledger.Rev()
	if keep && len(changed) > 0 {
		rev, err := b.lib.worktree.Commit(ctx, r.ledger.Rev(), store.Commit{
			ID: c.ID, Time: c.Time, Author: a.name, Channel: a.channel, Message: c.Message, Meta: r.meta(),
			Entries: changed,
		})
		if err != nil {
			return Receipt{}, err
		}
		same := rev == r.ledger.Rev()+1 && s.keepsShape(changed)
		if rev == r.ledger.Rev()+1 { // not a commit that was made before
			s.keep(next, fresh)
		}
		s.learn(b.lib.worktree.Ledger())
		if same {
			after.first = s.first
			after.setMoved(s.moved)
		} else {
			if _, err := s.rescan(); err != nil {
				return Receipt{}, err
			}
			after = s.snapshot(now)
		}
		b.setEdition(s, after)
		r.receipt.Rev = rev
	}
	for i := range r.receipt.Files {
		r.receipt.Files[i].Post = after.post(r.receipt.Files[i].Path)
	}
	return r.receipt, nil
}

// withIndex runs f in the goroutine that owns the index, and waits for it. The
// error means that f did not run, or panicked.
func (b *Blog) withIndex(ctx context.Context, f func(*index)) error {
	done := make(chan error, 1)
	job := func(s *index) { done <- b.contain(func() { f(s) }) }
	select {
	case b.jobs <- job:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}

// awaitImport waits until the folder has been compared with the history once
// since the start.
func (b *Blog) awaitImport(ctx context.Context) error {
	select {
	case <-b.imported:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}
