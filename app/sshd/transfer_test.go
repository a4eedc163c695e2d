package sshd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// sftpClient is the subsystem sftp as a client has it.
type sftpClient struct {
	gossh.Channel
	out, errs syncBuffer
	status    chan uint32 // closed without one when there was none
}

func (b *testServer) sftp(c *gossh.Client, in string) *sftpClient {
	b.Helper()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		b.Fatal(err)
	}
	o := &sftpClient{Channel: ch, status: make(chan uint32, 1)}
	if ok, err := ch.SendRequest("subsystem", true, gossh.Marshal(struct{ S string }{"sftp"})); !ok || err != nil {
		b.Fatalf("subsystem: %v %v", ok, err)
	}
	var read sync.WaitGroup
	read.Go(func() { _, _ = io.Copy(&o.out, ch) })
	read.Go(func() { _, _ = io.Copy(&o.errs, ch.Stderr()) })
	go func() {
		defer close(o.status)
		for r := range reqs {
			_ = r.Reply(false, nil)
			var exit struct{ Status uint32 }
			if r.Type == "exit-status" && gossh.Unmarshal(r.Payload, &exit) == nil {
				read.Wait()
				o.status <- exit.Status
			}
		}
	}()
	if _, err := io.WriteString(ch, in); err != nil {
		b.Fatal(err)
	}
	return o
}

func TestASubsystemIsGuardedLikeACommand(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	c := b.client()
	s := b.sftp(c, "abc")
	s.CloseWrite()
	if status := <-s.status; s.out.String() != "3 still there" || status != 7 {
		t.Errorf("%q, status %d", s.out.String(), status)
	}
	s = b.sftp(c, "panic")
	if status := <-s.status; !strings.HasPrefix(s.errs.String(), "sheaf: internal error (") || status != 1 {
		t.Errorf("%q, status %d", s.errs.String(), status)
	}
	eventually(t, "both are recorded", func() bool { return strings.Count(b.logs.String(), "verb=sftp") == 2 })
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	if ok, _ := ch.SendRequest("pty-req", true, gossh.Marshal(ptyRequest{Term: "xterm", Cols: 80, Rows: 24})); !ok {
		t.Error("no terminal")
	}
	if ok, _ := ch.SendRequest("subsystem", true, gossh.Marshal(struct{ S string }{"sftp"})); ok {
		t.Error("a subsystem in a terminal, which changes its bytes")
	}
}

func TestASubsystemIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	s := b.sftp(b.client(), "wait")
	eventually(t, "it waits", func() bool { return strings.Contains(s.errs.String(), "waiting") })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if status := <-s.status; status != 7 || !strings.Contains(s.errs.String(), string(reasonRestart)) {
		t.Errorf("%q, status %d", s.errs.String(), status)
	}
}

// mute is a connection whose client stops answering without a word, after one
// more.
type mute struct {
	net.Conn
	silent *atomic.Int32
}

const (
	lastWord = 1 + iota
	silence
)

func (m mute) Write(p []byte) (int, error) {
	if !m.silent.CompareAndSwap(lastWord, silence) && m.silent.Load() == silence {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func TestTheEndOfInputIsNotTheEndOfTheClient(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Alive: time.Second})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	if out, _, _ := b.run(b.client(ada), "alive"); out != "true" {
		t.Errorf("one that answers: %q", out)
	}
	for name, end := range map[string]func(c *gossh.Client, in io.Closer, silent *atomic.Int32){
		"silent": func(_ *gossh.Client, in io.Closer, silent *atomic.Int32) {
			silent.Store(lastWord) // the end of the input
			in.Close()
		},
		"cut": func(c *gossh.Client, _ io.Closer, _ *atomic.Int32) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var silent atomic.Int32
			nc, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			conn, chans, reqs, err := gossh.NewClientConn(mute{nc, &silent}, b.addr, &gossh.ClientConfig{
				User: "ada", Auth: []gossh.AuthMethod{gossh.PublicKeys(ada)}, HostKeyCallback: gossh.InsecureIgnoreHostKey()})
			if err != nil {
				t.Fatal(err)
			}
			c := gossh.NewClient(conn, chans, reqs)
			defer c.Close()
			s, err := c.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			in, _ := s.StdinPipe()
			if err := s.Start("alive after eof"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(in, "half a post"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it has arrived", func() bool { return b.received.Load() == int64(len("half a post")) })
			end(c, in, &silent)
			select {
			case alive := <-b.alive:
				if alive {
					t.Error("taken for alive")
				}
			case <-time.After(patience):
				t.Fatal("still asking")
			}
		})
	}
}

func TestReadersAreToldTheirFingerprints(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	keys := make([]gossh.Signer, 12)
	for i := range keys {
		keys[i] = newKey(t)
	}
	out, _, _ := b.run(b.client(keys...), "denied")
	if !strings.HasPrefix(out, "sheaf: permission denied: no author key\noffered: ") || !strings.Contains(out, "\noffered: and 2 more\nhint: ") {
		t.Errorf("%s", out)
	}
	for i, k := range keys {
		if got := strings.Contains(out, "\noffered: "+gossh.FingerprintSHA256(k.PublicKey())+" ssh-ed25519\n"); got != (i < maxFingerprints) {
			t.Errorf("key %d: %v", i, got)
		}
	}
	if strings.Contains(b.logs.String(), "SHA256:") {
		t.Error("a reader's key is in the log")
	}
	if out, _, _ := b.run(b.client(), "denied"); !strings.Contains(out, "no key was offered") {
		t.Error(out)
	}
	guest, err := b.dial("guest", keys[0])
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	if out, _, _ := b.run(guest, "denied"); !strings.Contains(out, "the name guest is let in without a key") {
		t.Error(out)
	}
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	if out, _, _ := b.run(b.client(keys[0], ada), "denied"); out != "" {
		t.Errorf("an author: %s", out)
	}
}

func TestFilesComeInQuicklyFromAuthors(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Input: 100, InputAuthor: 100, Upload: 10_000})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	send := func(c *gossh.Client, command string, n int) time.Duration {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, n)
		_, _ = rand.Read(data)
		s.Stdin = bytes.NewReader(data)
		began := time.Now()
		if out, err := s.Output(command); err != nil || string(out) != fmt.Sprint(n) {
			t.Errorf("%s: %q %v", command, out, err)
		}
		return time.Since(began)
	}
	if took := send(b.client(ada), "count", 4<<20); took > patience {
		t.Errorf("an author's 4 MB took %v", took)
	}
	// 10,000 at once, then 10,000 a second; as typed it would take minutes.
	if took := send(b.client(), "copy and count", 18_000); took < 700*time.Millisecond || took > patience {
		t.Errorf("a reader's took %v", took)
	}
}

func TestAFileOnItsWayOutIsNotIdleness(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Idle: time.Second, Warning: 300 * time.Millisecond, Grace: time.Second})
	for command, want := range map[string]int{"copy and drip": 30, "drip": -1} {
		out, _, _ := b.run(b.client(), command)
		if n := strings.Count(out, "."); want > 0 && n != want || want < 0 && n >= 30 {
			t.Errorf("%s: %d", command, n)
		}
	}
}

func TestPlacesForCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(4, 3, Limits{CopiesNetwork: 2, Queue: time.Second})
		one, two := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
		enter := func(network *netip.Prefix) func() {
			t.Helper()
			leave, err := p.enter(t.Context(), network)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		busy := func(who string, network *netip.Prefix) {
			t.Helper()
			if _, err := p.enter(t.Context(), network); !errors.Is(err, errBusy) {
				t.Errorf("%s: %v", who, err)
			}
		}
		first, second := enter(&one), enter(&one)
		busy("a third of the network", &one)
		third := enter(&two)
		busy("a fourth reader", &two)
		author := enter(nil)
		busy("a fifth", nil)
		go first()
		fourth := enter(&two) // waits for the first
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.enter(gone, &one); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone: %v", err)
		}
		for _, leave := range []func(){second, third, author, fourth} {
			leave()
		}
		synctest.Wait()
		if len(p.all) != 0 || len(p.readers) != 0 || len(p.networks.runs) != 0 {
			t.Errorf("%d, %d and %d places are not given back", len(p.all), len(p.readers), len(p.networks.runs))
		}
	})
}

// A reader's session that copies nothing gives its place back.
func TestSilentCopiesEnd(t *testing.T) {
	t.Parallel()
	b := startBlog(t, Limits{Silence: 2 * time.Second})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	scp, err := b.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var told syncBuffer
	scp.Stderr = &told
	if _, err := scp.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := scp.Start("scp -f arriving.md"); err != nil {
		t.Fatal(err)
	}
	scpEnded := make(chan uint32)
	go func() { _ = scp.Wait(); close(scpEnded) }()
	author, silent := b.sftp(b.client(ada), ""), b.sftp(b.client(), "")
	used := b.sftp(b.client(), "\x00\x00\x00\x05\x01\x00\x00\x00\x03") // INIT
	for name, s := range map[string]struct {
		ended <-chan uint32
		told  *syncBuffer
	}{"sftp": {silent.status, &silent.errs}, "scp": {scpEnded, &told}} {
		for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
			if _, err := io.WriteString(used, "\x00\x00\x00\x0a\x11\x00\x00\x00\x01\x00\x00\x00\x01."); err != nil { // STAT
				t.Fatalf("a session that is used: %v", err)
			}
			select {
			case <-s.ended:
			default:
				if time.Now().Before(end) {
					continue
				}
				t.Errorf("%s is still there", name)
			}
			break
		}
		if !strings.Contains(s.told.String(), string(reasonSilent)) {
			t.Errorf("%s was told %q", name, s.told)
		}
	}
	if ok, err := author.SendRequest("x", true, nil); ok || err != nil {
		t.Errorf("an author's silent session: %v", err)
	}
}
