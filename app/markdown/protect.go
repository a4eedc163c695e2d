package markdown

import (
	"strings"
)

// protector puts a placeholder where there is anything no later pass may look into:
// code, comments, math, raw text. What it copies is left as typed.
type protector struct {
	*page
	in      mappedText
	w       *mappedWriter
	src     string
	rawHTML bool // between Franklin's ~~~

	prefix       string // containers of the current line, as typed
	textStart    int    // where the line's own text begins
	quotes       int
	lists        []int // columns where the text of the open list items begins
	openBlocks   int   // open block elements
	afterBlank   bool  // the line before was blank
	noSpanBefore map[int]int
}

func (p *page) protect(in mappedText) mappedText {
	s := &protector{page: p, in: in, src: in.text, w: newMappedWriter(in), afterBlank: true}
	for i := 0; i < len(s.src); {
		i = s.takeLine(i)
	}
	return s.w.text()
}

// indentation gives the width of blanks and tabs at the start of s, and their length.
func indentation(s string) (col, n int) {
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

// readContainers finds where the text of the line at i begins, behind quotes and
// list markers, and keeps the open lists.
func (pr *protector) readContainers(i int) {
	k := i
	col, base := 0, 0
	pr.quotes = 0
	for {
		c, n := indentation(pr.src[k:])
		col = base + c
		k += n
		if k >= len(pr.src) || pr.src[k] == '\n' {
			break
		}
		if pr.src[k] == '>' {
			pr.quotes++
			k++
			if k < len(pr.src) && pr.src[k] == ' ' {
				k++
			}
			base = 0
			if pr.quotes > 64 {
				break
			}
			continue
		}
		n = listMarker(pr.src[k:])
		if n == 0 || isRule(pr.src[k:eol(pr.src, k)]) {
			break
		}
		for len(pr.lists) > 0 && col < pr.lists[len(pr.lists)-1] {
			pr.lists = pr.lists[:len(pr.lists)-1]
		}
		k += n
		gap, gn := indentation(pr.src[k:])
		if gap > 4 {
			gap, gn = 1, 1
		}
		if gn == 0 {
			gap = 1
		}
		if len(pr.lists) < 64 {
			pr.lists = append(pr.lists, col+n+gap)
		}
		base = col + n + gap
		k += gn
		if k >= len(pr.src) || pr.src[k] == '\n' || len(pr.lists) >= 64 {
			break
		}
	}
	if k < len(pr.src) && pr.src[k] != '\n' && pr.afterBlank && pr.quotes == 0 { // a column within a quote tells nothing of the lists around it
		for len(pr.lists) > 0 && col < pr.lists[len(pr.lists)-1] && col < 2 {
			pr.lists = pr.lists[:len(pr.lists)-1]
		}
	}
	pr.textStart = k
	pr.prefix = pr.src[i:k]
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

// blankPrefix turns a prefix into what the following lines of its containers begin with.
func blankPrefix(prefix string) string {
	b := []byte(prefix)
	for i, c := range b {
		if c != '>' && c != ' ' && c != '\t' {
			b[i] = ' '
		}
	}
	return string(b)
}

func (pr *protector) takeLine(i int) int {
	end := eol(pr.src, i)
	if strings.TrimSpace(pr.src[i:end]) == "" {
		pr.newline(end)
		pr.afterBlank = true
		pr.noSpanBefore = nil
		return min(end+1, len(pr.src))
	}
	if !pr.rawHTML && pr.indentedCode(i) {
		return pr.takeIndented(i)
	}
	pr.readContainers(i)
	pr.afterBlank = false
	k := pr.textStart
	if !pr.rawHTML && k < end {
		if c := pr.src[k]; c == '`' || c == '~' && pr.dialect != Franklin {
			if next := pr.takeFence(k); next > 0 {
				pr.afterBlank = true
				return next
			}
		}
	}
	pr.w.write(pr.prefix)
	next := pr.takeInline(k)
	// right behind a heading or a rule, indented lines are code too
	if n := runOf(pr.src[k:end], '#'); n > 0 && n <= 6 && k+n < end && pr.src[k+n] == ' ' || isRule(pr.src[k:end]) {
		pr.afterBlank = true
	}
	return next
}

// newline writes the line end at and goes to the line behind it.
func (pr *protector) newline(at int) {
	if at < len(pr.src) {
		pr.w.line = pr.in.sourceLine(at + 1)
		pr.w.writeByte('\n')
	}
}

func (pr *protector) indentedCode(i int) bool {
	if !pr.afterBlank || pr.dialect == MDX || pr.openBlocks > 0 {
		return false
	}
	col, n := indentation(pr.src[i:])
	if col < 4 {
		return false
	}
	if len(pr.lists) > 0 && col < pr.lists[len(pr.lists)-1]+4 {
		return false
	}
	rest := pr.src[i+n:]
	if strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "{%") {
		return false
	}
	return pr.dialect != Franklin || pr.indentIsCode || len(pr.lists) == 0 && codeLike(pr.src[i:])
}

// codeLike reports whether the indented lines s begins with are surely code.
// Franklin reads them as text unless it is told otherwise, but text that an
// author indents is rare, and code that is set as text cannot be read.
func codeLike(s string) bool {
	lines, code := 0, 0
	for l := range strings.Lines(s) {
		col, n := indentation(l)
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

func (pr *protector) takeIndented(i int) int {
	need := 4
	if len(pr.lists) > 0 {
		need += pr.lists[len(pr.lists)-1]
	}
	from, last := i, i
	var code, blank strings.Builder
	for i < len(pr.src) {
		end := eol(pr.src, i)
		if strings.TrimSpace(pr.src[i:end]) != "" {
			col, n := indentation(pr.src[i:])
			if col < need {
				break
			}
			last = end
			code.WriteString(blank.String() + strings.Repeat(" ", col-need) + pr.src[i+n:end] + "\n")
			blank.Reset()
		} else {
			blank.WriteByte('\n')
		}
		i = min(end+1, len(pr.src))
		if end == len(pr.src) {
			break
		}
	}
	pr.w.write(strings.Repeat(" ", need-4) + pr.stash.put(placeholder{kind: phFence, text: code.String(), n: int(pr.in.sourceLine(from)) - 1, src: pr.src[from:last]}))
	pr.newline(last)
	return min(last+1, len(pr.src))
}

// takeFence takes the fenced code at k; 0: it is none.
func (pr *protector) takeFence(k int) int {
	n := runOf(pr.src[k:], pr.src[k])
	if n < 3 {
		return 0
	}
	end := eol(pr.src, k)
	info := strings.TrimSpace(pr.src[k+n : end])
	if pr.src[k] == '`' && strings.IndexByte(info, '`') >= 0 {
		return 0
	}
	indent := 0
	if pr.quotes == 0 {
		for _, c := range pr.prefix {
			if c == '\t' {
				indent += 4 - indent%4
			} else {
				indent++
			}
		}
	} else {
		t := pr.prefix[strings.LastIndexByte(pr.prefix, '>')+1:]
		indent = max(len(t)-1, 0)
	}
	exact := pr.dialect == Franklin
	code, next, closed := pr.fenceBody(end, pr.src[k], n, indent, exact, false)
	if !closed && len(pr.lists) > 0 {
		code, next, _ = pr.fenceBody(end, pr.src[k], n, indent, exact, true)
	} else if !closed && pr.quotes == 0 {
		pr.problem(pr.in.sourceLine(k), "the code block that begins here has no end")
	}
	pr.w.write(pr.prefix)
	pr.w.write(pr.fencePlaceholder(info, code, int(pr.in.sourceLine(k)), pr.src[k:min(next, len(pr.src))]))
	pr.newline(next - 1)
	return min(next, len(pr.src))
}

// fenceBody reads the lines of fenced code behind the line end at. next is
// behind the line that closes it. short stops where the list item does.
func (pr *protector) fenceBody(at int, c byte, n, indent int, exact, short bool) (code string, next int, closed bool) {
	var b strings.Builder
	for i := at + 1; i < len(pr.src); {
		end := eol(pr.src, i)
		l := pr.src[i:end]
		for q := 0; q < pr.quotes; q++ {
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
	return b.String(), len(pr.src) + 1, false
}

// fencePlaceholder makes the placeholder of a block of code.
func (p *page) fencePlaceholder(info, code string, line int, src string) string {
	code = p.stash.restore(code)
	lang, evaluated := languageOfInfo(info, p)
	if evaluated {
		code = visibleCode(code)
		if code == "" {
			return ""
		}
	}
	return p.stash.put(placeholder{kind: phFence, name: lang, text: code, n: line, src: src})
}

// languageOfInfo brings the many forms of a fence's info to the language's name.
// evaluated is true for code Franklin runs.
func languageOfInfo(info string, p *page) (lang string, evaluated bool) {
	if p.dialect == Franklin {
		switch {
		case info == "":
			return p.fenceLang, false
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

// visibleCode drops the lines of evaluated code its author hides.
func visibleCode(code string) string {
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
func (pr *protector) ownLine() {
	t := pr.w.currentLine()
	h := blankPrefix(pr.prefix)
	if strings.Trim(t, " \t>") == "" || len(t) <= len(pr.prefix) {
		return
	}
	pr.w.writeByte('\n')
	pr.w.write(h)
}

// endLine ends the line if there is more text on it.
func (pr *protector) endLine(i int) int {
	if strings.TrimSpace(pr.src[i:eol(pr.src, i)]) != "" {
		pr.w.writeByte('\n')
		pr.w.write(blankPrefix(pr.prefix))
		for i < len(pr.src) && (pr.src[i] == ' ' || pr.src[i] == '\t') {
			i++
		}
	}
	return i
}
