package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	gossh "golang.org/x/crypto/ssh"

	"sheaf/app/blog"
)

// patience is how long a test waits for what has to happen at once, on a machine
// that may have much else to do. Only a test that fails waits so long.
const patience = 30 * time.Second

// The clock of the regular expressions in the highlighter stops by itself a
// moment after their last use.
func TestMain(m *testing.M) {
	// The tests wait for timers most of the time. A flag counts for more.
	if err := flag.Set("test.parallel", strconv.Itoa(8*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// testServer is a running server with a room of its own: it says who is there,
// runs the few commands of handle, and keeps a terminal until it is told to end.
type testServer struct {
	*testing.T
	addr string
	keys string
	srv  *Server
	logs *syncBuffer
	blog *blog.Blog // nil unless all rooms are there
	sees chan size  // window sizes the browser was given

	exempt, proxies []netip.Prefix

	hold     chan bool    // what the command count waits for, if it is not nil
	received atomic.Int64 // bytes that the command alive has read
	alive    chan bool    // and what it found
}

func startServer(t *testing.T, l Limits) *testServer {
	t.Helper()
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}, sees: make(chan size, 4096), alive: make(chan bool, 1),
		exempt: prefixes("127.0.0.0/8")}
	b.start(l)
	return b
}

func (b *testServer) start(l Limits) {
	b.Helper()
	srv, err := newServer(Config{Keys: b.keys, Version: "test", Limits: l, Log: slog.New(slog.NewTextHandler(b.logs, nil)), Exempt: b.exempt, Proxies: b.proxies}, b.handle)
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.srv, b.addr = srv, ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		if err := <-served; err != nil {
			b.Errorf("Serve: %v", err)
		}
	})
}

func (b *testServer) handle(v *session) int {
	out := v.stream
	if after, is := strings.CutPrefix(v.command, "copy and "); is {
		v.channel.copying.Store(true)
		v.command = after
	}
	switch {
	case v.sftp:
		v.verb = subsystem
		b.copyFiles(v)
		return 7
	case v.command == "denied":
		fmt.Fprint(out, v.denied())
	case v.command == "alive":
		fmt.Fprint(out, v.alive(v.ctx))
	case v.command == "alive after eof":
		_, _ = io.Copy(counter{&b.received}, out)
		b.alive <- v.alive(v.ctx)
		b.received.Store(0)
	case v.command == "drip":
		for range 30 {
			if _, err := io.WriteString(out, "."); err != nil || v.ctx.Err() != nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	case v.command == "whoami":
		name := "reader"
		if v.author != nil {
			name = "author " + v.author.name
		}
		fmt.Fprintf(out, "%s refused=%d", name, v.keysRefused)
	case v.command == "env":
		fmt.Fprint(out, strings.Join(v.env, " "))
	case v.command == "panic":
		panic("on purpose")
	case v.command == "count":
		if b.hold != nil {
			<-b.hold
		}
		sum := sha256.New()
		n, err := io.Copy(sum, out)
		fmt.Fprint(out, n)
		if b.hold != nil {
			fmt.Fprintf(out, " %x %v", sum.Sum(nil), err)
		}
	case v.command == "flood":
		for {
			if _, err := out.Write(make([]byte, 1<<20)); err != nil {
				return 1
			}
		}
	case v.terminal:
		fmt.Fprintf(out, "%dx%d %s\n", v.size.Width, v.size.Height, v.term)
		go io.Copy(io.Discard, out)
		for {
			select {
			case s := <-v.sizes:
				b.sees <- s
			case n := <-v.notices:
				fmt.Fprintln(out, n)
			case <-v.ctx.Done():
				fmt.Fprintln(out, "bye:", context.Cause(v.ctx))
				return 1
			}
		}
	default:
		<-v.ctx.Done()
	}
	return 0
}

// copyFiles is a program that copyFiles files: it counts what comes in.
func (b *testServer) copyFiles(v *session) {
	first := make([]byte, 5)
	n, _ := v.stream.Read(first)
	switch string(first[:n]) {
	case "panic":
		panic("on purpose")
	case "wait":
		fmt.Fprintln(v.stream.Stderr(), "waiting")
		<-v.ctx.Done()
		v.fail(v.closeReason(), 1)
		return
	}
	rest, _ := io.Copy(io.Discard, v.stream)
	word := "gone"
	if v.alive(v.ctx) {
		word = "still there"
	}
	fmt.Fprint(v.stream, int64(n)+rest, " ", word)
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

func (b *testServer) authorise(keys ...gossh.PublicKey) {
	b.Helper()
	var lines []byte
	for i, k := range keys {
		lines = append(lines, bytes.TrimSpace(gossh.MarshalAuthorizedKey(k))...)
		lines = fmt.Appendf(lines, " Ada %d\n", i)
	}
	if err := os.WriteFile(filepath.Join(b.keys, "authors"), lines, 0o644); err != nil {
		b.Fatal(err)
	}
}

func newKey(t testing.TB) gossh.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := gossh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dial logs in with keys first, and else as a reader.
func (b *testServer) dial(user string, keys ...gossh.Signer) (*gossh.Client, error) {
	auth := []gossh.AuthMethod{gossh.PublicKeys(keys...), noQuestions()}
	if len(keys) == 0 {
		auth = auth[1:]
	}
	return gossh.Dial("tcp", b.addr, &gossh.ClientConfig{User: user, Auth: auth, HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: patience})
}

func noQuestions() gossh.AuthMethod {
	return gossh.KeyboardInteractive(func(_, _ string, q []string, _ []bool) ([]string, error) {
		if len(q) > 0 {
			return nil, errors.New("a question was asked")
		}
		return nil, nil
	})
}

func (b *testServer) client(keys ...gossh.Signer) *gossh.Client {
	b.Helper()
	c, err := b.dial("reader", keys...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

func (b *testServer) run(c *gossh.Client, command string) (out, errs string, status int) {
	b.Helper()
	s, err := c.NewSession()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var o, e bytes.Buffer
	s.Stdout, s.Stderr = &o, &e
	var exit *gossh.ExitError
	if err := s.Run(command); errors.As(err, &exit) {
		status = exit.ExitStatus()
	} else if err != nil {
		b.Fatalf("%s: %v", command, err)
	}
	return o.String(), e.String(), status
}

// A term is an open browser of a client.
type term struct {
	gossh.Channel
	out *syncBuffer
}

func (b *testServer) terminal(c *gossh.Client, cols, rows uint32) *term {
	b.Helper()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		b.Fatal(err)
	}
	go gossh.DiscardRequests(reqs)
	if ok, err := ch.SendRequest("pty-req", true, gossh.Marshal(ptyRequest{Term: "xterm", Cols: cols, Rows: rows})); !ok || err != nil {
		b.Fatalf("pty-req: %v %v", ok, err)
	}
	if ok, err := ch.SendRequest("shell", true, nil); !ok || err != nil {
		b.Fatalf("shell: %v %v", ok, err)
	}
	t := &term{ch, &syncBuffer{}}
	go io.Copy(t.out, ch)
	return t
}

func (t *term) resize(cols, rows uint32) error {
	_, err := t.SendRequest("window-change", false, gossh.Marshal(windowChange{Cols: cols, Rows: rows}))
	return err
}

// syncBuffer is a buffer that is written and read at the same time.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

func (b *testServer) connections() int { return len(b.srv.gate.all()) }
