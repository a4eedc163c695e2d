package buffer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// cellsOf measures a character as a terminal does that shows something for each.
func cellsOf(g string, col int) int {
	if g == "\t" {
		return TabStop - col%TabStop
	}
	return max(ansi.StringWidth(g), 1)
}

func TestRowsOfAText(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"one two three", 8, []string{"one two ", "three"}},
		{"one two three", 7, []string{"one two ", "three"}},
		{"onetwothree four", 6, []string{"onetwo", "three ", "four"}},
		{"日本語の文章", 5, []string{"日本", "語の", "文章"}},
		{"ab 日本語", 6, []string{"ab 日", "本語"}},
		{"a\tb\tc", 6, []string{"a\tb\t", "c"}},
		{"👩‍👩‍👧👩‍👩‍👧", 3, []string{"👩‍👩‍👧", "👩‍👩‍👧"}},
		{"e\u0301e\u0301e\u0301", 2, []string{"e\u0301e\u0301", "e\u0301"}},
		{"", 5, []string{""}},
		{"x   ", 2, []string{"x   "}},
	} {
		r := NewRows(NewText(c.text), c.width, cellsOf)
		var got []string
		for row, ok := r.At(0), true; ok; row, ok = r.Next(row) {
			got = append(got, c.text[row.From:row.To])
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// FuzzRows walks through the rows of a text, down and up again: they cover it,
// in both directions alike, and no row is wider than it may be.
func FuzzRows(f *testing.F) {
	f.Add("one two\nthree\r\n\n日本語の文章\tx", 7)
	f.Add(strings.Repeat("深", 9000), 40)
	f.Add(strings.Repeat("word ", 5000)+"\n", 33)
	f.Add("a\u0300\u0300\u200d\u202ex\x00", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 2 || width > 500 || len(text) > 100<<10 {
			t.Skip("no such window, or no such post")
		}
		r := NewRows(NewText(text), width, cellsOf)
		var down []Row
		row, ok := r.At(0), true
		for ; ok; row, ok = r.Next(row) {
			if len(down) > 0 && row.From < down[len(down)-1].To {
				t.Fatalf("row %v follows %v", row, down[len(down)-1])
			}
			down = append(down, row)
			shown := strings.TrimRight(text[row.From:row.To], " \t\r")
			col := 0
			for rest := shown; rest != ""; {
				g := Character(rest)
				col += cellsOf(g, col)
				rest = rest[len(g):]
			}
			if col > max(width, TabStop) {
				t.Fatalf("row %q takes %d cells of %d", shown, col, width)
			}
			if at := r.Offset(row, 0); at < row.From || at > row.To {
				t.Fatalf("place %d is not in %v", at, row)
			}
		}
		for i := len(down) - 1; i > 0; i-- {
			up, ok := r.Previous(down[i])
			if !ok || up != down[i-1] {
				t.Fatalf("above %v is %v, want %v", down[i], up, down[i-1])
			}
		}
	})
}
