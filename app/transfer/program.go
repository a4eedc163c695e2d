package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
// machine: that the program is not there, for one.
func (p program) run(ctx context.Context) (status int, err error) {
	full, err := exec.LookPath(p.name)
	if err != nil {
		return 1, errMissing{p.name}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, full, p.args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LANG=C.UTF-8"}, p.env...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = p.out, p.err, p.files
	cmd.WaitDelay = 2 * time.Second
	group(cmd)
	if p.in != nil {
		// Not cmd.Stdin: waiting for a client that says nothing more
		// would take as long as it likes.
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return 1, err
		}
		go func() {
			defer pipe.Close()
			_, _ = io.Copy(pipe, p.in)
		}()
	}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), nil
	case ctx.Err() != nil, errors.Is(err, exec.ErrWaitDelay):
		return 1, nil
	}
	return 1, fmt.Errorf("%s: %w", p.name, err)
}

// output runs a program that says something, and gives what it says.
func (p program) output(ctx context.Context) ([]byte, error) {
	var out, errs bytes.Buffer
	p.out, p.err = &out, &errs
	status, err := p.run(ctx)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s: %s", p.name, line(errs.String()))
	}
	return out.Bytes(), err
}

// errMissing is a program that is not installed.
type errMissing struct{ name string }

func (e errMissing) Error() string { return e.name + " is not installed on the server" }

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
		if i < 0 {
			break
		}
		if i > 0 {
			l.s.say(string(l.rest[:i]))
		}
		l.rest = l.rest[i+1:]
	}
	if len(l.rest) > 8<<10 {
		l.rest = l.rest[:0]
	}
	return len(p), nil
}
