package sshd

import (
	"context"
	"crypto/sha256"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// farewell is why the server ends a session, in words for the visitor.
type farewell string

func (f farewell) Error() string { return string(f) }

const (
	byeRestart  farewell = "The blog is restarting; come back in a moment."
	byeIdle     farewell = "Nobody has pressed a key for a while; the session is closed."
	byeLifetime farewell = "This connection has been open for very long; please connect again."
	byeKey      farewell = "Your key is no longer one of the authors'."
)

// warnIdle is announced before byeIdle.
const warnIdle = "The session closes soon unless a key is pressed."

// linger is how long a client has to close a connection whose sessions have
// all ended, so that it has read everything that was written.
const linger = 500 * time.Millisecond

// gone is how long a peer may be silent on the level of TCP; keep-alive takes as long.
const gone = 150 * time.Second

// conn is a connection whose time is kept by timers that close the socket.
//
// Deadlines are not used for this: the library below sets its own on the same
// connection and wipes all others. The one exception is the deadline of a
// write, set anew before each, which ends a client that has stopped reading.
type conn struct {
	net.Conn
	srv      *Server
	from     netip.Prefix
	requests *bucket       // channel requests, global requests, opened channels
	windows  *bucket       // window changes
	slots    chan struct{} // one for each open channel
	since    time.Time
	input    atomic.Int64 // when a key was last pressed, after since

	mu        sync.Mutex
	closed    bool
	proven    bool
	late      bool // the handshake has taken too long
	author    *author
	typing    *bucket           // bytes typed on all channels
	copying   *bucket           // bytes of a reader's programs that copy files
	refused   map[[32]byte]bool // keys offered that are no author's
	offers    []string          // the first of these, as ssh-keygen -l shows them
	channels  map[*channel]bool // that have been opened and not ended
	ending    error             // set once the connection has been told to end
	handshake *time.Timer
	lifetime  *time.Timer
	idle      *time.Timer // nil until authenticated
}

type connKey struct{}

// connOf is the connection of a context made by the library.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// wrap takes an accepted connection through the gate; nil refuses it.
func (s *Server) wrap(ctx ssh.Context, nc net.Conn) net.Conn {
	c := &conn{
		Conn:     nc,
		srv:      s,
		from:     network(nc.RemoteAddr()), // behind a proxy it waits for the header, not for ever
		requests: newBucket(requestRate, requestBurst),
		windows:  newBucket(windowRate, windowBurst),
		typing:   newBucket(s.limits.Input, inputBurst*s.limits.Input),
		copying:  newBucket(s.limits.Upload, s.limits.Upload),
		slots:    make(chan struct{}, s.limits.Channels),
		since:    time.Now(),
		channels: map[*channel]bool{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok, why := s.gate.enter(c, s.penalties.refuses(c.from)); !ok {
		s.counts.refuse(why)
		return nil
	}
	noticeVanished(nc)
	c.handshake = s.after(s.limits.Handshake, func() {
		c.mu.Lock()
		c.late = true
		c.mu.Unlock()
		c.Close()
	})
	c.lifetime = s.after(s.limits.Lifetime, func() { c.end(byeLifetime, s.limits.Farewell) })
	ctx.SetValue(connKey{}, c)
	return c
}

// The library's deadlines are not taken over.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

func (c *conn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.srv.limits.Stall)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.Close()
	}
	return n, err
}

// Close closes the socket and gives back the connection's place, once.
func (c *conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	strange, late := !c.proven, c.late
	for _, t := range []*time.Timer{c.handshake, c.lifetime, c.idle} {
		if t != nil {
			t.Stop()
		}
	}
	c.mu.Unlock()
	err := c.Conn.Close()
	if closing := c.srv.gate.leave(c, strange); strange && !closing {
		c.srv.counts.failed.Add(1)
		c.srv.charge(c.from, map[bool]time.Duration{false: costStrange, true: costLate}[late])
	}
	return err
}

// drop ends the connection of a client that misbehaves, or of one that is only
// gone.
func (c *conn) drop(why string, abuse bool) {
	if c.Close() == nil {
		c.srv.log.Warn("connection dropped", "why", why, "from", c.from.String())
		c.srv.counts.dropped.Add(1)
		if abuse {
			c.srv.charge(c.from, costAbuse)
		}
	}
}

// maxOffers bounds the fingerprints that are kept for their owner to read.
const maxOffers = 10

// offered notes a key that is no author's. It is never logged: how many
// different ones there were, and the fingerprints of the first, are for the
// visitor alone, who may be an author whose key is missing.
func (c *conn) offered(k gossh.PublicKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[[32]byte]bool{}
	}
	sum := sha256.Sum256(k.Marshal())
	if c.refused[sum] || len(c.refused) >= maxAuthTries {
		return
	}
	c.refused[sum] = true
	if len(c.offers) < maxOffers {
		c.offers = append(c.offers, gossh.FingerprintSHA256(k)+" "+clean(k.Type()))
	}
}

func (c *conn) keysRefused() (n int, fingerprints []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.refused), slices.Clone(c.offers)
}

// authenticated ends the time of the handshake and begins that of idleness.
func (c *conn) authenticated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.proven {
		return
	}
	c.proven = true
	c.handshake.Stop()
	c.srv.gate.proven()
	c.srv.counts.handshakes.Add(1)
	c.touch()
	l := c.srv.limits
	c.idle = c.srv.after(min(l.Idle, l.IdleAuthor)-l.Warning, c.checkIdle)
}

// identify settles whose connection it is, by the key proven in its handshake.
func (c *conn) identify(a *author) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a != nil && c.author == nil {
		l := c.srv.limits
		c.typing = newBucket(l.InputAuthor, inputBurst*l.InputAuthor)
	}
	c.author = a
}

// touch notes that somebody is there.
func (c *conn) touch() { c.input.Store(int64(time.Since(c.since))) }

func (c *conn) checkIdle() {
	c.mu.Lock()
	limit, warning := c.srv.limits.Idle, c.srv.limits.Warning
	if c.author != nil {
		limit = c.srv.limits.IdleAuthor
	}
	quiet := time.Since(c.since) - time.Duration(c.input.Load())
	if c.closed || quiet >= limit {
		c.mu.Unlock()
		c.end(byeIdle, c.srv.limits.Farewell)
		return
	}
	defer c.mu.Unlock()
	if quiet < limit-warning {
		c.idle.Reset(limit - warning - quiet)
		return
	}
	for ch := range c.channels {
		ch.notify(warnIdle)
	}
	c.idle.Reset(limit - quiet)
}

// open takes a channel into the connection; false when it is ending.
func (c *conn) open(ch *channel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ending != nil {
		return false
	}
	c.channels[ch] = true
	c.srv.sessions.Add(1)
	return true
}

// gone forgets a channel that has ended.
func (c *conn) gone(ch *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, ch)
	c.srv.sessions.Done()
	if c.ending != nil && len(c.channels) == 0 && !c.closed {
		c.srv.after(linger, func() { c.Close() })
	}
}

// end tells all sessions to end and closes the connection when they have, or
// after the grace time. A connection without a session is closed at once.
func (c *conn) end(why error, grace time.Duration) {
	c.mu.Lock()
	if c.closed || c.ending != nil {
		c.mu.Unlock()
		return
	}
	c.ending = why
	channels := make([]*channel, 0, len(c.channels))
	for ch := range c.channels {
		channels = append(channels, ch)
	}
	c.mu.Unlock()
	if len(channels) == 0 {
		c.Close()
		return
	}
	c.srv.after(grace, func() { c.Close() })
	for _, ch := range channels {
		ch.cancel(why)
	}
}

// pasteLimit is how many bytes of one paste pass.
func (c *conn) pasteLimit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.author != nil {
		return 16 * c.srv.limits.Paste
	}
	return c.srv.limits.Paste
}
