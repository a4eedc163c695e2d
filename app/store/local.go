package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// few is how many files are made durable one by one. More are with one call
// for the whole file system, where there is one.
const few = 8

// A Local is a Store and a State in the .sheaf of a folder. Of one that cannot
// be written the history can be read.
type Local struct {
	*feed
	log     *slog.Logger
	home    *home
	objects *objects // nil: there is no .sheaf
	history int64    // bytes of old versions; 0: all

	life   context.Context // ends with Close
	cancel context.CancelFunc
	sweeps sync.WaitGroup

	unsynced sync.Map   // hash to the time of the Put, of blobs that no commit names
	synced   sync.Map   // hashes of unsynced that are durable nevertheless
	pruned   sync.Map   // hashes of blobs that are known to be removed
	writing  sync.Mutex // one commit at a time; guards journal
	journal  *journal   // nil: it cannot be written
	keepAll  bool       // commits are missing, whose blobs may be wanted yet: nothing is removed
}

// newLocal reads what is in h. It is closed with the Local, unless there is an
// error.
func newLocal(h *home, log *slog.Logger, o options) (*Local, error) {
	l := &Local{feed: newFeed(&Ledger{}), log: log, home: h, history: o.history}
	l.life, l.cancel = context.WithCancel(context.Background())
	if h.disk == nil {
		return l, nil
	}
	var blobs sync.WaitGroup // found while the log is read
	blobs.Go(func() {
		var err error
		if l.objects, err = openObjects(h.disk); err != nil {
			log.Error("blobs cannot be read", "dir", h.dir, "err", err)
		}
	})
	ledger, err := l.readLog()
	blobs.Wait()
	if err != nil {
		if l.journal != nil {
			err = errors.Join(err, l.journal.file.Close())
		}
		return nil, err
	}
	l.publish(ledger)
	if h.writable() {
		l.sweeps.Go(l.sweepHourly)
	}
	return l, nil
}

// readLog opens the log; one that cannot be written is read as far as it may be.
func (l *Local) readLog() (ledger *Ledger, err error) {
	name := filepath.Join(l.home.dir, sheafDir, journalName)
	if !l.home.writable() {
		file, err := l.home.disk.OpenFile(journalName, os.O_RDONLY, 0)
		if err != nil {
			return &Ledger{}, nil
		}
		defer file.Close()
		t, err := readLog(file, name)
		return fold(t.commits), err
	}
	for _, dir := range []string{"objects", "state"} {
		if _, err := makeDirs(l.home.disk, dir, nil); err != nil {
			return nil, err
		}
	}
	if l.journal, err = openJournal(l.home.disk, name); err != nil {
		return nil, err
	}
	if err := fsync(l.home.disk, "."); err != nil {
		return nil, err
	}
	ledger, l.keepAll, err = l.journal.read(l.log)
	return ledger, err
}

// Ledger gives the ledger as it stands.
func (l *Local) Ledger() *Ledger { return l.ledger.Load() }

// Head is the newest revision: see Store.
func (l *Local) Head(ctx context.Context) (Rev, error) { return l.Ledger().Rev(), ctx.Err() }

// Commits gives every commit after since, then waits: see Store.
func (l *Local) Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error] {
	return l.commits(ctx, l.life, since)
}

// Put keeps b: see Store. It needs room on the disk and nothing else.
func (l *Local) Put(ctx context.Context, b []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if !l.home.writable() {
		return "", errReadOnly(l.home.dir)
	}
	hash := hashOf(b)
	l.synced.Delete(hash)
	l.unsynced.Store(hash, time.Now()) // first, so that nobody prunes it
	l.pruned.Delete(hash)
	if err := l.objects.put(hash, b); err != nil {
		return "", fmt.Errorf("content %s: %w", l.home.dir, Reason(err))
	}
	return hash, nil
}

// Get gives the bytes of a hash: see Store.
func (l *Local) Get(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.objects == nil {
		return nil, fs.ErrNotExist
	}
	return l.objects.get(hash)
}

// Commit makes c the next revision: see Store.
func (l *Local) Commit(ctx context.Context, base Rev, c Commit) (Rev, error) {
	if !l.home.writable() {
		return 0, errReadOnly(l.home.dir)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.life.Err() != nil {
		return 0, fs.ErrClosed
	}
	if rev, ok := l.known(c.ID); ok {
		return rev, nil
	}
	if err := l.home.inPlace(); err != nil {
		return 0, err
	}
	if err := l.recover(); err != nil {
		return 0, fmt.Errorf("content %s: %w", l.home.dir, err)
	}
	if err := l.check(c); err != nil {
		return 0, err
	}
	if base != l.Ledger().Rev() {
		return 0, ErrConflict
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c = completed(c)
	c.Rev = base + 1
	if err := l.write(c); err != nil {
		return 0, fmt.Errorf("content %s: %w", l.home.dir, err)
	}
	next := l.Ledger().Apply(c)
	l.publish(next)
	l.prune(next)
	if err := l.objects.packs.saveIndexes(false); err != nil {
		l.log.Warn("index of blobs not saved", "err", err)
	}
	return c.Rev, nil
}

// check refuses what could not be kept.
func (l *Local) check(c Commit) error {
	if err := checkEntries(c.Entries); err != nil {
		return err
	}
	for _, e := range c.Entries {
		if e.Hash == "" {
			continue
		}
		if size, err := l.objects.size(e.Hash); err != nil || size != e.Size {
			return fmt.Errorf("%s: no blob of %d bytes %s: %w", e.Path, e.Size, e.Hash, fs.ErrNotExist)
		}
	}
	return nil
}

// write makes the blobs of a commit durable, and then its line in the log. The
// lock is held.
func (l *Local) write(c Commit) error {
	if err := l.syncBlobs(c.Entries); err != nil {
		l.journal.failed = err
		return err
	}
	if err := l.journal.append(c); err != nil {
		return err
	}
	for _, e := range c.Entries {
		l.unsynced.Delete(e.Hash)
		l.synced.Delete(e.Hash)
	}
	return nil
}

// recover makes the store fit to acknowledge something again after a write that
// failed. Blobs that no commit names are written once more: what the system has
// of them in memory is not what is on the disk. The lock is held.
func (l *Local) recover() error {
	if l.journal.failed == nil {
		return nil
	}
	ledger := l.Ledger()
	last, _ := ledger.Commit(ledger.Rev())
	if err := l.journal.reread(last); err != nil {
		return err
	}
	named := ledger.hashes()
	l.objects.packs.sealOpen()
	l.unsynced.Range(func(hash, _ any) bool {
		if h := hash.(string); !named[h] {
			l.synced.Delete(h)
			if err := l.objects.rewrite(h); err != nil { // whoever wants it has to put it again
				l.unsynced.Delete(h)
			}
		}
		return true
	})
	l.log.Info("the log was read again after a failure and is whole", "dir", l.home.dir, "rev", ledger.Rev())
	return nil
}

func (l *Local) syncBlobs(entries []Entry) error {
	hashes := l.toSync(entries)
	if len(hashes) > few {
		if err := l.home.disk.SyncAll(); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return l.objects.sync(hashes)
}

// toSync lists the blobs of entries that are not durable.
func (l *Local) toSync(entries []Entry) (hashes []string) {
	for _, e := range entries {
		if _, is := l.unsynced.Load(e.Hash); !is {
			continue
		}
		if _, is := l.synced.Load(e.Hash); !is {
			hashes = append(hashes, e.Hash)
		}
	}
	return hashes
}

// syncAll makes everything on the file system durable, the blobs of entries
// among it, so that their commit has nothing to wait for but its line.
func (l *Local) syncAll(entries []Entry) error {
	hashes := l.toSync(entries)
	if err := l.home.disk.SyncAll(); err != nil {
		return err
	}
	for _, h := range hashes {
		l.synced.Store(h, true)
	}
	return nil
}

// Close ends every Commits, waits for a commit under way, and gives the folder
// back.
func (l *Local) Close() error {
	l.cancel()
	l.sweeps.Wait()
	l.writing.Lock()
	defer l.writing.Unlock()
	var err error
	if l.journal != nil {
		err = errors.Join(l.objects.packs.close(), l.journal.file.Close())
	}
	return errors.Join(err, l.home.close())
}

// State gives what is kept under a name: see State.
func (l *Local) State(name string) ([]byte, error) {
	if !l.home.writable() {
		return nil, fs.ErrNotExist
	}
	b, err := readAll(l.home.disk, path.Join("state", name))
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", name, Reason(err))
	}
	return b, nil
}

// SetState keeps b under a name: see State.
func (l *Local) SetState(name string, b []byte) error {
	if !l.home.writable() {
		return errReadOnly(l.home.dir)
	}
	if name == "" || hidden(name) || strings.Contains(name, "/") {
		return fmt.Errorf("state %q: %w", name, fs.ErrInvalid)
	}
	if err := l.setState(path.Join("state", name), b); err != nil {
		return fmt.Errorf("state %s: %w", name, Reason(err))
	}
	return nil
}

func (l *Local) setState(name string, b []byte) error {
	d := l.home.disk
	if b != nil {
		return replace(d, name, b)
	}
	if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsync(d, "state")
}

// States lists the names: see State.
func (l *Local) States() ([]string, error) {
	if !l.home.writable() {
		return nil, nil
	}
	list, err := l.home.disk.ReadDir("state")
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, err
}
