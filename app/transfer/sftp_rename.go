package transfer

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
)

// Filecmd answers the methods that change names and attributes.
func (s *sftpSession) Filecmd(r *sftp.Request) error { return s.change(r, false) }

// PosixRename is Rename that replaces what is there.
func (s *sftpSession) PosixRename(r *sftp.Request) error { return s.change(r, true) }

// change dispatches the requests that are Filecmd's by their method.
func (s *sftpSession) change(r *sftp.Request, replace bool) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	if err := s.requireAuthor(); err != nil {
		return err
	}
	f, err := s.files(0)
	if err != nil {
		return err
	}
	if r.Method == "Link" || r.Method == "Symlink" {
		_ = s.refuse(cleanPath(r.Target), "links are not kept")
		return sftp.ErrSSHFxOpUnsupported
	}
	n, err := s.lookup(f, cleanPath(r.Filepath))
	if r.Method == "Mkdir" {
		return s.mkdir(f, n.path, err == nil)
	}
	if err != nil {
		return err
	}
	switch r.Method {
	case "Setstat":
		return s.setstat(f, n, r)
	case "Remove":
		return s.remove(f, n)
	case "Rmdir":
		return s.rmdir(f, n)
	case "Rename", "PosixRename":
		return s.rename(f, n, cleanPath(r.Target), replace)
	}
	return sftp.ErrSSHFxOpUnsupported
}

// mkdir makes a folder of the session: the blog has it once it has a file.
func (s *sftpSession) mkdir(f *blog.Files, p string, exists bool) error {
	if exists {
		return errors.New("exists already")
	}
	p, err := s.newPath(f, p)
	if err != nil {
		return err
	}
	if len(s.folders) >= maxUploads {
		return errors.New("too many folders")
	}
	s.folders[p] = true
	return nil
}

func (s *sftpSession) rmdir(f *blog.Files, n node) error {
	if !n.dir {
		return errors.New("not a folder")
	}
	switch in, err := s.list(f, n.path); {
	case err != nil:
		return err
	case len(in) > 0:
		return errors.New("not empty")
	}
	delete(s.folders, n.path)
	return nil
}

// setstat sets the length of a file, which may publish it, and the time of an
// upload. The time of a published file stays, and modes and owners mean nothing
// here; a request for these succeeds without effect.
func (s *sftpSession) setstat(f *blog.Files, n node, r *sftp.Request) error {
	attrs, flags := r.Attributes(), r.AttrFlags()
	switch {
	case attrs == nil:
		return sftp.ErrSSHFxBadMessage
	case n.dir:
		return nil
	}
	u := n.upload
	if flags.Size && (u != nil || int64(attrs.Size) != n.info.Size) {
		if limit := s.Visitor.MaxFile(n.path); attrs.Size > uint64(limit) {
			return s.refuse(n.path, tooBig(limit).Error())
		}
		if u == nil {
			var err error
			if u, err = s.newUpload(f, n); err != nil {
				return err
			}
		}
		if err := s.truncate(f, u, int64(attrs.Size)); err != nil {
			return err
		}
		if err := s.finishUpload(u); err != nil {
			return err
		}
	}
	if flags.Acmodtime && u != nil {
		u.mtime = time.Unix(int64(attrs.Mtime), 0)
	}
	return nil
}

// inBlog reports whether the session sees a file of the blog at a path.
func (s *sftpSession) inBlog(f *blog.Files, p string) bool {
	info, err := f.Stat(p)
	return err == nil && !info.Dir && info.Path == p && !s.backedUp[p]
}

// keepFolders keeps the folders above a path for the session, though they may
// be empty now.
func (s *sftpSession) keepFolders(p string) {
	for dir := path.Dir(p); dir != "." && len(s.folders) < maxUploads; dir = path.Dir(dir) {
		s.folders[dir] = true
	}
}

// remove removes a file. Removing a backup also removes the file it is a backup
// of, if that was not written again.
func (s *sftpSession) remove(f *blog.Files, n node) error {
	if n.dir {
		return errors.New("is a folder")
	}
	original, isBackup := strings.CutSuffix(n.path, "~")
	switch {
	case s.inBlog(f, n.path):
		if err := s.commit(f.Rev(), blog.Entry{Path: n.path}); err != nil {
			return err
		}
	case isBackup && s.backedUp[original]:
		if err := s.removeBackedUp([]string{original}); err != nil {
			return err
		}
	}
	s.keepFolders(n.path)
	if n.upload != nil {
		s.discard(n.upload)
	}
	return nil
}

// removeBackedUp removes files from the blog that were renamed to backups.
func (s *sftpSession) removeBackedUp(paths []string) error {
	f, err := s.files(0)
	if err != nil {
		return err
	}
	var entries []blog.Entry
	for _, p := range paths {
		delete(s.backedUp, p)
		if s.inBlog(f, p) {
			entries = append(entries, blog.Entry{Path: p})
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return s.commit(f.Rev(), entries...)
}

// rename gives a file or folder another path, as one change. A file may replace
// another if replace is set.
func (s *sftpSession) rename(f *blog.Files, n node, to string, replace bool) error {
	switch target, err := s.lookup(f, to); {
	case err == nil && target.path == n.path:
		return nil
	case err == nil && (!replace || target.dir || n.dir):
		return errors.New("exists already")
	case err == nil:
		to = target.path
	default:
		if to, err = s.newPath(f, to); err != nil {
			return err
		}
	}
	switch {
	case n.dir:
		return s.renameFolder(f, n.path, to)
	case n.upload != nil && n.upload.writers > 0: // it is published when it is closed
		s.moveUpload(n.upload, to)
		return nil
	}
	return s.renameFile(f, n, to)
}

// renameFile moves a file that nobody writes to. It is published if its new
// name and contents allow it. A file of the blog is removed under its old name,
// unless the new one makes it an editor's backup.
func (s *sftpSession) renameFile(f *blog.Files, n node, to string) error {
	from, u := n.path, n.upload
	if u == nil {
		u = &upload{path: from, source: n.info, mtime: n.info.MTime, base: f.Rev()}
	}
	var entries []blog.Entry
	publishes := !blog.Scratch(to) && u.size() > 0 && !u.incomplete
	if publishes {
		e, err := s.store(u, to)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	inBlog, toBackup := s.inBlog(f, from), to == from+"~"
	if inBlog && !toBackup {
		entries = append(entries, blog.Entry{Path: from})
	}
	if len(entries) > 0 {
		err := s.commit(u.base, entries...)
		s.autosave(u, to, err)
		if err != nil {
			return err
		}
	}
	s.keepFolders(from)
	if inBlog && toBackup {
		s.backedUp[from] = true
	}
	s.moveUpload(u, to)
	u.dirty, u.reason = false, ""
	switch {
	case publishes:
		delete(s.backedUp, to)
		s.discard(u)
	case !blog.Scratch(to):
		u.reason = "is empty"
	}
	return nil
}

// moveUpload gives an upload another path. An upload that has this path is
// discarded.
func (s *sftpSession) moveUpload(u *upload, to string) {
	if other := s.uploads[to]; other != nil && other != u {
		s.discard(other)
	}
	if s.uploads[u.path] == u {
		delete(s.uploads, u.path)
	}
	u.path = to
	s.uploads[to] = u
}

// renameFolder moves a folder with all that is in it. The files of the blog
// move as one change; under a hidden name they leave the blog and become
// uploads of this session, which is refused if they are more than it may have.
func (s *sftpSession) renameFolder(f *blog.Files, from, to string) error {
	if strings.HasPrefix(to+"/", from+"/") || from == "." {
		return errors.New("a folder cannot be moved into itself")
	}
	moved := func(p string) (string, bool) {
		rest, inside := strings.CutPrefix(p+"/", from+"/")
		return path.Join(to, rest), inside
	}
	hidden := blog.Scratch(to)
	var entries []blog.Entry
	var uploads []*upload
	for info := range f.All() {
		p, inside := moved(info.Path)
		if !inside || s.backedUp[info.Path] {
			continue
		}
		entries = append(entries, blog.Entry{Path: info.Path})
		switch {
		case !hidden:
			entries = append(entries, blog.Entry{Path: p, Hash: info.Hash, Size: info.Size, MTime: info.MTime})
		case len(s.uploads)+len(uploads) >= maxUploads:
			return s.refuse(from, fmt.Sprintf("has too many files to be hidden: a session keeps %d", maxUploads))
		default:
			uploads = append(uploads, &upload{path: p, source: info, mtime: info.MTime, base: f.Rev()})
		}
	}
	if len(entries) > 0 {
		if err := s.commit(f.Rev(), entries...); err != nil {
			return err
		}
	}
	for _, u := range uploads {
		s.uploads[u.path] = u
	}
	for _, p := range slices.Collect(maps.Keys(s.uploads)) {
		if at, inside := moved(p); inside {
			s.moveUpload(s.uploads[p], at)
		}
	}
	for _, p := range slices.Collect(maps.Keys(s.folders)) {
		if at, inside := moved(p); inside {
			delete(s.folders, p)
			s.folders[at] = true
		}
	}
	s.folders[to] = true
	s.keepFolders(from)
	return nil
}
