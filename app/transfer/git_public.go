package transfer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"sheaf/app/blog"
)

// A publicView is a view for readers. It begins anew when something that was
// public is not so any more, be it a post that is gone or a sentence: nothing
// of it is in the objects that a new clone brings, nor can it be asked for.
// The view before it stays for as long as somebody is reading from it.
type publicView struct {
	repository
	users int  // sessions; Transfer.mu guards it
	stale bool // there is a newer one; Transfer.mu guards it
}

const (
	publicPattern = "public-*.git"      // the folders of readers' views; the last by name is the newest
	publicUnmade  = "public.git.unmade" // one that is being made
)

// takePublic returns the readers' view, nil if there is none yet. It stays until
// release is called.
func (t *Transfer) takePublic() (v *publicView, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v = t.public; v == nil {
		return nil, func() {}
	}
	v.users++
	return v, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		v.users--
		t.dropPublic(v)
	}
}

// dropPublic removes a readers' view that nobody needs. Transfer.mu is held.
func (t *Transfer) dropPublic(v *publicView) {
	if v == nil || !v.stale || v.users > 0 {
		return
	}
	if err := os.RemoveAll(v.dir); err != nil {
		t.config.Log.Warn("old view for git not removed", "err", err)
	}
}

// findPublic finds the view that an earlier server has left, and removes older
// ones.
func (t *Transfer) findPublic() {
	_ = os.RemoveAll(filepath.Join(t.dir, publicUnmade))
	found, _ := filepath.Glob(filepath.Join(t.dir, publicPattern)) // sorted
	for i, dir := range found {
		if i < len(found)-1 {
			_ = os.RemoveAll(dir)
		} else {
			t.public = &publicView{repository: repository{dir}}
		}
	}
}

// makePublic brings the readers' view to the revision of files. Transfer.viewMu
// is held.
func (t *Transfer) makePublic(ctx context.Context, v blog.Visitor, files *blog.Files) error {
	next := viewState{Rev: files.Rev(), Files: map[string]string{}}
	for info := range files.All() {
		next.Files[info.Path] = info.Hash
	}
	if t.public != nil {
		old, valid, err := t.public.open(ctx)
		if err != nil {
			return err
		}
		if valid && !takesBack(old, next) {
			return t.write(ctx, t.public.repository, old, true, next, planPublic(v, files, old, next))
		}
	}
	r := repository{filepath.Join(t.dir, publicUnmade)}
	err := r.create(ctx)
	if err == nil {
		err = t.write(ctx, r, viewState{}, true, next, planPublic(v, files, viewState{}, next))
	}
	made := filepath.Join(t.dir, "public-"+strconv.FormatInt(time.Now().UnixNano(), 10)+".git")
	if err == nil {
		err = os.Rename(r.dir, made)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(r.dir))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.public
	t.public = &publicView{repository: repository{made}}
	if before != nil {
		before.stale = true
		t.dropPublic(before)
	}
	return nil
}

// takesBack reports whether something that was public in one state is not so in
// the next.
func takesBack(old, next viewState) bool {
	for name, hash := range old.Files {
		if next.Files[name] != hash {
			return true
		}
	}
	return false
}

// planPublic plans the update of the readers' view: one commit with what is
// public now and was not before, nil if there is nothing. It says nothing about
// who changed what and when.
func planPublic(v blog.Visitor, files *blog.Files, old, next viewState) writeFunc {
	if maps.Equal(old.Files, next.Files) {
		return nil
	}
	var entries []blog.Entry
	for info := range files.All() {
		if old.Files[info.Path] != info.Hash {
			entries = append(entries, blog.Entry{Path: info.Path, Hash: info.Hash, Size: info.Size})
		}
	}
	slices.SortFunc(entries, byPath)
	site := v.Edition().Site()
	c := blog.Commit{Author: cmp.Or(site.Author, site.Title), Time: time.Now(), Entries: entries}
	return func(w *importer) error { return w.commit(c, readBy(files)) }
}
