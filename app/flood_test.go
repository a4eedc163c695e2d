package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Many silent connections of one address take its places and nobody else's, and
// all are gone when the time of a handshake is over.
func TestOneAddressKeepsNobodyOut(t *testing.T) {
	slow(t)
	const places, handshake = 16, 3 * time.Second // --max-per-ipv4
	w := measure(t, notebook, "--handshake-time", handshake.String())
	before, began := w.descriptors(), time.Now()
	var all []net.Conn
	for range 500 {
		nc, err := net.DialTimeout("tcp", w.addr, patience)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		all = append(all, nc)
	}
	if out := w.says(w.mustLogin("127.0.0.2"), "ls", ""); !strings.Contains(out, "arriving") {
		t.Errorf("another address reads %q", out)
	}
	// Who is let in is greeted; the others read why not, or nothing but the end.
	greeted := 0
	for _, nc := range all {
		nc.SetReadDeadline(time.Now().Add(patience))
		out, err := io.ReadAll(nc)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a connection is neither let in nor refused")
		}
		if strings.HasPrefix(string(out), "SSH-") && !strings.Contains(string(out), "Too many connections") {
			greeted++
		}
	}
	// A place is free again when the time of a handshake is over.
	if most := places * (1 + int(time.Since(began)/handshake)); greeted < places || greeted > most {
		t.Errorf("%d were let in, want %d to %d", greeted, places, most)
	}
	w.until("all are gone", func() bool { return w.descriptors() <= before+2 })
}

// A thousand channels on one connection.
func TestChannelsOfAConnectionAreBounded(t *testing.T) {
	w := measure(t, notebook)
	before := w.memory()
	c := w.mustLogin("")
	var opened sync.Map
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if s, err := w.screen(c, 200, 60); err == nil {
				opened.Store(s, true)
			}
		})
	}
	wg.Wait()
	n := 0
	opened.Range(func(any, any) bool { n++; return true })
	if n > 4 {
		t.Errorf("%d are open", n)
	}
	if grown := w.memory() - before; grown > 50<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	w.quick()
}

// Windows of any size, at first and later.
func TestWindowsOfAnySize(t *testing.T) {
	w := measure(t, notebook)
	for _, size := range [][2]uint32{{1<<32 - 1, 1<<32 - 1}, {65535, 65535}, {0, 0}, {1, 1}} {
		c := w.mustLogin("")
		s, err := w.screen(c, size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			s.SendRequest("window-change", false, ssh.Marshal(windowChange{Cols: size[0], Rows: size[1]}))
		}
		s.SendRequest("window-change", false, ssh.Marshal(windowChange{Cols: 80, Rows: 24}))
		w.until("a screen that can be used", func() bool { return strings.Contains(s.out.String(), "Arriving in Dublin") })
		io.WriteString(s, "\r")
		w.until("the post", func() bool { return strings.Contains(s.out.String(), "It has been a while") })
		c.Close()
	}
	if m := w.memory(); m > 100<<20 {
		t.Errorf("it takes %d MB", m>>20)
	}
}

// Window changes that nobody takes, and the connection cut.
func TestCutConnectionsLeaveNothing(t *testing.T) {
	w := measure(t, notebook, "--metrics", "0", "--max-per-ipv4", "40")
	goroutines := func() (n int) {
		_, text := w.get("/metrics")
		fmt.Sscanf(text[strings.Index(text, "\ngo_goroutines ")+1:], "go_goroutines %d", &n)
		return n
	}
	w.mustLogin("").Close()
	var fds, gos int
	w.until("it is quiet", func() bool {
		a, b := w.descriptors(), goroutines()
		quiet := a == fds && b == gos
		fds, gos = a, b
		return quiet
	})
	var cut []net.Conn
	for range 20 {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn, chans, reqs, err := ssh.NewClientConn(nc, w.addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatal(err)
		}
		ch, more, err := ssh.NewClient(conn, chans, reqs).OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(more)
		ch.SendRequest("pty-req", true, ssh.Marshal(ptyRequest{Term: "xterm", Cols: 80, Rows: 24}))
		for range 100 {
			ch.SendRequest("window-change", false, ssh.Marshal(windowChange{Cols: 81, Rows: 25}))
		}
		cut = append(cut, nc)
	}
	for _, nc := range cut {
		nc.(*net.TCPConn).SetLinger(0) // a reset, not an end
		nc.Close()
	}
	w.until("goroutines and descriptors are as before", func() bool { return w.descriptors() <= fds && goroutines() <= gos+2 })
}

// A window that is dragged without end.
func TestResizeFlood(t *testing.T) {
	slow(t)
	w := measure(t, notebook)
	s := w.mustScreen(w.mustLogin(""), 80, 24)
	cpu, began := w.cpu(), time.Now()
	for i := uint32(0); time.Since(began) < 2*time.Second; i++ {
		if _, err := s.SendRequest("window-change", false, ssh.Marshal(windowChange{Cols: 60 + i%100, Rows: 24})); err != nil {
			t.Fatal(err)
		}
	}
	if used, took := w.cpu()-cpu, time.Since(began); used > took*12/10 {
		t.Errorf("it has run %v in %v", used, took)
	}
	s.SendRequest("window-change", false, ssh.Marshal(windowChange{Cols: 120, Rows: 40}))
	io.WriteString(s, "\r")
	w.until("the post", func() bool { return strings.Contains(s.out.String(), "It has been a while") })
	w.until("the last row of the last size", func() bool { return strings.Contains(s.out.String(), "\x1b[40;") })
	w.quick()
}

// Channels that are closed on a connection that is kept.
func TestClosedChannelsCostNothing(t *testing.T) {
	slow(t)
	w := measure(t, notebook, "--metrics", "0")
	c := w.mustLogin("")
	for range 4 {
		w.mustScreen(c, 80, 24).Close()
	}
	w.until("no browser runs", func() bool { _, text := w.get("/metrics"); return strings.Contains(text, "sheaf_browsers 0\n") })
	cpu := w.cpu()
	time.Sleep(time.Second)
	if used := w.cpu() - cpu; used > 50*time.Millisecond {
		t.Errorf("it has run %v in a second in which nothing happens", used)
	}
}

// An environment without end.
func TestEnvironmentFlood(t *testing.T) {
	w := measure(t, notebook)
	w.mustScreen(w.mustLogin(""), 80, 24).Close()
	before := w.memory()
	ch, reqs, err := w.mustLogin("").OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(reqs)
	big := ssh.Marshal(struct{ K, V string }{"LANG", strings.Repeat("A", 30_000)})
	for range 2000 {
		if _, err := ch.SendRequest("env", false, big); err != nil {
			break
		}
	}
	if grown := w.memory() - before; grown > 10<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
}

// mute is a connection that the client stops reading.
type mute struct {
	net.Conn
	stop chan struct{}
}

func (m mute) Read(p []byte) (int, error) {
	select {
	case <-m.stop:
		select {} // for ever
	default:
		return m.Conn.Read(p)
	}
}

// Browsers that never read keep no author from publishing: not for as long as
// the server waits for them before it drops them, which is 15 s.
func TestReadersWhoDoNotReadDelayNobody(t *testing.T) {
	w := measure(t, notebook)
	for range 5 {
		w.mustScreen(w.mustLogin(""), 200, 60)
	}
	for range 5 {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		m := mute{nc, make(chan struct{})}
		conn, chans, reqs, err := ssh.NewClientConn(m, w.addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatal(err)
		}
		ch, more, err := ssh.NewClient(conn, chans, reqs).OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(more)
		ch.SendRequest("pty-req", true, ssh.Marshal(ptyRequest{Term: "xterm", Cols: 200, Rows: 60}))
		ch.SendRequest("shell", true, nil)
		close(m.stop)
		for range 200 {
			io.WriteString(ch, "jk")
		}
	}
	a := w.author()
	for i := range 10 {
		began := time.Now()
		if out := w.says(a, fmt.Sprintf("publish p%d.md", i), fmt.Sprintf("---\ntitle: P%d\ndate: 2022-01-01\n---\nText.\n", i)); !strings.Contains(out, "published") {
			t.Fatal(out)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("publishing took %v", took)
		}
	}
	w.quick()
}

// Pastes, strings and keys without end.
func TestKeyFlood(t *testing.T) {
	slow(t)
	w := measure(t, notebook)
	for name, head := range map[string]string{"paste": "\x1b[200~", "string": "\x1b]", "keys": ""} {
		t.Run(name, func(t *testing.T) {
			c := w.mustLogin("")
			defer c.Close()
			s := w.mustScreen(c, 80, 24)
			before, cpu, began := w.memory(), w.cpu(), time.Now()
			io.WriteString(s, head)
			stop := time.AfterFunc(2*time.Second, func() { c.Close() })
			defer stop.Stop()
			flood := make(chan struct{})
			go func() {
				defer close(flood)
				chunk := bytes.Repeat([]byte("jk"), 16<<10)
				for sent := 0; sent < 64<<20; sent += len(chunk) {
					if _, err := s.Write(chunk); err != nil {
						return
					}
				}
			}()
			w.quick()
			<-flood
			if grown := w.memory() - before; grown > 20<<20 {
				t.Errorf("memory grew by %d MB", grown>>20)
			}
			if used, took := w.cpu()-cpu, time.Since(began); used > took {
				t.Errorf("it has run %v in %v", used, took)
			}
		})
	}
}

// Posts that are slow to set hold nobody up.
func TestSlowPostsDelayNobody(t *testing.T) {
	slow(t)
	slow := map[string]string{
		"quotes":   strings.Repeat(">", 100_000),
		"nested":   nested(2000),
		"stars":    strings.Repeat("*a_ ", 40_000),
		"table":    "|" + strings.Repeat("a|", 20_000) + "\n|" + strings.Repeat("-|", 20_000) + "\n" + strings.Repeat("|x", 5000),
		"brackets": strings.Repeat("[", 100_000),
		"ticks":    ticks(700),
		"links":    strings.Repeat("![a](<", 20_000),
	}
	files := map[string]string{}
	for name, text := range notebook {
		files[name] = text
	}
	for name, text := range slow {
		files[name+".md"] = "---\ntitle: " + name + "\ndate: 2020-01-01\n---\n" + text + "\n"
	}
	w := measure(t, files)
	c := w.mustLogin("")
	w.says(c, "read arriving", "")
	for name := range slow {
		before := w.cpu()
		done := make(chan string, 1)
		go func() { done <- w.says(c, "read "+name, "") }()
		w.quick()
		out := <-done
		// What the others on this machine do does not count.
		if took := w.cpu() - before; took > time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if !strings.Contains(out, name) {
			t.Errorf("%s: %.200q", name, out)
		}
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s- x\n", strings.Repeat(" ", 2*min(i, 50)))
	}
	return b.String()
}

func ticks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("e" + strings.Repeat("`", i))
	}
	return b.String()
}

// Comings and goings, half of them rude, leave nothing behind.
func TestConnectionChurnLeavesNothing(t *testing.T) {
	w := measure(t, notebook, "--metrics", "0")
	rounds := effort(50, 1000, 10_000)
	cycle := func(n int) {
		for i := range n {
			nc, err := net.Dial("tcp", w.addr)
			if err != nil {
				t.Fatal(err)
			}
			conn, chans, reqs, err := ssh.NewClientConn(nc, w.addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
			if err != nil {
				if i%2 == 0 || errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				continue
			}
			if i%4 < 2 {
				if s, err := w.screen(ssh.NewClient(conn, chans, reqs), 80, 24); err != nil {
					t.Fatal(err)
				} else {
					io.WriteString(s, "j")
				}
			} else {
				go ssh.DiscardRequests(reqs)
				go func() {
					for range chans {
					}
				}()
			}
			if i%2 == 0 {
				nc.(*net.TCPConn).SetLinger(0)
			}
			nc.Close()
		}
	}
	figures := func() (goroutines, fds, memory int) {
		var text string
		w.until("all are gone", func() bool {
			_, text = w.get("/metrics")
			return strings.Contains(text, "sheaf_connections 0\n") && strings.Contains(text, "sheaf_sessions 0\n")
		})
		fmt.Sscanf(text[strings.Index(text, "\ngo_goroutines ")+1:], "go_goroutines %d", &goroutines)
		return goroutines, w.descriptors(), w.memory()
	}
	cycle(rounds / 5)
	g1, f1, first := figures()
	// What leaks grows every time; what the collector has not given back yet is
	// there once.
	for m1, tries := first, 3; ; tries-- {
		cycle(rounds)
		g2, f2, m2 := figures()
		t.Logf("%d goroutines, %d descriptors, %d KB became %d, %d, %d", g1, f1, m1>>10, g2, f2, m2>>10)
		if g2 > g1+g1/20+2 || f2 > f1+2 || m2 > first+first/5 {
			t.Fatalf("%d goroutines, %d descriptors, %d KB became %d, %d, %d", g1, f1, first>>10, g2, f2, m2>>10)
		}
		if m2 <= m1+m1/20 {
			return
		}
		if tries == 1 {
			t.Fatalf("memory grows: %d KB became %d", m1>>10, m2>>10)
		}
		m1 = m2
	}
}
