package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sheaf/app/markdown"
)

// The older protocol of scp (`scp -O`) is specified by the program alone. The
// side that sends files is called the source, the other the sink. The source
// writes records, lines that begin with a letter: C announces a file, whose
// bytes follow, D opens a directory, which E closes, and T gives the times of
// what comes next. The sink acknowledges each record and each file with a byte:
// 0 if all is well, 1 and a line of text if this one thing was not accepted, 2
// and a line of text if that is the end of everything.
const (
	scpOK, scpWarning, scpFatal = 0, 1, 2

	maxRecord = 4 << 10 // bytes
	maxDepth  = 32      // of directories
)

// scpArgs is the command line of the far end.
type scpArgs struct {
	sink      bool // the client sends files
	recursive bool
	times     bool
	targetDir bool // the target has to be a directory
	paths     []string
}

// parseScp reads `scp -t|-f [-r] [-p] [-d] [-v] PATH...`, and refuses what it
// does not know.
func parseScp(args []string) (a scpArgs, err error) {
	source := false
	for i, arg := range args {
		if arg == "--" || len(arg) < 2 || arg[0] != '-' {
			a.paths = slices.DeleteFunc(slices.Clone(args[i:]), func(p string) bool { return p == "--" })
			break
		}
		for _, option := range arg[1:] {
			switch option {
			case 't':
				a.sink = true
			case 'f':
				source = true
			case 'r':
				a.recursive = true
			case 'p':
				a.times = true
			case 'd':
				a.targetDir = true
			case 'v', 'q':
			default:
				return a, fmt.Errorf("the option -%c cannot be used here", option)
			}
		}
	}
	if a.sink == source || len(a.paths) == 0 || a.sink && len(a.paths) > 1 {
		return a, errors.New("is answered to the program scp only")
	}
	for i, p := range a.paths {
		if p == "~" {
			p = ""
		}
		a.paths[i] = strings.TrimPrefix(p, "~/")
	}
	return a, nil
}

func (t *Transfer) scp(ctx context.Context, s Session, args []string) (status int, err error) {
	s.Visitor = s.Visitor.Via("scp")
	a, err := parseScp(args)
	if err != nil {
		s.say("sheaf: scp: " + err.Error())
		return 2, nil
	}
	conn := &scpConn{in: bufio.NewReaderSize(s.In, 32<<10), out: s.Out}
	author, isAuthor := s.Visitor.Author()
	if a.sink && !isAuthor {
		s.deny()
		conn.fail("nothing was changed")
		return 1, nil
	}
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return 1, err
	}
	if a.sink {
		k := &scpSink{Session: s, author: author, ctx: ctx, conn: conn, args: a, files: files, seen: map[string]bool{}}
		k.change.Base = files.Rev()
		return k.receive()
	}
	f := &scpSource{t: t, visitor: s.Visitor, ctx: ctx, conn: conn, args: a, files: files}
	return f.send()
}

// An scpConn is the two directions of the protocol. Failures to write are not
// reported: the client has gone then, as the next read will say.
type scpConn struct {
	in  *bufio.Reader
	out io.Writer
}

func (c *scpConn) ok() { _, _ = c.out.Write([]byte{scpOK}) }

// warn sends a message which the client prints before it goes on.
func (c *scpConn) warn(why string) {
	_, _ = fmt.Fprintf(c.out, "%c%s\n", scpWarning, markdown.Line(why))
}

// fail sends a message which the client prints before it ends.
func (c *scpConn) fail(why string) {
	_, _ = fmt.Fprintf(c.out, "%csheaf: %s\n", scpFatal, markdown.Line(why))
}

var (
	errCutOff   = errors.New("the upload was cut off")
	errRecord   = errors.New("this is not the protocol of scp")
	errSkipped  = errors.New("not wanted")
	errReported = errors.New("nothing was changed") // why, the author knows
)

// readRecord reads a line. The error is io.EOF at the end of the input, and
// errCutOff if that is within a line.
func (c *scpConn) readRecord() (string, error) {
	var record []byte
	for {
		b, err := c.in.ReadByte()
		switch {
		case err != nil && len(record) == 0:
			return "", io.EOF
		case err != nil:
			return "", errCutOff
		case b == '\n':
			return string(record), nil
		case len(record) == maxRecord:
			return "", errRecord
		}
		record = append(record, b)
	}
}

// readAck reads an acknowledgement. The error is errSkipped if only the last
// record or file was not accepted, and errCutOff if nothing more can come.
func (c *scpConn) readAck() error {
	b, err := c.in.ReadByte()
	switch {
	case err != nil:
		return errCutOff
	case b == scpOK:
		return nil
	}
	if _, err := c.readRecord(); err != nil || b != scpWarning {
		return errCutOff
	}
	return errSkipped
}

// scpRecord is a line of the source.
type scpRecord struct {
	kind  byte      // C, D, E, T, scpWarning or scpFatal
	size  int64     // of a file
	mtime time.Time // of T
	text  string    // the name of a file or directory, or the message
}

// parseRecord reads a line of the source. It accepts no name that could lead
// out of a directory.
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
	case 'T': // mtime and atime, each in seconds and microseconds
		fields := strings.Split(text, " ")
		if len(fields) != 4 {
			return r, errRecord
		}
		for i := range fields {
			n, err := parseDecimal(fields[i], 1<<40)
			if err != nil {
				return r, err
			}
			if i == 0 {
				r.mtime = time.Unix(n, 0)
			}
		}
		return r, nil
	case 'C', 'D': // mode, size and name
		fields := strings.SplitN(text, " ", 3)
		if len(fields) != 3 || len(fields[0]) != 4 || strings.Trim(fields[0], "01234567") != "" {
			return r, errRecord
		}
		if r.size, err = parseDecimal(fields[1], 1<<62); err != nil {
			return r, err
		}
		r.text = fields[2]
		if r.text == "" || r.text == "." || r.text == ".." || strings.ContainsAny(r.text, "/\x00") {
			return r, errRecord
		}
		return r, nil
	}
	return r, errRecord
}

// parseDecimal reads a number that consists of digits only.
func parseDecimal(s string, limit int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > limit || strings.Trim(s, "0123456789") != "" {
		return 0, errRecord
	}
	return n, nil
}
