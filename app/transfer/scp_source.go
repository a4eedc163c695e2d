package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"sheaf/app/blog"
)

// An scpSource gives files to the client. As the shell of the far end would, it
// expands patterns.
type scpSource struct {
	t       *Transfer
	visitor blog.Visitor
	ctx     context.Context
	conn    *scpConn
	args    scpArgs
	files   *blog.Files
	failed  bool // something was not there, or not accepted
}

// send gives the client what it has asked for and returns the exit status. The
// error is internal.
func (f *scpSource) send() (status int, err error) {
	if f.conn.readAck() != nil {
		return 1, nil
	}
	for _, p := range f.args.paths {
		matches := f.match(p)
		if len(matches) == 0 {
			f.warn(p, "No such file or directory")
		}
		for _, m := range matches {
			if err := f.sendTree(m.name, m.info); errors.Is(err, errCutOff) {
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
	f.conn.warn("scp: " + p + ": " + why)
}

// An scpMatch is a file or directory under the name that the client expects.
type scpMatch struct {
	name string
	info blog.FileInfo
}

// match finds what a client's path names: the path itself, or a pattern.
func (f *scpSource) match(p string) (matches []scpMatch) {
	if slices.Contains(strings.Split(p, "/"), "..") || len(p) > maxRecord {
		return nil
	}
	if p = cleanPath(p); p == "." { // which clients refuse as a name
		p = "*"
	}
	for _, info := range glob(f.files, p) {
		matches = append(matches, scpMatch{path.Base(info.Path), info})
	}
	if len(matches) == 1 && !strings.ContainsAny(p, globChars) {
		matches[0].name = path.Base(p) // SLUG.md stands for a file of another name
	}
	return matches
}

// sendTree sends a file, or a directory with all that is in it. What the client
// does not accept is left out. The error is errCutOff or internal.
func (f *scpSource) sendTree(name string, info blog.FileInfo) error {
	if info.Dir && !f.args.recursive {
		f.warn(info.Path, "not a regular file")
		return nil
	}
	var data io.Reader
	if !info.Dir {
		shared, err := f.t.sending.take(f.ctx, f.visitor, f.files, info)
		if err != nil {
			return err
		}
		defer shared.give()
		r, err := shared.reader()
		if err != nil {
			return err
		}
		data = io.NewSectionReader(r, 0, info.Size)
	}
	if f.args.times {
		sec := max(info.MTime.Unix(), 0)
		if err := f.sendRecord("T%d 0 %d 0\n", sec, sec); err != nil {
			return f.skip(err)
		}
	}
	if !info.Dir {
		if err := f.sendRecord("C0644 %d %s\n", info.Size, name); err != nil {
			return f.skip(err)
		}
		if n, err := io.Copy(f.conn.out, data); err != nil || n != info.Size {
			return errCutOff
		}
		return f.skip(f.sendRecord("%c", scpOK))
	}
	if err := f.sendRecord("D0755 0 %s\n", name); err != nil {
		return f.skip(err)
	}
	in, _ := f.files.List(info.Path)
	for _, sub := range in {
		if err := f.sendTree(path.Base(sub.Path), sub); err != nil {
			return err
		}
	}
	return f.skip(f.sendRecord("E\n"))
}

// sendRecord sends a record and waits for its acknowledgement.
func (f *scpSource) sendRecord(format string, args ...any) error {
	if _, err := fmt.Fprintf(f.conn.out, format, args...); err != nil {
		return errCutOff
	}
	return f.conn.readAck()
}

// skip makes no error of what the client has not accepted, only a note for the
// exit status.
func (f *scpSource) skip(err error) error {
	if errors.Is(err, errSkipped) {
		f.failed = true
		return nil
	}
	return err
}
