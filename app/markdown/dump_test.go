package markdown

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// outline writes a tree compactly: p(text em(text)). Texts are quoted with ‹›
// only where that is needed to see their ends.
func outline(d *Document) string {
	var b strings.Builder
	for c := d.Root.FirstChild(); c != nil; c = c.NextSibling() {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		outlineNode(&b, d, c)
	}
	return b.String()
}

func outlineNode(b *strings.Builder, d *Document, n ast.Node) {
	name := ""
	switch n := n.(type) {
	case *ast.Text:
		b.WriteString(d.TextOf(n))
		switch {
		case n.HardLineBreak():
			b.WriteString("⏎")
		case n.SoftLineBreak():
			b.WriteString("↵")
		}
		return
	case *ast.String:
		b.WriteString(d.TextOf(n))
		return
	case *ast.Paragraph, *ast.TextBlock:
		name = "p"
	case *ast.Heading:
		name = fmt.Sprintf("h%d", n.Level)
	case *ast.List:
		name = "ul"
		if n.IsOrdered() {
			name = "ol"
		}
	case *ast.ListItem:
		name = "li"
	case *ast.Blockquote:
		name = "quote"
	case *ast.ThematicBreak:
		name = "rule"
	case *ast.FencedCodeBlock:
		fmt.Fprintf(b, "code:%s[", n.Language(d.Source))
		for i := range n.Lines().Len() {
			at := n.Lines().At(i)
			b.WriteString(strings.ReplaceAll(string(at.Value(d.Source)), "\n", "⏎"))
		}
		b.WriteString("]")
		return
	case *ast.CodeSpan:
		name = "`"
	case *ast.Emphasis:
		name = [...]string{"", "em", "strong"}[n.Level]
	case *ast.Link:
		name = "link<" + string(n.Destination) + ">"
	case *ast.AutoLink:
		fmt.Fprintf(b, "<%s>", n.URL(d.Source))
		return
	case *ast.Image:
		name = "img<" + string(n.Destination) + ">"
	case *extast.FootnoteLink:
		fmt.Fprintf(b, "^%d", n.Index)
		return
	case *extast.FootnoteBacklink:
		return
	case *extast.TaskCheckBox:
		b.WriteString(map[bool]string{true: "☑", false: "☐"}[n.IsChecked])
		return
	case *Callout:
		name = strings.TrimSpace("callout:" + n.Name + " " + n.Title)
	case *Details:
		name = strings.TrimSpace("details " + n.Summary)
	case *Math:
		fmt.Fprintf(b, "math[%s]", n.TeX)
		return
	case *MathBlock:
		fmt.Fprintf(b, "MATH%s[%s]", n.Number, strings.ReplaceAll(n.TeX, "\n", "⏎"))
		return
	case *Contents:
		fmt.Fprintf(b, "contents%d-%d", n.Min, n.Max)
		return
	case *Raised:
		name = "sup"
	case *Lowered:
		name = "sub"
	case *Key:
		name = "kbd"
	case *Mark:
		name = "mark"
	default:
		name = strings.ToLower(n.Kind().String())
	}
	b.WriteString(name + "(")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c != n.FirstChild() && c.Type() == ast.TypeBlock {
			b.WriteByte(' ')
		}
		outlineNode(b, d, c)
	}
	b.WriteString(")")
}

type construct struct{ name, source, want string }

func constructs(t *testing.T, d Dialect, list []construct) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			doc := Parse([]byte(c.source), Options{Dialect: d})
			if got := outline(doc); got != c.want {
				t.Errorf("%q\n got %s\nwant %s\npassed as %q", c.source, got, c.want, doc.Source)
			}
		})
	}
}
