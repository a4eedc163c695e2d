package tui

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An event is one thing a terminal says: a key, a paste, or an answer.
type event struct {
	key    string // "j", "T", "ctrl+d", "shift+tab", "alt+left", "pgdown", "space"
	text   string // what the key types, or what was pasted
	answer answer
	x, y   int // of the pointer, from 0
}

type answer int

const (
	noAnswer answer = iota
	paste
	tooLong     // a paste that was dropped
	pointerDown // the left button
	pointerDrag
	pointerUp
	wheelUp
	wheelDown
	darkBackground
	lightBackground
	attributes // the device attributes: answered by every terminal, so the last of the answers asked for
)

const (
	askBackground = "\x1b]11;?\x07"
	askAttributes = "\x1b[c"

	mostPaste       = 64 << 10 // a longer paste is not one
	mostPasteAuthor = 2 << 20
	mostSequence    = 4 << 10
)

// A decoder takes apart what a terminal sends, however it is cut into
// packets. What it keeps between them is bounded.
type decoder struct {
	rest    []byte
	pasted  []byte
	pasting bool
	spilled bool // the paste was too long
	most    int  // bytes of a paste; 0 is mostPaste
}

// feed takes the next packet, which is not empty.
func (d *decoder) feed(packet []byte) (events []event) {
	if string(d.rest) == "\x1b" && !bytes.ContainsRune([]byte("[O]P_^X"), rune(packet[0])) {
		// A terminal sends a key with alt in one piece: this was the escape key.
		events = d.flush()
	}
	buf := packet
	if len(d.rest) > 0 {
		buf = append(d.rest, packet...)
	}
	for len(buf) > 0 {
		n, e, ok := d.next(buf)
		if n == 0 {
			break
		}
		if ok {
			events = append(events, e)
		}
		buf = buf[n:]
	}
	d.rest = nil
	if len(buf) > mostSequence {
		buf = nil
	}
	if len(buf) > 0 {
		d.rest = bytes.Clone(buf)
	}
	return events
}

// waiting reports whether a sequence has begun that may also be a key: an
// escape with nothing after it.
func (d *decoder) waiting() bool { return len(d.rest) > 0 && !d.pasting }

// flush ends the wait: what has come is all there is.
func (d *decoder) flush() (events []event) {
	rest := d.rest
	d.rest = nil
	if len(rest) > 0 && rest[0] == '\x1b' {
		events = append(events, event{key: "esc"})
	}
	return events
}

// next takes one event off the front; 0 bytes when it is not complete.
func (d *decoder) next(b []byte) (n int, e event, ok bool) {
	if d.pasting {
		return d.paste(b)
	}
	switch c := b[0]; {
	case c == '\x1b':
		return d.escape(b)
	case c < ' ' || c == 0x7f:
		e.key = controlKey(c)
		if c == '\t' {
			e.text = "\t"
		}
		return 1, e, e.key != ""
	}
	if !utf8.FullRune(b) {
		return 0, e, false
	}
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 || r >= 0x80 && r < 0xa0 {
		return n, e, false
	}
	return n, typed(r), true
}

func typed(r rune) event {
	if r == ' ' {
		return event{key: "space", text: " "}
	}
	return event{key: string(r), text: string(r)}
}

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

func (d *decoder) paste(b []byte) (n int, e event, ok bool) {
	const end = "\x1b[201~"
	i := bytes.Index(b, []byte(end))
	take := i
	if i < 0 {
		take = len(b)
		for k := min(len(end)-1, len(b)); k > 0; k-- { // an end that is cut in two
			if strings.HasPrefix(end, string(b[len(b)-k:])) {
				take = len(b) - k
				break
			}
		}
	}
	most := mostPaste
	if d.most > 0 {
		most = d.most
	}
	if len(d.pasted)+take > most {
		d.pasted, d.spilled = nil, true
	}
	if !d.spilled {
		d.pasted = append(d.pasted, b[:take]...)
	}
	if i < 0 {
		return take, e, false
	}
	e, ok = event{answer: paste, text: string(d.pasted)}, true
	if d.spilled {
		e = event{answer: tooLong}
	}
	d.pasting, d.pasted, d.spilled = false, nil, false
	return i + len(end), e, ok
}

func (d *decoder) escape(b []byte) (n int, e event, ok bool) {
	if len(b) == 1 {
		return 0, e, false
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				e, ok = d.sequence(string(b[2:i]), b[i])
				return i + 1, e, ok
			}
			if b[i] < 0x20 || b[i] > 0x7e {
				return i, e, false
			}
		}
		return 0, e, false
	case 'O':
		if len(b) < 3 {
			return 0, e, false
		}
		if b[2] == 'M' {
			return 3, event{key: "enter"}, true
		}
		e, ok = named(finals[b[2]], 1)
		return 3, e, ok
	case ']', 'P', '_', '^', 'X':
		for i := 2; i < len(b); i++ {
			if b[i] == 0x07 {
				return i + 1, background(string(b[1:i])), true
			}
			if b[i] == '\x1b' && i+1 < len(b) {
				if b[i+1] != '\\' {
					return i, e, false
				}
				return i + 2, background(string(b[1:i])), true
			}
		}
		return 0, e, false
	case '\x1b':
		return 1, event{key: "esc"}, true
	}
	n, e, ok = d.next(b[1:])
	if n == 0 {
		return 0, e, false
	}
	return n + 1, event{key: "alt+" + e.key}, ok
}

var finals = map[byte]string{'A': "up", 'B': "down", 'C': "right", 'D': "left", 'H': "home", 'F': "end",
	'P': "f1", 'Q': "f2", 'R': "f3", 'S': "f4"}

var numbered = map[int]string{1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pgup", 6: "pgdown", 7: "home", 8: "end",
	11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11", 24: "f12"}

// sequence understands ESC [ params final.
func (d *decoder) sequence(params string, final byte) (event, bool) {
	if strings.HasPrefix(params, "?") {
		return event{answer: attributes}, final == 'c'
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
		return event{key: "shift+tab"}, true
	case 'u': // a key by its code point
		switch {
		case code == 27:
			return event{key: "esc"}, true
		case code < ' ' || code == 0x7f:
			return named(controlKey(byte(max(code, 0))), mod)
		case code <= utf8.MaxRune && mod == 1:
			return typed(rune(code)), true
		case code <= utf8.MaxRune:
			return named(string(rune(code)), mod)
		}
		return event{}, false
	case '~':
		switch code {
		case 200:
			d.pasting = true
			return event{}, false
		case 201:
			return event{}, false
		}
		return named(numbered[code], mod)
	}
	return named(finals[final], mod)
}

// pointer understands a report of the mouse in SGR form (1006): CODE;X;Y, which
// M ends for a press and m for a release. Buttons other than the left one and
// the wheel say nothing.
func pointer(params string, final byte) (event, bool) {
	parts := strings.Split(params, ";")
	if len(parts) != 3 {
		return event{}, false
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 || n[i] > 10000 {
			return event{}, false
		}
	}
	e := event{x: max(n[1]-1, 0), y: max(n[2]-1, 0)}
	const modifiers = 4 | 8 | 16
	switch code := n[0] &^ modifiers; {
	case code == 0 && final == 'M':
		e.answer = pointerDown
	case code == 32 && final == 'M':
		e.answer = pointerDrag
	case code == 0 && final == 'm':
		e.answer = pointerUp
	case code == 64 && final == 'M':
		e.answer = wheelUp
	case code == 65 && final == 'M':
		e.answer = wheelDown
	}
	return e, e.answer != noAnswer
}

// named is a key with the modifiers that xterm's parameter says.
func named(key string, mod int) (event, bool) {
	if key == "" {
		return event{}, false
	}
	var e event
	for i, m := range [...]string{"shift+", "alt+", "ctrl+"} {
		if (mod-1)&(1<<i) != 0 {
			e.key = m + e.key
		}
	}
	e.key += key
	return e, true
}

// background understands the answer "11;rgb:RRRR/GGGG/BBBB" that follows ESC ].
func background(s string) event {
	s, ok := strings.CutPrefix(s, "]11;rgb")
	if !ok {
		return event{}
	}
	_, s, _ = strings.Cut(s, ":")
	var sum float64
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return event{}
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 16, 16)
		if err != nil {
			return event{}
		}
		// How bright it seems to an eye.
		sum += [...]float64{0.299, 0.587, 0.114}[i] * float64(n) / float64(uint64(1)<<(4*len(part))-1)
	}
	if sum > 0.5 {
		return event{answer: lightBackground}
	}
	return event{answer: darkBackground}
}
