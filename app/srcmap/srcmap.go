// Package srcmap has texts that know from which line of a source each of their
// lines came, while one pass after the other rewrites them: [Text], what writes
// one ([Writer]), and what copies one but for the parts a pass replaces
// ([Rewriter]). Lines count from 1, offsets are bytes.
package srcmap

import (
	"slices"
	"strings"
)

// Lines are the lines of a text. The zero value has none.
type Lines struct {
	source []int32 // source line of each line
	start  []int32 // offset of each line
}

// Line returns the line of the source that the byte at an offset came from. An
// offset at or beyond the end counts as the last byte; without any lines it is
// 1.
func (l Lines) Line(at int) int32 {
	if len(l.source) == 0 {
		return 1
	}
	i, found := slices.BinarySearch(l.start, int32(at))
	if !found {
		i--
	}
	return l.source[min(max(i, 0), len(l.source)-1)]
}

// A Text is a text with its lines. It is immutable.
type Text struct {
	Text string
	Lines
}

func newText(s string, source []int32) Text {
	t := Text{s, Lines{source: source, start: make([]int32, 0, len(source))}}
	for at := 0; ; {
		t.start = append(t.start, int32(at))
		nl := strings.IndexByte(s[at:], '\n')
		if nl < 0 {
			return t
		}
		at += nl + 1
	}
}

// New returns a text that begins in some line of the source and stands there
// as it is.
func New(s string, first int32) Text {
	source := make([]int32, strings.Count(s, "\n")+1)
	for i := range source {
		source[i] = first + int32(i)
	}
	return newText(s, source)
}

// FromLine returns a text that comes as a whole from one line of the source.
func FromLine(s string, line int32) Text {
	source := make([]int32, strings.Count(s, "\n")+1)
	for i := range source {
		source[i] = line
	}
	return newText(s, source)
}

// A Writer writes a text.
type Writer struct {
	Line int32 // source line of what is written next

	buf    []byte
	source []int32
}

// NewWriter returns a writer for what a pass makes of a text; it begins in the
// line that text begins in.
func NewWriter(of Text) *Writer {
	w := &Writer{Line: of.Line(0), buf: make([]byte, 0, len(of.Text)+len(of.Text)/8+16)}
	w.source = append(make([]int32, 0, len(of.source)+8), w.Line)
	return w
}

// Write writes a string whose lines all come from w.Line.
func (w *Writer) Write(s string) {
	w.buf = append(w.buf, s...)
	for range strings.Count(s, "\n") {
		w.source = append(w.source, w.Line)
	}
}

// NewLine ends the line; the next one comes from w.Line.
func (w *Writer) NewLine() {
	w.buf = append(w.buf, '\n')
	w.source = append(w.source, w.Line)
}

// CopyRange writes a part of a text, whose lines keep their source lines.
func (w *Writer) CopyRange(in Text, from, to int) {
	for from < to {
		n := strings.IndexByte(in.Text[from:to], '\n')
		if n < 0 {
			w.buf = append(w.buf, in.Text[from:to]...)
			return
		}
		w.buf = append(w.buf, in.Text[from:from+n]...)
		from += n + 1
		w.Line = in.Line(from)
		w.NewLine()
	}
}

// Relocate says that the line begun last comes from some line of the source,
// and so does what is written next.
func (w *Writer) Relocate(line int32) {
	w.Line = line
	w.source[len(w.source)-1] = line
}

// CurrentLine returns what has been written of the current line.
func (w *Writer) CurrentLine() string {
	return string(w.buf[w.lineStart():])
}

// LineEmpty reports whether nothing has been written of the current line.
func (w *Writer) LineEmpty() bool { return len(w.buf) == 0 || w.buf[len(w.buf)-1] == '\n' }

// DropLine takes back what has been written of the current line.
func (w *Writer) DropLine() { w.buf = w.buf[:w.lineStart()] }

func (w *Writer) lineStart() int {
	i := len(w.buf)
	for i > 0 && w.buf[i-1] != '\n' {
		i--
	}
	return i
}

// Text returns what has been written.
func (w *Writer) Text() Text { return newText(string(w.buf), w.source) }

// A Rewriter copies a text but for the parts that are replaced.
type Rewriter struct {
	*Writer
	In   Text
	From int // what stands before it in the text has been written
}

func NewRewriter(in Text) *Rewriter { return &Rewriter{Writer: NewWriter(in), In: in} }

// Flush copies what has not been written of the text before i.
func (r *Rewriter) Flush(i int) {
	r.CopyRange(r.In, r.From, i)
	r.From = i
}

// Replace writes s for what stands from i up to next, and returns next.
func (r *Rewriter) Replace(i, next int, s string) int {
	r.Flush(i)
	r.Write(s)
	r.Line = r.In.Line(next)
	r.From = next
	return next
}

// Finish copies the rest and returns the whole.
func (r *Rewriter) Finish() Text {
	r.Flush(len(r.In.Text))
	return r.Text()
}
