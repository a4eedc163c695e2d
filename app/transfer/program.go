package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"
)

// program is a program of the system that is run for a session: with nothing
// of the server's environment, without a shell, and not longer than the
// session.
type program struct {
	name  string
	args  []string
	dir   string
	env   []string
	in    io.Reader // nil: nothing
	out   io.Writer
	err   io.Writer
	files []*os.File // from descriptor 3 on
}

// run waits for the program and gives its exit status. The error is one of the
// machine: that the program is not there, for one. A client that has gone ends
// the program, and is none.
func (p program) run(ctx context.Context) (status int, err error) {
	full, err := exec.LookPath(p.name)
	if err != nil {
		return 1, errMissing{p.name}
	}
	cmd := exec.CommandContext(ctx, full, p.args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C.UTF-8"}, p.env...)
	cmd.ExtraFiles = p.files
	cmd.WaitDelay = 2 * time.Second
	group(cmd)
	var e ends
	cmd.Stdout, cmd.Stderr = e.writer(p.out), e.writer(p.err)
	if p.in != nil {
		// Not cmd.Stdin: waiting for a client that says nothing more
		// would take as long as it likes.
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return 1, err
		}
		go func() {
			defer pipe.Close()
			_, _ = io.Copy(pipe, e.reader(p.in))
		}()
	}
	err = cmd.Run()
	if panicked := e.panicked.Load(); panicked != nil {
		return 1, fmt.Errorf("%s: panic: %v", p.name, *panicked)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), nil
	case ctx.Err() != nil, e.gone.Load(), errors.Is(err, exec.ErrWaitDelay):
		return 1, nil
	}
	return 1, fmt.Errorf("%s: %w", p.name, err)
}

// output runs a program that says something, and gives what it says. Where it
// fails, errFailed holds its status.
func (p program) output(ctx context.Context) ([]byte, error) {
	var out, errs bytes.Buffer
	p.out, p.err = &out, &errs
	status, err := p.run(ctx)
	if err == nil && status != 0 {
		err = errors.Join(ctx.Err(), errFailed{p.name, status, line(errs.String())})
	}
	return out.Bytes(), err
}

// errFailed is a program that has ended with another status than 0.
type errFailed struct {
	name   string
	status int
	said   string
}

func (e errFailed) Error() string { return fmt.Sprintf("%s: status %d: %s", e.name, e.status, e.said) }

// errMissing is a program that is not installed.
type errMissing struct{ name string }

func (e errMissing) Error() string { return e.name + ": is not installed on the server" }

// ends are the ends of a session that goroutines of a program read and write:
// what panics there must not end the server.
type ends struct {
	gone     atomic.Bool // a write has failed
	panicked atomic.Pointer[any]
}

func (e *ends) catch(err *error) {
	if p := recover(); p != nil {
		e.panicked.Store(&p)
		*err = errors.New("internal error")
	}
}

func (e *ends) writer(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	return writer(func(p []byte) (n int, err error) {
		defer e.catch(&err)
		if n, err = w.Write(p); err != nil {
			e.gone.Store(true)
		}
		return n, err
	})
}

func (e *ends) reader(r io.Reader) io.Reader {
	return reader(func(p []byte) (n int, err error) {
		defer e.catch(&err)
		return r.Read(p)
	})
}

type (
	writer func([]byte) (int, error)
	reader func([]byte) (int, error)
)

func (f writer) Write(p []byte) (int, error) { return f(p) }
func (f reader) Read(p []byte) (int, error)  { return f(p) }

// lines passes what a program says to a person on, line by line, without
// anything that a terminal would obey.
type lines struct {
	s    Session
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexAny(l.rest, "\r\n")
		if i < 0 && len(l.rest) > 8<<10 {
			i = 8 << 10 // no line for people
		}
		if i < 0 {
			return len(p), nil
		}
		if i > 0 {
			l.s.say(string(l.rest[:i]))
		}
		l.rest = bytes.TrimLeft(l.rest[i:], "\r\n")
	}
}
