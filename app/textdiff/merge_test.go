package textdiff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// shown is a merge in one line: the kind, and the texts of what differs.
func shown(hunks []Hunk) string {
	var b strings.Builder
	for _, h := range hunks {
		switch h.Kind {
		case Same, Both:
			fmt.Fprintf(&b, "%c%q ", "=MT&!"[h.Kind], h.Mine)
		case Mine:
			fmt.Fprintf(&b, "M%q>%q ", h.Base, h.Mine)
		case Theirs:
			fmt.Fprintf(&b, "T%q>%q ", h.Base, h.Theirs)
		default:
			fmt.Fprintf(&b, "!%q>%q|%q ", h.Base, h.Mine, h.Theirs)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestMerge(t *testing.T) {
	for _, c := range []struct{ name, base, mine, theirs, want string }{
		{"nothing", "", "", "", ""},
		{"nobody", "a\nb\n", "a\nb\n", "a\nb\n", `="a\nb\n"`},
		{"one", "a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\n", `="a\n" M"b\n">"B\n" ="c\n"`},
		{"the other", "a\nb\nc\n", "a\nb\nc\n", "a\nc\n", `="a\n" T"b\n">"" ="c\n"`},
		{"each its own", "a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", `M"a\n">"A\n" ="b\nc\n" T"d\n">"D\n"`},
		{"the same", "a\nb\n", "a\nX\n", "a\nX\n", `="a\n" &"X\n"`},
		{"a clash", "a\nb\nc\n", "a\nM\nc\n", "a\nT\nc\n", `="a\n" !"b\n">"M\n"|"T\n" ="c\n"`},
		{"one changes what the other removes", "a\nb\nc\n", "a\nM\nc\n", "a\nc\n", `="a\n" !"b\n">"M\n"|"" ="c\n"`},
		{"both at the end", "a\n", "a\nm\n", "a\nt\n", `="a\n" !"">"m\n"|"t\n"`},
		{"the last line end", "a\nb", "a\nb\n", "a\nb", `="a\n" M"b">"b\n"`},
		{"both new", "", "m\n", "t\n", `!"">"m\n"|"t\n"`},
		{"line ends", "a\r\nb\r\n", "a\r\nB\r\n", "a\r\nb\r\nc\r\n", `="a\r\n" !"b\r\n">"B\r\n"|"b\r\nc\r\n"`},
	} {
		if got := shown(Merge([]byte(c.base), []byte(c.mine), []byte(c.theirs))); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// wholeTexts fails unless the hunks are the three texts, and their kinds true.
func wholeTexts(tb testing.TB, base, mine, theirs []byte) {
	tb.Helper()
	var b, m, t []byte
	for _, h := range Merge(base, mine, theirs) {
		b, m, t = append(b, h.Base...), append(m, h.Mine...), append(t, h.Theirs...)
		bm, bt, mt := bytes.Equal(h.Base, h.Mine), bytes.Equal(h.Base, h.Theirs), bytes.Equal(h.Mine, h.Theirs)
		want := Clash
		switch {
		case bm && bt:
			want = Same
		case bt:
			want = Mine
		case bm:
			want = Theirs
		case mt:
			want = Both
		}
		if h.Kind != want {
			tb.Fatalf("%q %q %q: %+v is of kind %d, not %d", base, mine, theirs, h, h.Kind, want)
		}
		if len(h.Base)+len(h.Mine)+len(h.Theirs) == 0 {
			tb.Fatalf("%q %q %q: an empty hunk", base, mine, theirs)
		}
	}
	if !bytes.Equal(b, base) || !bytes.Equal(m, mine) || !bytes.Equal(t, theirs) {
		tb.Fatalf("%q %q %q: gave %q %q %q", base, mine, theirs, b, m, t)
	}
}

func TestMergeKeepsEveryLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		var b bytes.Buffer
		for range r.IntN(20) {
			fmt.Fprintf(&b, "%c\n", 'a'+r.IntN(4))
		}
		return b.Bytes()
	}
	for range 3000 {
		wholeTexts(t, text(), text(), text())
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nc\nd"), []byte("x\na\nb\nc\n"))
	f.Add([]byte("a\na\na\n"), []byte("a\n"), []byte("a\na\na\na\n"))
	f.Add([]byte("\r\n\r\n"), []byte("\n\r"), []byte(""))
	f.Fuzz(func(t *testing.T, base, mine, theirs []byte) { wholeTexts(t, base, mine, theirs) })
}
