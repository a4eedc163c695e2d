package markdown

import (
	"slices"
	"strings"

	"sheaf/app/markup"
	"sheaf/app/srcmap"
)

// An htmlConverter turns HTML, and the block elements that the passes before
// it left as placeholders, into Markdown. It writes everything behind the
// prefix of the containers it stands in, so a list in a quote stays there.
type htmlConverter struct {
	*page
	in  srcmap.Text
	src string
	w   *srcmap.Writer

	stack      []openElement
	containers string // quotes and lists of the source around the first element, as following lines have them
	newBlock   bool   // nothing has been written in this block
	newLine    bool   // nothing but the prefix has been written in this line
	inHTML     bool   // in a block of HTML, which a blank line ends
	inRow      bool   // the line is a row of a table of Markdown
	singleLine bool   // everything must become one line
	searched   int    // bytes searched for end tags
	listCount  int    // lists begun, to give neighbours different bullets
}

// openElement is an element whose end has not come yet.
type openElement struct {
	name            string
	prefix          string // of its lines
	strip           int    // columns to take from the indentation of the source's lines; -1: as the first line has
	close           string // written at the end
	number          int    // of a list: of the next item; 0 if it has bullets
	bullet          string // of a list: the bullet, or what follows the number
	fromPlaceholder bool   // opened by a placeholder, not by a tag
}

const (
	maxSearch       = 8 << 20 // bytes of looking for end tags
	maxOpenElements = 200
)

// htmlPass returns a text without HTML: tags have become Markdown, or
// placeholders of inline elements. Tags of unknown elements go and their text
// stays, unless nothing says that they are tags.
func (p *page) htmlPass(in srcmap.Text) srcmap.Text {
	h := &htmlConverter{page: p, in: in, src: in.Text, w: srcmap.NewWriter(in), newBlock: true, newLine: true}
	h.run()
	return h.w.Text()
}

// convertInline converts a piece of HTML to one line.
func (h *htmlConverter) convertInline(s string) string {
	sub := &htmlConverter{
		page: h.page, in: srcmap.FromLine(s, 0), src: s,
		newBlock: true, singleLine: true, searched: h.searched,
	}
	sub.w = srcmap.NewWriter(sub.in)
	sub.run()
	h.searched = sub.searched
	return h.trimBreaks(strings.Join(strings.Fields(sub.w.CurrentLine()), " "))
}

// trimBreaks takes blanks and line breaks from both ends.
func (h *htmlConverter) trimBreaks(s string) string {
	for {
		s = strings.TrimSpace(s)
		if m, ok := h.stash.at(s); ok && m.kind == phBreak {
			s = s[placeholderLen:]
			continue
		}
		if len(s) >= placeholderLen {
			if m, ok := h.stash.at(s[len(s)-placeholderLen:]); ok && m.kind == phBreak {
				s = s[:len(s)-placeholderLen]
				continue
			}
		}
		return s
	}
}

// prefix returns what a new line begins with.
func (h *htmlConverter) prefix() string {
	var b strings.Builder
	b.WriteString(h.containers)
	for _, e := range h.stack {
		b.WriteString(e.prefix)
	}
	return b.String()
}

// hasPrefix reports whether an open element gives its lines a prefix.
func (h *htmlConverter) hasPrefix() bool {
	return slices.ContainsFunc(h.stack, func(e openElement) bool { return e.prefix != "" })
}

// run converts the whole text. Escaped characters and the targets of links are
// copied, so that what looks like a tag in them stays.
func (h *htmlConverter) run() {
	i := h.beginSourceLine(0)
	from := i // what stands before it has been written
	for i < len(h.src) {
		switch h.src[i] {
		case '\\':
			i++
			if i < len(h.src) && h.src[i] != '\n' {
				i++
			}
			continue
		case '\n':
			h.write(h.src[from:i])
			if h.inRow {
				h.inRow, h.singleLine = false, false
			}
			i = h.beginSourceLine(h.endSourceLine(i))
		case '<':
			if n := h.linkTarget(i); n > 0 {
				i += n
				continue
			}
			t, n := markup.TagAt(h.src[i:])
			if n == 0 {
				i++
				continue
			}
			h.write(h.src[from:i])
			i = h.tag(t, i, i+n)
		case placeholderLead:
			m, ok := h.stash.at(h.src[i:])
			if !ok || m.kind != phBlockOpen && m.kind != phBlockClose && !m.kind.block() {
				i += placeholderLen
				continue
			}
			h.write(h.src[from:i])
			i = h.blockPlaceholder(m, i)
		default:
			i++
			continue
		}
		from = i
	}
	h.write(h.src[from:i])
}

// linkTarget returns the length of the <target> of a link or of a definition
// at i; 0 if it is none.
func (h *htmlConverter) linkTarget(i int) int {
	if i < 2 || h.src[i-2:i] != "](" && (h.src[i-1] != ' ' || !strings.HasSuffix(h.src[:i-1], "]:")) {
		return 0
	}
	return strings.IndexByte(h.src[i:eol(h.src, i)], '>') + 1
}

// blockPlaceholder writes what a block's placeholder at i stands for, and
// returns where to go on.
func (h *htmlConverter) blockPlaceholder(m placeholder, i int) int {
	next := i + placeholderLen
	switch {
	case m.kind == phBlockOpen:
		next = h.openBlock(m, next)
	case m.kind == phBlockClose:
		h.closeBlock(m.name)
	case h.singleLine:
		h.write(h.inlineForm(m))
	default:
		h.ensureLine()
		h.write(h.src[i:next])
		if strings.TrimSpace(h.src[next:eol(h.src, next)]) != "" {
			h.startLine()
		}
	}
	if next < len(h.src) {
		h.w.Line = h.in.Line(next)
	}
	return next
}

// inlineForm returns a block as part of a line; "" if it has no such form.
func (h *htmlConverter) inlineForm(m placeholder) string {
	switch m.kind {
	case phFence:
		return h.stash.put(placeholder{kind: phCode, text: strings.Join(strings.Fields(m.text), " "), src: m.src})
	case phFormula:
		return h.stash.put(placeholder{kind: phMath, text: m.text, src: m.src})
	}
	return ""
}

// write writes text of the current line. Within HTML, blanks at its beginning
// mean nothing.
func (h *htmlConverter) write(s string) {
	if (h.newBlock || h.newLine) && (h.inHTML || len(h.stack) > 0) {
		s = strings.TrimLeft(s, " \t")
	}
	if s == "" {
		return
	}
	h.w.Write(s)
	if strings.TrimSpace(s) != "" {
		h.newBlock, h.newLine = false, false
	}
}

// paragraph writes text as a block of its own.
func (h *htmlConverter) paragraph(s string) {
	h.startBlock()
	h.write(s)
	h.startBlock()
}

// endSourceLine ends the line of the source whose end is at i, and returns the
// beginning of the next.
func (h *htmlConverter) endSourceLine(i int) int {
	h.w.Line = h.in.Line(i + 1)
	switch {
	case h.singleLine:
		h.w.Write(" ")
	case h.newLine && h.inHTML && len(h.stack) > 0, h.newBlock && h.newLine && h.hasPrefix():
		// a line of nothing but tags leaves no line
	default:
		h.w.NewLine()
		h.newLine = true
	}
	return i + 1
}

// beginSourceLine takes the containers of the line at i and writes those it
// has now. It returns where the text of the line begins, or for a blank line
// its end.
func (h *htmlConverter) beginSourceLine(i int) int {
	if i >= len(h.src) || h.singleLine {
		return i
	}
	line := h.src[i:eol(h.src, i)]
	at := h.containersLen(line)
	text := line[at:]
	if strings.TrimSpace(text) == "" {
		h.blankLine(line[:at])
		return i + len(line)
	}
	if t, n := markup.TagAt(text); n > 0 && (markup.IsBlock(t.Name) || t.Name == "summary") {
		h.inHTML = true
	}
	if len(h.stack) > 0 {
		at = h.insideLine(line)
		if h.w.LineEmpty() {
			h.w.Write(h.prefix())
		}
		return i + at
	}
	h.containers = blankPrefix(line[:at])
	if h.w.LineEmpty() {
		h.w.Write(line[:at])
	}
	if text[0] == '|' && strings.IndexByte(text, '<') > 0 {
		h.inRow, h.singleLine = true, true
	}
	if line[:at] != h.containers {
		h.newBlock = true
	}
	if column, n := indentation(text); column > 0 && h.inHTML {
		return i + at + n
	}
	return i + at
}

// blankLine ends the block before a blank line that has typed containers.
func (h *htmlConverter) blankLine(typed string) {
	h.inHTML = false
	if len(h.stack) == 0 {
		h.w.Write(typed)
		h.newBlock = true
		return
	}
	if h.w.LineEmpty() {
		h.w.Write(h.prefix())
	}
	if !h.newBlock {
		h.w.NewLine()
		h.w.Write(h.prefix())
	}
	h.newBlock, h.newLine = true, true
}

// insideLine returns where the text of a line within an element begins: behind
// the containers around the element and, outside blocks of HTML, behind the
// indentation the element's first line has. List items keep theirs.
func (h *htmlConverter) insideLine(line string) int {
	k := 0
	for q := strings.Count(h.containers, ">"); q > 0; q-- {
		t := strings.TrimLeft(line[k:], " ")
		if t == "" || t[0] != '>' {
			break
		}
		k = len(line) - len(t) + 1
		if k < len(line) && line[k] == ' ' {
			k++
		}
	}
	strip := len(h.containers) - strings.LastIndexByte(h.containers, '>') - 1
	if strings.Contains(h.containers, ">") {
		strip = max(strip-1, 0)
	}
	for strip > 0 && k < len(line) && (line[k] == ' ' || line[k] == '\t') {
		k++
		strip--
	}
	text := strings.TrimLeft(line[k:], " \t")
	blanks := len(line) - k - len(text)
	if h.inHTML && listMarker(text) == 0 {
		return k + blanks
	}
	e := &h.stack[len(h.stack)-1]
	if e.strip < 0 {
		e.strip = blanks
	}
	return k + min(blanks, e.strip)
}

// containersLen returns the length of the quote and list markers a line begins
// with, and their blanks. Inside an element, list markers are text.
func (h *htmlConverter) containersLen(line string) int {
	k := 0
	for k < len(line) {
		n := len(line) - k - len(strings.TrimLeft(line[k:], " \t"))
		if k+n >= len(line) {
			return k + n
		}
		if line[k+n] == '>' {
			k += n + 1
			continue
		}
		m := listMarker(line[k+n:])
		if m == 0 || len(h.stack) > 0 || isRule(line[k:]) {
			return k + n
		}
		k = min(k+n+m+1, len(line))
	}
	return k
}

// startBlock makes what follows a block of its own; in a single line it stands
// behind a line break.
func (h *htmlConverter) startBlock() {
	if h.newBlock {
		return
	}
	if h.singleLine {
		h.w.Write(h.stash.put(placeholder{kind: phBreak, src: " "}))
		h.newBlock = true
		return
	}
	p := h.prefix()
	if !h.newLine {
		h.w.NewLine()
		h.w.Write(strings.TrimRight(p, " "))
	}
	h.w.NewLine()
	h.w.Write(p)
	h.newBlock, h.newLine = true, true
}

// startLine begins a line without ending the block.
func (h *htmlConverter) startLine() {
	if h.singleLine {
		h.w.Write(" ")
		return
	}
	if !h.newLine {
		h.w.NewLine()
		h.w.Write(h.prefix())
		h.newLine = true
	}
}

func (h *htmlConverter) ensureLine() {
	if !h.newLine && !h.newBlock {
		h.startLine()
	}
}

func (h *htmlConverter) push(e openElement) {
	if len(h.stack) < maxOpenElements {
		h.stack = append(h.stack, e)
	}
}

// isOpen reports whether an element of a name is open.
func (h *htmlConverter) isOpen(name string) bool {
	return slices.ContainsFunc(h.stack, func(e openElement) bool { return e.name == name })
}

// endOf returns the offset behind the end tag of the element whose inside
// begins at i; -1: there is none, or too much has been searched already.
func (h *htmlConverter) endOf(i int, name string) int {
	if h.searched > maxSearch || i > len(h.src) {
		return -1
	}
	n := markup.FindEndTag(h.src[i:], name)
	if n < 0 {
		h.searched += len(h.src) - i
		return -1
	}
	h.searched += n
	return i + n
}

// encloses reports whether the element of a start tag that ends at next may
// become a container: it has an end tag, and there is room for more than one
// line.
func (h *htmlConverter) encloses(t markup.Tag, next int) bool {
	return !t.Empty && !h.singleLine && h.endOf(next, t.Name) > 0
}

// inside returns what stands between i and the end tag that ends at end.
func (h *htmlConverter) inside(i, end int) string {
	return h.src[i : i+strings.LastIndexByte(h.src[i:end], '<')]
}

// skip returns the offset behind an element's end tag, or next if it has none.
func (h *htmlConverter) skip(t markup.Tag, next int) int {
	if e := h.endOf(next, t.Name); e > 0 {
		return e
	}
	return next
}

// tag writes what a tag from i to next stands for, and returns where to go on.
// What looks like a tag and is none is written as text.
func (h *htmlConverter) tag(t markup.Tag, i, next int) int {
	if t.Closing {
		h.endTag(t)
	} else if after, ok := h.startTag(t, i, next); ok {
		next = after
	} else {
		h.write(h.stash.literal(h.src[i:next]))
	}
	h.w.Line = h.in.Line(next)
	return next
}

// startTag handles a start tag; it is not ok if it looks like text, such as
// <name> in prose: an element that HTML does not know and nothing ends.
func (h *htmlConverter) startTag(t markup.Tag, i, next int) (after int, ok bool) {
	if e := inlineElementOf[t.Name]; e != "" {
		if !t.Empty {
			h.write(h.stash.put(placeholder{kind: phInlineOpen, name: e, src: h.src[i:next]}))
		}
		return next, true
	}
	if after, ok := h.startInline(t, next); ok {
		return after, true
	}
	if after, ok := h.startBlockElement(t, next); ok {
		return after, true
	}
	switch {
	case h.isComponent(t):
		return h.component(t, i, next), true
	case markup.IsBlock(t.Name):
		h.unknownBlock(t, next)
	case markup.IsKnown(t.Name), strings.Contains(t.Name, "-"), t.Empty && t.Attrs != "",
		h.endOf(next, t.Name) > 0, h.isOpen(t.Name):
		// its text stays
	default:
		return 0, false
	}
	return next, true
}

// endTag handles an end tag. Those of elements that are not open are dropped,
// but those of block elements end a block.
func (h *htmlConverter) endTag(t markup.Tag) {
	if e := inlineElementOf[t.Name]; e != "" {
		h.write(h.stash.put(placeholder{kind: phInlineClose, name: e}))
		return
	}
	switch t.Name {
	case "a":
		h.write(h.stash.put(placeholder{kind: phInlineClose, name: "a"}))
		return
	case "q":
		h.write("”")
		return
	case "rt":
		h.write(")")
		return
	case "li", "dd":
		h.closeItem(t.Name)
		return
	}
	for k := len(h.stack) - 1; k >= 0; k-- {
		if e := h.stack[k]; e.name == t.Name && !e.fromPlaceholder {
			h.closeTo(k)
			return
		}
	}
	if markup.IsBlock(t.Name) && t.Name != "source" && t.Name != "iframe" {
		h.startBlock()
	}
}
