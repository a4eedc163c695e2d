package markdown

import (
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
