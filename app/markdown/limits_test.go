package markdown

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// allowed are the kinds a reader of the tree must know.
var allowed = func() map[ast.NodeKind]bool {
	m := map[ast.NodeKind]bool{}
	for _, k := range []ast.NodeKind{ast.KindDocument, ast.KindHeading, ast.KindParagraph, ast.KindTextBlock, ast.KindList, ast.KindListItem,
		ast.KindBlockquote, ast.KindFencedCodeBlock, ast.KindThematicBreak, ast.KindText, ast.KindString, ast.KindCodeSpan,
		ast.KindEmphasis, ast.KindLink, ast.KindAutoLink, ast.KindImage,
		extast.KindTable, extast.KindTableHeader, extast.KindTableRow, extast.KindTableCell, extast.KindStrikethrough,
		extast.KindTaskCheckBox, extast.KindDefinitionList, extast.KindDefinitionTerm, extast.KindDefinitionDescription,
		extast.KindFootnoteList, extast.KindFootnote, extast.KindFootnoteLink, extast.KindFootnoteBacklink,
		KindCallout, KindDetails, KindMathBlock, KindContents, KindMath, KindRaised, KindLowered, KindKey, KindMark} {
		m[k] = true
	}
	return m
}()

// sound fails if a document breaks what the package promises.
func sound(t *testing.T, src string, d *Document) {
	t.Helper()
	lines := strings.Count(normalizeNewlines(src), "\n") + 1
	okay := func(what, s string) {
		if Clean(s) != s {
			t.Errorf("%s holds %q", what, s)
		}
	}
	depth := 0
	err := ast.Walk(d.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		if depth++; depth > 2*maxTreeDepth+100 {
			t.Errorf("the tree is %d deep", depth)
		}
		if !allowed[n.Kind()] {
			t.Errorf("the tree holds a %s", n.Kind())
		}
		switch n := n.(type) {
		case *ast.Text:
			okay("text", d.TextOf(n))
			if l := d.Line(n.Segment.Start); l < 1 || l > lines {
				t.Errorf("text in line %d of %d", l, lines)
			}
		case *ast.String:
			okay("string", d.TextOf(n))
		case *ast.Link:
			okay("target", string(n.Destination))
		case *ast.Image:
			okay("target", string(n.Destination))
		case *Math:
			okay("formula", n.TeX)
		case *MathBlock:
			okay("formula", n.TeX)
		case *Callout:
			okay("call-out", n.Name+n.Title)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Error(err)
	}
	okay("plain text", d.Text)
	okay("summary", d.Summary)
	for _, h := range d.Headings {
		okay("heading", h.Text+h.ID)
		if h.Line < 1 || h.Line > lines {
			t.Errorf("heading in line %d of %d", h.Line, lines)
		}
	}
	for _, c := range d.Codes {
		okay("code", c.Lang+c.Text)
		if c.Line < 1 || c.Line > lines {
			t.Errorf("code in line %d of %d", c.Line, lines)
		}
	}
	for _, p := range d.Problems {
		okay("problem", p.Text)
		if p.Line < 0 || p.Line > lines {
			t.Errorf("problem in line %d of %d", p.Line, lines)
		}
	}
}

var dialects = []Dialect{Auto, Plain, Franklin, Hugo, Jekyll, Zola, Eleventy, MDX, Obsidian}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"# a\n\n- b\n  > c `d` $e$\n\n```f\ng\n```\n", "<div><ul><li>a<table><tr><td>b</table></div>", "@@a\n~~~<b>~~~ \\c{d}\\newcommand{\\c}[1]{#1}\n@@",
		"{{< a >}}b{{< /a >}} {% c %}d{% endc %} {{ e }}", "import a\n<A b={c}>\n{d}</A>", "[[a|b]] ==c== %%d%% ^e\n> [!f] g\n> h",
		"<details><summary>a</summary>\n\n> b\n</details>", "!!! note\n    a\n\n[^1]: b\n[^1]", "\\begin{align}a\\end{align} $$b$$ \\[c\\]", "1. a\n\n       b\n<pre>c",
		"<a href=b>c\n\nd</a> <iframe src=e> f<br>g", "| a |\n|---|\n| `b|c` <br> $d|e$ |", "a\n: b\n{: .c}\n* TOC\n{:toc}",
	} {
		for i := range dialects {
			f.Add(s, i)
		}
	}
	f.Fuzz(func(t *testing.T, src string, i int) {
		d := dialects[(i%len(dialects)+len(dialects))%len(dialects)]
		sound(t, src, Parse([]byte(src), Options{Dialect: d, Path: "a.md", Title: "a"}))
	})
}

func TestNastyInputIsQuick(t *testing.T) {
	r := strings.Repeat
	for name, src := range map[string]string{
		"quotes":      r("> ", 5000) + "x",
		"bare quotes": r(">", 10000),
		"quote lines": r(r("> ", 300)+"x\n", 30),
		"lists": func() (s string) {
			for i := range 300 {
				s += r("  ", i) + "- a\n"
			}
			return s
		}(),
		"list in a line": r("- ", 5000) + "a",
		"emphasis":       r("*a_ ", 2500),
		"stars":          r("*", 10000) + "a",
		"brackets":       r("[", 10000),
		"links":          r("[a](", 2500),
		"destinations":   r("[a](<", 20_000),
		"images":         r("![[]()", 2000),
		"backticks": func() (s string) {
			for i := range 140 {
				s += r("`", i) + "a"
			}
			return s
		}(),
		"dollars":         r("$a ", 3000),
		"double dollars":  r("$$a ", 3000),
		"tags":            r("<a", 5000),
		"open divs":       r("<div>", 2000),
		"open lists":      r("<ul><li>", 1200),
		"open quotes":     r("<blockquote>", 800) + "a" + r("</blockquote>", 800),
		"open links":      r("<a href=x>", 1000),
		"open tables":     r("<table><tr><td>", 700),
		"nested details":  r("<details><summary>a</summary>", 300) + r("</details>", 300),
		"comments":        r("<!--", 2500),
		"divs":            r("@@a ", 2500),
		"doubling":        `\newcommand{\a}[1]{#1#1}` + r(`\a{`, 40) + "x" + r("}", 40),
		"bomb":            `\newcommand{\a}{xx\b\b}\newcommand{\b}{\c\c\c\c}\newcommand{\c}{\d\d\d\d}\newcommand{\d}{\e\e\e\e}\newcommand{\e}{\f\f\f\f}\newcommand{\f}{` + r("y", 999) + `}\a\a\a\a`,
		"braces":          r("{", 10000),
		"template":        r("{{", 5000),
		"paired":          r("{{< a >}}", 1000),
		"ends":            r("{% if %}", 1000) + r("{% end %}", 1000),
		"jsx":             r("{a", 5000),
		"jsx elements":    r("<A>", 3000),
		"footnotes":       r("[^1]", 2500),
		"definitions":     r("[a]: /b\n", 1500),
		"colons":          r(":a", 5000),
		"tables":          "|" + r("a|", 2000) + "\n|" + r("-|", 2000) + "\n",
		"entities":        r("&amp", 2500),
		"wikilinks":       r("[[", 5000),
		"equals":          r("==a", 3000),
		"fences":          r("- ```\n", 1500),
		"indented":        r("\n     a\n", 2000),
		"definition list": r("a\n: b\n", 1500),
	} {
		for _, d := range dialects {
			t.Run(name+" "+string(d), func(t *testing.T) {
				start := time.Now()
				doc := Parse([]byte(src), Options{Dialect: d})
				// What grows without bound takes minutes; the rest may be slow
				// on a busy machine under the race detector.
				if took := time.Since(start); took > 15*time.Second {
					t.Errorf("took %v", took)
				} else if took > 200*time.Millisecond {
					t.Logf("took %v", took)
				}
				if len(doc.Source) > 40*len(src)+maxExpansion*2 {
					t.Errorf("%d bytes became %d", len(src), len(doc.Source))
				}
				sound(t, src, doc)
			})
		}
	}
}

func TestLongSourceEndsAsTyped(t *testing.T) {
	src := strings.Repeat("*word* word\n\n", maxParsed/12)
	d := Parse([]byte(src), Options{})
	sound(t, src, d)
	if c := d.Codes; len(c) != 1 || !strings.Contains(c[0].Text, "*word* word") {
		t.Errorf("the end is not shown as typed: %d blocks of code", len(c))
	}
	if len(d.Problems) == 0 {
		t.Error("no problem told")
	}
}

func TestLinesPointIntoTheSource(t *testing.T) {
	src := "---\ntitle: x\n---\n<!-- a\nb -->\n# One\n\n<div>\n\n## Two\n\n</div>\n\n```go\nx\n```\n\n> [!note]\n> ### Three\n\n[l](/x) $a\nb$ ![i](/y)\n"
	d := Parse([]byte(src), Options{})
	lines := strings.Split(src, "\n")
	for _, h := range d.Headings {
		if !strings.Contains(lines[h.Line-1], h.Text) {
			t.Errorf("heading %q in line %d: %q", h.Text, h.Line, lines[h.Line-1])
		}
	}
	if len(d.Headings) != 3 || len(d.Codes) != 1 || d.Codes[0].Line != 15 || len(d.Links) != 1 || d.Links[0].Line != 21 || len(d.Images) != 1 || d.Images[0].Line != 22 {
		t.Errorf("headings %v codes %v links %v images %v", d.Headings, d.Codes, d.Links, d.Images)
	}
}

func TestHeadingsHaveTheAnchorsOfTheirDialect(t *testing.T) {
	src := "# Some Title, here\n## Some Title here\n## A_b\n"
	for d, want := range map[Dialect]string{Franklin: "some_title_here some_title_here__2 a_b", Plain: "some-title-here some-title-here-1 a_b"} {
		got := []string{}
		for _, h := range Parse([]byte(src), Options{Dialect: d}).Headings {
			got = append(got, h.ID)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", d, s, want)
		}
	}
}

func TestTitleIsNotShownTwice(t *testing.T) {
	if got := outline(Parse([]byte("# My *title*\ntext\n# My title"), Options{Title: "My Title"})); got != "p(text) h1(My title)" {
		t.Error(got)
	}
}

func TestSummary(t *testing.T) {
	for src, want := range map[string]string{
		"# T\n\n![a](b)\n\none *two*\n\nthree": "one two",
		"one\n\ntwo\n\n<!-- more -->\n\nthree": "one\ntwo",
	} {
		if got := Parse([]byte(src), Options{}).Summary; got != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}

func TestFranklinSite(t *testing.T) {
	files := fstest.MapFS{
		"_assets/a.txt":                {Data: []byte("from *a file*")},
		"_assets/t.csv":                {Data: []byte("1,a|b\n2,c\n")},
		"_assets/p/code/output/ex.out": {Data: []byte("42\n")},
	}
	site := NewSite(Franklin, []byte("+++\nauthor = \"Me\"\n+++\n\\newcommand{\\hi}[1]{**hi #1**}\n"), files)
	src := "\\hi{you} {{author}}\n\\textinput{a.txt} \\textinput{../../x}\n\n\\tableinput{n,v}{t.csv}\n\n\\output{ex}"
	got := outline(Parse([]byte(src), Options{Site: site, Path: "p.md"}))
	want := "p(strong(hi you) Me↵from em(a file) em([file ../../x])) table(tableheader(tablecell(n) tablecell(v)) tablerow(tablecell(1) tablecell(a|b)) tablerow(tablecell(2) tablecell(c))) code:[42⏎]"
	if got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
}
