package sshd

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// A program that copies files and does not read for a while gets all that was
// sent, and its client is not taken for a flood.
func TestProgramsThatReadLate(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Upload: 64 << 20})
	b.hold = make(chan bool)
	data := make([]byte, 5<<20)
	_, _ = rand.Read(data)
	c := b.client()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin = bytes.NewReader(data)
	var out bytes.Buffer
	s.Stdout = &out
	if err := s.Start("copy and count"); err != nil {
		t.Fatal(err)
	}
	// The client has sent all that the window allows.
	eventually(t, "the client has to wait", func() bool {
		for _, c := range b.srv.gate.all() {
			c.traffic.mu.Lock()
			defer c.traffic.mu.Unlock()
			if c.traffic.waste > 3<<19 {
				return true
			}
		}
		return false
	})
	close(b.hold)
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d %x <nil>", len(data), sha256.Sum256(data)); out.String() != want {
		t.Errorf("%s arrived, not %s", &out, want)
	}
}

// What comes for somebody else than a program that copies files is kept up to a
// bound, and what is missing is not passed over in silence.
func TestMoreThanFitsIsLost(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Upload: 64 << 20, Input: 64 << 20})
	b.hold = make(chan bool)
	s, err := b.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s.Stdout = &out
	if err := s.Start("count"); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 8<<20) // four windows: the server reads it
	_, _ = rand.Read(data)
	if _, err := in.Write(data); err != nil {
		t.Fatal(err)
	}
	in.Close()
	close(b.hold)
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d %x %v", inboxSize, sha256.Sum256(data[:inboxSize]), errLost); out.String() != want {
		t.Errorf("%s arrived, not %s", &out, want)
	}
}

// What is sent as standard error, which nobody reads, does not stay.
func TestNobodyReadsWhatComesAsStandardError(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Upload: 64 << 20})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	for name, c := range map[string]*gossh.Client{"reader": b.client(), "author": b.client(ada)} {
		s := b.terminal(c, 80, 24)
		late := time.AfterFunc(patience, func() { c.Close() })
		if _, err := s.Stderr().Write(make([]byte, 6<<20)); err != nil { // three windows
			t.Errorf("%s: %v", name, err)
		}
		late.Stop()
		if out, _, _ := b.run(c, "whoami"); !strings.HasPrefix(out, name) {
			t.Errorf("%s: %q", name, out)
		}
	}
}

// Authors send as much as they like.
func TestAuthorsAreNotJudged(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Upload: 1000})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	c := b.client(ada)
	s := b.terminal(c, 80, 24)
	one := make([]byte, 1)
	for range 60_000 { // as packets three times what is a flood
		if _, err := s.Stderr().Write(one); err != nil {
			t.Fatal(err)
		}
	}
	if out, _, _ := b.run(c, "whoami"); !strings.HasPrefix(out, "author") {
		t.Errorf("afterwards: %q", out)
	}
}

func TestTraffic(t *testing.T) {
	tr := newTraffic(1 << 20)
	if wait, flood := tr.received(1 << 20); wait != 0 || flood {
		t.Errorf("a burst: %v %v", wait, flood)
	}
	tr = newTraffic(1000)
	_, _ = tr.received(1000)
	if wait, _ := tr.received(500); wait < 400*time.Millisecond || wait > 500*time.Millisecond {
		t.Errorf("half a second ahead waits %v", wait)
	}
	tr.sent(500 * outPerIn)
	if wait, _ := tr.received(1); wait > 10*time.Millisecond {
		t.Errorf("who is sent much waits %v", wait)
	}
	for i := range 100 { // of use, in packets of 32 KB
		tr.used(32 << 10)
		if _, flood := tr.received(33 << 10); flood {
			t.Fatalf("a flood after %d packets that were of use", i)
		}
	}
	n := 0
	for flood := false; !flood; n++ { // of no use, in the smallest there are
		_, flood = tr.received(36)
		tr.thrownAway(1)
	}
	if n > (1000+wasteBurst)/30 {
		t.Errorf("a flood after %d packets", n)
	}
	tr.trust()
	if wait, flood := tr.received(1 << 30); wait != 0 || flood {
		t.Errorf("an author: %v %v", wait, flood)
	}
}
