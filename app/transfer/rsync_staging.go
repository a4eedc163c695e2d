package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"sheaf/app/blog"
)

// A staging is a copy of a part of the blog for rsync to work on.
//
// A client that sends files compares their sizes and times; their contents it
// looks at only if it was asked to. So most files of the copy are placeholders,
// of the right size and time but with no contents. rsync never writes into a
// file that is there, it replaces it: a placeholder that is still there means
// that the file has not changed.
type staging struct {
	t            *Transfer
	visitor      blog.Visitor
	files        *blog.Files
	sending      bool   // rsync only reads it: the files are those of Transfer.sending
	top          string // everything; removed at the end
	dir          string // within top; all that rsync sees
	withContent  bool   // there are no placeholders
	contentBytes int64  // in files with contents

	staged       map[string]blog.FileInfo // by name, which is the path within dir
	placeholders map[uint64]blog.FileInfo // by inode

	sent     []*pooledFile        // in a copy that is sent, which has links to them
	uploader *uploader            // nil in a copy that is sent
	uploaded map[string]fileStamp // by name, of files the uploader has been given
}

// Equal stamps mean that a file is still the same.
type fileStamp struct {
	inode uint64
	size  int64
	mtime int64
}

func stampOf(info fs.FileInfo) fileStamp {
	return fileStamp{inode: inode(info), size: info.Size(), mtime: info.ModTime().UnixNano()}
}

// newStaging makes a copy that is still empty. The caller has to remove it.
func (t *Transfer) newStaging(ctx context.Context, v blog.Visitor, a rsyncArgs) (*staging, error) {
	files, err := v.Files(ctx)
	if err != nil {
		return nil, err
	}
	parent := filepath.Join(t.dir, "rsync")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	top, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, err
	}
	g := &staging{
		t:            t,
		visitor:      v,
		files:        files,
		sending:      a.sender,
		top:          top,
		withContent:  a.needsContent || a.sender,
		staged:       map[string]blog.FileInfo{},
		placeholders: map[uint64]blog.FileInfo{},
		uploaded:     map[string]fileStamp{},
	}
	if g.top, err = filepath.EvalSymlinks(top); err == nil {
		g.dir = filepath.Join(g.top, "blog")
		err = errors.Join(os.Mkdir(g.dir, 0o755), os.Mkdir(filepath.Join(g.top, "kept"), 0o700))
	}
	if err != nil {
		_ = os.RemoveAll(top)
		return nil, err
	}
	g.withContent = g.withContent || !g.canPlacehold()
	return g, nil
}

// remove removes the copy, with the folders in it that nobody may enter.
func (g *staging) remove() {
	_ = filepath.WalkDir(g.dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(g.top); err != nil {
		g.t.config.Log.Warn("scratch files not removed", "err", err)
	}
	for _, f := range g.sent {
		f.give()
	}
}

// canPlacehold reports whether the file system has hard links and inodes, which
// placeholders need.
func (g *staging) canPlacehold() bool {
	from, to := filepath.Join(g.top, "kept", "a"), filepath.Join(g.top, "kept", "b")
	if os.WriteFile(from, nil, 0o600) != nil || os.Link(from, to) != nil {
		return false
	}
	info, err := os.Lstat(to)
	return err == nil && inode(info) != 0
}

// path returns the path in the file system of a name in the copy.
func (g *staging) path(name string) string { return filepath.Join(g.dir, filepath.FromSlash(name)) }

// stage puts a file, or a folder with all that is in it, into the copy under a
// name.
func (g *staging) stage(ctx context.Context, info blog.FileInfo, name string) error {
	if !info.Dir {
		return g.stageFile(ctx, info, name)
	}
	if err := os.MkdirAll(g.path(name), 0o755); err != nil {
		return err
	}
	list, err := g.files.List(info.Path)
	if err != nil {
		return err
	}
	for _, sub := range list {
		if err := g.stage(ctx, sub, sub.Path); err != nil {
			return err
		}
	}
	if info.MTime.IsZero() {
		return nil
	}
	return os.Chtimes(g.path(name), info.MTime, info.MTime)
}

func (g *staging) stageFile(ctx context.Context, info blog.FileInfo, name string) error {
	if _, done := g.staged[name]; done {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(g.path(name)), 0o755); err != nil {
		return err
	}
	write := g.writePlaceholder
	if g.withContent {
		write = g.writeContent
	}
	if err := write(ctx, info, name); err != nil {
		return err
	}
	g.staged[name] = info
	return os.Chtimes(g.path(name), info.MTime, info.MTime)
}

func (g *staging) writeContent(ctx context.Context, info blog.FileInfo, name string) error {
	if g.sending {
		f, err := g.t.sending.take(ctx, g.visitor, g.files, info)
		if err != nil {
			return err
		}
		g.sent = append(g.sent, f)
		if os.Link(f.name, g.path(name)) == nil {
			return nil
		}
	}
	b, err := g.files.Read(ctx, info)
	if err != nil {
		return err
	}
	g.contentBytes += info.Size
	return os.WriteFile(g.path(name), b, 0o644)
}

func (g *staging) writePlaceholder(_ context.Context, info blog.FileInfo, name string) error {
	full := g.path(name)
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(info.Size), f.Close()); err != nil {
		return err
	}
	// A second link keeps the inode from being used for another file.
	if err := os.Link(full, filepath.Join(g.top, "kept", strconv.Itoa(len(g.placeholders))+".")); err != nil {
		return err
	}
	now, err := os.Lstat(full)
	if err != nil {
		return err
	}
	g.placeholders[inode(now)] = info
	return nil
}

// upload gives a file that has arrived to the uploader, unless it has it. Files
// that cannot be opened are left for later.
func (g *staging) upload(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	now := stampOf(info)
	if g.uploaded[name] == now {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, info.Size()+1))
	if err != nil || int64(len(b)) != info.Size() {
		return err
	}
	g.uploaded[name] = now
	return g.uploader.add(blog.Entry{Path: name, Size: info.Size(), MTime: info.ModTime()}, b)
}

// A stagingDiff is how the copy differs from the blog when rsync has finished.
type stagingDiff struct {
	g       *staging
	root    *os.Root
	visitor blog.Visitor

	change   blog.Change
	refused  []string // why the change must not be made: a path and a reason each
	warnings []string

	present map[string]bool // names of the files that are there
	bytes   int64           // of files that have arrived
	count   int             // of them
}

// diff finds out how the copy differs from the blog, and waits until all that
// has arrived is uploaded. The error is internal.
func (g *staging) diff(root *os.Root, v blog.Visitor) (*stagingDiff, error) {
	d := &stagingDiff{g: g, root: root, visitor: v, present: map[string]bool{}}
	d.change.Base = g.files.Rev()
	err := fs.WalkDir(root.FS(), ".", d.walk)
	uploaded, uploadErr := g.uploader.wait()
	var limit limitError
	switch {
	case errors.As(err, &limit):
		d.refused = append(d.refused, limit.Error())
		return d, nil
	case err != nil || uploadErr != nil:
		return nil, cmp.Or(uploadErr, err)
	}
	for _, e := range uploaded {
		old, staged := g.staged[e.Path]
		same := g.withContent && staged && e.Hash == old.Hash && e.MTime.Equal(old.MTime)
		if d.present[e.Path] && !same {
			d.change.Entries = append(d.change.Entries, e)
		}
	}
	for name := range g.staged {
		if !d.present[name] {
			d.change.Entries = append(d.change.Entries, blog.Entry{Path: name})
		}
	}
	slices.SortFunc(d.change.Entries, byPath)
	const maxWarnings = 10
	if n := len(d.warnings) - maxWarnings; n > 1 {
		more := fmt.Sprintf("warning: %d more like these; --exclude '.*' does not send them", n)
		d.warnings = append(d.warnings[:maxWarnings], more)
	}
	return d, nil
}

// walk is called for each file and folder of the copy. Folders are made
// accessible before their contents are read.
func (d *stagingDiff) walk(name string, entry fs.DirEntry, err error) error {
	if err != nil || name == "." {
		return err
	}
	if entry.IsDir() {
		if err := d.root.Chmod(name, 0o700); err != nil {
			return err
		}
	}
	if blog.Scratch(path.Base(name)) {
		d.warnings = append(d.warnings,
			"warning: "+name+": not kept: hidden names and the files of editors are no part of the blog")
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if entry.IsDir() {
		return nil
	}
	d.present[name] = true
	info, err := entry.Info()
	if err != nil {
		return err
	}
	return d.file(name, info)
}

// file decides what a file means for the change. What has arrived is uploaded,
// if watch has not done so, and added by diff.
func (d *stagingDiff) file(name string, info fs.FileInfo) error {
	old, isPlaceholder := d.g.placeholders[inode(info)]
	if isPlaceholder && old.Path == name {
		return nil
	}
	if why := d.refuse(name, info, isPlaceholder); why != "" {
		d.refused = append(d.refused, name+": "+why)
		return nil
	}
	if isPlaceholder { // it was linked or renamed
		d.change.Entries = append(d.change.Entries,
			blog.Entry{Path: name, Hash: old.Hash, Size: old.Size, MTime: info.ModTime()})
		return nil
	}
	if _, staged := d.g.staged[name]; !staged || !d.g.withContent {
		d.count++
		d.bytes += info.Size()
	}
	if d.bytes > maxSet || d.count > maxFiles {
		return limitError{fmt.Sprintf("more than %d MB or %d files at once", maxSet>>20, maxFiles)}
	}
	if d.g.uploaded[name] == stampOf(info) {
		return nil
	}
	if err := d.root.Chmod(name, 0o600); err != nil {
		return err
	}
	return d.g.upload(d.root, name)
}

// refuse tells why a file cannot be part of the blog, "" if it can. The size of
// a placeholder is that of a file of the blog.
func (d *stagingDiff) refuse(name string, info fs.FileInfo, isPlaceholder bool) string {
	if !info.Mode().IsRegular() {
		return "is a link or a device, which a blog has none of; rsync -L sends what a link leads to"
	}
	if _, err := blog.PathFor(name); err != nil {
		return err.Error()
	}
	if limit := d.visitor.MaxFile(name); !isPlaceholder && info.Size() > limit {
		return tooBig(limit).Error()
	}
	return ""
}
