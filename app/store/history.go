package store

import (
	"io/fs"
	"time"
)

// unclaimed is how long a blob is kept that no commit names.
const unclaimed = time.Hour

// History bounds the bytes of old versions: what no file of the head is. 0
// keeps all of them. The oldest go first; that they were is still in the log.
// Their room on the disk is given back in part: see the package comment.
func History(bytes int64) Option { return func(o *options) { o.history = bytes } }

// prune forgets old versions over the bound. The lock is held.
func (f *Folder) prune(l *Ledger) {
	if f.history <= 0 || f.home == nil {
		return
	}
	current := map[string]bool{}
	for _, e := range l.tree {
		current[e.Hash] = true
	}
	kept := f.history
	seen := map[string]bool{}
	for i := len(l.commits) - 1; i >= 0; i-- {
		for _, e := range l.commits[i].Entries {
			if e.Hash == "" || current[e.Hash] || seen[e.Hash] {
				continue
			}
			seen[e.Hash] = true
			if kept -= e.Size; kept < 0 && !f.wanted(e.Hash) {
				if _, gone := f.pruned.LoadOrStore(e.Hash, true); !gone {
					f.objects.forget(e.Hash, func() bool { return f.wanted(e.Hash) })
				}
			}
		}
	}
	f.clean()
}

// clean gives back the room of forgotten blobs. The lock is held.
func (f *Folder) clean() {
	if err := f.objects.packs.clean(); err != nil {
		f.log.Warn("the room of forgotten versions is not given back", "err", err)
	}
}

// wanted reports a blob that was put a moment ago, for a commit that is yet to
// come.
func (f *Folder) wanted(hash string) bool {
	at, ok := f.unsynced.Load(hash)
	return ok && time.Since(at.(time.Time)) < unclaimed
}

// tidy sweeps every hour, the first time when a start is well over.
func (f *Folder) tidy() {
	defer f.survive("sweep")
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-timer.C:
			f.sweep()
			timer.Reset(unclaimed)
		}
	}
}

// sweep removes the blobs that were put and never named.
func (f *Folder) sweep() {
	l := f.ledger.Load()
	named := map[string]bool{}
	for _, c := range l.commits {
		for _, e := range c.Entries {
			named[e.Hash] = true
		}
	}
	old := time.Now().Add(-unclaimed)
	_ = f.objects.eachAlone(func(hash string, info fs.FileInfo) {
		if named[hash] || info.ModTime().After(old) {
			return
		}
		f.writing.Lock() // no commit is about to name it
		defer f.writing.Unlock()
		if f.ctx.Err() != nil {
			return
		}
		if info, err := f.home.Stat(objectName(hash)); err == nil && info.ModTime().Before(old) {
			_ = f.home.Remove(objectName(hash))
		}
	})
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	for _, c := range f.ledger.Load().Commits(l.Rev()) {
		for _, e := range c.Entries {
			named[e.Hash] = true
		}
	}
	f.objects.packs.sweep(old, func(hash string) bool { return named[hash] })
	f.clean()
}
