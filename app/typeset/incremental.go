package typeset

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"runtime/debug"
	"slices"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"sheaf/app/markdown"
)

// An IncrementalPage is the page of a document that somebody is writing,
// together with what the next one needs to take over the blocks that stay as
// they are. It is immutable and may be shared; it keeps neither its document
// nor the drafts before it in memory.
type IncrementalPage struct {
	page     *Page
	width    int
	theme    Theme
	composed int // blocks that were set, not taken over

	unfinished Page // page before it was finished: with links, images and codes that were noted but never shown
	unlinked   []int
	starts     []Start
	headings   []markdown.Heading
	blocks     []composedBlock
	index      map[digest]int // into passages
}

// A composedBlock is what one block at the top of the tree left behind.
type composedBlock struct {
	from, to      counts
	line          int // of the source, from which lines within the block count
	pendingBlanks int
	spacing       spacing
	sourceLine    int // line that is still to be noted, 0 when none is
}

// counts says how far a setting has come.
type counts struct {
	lines, heads, links, unlinked, codes, images, notes, starts int
	headings                                                    int // of the document
}

// Page gives the page.
func (d *IncrementalPage) Page() *Page { return d.page }

// Incremental sets a document that has changed a little since before, which may
// be nil. Its page is what Page gives for the same arguments, but is not kept
// in the cache, and only blocks that have changed since before are set again:
// those of the top of the tree, so a long list is one block. When before has
// another width or theme everything is set again. The limits of time are for
// what is set again, so a post that takes long is complete after a few drafts.
// It is safe for any number of sessions, and never fails.
func (s *Setter) Incremental(before *IncrementalPage, d *markdown.Document, h Header, width int, t Theme) *IncrementalPage {
	width = min(max(width, 1), maxPageWidth)
	s.mu.Lock()
	pal := s.palette(t)
	s.mu.Unlock()
	return makeIncremental(before, d, h, width, t, newComposer(d, width, pal, s.highlighter))
}

func makeIncremental(before *IncrementalPage, d *markdown.Document, h Header, width int, t Theme, s *composer) (made *IncrementalPage) {
	defer func() {
		if r := recover(); r != nil {
			made = &IncrementalPage{page: textPage(d, h, width, s.pal, fmt.Sprintf("%v\n%s", r, debug.Stack())), width: width, theme: t}
		}
	}()
	if before == nil || before.width != width || before.theme != t {
		before = &IncrementalPage{}
	}
	n := &IncrementalPage{width: width, theme: t, headings: d.Headings, index: make(map[digest]int, len(before.blocks))}
	n.blocks = make([]composedBlock, 0, len(before.blocks)+8)
	s.header(h)
	sum := digester{doc: d, sum: sha256.New()}
	for c := d.Root.FirstChild(); c != nil; c = c.NextSibling() {
		from := s.counts()
		key, sure := sum.block(s, c)
		i, same := before.index[key]
		if !sure || !same || !s.reuse(before, &before.blocks[i], sum.line) {
			s.uncertain = false
			s.block(c)
			n.composed++
			if !sure || s.uncertain || s.pastSoftLimit || !s.atTopLevel() {
				continue
			}
		}
		n.index[key] = len(n.blocks)
		n.blocks = append(n.blocks, composedBlock{from: from, to: s.counts(), line: sum.line, pendingBlanks: s.pendingBlanks, spacing: s.spacing, sourceLine: s.sourceLine})
	}
	s.listTargets()
	n.unfinished, n.unlinked, n.starts = *s.page, s.unlinked, s.starts
	n.page = s.finish()
	return n
}

// atTopLevel reports that s stands between two blocks at the top of the tree,
// with nothing but empty lines owed.
func (co *composer) atTopLevel() bool {
	return len(co.margins) == 0 && co.marginCells == 0 && len(co.pendingMark) == 0 && !co.tight
}

func (co *composer) counts() counts {
	p := co.page
	return counts{len(p.Lines), len(p.Heads), len(p.Links), len(co.unlinked), len(p.Codes), len(p.Images), len(p.Notes), len(co.starts), co.headingIndex}
}

// reuse appends the passage of a block that is the same as one of before and
// begins at a line of the source. It reports false, and has done nothing, when
// the headings the block was set with have become others.
func (co *composer) reuse(before *IncrementalPage, p *composedBlock, line int) bool {
	if co.pastSoftLimit {
		return false
	}
	if n := p.to.headings - p.from.headings; n > 0 {
		if co.headingIndex+n > len(co.doc.Headings) || p.to.headings > len(before.headings) ||
			!slices.EqualFunc(before.headings[p.from.headings:p.to.headings], co.doc.Headings[co.headingIndex:co.headingIndex+n], sameHeading) {
			return false
		}
	}
	from, to := &p.from, &p.to
	old, page := &before.unfinished, co.page
	down := len(page.Lines) - from.lines
	links := len(page.Links) - from.links
	at := func(line int) int {
		if line >= 0 { // it was shown
			line += down
		}
		return line
	}
	if to.lines > from.lines { // most of the rest will follow
		page.Lines = slices.Grow(page.Lines, len(old.Lines)-from.lines)
	}
	page.Lines = append(page.Lines, old.Lines[from.lines:to.lines]...)
	for _, h := range old.Heads[from.heads:to.heads] {
		h.Line += down
		page.Heads = append(page.Heads, h)
	}
	for _, l := range old.Links[from.links:to.links] {
		l.Line = at(l.Line)
		if down != 0 && len(l.Rest) > 0 {
			l.Rest = slices.Clone(l.Rest)
			for i := range l.Rest {
				l.Rest[i].Line += down
			}
		}
		page.Links = append(page.Links, l)
	}
	co.uris = append(co.uris, make([]string, to.links-from.links)...) // their rows are written
	for _, i := range before.unlinked[from.unlinked:to.unlinked] {
		co.unlinked = append(co.unlinked, i+links)
	}
	for _, c := range old.Codes[from.codes:to.codes] {
		c.Line = at(c.Line)
		page.Codes = append(page.Codes, c)
	}
	for _, i := range old.Images[from.images:to.images] {
		i.Line = at(i.Line)
		page.Images = append(page.Images, i)
	}
	for _, n := range old.Notes[from.notes:to.notes] {
		n.Line += down
		page.Notes = append(page.Notes, n)
	}
	for _, b := range before.starts[from.starts:to.starts] {
		co.starts = append(co.starts, Start{b.Source + line - p.line, b.Line + down})
	}
	co.headingIndex += to.headings - from.headings
	co.pendingBlanks, co.spacing, co.sourceLine = p.pendingBlanks, p.spacing, p.sourceLine
	if co.sourceLine > 0 {
		co.sourceLine += line - p.line
	}
	return true
}

func sameHeading(a, b markdown.Heading) bool {
	return a.Level == b.Level && a.Text == b.Text && a.ID == b.ID
}

// A digest stands for everything that setting one block looks at: the state
// between the blocks, and the tree below the block.
type digest [sha256.Size]byte

// A digester writes down, in a form that can be read in one way only, what
// setting a block looks at.
type digester struct {
	doc     *markdown.Document
	sum     hash.Hash
	buf     []byte // what sum has not seen
	line    int    // of the source, of the first block that has one; lines count from it
	based   bool
	unknown bool
}

// maxDigestDepth is how many nodes in one another are followed.
const maxDigestDepth = 1000

// block gives the digest of a block that s is to set next. It is not sure of a
// block that holds what setting may look at in ways unknown here.
func (d *digester) block(s *composer, n ast.Node) (sum digest, sure bool) {
	d.sum.Reset()
	d.buf, d.line, d.based, d.unknown = d.buf[:0], 0, false, !s.atTopLevel()
	if n.Type() != ast.TypeBlock || s.sourceLine > 0 && position(n) < 0 { // the row would begin the block before
		return digest{}, false
	}
	d.number(s.pendingBlanks)
	d.number(int(s.spacing))
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

func (d *digester) node(n ast.Node, deep int) {
	d.flush()
	d.number(int(n.Kind()))
	if n.Type() == ast.TypeBlock {
		d.position(n)
	}
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock, *ast.ListItem, *ast.Blockquote, *ast.ThematicBreak,
		*extast.Table, *extast.TableHeader, *extast.TableRow, *extast.DefinitionList, *extast.DefinitionTerm, *extast.FootnoteList,
		*ast.CodeSpan, *extast.Strikethrough, *markdown.Mark, *markdown.Key, *markdown.Raised, *markdown.Lowered:
	case *ast.LinkReferenceDefinition, *ast.HTMLBlock, *extast.FootnoteBacklink:
		return // not shown, whatever they hold
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
		return
	}
	d.children(n, deep)
}
