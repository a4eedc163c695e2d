package sshd

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// What a network is charged for a connection that comes to nothing, and how
// much of it refuses the next one. It is OpenSSH's PerSourcePenalties
// (sshd_config(5)) with its figures, there called noauth, grace-exceeded,
// crash, min and max. Unlike there, keys that are refused cost nothing, because
// every reader with an agent has some; nor does a visit that ends by itself, or
// a login that a person gave up.
const (
	penaltyNoAuth  = time.Second      // it left before it had exchanged keys
	penaltyTimeout = 10 * time.Second // it used up the time of the handshake
	penaltyAbuse   = 90 * time.Second // it was dropped

	penaltyMin = 15 * time.Second // less than this is remembered, and refuses nobody
	penaltyMax = 10 * time.Minute
)

// maxPenalised is how many networks are remembered.
const maxPenalised = 1 << 14

// penalties keeps networks away whose connections have failed or abused the
// server again and again. What is charged adds up and passes with time; once it
// has come to penaltyMin, new connections are refused until all of it has
// passed. It is safe for concurrent use.
type penalties struct {
	exempt []netip.Prefix
	now    func() time.Time

	mu        sync.Mutex
	byNetwork map[netip.Prefix]penalty
}

type penalty struct {
	until   time.Time
	refused bool // it has come to penaltyMin
}

func newPenalties(exempt []netip.Prefix, now func() time.Time) *penalties {
	return &penalties{exempt: exempt, now: now, byNetwork: map[netip.Prefix]penalty{}}
}

// charge adds to the penalty of a network, and reports whether it is refused
// from now on and was not before.
func (p *penalties) charge(from netip.Prefix, cost time.Duration) bool {
	if !from.IsValid() || slices.ContainsFunc(p.exempt, func(e netip.Prefix) bool { return e.Contains(from.Addr()) }) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	d, known := p.byNetwork[from]
	if !d.until.After(now) {
		d = penalty{until: now}
	}
	if !known && len(p.byNetwork) >= maxPenalised {
		p.evict(now)
	}
	before := d.refused
	d.until = d.until.Add(cost)
	if latest := now.Add(penaltyMax); d.until.After(latest) {
		d.until = latest
	}
	d.refused = before || d.until.Sub(now) >= penaltyMin
	p.byNetwork[from] = d
	return d.refused && !before
}

// evict makes room. It looks at a few entries, as a map gives them, and deletes
// those whose penalty has passed, or else the one that passes first; so it
// takes the same short time however many there are.
func (p *penalties) evict(now time.Time) {
	const sample = 64
	var first netip.Prefix
	looked, evicted := 0, false
	for network, d := range p.byNetwork {
		switch {
		case !d.until.After(now):
			delete(p.byNetwork, network)
			evicted = true
		case !first.IsValid() || d.until.Before(p.byNetwork[first].until):
			first = network
		}
		if looked++; looked == sample {
			break
		}
	}
	if !evicted {
		delete(p.byNetwork, first)
	}
}

// refuses reports whether a network has to stay away.
func (p *penalties) refuses(from netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, known := p.byNetwork[from]
	if known && !d.until.After(p.now()) {
		delete(p.byNetwork, from)
		return false
	}
	return d.refused
}

// refused counts the networks that have to stay away.
func (p *penalties) refused() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.byNetwork {
		if d.refused && d.until.After(p.now()) {
			n++
		}
	}
	return n
}
