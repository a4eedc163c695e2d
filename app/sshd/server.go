package sshd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"charm.land/ssh"
	"charm.land/wish/v2"
	gossh "golang.org/x/crypto/ssh"

	"sheaf/app/markdown"
	"sheaf/app/tui"
)

// authorsPoll is how often keys/authors is looked at while sessions are open.
const authorsPoll = time.Second

// Server is the guard in front of the rooms. Make one with New; it serves one
// listener, once. Its methods are safe for concurrent use.
type Server struct {
	log      *slog.Logger
	limits   Limits
	gate     *gate
	authors  *authors
	handle   func(*session) int // answers a session; the exit status
	lib      *ssh.Server
	proxies  []netip.Prefix
	counts   counts
	browsers func() int // open now; nil: none

	penalties *penalties
	telling   chan struct{} // one for each that is being told why it is refused

	sessions sync.WaitGroup // answered at the moment
	done     chan struct{}  // closed when the server begins to stop

	mu       sync.Mutex
	listener net.Listener
	stopping bool
}

// newServer makes a server that has every session answered by handle. Of c it
// takes what is no room.
func newServer(c Config, handle func(*session) int) (*Server, error) {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	pem, err := hostKey(filepath.Join(c.Keys, hostKeyFile))
	if err != nil {
		return nil, err
	}
	s := &Server{
		log:     log,
		limits:  c.Limits.withDefaults(DefaultLimits()),
		handle:  handle,
		proxies: c.Proxies,
		done:    make(chan struct{}),
		telling: make(chan struct{}, maxTold),
	}
	s.gate = newGate(s.limits, log)
	s.penalties = newPenalties(slices.Concat(c.Exempt, c.Proxies), time.Now)
	s.authors = newAuthors(filepath.Join(c.Keys, "authors"), c.Authors, log)
	signer, err := gossh.ParsePrivateKey(pem)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	s.lib, err = wish.NewServer(
		wish.WithVersion(softwareVersion(c.Version)),
		wish.WithPublicKeyAuth(s.acceptKey),
		wish.WithKeyboardInteractiveAuth(acceptReader),
		wish.WithMiddleware(s.routing, s.recovering, s.logging), // the last one is the outermost
		func(lib *ssh.Server) error { return s.installGuard(lib, signer) },
	)
	if err != nil {
		return nil, fmt.Errorf("ssh server: %w", err)
	}
	return s, nil
}

// installGuard puts the guard into the library. Nothing is handled but
// sessions: there is no forwarding of any kind.
func (s *Server) installGuard(lib *ssh.Server, hostKey gossh.Signer) error {
	lib.AddHostKey(countingSigner{hostKey})
	lib.ConnCallback = s.accept
	lib.ServerConfigCallback = s.serverConfig
	lib.ChannelHandlers = map[string]ssh.ChannelHandler{
		"session": s.serveChannel,
		"default": func(_ *ssh.Server, _ *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
			if c := connOf(ctx); c != nil && !c.requests.Allow() {
				c.drop("too many requests", true)
			}
			_ = nc.Reject(gossh.Prohibited, "sessions only")
		},
	}
	lib.RequestHandlers = map[string]ssh.RequestHandler{
		"default": func(ctx ssh.Context, _ *ssh.Server, _ *gossh.Request) (bool, []byte) {
			if c := connOf(ctx); c != nil && !c.requests.Allow() {
				c.drop("too many requests", true)
			}
			return false, nil
		},
	}
	// The library does not run its middleware for subsystems.
	lib.SubsystemHandlers = map[string]ssh.SubsystemHandler{
		subsystem: ssh.SubsystemHandler(s.logging(s.recovering(s.routing(nil)))),
	}
	lib.ConnectionFailedCallback = func(nc net.Conn, err error) {
		s.log.Debug("handshake failed", "from", network(nc.RemoteAddr()).Addr().String(), "err", oneLine(err.Error()))
	}
	return nil
}

// Serve accepts connections until Shutdown, and then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	spare := &spareListener{Listener: l, srv: s}
	spare.spare, _ = os.Open(os.DevNull)
	defer func() { spare.spare.Close() }()
	l = spare
	if len(s.proxies) > 0 {
		l = s.behindProxies(l)
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.listener = l
	s.mu.Unlock()
	s.start(s.watchAuthors)
	err := s.lib.Serve(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	s.stop()
	return err
}

// stop ends what runs beside the connections. The lock is held.
func (s *Server) stop() {
	if !s.stopping {
		s.stopping = true
		close(s.done)
	}
}

// Shutdown stops accepting, tells every session to end, and waits until all
// have ended and the connections are closed, for five seconds or until ctx
// ends. What is still open then is closed, and the reason is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s.mu.Lock()
	s.stop()
	if s.listener != nil {
		s.listener.Close()
	}
	s.mu.Unlock()
	for _, c := range s.gate.close() {
		c.end(reasonRestart, 2*time.Minute) // ctx ends before that
	}
	ended := make(chan struct{})
	s.start(func() {
		defer close(ended)
		<-s.gate.empty
		s.sessions.Wait()
	})
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	for _, c := range s.gate.all() {
		c.Close()
	}
	return ctx.Err()
}

// watchAuthors reads keys/authors again when it has changed and settled, and
// ends the connections of those who are no longer in it.
func (s *Server) watchAuthors() {
	t := time.NewTicker(authorsPoll)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		if !s.authors.refreshWhenSettled() {
			continue
		}
		for _, c := range s.gate.all() {
			c.mu.Lock()
			a := c.author
			c.mu.Unlock()
			if a != nil && s.authors.find(a.key) == nil {
				s.log.Info("key removed, connection ended", "author", oneLine(a.name))
				c.end(reasonKeyRemoved, s.limits.Grace)
			}
		}
	}
}

// start runs f in a goroutine of its own, where a panic is logged and no more.
func (s *Server) start(f func()) {
	go func() {
		defer s.contain()
		f()
	}()
}

// after runs f after some time, where a panic is logged and no more.
func (s *Server) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		defer s.contain()
		f()
	})
}

// charge adds to the penalty of a network, and logs when that refuses it.
func (s *Server) charge(from netip.Prefix, cost time.Duration) {
	if s.penalties.charge(from, cost) {
		s.log.Warn("connections refused for a while",
			"from", from.String(), "why", "its connections have failed again and again")
	}
}

// contain is deferred in every goroutine of the server: a panic there is logged
// instead of ending the process.
func (s *Server) contain() {
	if p := recover(); p != nil {
		s.panicked(p)
	}
}

// panicked logs a panic under an id that a visitor can be told.
func (s *Server) panicked(p any) (id string) {
	s.counts.panics.Add(1)
	id = newID()
	s.log.Error("panic", "id", id, "panic", oneLine(fmt.Sprint(p)), "stack", string(debug.Stack()))
	return id
}

// failed logs an error of the machine under an id that a visitor can be told.
func (s *Server) failed(err error) (id string) {
	if errors.Is(err, tui.ErrPanic) {
		s.counts.panics.Add(1)
	} else {
		s.counts.errors.Add(1)
	}
	id = newID()
	s.log.Error("session failed", "id", id, "err", oneLine(err.Error()))
	return id
}

func newID() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// softwareVersion is the program's name and version as a client may see them:
// one printable word, as the protocol wants it.
func softwareVersion(v string) string {
	v, _, _ = strings.Cut(strings.Trim(v, "()"), " ")
	v = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '-' {
			return -1
		}
		return r
	}, v)
	if v == "" {
		return "sheaf"
	}
	return "sheaf_" + v[:min(len(v), 32)]
}

// oneLine makes a client's text fit for one line of a log: without control
// characters, and no longer than 200 runes.
func oneLine(s string) string {
	const most = 200
	s = markdown.Line(s[:min(len(s), 4*most)])
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}
