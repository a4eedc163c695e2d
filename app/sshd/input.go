package sshd

import (
	"context"
	"io"
	"time"

	"sheaf/app/terminal"
)

// leastRead is how many bytes are read at once, unless less is asked for: it
// keeps a throttled flood from waking a browser for each byte.
const leastRead = 64

// input reads what a visitor types: not faster than a person or a paste does,
// and nothing that a browser would have to keep without end. A file that comes
// in comes as it is, an author's as fast as it can: who reads it bounds it.
// Each read notes that the visitor is there.
type input struct {
	r  io.Reader
	ch *channel

	filter  terminal.InputFilter
	buf     [4 << 10]byte
	pending []byte
}

func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(in.pending) == 0 {
		if in.bucket() == nil {
			n, err := in.r.Read(p)
			if n > 0 {
				in.ch.conn.touch()
			}
			return n, err
		}
		n, err := in.allowance(len(in.buf))
		if err != nil {
			return 0, err
		}
		n, err = in.r.Read(in.buf[:n])
		if n > 0 {
			in.ch.conn.touch()
			if b := in.bucket(); b != nil {
				b.spend(n)
			}
			in.pending = in.buf[:n]
			if in.ch.requests.terminal {
				in.pending = in.filter.Filter(nil, in.pending)
			}
		}
		if err != nil && len(in.pending) == 0 {
			return 0, err
		}
	}
	n := copy(p, in.pending)
	in.pending = in.pending[n:]
	return n, nil
}

// bucket is the allowance that reads are taken from, nil when there is none.
func (in *input) bucket() *bucket {
	c := in.ch.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.ch.requests.typed:
		return c.typing
	case c.author != nil:
		return nil
	case in.ch.copies.Load():
		return c.copying
	}
	return c.typing
}

// allowance waits until something may be read, and says how much.
func (in *input) allowance(n int) (int, error) {
	if in.filter.MaxPaste == 0 {
		in.filter.MaxPaste = in.ch.conn.pasteLimit()
	}
	for {
		b := in.bucket()
		if b == nil {
			return n, nil
		}
		k, wait := b.some(n, leastRead)
		if k > 0 {
			return k, nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-in.ch.own.Done():
			t.Stop()
			return 0, context.Cause(in.ch.own)
		}
	}
}
