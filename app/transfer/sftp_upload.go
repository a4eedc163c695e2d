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
)

// A draft is a file that only this session sees: it is being written, or an
// editor's, or was refused.
type draft struct {
	path    string
	data    []byte
	held    int64         // memory taken for data
	from    blog.FileInfo // where the bytes are, as long as data is not filled
	mtime   time.Time
	base    blog.Rev // what the author saw
	began   string   // the blob it began from, "" for nothing
	kept    string   // under which it is put aside for author mode; "": it is not
	writers int
	changed bool   // and not published
	spoiled bool   // cut off, or not all of it was taken: never published
	why     string // it is not published, if somebody should know
}

func (d *draft) size() int64 {
	if d.from.Hash != "" {
		return d.from.Size
	}
	return int64(len(d.data))
}

// handle is a draft that is open.
type handle struct {
	v       *visit
	d       *draft
	writes  bool
	floor   int64 // nothing is written before it: opened to append
	closing sync.Once
}

// Filewrite opens a file to write it.
func (v *visit) Filewrite(r *sftp.Request) (io.WriterAt, error) { return v.OpenFile(r) }

// OpenFile opens a file to write and read it.
func (v *visit) OpenFile(r *sftp.Request) (_ sftp.WriterAtReaderAt, err error) {
	v.begun <- struct{}{}
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	if err := v.allowed(); err != nil {
		return nil, err
	}
	f, err := v.files(0)
	if err != nil {
		return nil, err
	}
	flags := r.Pflags()
	it, err := v.look(f, below(r.Filepath))
	switch {
	case err == nil && it.dir:
		return nil, v.refuse(it.path, "is a folder")
	case err == nil && flags.Creat && flags.Excl:
		return nil, errors.New("exists already")
	case err != nil && !flags.Creat:
		return nil, err
	case err != nil:
		if it.path, err = v.place(f, it.path); err != nil {
			return nil, err
		}
	}
	if v.handles >= maxHandles {
		return nil, errors.New("too many open files")
	}
	d := it.draft
	if d == nil {
		if d, err = v.begin(f, it); err != nil {
			return nil, err
		}
	}
	if flags.Trunc {
		err = v.truncate(f, d, 0)
	} else {
		err = v.fill(f, d)
	}
	if err != nil {
		if it.draft == nil {
			v.discard(d)
		}
		return nil, err
	}
	v.handles++
	d.writers++
	h := &handle{v: v, d: d, writes: true}
	if flags.Append {
		h.floor = d.size()
	}
	return h, nil
}

// place says where a new file or folder may be.
func (v *visit) place(f *blog.Files, p string) (string, error) {
	if strings.Contains(p, outOfTop) {
		return "", v.refuse(strings.ReplaceAll(p, outOfTop, ".."), "leads out of the blog")
	}
	if dir, ok := strings.CutSuffix(p, endOfFolder); ok {
		return "", v.refuse(dir, "there is no such folder; make it first")
	}
	if !blog.Scratch(p) {
		kept, err := blog.PathFor(p)
		if err != nil {
			return "", v.refuse(p, err.Error())
		}
		p = kept
	} else if len(p) > 1024 {
		return "", v.refuse(p[:100], "has a name that is too long")
	}
	if dir := path.Dir(p); !v.folders[dir] && !isDir(f, dir) {
		return "", v.refuse(p, "there is no folder "+dir+"; make it first")
	}
	return p, nil
}

// begin makes a draft, of a file or of nothing.
func (v *visit) begin(f *blog.Files, it found) (*draft, error) {
	if len(v.drafts) >= maxDrafts {
		return nil, errors.New("too many files that are not published")
	}
	d := &draft{path: it.path, from: it.info, mtime: it.info.MTime, base: f.Rev(), began: it.info.Hash}
	if v.aside[d.path] {
		info, _ := f.Stat(d.path) // it is there, and hidden
		d.began = info.Hash
	}
	if it.info.Hash == "" {
		d.mtime, d.changed = time.Now(), true
	}
	v.drafts[d.path] = d
	return d, nil
}

// discard forgets a draft, whatever it is. Who has it open may read on.
func (v *visit) discard(d *draft) {
	if v.drafts[d.path] == d {
		delete(v.drafts, d.path)
	}
	if d.writers == 0 {
		_ = v.take(-d.held)
		d.held = 0
	}
}

// truncate makes a draft that long.
func (v *visit) truncate(f *blog.Files, d *draft, size int64) error {
	if size == d.size() {
		return v.fill(f, d)
	}
	if size == 0 {
		_ = v.take(-d.held)
		d.data, d.held, d.from = nil, 0, blog.FileInfo{}
	} else if err := v.fill(f, d); err != nil {
		return err
	} else if err := v.grow(d, size); err != nil {
		return err
	}
	if size < int64(len(d.data)) {
		clear(d.data[size:])
		d.data = d.data[:size]
	}
	d.changed, d.mtime = true, time.Now()
	return nil
}

// grow makes a draft at least that long.
func (v *visit) grow(d *draft, size int64) error {
	if size <= int64(len(d.data)) {
		return nil
	}
	if most := v.visitor.MaxFile(d.path); size > most {
		return tooBig(most)
	}
	if room := int64(cap(d.data)); size > room {
		more := max(size-room, room) // at least twice as much
		if err := v.take(more); err != nil {
			return err
		}
		d.held += more
		data := make([]byte, len(d.data), room+more)
		copy(data, d.data)
		d.data = data
	}
	d.data = d.data[:size]
	return nil
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.v.mu.Lock()
	defer h.v.mu.Unlock()
	return readAt(h.d.data, p, off)
}

func (h *handle) WriteAt(p []byte, off int64) (_ int, err error) {
	v, d := h.v, h.d
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.guard(&err)
	switch {
	case !h.writes:
		return 0, errors.New("not open for writing")
	case off < 0 || off > 1<<40:
		err = errors.New("is written beyond its end")
	case off < h.floor:
		err = errors.New("is written before the end, and was opened to append")
	default:
		err = v.grow(d, off+int64(len(p)))
	}
	if err != nil {
		// Clients close the file after this, as if it were complete.
		if !d.spoiled {
			d.spoiled, d.why = true, err.Error()
		}
		return 0, err
	}
	copy(d.data[off:], p)
	d.changed, d.mtime = true, time.Now()
	return len(p), nil
}

// TransferError tells of an upload that was cut off before its end.
func (h *handle) TransferError(error) {
	if h.writes {
		h.v.mu.Lock()
		defer h.v.mu.Unlock()
		h.d.spoiled = true
	}
}

// Close publishes what was written.
func (h *handle) Close() (err error) {
	h.closing.Do(func() {
		h.v.mu.Lock()
		defer h.v.mu.Unlock()
		defer h.v.guard(&err)
		h.v.handles--
		if h.writes {
			h.d.writers--
			err = h.v.settle(h.d)
		}
	})
	return err
}

// settle decides what becomes of a draft that was closed.
func (v *visit) settle(d *draft) error {
	switch {
	case d.writers > 0:
		return nil
	case v.drafts[d.path] != d: // removed meanwhile
		v.discard(d)
		return nil
	case d.spoiled && d.why != "":
		v.discard(d)
		return v.refuse(d.path, d.why)
	case d.spoiled: // cut off, which is told at the end
		return nil
	case !d.changed:
		if d.why == "" && !blog.Scratch(d.path) {
			v.discard(d)
		}
		return nil
	}
	return v.publish(d)
}

// publish makes a draft a file of the blog.
func (v *visit) publish(d *draft) error {
	switch {
	case blog.Scratch(d.path):
		d.changed, d.why = false, "hidden names, and those of editors, are not kept"
		return nil
	case d.size() == 0: // some programs make a file before they write it
		d.changed, d.why = false, "is empty"
		return nil
	}
	d.why = ""
	e, err := v.entry(d, d.path)
	if err == nil {
		err = v.commit(d.base, e)
	}
	v.keep(d, d.path, err)
	switch {
	case errors.Is(err, blog.ErrConflict):
		// The other's text is at its place again. This one is beside it as
		// long as the session lasts.
		d.changed = false
		v.move(d, d.path+mine)
		return err
	case err != nil:
		return err // closing it again tries again
	}
	delete(v.aside, d.path)
	v.discard(d)
	return nil
}

// keep puts a text that was refused at a path aside, so that its author finds it
// in the browser: programs that write through sshfs are not told why. One that
// was taken is forgotten. It is durable when the program is answered.
func (v *visit) keep(d *draft, p string, err error) {
	var no *blog.Refusal
	switch {
	case err == nil && d.kept != "":
		err = v.visitor.Forget(v.ctx, d.kept)
		d.kept = ""
	case errors.As(err, &no) && blog.IsMarkdown(p) && d.from.Hash == "" && utf8.Valid(d.data) && !bytes.Contains(d.data, []byte{0}):
		k := blog.Kept{ID: d.kept, Path: p, Base: d.base, Hash: d.began, Text: d.data, Door: "sftp", Reason: no.Lines()[0]}
		if p != d.path { // the program has written a file of another name, to rename it
			k.Hash = v.blobAt(p, d.base)
		}
		d.kept, err = v.visitor.Keep(v.ctx, k)
	default:
		return
	}
	if err != nil && !errors.As(err, &no) {
		v.t.c.Log.Warn("refused text not kept", "path", line(p), "err", line(err.Error()))
	}
}

// blobAt gives what stood at a path at a revision, "" for nothing.
func (v *visit) blobAt(p string, rev blog.Rev) string {
	log, _ := v.visitor.Log(v.ctx, p, 0) // that there is none is the answer
	for _, r := range log {
		if r.Rev <= rev && r.Path == p {
			return r.Hash
		}
	}
	return ""
}

// entry keeps a draft's bytes, for a change.
func (v *visit) entry(d *draft, p string) (blog.Entry, error) {
	e := blog.Entry{Path: p, Hash: d.from.Hash, Size: d.size(), MTime: d.mtime}
	if e.Hash != "" {
		return e, nil
	}
	var err error
	if e.Hash, err = v.visitor.Put(v.ctx, d.data); err != nil {
		return e, v.told(blog.Receipt{}, err)
	}
	return e, nil
}

// commit makes one change and tells the author. What the session has changed
// since the base, the author knows.
func (v *visit) commit(base blog.Rev, entries ...blog.Entry) error {
	for _, e := range entries {
		base = max(base, v.own[e.Path])
	}
	r, err := v.visitor.Commit(v.ctx, blog.Change{Base: base, Entries: entries})
	v.seen = nil
	if err == nil {
		for _, f := range r.Files {
			if f.Action != blog.Unchanged {
				v.own[f.Path] = r.Rev
			}
		}
	}
	return v.told(r, err)
}

// told tells the author; the error is for the client.
func (v *visit) told(r blog.Receipt, err error) error {
	status, fault := v.s.tell(r, err)
	var no *blog.Refusal
	switch {
	case fault != nil:
		return v.broken(fault)
	case status == 0:
		return nil
	case !errors.As(err, &no):
		err = errors.New("not published")
	}
	v.refused = true
	return err
}
