package sshd

import (
	"context"
	"errors"
	"io"
	"sync"
)

// inboxSize is how many bytes of what a reader has sent may wait to be read.
const inboxSize = 64 << 10

// errLost is where something is missing in what a client has sent.
var errLost = errors.New("more was sent than was read")

// An inbox takes what a reader sends on a channel from the library as soon as
// it is there, and keeps it in one piece. The library keeps each packet by
// itself, so that data which comes byte by byte takes fifty times its size, and
// the window of a channel does not bound that.
//
// What does not fit is thrown away, and errLost stands in its place; but the
// client of a program that copies files has to wait until there is room. It is
// safe for concurrent use by one reader.
type inbox struct {
	ch *channel

	mu        sync.Mutex
	changed   *sync.Cond // something below has, or the channel's context has ended
	data      []byte
	lost      bool  // something that came behind data
	err       error // how the channel ended
	abandoned bool  // nobody will read any more
	waited    bool  // the client has had to wait
}

// newInbox begins to read from r, until r ends.
func newInbox(r io.Reader, ch *channel) *inbox {
	b := &inbox{ch: ch}
	b.changed = sync.NewCond(&b.mu)
	ch.conn.srv.start(func() { b.fill(r) })
	return b
}

func (b *inbox) fill(r io.Reader) {
	stop := context.AfterFunc(b.ch.ctx, b.wake)
	defer stop()
	var buf [4 << 10]byte
	for {
		n, err := r.Read(buf[:])
		kept := b.put(buf[:n])
		b.ch.conn.traffic.used(kept)
		b.ch.conn.traffic.thrownAway(n - kept)
		if err != nil {
			b.mu.Lock()
			b.err = err
			b.mu.Unlock()
			b.wake()
			return
		}
	}
}

// put keeps as much of p as there is room for, and returns how much that is.
func (b *inbox) put(p []byte) (kept int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if b.abandoned || b.lost {
			return kept
		}
		n := min(inboxSize-len(b.data), len(p)-kept)
		b.data = append(b.data, p[kept:kept+n]...)
		kept += n
		b.changed.Broadcast()
		switch {
		case kept == len(p):
			return kept
		case !b.ch.copying.Load() || b.ch.ctx.Err() != nil:
			b.lost = true
			return kept
		case !b.waited:
			b.waited = true
			b.ch.conn.traffic.blocked()
		}
		b.changed.Wait()
	}
}

// Read waits for something that was sent. Behind what has been kept it returns
// errLost once, if more came then, and in the end how the channel ended: io.EOF,
// or the cause of the end of its context.
func (b *inbox) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case len(b.data) > 0:
			n := copy(p, b.data)
			if b.data = b.data[n:]; len(b.data) == 0 {
				b.data = nil
			}
			b.changed.Broadcast()
			return n, nil
		case b.lost:
			b.lost = false
			return 0, errLost
		case b.err != nil:
			return 0, b.err
		case b.ch.ctx.Err() != nil:
			return 0, context.Cause(b.ch.ctx)
		}
		b.changed.Wait()
	}
}

// abandon says that nobody will read any more. What comes is thrown away.
func (b *inbox) abandon() {
	b.mu.Lock()
	b.abandoned, b.data = true, nil
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed.Broadcast()
}
