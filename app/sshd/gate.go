package sshd

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate counts connections before they have said a word: all of them, those not
// yet authenticated, and those of one network. It holds every open connection,
// and is safe for concurrent use.
type gate struct {
	limits Limits
	log    *slog.Logger

	mu              sync.Mutex
	closed          bool
	conns           map[*conn]struct{}
	unauthenticated int                  // of these, still shaking hands
	from            map[netip.Prefix]int // by network
	refused         int                  // since the last line in the log
	lastLogged      time.Time
	soleNetwork     netip.Prefix  // where all connections so far have come from
	soleCount       int           // how many; -1 when there was another, or it was told
	empty           chan struct{} // closed when the gate is closed and nobody is inside
}

func newGate(l Limits, log *slog.Logger) *gate {
	return &gate{
		limits: l,
		log:    log,
		conns:  map[*conn]struct{}{},
		from:   map[netip.Prefix]int{},
		empty:  make(chan struct{}),
	}
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

// soleNetworkCount is how many connections of one network, and of no other,
// make it likely that it is a proxy and not a reader.
const soleNetworkCount = 100

// The limits that refuse a connection, as Stats names them.
const (
	limitConnections     = "connections"
	limitUnauthenticated = "unauthenticated"
	limitAddress         = "address"
	limitPenalty         = "penalty"
)

// enter lets a connection in, or returns the limit that refuses it ("" when the
// gate is closed); penalised says that its network has to stay away for now.
func (g *gate) enter(c *conn, penalised bool) (ok bool, limit string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noticeSoleNetwork(c.from)
	perNetwork := g.limits.PerIPv6
	if c.from.Addr().Is4() {
		perNetwork = g.limits.PerIPv4
	}
	switch {
	case g.closed:
		return false, ""
	case penalised:
		limit = limitPenalty
	case len(g.conns) >= g.limits.Connections:
		limit = limitConnections
	case g.unauthenticated >= g.limits.Unauthenticated:
		limit = limitUnauthenticated
	case g.from[c.from] >= perNetwork:
		limit = limitAddress
	}
	if limit != "" {
		g.refused++
		if now := time.Now(); now.Sub(g.lastLogged) > 10*time.Second {
			g.log.Warn("connections refused", "limit", limit, "from", c.from.String(), "count", g.refused)
			g.lastLogged, g.refused = now, 0
		}
		return false, limit
	}
	g.conns[c] = struct{}{}
	g.from[c.from]++
	g.unauthenticated++
	return true, ""
}

// noticeSoleNetwork warns once when everybody seems to come from one place: the
// limits and penalties meant for one reader then meet them all. The machine's
// own health check is no reader.
func (g *gate) noticeSoleNetwork(from netip.Prefix) {
	switch {
	case g.soleCount < 0 || from.Addr().IsLoopback():
		return
	case g.soleCount > 0 && from != g.soleNetwork:
		g.soleCount = -1
		return
	}
	g.soleNetwork = from
	if g.soleCount++; g.soleCount == soleNetworkCount {
		g.soleCount = -1
		g.log.Warn("every connection so far has come from one address; if it is a proxy's, its limits and penalties "+
			"are all readers': name it with --proxy-protocol or --penalty-exempt, or publish the port without a proxy",
			"from", from.String(), "count", soleNetworkCount)
	}
}

// authenticated frees the place of a connection among the unauthenticated.
func (g *gate) authenticated() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unauthenticated--
}

// leave gives back what enter took; a connection leaves once. It reports
// whether the gate is closed.
func (g *gate) leave(c *conn, authenticated bool) (closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	if g.from[c.from]--; g.from[c.from] <= 0 {
		delete(g.from, c.from)
	}
	if !authenticated {
		g.unauthenticated--
	}
	g.signalEmpty()
	return g.closed
}

// signalEmpty closes empty when that is due. The lock is held.
func (g *gate) signalEmpty() {
	if !g.closed || len(g.conns) > 0 {
		return
	}
	select {
	case <-g.empty:
	default:
		close(g.empty)
	}
}

// close lets nobody in any more, and returns the connections that are inside.
func (g *gate) close() []*conn {
	g.mu.Lock()
	g.closed = true
	g.signalEmpty()
	g.mu.Unlock()
	return g.all()
}

// all returns the connections that are inside. The slice is the caller's.
func (g *gate) all() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		all = append(all, c)
	}
	return all
}
