package store

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch tells of changes below the folder until ctx or the folder ends, then
// closes the channel. A change is told when it has settled: after 150 ms
// without another event, and at most 700 ms after the first. A hundred events
// and more are a checkout, which has 3 s, so that its thousand files are one
// change; so are all those not yet taken from the channel. Directories for
// which skip (of their path) is true are not looked at; neither are hidden
// names.
func (f *Folder) Watch(ctx context.Context, skip func(dir string) bool) <-chan struct{} {
	changed := make(chan struct{}, 1)
	w := &watch{folder: f, skip: skip, root: f.root.Load(), seed: maphash.MakeSeed()}
	w.notify, w.err = fsnotify.NewBufferedWatcher(1024)
	if w.err != nil {
		f.log.Warn("no change notification: polling only", "dir", f.dir, "err", w.err)
	} else {
		w.add(".")
	}
	f.watchers.Add(1)
	go func() {
		defer f.watchers.Done()
		defer close(changed)
		defer f.survive("watch")
		if w.notify != nil {
			defer w.notify.Close()
		}
		w.run(ctx, changed)
	}()
	return changed
}

// checkout is how many events in a row are more than somebody's editing.
const checkout = 100

type watch struct {
	folder *Folder
	skip   func(string) bool
	root   *os.Root          // that is watched
	notify *fsnotify.Watcher // nil: polling only
	err    error             // why the notification is incomplete
	seed   maphash.Seed
	seen   uint64 // the last fingerprint; 0 before the first poll, which so always tells of a change
}

func (w *watch) run(ctx context.Context, changed chan<- struct{}) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
	}
	every := w.folder.poll
	if w.err != nil {
		every = min(every, time.Second)
	}
	poll := time.NewTicker(every)
	defer poll.Stop()
	settle := time.NewTimer(time.Hour)
	settle.Stop()
	defer settle.Stop()
	var first time.Time // of the events not yet told; zero: none
	many := 0           // of them

	touch := func() {
		now := time.Now()
		if first.IsZero() {
			first, many = now, 0
		}
		late := w.folder.late
		if many++; many >= checkout {
			late = w.folder.bulk
		}
		settle.Reset(min(w.folder.quiet, first.Add(late).Sub(now)))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.folder.ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if w.concerns(e) {
				touch()
			}
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// The queue has overflowed: what was lost is found by looking,
			// and directories that came meanwhile have to be watched.
			w.folder.log.Debug("change notification", "err", err)
			w.add(".")
			touch()
		case <-settle.C:
			first = time.Time{}
			tell(changed)
		case <-poll.C:
			w.follow()
			if now := w.fingerprint(); now != w.seen {
				w.seen = now
				touch()
			}
		}
	}
}

func tell(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// concerns keeps the set of watched directories and says whether an event can
// have changed anything that is read.
func (w *watch) concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return true // a post that may be read now, or not any more
	}
	rel, err := filepath.Rel(w.folder.dir, e.Name)
	if err != nil {
		return true
	}
	rel = filepath.ToSlash(rel)
	if rel == "." {
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			w.follow()
		}
		return true
	}
	if hidden(rel) {
		return false
	}
	if e.Has(fsnotify.Create) {
		if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
			if w.skip(rel) {
				return false
			}
			w.add(rel)
		}
	}
	return true
}

// follow watches the folder that has taken the place of the one that was
// watched, if there is one.
func (w *watch) follow() {
	w.folder.renew()
	if root := w.folder.root.Load(); root != w.root {
		w.root = root
		w.add(".")
	}
}

// add watches a directory and those below it. A directory is watched before it
// is listed: what comes into it meanwhile is told or found.
func (w *watch) add(name string) {
	if w.notify == nil {
		return
	}
	w.folder.walkDirs(name, w.skip, func(dir string) {
		err := w.notify.Add(filepath.Join(w.folder.dir, filepath.FromSlash(dir)))
		if err != nil && !os.IsNotExist(err) && w.err == nil {
			w.err = err
			w.folder.log.Warn("not every directory can be watched: changes may show late", "dir", dir, "err", err)
		}
	})
}

// walkDirs calls visit with every directory from name down, before it is
// listed.
func (f *Folder) walkDirs(name string, skip func(string) bool, visit func(dir string)) {
	visit(name)
	d, err := f.list(f.root.Load(), name)
	if err != nil {
		return // gone already
	}
	for _, sub := range d.Dirs {
		if below := path.Join(name, sub); !skip(below) {
			f.walkDirs(below, skip, visit)
		}
	}
}

// fingerprint is a number that changes with the name, size, time or inode of
// any file.
func (w *watch) fingerprint() uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	var num [24]byte
	_ = w.folder.Walk(func(d *Dir) []string {
		h.WriteString(d.Path)
		h.WriteByte(0)
		for _, name := range d.Files {
			s, err := d.Stat(name)
			if err != nil {
				continue
			}
			h.WriteString(name)
			binary.LittleEndian.PutUint64(num[0:], uint64(s.Size))
			binary.LittleEndian.PutUint64(num[8:], uint64(s.MTime))
			binary.LittleEndian.PutUint64(num[16:], s.Inode)
			h.Write(num[:])
		}
		var enter []string
		for _, sub := range d.Dirs {
			if !w.skip(strings.TrimPrefix(path.Join(d.Path, sub), "./")) {
				enter = append(enter, sub)
			}
		}
		return enter
	})
	return h.Sum64()
}
