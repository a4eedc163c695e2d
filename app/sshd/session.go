package sshd

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// resizePace is the shortest time between two window sizes given to a browser.
const resizePace = 50 * time.Millisecond

// channel is one session of a connection, from its opening to the moment the
// client has let it go and nobody answers it any more.
type channel struct {
	conn   *conn
	own    context.Context // ends with the channel, not only with the connection
	cancel context.CancelCauseFunc

	requests requests // of the filter alone, until it has been passed a start
	started  atomic.Bool
	copies   atomic.Bool   // a program that copies files is at the other end
	answered chan struct{} // closed when the answer to the command is complete
	sizes    *mailbox
	notices  chan string // cap 1: a line for the visitor, newest wins
}

// session answers an opened "session" channel.
func (s *Server) session(lib *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
	c := connOf(ctx)
	if c == nil {
		_ = nc.Reject(gossh.Prohibited, "no connection")
		return
	}
	if !c.requests.take(1) {
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
	ch := &channel{conn: c, own: own, cancel: cancel, answered: make(chan struct{}), notices: make(chan string, 1)}
	ch.sizes = newMailbox(s)
	defer cancel(nil)
	if key, ok := ctx.Value(ssh.ContextKeyPublicKey).(ssh.PublicKey); ok {
		c.identify(s.authors.find(key))
	}
	if !c.open(ch) {
		_ = nc.Reject(gossh.ResourceShortage, "the connection is closing")
		return
	}
	defer c.gone(ch)
	ssh.DefaultSessionHandler(lib, sc, &guardedOpening{nc, ch}, &channelContext{Context: ctx, own: own, values: map[any]any{channelKey{}: ch}})
	// The client's side is gone. What answers it has been told and ends.
	if ch.started.Load() {
		<-ch.answered
	}
}

// notify leaves a line for the visitor.
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

// filter reads every request the client sends on the channel, so that the
// connection never waits for a session, and passes on the few that are meant
// for the library. It ends when the channel is closed, and ends the channel's
// context then.
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
			if d := ch.conn.windows.spend(1); d > 0 {
				time.Sleep(min(d, 10*time.Millisecond))
			}
		} else if !ch.conn.requests.take(1) {
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

// guardedOpening hands the library a guarded channel.
type guardedOpening struct {
	gossh.NewChannel
	ch *channel
}

func (g *guardedOpening) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	real, in, err := g.NewChannel.Accept()
	if err != nil {
		return nil, nil, err
	}
	// The filter never waits for the library: it passes on no more than fits.
	out := make(chan *gossh.Request, maxPassed)
	g.ch.conn.srv.start(func() { g.ch.filter(in, out, func() { real.Close() }) })
	return &guardedChannel{
		Channel: real,
		in:      &input{r: real, ch: g.ch},
		out:     &output{w: real, ch: g.ch},
		err:     &output{w: real.Stderr(), ch: g.ch},
	}, out, nil
}

// guardedChannel measures what is typed and does not wait for ever for what
// is written.
type guardedChannel struct {
	gossh.Channel
	in  *input
	out *output
	err *output
}

func (g *guardedChannel) Read(p []byte) (int, error)  { return g.in.Read(p) }
func (g *guardedChannel) Write(p []byte) (int, error) { return g.out.Write(p) }
func (g *guardedChannel) Stderr() io.ReadWriter {
	return struct {
		io.Reader
		io.Writer
	}{g.Channel.Stderr(), g.err}
}

type channelKey struct{}

// channelContext is a context of the library's kind that belongs to one
// channel: it ends with the channel, and values set in it stay in it. (The
// library's own is shared by all channels of a connection.)
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

// mailbox holds the newest window size until it is taken, and does not hand
// out more than one in resizePace.
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

// deliver replaces a size that nobody has taken. It is the only sender, so
// that there is room when the old one is out.
func (m *mailbox) deliver(s size) {
	select {
	case <-m.out:
	default:
	}
	m.out <- s
	m.last = time.Now()
}
