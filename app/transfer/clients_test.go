package transfer

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sheaf/app/blog"
)

// The real rsync and git run against the package without a network: where they
// would start ssh they start this test program, which hands everything to the
// test over a socket, in frames: a kind, a length, bytes.
const (
	frameData byte = iota
	frameEnd
	frameErr
	frameExit

	dialEnv = "TRANSFER_TEST_SOCKET"
)

type hello struct{ Args, Env []string }

// asAnother is for the processes that are not the test itself: git's hook, and
// what stands in for ssh. (os.Exit takes a second under the race detector.)
func asAnother() {
	switch socket := os.Getenv(dialEnv); {
	case IsHook(os.Args[0], os.Environ()):
		syscall.Exit(Hook(context.Background(), os.Environ(), os.Stdin, os.Stderr))
	case socket != "":
		syscall.Exit(standIn(socket, os.Args[1:]))
	}
}

func frame(w io.Writer, kind byte, b []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(b)))
	_, err := w.Write(append(head, b...))
	return err
}

func readFrame(r io.Reader) (kind byte, b []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	b = make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err = io.ReadFull(r, b)
	return head[0], b, err
}

// standIn is what ssh would be.
func standIn(socket string, args []string) int {
	for len(args) > 1 && args[0] == "-o" {
		args = args[2:]
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 255
	}
	h := hello{Args: args[1:]}
	if len(h.Args) == 1 { // git quotes for a shell
		for _, f := range strings.Fields(h.Args[0]) {
			h.Args = append(h.Args, strings.Trim(f, "'"))
		}
		h.Args = h.Args[1:]
	}
	if p := os.Getenv("GIT_PROTOCOL"); p != "" {
		h.Env = []string{"GIT_PROTOCOL=" + p}
	}
	b, _ := json.Marshal(h)
	if err := frame(c, frameData, b); err != nil {
		return 255
	}
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := os.Stdin.Read(buf)
			if n > 0 && frame(c, frameData, buf[:n]) != nil {
				return
			}
			if err != nil {
				_ = frame(c, frameEnd, nil)
				return
			}
		}
	}()
	r := bufio.NewReader(c)
	for {
		switch kind, b, err := readFrame(r); {
		case err != nil:
			return 255
		case kind == frameData:
			os.Stdout.Write(b)
		case kind == frameErr:
			os.Stderr.Write(b)
		case kind == frameExit:
			return int(b[0])
		}
	}
}

// listen serves clients as a visitor, and returns the environment that leads
// them here.
func (f *fixture) listen(v blog.Visitor) []string {
	dir, err := os.MkdirTemp("", "door") // a socket's path is short
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.sessions.Add(1)
			go func() {
				defer f.sessions.Add(-1)
				f.serve(c, v)
			}()
		}
	}()
	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	return []string{
		dialEnv + "=" + socket,
		"RSYNC_RSH=" + self,
		"GIT_SSH=" + self,
		"GIT_SSH_VARIANT=ssh",
		"HOME=" + dir,
		"PATH=" + os.Getenv("PATH"),
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=init.defaultBranch",
		"GIT_CONFIG_VALUE_0=main",
		"GIT_AUTHOR_NAME=Ada",
		"GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada",
		"GIT_COMMITTER_EMAIL=ada@example.org",
	}
}

// serve answers one client that standIn has connected.
func (f *fixture) serve(c net.Conn, v blog.Visitor) {
	defer c.Close()
	in := bufio.NewReader(c)
	_, b, err := readFrame(in)
	var first hello
	if err != nil || json.Unmarshal(b, &first) != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	pr, pw := io.Pipe()
	go func() {
		for {
			kind, b, err := readFrame(in)
			if err != nil { // cut: it looks like the end
				cancel()
				pw.Close()
				return
			}
			if kind == frameEnd {
				pw.Close()
				continue
			}
			_, _ = pw.Write(b)
		}
	}()
	var mu sync.Mutex
	out := func(kind byte) io.Writer {
		return writerFunc(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return len(b), frame(c, kind, b)
		})
	}
	status, err := f.Exec(ctx, Session{
		Visitor: v,
		Host:    "blog.example",
		Denied:  "permission denied: no author key",
		Env:     first.Env,
		In:      pr,
		Out:     out(frameData),
		Err:     out(frameErr),
		Alive:   func(context.Context) bool { return ctx.Err() == nil },
	}, first.Args)
	pr.Close()
	if err != nil && ctx.Err() == nil {
		f.mu.Lock()
		f.internal = append(f.internal, err)
		f.mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	_ = frame(c, frameExit, []byte{byte(status)})
}

// installed finds a program. Where the clients are not required to be there, a
// test that needs it is skipped.
func installed(t testing.TB, name string) string {
	t.Helper()
	full, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return full
}

// client runs a program of the client's.
func client(t testing.TB, env []string, dir, name string, args ...string) (said string, status int) {
	t.Helper()
	full := installed(t, name)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, full, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a program that has to do what it is asked.
func must(t testing.TB, env []string, dir, name string, args ...string) string {
	t.Helper()
	said, status := client(t, env, dir, name, args...)
	if status != 0 {
		t.Fatalf("%s %s: status %d\n%s", name, strings.Join(args, " "), status, said)
	}
	return said
}

func wants(t testing.TB, said string, all ...string) {
	t.Helper()
	for _, w := range all {
		if !strings.Contains(said, w) {
			t.Errorf("not said: %q; but\n%s", w, said)
		}
	}
}
