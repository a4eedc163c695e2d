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
	"golang.org/x/time/rate"
)

// closeReason is why the server ends a session, in words for the visitor.
type closeReason string

func (r closeReason) Error() string { return string(r) }

const (
	reasonRestart    closeReason = "The blog is restarting; come back in a moment."
	reasonIdle       closeReason = "Nobody has pressed a key for a while; the session is closed."
	reasonLifetime   closeReason = "This connection has been open for very long; please connect again."
	reasonKeyRemoved closeReason = "Your key is no longer one of the authors'."
)

// warnIdle announces reasonIdle.
const warnIdle = "The session closes soon unless a key is pressed."

// linger is how long a client has to close a connection whose sessions have all
// ended, so that it can read everything that was written.
const linger = 500 * time.Millisecond

// peerTimeout is how long a peer may leave data unacknowledged in TCP. A silent
// connection is given up after about as long, by keep-alive.
const peerTimeout = 150 * time.Second

// conn is a connection with timers that close its socket.
//
// Deadlines are of no use here: the library sets its own on the same connection
// and wipes all others. The one exception is the deadline of a write, set anew
// before each, which ends a client that has stopped reading.
type conn struct {
	net.Conn
	srv      *Server
	from     netip.Prefix
	traffic  *traffic
	requests *rate.Limiter // channel requests, global requests, opened channels
	resizes  *rate.Limiter // window changes
	rekeys   *rate.Limiter // key exchanges
	slots    chan struct{} // one for each open channel
	gone     chan struct{} // closed with the connection
	since    time.Time
	input    atomic.Int64 // when a key was last pressed, as a time.Duration after since

	mu            sync.Mutex
	closed        bool
	authenticated bool
	exchanged     bool // keys, once
	timedOut      bool // the login has taken too long
	surplus       bool // a reader for whom there is no place
	author        *author
	typed         *rate.Limiter     // bytes typed on all channels
	refused       map[[32]byte]bool // SHA-256 of the keys offered that are no author's
	fingerprints  []string          // of the first of these, as ssh-keygen -l shows them
	channels      map[*channel]bool // opened and not ended
	sessions      int               // of the channels, those that wait for a command or are answered
	ending        error             // set once the connection has been told to end
	handshake     *time.Timer       // and of the login after it
	lifetime      *time.Timer
	idle          *time.Timer // nil until authenticated
	unused        *time.Timer // the same; runs while a reader has no session
}

type connKey struct{}

// connOf is the connection of a context that the library has made, or nil.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// accept takes a connection through the gate and starts its timers; nil refuses
// it, when it has been told why.
func (s *Server) accept(ctx ssh.Context, nc net.Conn) net.Conn {
	c := &conn{
		Conn:     nc,
		srv:      s,
		from:     network(nc.RemoteAddr()), // behind a proxy this waits for the header, with a time limit
		traffic:  newTraffic(s.limits.Upload),
		requests: newLimiter(requestRate, requestBurst),
		resizes:  newLimiter(resizeRate, resizeBurst),
		rekeys:   newLimiter(rekeyRate, rekeyBurst),
		typed:    newLimiter(s.limits.Input, inputBurst*s.limits.Input),
		slots:    make(chan struct{}, s.limits.Channels),
		gone:     make(chan struct{}),
		since:    time.Now(),
		channels: map[*channel]bool{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ok, why, away := s.gate.enter(c, s.penalties.refuses(c.from))
	if !ok {
		s.counts.refuse(why)
		s.tell(nc, why, tellTime)
		return nil
	}
	if away != nil {
		s.counts.refuse(limitUnauthenticated)
		away.Close()
	}
	setPeerTimeout(nc)
	c.handshake = s.after(s.limits.Handshake, func() {
		c.mu.Lock()
		c.timedOut = true
		c.mu.Unlock()
		c.Close()
	})
	c.lifetime = s.after(s.limits.Lifetime, func() { c.end(reasonLifetime, s.limits.Grace) })
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
	c.traffic.sent(n)
	return n, err
}

// keysExchanged says that the server answers a key exchange. From the first one
// on a person may be at work: compares a fingerprint, types a passphrase,
// touches a key.
func (c *conn) keysExchanged() {
	c.srv.gate.exchanged(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.exchanged {
		return
	}
	c.exchanged = true
	c.handshake.Reset(c.srv.limits.Login)
}

// Close closes the socket and gives back the place of the connection. A
// connection that closes before it has exchanged keys is charged to its network;
// later it may be a person who said no to a fingerprint. From the second call on
// it returns net.ErrClosed.
func (c *conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	close(c.gone)
	authenticated, exchanged, penalty := c.authenticated, c.exchanged, penaltyNoAuth
	if c.timedOut {
		penalty = penaltyTimeout
	}
	for _, t := range []*time.Timer{c.handshake, c.lifetime, c.idle, c.unused} {
		if t != nil {
			t.Stop()
		}
	}
	c.mu.Unlock()
	err := c.Conn.Close()
	if excused := c.srv.gate.leave(c); !authenticated && !excused {
		c.srv.counts.failed.Add(1)
		if !exchanged {
			c.srv.charge(c.from, penalty)
		}
	}
	return err
}

// drop ends the connection of a client that misbehaves (abuse), or of one that
// does not read what it is sent.
func (c *conn) drop(why string, abuse bool) {
	if c.Close() == nil {
		c.srv.log.Warn("connection dropped", "why", why, "from", c.from.String())
		c.srv.counts.dropped.Add(1)
		if abuse {
			c.srv.charge(c.from, penaltyAbuse)
		}
	}
}

// maxFingerprints bounds the fingerprints that are kept for their owner to
// read.
const maxFingerprints = 10

// noteRefusedKey notes a key that is no author's. It is never logged: how many
// different ones there were, and the fingerprints of the first, are for the
// visitor alone, who may be an author whose key is missing.
func (c *conn) noteRefusedKey(k gossh.PublicKey) {
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
	if len(c.fingerprints) < maxFingerprints {
		c.fingerprints = append(c.fingerprints, gossh.FingerprintSHA256(k)+" "+oneLine(k.Type()))
	}
}

// refusedKeys is how many different keys were refused, and the fingerprints of
// the first. The slice is the caller's.
func (c *conn) refusedKeys() (n int, fingerprints []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.refused), slices.Clone(c.fingerprints)
}

// authenticationDone ends the time limit of the login, and begins those of
// idleness and of connections without a session. author says that the key of
// one has been proven.
func (c *conn) authenticationDone(author bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.authenticated {
		return
	}
	c.authenticated = true
	c.handshake.Stop()
	if !c.srv.gate.authenticated(c, author) {
		c.surplus = true
		c.srv.counts.refuse(limitConnections)
	}
	c.srv.counts.handshakes.Add(1)
	c.touch()
	l := c.srv.limits
	c.idle = c.srv.after(min(l.Idle, l.IdleAuthor)-l.Warning, c.checkIdle)
	c.unused = c.srv.after(l.NoSession, c.closeUnused)
}

// turnAway reports whether there is no place for the connection, which ends
// soon.
func (c *conn) turnAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.surplus {
		c.srv.after(linger, func() { c.Close() })
	}
	return c.surplus
}

// closeUnused closes a reader's connection that has no session. An author's may
// wait for the next one, as ssh has it with ControlPersist.
func (c *conn) closeUnused() {
	c.mu.Lock()
	unused := c.author == nil && c.sessions == 0
	c.mu.Unlock()
	if unused {
		c.Close()
	}
}

// identify settles whose connection it is, by the key that was proven in the
// handshake; nil is a reader.
func (c *conn) identify(a *author) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a != nil && c.author == nil {
		l := c.srv.limits
		c.typed = newLimiter(l.InputAuthor, inputBurstAuthor*l.InputAuthor)
		c.traffic.trust()
	}
	c.author = a
}

// touch notes that somebody is there.
func (c *conn) touch() { c.input.Store(int64(time.Since(c.since))) }

// checkIdle ends a connection on which nobody has pressed a key for too long,
// and warns its visitors before. It sets the timer for the next check.
func (c *conn) checkIdle() {
	c.mu.Lock()
	limit, warning := c.srv.limits.Idle, c.srv.limits.Warning
	if c.author != nil {
		limit = c.srv.limits.IdleAuthor
	}
	quiet := time.Since(c.since) - time.Duration(c.input.Load())
	if c.closed || quiet >= limit {
		c.mu.Unlock()
		c.end(reasonIdle, c.srv.limits.Grace)
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

// addChannel takes a channel into the connection; false when that is ending.
func (c *conn) addChannel(ch *channel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ending != nil {
		return false
	}
	c.channels[ch] = true
	c.sessions++
	c.unused.Stop()
	c.srv.sessions.Add(1)
	return true
}

// sessionOver says that a channel is answered no more, though the client may
// not have closed it yet. It counts once.
func (c *conn) sessionOver(ch *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch.over {
		return
	}
	ch.over = true
	if c.sessions--; c.sessions == 0 && !c.closed {
		c.unused.Reset(c.srv.limits.NoSession)
	}
}

// removeChannel forgets a channel that has ended. After the last one of a
// connection that has been told to end, the client has linger to close it.
func (c *conn) removeChannel(ch *channel) {
	c.sessionOver(ch)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, ch)
	c.srv.sessions.Done()
	if c.ending != nil && len(c.channels) == 0 && !c.closed {
		c.srv.after(linger, func() { c.Close() })
	}
}

// end tells all sessions to end, and closes the connection when they have, or
// when the time of grace is over. A connection without a session is closed at
// once.
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
