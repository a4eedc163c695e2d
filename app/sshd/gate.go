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
	alone   netip.Prefix // where the first lonely connections have come from, while there is no other
	lonely  int
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

// lonely is how many connections of one network and no other make it likely
// that it is the address of a proxy, and not of a reader.
const lonely = 100

// The limits a connection can be refused by.
const (
	overConnections     = "connections"
	overUnauthenticated = "unauthenticated"
	overAddress         = "address"
	overPenalty         = "penalty"
)

// enter lets a connection in, or gives the limit that refuses it; penalised
// says that its network has to stay away.
func (g *gate) enter(c *conn, penalised bool) (ok bool, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notice(c.from)
	most := g.limits.PerIPv6
	if c.from.Addr().Is4() {
		most = g.limits.PerIPv4
	}
	switch {
	case g.closed:
		return false, ""
	case penalised:
		why = overPenalty
	case len(g.conns) >= g.limits.Connections:
		why = overConnections
	case g.strange >= g.limits.Unauthenticated:
		why = overUnauthenticated
	case g.from[c.from] >= most:
		why = overAddress
	}
	if why != "" {
		g.refused++
		if now := time.Now(); now.Sub(g.told) > 10*time.Second {
			g.log.Warn("connections refused", "limit", why, "from", c.from.String(), "count", g.refused)
			g.told, g.refused = now, 0
		}
		return false, why
	}
	g.conns[c] = struct{}{}
	g.from[c.from]++
	g.strange++
	return true, ""
}

// notice warns once when everybody seems to come from one place: then limits
// and penalties meant for one reader meet them all.
func (g *gate) notice(from netip.Prefix) {
	switch {
	case g.lonely < 0 || from.Addr().IsLoopback(): // the machine's own health check is no reader
	case g.lonely > 0 && from != g.alone:
		g.lonely = -1
	default:
		g.alone = from
		if g.lonely++; g.lonely == lonely {
			g.lonely = -1
			g.log.Warn("every connection so far has come from one address; if it is a proxy's, its limits and penalties are all readers': name it with --proxy-protocol or --penalty-exempt, or publish the port without a proxy",
				"from", from.String(), "count", lonely)
		}
	}
}

// proven frees the place of a connection among the unauthenticated.
func (g *gate) proven() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.strange--
}

// leave gives back what enter took; a connection leaves once. It reports
// whether the gate is closed.
func (g *gate) leave(c *conn, strange bool) (closed bool) {
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
	return g.closed
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
