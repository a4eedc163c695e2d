package sshd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// closes waits until the server closes a raw connection.
func closes(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("still open after %v", patience)
	}
}

func (b *testServer) tcp() net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

func TestAHandshakeHasATime(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Handshake: time.Second, Login: time.Second})
	t.Run("silent", func(t *testing.T) { closes(t, b.tcp()) })
	t.Run("version only", func(t *testing.T) {
		c := b.tcp()
		fmt.Fprint(c, "SSH-2.0-stall\r\n")
		closes(t, c)
	})
	t.Run("drip", func(t *testing.T) {
		c := b.tcp()
		go func() {
			for range 100 {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(30 * time.Millisecond)
			}
		}()
		closes(t, c)
	})
	t.Run("in authentication", func(t *testing.T) {
		c := b.tcp()
		stall := make(chan struct{})
		asked := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			_, _, _, err := gossh.NewClientConn(c, b.addr, &gossh.ClientConfig{User: "x", HostKeyCallback: gossh.InsecureIgnoreHostKey(),
				Auth: []gossh.AuthMethod{gossh.PublicKeysCallback(func() ([]gossh.Signer, error) {
					close(asked)
					<-stall
					return nil, nil
				})}})
			done <- err
		}()
		<-asked
		eventually(t, "the connection is gone", func() bool { return b.connections() == 0 })
		close(stall)
		if <-done == nil {
			t.Error("logged in")
		}
	})
	b.client()
	time.Sleep(1200 * time.Millisecond)
	if b.connections() != 1 {
		t.Error("an authenticated connection was closed with the handshakes")
	}
}

// Whoever compares a fingerprint takes longer than a machine. It costs neither
// them nor others at their address their place, and saying no costs nothing.
func TestALoginWaitsForPeople(t *testing.T) {
	t.Parallel()
	const handshake = 2 * time.Second
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}} // nobody is exempt from penalties
	b.start(Limits{Handshake: handshake, Login: 2 * patience})
	login := func(known func() error) error {
		nc, err := net.Dial("tcp", b.addr)
		if err != nil {
			return err
		}
		defer nc.Close()
		c, chans, reqs, err := gossh.NewClientConn(nc, b.addr, &gossh.ClientConfig{User: "reader", Auth: []gossh.AuthMethod{noQuestions()},
			HostKeyCallback: func(string, net.Addr, gossh.PublicKey) error { return known() }})
		if err != nil {
			return err
		}
		out, _, _ := b.run(gossh.NewClient(c, chans, reqs), "whoami")
		if out != "reader refused=0" {
			return fmt.Errorf("read %q", out)
		}
		return nil
	}
	const people = 3
	asked, yes, done := make(chan bool, people), make(chan bool), make(chan error, people)
	for range people {
		go func() { done <- login(func() error { asked <- true; <-yes; return nil }) }()
	}
	for range people {
		select {
		case <-asked:
		case err := <-done:
			t.Fatal(err)
		}
	}
	if err := login(func() error { return nil }); err != nil {
		t.Errorf("a fourth, at once: %v", err)
	}
	no := errors.New("not the fingerprint on the card")
	for range 20 {
		if err := login(func() error { return no }); !errors.Is(err, no) {
			t.Fatalf("somebody who says no: %v", err)
		}
	}
	time.Sleep(handshake + handshake/4)
	close(yes)
	for range people {
		if err := <-done; err != nil {
			t.Errorf("after %v: %v", handshake, err)
		}
	}
	eventually(t, "those who said no are gone", func() bool { return b.srv.Stats().Failed == 20 })
	if n := b.srv.penalties.refused(); n != 0 {
		t.Error("the address is kept away")
	}
}

func TestTheGateCounts(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{PerIPv4: 5, Unauthenticated: 4, Handshake: 2 * time.Second})
	for range 20 {
		b.tcp()
	}
	eventually(t, "four are in", func() bool { return b.connections() == 4 })
	// One more takes the place of the one that has waited longest.
	guest, err := b.dial("guest")
	if err != nil {
		t.Fatal(err)
	}
	guest.Close()
	eventually(t, "all are gone", func() bool { return b.connections() == 0 })
	for range 5 {
		b.client()
	}
	if _, err := b.dial("guest"); err == nil {
		t.Error("a sixth of one address was let in")
	}
	b.srv.gate.mu.Lock()
	defer b.srv.gate.mu.Unlock()
	if n := b.srv.gate.unauthenticated(); n != 0 || len(b.srv.gate.from) != 1 {
		t.Errorf("unauthenticated %d, networks %v", n, b.srv.gate.from)
	}
}

func TestNetworks(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:22":             "192.0.2.7/32",
		"[::ffff:192.0.2.7]:22":    "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			a = &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}
		}
		if got := network(a).String(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestFourChannelsOfAConnection(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	var open []*term
	for range 4 {
		open = append(open, b.terminal(c, 80, 24))
	}
	for range 3 {
		if ch, _, err := c.OpenChannel("session", nil); err == nil {
			t.Error("a fifth was opened")
			ch.Close()
		}
	}
	open[0].Close()
	eventually(t, "a place is free again", func() bool {
		ch, reqs, err := c.OpenChannel("session", nil)
		if err == nil {
			go gossh.DiscardRequests(reqs)
			ch.Close()
		}
		return err == nil
	})
}

func TestForwardingAndTheRestIsRefused(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	if _, err := c.Dial("tcp", b.addr); err == nil {
		t.Error("direct-tcpip")
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("tcpip-forward")
	}
	if _, err := c.ListenUnix("/tmp/x.sock"); err == nil {
		t.Error("streamlocal-forward")
	}
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	env := func(k, v string) []byte { return gossh.Marshal(struct{ K, V string }{k, v}) }
	for _, r := range []struct {
		kind    string
		payload []byte
		want    bool
	}{
		{"auth-agent-req@openssh.com", nil, false},
		{"x11-req", gossh.Marshal(struct {
			S    bool
			P, C string
			N    uint32
		}{false, "MIT", "00", 0}), false},
		{"subsystem", gossh.Marshal(struct{ S string }{"netconf"}), false},
		{"subsystem", gossh.Marshal(struct{ S string }{"SFTP"}), false},
		{"signal", gossh.Marshal(struct{ S string }{"KILL"}), false},
		{"break", gossh.Marshal(struct{ N uint32 }{1}), false},
		{"window-change", gossh.Marshal(windowChange{Cols: 80, Rows: 24}), false},
		{"env", env("LD_PRELOAD", "/x"), false},
		{"env", env("LANG", "C\x1b[2J"), false},
		{"env", env("LANG", "de_DE.UTF-8"), true},
		{"exec", gossh.Marshal(struct{ C string }{strings.Repeat("a", maxCommand)}), false},
		{"exec", gossh.Marshal(struct{ C string }{"env"}), true},
		{"exec", gossh.Marshal(struct{ C string }{"env"}), false},
	} {
		if ok, err := ch.SendRequest(r.kind, true, r.payload); ok != r.want && err == nil {
			t.Errorf("%s %q: %v, want %v", r.kind, r.payload[:min(len(r.payload), 40)], ok, r.want)
		}
	}
	if out, _ := io.ReadAll(ch); string(out) != "LANG=de_DE.UTF-8" {
		t.Errorf("the environment was %q", out)
	}
}

func TestWindowsAreClamped(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	for _, w := range []struct {
		cols, rows uint32
		want       string
	}{
		{80, 24, "80x24 xterm"}, {0, 0, "80x24 xterm"}, {1<<32 - 1, 1<<32 - 1, "500x200 xterm"}, {5000, 1000, "500x200 xterm"}, {65535, 1, "500x1 xterm"},
	} {
		s := b.terminal(c, w.cols, w.rows)
		eventually(t, "the first line", func() bool { return strings.Contains(s.out.String(), "\n") })
		if got := strings.TrimSpace(s.out.String()); got != w.want {
			t.Errorf("%dx%d: %s, want %s", w.cols, w.rows, got, w.want)
		}
		_ = s.resize(w.cols, w.rows)
		select {
		case got := <-b.sees:
			if fmt.Sprintf("%dx%d xterm", got.Width, got.Height) != w.want {
				t.Errorf("change to %dx%d: %v", w.cols, w.rows, got)
			}
		case <-time.After(patience):
			t.Error("no size came")
		}
		s.Close()
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestTenThousandWindowChanges(t *testing.T) {
	b := startServer(t, Limits{})
	s := b.terminal(b.client(), 80, 24)
	before, began := heap(), time.Now()
	for i := range uint32(10_000) {
		if err := s.resize(60+i%100, 24); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.resize(111, 22)
	n := 0
	for last := (size{}); last != (size{Width: 111, Height: 22}); n++ {
		select {
		case last = <-b.sees:
		case <-time.After(patience):
			t.Fatal("the last size did not come")
		}
	}
	if most := 3 + int(time.Since(began)/resizePace); n > most {
		t.Errorf("%d sizes reached the browser, more than %d", n, most)
	}
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("memory grew by %d bytes", grown)
	}
}

// Before there is a browser nobody takes the sizes, and a connection that is
// cut then must not stay behind.
func TestWindowChangesBeforeTheStart(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	for range 10 {
		c := b.client()
		ch, reqs, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go gossh.DiscardRequests(reqs)
		_, _ = ch.SendRequest("pty-req", true, gossh.Marshal(ptyRequest{Term: "xterm", Cols: 80, Rows: 24}))
		for range 100 {
			_, _ = ch.SendRequest("window-change", false, gossh.Marshal(windowChange{Cols: 81, Rows: 25}))
		}
		c.Close()
	}
	eventually(t, "all are gone", func() bool { return b.connections() == 0 })
}

func TestAFloodOfRequestsEndsTheConnection(t *testing.T) {
	b := startServer(t, Limits{})
	for name, send := range map[string]func(*gossh.Client) error{
		"global": func(c *gossh.Client) error { _, _, err := c.SendRequest("x", false, nil); return err },
		"channels": func(c *gossh.Client) error {
			_, _, err := c.OpenChannel("x11", nil)
			if refused := new(gossh.OpenChannelError); errors.As(err, &refused) {
				return nil
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.client()
			for range 2000 {
				if send(c) != nil {
					break
				}
			}
			eventually(t, "the connection is gone", func() bool { return b.connections() == 0 })
		})
	}
	t.Run("env", func(t *testing.T) {
		c := b.client()
		ch, reqs, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go gossh.DiscardRequests(reqs)
		before := heap()
		big := gossh.Marshal(struct{ K, V string }{"LANG", strings.Repeat("A", 30_000)})
		for range 2000 {
			if _, err := ch.SendRequest("env", false, big); err != nil {
				break
			}
		}
		eventually(t, "the connection is gone", func() bool { return b.connections() == 0 })
		if grown := heap() - before; grown > 10<<20 {
			t.Errorf("memory grew by %d bytes", grown)
		}
	})
}

func TestAChannelClosedOnAHeldConnection(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	for range 8 {
		s := b.terminal(c, 80, 24)
		s.Close()
	}
	eventually(t, "nobody is answered any more", func() bool {
		for _, c := range b.srv.gate.all() {
			c.mu.Lock()
			n := len(c.channels)
			c.mu.Unlock()
			if n > 0 {
				return false
			}
		}
		return true
	})
	if out, _, _ := b.run(c, "whoami"); out != "reader refused=0" {
		t.Errorf("afterwards: %q", out)
	}
}

func TestAChannelHasToStart(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Start: time.Second})
	c := b.client()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	if _, err := io.ReadAll(ch); err != nil {
		t.Error(err)
	}
	b.terminal(c, 80, 24)
	time.Sleep(1200 * time.Millisecond)
	if b.connections() != 1 {
		t.Error("a started one was closed")
	}
}

// A reader's connection ends when it has no session for a while, whatever comes
// on it; an author's waits for the next.
func TestAConnectionWithoutASession(t *testing.T) {
	t.Parallel()
	const most = 2 * time.Second
	b := startServer(t, Limits{NoSession: most})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	author, busy := b.client(ada), b.client()
	b.run(author, "whoami")
	s := b.terminal(busy, 80, 24)
	b.run(busy, "whoami")
	before, after := b.client(), b.client()
	b.run(after, "whoami")
	began := time.Now()
	go func() { // keep-alives make no session
		for began := time.Now(); time.Since(began) < 2*most; time.Sleep(100 * time.Millisecond) {
			if _, _, err := before.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
		}
	}()
	for _, c := range []*gossh.Client{before, after} {
		late := time.AfterFunc(patience, func() { c.Close() })
		_ = c.Wait()
		late.Stop()
	}
	if took := time.Since(began); took < most/2 || took > patience {
		t.Errorf("they are gone after %v", took)
	}
	time.Sleep(time.Until(began.Add(2 * most)))
	if out, _, _ := b.run(author, "whoami"); !strings.HasPrefix(out, "author") {
		t.Errorf("the author's: %q", out)
	}
	if out, _, _ := b.run(busy, "whoami"); !strings.HasPrefix(out, "reader") {
		t.Errorf("one with a session: %q", out)
	}
	s.Close()
}

func TestIdleness(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Idle: 2 * time.Second, Warning: time.Second, Grace: time.Second})
	c := b.client()
	s := b.terminal(c, 80, 24)
	stop, pause, last := time.Now().Add(2500*time.Millisecond), time.Duration(0), time.Now()
	for time.Now().Before(stop) {
		pause, last = max(pause, time.Since(last)), time.Now()
		if _, err := s.Write([]byte("j")); err != nil {
			t.Fatal("closed while somebody was there")
		}
		time.Sleep(50 * time.Millisecond)
	}
	// A busy machine may have kept the keys back for as long as a warning takes.
	if got := s.out.String(); pause < 500*time.Millisecond && strings.Contains(got, warnIdle) {
		t.Errorf("warned while somebody was there: %q", got)
	}
	// Requests of the client's program are not somebody.
	go func() {
		for {
			if _, _, err := c.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	_ = c.Wait()
	if got := s.out.String(); !strings.Contains(got, warnIdle) || !strings.Contains(got, string(reasonIdle)) {
		t.Errorf("the visitor read %q", got)
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Lifetime: time.Second})
	c := b.client()
	s := b.terminal(c, 80, 24)
	_ = c.Wait()
	if got := s.out.String(); !strings.Contains(got, string(reasonLifetime)) {
		t.Errorf("the visitor read %q", got)
	}
}

func TestAClientThatNeverReads(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Stall: 500 * time.Millisecond})
	c := b.client()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	_, _ = ch.SendRequest("exec", true, gossh.Marshal(struct{ C string }{"flood"}))
	eventually(t, "it is dropped", func() bool { return b.connections() == 0 })
	if !strings.Contains(b.logs.String(), "a write was not taken") {
		t.Error(b.logs.String())
	}
}

func TestAReaderTypesNoFasterThanAPerson(t *testing.T) {
	t.Parallel()
	const perSecond, n = 100, 100 * (inputBurst + 1) // a burst at once, and what comes in a second
	b := startServer(t, Limits{Input: perSecond})
	c := b.client()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin = bytes.NewReader(make([]byte, n))
	began := time.Now()
	out, err := s.Output("count")
	if err != nil || string(out) != strconv.Itoa(n) {
		t.Errorf("%q %v", out, err)
	}
	if took := time.Since(began); took < 800*time.Millisecond || took > patience {
		t.Errorf("took %v", took)
	}
}

func TestAPanicCostsOneSession(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	other := b.terminal(c, 80, 24)
	_, errs, status := b.run(c, "panic")
	var id string
	if n, _ := fmt.Sscanf(errs, "sheaf: internal error (%8s)", &id); n != 1 || status != 1 {
		t.Fatalf("the visitor read %q, status %d", errs, status)
	}
	if logs := b.logs.String(); !strings.Contains(logs, "id="+id) || !strings.Contains(logs, "on purpose") {
		t.Errorf("the log: %s", logs)
	}
	if _, err := other.Write([]byte("j")); err != nil {
		t.Error("another session ended with it")
	}
	if out, _, _ := b.run(c, "whoami"); out != "reader refused=0" {
		t.Errorf("afterwards: %q", out)
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	var screens []*term
	for range 6 {
		screens = append(screens, b.terminal(b.client(), 80, 24))
	}
	b.tcp()
	idle := b.client()
	// An error would be the end of its time, for a session that has not ended.
	if err := b.srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	_ = idle.Wait()
	for _, s := range screens {
		eventually(t, "the farewell", func() bool { return strings.Contains(s.out.String(), string(reasonRestart)) })
	}
	if _, err := b.dial("guest"); err == nil {
		t.Error("it still listens")
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	srv, err := newServer(Config{Keys: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(l); err != nil {
		t.Error(err)
	}
}

// A session that does not end in time is cut.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	_, _ = ch.SendRequest("exec", true, gossh.Marshal(struct{ C string }{"flood"}))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := b.srv.Shutdown(ctx); err == nil {
		t.Error("it says that all ended by themselves")
	}
	_ = c.Wait()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := Check(ctx, b.addr); err != nil {
		t.Error(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := Check(short, silent.Addr().String()); err == nil {
		t.Error("a silent server is well")
	}
	addr := silent.Addr().String()
	silent.Close()
	if err := Check(ctx, addr); err == nil {
		t.Error("no server is well")
	}
}
