package transfer

import (
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
)

const (
	maxHandles = 16
	maxDrafts  = 4096        // files and folders that only one session knows
	maxHeld    = 64 << 20    // bytes of files in memory, of one session
	maxAllHeld = 256 << 20   // and of all
	fresh      = time.Second // how old what is looked at may be
	mine       = ".refused~" // the name of a text that came too late
)

// SFTP answers the subsystem "sftp", and so sftp, scp, sshfs and every other
// program that speaks it.
func (t *Transfer) SFTP(ctx context.Context, s Session) (status int, err error) {
	defer t.contain(&err)
	status = 1
	v := &visit{
		t: t, s: s, ctx: ctx, visitor: s.Visitor.Through("sftp"),
		drafts: map[string]*draft{}, folders: map[string]bool{}, aside: map[string]bool{}, own: map[string]blog.Rev{}, begun: make(chan struct{}, 1),
	}
	defer v.forget()
	out := &outlet{w: s.Out}
	defer out.Close()
	server := sftp.NewRequestServer(struct {
		io.Reader
		io.WriteCloser
	}{&packets{r: s.In, begun: v.begun}, out}, sftp.Handlers{FileGet: v, FilePut: v, FileCmd: v, FileList: v})
	_ = server.Serve() // the error is how the input ended, which tells nothing
	return v.end()
}

// outlet closes with the session: the library answers in a goroutine of its
// own, which may be late.
type outlet struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, io.ErrClosedPipe
	}
	return o.w.Write(p)
}

func (o *outlet) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return nil
}

// A visit is one session of sftp: the files of the blog, and over them what
// only this session has. The library calls it from many goroutines, in which a
// panic would end the process: every method catches its own.
type visit struct {
	t       *Transfer
	s       Session
	ctx     context.Context
	visitor blog.Visitor
	begun   chan struct{} // cap 1: an opening has reached us

	mu      sync.Mutex
	seen    *blog.Files
	seenAt  time.Time
	drafts  map[string]*draft   // by path; they hide the blog's file of the same path
	folders map[string]bool     // made here, or emptied here: the blog keeps no empty ones
	aside   map[string]bool     // files of the blog that an editor has put aside to write them anew
	own     map[string]blog.Rev // what this session has changed itself
	handles int
	held    int64
	refused bool
	denied  bool
	fault   error // of the machine, the first
}

// guard is deferred by every method that the library calls.
func (v *visit) guard(err *error) {
	if r := recover(); r != nil {
		*err = v.broken(fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
	}
}

// broken keeps an error of the machine for the end of the session.
func (v *visit) broken(err error) error {
	if v.fault == nil {
		v.fault = err
	}
	return errors.New("internal error")
}

// refuse gives the reason why something is not done. Some clients show it,
// OpenSSH's only say "Failure": so the terminal is told as well.
func (v *visit) refuse(p, why string) error {
	v.refused = true
	text := line(p + ": " + why)
	v.s.say("sheaf: not published: " + text)
	return errors.New(text)
}

// allowed says once a session that readers change nothing.
func (v *visit) allowed() error {
	if v.visitor.IsAuthor() {
		return nil
	}
	if !v.denied {
		v.s.deny()
	}
	v.denied, v.refused = true, true
	return sftp.ErrSSHFxPermissionDenied
}

// end says what has not become of the session's files.
func (v *visit) end() (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.aside) > 0 && v.s.Alive(v.ctx) {
		// Put aside and not written again: it was meant so. A session that
		// was cut in between has removed nothing.
		_ = v.removeAside(slices.Sorted(maps.Keys(v.aside)))
	}
	for _, p := range slices.Sorted(maps.Keys(v.drafts)) {
		switch d := v.drafts[p]; {
		case d.why != "":
			_ = v.refuse(p, d.why)
		case d.spoiled:
			_ = v.refuse(p, "the upload was cut off")
		}
	}
	if v.refused || v.fault != nil {
		return 1, v.fault
	}
	return 0, nil
}

func (v *visit) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.t.held.Add(-v.held)
	v.held = 0
}

// take asks for memory. A negative n gives it back.
func (v *visit) take(n int64) error {
	if all := v.t.held.Add(n); n > 0 && (all > maxAllHeld || v.held+n > maxHeld) {
		v.t.held.Add(-n)
		return errors.New("too much at one time; try again a little later")
	}
	v.held += n
	return nil
}

// files gives the blog's files: the newest to those who change them.
func (v *visit) files(old time.Duration) (*blog.Files, error) {
	if v.seen != nil && time.Since(v.seenAt) < old {
		return v.seen, nil
	}
	f, err := v.visitor.Files(v.ctx)
	if err != nil {
		return nil, v.broken(err)
	}
	v.seen, v.seenAt = f, time.Now()
	return f, nil
}

// found is a file or folder as the session sees it.
type found struct {
	path  string
	dir   bool
	draft *draft
	info  blog.FileInfo
}

// look finds what a path names. What is not found has its path too.
func (v *visit) look(f *blog.Files, p string) (found, error) {
	it := found{path: p, draft: v.drafts[p]}
	if it.draft != nil {
		return it, nil
	}
	if it.dir = v.folders[p] || isDir(f, p); it.dir {
		it.info, _ = f.Stat(p)
		return it, nil
	}
	info, err := f.Stat(p)
	if err == nil && info.Path != p {
		// SLUG.md is the file of that post. Authors write to it as well, and
		// for them it is that address only, not all the others a post has.
		if v.visitor.IsAuthor() && !addresses(v.visitor, p) {
			return it, fs.ErrNotExist
		}
		if d := v.drafts[info.Path]; d != nil {
			return found{path: d.path, draft: d}, nil
		}
	}
	if err != nil || v.aside[info.Path] {
		return it, fs.ErrNotExist
	}
	return found{path: info.Path, info: info}, nil
}

// stat is how a file appears under a name.
type stat struct {
	name  string
	size  int64
	mtime time.Time
	mode  fs.FileMode
}

func (s stat) Name() string       { return s.name }
func (s stat) Size() int64        { return s.size }
func (s stat) ModTime() time.Time { return s.mtime }
func (s stat) Mode() fs.FileMode  { return s.mode }
func (s stat) IsDir() bool        { return s.mode.IsDir() }
func (s stat) Sys() any           { return nil }

func (v *visit) stat(p string, it found) stat {
	s := stat{name: path.Base(p), size: it.info.Size, mtime: it.info.MTime, mode: 0o444}
	if it.dir {
		s.mode = fs.ModeDir | 0o555
	}
	if d := it.draft; d != nil {
		s.size, s.mtime = d.size(), d.mtime
	}
	if v.visitor.IsAuthor() {
		s.mode |= 0o200
	}
	if s.mtime.Unix() < 0 {
		s.mtime = time.Unix(0, 0)
	}
	return s
}

// list gives what is in a folder, sorted by name.
func (v *visit) list(f *blog.Files, dir string) ([]fs.FileInfo, error) {
	in := map[string]stat{}
	infos, err := f.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, v.broken(err)
	}
	if dir == "." {
		in[postsDir] = v.stat(postsDir, found{dir: true})
	}
	for p := range v.folders {
		if path.Dir(p) == dir {
			in[p] = v.stat(p, found{dir: true})
		}
	}
	for _, info := range infos {
		if !v.aside[info.Path] {
			in[info.Path] = v.stat(info.Path, found{dir: info.Dir, info: info})
		}
	}
	for p, d := range v.drafts {
		if path.Dir(p) == dir {
			in[p] = v.stat(p, found{draft: d})
		}
	}
	all := make([]fs.FileInfo, 0, len(in))
	for _, s := range in {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

// lister hands out a list in pieces.
type lister struct {
	all  []fs.FileInfo
	done func()
}

func (l *lister) ListAt(into []fs.FileInfo, from int64) (int, error) {
	if from < 0 || from >= int64(len(l.all)) {
		return 0, io.EOF
	}
	n := copy(into, l.all[from:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}

func (l *lister) Close() error {
	if l.done != nil {
		l.done()
	}
	return nil
}

// Filelist answers List, Stat and Readlink. There are no links.
func (v *visit) Filelist(r *sftp.Request) (_ sftp.ListerAt, err error) {
	if r.Method == "List" {
		v.begun <- struct{}{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	f, err := v.files(fresh)
	if err != nil {
		return nil, err
	}
	it, err := v.look(f, below(r.Filepath))
	switch {
	case err != nil:
		return nil, err
	case r.Method == "Readlink":
		return nil, errors.New("not a link")
	case r.Method != "List":
		return &lister{all: []fs.FileInfo{v.stat(below(r.Filepath), it)}}, nil
	case !it.dir:
		return nil, errors.New("not a folder")
	}
	all, err := v.list(f, it.path)
	if err != nil {
		return nil, err
	}
	done, err := v.handle()
	if err != nil {
		return nil, err
	}
	return &lister{all, done}, nil
}

// handle counts an open file or folder. done is called without the lock.
func (v *visit) handle() (done func(), err error) {
	if v.handles >= maxHandles {
		return nil, errors.New("too many open files")
	}
	v.handles++
	return sync.OnceFunc(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.handles--
	}), nil
}

// StatVFS answers df, and programs that ask for room before they copy.
func (v *visit) StatVFS(*sftp.Request) (_ *sftp.StatVFS, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	f, err := v.files(fresh)
	if err != nil {
		return nil, err
	}
	const block, room, readOnly = 4096, 1 << 30, 1
	s := &sftp.StatVFS{Bsize: block, Frsize: block, Namemax: 100, Flag: readOnly}
	for info := range f.All() {
		s.Files++
		s.Blocks += uint64(info.Size+block-1) / block
	}
	if v.visitor.IsAuthor() {
		s.Flag, s.Bfree, s.Ffree = 0, room/block, 10_000
	}
	s.Bavail, s.Favail = s.Bfree, s.Ffree
	s.Blocks += s.Bfree
	s.Files += s.Ffree
	return s, nil
}

// Fileread opens a file as it is now: what happens to it later is not seen.
func (v *visit) Fileread(r *sftp.Request) (_ io.ReaderAt, err error) {
	v.begun <- struct{}{}
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	f, err := v.files(fresh)
	if err != nil {
		return nil, err
	}
	it, err := v.look(f, below(r.Filepath))
	switch {
	case err != nil:
		return nil, err
	case it.dir:
		return nil, errors.New("is a folder")
	case v.handles >= maxHandles:
		return nil, errors.New("too many open files")
	}
	var h io.ReaderAt
	if d := it.draft; d != nil {
		err = v.fill(f, d)
		h = &handle{v: v, d: d}
	} else {
		var data []byte
		data, err = v.read(f, it.info)
		h = &reading{v: v, data: data}
	}
	if err != nil {
		return nil, err
	}
	v.handles++
	return h, nil
}

// read gives the bytes of a file of the blog, and takes the memory for them.
func (v *visit) read(f *blog.Files, info blog.FileInfo) ([]byte, error) {
	if err := v.take(info.Size); err != nil {
		return nil, err
	}
	data, err := f.Read(v.ctx, info)
	if err == nil && int64(len(data)) != info.Size {
		err = fmt.Errorf("%s: has %d bytes, not %d", info.Path, len(data), info.Size)
	}
	if err != nil {
		_ = v.take(-info.Size)
		return nil, v.broken(err)
	}
	return slices.Clip(data), nil
}

// fill reads what a draft begins with.
func (v *visit) fill(f *blog.Files, d *draft) error {
	if d.from.Hash == "" {
		return nil
	}
	data, err := v.read(f, d.from)
	if err != nil {
		return err
	}
	d.data, d.held, d.from = data, d.from.Size, blog.FileInfo{}
	return nil
}

// reading is a file of the blog that is open.
type reading struct {
	v       *visit
	data    []byte
	closing sync.Once
}

func (r *reading) ReadAt(p []byte, off int64) (int, error) { return readAt(r.data, p, off) }

func (r *reading) Close() error {
	r.closing.Do(func() {
		r.v.mu.Lock()
		defer r.v.mu.Unlock()
		r.v.handles--
		_ = r.v.take(-int64(len(r.data)))
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
