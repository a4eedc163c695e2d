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

// document sets the whole page.
func (s *setting) document(h Header) {
	s.header(h)
	s.blocks(s.doc.Root)
	s.targets()
}

// position gives the offset in the source at which a block begins, -1 when it has none.
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

func (s *setting) header(h Header) {
	title := strings.Join(strings.Fields(markdown.Clean(h.Title)), " ")
	note := strings.Join(strings.Fields(markdown.Clean(h.Note)), " ")
	if title != "" {
		s.text([]run{{text: title, face: s.pal.title}})
		s.rule(title, "=")
	}
	if note != "" {
		s.text([]run{{text: note, face: s.pal.note}})
	}
	if title != "" || note != "" {
		s.need(1)
		s.fresh = afterHeading
	}
}

// rule underlines a title where no style can show it.
func (s *setting) rule(text, mark string) {
	if s.pal.plain {
		s.row(row{pieceOf(strings.Repeat(mark, max(1, min(width(text), s.avail()))), face{})})
	}
}

func (s *setting) blocks(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		s.block(c)
	}
}

func (s *setting) block(n ast.Node) {
	if at := position(n); at >= 0 {
		s.source = s.doc.Line(at)
	}
	if s.isLate() {
		s.flat(n)
		return
	}
	switch n := n.(type) {
	case *ast.Heading:
		s.headingBlock(n)
	case *ast.Paragraph, *ast.TextBlock:
		s.paragraph(n)
	case *ast.List:
		s.list(n)
	case *ast.Blockquote:
		s.apart(1)
		opened := s.open(nil, row{pieceOf("│ ", s.pal.dim)})
		s.loosely(func() { s.blocks(n) })
		s.close(opened)
		s.need(1)
	case *ast.FencedCodeBlock:
		s.listing(s.languageOf(n), s.linesOf(n))
	case *ast.CodeBlock:
		s.listing("", s.linesOf(n))
	case *ast.ThematicBreak:
		s.apart(1)
		stars := "* * *"
		if s.avail() < len(stars) {
			stars = "*"
		}
		s.row(row{{text: blanks((s.avail() - len(stars)) / 2), cells: (s.avail() - len(stars)) / 2}, pieceOf(stars, s.pal.dim)})
		s.need(1)
	case *extast.Table:
		s.table(n)
	case *extast.DefinitionList:
		s.definitions(n)
	case *extast.FootnoteList:
		s.footnotes(n)
	case *markdown.Callout:
		s.callout(n)
	case *markdown.MathBlock:
		s.mathBlock(n)
	case *markdown.Contents:
		s.contents(n)
	case *markdown.Details:
		s.details(n)
	case *ast.LinkReferenceDefinition, *ast.HTMLBlock: // nothing to see
	default:
		switch c := n.FirstChild(); {
		case c == nil:
			if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
				s.flat(n)
			}
		case c.Type() == ast.TypeInline:
			s.paragraph(n)
		default:
			s.blocks(n)
		}
	}
}

// apart asks for empty lines above a block; a tight list wants none.
func (s *setting) apart(n int) {
	if s.tight {
		n = 0
	}
	s.need(n)
	s.leadRow()
}

// loosely sets what is inside a container that is no tight list, even when it stands in one.
func (s *setting) loosely(set func()) {
	old := s.tight
	s.tight = false
	set()
	s.tight = old
}

func (s *setting) paragraph(n ast.Node) {
	runs := s.inlines(n, face{})
	if blank(runs) {
		return
	}
	if s.tight {
		s.need(0)
	} else {
		s.need(1)
	}
	s.text(runs)
	if !s.tight {
		s.need(1)
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

// headingBlock sets a heading: its level shows in its weight and in the space above.
func (s *setting) headingBlock(n *ast.Heading) {
	level := min(max(n.Level, 1), 6)
	runs := s.inlines(n, s.pal.heading[level])
	if blank(runs) {
		s.heads++
		return
	}
	if level <= 2 && len(s.margins) == 0 && s.page.Width >= narrow {
		s.need(2)
	} else {
		s.need(1)
	}
	s.settle()
	h := Head{Level: n.Level, Text: strings.TrimSpace(s.plainText(n)), Line: len(s.page.Lines)}
	if id, ok := n.AttributeString("id"); ok {
		if b, ok := id.([]byte); ok {
			h.ID = markdown.Clean(string(b))
		}
	}
	listed := false
	for i := s.heads; i < min(len(s.doc.Headings), s.heads+8); i++ {
		if d := s.doc.Headings[i]; d.Level == n.Level && squeeze(d.Text) == squeeze(h.Text) {
			h.Text, h.ID = d.Text, d.ID
			s.heads = i + 1
			listed = true
			break
		}
	}
	s.doubt = s.doubt || !listed // on headings further down
	s.page.Heads = append(s.page.Heads, h)
	s.text(runs)
	switch level {
	case 1:
		s.rule(h.Text, "=")
	case 2:
		s.rule(h.Text, "-")
	default:
		if s.pal.plain { // nothing else tells it from the text
			s.need(1)
			return
		}
	}
	s.fresh = afterHeading
}

// languageOf reads the first word after a fence. The node's own Language method remembers its answer in the node, which a tree shared
// by all sessions must not suffer.
func (s *setting) languageOf(n *ast.FencedCodeBlock) string {
	if n.Info == nil {
		return ""
	}
	info := markdown.Clean(string(n.Info.Segment.Value(s.doc.Source)))
	if f := strings.FieldsFunc(info, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '{' || r == ',' }); len(f) > 0 {
		return f[0]
	}
	return ""
}

func (s *setting) linesOf(n ast.Node) string {
	var b strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		at := lines.At(i)
		b.Write(at.Value(s.doc.Source))
	}
	return markdown.Clean(b.String())
}

func (s *setting) list(n *ast.List) {
	outer := s.tight
	if !outer {
		s.need(1)
	}
	s.leadRow()
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
		mark := row{pieceOf(bullet, s.pal.dim), {text: " ", cells: 1}}
		if n.IsOrdered() {
			num := strconv.Itoa(number)
			mark = row{{text: blanks(digits - len(num)), cells: digits - len(num)}, pieceOf(num+".", s.pal.dim), {text: " ", cells: 1}}
			number++
		}
		if box := boxOf(item); box != nil {
			mark = row{pieceOf(checkBox(box), s.pal.dim), {text: " ", cells: 1}}
			if box.IsChecked {
				mark[0].face = face{ink: s.pal.accent}
			}
		}
		if !n.IsTight && item != n.FirstChild() {
			s.need(1)
		}
		s.tight = n.IsTight
		opened := s.open(mark, nil)
		s.blocks(item)
		s.close(opened)
		s.tight = outer
	}
	if !outer {
		s.need(1)
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

// boxOf finds the task box an item begins with.
func boxOf(item ast.Node) *extast.TaskCheckBox {
	if c := item.FirstChild(); c != nil && c.FirstChild() != nil {
		box, _ := c.FirstChild().(*extast.TaskCheckBox)
		return box
	}
	return nil
}

func (s *setting) callout(n *markdown.Callout) {
	ink, ok := s.pal.callout[strings.ToLower(n.Name)]
	if !ok {
		ink = s.pal.accent
	}
	word := markdown.Clean(n.Name)
	if r, size := utf8.DecodeRuneInString(word); size > 0 {
		word = string(unicode.ToUpper(r)) + word[size:]
	}
	title := strings.TrimSpace(markdown.Clean(n.Title))
	if strings.EqualFold(title, word) {
		word, title = title, ""
	}
	runs := []run{{text: word, face: face{ink: ink}.with(s.pal.label)}}
	if title != "" {
		sep := "  "
		if s.pal.plain {
			sep = ": "
		}
		runs = append(runs, run{text: sep, solid: true}, run{text: title, face: s.pal.label})
	}
	s.apart(1)
	opened := s.open(nil, row{pieceOf("│ ", face{ink: ink})})
	s.text(runs)
	s.fresh = afterHeading
	s.loosely(func() { s.blocks(n) })
	s.close(opened)
	s.need(1)
}

func (s *setting) details(n *markdown.Details) {
	s.apart(1)
	summary := strings.TrimSpace(markdown.Clean(n.Summary))
	opened := s.open(row{pieceOf("▾", s.pal.dim), {text: " ", cells: 1}}, nil)
	if summary == "" {
		summary = "Details"
	}
	s.text([]run{{text: summary, face: s.pal.label}})
	s.fresh = afterHeading
	s.loosely(func() { s.blocks(n) })
	s.close(opened)
	s.need(1)
}

func (s *setting) definitions(n ast.Node) {
	s.apart(1)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *extast.DefinitionTerm:
			if p := c.PreviousSibling(); p != nil && p.Kind() != extast.KindDefinitionTerm {
				s.need(1)
			}
			s.text(s.inlines(c, s.pal.label))
			s.fresh = afterHeading
		case *extast.DefinitionDescription:
			indent := 4
			if s.avail() < narrow {
				indent = 2
			}
			s.need(0)
			opened := s.open(nil, row{{text: blanks(indent), cells: indent}})
			old := s.tight
			s.tight = c.IsTight
			s.blocks(c)
			s.tight = old
			s.close(opened)
		default:
			s.block(c)
		}
	}
	s.need(1)
}

func (s *setting) footnotes(n ast.Node) {
	s.apart(2)
	s.row(row{pieceOf(strings.Repeat("─", min(8, s.avail())), s.pal.dim)})
	last, _ := n.LastChild().(*extast.Footnote)
	wide := 1
	if last != nil {
		wide = width(superscript(last.Index))
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		note, ok := c.(*extast.Footnote)
		if !ok {
			s.block(c)
			continue
		}
		number := superscript(note.Index)
		pad := max(wide-width(number), 0)
		s.blanks = 0
		s.fresh = atTop
		opened := s.open(row{{text: blanks(pad), cells: pad}, pieceOf(number, s.pal.dim), {text: " ", cells: 1}}, nil)
		s.page.Notes = append(s.page.Notes, Note{Number: note.Index, Line: len(s.page.Lines)})
		s.loosely(func() { s.blocks(note) })
		s.close(opened)
	}
	s.need(1)
}

// contents sets a list of the headings below it.
func (s *setting) contents(n *markdown.Contents) {
	least, most := n.Min, n.Max
	if least < 1 {
		least = 1
	}
	if most < 1 {
		most = 6
	}
	top := 7
	for _, h := range s.doc.Headings {
		if h.Level >= least && h.Level <= most {
			top = min(top, h.Level)
		}
	}
	if top == 7 {
		return
	}
	s.apart(1)
	for _, h := range s.doc.Headings {
		if h.Level < least || h.Level > most || strings.TrimSpace(h.Text) == "" {
			continue
		}
		indent := 2 * (h.Level - top)
		opened := s.open(row{{text: blanks(indent), cells: indent}, pieceOf("·", s.pal.dim), {text: " ", cells: 1}}, nil)
		s.text([]run{{text: h.Text, face: s.pal.link, link: s.addLink("#"+h.ID, h.Text)}})
		s.close(opened)
		s.fresh = afterText
	}
	s.need(1)
}

// targets ends a page with the addresses its links do not carry: all of them in plain text, where they are numbered, else those no
// OSC 8 can say (a path inside the blog, letters outside ASCII), in one dim paragraph.
func (s *setting) targets() {
	if len(s.unsaid) == 0 {
		return
	}
	seen := make(map[string]bool)
	var list []Link
	for _, i := range s.unsaid {
		if l := s.page.Links[i]; !seen[l.Target] {
			seen[l.Target] = true
			list = append(list, l)
		}
	}
	s.fresh = afterText
	s.need(2)
	if !s.pal.plain {
		runs := []run{{text: "Links:", face: s.pal.dim}}
		for i, l := range list {
			sep := " "
			if i > 0 {
				sep = " · "
			}
			runs = append(runs, run{text: sep, face: s.pal.dim}, run{text: l.Target, face: s.pal.dim, solid: true})
		}
		s.text(runs)
		return
	}
	s.row(row{pieceOf(Truncate("Links", s.avail()), face{})})
	digits := len(strconv.Itoa(len(list)))
	for i, l := range list {
		num := strconv.Itoa(i + 1)
		opened := s.open(row{pieceOf(blanks(digits-len(num))+"["+num+"] ", face{})}, nil)
		text := strings.Join(strings.Fields(l.Text), " ")
		if text != "" {
			text += ": "
		}
		s.text([]run{{text: text}, {text: l.Target, solid: true}})
		s.close(opened)
	}
}
