package typeset_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A tree is built by hand, with text for leaves, so that these tests need no
// dialect.
type tree struct {
	src  strings.Builder
	root *ast.Document
}

func newTree() *tree { return &tree{root: ast.NewDocument()} }

func (t *tree) text(s string) ast.Node {
	from := t.src.Len()
	t.src.WriteString(s)
	return ast.NewTextSegment(text.NewSegment(from, from+len(s)))
}

// with appends children to a node; strings become text.
func (t *tree) with(n ast.Node, children ...any) ast.Node {
	for _, c := range children {
		switch c := c.(type) {
		case string:
			n.AppendChild(n, t.text(c))
		case ast.Node:
			n.AppendChild(n, c)
		}
	}
	return n
}

func (t *tree) par(children ...any) ast.Node { return t.with(ast.NewParagraph(), children...) }

func (t *tree) set(width int, theme string, blocks ...ast.Node) (*typeset.Page, string) {
	for _, b := range blocks {
		t.root.AppendChild(t.root, b)
	}
	d := &markdown.Document{Root: t.root, Source: []byte(t.src.String()), Headings: []markdown.Heading{
		{Level: 1, Text: "Page", ID: "page"}, {Level: 2, Text: "One", ID: "one"}, {Level: 3, Text: "Under one", ID: "under"}, {Level: 2, Text: "Two", ID: "two"},
	}}
	p := typeset.New(1).Page(d, typeset.Header{}, width, typeset.Theme{Name: theme})
	return p, ansi.Strip(strings.Join(p.Lines, "\n"))
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.Trim(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCallout(t *testing.T) {
	b := newTree()
	call := b.with(&markdown.Callout{Name: "warning", Title: "High sea"}, b.par("Stay in port until the wind has gone."))
	bare := b.with(&markdown.Callout{Name: "tip"}, b.par("Reef."))
	p, got := b.set(24, "dark", b.par("Before."), call, bare)
	check(t, got, `
Before.

│ Warning  High sea
│ Stay in port until the
│ wind has gone.

│ Tip
│ Reef.`)
	if !strings.HasPrefix(p.Lines[2], "\x1b[38;5;214m│ \x1b[1mWarning") {
		t.Errorf("no colour: %q", p.Lines[2])
	}
	b = newTree()
	_, got = b.set(40, "plain", b.with(&markdown.Callout{Name: "note", Title: "Tides"}, b.par("Low.")))
	check(t, got, "│ Note: Tides\n│ Low.")
}

func TestDetails(t *testing.T) {
	b := newTree()
	_, got := b.set(30, "dark", b.with(&markdown.Details{Summary: "The log"}, b.par("Fair."), b.par("Foul.")), b.par("After."))
	check(t, got, `
▾ The log
  Fair.

  Foul.

After.`)
}

func TestMath(t *testing.T) {
	b := newTree()
	block := &markdown.MathBlock{TeX: "a &= b \\\\\nc &= d", Number: "2"}
	_, got := b.set(40, "dark",
		b.par("Let ", &markdown.Math{TeX: "x", Unicode: "𝑥"}, " and ", &markdown.Math{TeX: `\frac{a_1}{b}`, Unicode: "a₁/b"}, "."),
		block,
		&markdown.MathBlock{TeX: "E = mc^2", Unicode: "E = mc²"})
	check(t, got, `
Let 𝑥 and \frac{a_1}{b}.

  a &= b \\                          (2)
  c &= d

  E = mc^2`)
}

func TestRaisedAndLowered(t *testing.T) {
	b := newTree()
	_, got := b.set(60, "dark", b.par(
		"10", b.with(&markdown.Raised{}, "9"), ", 1", b.with(&markdown.Raised{}, "st"), ", x", b.with(&markdown.Raised{}, "п+1"),
		", H", b.with(&markdown.Lowered{}, "2"), "O, x", b.with(&markdown.Lowered{}, "Б")))
	check(t, got, "10⁹, 1ˢᵗ, x^(п+1), H₂O, x_Б")
}

func TestKeysAndMarks(t *testing.T) {
	b := newTree()
	_, got := b.set(60, "dark", b.par(b.with(&markdown.Key{}, "Ctrl"), "+", b.with(&markdown.Key{}, "C"), " is ", b.with(&markdown.Mark{}, "it")))
	check(t, got, "[Ctrl]+[C] is it")
}

func TestContents(t *testing.T) {
	b := newTree()
	p, got := b.set(30, "dark", &markdown.Contents{Min: 2, Max: 3})
	check(t, got, `
· One
  · Under one
· Two`)
	if len(p.Links) != 3 || p.Links[1].Target != "#under" || p.Links[1].Col != 4 {
		t.Errorf("links: %+v", p.Links)
	}
}

func TestAnchors(t *testing.T) {
	b := newTree()
	h := b.with(ast.NewHeading(2), "Two")
	p, _ := b.set(30, "dark", b.par("Text."), h)
	if line, ok := p.Anchor("#two"); !ok || ansi.Strip(p.Lines[line]) != "Two" {
		t.Errorf("line %d, %v of %q", line, ok, p.Lines)
	}
	if _, ok := p.Anchor("nowhere"); ok {
		t.Error("an anchor that is not there is found")
	}
}
