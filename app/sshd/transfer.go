package sshd

import (
	"context"
	"errors"
	"time"

	"sheaf/app/blog"
	"sheaf/app/transfer"
)

// transfers counts the programs that copy files. Readers cannot take the
// places of authors.
type transfers struct {
	all, readers chan struct{}
	queue        time.Duration
}

func newTransfers(l Limits) *transfers {
	return &transfers{make(chan struct{}, l.Transfers), make(chan struct{}, l.TransfersReader), l.Queue}
}

var errBusy = errors.New("too many transfers at the moment; try again a little later")

// enter waits for a place, not for ever. The place is given back with leave.
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

// transfer answers a program that copies files, and gives the exit status.
func (r *rooms) transfer(v *visit, visitor blog.Visitor, args []string) int {
	v.verb = subsystem
	if !v.copies {
		v.verb = clean(args[0])
	}
	if _, guest := visitor.Preview(); guest {
		return v.fail(v.verb+": a preview has no files", 1)
	}
	if v.terminal {
		return v.fail(v.verb+": copies files, which a terminal would change", 2)
	}
	leave, err := r.transfers.enter(v.ctx, v.author == nil)
	if err != nil {
		return v.fail(clean(err.Error()), 1)
	}
	defer leave()
	v.channel.copies.Store(true)
	s := transfer.Session{
		Visitor: visitor,
		Host:    r.host(visitor),
		Denied:  v.denied(),
		Env:     v.env,
		In:      v.session,
		Out:     v.session,
		Err:     v.session.Stderr(),
		Alive:   v.alive,
	}
	var status int
	if v.copies {
		status, err = r.Transfer.SFTP(v.ctx, s)
	} else {
		status, err = r.Transfer.Exec(v.ctx, s, args)
	}
	switch f := v.farewell(); {
	case f != "":
		return v.fail(f, 1)
	case v.ctx.Err() != nil:
		return 1
	case err != nil:
		return v.fail("internal error ("+r.failed(err)+")", 1)
	}
	return status
}
