package sshd

import (
	"bytes"
	"context"
	"io"
	"time"
	"unicode/utf8"
)

const (
	maxString   = 4 << 10 // an OSC, DCS, APC, PM or SOS string
	maxSequence = 64      // a CSI sequence
	leastRead   = 64      // bytes, unless less is asked for: keeps a throttled flood from waking a browser for each byte
)

// input reads what a visitor types: not faster than a person or a paste does,
// and nothing that a browser would have to keep without end. A file that comes
// in comes as it is, an author's as fast as it can: who reads it bounds it.
// Each read notes that the visitor is there.
type input struct {
	r  io.Reader
	ch *channel

	keys    keys
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
				in.pending = in.keys.filter(nil, in.pending)
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
	if in.keys.paste == 0 {
		in.keys.paste = in.ch.conn.pasteLimit()
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

// keys follows what a terminal sends and bounds what has no end of its own: a
// paste is cut at a length and closed, a control string is closed and the rest
// of it dropped. Everything else passes unchanged, but for stray C1 bytes,
// which no terminal sends and which begin strings.
type keys struct {
	paste int // bytes of a paste that pass

	state keyState
	n     int // bytes in the present state
	seq   [maxSequence]byte
	rune  int // continuation bytes still due
	match int // bytes of pasteEnd seen
	esc   bool
}

type keyState int

const (
	ground   keyState = iota
	escape            // after ESC
	sequence          // after ESC [
	text              // in a control string
	textCut           // the same, dropped
	pasting           // in a paste
	pasteCut          // the same, dropped
)

var (
	pasteBegin = []byte("200~")
	pasteEnd   = []byte("\x1b[201~")
)

// filter appends to dst what of src passes.
func (k *keys) filter(dst, src []byte) []byte {
	for _, b := range src {
		dst = k.next(dst, b)
	}
	return dst
}

func (k *keys) enter(s keyState) { k.state, k.n, k.match, k.esc, k.rune = s, 0, 0, false, 0 }

func (k *keys) next(dst []byte, b byte) []byte {
	switch k.state {
	case ground:
		return k.plain(dst, b)
	case escape:
		switch b {
		case '[':
			k.enter(sequence)
		case ']', 'P', 'X', '^', '_':
			k.enter(text)
		case 0x1b:
		default:
			k.enter(ground)
			return k.plain(dst, b)
		}
		return append(dst, b)
	case sequence:
		if b == 0x1b {
			k.enter(escape)
			return append(dst, b)
		}
		if b < 0x20 || b > 0x7e || k.n == maxSequence {
			k.enter(ground)
			return k.plain(dst, b)
		}
		k.seq[k.n] = b
		k.n++
		if b >= 0x40 && b != '[' {
			begin := bytes.Equal(k.seq[:k.n], pasteBegin)
			k.enter(ground)
			if begin {
				k.enter(pasting)
			}
		}
		return append(dst, b)
	case text, textCut:
		cut := k.state == textCut
		if k.esc && b != '\\' { // ESC ends a string, whatever follows
			k.enter(escape)
			if cut {
				dst = append(dst, 0x1b)
			}
			return k.next(dst, b)
		}
		switch {
		case b == 0x1b:
			k.esc = true
		case b == 0x07, b == 0x18, b == 0x1a, k.esc:
			k.enter(ground)
		default:
			k.n++
		}
		if cut {
			return dst
		}
		if k.n > maxString {
			k.enter(textCut)
			return append(dst, 0x1b, '\\')
		}
		return append(dst, b)
	default: // pasting, pasteCut
		cut := k.state == pasteCut
		switch {
		case b == pasteEnd[k.match]:
			k.match++
		case b == pasteEnd[0]:
			k.match = 1
		default:
			k.match = 0
		}
		if k.match == len(pasteEnd) {
			k.enter(ground)
			if cut {
				return dst
			}
			return append(dst, b)
		}
		if cut {
			return dst
		}
		if k.n++; k.n > k.paste {
			matched := k.match
			k.enter(pasteCut)
			k.match = matched
			return append(append(dst, b), pasteEnd...)
		}
		return append(dst, b)
	}
}

// plain passes one byte outside of sequences.
func (k *keys) plain(dst []byte, b byte) []byte {
	switch {
	case b == 0x1b:
		k.enter(escape)
	case b < utf8.RuneSelf:
		k.rune = 0
	case b >= 0xc2 && b <= 0xdf:
		k.rune = 1
	case b >= 0xe0 && b <= 0xef:
		k.rune = 2
	case b >= 0xf0 && b <= 0xf4:
		k.rune = 3
	case k.rune > 0:
		k.rune--
	default:
		return dst
	}
	return append(dst, b)
}
