package markdown

import (
	"fmt"
	"html"
	"net/url"
	"path"
	"strings"
)

// markup is the pass that turns HTML, and the block elements the dialects
// wrote as marks, into Markdown. What it writes it writes behind the prefix of
// the containers it stands in, so a list in a quote stays there.
type markup struct {
	*page
	in    sheet
	s     string
	w     *pen
	stack []frame
	base  string // prefix of the source's own containers, as following lines have it
	typed string // containers of the current line, as typed
	fresh bool   // nothing has been written in this block yet
	bol   bool   // nothing but the prefix has been written in this line
	chunk bool   // within a block of HTML, which a blank line ends
	row   bool   // the line is a row of a table of Markdown
	flat  int    // within an element that must stay one line or one paragraph
	cost  int    // bytes searched for end tags
	lists int    // lists begun, to give neighbours different bullets
}

// frame is an open element.
type frame struct {
	name   string
	prefix string
	strip  int    // indentation of the source's lines inside; -1: not known yet
	close  string // written at the end
	number int    // of the next item
	bullet string
	mark   bool // opened by a mark, not by a tag
}

// mostSearch bounds the work of looking for end tags.
const mostSearch = 8 << 20

func (p *page) htmlPass(in sheet) sheet {
	h := &markup{page: p, in: in, s: in.s, w: newPen(in), fresh: true, bol: true}
	h.run(0, len(in.s))
	return h.w.sheet()
}

// inline runs the pass over a piece and gives one line.
func (h *markup) inline(s string) string {
	sub := &markup{page: h.page, in: plainSheet(s, 0), s: s, fresh: true, flat: 1, cost: h.cost}
	sub.w = newPen(sub.in)
	sub.run(0, len(s))
	h.cost = sub.cost
	t := strings.Join(strings.Fields(string(sub.w.b)), " ")
	return h.trimBreaks(t)
}

// trimBreaks takes line breaks from both ends.
func (h *markup) trimBreaks(t string) string {
	for {
		t = strings.TrimSpace(t)
		if m, ok := h.marks.at(t); ok && m.kind == markBreak {
			t = t[markLen:]
			continue
		}
		if len(t) >= markLen {
			if m, ok := h.marks.at(t[len(t)-markLen:]); ok && m.kind == markBreak {
				t = t[:len(t)-markLen]
				continue
			}
		}
		return t
	}
}

func (h *markup) prefix() string {
	var b strings.Builder
	b.WriteString(h.base)
	for _, f := range h.stack {
		b.WriteString(f.prefix)
	}
	return b.String()
}

// framed reports whether an element gives its lines a prefix.
func (h *markup) framed() bool {
	for _, f := range h.stack {
		if f.prefix != "" {
			return true
		}
	}
	return false
}

func (h *markup) run(i, end int) {
	from := i
	flush := func() {
		if from < i {
			h.write(h.s[from:i])
		}
	}
	i = h.lineStart(i)
	from = i
	for i < end {
		c := h.s[i]
		switch c {
		case '\n':
			flush()
			if h.row {
				h.row, h.flat = false, 0
			}
			i = h.lineStart(h.newline(i))
			from = i
			continue
		case '\\':
			if i+1 < end && h.s[i+1] != '\n' {
				i += 2
			} else {
				i++
			}
			continue
		case '<':
			if i > 1 && (h.s[i-2:i] == "](" || h.s[i-1] == ' ' && strings.HasSuffix(h.s[:i-1], "]:")) {
				if k := strings.IndexByte(h.s[i:eol(h.s, i)], '>'); k > 0 {
					i += k + 1 // the target of a link
					continue
				}
			}
			t, n := tagAt(h.s[i:end])
			if n == 0 {
				i++
				continue
			}
			flush()
			next := h.tag(t, i, n, end)
			if next == 0 { // text that looks like a tag
				h.write(h.marks.put(mark{kind: markText, a: h.s[i : i+n], src: h.s[i : i+n]}))
				next = i + n
			}
			h.w.line = h.in.line(min(next, len(h.s)))
			i, from = next, next
			continue
		case 0xf4:
			m, ok := h.marks.at(h.s[i:])
			if !ok || m.kind != markTag && m.kind != markEndTag && !m.kind.block() {
				i += markLen
				continue
			}
			flush()
			next := i + markLen
			switch {
			case m.kind == markTag:
				next = h.open(m, next)
			case m.kind == markEndTag:
				h.closeMark(m.a)
			case h.flat > 0:
				h.write(h.flattened(m))
			default:
				h.ownLine()
				h.write(h.s[i:next])
				if strings.TrimSpace(h.s[next:eol(h.s, next)]) != "" {
					h.breakLine()
				}
			}
			if next < len(h.s) {
				h.w.line = h.in.line(next)
			}
			i, from = next, next
			continue
		}
		i++
	}
	flush()
}

// flattened gives the inline form of a block.
func (h *markup) flattened(m mark) string {
	switch m.kind {
	case markFence:
		return h.marks.put(mark{kind: markCode, a: strings.Join(strings.Fields(m.b), " "), src: m.src})
	case markFormula:
		return h.marks.put(mark{kind: markMath, a: m.a, src: m.src})
	}
	return ""
}

// write writes text of the current line.
func (h *markup) write(s string) {
	if s == "" {
		return
	}
	if (h.fresh || h.bol) && (h.chunk || len(h.stack) > 0) {
		if s = strings.TrimLeft(s, " \t"); s == "" {
			return
		}
	}
	h.w.str(s)
	if strings.TrimSpace(s) != "" {
		h.fresh, h.bol = false, false
	}
}

// newline ends the line at i and gives the start of the next.
func (h *markup) newline(i int) int {
	if i+1 <= len(h.s) {
		h.w.line = h.in.line(min(i+1, len(h.s)))
	}
	if h.flat > 0 {
		h.w.str(" ")
		return i + 1
	}
	if h.bol && h.chunk && len(h.stack) > 0 || h.fresh && h.bol && h.framed() {
		return i + 1 // a line of tags only leaves no line
	}
	h.w.byte('\n')
	h.bol = true
	return i + 1
}

// lineStart begins a line of the source: its containers, then where its text begins.
func (h *markup) lineStart(i int) int {
	if i >= len(h.s) || h.flat > 0 {
		return i
	}
	line := h.s[i:eol(h.s, i)]
	at := h.typedPrefix(line)
	text := line[at:]
	if strings.TrimSpace(text) == "" {
		h.chunk = false
		if len(h.stack) == 0 {
			h.w.str(line[:at])
			h.fresh = true
			return i + len(line)
		}
		if h.bolEmpty() {
			h.w.str(h.prefix())
		}
		if !h.fresh {
			h.w.byte('\n')
			h.w.str(h.prefix())
		}
		h.fresh, h.bol = true, true
		return i + len(line)
	}
	if t, n := tagAt(text); n > 0 && (blockTag[t.name] || t.name == "summary") {
		h.chunk = true
	}
	if len(h.stack) == 0 {
		h.typed = line[:at]
		h.base = hollow(h.typed)
		if h.bolEmpty() {
			h.w.str(h.typed)
		}
		if text[0] == '|' && strings.IndexByte(text, '<') > 0 {
			h.row, h.flat = true, 1
		}
		if h.typed != h.base {
			h.fresh = true
		}
		if column, _ := column(text); column > 0 && h.chunk {
			return i + at + len(text) - len(strings.TrimLeft(text, " \t"))
		}
		return i + at
	}
	// inside an element: strip the containers and the indentation, write ours
	k := 0
	for q := strings.Count(h.base, ">"); q > 0; q-- {
		t := strings.TrimLeft(line[k:], " ")
		if t == "" || t[0] != '>' {
			break
		}
		k = len(line) - len(t) + 1
		if k < len(line) && line[k] == ' ' {
			k++
		}
	}
	strip := len(h.base) - strings.LastIndexByte(h.base, '>') - 1
	if strings.Contains(h.base, ">") {
		strip = max(strip-1, 0)
	}
	for strip > 0 && k < len(line) && (line[k] == ' ' || line[k] == '\t') {
		k++
		strip--
	}
	rest := line[k:]
	trimmed := strings.TrimLeft(rest, " \t")
	f := &h.stack[len(h.stack)-1]
	if h.chunk && listMarker(trimmed) == 0 {
		k += len(rest) - len(trimmed)
	} else {
		col := len(rest) - len(trimmed)
		if f.strip < 0 {
			f.strip = col
		}
		k += min(col, f.strip)
	}
	if h.bolEmpty() {
		h.w.str(h.prefix())
	}
	return i + k
}

// bolEmpty reports whether the current line of the output is still empty.
func (h *markup) bolEmpty() bool { return len(h.w.b) == 0 || h.w.b[len(h.w.b)-1] == '\n' }

// typedPrefix gives the length of the quote and list markers a line begins
// with and their blanks. Inside an element, lists are text.
func (h *markup) typedPrefix(line string) int {
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

// para makes what follows a block of its own.
func (h *markup) para() {
	if h.flat > 0 {
		if !h.fresh {
			h.w.str(h.marks.put(mark{kind: markBreak, src: " "}))
		}
		h.fresh = true
		return
	}
	if h.fresh {
		return
	}
	p := h.prefix()
	if !h.bol {
		h.w.byte('\n')
		h.w.str(strings.TrimRight(p, " "))
	}
	h.w.byte('\n')
	h.w.str(p)
	h.fresh, h.bol = true, true
}

// breakLine begins a line without ending the block.
func (h *markup) breakLine() {
	if h.flat > 0 {
		h.w.str(" ")
		return
	}
	if !h.bol {
		h.w.byte('\n')
		h.w.str(h.prefix())
		h.bol = true
	}
}

func (h *markup) ownLine() {
	if !h.bol && !h.fresh {
		h.breakLine()
	}
}

func (h *markup) push(f frame) {
	if len(h.stack) >= 200 {
		return
	}
	h.stack = append(h.stack, f)
}

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

// ends gives the offset behind the end tag of the element whose inside begins at i; -1: none.
func (h *markup) ends(i int, name string) int {
	if h.cost > mostSearch || i > len(h.s) {
		return -1
	}
	n := closeTag(h.s[i:], name)
	if n < 0 {
		h.cost += len(h.s) - i
		return -1
	}
	h.cost += n
	return i + n
}

// inside gives what stands between i and the end tag that ends at end.
func (h *markup) inside(i, end int) string {
	return h.s[i : i+strings.LastIndexByte(h.s[i:end], '<')]
}

var inlineElement = map[string]string{"b": "strong", "strong": "strong", "i": "em", "em": "em", "cite": "em", "dfn": "em", "var": "em", "u": "em",
	"del": "del", "s": "del", "strike": "del", "sup": "sup", "sub": "sub", "kbd": "kbd", "mark": "mark"}

// tag writes what a tag of length n at i stands for, and gives where to go on;
// 0: it is text.
func (h *markup) tag(t tag, i, n, end int) int {
	next := i + n
	if t.closing {
		return h.closeTagAt(t, next)
	}
	if e := inlineElement[t.name]; e != "" {
		if !t.empty {
			h.write(h.marks.put(mark{kind: markOpen, a: e, src: h.s[i:next]}))
		}
		return next
	}
	switch t.name {
	case "br":
		h.write(h.marks.put(mark{kind: markBreak, src: " "}))
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
		return h.anchor(t, next)
	case "iframe", "video", "audio", "embed", "object", "source", "track":
		h.media(t)
		if e := h.ends(next, t.name); e > 0 && t.name == "iframe" {
			return e
		}
		return next
	case "table":
		if e := h.ends(next, "table"); e > 0 && e <= end && h.table(h.inside(next, e)) {
			return e
		}
		h.para()
		return next
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return h.heading(t, next)
	case "details":
		return h.details(t, next)
	case "summary":
		if e := h.ends(next, "summary"); e > 0 {
			h.para()
			h.write(h.inline(h.inside(next, e)))
			h.para()
			return e
		}
		return next
	case "ul", "ol", "menu", "dir":
		h.list(t)
		return next
	case "li":
		h.item(next)
		return next
	case "dt":
		h.para()
		return next
	case "dd":
		h.description(next)
		return next
	case "blockquote":
		h.quote(next)
		return next
	case "q":
		h.write("“")
		return next
	case "rt":
		h.write("(")
		return next
	case "rp":
		if e := h.ends(next, "rp"); e > 0 {
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
			h.para()
			h.write("→ " + h.marks.put(mark{kind: markLink, a: to, b: to}))
			h.para()
		}
		return next
	case "title", "textarea":
		if e := h.ends(next, t.name); e > 0 && t.name == "title" {
			return e
		}
		return next
	}
	if t.typed[0] >= 'A' && t.typed[0] <= 'Z' && (h.dialect == MDX || t.attrs != "" || t.empty) && (!knownTag[t.name] || t.typed == "Aside") || h.dialect == MDX && strings.Contains(t.name, ".") {
		return h.component(t, i, next)
	}
	switch {
	case blockTag[t.name]:
		h.block(t, next)
		return next
	case knownTag[t.name]:
		return next
	case strings.Contains(t.name, "-") || t.empty && t.attrs != "" || h.ends(next, t.name) > 0 || h.opened(t.name):
		return next // an element nobody knows: its text stays
	}
	return 0
}

// opened reports whether an element's end tags were met before, so that its start tags are none of text.
func (h *markup) opened(name string) bool {
	for _, f := range h.stack {
		if f.name == name {
			return true
		}
	}
	return false
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

func (h *markup) closeTagAt(t tag, next int) int {
	if e := inlineElement[t.name]; e != "" {
		h.write(h.marks.put(mark{kind: markClose, a: e}))
		return next
	}
	switch t.name {
	case "a":
		h.write(h.marks.put(mark{kind: markClose, a: "a"}))
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
		if f := h.stack[k]; f.name == t.name && !f.mark {
			h.closeTo(k)
			return next
		}
	}
	if blockTag[t.name] && t.name != "source" && t.name != "iframe" {
		h.para()
	} else if !knownTag[t.name] && t.typed[0]|0x20 != t.typed[0] {
		return next
	}
	return next
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

func (h *markup) image(t tag) {
	src := t.attr("src")
	for _, k := range []string{"data-src", "srcset", "data-original"} {
		if src == "" || strings.HasPrefix(src, "data:") && t.attr(k) != "" {
			src, _, _ = strings.Cut(t.attr(k), " ")
		}
	}
	src = strings.TrimSpace(h.marks.restore(src))
	alt := strings.Join(strings.Fields(h.marks.words(t.attr("alt"))), " ")
	if src == "" && alt == "" {
		return
	}
	h.write(h.marks.put(mark{kind: markImage, a: src, b: alt, c: h.marks.words(t.attr("title"))}))
}

// anchor begins a link; one that holds blocks becomes a paragraph's text.
func (h *markup) anchor(t tag, next int) int {
	href := strings.TrimSpace(h.marks.restore(t.attr("href")))
	if href == "" || t.empty {
		return next
	}
	e := h.ends(next, "a")
	if e < 0 || e-next > 20000 {
		h.write(h.marks.put(mark{kind: markLink, a: href, b: hostOf(href)}))
		return next
	}
	inside := h.inside(next, e)
	text := h.inline(inside)
	if text == "" {
		if strings.HasPrefix(href, "#") || t.attr("title") == "" && t.attr("aria-label") == "" && !strings.Contains(href, ":") {
			return e
		}
		text = h.marks.put(mark{kind: markText, a: hostOf(href)})
	}
	h.write(h.marks.put(mark{kind: markOpen, a: "a", b: href, c: h.marks.words(t.attr("title")), src: "["}) + text + h.marks.put(mark{kind: markClose, a: "a"}))
	return e
}

func hostOf(target string) string {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Host, "www.")
	}
	return path.Base(target)
}

// media writes a link for what only a browser can play.
func (h *markup) media(t tag) {
	src := strings.TrimSpace(h.marks.restore(t.attr("src")))
	if src == "" {
		src = strings.TrimSpace(t.attr("data"))
	}
	if src == "" || t.name == "track" {
		h.para()
		return
	}
	what := map[string]string{"iframe": "frame", "embed": "object", "source": "media"}[t.name]
	if what == "" {
		what = t.name
	}
	switch host := hostOf(src); {
	case strings.Contains(host, "youtube") || strings.Contains(host, "youtu.be") || strings.Contains(host, "vimeo") || strings.Contains(host, "bilibili"):
		what = "video"
	}
	label := strings.TrimSpace(t.attr("title"))
	if label == "" {
		label = hostOf(src)
	}
	h.para()
	h.write(h.marks.put(mark{kind: markLink, a: src, b: "[" + what + ": " + label + "]"}))
	h.para()
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

// component takes a JSX element: known ones by what their attributes say,
// others by their inside.
func (h *markup) component(t tag, i, next int) int {
	name := strings.ToLower(t.typed)
	switch {
	case t.attr("src") != "" && (strings.Contains(name, "image") || strings.Contains(name, "img") || strings.Contains(name, "figure") || strings.Contains(name, "picture") || t.has("alt")):
		h.image(t)
		if c := t.attr("caption"); c != "" {
			h.para()
			h.write(h.marks.put(mark{kind: markText, a: c, src: c}))
			h.para()
		}
		return next
	case strings.Contains(name, "youtube") || strings.Contains(name, "vimeo") || strings.Contains(name, "tweet") || strings.Contains(name, "gist"):
		for _, k := range []string{"id", "videoid", "url", "src", "href"} {
			if v := t.attr(k); v != "" {
				h.para()
				h.write(h.service(name, v))
				h.para()
				break
			}
		}
		return next
	case t.attr("src") != "" && (strings.Contains(name, "video") || strings.Contains(name, "audio")):
		t.name = "video"
		h.media(t)
		return next
	case callouts[name] != "" && !t.empty && h.flat == 0 && h.ends(next, t.name) > 0:
		kind := callouts[name]
		for _, k := range []string{"type", "kind", "variant", "intent"} {
			if c := callouts[strings.ToLower(t.attr(k))]; c != "" {
				kind = c
			}
		}
		h.para()
		h.callout(t.name, kind, t.attr("title"), false)
		return next
	case strings.Contains(name, "details") || strings.Contains(name, "collapse") || strings.Contains(name, "accordion") || strings.Contains(name, "spoiler"):
		if title := t.attr("title") + t.attr("summary"); !t.empty && title != "" && h.flat == 0 && h.ends(next, t.name) > 0 {
			h.para()
			h.w.str("> " + h.marks.put(mark{kind: markDetails, a: title}))
			h.push(frame{name: t.name, prefix: "> ", strip: -1})
			h.w.byte('\n')
			h.w.str(h.prefix())
			h.fresh, h.bol = true, true
			return next
		}
	case t.attr("href") != "":
		if e := h.ends(next, t.name); e > 0 && !t.empty {
			text := h.inline(h.inside(next, e))
			if text == "" {
				text = h.marks.put(mark{kind: markText, a: hostOf(t.attr("href"))})
			}
			h.write(h.marks.put(mark{kind: markOpen, a: "a", b: t.attr("href"), src: "["}) + text + h.marks.put(mark{kind: markClose, a: "a"}))
			return e
		}
		label := t.attr("title")
		if label == "" {
			label = hostOf(t.attr("href"))
		}
		h.write(h.marks.put(mark{kind: markLink, a: t.attr("href"), b: label}))
		return next
	}
	if strings.TrimSpace(h.s[strings.LastIndexByte(h.s[:i], '\n')+1:i]) == "" && !t.empty && h.flat == 0 && h.ends(next, t.name) > 0 {
		h.para()
		if title := t.attr("title") + t.attr("label"); title != "" {
			h.write(h.marks.put(mark{kind: markOpen, a: "strong"}) + h.marks.put(mark{kind: markText, a: title}) + h.marks.put(mark{kind: markClose, a: "strong"}))
			h.para()
		}
		h.push(frame{name: t.name, strip: -1})
	}
	return next
}

// table writes the rows between two table tags. It gives false, and writes
// nothing, for tables that only lay out a page: their cells are paragraphs.
func (h *markup) table(s string) bool {
	var rows [][]string
	caption := ""
	cell, head := -1, false
	var headRow []bool
	add := func(end int) bool {
		if cell < 0 {
			return true
		}
		raw := s[cell:end]
		cell = -1
		for k := 0; k < len(raw); k++ {
			if m, ok := h.marks.at(raw[k:]); ok {
				if m.kind == markFence && strings.Count(m.b, "\n") > 1 || m.kind == markTag {
					return false
				}
				k += markLen - 1
			}
		}
		if len(rows) == 0 {
			rows, headRow = append(rows, nil), append(headRow, head)
		}
		r := len(rows) - 1
		rows[r] = append(rows[r], h.inline(raw))
		return len(rows[r]) <= 100
	}
	span := 0
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			break
		}
		i += k
		t, n := tagAt(s[i:])
		if n == 0 {
			i++
			continue
		}
		switch t.name {
		case "table":
			return false
		case "tr", "td", "th", "thead", "tbody", "tfoot", "caption":
			if !add(i) {
				return false
			}
			for ; span > 1 && len(rows) > 0 && len(rows[len(rows)-1]) < 100; span-- {
				rows[len(rows)-1] = append(rows[len(rows)-1], "")
			}
			span = 0
			switch {
			case t.closing:
			case t.name == "tr":
				if len(rows) >= 2000 {
					return false
				}
				rows, headRow = append(rows, nil), append(headRow, false)
			case t.name == "td" || t.name == "th":
				cell, head = i+n, t.name == "th"
				if len(headRow) > 0 && head {
					headRow[len(headRow)-1] = true
				}
				fmt.Sscan(t.attr("colspan"), &span)
				span = min(span, 50)
			case t.name == "caption":
				if e := closeTag(s[i+n:], "caption"); e > 0 {
					caption = h.inline(s[i+n : i+n+strings.LastIndexByte(s[i+n:i+n+e], '<')])
					n += e
				}
			}
		}
		i += n
	}
	if !add(len(s)) {
		return false
	}
	var full [][]string
	width := 0
	for _, r := range rows {
		if len(r) > 0 {
			full = append(full, r)
			width = max(width, len(r))
		}
	}
	if h.flat > 0 || width < 2 || len(full) < 2 {
		return false
	}
	h.para()
	if caption != "" {
		h.write(caption)
		h.para()
	}
	p := h.prefix()
	t := pipeTable(full, p)
	t = strings.TrimPrefix(t, p)
	h.w.str(t)
	h.w.str(strings.TrimRight(p, " "))
	h.w.byte('\n')
	h.w.str(p)
	h.fresh, h.bol = true, true
	return true
}
