package typeset

import (
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"slices"

	"sheaf/app/markdown"
)

// An IncrementalPage is the page of a document that somebody is writing,
// together with what the next one needs to take over the blocks that stay as
// they are. It is immutable and may be shared; it keeps neither its document
// nor the pages before it in memory.
type IncrementalPage struct {
	page     *Page
	width    int
	theme    Theme
	composed int // blocks that were set, not taken over

	unfinished Page // with links, images and codes that were noted but never shown
	unlinked   []int
	starts     []Start
	headings   []markdown.Heading
	blocks     []composedBlock
	index      map[digest]int // into blocks
}

// A composedBlock is what one block at the top of the tree left behind: the
// part of the page between two counts, and the state of the composer behind it.
type composedBlock struct {
	from, to      counts
	line          int // of the source, from which lines within the block count
	pendingBlanks int
	spacing       spacing
	sourceLine    int
}

// counts says how much a composer has made.
type counts struct {
	lines, heads, links, unlinked, codes, images, notes, starts int
	headings                                                    int // of the document
}

// Page returns the finished page.
func (d *IncrementalPage) Page() *Page { return d.page }

// Incremental sets a document that has changed a little since before, which may
// be nil. Its page is what Page returns for the same arguments, but is not kept
// in the cache, and only blocks that have changed since before are set again:
// those of the top of the tree, so a long list is one block. When before has
// another width or theme everything is set again. The limits of time are for
// what is set again, so a post that takes long is complete after a few calls.
// It is safe for any number of sessions, and never fails.
func (s *Setter) Incremental(
	before *IncrementalPage, d *markdown.Document, h Header, width int, t Theme,
) *IncrementalPage {
	width = min(max(width, 1), maxPageWidth)
	s.mu.Lock()
	pal := s.palette(t)
	s.mu.Unlock()
	return makeIncremental(before, d, h, t, newComposer(d, width, pal, s.highlighter))
}

// makeIncremental sets the page with a composer that has not set anything yet.
func makeIncremental(
	before *IncrementalPage, d *markdown.Document, h Header, t Theme, co *composer,
) (made *IncrementalPage) {
	width := co.page.Width
	defer func() {
		if r := recover(); r != nil {
			text := textPage(d, h, width, co.pal, fmt.Sprintf("%v\n%s", r, debug.Stack()))
			made = &IncrementalPage{page: text, width: width, theme: t}
		}
	}()
	if before == nil || before.width != width || before.theme != t {
		before = &IncrementalPage{}
	}
	n := &IncrementalPage{
		width: width, theme: t, headings: d.Headings,
		index:  make(map[digest]int, len(before.blocks)),
		blocks: make([]composedBlock, 0, len(before.blocks)+8),
	}
	co.header(h)
	dig := digester{doc: d, sum: sha256.New()}
	for c := d.Root.FirstChild(); c != nil; c = c.NextSibling() {
		from := co.counts()
		key, sure := dig.block(co, c)
		i, same := before.index[key]
		if !sure || !same || !co.reuse(before, &before.blocks[i], dig.line) {
			co.uncertain = false
			co.block(c)
			n.composed++
			if !sure || co.uncertain || co.pastSoftLimit || !co.atTopLevel() {
				continue
			}
		}
		n.index[key] = len(n.blocks)
		n.blocks = append(n.blocks, composedBlock{
			from: from, to: co.counts(), line: dig.line,
			pendingBlanks: co.pendingBlanks, spacing: co.spacing, sourceLine: co.sourceLine,
		})
	}
	co.listTargets()
	n.unfinished, n.unlinked, n.starts = *co.page, co.unlinked, co.starts
	n.page = co.finish()
	return n
}

// atTopLevel reports whether the composer stands between two blocks at the top
// of the tree, with nothing pending but empty lines.
func (co *composer) atTopLevel() bool {
	return len(co.margins) == 0 && co.marginCells == 0 && len(co.pendingMark) == 0 && !co.tight
}

func (co *composer) counts() counts {
	p := co.page
	return counts{
		lines: len(p.Lines), heads: len(p.Heads), links: len(p.Links), unlinked: len(co.unlinked),
		codes: len(p.Codes), images: len(p.Images), notes: len(p.Notes), starts: len(co.starts),
		headings: co.headingIndex,
	}
}

// reuse appends what a block of before left behind, for a block that is the
// same and begins at a line of the source. It returns false, and has done
// nothing, when the headings the block was set with have become others.
func (co *composer) reuse(before *IncrementalPage, b *composedBlock, line int) bool {
	from, to := &b.from, &b.to
	if co.pastSoftLimit || !co.sameHeadings(before.headings, from.headings, to.headings) {
		return false
	}
	old, page := &before.unfinished, co.page
	down := len(page.Lines) - from.lines
	if to.lines > from.lines { // most of the rest will follow
		page.Lines = slices.Grow(page.Lines, len(old.Lines)-from.lines)
	}
	page.Lines = append(page.Lines, old.Lines[from.lines:to.lines]...)
	for _, i := range before.unlinked[from.unlinked:to.unlinked] {
		co.unlinked = append(co.unlinked, i+len(page.Links)-from.links)
	}
	co.uris = append(co.uris, make([]string, to.links-from.links)...) // their rows are written
	appendMoved(page, old, from, to, down)
	for _, s := range before.starts[from.starts:to.starts] {
		co.starts = append(co.starts, Start{s.Source + line - b.line, s.Line + down})
	}
	co.headingIndex += to.headings - from.headings
	co.pendingBlanks, co.spacing, co.sourceLine = b.pendingBlanks, b.spacing, b.sourceLine
	if co.sourceLine > 0 {
		co.sourceLine += line - b.line
	}
	return true
}

// sameHeadings reports whether the next headings of the document are those that
// stood from from to to in another.
func (co *composer) sameHeadings(before []markdown.Heading, from, to int) bool {
	n := to - from
	if n <= 0 {
		return true
	}
	now := co.doc.Headings
	return co.headingIndex+n <= len(now) && to <= len(before) &&
		slices.EqualFunc(before[from:to], now[co.headingIndex:co.headingIndex+n], sameHeading)
}

// appendMoved appends to page what stands on old between two counts, so many
// lines further down. What was never shown has no line.
func appendMoved(page, old *Page, from, to *counts, down int) {
	moved := func(line int) int {
		if line >= 0 {
			line += down
		}
		return line
	}
	for _, h := range old.Heads[from.heads:to.heads] {
		h.Line += down
		page.Heads = append(page.Heads, h)
	}
	for _, l := range old.Links[from.links:to.links] {
		l.Line = moved(l.Line)
		if down != 0 && len(l.Rest) > 0 {
			l.Rest = slices.Clone(l.Rest)
			for i := range l.Rest {
				l.Rest[i].Line += down
			}
		}
		page.Links = append(page.Links, l)
	}
	for _, c := range old.Codes[from.codes:to.codes] {
		c.Line = moved(c.Line)
		page.Codes = append(page.Codes, c)
	}
	for _, i := range old.Images[from.images:to.images] {
		i.Line = moved(i.Line)
		page.Images = append(page.Images, i)
	}
	for _, n := range old.Notes[from.notes:to.notes] {
		n.Line += down
		page.Notes = append(page.Notes, n)
	}
}

func sameHeading(a, b markdown.Heading) bool {
	return a.Level == b.Level && a.Text == b.Text && a.ID == b.ID
}
