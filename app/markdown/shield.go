package markdown

import (
	"html"
	"strings"
)

// shield puts a mark in the place of everything no later pass may look into:
// code, comments, math, raw text. What it copies is left as typed.
type shield struct {
	*page
	in  sheet
	w   *pen
	s   string
	raw bool // between Franklin's ~~~

	prefix  string // containers of the current line, as typed
	content int    // where the line's own text begins
	quotes  int
	lists   []int // columns where the text of the open list items begins
	html    int   // open block elements
	after   bool  // the line before was blank
	barren  map[int]int
}

func (p *page) shield(in sheet) sheet {
	s := &shield{page: p, in: in, s: in.s, w: newPen(in), after: true}
	for i := 0; i < len(s.s); {
		i = s.takeLine(i)
	}
	return s.w.sheet()
}

// column gives the width of blanks and tabs at the start of s, and their length.
func column(s string) (col, n int) {
	for n < len(s) {
		switch s[n] {
		case ' ':
			col++
		case '\t':
			col += 4 - col%4
		default:
			return col, n
		}
		n++
	}
	return col, n
}

// listMarker gives the length of the bullet or number s begins with; 0: none.
func listMarker(s string) int {
	if s == "" {
		return 0
	}
	n := 0
	switch {
	case s[0] == '-' || s[0] == '*' || s[0] == '+':
		n = 1
	case s[0] >= '0' && s[0] <= '9':
		for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == len(s) || s[n] != '.' && s[n] != ')' {
			return 0
		}
		n++
	default:
		return 0
	}
	if n < len(s) && s[n] != ' ' && s[n] != '\t' && s[n] != '\n' {
		return 0
	}
	return n
}

// containers finds where the text of the line at i begins, behind quotes and
// list markers, and keeps the open lists.
func (s *shield) containers(i int) {
	k := i
	col, base := 0, 0
	s.quotes = 0
	for {
		c, n := column(s.s[k:])
		col = base + c
		k += n
		if k >= len(s.s) || s.s[k] == '\n' {
			break
		}
		if s.s[k] == '>' {
			s.quotes++
			k++
			if k < len(s.s) && s.s[k] == ' ' {
				k++
			}
			base = 0
			if s.quotes > 64 {
				break
			}
			continue
		}
		n = listMarker(s.s[k:])
		if n == 0 || isRule(s.s[k:eol(s.s, k)]) {
			break
		}
		for len(s.lists) > 0 && col < s.lists[len(s.lists)-1] {
			s.lists = s.lists[:len(s.lists)-1]
		}
		k += n
		gap, gn := column(s.s[k:])
		if gap > 4 {
			gap, gn = 1, 1
		}
		if gn == 0 {
			gap = 1
		}
		if len(s.lists) < 64 {
			s.lists = append(s.lists, col+n+gap)
		}
		base = col + n + gap
		k += gn
		if k >= len(s.s) || s.s[k] == '\n' || len(s.lists) >= 64 {
			break
		}
	}
	if k < len(s.s) && s.s[k] != '\n' && s.after && s.quotes == 0 { // a column within a quote tells nothing of the lists around it
		for len(s.lists) > 0 && col < s.lists[len(s.lists)-1] && col < 2 {
			s.lists = s.lists[:len(s.lists)-1]
		}
	}
	s.content = k
	s.prefix = s.s[i:k]
}

// isRule reports a thematic break: three or more of - * _ and blanks.
func isRule(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '-' && s[0] != '*' && s[0] != '_' {
		return false
	}
	n := 0
	for i := range len(s) {
		if s[i] == s[0] {
			n++
		} else if s[i] != ' ' && s[i] != '\t' {
			return false
		}
	}
	return n >= 3
}

// hollow turns a prefix into what the following lines of its containers begin with.
func hollow(prefix string) string {
	b := []byte(prefix)
	for i, c := range b {
		if c != '>' && c != ' ' && c != '\t' {
			b[i] = ' '
		}
	}
	return string(b)
}

func (s *shield) takeLine(i int) int {
	end := eol(s.s, i)
	if strings.TrimSpace(s.s[i:end]) == "" {
		s.newline(end)
		s.after = true
		s.barren = nil
		return min(end+1, len(s.s))
	}
	if !s.raw && s.indentedCode(i) {
		return s.takeIndented(i)
	}
	s.containers(i)
	s.after = false
	k := s.content
	if !s.raw && k < end {
		if c := s.s[k]; c == '`' || c == '~' && s.dialect != Franklin {
			if next := s.takeFence(k); next > 0 {
				s.after = true
				return next
			}
		}
	}
	s.w.str(s.prefix)
	next := s.takeInline(k)
	// right behind a heading or a rule, indented lines are code too
	if n := runOf(s.s[k:end], '#'); n > 0 && n <= 6 && k+n < end && s.s[k+n] == ' ' || isRule(s.s[k:end]) {
		s.after = true
	}
	return next
}

// newline writes the line end at and goes to the line behind it.
func (s *shield) newline(at int) {
	if at < len(s.s) {
		s.w.line = s.in.line(at + 1)
		s.w.byte('\n')
	}
}

func (s *shield) indentedCode(i int) bool {
	if !s.after || s.dialect == MDX || s.html > 0 {
		return false
	}
	col, n := column(s.s[i:])
	if col < 4 {
		return false
	}
	if len(s.lists) > 0 && col < s.lists[len(s.lists)-1]+4 {
		return false
	}
	rest := s.s[i+n:]
	if strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "{%") {
		return false
	}
	return s.dialect != Franklin || s.indented || len(s.lists) == 0 && codeLike(s.s[i:])
}

// codeLike reports whether the indented lines s begins with are surely code.
// Franklin reads them as text unless it is told otherwise, but text that an
// author indents is rare, and code that is set as text cannot be read.
func codeLike(s string) bool {
	lines, code := 0, 0
	for l := range strings.Lines(s) {
		col, n := column(l)
		t := strings.TrimSpace(l[n:])
		if t == "" {
			break
		}
		if col < 4 || lines == 0 && (listMarker(t) > 0 || strings.IndexByte("@\\~<#|>!$", t[0]) >= 0) {
			return false
		}
		if strings.Contains(t, "](") {
			return false
		}
		lines++
		if strings.ContainsAny(t, "=;{}") || strings.Contains(t, "(") && !strings.Contains(t, " (") || t == "end" || strings.HasPrefix(t, "using ") {
			code++
		}
	}
	return code*2 > lines
}

func (s *shield) takeIndented(i int) int {
	need := 4
	if len(s.lists) > 0 {
		need += s.lists[len(s.lists)-1]
	}
	from, last := i, i
	var code, blank strings.Builder
	for i < len(s.s) {
		end := eol(s.s, i)
		if strings.TrimSpace(s.s[i:end]) != "" {
			col, n := column(s.s[i:])
			if col < need {
				break
			}
			last = end
			code.WriteString(blank.String() + strings.Repeat(" ", col-need) + s.s[i+n:end] + "\n")
			blank.Reset()
		} else {
			blank.WriteByte('\n')
		}
		i = min(end+1, len(s.s))
		if end == len(s.s) {
			break
		}
	}
	s.w.str(strings.Repeat(" ", need-4) + s.marks.put(mark{kind: markFence, b: code.String(), n: int(s.in.line(from)) - 1, src: s.s[from:last]}))
	s.newline(last)
	return min(last+1, len(s.s))
}

// takeFence takes the fenced code at k; 0: it is none.
func (s *shield) takeFence(k int) int {
	n := runOf(s.s[k:], s.s[k])
	if n < 3 {
		return 0
	}
	end := eol(s.s, k)
	info := strings.TrimSpace(s.s[k+n : end])
	if s.s[k] == '`' && strings.IndexByte(info, '`') >= 0 {
		return 0
	}
	indent := 0
	if s.quotes == 0 {
		for _, c := range s.prefix {
			if c == '\t' {
				indent += 4 - indent%4
			} else {
				indent++
			}
		}
	} else {
		t := s.prefix[strings.LastIndexByte(s.prefix, '>')+1:]
		indent = max(len(t)-1, 0)
	}
	exact := s.dialect == Franklin
	code, next, closed := s.fenceBody(end, s.s[k], n, indent, exact, false)
	if !closed && len(s.lists) > 0 {
		code, next, _ = s.fenceBody(end, s.s[k], n, indent, exact, true)
	} else if !closed && s.quotes == 0 {
		s.problem(s.in.line(k), "the code block that begins here has no end")
	}
	s.w.str(s.prefix)
	s.w.str(s.fence(info, code, int(s.in.line(k)), s.s[k:min(next, len(s.s))]))
	s.newline(next - 1)
	return min(next, len(s.s))
}

// fenceBody reads the lines of fenced code behind the line end at. next is
// behind the line that closes it. short stops where the list item does.
func (s *shield) fenceBody(at int, c byte, n, indent int, exact, short bool) (code string, next int, closed bool) {
	var b strings.Builder
	for i := at + 1; i < len(s.s); {
		end := eol(s.s, i)
		l := s.s[i:end]
		for q := 0; q < s.quotes; q++ {
			t := strings.TrimLeft(l, " ")
			if t == "" || t[0] != '>' {
				return b.String(), i, q > 0 || true
			}
			l = strings.TrimPrefix(t[1:], " ")
		}
		t := strings.TrimLeft(l, " \t")
		if strings.HasPrefix(t, strings.Repeat(string(c), n)) {
			if m := runOf(t, c); strings.TrimSpace(t[m:]) == "" && (!exact || m == n) {
				return b.String(), end + 1, true
			}
		}
		if short && t != "" && len(l)-len(t) < min(indent, 2) {
			return b.String(), i, false
		}
		col := 0
		for col < indent && l != "" && (l[0] == ' ' || l[0] == '\t') {
			if l[0] == '\t' {
				if col += 4 - col%4; col > indent {
					l = strings.Repeat(" ", col-indent) + l[1:]
					break
				}
			} else {
				col++
			}
			l = l[1:]
		}
		b.WriteString(l)
		b.WriteByte('\n')
		i = end + 1
	}
	return b.String(), len(s.s) + 1, false
}

// fence makes the mark of a block of code.
func (p *page) fence(info, code string, line int, src string) string {
	code = p.marks.restore(code)
	lang, evaluated := language(info, p)
	if evaluated {
		code = shown(code)
		if code == "" {
			return ""
		}
	}
	return p.marks.put(mark{kind: markFence, a: lang, b: code, n: line, src: src})
}

// language brings the many forms of a fence's info to the language's name.
// evaluated is true for code Franklin runs.
func language(info string, p *page) (lang string, evaluated bool) {
	if p.dialect == Franklin {
		switch {
		case info == "":
			return p.lang, false
		case info == "!" || strings.HasPrefix(info, "!"):
			return "julia", true
		case info == ">":
			return "julia-repl", false
		case info == "?":
			return "julia-repl", false
		case info == ";":
			return "bash", false
		case info == "]":
			return "julia-repl", false
		}
		first, _, _ := strings.Cut(info, " ")
		if l, name, ok := strings.Cut(first, ":"); ok && name != "" && l != "" {
			return strings.ToLower(l), true
		}
	}
	info = strings.TrimLeft(info, "{. \t")
	if i := strings.IndexAny(info, " \t,{}:;=!"); i >= 0 {
		if info[i] == '=' {
			return "", false
		}
		info = info[:i]
	}
	if info == "" || len(info) > 40 || strings.ContainsAny(info, "<>&\"'`\\[]()|$%") {
		return "", false
	}
	return info, false
}

// shown drops the lines of evaluated code its author hides.
func shown(code string) string {
	if !strings.Contains(code, "hide") {
		return code
	}
	var b strings.Builder
	for l := range strings.Lines(code) {
		t := strings.TrimSpace(l)
		if i := strings.LastIndexByte(t, '#'); i >= 0 {
			switch strings.ToLower(strings.ReplaceAll(t[i+1:], " ", "")) {
			case "hideall":
				return ""
			case "hide":
				continue
			}
		}
		b.WriteString(l)
	}
	return b.String()
}

// ownLine makes sure that what is written next begins a line.
func (s *shield) ownLine() {
	t := s.w.lineText()
	h := hollow(s.prefix)
	if strings.Trim(t, " \t>") == "" || len(t) <= len(s.prefix) {
		return
	}
	s.w.byte('\n')
	s.w.str(h)
}

// endLine ends the line if there is more text on it.
func (s *shield) endLine(i int) int {
	if strings.TrimSpace(s.s[i:eol(s.s, i)]) != "" {
		s.w.byte('\n')
		s.w.str(hollow(s.prefix))
		for i < len(s.s) && (s.s[i] == ' ' || s.s[i] == '\t') {
			i++
		}
	}
	return i
}

// takeInline takes text from i to the end of the line (or of what a construct
// on it encloses), and the line end.
func (s *shield) takeInline(i int) int {
	from := i
	flush := func() { s.w.copy(s.in, from, i) }
	put := func(text string, next int) {
		flush()
		s.w.str(text)
		s.w.line = s.in.line(min(next, len(s.s)))
		i, from = next, next
	}
	for i < len(s.s) {
		c := s.s[i]
		if special[c] == 0 {
			i++
			continue
		}
		if c == '\n' {
			flush()
			s.newline(i)
			return i + 1
		}
		if s.raw {
			if next, text, ok := s.inRaw(i); ok {
				put(text, next)
				continue
			}
		}
		switch c {
		case '\\':
			if i+1 >= len(s.s) {
				i++
				continue
			}
			if s.dialect == Franklin && s.s[i+1] == '\\' && !s.raw {
				put(s.marks.put(mark{kind: markBreak, src: `\\`}), i+2)
				continue
			}
			if !s.raw {
				if next, ok := s.bracketMath(i, flush); ok {
					i, from = next, next
					continue
				}
			}
			if s.s[i+1] == '\n' {
				i++
				continue
			}
			if isPunct(s.s[i+1]) {
				i += 2
				continue
			}
			i++
		case '`':
			n := runOf(s.s[i:], '`')
			if text, next, ok := s.codeSpan(i, n); ok {
				put(s.marks.put(mark{kind: markCode, a: text, src: s.s[i:next]}), next)
			} else {
				i += n
			}
		case '$':
			if next, ok := s.dollarMath(i, flush); ok {
				i, from = next, next
			} else {
				i += runOf(s.s[i:], '$')
			}
		case '<':
			if next, ok := s.angle(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case '{':
			if next, ok := s.brace(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case ']':
			line := eol(s.s, i)
			if i+1 < line && s.s[i+1] == '(' {
				if end := destination(s.s[i+1 : line]); end > 0 {
					i += 1 + end
					continue
				}
			}
			if i+1 < line && s.s[i+1] == ':' && s.s[s.content] == '[' && s.content+1 < len(s.s) && s.s[s.content+1] != '^' && strings.IndexByte(s.s[s.content:i], ']') < 0 {
				i = line
				continue
			}
			i++
		case ':':
			if strings.HasPrefix(s.s[i:], "://") {
				for i < len(s.s) && s.s[i] > ' ' && strings.IndexByte("<>\"`)}]|\\", s.s[i]) < 0 {
					i++
				}
				continue
			}
			i++
		case '~':
			if s.dialect == Franklin && strings.HasPrefix(s.s[i:], "~~~") {
				line := s.w.lineText()
				s.raw = strings.Contains(s.s[i+3:], "~~~")
				if s.raw && strings.TrimSpace(line) == "" && strings.TrimSpace(s.s[i+3:eol(s.s, i+3)]) == "" {
					put("", i+3) // a block of its own
					continue
				}
				put("", i+3)
				continue
			}
			i++
		default:
			i++
		}
	}
	flush()
	return i
}

var special = [256]byte{'\n': 1, '\\': 1, '`': 1, '$': 1, '<': 1, '{': 1, ']': 1, ':': 1, '~': 1, '*': 2, '_': 2, '[': 2, '#': 2}

// inRaw takes what means something to Markdown but not between ~~~.
func (s *shield) inRaw(i int) (next int, text string, ok bool) {
	switch s.s[i] {
	case '~':
		if strings.HasPrefix(s.s[i:], "~~~") {
			s.raw = false
			return i + 3, "", true
		}
	case '#':
		if i > 0 && s.s[i-1] == '&' {
			break
		}
		fallthrough
	case '*', '_', '`', '[', ']', '\\', '$':
		return i + 1, s.marks.put(mark{kind: markText, a: s.s[i : i+1], src: s.s[i : i+1]}), true
	}
	return 0, "", false
}

// destination gives the length of the (...) s begins with; 0: it is not closed,
// or there are more parentheses in one another than cmark takes.
func destination(s string) int {
	const deepest = 32
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			if depth++; depth > deepest {
				return 0
			}
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case '`':
			return 0
		}
	}
	return 0
}

// paragraphEnd gives where the paragraph that holds i ends: a blank line, or a
// line that begins another block.
func (s *shield) paragraphEnd(i int) int {
	for lines := 0; lines < 200; lines++ {
		end := eol(s.s, i)
		if end == len(s.s) {
			return end
		}
		next := s.s[end+1 : eol(s.s, end+1)]
		t := strings.TrimLeft(next, " \t>")
		if t == "" || strings.HasPrefix(t, "```") || t[0] == '#' || listMarker(t) > 0 || isRule(t) || t[0] == '|' {
			return end
		}
		i = end + 1
	}
	return i
}

// codeSpan reads the code span opened by n backticks at i.
func (s *shield) codeSpan(i, n int) (text string, next int, ok bool) {
	if end, failed := s.barren[n]; failed && i < end {
		return "", 0, false
	}
	stop := -1
	line := eol(s.s, i)
	for k := i + n; ; {
		q := strings.IndexByte(s.s[k:], '`')
		if q < 0 {
			stop = len(s.s)
			break
		}
		k += q
		if k > line && stop < 0 {
			stop = min(s.paragraphEnd(i), i+64<<10)
		}
		if stop >= 0 && k >= stop {
			break
		}
		m := runOf(s.s[k:], '`')
		if m == n {
			return s.spanText(s.s[i+n : k]), k + m, true
		}
		k += m
	}
	if s.barren == nil {
		s.barren = make(map[int]int)
	}
	s.barren[n] = stop
	return "", 0, false
}

func (s *shield) spanText(t string) string {
	if strings.Contains(t, "\n") {
		lines := strings.Split(t, "\n")
		for k, l := range lines {
			if k > 0 {
				l = strings.TrimLeft(l, " \t")
				for q := 0; q < s.quotes && strings.HasPrefix(l, ">"); q++ {
					l = strings.TrimLeft(l[1:], " \t")
				}
				lines[k] = l
			}
		}
		t = strings.Join(lines, " ")
	}
	t = s.marks.restore(t)
	if len(t) > 2 && t[0] == ' ' && t[len(t)-1] == ' ' && strings.TrimSpace(t) != "" {
		t = t[1 : len(t)-1]
	}
	return t
}

// angle takes what a < begins: a comment, an element whose inside is no
// Markdown, or a tag, which is copied whole.
func (s *shield) angle(i int, flush func()) (next int, ok bool) {
	rest := s.s[i:]
	if strings.HasPrefix(rest, "<!--") {
		n := strings.Index(rest, "-->")
		if n < 0 {
			flush()
			s.problem(s.in.line(i), "the comment that begins here has no end")
			s.w.str(s.marks.put(mark{kind: markText, a: "<!--", src: "<!--"}))
			return i + 4, true
		}
		flush()
		next = i + n + 3
		if word := strings.ToLower(strings.Trim(rest[4:n], " \t\n-")); word == "more" || word == "excerpt" || word == "end_excerpt" {
			s.w.str(s.marks.put(mark{kind: markMore, src: rest[:n+3]}))
		}
		s.w.line = s.in.line(min(next, len(s.s)))
		return next, true
	}
	t, n := tagAt(rest)
	if n == 0 {
		if end := strings.IndexByte(rest, '>'); end > 0 && end < 2000 && !strings.ContainsAny(rest[1:end], " \n<") && strings.ContainsAny(rest[:end], ":@") {
			flush()
			s.w.str(rest[:end+1])
			return i + end + 1, true
		}
		return 0, false
	}
	if t.closing {
		flush()
		s.w.copy(s.in, i, i+n)
		if blockTag[t.name] && s.html > 0 {
			s.html--
		}
		return i + n, true
	}
	switch t.name {
	case "script", "style", "svg":
		if end := closeTag(rest[n:], t.name); end > 0 && !t.empty {
			n += end
		}
		flush()
		s.w.line = s.in.line(min(i+n, len(s.s)))
		return i + n, true
	case "pre":
		end := closeTag(rest[n:], t.name)
		if end < 0 {
			break
		}
		inside := rest[n : n+end]
		inside = inside[:strings.LastIndexByte(inside, '<')]
		lang, code := preText(t, inside)
		flush()
		s.ownLine()
		s.w.str(s.marks.put(mark{kind: markFence, a: lang, b: code, n: int(s.in.line(i)), src: rest[:n+end]}))
		s.w.line = s.in.line(min(i+n+end, len(s.s)))
		return s.endLine(i + n + end), true
	case "code", "tt", "samp", "var":
		if t.name == "var" {
			break
		}
		end := closeTag(rest[n:], t.name)
		if end < 0 || end > 4000 {
			break
		}
		inside := rest[n : n+end]
		inside = inside[:strings.LastIndexByte(inside, '<')]
		if strings.Contains(inside, "<a ") || strings.Contains(inside, "\n\n") || strings.Contains(inside, "<br") {
			break
		}
		flush()
		text := strings.Join(strings.Fields(html.UnescapeString(stripTags(inside))), " ")
		s.w.str(s.marks.put(mark{kind: markCode, a: Clean(text), src: rest[:n+end]}))
		s.w.line = s.in.line(min(i+n+end, len(s.s)))
		return i + n + end, true
	}
	if blockTag[t.name] && !t.empty && t.name != "p" && t.name != "hr" {
		s.html++
	}
	flush()
	s.w.copy(s.in, i, i+n)
	return i + n, true
}

// preText gives the language and the text of the inside of a pre element.
func preText(t tag, inside string) (lang, code string) {
	lang = languageOf(t)
	inside = strings.TrimPrefix(inside, "\n")
	if c, n := tagAt(strings.TrimLeft(inside, " \t\n")); n > 0 && c.name == "code" && lang == "" {
		lang = languageOf(c)
	}
	code = Clean(html.UnescapeString(stripTags(inside)))
	return lang, strings.TrimRight(code, " \t\n") + "\n"
}

func languageOf(t tag) string {
	for _, k := range []string{"data-lang", "data-language", "lang"} {
		if v := t.attr(k); v != "" {
			lang, _ := language(v, &page{})
			return lang
		}
	}
	for _, c := range strings.Fields(t.attr("class")) {
		for _, p := range []string{"language-", "lang-", "brush:"} {
			if l, ok := strings.CutPrefix(c, p); ok {
				l, _ = language(l, &page{})
				return l
			}
		}
	}
	return ""
}

// brace takes what a { begins and holds no Markdown: template tags are copied
// whole; code and raw blocks of templates become marks.
func (s *shield) brace(i int, flush func()) (next int, ok bool) {
	rest := s.s[i:]
	if strings.HasPrefix(rest, "{/*") && s.dialect == MDX {
		end := strings.Index(rest, "*/}")
		if end < 0 {
			return 0, false
		}
		flush()
		s.w.line = s.in.line(min(i+end+3, len(s.s)))
		return i + end + 3, true
	}
	sc, n := shortcodeAt(rest)
	if n == 0 {
		return 0, false
	}
	flush()
	switch {
	case sc.form == literal:
		s.w.str(s.marks.put(mark{kind: markText, a: sc.text, src: rest[:n]}))
	case sc.form == liquidTag && sc.name == "raw" || sc.form == liquidTag && sc.name == "verbatim":
		if body, m := bodyOf(rest[n:], sc); m > 0 {
			body = strings.NewReplacer(
				"{{", s.marks.put(mark{kind: markText, a: "{{", src: "{{"}),
				"{%", s.marks.put(mark{kind: markText, a: "{%", src: "{%"})).Replace(body)
			sub := plainSheet(body, 0)
			for k, at := range sub.start {
				sub.lines[k] = s.in.line(i+n) + int32(strings.Count(body[:at], "\n"))
			}
			if s.deep < 4 {
				s.deep++
				sub = s.page.shield(sub)
				s.deep--
			}
			s.w.line = s.in.line(i + n)
			s.w.copy(sub, 0, len(sub.s))
			n += m
		}
	case sc.code():
		if body, m := bodyOf(rest[n:], sc); m > 0 {
			lang := sc.arg(0, "lang", "language")
			lang, _ = language(lang, s.page)
			s.ownLine()
			body = strings.Trim(body, "\n")
			if s.dialect == Hugo && sc.form == hugoTag && strings.HasPrefix(body, "```") {
				break
			}
			s.w.str(s.marks.put(mark{kind: markFence, a: lang, b: strings.TrimRight(body, " \t\n") + "\n", n: int(s.in.line(i)), src: rest[:n+m]}))
			s.w.line = s.in.line(min(i+n+m, len(s.s)))
			return s.endLine(i + n + m), true
		}
	default:
		if s.dialect == Franklin && sc.form != liquidValue {
			s.w.str("{")
			return i + 1, true
		}
		s.w.copy(s.in, i, i+n)
	}
	s.w.line = s.in.line(min(i+n, len(s.s)))
	return i + n, true
}
