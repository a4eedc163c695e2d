package sshd

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"
)

// yieldAfter is how long a write may take before somebody else's command has
// the turn: waiting for a client takes no time of the processor.
const yieldAfter = 50 * time.Millisecond

var errManyCommands = errors.New("too many commands of your network at the moment; try again a little later")

// turns lets the commands of each network run a few at a time, so that one
// reader does not have the processors to himself. It is safe for concurrent use.
type turns struct {
	most int // of one network at a time

	mu   sync.Mutex
	runs map[netip.Prefix]*run
}

// run is the commands of one network.
type run struct {
	turn chan struct{} // one for each that has a turn
	in   int           // how many have one or wait for one
}

func newTurns(most int) *turns { return &turns{most: most, runs: map[netip.Prefix]*run{}} }

// turn is what one command has. Not safe for concurrent use.
type turn struct {
	all  *turns
	of   netip.Prefix
	run  *run
	mu   sync.Mutex
	held bool
}

// take waits for a turn, for as long as ctx has it. The error is the cause of
// its end. What is taken is given back with done.
func (t *turns) take(ctx context.Context, network netip.Prefix) (*turn, error) {
	if network.Addr().Is6() {
		network = netip.PrefixFrom(network.Addr(), 56).Masked()
	}
	t.mu.Lock()
	r := t.runs[network]
	if r == nil {
		r = &run{turn: make(chan struct{}, t.most)}
		t.runs[network] = r
	}
	r.in++
	t.mu.Unlock()
	one := &turn{all: t, of: network, run: r}
	if err := one.regain(ctx); err != nil {
		one.done()
		return nil, err
	}
	return one, nil
}

// done ends the command's part in the turns of its network.
func (t *turn) done() {
	t.yield()
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if t.run.in--; t.run.in == 0 {
		delete(t.all.runs, t.of)
	}
}

// yield gives the turn to somebody else, if it is held.
func (t *turn) yield() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		t.held = false
		<-t.run.turn
	}
}

// regain waits for a turn, unless one is held.
func (t *turn) regain(ctx context.Context) error {
	t.mu.Lock()
	held := t.held
	t.mu.Unlock()
	if held {
		return nil
	}
	select {
	case t.run.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = true
	return nil
}

// turnWriter writes for a command, which yields its turn while its client does
// not read.
type turnWriter struct {
	w    io.Writer
	ctx  context.Context
	srv  *Server
	turn *turn
}

func (w turnWriter) Write(p []byte) (int, error) {
	slow := w.srv.after(yieldAfter, w.turn.yield)
	n, err := w.w.Write(p)
	slow.Stop()
	if err == nil {
		err = w.turn.regain(w.ctx)
	}
	return n, err
}
