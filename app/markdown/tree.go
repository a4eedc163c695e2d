package markdown

import (
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"sheaf/app/tex"
)

// goldmarkParser is goldmark without its own HTML and indented code, which the
// passes have dealt with, and with blocks for placeholders. It may be used by
// many goroutines at once.
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
	goldmark.New(
		goldmark.WithParser(p),
		goldmark.WithExtensions(extension.GFM, extension.DefinitionList, extension.Footnote),
	)
	return p
})

var pageKey = parser.NewContextKey()

// paragraphParser takes indented lines too: what is code has become a fence.
type paragraphParser struct{ parser.BlockParser }

func (paragraphParser) CanAcceptIndentedLine() bool { return true }

// placeholderParser makes a block of a line that holds one placeholder of a
// block.
type placeholderParser struct{}

var kindPlaceholderBlock = ast.NewNodeKind("placeholder")

// placeholderBlock is a placeholder in the tree until that is finished.
type placeholderBlock struct {
	ast.BaseBlock
	ph placeholder
}

func (n *placeholderBlock) Kind() ast.NodeKind         { return kindPlaceholderBlock }
func (n *placeholderBlock) IsRaw() bool                { return true }
func (n *placeholderBlock) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

func (placeholderParser) Trigger() []byte { return []byte{placeholderLead} }

func (placeholderParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
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

// maxTreeDepth bounds recursion over the tree.
const maxTreeDepth = 400

// A treeBuilder finishes the tree goldmark made: placeholders become nodes.
// Then it collects what is in the tree.
type treeBuilder struct {
	*page
	doc *Document

	// Of the heading whose children are being replaced.
	inHeading bool
	headingID string

	// What is collected.
	text           strings.Builder
	moreAt         int // where <!--more--> stands in the text; -1: nowhere
	firstParagraph string
	position       int // offset in the source of what was seen last
	ids            map[string]int
}

// buildTree parses d.Source and fills in everything that is read off the tree.
func (p *page) buildTree(d *Document) {
	pc := parser.NewContext()
	pc.Set(pageKey, p)
	d.Root = goldmarkParser().Parse(text.NewReader(d.Source), parser.WithContext(pc))
	tb := &treeBuilder{page: p, doc: d, moreAt: -1, ids: map[string]int{}}
	tb.blocks(d.Root, 0)
	if h, ok := d.Root.FirstChild().(*ast.Heading); ok && p.title != "" && sameTitle(tb.plainText(h), p.title) {
		d.Root.RemoveChild(d.Root, h)
	}
	tb.collect(d.Root, 0)
	d.Text = strings.TrimSpace(Clean(tb.text.String()))
	d.Summary = strings.TrimSpace(Clean(tb.firstParagraph))
	if tb.moreAt > 0 {
		d.Summary = strings.TrimSpace(Clean(tb.text.String()[:tb.moreAt]))
	}
}

func sameTitle(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), ""), strings.Join(strings.Fields(b), ""))
}

// blocks turns the placeholders below n into nodes. Blocks that are left with
// nothing in them go, and so do definitions of links.
func (tb *treeBuilder) blocks(n ast.Node, depth int) {
	if depth > maxTreeDepth {
		n.RemoveChildren(n)
		return
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *placeholderBlock:
			tb.replaceBlock(n, c)
		case *ast.Blockquote:
			tb.quote(n, c, depth)
		case *ast.FencedCodeBlock, *ast.CodeBlock, *ast.ThematicBreak:
		case *ast.LinkReferenceDefinition:
			n.RemoveChild(n, c)
		case *ast.Heading:
			tb.inHeading, tb.headingID = true, ""
			tb.inlines(c, depth+1)
			tb.inHeading = false
			if tb.headingID != "" {
				c.SetAttributeString("id", []byte(Clean(tb.headingID)))
			}
		default:
			if c.Type() == ast.TypeInline {
				tb.inlines(n, depth)
				return
			}
			tb.blocks(c, depth+1)
			if k := c.Kind(); (k == ast.KindParagraph || k == ast.KindTextBlock) && !c.HasChildren() {
				n.RemoveChild(n, c)
			}
		}
		c = next
	}
}

// quote makes the container that a quote really is of it, and goes on below.
func (tb *treeBuilder) quote(parent ast.Node, q *ast.Blockquote, depth int) {
	if box := containerOf(q); box != nil {
		parent.ReplaceChild(parent, q, box)
		tb.blocks(box, depth+1)
		return
	}
	tb.blocks(q, depth+1)
	if !q.HasChildren() {
		parent.RemoveChild(parent, q)
	}
}

// containerOf returns the container for a quote whose first block says what it
// is, with the quote's children; nil for other quotes.
func containerOf(q *ast.Blockquote) ast.Node {
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

// replaceBlock puts the block that a placeholder stands for in its place.
func (tb *treeBuilder) replaceBlock(parent ast.Node, c *placeholderBlock) {
	var n ast.Node
	switch m := c.ph; m.kind {
	case phFormula:
		n = &MathBlock{TeX: Clean(m.text), Unicode: Clean(tex.Unicode(m.text)), Number: m.name}
	case phContents:
		n = &Contents{Min: m.n / 10, Max: m.n % 10}
	case phMore:
		return // it stays until the text is collected
	default:
		parent.RemoveChild(parent, c)
		return
	}
	n.SetPos(c.Lines().At(0).Start)
	parent.ReplaceChild(parent, c, n)
}
