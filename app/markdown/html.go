package markdown

import (
	"strings"
)

// htmlConverter is the pass that turns HTML, and the block elements the dialects
// wrote as placeholders, into Markdown. What it writes it writes behind the prefix of
// the containers it stands in, so a list in a quote stays there.
type htmlConverter struct {
	*page
	in              mappedText
	src             string
	w               *mappedWriter
	stack           []openElement
	containers      string // prefix of the source's own containers, as following lines have it
	typedContainers string // containers of the current line, as typed
	newBlock        bool   // nothing has been written in this block yet
	newLine         bool   // nothing but the prefix has been written in this line
	inHTML          bool   // within a block of HTML, which a blank line ends
	inRow           bool   // the line is a row of a table of Markdown
	singleLine      int    // within an element that must stay one line or one paragraph
	searched        int    // bytes searched for end tags
	listCount       int    // lists begun, to give neighbours different bullets
}

// openElement is an open element.
type openElement struct {
	name            string
	prefix          string
	strip           int    // indentation of the source's lines inside; -1: not known yet
	close           string // written at the end
	number          int    // of the next item
	bullet          string
	fromPlaceholder bool // opened by a placeholder, not by a tag
}

// maxSearch bounds the work of looking for end tags.
const maxSearch = 8 << 20

func (p *page) htmlPass(in mappedText) mappedText {
	h := &htmlConverter{page: p, in: in, src: in.text, w: newMappedWriter(in), newBlock: true, newLine: true}
	h.run(0, len(in.text))
	return h.w.text()
}

// convertInline runs the pass over a piece and gives one line.
func (h *htmlConverter) convertInline(s string) string {
	sub := &htmlConverter{page: h.page, in: textFromLine(s, 0), src: s, newBlock: true, singleLine: 1, searched: h.searched}
	sub.w = newMappedWriter(sub.in)
	sub.run(0, len(s))
	h.searched = sub.searched
	t := strings.Join(strings.Fields(string(sub.w.buf)), " ")
	return h.trimBreaks(t)
}

// trimBreaks takes line breaks from both ends.
func (h *htmlConverter) trimBreaks(t string) string {
	for {
		t = strings.TrimSpace(t)
		if m, ok := h.stash.at(t); ok && m.kind == phBreak {
			t = t[placeholderLen:]
			continue
		}
		if len(t) >= placeholderLen {
			if m, ok := h.stash.at(t[len(t)-placeholderLen:]); ok && m.kind == phBreak {
				t = t[:len(t)-placeholderLen]
				continue
			}
		}
		return t
	}
}

func (h *htmlConverter) prefix() string {
	var b strings.Builder
	b.WriteString(h.containers)
	for _, f := range h.stack {
		b.WriteString(f.prefix)
	}
	return b.String()
}

// hasPrefix reports whether an element gives its lines a prefix.
func (h *htmlConverter) hasPrefix() bool {
	for _, f := range h.stack {
		if f.prefix != "" {
			return true
		}
	}
	return false
}

func (h *htmlConverter) run(i, end int) {
	from := i
	flush := func() {
		if from < i {
			h.write(h.src[from:i])
		}
	}
	i = h.beginSourceLine(i)
	from = i
	for i < end {
		c := h.src[i]
		switch c {
		case '\n':
			flush()
			if h.inRow {
				h.inRow, h.singleLine = false, 0
			}
			i = h.beginSourceLine(h.endSourceLine(i))
			from = i
			continue
		case '\\':
			if i+1 < end && h.src[i+1] != '\n' {
				i += 2
			} else {
				i++
			}
			continue
		case '<':
			if i > 1 && (h.src[i-2:i] == "](" || h.src[i-1] == ' ' && strings.HasSuffix(h.src[:i-1], "]:")) {
				if k := strings.IndexByte(h.src[i:eol(h.src, i)], '>'); k > 0 {
					i += k + 1 // the target of a link
					continue
				}
			}
			t, n := tagAt(h.src[i:end])
			if n == 0 {
				i++
				continue
			}
			flush()
			next := h.startTag(t, i, n, end)
			if next == 0 { // text that looks like a tag
				h.write(h.stash.literal(h.src[i : i+n]))
				next = i + n
			}
			h.w.line = h.in.sourceLine(next)
			i, from = next, next
			continue
		case placeholderLead:
			m, ok := h.stash.at(h.src[i:])
			if !ok || m.kind != phBlockOpen && m.kind != phBlockClose && !m.kind.block() {
				i += placeholderLen
				continue
			}
			flush()
			next := i + placeholderLen
			switch {
			case m.kind == phBlockOpen:
				next = h.openBlock(m, next)
			case m.kind == phBlockClose:
				h.closeBlock(m.name)
			case h.singleLine > 0:
				h.write(h.inlineForm(m))
			default:
				h.ensureLine()
				h.write(h.src[i:next])
				if strings.TrimSpace(h.src[next:eol(h.src, next)]) != "" {
					h.startLine()
				}
			}
			if next < len(h.src) {
				h.w.line = h.in.sourceLine(next)
			}
			i, from = next, next
			continue
		}
		i++
	}
	flush()
}

// inlineForm gives the inline form of a block.
func (h *htmlConverter) inlineForm(m placeholder) string {
	switch m.kind {
	case phFence:
		return h.stash.put(placeholder{kind: phCode, text: strings.Join(strings.Fields(m.text), " "), src: m.src})
	case phFormula:
		return h.stash.put(placeholder{kind: phMath, text: m.text, src: m.src})
	}
	return ""
}

// write writes text of the current line.
func (h *htmlConverter) write(s string) {
	if s == "" {
		return
	}
	if (h.newBlock || h.newLine) && (h.inHTML || len(h.stack) > 0) {
		if s = strings.TrimLeft(s, " \t"); s == "" {
			return
		}
	}
	h.w.write(s)
	if strings.TrimSpace(s) != "" {
		h.newBlock, h.newLine = false, false
	}
}

// endSourceLine ends the line at i and gives the start of the next.
func (h *htmlConverter) endSourceLine(i int) int {
	if i+1 <= len(h.src) {
		h.w.line = h.in.sourceLine(i + 1)
	}
	if h.singleLine > 0 {
		h.w.write(" ")
		return i + 1
	}
	if h.newLine && h.inHTML && len(h.stack) > 0 || h.newBlock && h.newLine && h.hasPrefix() {
		return i + 1 // a line of tags only leaves no line
	}
	h.w.writeByte('\n')
	h.newLine = true
	return i + 1
}

// beginSourceLine begins a line of the source: its containers, then where its text begins.
func (h *htmlConverter) beginSourceLine(i int) int {
	if i >= len(h.src) || h.singleLine > 0 {
		return i
	}
	line := h.src[i:eol(h.src, i)]
	at := h.containerPrefixLen(line)
	text := line[at:]
	if strings.TrimSpace(text) == "" {
		h.inHTML = false
		if len(h.stack) == 0 {
			h.w.write(line[:at])
			h.newBlock = true
			return i + len(line)
		}
		if h.lineEmpty() {
			h.w.write(h.prefix())
		}
		if !h.newBlock {
			h.w.writeByte('\n')
			h.w.write(h.prefix())
		}
		h.newBlock, h.newLine = true, true
		return i + len(line)
	}
	if t, n := tagAt(text); n > 0 && (blockTag[t.name] || t.name == "summary") {
		h.inHTML = true
	}
	if len(h.stack) == 0 {
		h.typedContainers = line[:at]
		h.containers = blankPrefix(h.typedContainers)
		if h.lineEmpty() {
			h.w.write(h.typedContainers)
		}
		if text[0] == '|' && strings.IndexByte(text, '<') > 0 {
			h.inRow, h.singleLine = true, 1
		}
		if h.typedContainers != h.containers {
			h.newBlock = true
		}
		if column, _ := indentation(text); column > 0 && h.inHTML {
			return i + at + len(text) - len(strings.TrimLeft(text, " \t"))
		}
		return i + at
	}
	// inside an element: strip the containers and the indentation, write ours
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
	rest := line[k:]
	trimmed := strings.TrimLeft(rest, " \t")
	f := &h.stack[len(h.stack)-1]
	if h.inHTML && listMarker(trimmed) == 0 {
		k += len(rest) - len(trimmed)
	} else {
		col := len(rest) - len(trimmed)
		if f.strip < 0 {
			f.strip = col
		}
		k += min(col, f.strip)
	}
	if h.lineEmpty() {
		h.w.write(h.prefix())
	}
	return i + k
}

// lineEmpty reports whether the current line of the output is still empty.
func (h *htmlConverter) lineEmpty() bool { return len(h.w.buf) == 0 || h.w.buf[len(h.w.buf)-1] == '\n' }

// containerPrefixLen gives the length of the quote and list markers a line begins
// with and their blanks. Inside an element, lists are text.
func (h *htmlConverter) containerPrefixLen(line string) int {
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
		if m := listMarker(line[k+n:]); m > 0 && len(h.stack) == 0 && !isRule(line[k:]) {
			k += n + m
			if k < len(line) {
				k++
			}
			continue
		}
		return k + n
	}
	return k
}

// startBlock makes what follows a block of its own.
func (h *htmlConverter) startBlock() {
	if h.singleLine > 0 {
		if !h.newBlock {
			h.w.write(h.stash.put(placeholder{kind: phBreak, src: " "}))
		}
		h.newBlock = true
		return
	}
	if h.newBlock {
		return
	}
	p := h.prefix()
	if !h.newLine {
		h.w.writeByte('\n')
		h.w.write(strings.TrimRight(p, " "))
	}
	h.w.writeByte('\n')
	h.w.write(p)
	h.newBlock, h.newLine = true, true
}

// startLine begins a line without ending the block.
func (h *htmlConverter) startLine() {
	if h.singleLine > 0 {
		h.w.write(" ")
		return
	}
	if !h.newLine {
		h.w.writeByte('\n')
		h.w.write(h.prefix())
		h.newLine = true
	}
}

func (h *htmlConverter) ensureLine() {
	if !h.newLine && !h.newBlock {
		h.startLine()
	}
}

func (h *htmlConverter) push(f openElement) {
	if len(h.stack) >= 200 {
		return
	}
	h.stack = append(h.stack, f)
}

// endOf gives the offset behind the end tag of the element whose inside begins at i; -1: none.
func (h *htmlConverter) endOf(i int, name string) int {
	if h.searched > maxSearch || i > len(h.src) {
		return -1
	}
	n := findEndTag(h.src[i:], name)
	if n < 0 {
		h.searched += len(h.src) - i
		return -1
	}
	h.searched += n
	return i + n
}

// inside gives what stands between i and the end tag that ends at end.
func (h *htmlConverter) inside(i, end int) string {
	return h.src[i : i+strings.LastIndexByte(h.src[i:end], '<')]
}

// startTag writes what a tag of length n at i stands for, and gives where to go on;
// 0: it is text.
func (h *htmlConverter) startTag(t tag, i, n, end int) int {
	next := i + n
	if t.closing {
		return h.endTag(t, next)
	}
	if e := inlineElementOf[t.name]; e != "" {
		if !t.empty {
			h.write(h.stash.put(placeholder{kind: phInlineOpen, name: e, src: h.src[i:next]}))
		}
		return next
	}
	switch t.name {
	case "br":
		h.write(h.stash.put(placeholder{kind: phBreak, src: " "}))
		return next
	case "hr":
		h.rule()
		return next
	case "img", "image":
		if t.typed == "Image" || t.name == "img" {
			h.image(t)
			return next
		}
	case "a":
		return h.link(t, next)
	case "iframe", "video", "audio", "embed", "object", "source", "track":
		h.media(t)
		if e := h.endOf(next, t.name); e > 0 && t.name == "iframe" {
			return e
		}
		return next
	case "table":
		if e := h.endOf(next, "table"); e > 0 && e <= end && h.table(h.inside(next, e)) {
			return e
		}
		h.startBlock()
		return next
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return h.heading(t, next)
	case "details":
		return h.details(t, next)
	case "summary":
		if e := h.endOf(next, "summary"); e > 0 {
			h.startBlock()
			h.write(h.convertInline(h.inside(next, e)))
			h.startBlock()
			return e
		}
		return next
	case "ul", "ol", "menu", "dir":
		h.openList(t)
		return next
	case "li":
		h.openItem(next)
		return next
	case "dt":
		h.startBlock()
		return next
	case "dd":
		h.openDescription(next)
		return next
	case "blockquote":
		h.openQuote(next)
		return next
	case "q":
		h.write("“")
		return next
	case "rt":
		h.write("(")
		return next
	case "rp":
		if e := h.endOf(next, "rp"); e > 0 {
			return e
		}
		return next
	case "input":
		if t.attr("type") == "checkbox" {
			box := "☐"
			if t.has("checked") {
				box = "☑"
			}
			h.write(box)
		}
		return next
	case "meta":
		if _, to, ok := strings.Cut(strings.ToLower(t.attr("content")), "url="); ok && strings.EqualFold(t.attr("http-equiv"), "refresh") {
			c := t.attr("content")
			to = strings.Trim(c[len(c)-len(to):], "'\" ")
			h.startBlock()
			h.write("→ " + h.stash.put(placeholder{kind: phLink, target: to, text: to}))
			h.startBlock()
		}
		return next
	case "title", "textarea":
		if e := h.endOf(next, t.name); e > 0 && t.name == "title" {
			return e
		}
		return next
	}
	if t.typed[0] >= 'A' && t.typed[0] <= 'Z' && (h.dialect == MDX || t.attrs != "" || t.empty) && (!knownTag[t.name] || t.typed == "Aside") || h.dialect == MDX && strings.Contains(t.name, ".") {
		return h.component(t, i, next)
	}
	switch {
	case blockTag[t.name]:
		h.blockElement(t, next)
		return next
	case knownTag[t.name]:
		return next
	case strings.Contains(t.name, "-") || t.empty && t.attrs != "" || h.endOf(next, t.name) > 0 || h.isOpen(t.name):
		return next // an element nobody knows: its text stays
	}
	return 0
}

// isOpen reports whether an element's end tags were met before, so that its start tags are none of text.
func (h *htmlConverter) isOpen(name string) bool {
	for _, f := range h.stack {
		if f.name == name {
			return true
		}
	}
	return false
}

func (h *htmlConverter) endTag(t tag, next int) int {
	if e := inlineElementOf[t.name]; e != "" {
		h.write(h.stash.put(placeholder{kind: phInlineClose, name: e}))
		return next
	}
	switch t.name {
	case "a":
		h.write(h.stash.put(placeholder{kind: phInlineClose, name: "a"}))
		return next
	case "q":
		h.write("”")
		return next
	case "rt":
		h.write(")")
		return next
	case "li", "dd":
		for k := len(h.stack) - 1; k >= 0; k-- {
			if f := h.stack[k]; f.name == t.name {
				h.closeTo(k)
				break
			} else if f.name == "ul" || f.name == "ol" || f.name == "dl" {
				break
			}
		}
		return next
	}
	for k := len(h.stack) - 1; k >= 0; k-- {
		if f := h.stack[k]; f.name == t.name && !f.fromPlaceholder {
			h.closeTo(k)
			return next
		}
	}
	if blockTag[t.name] && t.name != "source" && t.name != "iframe" {
		h.startBlock()
	} else if !knownTag[t.name] && t.typed[0]|0x20 != t.typed[0] {
		return next
	}
	return next
}
