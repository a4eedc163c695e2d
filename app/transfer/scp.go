package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
)

// The older scp (`scp -O`) has no other specification than the program. The
// sending side writes lines: C announces a file and its bytes follow, D opens
// a directory that E closes, T gives the times of what comes next. Each line
// and each file is answered with a zero byte; with 1 and a line of text if
// something is wrong, with 2 if it is the end of everything.
const (
	scpOK, scpWarning, scpFatal = 0, 1, 2

	maxRecord = 4 << 10
	maxDepth  = 32
)

// scpCall is what a client asks of the far end.
type scpCall struct {
	sink, recursive, times, folder bool
	paths                          []string
}

// parseScp reads `scp -t|-f [-r] [-p] [-d] [-v] PATH...`, and refuses what it
// does not know.
func parseScp(args []string) (c scpCall, err error) {
	source := false
	for i, a := range args {
		if a == "--" || len(a) < 2 || a[0] != '-' {
			c.paths = slices.DeleteFunc(slices.Clone(args[i:]), func(p string) bool { return p == "--" })
			break
		}
		for _, o := range a[1:] {
			switch o {
			case 't':
				c.sink = true
			case 'f':
				source = true
			case 'r':
				c.recursive = true
			case 'p':
				c.times = true
			case 'd':
				c.folder = true
			case 'v', 'q':
			default:
				return c, fmt.Errorf("the option -%c cannot be used here", o)
			}
		}
	}
	if c.sink == source || len(c.paths) == 0 || c.sink && len(c.paths) > 1 {
		return c, errors.New("is answered to the program scp only")
	}
	for i, p := range c.paths {
		if p == "~" {
			p = ""
		}
		c.paths[i] = strings.TrimPrefix(p, "~/")
	}
	return c, nil
}

func (t *Transfer) scp(ctx context.Context, s Session, args []string) (status int, err error) {
	s.Visitor = s.Visitor.Through("scp")
	c, err := parseScp(args)
	if err != nil {
		s.say("sheaf: scp: " + err.Error())
		return 2, nil
	}
	w := &scpWire{in: bufio.NewReaderSize(s.In, 32<<10), out: s.Out}
	if c.sink && !s.Visitor.IsAuthor() {
		s.deny()
		w.fail("nothing was changed")
		return 1, nil
	}
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return 1, err
	}
	if c.sink {
		k := &scpSink{Session: s, ctx: ctx, wire: w, call: c, files: files, seen: map[string]bool{}}
		k.change.Base = files.Rev()
		return k.receive()
	}
	f := &scpSource{ctx: ctx, wire: w, call: c, files: files}
	return f.send()
}

// scpWire is the two directions of the protocol. What cannot be written is not
// told: the client has gone, as the next read will say.
type scpWire struct {
	in  *bufio.Reader
	out io.Writer
}

func (w *scpWire) ok() { _, _ = w.out.Write([]byte{scpOK}) }

// warn tells the client, which prints it and goes on.
func (w *scpWire) warn(why string) { _, _ = fmt.Fprintf(w.out, "%c%s\n", scpWarning, line(why)) }

// fail tells the client, which prints it and ends.
func (w *scpWire) fail(why string) { _, _ = fmt.Fprintf(w.out, "%csheaf: %s\n", scpFatal, line(why)) }

var (
	errCut     = errors.New("the upload was cut off")
	errRecord  = errors.New("this is not the protocol of scp")
	errSkipped = errors.New("not wanted")
	errTold    = errors.New("nothing was changed")
)

// record reads a line. io.EOF is an end between two lines.
func (w *scpWire) record() (string, error) {
	var b []byte
	for {
		c, err := w.in.ReadByte()
		switch {
		case err != nil && len(b) == 0:
			return "", io.EOF
		case err != nil:
			return "", errCut
		case c == '\n':
			return string(b), nil
		case len(b) == maxRecord:
			return "", errRecord
		}
		b = append(b, c)
	}
}

// answer reads the other side's answer: errSkipped if it takes only the one
// thing not, another error if nothing more can come.
func (w *scpWire) answer() error {
	c, err := w.in.ReadByte()
	switch {
	case err != nil:
		return errCut
	case c == scpOK:
		return nil
	}
	if _, err := w.record(); err != nil || c != scpWarning {
		return errCut
	}
	return errSkipped
}

// scpRecord is a line of the sending side.
type scpRecord struct {
	kind  byte // C, D, E, T, or scpWarning, scpFatal with text
	size  int64
	mtime time.Time
	text  string // the name
}

func parseRecord(text string) (r scpRecord, err error) {
	if text == "" {
		return r, errRecord
	}
	r.kind, text = text[0], text[1:]
	switch r.kind {
	case scpWarning, scpFatal:
		r.text = text
		return r, nil
	case 'E':
		if text != "" {
			return r, errRecord
		}
		return r, nil
	case 'T': // seconds and microseconds, of the change and of the last look
		n := strings.Split(text, " ")
		if len(n) != 4 {
			return r, errRecord
		}
		for i := range n {
			v, err := decimal(n[i], 1<<40)
			if err != nil {
				return r, err
			}
			if i == 0 {
				r.mtime = time.Unix(v, 0)
			}
		}
		return r, nil
	case 'C', 'D':
		n := strings.SplitN(text, " ", 3)
		if len(n) != 3 || len(n[0]) != 4 || strings.Trim(n[0], "01234567") != "" {
			return r, errRecord
		}
		if r.size, err = decimal(n[1], 1<<62); err != nil {
			return r, err
		}
		r.text = n[2]
		if r.text == "" || r.text == "." || r.text == ".." || strings.ContainsAny(r.text, "/\x00") {
			return r, errRecord
		}
		return r, nil
	}
	return r, errRecord
}

// decimal reads digits and nothing else.
func decimal(s string, most int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > most || strings.Trim(s, "0123456789") != "" {
		return 0, errRecord
	}
	return n, nil
}

// Taking a set

// scpSink takes a set of files and publishes it as one change.
type scpSink struct {
	Session
	ctx   context.Context
	wire  *scpWire
	call  scpCall
	files *blog.Files

	top      string // the target
	into     bool   // it is a folder that is there
	folders  []string
	mtime    time.Time // of what comes next
	change   blog.Change
	seen     map[string]bool
	total    int64
	count    int
	warnings []string
}

// receive ends at the first thing that is wrong: the set is refused, and
// nobody has to wait for the rest of it.
func (k *scpSink) receive() (status int, err error) {
	why := k.target(k.call.paths[0])
	if why == nil {
		k.wire.ok()
		why = k.take()
	}
	if why == nil {
		if !k.Alive(k.ctx) { // the end of the input was the end of the client
			return 1, nil
		}
		if why = k.publish(); errors.Is(why, errTold) {
			return 1, nil
		}
	}
	var machine *machineError
	switch {
	case errors.As(why, &machine):
		if reason := blog.Obstacle(why); reason != "" {
			k.wire.fail("not published: " + reason)
			return 1, nil
		}
		return 1, machine.error
	case errors.Is(why, errCut):
		k.say("sheaf: not published: " + why.Error())
		return 1, nil
	case errors.Is(why, errTold):
		k.wire.fail(why.Error())
		return 1, nil
	case why != nil:
		k.wire.fail("not published: " + why.Error())
		return 1, nil
	}
	k.say(k.warnings...)
	if len(k.warnings) > 0 && len(k.seen) == 0 {
		return 1, nil
	}
	return 0, nil
}

// publish makes what has come one change. errTold: it was refused.
func (k *scpSink) publish() error {
	if len(k.change.Entries) == 0 {
		return nil
	}
	status, err := k.tell(k.Visitor.Commit(k.ctx, k.change))
	k.change.Entries = nil
	switch {
	case err != nil:
		return &machineError{err}
	case status != 0:
		return errTold
	}
	return nil
}

// machineError is one that the author can do nothing about.
type machineError struct{ error }

func (e *machineError) Unwrap() error { return e.error }

// target looks at where the set goes.
func (k *scpSink) target(p string) error {
	if slices.Contains(strings.Split(p, "/"), "..") {
		return errors.New(p + ": leads out of the blog")
	}
	k.top = below(p)
	switch k.into = isDir(k.files, k.top); {
	case k.into:
		return nil
	case k.call.folder || strings.HasSuffix(p, "/"):
		return errors.New(k.top + ": there is no such folder; make it first")
	case !isDir(k.files, path.Dir(k.top)):
		return errors.New(k.top + ": there is no folder " + path.Dir(k.top) + "; make it first")
	}
	return nil
}

// at is the path of what comes under a name.
func (k *scpSink) at(name string) string {
	switch {
	case len(k.folders) > 0:
		return path.Join(k.folders[len(k.folders)-1], name)
	case k.into:
		return path.Join(k.top, name)
	}
	return k.top
}

// take reads to the end of the input, which is only then the end of the set if
// no folder is open.
func (k *scpSink) take() error {
	for {
		text, err := k.wire.record()
		switch {
		case err == io.EOF && len(k.folders) == 0:
			return nil
		case err == io.EOF:
			return errCut
		case err != nil:
			return err
		}
		r, err := parseRecord(text)
		if err != nil {
			return err
		}
		switch r.kind {
		case scpWarning: // something of the set could not be read; the client has told
			continue
		case scpFatal:
			return errCut
		case 'T':
			k.mtime = r.mtime
		case 'D':
			if !k.call.recursive || len(k.folders) == maxDepth {
				return errRecord
			}
			k.folders = append(k.folders, k.at(r.text))
			k.mtime = time.Time{}
		case 'E':
			if len(k.folders) == 0 {
				return errRecord
			}
			k.folders = k.folders[:len(k.folders)-1]
		case 'C':
			if err := k.file(k.at(r.text), r.size); err != nil {
				return err
			}
			k.mtime = time.Time{}
			if !k.call.recursive && !k.call.folder {
				// It is the only one, and complete. Clients of other makers
				// do not look at the exit status, but at this answer.
				if err := k.publish(); err != nil {
					return err
				}
			}
		}
		k.wire.ok()
	}
}

// file takes one file. The answer to all of it is the caller's.
func (k *scpSink) file(p string, size int64) error {
	kept, err := k.place(p, size)
	if err != nil {
		return err
	}
	k.total += size
	if k.count++; k.total > maxSet || k.count > maxFiles {
		return fmt.Errorf("a set is at most %d files and %d MB", maxFiles, maxSet>>20)
	}
	if kept == "" {
		k.warnings = append(k.warnings, "warning: "+p+": not kept: hidden names, and those of editors, are not part of the blog")
		k.wire.ok()
		if _, err := io.CopyN(io.Discard, k.wire.in, size); err != nil {
			return errCut
		}
		return k.wire.answer()
	}
	k.wire.ok()
	data := make([]byte, size)
	if _, err := io.ReadFull(k.wire.in, data); err != nil {
		return errCut
	}
	if err := k.wire.answer(); errors.Is(err, errSkipped) {
		return errors.New(p + ": the client could not read all of it")
	} else if err != nil {
		return err
	}
	hash, err := k.Visitor.Put(k.ctx, data)
	if err != nil {
		return &machineError{err}
	}
	k.change.Entries = append(k.change.Entries, blog.Entry{Path: kept, Hash: hash, Size: size, MTime: k.mtime})
	return nil
}

// place is where a file goes, if one of that size may: "" if it is nobody's
// work, which is not kept.
func (k *scpSink) place(p string, size int64) (string, error) {
	if blog.Scratch(p) {
		if most := k.Visitor.MaxFile(p); size > most {
			return "", fmt.Errorf("%s: %w", p, tooBig(most))
		}
		return "", nil
	}
	if info, err := k.files.Stat(p); err == nil && !info.Dir && info.Path != p && addresses(k.Visitor, p) {
		p = info.Path
	}
	kept, err := blog.PathFor(p)
	switch most := k.Visitor.MaxFile(p); {
	case err != nil:
		return "", fmt.Errorf("%s: %w", p, err)
	case size > most:
		return "", fmt.Errorf("%s: %w", p, tooBig(most))
	case k.seen[kept]:
		return "", errors.New(p + ": comes twice")
	case isDir(k.files, kept):
		return "", errors.New(p + ": is a folder")
	}
	k.seen[kept] = true
	return kept, nil
}

// Giving

// scpSource gives files. The far end expands patterns, as a shell there would.
type scpSource struct {
	ctx    context.Context
	wire   *scpWire
	call   scpCall
	files  *blog.Files
	failed bool
}

func (f *scpSource) send() (status int, err error) {
	if f.wire.answer() != nil {
		return 1, nil
	}
	for _, p := range f.call.paths {
		found := f.match(p)
		if len(found) == 0 {
			f.warn(p, "No such file or directory")
		}
		for _, it := range found {
			if err := f.one(it.name, it.info); errors.Is(err, errCut) {
				return 1, nil
			} else if err != nil {
				return 1, err
			}
		}
	}
	if f.failed {
		return 1, nil
	}
	return 0, nil
}

func (f *scpSource) warn(p, why string) {
	f.failed = true
	f.wire.warn("scp: " + p + ": " + why)
}

// scpFound is a file or directory under the name that the client expects.
type scpFound struct {
	name string
	info blog.FileInfo
}

// match finds what a client's path names: the path itself, or a pattern.
func (f *scpSource) match(p string) (found []scpFound) {
	if slices.Contains(strings.Split(p, "/"), "..") || len(p) > maxRecord {
		return nil
	}
	if p = below(p); p == "." { // which clients take for no name
		p = "*"
	}
	for _, info := range match(f.files, p) {
		found = append(found, scpFound{path.Base(info.Path), info})
	}
	if len(found) == 1 && !strings.ContainsAny(p, patterns) {
		found[0].name = path.Base(p) // SLUG.md
	}
	return found
}

// one sends a file, or a directory with all that is in it. What the client does
// not take is left out.
func (f *scpSource) one(name string, info blog.FileInfo) error {
	if info.Dir && !f.call.recursive {
		f.warn(info.Path, "not a regular file")
		return nil
	}
	var data []byte
	if !info.Dir {
		var err error
		if data, err = f.files.Read(f.ctx, info); err != nil {
			return err
		}
	}
	if f.call.times {
		sec := max(info.MTime.Unix(), 0)
		if err := f.tell("T%d 0 %d 0\n", sec, sec); err != nil {
			return f.left(err)
		}
	}
	if !info.Dir {
		if err := f.tell("C0644 %d %s\n", len(data), name); err != nil {
			return f.left(err)
		}
		if _, err := f.wire.out.Write(data); err != nil {
			return errCut
		}
		return f.left(f.tell("%c", scpOK))
	}
	if err := f.tell("D0755 0 %s\n", name); err != nil {
		return f.left(err)
	}
	in, _ := f.files.List(info.Path)
	for _, sub := range in {
		if err := f.one(path.Base(sub.Path), sub); err != nil {
			return err
		}
	}
	return f.left(f.tell("E\n"))
}

// tell writes and waits for the answer.
func (f *scpSource) tell(format string, args ...any) error {
	if _, err := fmt.Fprintf(f.wire.out, format, args...); err != nil {
		return errCut
	}
	return f.wire.answer()
}

// left notes what the client has not taken, and goes on.
func (f *scpSource) left(err error) error {
	if errors.Is(err, errSkipped) {
		f.failed = true
		return nil
	}
	return err
}
