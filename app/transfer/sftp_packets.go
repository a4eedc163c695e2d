package transfer

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// An sftpFilter passes on the packets an sftp client sends, and makes up for
// two things the library does.
//
// It cleans every path before anybody sees it: "nosuch/" becomes a file nosuch,
// and "../x" a file x, which is not what the client means. So the filter marks
// such paths in packets that change something, with NULs, which no name can
// contain: see endOfFolder and outOfTop.
//
// It also works on several packets at a time. A client that guesses the handle
// of a file that is still being opened would make it read a half-written string
// (Request.Method), which may end the process. So the filter holds back what
// follows a request to open until that has reached its method of sftpSession.
type sftpFilter struct {
	r       io.Reader
	opened  <-chan struct{} // a request to open has reached sftpSession
	opening bool            // one was passed on
	pending []byte          // read, and not passed on yet
	rest    int64           // bytes of a packet that are passed on unread
	err     error           // after what is pending
}

const (
	endOfFolder = "\x00"     // replaces a slash at the end of a file's path
	outOfTop    = "\x00\x00" // replaces a ".." that leads above the top
)

// Types of packets (draft-ietf-secsh-filexfer-02, section 3).
const (
	fxpOpen     = 3
	fxpOpendir  = 11
	fxpRemove   = 13
	fxpMkdir    = 14
	fxpRmdir    = 15
	fxpRename   = 18
	fxpExtended = 200
)

// Read implements io.Reader.
func (p *sftpFilter) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.pending) == 0 && p.rest == 0 && p.err == nil {
		p.nextPacket()
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

// nextPacket reads the length and type of a packet, and all of it if it holds a
// path.
func (p *sftpFilter) nextPacket() {
	const (
		headSize  = 5
		maxPacket = 256 << 10 // the library refuses larger ones
	)
	if p.opening {
		<-p.opened
		p.opening = false
	}
	p.pending = p.readFull(make([]byte, headSize))
	if p.err != nil {
		return
	}
	p.rest = max(int64(binary.BigEndian.Uint32(p.pending))-1, 0)
	switch kind := p.pending[4]; kind {
	case fxpOpendir:
		p.opening = p.rest <= maxPacket
	case fxpOpen, fxpRemove, fxpMkdir, fxpRmdir, fxpRename, fxpExtended:
		if p.rest > maxPacket {
			return
		}
		body := p.readFull(make([]byte, p.rest))
		p.rest = 0
		if p.err == nil {
			p.opening = markPaths(kind, body)
		}
		p.pending = append(p.pending, body...)
	}
}

// readFull fills b, or returns what there was of it before the end.
func (p *sftpFilter) readFull(b []byte) []byte {
	n, err := io.ReadFull(p.r, b)
	if p.err = err; errors.Is(err, io.ErrUnexpectedEOF) {
		p.err = io.EOF
	}
	return b[:n]
}

// markPaths marks the paths in the body of a packet, in place, and reports
// whether the packet opens a file. The body, which may be malformed, is what
// follows the type: a number, then strings, each after its length. Of fxpOpen
// there is one string, and flags after it.
func markPaths(kind byte, body []byte) (opens bool) {
	const (
		requestID = 4 // bytes

		openRead   = 0x01
		openAnyWay = 0x1f
	)
	var args [3][]byte
	var rest []byte
	if len(body) >= requestID {
		rest = body[requestID:]
	}
	for i := range args {
		if len(rest) < 4 {
			break
		}
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest)-4) {
			break
		}
		args[i], rest = rest[4:4+n], rest[4+n:]
		if kind == fxpOpen {
			break
		}
	}
	switch kind {
	case fxpOpen:
		if len(rest) < 4 {
			return false
		}
		flags := binary.BigEndian.Uint32(rest)
		if opens = flags&openAnyWay != 0; flags == openRead {
			return opens
		}
		if n := len(args[0]); n > 1 && args[0][n-1] == '/' {
			copy(args[0][n-1:], endOfFolder)
		}
		markClimb(args[0])
	case fxpExtended:
		if strings.HasPrefix(string(args[0]), "posix-rename@") {
			markClimb(args[1])
			markClimb(args[2])
		}
	case fxpRename:
		markClimb(args[0])
		markClimb(args[1])
	default:
		markClimb(args[0])
	}
	return opens
}

// markClimb marks each ".." of a path that leads above the top, in place.
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
