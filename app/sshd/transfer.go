package sshd

import (
	"context"
	"errors"
	"time"

	"sheaf/app/blog"
	"sheaf/app/transfer"
)

// transfers counts the programs that copy files. Readers cannot take the places
// of authors.
type transfers struct {
	all, readers chan struct{}
	queue        time.Duration // how long one more waits for a place
}

func newTransfers(l Limits) *transfers {
	return &transfers{
		all:     make(chan struct{}, l.Transfers),
		readers: make(chan struct{}, l.TransfersReader),
		queue:   l.Queue,
	}
}

var errBusy = errors.New("too many transfers at the moment; try again a little later")

// enter waits for a place, which leave gives back. The error is errBusy when
// the queue does not move in time, or the cause of the end of ctx.
func (t *transfers) enter(ctx context.Context, reader bool) (leave func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.queue, errBusy)
	defer cancel()
	places := []chan struct{}{t.all}
	if reader {
		places = []chan struct{}{t.readers, t.all}
	}
	taken := 0
	leave = func() {
		for _, p := range places[:taken] {
			<-p
		}
	}
	for _, p := range places {
		select {
		case p <- struct{}{}:
			taken++
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
	return leave, nil
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
	leave, err := r.transfers.enter(s.ctx, s.author == nil)
	if err != nil {
		return s.fail(oneLine(err.Error()), 1)
	}
	defer leave()
	s.channel.copying.Store(true)
	files := transfer.Session{
		Visitor: visitor,
		Host:    r.host(visitor),
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
