package transfer

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// packets passes on what a client of sftp sends. The library cleans every path
// before anybody sees it: "nosuch/" becomes a file nosuch, and "../x" a file x.
// Who writes these means something else. So such paths are marked in packets
// that change something, with NULs, which no name can have.
//
// It also holds back what follows an opening until that has been begun. The
// library works on several packets at one time, and one that guesses the
// number of a file that is being opened meets a half-written string there
// (Request.Method), which may end the process.
type packets struct {
	r       io.Reader
	begun   <-chan struct{} // an opening has reached us
	opening bool            // one was passed on
	pending []byte          // read, and not passed on yet
	rest    int64           // of a packet that is passed on as it is
	err     error           // after what is pending
}

const (
	endOfFolder = "\x00"     // for a slash at the end of a file's path
	outOfTop    = "\x00\x00" // for .. above the top
)

// Types of packets, of version 3 of the protocol.
const (
	fxpOpen     = 3
	fxpOpendir  = 11
	fxpRemove   = 13
	fxpMkdir    = 14
	fxpRmdir    = 15
	fxpRename   = 18
	fxpExtended = 200
)

func (p *packets) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.pending) == 0 && p.rest == 0 && p.err == nil {
		p.next()
	}
	if len(p.pending) > 0 {
		n := copy(b, p.pending)
		p.pending = p.pending[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.r.Read(b[:min(int64(len(b)), p.rest)])
	p.rest -= int64(n)
	return n, err
}

// next begins a packet: its length, its type, and the rest if it holds a path.
func (p *packets) next() {
	const head, most = 5, 256 << 10 // the library takes no larger ones
	if p.opening {
		<-p.begun
		p.opening = false
	}
	p.pending = p.read(make([]byte, head))
	if p.err != nil {
		return
	}
	p.rest = max(int64(binary.BigEndian.Uint32(p.pending))-1, 0)
	switch kind := p.pending[4]; kind {
	case fxpOpendir:
		p.opening = p.rest <= most
	case fxpOpen, fxpRemove, fxpMkdir, fxpRmdir, fxpRename, fxpExtended:
		if p.rest > most {
			return
		}
		body := p.read(make([]byte, p.rest))
		p.rest = 0
		if p.err == nil {
			p.opening = mark(kind, body)
		}
		p.pending = append(p.pending, body...)
	}
}

// read fills b or gives what there was before the end.
func (p *packets) read(b []byte) []byte {
	n, err := io.ReadFull(p.r, b)
	if p.err = err; errors.Is(err, io.ErrUnexpectedEOF) {
		p.err = io.EOF
	}
	return b[:n]
}

// mark marks the paths of a packet, of which the body follows the type: a
// number, then strings. It reports a packet that opens a file.
func mark(kind byte, body []byte) (opens bool) {
	const number, reads, ways = 4, 0x01, 0x1f // to open
	var s [3][]byte
	var rest []byte
	if len(body) >= number {
		rest = body[number:]
	}
	for i := range s {
		if len(rest) < 4 {
			break
		}
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest)-4) {
			break
		}
		s[i], rest = rest[4:4+n], rest[4+n:]
		if kind == fxpOpen {
			break // its flags follow
		}
	}
	switch kind {
	case fxpOpen:
		if len(rest) < 4 {
			return false
		}
		flags := binary.BigEndian.Uint32(rest)
		if opens = flags&ways != 0; flags == reads {
			return opens
		}
		if n := len(s[0]); n > 1 && s[0][n-1] == '/' {
			copy(s[0][n-1:], endOfFolder)
		}
		markClimb(s[0])
	case fxpExtended:
		if strings.HasPrefix(string(s[0]), "posix-rename@") {
			markClimb(s[1])
			markClimb(s[2])
		}
	case fxpRename:
		markClimb(s[0])
		markClimb(s[1])
	default:
		markClimb(s[0])
	}
	return opens
}

// markClimb marks each ".." of a path that leads above the top.
func markClimb(p []byte) {
	depth, at := 0, 0
	for name := range strings.SplitSeq(string(p), "/") {
		switch name {
		case "", ".":
		case "..":
			if depth == 0 {
				copy(p[at:], outOfTop)
			} else {
				depth--
			}
		default:
			depth++
		}
		at += len(name) + 1
	}
}
