package buffer

import (
	"strconv"
	"strings"

	"sheaf/app/lazyregexp"
)

// A marker is what a line of a list begins with.
type marker struct {
	indent string // blanks, and the bars of quotes
	sign   string // "-", "*", "+", "1.", "2)"; "" in a quote without a list
	gap    string
	task   string // "[ ] "
}

var markers = lazyregexp.New(`^([ \t]*(?:>[ \t]?)*)(?:([-*+]|\d{1,9}[.)])([ \t]+)(\[[ xX]\][ \t]+)?)?`)

// markerOf reads the beginning of a line; false if it is neither of a list nor
// of a quote.
func markerOf(line string) (m marker, ok bool) {
	found := markers().FindStringSubmatch(line)
	m = marker{found[1], found[2], found[3], found[4]}
	return m, m.sign != "" || strings.Contains(m.indent, ">")
}

func (m marker) String() string { return m.indent + m.sign + m.gap + m.task }

// next is the marker of the item that follows.
func (m marker) next() marker {
	if n, err := strconv.Atoi(strings.TrimRight(m.sign, ".)")); err == nil {
		m.sign = strconv.Itoa(n+1) + m.sign[len(m.sign)-1:]
	}
	if m.task != "" {
		m.task = "[ ] "
	}
	return m
}

// longMarker bounds how much of a line is looked at for its marker.
const longMarker = 1 << 10

func (b *Buffer) head(line int) string {
	start := b.now.text.LineStart(line)
	return b.now.text.Slice(start, min(b.now.text.LineEnd(line), start+longMarker))
}

// Newline breaks the line. In a list of Markdown or in a quote the next line
// continues it; on an item without text the list ends instead. In a block of
// code and in a front matter the next line is indented as this one.
func (b *Buffer) Newline() {
	from, to := b.ends()
	line := b.now.text.Line(from)
	start := b.now.text.LineStart(line)
	head := b.head(line)
	before := head[:min(from-start, len(head))]
	b.last = other
	if m, ok := markerOf(head); ok && from == to && !b.literal(from) && len(m.String()) <= from-start {
		rest := b.now.text.Slice(start+len(m.String()), b.now.text.LineEnd(line))
		if len(rest) < longMarker && strings.TrimSpace(rest) == "" {
			b.change(other, start, b.now.text.LineEnd(line), "", start)
			return
		}
		s := b.eol + m.next().String()
		b.change(other, from, to, s, from+len(s))
		return
	}
	s := b.eol + before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	b.change(other, from, to, s, from+len(s))
}

// literal reports whether a place is in a front matter or in a fenced block of
// code, where no list is.
func (b *Buffer) literal(at int) bool {
	s := b.now.text.Slice(0, at)
	for _, fence := range []string{"---", "+++"} {
		if rest, ok := strings.CutPrefix(s, fence); ok && rest != "" && (rest[0] == '\n' || rest[0] == '\r') {
			i := strings.Index(rest, "\n"+fence)
			if i < 0 {
				return true
			}
			s = rest[i+1+len(fence):]
			break
		}
	}
	open := ""
	for s != "" {
		i := strings.Index(s, "```")
		if j := strings.Index(s, "~~~"); i < 0 || j >= 0 && j < i {
			i = j
		}
		if i < 0 {
			break
		}
		lineStart := strings.LastIndexByte(s[:i], '\n') + 1
		n := 3
		for i+n < len(s) && s[i+n] == s[i] {
			n++
		}
		end := strings.IndexByte(s[i:], '\n')
		if end < 0 {
			end = len(s) - i
		}
		if strings.Trim(s[lineStart:i], " \t>") == "" {
			switch mark := s[i : i+n]; {
			case open == "":
				open = mark
			case strings.HasPrefix(mark, open) && strings.TrimSpace(s[i+n:i+end]) == "":
				open = ""
			}
		}
		s = s[i+end:]
	}
	return open != ""
}

// TabStop is the distance of tab stops: in characters, or the cells of a row.
const TabStop = 4

// Indent nests the list items of the lines that the selection touches, or
// indents these lines; without a selection, outside of a list, it sets blanks
// at the cursor.
func (b *Buffer) Indent() {
	from, to := b.ends()
	m, ok := markerOf(b.head(b.now.text.Line(from)))
	if from == to && (!ok || m.sign == "" || b.literal(from)) {
		col := len([]rune(b.now.text.Slice(max(b.now.text.LineStart(b.now.text.Line(from)), from-longMarker), from)))
		b.last = other
		b.Type(strings.Repeat(" ", TabStop-col%TabStop))
		b.last = other
		return
	}
	b.shift(func(line string) (at, cut int, s string) {
		if strings.TrimSpace(line) == "" {
			return 0, 0, ""
		}
		m, _ := markerOf(line)
		return quoted(m), 0, strings.Repeat(" ", nesting(m))
	})
}

// Outdent takes that back.
func (b *Buffer) Outdent() {
	b.shift(func(line string) (at, cut int, s string) {
		m, _ := markerOf(line)
		at = quoted(m)
		rest := line[at:]
		if strings.HasPrefix(rest, "\t") {
			return at, 1, ""
		}
		return at, min(len(rest)-len(strings.TrimLeft(rest, " ")), nesting(m)), ""
	})
}

// quoted is how much of a line are the bars of quotes: what stands behind them
// is indented.
func quoted(m marker) int {
	n := strings.LastIndexByte(m.indent, '>') + 1
	if n > 0 && n < len(m.indent) && m.indent[n] == ' ' {
		n++
	}
	return n
}

// nesting is how far an item of a list is nested.
func nesting(m marker) int {
	if m.sign == "" {
		return TabStop
	}
	return len(m.sign) + 1
}

// shift changes the beginnings of the lines that the selection touches, in one
// step; the selection stays on its characters.
func (b *Buffer) shift(edit func(line string) (at, cut int, s string)) {
	from, to := b.ends()
	first, last := b.now.text.Line(from), b.now.text.Line(to)
	if last > first && to == b.now.text.LineStart(last) {
		last--
	}
	text := b.now.text
	anchor, at := b.now.anchor, b.now.at
	for line := last; line >= first; line-- { // from below, so that places stay true
		where, cut, s := edit(b.head(line))
		where += text.LineStart(line)
		text = text.Splice(where, where+cut, s)
		for _, p := range []*int{&anchor, &at} {
			switch {
			case *p >= where+cut && (*p > where || len(s) > 0 && from == to):
				*p += len(s) - cut
			case *p > where:
				*p = where
			}
		}
	}
	switch {
	case text.Len() == b.now.text.Len():
		return
	case !b.Fits(text.Len()):
		b.refused = true
		return
	}
	b.step(other, b.now.text.LineEnd(last)-b.now.text.LineStart(first), state{text, anchor, at})
}
