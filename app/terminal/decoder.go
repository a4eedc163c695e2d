package terminal

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// An Event is one thing a terminal says: a key, a paste, what the mouse does,
// or an answer to what it was asked.
type Event struct {
	Kind Kind
	Key  string // "j", "T", "ctrl+d", "shift+tab", "alt+left", "pgdown", "space"
	Text string // what the key types, or what was pasted
	X, Y int    // of the pointer, in cells from 0
}

// A Kind is what an event is about.
type Kind int

const (
	Key          Kind = iota
	Paste             // bracketed, in one piece
	PasteTooLong      // a paste that was dropped
	PointerDown       // the left button
	PointerDrag
	PointerUp
	WheelUp
	WheelDown
	DarkBackground
	LightBackground
	Attributes // the device attributes; every terminal tells these, so they are the last of several answers
)

// DefaultMaxPaste bounds a paste where nothing else is said, in bytes.
const DefaultMaxPaste = 64 << 10

// A Decoder takes apart what a terminal sends. Keys, pastes and answers may be
// cut into packets anywhere, and several may come in one. What it keeps between
// packets is bounded. The zero value is ready.
type Decoder struct {
	MaxPaste int // bytes of a paste, DefaultMaxPaste if 0; a longer one is PasteTooLong

	scan     scanner
	char     []byte // what has come of a character
	alt      bool   // it stands after an escape
	pasted   []byte
	overflow bool // the paste is too long
}

// Feed takes the next packet, which must not be empty.
func (d *Decoder) Feed(packet []byte) (events []Event) {
	if d.scan.state == inEscape && !strings.ContainsRune("[O]P_^X", rune(packet[0])) {
		// A terminal sends a key with alt in one piece: this was the escape
		// key.
		events = d.Flush()
	}
	for _, b := range packet {
		if e, ok := d.next(b); ok {
			events = append(events, e)
		}
	}
	return events
}

// Waiting reports whether a sequence has begun that may also be a key: an
// escape, perhaps with something after it. The caller calls Flush if nothing
// more comes for a moment.
func (d *Decoder) Waiting() bool { return d.scan.state != ground && d.scan.state != inPaste }

// Flush ends the wait: what has come was the escape key.
func (d *Decoder) Flush() []Event {
	if !d.Waiting() {
		return nil
	}
	d.scan.enter(ground)
	return []Event{{Key: "esc"}}
}

// next takes a byte; false if it completes no event.
func (d *Decoder) next(b byte) (Event, bool) {
	afterEscape := d.scan.state == inEscape || d.scan.state == inStringEscape
	in, complete := d.scan.next(b)
	if in == ground {
		d.alt = d.alt && len(d.char) > 0 || afterEscape
		return d.character(b)
	}
	d.char = d.char[:0]
	switch {
	case in == inEscape && afterEscape: // the first of two is the key
		return Event{Key: "esc"}, true
	case in == inPaste:
		return d.paste(b, complete)
	case !complete || d.scan.state == inPaste:
		return Event{}, false
	}
	content := string(d.scan.content())
	switch in {
	case inCSI:
		last := len(content) - 1
		return sequence(content[:last], content[last])
	case inSS3:
		if b == 'M' {
			return Event{Key: "enter"}, true
		}
		return named(finals[b], 1)
	}
	return background(d.scan.introducer, content)
}

// character takes a byte that stands outside of sequences. What is no UTF-8 and
// C1 controls say nothing.
func (d *Decoder) character(b byte) (e Event, ok bool) {
	if b < ' ' || b == 0x7f {
		d.char = d.char[:0]
		e.Key = controlKey(b)
		if b == '\t' {
			e.Text = "\t"
		}
	} else {
		d.char = append(d.char, b)
		for e.Key == "" && utf8.FullRune(d.char) {
			r, n := utf8.DecodeRune(d.char)
			d.char = d.char[:copy(d.char, d.char[n:])]
			if n > 1 && r >= 0xa0 || n == 1 && r < utf8.RuneSelf {
				e = typed(r)
			} else {
				d.alt = false
			}
		}
	}
	if e.Key == "" {
		return Event{}, false
	}
	if d.alt {
		e = Event{Key: "alt+" + e.Key}
	}
	return e, true
}

func typed(r rune) Event {
	if r == ' ' {
		return Event{Key: "space", Text: " "}
	}
	return Event{Key: string(r), Text: string(r)}
}

// controlKey names the key that sends a C0 control character; "" for none.
func controlKey(c byte) string {
	switch c {
	case '\r', '\n':
		return "enter"
	case '\t':
		return "tab"
	case 0x7f, '\b':
		return "backspace"
	case 0:
		return "ctrl+space"
	}
	switch {
	case c < 27:
		return "ctrl+" + string(rune('a'+c-1))
	case c == 28:
		return "ctrl+\\"
	case c == 31:
		return "ctrl+_"
	}
	return ""
}

// paste takes a byte of a paste, the mark that ends it included.
func (d *Decoder) paste(b byte, complete bool) (Event, bool) {
	most := d.MaxPaste
	if most == 0 {
		most = DefaultMaxPaste
	}
	if !d.overflow {
		d.pasted = append(d.pasted, b)
	}
	if len(d.pasted) > most+d.scan.ended {
		d.pasted, d.overflow = nil, true
	}
	if !complete {
		return Event{}, false
	}
	e := Event{Kind: PasteTooLong}
	if !d.overflow {
		e = Event{Kind: Paste, Text: string(d.pasted[:len(d.pasted)-len(pasteEnd)])}
	}
	d.pasted, d.overflow = nil, false
	return e, true
}

// finals are the keys of ESC O and of ESC [ that the last byte tells.
var finals = map[byte]string{
	'A': "up", 'B': "down", 'C': "right", 'D': "left", 'H': "home", 'F': "end",
	'P': "f1", 'Q': "f2", 'R': "f3", 'S': "f4",
}

// numbered are the keys of ESC [ NUMBER ~.
var numbered = map[int]string{
	1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pgup", 6: "pgdown", 7: "home", 8: "end",
	11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10",
	23: "f11", 24: "f12",
}

// sequence understands ESC [ params final. The mark of a paste that has not
// begun says nothing.
func sequence(params string, final byte) (Event, bool) {
	if strings.HasPrefix(params, "?") {
		return Event{Kind: Attributes}, final == 'c'
	}
	if params == "[" { // the Linux console's F1 to F5
		return named(numbered[11+int(final-'A')], 1)
	}
	if mouse, ok := strings.CutPrefix(params, "<"); ok {
		return pointer(mouse, final)
	}
	first, second, _ := strings.Cut(params, ";")
	code, _ := strconv.Atoi(first)
	second, _, _ = strings.Cut(second, ":")
	mod, _ := strconv.Atoi(second)
	mod = max(mod, 1)
	switch final {
	case 'Z':
		return Event{Key: "shift+tab"}, true
	case 'u': // a key by its code point
		switch {
		case code == 27:
			return Event{Key: "esc"}, true
		case code < ' ' || code == 0x7f:
			return named(controlKey(byte(max(code, 0))), mod)
		case code <= utf8.MaxRune && mod == 1:
			return typed(rune(code)), true
		case code <= utf8.MaxRune:
			return named(string(rune(code)), mod)
		}
		return Event{}, false
	case '~':
		return named(numbered[code], mod)
	}
	return named(finals[final], mod)
}

// pointer understands a report of the mouse in SGR form (1006): CODE;X;Y, which
// M ends for a press and m for a release. Buttons other than the left one and
// the wheel say nothing.
func pointer(params string, final byte) (Event, bool) {
	parts := strings.Split(params, ";")
	if len(parts) != 3 {
		return Event{}, false
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 || n[i] > 10000 {
			return Event{}, false
		}
	}
	e := Event{X: max(n[1]-1, 0), Y: max(n[2]-1, 0)}
	const modifiers = 4 | 8 | 16
	switch code := n[0] &^ modifiers; {
	case code == 0 && final == 'M':
		e.Kind = PointerDown
	case code == 32 && final == 'M':
		e.Kind = PointerDrag
	case code == 0 && final == 'm':
		e.Kind = PointerUp
	case code == 64 && final == 'M':
		e.Kind = WheelUp
	case code == 65 && final == 'M':
		e.Kind = WheelDown
	}
	return e, e.Kind != Key
}

// named is a key with the modifiers that xterm's parameter says.
func named(key string, mod int) (Event, bool) {
	if key == "" {
		return Event{}, false
	}
	var e Event
	for i, m := range [...]string{"shift+", "alt+", "ctrl+"} {
		if (mod-1)&(1<<i) != 0 {
			e.Key = m + e.Key
		}
	}
	e.Key += key
	return e, true
}

// background understands the answer "11;rgb:RRRR/GGGG/BBBB" of an OSC string.
func background(introducer byte, s string) (Event, bool) {
	s, ok := strings.CutPrefix(s, "11;rgb")
	if !ok || introducer != ']' {
		return Event{}, false
	}
	_, s, _ = strings.Cut(s, ":")
	var sum float64
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Event{}, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 16, 16)
		if err != nil {
			return Event{}, false
		}
		// How bright it seems to an eye.
		sum += [...]float64{0.299, 0.587, 0.114}[i] * float64(n) / float64(uint64(1)<<(4*len(part))-1)
	}
	if sum > 0.5 {
		return Event{Kind: LightBackground}, true
	}
	return Event{Kind: DarkBackground}, true
}
