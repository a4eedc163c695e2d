package app_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// BenchmarkRepaint is the time from the moment an author starts to publish to
// the moment the new title has reached the terminals of a hundred readers with
// the list open: the handshake is not in it. It reports the median and the
// slowest of them.
func BenchmarkRepaint(b *testing.B) {
	const readers = 100
	content, keys := b.TempDir(), b.TempDir()
	for i := range 40 {
		text := fmt.Sprintf("---\ntitle: Post %d\ndate: 2021-04-%02d\n---\n%s", i, i%28+1, strings.Repeat("Some words. ", 200))
		if err := os.WriteFile(filepath.Join(content, fmt.Sprintf("post-%d.md", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	// A title that changes stays where it is; a new post would come in above
	// what is on the screen.
	if err := os.WriteFile(filepath.Join(content, "news.md"), []byte("---\ntitle: Post\ndate: 2022-01-01\n---\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	signer := authorKey(b, keys)
	addr := program(b, content, "--keys", keys)

	watching := make([]*watcher, readers)
	for i := range watching {
		// As from ten houses: the server bounds what one address may have.
		watching[i] = watchList(b, addr, net.IPv4(127, 0, 0, byte(2+i/10)))
	}
	author, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		b.Fatal(err)
	}
	defer author.Close()

	var all []time.Duration
	n := 0
	for b.Loop() {
		// No letter of it was there before: only what changes is sent.
		title := strings.Repeat(string(rune('A'+n%26)), 12)
		n++
		for _, w := range watching {
			w.expect(title)
		}
		s, err := author.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		s.Stdin = strings.NewReader(fmt.Sprintf("---\ntitle: %s\ndate: 2022-01-01\n---\nText.\n", title))
		began := time.Now()
		if out, err := s.CombinedOutput("publish news.md"); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		for _, w := range watching {
			all = append(all, w.seen(b).Sub(began))
		}
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "ms/max")
}

// authorKey makes a key and puts it into keys/authors.
func authorKey(tb testing.TB, keys string) ssh.Signer {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "authors"), ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return signer
}

// watcher is a terminal with the list open that notes when a text arrives.
type watcher struct {
	wanted chan string
	found  chan time.Time
}

func watchList(tb testing.TB, addr string, from net.IP) *watcher {
	tb.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	nc, err := d.DialContext(tb.Context(), "tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	conn, chans, reqs, err := ssh.NewClientConn(nc, addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		tb.Fatal(err)
	}
	c := ssh.NewClient(conn, chans, reqs)
	tb.Cleanup(func() { c.Close() })
	s, err := c.NewSession()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	in, err := s.StdinPipe() // open, or the browser would end
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		tb.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(in, "\x1b[?62c"); err != nil { // what a terminal answers
		tb.Fatal(err)
	}
	w := &watcher{wanted: make(chan string, 1), found: make(chan time.Time, 1)}
	w.expect("Post")
	go w.read(out)
	w.seen(tb)
	return w
}

func (w *watcher) expect(text string) { w.wanted <- text }

func (w *watcher) seen(tb testing.TB) time.Time {
	tb.Helper()
	select {
	case t := <-w.found:
		return t
	case <-time.After(10 * time.Second):
		tb.Fatal("not seen in 10 s")
		panic("unreachable")
	}
}

func (w *watcher) read(out io.Reader) {
	var got []byte
	wanted := ""
	buf := make([]byte, 16<<10)
	for {
		n, err := out.Read(buf)
		if err != nil {
			return
		}
		got = append(got, buf[:n]...)
		if wanted == "" {
			select {
			case wanted = <-w.wanted:
			default:
			}
		}
		if wanted != "" && bytes.Contains(got, []byte(wanted)) {
			w.found <- time.Now()
			got, wanted = got[:0], ""
		}
	}
}
