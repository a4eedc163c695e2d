package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sheaf/app/blog"
	"sheaf/app/store"
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

// house is a blog with a transfer on it.
type house struct {
	t        testing.TB
	content  string
	scratch  string
	blog     *blog.Blog
	transfer *Transfer
	now      atomic.Pointer[time.Time]
	sessions atomic.Int64
	mu       sync.Mutex
	machine  []error // what the visitors are not told
}

var someFiles = map[string]string{
	"site.yaml":         "title: The house\nauthor: Ada\n",
	"posts/hello.md":    "---\ntitle: Hello\ndate: 2026-01-02\n---\nThe first words.\n",
	"posts/secret.md":   "---\ntitle: Secret\ndraft: true\n---\nNot yet to be known.\n",
	"posts/later.md":    "---\ntitle: Later\ndate: 2099-01-01\n---\nNot before its time.\n",
	"posts/picture.md":  "---\ntitle: Picture\ndate: 2026-01-03\n---\n![a dot](dot.txt)\n",
	"posts/dot.txt":     "dot\n",
	"posts/private.txt": "nobody names this\n",
}

func newHouse(t testing.TB, files map[string]string) *house {
	t.Helper()
	h := &house{t: t, content: filepath.Join(t.TempDir(), "content"), scratch: filepath.Join(t.TempDir(), "scratch")}
	now := time.Now()
	h.now.Store(&now)
	if err := os.MkdirAll(h.content, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, h.content, files)
	log := slog.New(slog.DiscardHandler)
	folder, err := store.Open(h.content, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	h.blog, err = blog.Open(context.Background(), blog.Config{Store: folder, Now: func() time.Time { return *h.now.Load() }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.blog.Close() })
	h.transfer, err = New(Config{Scratch: h.scratch, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.idle)
	return h
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *house) author() blog.Visitor { return h.blog.Author("Ada Lovelace").Visitor }

// head is the newest revision.
func (h *house) head() blog.Rev { return h.files(h.author()).Rev() }

func (h *house) files(v blog.Visitor) *blog.Files {
	h.t.Helper()
	f, err := v.Files(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// text is a file of the blog, "" when there is none.
func (h *house) text(name string) string {
	f := h.files(h.author())
	info, err := f.Stat(name)
	if err != nil || info.Path != name {
		return ""
	}
	b, err := f.Read(context.Background(), info)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// put is another author who comes through another door; "" removes.
func (h *house) put(name, text string) {
	h.t.Helper()
	v := h.blog.Author("Grace").Via("sftp")
	e := blog.Entry{Path: name, Size: int64(len(text))}
	if text != "" {
		var err error
		if e.Hash, err = v.Put(context.Background(), []byte(text)); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := v.Commit(context.Background(), blog.Change{Entries: []blog.Entry{e}}); err != nil {
		h.t.Fatal(err)
	}
}

// last is the newest commit.
func (h *house) last() (c blog.Commit) {
	for c = range h.blog.Author("").Commits(h.head() - 1) {
	}
	return c
}

// door listens for clients that come as a visitor, and gives the environment
// in which they do.
func (h *house) door(v blog.Visitor) []string {
	dir, err := os.MkdirTemp("", "door") // a socket's path is short
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.sessions.Add(1)
			go func() {
				defer h.sessions.Add(-1)
				h.session(c, v)
			}()
		}
	}()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	return []string{dialEnv + "=" + socket, "RSYNC_RSH=" + self, "GIT_SSH=" + self, "GIT_SSH_VARIANT=ssh", "HOME=" + dir, "PATH=" + os.Getenv("PATH"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main", "LC_ALL=C"}
}

func (h *house) session(c net.Conn, v blog.Visitor) {
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
	status, err := h.transfer.Exec(ctx, Session{Visitor: v, Host: "blog.example", Denied: "permission denied: no author key", Env: first.Env,
		In: pr, Out: out(frameData), Err: out(frameErr), Alive: func(context.Context) bool { return ctx.Err() == nil }}, first.Args)
	pr.Close()
	if err != nil && ctx.Err() == nil {
		h.mu.Lock()
		h.machine = append(h.machine, err)
		h.mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	_ = frame(c, frameExit, []byte{byte(status)})
}

// idle waits until no session is left.
func (h *house) idle() {
	h.t.Helper()
	await(h.t, func() bool { return h.sessions.Load() == 0 })
}

func await(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

// sound fails the test when something went wrong that no visitor was told of.
func (h *house) sound() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range h.machine {
		h.t.Errorf("machine: %v", err)
	}
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
