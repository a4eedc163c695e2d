package app_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func deskCommand(ts *testscript.TestScript, neg bool, args []string) {
	from, err := filepath.Abs(filepath.Join("testdata", "desk"))
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs("."), os.DirFS(from)))
	ts.Check(os.MkdirAll(ts.MkAbs("keys"), 0o755))
	keygenCommand(ts, false, []string{"ada", "bob", "eve"})
	ts.Check(os.WriteFile(ts.MkAbs("keys/authors"), []byte(ts.ReadFile("ada.pub")+ts.ReadFile("bob.pub")), 0o644))
}

// tmpfsCommand mounts a small disk. It goes when the script has ended, and the
// server before it.
func tmpfsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: tmpfs DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "sheaf-test", dir).CombinedOutput(); err != nil {
		ts.Fatalf("mount: %v: %s", err, out)
	}
	ts.Defer(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			ts.Logf("umount: %v: %s", err, out)
		}
	})
}

func fillCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fill FILE SIZE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	if filepath.Ext(args[0]) == ".md" {
		data = bytes.NewBufferString("---\ntitle: Big\ndate: 2024-01-01\n---\n")
		for data.Len() < n {
			fmt.Fprintf(data, "%x %x\n", r.Uint64(), r.Uint64())
		}
		data.Truncate(n)
	} else {
		for data.Len() < n {
			data.WriteByte(byte(r.Uint32()))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data.Bytes(), 0o644))
}

func stateCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: state FILE")
	}
	log := exec.Command("ssh", "-F", ts.MkAbs("ssh_config"), "author", "log")
	log.Dir = ts.MkAbs(".")
	state, err := log.CombinedOutput()
	if err != nil {
		ts.Fatalf("state: log: %v: %s", err, state)
	}
	ts.Check(filepath.WalkDir(ts.MkAbs("content"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".sheaf" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		state = fmt.Appendf(state, "%s %v", strings.TrimPrefix(p, ts.MkAbs("content")), info.Mode())
		if !d.IsDir() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			state = fmt.Appendf(state, " %v %x", info.ModTime().UnixNano(), sha256.Sum256(b))
		}
		state = append(state, '\n')
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), state, 0o644))
}

func replaceCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if strings.Count(text, args[1]) != 1 {
		ts.Fatalf("replace: %q is not once in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

// held is a client that waits in the middle of what it sends.
type held struct {
	cmd    *exec.Cmd
	out    *bytes.Buffer
	done   chan error
	before int // sessions that had ended
}

// startHeld runs a client until it has sent n bytes through the proxy.
func startHeld(ts *testscript.TestScript, args []string) *held {
	if len(args) < 2 {
		ts.Fatalf("usage: cut|hold BYTES CMD...")
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	s := ts.Value(serverKey{}).(*server)
	h := &held{cmd: exec.Command(args[1], args[2:]...), out: &bytes.Buffer{}, done: make(chan error, 1), before: ended(ts)}
	h.cmd.Dir = ts.MkAbs(".")
	h.cmd.Env = os.Environ()
	for _, name := range []string{"HOME", "PORT", "CUTPORT", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL"} {
		h.cmd.Env = append(h.cmd.Env, name+"="+ts.Getenv(name))
	}
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.cmd.Stdout, h.cmd.Stderr = h.out, h.out
	h.cmd.WaitDelay = 5 * time.Second
	enough := s.proxy.holdAfter(n)
	ts.Check(h.cmd.Start())
	go func() { h.done <- h.cmd.Wait() }()
	select {
	case <-enough:
	case err := <-h.done:
		ts.Fatalf("%s ended by itself: %v\n%s", args[1], err, h.out)
	case <-time.After(20 * time.Second):
		h.kill()
		ts.Fatalf("%s has not sent %d bytes in 20 s\n%s", args[1], n, h.out)
	}
	return h
}

// kill takes the client and its children away.
func (h *held) kill() {
	_ = syscall.Kill(-h.cmd.Process.Pid, syscall.SIGKILL)
	<-h.done
}

// ended counts the sessions that the server has done with.
func ended(ts *testscript.TestScript) int {
	return strings.Count(ts.ReadFile("server.log"), `"msg":"session"`)
}

func cutCommand(ts *testscript.TestScript, neg bool, args []string) {
	h := startHeld(ts, args)
	h.kill()
	ts.Value(serverKey{}).(*server).proxy.drop()
	for range 1000 {
		if ended(ts) > h.before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("cut: the session goes on without its client")
}

func holdCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	s.held = startHeld(ts, args)
	ts.Defer(func() {
		if s.held != nil {
			s.held.kill()
		}
	})
}

func releaseCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	if s.held == nil || len(args) != 1 {
		ts.Fatalf("usage: release FILE, after hold")
	}
	h := s.held
	s.held = nil
	s.proxy.release()
	select {
	case err := <-h.done:
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), h.out.Bytes(), 0o644))
		if (err != nil) != neg {
			ts.Fatalf("release: %v\n%s", err, h.out)
		}
	case <-time.After(20 * time.Second):
		h.kill()
		ts.Fatalf("release: the client has not ended in 20 s\n%s", h.out)
	}
}

// proxy stands between a client and the server, and counts.
type proxy struct {
	net.Listener
	left   atomic.Int64  // until it holds
	enough chan struct{} // told when so much has been sent

	mu    sync.Mutex
	on    chan struct{} // closed when it holds no longer
	conns []net.Conn
}

func newProxy(addr string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{Listener: l, enough: make(chan struct{}, 1), on: make(chan struct{})}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", addr)
			if err != nil {
				from.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, from, to)
			on := p.on
			p.mu.Unlock()
			go func() { io.Copy(from, to); from.Close() }()
			go func() { io.Copy(to, io.TeeReader(from, &counted{p, on})); to.Close() }()
		}
	}()
	return p, nil
}

// counted is told what a client sends. Once that is enough, it reaches the
// server only when it is let on.
type counted struct {
	p  *proxy
	on chan struct{}
}

func (c *counted) Write(b []byte) (int, error) {
	n := int64(len(b))
	if left := c.p.left.Add(-n); left <= 0 && left+n > 0 {
		c.p.enough <- struct{}{}
		<-c.on
	}
	return len(b), nil
}

func (p *proxy) holdAfter(n int64) <-chan struct{} {
	p.left.Store(n)
	return p.enough
}

// release lets on what is held.
func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.on)
	p.on = make(chan struct{})
}

// drop cuts every connection.
func (p *proxy) drop() {
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.release()
}

func (p *proxy) Close() error {
	p.drop()
	return p.Listener.Close()
}
