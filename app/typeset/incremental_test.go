package typeset

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"sheaf/app/markdown"
)

// everything is a post with all that a page knows of.
const everything = `# Head

First *words* with a [link](https://example.com/a), [another](other.md) and ` + "`code`" + `.[^b]

* x
{:toc}

## One

Text at once below[^a], of which there is enough for a second row and a link that is [broken over two rows](https://example.com/broken).
- tight
- list
  - deeper, [x](y)
  - [x] done

1. loose

2. list

   ![picture](a.png "Title")

## Two $x^2$

> Quote
>
> > deeper
>
> - item

> [!WARNING] High sea
> Stay in port.

| a | b |
|---|--:|
| [c](d.md) | ![e](f.png) |

` + "```go\nfunc f() {}\n```\n\n```\n```" + `

## One

Term
: Meaning, <https://example.com/auto>

***

$$
E = mc^2
$$

<details><summary>More</summary>

Inside [ref].

</details>

Last words H<sub>2</sub>O.

[^a]: Note **a**.
[^b]: Note [b](b.md).

    Second paragraph.

[ref]: https://example.com/ref
`

// author sets one text after the other as its author does, and compares each
// page with the one a reader gets.
type author struct {
	code  *highlighter
	h     Header
	width int
	theme Theme
	o     markdown.Options
	last  *IncrementalPage
}

func (w *author) set(t *testing.T, src string) *IncrementalPage {
	t.Helper()
	return w.document(t, markdown.Parse([]byte(src), w.o), src)
}

func (w *author) document(t *testing.T, d *markdown.Document, src string) *IncrementalPage {
	t.Helper()
	page, again := w.composer(d), w.composer(d)
	page.compose(w.h)
	want := page.finish()
	w.last = makeIncremental(w.last, d, w.h, w.theme, again)
	if got := w.last.Page(); !reflect.DeepEqual(got, want) {
		t.Fatalf("width %d, %+v: %s\nof\n%s", w.width, w.theme, difference(got, want), src)
	}
	return w.last
}

// composer has all the time it wants, also on a machine that is busy.
func (w *author) composer(d *markdown.Document) *composer {
	w.code.timeLimit = time.Hour
	s := newComposer(d, w.width, newPalette(w.theme), w.code)
	s.start = time.Now().Add(time.Hour)
	return s
}

// difference says where two pages part.
func difference(got, want *Page) string {
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range g.NumField() {
		a, b := g.Field(i), w.Field(i)
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			continue
		}
		name := g.Type().Field(i).Name
		if a.Kind() != reflect.Slice || a.Len() != b.Len() {
			return fmt.Sprintf("%s:\n got %q\nwant %q", name, fmt.Sprint(a), fmt.Sprint(b))
		}
		for k := range a.Len() {
			if x, y := a.Index(k), b.Index(k); !reflect.DeepEqual(x.Interface(), y.Interface()) {
				return fmt.Sprintf("%s[%d]:\n got %q\nwant %q", name, k, fmt.Sprint(x), fmt.Sprint(y))
			}
		}
	}
	return "the same"
}

// Each change leaves the page that the whole text would have, and sets no more
// blocks than it must.
func TestIncrementalAfterAChange(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		again               int
	}{
		{"nothing", everything, everything, 0},
		{"a word", everything, strings.Replace(everything, "Last words", "Last two words", 1), 1},
		{"an empty document", "", "", 0},
		{"all is gone", everything, "", 0},
		{"out of nothing", "", "a\n\nb\n", 2},
		{"a line above everything", "a\n\n- b\n\n  c\n", "\n\na\n\n- b\n\n  c\n", 0},
		{"a paragraph above everything", "a\n\n- b\n\n  c\n", "new\n\na\n\n- b\n\n  c\n", 2}, // the first has no distance above
		{"a paragraph in between", "a\n\nb\n\nc\n", "a\n\nnew\n\nb\n\nc\n", 1},
		{"a paragraph less", "a\n\nb\n\nc\n", "a\n\nc\n", 0},
		{"two change places", "a\n\nb\n\nc\n\nd\n", "a\n\nc\n\nb\n\nd\n", 0},
		{"the same paragraph again", "a\n\nb\n", "a\n\nb\n\nb\n\nb\n", 0},
		{"a paragraph becomes a heading", "a\n\nb\n\nc\n", "a\n\n# b\n\nc\n", 2}, // what follows stands closer
		{"a level", "# a\n\nb\n\n# c\n\nd\n", "# a\n\nb\n\n## c\n\nd\n", 1},
		{"a heading with a contents list", "* x\n{:toc}\n\n# a\n\n# b\n\nc\n", "* x\n{:toc}\n\n# a\n\n# B\n\nc\n", 2},
		{"a link above one that is listed at the end", "a\n\nb [c](d.md)\n", "a\n\n[e](https://example.com/f)\n\nb [c](d.md)\n", 1},
		{"a link below another", "a [b](https://example.com/c)\n\nd\n", "a [b](https://example.com/c)\n\nd [e](https://example.com/f)\n", 1},
		{"an id in a contents list", "* x\n{:toc}\n\n# a {#x}\n\nc\n", "* x\n{:toc}\n\n# a {#y}\n\nc\n", 2},
		{"a level in a contents list", "* x\n{:toc}\n\n# a\n\n# b\n\nc\n", "* x\n{:toc}\n\n# a\n\n## b\n\nc\n", 2},
		{"a heading comes to the top", "# a\n\n## b\n\nc\n", "## b\n\nc\n", 1},
		{"a heading that another one is taken for", "# a[^1]\n\n# b\n\nc\n\n[^1]: d\n", "# a[^1]\n\n# a¹\n\nc\n\n[^1]: d\n", 2},
		{"numbers become bullets", "0. a\n\nb\n", "- a\n\nb\n", 1},
		{"code becomes part of an emphasis", "*a*`b`\n\nc\n", "*a`b`*\n\nc\n", 1},
		{"struck text becomes a key", "~~a~~\n\nb\n", "<kbd>a</kbd>\n\nb\n", 1},
		{"an id", "# a\n\n# b {#x}\n\nc\n", "# a\n\n# b {#y}\n\nc\n", 1},
		{"a heading for the second time", "# a\n\ntext\n\n# b\n\ntext\n\n# b\n", "# b\n\ntext\n\n# b\n\ntext\n\n# b\n", 2},
		{"numbers of notes", "a[^x]\n\nb[^y]\n\nc\n\n[^x]: X\n[^y]: Y\n", "c[^y]\n\na[^x]\n\nb[^y]\n\nc\n\n[^x]: X\n[^y]: Y\n", 4},
		{"a list comes apart", "a\n\n- b\n- c\n\nd\n", "a\n\n- b\n\n- c\n\nd\n", 1},
		{"a number", "1. a\n2. b\n\nc\n", "9. a\n2. b\n\nc\n", 1},
		{"a box", "- [ ] a\n\nb\n", "- [x] a\n\nb\n", 1},
		{"where a reference leads", "[a]\n\nb\n\n[a]: /one\n", "[a]\n\nb\n\n[a]: /two\n", 1},
		{"where a picture is", "![a](b.png)\n\nc\n", "![a](c.png)\n\nc\n", 1},
		{"a title", "![a](b.png \"t\")\n\nc\n", "![a](b.png \"u\")\n\nc\n", 1},
		{"a hard line end", "a\nb\n\nc\n", "a\\\nb\n\nc\n", 1},
		{"soft line ends only", "a b\n\nc\n", "a\nb\n\nc\n", 1},
		{"a language", "```go\nfunc f() {}\n```\n\nc\n", "```c\nfunc f() {}\n```\n\nc\n", 1},
		{"a line of code", "```go\na\n```\n\nc\n", "```go\na\nb\n```\n\nc\n", 1},
		{"a side of a column", "|a|b|\n|-|-|\n|ccc|ddd|\n\nc\n", "|a|b|\n|-|-:|\n|ccc|ddd|\n\nc\n", 1},
		{"strength", "*a*\n\nb\n", "**a**\n\nb\n", 1},
		{"a call-out", "> [!NOTE] x\n> a\n\nb\n", "> [!TIP] x\n> a\n\nb\n", 1},
		{"a summary", "<details><summary>x</summary>\n\na\n\n</details>\n\nb\n", "<details><summary>y</summary>\n\na\n\n</details>\n\nb\n", 1},
		{"a formula", "$$\na\n$$\n\nb $x$\n", "$$\nc\n$$\n\nb $y$\n", 2},
		{"math to code", "`x`\n\nb\n", "$x$\n\nb\n", 1},
		{"lines within a block move apart", "- a\n\n  b\n\n  c\n\nd\n", "- a\n\n\n  b\n\n  c\n\nd\n", 1},
		{"front matter grows", "---\ntitle: a\n---\na\n\n[^1]\n\nb\n\n[^1]: c\n", "---\ntitle: a\ndate: 2024-01-02\n---\na\n\n[^1]\n\nb\n\n[^1]: c\n", 0},
		{"a note that stood before its text", "[^1]: c\n\na\n\nb[^1]\n", "\n\n[^1]: c\n\na\n\nb[^1]\n", 0},
		{"an unclosed fence", "a\n\nb\n\nc\n", "a\n\n```\nb\n\nc\n", 1},
		{"an entity", "a &lt; b\n\nc\n", "a &gt; b\n\nc\n", 1},
		{"an escape", "a \\* b\n\nc\n", "a \\_ b\n\nc\n", 1},
		{"a definition", "a\n: b\n\nc\n", "a\n\n: b\n\nc\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, theme := range []string{"dark", "plain"} {
				for _, width := range []int{72, 30, 6} {
					w := &author{code: newHighlighter(), width: width, theme: Theme{Name: theme}, o: markdown.Options{Dialect: markdown.Jekyll}}
					w.set(t, c.before)
					if got := w.set(t, c.after).composed; got != c.again {
						t.Errorf("width %d, %s: %d blocks were set again, want %d", width, theme, got, c.again)
					}
					w.set(t, c.before)
				}
			}
		})
	}
}

// One word in a long post costs one block.
func TestIncrementalSetsOneBlockAgain(t *testing.T) {
	src := longPost(100 << 10)
	w := &author{code: newHighlighter(), h: Header{Title: "Title", Note: "note"}, width: 80, theme: Theme{Name: "dark"}}
	if all := w.set(t, src).composed; all < 500 {
		t.Fatalf("a post of only %d blocks", all)
	}
	for i := range 10 {
		at := strings.Index(src[len(src)/10*i:], "Prose of") + len(src)/10*i
		src = src[:at] + "New prose" + src[at+len("Prose"):]
		if got := w.set(t, src).composed; got != 1 {
			t.Errorf("change %d: %d blocks were set again", i, got)
		}
	}
	w.h.Note = "another note"
	if got := w.set(t, src).composed; got != 0 {
		t.Errorf("another header: %d blocks were set again", got)
	}
}

// A page of another width, of another theme, or of a text in which nothing is
// the same helps nobody, and does no harm.
func TestIncrementalOfAnotherLook(t *testing.T) {
	w := &author{code: newHighlighter(), width: 60, theme: Theme{Name: "dark"}}
	all := w.set(t, everything).composed
	for _, c := range []struct {
		width int
		theme Theme
	}{{59, Theme{Name: "dark"}}, {59, Theme{Name: "dark", Accent: "#ff0000"}}, {59, Theme{Name: "plain"}}, {60, Theme{Name: "mono"}}} {
		w.width, w.theme = c.width, c.theme
		if got := w.set(t, everything).composed; got != all {
			t.Errorf("%+v: %d of %d blocks were set", c, got, all)
		}
	}
	w.set(t, "nothing\n")
	if got := w.set(t, everything).composed; got != all {
		t.Errorf("after another text %d of %d blocks were set", got, all)
	}
}

// An incremental page is what it was, whatever was made of it.
func TestIncrementalStaysAsItIs(t *testing.T) {
	s := New(1 << 20)
	parse := func(src string) *markdown.Document { return markdown.Parse([]byte(src), markdown.Options{}) }
	d := parse(everything)
	h := Header{Title: "Title"}
	first := s.Incremental(nil, d, h, 24, Theme{})
	want := makePage(d, h, 24, newPalette(Theme{}), s.highlighter)
	for i := range 20 {
		s.Incremental(first, parse(strings.Repeat("New.\n\n", i)+everything), Header{}, 24, Theme{})
	}
	if got := first.Page(); !reflect.DeepEqual(got, want) {
		t.Error(difference(got, want))
	}
	if s.pages.Len() != 0 {
		t.Error("an incremental page is in the cache of pages")
	}
}

// A long session holds one document and one page.
func TestIncrementalForgetsWhatWasBefore(t *testing.T) {
	s := New(1)
	d := markdown.Parse([]byte(everything), markdown.Options{})
	first := s.Incremental(nil, d, Header{}, 40, Theme{})
	doc, old := weak.Make(d), weak.Make(first)
	last := s.Incremental(first, markdown.Parse([]byte(everything), markdown.Options{}), Header{}, 40, Theme{})
	d, first = nil, nil
	runtime.GC()
	runtime.GC()
	if doc.Value() != nil || old.Value() != nil {
		t.Error("the first document or its page is still held")
	}
	runtime.KeepAlive(last)
}

// A block that was set as plain text, for want of time, is not taken over; and
// when there is no time the rest is plain, as the note says.
func TestIncrementalAfterALateOne(t *testing.T) {
	d := markdown.Parse([]byte(everything), markdown.Options{})
	pal, code := newPalette(Theme{}), newHighlighter()
	late := func() *composer {
		s := newComposer(d, 40, pal, code)
		s.start = time.Now().Add(-softLimit - time.Millisecond)
		return s
	}
	s := late()
	s.compose(Header{})
	plain := s.finish()
	if !strings.Contains(strings.Join(plain.Lines, "\n"), "takes long") {
		t.Fatal("not late")
	}
	before := makeIncremental(nil, d, Header{}, Theme{}, late())
	if got := before.Page(); !reflect.DeepEqual(got, plain) {
		t.Error(difference(got, plain))
	}
	got := makeIncremental(before, d, Header{}, Theme{}, newComposer(d, 40, pal, code))
	if want := makePage(d, Header{}, 40, pal, code); !reflect.DeepEqual(got.Page(), want) {
		t.Error(difference(got.Page(), want))
	}
	changed := markdown.Parse([]byte(strings.Replace(everything, "First", "New", 1)), markdown.Options{})
	s = newComposer(changed, 40, pal, code)
	s.start = time.Now().Add(-softLimit - time.Millisecond)
	lines := makeIncremental(got, changed, Header{}, Theme{}, s).Page().Lines
	if page := strings.Join(lines, "\n"); !strings.Contains(page, "takes long") || strings.Contains(page, "│") {
		t.Errorf("the rest is not plain:\n%s", page)
	}
}

// A listing that found no time for its colours gets them when there is time
// again.
func TestIncrementalAfterAListingWithoutColours(t *testing.T) {
	d := markdown.Parse([]byte("a\n\n```go\n"+strings.Repeat("x := f(1)\n", 50)+"```\n"), markdown.Options{})
	pal, code := newPalette(Theme{}), newHighlighter()
	code.timeLimit = -1
	before := makeIncremental(nil, d, Header{}, Theme{}, newComposer(d, 40, pal, code))
	w := &author{code: newHighlighter(), width: 40, last: before}
	if got := w.document(t, d, "").composed; got != 1 {
		t.Errorf("%d blocks were set again", got)
	}
	if reflect.DeepEqual(before.Page(), w.last.Page()) {
		t.Error("it had colours before")
	}
}

// A tree that breaks the rules costs one page.
func TestIncrementalThatCannotBeSet(t *testing.T) {
	d := markdown.Parse([]byte(everything), markdown.Options{})
	broken := *d
	broken.Root = nil
	s := New(1)
	before := s.Incremental(nil, d, Header{}, 40, Theme{})
	bad := s.Incremental(before, &broken, Header{}, 40, Theme{})
	if p := bad.Page(); p.Problem == "" || !strings.Contains(strings.Join(p.Lines, "\n"), "could not be set") {
		t.Errorf("problem %q", p.Problem)
	}
	got, want := s.Incremental(bad, d, Header{}, 40, Theme{}).Page(), before.Page()
	if !reflect.DeepEqual(got, want) {
		t.Error(difference(got, want))
	}
}

// Blocks of a kind that is not known here are set every time.
func TestIncrementalDoubtsWhatItDoesNotKnow(t *testing.T) {
	type stranger struct{ ast.Paragraph }
	d := markdown.Parse([]byte("a\n\nb\n"), markdown.Options{})
	d.Root.AppendChild(d.Root, &stranger{})
	list := ast.NewList('-')
	item := ast.NewListItem(0)
	item.AppendChild(item, ast.NewString([]byte("bare"))) // no block around it
	list.AppendChild(list, item)
	d.Root.AppendChild(d.Root, list)
	w := &author{code: newHighlighter(), width: 40}
	w.document(t, d, "")
	if got := w.document(t, d, "").composed; got != 2 {
		t.Errorf("%d blocks were set again", got)
	}
}

// What the trees of package markdown rarely or never differ in alone, and
// setting looks at all the same.
func TestIncrementalSeesEveryField(t *testing.T) {
	with := func(n ast.Node, children ...ast.Node) ast.Node {
		for _, c := range children {
			n.AppendChild(n, c)
		}
		return n
	}
	word := func(s string) ast.Node { return ast.NewString([]byte(s)) }
	par := func(children ...ast.Node) ast.Node { return with(ast.NewParagraph(), children...) }
	leaf := func(from, to int, set func(*ast.Text)) *ast.Text {
		n := ast.NewTextSegment(text.NewSegment(from, to))
		if set != nil {
			set(n)
		}
		return n
	}
	auto := func(kind ast.AutoLinkType, protocol string, from, to int) ast.Node {
		n := ast.NewAutoLink(kind, leaf(from, to, nil))
		if protocol != "" {
			n.Protocol = []byte(protocol)
		}
		return par(n)
	}
	list := func(tight bool) ast.Node {
		l := ast.NewList('-')
		l.IsTight = tight
		return with(l, with(ast.NewListItem(2), par(word("a"))), with(ast.NewListItem(2), par(word("b"))))
	}
	meaning := func(tight bool) ast.Node {
		n := extast.NewDefinitionDescription()
		n.IsTight = tight
		return with(extast.NewDefinitionList(0, nil), with(extast.NewDefinitionTerm(), word("a")), with(n, par(word("b")), par(word("c"))))
	}
	note := func(index int) ast.Node {
		n := extast.NewFootnote([]byte("x"))
		n.Index = index
		return with(extast.NewFootnoteList(), with(n, par(word("note"))))
	}
	heading := func(level int) ast.Node { return with(ast.NewHeading(level), word("One")) }
	list1 := []markdown.Heading{{Level: 1, Text: "One", ID: "one"}, {Level: 2, Text: "Two", ID: "two"}}
	list2 := []markdown.Heading{{Level: 1, Text: "One", ID: "other"}, {Level: 2, Text: "Two", ID: "two"}}
	for name, c := range map[string]struct {
		before, after ast.Node
		headings      []markdown.Heading // of after
	}{
		"tight list":       {before: list(true), after: list(false)},
		"tight definition": {before: meaning(true), after: meaning(false)},
		"number of a note": {before: note(1), after: note(2)},
		"number of a formula": {
			before: &markdown.MathBlock{TeX: "x", Unicode: "x", Number: "1"}, after: &markdown.MathBlock{TeX: "x", Unicode: "x", Number: "2"}},
		"formula":         {before: &markdown.MathBlock{TeX: "x", Unicode: "y"}, after: &markdown.MathBlock{TeX: "z_", Unicode: "y"}},
		"least level":     {before: &markdown.Contents{Min: 1, Max: 6}, after: &markdown.Contents{Min: 2, Max: 6}},
		"highest level":   {before: &markdown.Contents{Min: 1, Max: 6}, after: &markdown.Contents{Min: 1, Max: 1}},
		"contents":        {before: &markdown.Contents{}, after: &markdown.Contents{}, headings: list2},
		"fewer contents":  {before: &markdown.Contents{}, after: &markdown.Contents{}, headings: list1[:1]},
		"soft line end":   {before: par(leaf(0, 1, nil), word("b")), after: par(leaf(0, 1, func(n *ast.Text) { n.SetSoftLineBreak(true) }), word("b"))},
		"hard line end":   {before: par(leaf(0, 1, nil), word("b")), after: par(leaf(0, 1, func(n *ast.Text) { n.SetHardLineBreak(true) }), word("b"))},
		"raw text":        {before: par(leaf(9, 14, nil)), after: par(leaf(9, 14, func(n *ast.Text) { n.SetRaw(true) }))},
		"kind of address": {before: auto(ast.AutoLinkEmail, "", 0, 8), after: auto(ast.AutoLinkURL, "", 0, 8)},
		"protocol":        {before: auto(ast.AutoLinkURL, "http", 7, 8), after: auto(ast.AutoLinkURL, "https", 7, 8)},
		"label":           {before: auto(ast.AutoLinkURL, "http", 7, 8), after: auto(ast.AutoLinkURL, "", 0, 8)},
		"level":           {before: heading(1), after: heading(2)},
		"id of a heading": {before: heading(1), after: heading(1), headings: list2},
		"lost heading":    {before: heading(1), after: heading(1), headings: list1[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			document := func(n ast.Node, headings []markdown.Heading) *markdown.Document {
				return &markdown.Document{Root: with(ast.NewDocument(), par(word("before")), n, par(word("after"))), Source: []byte("http://x &amp;"), Headings: headings}
			}
			if c.headings == nil {
				c.headings = list1
			}
			before, after := document(c.before, list1), document(c.after, c.headings)
			w := &author{code: newHighlighter(), width: 40, theme: Theme{Name: "plain"}}
			a, b := w.document(t, before, "").Page(), w.document(t, after, "").Page()
			if reflect.DeepEqual(a, b) {
				t.Errorf("no difference on the page: %q", a.Lines)
			}
		})
	}
}

// A block that shows nothing hands the line it begins at to the next, when that
// has none of its own.
func TestIncrementalAfterABlockThatShowsNothing(t *testing.T) {
	document := func(src string) *markdown.Document {
		d := markdown.Parse([]byte(src), markdown.Options{})
		at := position(d.Root.LastChild())
		silent, lost := ast.NewParagraph(), ast.NewParagraph()
		silent.AppendChild(silent, ast.NewTextSegment(text.NewSegment(at, at)))
		lost.AppendChild(lost, ast.NewString([]byte("from nowhere")))
		d.Root.AppendChild(d.Root, silent)
		d.Root.AppendChild(d.Root, lost)
		return d
	}
	w := &author{code: newHighlighter(), width: 40}
	for _, src := range []string{"a\n\nb\n\nc\n", "new\n\na\n\nb\n\nc\n", "\n\nb\n\nc\n", "b\n\n\n\nc\n", "c\n"} {
		w.document(t, document(src), src)
	}
}

// samplesOf reads the sources next to the tests, and everything above.
func samplesOf(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatal("no samples", err)
	}
	list := []string{everything}
	for _, p := range paths {
		src, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(src))
	}
	return list
}

// An author types without a plan.
func TestIncrementalOfAnAuthorAtWork(t *testing.T) {
	for i, src := range samplesOf(t) {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		w := &author{code: newHighlighter(), h: Header{Title: "Title"}, width: 10 + r.IntN(90), theme: Theme{Name: []string{"dark", "plain"}[i%2]}, o: markdown.Options{Dialect: markdown.Jekyll}}
		for range 60 {
			w.set(t, src)
			src = edit(src, r)
		}
	}
}

// edit changes a text in one place.
func edit(src string, r *rand.Rand) string {
	words := []string{"word", "\n", "\n\n", "# ", "## Head\n", "- ", "  ", "1. ", "> ", "```\n", "```go\n", "*", "**", "_", "~~", "[a](b)", "[a][ref]", "\n[ref]: /to\n", "[^n]",
		"\n[^n]: note\n", "|", "\n|a|b|\n|-|-|\n", "$x$", "$$\n", "* x\n{:toc}\n", "\\toc\n", "![i](j.png)", "\n: ", "\n---\n", "<sub>", "</sub>", "<details>", "<!--", "-->", "\\", "&amp;", "漢字", "\t", "[x] "}
	at := func() int {
		n := r.IntN(len(src) + 1)
		for n < len(src) && src[n]&0xc0 == 0x80 {
			n++
		}
		return n
	}
	from, to := at(), at()
	if from > to {
		from, to = to, from
	}
	switch r.IntN(10) {
	case 0: // a stretch is cut out
		if to-from > 400 {
			to = from + strings.IndexByte(src[from:to]+"\n", '\n')
		}
		return src[:from] + src[to:]
	case 1: // or put in again elsewhere
		if to-from > 400 {
			to = from + strings.IndexByte(src[from:to]+"\n", '\n')
		}
		k := at()
		return src[:k] + src[from:to] + src[k:]
	case 2: // a line is lost
		k := strings.IndexByte(src[from:], '\n') + 1
		return src[:from] + src[from+k:]
	default:
		return src[:from] + words[r.IntN(len(words))] + src[from:]
	}
}

func FuzzIncremental(f *testing.F) {
	for i, src := range samplesOf(f) {
		f.Add(src, uint64(i), 40+i)
	}
	dialects := []markdown.Dialect{markdown.Auto, markdown.Franklin, markdown.Hugo, markdown.Jekyll, markdown.Zola, markdown.MDX, markdown.Obsidian}
	f.Fuzz(func(t *testing.T, src string, seed uint64, width int) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := &author{code: newHighlighter(), width: 1 + (width%120+120)%120, theme: Theme{Name: []string{"dark", "plain", "light"}[seed%3]},
			o: markdown.Options{Dialect: dialects[seed%uint64(len(dialects))]}}
		for range 8 {
			w.set(t, src)
			src = edit(src, r)
		}
	})
}

// longPost is a post of some of everything.
func longPost(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `## Section %[1]d

Prose of an ordinary kind, with a [link](https://example.org/a_%[1]d), `+"`code`"+`, math $x_i^2$ and **strong words**,
hard-wrapped as many people do. It goes on for a while, and *ends* here[^1].

Prose of another kind, number %[1]d.

- one item
- another, with [an address](page-%[1]d.md)

> A quote of two lines
> that says little.

`+"```go\nfunc main() {\n\tprintln(\"hello\", %[1]d)\n}\n```"+`

| a | b |
|---|---|
| 1 | %[1]d |

`, i)
	}
	return b.String() + "[^1]: a note\n"
}

func BenchmarkIncremental(b *testing.B) {
	for _, size := range []int{100 << 10, 1 << 20} {
		src := longPost(size)
		change := func(word string) *markdown.Document {
			at := strings.Index(src[50<<10:], "Prose") + 50<<10
			return markdown.Parse([]byte(src[:at]+word+src[at+len("Prose"):]), markdown.Options{})
		}
		docs := [2]*markdown.Document{change("Prose"), change("Posey")}
		name := fmt.Sprintf("%dKB", size>>10)
		s := New(1)
		b.Run(name+"/whole", func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				makePage(docs[i%2], Header{}, 80, newPalette(Theme{}), s.highlighter)
			}
		})
		b.Run(name+"/changed", func(b *testing.B) {
			b.ReportAllocs()
			d := s.Incremental(nil, docs[1], Header{}, 80, Theme{})
			b.ResetTimer()
			for i := range b.N {
				d = s.Incremental(d, docs[i%2], Header{}, 80, Theme{})
			}
		})
		b.Run(name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				markdown.Parse([]byte(src), markdown.Options{})
			}
		})
	}
}
