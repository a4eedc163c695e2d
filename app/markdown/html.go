package markdown

import (
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
