package markdown

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"sheaf/app/markup"
)

// startBlockElement handles the start tags of blocks that become something of
// Markdown; it is not ok for others.
func (h *htmlConverter) startBlockElement(t markup.Tag, next int) (after int, ok bool) {
	switch t.Name {
	case "hr":
		h.rule()
	case "iframe":
		h.media(t)
		return h.skip(t, next), true
	case "video", "audio", "embed", "object", "source", "track":
		h.media(t)
	case "table":
		if end := h.endOf(next, "table"); end > 0 && h.table(h.inside(next, end)) {
			return end, true
		}
		h.startBlock()
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return h.heading(t, next), true
	case "details":
		return h.details(next), true
	case "summary":
		if end := h.endOf(next, "summary"); end > 0 {
			h.paragraph(h.convertInline(h.inside(next, end)))
			return end, true
		}
	case "ul", "ol", "menu", "dir":
		h.openList(t)
	case "li":
		h.openItem()
	case "dt":
		h.startBlock()
	case "dd":
		h.openDescription(next)
	case "blockquote":
		h.openQuote(next)
	case "meta":
		h.refresh(t)
	default:
		return 0, false
	}
	return next, true
}

// openBlock begins the block element of a placeholder whose inside begins at
// i, and returns where to go on.
func (h *htmlConverter) openBlock(m placeholder, i int) int {
	h.startBlock()
	if h.singleLine || m.name == "p" {
		return i
	}
	e := openElement{name: m.name, strip: -1, fromPlaceholder: true}
	switch m.name {
	case "heading":
		h.write("**" + m.text + "**")
		h.startBlock()
		return i
	case "div":
		return h.openDiv(m, e, i)
	}
	switch {
	case !h.hasBlockEnd(m.name, i):
		h.push(e)
	case m.name == "details":
		h.openBox(e, placeholder{kind: phDetails, text: m.text})
	case m.name == "callout":
		h.openBox(e, placeholder{kind: phCallout, name: m.text, title: m.title})
	case m.name == "blockquote":
		h.w.Write("> ")
		e.prefix = "> "
		h.push(e)
		h.newBlock, h.newLine = true, true
	}
	return i
}

// openDiv begins a div of some classes, which may be a call-out or the title
// of one.
func (h *htmlConverter) openDiv(m placeholder, e openElement, i int) int {
	if strings.Contains(" "+m.text+" ", " title ") || strings.Contains(m.text, "-title") {
		e.close = h.stash.put(placeholder{kind: phInlineClose, name: "strong"})
		h.push(e)
		h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "strong"}))
		return i
	}
	if name := calloutOfClass(m.text); name != "" && h.hasBlockEnd(m.name, i) {
		title, after := h.takeTitle(i, m.title)
		h.openBox(e, placeholder{kind: phCallout, name: name, title: title})
		return after
	}
	h.push(e)
	return i
}

// takeTitle takes a div that is a title and stands first in the call-out whose
// inside begins at i. Without one it returns the title given and i.
func (h *htmlConverter) takeTitle(i int, title string) (string, int) {
	k := i
	for k < len(h.src) && (h.src[k] == ' ' || h.src[k] == '\n') {
		k++
	}
	m, ok := h.stash.at(h.src[min(k, len(h.src)):])
	if !ok || m.kind != phBlockOpen || m.name != "div" || !strings.Contains(m.text, "title") {
		return title, i
	}
	k += placeholderLen
	line := h.src[k:eol(h.src, k)]
	for n := range len(line) {
		if x, ok := h.stash.at(line[n:]); ok && x.kind == phBlockClose {
			t := strings.TrimSpace(h.stash.text(line[:n]))
			t = strings.TrimPrefix(strings.TrimPrefix(t, "⚠"), "\ufe0f") // the sign is shown in front of it anyway
			return strings.TrimSpace(t), k + n + placeholderLen
		}
	}
	return title, i
}

// openBox begins a quote whose first line says what it really is.
func (h *htmlConverter) openBox(e openElement, what placeholder) {
	e.prefix, e.strip = "> ", -1
	h.w.Write("> " + h.stash.put(what))
	h.push(e)
	h.w.NewLine()
	h.w.Write(h.prefix())
	h.newBlock, h.newLine = true, true
}

// hasBlockEnd reports whether the placeholder that ends a block element stands
// in its inside, which begins at i.
func (h *htmlConverter) hasBlockEnd(name string, i int) bool {
	depth := 0
	for i < len(h.src) && h.searched < maxSearch {
		k := strings.IndexByte(h.src[i:], placeholderLead)
		if k < 0 {
			h.searched += len(h.src) - i
			return false
		}
		h.searched += k + 2*placeholderLen
		i += k
		if m, ok := h.stash.at(h.src[i:]); ok && m.name == name {
			switch m.kind {
			case phBlockOpen:
				depth++
			case phBlockClose:
				if depth--; depth < 0 {
					return true
				}
			}
		}
		i += placeholderLen
	}
	return false
}

// closeBlock ends a block element that a placeholder opened.
func (h *htmlConverter) closeBlock(name string) {
	for k := len(h.stack) - 1; k >= 0; k-- {
		if h.stack[k].fromPlaceholder && h.stack[k].name == name {
			h.closeTo(k)
			return
		}
	}
}

// closeItem ends the item of the innermost list.
func (h *htmlConverter) closeItem(name string) {
	for k := len(h.stack) - 1; k >= 0; k-- {
		switch h.stack[k].name {
		case name:
			h.closeTo(k)
			return
		case "ul", "ol", "dl":
			return
		}
	}
}

// closeTo ends the elements from the k-th on.
func (h *htmlConverter) closeTo(k int) {
	for len(h.stack) > k {
		e := h.stack[len(h.stack)-1]
		if e.close != "" {
			h.w.Write(e.close)
		}
		h.stack = h.stack[:len(h.stack)-1]
		if e.prefix == "" || h.singleLine {
			h.startBlock()
			continue
		}
		if h.newLine && !h.w.LineEmpty() { // the line begins with the element's prefix
			h.w.DropLine()
			h.w.Write(h.prefix())
		}
		h.newBlock = false
		if e.name != "li" {
			if !h.newLine {
				h.startLine()
			}
			h.startBlock()
		}
	}
}

// calloutOfClass returns the call-out a list of classes names, "" if none.
func calloutOfClass(class string) string {
	for _, w := range strings.Fields(strings.ToLower(class)) {
		for _, prefix := range calloutClassPrefixes {
			w = strings.TrimPrefix(w, prefix)
		}
		if c := calloutNames[w]; c != "" && w != "title" && w != "quote" {
			return c
		}
	}
	return ""
}

var calloutClassPrefixes = []string{
	"admonition-", "alert-", "callout-", "bs-callout-", "custom-block-", "markdown-alert-", "notice-", "notice--",
}

// calloutNames brings the words for call-outs to the five that have a look of
// their own.
var calloutNames = map[string]string{
	"note": "note", "info": "note", "notice": "note", "admonition": "note", "callout": "note", "aside": "note",
	"abstract": "note", "summary": "note", "todo": "note", "seealso": "note", "example": "note", "quote": "note",
	"definition": "note", "question": "note", "remark": "note", "compat": "note",
	"tip": "tip", "hint": "tip", "success": "tip", "check": "tip", "done": "tip",
	"important": "important", "attention": "important",
	"warning": "warning", "warn": "warning", "alert": "warning", "bug": "warning", "failure": "warning",
	"caution": "caution", "danger": "caution", "error": "caution",
}

// transparentBlocks are the block elements that set nothing apart but their
// own text: they are never containers.
var transparentBlocks = []string{
	"p", "tr", "td", "th", "tbody", "thead", "tfoot", "caption", "colgroup", "col", "option", "legend", "center",
	"figcaption", "body", "html",
}

// unknownBlock begins an element that only sets its text apart, or is a
// call-out by its class.
func (h *htmlConverter) unknownBlock(t markup.Tag, next int) {
	h.startBlock()
	switch t.Name {
	case "div", "aside", "section", "p":
		if kind := calloutOfClass(t.Attr("class")); kind != "" && h.encloses(t, next) {
			h.openBox(openElement{name: t.Name}, placeholder{kind: phCallout, name: kind})
			return
		}
	}
	if !slices.Contains(transparentBlocks, t.Name) && h.encloses(t, next) {
		h.push(openElement{name: t.Name, strip: -1})
	}
}

// rule writes a thematic break.
func (h *htmlConverter) rule() {
	h.startBlock()
	if h.singleLine {
		return
	}
	h.w.Write(h.stash.put(placeholder{kind: phRule, src: "***"}))
	h.blankLineBelow()
}

// blankLineBelow ends the line, and the block with a blank line.
func (h *htmlConverter) blankLineBelow() {
	p := h.prefix()
	h.w.NewLine()
	h.w.Write(strings.TrimRight(p, " "))
	h.w.NewLine()
	h.w.Write(p)
	h.newBlock, h.newLine = true, true
}

// media writes a link for what only a browser can play.
func (h *htmlConverter) media(t markup.Tag) {
	src := strings.TrimSpace(h.stash.restore(t.Attr("src")))
	if src == "" {
		src = strings.TrimSpace(t.Attr("data"))
	}
	if src == "" || t.Name == "track" {
		h.startBlock()
		return
	}
	what := t.Name
	switch t.Name {
	case "iframe":
		what = "frame"
	case "embed":
		what = "object"
	case "source":
		what = "media"
	}
	host := hostOf(src)
	for _, videos := range []string{"youtube", "youtu.be", "vimeo", "bilibili"} {
		if strings.Contains(host, videos) {
			what = "video"
		}
	}
	label := strings.TrimSpace(t.Attr("title"))
	if label == "" {
		label = host
	}
	h.paragraph(h.stash.put(placeholder{kind: phLink, target: src, text: "[" + what + ": " + label + "]"}))
}

// refresh writes the address that a page sends its readers on to.
func (h *htmlConverter) refresh(t markup.Tag) {
	if !strings.EqualFold(t.Attr("http-equiv"), "refresh") {
		return
	}
	content := t.Attr("content")
	_, to, ok := strings.Cut(strings.ToLower(content), "url=")
	if !ok {
		return
	}
	to = strings.Trim(content[len(content)-len(to):], "'\" ")
	h.paragraph("→ " + h.stash.put(placeholder{kind: phLink, target: to, text: to}))
}

// heading writes a heading, and returns where to go on. An empty one leaves
// nothing.
func (h *htmlConverter) heading(t markup.Tag, next int) int {
	end := h.endOf(next, t.Name)
	if end < 0 {
		h.startBlock()
		return next
	}
	text := h.convertInline(h.inside(next, end))
	switch {
	case text == "":
	case h.singleLine:
		h.paragraph(text)
	default:
		h.startBlock()
		h.write(strings.Repeat("#", int(t.Name[1]-'0')) + " " + text)
		if id := t.Attr("id"); id != "" {
			h.w.Write(h.stash.put(placeholder{kind: phID, name: id}))
		}
		h.startBlock()
	}
	return end
}

// details begins a details element, whose summary may stand first in it, and
// returns where to go on.
func (h *htmlConverter) details(next int) int {
	end := h.endOf(next, "details")
	if end < 0 || h.singleLine {
		h.startBlock()
		return next
	}
	blanks := " \n\t"
	if strings.Contains(h.containers, ">") {
		blanks += ">"
	}
	k := end - len(strings.TrimLeft(h.src[next:end], blanks))
	summary := ""
	if t, n := markup.TagAt(h.src[k:end]); n > 0 && t.Name == "summary" && !t.Closing {
		if e := h.endOf(k+n, "summary"); e > 0 && e <= end {
			summary = h.plainText(h.inside(k+n, e))
			next = e
		}
	}
	h.startBlock()
	h.openBox(openElement{name: "details"}, placeholder{kind: phDetails, text: summary})
	h.inHTML = true
	return next
}

// plainText returns the text of a piece of Markdown with HTML.
func (h *htmlConverter) plainText(s string) string {
	s = h.convertInline(s)
	if strings.ContainsAny(s, "*_[`") {
		return plainHeading(strings.TrimSpace(h.stash.text(s)))
	}
	return strings.TrimSpace(Clean(html.UnescapeString(h.stash.text(s))))
}

const maxListStart = 99999999 // digits beyond it make no list of Markdown

// openList begins a list. In a single line it shows only by its items.
func (h *htmlConverter) openList(t markup.Tag) {
	if h.singleLine {
		return
	}
	e := openElement{name: t.Name, strip: -1}
	h.listCount++
	if t.Name == "ol" {
		e.number = 1
		fmt.Sscan(t.Attr("start"), &e.number)
		if e.number < 0 || e.number > maxListStart {
			e.number = 1
		}
		e.bullet = [...]string{".", ")"}[h.listCount%2]
	} else {
		e.bullet = [...]string{"-", "*", "+"}[h.listCount%3]
	}
	if n := len(h.stack); n > 0 && h.stack[n-1].name == "li" && !h.newBlock {
		h.startLine() // right under an item's text
		h.newBlock = true
	} else {
		h.startBlock()
	}
	h.push(e)
}

// openItem begins an item of the innermost list, and ends the item before it
// if that has no end tag. Without a list it becomes one.
func (h *htmlConverter) openItem() {
	if h.singleLine {
		h.startBlock()
		h.write("• ")
		return
	}
	k := len(h.stack) - 1
	for k >= 0 && h.stack[k].bullet == "" && h.stack[k].name != "li" {
		k--
	}
	if k >= 0 && h.stack[k].name == "li" {
		h.closeTo(k)
		for k--; k >= 0 && h.stack[k].bullet == ""; k-- {
		}
	}
	bullet := "- "
	if k >= 0 {
		if list := &h.stack[k]; list.name == "ol" {
			bullet = fmt.Sprintf("%d%s ", list.number, list.bullet)
			list.number++
		} else {
			bullet = list.bullet + " "
		}
	}
	if !h.newBlock || !h.newLine {
		h.startLine()
	}
	if h.w.LineEmpty() {
		h.w.Write(h.prefix())
	}
	h.w.Write(bullet)
	h.push(openElement{name: "li", prefix: strings.Repeat(" ", len(bullet)), strip: -1})
	h.newBlock, h.newLine = true, false
}

// openDescription begins the description of a term.
func (h *htmlConverter) openDescription(next int) {
	if h.singleLine || h.endOf(next, "dd") < 0 {
		h.startBlock()
		return
	}
	h.ensureLine()
	h.startLine()
	h.w.Write(": ")
	h.push(openElement{name: "dd", prefix: "  ", strip: -1})
	h.newBlock, h.newLine = true, false
}

// openQuote begins a quote.
func (h *htmlConverter) openQuote(next int) {
	h.startBlock()
	if h.singleLine || h.endOf(next, "blockquote") < 0 {
		return
	}
	h.w.Write("> ")
	h.push(openElement{name: "blockquote", prefix: "> ", strip: -1})
	h.newBlock, h.newLine = true, true
}
