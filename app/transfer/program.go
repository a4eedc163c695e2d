package transfer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"sheaf/app/markdown"
)

// A program is one of the system's that runs for a session. It gets no shell
// and nothing of the server's environment, and ends with the session.
type program struct {
	name  string
	args  []string
	dir   string
	env   []string
	in    io.Reader // nil: no input
	out   io.Writer
	err   io.Writer
	files []*os.File // inherited, from descriptor 3 on

	memory uint64 // that it may allocate, in bytes; 0 is defaultMemory
}

// What a program and each it starts may take, where the system can bound it.
// defaultMemory, for one that runs for an author, depends on how Sheaf was
// built: git's hook is Sheaf itself.
const (
	readerMemory = 48 << 20 // bytes, of one that runs for a reader
	maxCPU       = 600      // seconds of a processor
)

// run runs the program and returns its exit status once it has ended.
//
// The error is internal, or a missingError if the program is not installed.
// Neither a status other than 0 nor a client that has gone is an error; both
// only make the status non-zero. When ctx ends, the program and all it has
// started are killed.
func (p program) run(ctx context.Context) (status int, err error) {
	full, err := exec.LookPath(p.name)
	if err != nil {
		return 1, missingError{p.name}
	}
	cmd := exec.CommandContext(ctx, full, p.args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C.UTF-8"}, p.env...)
	cmd.ExtraFiles = p.files
	cmd.WaitDelay = 2 * time.Second
	ownProcessGroup(cmd)
	var g guardedIO
	cmd.Stdout, cmd.Stderr = g.writer(p.out), g.writer(p.err)
	// Not cmd.Stdin: Wait would wait for the copying to end, and a client that
	// sends nothing more could make that last as long as it likes.
	var input io.WriteCloser
	if p.in != nil {
		if input, err = cmd.StdinPipe(); err != nil {
			return 1, err
		}
	}
	if err = cmd.Start(); err == nil {
		if err := limitProcess(cmd.Process.Pid, cmp.Or(p.memory, defaultMemory), maxCPU); err != nil {
			_ = cmd.Cancel()
			_ = cmd.Wait()
			return 1, fmt.Errorf("%s: its limits: %w", p.name, err)
		}
		if input != nil { // not before it is bounded: it may start others at once
			go func() {
				defer input.Close()
				_, _ = io.Copy(input, g.reader(p.in))
			}()
		}
		err = cmd.Wait()
	}
	if panicked := g.panicked.Load(); panicked != nil {
		return 1, fmt.Errorf("%s: panic: %v", p.name, *panicked)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), nil
	case ctx.Err() != nil, g.writeFailed.Load(), errors.Is(err, exec.ErrWaitDelay):
		return 1, nil
	}
	return 1, fmt.Errorf("%s: %w", p.name, err)
}

// output runs the program and returns what it writes to its standard output.
// Here a status other than 0 is an error, a statusError.
func (p program) output(ctx context.Context) ([]byte, error) {
	var out, errs bytes.Buffer
	p.out, p.err = &out, &errs
	status, err := p.run(ctx)
	if err == nil && status != 0 {
		err = errors.Join(ctx.Err(), statusError{p.name, status, markdown.Line(errs.String())})
	}
	return out.Bytes(), err
}

// statusError means that a program has ended with a status other than 0.
type statusError struct {
	name   string
	status int
	stderr string
}

func (e statusError) Error() string {
	return fmt.Sprintf("%s: status %d: %s", e.name, e.status, e.stderr)
}

// missingError means that a program is not installed.
type missingError struct{ name string }

func (e missingError) Error() string { return e.name + ": is not installed on the server" }

// outdatedError means that an installed program is too old.
type outdatedError struct{ name, version, needed string }

func (e outdatedError) Error() string {
	return fmt.Sprintf("%s: version %s on the server is too old: %s or newer is needed", e.name, e.version, e.needed)
}

// guardedIO wraps a session's streams for the goroutines that copy to and from
// a program, so that a panic in one of them does not end the server.
type guardedIO struct {
	writeFailed atomic.Bool
	panicked    atomic.Pointer[any]
}

// contain, when deferred, turns a panic into an error.
func (g *guardedIO) contain(err *error) {
	if p := recover(); p != nil {
		g.panicked.Store(&p)
		*err = errors.New("internal error")
	}
}

func (g *guardedIO) writer(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	return writerFunc(func(p []byte) (n int, err error) {
		defer g.contain(&err)
		if n, err = w.Write(p); err != nil {
			g.writeFailed.Store(true)
		}
		return n, err
	})
}

func (g *guardedIO) reader(r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (n int, err error) {
		defer g.contain(&err)
		return r.Read(p)
	})
}

type (
	writerFunc func([]byte) (int, error)
	readerFunc func([]byte) (int, error)
)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
func (f readerFunc) Read(p []byte) (int, error)  { return f(p) }

// A lineWriter passes a program's messages on to a person, line by line, and
// removes what would control a terminal. A last line without an end is dropped.
type lineWriter struct {
	session Session
	rest    []byte // of a line that is not complete
}

func (l *lineWriter) Write(p []byte) (int, error) {
	const maxLine = 8 << 10 // longer ones are not meant for people
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexAny(l.rest, "\r\n")
		if i < 0 && len(l.rest) > maxLine {
			i = maxLine
		}
		if i < 0 {
			return len(p), nil
		}
		if i > 0 {
			l.session.say(string(l.rest[:i]))
		}
		l.rest = bytes.TrimLeft(l.rest[i:], "\r\n")
	}
}
