package app_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

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
	case <-time.After(patience):
		h.kill()
		ts.Fatalf("%s has not sent %d bytes in %v\n%s", args[1], n, patience, h.out)
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
	for deadline := time.Now().Add(patience); ended(ts) <= h.before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("cut: the session goes on without its client")
		}
	}
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
	case <-time.After(patience):
		h.kill()
		ts.Fatalf("release: the client has not ended in %v\n%s", patience, h.out)
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
