package markdown

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// collect walks the finished tree and lists what is in it.
func (tb *treeBuilder) collect(n ast.Node, deep int) {
	if deep > maxTreeDepth+50 {
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
			tb.notePosition(c)
			text := Clean(tb.plainText(c))
			id := ""
			if v, ok := c.AttributeString("id"); ok {
				b, _ := v.([]byte)
				id = string(b)
			}
			if id == "" {
				if tb.dialect == Franklin {
					id = franklinID(text)
				} else {
					id = anchorID(text)
				}
			}
			id = tb.unique(id, tb.seen)
			c.SetAttributeString("id", []byte(id))
			tb.doc.Headings = append(tb.doc.Headings, Heading{Level: c.Level, Text: text, ID: id, Line: tb.doc.Line(tb.position)})
			tb.collectInline(c, deep+1)
			tb.addText(text)
		case *MathBlock:
			tb.addText(c.TeX)
		case *Callout:
			tb.addText(c.Title)
			tb.collect(c, deep+1)
		case *Details:
			tb.addText(c.Summary)
			tb.collect(c, deep+1)
		default:
			if first := c.FirstChild(); first != nil && first.Type() == ast.TypeInline {
				tb.notePosition(c)
				tb.collectInline(c, deep+1)
				text := tb.plainText(c)
				tb.addText(text)
				if tb.firstParagraph == "" && !onlyImage(c) && c.Kind() == ast.KindParagraph && n == tb.doc.Root {
					tb.firstParagraph = text
				}
			} else {
				tb.collect(c, deep+1)
			}
		}
		c = next
	}
}

// onlyImage reports a paragraph that says nothing by itself.
func onlyImage(n ast.Node) bool {
	return n.ChildCount() == 1 && n.FirstChild().Kind() == ast.KindImage
}

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

func (tb *treeBuilder) addCode(n ast.Node, lang string) {
	var b strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		b.Write(at.Value(tb.doc.Source))
	}
	line := tb.doc.Line(tb.position)
	if lines.Len() > 0 {
		line = tb.doc.Line(lines.At(0).Start)
	}
	tb.doc.Codes = append(tb.doc.Codes, Code{Lang: Clean(lang), Text: Clean(b.String()), Line: line})
	tb.addText(b.String())
}

// collectInline lists the links and images in a block.
func (tb *treeBuilder) collectInline(n ast.Node, deep int) {
	if deep > maxTreeDepth+50 {
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if c.Segment.Len() > 0 {
				tb.position = c.Segment.Start
			}
		case *ast.AutoLink:
			tb.doc.Links = append(tb.doc.Links, Link{Text: Clean(string(c.Label(tb.doc.Source))), Target: Clean(string(c.URL(tb.doc.Source))), Line: tb.doc.Line(tb.position)})
		case *ast.Link:
			tb.collectInline(c, deep+1)
			tb.doc.Links = append(tb.doc.Links, Link{Text: Clean(tb.plainText(c)), Target: Clean(string(c.Destination)), Line: tb.doc.Line(tb.position)})
		case *ast.Image:
			tb.doc.Images = append(tb.doc.Images, Image{Alt: Clean(tb.plainText(c)), Target: Clean(string(c.Destination)), Title: Clean(string(c.Title)), Line: tb.doc.Line(tb.position)})
		default:
			tb.collectInline(c, deep+1)
		}
	}
}

// plainText gives the text of inline nodes.
func (tb *treeBuilder) plainText(n ast.Node) string {
	var b strings.Builder
	tb.doc.appendPlain(&b, n, 0)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d *Document) appendPlain(b *strings.Builder, n ast.Node, deep int) {
	if deep > maxTreeDepth+50 {
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
			d.appendPlain(b, c, deep+1)
		}
	}
}

// TextOf gives the text to show for a leaf of the tree: a Text or a String,
// also the one inside a code span. Escapes and entities are decoded, once.
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

// decode resolves backslash escapes and entities, which must be whole.
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
			if k := strings.IndexByte(s[i:], ';'); k > 1 && k < 34 && strings.IndexByte(s[i+1:i+k], '&') < 0 {
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
