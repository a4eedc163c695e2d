package markdown

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// sheet is text on its way through the passes; lines[i] is the line of the
// source its line i came from.
type sheet struct {
	s     string
	lines []int32
	start []int32 // offset of each line
}

func newSheet(s string, lines []int32) sheet {
	sh := sheet{s: s, lines: lines, start: make([]int32, 0, len(lines))}
	for at := 0; ; {
		sh.start = append(sh.start, int32(at))
		nl := strings.IndexByte(s[at:], '\n')
		if nl < 0 {
			return sh
		}
		at += nl + 1
	}
}

// plainSheet is a text that comes whole from one line of the source.
func plainSheet(s string, line int32) sheet {
	lines := make([]int32, strings.Count(s, "\n")+1)
	for i := range lines {
		lines[i] = line
	}
	return newSheet(s, lines)
}

func (sh sheet) line(at int) int32 {
	i, found := slices.BinarySearch(sh.start, int32(at))
	if !found {
		i--
	}
	return sh.lines[min(max(i, 0), len(sh.lines)-1)]
}

// eol gives the end of the line at: its \n or the end of the text.
func eol(s string, at int) int {
	if nl := strings.IndexByte(s[at:], '\n'); nl >= 0 {
		return at + nl
	}
	return len(s)
}

// pen writes the next sheet.
type pen struct {
	b     []byte
	lines []int32
	line  int32 // source line of what is written next
}

func newPen(in sheet) *pen {
	w := &pen{b: make([]byte, 0, len(in.s)+len(in.s)/8+16), line: 1}
	if len(in.lines) > 0 {
		w.line = in.lines[0]
	}
	w.lines = append(make([]int32, 0, len(in.lines)+8), w.line)
	return w
}

func (w *pen) str(s string) {
	w.b = append(w.b, s...)
	for range strings.Count(s, "\n") {
		w.lines = append(w.lines, w.line)
	}
}

func (w *pen) byte(c byte) {
	w.b = append(w.b, c)
	if c == '\n' {
		w.lines = append(w.lines, w.line)
	}
}

// copy writes in.s[from:to], its lines keeping their origin.
func (w *pen) copy(in sheet, from, to int) {
	for from < to {
		end := min(eol(in.s, from), to)
		w.b = append(w.b, in.s[from:end]...)
		if end == to {
			return
		}
		w.line = in.line(end + 1)
		w.byte('\n')
		from = end + 1
	}
}

func (w *pen) sheet() sheet { return newSheet(string(w.b), w.lines) }

// lineText is what has been written of the current line.
func (w *pen) lineText() string {
	i := len(w.b)
	for i > 0 && w.b[i-1] != '\n' {
		i--
	}
	return string(w.b[i:])
}

// kind says what a mark stands for.
type kind uint8

const (
	markNone     kind = iota
	markText          // a: text that is not parsed
	markCode          // a: code span
	markMath          // a: TeX in the text
	markBreak         // line break
	markImage         // a: target, b: alternative text, c: title
	markLink          // a: target, b: text
	markOpen          // a: element, b: target
	markClose         // a: element
	markTag           // a block element begins: a: name, b, c: its data; the HTML pass takes it
	markEndTag        // a: name
	markFence         // block: a: language, b: code, n: line
	markFormula       // block: a: TeX, b: number
	markContents      // block: n: levels
	markMore          // end of the summary
	markCallout       // first block of a quote: a: name, b: title
	markDetails       // first block of a quote: a: summary
	markRule          // thematic break
	markID            // a: anchor of the heading it stands in
)

func (k kind) block() bool { return k >= markFence && k <= markRule }

// mark is what one private rune stands for. src is what the author typed.
type mark struct {
	kind    kind
	a, b, c string
	n       int
	src     string
}

const (
	firstMark = 0x100000
	lastMark  = 0x10fffd
)

// marks gives each different mark its rune.
type marks struct {
	list  []mark
	index map[mark]rune
}

func (m *marks) put(x mark) string {
	if r, ok := m.index[x]; ok {
		return string(r)
	}
	if len(m.list) > lastMark-firstMark {
		return x.src
	}
	if m.index == nil {
		m.index = make(map[mark]rune)
	}
	r := rune(firstMark + len(m.list))
	m.list = append(m.list, x)
	m.index[x] = r
	return string(r)
}

// at gives the mark s begins with.
func (m *marks) at(s string) (mark, bool) {
	if s == "" || s[0] != 0xf4 {
		return mark{}, false
	}
	r, _ := utf8.DecodeRuneInString(s)
	if i := int(r) - firstMark; i >= 0 && i < len(m.list) {
		return m.list[i], true
	}
	return mark{}, false
}

const markLen = 4 // bytes of a mark in UTF-8

// restore puts what the author typed back in the place of marks.
func (m *marks) restore(s string) string {
	return m.replace(s, func(x mark) string { return x.src })
}

// words gives the text marks stand for, for places that hold only text.
func (m *marks) words(s string) string {
	return m.replace(s, func(x mark) string {
		switch x.kind {
		case markText, markCode, markMath, markFormula:
			return x.a
		case markBreak:
			return " "
		case markImage, markLink, markFence:
			return x.b
		}
		return ""
	})
}

func (m *marks) replace(s string, by func(mark) string) string {
	if strings.IndexByte(s, 0xf4) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if x, ok := m.at(s[i:]); ok {
			b.WriteString(by(x))
			i += markLen
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
