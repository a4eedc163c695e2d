package transfer

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// An upload is a file that only this session sees: it is being written, belongs
// to an editor, is empty, or was refused.
type upload struct {
	path     string
	data     []byte
	reserved int64 // bytes of memory reserved for data

	// source is the file of the blog the upload begins with, while that has not
	// been read into data; its Hash is "" otherwise.
	source blog.FileInfo

	mtime      time.Time
	base       blog.Rev // what the author has seen
	baseHash   string   // of the file at that revision, "" if there was none
	autosaveID string   // of its autosaved copy, "" if there is none
	writers    int      // open handles that may write
	dirty      bool     // written since it was last published or found to be unpublishable
	incomplete bool     // cut off, or not all of it was accepted: never published
	reason     string   // why it is not published, to be told at the end; "" for nothing
}

func (u *upload) size() int64 {
	if u.source.Hash != "" {
		return u.source.Size
	}
	return int64(len(u.data))
}

// An uploadHandle is an open upload.
type uploadHandle struct {
	s         *sftpSession
	u         *upload
	writable  bool
	minOffset int64 // of writes: where the file ended when it was opened to append
	closeOnce sync.Once
}

// Filewrite opens a file for writing.
func (s *sftpSession) Filewrite(r *sftp.Request) (io.WriterAt, error) { return s.OpenFile(r) }

// OpenFile opens a file for writing and reading, and makes it first if the
// client asks for that. What is written is published when the last handle is
// closed.
func (s *sftpSession) OpenFile(r *sftp.Request) (_ sftp.WriterAtReaderAt, err error) {
	s.opened <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	if err := s.requireAuthor(); err != nil {
		return nil, err
	}
	f, err := s.files(0)
	if err != nil {
		return nil, err
	}
	flags := r.Pflags()
	n, err := s.lookup(f, cleanPath(r.Filepath))
	switch {
	case err == nil && n.dir:
		return nil, s.refuse(n.path, "is a folder")
	case err == nil && flags.Creat && flags.Excl:
		return nil, errors.New("exists already")
	case err != nil && !flags.Creat:
		return nil, err
	case err != nil:
		if n.path, err = s.newPath(f, n.path); err != nil {
			return nil, err
		}
	}
	if err := s.requireHandle(); err != nil {
		return nil, err
	}
	u := n.upload
	if u == nil {
		if u, err = s.newUpload(f, n); err != nil {
			return nil, err
		}
	}
	if flags.Trunc {
		err = s.truncate(f, u, 0)
	} else {
		err = s.fill(f, u)
	}
	if err != nil {
		if n.upload == nil {
			s.discard(u)
		}
		return nil, err
	}
	s.handles++
	u.writers++
	h := &uploadHandle{s: s, u: u, writable: true}
	if flags.Append {
		h.minOffset = u.size()
	}
	return h, nil
}

// newPath returns the path under which a new file or folder is kept, or tells
// why it may not be there.
func (s *sftpSession) newPath(f *blog.Files, p string) (string, error) {
	if strings.Contains(p, outOfTop) {
		return "", s.refuse(strings.ReplaceAll(p, outOfTop, ".."), "leads out of the blog")
	}
	if dir, ok := strings.CutSuffix(p, endOfFolder); ok {
		return "", s.refuse(dir, "there is no such folder; make it first")
	}
	if !blog.Scratch(p) {
		kept, err := blog.PathFor(p)
		if err != nil {
			return "", s.refuse(p, err.Error())
		}
		p = kept
	} else if len(p) > 1024 {
		return "", s.refuse(p[:100], "has a name that is too long")
	}
	if dir := path.Dir(p); !s.folders[dir] && !isDir(f, dir) {
		return "", s.refuse(p, "there is no folder "+dir+"; make it first")
	}
	return p, nil
}

// newUpload makes an upload that begins as a file of the blog, or as nothing.
func (s *sftpSession) newUpload(f *blog.Files, n node) (*upload, error) {
	if len(s.uploads) >= maxUploads {
		return nil, errors.New("too many files that are not published")
	}
	u := &upload{path: n.path, source: n.info, mtime: n.info.MTime, base: f.Rev(), baseHash: n.info.Hash}
	if s.backedUp[u.path] {
		info, _ := f.Stat(u.path) // it is in the blog, only hidden
		u.baseHash = info.Hash
	}
	if n.info.Hash == "" {
		u.mtime, u.dirty = time.Now(), true
	}
	s.uploads[u.path] = u
	return u, nil
}

// discard removes an upload from the session. Handles that are open may still
// read it.
func (s *sftpSession) discard(u *upload) {
	if s.uploads[u.path] == u {
		delete(s.uploads, u.path)
	}
	if u.writers == 0 {
		_ = s.reserve(-u.reserved)
		u.reserved = 0
	}
}

// truncate makes an upload exactly size bytes long.
func (s *sftpSession) truncate(f *blog.Files, u *upload, size int64) error {
	if size == u.size() {
		return s.fill(f, u)
	}
	if size == 0 {
		_ = s.reserve(-u.reserved)
		u.data, u.reserved, u.source = nil, 0, blog.FileInfo{}
	} else if err := s.fill(f, u); err != nil {
		return err
	} else if err := s.grow(u, size); err != nil {
		return err
	}
	if size < int64(len(u.data)) {
		clear(u.data[size:])
		u.data = u.data[:size]
	}
	u.dirty, u.mtime = true, time.Now()
	return nil
}

// grow makes an upload at least size bytes long.
func (s *sftpSession) grow(u *upload, size int64) error {
	if size <= int64(len(u.data)) {
		return nil
	}
	if limit := s.Visitor.MaxFile(u.path); size > limit {
		return tooBig(limit)
	}
	if room := int64(cap(u.data)); size > room {
		more := max(size-room, room) // at least twice as much
		if err := s.reserve(more); err != nil {
			return err
		}
		u.reserved += more
		data := make([]byte, len(u.data), room+more)
		copy(data, u.data)
		u.data = data
	}
	u.data = u.data[:size]
	return nil
}

func (h *uploadHandle) ReadAt(p []byte, off int64) (int, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return readAt(h.u.data, p, off)
}

// WriteAt implements io.WriterAt. Once a write has failed the upload is never
// published: clients close the file then as if it were complete.
func (h *uploadHandle) WriteAt(p []byte, off int64) (_ int, err error) {
	s, u := h.s, h.u
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	switch {
	case !h.writable:
		return 0, errors.New("not open for writing")
	case off < 0 || off > 1<<40:
		err = errors.New("is written beyond its end")
	case off < h.minOffset:
		err = errors.New("is written before the end, and was opened to append")
	default:
		err = s.grow(u, off+int64(len(p)))
	}
	if err != nil {
		if !u.incomplete {
			u.incomplete, u.reason = true, err.Error()
		}
		return 0, err
	}
	copy(u.data[off:], p)
	u.dirty, u.mtime = true, time.Now()
	return len(p), nil
}

// TransferError is called when an upload was cut off before its end.
func (h *uploadHandle) TransferError(error) {
	if h.writable {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		h.u.incomplete = true
	}
}

// Close publishes what was written, unless the upload is still open elsewhere.
func (h *uploadHandle) Close() (err error) {
	h.closeOnce.Do(func() {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		defer h.s.contain(&err)
		h.s.handles--
		if h.writable {
			h.u.writers--
			err = h.s.finishUpload(h.u)
		}
	})
	return err
}

// finishUpload publishes an upload if it is complete and nobody writes to it
// any more, and drops it if there is nothing to publish.
func (s *sftpSession) finishUpload(u *upload) error {
	switch {
	case u.writers > 0:
		return nil
	case s.uploads[u.path] != u: // removed meanwhile
		s.discard(u)
		return nil
	case u.incomplete && u.reason != "":
		s.discard(u)
		return s.refuse(u.path, u.reason)
	case u.incomplete: // cut off, which is told at the end
		return nil
	case !u.dirty:
		if u.reason == "" && !blog.Scratch(u.path) {
			s.discard(u)
		}
		return nil
	}
	return s.commitUpload(u)
}

// commitUpload makes an upload a file of the blog. If it succeeds the upload is
// dropped, since the blog has the file now. What cannot be a file of the blog
// stays in the session without an error; what is refused stays there too, and
// is committed again when it is closed again.
func (s *sftpSession) commitUpload(u *upload) error {
	switch {
	case blog.Scratch(u.path):
		u.dirty, u.reason = false, "hidden names, and those of editors, are not kept"
		return nil
	case u.size() == 0: // some programs make a file before they write it
		u.dirty, u.reason = false, "is empty"
		return nil
	}
	u.reason = ""
	e, err := s.store(u, u.path)
	if err == nil {
		err = s.commit(u.base, e)
	}
	s.autosave(u, u.path, err)
	switch {
	case errors.Is(err, blog.ErrConflict):
		// The other author's text keeps the name; this one stays beside it for
		// as long as the session lasts.
		u.dirty = false
		s.moveUpload(u, u.path+conflictSuffix)
		return err
	case err != nil:
		return err
	}
	delete(s.backedUp, u.path)
	s.discard(u)
	return nil
}

// autosave follows an attempt to commit an upload at path p. If it was refused,
// the text is autosaved for its author to find in the browser, for programs
// that write through sshfs do not show the reason. If it succeeded, an earlier
// copy is removed. Either is durable when autosave returns.
func (s *sftpSession) autosave(u *upload, p string, commitErr error) {
	var refusal *blog.Refusal
	var err error
	switch {
	case commitErr == nil && u.autosaveID != "":
		err = s.author.DiscardAutosave(s.ctx, u.autosaveID)
		u.autosaveID = ""
	case errors.As(commitErr, &refusal) && blog.IsMarkdown(p) && u.isText():
		text := blog.Autosave{
			Text:    blog.Text{Path: p, Hash: u.baseHash, Body: u.data},
			ID:      u.autosaveID,
			Channel: "sftp",
			Reason:  refusal.Lines()[0],
		}
		if p != u.path { // a temporary file that is renamed to p
			text.Hash = s.hashAt(p, u.base)
		}
		u.autosaveID, err = s.author.Autosave(s.ctx, text)
	}
	if err != nil && !errors.As(err, &refusal) {
		s.t.config.Log.Warn("refused text not kept", "path", markdown.Line(p), "err", markdown.Line(err.Error()))
	}
}

// isText reports whether an upload was read or written and is text.
func (u *upload) isText() bool {
	return u.source.Hash == "" && utf8.Valid(u.data) && !bytes.Contains(u.data, []byte{0})
}

// hashAt returns the hash of the file at a path and revision, "" if there was
// none.
func (s *sftpSession) hashAt(p string, rev blog.Rev) string {
	log, _ := s.author.Log(s.ctx, p, 0) // an error means that there was none
	for _, r := range log {
		if r.Rev <= rev && r.Path == p {
			return r.Hash
		}
	}
	return ""
}

// store gives an upload's bytes to the blog and returns the entry that puts
// them at path p.
func (s *sftpSession) store(u *upload, p string) (blog.Entry, error) {
	e := blog.Entry{Path: p, Hash: u.source.Hash, Size: u.size(), MTime: u.mtime}
	if e.Hash != "" {
		return e, nil
	}
	var err error
	if e.Hash, err = s.author.Put(s.ctx, u.data); err != nil {
		return e, s.reply(blog.Receipt{}, err)
	}
	return e, nil
}

// commit makes one change of the blog and tells the author what became of it.
// The base is what the author has seen; what this session has changed since,
// the author knows.
func (s *sftpSession) commit(base blog.Rev, entries ...blog.Entry) error {
	for _, e := range entries {
		base = max(base, s.ownRevs[e.Path])
	}
	r, err := s.author.Commit(s.ctx, blog.Change{Base: base, Entries: entries})
	s.cached = nil
	if err == nil {
		for _, f := range r.Files {
			if f.Action != blog.Unchanged {
				s.ownRevs[f.Path] = r.Rev
			}
		}
	}
	return s.reply(r, err)
}

// reply tells the author the outcome of a commit and returns the error for the
// client. A *blog.Refusal is returned as it is.
func (s *sftpSession) reply(r blog.Receipt, err error) error {
	status, internal := s.report(r, err)
	var refusal *blog.Refusal
	switch {
	case internal != nil:
		return s.internalError(internal)
	case status == 0:
		return nil
	case !errors.As(err, &refusal):
		err = errors.New("not published")
	}
	s.refused = true
	return err
}
