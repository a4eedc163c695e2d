package textdiff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnified(t *testing.T) {
	lines := func(n int, change map[int]string) string {
		var b strings.Builder
		for i := 1; i <= n; i++ {
			if s, ok := change[i]; ok {
				b.WriteString(s)
			} else {
				fmt.Fprintf(&b, "%d\n", i)
			}
		}
		return b.String()
	}
	for _, c := range [][3]string{
		{"", "", ""},
		{"a\n", "a\n", ""},
		{"", "a\nb\n", "@@@ -0,0 +1,2 @@\n+a\n+b\n"},
		{"a\n", "", "@@@ -1,1 +0,0 @@\n-a\n"},
		{lines(7, nil), lines(7, map[int]string{5: "X\n"}), "@@@ -2,6 +2,6 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n"},
		{lines(20, nil), lines(20, map[int]string{2: "", 10: "X\n10\n"}), "@@@ -1,5 +1,4 @@\n 1\n-2\n 3\n 4\n 5\n@@@ -7,6 +6,7 @@\n 7\n 8\n 9\n+X\n 10\n 11\n 12\n"},
		{lines(12, nil), lines(12, map[int]string{2: "", 9: ""}), "@@@ -1,12 +1,10 @@\n 1\n-2\n 3\n 4\n 5\n 6\n 7\n 8\n-9\n 10\n 11\n 12\n"},
		{"a\nb", "a\nb\n", "@@@ -1,2 +1,2 @@\n a\n-b\n@no line end at the end\n+b\n"},
		{"a\r\n", "a\n", "@@@ -1,1 +1,1 @@\n-a␍\n+a\n"},
		{"\x1b[2Ja\n", "\u202eb\n", "@@@ -1,1 +1,1 @@\n-\x1b[2Ja\n+\u202eb\n"},
		{"\xff\n", "a\n", "@not text, and not the same\n"},
	} {
		got := ""
		for _, l := range Unified([]byte(c[0]), []byte(c[1])) {
			got += string(l.Kind) + l.Text + "\n"
		}
		if got != c[2] {
			t.Errorf("%q to %q:\n%s\nwant\n%s", c[0], c[1], got, c[2])
		}
	}
}

func TestDiffIsShortest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		var b bytes.Buffer
		for range r.IntN(30) {
			fmt.Fprintf(&b, "%c\n", 'a'+r.IntN(4))
		}
		return b.Bytes()
	}
	for range 2000 {
		a, b := splitLines(text()), splitLines(text())
		common := make([][]int, len(a)+1) // the longest common subsequence, by its definition
		for i := range common {
			common[i] = make([]int, len(b)+1)
		}
		for i := range a {
			for j := range b {
				if common[i+1][j+1] = max(common[i][j+1], common[i+1][j]); bytes.Equal(a[i], b[j]) {
					common[i+1][j+1] = common[i][j] + 1
				}
			}
		}
		changed := 0
		for _, s := range editScript(a, b) {
			if s.kind != ' ' {
				changed++
			}
		}
		if want := len(a) + len(b) - 2*common[len(a)][len(b)]; changed != want {
			t.Fatalf("%q to %q: %d lines changed, %d would do", a, b, changed, want)
		}
	}
}

func TestDiffOfTextsThatHaveNothingInCommon(t *testing.T) {
	var a, b bytes.Buffer
	for i := range 50000 {
		fmt.Fprintf(&a, "a%d\n", i)
		fmt.Fprintf(&b, "b%d\n", i)
	}
	if n := len(Unified(a.Bytes(), b.Bytes())); n != 100001 {
		t.Errorf("%d lines", n)
	}
}

// FuzzDiff: the diff makes the one text of the other.
func FuzzDiff(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nc\nd"))
	f.Add([]byte("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), []byte("1\n3\n4\n5\n6\n7\n8\n9\nx\n"))
	f.Add([]byte("\r\n\r\n"), []byte("\n\r"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var before, after bytes.Buffer
		for _, s := range editScript(splitLines(a), splitLines(b)) {
			if s.kind != '+' {
				before.Write(s.line)
			}
			if s.kind != '-' {
				after.Write(s.line)
			}
		}
		if !bytes.Equal(before.Bytes(), a) || !bytes.Equal(after.Bytes(), b) {
			t.Fatalf("%q to %q: from %q to %q", a, b, before.Bytes(), after.Bytes())
		}
		// What is shown can be applied: the places are right.
		if !utf8.Valid(a) || !utf8.Valid(b) {
			return
		}
		shown := Unified(a, b)
		if (len(shown) == 0) != bytes.Equal(a, b) {
			t.Fatalf("%q to %q: %d lines", a, b, len(shown))
		}
		old, now := splitLines(a), splitLines(b)
		x, y := 0, 0
		for _, l := range shown {
			switch l.Kind {
			case '@':
				var i, n, j, m int
				if _, err := fmt.Sscanf(l.Text, "@@ -%d,%d +%d,%d @@", &i, &n, &j, &m); err != nil {
					continue
				}
				if n > 0 {
					i--
				}
				if m > 0 {
					j--
				}
				if i-x != j-y || i < x || i+n > len(old) || j+m > len(now) {
					t.Fatalf("%q to %q: %q at %d, %d", a, b, l.Text, x, y)
				}
				x, y = i, j
			case '-':
				x++
			case '+':
				y++
			default:
				if !bytes.Equal(old[x], now[y]) {
					t.Fatalf("%q to %q: line %d is not line %d", a, b, x+1, y+1)
				}
				x, y = x+1, y+1
			}
		}
	})
}
