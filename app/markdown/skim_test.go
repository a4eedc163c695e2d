package markdown

import (
	"strings"
	"testing"
)

func TestSkimAndReadAgree(t *testing.T) {
	for _, src := range []string{
		"---\ntitle: A b\ndate: 2021-04-08\ntags: [x, 'y z']\n---\n\n# A b\n\nSome words of text,\nover lines.\n\n```go\ncode here\n```\n\nMore.\n",
		"---\r\ntitle: A b\r\n---\r\nSome words,\r\nover lines.\r\n",
		"---\ntitle: 题\ntags:\n  - 一\n---\n" + strings.Repeat("给你一个字符串。", 200),
		"---\ntitle: A\n---\n",
		"# A heading (of 2 words)\n\nText.\n",
		"@def title = \"A b\"\n@def date = Date(2021, 4, 8)\n@def tags = [\"x\", \"y z\"] # two\n\n# Other\n\nSome words,\nover lines.\n",
		"+++\ntitle = \"A b\"\ndate = Date(2021, 4, 8)\ntags = [\n  \"x\",\n]\n+++\n\nSome words.\n",
		"@def hascode = true\n\n# Welcome to my blog\n\n<!-- \\toc -->\n\nThis is text.\n",
	} {
		o := Options{Path: "p.md"}
		if src[0] == '@' || src[0] == '+' {
			o.Site = NewSite(Franklin, nil, nil)
		}
		if !agree(t, src, o) {
			t.Errorf("not skimmed: %q", src)
			continue
		}
		quick, _ := Skim([]byte(src), o)
		full := Read([]byte(src), o)
		if n := quick.Words - full.Words; n < -10 || n > 10+full.Words/10 {
			t.Errorf("%q: %d words, estimated as %d", src, full.Words, quick.Words)
		}
	}
}

// agree fails if Skim finds anything else than Read does, but for the number of
// words, and reports whether it has not declined.
func agree(t *testing.T, src string, o Options) bool {
	t.Helper()
	quick, ok := Skim([]byte(src), o)
	if !ok {
		return false
	}
	full := Read([]byte(src), o)
	if quick.Front.Kind != full.Front.Kind || quick.Front.Text != full.Front.Text || quick.Front.Line != full.Front.Line ||
		quick.BodyLine != full.BodyLine || normalizeNewlines(string(quick.Body)) != normalizeNewlines(string(full.Body)) ||
		len(full.Problems) > 0 {
		t.Errorf("%q: skimmed %+v, read %+v", src, quick, full)
	}
	if quick.Heading != "" && quick.Heading != full.Heading {
		t.Errorf("%q: heading %q, read %q", src, quick.Heading, full.Heading)
	}
	return true
}

// FuzzSkim: what Skim accepts it reads as Read does.
func FuzzSkim(f *testing.F) {
	for _, s := range []string{"---\na: 1\n---\nx", "---\r\na: 1\r\n---\r\nx", "+++\na = [1,\n2]\n+++\n", "---\na: 1\n...\n---\n", "---\n---\n", "# a\n===\n<!--",
		"@def a = 1\n# b\n", "+++\na = Date(2020,1,2) # c\n+++\n\n# d\n", "---\n\n---\n"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, src string, franklin bool) {
		// Of one dialect: Skim does not look for its marks in the text.
		o := Options{Dialect: Plain}
		if franklin {
			o = Options{Dialect: Franklin, Site: NewSite(Franklin, nil, nil)}
		}
		if strings.ToValidUTF8(src, "") == src {
			agree(t, src, o)
		}
	})
}

func TestOpenFence(t *testing.T) {
	for _, c := range []struct {
		src     string
		dialect Dialect
		line    int
	}{
		{"a\n```go\nb\n```\n", Plain, 0},
		{"a\n```go\nb\n", Plain, 2},
		{"---\nt: 1\n---\n~~~\nb\n", Plain, 4},
		{"~~~\n<b>\n", Franklin, 0},
		{"````\n```\n````\n", Plain, 0},
		{"```\n~~~\n```\n", Plain, 0},
		{"```a``` b\n", Plain, 0},
		{"> ```\n> a\n> ```\n", Plain, 0},
		{"```\n```js\n", Plain, 1},
	} {
		if got := Read([]byte(c.src), Options{Dialect: c.dialect}).OpenFence(); got != c.line {
			t.Errorf("%q: line %d, want %d", c.src, got, c.line)
		}
	}
}

func TestIdeographs(t *testing.T) {
	simple := func(s string) (n int) {
		for _, r := range s {
			if r >= 0x3040 && r <= 0x9fff {
				n++
			}
		}
		return n
	}
	for _, text := range []string{"", "a", "字", "plain words only", "日本語のテキスト、です。そして", "سلام دنیا", "가나다라", "e é ü 漢", "…—“”　　、", "𠀀𠀁", "ab〿぀ヿ鿿ꀀ"} {
		for pad := range 9 {
			for _, s := range []string{strings.Repeat("x", pad) + text, text + strings.Repeat("x", pad), strings.Repeat(text, pad)} {
				if got := ideographs([]byte(s)); got != simple(s) {
					t.Errorf("%q: %d, want %d", s, got, simple(s))
				}
			}
		}
	}
}

func TestPlainText(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"# A *b*\n\ntext `code` [l](x.md) ![i](y.png)\n", "\x02A b\n\ntext code l i\n"},
		{"---\nt: 1\n---\n- a\n> b\n", "a\nb\n"},
		{"```\n# *code*\n```\n*b*\n", "\n# *code*\n\nb\n"},
		{"````\n```\n*a*\n````\n*b*\n", "\n```\n*a*\n\nb\n"},
		{"```a``` *b*\n", "a b\n"},
		{"<!-- x\ny --> z\n<b>w</b> {{< s >}}\n", "\n z\nw \n"},
		{"@def a = 1\n~~~\n<b>x</b>\n~~~\ny\n", "\n\nx\n\ny\n"},
	} {
		if got := string(Read([]byte(c.src), Options{}).PlainText()); got != c.want {
			t.Errorf("%q: %q, want %q", c.src, got, c.want)
		}
	}
}
