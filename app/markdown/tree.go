package markdown

import (
	"bytes"
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

// goldmarkParser is goldmark without its own HTML and indented code, which the passes
// have dealt with, and with blocks for placeholders. It may be used by many at once.
var goldmarkParser = sync.OnceValue(func() parser.Parser {
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(placeholderParser{}, 50),
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

// placeholderParser makes a block of a line that holds one block placeholder.
type placeholderParser struct{}

var kindPlaceholderBlock = ast.NewNodeKind("place")

// placeholderBlock is kept until the tree is finished.
type placeholderBlock struct {
	ast.BaseBlock
	ph placeholder
}

func (n *placeholderBlock) Kind() ast.NodeKind         { return kindPlaceholderBlock }
func (n *placeholderBlock) IsRaw() bool                { return true }
func (n *placeholderBlock) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

func (placeholderParser) Trigger() []byte { return []byte{placeholderLead} }

func (placeholderParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	p, _ := pc.Get(pageKey).(*page)
	line, seg := reader.PeekLine()
	t := strings.TrimSpace(string(line))
	if p == nil || len(t) != placeholderLen {
		return nil, parser.NoChildren
	}
	m, ok := p.stash.at(t)
	if !ok || !m.kind.block() || m.kind == phFence {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	if m.kind == phRule {
		return ast.NewThematicBreak(), parser.NoChildren
	}
	n := &placeholderBlock{ph: m}
	n.Lines().Append(seg)
	return n, parser.NoChildren
}

func (placeholderParser) Continue(ast.Node, text.Reader, parser.Context) parser.State {
	return parser.Close
}
func (placeholderParser) Close(ast.Node, text.Reader, parser.Context) {}
func (placeholderParser) CanInterruptParagraph() bool                 { return true }
func (placeholderParser) CanAcceptIndentedLine() bool                 { return true }

var kindPendingTag = ast.NewNodeKind("sign")

// pendingTag is the beginning or the end of an inline element until both are found.
type pendingTag struct {
	ast.BaseInline
	ph placeholder
}

func (n *pendingTag) Kind() ast.NodeKind         { return kindPendingTag }
func (n *pendingTag) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// maxTreeDepth bounds recursion over the tree.
const maxTreeDepth = 400

// treeBuilder finishes the tree goldmark made.
type treeBuilder struct {
	*page
	doc            *Document
	text           strings.Builder
	moreAt         int // where <!--more--> stands in the text; -1: nowhere
	firstParagraph string
	position       int // offset of what was seen last
	id             string
	seen           map[string]int
	heading        bool
}

func segment(from, to int) text.Segment { return text.NewSegment(from, to) }

func (p *page) tree(d *Document) {
	pc := parser.NewContext()
	pc.Set(pageKey, p)
	d.Root = goldmarkParser().Parse(text.NewReader(d.Source), parser.WithContext(pc))
	g := &treeBuilder{page: p, doc: d, moreAt: -1, seen: map[string]int{}}
	g.blocks(d.Root, 0)
	if h, ok := d.Root.FirstChild().(*ast.Heading); ok && p.title != "" && sameText(g.plainText(h), p.title) {
		d.Root.RemoveChild(d.Root, h)
	}
	g.collect(d.Root, 0)
	d.Text = strings.TrimSpace(Clean(g.text.String()))
	d.Summary = strings.TrimSpace(Clean(g.firstParagraph))
	if g.moreAt > 0 {
		d.Summary = strings.TrimSpace(Clean(g.text.String()[:g.moreAt]))
	}
}

func sameText(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), ""), strings.Join(strings.Fields(b), ""))
}

// blocks turns placeholders into blocks, and those in text into nodes.
func (tb *treeBuilder) blocks(n ast.Node, deep int) {
	if deep > maxTreeDepth {
		n.RemoveChildren(n)
		return
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *placeholderBlock:
			tb.replaceBlock(n, c)
		case *ast.Blockquote:
			box := tb.containerOf(c)
			if box != nil {
				n.ReplaceChild(n, c, box)
				tb.blocks(box, deep+1)
			} else {
				tb.blocks(c, deep+1)
				if !c.HasChildren() {
					n.RemoveChild(n, c)
				}
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock, *ast.ThematicBreak:
		case *ast.LinkReferenceDefinition:
			n.RemoveChild(n, c)
		case *ast.Heading:
			tb.id = ""
			tb.heading = true
			tb.inlines(c, deep+1)
			tb.heading = false
			if tb.id != "" {
				c.SetAttributeString("id", []byte(Clean(tb.id)))
			}
		default:
			if c.Type() == ast.TypeInline {
				tb.inlines(n, deep)
				return
			}
			tb.blocks(c, deep+1)
			if k := c.Kind(); (k == ast.KindParagraph || k == ast.KindTextBlock) && !c.HasChildren() {
				n.RemoveChild(n, c)
			}
		}
		c = next
	}
}

// containerOf gives the container for a quote whose first block says what it is.
func (tb *treeBuilder) containerOf(q *ast.Blockquote) ast.Node {
	first, ok := q.FirstChild().(*placeholderBlock)
	if !ok {
		return nil
	}
	var box ast.Node
	switch m := first.ph; m.kind {
	case phCallout:
		title := m.title
		if strings.EqualFold(title, m.name) {
			title = ""
		}
		box = &Callout{Name: Clean(m.name), Title: Clean(title)}
	case phDetails:
		box = &Details{Summary: Clean(m.text)}
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

func (tb *treeBuilder) replaceBlock(parent ast.Node, c *placeholderBlock) {
	var n ast.Node
	switch m := c.ph; m.kind {
	case phFormula:
		n = &MathBlock{TeX: Clean(m.text), Unicode: Clean(formulaText(m.text)), Number: m.name}
	case phContents:
		n = &Contents{Min: m.n / 10, Max: m.n % 10}
	case phMore:
		return // it has its place until the text is gathered
	default:
		parent.RemoveChild(parent, c)
		return
	}
	n.SetPos(c.Lines().At(0).Start)
	parent.ReplaceChild(parent, c, n)
}

// inlines brings the children of n from placeholders to nodes.
func (tb *treeBuilder) inlines(n ast.Node, deep int) {
	if deep > maxTreeDepth {
		n.RemoveChildren(n)
		return
	}
	signs := false
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *ast.Text:
			seg := c.Segment
			if v := tb.doc.Source[seg.Start:seg.Stop]; bytes.IndexByte(v, placeholderLead) >= 0 && n.Kind() != ast.KindCodeSpan {
				signs = tb.splitText(n, c) || signs
			}
		case *ast.CodeSpan:
		case *ast.AutoLink:
			if bytes.IndexByte(c.Label(tb.doc.Source), placeholderLead) >= 0 {
				signs = tb.cutAutoLink(n, c) || signs
			}
		case *ast.Link:
			c.Destination, c.Title = tb.address(c.Destination), tb.address(c.Title)
			tb.inlines(c, deep+1)
		case *ast.Image:
			c.Destination, c.Title = tb.address(c.Destination), tb.address(c.Title)
			tb.inlines(c, deep+1)
		default:
			tb.inlines(c, deep+1)
		}
		c = next
	}
	if signs {
		tb.pairTags(n)
	}
	tb.tidy(n)
}

// address gives the target or title of a link: placeholders as typed, escapes and
// entities decoded.
func (tb *treeBuilder) address(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	s := tb.stash.restore(string(b))
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	s = Clean(decode(s))
	if tb.dialect == Zola && strings.HasPrefix(s, "@/") {
		s = s[1:] // from the content root
	}
	return []byte(s)
}

// splitText puts nodes in the place of a text that holds placeholders. It reports
// whether some of them are pending tags.
func (tb *treeBuilder) splitText(parent ast.Node, t *ast.Text) (signs bool) {
	src := tb.doc.Source
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
		m, ok := tb.stash.at(string(src[i:min(i+placeholderLen, seg.Stop)]))
		if !ok {
			i++
			continue
		}
		words(i)
		i += placeholderLen
		from = i
		if n, s := tb.inlineNode(m, parent); n != nil {
			signs = signs || s
			if m.kind == phBreak {
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

// inlineNode gives the node of an inline placeholder, nil if it shows nothing.
func (tb *treeBuilder) inlineNode(m placeholder, parent ast.Node) (n ast.Node, isSign bool) {
	switch m.kind {
	case phText:
		if m.text == "" {
			return nil, false
		}
		return ast.NewString([]byte(Clean(m.text))), false
	case phCode, phFence:
		v := m.text
		if m.kind == phFence {
			v = strings.Join(strings.Fields(m.text), " ")
		}
		if inCell(parent) {
			v = strings.ReplaceAll(v, `\|`, "|")
		}
		s := ast.NewString([]byte(Clean(v)))
		s.SetCode(true)
		c := ast.NewCodeSpan()
		c.AppendChild(c, s)
		return c, false
	case phMath, phFormula:
		v := m.text
		if inCell(parent) {
			v = strings.ReplaceAll(v, `\|`, "|")
		}
		return &Math{TeX: Clean(v), Unicode: Clean(formulaText(v))}, false
	case phBreak:
		t := ast.NewText()
		t.SetHardLineBreak(true)
		return t, false
	case phImage:
		l := ast.NewLink()
		l.Destination, l.Title = []byte(Clean(m.target)), []byte(Clean(m.title))
		img := ast.NewImage(l)
		if m.text != "" {
			img.AppendChild(img, ast.NewString([]byte(Clean(m.text))))
		}
		return img, false
	case phLink:
		l := ast.NewLink()
		l.Destination = []byte(Clean(tb.stash.restore(m.target)))
		l.AppendChild(l, ast.NewString([]byte(Clean(m.text))))
		return l, false
	case phInlineOpen, phInlineClose:
		return &pendingTag{ph: m}, true
	case phID:
		if tb.heading {
			tb.id = m.name
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

// cutAutoLink ends a bare address before the placeholder it ran into.
func (tb *treeBuilder) cutAutoLink(parent ast.Node, a *ast.AutoLink) (signs bool) {
	label := string(a.Label(tb.doc.Source))
	k := strings.IndexByte(label, placeholderLead)
	target := string(a.URL(tb.doc.Source))
	if i := strings.IndexByte(target, placeholderLead); i >= 0 {
		target = target[:i]
	}
	l := ast.NewLink()
	l.Destination = []byte(target)
	l.AppendChild(l, ast.NewString([]byte(label[:k])))
	parent.InsertBefore(parent, a, l)
	for i := k; i < len(label); {
		if m, ok := tb.stash.at(label[i:]); ok {
			if n, s := tb.inlineNode(m, parent); n != nil {
				parent.InsertBefore(parent, a, n)
				signs = signs || s
			}
			i += placeholderLen
			continue
		}
		e := strings.IndexByte(label[i:], placeholderLead)
		if e <= 0 {
			e = len(label) - i
		}
		parent.InsertBefore(parent, a, ast.NewString([]byte(label[i:i+e])))
		i += e
	}
	parent.RemoveChild(parent, a)
	return signs
}

// pairTags puts what stands between two pending tags into an element.
func (tb *treeBuilder) pairTags(n ast.Node) {
	var open []*pendingTag
	closeAt := func(k int, end ast.Node) {
		begin := open[k]
		open = open[:k]
		e := elementFor(begin.ph)
		for c := begin.NextSibling(); c != nil && c != end; {
			next := c.NextSibling()
			n.RemoveChild(n, c)
			if _, ok := c.(*pendingTag); !ok {
				e.AppendChild(e, c)
			}
			c = next
		}
		if e.HasChildren() {
			n.ReplaceChild(n, begin, e)
			tb.tidy(e)
		} else {
			n.RemoveChild(n, begin)
		}
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if s, ok := c.(*pendingTag); ok {
			if s.ph.kind == phInlineOpen {
				if len(open) < 200 {
					open = append(open, s)
				}
			} else {
				for k := len(open) - 1; k >= 0; k-- {
					if open[k].ph.name == s.ph.name {
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
		if open[k].ph.name == "a" {
			closeAt(k, nil)
		}
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if _, ok := c.(*pendingTag); ok {
			n.RemoveChild(n, c)
		}
		c = next
	}
}

func elementFor(m placeholder) ast.Node {
	switch m.name {
	case "a":
		l := ast.NewLink()
		l.Destination, l.Title = []byte(Clean(m.target)), []byte(Clean(m.title))
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
func (tb *treeBuilder) tidy(n ast.Node) {
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
			a.Segment = a.Segment.TrimRightSpace(tb.doc.Source)
			if also {
				b.Segment = b.Segment.TrimLeftSpace(tb.doc.Source)
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
			before.Segment = before.Segment.TrimRightSpace(tb.doc.Source)
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
