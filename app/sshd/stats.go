package sshd

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are the figures of a server since it was made. They say nothing about a
// person.
type Stats struct {
	Connections     int // open at the moment
	Unauthenticated int // of these, still shaking hands
	Sessions        int // answered at the moment
	Browsers        int // of these, terminal browsers
	Penalised       int // networks refused at the moment for their failures

	Handshakes uint64            // that were finished
	Failed     uint64            // connections that left before they were let in
	Dropped    uint64            // connections ended for what they sent or did not read
	Refused    map[string]uint64 // connections, by limit: connections, unauthenticated, address, penalty
	Answered   map[string]uint64 // sessions that are over, by kind: browser, command, copy
	Panics     uint64            // contained
	Errors     uint64            // of the machine, told to visitors as internal errors
}

// counts is what Stats are made of. It is safe for concurrent use.
type counts struct {
	handshakes, failed, dropped, panics, errors atomic.Uint64
	open                                        atomic.Int64

	mu       sync.Mutex
	refused  map[string]uint64
	answered map[string]uint64
}

// refuse counts a connection that was refused by a limit; "" is a server that
// stops, and not counted.
func (c *counts) refuse(why string) {
	if why == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[string]uint64{}
	}
	c.refused[why]++
}

// session counts a session that is over, by its kind.
func (c *counts) session(s *session) {
	kind := "command"
	switch {
	case s.channel.copying.Load():
		kind = "copy"
	case s.verb == browserVerb:
		kind = "browser"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered == nil {
		c.answered = map[string]uint64{}
	}
	c.answered[kind]++
}

// Authors is how many authors there are at the moment.
func (s *Server) Authors() int { return s.authors.count() }

// Stats returns the figures of this moment. The maps are the caller's.
func (s *Server) Stats() Stats {
	st := Stats{
		Sessions:   int(s.counts.open.Load()),
		Penalised:  s.penalties.refused(),
		Handshakes: s.counts.handshakes.Load(),
		Failed:     s.counts.failed.Load(),
		Dropped:    s.counts.dropped.Load(),
		Panics:     s.counts.panics.Load(),
		Errors:     s.counts.errors.Load(),
		Refused: map[string]uint64{
			limitConnections: 0, limitUnauthenticated: 0, limitAddress: 0, limitPenalty: 0,
		},
		Answered: map[string]uint64{"browser": 0, "command": 0, "copy": 0},
	}
	if s.browsers != nil {
		st.Browsers = s.browsers()
	}
	s.gate.mu.Lock()
	st.Connections, st.Unauthenticated = len(s.gate.conns), s.gate.unauthenticated()
	s.gate.mu.Unlock()
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	maps.Copy(st.Refused, s.counts.refused)
	maps.Copy(st.Answered, s.counts.answered)
	return st
}
