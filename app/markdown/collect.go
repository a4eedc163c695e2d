package markdown

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// maxCollectDepth bounds recursion over the finished tree, in which elements
// may stand deeper than when it was built.
const maxCollectDepth = maxTreeDepth + 50

// collect walks the finished tree and lists what is in it: its text, headings,
// code, links and images. Headings get their ids.
func (tb *treeBuilder) collect(n ast.Node, depth int) {
	if depth > maxCollectDepth {
		return
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *placeholderBlock: // <!--more-->
			tb.moreAt = tb.text.Len()
			n.RemoveChild(n, c)
		case *ast.FencedCodeBlock:
			tb.addCode(c, string(c.Language(tb.doc.Source)))
		case *ast.CodeBlock:
			tb.addCode(c, "")
		case *ast.Heading:
			tb.addHeading(c, depth)
		case *MathBlock:
			tb.addText(c.TeX)
		case *Callout:
			tb.addText(c.Title)
			tb.collect(c, depth+1)
		case *Details:
			tb.addText(c.Summary)
			tb.collect(c, depth+1)
		default:
			first := c.FirstChild()
			if first == nil || first.Type() != ast.TypeInline {
				tb.collect(c, depth+1)
				break
			}
			tb.notePosition(c)
			tb.collectInline(c, depth+1)
			text := tb.plainText(c)
			tb.addText(text)
			if tb.firstParagraph == "" && c.Kind() == ast.KindParagraph && n == tb.doc.Root && !isOnlyImage(c) {
				tb.firstParagraph = text
			}
		}
		c = next
	}
}

// isOnlyImage reports whether a paragraph holds one image and says nothing by
// itself.
func isOnlyImage(n ast.Node) bool {
	return n.ChildCount() == 1 && n.FirstChild().Kind() == ast.KindImage
}

// addText appends a line to the text of the document.
func (tb *treeBuilder) addText(s string) {
	if s = strings.TrimSpace(s); s != "" {
		tb.text.WriteString(s)
		tb.text.WriteByte('\n')
	}
}

// notePosition keeps where a block stands.
func (tb *treeBuilder) notePosition(n ast.Node) {
	if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
		tb.position = n.Lines().At(0).Start
	}
}

// addHeading lists a heading under the id its author gave it, or else the one
// its dialect makes of its text.
func (tb *treeBuilder) addHeading(h *ast.Heading, depth int) {
	tb.notePosition(h)
	text := Clean(tb.plainText(h))
	id := ""
	if v, ok := h.AttributeString("id"); ok {
		b, _ := v.([]byte)
		id = string(b)
	}
	if id == "" {
		id = anchorID(text)
		if tb.dialect == Franklin {
			id = franklinID(text)
		}
	}
	id = tb.unique(id, tb.ids)
	h.SetAttributeString("id", []byte(id))
	tb.doc.Headings = append(tb.doc.Headings,
		Heading{Level: h.Level, Text: text, ID: id, Line: tb.doc.Line(tb.position)})
	tb.collectInline(h, depth+1)
	tb.addText(text)
}

// addCode lists a block of code.
func (tb *treeBuilder) addCode(n ast.Node, lang string) {
	var b strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		b.Write(at.Value(tb.doc.Source))
	}
	position := tb.position
	if lines.Len() > 0 {
		position = lines.At(0).Start
	}
	tb.doc.Codes = append(tb.doc.Codes,
		Code{Lang: Clean(lang), Text: Clean(b.String()), Line: tb.doc.Line(position)})
	tb.addText(b.String())
}

// collectInline lists the links and images in a block.
func (tb *treeBuilder) collectInline(n ast.Node, depth int) {
	if depth > maxCollectDepth {
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if c.Segment.Len() > 0 {
				tb.position = c.Segment.Start
			}
		case *ast.AutoLink:
			tb.addLink(string(c.Label(tb.doc.Source)), c.URL(tb.doc.Source))
		case *ast.Link:
			tb.collectInline(c, depth+1)
			tb.addLink(tb.plainText(c), c.Destination)
		case *ast.Image:
			tb.doc.Images = append(tb.doc.Images, Image{
				Alt:    Clean(tb.plainText(c)),
				Target: Clean(string(c.Destination)),
				Title:  Clean(string(c.Title)),
				Line:   tb.doc.Line(tb.position),
			})
		default:
			tb.collectInline(c, depth+1)
		}
	}
}

func (tb *treeBuilder) addLink(text string, target []byte) {
	tb.doc.Links = append(tb.doc.Links,
		Link{Text: Clean(text), Target: Clean(string(target)), Line: tb.doc.Line(tb.position)})
}

// plainText returns the text of inline nodes as one line.
func (tb *treeBuilder) plainText(n ast.Node) string {
	var b strings.Builder
	tb.doc.appendPlain(&b, n, 0)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d *Document) appendPlain(b *strings.Builder, n ast.Node, depth int) {
	if depth > maxCollectDepth {
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.WriteString(d.TextOf(c))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.WriteString(d.TextOf(c))
		case *ast.AutoLink:
			b.Write(c.Label(d.Source))
		case *Math:
			b.WriteString(c.TeX)
		case *extast.FootnoteLink, *extast.FootnoteBacklink:
		default:
			d.appendPlain(b, c, depth+1)
		}
	}
}

// TextOf returns the text to show for a leaf of the tree: a Text or a String,
// also one inside a code span. Escapes and entities are decoded, once, and the
// result is clean. It is "" for other nodes.
func (d *Document) TextOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.Text:
		v := string(n.Value(d.Source))
		if p := n.Parent(); p != nil && p.Kind() == ast.KindCodeSpan {
			return Clean(strings.ReplaceAll(v, "\n", " "))
		}
		if n.IsRaw() {
			return Clean(v)
		}
		return Clean(decode(v))
	case *ast.String:
		return Clean(string(n.Value))
	}
	return ""
}

const maxEntity = 33 // bytes of an entity without its semicolon

// decode resolves backslash escapes, and entities that end with a semicolon.
func decode(s string) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '&') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && isPunct(s[i+1]):
			i++
			b.WriteByte(s[i])
		case c == '&':
			k := strings.IndexByte(s[i:], ';')
			if k > 1 && k <= maxEntity && strings.IndexByte(s[i+1:i+k], '&') < 0 {
				if t := html.UnescapeString(s[i : i+k+1]); !strings.HasSuffix(t, ";") || t == ";" {
					b.WriteString(t)
					i += k
					continue
				}
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
