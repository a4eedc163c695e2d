package sshd

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// What a network is charged for a connection that comes to nothing. Keys that
// are refused cost nothing, and neither does a visit that ends by itself.
const (
	costStrange = time.Second      // it left before it was let in
	costLate    = 10 * time.Second // it used up the time of the handshake
	costAbuse   = 90 * time.Second // it was dropped
)

const (
	penaltyLeast = 15 * time.Second // less than this is kept in mind, and refuses nobody
	penaltyMost  = 10 * time.Minute
	maxPenalties = 1 << 14 // networks that are kept in mind
)

// penalties keeps the connections of networks away that have failed or abused
// again and again. What is charged adds up, passes with time, and refuses new
// connections once it has come to penaltyLeast, until all of it has passed.
// It is safe for concurrent use.
type penalties struct {
	exempt []netip.Prefix
	now    func() time.Time

	mu   sync.Mutex
	owed map[netip.Prefix]debt
}

type debt struct {
	until   time.Time
	refused bool // it has come to penaltyLeast
}

func newPenalties(exempt []netip.Prefix, now func() time.Time) *penalties {
	return &penalties{exempt: exempt, now: now, owed: map[netip.Prefix]debt{}}
}

// charge adds to what a network owes, and reports whether it is refused from
// now on and was not before.
func (p *penalties) charge(from netip.Prefix, cost time.Duration) bool {
	if !from.IsValid() || slices.ContainsFunc(p.exempt, func(e netip.Prefix) bool { return e.Contains(from.Addr()) }) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	d, known := p.owed[from]
	if !d.until.After(now) {
		d = debt{until: now}
	}
	if !known && len(p.owed) >= maxPenalties {
		p.forget(now)
	}
	was := d.refused
	d.until = d.until.Add(cost)
	if most := now.Add(penaltyMost); d.until.After(most) {
		d.until = most
	}
	d.refused = was || d.until.Sub(now) >= penaltyLeast
	p.owed[from] = d
	return d.refused && !was
}

// forget makes room: of some that a look falls on, those who owe nothing any
// more go, or else the one who owes the least. It takes the same short time
// however many there are.
func (p *penalties) forget(now time.Time) {
	const some = 64
	var least netip.Prefix
	looked, gone := 0, false
	for n, d := range p.owed {
		switch {
		case !d.until.After(now):
			delete(p.owed, n)
			gone = true
		case !least.IsValid() || d.until.Before(p.owed[least].until):
			least = n
		}
		if looked++; looked == some {
			break
		}
	}
	if !gone {
		delete(p.owed, least)
	}
}

// refuses tells whether a network has to stay away.
func (p *penalties) refuses(from netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, known := p.owed[from]
	if known && !d.until.After(p.now()) {
		delete(p.owed, from)
		return false
	}
	return d.refused
}

// refused counts the networks that have to stay away.
func (p *penalties) refused() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.owed {
		if d.refused && d.until.After(p.now()) {
			n++
		}
	}
	return n
}
