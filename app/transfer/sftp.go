package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
)

const (
	maxHandles = 16       // files being written at one time
	maxHeld    = 64 << 20 // bytes of what is being written, and of scratch files
)

// SFTP answers the subsystem "sftp", and so sftp, scp, sshfs and every other
// program that speaks it.
func (t *Transfer) SFTP(ctx context.Context, s Session) (status int, err error) {
	s.Visitor = s.Visitor.Through("sftp")
	d := &desk{t: t, s: s, ctx: ctx, open: map[string]*upload{}, scratch: map[string]*upload{}, dirs: map[string]bool{"posts": true}, hidden: map[string]bool{}}
	if d.files, err = s.Visitor.Files(ctx); err != nil {
		return 1, err
	}
	server := sftp.NewRequestServer(stream{s}, sftp.Handlers{FileGet: d, FilePut: d, FileCmd: d, FileList: d})
	_ = server.Serve() // an input that ends otherwise than it should is a client that has gone
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.scratch {
		if blog.Scratch(name) {
			_ = d.refuse(name, "hidden names and editors' files are not part of the blog")
		} else {
			_ = d.refuse(name, "is empty")
		}
	}
	if d.failed {
		return 1, nil
	}
	return 0, nil
}

// stream is the session as the server of the library wants it.
type stream struct{ s Session }

func (s stream) Read(p []byte) (int, error)  { return s.s.In.Read(p) }
func (s stream) Write(p []byte) (int, error) { return s.s.Out.Write(p) }
func (s stream) Close() error {
	if c, ok := s.s.In.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// desk is what one session sees: the files of the blog, and over them what it
// is writing and its scratch files. The library calls it from many goroutines.
type desk struct {
	t   *Transfer
	s   Session
	ctx context.Context

	mu      sync.Mutex
	files   *blog.Files
	open    map[string]*upload // being written
	scratch map[string]*upload // of this session: droppings of editors, and posts that are empty yet
	dirs    map[string]bool    // made, and without a file yet
	hidden  map[string]bool    // files renamed to a scratch name
	held    int
	failed  bool
	denied  bool
}

// upload is a file on its way.
type upload struct {
	d     *desk
	path  string
	base  blog.Rev
	mtime time.Time
	data  []byte
	bad   error // why nothing becomes of it
}

func rel(name string) string {
	if name = strings.Trim(path.Clean(name), "/"); name == "" {
		return "."
	}
	return name
}

// refuse tells the person why; the programs show none of the library's words.
func (d *desk) refuse(name, why string) error {
	d.failed = true
	d.s.say("sheaf: not published: " + name + ": " + why)
	return sftp.ErrSSHFxFailure
}

func (d *desk) author() error {
	if d.s.Visitor.IsAuthor() {
		return nil
	}
	if !d.denied {
		d.denied, d.failed = true, true
		d.s.deny()
	}
	return sftp.ErrSSHFxPermissionDenied
}

// status brings an error into the library's words.
func status(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	}
	return err
}

// machine logs an error that is nobody's fault.
func (d *desk) machine(err error) error {
	d.failed = true
	d.t.c.Log.Error("sftp", "err", err)
	d.s.say("sheaf: internal error; nothing was changed")
	return sftp.ErrSSHFxFailure
}

func (d *desk) refresh() {
	if f, err := d.s.Visitor.Files(d.ctx); err == nil {
		d.files = f
	}
}

// read gives the bytes that stand at a path.
func (d *desk) read(name string) ([]byte, error) {
	if u := d.scratch[name]; u != nil {
		return u.data, nil
	}
	if d.hidden[name] {
		return nil, fs.ErrNotExist
	}
	info, err := d.files.Stat(name)
	if err != nil {
		return nil, err
	}
	return d.files.Read(d.ctx, info)
}

// Fileread opens a file for reading.
func (d *desk) Fileread(r *sftp.Request) (_ io.ReaderAt, err error) {
	defer d.t.contain(&err)
	d.mu.Lock()
	defer d.mu.Unlock()
	b, err := d.read(rel(r.Filepath))
	if err != nil {
		return nil, status(err)
	}
	return bytes.NewReader(b), nil
}

// Filewrite opens a file for writing.
func (d *desk) Filewrite(r *sftp.Request) (io.WriterAt, error) { return d.OpenFile(r) }

// OpenFile opens a file for writing and reading.
func (d *desk) OpenFile(r *sftp.Request) (_ sftp.WriterAtReaderAt, err error) {
	defer d.t.contain(&err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.author(); err != nil {
		return nil, err
	}
	name, flags := rel(r.Filepath), r.Pflags()
	if !blog.Scratch(name) {
		if _, err := blog.PathFor(name); err != nil {
			return nil, d.refuse(name, err.Error())
		}
	}
	if info, err := d.stat(name); err == nil && info.IsDir() {
		return nil, d.refuse(name, "is a folder")
	}
	if len(d.open) >= maxHandles || d.open[name] != nil {
		return nil, d.refuse(name, "is being written already, or too many files are")
	}
	old, err := d.read(name)
	switch {
	case err == nil && flags.Creat && flags.Excl:
		return nil, sftp.ErrSSHFxFailure
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, d.machine(err)
	case err != nil && !flags.Creat:
		return nil, sftp.ErrSSHFxNoSuchFile
	}
	d.refresh()
	u := &upload{d: d, path: name, base: d.files.Rev()}
	if !flags.Trunc {
		u.data = slices.Clone(old)
	}
	if err := d.hold(len(u.data)); err != nil {
		return nil, d.refuse(name, err.Error())
	}
	d.open[name] = u
	return u, nil
}

func (d *desk) hold(n int) error {
	if d.held+n > maxHeld {
		return fmt.Errorf("more than %d MB at one time", maxHeld>>20)
	}
	d.held += n
	return nil
}

// WriteAt takes a piece of the file.
func (u *upload) WriteAt(p []byte, off int64) (_ int, err error) {
	defer u.d.t.contain(&err)
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	if u.bad != nil {
		return 0, sftp.ErrSSHFxFailure
	}
	end := off + int64(len(p))
	if limit := u.d.s.Visitor.MaxFile(u.path); off < 0 || end > limit {
		u.bad = errors.New("too big")
		return 0, u.d.refuse(u.path, fmt.Sprintf("is too big: at most %d KB", limit>>10))
	}
	if grow := int(end) - len(u.data); grow > 0 {
		if err := u.d.hold(grow); err != nil {
			u.bad = err
			return 0, u.d.refuse(u.path, err.Error())
		}
		u.data = append(u.data, make([]byte, grow)...)
	}
	return copy(u.data[off:end], p), nil
}

// ReadAt gives a piece of what was written.
func (u *upload) ReadAt(p []byte, off int64) (int, error) {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	return bytes.NewReader(u.data).ReadAt(p, off)
}

// TransferError tells of a connection cut before Close: nothing is published.
func (u *upload) TransferError(err error) {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	if u.bad == nil {
		u.bad = err
	}
}

// Close publishes the file.
func (u *upload) Close() (err error) {
	defer u.d.t.contain(&err)
	d := u.d
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, u.path)
	switch {
	case u.bad != nil:
		d.held -= len(u.data)
		return sftp.ErrSSHFxFailure
	case blog.Scratch(u.path), len(u.data) == 0:
		d.keep(u)
		return nil
	}
	d.held -= len(u.data)
	return d.publish(u)
}

func (d *desk) keep(u *upload) {
	if old := d.scratch[u.path]; old != nil {
		d.held -= len(old.data)
	}
	d.scratch[u.path] = u
}

func (d *desk) drop(name string) {
	if old := d.scratch[name]; old != nil {
		d.held -= len(old.data)
		delete(d.scratch, name)
	}
}

func (d *desk) publish(u *upload) error {
	if path.Ext(u.path) == "" {
		if _, err := d.files.Stat(u.path); err != nil {
			return d.refuse(u.path, "neither a folder nor the name of a post, which ends with .md")
		}
	}
	hash, err := d.s.Visitor.Put(d.ctx, u.data)
	if err != nil {
		return d.machine(err)
	}
	err = d.commit(u.base, blog.Entry{Path: u.path, Hash: hash, Size: int64(len(u.data)), MTime: u.mtime})
	if err == nil {
		d.drop(u.path)
		delete(d.hidden, u.path)
	}
	return err
}

func (d *desk) commit(base blog.Rev, entries ...blog.Entry) error {
	status, err := d.s.tell(d.s.Visitor.Commit(d.ctx, blog.Change{Base: base, Entries: entries}))
	switch {
	case err != nil:
		return d.machine(err)
	case status != 0:
		d.failed = true
		return sftp.ErrSSHFxFailure
	}
	d.refresh()
	return nil
}

// Filecmd renames, removes and makes.
func (d *desk) Filecmd(r *sftp.Request) (err error) {
	defer d.t.contain(&err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.author(); err != nil {
		return err
	}
	name, to := rel(r.Filepath), rel(r.Target)
	switch r.Method {
	case "Setstat":
		return d.setstat(name, r)
	case "Rename":
		if _, err := d.stat(to); err == nil {
			return sftp.ErrSSHFxFailure
		}
		return d.rename(name, to)
	case "PosixRename":
		return d.rename(name, to)
	case "Remove":
		return d.remove(name)
	case "Mkdir":
		if _, err := d.stat(name); err == nil {
			return sftp.ErrSSHFxFailure
		}
		if _, err := blog.PathFor(name); err != nil {
			return d.refuse(name, err.Error())
		}
		d.dirs[name] = true
		return nil
	case "Rmdir":
		list, err := d.list(name)
		switch {
		case err != nil:
			return status(err)
		case len(list) > 0:
			return sftp.ErrSSHFxFailure
		}
		delete(d.dirs, name)
		return nil
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename is Rename that may replace what is there.
func (d *desk) PosixRename(r *sftp.Request) error { return d.Filecmd(r) }

// setstat keeps the time a file is given while it comes, and cuts one that is
// open; modes and owners mean nothing here.
func (d *desk) setstat(name string, r *sftp.Request) error {
	u := d.open[name]
	if u == nil {
		u = d.scratch[name]
	}
	if u == nil {
		return nil
	}
	flags, attrs := r.AttrFlags(), r.Attributes()
	if flags.Acmodtime {
		u.mtime = time.Unix(int64(attrs.Mtime), 0)
	}
	if flags.Size && int64(attrs.Size) < int64(len(u.data)) {
		d.held -= len(u.data) - int(attrs.Size)
		u.data = u.data[:attrs.Size]
	}
	return nil
}

func (d *desk) remove(name string) error {
	if d.scratch[name] != nil {
		d.drop(name)
		return nil
	}
	info, err := d.files.Stat(name)
	if err != nil || info.Path != name || d.hidden[name] {
		return sftp.ErrSSHFxNoSuchFile
	}
	if info.Dir {
		return sftp.ErrSSHFxFailure
	}
	return d.commit(d.files.Rev(), blog.Entry{Path: name})
}

func (d *desk) rename(from, to string) error {
	if !blog.Scratch(to) {
		if _, err := blog.PathFor(to); err != nil {
			return d.refuse(to, err.Error())
		}
	}
	if u := d.scratch[from]; u != nil {
		delete(d.scratch, from)
		u.path = to
		if blog.Scratch(to) || len(u.data) == 0 {
			d.keep(u)
			return nil
		}
		u.base = 0
		err := d.publish(u)
		if err != nil {
			u.path = from
			d.scratch[from] = u
			return err
		}
		d.held -= len(u.data)
		return nil
	}
	if d.dirs[from] {
		if list, _ := d.list(from); len(list) == 0 {
			delete(d.dirs, from)
			d.dirs[to] = true
			return nil
		}
	}
	info, err := d.files.Stat(from)
	if err != nil || info.Path != from || d.hidden[from] {
		return sftp.ErrSSHFxNoSuchFile
	}
	if blog.Scratch(to) {
		if info.Dir {
			return d.refuse(to, "is hidden: names that begin with a dot are not part of the blog")
		}
		// An editor puts the old text aside and writes a new one in its
		// place. The post stays until there is one.
		b, err := d.files.Read(d.ctx, info)
		if err != nil {
			return d.machine(err)
		}
		if err := d.hold(len(b)); err != nil {
			return d.refuse(to, err.Error())
		}
		d.keep(&upload{d: d, path: to, data: b, mtime: info.MTime})
		d.hidden[from] = true
		return nil
	}
	var entries []blog.Entry
	for f := range d.files.All() {
		if f.Path == from || info.Dir && strings.HasPrefix(f.Path, from+"/") {
			entries = append(entries, blog.Entry{Path: f.Path}, blog.Entry{Path: to + strings.TrimPrefix(f.Path, from), Hash: f.Hash, Size: f.Size, MTime: f.MTime})
		}
	}
	return d.commit(d.files.Rev(), entries...)
}

// Filelist lists a directory, or looks at one file.
func (d *desk) Filelist(r *sftp.Request) (_ sftp.ListerAt, err error) {
	defer d.t.contain(&err)
	d.mu.Lock()
	defer d.mu.Unlock()
	name := rel(r.Filepath)
	switch r.Method {
	case "List":
		list, err := d.list(name)
		return lister(list), status(err)
	case "Stat", "Lstat":
		info, err := d.stat(name)
		if err != nil {
			return nil, status(err)
		}
		return lister{info}, nil
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat is Stat: there are no links.
func (d *desk) Lstat(r *sftp.Request) (sftp.ListerAt, error) { return d.Filelist(r) }

func (d *desk) stat(name string) (os.FileInfo, error) {
	for _, u := range []*upload{d.open[name], d.scratch[name]} {
		if u != nil {
			return u.info(), nil
		}
	}
	if info, err := d.files.Stat(name); err == nil && !d.hidden[name] {
		return fileInfo{info, path.Base(name)}, nil
	}
	if d.dirs[name] {
		return fileInfo{blog.FileInfo{Path: name, Dir: true, MTime: time.Now()}, path.Base(name)}, nil
	}
	return nil, fs.ErrNotExist
}

func (u *upload) info() os.FileInfo {
	mtime := u.mtime
	if mtime.IsZero() {
		mtime = time.Now()
	}
	return fileInfo{blog.FileInfo{Path: u.path, Size: int64(len(u.data)), MTime: mtime}, path.Base(u.path)}
}

// list is what is in a directory, as this session sees it.
func (d *desk) list(dir string) ([]os.FileInfo, error) {
	in := map[string]os.FileInfo{}
	list, err := d.files.List(dir)
	if err != nil && !d.dirs[dir] {
		return nil, err
	}
	for _, info := range list {
		if !d.hidden[info.Path] {
			in[info.Path] = fileInfo{info, path.Base(info.Path)}
		}
	}
	for name := range d.dirs {
		if path.Dir(name) == dir && in[name] == nil && d.s.Visitor.IsAuthor() {
			in[name], _ = d.stat(name)
		}
	}
	for _, over := range []map[string]*upload{d.scratch, d.open} {
		for name, u := range over {
			if path.Dir(name) == dir {
				in[name] = u.info()
			}
		}
	}
	all := make([]os.FileInfo, 0, len(in))
	for _, info := range in {
		all = append(all, info)
	}
	slices.SortFunc(all, func(a, b os.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// StatVFS answers df: what a change may bring is all the room there is to know
// of.
func (d *desk) StatVFS(*sftp.Request) (*sftp.StatVFS, error) {
	const block, blocks = 4096, 512 << 20 / 4096
	return &sftp.StatVFS{Bsize: block, Frsize: block, Blocks: blocks, Bfree: blocks, Bavail: blocks, Files: 20000, Ffree: 20000, Favail: 20000, Namemax: 200}, nil
}

type lister []os.FileInfo

// ListAt gives a part of the list.
func (l lister) ListAt(to []os.FileInfo, from int64) (int, error) {
	if from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[from:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

type fileInfo struct {
	blog.FileInfo
	name string
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.FileInfo.Size }
func (i fileInfo) ModTime() time.Time { return i.MTime }
func (i fileInfo) IsDir() bool        { return i.Dir }
func (i fileInfo) Sys() any           { return nil }
func (i fileInfo) Mode() fs.FileMode {
	if i.Dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
