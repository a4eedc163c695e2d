package markdown

import (
	"fmt"
	"html"
	"strings"
)

// openBlock begins a block element that a dialect wrote as a placeholder.
func (h *htmlConverter) openBlock(m placeholder, i int) int {
	if h.singleLine > 0 {
		h.startBlock()
		return i
	}
	switch m.name {
	case "p":
		h.startBlock()
		return i
	case "heading":
		h.startBlock()
		h.write("**" + m.text + "**")
		h.startBlock()
		return i
	}
	name, title := m.text, m.title
	if m.name == "div" {
		name = calloutOfClass(m.text)
		if strings.Contains(" "+m.text+" ", " title ") || strings.Contains(m.text, "-title") {
			h.startBlock()
			h.push(openElement{name: m.name, strip: -1, fromPlaceholder: true, close: h.stash.put(placeholder{kind: phInlineClose, name: "strong"})})
			h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "strong"}))
			return i
		}
	}
	h.startBlock()
	f := openElement{name: m.name, strip: -1, fromPlaceholder: true}
	if (m.name == "callout" || m.name == "details" || m.name == "blockquote" || name != "") && h.hasBlockEnd(m.name, i) {
		f.prefix = "> "
		h.w.write("> ")
		switch {
		case m.name == "details":
			h.w.write(h.stash.put(placeholder{kind: phDetails, text: m.text}))
		case m.name != "blockquote":
			if m.name == "div" {
				title, i = h.takeTitle(i, title)
			}
			h.w.write(h.stash.put(placeholder{kind: phCallout, name: name, title: title}))
		}
		h.push(f)
		if m.name != "blockquote" {
			h.w.writeByte('\n')
			h.w.write(h.prefix())
		}
		h.newBlock, h.newLine = true, true
		return i
	}
	h.push(f)
	return i
}

// takeTitle takes a title that stands first in a call-out.
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
	end := h.src[k:eol(h.src, k)]
	for n := 0; n < len(end); n++ {
		if x, ok := h.stash.at(end[n:]); ok && x.kind == phBlockClose {
			t := strings.TrimSpace(h.stash.text(end[:n]))
			t = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(t, "⚠"), "️"))
			return t, k + n + placeholderLen
		}
	}
	return title, i
}

// hasBlockEnd reports whether the element begun before i has an end.
func (h *htmlConverter) hasBlockEnd(name string, i int) bool {
	depth := 0
	for i < len(h.src) && h.searched < maxSearch {
		k := strings.IndexByte(h.src[i:], placeholderLead)
		if k < 0 {
			h.searched += len(h.src) - i
			return false
		}
		h.searched += k + 8
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

func (h *htmlConverter) closeBlock(name string) {
	for k := len(h.stack) - 1; k >= 0; k-- {
		if h.stack[k].fromPlaceholder && h.stack[k].name == name {
			h.closeTo(k)
			return
		}
	}
}

// closeTo ends the elements from the k-th on.
func (h *htmlConverter) closeTo(k int) {
	for len(h.stack) > k {
		f := h.stack[len(h.stack)-1]
		if f.close != "" {
			h.w.write(f.close)
		}
		h.stack = h.stack[:len(h.stack)-1]
		if f.prefix == "" || h.singleLine > 0 {
			h.startBlock()
			continue
		}
		if h.newLine && !h.lineEmpty() { // the line begins with the element's prefix
			h.w.buf = h.w.buf[:len(h.w.buf)-len(h.w.currentLine())]
			h.w.write(h.prefix())
		}
		h.newBlock = false
		if f.name != "li" {
			if !h.newLine {
				h.startLine()
			}
			h.startBlock()
		}
	}
}

// calloutOfClass gives the call-out a class names, "" if none.
func calloutOfClass(class string) string {
	for _, w := range strings.Fields(strings.ToLower(class)) {
		for _, cut := range []string{"admonition-", "alert-", "callout-", "bs-callout-", "custom-block-", "markdown-alert-", "notice-", "notice--"} {
			w = strings.TrimPrefix(w, cut)
		}
		if c := calloutNames[w]; c != "" && w != "title" && w != "quote" {
			return c
		}
	}
	return ""
}

// calloutNames brings the words for call-outs to the five that have a look of their own.
var calloutNames = map[string]string{
	"note": "note", "info": "note", "notice": "note", "admonition": "note", "callout": "note", "aside": "note", "abstract": "note", "summary": "note", "todo": "note", "seealso": "note",
	"example": "note", "quote": "note", "definition": "note", "question": "note", "remark": "note", "compat": "note",
	"tip": "tip", "hint": "tip", "success": "tip", "check": "tip", "done": "tip",
	"important": "important", "attention": "important",
	"warning": "warning", "warn": "warning", "alert": "warning", "bug": "warning", "failure": "warning",
	"caution": "caution", "danger": "caution", "error": "caution",
}

// blockElement begins an element that only sets its text apart, or is a call-out by its class.
func (h *htmlConverter) blockElement(t tag, next int) {
	if t.empty {
		h.startBlock()
		return
	}
	h.startBlock()
	switch t.name {
	case "div", "aside", "section", "p":
		if name := calloutOfClass(t.attr("class")); name != "" && h.singleLine == 0 && h.endOf(next, t.name) > 0 {
			h.openCallout(t.name, name, "", false)
			return
		}
	case "tr", "td", "th", "tbody", "thead", "tfoot", "caption", "colgroup", "col", "option", "legend", "center", "figcaption", "body", "html":
		return
	}
	if t.name != "p" && h.singleLine == 0 && h.endOf(next, t.name) > 0 {
		h.push(openElement{name: t.name, strip: -1})
	}
}

func (h *htmlConverter) openCallout(element, name, title string, marked bool) {
	h.w.write("> " + h.stash.put(placeholder{kind: phCallout, name: name, title: title}))
	h.push(openElement{name: element, prefix: "> ", strip: -1, fromPlaceholder: marked})
	h.w.writeByte('\n')
	h.w.write(h.prefix())
	h.newBlock, h.newLine = true, true
}

func (h *htmlConverter) rule() {
	if h.singleLine > 0 {
		h.startBlock()
		return
	}
	h.startBlock()
	h.w.write(h.stash.put(placeholder{kind: phRule, src: "***"}))
	h.w.writeByte('\n')
	h.w.write(strings.TrimRight(h.prefix(), " "))
	h.w.writeByte('\n')
	h.w.write(h.prefix())
	h.newBlock, h.newLine = true, true
}

func (h *htmlConverter) heading(t tag, next int) int {
	e := h.endOf(next, t.name)
	if e < 0 {
		h.startBlock()
		return next
	}
	text := h.convertInline(h.inside(next, e))
	if text == "" {
		return e
	}
	if h.singleLine > 0 {
		h.startBlock()
		h.write(text)
		h.startBlock()
		return e
	}
	h.startBlock()
	h.write(strings.Repeat("#", int(t.name[1]-'0')) + " " + text)
	if id := t.attr("id"); id != "" {
		h.w.write(h.stash.put(placeholder{kind: phID, name: id}))
	}
	h.startBlock()
	return e
}

func (h *htmlConverter) details(t tag, next int) int {
	e := h.endOf(next, "details")
	if e < 0 || h.singleLine > 0 {
		h.startBlock()
		return next
	}
	summary := ""
	k := next
	for k < e && (h.src[k] == ' ' || h.src[k] == '\n' || h.src[k] == '\t' || h.src[k] == '>' && strings.Contains(h.containers, ">")) {
		k++
	}
	if st, n := tagAt(h.src[k:e]); n > 0 && st.name == "summary" && !st.closing {
		if se := h.endOf(k+n, "summary"); se > 0 && se <= e {
			summary = h.plainText(h.inside(k+n, se))
			next = se
		}
	}
	h.startBlock()
	h.w.write("> " + h.stash.put(placeholder{kind: phDetails, text: summary}))
	h.push(openElement{name: "details", prefix: "> ", strip: -1})
	h.w.writeByte('\n')
	h.w.write(h.prefix())
	h.newBlock, h.newLine = true, true
	h.inHTML = true
	return next
}

// plainText gives the text of a piece of Markdown with HTML.
func (h *htmlConverter) plainText(s string) string {
	t := h.convertInline(s)
	if strings.ContainsAny(t, "*_[`") {
		t = plainHeading(strings.TrimSpace(h.stash.text(t)))
		return t
	}
	return strings.TrimSpace(Clean(html.UnescapeString(h.stash.text(t))))
}

func (h *htmlConverter) openList(t tag) {
	f := openElement{name: t.name, strip: -1}
	if t.name == "menu" || t.name == "dir" {
		f.name = t.name
	}
	if h.singleLine > 0 {
		return
	}
	h.listCount++
	if t.name == "ol" {
		f.number = 1
		fmt.Sscan(t.attr("start"), &f.number)
		if f.number < 0 || f.number > 99999999 {
			f.number = 1
		}
		f.bullet = [...]string{".", ")"}[h.listCount%2]
	} else {
		f.bullet = [...]string{"-", "*", "+"}[h.listCount%3]
	}
	if n := len(h.stack); n > 0 && h.stack[n-1].name == "li" && !h.newBlock {
		h.startLine() // a list right under an item's text
		h.newBlock = true
	} else {
		h.startBlock()
	}
	h.push(f)
}

func (h *htmlConverter) openItem(next int) {
	if h.singleLine > 0 {
		h.startBlock()
		h.write("• ")
		return
	}
	k := len(h.stack) - 1
	for k >= 0 && h.stack[k].bullet == "" && h.stack[k].name != "li" {
		k--
	}
	if k >= 0 && h.stack[k].name == "li" { // the one before is not closed
		h.closeTo(k)
		for k--; k >= 0 && h.stack[k].bullet == ""; k-- {
		}
	}
	var list *openElement
	if k >= 0 {
		list = &h.stack[k]
	}
	bullet := "- "
	if list != nil {
		if bullet = list.bullet + " "; list.number > 0 || list.name == "ol" {
			bullet = fmt.Sprintf("%d%s ", list.number, list.bullet)
			list.number++
		}
	}
	if !h.newBlock || !h.newLine {
		h.startLine()
	}
	if h.lineEmpty() {
		h.w.write(h.prefix())
	}
	h.w.write(bullet)
	h.push(openElement{name: "li", prefix: strings.Repeat(" ", len(bullet)), strip: -1})
	h.newBlock, h.newLine = true, false
}

func (h *htmlConverter) openDescription(next int) {
	if h.singleLine > 0 || h.endOf(next, "dd") < 0 {
		h.startBlock()
		return
	}
	h.ensureLine()
	h.startLine()
	h.w.write(": ")
	h.push(openElement{name: "dd", prefix: "  ", strip: -1})
	h.newBlock, h.newLine = true, false
}

func (h *htmlConverter) openQuote(next int) {
	h.startBlock()
	if h.singleLine > 0 || h.endOf(next, "blockquote") < 0 {
		return
	}
	h.w.write("> ")
	h.push(openElement{name: "blockquote", prefix: "> ", strip: -1})
	h.newBlock, h.newLine = true, true
}
