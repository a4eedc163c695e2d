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

// compose sets the whole document.
func (co *composer) compose(h Header) {
	co.header(h)
	co.blocks(co.doc.Root)
	co.listTargets()
}

// position returns the offset in the source at which a block begins, -1 when it
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

// block sets one block with all that is in it. A block of an unknown kind shows
// what is below it; past the soft limit every block is plain text.
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
		co.thematicBreak()
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

// thematicBreak sets three stars in the middle of a row.
func (co *composer) thematicBreak() {
	co.spaceAbove(1)
	stars := "* * *"
	if co.avail() < len(stars) {
		stars = "*"
	}
	co.addRow(row{blankPiece((co.avail() - len(stars)) / 2), pieceOf(stars, co.pal.dim)})
	co.wantBlanks(1)
}

// spaceAbove asks for empty lines above a block; a tight list wants none.
func (co *composer) spaceAbove(n int) {
	if co.tight {
		n = 0
	}
	co.wantBlanks(n)
	co.flushMark()
}

// loosely sets the inside of a container that is no tight list, even when it
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

// blank reports whether runs show nothing.
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
	listed := false // among the next of the document, whose text and id count
	for i := co.headingIndex; i < min(len(co.doc.Headings), co.headingIndex+8); i++ {
		if d := co.doc.Headings[i]; d.Level == n.Level && withoutBlanks(d.Text) == withoutBlanks(h.Text) {
			h.Text, h.ID = d.Text, d.ID
			co.headingIndex = i + 1
			listed = true
			break
		}
	}
	co.uncertain = co.uncertain || !listed // it depends on headings further down
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

// languageOf returns the first word after a fence. The node's own Language
// method keeps its answer in the node, which is shared by all sessions.
func (co *composer) languageOf(n *ast.FencedCodeBlock) string {
	if n.Info == nil {
		return ""
	}
	info := markdown.Clean(string(n.Info.Segment.Value(co.doc.Source)))
	words := strings.FieldsFunc(info, func(r rune) bool { return strings.ContainsRune(" \t\n{,", r) })
	if len(words) == 0 {
		return ""
	}
	return words[0]
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

// list sets a list. Lists within the items of a tight one (without blank lines
// between them) are set without a distance too.
func (co *composer) list(n *ast.List) {
	outer := co.tight
	if !outer {
		co.wantBlanks(1)
	}
	co.flushMark()
	mark := co.listMarks(n)
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		if !n.IsTight && item != n.FirstChild() {
			co.wantBlanks(1)
		}
		co.tight = n.IsTight
		opened := co.openContainer(mark(item), nil)
		co.blocks(item)
		co.closeContainer(opened)
		co.tight = outer
	}
	if !outer {
		co.wantBlanks(1)
	}
}

// listMarks returns a function that gives the items of a list their marks, one
// after the other: a bullet, a number as wide as the last, or a task box.
func (co *composer) listMarks(n *ast.List) func(item ast.Node) row {
	bullet := "•"
	if listDepth(n)%2 == 0 {
		bullet = "◦"
	}
	number, digits := n.Start, len(strconv.Itoa(n.Start+max(n.ChildCount()-1, 0)))
	return func(item ast.Node) row {
		mark := row{pieceOf(bullet, co.pal.dim), blankPiece(1)}
		if n.IsOrdered() {
			s := strconv.Itoa(number)
			mark = row{blankPiece(digits - len(s)), pieceOf(s+".", co.pal.dim), blankPiece(1)}
			number++
		}
		if box := taskBoxOf(item); box != nil {
			mark = row{pieceOf(taskBox(box), co.pal.dim), blankPiece(1)}
			if box.IsChecked {
				mark[0].face = face{colour: co.pal.accent}
			}
		}
		return mark
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

// taskBoxOf returns the task box an item begins with, nil if there is none.
func taskBoxOf(item ast.Node) *extast.TaskCheckBox {
	if c := item.FirstChild(); c != nil && c.FirstChild() != nil {
		box, _ := c.FirstChild().(*extast.TaskCheckBox)
		return box
	}
	return nil
}

// callout sets a call-out: its kind and title in the colour of the kind, and a
// bar at the left of all.
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

// footnotes sets the notes at the end of a page, one right below the other.
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

// contents sets the list of the document's headings, those of the levels it
// asks for, indented by level.
func (co *composer) contents(n *markdown.Contents) {
	least, most := n.Min, n.Max
	if least < 1 {
		least = 1
	}
	if most < 1 {
		most = 6
	}
	const none = 7
	top := none
	for _, h := range co.doc.Headings {
		if h.Level >= least && h.Level <= most {
			top = min(top, h.Level)
		}
	}
	if top == none {
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

// listTargets ends a page with the addresses that no OSC 8 carries: in plain
// text all of them, numbered; else those that cannot stand in one (a path
// inside the blog, letters outside ASCII), in one dim paragraph.
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
