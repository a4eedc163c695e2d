package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Worktree shows the newest tree of a Store as plain files in a folder, and
// is a Store itself: what is committed through it is in the plain files when
// Commit returns. Commits that others make on the same Store are fetched and
// written as well. Its methods are safe for concurrent use.
//
// Its Ledger, Head and Commits are of what the plain files show.
type Worktree struct {
	*feed
	dir     string // absolute
	log     *slog.Logger
	open    func(dir string) (disk, error)
	current atomic.Pointer[disk] // the folder

	store      Store  // nil: a view
	local      *Local // the store, if it is in the same .sheaf; nil: it is elsewhere
	closeStore bool   // with the Worktree
	home       *home  // .sheaf; nil: a view
	cache      *stampCache
	pause      pauses

	life       context.Context // ends with Close
	cancel     context.CancelFunc
	goroutines sync.WaitGroup
	foreign    news // plain files were written for a commit that was not made here

	writing    sync.Mutex // one change of the plain files at a time; guards what follows
	pending    []update   // of the head, that the plain files have not taken yet
	appliedRev Rev        // what the plain files are of
}

// start brings the plain files to the head of the store, and keeps them there.
func (w *Worktree) start() error {
	if w.home.disk != nil {
		w.cache.load(w.home.disk)
	}
	l, err := w.newest(w.life)
	if err != nil {
		return err
	}
	if shown := w.loadApplied(); shown > l.Rev() {
		return &MissingError{Shown: shown, Last: l.Rev()}
	}
	if w.home.writable() {
		if err := w.redo(l); err != nil {
			return err
		}
	}
	w.publish(l)
	if w.home.writable() {
		w.goroutines.Go(w.follow)
	}
	return nil
}

// A MissingError says that commits are gone which the folder has shown: the log
// was cut, or replaced by an older one.
type MissingError struct {
	Shown Rev // what .sheaf/shown says
	Last  Rev // what the store has
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("revision %d was shown, but the history ends with %d: commits are missing", e.Shown, e.Last)
}

// IsDamage reports an error that says of what is on the disk that it is not
// what was kept there.
func IsDamage(err error) bool {
	var missing *MissingError
	return errors.As(err, &missing) || errors.Is(err, errDamagedLog)
}

// root is the folder as it stands.
func (w *Worktree) root() disk { return *w.current.Load() }

// Dir is the folder's absolute path.
func (w *Worktree) Dir() string { return w.dir }

// Ledger gives what the plain files show: see Ledger.
func (w *Worktree) Ledger() *Ledger { return w.ledger.Load() }

// Head is the revision that the plain files are of.
func (w *Worktree) Head(ctx context.Context) (Rev, error) { return w.Ledger().Rev(), ctx.Err() }

// Commits gives every commit after since, then waits: see Store.
func (w *Worktree) Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error] {
	return w.commits(ctx, w.life, since)
}

// Put keeps b in the store: see Store.
func (w *Worktree) Put(ctx context.Context, b []byte) (string, error) {
	if !w.home.writable() {
		return "", errReadOnly(w.dir)
	}
	return w.store.Put(ctx, b)
}

// Get gives the bytes of a hash: see Store. A plain file may have them where
// the store has not: where nothing can be kept, or where what was kept is lost.
func (w *Worktree) Get(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := fs.ErrNotExist
	if w.store != nil {
		var b []byte
		if b, err = w.store.Get(ctx, hash); err == nil {
			return b, nil
		}
	}
	for name, e := range w.Ledger().tree() {
		if e.Hash == hash {
			if b, _, err := w.ReadFile(name, maxKept); err == nil && hashOf(b) == hash {
				return b, nil
			}
		}
	}
	return nil, err
}

// State is what the store keeps beside its commits. Nothing can be kept if it
// is no State.
func (w *Worktree) State() State {
	if s, ok := w.store.(State); ok {
		return s
	}
	return noState{w.dir}
}

type noState struct{ dir string }

func (noState) State(string) ([]byte, error)      { return nil, fs.ErrNotExist }
func (n noState) SetState(string, []byte) error   { return errReadOnly(n.dir) }
func (noState) States() (names []string, _ error) { return nil, nil }

// Commit makes c the next revision: see Store. The plain files are as the
// commit says when it returns. A file that somebody has changed by hand and
// that has not been imported yet becomes a commit of its own first, so that
// nothing is overwritten unseen: base is then no longer the head. What cannot
// be imported (a link, a file that is too large or may not be read) is never
// overwritten.
func (w *Worktree) Commit(ctx context.Context, base Rev, c Commit) (Rev, error) {
	if !w.home.writable() {
		return 0, errReadOnly(w.dir)
	}
	if err := checkEntries(c.Entries); err != nil {
		return 0, err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.life.Err() != nil {
		return 0, fs.ErrClosed
	}
	if rev, ok := w.known(c.ID); ok {
		return rev, nil
	}
	if err := w.settled(); err != nil {
		return 0, err
	}
	updates, byHand, err := w.plan(w.Ledger(), c.Entries)
	if err != nil {
		return 0, fmt.Errorf("content %s: %w", w.dir, err)
	}
	if len(byHand) > 0 {
		if err := w.commitByHand(byHand); err != nil {
			return 0, err
		}
	}
	if base != w.Ledger().Rev() {
		return 0, ErrConflict
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return w.commit(ctx, completed(c), updates)
}

// commit stages a planned commit, hands it to the store and applies it.
// Everything that needs room on the disk comes before the store: a commit that
// is in it can be carried out. The lock is held.
func (w *Worktree) commit(ctx context.Context, c Commit, updates []update) (Rev, error) {
	at := make(map[string]int, len(c.Entries))
	for i, e := range c.Entries {
		at[e.Path] = i
	}
	for i := range updates {
		updates[i].entry = c.Entries[at[updates[i].entry.Path]] // now it has its time
	}
	err := w.stage(ctx, updates)
	if err == nil {
		err = w.syncStaged(updates)
	}
	if err != nil {
		w.abandon(updates)
		return 0, fmt.Errorf("content %s: %w", w.dir, err)
	}
	base := w.Ledger()
	next, err := w.send(ctx, base, c)
	if err != nil || next.Rev() != base.Rev()+1 {
		w.abandon(updates)
		if errors.Is(err, ErrConflict) || err == nil { // others are ahead
			if err := w.catchUp(); err != nil {
				w.log.Warn("commits of others not written", "err", err)
			}
		}
		if err != nil {
			return 0, err
		}
		return next.Rev(), nil
	}
	w.pending = updates
	if err := w.apply(next.Rev()); err != nil {
		// The commit stands. Its files come before the next one, or with the
		// next start.
		w.log.Error("files of a commit not written", "rev", next.Rev(), "err", err)
	}
	w.publish(next)
	return next.Rev(), nil
}

// commitByHand makes a commit of what the plain files have already. In a
// folder that cannot be written it is in memory only. The lock is held.
func (w *Worktree) commitByHand(entries []Entry) error {
	c, l := completed(handCommit(entries)), w.Ledger()
	if !w.home.writable() {
		c.Rev = l.Rev() + 1
		w.publish(l.Apply(c))
		return nil
	}
	next, err := w.send(w.life, l, c)
	if err != nil {
		return err
	}
	w.setApplied(next.Rev())
	w.publish(next)
	return nil
}

// send commits c to the store, on top of l, and gives the ledger with it.
func (w *Worktree) send(ctx context.Context, l *Ledger, c Commit) (*Ledger, error) {
	rev, err := w.store.Commit(ctx, l.Rev(), c)
	if err != nil {
		return nil, err
	}
	if w.local != nil {
		return w.local.Ledger().until(rev), nil
	}
	if rev != l.Rev()+1 { // its ID was known
		l, err = w.newest(ctx)
		if err != nil {
			return nil, err
		}
		return l.until(rev), nil
	}
	c.Rev = rev
	return l.Apply(c), nil
}

// settled makes sure that .sheaf is the folder's and that the plain files are
// of the head, which they are not if a commit could not write them all. The
// lock is held.
func (w *Worktree) settled() error {
	if err := w.home.inPlace(); err != nil {
		return err
	}
	if err := w.apply(w.Ledger().Rev()); err != nil {
		return fmt.Errorf("content %s: %w", w.dir, err)
	}
	return nil
}

const appliedName = "shown"

// setApplied notes the revision that the plain files are of. It need not be
// durable: an older note costs a look at the files of the commits since.
func (w *Worktree) setApplied(rev Rev) {
	w.appliedRev = rev
	if err := writeAll(w.home.disk, appliedName, strconv.AppendUint(nil, uint64(rev), 10)); err != nil {
		w.log.Warn("revision not noted", "err", err)
	}
}

// loadApplied reads what setApplied has noted; 0 if that is not known.
func (w *Worktree) loadApplied() Rev {
	if w.home.disk == nil {
		return 0
	}
	b, err := readAll(w.home.disk, appliedName)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(string(b), 10, 64)
	return Rev(n)
}

// Close ends every Watch and Commits, waits for a commit under way, and gives
// the folder back.
func (w *Worktree) Close() error {
	w.cancel()
	w.goroutines.Wait()
	w.writing.Lock()
	defer w.writing.Unlock()
	err := w.root().Close()
	if w.home.writable() {
		err = errors.Join(err, w.cache.save(w.home.disk))
	}
	if w.home != nil && w.local == nil {
		err = errors.Join(err, w.home.close())
	}
	if w.closeStore {
		err = errors.Join(err, w.store.Close())
	}
	return err
}

// reopen follows a folder that was replaced as a whole: a deployment that
// renames directories, a link that points elsewhere now.
func (w *Worktree) reopen() {
	old := w.current.Load()
	if (*old).InPlace() {
		return
	}
	root, err := w.open(w.dir)
	if err != nil {
		return
	}
	// The old one stays open for those who are reading through it; its
	// descriptor goes with the last of them.
	if !w.current.CompareAndSwap(old, &root) {
		root.Close()
	}
}

// news tells any number of goroutines that something has happened.
type news struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed by the next call of tell.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}

// pauses are the times of a Watch.
type pauses struct{ quiet, late, bulk, poll time.Duration }

// ErrTooLarge says that a file is over the limit its reader has set.
var ErrTooLarge = errors.New("file too large")

// ReadFile reads one regular file of at most limit bytes and tells what it was
// when it was read. Larger files give ErrTooLarge.
func (w *Worktree) ReadFile(name string, limit int64) ([]byte, Stamp, error) {
	if leadsToHidden(w.root(), name) {
		return nil, Stamp{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return readFile(w.root(), name, name, limit, nil)
}

// Stat looks at one regular file.
func (w *Worktree) Stat(name string) (Stamp, error) {
	if !fs.ValidPath(name) || hidden(name) {
		return Stamp{}, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	info, err := w.root().Stat(name)
	if err != nil {
		return Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return Stamp{}, &fs.PathError{Op: "stat", Path: name, Err: errNotRegular}
	}
	return stamp(info), nil
}
