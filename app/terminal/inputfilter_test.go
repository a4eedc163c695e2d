package terminal

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestInputFilter(t *testing.T) {
	long := strings.Repeat("a", 200)
	str := strings.Repeat("s", maxString+10)
	for _, c := range []struct{ name, in, want string }{
		{"letters", "jjj\r\x03", "jjj\r\x03"},
		{"arrows", "\x1b[A\x1bOB\x1b[1;5C", "\x1b[A\x1bOB\x1b[1;5C"},
		{"mouse", "\x1b[<0;10;20M\x1b[<0;10;20m", "\x1b[<0;10;20M\x1b[<0;10;20m"},
		{"alt", "\x1bf\x1b\x1b[A\x1bé", "\x1bf\x1b\x1b[A\x1bé"},
		{"utf-8", "é日本😀", "é日本😀"},
		{"answers", "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b]11;x\a\x1bP>|xterm\x1b\\\x1b[?62c", "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b]11;x\a\x1bP>|xterm\x1b\\\x1b[?62c"},
		{"a paste", "\x1b[200~a\nb\x1b[201~j", "\x1b[200~a\nb\x1b[201~j"},
		{"a long paste is cut", "\x1b[200~" + long + "\x1b[201~j", "\x1b[200~" + long[:101] + "\x1b[201~j"},
		{"a paste without end is closed", "\x1b[200~" + long, "\x1b[200~" + long[:101] + "\x1b[201~"},
		{"a long string is closed", "\x1b]" + str + "\ajj", "\x1b]" + str[:maxString] + "\x1b\\jj"},
		{"a string without end is left by the next key", "\x1bP" + str + "\x1b[Aj", "\x1bP" + str[:maxString] + "\x1b\\\x1b[Aj"},
		{"C1 bytes", "a\x9d52;x\x90\x9bj", "a52;xj"},
		{"a string is cut, and another begins", "\x1bP" + str + "\x1b]11;x\a", "\x1bP" + str[:maxString] + "\x1b\\\x1b]11;x\a"},
		{"C1 as bytes of a character", "\xc3\x9d", "\xc3\x9d"},
	} {
		for _, step := range []int{1, 3, 1 << 20} {
			f := InputFilter{MaxPaste: 100}
			var got []byte
			for in := []byte(c.in); len(in) > 0; {
				n := min(step, len(in))
				got = f.Filter(got, in[:n])
				in = in[n:]
			}
			if string(got) != c.want {
				t.Errorf("%s in steps of %d: %.300q, want %.300q", c.name, step, got, c.want)
			}
		}
	}
}

// What is open when something is missing is closed, and what comes next is read
// as if nothing had been before.
func TestInputFilterAfterALoss(t *testing.T) {
	for before, closes := range map[string]string{
		"":                                     "",
		"j\x1b[A":                              "",
		"\x1b[1;":                              "",
		"\xc3":                                 "",
		"\x1b[200~abc":                         "\x1b[201~",
		"\x1b[200~abc\x1b[20":                  "\x1b[201~",
		"\x1b[200~" + strings.Repeat("a", 200): "",
		"\x1b]11;rgb":                          "\x1b\\",
		"\x1b]11;rgb\x1b":                      "\x1b\\",
		"\x1bP" + strings.Repeat("s", maxString+9): "",
	} {
		f := InputFilter{MaxPaste: 100}
		f.Filter(nil, []byte(before))
		if got := f.Lost(nil); string(got) != closes {
			t.Errorf("%.40q: %q, want %q", before, got, closes)
		}
		const next = "1~j\x1b[Aé\x1b[200~b\x1b[201~"
		if got := f.Filter(nil, []byte(next)); string(got) != next {
			t.Errorf("after %.40q: %q", before, got)
		}
	}
}

// Whatever is typed and however it is cut into packets, no paste and no string
// is longer than allowed, and not much is added.
func FuzzInputFilter(f *testing.F) {
	f.Add([]byte("\x1b[200~abc\x1b[201~j\x1b]0;x\a"), 3)
	f.Add([]byte("\x1bPq\x1b\x1b[\x1b[200~\x1b[20\x1b[201~"), 1)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		step = max(step&0xff, 1)
		in = append(bytes.Repeat(in, 1+2*maxString/(len(in)+1)), in...)
		whole := (&InputFilter{MaxPaste: 1000}).Filter(nil, in)
		filter := InputFilter{MaxPaste: 1000}
		var got []byte
		for rest := in; len(rest) > 0; {
			n := min(step, len(rest))
			got = filter.Filter(got, rest[:n])
			rest = rest[n:]
		}
		if !bytes.Equal(got, whole) {
			t.Fatal("packets make a difference")
		}
		for rest := got; ; {
			i := bytes.Index(rest, []byte("\x1b[200~"))
			if i < 0 {
				break
			}
			rest = rest[i+6:]
			end := bytes.Index(rest, []byte(pasteEnd))
			if end < 0 {
				end = len(rest)
			}
			if end > 1000+len(pasteEnd)+1 && !bytes.Contains(rest[:end], []byte{0x1b}) {
				t.Fatalf("a paste of %d bytes", end)
			}
		}
		run := 0 // letters since the last thing that ends a string
		inString := false
		for i := 0; i < len(got); i++ {
			switch {
			case got[i] == 0x1b && i+1 < len(got) && bytes.IndexByte([]byte("]PX^_"), got[i+1]) >= 0:
				inString, run = true, 0
				i++
			case got[i] == 0x1b, got[i] == 7, got[i] == 0x18, got[i] == 0x1a:
				inString = false
			default:
				if run++; inString && run > maxString {
					// Inside of a paste these are only letters.
					if !bytes.Contains(got[:i], []byte("\x1b[200~")) {
						t.Fatalf("a string of %d bytes", run)
					}
				}
			}
		}
		if len(got) > len(in)+len(in)/100+64 {
			t.Fatalf("%d bytes became %d", len(in), len(got))
		}
	})
}

// What the filter lets through means to a decoder what was sent.
func FuzzFilteredMeansTheSame(f *testing.F) {
	f.Add("j\x1b[A\x1bOPé\x1b\x1b]11;rgb:ff/ff/ff\x07\x1b[[A")
	f.Add("\x1b[200~a\x1b\x1b[201~j\x1b]x\x18\x1bP\x1b\x1b]y\x1b\\")
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) == 0 || len(in) > maxString || !utf8.ValidString(in) {
			t.Skip("bounds and wrong bytes make a difference")
		}
		filter := InputFilter{MaxPaste: DefaultMaxPaste}
		var sent, passed Decoder
		want := sent.Feed([]byte(in))
		if got := passed.Feed(filter.Filter(nil, []byte(in))); !slices.Equal(got, want) || passed.Waiting() != sent.Waiting() {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	})
}
