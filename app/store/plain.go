package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// A commit changes the plain files in three steps: look finds what stands
// there, stage puts the new bytes beside it, and settle, after the log, lets
// them take its place.

// A place is where one entry of a commit goes.
type place struct {
	entry  Entry
	before *Stamp      // of the file that stood there; nil: none
	mode   fs.FileMode // of that file, which the new one keeps; 0: none
	temp   string      // the new bytes, in the same directory; "": not written yet
	made   []string    // directories that were made for it, the topmost first
}

// staged begins the names of new bytes. They stand where they will be renamed:
// that a directory may be on another disk, or not be ours to write, is found
// out before the commit. Adopt removes those that a stop has left.
const staged = sheafDir + "-"

// look finds the places of the entries of a commit, and what was changed by
// hand there since the head. The lock is held.
func (f *Folder) look(l *Ledger, entries []Entry) (places []place, byHand []Entry, err error) {
	r := f.NewReader()
	defer r.Close()
	root, removed, dirs := f.root.Load(), removals(entries), map[string]bool{".": true}
	for _, e := range entries {
		if err := plainDir(root, path.Dir(e.Path), dirs, removed); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		p := place{entry: e}
		_, known := l.Entry(e.Path)
		in, base := r.at(e.Path)
		info, err := in.Lstat(base)
		switch {
		case isMissing(err) && known:
			byHand = append(byHand, Entry{Path: e.Path})
			continue
		case isMissing(err):
			if e.Hash == "" {
				continue
			}
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", e.Path, Reason(err))
		case info.IsDir():
			if e.Hash == "" {
				continue
			}
			if err := emptied(root, e.Path, removed); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", e.Path, err)
			}
		case !info.Mode().IsRegular():
			return nil, nil, fmt.Errorf("%s: %w", e.Path, irregular(info.Mode()))
		default:
			is, s, changed, err := f.taken(r, l, e.Path)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: what stands there cannot be kept: %w", e.Path, Reason(err))
			}
			if changed {
				byHand = append(byHand, is)
				continue
			}
			p.before, p.mode = &s, info.Mode().Perm()
		}
		places = append(places, p)
	}
	return places, byHand, nil
}

func removals(entries []Entry) map[string]bool {
	removed := map[string]bool{}
	for _, e := range entries {
		if e.Hash == "" {
			removed[e.Path] = true
		}
	}
	return removed
}

// plainDir checks that a directory is one or can be made: no link leads away
// from where a path says it is.
func plainDir(root *os.Root, dir string, checked, removed map[string]bool) error {
	if checked[dir] {
		return nil
	}
	if err := plainDir(root, path.Dir(dir), checked, removed); err != nil {
		return err
	}
	info, err := root.Lstat(dir)
	switch {
	case isMissing(err):
	case err != nil:
		return Reason(err)
	case info.Mode().IsRegular() && removed[dir]:
	case info.Mode().IsRegular():
		return fmt.Errorf("%s is a file", dir)
	case !info.IsDir():
		return fmt.Errorf("%s: %w", dir, irregular(info.Mode()))
	}
	checked[dir] = true
	return nil
}

func irregular(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errors.New("is a symbolic link")
	}
	return errNotRegular
}

// emptied checks that a commit removes all that is in a directory.
func emptied(root *os.Root, dir string, removed map[string]bool) error {
	return fs.WalkDir(root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !removed[name] {
			err = errors.New("is a directory")
		}
		return err
	})
}

// stage writes the new bytes of every place, and makes sure that there is leave
// to remove what has to go: all of it or nothing.
func (f *Folder) stage(places []place) (err error) {
	defer func() {
		if err != nil {
			f.abandon(places)
		}
	}()
	root := f.root.Load()
	down := &descent{top: root}
	defer down.leave()
	tried := map[string]bool{} // directories that let us write
	for i := range places {
		p := &places[i]
		dir := path.Dir(p.entry.Path)
		switch {
		case p.entry.Hash != "":
			err = f.stageOne(down, p)
		case !tried[dir]:
			temp := path.Join(dir, staged+rand.Text())
			var file *os.File
			if file, err = root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				err = errors.Join(file.Close(), root.Remove(temp))
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.entry.Path, Reason(err))
		}
		tried[dir] = true
	}
	return nil
}

func (f *Folder) stageOne(down *descent, p *place) error {
	b, err := f.objects.get(p.entry.Hash)
	if err != nil {
		return err
	}
	dir := path.Dir(p.entry.Path)
	if !down.in(dir) {
		p.made, err = makeDirs(down.top, dir)
		for errors.Is(err, syscall.ENOTDIR) { // in the way is a file that this commit removes
			dir = path.Dir(dir)
			_, err = makeDirs(down.top, dir)
		}
		if err != nil {
			return err
		}
	}
	mode := p.mode
	if mode == 0 {
		mode = 0o644
	}
	temp := path.Join(dir, staged+rand.Text())
	root, base := down.at(temp)
	file, err := root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
	if err != nil {
		return err
	}
	p.temp = temp
	_, err = file.Write(b)
	if err == nil && p.mode != 0 {
		err = file.Chmod(p.mode)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return root.Chtimes(base, p.entry.MTime, p.entry.MTime)
}

// makeDirs makes a directory and those above it. It gives those that were not
// there, the topmost first, and ENOTDIR if one is a file.
func makeDirs(root *os.Root, dir string) (made []string, err error) {
	if dir == "." {
		return nil, nil
	}
	info, err := root.Lstat(dir)
	if err == nil && info.IsDir() {
		return nil, nil
	}
	if err == nil {
		return nil, syscall.ENOTDIR
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if made, err = makeDirs(root, path.Dir(dir)); err != nil {
		return made, err
	}
	if err := root.Mkdir(dir, 0o755); err != nil {
		return made, err
	}
	return append(made, dir), nil
}

// abandon takes back what stage has done.
func (f *Folder) abandon(places []place) {
	root := f.root.Load()
	for i := range places {
		if p := &places[i]; p.temp != "" {
			_ = root.Remove(p.temp)
			p.temp = ""
		}
	}
	for _, p := range slices.Backward(places) {
		for _, dir := range slices.Backward(p.made) {
			_ = root.Remove(dir)
		}
	}
}

// settle brings the plain files to the head, removals first: a directory may
// take the place of a file. What it cannot do stays to be done, and until then
// there is no other commit. The lock is held.
func (f *Folder) settle(head Rev) error {
	root := f.root.Load()
	dirs := map[string]bool{}
	var left []place
	var failed error
	down := &descent{top: root}
	defer down.leave()
	for _, remove := range []bool{true, false} {
		for _, p := range f.behind {
			if (p.entry.Hash == "") != remove {
				continue
			}
			if err := f.settleOne(down, &p, dirs); err != nil {
				left = append(left, p)
				if failed == nil {
					failed = fmt.Errorf("revision %d is not in place: %s: %w", head, p.entry.Path, Reason(err))
				}
			}
		}
		down.leave()
		if remove {
			removeEmptied(root, dirs)
		}
	}
	// Also those of a large commit: only the last one is ever carried out again.
	if len(dirs) > few && canSyncAll {
		failed = errors.Join(failed, syncAll(f.home))
		clear(dirs)
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := fsync(root, dir); err != nil && !isMissing(err) {
			failed = errors.Join(failed, err)
		}
	}
	if f.behind = left; failed == nil && f.settled < head {
		f.settled = head
		f.finished(head)
	}
	return failed
}

// settleOne does one place, and notes the directories whose names it changes.
// A file that was changed by hand since look keeps that change: Adopt makes it
// the next revision.
func (f *Folder) settleOne(down *descent, p *place, dirs map[string]bool) error {
	root, name := down.top, p.entry.Path
	in, base := down.at(name)
	info, err := in.Lstat(base)
	if err != nil && !isMissing(err) {
		return err
	}
	there, isDir := err == nil, err == nil && info.IsDir()
	if p.before == nil && there && !isDir || p.before != nil && (!there || stamp(info) != *p.before) {
		if p.temp != "" {
			_ = root.Remove(p.temp)
		}
		return nil
	}
	if p.entry.Hash == "" {
		if err := in.Remove(base); err != nil {
			return err
		}
		f.index.drop(name)
		dirs[path.Dir(name)] = true
		return nil
	}
	if p.temp == "" {
		if err := f.stageOne(down, p); err != nil {
			if p.temp != "" {
				_ = root.Remove(p.temp)
				p.temp = ""
			}
			return err
		}
		if err := fsync(root, p.temp); err != nil {
			return err
		}
	}
	if isDir {
		if err := removeDir(root, name); err != nil {
			return err
		}
	}
	var made []string
	if !down.in(path.Dir(name)) {
		if made, err = makeDirs(root, path.Dir(name)); err != nil {
			return err
		}
	}
	from, temp := down.at(p.temp)
	if in, base = down.at(name); in != from {
		in, temp, base = root, p.temp, name
	}
	if err := in.Rename(temp, base); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			p.temp = "" // somebody has tidied up: the next time makes another
		}
		return err
	}
	for _, dir := range append(p.made, made...) {
		dirs[path.Dir(dir)] = true
	}
	dirs[path.Dir(name)] = true
	if info, err := in.Lstat(base); err == nil && info.Mode().IsRegular() {
		f.index.put(name, stamp(info), p.entry.Hash)
	}
	return nil
}

// removeEmptied removes those of dirs in which nothing is left, and those above
// them: their names are then gone from another directory.
func removeEmptied(root *os.Root, dirs map[string]bool) {
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		gone := false
		for dir != "." && removeDir(root, dir) == nil {
			dir, gone = path.Dir(dir), true
		}
		if gone {
			dirs[dir] = true
		}
	}
}

// removeDir removes a directory that has nothing in it but directories.
func removeDir(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return err
	}
	below, err := readDir(root, name)
	for _, e := range below {
		if err == nil && !e.IsDir() {
			err = syscall.ENOTEMPTY
		}
	}
	for _, e := range below {
		if err == nil {
			err = removeDir(root, path.Join(name, e.Name()))
		}
	}
	if err == nil {
		err = root.Remove(name)
	}
	return err
}

// redo carries out the last commit if the server was stopped before its plain
// files were written. A file that is neither as the commit wants it nor as it
// was before has been changed by hand since, and stays. What cannot be done
// now is done before the next commit.
func (f *Folder) redo(l *Ledger) error {
	last, ok := l.Commit(l.Rev())
	if f.settled = f.shown(); !ok || f.settled >= last.Rev || last.Door == doorHand {
		return nil
	}
	root, before, removed := f.root.Load(), l.At(last.Rev-1), removals(last.Entries)
	for _, e := range last.Entries {
		p, was := place{entry: e}, before[e.Path].Hash
		info, err := root.Lstat(e.Path)
		switch {
		case isMissing(err):
			if e.Hash == "" || was != "" {
				continue
			}
		case err != nil:
			return fmt.Errorf("%s: %w", e.Path, Reason(err))
		case info.IsDir():
			if e.Hash == "" || emptied(root, e.Path, removed) != nil {
				continue
			}
		case !info.Mode().IsRegular():
			continue
		default:
			b, s, err := f.ReadFile(e.Path, maxKept)
			if err != nil {
				continue
			}
			if is := hashOf(b); is == e.Hash || is != was {
				continue
			}
			p.before, p.mode = &s, info.Mode().Perm()
		}
		f.behind = append(f.behind, p)
	}
	if n := len(f.behind); n > 0 {
		f.log.Info("last commit is carried out again", "rev", last.Rev, "files", n)
	}
	if err := f.settle(last.Rev); err != nil {
		f.log.Error("files of a commit not written", "rev", last.Rev, "err", err)
	}
	return nil
}

// isMissing reports that there is no file: none of that name, or one where its
// directory would be.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func isStaged(name string) bool { return strings.HasPrefix(name, staged) }
