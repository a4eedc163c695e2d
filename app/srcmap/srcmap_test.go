package srcmap

import (
	"strings"
	"testing"
)

// lines returns a text with the source line of each of its lines before it.
func lines(t Text) string {
	var b strings.Builder
	at := 0
	for l := range strings.Lines(t.Text) {
		b.WriteByte('0' + byte(t.Line(at)))
		b.WriteString(l)
		at += len(l)
	}
	return b.String()
}

func TestRewriterKeepsLines(t *testing.T) {
	in := New("a\nb x\nc\n\nd", 3)
	r := NewRewriter(in)
	i := r.Replace(4, 8, "one\ntwo")
	r.Replace(i+1, i+1, "-")
	r.Flush(len(in.Text) - 1)
	r.Write("\ne")
	got := lines(r.Finish())
	if want := "3a\n4b one\n4two\n7-\n7ed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriter(t *testing.T) {
	w := NewWriter(FromLine("x\ny", 5))
	w.Write("a")
	w.NewLine()
	if !w.LineEmpty() {
		t.Error("a new line is not empty")
	}
	w.Write("dropped")
	w.DropLine()
	w.Relocate(7)
	w.Write("b")
	if got := w.CurrentLine(); got != "b" {
		t.Errorf("the current line is %q", got)
	}
	if got := lines(w.Text()); got != "5a\n7b" {
		t.Errorf("got %q", got)
	}
}

func TestLine(t *testing.T) {
	text := New("a\nb\n", 1)
	for at, want := range map[int]int32{-1: 1, 0: 1, 1: 1, 2: 2, 3: 2, 4: 3, 100: 3} {
		if got := text.Line(at); got != want {
			t.Errorf("offset %d: line %d, want %d", at, got, want)
		}
	}
	if got := (Lines{}).Line(5); got != 1 {
		t.Errorf("no lines: %d", got)
	}
}
