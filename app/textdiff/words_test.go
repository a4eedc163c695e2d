package textdiff

import (
	"fmt"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"a b", "a b", " a b"},
		{"a quick fox", "a slow fox", " a |-quick|+slow|  fox"},
		{"one two three", "one 2 3", " one |-two three|+2 3"},
		{"don't go", "do go", "-don't|+do|  go"},
		{"end.", "end!", " end|-.|+!"},
		{"我喜欢海", "我喜欢山", " 我喜欢|-海|+山"},
		{"한국어", "한국말", " 한국|-어|+말"},
		{"caf\u0065\u0301 x", "cafe x", "-cafe\u0301|+cafe|  x"},
		{"👩\u200d💻 a", "👩\u200d🔬 a", "-👩\u200d💻|+👩\u200d🔬|  a"},
		{"a\nb\nc\n", "a\nc\n", " a\n|-b\n| c\n"},
		{"x = 1\n", "x = 10\n", " x = |-1|+10| \n"},
		{"", "new\n", "+new\n"},
		{"\xff a", "\xfe a", "-\xff|+\xfe|  a"},
	} {
		var got []string
		for _, s := range Words(c.a, c.b) {
			got = append(got, string(s.Kind)+s.Text)
		}
		if g := strings.Join(got, "|"); g != c.want {
			t.Errorf("%q to %q:\n%q\nwant\n%q", c.a, c.b, g, c.want)
		}
	}
}

func wholeWords(tb testing.TB, a, b string) {
	tb.Helper()
	var old, now strings.Builder
	last := byte(0)
	for _, s := range Words(a, b) {
		if s.Kind != '+' {
			old.WriteString(s.Text)
		}
		if s.Kind != '-' {
			now.WriteString(s.Text)
		}
		if s.Kind == last || s.Text == "" {
			tb.Fatalf("%q to %q: two spans for one at %q", a, b, s.Text)
		}
		last = s.Kind
	}
	if old.String() != a || now.String() != b {
		tb.Fatalf("%q to %q: gave %q and %q", a, b, old.String(), now.String())
	}
}

func FuzzWords(f *testing.F) {
	f.Add("a quick\nfox", "a slow\n fox")
	f.Add("我喜欢海", "我  喜欢\u0301山")
	f.Fuzz(func(t *testing.T, a, b string) { wholeWords(t, a, b) })
}

func TestWordsOfLargeTexts(t *testing.T) {
	var a, b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&a, "the %d old words of line %d\n", i, i)
		fmt.Fprintf(&b, "all %d new ones in line %d\n", i+1, i)
	}
	wholeWords(t, a.String(), b.String())
}
