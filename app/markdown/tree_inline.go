package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"sheaf/app/tex"
)

var kindPendingTag = ast.NewNodeKind("pending tag")

// pendingTag is the beginning or the end of an inline element until both are
// found.
type pendingTag struct {
	ast.BaseInline
	ph placeholder
}

func (n *pendingTag) Kind() ast.NodeKind         { return kindPendingTag }
func (n *pendingTag) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// inlines turns the placeholders in the children of n into nodes.
func (tb *treeBuilder) inlines(n ast.Node, depth int) {
	if depth > maxTreeDepth {
		n.RemoveChildren(n)
		return
	}
	pending := false
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		switch c := c.(type) {
		case *ast.Text:
			v := tb.doc.Source[c.Segment.Start:c.Segment.Stop]
			if bytes.IndexByte(v, placeholderLead) >= 0 && n.Kind() != ast.KindCodeSpan {
				pending = tb.splitText(n, c) || pending
			}
		case *ast.CodeSpan:
		case *ast.AutoLink:
			if bytes.IndexByte(c.Label(tb.doc.Source), placeholderLead) >= 0 {
				pending = tb.cutAutoLink(n, c) || pending
			}
		case *ast.Link:
			c.Destination, c.Title = tb.address(c.Destination), tb.address(c.Title)
			tb.inlines(c, depth+1)
		case *ast.Image:
			c.Destination, c.Title = tb.address(c.Destination), tb.address(c.Title)
			tb.inlines(c, depth+1)
		default:
			tb.inlines(c, depth+1)
		}
		c = next
	}
	if pending {
		tb.pairTags(n)
	}
	tb.tidy(n)
}

// address returns the target or title of a link: placeholders as typed,
// escapes and entities decoded.
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

// splitText puts nodes in the place of a text that holds placeholders. It
// reports whether some of them are pending tags.
func (tb *treeBuilder) splitText(parent ast.Node, t *ast.Text) (pending bool) {
	src, seg := tb.doc.Source, t.Segment
	put := func(n ast.Node) { parent.InsertBefore(parent, t, n) }
	from := seg.Start
	afterBreak := false
	putText := func(to int) {
		for afterBreak && from < to && (src[from] == ' ' || src[from] == '\t') {
			from++
		}
		if from < to {
			put(ast.NewTextSegment(text.NewSegment(from, to)))
			afterBreak = false
		}
	}
	for i := seg.Start; i < seg.Stop; {
		m, ok := tb.stash.at(string(src[i:min(i+placeholderLen, seg.Stop)]))
		if !ok {
			i++
			continue
		}
		putText(i)
		i += placeholderLen
		from = i
		n := tb.inlineNode(m, parent)
		if n == nil {
			continue
		}
		switch n := n.(type) {
		case *ast.Text: // a line break
			afterBreak = true
			n.Segment = text.NewSegment(i, i)
		case *pendingTag:
			pending = true
		}
		put(n)
	}
	putText(seg.Stop)
	if t.SoftLineBreak() || t.HardLineBreak() {
		end := ast.NewTextSegment(text.NewSegment(seg.Stop, seg.Stop))
		end.SetSoftLineBreak(t.SoftLineBreak())
		end.SetHardLineBreak(t.HardLineBreak())
		put(end)
	}
	parent.RemoveChild(parent, t)
	return pending
}

// inlineNode returns the node a placeholder within text stands for, nil if it
// shows nothing. The id of a heading is kept.
func (tb *treeBuilder) inlineNode(m placeholder, parent ast.Node) ast.Node {
	switch m.kind {
	case phText:
		if m.text != "" {
			return ast.NewString([]byte(Clean(m.text)))
		}
	case phCode:
		return codeSpan(cellText(m.text, parent))
	case phFence:
		return codeSpan(cellText(strings.Join(strings.Fields(m.text), " "), parent))
	case phMath, phFormula:
		formula := cellText(m.text, parent)
		return &Math{TeX: Clean(formula), Unicode: Clean(tex.Unicode(formula))}
	case phBreak:
		t := ast.NewText()
		t.SetHardLineBreak(true)
		return t
	case phImage:
		l := ast.NewLink()
		l.Destination, l.Title = []byte(Clean(m.target)), []byte(Clean(m.title))
		img := ast.NewImage(l)
		if m.text != "" {
			img.AppendChild(img, ast.NewString([]byte(Clean(m.text))))
		}
		return img
	case phLink:
		return textLink(Clean(tb.stash.restore(m.target)), Clean(m.text))
	case phInlineOpen, phInlineClose:
		return &pendingTag{ph: m}
	case phID:
		if tb.inHeading {
			tb.headingID = m.name
		}
	}
	return nil
}

func codeSpan(code string) ast.Node {
	s := ast.NewString([]byte(Clean(code)))
	s.SetCode(true)
	c := ast.NewCodeSpan()
	c.AppendChild(c, s)
	return c
}

// textLink returns a link whose text has no markup.
func textLink(target, text string) ast.Node {
	l := ast.NewLink()
	l.Destination = []byte(target)
	l.AppendChild(l, ast.NewString([]byte(text)))
	return l
}

// cellText takes the escapes from bars if n stands in the cell of a table,
// where they part columns.
func cellText(s string, n ast.Node) string {
	for ; n != nil; n = n.Parent() {
		if n.Kind() == extast.KindTableCell {
			return strings.ReplaceAll(s, `\|`, "|")
		}
		if n.Type() != ast.TypeInline {
			break
		}
	}
	return s
}

// cutAutoLink ends a bare address before the placeholder it ran into. It
// reports whether what follows holds pending tags.
func (tb *treeBuilder) cutAutoLink(parent ast.Node, a *ast.AutoLink) (pending bool) {
	label := string(a.Label(tb.doc.Source))
	target := string(a.URL(tb.doc.Source))
	if i := strings.IndexByte(target, placeholderLead); i >= 0 {
		target = target[:i]
	}
	put := func(n ast.Node) { parent.InsertBefore(parent, a, n) }
	k := strings.IndexByte(label, placeholderLead)
	put(textLink(target, label[:k]))
	for label = label[k:]; label != ""; {
		if m, ok := tb.stash.at(label); ok {
			if n := tb.inlineNode(m, parent); n != nil {
				put(n)
				if _, is := n.(*pendingTag); is {
					pending = true
				}
			}
			label = label[placeholderLen:]
			continue
		}
		end := strings.IndexByte(label, placeholderLead)
		if end <= 0 {
			end = len(label)
		}
		put(ast.NewString([]byte(label[:end])))
		label = label[end:]
	}
	parent.RemoveChild(parent, a)
	return pending
}

const maxPendingTags = 200

// pairTags puts what stands between two pending tags into an element. Tags
// without a counterpart go, but a link that crosses the end of another element
// goes on to the end of n.
func (tb *treeBuilder) pairTags(n ast.Node) {
	var open []*pendingTag
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if tag, ok := c.(*pendingTag); ok {
			if tag.ph.kind == phInlineClose {
				for k := len(open) - 1; k >= 0; k-- {
					if open[k].ph.name == tag.ph.name {
						tb.enclose(n, open[k], tag)
						open = open[:k]
						break
					}
				}
				n.RemoveChild(n, tag)
			} else if len(open) < maxPendingTags {
				open = append(open, tag)
			}
		}
		c = next
	}
	for k := len(open) - 1; k >= 0; k-- {
		if open[k].ph.name == "a" {
			tb.enclose(n, open[k], nil)
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

// enclose moves the children of n between begin and end, but no pending tags,
// into the element that begin opens; a nil end is behind the last of them.
func (tb *treeBuilder) enclose(n ast.Node, begin *pendingTag, end ast.Node) {
	e := newElement(begin.ph)
	for c := begin.NextSibling(); c != nil && c != end; {
		next := c.NextSibling()
		n.RemoveChild(n, c)
		if _, ok := c.(*pendingTag); !ok {
			e.AppendChild(e, c)
		}
		c = next
	}
	if !e.HasChildren() {
		n.RemoveChild(n, begin)
		return
	}
	n.ReplaceChild(n, begin, e)
	tb.tidy(e)
}

func newElement(m placeholder) ast.Node {
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
// of a block, no soft one right behind another, hard ones at the end of the
// text before.
func (tb *treeBuilder) tidy(n ast.Node) {
	tb.joinTexts(n)
	block := n.Type() != ast.TypeInline
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if t, ok := c.(*ast.Text); ok && t.Segment.Len() == 0 && t.Segment.Padding == 0 {
			tb.tidyBreak(n, t, block && t.PreviousSibling() == nil)
		}
		c = next
	}
	if !block {
		return
	}
	if t, ok := n.LastChild().(*ast.Text); ok && t.HardLineBreak() {
		t.SetHardLineBreak(false)
		if t.Segment.Len() == 0 {
			n.RemoveChild(n, t)
		}
	}
}

// joinTexts joins texts that follow one another in the source without a line
// break, and takes blanks from both sides of a hard one.
func (tb *treeBuilder) joinTexts(n ast.Node) {
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		a, isText := c.(*ast.Text)
		b, nextIsText := next.(*ast.Text)
		switch {
		case !isText:
		case a.HardLineBreak():
			a.Segment = a.Segment.TrimRightSpace(tb.doc.Source)
			if nextIsText {
				b.Segment = b.Segment.TrimLeftSpace(tb.doc.Source)
			}
		case nextIsText && !a.SoftLineBreak() && a.Segment.Stop == b.Segment.Start &&
			a.Segment.Len() > 0 && b.Segment.Len() > 0 && b.Segment.Padding == 0:
			b.Segment = b.Segment.WithStart(a.Segment.Start)
			b.Segment.Padding = a.Segment.Padding
			n.RemoveChild(n, a)
		}
		c = next
	}
}

// tidyBreak puts a line break that has no text of its own in order; first
// reports that it begins a block.
func (tb *treeBuilder) tidyBreak(n ast.Node, t *ast.Text, first bool) {
	before, _ := t.PreviousSibling().(*ast.Text)
	behindBreak := before != nil && (before.HardLineBreak() || before.SoftLineBreak())
	switch {
	case t.HardLineBreak() && first:
	case t.HardLineBreak() && before != nil && !before.HardLineBreak() && before.Segment.Len() > 0:
		before.Segment = before.Segment.TrimRightSpace(tb.doc.Source)
		before.SetHardLineBreak(true)
		before.SetSoftLineBreak(false)
	case t.SoftLineBreak() && (behindBreak || first):
	case !t.HardLineBreak() && !t.SoftLineBreak():
	default:
		return
	}
	n.RemoveChild(n, t)
}
