package markdown

import (
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// engine is goldmark without its own HTML and indented code, which the passes
// have dealt with, and with blocks for marks. It may be used by many at once.
var engine = sync.OnceValue(func() parser.Parser {
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(placeParser{}, 50),
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(paragraphParser{parser.NewParagraphParser()}, 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	goldmark.New(goldmark.WithParser(p), goldmark.WithExtensions(extension.GFM, extension.DefinitionList, extension.Footnote))
	return p
})

var pageKey = parser.NewContextKey()

// paragraphParser takes indented lines too: what is code has become a fence.
type paragraphParser struct{ parser.BlockParser }

func (paragraphParser) CanAcceptIndentedLine() bool { return true }

// placeParser makes a block of a line that holds one block mark.
type placeParser struct{}

var kindPlace = ast.NewNodeKind("place")

// place is a block mark until the tree is finished.
type place struct {
	ast.BaseBlock
	mark mark
}

func (n *place) Kind() ast.NodeKind         { return kindPlace }
func (n *place) IsRaw() bool                { return true }
func (n *place) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

func (placeParser) Trigger() []byte { return []byte{0xf4} }

func (placeParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	p, _ := pc.Get(pageKey).(*page)
	line, seg := reader.PeekLine()
	t := strings.TrimSpace(string(line))
	if p == nil || len(t) != markLen {
		return nil, parser.NoChildren
	}
	m, ok := p.marks.at(t)
	if !ok || !m.kind.block() || m.kind == markFence {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	if m.kind == markRule {
		return ast.NewThematicBreak(), parser.NoChildren
	}
	n := &place{mark: m}
	n.Lines().Append(seg)
	return n, parser.NoChildren
}

func (placeParser) Continue(ast.Node, text.Reader, parser.Context) parser.State { return parser.Close }
func (placeParser) Close(ast.Node, text.Reader, parser.Context)                 {}
func (placeParser) CanInterruptParagraph() bool                                 { return true }
func (placeParser) CanAcceptIndentedLine() bool                                 { return true }

var kindSign = ast.NewNodeKind("sign")

// sign is the beginning or the end of an inline element until both are found.
type sign struct {
	ast.BaseInline
	mark mark
}

func (n *sign) Kind() ast.NodeKind         { return kindSign }
func (n *sign) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// deepestTree bounds recursion over the tree.
const deepestTree = 400

// grower finishes the tree goldmark made.
type grower struct {
	*page
	doc     *Document
	text    strings.Builder
	more    int // where <!--more--> stands in the text; -1: nowhere
	first   string
	at      int // offset of what was seen last
	id      string
	seen    map[string]int
	heading bool
}

func segment(from, to int) text.Segment { return text.NewSegment(from, to) }

func (p *page) tree(d *Document) {
	pc := parser.NewContext()
	pc.Set(pageKey, p)
	d.Root = engine().Parse(text.NewReader(d.Source), parser.WithContext(pc))
	g := &grower{page: p, doc: d, more: -1, seen: map[string]int{}}
	g.blocks(d.Root, 0)
	if h, ok := d.Root.FirstChild().(*ast.Heading); ok && p.title != "" && same(g.plain(h), p.title) {
		d.Root.RemoveChild(d.Root, h)
	}
	g.collect(d.Root, 0)
	d.Text = strings.TrimSpace(Clean(g.text.String()))
	d.Summary = strings.TrimSpace(Clean(g.first))
	if g.more > 0 {
		d.Summary = strings.TrimSpace(Clean(g.text.String()[:g.more]))
	}
}

func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), ""), strings.Join(strings.Fields(b), ""))
}

// blocks turns places into blocks, and marks in text into nodes.
func (g *grower) blocks(n ast.Node, deep int) {
	if deep > deepestTree {
		n.RemoveChildren(n)
		return
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *place:
			g.place(n, c)
		case *ast.Blockquote:
			box := g.box(c)
			if box != nil {
				n.ReplaceChild(n, c, box)
				g.blocks(box, deep+1)
			} else {
				g.blocks(c, deep+1)
				if !c.HasChildren() {
					n.RemoveChild(n, c)
				}
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock, *ast.ThematicBreak:
		case *ast.LinkReferenceDefinition:
			n.RemoveChild(n, c)
		case *ast.Heading:
			g.id = ""
			g.heading = true
			g.inlines(c, deep+1)
			g.heading = false
			if g.id != "" {
				c.SetAttributeString("id", []byte(Clean(g.id)))
			}
		default:
			if c.Type() == ast.TypeInline {
				g.inlines(n, deep)
				return
			}
			g.blocks(c, deep+1)
			if k := c.Kind(); (k == ast.KindParagraph || k == ast.KindTextBlock) && !c.HasChildren() {
				n.RemoveChild(n, c)
			}
		}
		c = next
	}
}

// box gives the container for a quote whose first block says what it is.
func (g *grower) box(q *ast.Blockquote) ast.Node {
	first, ok := q.FirstChild().(*place)
	if !ok {
		return nil
	}
	var box ast.Node
	switch m := first.mark; m.kind {
	case markCallout:
		title := m.b
		if strings.EqualFold(title, m.a) {
			title = ""
		}
		box = &Callout{Name: Clean(m.a), Title: Clean(title)}
	case markDetails:
		box = &Details{Summary: Clean(m.a)}
	default:
		return nil
	}
	box.SetPos(first.Lines().At(0).Start)
	q.RemoveChild(q, first)
	for c := q.FirstChild(); c != nil; c = q.FirstChild() {
		q.RemoveChild(q, c)
		box.AppendChild(box, c)
	}
	return box
}

func (g *grower) place(parent ast.Node, c *place) {
	var n ast.Node
	switch m := c.mark; m.kind {
	case markFormula:
		n = &MathBlock{TeX: Clean(m.a), Unicode: Clean(formulaText(m.a)), Number: m.b}
	case markContents:
		n = &Contents{Min: m.n / 10, Max: m.n % 10}
	case markMore:
		return // it has its place until the text is gathered
	default:
		parent.RemoveChild(parent, c)
		return
	}
	n.SetPos(c.Lines().At(0).Start)
	parent.ReplaceChild(parent, c, n)
}

// inlines brings the children of n from marks to nodes.
func (g *grower) inlines(n ast.Node, deep int) {
	if deep > deepestTree {
		n.RemoveChildren(n)
		return
	}
	signs := false
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *ast.Text:
			seg := c.Segment
			if v := g.doc.Source[seg.Start:seg.Stop]; strings.IndexByte(string(v), 0xf4) >= 0 && n.Kind() != ast.KindCodeSpan {
				signs = g.split(n, c) || signs
			}
		case *ast.CodeSpan:
		case *ast.AutoLink:
			if strings.IndexByte(string(c.Label(g.doc.Source)), 0xf4) >= 0 {
				signs = g.cutAutoLink(n, c) || signs
			}
		case *ast.Link:
			c.Destination, c.Title = g.address(c.Destination), g.address(c.Title)
			g.inlines(c, deep+1)
		case *ast.Image:
			c.Destination, c.Title = g.address(c.Destination), g.address(c.Title)
			g.inlines(c, deep+1)
		default:
			g.inlines(c, deep+1)
		}
		c = next
	}
	if signs {
		g.pair(n)
	}
	g.tidy(n)
}

// address gives the target or title of a link: marks as typed, escapes and
// entities decoded.
func (g *grower) address(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	s := g.marks.restore(string(b))
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	s = Clean(decode(s))
	if g.dialect == Zola && strings.HasPrefix(s, "@/") {
		s = s[1:] // from the content root
	}
	return []byte(s)
}

// split puts nodes in the place of a text that holds marks. It reports
// whether some of them are signs.
func (g *grower) split(parent ast.Node, t *ast.Text) (signs bool) {
	src := g.doc.Source
	seg := t.Segment
	put := func(n ast.Node) { parent.InsertBefore(parent, t, n) }
	from := seg.Start
	fresh := false // right behind a line break
	words := func(to int) {
		if fresh {
			for from < to && (src[from] == ' ' || src[from] == '\t') {
				from++
			}
		}
		if from < to {
			put(ast.NewTextSegment(text.NewSegment(from, to)))
			fresh = false
		}
	}
	for i := seg.Start; i < seg.Stop; {
		m, ok := g.marks.at(string(src[i:min(i+markLen, seg.Stop)]))
		if !ok {
			i++
			continue
		}
		words(i)
		i += markLen
		from = i
		if n, s := g.node(m, parent); n != nil {
			signs = signs || s
			if m.kind == markBreak {
				fresh = true
				n.(*ast.Text).Segment = text.NewSegment(i, i)
			}
			put(n)
		}
	}
	words(seg.Stop)
	if t.SoftLineBreak() || t.HardLineBreak() {
		end := ast.NewTextSegment(text.NewSegment(seg.Stop, seg.Stop))
		end.SetSoftLineBreak(t.SoftLineBreak())
		end.SetHardLineBreak(t.HardLineBreak())
		put(end)
	}
	parent.RemoveChild(parent, t)
	return signs
}

// node gives the node of an inline mark, nil if it shows nothing.
func (g *grower) node(m mark, parent ast.Node) (n ast.Node, isSign bool) {
	switch m.kind {
	case markText:
		if m.a == "" {
			return nil, false
		}
		return ast.NewString([]byte(Clean(m.a))), false
	case markCode, markFence:
		v := m.a
		if m.kind == markFence {
			v = strings.Join(strings.Fields(m.b), " ")
		}
		if inCell(parent) {
			v = strings.ReplaceAll(v, `\|`, "|")
		}
		s := ast.NewString([]byte(Clean(v)))
		s.SetCode(true)
		c := ast.NewCodeSpan()
		c.AppendChild(c, s)
		return c, false
	case markMath, markFormula:
		v := m.a
		if inCell(parent) {
			v = strings.ReplaceAll(v, `\|`, "|")
		}
		return &Math{TeX: Clean(v), Unicode: Clean(formulaText(v))}, false
	case markBreak:
		t := ast.NewText()
		t.SetHardLineBreak(true)
		return t, false
	case markImage:
		l := ast.NewLink()
		l.Destination, l.Title = []byte(Clean(m.a)), []byte(Clean(m.c))
		img := ast.NewImage(l)
		if m.b != "" {
			img.AppendChild(img, ast.NewString([]byte(Clean(m.b))))
		}
		return img, false
	case markLink:
		l := ast.NewLink()
		l.Destination = []byte(Clean(g.marks.restore(m.a)))
		l.AppendChild(l, ast.NewString([]byte(Clean(m.b))))
		return l, false
	case markOpen, markClose:
		return &sign{mark: m}, true
	case markID:
		if g.heading {
			g.id = m.a
		}
	}
	return nil, false
}

func inCell(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if n.Kind() == extast.KindTableCell {
			return true
		}
		if n.Type() != ast.TypeInline {
			return false
		}
	}
	return false
}

// cutAutoLink ends a bare address before the mark it ran into.
func (g *grower) cutAutoLink(parent ast.Node, a *ast.AutoLink) (signs bool) {
	label := string(a.Label(g.doc.Source))
	k := strings.IndexByte(label, 0xf4)
	target := string(a.URL(g.doc.Source))
	if i := strings.IndexByte(target, 0xf4); i >= 0 {
		target = target[:i]
	}
	l := ast.NewLink()
	l.Destination = []byte(target)
	l.AppendChild(l, ast.NewString([]byte(label[:k])))
	parent.InsertBefore(parent, a, l)
	for i := k; i < len(label); {
		if m, ok := g.marks.at(label[i:]); ok {
			if n, s := g.node(m, parent); n != nil {
				parent.InsertBefore(parent, a, n)
				signs = signs || s
			}
			i += markLen
			continue
		}
		e := strings.IndexByte(label[i:], 0xf4)
		if e <= 0 {
			e = len(label) - i
		}
		parent.InsertBefore(parent, a, ast.NewString([]byte(label[i:i+e])))
		i += e
	}
	parent.RemoveChild(parent, a)
	return signs
}

// pair puts what stands between two signs into an element.
func (g *grower) pair(n ast.Node) {
	var open []*sign
	closeAt := func(k int, end ast.Node) {
		begin := open[k]
		open = open[:k]
		e := element(begin.mark)
		for c := begin.NextSibling(); c != nil && c != end; {
			next := c.NextSibling()
			n.RemoveChild(n, c)
			if _, ok := c.(*sign); !ok {
				e.AppendChild(e, c)
			}
			c = next
		}
		if e.HasChildren() {
			n.ReplaceChild(n, begin, e)
			g.tidy(e)
		} else {
			n.RemoveChild(n, begin)
		}
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if s, ok := c.(*sign); ok {
			if s.mark.kind == markOpen {
				if len(open) < 200 {
					open = append(open, s)
				}
			} else {
				for k := len(open) - 1; k >= 0; k-- {
					if open[k].mark.a == s.mark.a {
						closeAt(k, s)
						break
					}
				}
				n.RemoveChild(n, s)
			}
		}
		c = next
	}
	for k := len(open) - 1; k >= 0; k-- { // a link that crosses another element goes on to the end
		if open[k].mark.a == "a" {
			closeAt(k, nil)
		}
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if _, ok := c.(*sign); ok {
			n.RemoveChild(n, c)
		}
		c = next
	}
}

func element(m mark) ast.Node {
	switch m.a {
	case "a":
		l := ast.NewLink()
		l.Destination, l.Title = []byte(Clean(m.b)), []byte(Clean(m.c))
		return l
	case "em":
		return ast.NewEmphasis(1)
	case "del":
		return extast.NewStrikethrough()
	case "sup":
		return &Raised{}
	case "sub":
		return &Lowered{}
	case "kbd":
		return &Key{}
	case "mark":
		return &Mark{}
	}
	return ast.NewEmphasis(2)
}

// tidy joins texts that touch, and puts line breaks in order: none at the ends
// of a block, no soft one right behind a hard one, hard ones at the end of the
// text before.
func (g *grower) tidy(n ast.Node) {
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		a, ok := c.(*ast.Text)
		b, also := next.(*ast.Text)
		if ok && also && !a.SoftLineBreak() && !a.HardLineBreak() && a.Segment.Stop == b.Segment.Start && a.Segment.Len() > 0 && b.Segment.Len() > 0 && b.Segment.Padding == 0 {
			b.Segment = b.Segment.WithStart(a.Segment.Start)
			b.Segment.Padding = a.Segment.Padding
			n.RemoveChild(n, a)
		}
		if ok && a.HardLineBreak() {
			a.Segment = a.Segment.TrimRightSpace(g.doc.Source)
			if also {
				b.Segment = b.Segment.TrimLeftSpace(g.doc.Source)
			}
		}
		c = next
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		t, ok := c.(*ast.Text)
		if !ok || t.Segment.Len() > 0 || t.Segment.Padding > 0 {
			c = next
			continue
		}
		before, _ := t.PreviousSibling().(*ast.Text)
		whole := n.Type() != ast.TypeInline
		switch {
		case t.HardLineBreak() && t.PreviousSibling() == nil && whole:
			n.RemoveChild(n, t)
		case t.HardLineBreak() && before != nil && !before.HardLineBreak() && before.Segment.Len() > 0:
			before.Segment = before.Segment.TrimRightSpace(g.doc.Source)
			before.SetHardLineBreak(true)
			before.SetSoftLineBreak(false)
			n.RemoveChild(n, t)
		case t.SoftLineBreak() && (before != nil && (before.HardLineBreak() || before.SoftLineBreak()) || t.PreviousSibling() == nil && whole):
			n.RemoveChild(n, t)
		case !t.HardLineBreak() && !t.SoftLineBreak():
			n.RemoveChild(n, t)
		}
		c = next
	}
	if n.Type() == ast.TypeInline {
		return
	}
	if t, ok := n.LastChild().(*ast.Text); ok && t.HardLineBreak() {
		t.SetHardLineBreak(false)
		if t.Segment.Len() == 0 {
			n.RemoveChild(n, t)
		}
	}
}
