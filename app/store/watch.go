package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch tells of changes below the folder until ctx or the Worktree ends, then
// closes the channel. What Commit has written is no news; what others have
// committed is. A change is told when it has settled: after 150 ms without
// another event, and at most 700 ms after the first. A hundred events and more
// are a checkout, which has 3 s, so that its thousand files are one change; so
// are all those not yet taken from the channel. Directories for which skip (of
// their path) is true are not looked at; neither are hidden names.
func (w *Worktree) Watch(ctx context.Context, skip func(dir string) bool) <-chan struct{} {
	changed := make(chan struct{}, 1)
	v := &watch{tree: w, skip: skip, root: w.current.Load()}
	v.notify, v.err = fsnotify.NewBufferedWatcher(1024)
	if v.err != nil {
		w.log.Warn("no change notification: polling only", "dir", w.dir, "err", v.err)
	} else {
		v.add(".")
	}
	w.goroutines.Add(1)
	go func() {
		defer w.goroutines.Done()
		defer close(changed)
		defer containPanic(w.log, "watch")
		if v.notify != nil {
			defer v.notify.Close()
		}
		v.run(ctx, changed)
	}()
	return changed
}

// checkout is how many events in a row are more than somebody's editing.
const checkout = 100

type watch struct {
	tree   *Worktree
	skip   func(string) bool
	root   *disk             // that is watched
	notify *fsnotify.Watcher // nil: polling only
	err    error             // why the notification is incomplete
	polled bool              // at least once
	seen   uint64            // the last fingerprint
}

// run is the goroutine of a Watch, until ctx or the Worktree ends.
func (v *watch) run(ctx context.Context, changed chan<- struct{}) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if v.notify != nil {
		events, errs = v.notify.Events, v.notify.Errors
	}
	b := newBurst(v.tree.pause)
	defer b.settled.Stop()
	every := v.tree.pause.poll
	if v.err != nil {
		every = min(every, time.Second)
	}
	poll := time.NewTicker(every)
	defer poll.Stop()
	foreign := v.tree.foreign.next()
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.tree.life.Done():
			return
		case e, ok := <-events:
			if !ok {
				events = nil
			} else if v.concerns(e) {
				b.add()
			}
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// The queue has overflowed: what was lost is found by looking,
			// and directories that came meanwhile have to be watched.
			v.tree.log.Debug("change notification", "err", err)
			v.tree.cache.dropOwn()
			v.add(".")
			b.add()
		case <-foreign:
			foreign = v.tree.foreign.next()
			b.add()
		case <-b.settled.C:
			b.first = time.Time{}
			tell(changed)
		case <-poll.C:
			v.follow()
			if v.poll() {
				b.add()
			}
		}
	}
}

// A burst is the changes that are told as one.
type burst struct {
	pause   pauses
	first   time.Time   // of the changes not yet told; zero: none
	many    int         // of them
	settled *time.Timer // fires when they are to be told
}

func newBurst(p pauses) *burst {
	b := &burst{pause: p, settled: time.NewTimer(time.Hour)}
	b.settled.Stop()
	return b
}

// add puts off the telling, but not for ever.
func (b *burst) add() { b.settled.Reset(b.wait(time.Now())) }

// wait gives how long to wait for more after one more change.
func (b *burst) wait(now time.Time) time.Duration {
	if b.first.IsZero() {
		b.first, b.many = now, 0
	}
	late := b.pause.late
	if b.many++; b.many >= checkout {
		late = b.pause.bulk
	}
	return min(b.pause.quiet, b.first.Add(late).Sub(now))
}

func tell(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// concerns keeps the set of watched directories and says whether an event can
// have changed anything that is read, and was not our own doing. Files of ours
// come in by a rename: who writes into one, or changes its mode, is somebody
// else, even if the clock is too coarse to tell by the stamp.
func (v *watch) concerns(e fsnotify.Event) bool {
	rel, err := filepath.Rel(v.tree.dir, e.Name)
	if err != nil {
		return true
	}
	rel = filepath.ToSlash(rel)
	if rel == "." {
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			v.follow()
		}
		return true
	}
	if hidden(rel) {
		return false
	}
	if e.Op == fsnotify.Write || e.Op == fsnotify.Chmod {
		v.tree.cache.drop(rel)
		return true
	}
	is, err := v.tree.look(rel)
	if is != nil && is.dir && e.Has(fsnotify.Create) {
		if v.skip(rel) {
			return false
		}
		return !v.add(rel)
	}
	if err == nil && e.Op&(fsnotify.Write|fsnotify.Chmod) == 0 && v.tree.cache.isOwn(rel, is) {
		return false
	}
	v.tree.cache.drop(rel)
	return true
}

// look says what a name is; nil: there is nothing of that name.
func (w *Worktree) look(name string) (*known, error) {
	info, err := w.root().Lstat(name)
	switch {
	case isMissing(err):
		return nil, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return &known{dir: true}, nil
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	return &known{stamp: stamp(info)}, nil
}

// follow watches the folder that has taken the place of the one that was
// watched, if there is one.
func (v *watch) follow() {
	v.tree.reopen()
	if root := v.tree.current.Load(); root != v.root {
		v.root = root
		v.add(".")
	}
}

// add watches a directory and those below it, and reports whether all that is
// in them is our own doing. A directory is watched before it is listed: what
// comes into it meanwhile is told or found.
func (v *watch) add(name string) (own bool) {
	if v.notify == nil {
		return false
	}
	err := v.notify.Add(filepath.Join(v.tree.dir, filepath.FromSlash(name)))
	if err != nil && !os.IsNotExist(err) && v.err == nil {
		v.err = err
		v.tree.log.Warn("not every directory can be watched: changes may show late", "dir", name, "err", err)
	}
	d := list(v.tree.root(), name)
	if d.Err != nil && len(d.Files)+len(d.Dirs) == 0 {
		return errors.Is(d.Err, fs.ErrNotExist) && v.tree.cache.isOwn(name, nil) // gone already
	}
	own = v.tree.cache.isOwn(name, &known{dir: true})
	for _, file := range d.Files {
		if own {
			is, err := v.tree.look(path.Join(name, file))
			own = err == nil && v.tree.cache.isOwn(path.Join(name, file), is)
		}
	}
	for _, sub := range d.Dirs {
		if below := path.Join(name, sub); !v.skip(below) {
			own = v.add(below) && own
		}
	}
	return own
}

// poll compares the whole folder with what it was, but for our own changes.
// The first time there is nothing to compare with, which counts as a change.
func (v *watch) poll() bool {
	now, ok := v.fingerprint()
	if !ok || v.polled && now == v.seen {
		return false
	}
	v.polled, v.seen = true, now
	return true
}

// fingerprint is a number that changes with the name, size, time or inode of
// any file, unless we have changed it ourselves; not ok if we did meanwhile.
func (v *watch) fingerprint() (sum uint64, ok bool) {
	cache := v.tree.cache
	shift, before := cache.shifted()
	_ = v.tree.Walk(func(d *Dir) []string {
		if d.Path != "." {
			sum += cache.sum(d.Path, &known{dir: true})
		}
		if d.Err != nil { // so that it is news when it can be read again
			sum += cache.sum(d.Path, &known{dir: true, hash: Reason(d.Err).Error()})
		}
		for _, name := range d.Files {
			if s, err := d.Stat(name); err == nil {
				sum += cache.sum(path.Join(d.Path, name), &known{stamp: s})
			}
		}
		var enter []string
		for _, sub := range d.Dirs {
			if !v.skip(path.Join(d.Path, sub)) {
				enter = append(enter, sub)
			}
		}
		return enter
	})
	_, after := cache.shifted()
	return sum - shift, before == after
}
