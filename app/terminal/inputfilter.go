package terminal

import "unicode/utf8"

// maxString is how many bytes of a control string pass.
const maxString = 4 << 10

// An InputFilter follows what a terminal sends and bounds what has no end of
// its own: a paste is cut at MaxPaste bytes and closed, a control string is
// closed after 4 KiB, and the rest of both is dropped. All else passes
// unchanged, but for bytes that are no part of a UTF-8 character: no terminal
// sends these, and some of them (C1) begin control strings.
//
// One byte more than MaxPaste passes, so that a reader with the same bound
// knows that the paste was cut.
type InputFilter struct {
	MaxPaste int

	scan scanner
	cut  bool // what the scanner is in has been closed already
	rune int  // continuation bytes still due
}

// Filter appends to dst what of src passes. It may be called with any pieces of
// what was sent, one after the other.
func (f *InputFilter) Filter(dst, src []byte) []byte {
	for _, b := range src {
		dst = f.next(dst, b)
	}
	return dst
}

// Lost says that some of what was sent is missing from here on. It appends to
// dst what closes a paste or a string that is open.
func (f *InputFilter) Lost(dst []byte) []byte {
	switch {
	case f.cut:
	case f.scan.state == inPaste:
		dst = append(dst, pasteEnd...)
	case f.scan.state == inString, f.scan.state == inStringEscape:
		dst = append(dst, esc, '\\')
	}
	*f = InputFilter{MaxPaste: f.MaxPaste}
	return dst
}

func (f *InputFilter) next(dst []byte, b byte) []byte {
	in, _ := f.scan.next(b)
	if in != ground {
		f.rune = 0
	}
	if f.cut {
		if in == inPaste || in == inString && f.scan.n > 0 {
			f.cut = f.scan.state != ground
			return dst
		}
		f.cut = false
		dst = append(dst, esc) // it was dropped as the string's
	}
	switch {
	case in == ground:
		return f.character(dst, b)
	case f.scan.state == inString && f.scan.n > maxString:
		f.cut = true
		return append(dst, esc, '\\')
	case f.scan.state == inPaste && f.scan.n > f.MaxPaste:
		f.cut = true
		return append(append(dst, b), pasteEnd...)
	}
	return append(dst, b)
}

// character passes a byte outside of sequences if it can be part of UTF-8.
func (f *InputFilter) character(dst []byte, b byte) []byte {
	switch {
	case b < utf8.RuneSelf:
		f.rune = 0
	case b >= 0xc2 && b <= 0xdf:
		f.rune = 1
	case b >= 0xe0 && b <= 0xef:
		f.rune = 2
	case b >= 0xf0 && b <= 0xf4:
		f.rune = 3
	case f.rune > 0:
		f.rune--
	default:
		return dst
	}
	return append(dst, b)
}
