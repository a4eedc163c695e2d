package sshd

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate counts connections before they have said a word: all of them, those not
// yet authenticated, those of readers, and those of one network. It holds every
// open connection, and is safe for concurrent use.
//
// Whoever is waiting to be let in may be sent away for somebody else: first who
// has not exchanged keys yet, then whose network has the most waiting, then who
// has waited longest. So waiting takes no place from anybody, and the last
// places of all are the authors'.
type gate struct {
	limits Limits
	log    *slog.Logger

	mu          sync.Mutex
	closed      bool
	conns       map[*conn]standing
	count       map[standing]int
	from        map[netip.Prefix]int // by network, and by the larger ones it is in
	refused     map[string]int       // by limit, since the last line in the log about it
	lastLogged  map[string]time.Time
	soleNetwork netip.Prefix  // where all connections so far have come from
	soleCount   int           // how many; -1 when there was another, or it was told
	empty       chan struct{} // closed when the gate is closed and nobody is inside
}

// standing is what a connection is to the gate.
type standing int

// Those up to known have no place yet, and are sent away in this order.
const (
	surplus standing = iota // a reader for whom there is no place
	unknown                 // has not exchanged keys yet
	known                   // has, and may be asking somebody a question
	reader
	proven // an author
)

// authorPlaces is how many connections readers leave to proven authors; less
// where there are few in all.
const authorPlaces = 8

func newGate(l Limits, log *slog.Logger) *gate {
	return &gate{
		limits: l,
		log:    log,
		conns:  map[*conn]standing{},
		count:  map[standing]int{},
		from:   map[netip.Prefix]int{},
		empty:  make(chan struct{}),

		refused:    map[string]int{},
		lastLogged: map[string]time.Time{},
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

// bounds are the networks that a connection counts for, and how many there may
// be of each. Whoever has an IPv6 /64 often has a /56 or /48 as well.
func (g *gate) bounds(from netip.Prefix) map[netip.Prefix]int {
	if !from.Addr().Is6() {
		return map[netip.Prefix]int{from: g.limits.PerIPv4}
	}
	per := g.limits.PerIPv6
	return map[netip.Prefix]int{
		from: per,
		netip.PrefixFrom(from.Addr(), 56).Masked(): 2 * per,
		netip.PrefixFrom(from.Addr(), 48).Masked(): 4 * per,
	}
}

// enter lets a connection in, or returns the limit that refuses it ("" when the
// gate is closed); penalised says that its network has to stay away for now.
// The connection that is sent away for it, if any, is for the caller to close.
func (g *gate) enter(c *conn, penalised bool) (ok bool, limit string, away *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noticeSoleNetwork(c.from)
	bounds := g.bounds(c.from)
	switch {
	case g.closed:
		return false, "", nil
	case penalised:
		limit = limitPenalty
	}
	for network, most := range bounds {
		if limit == "" && g.from[network] >= most {
			limit = limitAddress
		}
	}
	full := len(g.conns) >= g.limits.Connections
	if limit == "" && (full || g.unauthenticated() >= g.limits.Unauthenticated) {
		if away = g.longestWaiting(); away != nil {
			g.remove(away)
			g.logRefusal(limitUnauthenticated, away.from)
		} else if full {
			limit = limitConnections
		}
	}
	if limit != "" {
		g.logRefusal(limit, c.from)
		return false, limit, nil
	}
	g.conns[c] = unknown
	g.count[unknown]++
	for network := range bounds {
		g.from[network]++
	}
	return true, "", away
}

// logRefusal logs a refusal by a limit, and of a flood of them one line in a
// while. The lock is held.
func (g *gate) logRefusal(limit string, from netip.Prefix) {
	g.refused[limit]++
	if now := time.Now(); now.Sub(g.lastLogged[limit]) > 10*time.Second {
		g.log.Warn("connections refused", "limit", limit, "from", from.String(), "count", g.refused[limit])
		g.lastLogged[limit], g.refused[limit] = now, 0
	}
}

// unauthenticated counts those that are still shaking hands. The lock is held.
func (g *gate) unauthenticated() int { return g.count[unknown] + g.count[known] }

// longestWaiting is the connection that is sent away next; nil when all have a
// place. The lock is held.
func (g *gate) longestWaiting() (next *conn) {
	waiting := map[netip.Prefix]int{}
	for c, s := range g.conns {
		if s <= known {
			waiting[c.from]++
		}
	}
	for c, s := range g.conns {
		if s <= known && (next == nil || cmp.Or(
			cmp.Compare(s, g.conns[next]),
			-cmp.Compare(waiting[c.from], waiting[next.from]),
			c.since.Compare(next.since)) < 0) {
			next = c
		}
	}
	return next
}

// remove forgets a connection. It reports false when that was done before. The
// lock is held.
func (g *gate) remove(c *conn) bool {
	s, inside := g.conns[c]
	if !inside {
		return false
	}
	delete(g.conns, c)
	g.count[s]--
	for network := range g.bounds(c.from) {
		if g.from[network]--; g.from[network] <= 0 {
			delete(g.from, network)
		}
	}
	g.signalEmpty()
	return true
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

// exchanged says that a connection has exchanged keys.
func (g *gate) exchanged(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, inside := g.conns[c]; inside && s == unknown {
		g.set(c, known)
	}
}

// set changes what a connection is. The lock is held.
func (g *gate) set(c *conn, to standing) {
	g.count[g.conns[c]]--
	g.conns[c] = to
	g.count[to]++
}

// authenticated says that a connection has been let in, as an author's or as a
// reader's. It reports false when there is no place for one more reader: then
// the connection stays until somebody else needs its place.
func (g *gate) authenticated(c *conn, author bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, inside := g.conns[c]; !inside {
		return true // on its way out
	}
	places := g.limits.Connections - min(authorPlaces, g.limits.Connections/4)
	switch {
	case author:
		g.set(c, proven)
	case g.count[reader] < places:
		g.set(c, reader)
	default:
		g.set(c, surplus)
		return false
	}
	return true
}

// leave gives back what enter took; a second time it changes nothing. It
// reports whether the connection was sent away or the gate is closed: then its
// end is no fault of its client.
func (g *gate) leave(c *conn) (excused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.remove(c) || g.closed
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
