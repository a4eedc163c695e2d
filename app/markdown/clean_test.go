package markdown

import (
	"testing"
	"unicode/utf8"
)

// FuzzClean: nothing that comes out moves a cursor, begins a sequence or turns
// a text round, and what is clean stays as it is.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred\x1b[m", "\x9b2J", "a\u009bb", "x\u202ey\u2066z", "tab\tand\nline\r\n", "\xff\xfe", "e\u0301 👩‍👩‍👧", "\x1b]8;;x\x07y", "\u0085\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		for _, r := range got {
			switch {
			case r == '\n', r == '\t':
			case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
				t.Fatalf("%U of %q is in %q", r, s, got)
			}
		}
		if again := Clean(got); again != got {
			t.Fatalf("%q becomes %q", got, again)
		}
	})
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"a title":                   "a title",
		" a\ttitle\r\nof two\n":     "a title of two",
		"\x1b]0;x\a red\x1b[31m":    "]0;x red[31m",
		"a\u2028b\u202ec\u00a0\xff": "a bc \ufffd",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
