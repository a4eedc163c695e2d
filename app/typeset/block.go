package typeset

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"sheaf/app/markdown"
)

// compose sets the whole page.
func (co *composer) compose(h Header) {
	co.header(h)
	co.blocks(co.doc.Root)
	co.listTargets()
}

// position gives the offset in the source at which a block begins, -1 when it
// has none.
func position(n ast.Node) int {
	for ; n != nil; n = n.FirstChild() {
		if n.Type() == ast.TypeInline {
			if t, ok := n.(*ast.Text); ok {
				return t.Segment.Start
			}
			continue
		}
		if n.Lines() != nil && n.Lines().Len() > 0 {
			return n.Lines().At(0).Start
		}
		if at := n.Pos(); at >= 0 && !n.HasChildren() {
			return at
		}
	}
	return -1
}

func (co *composer) header(h Header) {
	title := markdown.Line(h.Title)
	note := markdown.Line(h.Note)
	if title != "" {
		co.addText([]run{{text: title, face: co.pal.title}})
		co.rule(title, "=")
	}
	if note != "" {
		co.addText([]run{{text: note, face: co.pal.note}})
	}
	if title != "" || note != "" {
		co.wantBlanks(1)
		co.spacing = afterHeading
	}
}

// rule underlines a title where no style can show it.
func (co *composer) rule(text, mark string) {
	if co.pal.plain {
		co.addRow(row{pieceOf(strings.Repeat(mark, max(1, min(width(text), co.avail()))), face{})})
	}
}

func (co *composer) blocks(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		co.block(c)
	}
}

func (co *composer) block(n ast.Node) {
	if at := position(n); at >= 0 {
		co.sourceLine = co.doc.Line(at)
	}
	if co.checkTime() {
		co.composePlain(n)
		return
	}
	switch n := n.(type) {
	case *ast.Heading:
		co.heading(n)
	case *ast.Paragraph, *ast.TextBlock:
		co.paragraph(n)
	case *ast.List:
		co.list(n)
	case *ast.Blockquote:
		co.spaceAbove(1)
		opened := co.openContainer(nil, row{pieceOf("│ ", co.pal.dim)})
		co.loosely(func() { co.blocks(n) })
		co.closeContainer(opened)
		co.wantBlanks(1)
	case *ast.FencedCodeBlock:
		co.listing(co.languageOf(n), co.linesOf(n))
	case *ast.CodeBlock:
		co.listing("", co.linesOf(n))
	case *ast.ThematicBreak:
		co.spaceAbove(1)
		stars := "* * *"
		if co.avail() < len(stars) {
			stars = "*"
		}
		co.addRow(row{blankPiece((co.avail() - len(stars)) / 2), pieceOf(stars, co.pal.dim)})
		co.wantBlanks(1)
	case *extast.Table:
		co.table(n)
	case *extast.DefinitionList:
		co.definitions(n)
	case *extast.FootnoteList:
		co.footnotes(n)
	case *markdown.Callout:
		co.callout(n)
	case *markdown.MathBlock:
		co.mathBlock(n)
	case *markdown.Contents:
		co.contents(n)
	case *markdown.Details:
		co.details(n)
	case *ast.LinkReferenceDefinition, *ast.HTMLBlock: // nothing to see
	default:
		switch c := n.FirstChild(); {
		case c == nil:
			if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
				co.composePlain(n)
			}
		case c.Type() == ast.TypeInline:
			co.paragraph(n)
		default:
			co.blocks(n)
		}
	}
}

// spaceAbove asks for empty lines above a block; a tight list wants none.
func (co *composer) spaceAbove(n int) {
	if co.tight {
		n = 0
	}
	co.wantBlanks(n)
	co.flushMark()
}

// loosely sets what is inside a container that is no tight list, even when it
// stands in one.
func (co *composer) loosely(set func()) {
	old := co.tight
	co.tight = false
	set()
	co.tight = old
}

func (co *composer) paragraph(n ast.Node) {
	runs := co.inlines(n, face{})
	if blank(runs) {
		return
	}
	if co.tight {
		co.wantBlanks(0)
	} else {
		co.wantBlanks(1)
	}
	co.addText(runs)
	if !co.tight {
		co.wantBlanks(1)
	}
}

func blank(runs []run) bool {
	for _, r := range runs {
		if strings.TrimSpace(r.text) != "" {
			return false
		}
	}
	return true
}

// heading sets a heading: its level shows in its weight and in the space above.
func (co *composer) heading(n *ast.Heading) {
	level := min(max(n.Level, 1), 6)
	runs := co.inlines(n, co.pal.heading[level])
	if blank(runs) {
		co.headingIndex++
		return
	}
	if level <= 2 && len(co.margins) == 0 && co.page.Width >= narrow {
		co.wantBlanks(2)
	} else {
		co.wantBlanks(1)
	}
	co.flushBlanks()
	h := Head{Level: n.Level, Text: strings.TrimSpace(co.plainText(n)), Line: len(co.page.Lines)}
	if id, ok := n.AttributeString("id"); ok {
		if b, ok := id.([]byte); ok {
			h.ID = markdown.Clean(string(b))
		}
	}
	listed := false
	for i := co.headingIndex; i < min(len(co.doc.Headings), co.headingIndex+8); i++ {
		if d := co.doc.Headings[i]; d.Level == n.Level && withoutBlanks(d.Text) == withoutBlanks(h.Text) {
			h.Text, h.ID = d.Text, d.ID
			co.headingIndex = i + 1
			listed = true
			break
		}
	}
	co.uncertain = co.uncertain || !listed // on headings further down
	co.page.Heads = append(co.page.Heads, h)
	co.addText(runs)
	switch level {
	case 1:
		co.rule(h.Text, "=")
	case 2:
		co.rule(h.Text, "-")
	default:
		if co.pal.plain { // nothing else tells it from the text
			co.wantBlanks(1)
			return
		}
	}
	co.spacing = afterHeading
}

// languageOf reads the first word after a fence. The node's own Language method
// remembers its answer in the node, which a tree shared by all sessions must
// not suffer.
func (co *composer) languageOf(n *ast.FencedCodeBlock) string {
	if n.Info == nil {
		return ""
	}
	info := markdown.Clean(string(n.Info.Segment.Value(co.doc.Source)))
	if f := strings.FieldsFunc(info, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '{' || r == ',' }); len(f) > 0 {
		return f[0]
	}
	return ""
}

func (co *composer) linesOf(n ast.Node) string {
	var b strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		b.Write(at.Value(co.doc.Source))
	}
	return markdown.Clean(b.String())
}

func (co *composer) list(n *ast.List) {
	outer := co.tight
	if !outer {
		co.wantBlanks(1)
	}
	co.flushMark()
	digits := 0
	if n.IsOrdered() {
		digits = len(strconv.Itoa(n.Start + max(n.ChildCount()-1, 0)))
	}
	bullet := "•"
	if depth := listDepth(n); depth%2 == 0 {
		bullet = "◦"
	}
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := row{pieceOf(bullet, co.pal.dim), blankPiece(1)}
		if n.IsOrdered() {
			num := strconv.Itoa(number)
			mark = row{blankPiece(digits - len(num)), pieceOf(num+".", co.pal.dim), blankPiece(1)}
			number++
		}
		if box := taskBoxOf(item); box != nil {
			mark = row{pieceOf(taskBox(box), co.pal.dim), blankPiece(1)}
			if box.IsChecked {
				mark[0].face = face{colour: co.pal.accent}
			}
		}
		if !n.IsTight && item != n.FirstChild() {
			co.wantBlanks(1)
		}
		co.tight = n.IsTight
		opened := co.openContainer(mark, nil)
		co.blocks(item)
		co.closeContainer(opened)
		co.tight = outer
	}
	if !outer {
		co.wantBlanks(1)
	}
}

// listDepth counts the lists a list stands in, itself included.
func listDepth(n ast.Node) int {
	d := 0
	for ; n != nil; n = n.Parent() {
		if n.Kind() == ast.KindList {
			d++
		}
	}
	return d
}

// taskBoxOf finds the task box an item begins with.
func taskBoxOf(item ast.Node) *extast.TaskCheckBox {
	if c := item.FirstChild(); c != nil && c.FirstChild() != nil {
		box, _ := c.FirstChild().(*extast.TaskCheckBox)
		return box
	}
	return nil
}

func (co *composer) callout(n *markdown.Callout) {
	ink, ok := co.pal.callout[strings.ToLower(n.Name)]
	if !ok {
		ink = co.pal.accent
	}
	word := markdown.Clean(n.Name)
	if r, size := utf8.DecodeRuneInString(word); size > 0 {
		word = string(unicode.ToUpper(r)) + word[size:]
	}
	title := strings.TrimSpace(markdown.Clean(n.Title))
	if strings.EqualFold(title, word) {
		word, title = title, ""
	}
	runs := []run{{text: word, face: face{colour: ink}.with(co.pal.label)}}
	if title != "" {
		sep := "  "
		if co.pal.plain {
			sep = ": "
		}
		runs = append(runs, run{text: sep, solid: true}, run{text: title, face: co.pal.label})
	}
	co.spaceAbove(1)
	opened := co.openContainer(nil, row{pieceOf("│ ", face{colour: ink})})
	co.addText(runs)
	co.spacing = afterHeading
	co.loosely(func() { co.blocks(n) })
	co.closeContainer(opened)
	co.wantBlanks(1)
}

func (co *composer) details(n *markdown.Details) {
	co.spaceAbove(1)
	summary := strings.TrimSpace(markdown.Clean(n.Summary))
	opened := co.openContainer(row{pieceOf("▾", co.pal.dim), blankPiece(1)}, nil)
	if summary == "" {
		summary = "Details"
	}
	co.addText([]run{{text: summary, face: co.pal.label}})
	co.spacing = afterHeading
	co.loosely(func() { co.blocks(n) })
	co.closeContainer(opened)
	co.wantBlanks(1)
}

func (co *composer) definitions(n ast.Node) {
	co.spaceAbove(1)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *extast.DefinitionTerm:
			if p := c.PreviousSibling(); p != nil && p.Kind() != extast.KindDefinitionTerm {
				co.wantBlanks(1)
			}
			co.addText(co.inlines(c, co.pal.label))
			co.spacing = afterHeading
		case *extast.DefinitionDescription:
			indent := 4
			if co.avail() < narrow {
				indent = 2
			}
			co.wantBlanks(0)
			opened := co.openContainer(nil, row{blankPiece(indent)})
			old := co.tight
			co.tight = c.IsTight
			co.blocks(c)
			co.tight = old
			co.closeContainer(opened)
		default:
			co.block(c)
		}
	}
	co.wantBlanks(1)
}

func (co *composer) footnotes(n ast.Node) {
	co.spaceAbove(2)
	co.addRow(row{pieceOf(strings.Repeat("─", min(8, co.avail())), co.pal.dim)})
	last, _ := n.LastChild().(*extast.Footnote)
	wide := 1
	if last != nil {
		wide = width(superscript(last.Index))
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		note, ok := c.(*extast.Footnote)
		if !ok {
			co.block(c)
			continue
		}
		number := superscript(note.Index)
		pad := max(wide-width(number), 0)
		co.pendingBlanks = 0
		co.spacing = atTop
		opened := co.openContainer(row{blankPiece(pad), pieceOf(number, co.pal.dim), blankPiece(1)}, nil)
		co.page.Notes = append(co.page.Notes, Note{Number: note.Index, Line: len(co.page.Lines)})
		co.loosely(func() { co.blocks(note) })
		co.closeContainer(opened)
	}
	co.wantBlanks(1)
}

// contents sets a list of the headings below it.
func (co *composer) contents(n *markdown.Contents) {
	least, most := n.Min, n.Max
	if least < 1 {
		least = 1
	}
	if most < 1 {
		most = 6
	}
	top := 7
	for _, h := range co.doc.Headings {
		if h.Level >= least && h.Level <= most {
			top = min(top, h.Level)
		}
	}
	if top == 7 {
		return
	}
	co.spaceAbove(1)
	for _, h := range co.doc.Headings {
		if h.Level < least || h.Level > most || strings.TrimSpace(h.Text) == "" {
			continue
		}
		indent := 2 * (h.Level - top)
		opened := co.openContainer(row{blankPiece(indent), pieceOf("·", co.pal.dim), blankPiece(1)}, nil)
		co.addText([]run{{text: h.Text, face: co.pal.link, link: co.addLink("#"+h.ID, h.Text)}})
		co.closeContainer(opened)
		co.spacing = afterText
	}
	co.wantBlanks(1)
}

// listTargets ends a page with the addresses its links do not carry: all of
// them in plain text, where they are numbered, else those no OSC 8 can say (a
// path inside the blog, letters outside ASCII), in one dim paragraph.
func (co *composer) listTargets() {
	if len(co.unlinked) == 0 {
		return
	}
	seen := make(map[string]bool)
	var list []Link
	for _, i := range co.unlinked {
		if l := co.page.Links[i]; !seen[l.Target] {
			seen[l.Target] = true
			list = append(list, l)
		}
	}
	co.spacing = afterText
	co.wantBlanks(2)
	if !co.pal.plain {
		runs := []run{{text: "Links:", face: co.pal.dim}}
		for i, l := range list {
			sep := " "
			if i > 0 {
				sep = " · "
			}
			runs = append(runs, run{text: sep, face: co.pal.dim}, run{text: l.Target, face: co.pal.dim, solid: true})
		}
		co.addText(runs)
		return
	}
	co.addRow(row{pieceOf(Truncate("Links", co.avail()), face{})})
	digits := len(strconv.Itoa(len(list)))
	for i, l := range list {
		num := strconv.Itoa(i + 1)
		opened := co.openContainer(row{pieceOf(spaces(digits-len(num))+"["+num+"] ", face{})}, nil)
		text := strings.Join(strings.Fields(l.Text), " ")
		if text != "" {
			text += ": "
		}
		co.addText([]run{{text: text}, {text: l.Target, solid: true}})
		co.closeContainer(opened)
	}
}
