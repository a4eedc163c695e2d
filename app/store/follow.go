package store

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"
)

// follow writes the commits that others make on the store, until the end of
// the Worktree. What fails is tried again.
func (w *Worktree) follow() {
	defer containPanic(w.log, "follow")
	said := ""
	for {
		err := w.followOnce()
		if w.life.Err() != nil {
			return
		}
		if err.Error() != said {
			said = err.Error()
			w.log.Warn("commits of others not written", "dir", w.dir, "err", err)
		}
		select {
		case <-w.life.Done():
			return
		case <-time.After(30 * time.Second):
		}
	}
}

func (w *Worktree) followOnce() error {
	for c, err := range w.store.Commits(w.life, w.Ledger().Rev()) {
		if err != nil {
			return err
		}
		if c.Rev <= w.Ledger().Rev() {
			continue
		}
		w.writing.Lock() // until then it may be a commit of ours
		if err = w.life.Err(); err == nil && c.Rev > w.Ledger().Rev() {
			err = w.catchUp()
		}
		w.writing.Unlock()
		if err != nil {
			return err
		}
	}
	return errors.New("the store has no more commits")
}

// newest gives the ledger of the store's head, which may be ahead of the plain
// files. The lock is held, or nobody else knows the Worktree yet.
func (w *Worktree) newest(ctx context.Context) (*Ledger, error) {
	l := w.Ledger()
	if w.local != nil {
		return w.local.Ledger(), nil
	}
	head, err := w.store.Head(ctx)
	if err != nil || head <= l.Rev() {
		return l, err
	}
	for c, err := range w.store.Commits(ctx, l.Rev()) {
		if err != nil {
			return nil, err
		}
		if l = l.Apply(c); c.Rev >= head {
			break
		}
	}
	return l, nil
}

// catchUp brings the plain files to the store's head. Where one was changed by
// hand that change stays, as a commit on top of the head. What is in the way
// and has no history stays as well. The lock is held.
func (w *Worktree) catchUp() error {
	if err := w.settled(); err != nil {
		return err
	}
	for {
		l := w.Ledger()
		next, err := w.newest(w.life)
		if err != nil || next.Rev() <= l.Rev() {
			return err
		}
		updates, byHand, err := w.planForeign(l, next)
		if err != nil {
			return fmt.Errorf("content %s: %w", w.dir, err)
		}
		if len(byHand) > 0 {
			next, err = w.send(w.life, next, completed(handCommit(byHand)))
			if errors.Is(err, ErrConflict) {
				continue
			}
			if err != nil {
				return err
			}
		}
		err = w.stage(w.life, updates)
		if err == nil {
			err = w.syncStaged(updates)
		}
		if err != nil {
			w.abandon(updates)
			return fmt.Errorf("content %s: %w", w.dir, err)
		}
		w.pending = updates
		err = w.apply(next.Rev())
		w.publish(next)
		w.foreign.tell()
		if err != nil {
			return fmt.Errorf("content %s: %w", w.dir, err)
		}
	}
}

// planForeign is plan for the commits between two ledgers, which stand whatever
// is in their way.
func (w *Worktree) planForeign(l, next *Ledger) (updates []update, byHand []Entry, err error) {
	entries := lastEntries(next.Commits(l.Rev()))
	p := w.newPlanner(l, entries)
	defer p.r.Close()
	for _, e := range entries {
		u, changed, err := p.entry(e)
		var o obstruction
		switch {
		case errors.As(err, &o):
			w.log.Warn("in the way of a commit from elsewhere", "path", e.Path, "err", err)
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", e.Path, err)
		case u != nil:
			updates = append(updates, *u)
		case changed != nil && changed.Hash != e.Hash:
			byHand = append(byHand, *changed)
		}
	}
	return updates, byHand, nil
}

// lastEntries gives the last entry of every path that commits name, but for
// those that no plain file can have.
func lastEntries(commits []Commit) []Entry {
	at := map[string]int{}
	var list []Entry
	for _, c := range commits {
		for _, e := range c.Entries {
			if !plainPath(e.Path) {
				continue
			}
			if i, ok := at[e.Path]; ok {
				list[i] = e
				continue
			}
			at[e.Path] = len(list)
			list = append(list, e)
		}
	}
	return list
}

// redo writes what the plain files have not taken of l, because the server was
// stopped or others have committed meanwhile. A file that is neither as the
// commits want it nor as it was before has been changed by hand since, and
// stays. What cannot be done now is done before the next commit.
func (w *Worktree) redo(l *Ledger) error {
	head := l.Rev()
	w.appliedRev = w.loadApplied()
	if w.local != nil && head > 0 {
		// Nothing is committed before all that came earlier is in place.
		w.appliedRev = max(w.appliedRev, head-1)
	}
	if w.appliedRev >= head {
		return nil
	}
	if last, _ := l.Commit(head); w.local != nil && last.Channel == handChannel {
		return nil
	}
	since := l.Commits(w.appliedRev)
	before := l.At(w.appliedRev)
	versions := map[string]map[string]bool{} // that each path has had since
	for _, c := range since {
		for _, e := range c.Entries {
			if versions[e.Path] == nil {
				versions[e.Path] = map[string]bool{before[e.Path].Hash: true}
			}
			versions[e.Path][e.Hash] = true
		}
	}
	entries := lastEntries(since)
	p := w.newPlanner(l, entries)
	defer p.r.Close()
	for _, e := range entries {
		u, err := w.redoOne(p, e, before[e.Path].Hash != "", versions[e.Path])
		if err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
		if u != nil {
			w.pending = append(w.pending, *u)
		}
	}
	if n := len(w.pending); n > 0 {
		w.log.Info("commits are carried out again", "since", w.appliedRev, "rev", head, "files", n)
		err := w.stage(w.life, w.pending)
		if err == nil {
			err = w.syncStaged(w.pending)
		}
		if err != nil {
			w.abandon(w.pending)
		}
	}
	if err := w.apply(head); err != nil {
		w.log.Error("files of a commit not written", "rev", head, "err", err)
	}
	return nil
}

// redoOne gives the update of an entry, nil if its file is as it has to be or
// is somebody else's. The versions are those that may be replaced.
func (w *Worktree) redoOne(p *planner, e Entry, was bool, versions map[string]bool) (*update, error) {
	var o obstruction
	if err := p.checkDir(path.Dir(e.Path)); errors.As(err, &o) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	info, err := p.r.top.Lstat(e.Path)
	switch {
	case isMissing(err):
		if e.Hash == "" || was {
			return nil, nil
		}
		return &update{entry: e}, nil
	case err != nil:
		return nil, Reason(err)
	case info.IsDir():
		if e.Hash == "" || p.emptied(e.Path) != nil {
			return nil, nil
		}
		return &update{entry: e}, nil
	case !info.Mode().IsRegular():
		return nil, nil
	}
	b, s, err := p.r.ReadFile(e.Path, maxKept)
	if err != nil {
		return nil, nil
	}
	if is := hashOf(b); is == e.Hash || !versions[is] {
		return nil, nil
	}
	return &update{entry: e, before: &s, mode: info.Mode().Perm()}, nil
}
