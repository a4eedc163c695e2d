package markdown

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// collect walks the finished tree and lists what is in it.
func (g *grower) collect(n ast.Node, deep int) {
	if deep > deepestTree+50 {
		return
	}
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *place: // <!--more-->
			g.more = g.text.Len()
			n.RemoveChild(n, c)
		case *ast.FencedCodeBlock:
			g.code(c, string(c.Language(g.doc.Source)))
		case *ast.CodeBlock:
			g.code(c, "")
		case *ast.Heading:
			g.see(c)
			text := Clean(g.plain(c))
			id := ""
			if v, ok := c.AttributeString("id"); ok {
				b, _ := v.([]byte)
				id = string(b)
			}
			if id == "" {
				if g.dialect == Franklin {
					id = franklinID(text)
				} else {
					id = anchorID(text)
				}
			}
			id = g.unique(id, g.seen)
			c.SetAttributeString("id", []byte(id))
			g.doc.Headings = append(g.doc.Headings, Heading{Level: c.Level, Text: text, ID: id, Line: g.doc.Line(g.at)})
			g.leaves(c, deep+1)
			g.line(text)
		case *MathBlock:
			g.line(c.TeX)
		case *Callout:
			g.line(c.Title)
			g.collect(c, deep+1)
		case *Details:
			g.line(c.Summary)
			g.collect(c, deep+1)
		default:
			if first := c.FirstChild(); first != nil && first.Type() == ast.TypeInline {
				g.see(c)
				g.leaves(c, deep+1)
				text := g.plain(c)
				g.line(text)
				if g.first == "" && !onlyImage(c) && c.Kind() == ast.KindParagraph && n == g.doc.Root {
					g.first = text
				}
			} else {
				g.collect(c, deep+1)
			}
		}
		c = next
	}
}

// onlyImage reports a paragraph that says nothing by itself.
func onlyImage(n ast.Node) bool {
	return n.ChildCount() == 1 && n.FirstChild().Kind() == ast.KindImage
}

func (g *grower) line(s string) {
	if s = strings.TrimSpace(s); s != "" {
		g.text.WriteString(s)
		g.text.WriteByte('\n')
	}
}

// see keeps where a block stands.
func (g *grower) see(n ast.Node) {
	if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
		g.at = n.Lines().At(0).Start
	}
}

func (g *grower) code(n ast.Node, lang string) {
	var b strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		b.Write(at.Value(g.doc.Source))
	}
	line := g.doc.Line(g.at)
	if lines.Len() > 0 {
		line = g.doc.Line(lines.At(0).Start)
	}
	g.doc.Codes = append(g.doc.Codes, Code{Lang: Clean(lang), Text: Clean(b.String()), Line: line})
	g.line(b.String())
}

// leaves lists the links and images in a block.
func (g *grower) leaves(n ast.Node, deep int) {
	if deep > deepestTree+50 {
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if c.Segment.Len() > 0 {
				g.at = c.Segment.Start
			}
		case *ast.AutoLink:
			g.doc.Links = append(g.doc.Links, Link{Text: Clean(string(c.Label(g.doc.Source))), Target: Clean(string(c.URL(g.doc.Source))), Line: g.doc.Line(g.at)})
		case *ast.Link:
			g.leaves(c, deep+1)
			g.doc.Links = append(g.doc.Links, Link{Text: Clean(g.plain(c)), Target: Clean(string(c.Destination)), Line: g.doc.Line(g.at)})
		case *ast.Image:
			g.doc.Images = append(g.doc.Images, Image{Alt: Clean(g.plain(c)), Target: Clean(string(c.Destination)), Title: Clean(string(c.Title)), Line: g.doc.Line(g.at)})
		default:
			g.leaves(c, deep+1)
		}
	}
}

// plain gives the text of inline nodes.
func (g *grower) plain(n ast.Node) string {
	var b strings.Builder
	g.doc.plain(&b, n, 0)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d *Document) plain(b *strings.Builder, n ast.Node, deep int) {
	if deep > deepestTree+50 {
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
			d.plain(b, c, deep+1)
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
