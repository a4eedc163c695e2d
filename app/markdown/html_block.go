package markdown

import (
	"fmt"
	"html"
	"strings"
)

// open begins a block element that a dialect wrote as a mark.
func (h *markup) open(m mark, i int) int {
	if h.flat > 0 {
		h.para()
		return i
	}
	switch m.a {
	case "p":
		h.para()
		return i
	case "heading":
		h.para()
		h.write("**" + m.b + "**")
		h.para()
		return i
	}
	name, title := m.b, m.c
	if m.a == "div" {
		name = calloutOf(m.b)
		if strings.Contains(" "+m.b+" ", " title ") || strings.Contains(m.b, "-title") {
			h.para()
			h.push(frame{name: m.a, strip: -1, mark: true, close: h.marks.put(mark{kind: markClose, a: "strong"})})
			h.write(h.marks.put(mark{kind: markOpen, a: "strong"}))
			return i
		}
	}
	h.para()
	f := frame{name: m.a, strip: -1, mark: true}
	if (m.a == "callout" || m.a == "details" || m.a == "blockquote" || name != "") && h.closesMark(m.a, i) {
		f.prefix = "> "
		h.w.str("> ")
		switch {
		case m.a == "details":
			h.w.str(h.marks.put(mark{kind: markDetails, a: m.b}))
		case m.a != "blockquote":
			if m.a == "div" {
				title, i = h.divTitle(i, title)
			}
			h.w.str(h.marks.put(mark{kind: markCallout, a: name, b: title}))
		}
		h.push(f)
		if m.a != "blockquote" {
			h.w.byte('\n')
			h.w.str(h.prefix())
		}
		h.fresh, h.bol = true, true
		return i
	}
	h.push(f)
	return i
}

// divTitle takes a title that stands first in a call-out.
func (h *markup) divTitle(i int, title string) (string, int) {
	k := i
	for k < len(h.s) && (h.s[k] == ' ' || h.s[k] == '\n') {
		k++
	}
	m, ok := h.marks.at(h.s[min(k, len(h.s)):])
	if !ok || m.kind != markTag || m.a != "div" || !strings.Contains(m.b, "title") {
		return title, i
	}
	k += markLen
	end := h.s[k:eol(h.s, k)]
	for n := 0; n < len(end); n++ {
		if x, ok := h.marks.at(end[n:]); ok && x.kind == markEndTag {
			t := strings.TrimSpace(h.marks.words(end[:n]))
			t = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(t, "⚠"), "️"))
			return t, k + n + markLen
		}
	}
	return title, i
}

// closesMark reports whether the element begun before i has an end.
func (h *markup) closesMark(name string, i int) bool {
	depth := 0
	for i < len(h.s) && h.cost < mostSearch {
		k := strings.IndexByte(h.s[i:], 0xf4)
		if k < 0 {
			h.cost += len(h.s) - i
			return false
		}
		h.cost += k + 8
		i += k
		if m, ok := h.marks.at(h.s[i:]); ok && m.a == name {
			switch m.kind {
			case markTag:
				depth++
			case markEndTag:
				if depth--; depth < 0 {
					return true
				}
			}
		}
		i += markLen
	}
	return false
}

func (h *markup) closeMark(name string) {
	for k := len(h.stack) - 1; k >= 0; k-- {
		if h.stack[k].mark && h.stack[k].name == name {
			h.closeTo(k)
			return
		}
	}
}

// closeTo ends the elements from the k-th on.
func (h *markup) closeTo(k int) {
	for len(h.stack) > k {
		f := h.stack[len(h.stack)-1]
		if f.close != "" {
			h.w.str(f.close)
		}
		h.stack = h.stack[:len(h.stack)-1]
		if f.prefix == "" || h.flat > 0 {
			h.para()
			continue
		}
		if h.bol && !h.bolEmpty() { // the line begins with the element's prefix
			h.w.b = h.w.b[:len(h.w.b)-len(h.w.lineText())]
			h.w.str(h.prefix())
		}
		h.fresh = false
		if f.name != "li" {
			if !h.bol {
				h.breakLine()
			}
			h.para()
		}
	}
}

// calloutOf gives the call-out a class names, "" if none.
func calloutOf(class string) string {
	for _, w := range strings.Fields(strings.ToLower(class)) {
		for _, cut := range []string{"admonition-", "alert-", "callout-", "bs-callout-", "custom-block-", "markdown-alert-", "notice-", "notice--"} {
			w = strings.TrimPrefix(w, cut)
		}
		if c := callouts[w]; c != "" && w != "title" && w != "quote" {
			return c
		}
	}
	return ""
}

// callouts brings the words for call-outs to the five that have a look of their own.
var callouts = map[string]string{
	"note": "note", "info": "note", "notice": "note", "admonition": "note", "callout": "note", "aside": "note", "abstract": "note", "summary": "note", "todo": "note", "seealso": "note",
	"example": "note", "quote": "note", "definition": "note", "question": "note", "remark": "note", "compat": "note",
	"tip": "tip", "hint": "tip", "success": "tip", "check": "tip", "done": "tip",
	"important": "important", "attention": "important",
	"warning": "warning", "warn": "warning", "alert": "warning", "bug": "warning", "failure": "warning",
	"caution": "caution", "danger": "caution", "error": "caution",
}

// block begins an element that only sets its text apart, or is a call-out by its class.
func (h *markup) block(t tag, next int) {
	if t.empty {
		h.para()
		return
	}
	h.para()
	switch t.name {
	case "div", "aside", "section", "p":
		if name := calloutOf(t.attr("class")); name != "" && h.flat == 0 && h.ends(next, t.name) > 0 {
			h.callout(t.name, name, "", false)
			return
		}
	case "tr", "td", "th", "tbody", "thead", "tfoot", "caption", "colgroup", "col", "option", "legend", "center", "figcaption", "body", "html":
		return
	}
	if t.name != "p" && h.flat == 0 && h.ends(next, t.name) > 0 {
		h.push(frame{name: t.name, strip: -1})
	}
}

func (h *markup) callout(element, name, title string, marked bool) {
	h.w.str("> " + h.marks.put(mark{kind: markCallout, a: name, b: title}))
	h.push(frame{name: element, prefix: "> ", strip: -1, mark: marked})
	h.w.byte('\n')
	h.w.str(h.prefix())
	h.fresh, h.bol = true, true
}

func (h *markup) rule() {
	if h.flat > 0 {
		h.para()
		return
	}
	h.para()
	h.w.str(h.marks.put(mark{kind: markRule, src: "***"}))
	h.w.byte('\n')
	h.w.str(strings.TrimRight(h.prefix(), " "))
	h.w.byte('\n')
	h.w.str(h.prefix())
	h.fresh, h.bol = true, true
}

func (h *markup) heading(t tag, next int) int {
	e := h.ends(next, t.name)
	if e < 0 {
		h.para()
		return next
	}
	text := h.inline(h.inside(next, e))
	if text == "" {
		return e
	}
	if h.flat > 0 {
		h.para()
		h.write(text)
		h.para()
		return e
	}
	h.para()
	h.write(strings.Repeat("#", int(t.name[1]-'0')) + " " + text)
	if id := t.attr("id"); id != "" {
		h.w.str(h.marks.put(mark{kind: markID, a: id}))
	}
	h.para()
	return e
}

func (h *markup) details(t tag, next int) int {
	e := h.ends(next, "details")
	if e < 0 || h.flat > 0 {
		h.para()
		return next
	}
	summary := ""
	k := next
	for k < e && (h.s[k] == ' ' || h.s[k] == '\n' || h.s[k] == '\t' || h.s[k] == '>' && strings.Contains(h.base, ">")) {
		k++
	}
	if st, n := tagAt(h.s[k:e]); n > 0 && st.name == "summary" && !st.closing {
		if se := h.ends(k+n, "summary"); se > 0 && se <= e {
			summary = h.plain(h.inside(k+n, se))
			next = se
		}
	}
	h.para()
	h.w.str("> " + h.marks.put(mark{kind: markDetails, a: summary}))
	h.push(frame{name: "details", prefix: "> ", strip: -1})
	h.w.byte('\n')
	h.w.str(h.prefix())
	h.fresh, h.bol = true, true
	h.chunk = true
	return next
}

// plain gives the text of a piece of Markdown with HTML.
func (h *markup) plain(s string) string {
	t := h.inline(s)
	if strings.ContainsAny(t, "*_[`") {
		t = plainHeading(strings.TrimSpace(h.marks.words(t)))
		return t
	}
	return strings.TrimSpace(Clean(html.UnescapeString(h.marks.words(t))))
}

func (h *markup) list(t tag) {
	f := frame{name: t.name, strip: -1}
	if t.name == "menu" || t.name == "dir" {
		f.name = t.name
	}
	if h.flat > 0 {
		return
	}
	h.lists++
	if t.name == "ol" {
		f.number = 1
		fmt.Sscan(t.attr("start"), &f.number)
		if f.number < 0 || f.number > 99999999 {
			f.number = 1
		}
		f.bullet = [...]string{".", ")"}[h.lists%2]
	} else {
		f.bullet = [...]string{"-", "*", "+"}[h.lists%3]
	}
	if n := len(h.stack); n > 0 && h.stack[n-1].name == "li" && !h.fresh {
		h.breakLine() // a list right under an item's text
		h.fresh = true
	} else {
		h.para()
	}
	h.push(f)
}

func (h *markup) item(next int) {
	if h.flat > 0 {
		h.para()
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
	var list *frame
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
	if !h.fresh || !h.bol {
		h.breakLine()
	}
	if h.bolEmpty() {
		h.w.str(h.prefix())
	}
	h.w.str(bullet)
	h.push(frame{name: "li", prefix: strings.Repeat(" ", len(bullet)), strip: -1})
	h.fresh, h.bol = true, false
}

func (h *markup) description(next int) {
	if h.flat > 0 || h.ends(next, "dd") < 0 {
		h.para()
		return
	}
	h.ownLine()
	h.breakLine()
	h.w.str(": ")
	h.push(frame{name: "dd", prefix: "  ", strip: -1})
	h.fresh, h.bol = true, false
}

func (h *markup) quote(next int) {
	h.para()
	if h.flat > 0 || h.ends(next, "blockquote") < 0 {
		return
	}
	h.w.str("> ")
	h.push(frame{name: "blockquote", prefix: "> ", strip: -1})
	h.fresh, h.bol = true, true
}
