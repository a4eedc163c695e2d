package sshd

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sheaf/app/blog"
	"sheaf/app/transfer"
)

// places is how many sessions of one kind may copy files at a time. Readers
// cannot take the places of authors, and those of one network cannot take all
// of the readers'.
type places struct {
	all, readers chan struct{}
	networks     *turns
	queue        time.Duration // how long one more waits for a place
}

func newPlaces(all, readers int, l Limits) *places {
	return &places{
		all:      make(chan struct{}, all),
		readers:  make(chan struct{}, readers),
		networks: newTurns(l.CopiesNetwork),
		queue:    l.Queue,
	}
}

var errBusy = errors.New("too many transfers at the moment; try again a little later")

// enter waits for a place, which leave gives back; network is a reader's, and
// nil for an author. The error is errBusy when the queue does not move in time,
// or the cause of the end of ctx.
func (p *places) enter(ctx context.Context, network *netip.Prefix) (leave func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.queue, errBusy)
	defer cancel()
	var taken []func()
	leave = func() {
		for _, back := range slices.Backward(taken) {
			back()
		}
	}
	pools := []chan struct{}{p.all}
	if network != nil {
		turn, err := p.networks.take(ctx, *network)
		if err != nil {
			return nil, err
		}
		taken = append(taken, turn.done)
		pools = []chan struct{}{p.readers, p.all}
	}
	for _, pool := range pools {
		select {
		case pool <- struct{}{}:
			taken = append(taken, func() { <-pool })
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
	return leave, nil
}

// reasonSilent ends a reader's session that copies nothing.
const reasonSilent closeReason = "Nothing has been copied for a while; the session is closed."

// watchSilence ends a session on which nothing has gone either way for a while,
// until it is stopped. A program may take its time to begin, but not the client
// of one that has nothing to prepare (begun).
func (ch *channel) watchSilence(limit time.Duration, begun bool) (stop func()) {
	if begun {
		ch.moved.CompareAndSwap(0, int64(time.Since(ch.conn.since)))
	}
	var check func()
	var mu sync.Mutex
	stopped := false
	check = func() {
		quiet := time.Since(ch.conn.since) - time.Duration(ch.moved.Load())
		if ch.moved.Load() == 0 {
			quiet = 0
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case stopped:
		case quiet >= limit:
			ch.cancel(reasonSilent)
		default:
			ch.conn.srv.after(limit-quiet, check)
		}
	}
	check()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}
}

// transfer runs the far end of a program that copies files, and returns its
// exit status: SFTP for the subsystem, else what args name. Previews have no
// files, and a terminal would change the bytes, so both are refused.
func (r *router) transfer(s *session, visitor blog.Visitor, args []string) int {
	s.verb = subsystem
	if !s.sftp {
		s.verb = oneLine(args[0])
	}
	if _, guest := visitor.Preview(); guest {
		return s.fail(s.verb+": a preview has no files", 1)
	}
	if s.terminal {
		return s.fail(s.verb+": copies files, which a terminal would change", 2)
	}
	places, inProcess := r.copies, s.sftp || args[0] == "scp"
	if !inProcess {
		places = r.programs
	}
	var network *netip.Prefix
	if s.author == nil {
		network = &s.channel.conn.from
	}
	leave, err := places.enter(s.ctx, network)
	if err != nil {
		return s.fail(oneLine(err.Error()), 1)
	}
	defer leave()
	s.channel.copying.Store(true)
	if s.author == nil {
		defer s.channel.watchSilence(s.channel.conn.srv.limits.Silence, inProcess)()
	}
	files := transfer.Session{
		Visitor: visitor,
		Host:    r.host(s, visitor),
		Denied:  s.denied(),
		Env:     s.env,
		In:      s.stream,
		Out:     s.stream,
		Err:     s.stream.Stderr(),
		Alive:   s.alive,
	}
	var status int
	if s.sftp {
		status, err = r.Transfer.SFTP(s.ctx, files)
	} else {
		status, err = r.Transfer.Exec(s.ctx, files, args)
	}
	switch reason := s.closeReason(); {
	case reason != "":
		return s.fail(reason, 1)
	case s.ctx.Err() != nil:
		return 1
	case err != nil:
		return r.internalError(s, err)
	}
	return status
}
