package typeset_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

var update = flag.Bool("update", false, "write the golden pages anew")

var header = typeset.Header{Title: "On wind", Note: "8 April 2021 · 4 min · #sea"}

func parse(t testing.TB, name string) *markdown.Document {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return markdown.Parse(src, markdown.Options{})
}

func samples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatal("no samples", err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".md"))
	}
	return names
}

// TestGolden compares a page of every sample. Escape shows as ␛, so that the
// files can be read.
func TestGolden(t *testing.T) {
	s := typeset.New(1 << 20)
	for _, name := range samples(t) {
		d := parse(t, name)
		for _, theme := range []string{"dark", "light", "plain", "mono"} {
			for _, width := range []int{80, 40} {
				if theme != "dark" && theme != "plain" && width == 40 {
					continue
				}
				file := fmt.Sprintf("testdata/%s.%s%d.txt", name, theme, width)
				got := strings.Join(s.Page(d, header, width, typeset.Theme{Name: theme}).Lines, "\n") + "\n"
				got = strings.ReplaceAll(got, "\x1b", "␛")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs (go test -update writes it anew):\n%s", file, firstDifference(got, string(want)))
				}
			}
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			other := "(nothing)"
			if i < len(w) {
				other = w[i]
			}
			return fmt.Sprintf("line %d\n got %q\nwant %q", i+1, g[i], other)
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(w))
}

var (
	allowed = regexp.MustCompile("\x1b\\[[0-9;]*m|\x1b\\]8;;[!-~]*\x1b\\\\")
	sgr     = regexp.MustCompile("\x1b\\[[0-9;]*m")
	osc8    = regexp.MustCompile("\x1b\\]8;;[^\x1b]*\x1b\\\\")
)

// promises checks what every line of every page must keep.
func promises(t *testing.T, p *typeset.Page, width int, theme string) {
	t.Helper()
	if p.Problem != "" {
		t.Errorf("width %d %s: %s", width, theme, p.Problem)
	}
	for i, l := range p.Lines {
		fail := func(what string) {
			t.Helper()
			t.Errorf("width %d, %s, line %d: %s: %q", width, theme, i, what, l)
		}
		if ansi.StringWidth(l) > width {
			fail("too wide")
		}
		text := allowed.ReplaceAllString(l, "")
		for _, r := range text {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				fail(fmt.Sprintf("holds %U", r))
			}
		}
		if strings.HasSuffix(text, " ") {
			fail("ends in blanks")
		}
		if m := sgr.FindAllString(l, -1); len(m) > 0 && m[len(m)-1] != "\x1b[m" {
			fail("leaves a style open")
		}
		if m := osc8.FindAllString(l, -1); len(m) > 0 && m[len(m)-1] != "\x1b]8;;\x1b\\" {
			fail("leaves a link open")
		}
		if theme == "plain" && strings.Contains(l, "\x1b") {
			fail("has an escape sequence")
		}
	}
	last := 0
	for _, s := range p.Starts {
		if s.Line < last || s.Line >= len(p.Lines) {
			t.Errorf("width %d, %s: start %+v of %d lines after %d", width, theme, s, len(p.Lines), last)
		}
		last = s.Line
	}
	for _, l := range p.Links {
		for _, at := range append([]typeset.Place{{Line: l.Line, Col: l.Col, Cells: l.Cells}}, l.Rest...) {
			if at.Line < 0 || at.Line >= len(p.Lines) || at.Col+at.Cells > width {
				t.Errorf("width %d, %s: link %q at %+v", width, theme, l.Target, at)
			}
		}
	}
}

func TestEveryWidthKeepsThePromises(t *testing.T) {
	for _, name := range samples(t) {
		d := parse(t, name)
		s := typeset.New(1)
		for width := 1; width <= 100; width++ {
			for _, theme := range []string{"dark", "plain"} {
				promises(t, s.Page(d, header, width, typeset.Theme{Name: theme}), width, theme)
			}
		}
	}
}

// Controls that reach a document by any way stay off the page.
func TestControls(t *testing.T) {
	bad := "a\x1b]52;c;AAAA\x07b\u009b31mc\u202ed &#27;[2J \x00e"
	src := "# " + bad + "\n\n" + bad + " `" + bad + "` [" + bad + "](https://example.com/" + "\x1b]0;x\x07" + ")\n\n```go " + bad + "\n" + bad +
		"\n```\n\n| " + bad + " |\n|---|\n| " + bad + " |\n\n![" + bad + "](x\x1b.png)\n"
	d := markdown.Parse([]byte(src), markdown.Options{})
	h := typeset.Header{Title: bad, Note: bad}
	for _, theme := range []string{"dark", "plain"} {
		promises(t, typeset.New(1).Page(d, h, 60, typeset.Theme{Name: theme}), 60, theme)
	}
}

func TestLinksKnowTheirPlace(t *testing.T) {
	d := markdown.Parse([]byte("See [the long text of a link](https://example.com/a) and [here](other.md).\n\n## There\n"), markdown.Options{})
	p := typeset.New(1).Page(d, typeset.Header{}, 20, typeset.Theme{})
	if len(p.Links) != 2 {
		t.Fatalf("links: %+v", p.Links)
	}
	l := p.Links[0]
	if l.Target != "https://example.com/a" || l.Text != "the long text of a link" || len(l.Rest) != 1 {
		t.Errorf("link: %+v", l)
	}
	if got := ansi.Strip(ansi.Cut(p.Lines[l.Line], l.Col, l.Col+l.Cells)); got != "the long text of" {
		t.Errorf("the link stands at %q", got)
	}
	if got := ansi.Strip(ansi.Cut(p.Lines[l.Rest[0].Line], l.Rest[0].Col, l.Rest[0].Col+l.Rest[0].Cells)); got != "a link" {
		t.Errorf("the link goes on at %q", got)
	}
	if len(p.Heads) != 1 || ansi.Strip(p.Lines[p.Heads[0].Line]) != "There" {
		t.Errorf("heads: %+v", p.Heads)
	}
	if strings.Contains(strings.Join(p.Lines, "\n"), ";;other.md") {
		t.Error("a relative target stands in an OSC 8")
	}
}

func TestHyperlinksOfOtherSchemesAreNotSet(t *testing.T) {
	d := markdown.Parse([]byte("[a](javascript:alert(1)) [b](file:///etc/passwd) [c](https://пример.рф/п) [d](ssh://h)\n"), markdown.Options{})
	for _, m := range osc8.FindAllString(strings.Join(typeset.New(1).Page(d, typeset.Header{}, 80, typeset.Theme{}).Lines, "\n"), -1) {
		if m != "\x1b]8;;\x1b\\" && !strings.HasPrefix(m, "\x1b]8;;https://%D0%BF") {
			t.Errorf("%q", m)
		}
	}
}

func TestFoldedCodeStaysWhole(t *testing.T) {
	line := "x = first_function(alpha) + second_function(beta)\t# and a comment"
	d := markdown.Parse([]byte("```python\n"+line+"\n```\n"), markdown.Options{})
	p := typeset.New(1).Page(d, typeset.Header{}, 30, typeset.Theme{Name: "plain"})
	if len(p.Codes) != 1 || p.Codes[0].Text != line || p.Codes[0].Lang != "python" {
		t.Errorf("codes: %+v", p.Codes)
	}
	if !strings.HasSuffix(p.Lines[0], "↩") || !strings.Contains(p.Lines[1], "↳") {
		t.Errorf("not marked:\n%s", strings.Join(p.Lines, "\n"))
	}
}

func TestPageIsMadeOnceForEverybody(t *testing.T) {
	d := parse(t, "prose")
	s := typeset.New(1 << 20)
	pages := make([]*typeset.Page, 50)
	var wg sync.WaitGroup
	for i := range pages {
		wg.Go(func() { pages[i] = s.Page(d, header, 70+i%2, typeset.Theme{Name: "dark"}) })
	}
	wg.Wait()
	for i, p := range pages {
		if p != pages[i%2] {
			t.Fatalf("page %d was set again", i)
		}
	}
	if st := s.Stats(); st.Set != 2 || st.Shared != 48 || st.Pages != 2 || st.Bytes == 0 {
		t.Errorf("figures: %+v", st)
	}
}

// Sessions share documents, and chroma's lexers, which are made at their first
// use.
func TestPagesOfOneDocumentSideBySide(t *testing.T) {
	for _, name := range samples(t) {
		d := parse(t, name)
		s := typeset.New(1 << 20)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { promises(t, s.Page(d, header, 60+i, typeset.Theme{Name: "dark"}), 60+i, "dark") })
		}
		wg.Wait()
	}
}

func TestCacheForgetsTheOldest(t *testing.T) {
	d := parse(t, "prose")
	small := typeset.New(1)
	first := small.Page(d, header, 60, typeset.Theme{})
	if small.Page(d, header, 60, typeset.Theme{}) != first {
		t.Error("the last page is not kept")
	}
	small.Page(d, header, 61, typeset.Theme{})
	if small.Page(d, header, 60, typeset.Theme{}) == first {
		t.Error("a cache of one byte holds two pages")
	}
	big := typeset.New(1 << 20)
	first = big.Page(d, header, 60, typeset.Theme{})
	for w := 20; w < 60; w++ {
		big.Page(d, header, w, typeset.Theme{})
	}
	if big.Page(d, header, 60, typeset.Theme{}) != first {
		t.Error("a page was forgotten although there was room")
	}
}

// A tree that breaks the rules costs one page.
func TestPanicCostsOnePage(t *testing.T) {
	d := parse(t, "prose")
	broken := *d
	broken.Root = nil
	broken.Text = "the text\nof the post"
	p := typeset.New(1).Page(&broken, header, 60, typeset.Theme{Name: "plain"})
	if all := strings.Join(p.Lines, "\n"); p.Problem == "" || !strings.Contains(all, "the text\n") || !strings.Contains(all, "could not be set") {
		t.Errorf("problem %q, page:\n%s", p.Problem, all)
	}
}

func TestHostileSizes(t *testing.T) {
	for name, src := range map[string]string{
		"word":     strings.Repeat("x", 1<<18),
		"cyrillic": strings.Repeat("ж", 1<<17),
		"emoji":    strings.Repeat("👩‍👩‍👧", 1<<13),
		"joiners":  "a" + strings.Repeat("\u200c\u200d", 1<<15),
		"han":      strings.Repeat("漢", 1<<16),
		"marks":    "e" + strings.Repeat("\u0301", 1<<14),
		"quotes":   strings.Repeat("> ", 200) + "deep",
		"lists":    strings.Repeat("- ", 200) + "deep",
		"code":     "```go\n" + strings.Repeat("x := f(1, \"a\") // c\n", 10000) + "```\n",
		"codeline": "```js\n" + strings.Repeat("f(1);", 1<<14) + "\n```\n",
		"table":    "|" + strings.Repeat("a|", 500) + "\n|" + strings.Repeat("-|", 500) + "\n" + strings.Repeat("|"+strings.Repeat("b|", 500)+"\n", 20),
		"heads":    strings.Repeat("## head\n", 3000),
		"url":      "<https://example.com/" + strings.Repeat("a/", 5000) + ">",
	} {
		d := markdown.Parse([]byte(src), markdown.Options{})
		for _, w := range []int{20, 80} {
			start := time.Now()
			p := typeset.New(1).Page(d, typeset.Header{}, w, typeset.Theme{})
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s takes %v", name, took)
			}
			promises(t, p, w, "dark")
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, name := range samples(f) {
		src, err := os.ReadFile("testdata/" + name + ".md")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, 40)
	}
	s := typeset.New(1)
	f.Fuzz(func(t *testing.T, src []byte, width int) {
		width = 1 + (width%120+120)%120
		d := markdown.Parse(src, markdown.Options{})
		for _, theme := range []string{"dark", "plain"} {
			promises(t, s.Page(d, typeset.Header{}, width, typeset.Theme{Name: theme}), width, theme)
		}
	})
}

func TestWrapAndTruncate(t *testing.T) {
	if got := typeset.Wrap("（これは長い文章です。）と続く。", 10); strings.Join(got, "|") != "（これは長|い文章で|す。）と続|く。" {
		t.Errorf("%q", strings.Join(got, "|"))
	}
	if got := typeset.Truncate("\x1b[1mbold words\x1b[m", 6); ansi.Strip(got) != "bold …" {
		t.Errorf("%q", got)
	}
}

func BenchmarkPage(b *testing.B) {
	src, err := os.ReadFile("testdata/prose.md")
	if err != nil {
		b.Fatal(err)
	}
	for len(src) < 10<<10 {
		src = append(append(src, '\n'), src...)
	}
	d := markdown.Parse(src[:10<<10], markdown.Options{})
	b.Run("set", func(b *testing.B) {
		b.ReportAllocs()
		s := typeset.New(1)
		for i := range b.N {
			s.Page(d, header, 70+i%2, typeset.Theme{Name: "dark"})
		}
	})
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		s := typeset.New(1 << 20)
		for range b.N {
			s.Page(d, header, 70, typeset.Theme{Name: "dark"})
		}
	})
}
