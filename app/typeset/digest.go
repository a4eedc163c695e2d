package typeset

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"sheaf/app/markdown"
)

// A digest stands for everything that setting one block looks at: the state
// between the blocks, and the tree below the block.
type digest [sha256.Size]byte

// A digester writes down, in a form that can be read in one way only, what
// setting a block looks at.
type digester struct {
	doc     *markdown.Document
	sum     hash.Hash
	buf     []byte // what sum has not seen
	line    int    // of the source, of the first block that has one; others count from it
	based   bool   // line is set
	unknown bool   // there is something that setting may look at in ways unknown here
}

// maxDigestDepth is how many nodes in one another are followed.
const maxDigestDepth = 1000

// block returns the digest of the block that a composer is to set next. It is
// not sure if that is unknown, or if its first row would count as the beginning
// of the block before.
func (d *digester) block(co *composer, n ast.Node) (sum digest, sure bool) {
	d.sum.Reset()
	d.buf, d.line, d.based, d.unknown = d.buf[:0], 0, false, !co.atTopLevel()
	if n.Type() != ast.TypeBlock || co.sourceLine > 0 && position(n) < 0 {
		return digest{}, false
	}
	d.number(co.pendingBlanks)
	d.number(int(co.spacing))
	d.node(n, 0)
	if d.unknown {
		return digest{}, false
	}
	d.sum.Write(d.buf)
	d.sum.Sum(sum[:0])
	return sum, true
}

func (d *digester) number(n int) { d.buf = binary.AppendVarint(d.buf, int64(n)) }

func (d *digester) flag(b bool) {
	if b {
		d.buf = append(d.buf, 1)
	} else {
		d.buf = append(d.buf, 0)
	}
}

func (d *digester) bytes(b []byte) {
	d.number(len(b))
	d.buf = append(d.buf, b...)
}

func (d *digester) text(s string) {
	d.number(len(s))
	d.buf = append(d.buf, s...)
}

// position writes where a block begins, counted from the first.
func (d *digester) position(n ast.Node) {
	at := position(n)
	d.flag(at >= 0)
	if at < 0 {
		return
	}
	line := d.doc.Line(at)
	if !d.based {
		d.line, d.based = line, true
	}
	d.number(line - d.line)
	d.flag(line > 0)
}

func (d *digester) lines(n ast.Node) {
	lines := n.Lines()
	d.number(lines.Len())
	for i := range lines.Len() {
		at := lines.At(i)
		d.bytes(at.Value(d.doc.Source))
		d.flush()
	}
}

// flush keeps a long block from being held twice.
func (d *digester) flush() {
	if len(d.buf) > 4<<10 {
		d.sum.Write(d.buf)
		d.buf = d.buf[:0]
	}
}

// children writes the nodes below n and their end. Only few blocks are read as
// text.
func (d *digester) children(n ast.Node, deep int) {
	if deep > maxDigestDepth {
		d.unknown = true
		return
	}
	inline := n.Type() == ast.TypeInline
	switch n.(type) {
	case *ast.Paragraph, *ast.TextBlock, *ast.Heading, *extast.TableCell, *extast.DefinitionTerm:
		inline = true
	}
	for c := n.FirstChild(); c != nil && !d.unknown; c = c.NextSibling() {
		if inline != (c.Type() == ast.TypeInline) {
			d.unknown = true
			return
		}
		d.node(c, deep+1)
	}
	d.number(0)
}

// node writes down a node and what is below it. Of a node it does not know it
// leaves the digest unknown.
func (d *digester) node(n ast.Node, deep int) {
	d.flush()
	d.number(int(n.Kind()))
	switch n.(type) {
	case *ast.LinkReferenceDefinition, *ast.HTMLBlock:
		d.position(n)
		return // not shown, whatever they hold
	case *extast.FootnoteBacklink:
		return
	}
	if n.Type() == ast.TypeBlock {
		d.position(n)
		d.blockFields(n)
	} else {
		d.inlineFields(n)
	}
	if !d.unknown {
		d.children(n, deep)
	}
}

// blockFields writes down what setting looks at in a block itself.
func (d *digester) blockFields(n ast.Node) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock, *ast.ListItem, *ast.Blockquote, *ast.ThematicBreak,
		*extast.Table, *extast.TableHeader, *extast.TableRow,
		*extast.DefinitionList, *extast.DefinitionTerm, *extast.FootnoteList:
	case *ast.Heading:
		d.number(n.Level)
		v, _ := n.AttributeString("id")
		id, ok := v.([]byte)
		d.flag(ok)
		d.bytes(id)
	case *ast.List:
		d.number(int(n.Marker))
		d.number(n.Start)
		d.flag(n.IsTight)
	case *ast.FencedCodeBlock:
		d.flag(n.Info != nil)
		if n.Info != nil {
			d.bytes(n.Info.Segment.Value(d.doc.Source))
		}
		d.lines(n)
	case *ast.CodeBlock:
		d.lines(n)
	case *extast.TableCell:
		d.number(int(n.Alignment))
	case *extast.DefinitionDescription:
		d.flag(n.IsTight)
	case *extast.Footnote:
		d.number(n.Index)
	case *markdown.Callout:
		d.text(n.Name)
		d.text(n.Title)
	case *markdown.Details:
		d.text(n.Summary)
	case *markdown.MathBlock:
		d.text(n.TeX)
		d.text(n.Unicode)
		d.text(n.Number)
	case *markdown.Contents:
		d.number(n.Min)
		d.number(n.Max)
		d.number(len(d.doc.Headings))
		for _, h := range d.doc.Headings {
			d.number(h.Level)
			d.text(h.Text)
			d.text(h.ID)
		}
	default:
		d.unknown = true
	}
}

// inlineFields writes down what setting looks at in an inline node itself.
func (d *digester) inlineFields(n ast.Node) {
	switch n := n.(type) {
	case *ast.CodeSpan, *extast.Strikethrough,
		*markdown.Mark, *markdown.Key, *markdown.Raised, *markdown.Lowered:
	case *ast.Text:
		d.flag(n.SoftLineBreak())
		d.flag(n.HardLineBreak())
		d.flag(n.IsRaw())
		d.bytes(n.Value(d.doc.Source))
	case *ast.String:
		d.bytes(n.Value)
	case *ast.Emphasis:
		d.number(n.Level)
	case *ast.Link:
		d.bytes(n.Destination)
	case *ast.AutoLink:
		d.number(int(n.AutoLinkType))
		d.bytes(n.Label(d.doc.Source))
		d.bytes(n.URL(d.doc.Source))
	case *ast.Image:
		d.bytes(n.Destination)
		d.bytes(n.Title)
	case *extast.FootnoteLink:
		d.number(n.Index)
	case *extast.TaskCheckBox:
		d.flag(n.IsChecked)
	case *markdown.Math:
		d.text(n.TeX)
		d.text(n.Unicode)
	default:
		d.unknown = true
	}
}
