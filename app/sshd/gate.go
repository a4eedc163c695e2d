package sshd

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate counts connections before they have said a word: all, those not yet
// authenticated, and those of one network. It holds every open connection.
type gate struct {
	limits Limits
	log    *slog.Logger

	mu      sync.Mutex
	closed  bool
	conns   map[*conn]struct{}
	strange int                  // not yet authenticated
	from    map[netip.Prefix]int // by network
	refused int                  // since the last line in the log
	told    time.Time
	empty   chan struct{} // closed when the gate is closed and nobody is inside
}

func newGate(l Limits, log *slog.Logger) *gate {
	return &gate{limits: l, log: log, conns: map[*conn]struct{}{}, from: map[netip.Prefix]int{}, empty: make(chan struct{})}
}

// network is what one subscriber holds: an IPv4 address, or an IPv6 /64.
func network(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// enter lets a connection in or says why not.
func (g *gate) enter(c *conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	why := ""
	switch {
	case g.closed:
		return false
	case len(g.conns) >= g.limits.Connections:
		why = "connections"
	case g.strange >= g.limits.Unauthenticated:
		why = "unauthenticated connections"
	case g.from[c.from] >= g.limits.PerAddress:
		why = "connections of one address"
	}
	if why != "" {
		g.refused++
		if now := time.Now(); now.Sub(g.told) > 10*time.Second {
			g.log.Warn("connections refused", "limit", why, "from", c.from.String(), "count", g.refused)
			g.told, g.refused = now, 0
		}
		return false
	}
	g.conns[c] = struct{}{}
	g.from[c.from]++
	g.strange++
	return true
}

// proven frees the place of a connection among the unauthenticated.
func (g *gate) proven() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.strange--
}

// leave gives back what enter took; a connection leaves once.
func (g *gate) leave(c *conn, strange bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	if g.from[c.from]--; g.from[c.from] <= 0 {
		delete(g.from, c.from)
	}
	if strange {
		g.strange--
	}
	g.drained()
}

func (g *gate) drained() {
	if !g.closed || len(g.conns) > 0 {
		return
	}
	select {
	case <-g.empty:
	default:
		close(g.empty)
	}
}

// close lets nobody in any more and returns those inside.
func (g *gate) close() []*conn {
	g.mu.Lock()
	g.closed = true
	g.drained()
	g.mu.Unlock()
	return g.inside()
}

func (g *gate) inside() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		all = append(all, c)
	}
	return all
}
