package sshd

import (
	"context"
	"errors"
	"io"

	"golang.org/x/time/rate"

	"sheaf/app/terminal"
)

// leastRead is how many bytes are read at once though fewer are allowed at the
// moment: it keeps a throttled flood from waking a browser for each byte.
const leastRead = 64

// input reads what a client sends, no faster than a person types or pastes, and
// takes out what a browser would have to keep without end. Files that are
// uploaded pass unchanged; an author's pass as fast as they come, because the
// program that reads them bounds them. Each read notes that somebody is there.
type input struct {
	r     io.Reader
	inbox *inbox // r, of a reader
	ch    *channel

	filter  terminal.InputFilter
	buf     [4 << 10]byte
	pending []byte
}

// Read reads what the client sends. Its error is the cause of the end of the
// channel when that comes while it waits for its allowance.
func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(in.pending) == 0 {
		limiter := in.limiter()
		if limiter == nil {
			n, err := in.r.Read(p)
			if n > 0 {
				in.ch.touch()
			}
			return n, err
		}
		if in.filter.MaxPaste == 0 {
			in.filter.MaxPaste = in.ch.conn.pasteLimit()
		}
		// Whatever is read is paid for before it is handed on.
		allowed := min(max(int(limiter.Tokens()), leastRead), limiter.Burst(), len(in.buf))
		n, err := in.r.Read(in.buf[:allowed])
		if n > 0 {
			in.ch.touch()
			if limiter.WaitN(in.ch.ctx, n) != nil { // not more than a burst: the channel has ended
				return 0, context.Cause(in.ch.ctx)
			}
			in.pending = in.buf[:n]
			if in.ch.requests.terminal {
				in.pending = in.filter.Filter(nil, in.pending)
			}
		}
		if errors.Is(err, errLost) && in.ch.requests.terminal {
			in.pending, err = in.filter.Lost(nil), nil
		}
		if err != nil && len(in.pending) == 0 {
			return 0, err
		}
	}
	n := copy(p, in.pending)
	in.pending = in.pending[n:]
	return n, nil
}

// limiter is what bounds the rate of input at the moment, nil when nothing
// does.
func (in *input) limiter() *rate.Limiter {
	c := in.ch.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.ch.requests.typed:
		return c.typed
	case c.author != nil, in.ch.copying.Load(): // what a reader's connection sends is paced as a whole
		return nil
	}
	return c.typed
}
