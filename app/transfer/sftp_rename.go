package transfer

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
)

// Filecmd answers what changes names and attributes.
func (v *visit) Filecmd(r *sftp.Request) error { return v.command(r, false) }

// PosixRename is Rename over what is there.
func (v *visit) PosixRename(r *sftp.Request) error { return v.command(r, true) }

func (v *visit) command(r *sftp.Request, over bool) (err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	if err := v.allowed(); err != nil {
		return err
	}
	f, err := v.files(0)
	if err != nil {
		return err
	}
	if r.Method == "Link" || r.Method == "Symlink" {
		_ = v.refuse(below(r.Target), "links are not kept")
		return sftp.ErrSSHFxOpUnsupported
	}
	it, err := v.look(f, below(r.Filepath))
	if r.Method == "Mkdir" {
		return v.mkdir(f, it.path, err == nil)
	}
	if err != nil {
		return err
	}
	switch r.Method {
	case "Setstat":
		return v.setstat(f, it, r)
	case "Remove":
		return v.remove(f, it)
	case "Rmdir":
		return v.rmdir(f, it)
	case "Rename", "PosixRename":
		return v.rename(f, it, below(r.Target), over)
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (v *visit) mkdir(f *blog.Files, p string, exists bool) error {
	if exists {
		return errors.New("exists already")
	}
	p, err := v.place(f, p)
	if err != nil {
		return err
	}
	if len(v.folders) >= maxDrafts {
		return errors.New("too many folders")
	}
	v.folders[p] = true
	return nil
}

func (v *visit) rmdir(f *blog.Files, it found) error {
	if !it.dir {
		return errors.New("not a folder")
	}
	switch in, err := v.list(f, it.path); {
	case err != nil:
		return err
	case len(in) > 0:
		return errors.New("not empty")
	}
	delete(v.folders, it.path)
	return nil
}

// setstat keeps the time of an upload, and its length. Modes and owners mean
// nothing here.
func (v *visit) setstat(f *blog.Files, it found, r *sftp.Request) error {
	a, flags := r.Attributes(), r.AttrFlags()
	switch {
	case a == nil:
		return sftp.ErrSSHFxBadMessage
	case it.dir:
		return nil
	}
	d := it.draft
	if flags.Size && (d != nil || int64(a.Size) != it.info.Size) {
		if most := v.visitor.MaxFile(it.path); a.Size > uint64(most) {
			return v.refuse(it.path, tooBig(most).Error())
		}
		if d == nil {
			var err error
			if d, err = v.begin(f, it); err != nil {
				return err
			}
		}
		err := v.truncate(f, d, int64(a.Size))
		if err == nil {
			err = v.settle(d)
		}
		if err != nil {
			return err
		}
	}
	if flags.Acmodtime && d != nil {
		d.mtime = time.Unix(int64(a.Mtime), 0)
	}
	return nil
}

// kept reports whether the blog has a file of that path.
func (v *visit) kept(f *blog.Files, p string) bool {
	info, err := f.Stat(p)
	return err == nil && !info.Dir && info.Path == p && !v.aside[p]
}

// stay keeps the folders of a path for the session: they may be empty now.
func (v *visit) stay(p string) {
	for dir := path.Dir(p); dir != "." && len(v.folders) < maxDrafts; dir = path.Dir(dir) {
		v.folders[dir] = true
	}
}

func (v *visit) remove(f *blog.Files, it found) error {
	if it.dir {
		return errors.New("is a folder")
	}
	original, backup := strings.CutSuffix(it.path, "~")
	switch {
	case v.kept(f, it.path):
		if err := v.commit(f.Rev(), blog.Entry{Path: it.path}); err != nil {
			return err
		}
	case backup && v.aside[original]: // and was not written anew
		if err := v.removeAside([]string{original}); err != nil {
			return err
		}
	}
	v.stay(it.path)
	if it.draft != nil {
		v.discard(it.draft)
	}
	return nil
}

// removeAside removes files that were put aside.
func (v *visit) removeAside(paths []string) error {
	f, err := v.files(0)
	if err != nil {
		return err
	}
	var entries []blog.Entry
	for _, p := range paths {
		delete(v.aside, p)
		if v.kept(f, p) {
			entries = append(entries, blog.Entry{Path: p})
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return v.commit(f.Rev(), entries...)
}

// rename moves a file or a folder, as one change.
func (v *visit) rename(f *blog.Files, it found, to string, over bool) error {
	from := it.path
	target, err := v.look(f, to)
	switch {
	case err == nil && target.path == from:
		return nil
	case err == nil && (!over || target.dir || it.dir):
		return errors.New("exists already")
	case err == nil:
		to = target.path
	default:
		if to, err = v.place(f, to); err != nil {
			return err
		}
	}
	if it.dir {
		return v.renameFolder(f, from, to)
	}
	d := it.draft
	if d == nil {
		d = &draft{path: from, from: it.info, mtime: it.info.MTime, base: f.Rev()}
	}
	if d.writers > 0 { // it is published when it is closed
		v.move(d, to)
		return nil
	}
	var entries []blog.Entry
	publish := !blog.Scratch(to) && d.size() > 0 && !d.spoiled
	if publish {
		e, err := v.entry(d, to)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	kept, backup := v.kept(f, from), to == from+"~"
	if kept && !backup {
		entries = append(entries, blog.Entry{Path: from})
	}
	if len(entries) > 0 {
		err := v.commit(d.base, entries...)
		v.keep(d, to, err)
		if err != nil {
			return err
		}
	}
	v.stay(from)
	if kept && backup {
		v.aside[from] = true
	}
	v.move(d, to)
	d.changed, d.why = false, ""
	switch {
	case publish:
		delete(v.aside, to)
		v.discard(d)
	case !blog.Scratch(to):
		d.why = "is empty"
	}
	return nil
}

// move gives a draft another path.
func (v *visit) move(d *draft, to string) {
	if there := v.drafts[to]; there != nil && there != d {
		v.discard(there)
	}
	if v.drafts[d.path] == d {
		delete(v.drafts, d.path)
	}
	d.path = to
	v.drafts[to] = d
}

func (v *visit) renameFolder(f *blog.Files, from, to string) error {
	if strings.HasPrefix(to+"/", from+"/") || from == "." || from == postsDir && to == postsDir {
		return errors.New("a folder cannot be moved into itself")
	}
	moved := func(p string) (string, bool) {
		rest, in := strings.CutPrefix(p+"/", from+"/")
		return path.Join(to, rest), in
	}
	hidden := blog.Scratch(to)
	var entries []blog.Entry
	var drafts []*draft
	for info := range f.All() {
		p, in := moved(info.Path)
		if !in || v.aside[info.Path] {
			continue
		}
		entries = append(entries, blog.Entry{Path: info.Path})
		if !hidden {
			entries = append(entries, blog.Entry{Path: p, Hash: info.Hash, Size: info.Size, MTime: info.MTime})
		} else if len(v.drafts)+len(drafts) < maxDrafts {
			drafts = append(drafts, &draft{path: p, from: info, mtime: info.MTime, base: f.Rev()})
		}
	}
	if len(entries) > 0 {
		if err := v.commit(f.Rev(), entries...); err != nil {
			return err
		}
	}
	for _, d := range drafts {
		v.drafts[d.path] = d
	}
	for _, p := range slices.Collect(maps.Keys(v.drafts)) {
		if at, in := moved(p); in {
			v.move(v.drafts[p], at)
		}
	}
	for _, p := range slices.Collect(maps.Keys(v.folders)) {
		if at, in := moved(p); in {
			delete(v.folders, p)
			v.folders[at] = true
		}
	}
	v.folders[to] = true
	v.stay(from)
	return nil
}
