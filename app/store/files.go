package store

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

var errNotRegular = errors.New("not a regular file")

// FS is the folder as a file system, for whoever reads files that posts name.
// It is confined: see the package comment. It implements fs.StatFS,
// fs.ReadFileFS and fs.ReadDirFS.
func (w *Worktree) FS() fs.FS { return confined{w} }

type confined struct{ w *Worktree }

func (c confined) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) || hidden(name) || leadsToHidden(c.w.root(), name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	file, err := c.w.root().OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if info.IsDir() {
		return visibleDir{file}, nil
	}
	return file, nil
}

func (c confined) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) || hidden(name) || leadsToHidden(c.w.root(), name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return c.w.root().Stat(name)
}

func (c confined) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	b, _, err := c.w.ReadFile(name, 64<<20)
	return b, err
}

func (c confined) ReadDir(name string) ([]fs.DirEntry, error) {
	file, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	dir, ok := file.(fs.ReadDirFile)
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	list, err := dir.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// leadsToHidden reports a path that goes, over links, to a hidden name.
func leadsToHidden(d disk, name string) bool {
	for range 40 { // as many links as the system follows
		to, ok := followLink(d, name)
		switch {
		case !ok:
			return false
		case hidden(to):
			return true
		}
		name = to
	}
	return true
}

// followLink replaces the first link in a path; not ok if there is none, or one
// that leads out of the folder, which the disk does not follow.
func followLink(d disk, name string) (to string, ok bool) {
	for end := 0; end < len(name); end++ {
		if rest := strings.IndexByte(name[end:], '/'); rest >= 0 {
			end += rest
		} else {
			end = len(name)
		}
		info, err := d.Lstat(name[:end])
		if err != nil {
			return "", false
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := d.Readlink(name[:end])
		if err != nil || path.IsAbs(target) {
			return "", false
		}
		to = path.Join(path.Dir(name[:end]), target, name[end:])
		return to, to != ".." && !strings.HasPrefix(to, "../")
	}
	return "", false
}

// visibleDir lists a directory without its hidden names.
type visibleDir struct{ file }

func (d visibleDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list, err := d.file.ReadDir(n)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return hidden(e.Name()) }), err
}

// A Stamp tells one state of a file from another without reading it.
type Stamp struct {
	Size  int64
	MTime int64 // nanoseconds since 1970
	Inode uint64
}

func stamp(info fs.FileInfo) Stamp {
	return Stamp{Size: info.Size(), MTime: info.ModTime().UnixNano(), Inode: inode(info)}
}

// A Dir is one directory of a walk.
type Dir struct {
	Path  string   // below the folder, "." for the folder itself
	Dirs  []string // names, sorted; a link to a directory is not among them
	Files []string // names of everything else, sorted, links included
	Dots  []string // hidden names and links to such, of which nothing but the name can be known
	Err   error    // why not all is known of what is in it; nil: all is
	root  disk
}

// Has reports whether the directory has a file or a directory of that name.
func (d *Dir) Has(name string) bool {
	return slices.Contains(d.Files, name) || slices.Contains(d.Dirs, name) || slices.Contains(d.Dots, name)
}

// Stat looks at one file of the directory, through links that stay inside the
// folder.
func (d *Dir) Stat(name string) (Stamp, error) {
	info, err := d.root.Stat(path.Join(d.Path, name))
	if err != nil {
		return Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return Stamp{}, &fs.PathError{Op: "stat", Path: path.Join(d.Path, name), Err: errNotRegular}
	}
	return stamp(info), nil
}

// Walk goes through the folder, a directory before those in it, in the order
// of names. visit says which of the directories in d.Dirs to enter. What
// vanishes on the way is left out. A directory that cannot be read is visited
// with its Err; the only error of Walk is a folder of which nothing can be read.
func (w *Worktree) Walk(visit func(d *Dir) (enter []string)) error {
	w.reopen()
	root := w.root()
	var walk func(d *Dir)
	walk = func(d *Dir) {
		for _, name := range visit(d) {
			sub := list(root, path.Join(d.Path, name))
			if sub.Err == nil || !isMissing(sub.Err) { // else it is gone since it was listed
				walk(sub)
			}
		}
	}
	top := list(root, ".")
	if top.Err != nil && len(top.Files)+len(top.Dirs) == 0 {
		return top.Err
	}
	walk(top)
	return nil
}

// list gives the names in one directory: as many as can be read.
func list(root disk, name string) *Dir {
	entries, err := root.ReadDir(name)
	d := &Dir{Path: name, Err: err, root: root}
	for _, e := range entries {
		switch {
		case hidden(e.Name()), e.Type()&fs.ModeSymlink != 0 && leadsToHidden(root, path.Join(name, e.Name())):
			d.Dots = append(d.Dots, e.Name())
		case e.IsDir():
			d.Dirs = append(d.Dirs, e.Name())
		default:
			d.Files = append(d.Files, e.Name())
		}
	}
	return d
}
