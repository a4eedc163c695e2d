package terminal

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// drawn paints frames one after the other and gives what was sent for each.
func drawn(t *testing.T, frames []*Frame, each func(i int, sent string)) {
	t.Helper()
	p := &Painter{}
	for i, f := range frames {
		p.buf = p.buf[:0]
		p.draw(f)
		each(i, string(p.buf))
	}
}

// emulator is a terminal whose answers nobody reads.
func emulator(t *testing.T, cols, rows int) *vt.Emulator {
	e := vt.NewEmulator(cols, rows)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(io.Discard, e) }()
	t.Cleanup(func() { e.InputPipe().(io.Closer).Close(); <-done })
	return e
}

// screenful gives the lines of an emulator with their styles.
func screenful(e *vt.Emulator) []string {
	lines := strings.Split(e.Render(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return lines
}

// expected gives what a terminal shows for rows that are written on a clear
// screen, each in its place.
func expected(t *testing.T, f *Frame) []string {
	e := emulator(t, f.Width, f.Height)
	for y, r := range f.Rows {
		fmt.Fprintf(e, "\x1b[%d;%dH%s\x1b[m", y+1, r.At+1, ansi.Truncate(r.Text, f.Width-r.At, ""))
	}
	return screenful(e)
}

// randomRow makes a row of the kinds that there are: plain, styled, wide,
// combined, linked, empty.
func randomRow(r *rand.Rand, width int) Row {
	words := []string{"post", "a", "  ", "深層学習", "e\u0301a", "naïve", "▌", "│ ", "🙂", "\x1b[1mbold\x1b[m", "\x1b[38;5;212mpink \x1b[1mfat\x1b[m",
		"\x1b[38;5;245mSite › \x1b[m\x1b[1mA title\x1b[m", "  \x1b[2m2 of 14  10%\x1b[m", "\x1b]8;;https://example.org\x1b\\\x1b[4mlink\x1b[m\x1b]8;;\x1b\\", "x", "12 min", "שלום", "."}
	if r.IntN(5) == 0 {
		return Row{}
	}
	out := Row{At: []int{0, 0, 2, 2, 5}[r.IntN(5)]}
	for ansi.StringWidth(out.Text) < width/2 && r.IntN(6) > 0 {
		out.Text += words[r.IntN(len(words))]
	}
	if r.IntN(6) == 0 { // up to the very edge, and beyond
		out.Text += strings.Repeat("z", max(width-out.At-ansi.StringWidth(out.Text)+r.IntN(3)-1, 0))
	}
	if out.At >= width {
		out.At = 0
	}
	return out
}

// Whatever frames come one after the other, the screen shows the last.
func TestScreenIsTheFrame(t *testing.T) {
	scrolled := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		width, height := 1+r.IntN(40), 1+r.IntN(14)
		long := make([]Row, 60)
		for i := range long {
			long[i] = randomRow(r, width)
		}
		var frames []*Frame
		at := 10
		for range 25 {
			if r.IntN(12) == 0 {
				width, height = 1+r.IntN(40), 1+r.IntN(14)
			}
			f := &Frame{Width: width, Height: height, Rows: make([]Row, height), Title: "t"}
			switch r.IntN(4) {
			case 0, 1:
				at += r.IntN(2*height+1) - height // scrolled
			case 2:
				at += r.IntN(3) - 1
			}
			at = max(min(at, len(long)-height), 0)
			copy(f.Rows, long[at:])
			f.Rows[0] = Row{0, "head"}
			f.Rows[height-1] = randomRow(r, width)
			if r.IntN(3) == 0 {
				f.Rows[r.IntN(height)] = randomRow(r, width)
			}
			if y := r.IntN(height); r.IntN(2) == 0 && len(frames) > 0 && len(frames[len(frames)-1].Rows) == height {
				changed := frames[len(frames)-1].Rows[y] // but for one word
				changed.Text = strings.Replace(changed.Text, []string{"a", "post", "▌", "bold", "x", "10%", "14"}[r.IntN(7)], []string{"b", "tsop", " ", "x", "11%", "深", "e\u0301", "\x1b[7mr\x1b[m"}[r.IntN(8)], 1)
				f.Rows[y] = changed
			}
			for y := range f.Rows {
				if f.Rows[y].At >= width {
					f.Rows[y].At = 0
				}
			}
			frames = append(frames, f)
		}
		var e *vt.Emulator
		drawn(t, frames, func(i int, sent string) {
			f := frames[i]
			if e == nil {
				e = emulator(t, f.Width, f.Height)
			} else if e.Width() != f.Width || e.Height() != f.Height {
				e.Resize(f.Width, f.Height)
			}
			_, _ = io.WriteString(e, sent)
			scrolled += strings.Count(sent, "\x1b[r")
			got, want := screenful(e), expected(t, f)
			for y := range want {
				if got[y] != want[y] {
					t.Fatalf("seed %d, frame %d (%dx%d), row %d:\n got %q\nwant %q\nsent %q", seed, i, f.Width, f.Height, y, got[y], want[y], sent)
				}
			}
		})
	}
	if scrolled == 0 {
		t.Error("nothing was scrolled")
	}
}

// A line down sends the new line and a few bytes more; a moved selection sends
// less than two lines.
func TestPainterSendsLittle(t *testing.T) {
	text := make([]Row, 100)
	for i := range text {
		text[i] = Row{2, fmt.Sprintf("%02d %s", i, strings.Repeat("words in a line ", 4))}
	}
	frameAt := func(top int) *Frame {
		f := &Frame{Width: 80, Height: 24, Rows: make([]Row, 24)}
		copy(f.Rows[1:23], text[top:])
		f.Rows[0], f.Rows[23] = Row{1, "Site › Title"}, Row{1, "q back"}
		return f
	}
	limits := []int{4000, 110, 110, 900, 900}
	drawn(t, []*Frame{frameAt(0), frameAt(1), frameAt(0), frameAt(11), frameAt(0)}, func(i int, sent string) {
		if len(sent) > limits[i] {
			t.Errorf("frame %d: %d bytes: %q", i, len(sent), sent)
		}
	})
	list := func(sel int) *Frame {
		f := frameAt(0)
		for i := range 22 {
			bar := " "
			if i == sel {
				bar = "\x1b[38;5;39m▌\x1b[m"
			}
			f.Rows[i+1] = Row{0, bar + " 08 Apr  " + text[i].Text}
		}
		return f
	}
	head := func(percent int) *Frame {
		f := frameAt(0)
		f.Rows[0] = Row{1, fmt.Sprintf("\x1b[38;5;245mSite › \x1b[m\x1b[1mA title of a post\x1b[m%40s\x1b[38;5;245m2 of 14  %d%%\x1b[m", "", percent)}
		return f
	}
	drawn(t, []*Frame{head(10), head(11)}, func(i int, sent string) {
		if i == 1 && len(sent) > 45 {
			t.Errorf("line above: %d bytes: %q", len(sent), sent)
		}
	})
	drawn(t, []*Frame{list(0), list(1)}, func(i int, sent string) {
		if i == 1 && len(sent) > 60 {
			t.Errorf("selection: %d bytes: %q", len(sent), sent)
		}
	})
}

// A terminal that does not read holds up nobody, and gets the newest frame in
// the end.
func TestSlowTerminal(t *testing.T) {
	r, w := io.Pipe()
	p := NewPainter(w, false, func(error) {})
	go p.Run()
	for i := range 1000 { // would block if a frame waited for another
		p.Show(&Frame{Width: 20, Height: 1, Rows: []Row{{0, strings.Repeat("frame", i%2+1)}}})
	}
	p.Show(&Frame{Width: 20, Height: 1, Rows: []Row{{0, "THE LAST"}}})
	ended := make(chan error, 1)
	read := make(chan string, 1)
	go func() {
		var all strings.Builder
		buf := make([]byte, 64)
		for {
			n, err := r.Read(buf)
			all.Write(buf[:n])
			if err != nil || strings.Contains(all.String(), "THE LAST") {
				break
			}
		}
		read <- all.String()
		_, _ = io.Copy(io.Discard, r)
	}()
	if got := <-read; strings.Count(got, "frame") > 6 {
		t.Errorf("old frames were sent: %q", got)
	}
	go func() { ended <- p.End("bye") }()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.Close()
}
