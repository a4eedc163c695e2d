package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A program gets nothing of the server's environment, and what it says reaches
// people without what a terminal would obey.
func TestProgramsAreRunApart(t *testing.T) {
	t.Setenv("SHEAF_SECRET", "key")
	var out, errs bytes.Buffer
	status, err := program{name: "sh", args: []string{"-c", `env; printf '\033[31mred\n' >&2; printf half >&2; exit 3`}, env: []string{"MORE=1"},
		out: &out, err: &lineWriter{session: Session{Err: &errs}}}.run(t.Context())
	if status != 3 || err != nil {
		t.Fatal(status, err)
	}
	for l := range strings.Lines(out.String()) {
		name, _, _ := strings.Cut(l, "=")
		if !slices.Contains([]string{"PATH", "HOME", "LC_ALL", "MORE", "PWD", "SHLVL", "_", "OLDPWD"}, name) {
			t.Errorf("in the environment: %s", l)
		}
	}
	if strings.Contains(errs.String(), "\x1b") || !strings.Contains(errs.String(), "red") {
		t.Errorf("said %q", errs.String())
	}
}

// A panic at the session's ends is an error, and a program whose client has
// gone ends.
func TestProgramsEndWithTheirSession(t *testing.T) {
	_, err := program{name: "cat", in: readerFunc(func([]byte) (int, error) { panic("in") }), out: io.Discard, err: io.Discard}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("panic while reading: %v", err)
	}
	_, err = program{name: "echo", args: []string{"x"}, out: writerFunc(func([]byte) (int, error) { panic("out") })}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("panic while writing: %v", err)
	}
	status, err := program{name: "yes", out: writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })}.run(t.Context())
	if status == 0 || err != nil {
		t.Errorf("client gone: %d, %v", status, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	var once sync.Once
	go func() { <-started; cancel() }()
	pr, pw := io.Pipe()
	defer pw.Close()
	// The shell's child holds the output open; it ends with its group.
	_, err = program{name: "sh", args: []string{"-c", "echo on; sleep 600 & wait"}, in: pr,
		out: writerFunc(func(p []byte) (int, error) { once.Do(func() { close(started) }); return len(p), nil })}.run(ctx)
	if err != nil {
		t.Error(err)
	}
	_, err = program{name: "no-such-program"}.run(t.Context())
	var missing missingError
	if !errors.As(err, &missing) {
		t.Errorf("missing: %v", err)
	}
}

// A program that takes more memory than it may is refused it, and so are those
// it starts.
func TestProgramsAreBounded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux bounds another process")
	}
	for _, script := range []string{
		`read go; x=$(head -c 100000000 /dev/zero | tr '\0' x); echo ${#x}`,
		`read go; sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo ${#x}'`,
	} {
		var out, errs bytes.Buffer
		status, err := program{name: "sh", args: []string{"-c", script}, memory: readerMemory,
			in: strings.NewReader("go\n"), out: &out, err: &errs}.run(t.Context())
		if err != nil || status == 0 || out.Len() > 0 {
			t.Errorf("%s: status %d, %d bytes, %q, %v", script, status, out.Len(), errs.String(), err)
		}
	}
}
