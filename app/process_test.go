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
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// watched is the program in a process of its own: for what it takes of memory,
// processor and descriptors, and for how it ends.
type watched struct {
	*testing.T
	cmd           *exec.Cmd
	addr          string
	content, keys string
	signer        ssh.Signer // an author's
	logs          *lines
	done          chan error
	calm          time.Duration // what the list takes when nothing else happens, for measure
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
	w := watch(t, files, flags...)
	c := w.mustLogin("127.0.0.9")
	defer c.Close()
	w.calm = w.latency(c)
	return w
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
		case <-time.After(patience):
		}
		if w.Failed() {
			w.Logf("%.4000s", w.logs)
		}
	})
	w.until("it listens", func() bool { w.addr = w.logs.told("listening"); return w.addr != "" })
}

func (w *watched) until(what string, ok func() bool) {
	w.Helper()
	eventually(w, what, ok, func() string { return fmt.Sprintf("%.2000s", w.logs) })
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
	d := net.Dialer{Timeout: patience}
	if ip != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip)}
	}
	nc, err := d.Dial("tcp", w.addr)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { nc.Close() })
	c.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	nc.SetDeadline(time.Now().Add(patience))
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

// latency is what reading the list usually takes.
func (w *watched) latency(c *ssh.Client) time.Duration {
	w.Helper()
	var took []time.Duration
	for range 7 {
		began := time.Now()
		if out := w.says(c, "ls", ""); !strings.Contains(out, "arriving") {
			w.Errorf("another reader reads %q", out)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// quick reads the list as another reader, and fails if that takes longer than
// somebody waits for a key, on a machine that was idle before. On a busy one
// everything takes its time, and this may take ten times what it took before.
func (w *watched) quick() {
	w.Helper()
	c := w.mustLogin("127.0.0.9")
	defer c.Close()
	if took, most := w.latency(c), max(200*time.Millisecond, 10*w.calm); took > most {
		w.Errorf("another reader waits %v, more than %v; before it was %v", took, most, w.calm)
	}
}

// rawTerminal is an open browser whose bytes the test looks at.
type rawTerminal struct {
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

func (w *watched) screen(c *ssh.Client, cols, rows uint32) (*rawTerminal, error) {
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	go ssh.DiscardRequests(reqs)
	if ok, err := ch.SendRequest("pty-req", true, ssh.Marshal(ptyRequest{Term: "xterm-256color", Cols: cols, Rows: rows})); !ok || err != nil {
		return nil, fmt.Errorf("pty-req: %v, %w", ok, err)
	}
	if ok, err := ch.SendRequest("shell", true, nil); !ok || err != nil {
		return nil, fmt.Errorf("shell: %v, %w", ok, err)
	}
	s := &rawTerminal{ch, &lines{}}
	go io.Copy(s.out, ch)
	return s, nil
}

func (w *watched) mustScreen(c *ssh.Client, cols, rows uint32) *rawTerminal {
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
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
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
