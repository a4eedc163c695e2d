package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// The tests named Statement are those of the note on security that need the
// program in a process of its own: what it takes of memory, processor and
// descriptors, and how it ends. They are small enough to run each time.

// watched is the program in a process of its own.
type watched struct {
	*testing.T
	cmd           *exec.Cmd
	addr          string
	content, keys string
	signer        ssh.Signer // an author's
	logs          *lines
	done          chan error
}

// lines is a log that is written and read at the same time.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// told is the address that a line of the log tells, "" while there is none.
func (l *lines) told(msg string) string {
	for line := range strings.Lines(l.String()) {
		var v struct{ Msg, Addr string }
		if json.Unmarshal([]byte(line), &v) == nil && v.Msg == msg {
			return v.Addr
		}
	}
	return ""
}

func watch(t *testing.T, files map[string]string, flags ...string) *watched {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	w := &watched{T: t, content: writeBlog(t, files), keys: filepath.Join(t.TempDir(), "keys"), logs: &lines{}, done: make(chan error, 1)}
	if err := os.MkdirAll(w.keys, 0o700); err != nil {
		t.Fatal(err)
	}
	w.signer = authorKey(t, w.keys)
	w.cmd = exec.Command("sheaf", append([]string{"serve", "--addr", "127.0.0.1:0", "--log", "json", "--content", w.content, "--keys", w.keys}, flags...)...)
	w.start()
	return w
}

// measure is watch for a test of figures.
func measure(t *testing.T, files map[string]string, flags ...string) *watched {
	t.Helper()
	if slowed {
		t.Skip("the race detector changes the figures")
	}
	return watch(t, files, flags...)
}

func (w *watched) start() {
	w.Helper()
	w.cmd.Stderr = w.logs
	if err := w.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go func() { w.done <- w.cmd.Wait() }()
	w.Cleanup(func() {
		w.cmd.Process.Kill()
		select {
		case <-w.done:
		case <-time.After(10 * time.Second):
		}
		if w.Failed() {
			w.Logf("%.4000s", w.logs)
		}
	})
	w.until("it listens", func() bool { w.addr = w.logs.told("listening"); return w.addr != "" })
}

func (w *watched) until(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	w.Fatalf("not within 20 s: %s\n%.2000s", what, w.logs)
}

func (w *watched) proc(name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.cmd.Process.Pid, name))
	if err != nil {
		w.Fatalf("the server is gone: %v\n%.4000s", err, w.logs)
	}
	return string(b)
}

// memory is what the process has in memory, in bytes.
func (w *watched) memory() int {
	for line := range strings.Lines(w.proc("status")) {
		if f := strings.Fields(line); f[0] == "VmRSS:" {
			n, _ := strconv.Atoi(f[1])
			return n << 10
		}
	}
	w.Fatal("no VmRSS")
	return 0
}

// cpu is the time that the process has run on a processor.
func (w *watched) cpu() time.Duration {
	stat := w.proc("stat")
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (w *watched) descriptors() int {
	d, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.cmd.Process.Pid))
	if err != nil {
		w.Fatal(err)
	}
	return len(d)
}

// reader logs in as guest, from an address of this machine ("" is any).
func (w *watched) reader(ip string) (*ssh.Client, error) {
	return w.login(ip, &ssh.ClientConfig{User: "guest"})
}

func (w *watched) login(ip string, c *ssh.ClientConfig) (*ssh.Client, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if ip != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip)}
	}
	nc, err := d.Dial("tcp", w.addr)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { nc.Close() })
	c.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	conn, chans, reqs, err := ssh.NewClientConn(nc, w.addr, c)
	if err != nil {
		nc.Close()
		return nil, err
	}
	nc.SetDeadline(time.Time{})
	return ssh.NewClient(conn, chans, reqs), nil
}

func (w *watched) mustLogin(ip string) *ssh.Client {
	w.Helper()
	c, err := w.reader(ip)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *watched) author() *ssh.Client {
	w.Helper()
	c, err := w.login("", &ssh.ClientConfig{User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(w.signer)}})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// says runs a command and gives all that it says.
func (w *watched) says(c *ssh.Client, command, in string) string {
	w.Helper()
	s, err := c.NewSession()
	if err != nil {
		w.Fatal(err)
	}
	defer s.Close()
	s.Stdin = strings.NewReader(in)
	out, _ := s.CombinedOutput(command)
	return string(out)
}

// quick reads the list a few times as another reader, and fails if that
// usually takes longer than the time that somebody waits for a key.
func (w *watched) quick() {
	w.Helper()
	const wait = 200 * time.Millisecond
	c := w.mustLogin("127.0.0.9")
	defer c.Close()
	var took []time.Duration
	for range 7 {
		began := time.Now()
		if out := w.says(c, "ls", ""); !strings.Contains(out, "arriving") {
			w.Errorf("another reader reads %q", out)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if took[len(took)/2] > wait {
		w.Errorf("another reader waits %v", took)
	}
}

// screen is an open browser whose output nobody looks at but the test.
type screen struct {
	ssh.Channel
	out *lines
}

type ptyRequest struct {
	Term                  string
	Cols, Rows            uint32
	PixelCols, PixelsRows uint32
	Modes                 string
}

type windowChange struct{ Cols, Rows, PixelCols, PixelRows uint32 }

func (w *watched) screen(c *ssh.Client, cols, rows uint32) (*screen, error) {
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	go ssh.DiscardRequests(reqs)
	if ok, err := ch.SendRequest("pty-req", true, ssh.Marshal(ptyRequest{Term: "xterm-256color", Cols: cols, Rows: rows})); !ok || err != nil {
		return nil, fmt.Errorf("pty-req: %v %v", ok, err)
	}
	if ok, err := ch.SendRequest("shell", true, nil); !ok || err != nil {
		return nil, fmt.Errorf("shell: %v %v", ok, err)
	}
	s := &screen{ch, &lines{}}
	go io.Copy(s.out, ch)
	return s, nil
}

func (w *watched) mustScreen(c *ssh.Client, cols, rows uint32) *screen {
	w.Helper()
	s, err := w.screen(c, cols, rows)
	if err != nil {
		w.Fatal(err)
	}
	w.until("the first screen", func() bool { return strings.Contains(s.out.String(), "Notebook") })
	return s
}

func (w *watched) get(path string) (int, string) {
	w.Helper()
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get("http://" + w.logs.told("metrics") + path)
	if err != nil {
		w.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		w.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestMetrics(t *testing.T) {
	w := watch(t, notebook, "--metrics", "0", "--max-per-ipv4", "2")
	if addr := w.logs.told("metrics"); !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("a port alone is %s", addr)
	}
	c := w.mustLogin("")
	s := w.mustScreen(c, 80, 24)
	a := w.author()
	if _, err := w.reader(""); err == nil {
		t.Error("a third connection of one address")
	}
	for range 2 {
		w.says(c, "read arriving", "")
	}
	if out := w.says(a, "publish new.md", "---\ntitle: New\ndate: 2022-01-01\n---\nText.\n"); !strings.Contains(out, "published") {
		t.Error(out)
	}
	w.until("the figures are there", func() bool {
		status, text := w.get("/metrics")
		for _, want := range []string{
			"sheaf_connections 2\n", "sheaf_sessions 1\n", "sheaf_browsers 1\n", "sheaf_handshakes_total 2\n",
			`sheaf_connections_refused_total{reason="address"} 1` + "\n", `sheaf_sessions_ended_total{kind="command"} 3` + "\n",
			`sheaf_commits_total{door="pipe"} 1` + "\n", "sheaf_pages_shared_total 1\n", "sheaf_panics_total 0\n", "sheaf_posts 5\n",
			`sheaf_build_info{version="test"} 1` + "\n", "go_goroutines ", "process_open_fds ",
		} {
			if status != 200 || !strings.Contains(text, want) {
				t.Logf("no %q", want)
				return false
			}
		}
		if strings.Contains(text, "127.0.0.1") || strings.Contains(text, "guest") || strings.Contains(text, "ssh-ed25519") {
			t.Error("somebody is named in the figures")
		}
		return true
	})
	if status, _ := w.get("/healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if status, _ := w.get("/"); status != 404 {
		t.Errorf("/: %d", status)
	}
	s.Close()
	w.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-w.done; err != nil {
		t.Error(err)
	}
	w.done <- nil
}

// systemd listens, and hands the socket over: connections that come while the
// program is not there wait for it.
func TestSystemdHandsTheSocketOver(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, keys := writeBlog(t, notebook), filepath.Join(t.TempDir(), "keys")
	for round := range 2 {
		early, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{T: t, logs: &lines{}, done: make(chan error, 1)}
		w.cmd = exec.Command("sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec sheaf serve --addr 127.0.0.1:1 --log json --content "+content+" --keys "+keys)
		w.cmd.ExtraFiles = []*os.File{f}
		w.start()
		if w.addr != l.Addr().String() {
			t.Fatalf("it listens on %s", w.addr)
		}
		conn, chans, reqs, err := ssh.NewClientConn(early, w.addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if out := w.says(ssh.NewClient(conn, chans, reqs), "ls", ""); !strings.Contains(out, "arriving") {
			t.Error(out)
		}
		w.cmd.Process.Signal(syscall.SIGTERM)
		if err := <-w.done; err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		w.done <- nil
		early.Close()
	}
}
