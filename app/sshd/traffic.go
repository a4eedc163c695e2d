package sshd

import (
	"io"
	"sync"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// What a reader's connection may send that is of no use: bytes a second, and at
// once, beside what the pace lets in before it can be of use. A login with forty
// keys takes a fifth of it, keys that repeat and a mouse that moves take a tenth
// of the rate; a flood of the smallest packets has used it up after some
// thousands of them.
const (
	wasteRate  = 64 << 10
	wasteBurst = 256 << 10

	// usefulBytes is how many bytes on the wire one byte of data accounts for.
	// Packets of a dozen bytes and more are paid for by what they bring.
	usefulBytes = 3

	// outPerIn is how many bytes go out for one that a client sends to ask for
	// them and to say that it has them.
	outPerIn = 64

	// resizeBytes is what a window change takes on the wire.
	resizeBytes = 100

	// windowBytes is what may be on its way to a program that does not read,
	// on a channel: the library's window, and what goes with it.
	windowBytes = 2<<20 + 256<<10
)

// New keys that a reader's connection may ask for: a second, and at once. They
// cost the server thousands of times what they cost to ask for. OpenSSH asks
// after 1 GB (RFC 4253, 9).
const (
	rekeyRate  = 1
	rekeyBurst = 20
)

// traffic judges what a client sends by the bytes on the wire, for packets
// cannot be told apart there: whatever nobody has had a use for is waste, be it
// packets that mean nothing, or the packing of data that comes in crumbs. More
// waste than passes is a flood. What is of use is slowed down to a pace.
//
// Authors' connections are not judged. It is safe for concurrent use.
type traffic struct {
	pace float64 // bytes a second, and at once

	mu     sync.Mutex
	last   time.Time
	ahead  float64 // bytes that came faster than the pace
	waste  float64 // bytes that nobody has had a use for
	flood  float64 // of waste
	author bool
}

func newTraffic(pace int) *traffic {
	return &traffic{pace: float64(pace), last: time.Now(), flood: float64(pace + wasteBurst)}
}

// received counts bytes that came in. It returns how long to wait before more
// is read, and whether the client floods the connection.
func (t *traffic) received(n int) (wait time.Duration, flood bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.author {
		return 0, false
	}
	now := time.Now()
	passed := now.Sub(t.last).Seconds()
	t.last = now
	t.ahead = max(t.ahead-passed*t.pace, 0) + float64(n)
	t.waste = max(t.waste-passed*wasteRate, 0) + float64(n)
	if over := t.ahead - t.pace; over > 0 {
		wait = time.Duration(over / t.pace * float64(time.Second))
	}
	return wait, t.waste > t.flood
}

// used says that somebody had a use for data of n bytes.
func (t *traffic) used(n int) { t.credit(usefulBytes*n, 0) }

// thrownAway says that data of n bytes was read for nobody. It counts as used,
// but for its packing.
func (t *traffic) thrownAway(n int) { t.credit(n, 0) }

// sent says that n bytes went out, which the client asks for and acknowledges.
func (t *traffic) sent(n int) { t.credit(n/outPerIn, n/outPerIn) }

// resized says that a window change was answered, which has a rate of its own.
func (t *traffic) resized() { t.credit(resizeBytes, resizeBytes) }

func (t *traffic) credit(waste, ahead int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waste = max(t.waste-float64(waste), 0)
	t.ahead = max(t.ahead-float64(ahead), 0)
}

// blocked says that a program does not read at the moment, so that a window of
// bytes may come for which nobody has had a use yet.
func (t *traffic) blocked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flood += windowBytes
}

// trust ends the judging: the connection is an author's.
func (t *traffic) trust() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.author = true
}

func (t *traffic) trusted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.author
}

// Read reads from the socket, as fast as traffic has it. A flood drops the
// connection.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n <= 0 {
		return n, err
	}
	wait, flood := c.traffic.received(n)
	if flood {
		c.drop("a flood of packets", true)
		return 0, io.ErrClosedPipe
	}
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.gone:
		}
	}
	return n, err
}

// connRand is the source of randomness of one connection. The library hands it
// to the host key whenever it signs a key exchange, which says whose that is.
type connRand struct {
	io.Reader
	conn *conn
}

// countingSigner is a host key that counts the key exchanges of a connection,
// of which the library says nothing.
type countingSigner struct{ gossh.Signer }

func (s countingSigner) Sign(random io.Reader, data []byte) (*gossh.Signature, error) {
	if r, ok := random.(connRand); ok {
		if !r.conn.traffic.trusted() && !r.conn.rekeys.Allow() {
			r.conn.drop("too many key exchanges", true)
			return nil, io.ErrClosedPipe
		}
		r.conn.keysExchanged()
	}
	return s.Signer.Sign(random, data)
}
