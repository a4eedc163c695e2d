package markdown

import "strings"

// isIndentedCode reports whether the line at i begins a block of indented
// code.
func (pr *protector) isIndentedCode(i int) bool {
	if !pr.afterBlank || pr.dialect == MDX || pr.openBlocks > 0 {
		return false
	}
	column, n := indentation(pr.src[i:])
	if column < pr.codeColumn() {
		return false
	}
	text := pr.src[i+n:]
	if strings.HasPrefix(text, "{{") || strings.HasPrefix(text, "{%") {
		return false
	}
	return pr.dialect != Franklin || pr.indentIsCode || len(pr.lists) == 0 && looksLikeCode(pr.src[i:])
}

// codeColumn is the column from which on indented lines are code.
func (pr *protector) codeColumn() int {
	if n := len(pr.lists); n > 0 {
		return pr.lists[n-1] + 4
	}
	return 4
}

// looksLikeCode reports whether the indented lines s begins with are surely
// code. Franklin reads them as text unless it is told otherwise, but text that
// an author indents is rare, and code that is set as text cannot be read.
func looksLikeCode(s string) bool {
	lines, code := 0, 0
	for l := range strings.Lines(s) {
		column, n := indentation(l)
		t := strings.TrimSpace(l[n:])
		if t == "" {
			break
		}
		if column < 4 || strings.Contains(t, "](") ||
			lines == 0 && (listMarker(t) > 0 || strings.IndexByte("@\\~<#|>!$", t[0]) >= 0) {
			return false
		}
		lines++
		if strings.ContainsAny(t, "=;{}") || strings.Contains(t, "(") && !strings.Contains(t, " (") ||
			t == "end" || strings.HasPrefix(t, "using ") {
			code++
		}
	}
	return code*2 > lines
}

// takeIndentedCode takes the indented code at i, blank lines within it too,
// and returns where to go on.
func (pr *protector) takeIndentedCode(i int) int {
	need := pr.codeColumn()
	from, last := i, i
	var code, blank strings.Builder
	for i < len(pr.src) {
		end := eol(pr.src, i)
		if strings.TrimSpace(pr.src[i:end]) == "" {
			blank.WriteByte('\n')
		} else {
			column, n := indentation(pr.src[i:])
			if column < need {
				break
			}
			last = end
			code.WriteString(blank.String() + strings.Repeat(" ", column-need) + pr.src[i+n:end] + "\n")
			blank.Reset()
		}
		i = end + 1
	}
	line := int(pr.In.Line(from)) - 1 // of the fence it will get
	pr.Write(strings.Repeat(" ", need-4) +
		pr.stash.put(placeholder{kind: phFence, text: code.String(), n: line, src: pr.src[from:last]}))
	pr.newline(last)
	return min(last+1, len(pr.src))
}

// takeFence takes the fenced code at k and returns where to go on; 0: there is
// none. A fence without an end takes all that follows, but in a list item only
// the item.
func (pr *protector) takeFence(k int) int {
	end := eol(pr.src, k)
	n := opensFence(pr.src[k:end])
	if n == 0 {
		return 0
	}
	info := strings.TrimSpace(pr.src[k+n : end])
	f := fence{char: pr.src[k], n: n, exact: pr.dialect == Franklin}
	if i := strings.LastIndexByte(pr.prefix, '>'); i >= 0 {
		f.indent = max(len(pr.prefix)-i-2, 0)
	} else {
		for _, c := range pr.prefix {
			if c == '\t' {
				f.indent += 4 - f.indent%4
			} else {
				f.indent++
			}
		}
	}
	code, next, closed := pr.fenceBody(f, end+1)
	if !closed && len(pr.lists) > 0 {
		f.inItem = true
		code, next, _ = pr.fenceBody(f, end+1)
	} else if !closed && pr.quotes == 0 {
		pr.problem(pr.In.Line(k), "the code block that begins here has no end")
	}
	pr.Write(pr.prefix)
	pr.Write(pr.fencePlaceholder(info, code, int(pr.In.Line(k)), pr.src[k:min(next, len(pr.src))]))
	pr.newline(next - 1)
	return min(next, len(pr.src))
}

// fence is the opening line of fenced code.
type fence struct {
	char   byte
	n      int
	indent int  // columns to take from the lines of the code
	exact  bool // only as many characters as open it close it
	inItem bool // it ends with its list item
}

// fenceBody reads the lines of fenced code from i on. next is behind the line
// that closes it. Code in a quote ends with the quote.
func (pr *protector) fenceBody(f fence, i int) (code string, next int, closed bool) {
	var b strings.Builder
	for i < len(pr.src) {
		end := eol(pr.src, i)
		line := pr.src[i:end]
		for range pr.quotes {
			t := strings.TrimLeft(line, " ")
			if t == "" || t[0] != '>' {
				return b.String(), i, true
			}
			line = strings.TrimPrefix(t[1:], " ")
		}
		t := strings.TrimLeft(line, " \t")
		if m := closesFence(t, f.char); m >= f.n && (!f.exact || m == f.n) {
			return b.String(), end + 1, true
		}
		if f.inItem && t != "" && len(line)-len(t) < min(f.indent, 2) {
			return b.String(), i, false
		}
		b.WriteString(dedentTo(line, f.indent))
		b.WriteByte('\n')
		i = end + 1
	}
	return b.String(), len(pr.src) + 1, false
}

// dedentTo takes up to n columns of blanks from the beginning of a line; of a
// tab that goes beyond, the rest stays as blanks.
func dedentTo(line string, n int) string {
	for column := 0; column < n && line != ""; line = line[1:] {
		switch line[0] {
		case ' ':
			column++
		case '\t':
			if column += 4 - column%4; column > n {
				return strings.Repeat(" ", column-n) + line[1:]
			}
		default:
			return line
		}
	}
	return line
}

// fencePlaceholder returns the placeholder of a block of code; "" for one that
// Franklin evaluates and its author hides.
func (p *page) fencePlaceholder(info, code string, line int, src string) string {
	code = p.stash.restore(code)
	lang, evaluated := p.languageOfInfo(info)
	if evaluated {
		if code = visibleCode(code); code == "" {
			return ""
		}
	}
	return p.stash.put(placeholder{kind: phFence, name: lang, text: code, n: line, src: src})
}

// languageOfInfo returns the language a fence's info names. evaluated reports
// that Franklin runs the code.
func (p *page) languageOfInfo(info string) (lang string, evaluated bool) {
	if p.dialect == Franklin {
		switch {
		case info == "":
			return p.fenceLang, false
		case strings.HasPrefix(info, "!"):
			return "julia", true
		case info == ">" || info == "?" || info == "]":
			return "julia-repl", false
		case info == ";":
			return "bash", false
		}
		first, _, _ := strings.Cut(info, " ")
		if l, name, ok := strings.Cut(first, ":"); ok && name != "" && l != "" {
			return strings.ToLower(l), true
		}
	}
	return languageName(info), false
}

// languageName takes the name of a language out of what stands behind a fence,
// {.julia .numberLines} or js{1,3-5} or rust,ignore; "" if there is none.
func languageName(info string) string {
	info = strings.TrimLeft(info, "{. \t")
	if i := strings.IndexAny(info, " \t,{}:;=!"); i >= 0 {
		if info[i] == '=' {
			return ""
		}
		info = info[:i]
	}
	if len(info) > 40 || strings.ContainsAny(info, "<>&\"'`\\[]()|$%") {
		return ""
	}
	return info
}

// visibleCode drops the lines of evaluated code its author hides with # hide
// and # hideall.
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
