package transfer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

const (
	maxHandles      = 16          // open files and folders of one session
	maxUploads      = 4096        // unpublished files of one session, and as many folders
	maxSessionBytes = 64 << 20    // file contents held by one session
	maxTotalBytes   = 256 << 20   // file contents held by all sessions of authors
	maxReadersBytes = 32 << 20    // and by those of readers, if the disk does not take them
	readMaxAge      = time.Second // how old the files may be that are read or listed
	conflictSuffix  = ".refused~" // appended to the name of a text that another author's change preceded
)

// SFTP serves the subsystem "sftp" (version 3 of the protocol), and so sftp,
// scp, sshfs and everything else that speaks it, until the client has finished
// or ctx ends.
//
// It returns the exit status, 1 if anything was refused. The client has been
// told of everything but err, which is an internal failure for the log.
func (t *Transfer) SFTP(ctx context.Context, session Session) (status int, err error) {
	defer t.contain(&err)
	status = 1
	session.Visitor = session.Visitor.Via("sftp")
	s := &sftpSession{
		Session:  session,
		t:        t,
		ctx:      ctx,
		opened:   make(chan struct{}, 1),
		uploads:  map[string]*upload{},
		folders:  map[string]bool{},
		backedUp: map[string]bool{},
		ownRevs:  map[string]blog.Rev{},
	}
	s.author, _ = session.Visitor.Author()
	defer s.releaseAll()
	in := &sftpFilter{r: session.In, opened: s.opened}
	out := &closableWriter{w: session.Out}
	defer out.Close()
	server := sftp.NewRequestServer(struct {
		io.Reader
		io.WriteCloser
	}{in, out}, sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s})
	_ = server.Serve() // its error only says how the input has ended
	return s.finish()
}

// A closableWriter fails once it is closed. The library writes answers in a
// goroutine of its own, which may outlive the session.
type closableWriter struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (c *closableWriter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	return c.w.Write(p)
}

func (c *closableWriter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// An sftpSession shows the blog's files and, over them, what only this session
// has: its uploads and folders.
//
// The library calls the exported methods, from many goroutines in which a panic
// would end the server. So each of them takes the lock and defers contain; the
// other methods are called with the lock held.
type sftpSession struct {
	Session
	author blog.Author // nobody for readers: see requireAuthor
	t      *Transfer
	ctx    context.Context
	opened chan struct{} // gets a value for each request to open; capacity 1

	mu       sync.Mutex
	cached   *blog.Files
	cachedAt time.Time
	uploads  map[string]*upload // by path; they hide the blog's files of the same paths

	// folders were made or emptied in this session: the blog keeps no empty
	// ones, but clients expect them to stay.
	folders map[string]bool
	// backedUp are files of the blog that the client has renamed to FILE~, as
	// editors do before they write FILE anew. They are hidden, and removed at
	// the end of the session if they were not written.
	backedUp map[string]bool
	// ownRevs are the revisions this session has made, by path. A later change
	// of the same file does not conflict with them.
	ownRevs map[string]blog.Rev

	handles     int
	sent        []*pooledFile // that are open
	reserved    int64         // bytes, of Transfer.reserved or readers
	refused     bool          // anything was
	denied      bool          // the client knows that readers change nothing
	internalErr error         // the first
}

// contain, when deferred, turns a panic into an error.
func (s *sftpSession) contain(err *error) {
	if r := recover(); r != nil {
		*err = s.internalError(fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
	}
}

// internalError keeps an internal failure for the end of the session, and
// returns the error for the client.
func (s *sftpSession) internalError(err error) error {
	if s.internalErr == nil {
		s.internalErr = err
	}
	return errors.New("internal error")
}

// refuse tells why something was not done and returns the error for the client.
// OpenSSH's clients show no more of an error than "Failure", so the reason also
// goes to the session's standard error.
func (s *sftpSession) refuse(p, why string) error {
	s.refused = true
	text := markdown.Line(p + ": " + why)
	s.say("sheaf: not published: " + text)
	return errors.New(text)
}

// requireAuthor fails for readers, and tells them why once a session.
func (s *sftpSession) requireAuthor() error {
	if s.Visitor.IsAuthor() {
		return nil
	}
	if !s.denied {
		s.deny()
	}
	s.denied, s.refused = true, true
	return sftp.ErrSSHFxPermissionDenied
}

// finish removes the posts that were renamed to backups and not written again,
// tells which files were not published and why, and returns the session's exit
// status and its first internal failure.
func (s *sftpSession) finish() (status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// An editor whose connection was cut in between has removed nothing.
	if len(s.backedUp) > 0 && s.Alive(s.ctx) {
		_ = s.removeBackedUp(slices.Sorted(maps.Keys(s.backedUp)))
	}
	for _, p := range slices.Sorted(maps.Keys(s.uploads)) {
		switch u := s.uploads[p]; {
		case u.reason != "":
			_ = s.refuse(p, u.reason)
		case u.incomplete:
			_ = s.refuse(p, "the upload was cut off")
		}
	}
	if s.refused || s.internalErr != nil {
		return 1, s.internalErr
	}
	return 0, nil
}

// reserve asks for n bytes of memory, or returns them if n is negative, which
// cannot fail.
func (s *sftpSession) reserve(n int64) error {
	all, most := &s.t.reserved, int64(maxTotalBytes)
	if !s.Visitor.IsAuthor() {
		all, most = &s.t.readers, maxReadersBytes
	}
	total := all.Add(n)
	if n > 0 && (total > most || s.reserved+n > maxSessionBytes) {
		all.Add(-n)
		return errors.New("too much at one time; try again a little later")
	}
	s.reserved += n
	return nil
}

// releaseAll returns the session's memory, and the files it has open.
func (s *sftpSession) releaseAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.reserve(-s.reserved)
	for _, f := range s.sent {
		f.give()
	}
	s.sent = nil
}

// files returns the blog's files, at most maxAge old.
func (s *sftpSession) files(maxAge time.Duration) (*blog.Files, error) {
	if s.cached != nil && time.Since(s.cachedAt) < maxAge {
		return s.cached, nil
	}
	f, err := s.Visitor.Files(s.ctx)
	if err != nil {
		return nil, s.internalError(err)
	}
	s.cached, s.cachedAt = f, time.Now()
	return f, nil
}

// A node is a file or folder as the session sees it.
type node struct {
	path   string
	dir    bool
	upload *upload       // nil for a file of the blog
	info   blog.FileInfo // of a file or folder of the blog
}

// lookup finds what a path names. The node has the path even if there is
// nothing, which is fs.ErrNotExist.
func (s *sftpSession) lookup(f *blog.Files, p string) (node, error) {
	n := node{path: p, upload: s.uploads[p]}
	if n.upload != nil {
		return n, nil
	}
	if n.dir = s.folders[p] || isDir(f, p); n.dir {
		n.info, _ = f.Stat(p)
		return n, nil
	}
	info, err := f.Stat(p)
	if err == nil && info.Path != p {
		// The path is an address of a post. For authors, who also write to
		// what they find, only SLUG.md is one, not the others a post has.
		if s.Visitor.IsAuthor() && !isPostAddress(s.Visitor, p) {
			return n, fs.ErrNotExist
		}
		if u := s.uploads[info.Path]; u != nil {
			return node{path: u.path, upload: u}, nil
		}
	}
	if err != nil || s.backedUp[info.Path] {
		return n, fs.ErrNotExist
	}
	return node{path: info.Path, info: info}, nil
}

// find is lookup for requests that only read.
func (s *sftpSession) find(r *sftp.Request) (*blog.Files, node, error) {
	f, err := s.files(readMaxAge)
	if err != nil {
		return nil, node{}, err
	}
	n, err := s.lookup(f, cleanPath(r.Filepath))
	return f, n, err
}

// requireHandle fails if the session has too many files and folders open.
func (s *sftpSession) requireHandle() error {
	if s.handles >= maxHandles {
		return errors.New("too many open files")
	}
	return nil
}

// fileInfo is an fs.FileInfo for clients.
type fileInfo struct {
	name  string
	size  int64
	mtime time.Time
	mode  fs.FileMode
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) ModTime() time.Time { return i.mtime }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

// fileInfo describes a node under the name in path p.
func (s *sftpSession) fileInfo(p string, n node) fileInfo {
	info := fileInfo{name: path.Base(p), size: n.info.Size, mtime: n.info.MTime, mode: 0o444}
	if n.dir {
		info.mode = fs.ModeDir | 0o555
	}
	if u := n.upload; u != nil {
		info.size, info.mtime = u.size(), u.mtime
	}
	if s.Visitor.IsAuthor() {
		info.mode |= 0o200
	}
	if info.mtime.Unix() < 0 {
		info.mtime = time.Unix(0, 0) // the protocol's times are unsigned
	}
	return info
}

// list returns what is in a folder, sorted by name. The session's own files and
// folders are among it, files that it has backed up are not.
func (s *sftpSession) list(f *blog.Files, dir string) ([]fs.FileInfo, error) {
	merged := map[string]fileInfo{}
	infos, err := f.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.internalError(err)
	}
	if dir == "." {
		merged[postsDir] = s.fileInfo(postsDir, node{dir: true})
	}
	for p := range s.folders {
		if path.Dir(p) == dir {
			merged[p] = s.fileInfo(p, node{dir: true})
		}
	}
	for _, info := range infos {
		if !s.backedUp[info.Path] {
			merged[info.Path] = s.fileInfo(info.Path, node{dir: info.Dir, info: info})
		}
	}
	for p, u := range s.uploads {
		if path.Dir(p) == dir {
			merged[p] = s.fileInfo(p, node{upload: u})
		}
	}
	all := make([]fs.FileInfo, 0, len(merged))
	for _, info := range merged {
		all = append(all, info)
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

// A listing hands out descriptions of files in the pieces a client asks for.
type listing struct {
	infos   []fs.FileInfo
	onClose func() // may be nil
}

func (l *listing) ListAt(into []fs.FileInfo, from int64) (int, error) {
	if from < 0 || from >= int64(len(l.infos)) {
		return 0, io.EOF
	}
	n := copy(into, l.infos[from:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}

func (l *listing) Close() error {
	if l.onClose != nil {
		l.onClose()
	}
	return nil
}

// Filelist answers the methods List, Stat and Readlink. There are no links.
func (s *sftpSession) Filelist(r *sftp.Request) (_ sftp.ListerAt, err error) {
	if r.Method == "List" {
		s.opened <- struct{}{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	f, n, err := s.find(r)
	switch {
	case err != nil:
		return nil, err
	case r.Method == "Readlink":
		return nil, errors.New("not a link")
	case r.Method != "List":
		return &listing{infos: []fs.FileInfo{s.fileInfo(cleanPath(r.Filepath), n)}}, nil
	case !n.dir:
		return nil, errors.New("not a folder")
	}
	infos, err := s.list(f, n.path)
	if err != nil {
		return nil, err
	}
	if err := s.requireHandle(); err != nil {
		return nil, err
	}
	s.handles++
	return &listing{infos: infos, onClose: sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handles--
	})}, nil
}

// StatVFS answers df, and programs that ask for room before they copy. The room
// that authors see is made up: what fits is decided file by file.
func (s *sftpSession) StatVFS(*sftp.Request) (_ *sftp.StatVFS, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	f, err := s.files(readMaxAge)
	if err != nil {
		return nil, err
	}
	const block, room, readOnly = 4096, 1 << 30, 1
	st := &sftp.StatVFS{Bsize: block, Frsize: block, Namemax: 100, Flag: readOnly}
	for info := range f.All() {
		st.Files++
		st.Blocks += uint64(info.Size+block-1) / block
	}
	if s.Visitor.IsAuthor() {
		st.Flag, st.Bfree, st.Ffree = 0, room/block, 10_000
	}
	st.Bavail, st.Favail = st.Bfree, st.Ffree
	st.Blocks += st.Bfree
	st.Files += st.Ffree
	return st, nil
}

// Fileread opens a file for reading. A file of the blog is read as it is now,
// whatever happens to it later.
func (s *sftpSession) Fileread(r *sftp.Request) (_ io.ReaderAt, err error) {
	s.opened <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.contain(&err)
	f, n, err := s.find(r)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return nil, errors.New("is a folder")
	}
	if err := s.requireHandle(); err != nil {
		return nil, err
	}
	if n.upload != nil {
		if err := s.fill(f, n.upload); err != nil {
			return nil, err
		}
		s.handles++
		return &uploadHandle{s: s, u: n.upload}, nil
	}
	h, err := s.openShared(f, n.info)
	if err != nil {
		var data []byte
		if data, err = s.read(f, n.info); err != nil {
			return nil, err
		}
		h = &fileHandle{s: s, ReaderAt: bytes.NewReader(data), reserved: int64(len(data))}
	}
	s.handles++
	return h, nil
}

// openShared opens a file of the blog on the disk, which costs no memory. It
// fails if that does not take the file.
func (s *sftpSession) openShared(f *blog.Files, info blog.FileInfo) (*fileHandle, error) {
	shared, err := s.t.sending.take(s.ctx, s.Visitor, f, info)
	if err != nil {
		return nil, err
	}
	r, err := shared.reader()
	if err != nil {
		shared.give()
		return nil, err
	}
	s.sent = append(s.sent, shared)
	return &fileHandle{s: s, ReaderAt: io.NewSectionReader(r, 0, shared.size), shared: shared}, nil
}

// read returns the contents of a file of the blog. The caller owns them, and
// the memory reserved for them.
func (s *sftpSession) read(f *blog.Files, info blog.FileInfo) ([]byte, error) {
	if err := s.reserve(info.Size); err != nil {
		return nil, err
	}
	data, err := f.Read(s.ctx, info)
	if err == nil && int64(len(data)) != info.Size {
		err = fmt.Errorf("%s: has %d bytes, not %d", info.Path, len(data), info.Size)
	}
	if err != nil {
		_ = s.reserve(-info.Size)
		return nil, s.internalError(err)
	}
	return slices.Clip(data), nil
}

// fill reads into an upload the file of the blog it begins with, unless that
// was done before.
func (s *sftpSession) fill(f *blog.Files, u *upload) error {
	if u.source.Hash == "" {
		return nil
	}
	data, err := s.read(f, u.source)
	if err != nil {
		return err
	}
	u.data, u.reserved, u.source = data, u.source.Size, blog.FileInfo{}
	return nil
}

// A fileHandle is an open file of the blog.
type fileHandle struct {
	io.ReaderAt
	s         *sftpSession
	shared    *pooledFile // nil if it is in memory
	reserved  int64       // bytes of memory
	closeOnce sync.Once
}

func (h *fileHandle) Close() error {
	h.closeOnce.Do(func() {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		h.s.handles--
		_ = h.s.reserve(-h.reserved)
		if i := slices.Index(h.s.sent, h.shared); i >= 0 {
			h.s.sent = slices.Delete(h.s.sent, i, i+1)
			h.shared.give()
		}
	})
	return nil
}

func readAt(data, p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
