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

// staging is a copy of a part of the blog that rsync works on.
//
// A client that sends files compares sizes and times; what stands in them
// is looked at only when it asks for that. So the files of the copy are mostly
// empty ones of the right size and age. rsync never writes into a file that is
// there, it puts another in its place: a file that is still the one that was
// put there has not changed.
type staging struct {
	t      *Transfer
	files  *blog.Files
	top    string // everything; removed at the end
	dir    string // what rsync sees
	whole  bool
	staged map[string]blog.FileInfo // by path below dir
	nodes  map[uint64]blog.FileInfo // by inode, of files without contents
	bytes  int64                    // of contents that were copied

	puts  *puts            // what has arrived, on its way into the blog
	taken map[string]stamp // what they have been given
}

// stamp tells whether a file is still the same.
type stamp struct {
	inode uint64
	size  int64
	mtime int64
}

func stampOf(info fs.FileInfo) stamp {
	return stamp{inode(info), info.Size(), info.ModTime().UnixNano()}
}

// newStaging copies nothing yet.
func (t *Transfer) newStaging(ctx context.Context, s Session, c rsyncCall) (*staging, error) {
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return nil, err
	}
	above := filepath.Join(t.dir, "rsync")
	if err := os.MkdirAll(above, 0o700); err != nil {
		return nil, err
	}
	top, err := os.MkdirTemp(above, "")
	if err != nil {
		return nil, err
	}
	g := &staging{t: t, files: files, top: top, whole: c.whole || c.sender,
		staged: map[string]blog.FileInfo{}, nodes: map[uint64]blog.FileInfo{}, puts: t.puts(ctx, s.Visitor), taken: map[string]stamp{}}
	if g.top, err = filepath.EvalSymlinks(top); err == nil {
		g.dir = filepath.Join(g.top, "blog")
		err = errors.Join(os.Mkdir(g.dir, 0o755), os.Mkdir(filepath.Join(g.top, "kept"), 0o700))
	}
	if err != nil {
		_ = os.RemoveAll(top)
		return nil, err
	}
	g.whole = g.whole || !g.linkable()
	return g, nil
}

func (g *staging) remove() {
	// A client may have made folders that nobody may enter.
	_ = filepath.WalkDir(g.dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(g.top); err != nil {
		g.t.c.Log.Warn("scratch files not removed", "err", err)
	}
}

// linkable reports whether files can be known again here.
func (g *staging) linkable() bool {
	from, to := filepath.Join(g.top, "kept", "a"), filepath.Join(g.top, "kept", "b")
	if os.WriteFile(from, nil, 0o600) != nil || os.Link(from, to) != nil {
		return false
	}
	info, err := os.Lstat(to)
	return err == nil && inode(info) != 0
}

// take gives a file that has arrived to the blog, once.
func (g *staging) take(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil // later
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
	if g.taken[name] == now {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, info.Size()+1))
	if err != nil || int64(len(b)) != info.Size() {
		return err
	}
	g.taken[name] = now
	return g.puts.add(blog.Entry{Path: name, Size: info.Size(), MTime: info.ModTime()}, b)
}

// stage puts a file, or a folder with all that is in it, into the copy.
func (g *staging) stage(ctx context.Context, info blog.FileInfo, name string) error {
	if !info.Dir {
		return g.put(ctx, info, name)
	}
	if err := os.MkdirAll(filepath.Join(g.dir, filepath.FromSlash(name)), 0o755); err != nil {
		return err
	}
	list, err := g.files.List(info.Path)
	if err != nil {
		return err
	}
	for _, below := range list {
		if err := g.stage(ctx, below, below.Path); err != nil {
			return err
		}
	}
	if info.MTime.IsZero() {
		return nil
	}
	return os.Chtimes(filepath.Join(g.dir, filepath.FromSlash(name)), info.MTime, info.MTime)
}

func (g *staging) put(ctx context.Context, info blog.FileInfo, name string) error {
	if _, there := g.staged[name]; there {
		return nil
	}
	full := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	if g.whole {
		b, err := g.files.Read(ctx, info)
		if err != nil {
			return err
		}
		if err := os.WriteFile(full, b, 0o644); err != nil {
			return err
		}
		g.bytes += info.Size
	} else {
		f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Truncate(info.Size), f.Close()); err != nil {
			return err
		}
		// A second name keeps the inode from being used again.
		if err := os.Link(full, filepath.Join(g.top, "kept", strconv.Itoa(len(g.nodes))+".")); err != nil {
			return err
		}
		now, err := os.Lstat(full)
		if err != nil {
			return err
		}
		g.nodes[inode(now)] = info
	}
	g.staged[name] = info
	return os.Chtimes(full, info.MTime, info.MTime)
}

// difference makes a change of what rsync has left.
func (g *staging) difference(root *os.Root, v blog.Visitor) (change blog.Change, warnings, refused []string, err error) {
	change.Base = g.files.Rev()
	there := map[string]bool{}
	var total int64
	count := 0
	no := func(name, why string) { refused = append(refused, "sheaf: not published: "+name+": "+why) }
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if d.IsDir() {
			if err := root.Chmod(name, 0o700); err != nil {
				return err
			}
		}
		if blog.Scratch(path.Base(name)) {
			warnings = append(warnings, "warning: "+name+": not kept: hidden names and the files of editors are no part of the blog")
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		there[name] = true
		info, err := d.Info()
		if err != nil {
			return err
		}
		was, kept := g.nodes[inode(info)]
		switch _, err := blog.PathFor(name); {
		case kept && was.Path == name:
			return nil
		case !info.Mode().IsRegular():
			no(name, "is a link or a device, which a blog has none of; rsync -L sends what a link leads to")
			return nil
		case err != nil:
			no(name, err.Error())
			return nil
		case kept: // under another name too
			change.Entries = append(change.Entries, blog.Entry{Path: name, Hash: was.Hash, Size: was.Size, MTime: info.ModTime()})
			return nil
		case info.Size() > v.MaxFile(name):
			no(name, tooBig(v.MaxFile(name)).Error())
			return nil
		}
		if _, staged := g.staged[name]; !staged || !g.whole {
			count++
			total += info.Size()
		}
		if total > maxSet || count > maxFiles {
			return errTooMuch{fmt.Sprintf("more than %d MB or %d files at once", maxSet>>20, maxFiles)}
		}
		if g.taken[name] == stampOf(info) {
			return nil
		}
		if err := root.Chmod(name, 0o600); err != nil {
			return err
		}
		return g.take(root, name)
	})
	came, failed := g.puts.wait()
	var much errTooMuch
	switch {
	case errors.As(err, &much):
		return change, warnings, append(refused, "sheaf: not published: "+much.Error()), nil
	case err != nil || failed != nil:
		return change, nil, nil, cmp.Or(failed, err)
	}
	for _, e := range came {
		old, was := g.staged[e.Path]
		if there[e.Path] && !(g.whole && was && e.Hash == old.Hash && e.MTime.Equal(old.MTime)) {
			change.Entries = append(change.Entries, e)
		}
	}
	for name := range g.staged {
		if !there[name] {
			change.Entries = append(change.Entries, blog.Entry{Path: name})
		}
	}
	slices.SortFunc(change.Entries, byPath)
	const some = 10
	if n := len(warnings) - some; n > 1 {
		warnings = append(warnings[:some], fmt.Sprintf("warning: %d more like these; --exclude '.*' does not send them", n))
	}
	return change, warnings, refused, nil
}
