package store

import "time"

// unreferencedTTL is how long a blob is kept that no commit names. It is long
// enough for somebody to notice that commits are missing.
const unreferencedTTL = 24 * time.Hour

const sweepEvery = time.Hour

// prune forgets old versions over the bound. The lock is held.
func (l *Local) prune(ledger *Ledger) {
	if l.history <= 0 || l.keepAll {
		return
	}
	current := map[string]bool{}
	for _, e := range ledger.tree() {
		current[e.Hash] = true
	}
	kept := l.history
	seen := map[string]bool{}
	for i := len(ledger.commits) - 1; i >= 0; i-- {
		for _, e := range ledger.commits[i].Entries {
			if e.Hash == "" || current[e.Hash] || seen[e.Hash] {
				continue
			}
			seen[e.Hash] = true
			if kept -= e.Size; kept < 0 && !l.recentlyPut(e.Hash) {
				if _, gone := l.pruned.LoadOrStore(e.Hash, true); !gone {
					l.objects.forget(e.Hash, func() bool { return l.recentlyPut(e.Hash) })
				}
			}
		}
	}
	l.cleanPacks()
}

// cleanPacks gives back the room of forgotten blobs. The lock is held.
func (l *Local) cleanPacks() {
	if err := l.objects.packs.clean(); err != nil {
		l.log.Warn("the room of forgotten versions is not given back", "err", err)
	}
}

// recentlyPut reports a blob for a commit that is yet to come.
func (l *Local) recentlyPut(hash string) bool {
	at, ok := l.unsynced.Load(hash)
	return ok && time.Since(at.(time.Time)) < unreferencedTTL
}

// sweepHourly sweeps again and again, the first time when a start is well over.
func (l *Local) sweepHourly() {
	defer containPanic(l.log, "sweep")
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case <-l.life.Done():
			return
		case <-timer.C:
			l.sweep()
			timer.Reset(sweepEvery)
		}
	}
}

// sweep removes the blobs that were put and never named.
func (l *Local) sweep() {
	if l.keepAll {
		return
	}
	ledger := l.Ledger()
	named := ledger.hashes()
	old := time.Now().Add(-unreferencedTTL)
	_ = l.objects.eachLoose(func(hash string, modified time.Time) {
		if named[hash] || modified.After(old) {
			return
		}
		l.writing.Lock() // no commit is about to name it
		defer l.writing.Unlock()
		if l.life.Err() != nil {
			return
		}
		if info, err := l.home.disk.Stat(objectName(hash)); err == nil && info.ModTime().Before(old) {
			_ = l.home.disk.Remove(objectName(hash))
		}
	})
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.life.Err() != nil {
		return
	}
	for _, c := range l.Ledger().Commits(ledger.Rev()) {
		for _, e := range c.Entries {
			named[e.Hash] = true
		}
	}
	l.objects.packs.sweep(old, func(hash string) bool { return named[hash] })
	l.cleanPacks()
}
