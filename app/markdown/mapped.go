package markdown

import (
	"slices"
	"strings"
)

// mappedText is text on its way through the passes, with the line of the
// source each of its own lines came from.
type mappedText struct {
	text  string
	lines []int32 // source line of each line of text
	start []int32 // offset of each line of text
}

func newMappedText(s string, lines []int32) mappedText {
	t := mappedText{text: s, lines: lines, start: make([]int32, 0, len(lines))}
	for at := 0; ; {
		t.start = append(t.start, int32(at))
		nl := strings.IndexByte(s[at:], '\n')
		if nl < 0 {
			return t
		}
		at += nl + 1
	}
}

// textFromLine maps every line of s to the same line of the source.
func textFromLine(s string, line int32) mappedText {
	lines := make([]int32, strings.Count(s, "\n")+1)
	for i := range lines {
		lines[i] = line
	}
	return newMappedText(s, lines)
}

// sourceLine returns the line of the source the byte at an offset came from.
// An offset at or beyond the end counts as the last byte.
func (t mappedText) sourceLine(at int) int32 {
	i, found := slices.BinarySearch(t.start, int32(at))
	if !found {
		i--
	}
	return t.lines[min(max(i, 0), len(t.lines)-1)]
}

// mappedWriter builds the output of a pass.
type mappedWriter struct {
	buf   []byte
	lines []int32
	line  int32 // source line of what is written next
}

func newMappedWriter(in mappedText) *mappedWriter {
	w := &mappedWriter{buf: make([]byte, 0, len(in.text)+len(in.text)/8+16), line: 1}
	if len(in.lines) > 0 {
		w.line = in.lines[0]
	}
	w.lines = append(make([]int32, 0, len(in.lines)+8), w.line)
	return w
}

func (w *mappedWriter) write(s string) {
	w.buf = append(w.buf, s...)
	for range strings.Count(s, "\n") {
		w.lines = append(w.lines, w.line)
	}
}

func (w *mappedWriter) writeByte(c byte) {
	w.buf = append(w.buf, c)
	if c == '\n' {
		w.lines = append(w.lines, w.line)
	}
}

// copyRange writes in.text[from:to]; its lines keep their source lines.
func (w *mappedWriter) copyRange(in mappedText, from, to int) {
	for from < to {
		end := min(eol(in.text, from), to)
		w.buf = append(w.buf, in.text[from:end]...)
		if end == to {
			return
		}
		w.line = in.sourceLine(end + 1)
		w.writeByte('\n')
		from = end + 1
	}
}

func (w *mappedWriter) text() mappedText { return newMappedText(string(w.buf), w.lines) }

// currentLine returns what has been written of the current line.
func (w *mappedWriter) currentLine() string {
	i := len(w.buf)
	for i > 0 && w.buf[i-1] != '\n' {
		i--
	}
	return string(w.buf[i:])
}

// A rewriter copies a text but for the parts that a pass replaces.
type rewriter struct {
	in   mappedText
	w    *mappedWriter
	from int // what stands before it in the text has been written
}

func newRewriter(in mappedText) *rewriter { return &rewriter{in: in, w: newMappedWriter(in)} }

// flush copies what has not been written of the text before i.
func (r *rewriter) flush(i int) {
	r.w.copyRange(r.in, r.from, i)
	r.from = i
}

// replace writes text for what stands from i up to next, and returns next.
func (r *rewriter) replace(i, next int, text string) int {
	r.flush(i)
	r.w.write(text)
	r.w.line = r.in.sourceLine(next)
	r.from = next
	return next
}

// finish copies the rest and returns the whole.
func (r *rewriter) finish() mappedText {
	r.flush(len(r.in.text))
	return r.w.text()
}
