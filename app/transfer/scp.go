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

// scp speaks the old protocol of scp (`scp -O`), which has no other
// specification than the program: lines that announce a file (C), a directory
// (D, closed by E) or times (T), each answered with a zero byte, or with 1 and
// a line of text.

const (
	maxHeader = 4 << 10
	maxDepth  = 32
)

type scpCall struct {
	sink, source, recursive, times, dir bool
	paths                               []string
}

func scpArgs(args []string) (c scpCall, err error) {
	for i, a := range args {
		if a == "--" {
			c.paths = append(c.paths, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			c.paths = append(c.paths, a)
			continue
		}
		for _, o := range a[1:] {
			switch o {
			case 't':
				c.sink = true
			case 'f':
				c.source = true
			case 'r':
				c.recursive = true
			case 'p':
				c.times = true
			case 'd':
				c.dir = true
			case 'v', 'q':
			default:
				return c, fmt.Errorf("no option -%c", o)
			}
		}
	}
	if c.sink == c.source || len(c.paths) == 0 || c.sink && len(c.paths) > 1 {
		return c, errors.New("is answered to the program scp only")
	}
	for i, p := range c.paths {
		if slices.Contains(strings.Split(p, "/"), "..") {
			return c, errors.New(p + " leads out of the blog")
		}
		c.paths[i] = strings.TrimPrefix(p, "~/")
	}
	return c, nil
}

func (t *Transfer) scp(ctx context.Context, s Session, args []string) (int, error) {
	s.Visitor = s.Visitor.Through("scp")
	c, err := scpArgs(args)
	if err != nil {
		s.say("sheaf: scp: " + err.Error())
		return 2, nil
	}
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return 1, err
	}
	w := &scpWire{in: bufio.NewReaderSize(s.In, 32<<10), out: s.Out}
	if c.source {
		return w.send(ctx, s, files, c)
	}
	if !s.Visitor.IsAuthor() {
		s.deny()
		_ = w.fail("permission denied")
		return 1, nil
	}
	return w.receive(ctx, s, files, c)
}

// scpWire is the two directions of the protocol.
type scpWire struct {
	in  *bufio.Reader
	out io.Writer
}

func (w *scpWire) ok() error {
	_, err := w.out.Write([]byte{0})
	return err
}

func (w *scpWire) fail(why string) error {
	_, err := io.WriteString(w.out, "\x01scp: "+line(why)+"\n")
	return err
}

var errGone = errors.New("the client has gone")

// line reads to the end of a line that is not too long.
func (w *scpWire) line() (string, error) {
	var b []byte
	for {
		c, err := w.in.ReadByte()
		switch {
		case err == io.EOF && len(b) == 0:
			return "", io.EOF
		case err != nil:
			return "", errGone
		case c == '\n':
			return string(b), nil
		case len(b) == maxHeader:
			return "", errors.New("a line of the protocol is too long")
		}
		b = append(b, c)
	}
}

// answer reads the client's answer.
func (w *scpWire) answer() error {
	c, err := w.in.ReadByte()
	switch {
	case err != nil:
		return errGone
	case c == 0:
		return nil
	}
	why, err := w.line()
	if err != nil {
		return errGone
	}
	return errors.New(line(why))
}

// scpHeader is a line that announces a file or a directory.
type scpHeader struct {
	size int64
	name string
}

func parseHeader(text string) (h scpHeader, err error) {
	mode, rest, _ := strings.Cut(text, " ")
	size, name, ok := strings.Cut(rest, " ")
	if _, err := strconv.ParseUint(mode, 8, 16); err != nil || !ok {
		return h, errors.New("a line of the protocol cannot be understood")
	}
	if h.size, err = strconv.ParseInt(size, 10, 63); err != nil || h.size < 0 {
		return h, errors.New("a size cannot be understood")
	}
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return h, errors.New("a name that is none")
	}
	h.name = name
	return h, nil
}

// receive takes a set of files and publishes it as one change.
func (w *scpWire) receive(ctx context.Context, s Session, files *blog.Files, c scpCall) (int, error) {
	target := strings.TrimPrefix(path.Clean("/"+c.paths[0]), "/")
	info, err := files.Stat(or(target, "."))
	into := c.dir || target == "" || target == "posts" || strings.HasSuffix(c.paths[0], "/") || err == nil && info.Dir
	change := blog.Change{Base: files.Rev()}
	var dirs []string
	var mtime time.Time
	var warnings []string
	refused := false
	at := func(name string) string {
		switch {
		case len(dirs) > 0:
			return path.Join(dirs[len(dirs)-1], name)
		case into:
			return path.Join(target, name)
		}
		return target
	}
	refuse := func(name, why string) error {
		refused = true
		s.say("sheaf: not published: " + name + ": " + why)
		return w.fail(line(name + ": " + why))
	}
	if into && target != "" && target != "posts" && (err != nil || !info.Dir) {
		s.say("sheaf: not published: " + target + ": no such folder")
		_ = w.fail(target + ": no such folder")
		return 1, nil
	}
	if err := w.ok(); err != nil {
		return 1, nil
	}
	for {
		text, err := w.line()
		if err == io.EOF && len(dirs) == 0 {
			break
		}
		if err != nil || text == "" {
			if err == nil {
				err = errGone
			}
			s.say("sheaf: scp: " + err.Error() + "; nothing was changed")
			return 1, nil
		}
		kind, rest := text[0], text[1:]
		switch kind {
		case 'T':
			secs, _, _ := strings.Cut(rest, " ")
			if n, err := strconv.ParseInt(secs, 10, 62); err == nil && n > 0 {
				mtime = time.Unix(n, 0)
			}
			err = w.ok()
		case 'E':
			if len(dirs) == 0 {
				s.say("sheaf: scp: a directory ends that did not begin; nothing was changed")
				return 1, nil
			}
			dirs = dirs[:len(dirs)-1]
			err = w.ok()
		case 'D':
			h, herr := parseHeader(rest)
			if herr == nil && (!c.recursive || len(dirs) == maxDepth) {
				herr = errors.New("too many folders in one another")
			}
			if herr != nil {
				s.say("sheaf: scp: " + herr.Error() + "; nothing was changed")
				_ = w.fail(herr.Error())
				return 1, nil
			}
			dirs = append(dirs, at(h.name))
			err = w.ok()
		case 'C':
			h, herr := parseHeader(rest)
			if herr != nil {
				s.say("sheaf: scp: " + herr.Error() + "; nothing was changed")
				_ = w.fail(herr.Error())
				return 1, nil
			}
			name := at(h.name)
			skip := blog.Scratch(name)
			clean, perr := blog.PathFor(name)
			switch limit := s.Visitor.MaxFile(name); {
			case skip:
			case perr != nil:
				err = refuse(name, perr.Error())
			case h.size > limit:
				err = refuse(name, fmt.Sprintf("is too big: at most %d KB", limit>>10))
			case path.Ext(clean) == "" && !into && len(dirs) == 0:
				err = refuse(name, "neither a folder nor the name of a post, which ends with .md")
			}
			if err == nil && (skip || perr == nil && h.size <= s.Visitor.MaxFile(name) && (path.Ext(clean) != "" || into || len(dirs) > 0)) {
				if err = w.ok(); err != nil {
					return 1, nil
				}
				var hash string
				hash, err = w.file(ctx, s, h.size, skip)
				if err != nil && !errors.Is(err, errGone) {
					return 1, err
				}
				if skip {
					warnings = append(warnings, "warning: "+line(name)+": not kept: hidden names and editors' files are not part of the blog")
				} else if err == nil {
					change.Entries = append(change.Entries, blog.Entry{Path: clean, Hash: hash, Size: h.size, MTime: mtime})
				}
				if err == nil {
					err = w.ok()
				}
			}
			mtime = time.Time{}
		case 1, 2:
			refused = refused || kind == 2
		default:
			err = errors.New("a line of the protocol cannot be understood")
		}
		if err != nil {
			s.say("sheaf: scp: " + err.Error() + "; nothing was changed")
			return 1, nil
		}
	}
	switch {
	case refused:
		s.say("sheaf: nothing was changed")
		return 1, nil
	case !s.Alive(ctx):
		return 1, nil
	case len(change.Entries) == 0:
		s.sayLines(warnings)
		return min(len(warnings), 1), nil
	}
	status, err := s.tell(s.Visitor.Commit(ctx, change))
	s.sayLines(warnings)
	return status, err
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}

// file reads the bytes of one file, which is no larger than the blog allows.
func (w *scpWire) file(ctx context.Context, s Session, size int64, skip bool) (hash string, err error) {
	if skip {
		if _, err := io.CopyN(io.Discard, w.in, size); err != nil {
			return "", errGone
		}
		return "", w.answer()
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(w.in, b); err != nil {
		return "", errGone
	}
	if err := w.answer(); err != nil {
		return "", errGone // the client could not read its file
	}
	return s.Visitor.Put(ctx, b)
}

// send gives files, expanding patterns.
func (w *scpWire) send(ctx context.Context, s Session, files *blog.Files, c scpCall) (int, error) {
	if err := w.answer(); err != nil {
		return 1, nil
	}
	status := 0
	for _, p := range c.paths {
		found := match(files, p)
		if len(found) == 0 {
			status = 1
			if w.fail(p+": No such file or directory") != nil {
				return 1, nil
			}
		}
		for _, info := range found {
			name := path.Base(info.Path)
			if !info.Dir && len(found) == 1 && !strings.ContainsAny(p, "*?[") {
				name = path.Base(p)
			}
			if info.Dir && !c.recursive {
				status = 1
				if w.fail(p+": not a regular file") != nil {
					return 1, nil
				}
				continue
			}
			if err := w.sendOne(ctx, files, info, name, c.times); err != nil {
				return 1, nil
			}
		}
	}
	return status, nil
}

// match finds what a client's path names.
func match(files *blog.Files, p string) []blog.FileInfo {
	if info, err := files.Stat(or(strings.Trim(p, "/"), ".")); err == nil {
		return []blog.FileInfo{info}
	}
	if !strings.ContainsAny(p, "*?[") || len(p) > 200 {
		return nil
	}
	var found []blog.FileInfo
	for info := range files.All() {
		if ok, err := path.Match(strings.TrimPrefix(path.Clean("/"+p), "/"), info.Path); err == nil && ok {
			found = append(found, info)
		}
	}
	return found
}

func (w *scpWire) sendOne(ctx context.Context, files *blog.Files, info blog.FileInfo, name string, times bool) error {
	tell := func(format string, args ...any) error {
		if _, err := fmt.Fprintf(w.out, format, args...); err != nil {
			return err
		}
		return w.answer()
	}
	if times {
		if err := tell("T%d 0 %d 0\n", max(info.MTime.Unix(), 0), max(info.MTime.Unix(), 0)); err != nil {
			return err
		}
	}
	if info.Dir {
		list, err := files.List(info.Path)
		if err != nil {
			return err
		}
		if err := tell("D0755 0 %s\n", name); err != nil {
			return err
		}
		for _, sub := range list {
			if err := w.sendOne(ctx, files, sub, path.Base(sub.Path), times); err != nil {
				return err
			}
		}
		return tell("E\n")
	}
	b, err := files.Read(ctx, info)
	if err != nil {
		return errors.Join(err, w.fail(name+": cannot be read"))
	}
	if err := tell("C0644 %d %s\n", len(b), name); err != nil {
		return err
	}
	if _, err := w.out.Write(append(b, 0)); err != nil {
		return err
	}
	return w.answer()
}
