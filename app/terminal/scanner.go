package terminal

// The states of a scanner are those of a terminal's own parser (ECMA-48, and
// vt100.net/emu/dec_ansi_parser), seen from the other end.
type state int

const (
	ground         state = iota // outside of sequences
	inEscape                    // after ESC
	inCSI                       // after ESC [
	inSS3                       // after ESC O
	inString                    // an OSC, DCS, SOS, PM or APC string
	inStringEscape              // after an ESC in a string
	inPaste                     // between the marks of a bracketed paste
)

const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b

	pasteBegin = "200~" // after ESC [
	pasteEnd   = "\x1b[201~"

	// maxSequence is how long a CSI sequence may be. No terminal sends one of
	// half of it.
	maxSequence = 64
)

// A scanner follows the escape sequences in what a terminal sends, one byte at
// a time, so that it does not matter how the bytes are cut into packets.
type scanner struct {
	state      state
	introducer byte              // of a string: ']' for OSC, 'P' for DCS ...
	n          int               // bytes in the sequence, string or paste so far
	first      [maxSequence]byte // the first n of a sequence or string
	ended      int               // bytes of pasteEnd seen
}

// next takes a byte. It returns the state that the byte belongs to, and whether
// it completes what that state began. A byte that cannot be part of the
// sequence it comes in abandons it and begins anew.
func (s *scanner) next(b byte) (in state, complete bool) {
	printable := b >= ' ' && b <= '~'
	switch {
	case s.state == inEscape && s.introduce(b):
		return s.state, false
	case s.state == inCSI && printable && s.n < maxSequence:
		return inCSI, s.csi(b)
	case s.state == inSS3 && printable:
		s.state = ground
		return inSS3, true
	case s.state == inString:
		return inString, s.text(b)
	case s.state == inStringEscape && b == '\\':
		s.state = ground
		return inString, true
	case s.state == inStringEscape: // ends a string, whatever follows
		s.state = inEscape
		return s.next(b)
	case s.state == inPaste:
		return inPaste, s.paste(b)
	case b == esc:
		s.state = inEscape
		return inEscape, false
	}
	s.state = ground
	return ground, true
}

// introduce begins what a byte after an escape introduces; false if it
// introduces nothing.
func (s *scanner) introduce(b byte) bool {
	switch b {
	case '[':
		s.enter(inCSI)
	case 'O':
		s.enter(inSS3)
	case ']', 'P', 'X', '^', '_':
		s.enter(inString)
		s.introducer = b
	default:
		return false
	}
	return true
}

// csi takes a byte of a CSI sequence, which may begin a paste.
func (s *scanner) csi(b byte) (complete bool) {
	s.put(b)
	if b < '@' || b == '[' && s.n == 1 { // ESC [ [ A is F1 of the Linux console
		return false
	}
	s.state = ground
	if string(s.content()) == pasteBegin {
		s.enter(inPaste)
	}
	return true
}

// text takes a byte of a control string. One that is cancelled is not complete.
func (s *scanner) text(b byte) (complete bool) {
	switch b {
	case esc:
		s.state = inStringEscape
	case bel, can, sub:
		s.state = ground
	default:
		s.put(b)
	}
	return b == bel
}

// paste takes a byte of a paste or of the mark that ends it.
func (s *scanner) paste(b byte) (complete bool) {
	s.n++
	switch b {
	case pasteEnd[s.ended]:
		s.ended++
	case pasteEnd[0]:
		s.ended = 1
	default:
		s.ended = 0
	}
	if s.ended == len(pasteEnd) {
		s.state = ground
	}
	return s.state == ground
}

func (s *scanner) enter(to state) { s.state, s.n, s.ended = to, 0, 0 }

func (s *scanner) put(b byte) {
	if s.n < len(s.first) {
		s.first[s.n] = b
	}
	s.n++
}

// content is the sequence or string up to here, without what introduced it;
// no more than its first bytes.
func (s *scanner) content() []byte { return s.first[:min(s.n, len(s.first))] }
