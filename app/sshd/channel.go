package sshd

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// resizePace is the shortest time between two window sizes that a browser is
// told of.
const resizePace = 50 * time.Millisecond

// channel is a session channel of a connection, from its opening to the moment
// when the client has let go of it and nobody answers it any more.
type channel struct {
	conn   *conn
	ctx    context.Context // ends with the channel, not only with the connection
	cancel context.CancelCauseFunc

	requests requests // used by filter alone until it has passed a start
	started  atomic.Bool
	copying  atomic.Bool   // a program that copies files is at the other end
	moved    atomic.Int64  // when a byte of it last went either way, as a time.Duration after conn.since; 0: never
	answered chan struct{} // closed when the command has been answered in full
	sizes    *mailbox
	over     bool        // answered no more; conn.mu guards it
	notices  chan string // of capacity 1: a line for the visitor, the newest wins
}

// serveChannel answers a channel of the type "session" that a client opens. It
// refuses one more than Limits.Channels, and one on a connection that is
// ending. It returns when the client has closed the channel and the answer has
// ended.
func (s *Server) serveChannel(lib *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
	c := connOf(ctx)
	if c == nil {
		_ = nc.Reject(gossh.Prohibited, "no connection")
		return
	}
	if !c.requests.Allow() {
		c.drop("too many requests", true)
		return
	}
	select {
	case c.slots <- struct{}{}:
	case <-time.After(linger): // one that has just been closed may not have been counted yet
		_ = nc.Reject(gossh.ResourceShortage, "too many sessions on one connection")
		return
	}
	defer func() { <-c.slots }()
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ch := &channel{
		conn:     c,
		ctx:      own,
		cancel:   cancel,
		answered: make(chan struct{}),
		sizes:    newMailbox(s),
		notices:  make(chan string, 1),
	}
	if key, ok := ctx.Value(ssh.ContextKeyPublicKey).(ssh.PublicKey); ok {
		c.identify(s.authors.find(key))
	}
	if !c.addChannel(ch) {
		_ = nc.Reject(gossh.ResourceShortage, "the connection is closing")
		return
	}
	defer c.removeChannel(ch)
	chCtx := &channelContext{Context: ctx, own: own, values: map[any]any{channelKey{}: ch}}
	ssh.DefaultSessionHandler(lib, sc, &guardedOpening{nc, ch}, chCtx)
	// The client has closed its side. What answers it has been told, and ends.
	if ch.started.Load() {
		<-ch.answered
	}
}

// touch notes that something has come or, of a file, gone.
func (ch *channel) touch() {
	ch.moved.Store(int64(time.Since(ch.conn.since)))
	ch.conn.touch()
}

// notify leaves a line for the visitor, in place of one that nobody has read.
func (ch *channel) notify(text string) {
	select {
	case <-ch.notices:
	default:
	}
	select {
	case ch.notices <- text:
	default:
	}
}

// filter reads every request that the client sends on the channel, so that the
// connection never waits for a session, and passes the few on that are meant
// for the library. A channel that has not asked for a command within
// Limits.Start is abandoned. filter returns when the channel is closed, and
// ends its context.
func (ch *channel) filter(in <-chan *gossh.Request, out chan<- *gossh.Request, abandon func()) {
	defer ch.cancel(nil)
	defer close(out)
	idle := ch.conn.srv.after(ch.conn.srv.limits.Start, func() {
		if !ch.started.Load() {
			abandon()
		}
	})
	defer idle.Stop()
	for req := range in {
		if req.Type == "window-change" {
			ch.conn.traffic.resized()
			time.Sleep(min(ch.conn.resizes.Reserve().Delay(), 10*time.Millisecond))
		} else if !ch.conn.requests.Allow() {
			ch.conn.drop("too many requests", true)
			continue
		}
		j := ch.requests.judge(req.Type, req.Payload)
		switch j.verdict {
		case pass:
			if ch.requests.started {
				ch.started.Store(true)
			}
			req.Payload = j.payload
			out <- req
		case resize:
			ch.sizes.put(j.size)
			_ = req.Reply(true, nil)
		default:
			_ = req.Reply(false, nil)
		}
	}
}

// guardedOpening hands a guarded channel to the library.
type guardedOpening struct {
	gossh.NewChannel
	ch *channel
}

func (g *guardedOpening) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	real, in, err := g.NewChannel.Accept()
	if err != nil {
		return nil, nil, err
	}
	// The filter never waits for the library: it passes no more than fits.
	out := make(chan *gossh.Request, maxPassed)
	srv := g.ch.conn.srv
	srv.start(func() { g.ch.filter(in, out, func() { real.Close(); g.ch.conn.sessionOver(g.ch) }) })
	srv.start(func() { g.ch.discard(real.Stderr()) })
	r := input{r: real, ch: g.ch}
	if !g.ch.conn.traffic.trusted() {
		r.inbox = newInbox(real, g.ch)
		r.r = r.inbox
	}
	return &guardedChannel{
		Channel: real,
		in:      &r,
		out:     &output{w: real, ch: g.ch},
		err:     &output{w: real.Stderr(), ch: g.ch},
	}, out, nil
}

// discard reads what a client sends to nobody, so that it is not kept.
func (ch *channel) discard(r io.Reader) {
	var buf [512]byte
	for {
		n, err := r.Read(buf[:])
		ch.conn.traffic.thrownAway(n)
		if err != nil {
			return
		}
	}
}

// guardedChannel limits how fast the client may send, and how long a write may
// wait for it.
type guardedChannel struct {
	gossh.Channel
	in  *input
	out *output
	err *output
}

func (g *guardedChannel) Read(p []byte) (int, error)  { return g.in.Read(p) }
func (g *guardedChannel) Write(p []byte) (int, error) { return g.out.Write(p) }
func (g *guardedChannel) Close() error {
	if g.in.inbox != nil {
		g.in.inbox.abandon()
	}
	return g.Channel.Close()
}

// Stderr is for what goes out: what comes in there is discarded.
func (g *guardedChannel) Stderr() io.ReadWriter {
	return struct {
		io.Reader
		io.Writer
	}{strings.NewReader(""), g.err}
}

type channelKey struct{}

// channelContext is a context of the library's kind for one channel: it ends
// with the channel, and values that are set in it stay in it. (All channels of
// a connection share the library's own.)
type channelContext struct {
	ssh.Context
	own context.Context

	mu     sync.Mutex
	values map[any]any
}

func (c *channelContext) Deadline() (time.Time, bool) { return c.own.Deadline() }
func (c *channelContext) Done() <-chan struct{}       { return c.own.Done() }
func (c *channelContext) Err() error                  { return c.own.Err() }

func (c *channelContext) Value(key any) any {
	c.mu.Lock()
	v, ok := c.values[key]
	c.mu.Unlock()
	if ok {
		return v
	}
	return c.own.Value(key)
}

func (c *channelContext) SetValue(key, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = value
}

// mailbox holds the newest window size until it is taken, and hands out no more
// than one in resizePace.
type mailbox struct {
	srv *Server
	out chan size

	mu      sync.Mutex
	waiting *size
	last    time.Time
}

func newMailbox(s *Server) *mailbox { return &mailbox{srv: s, out: make(chan size, 1)} }

func (m *mailbox) put(s size) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting != nil {
		m.waiting = &s
		return
	}
	if rest := resizePace - time.Since(m.last); rest > 0 {
		m.waiting = &s
		m.srv.after(rest, m.flush)
		return
	}
	m.deliver(s)
}

func (m *mailbox) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := *m.waiting
	m.waiting = nil
	m.deliver(s)
}

// deliver replaces a size that nobody has taken. The lock is held; nobody else
// sends, so there is room once the old size is out.
func (m *mailbox) deliver(s size) {
	select {
	case <-m.out:
	default:
	}
	m.out <- s
	m.last = time.Now()
}
