package markdown

import "strings"

// mdxPass drops what is JavaScript: import and export statements, and the
// expressions in braces; a string in braces shows.
func (p *page) mdxPass(in sheet) sheet {
	w := newPen(in)
	s := in.s
	from := 0
	for i := 0; i < len(s); {
		if i == 0 || s[i-1] == '\n' {
			if n := statement(s[i:]); n > 0 {
				w.copy(in, from, i)
				i += n
				from = i
				w.line = in.line(min(i, len(s)))
				continue
			}
		}
		switch s[i] {
		case '\\':
			i += 2
			continue
		case '<':
			if _, n := tagAt(s[i:]); n > 0 {
				i += n
				continue
			}
		case '{':
			if n := balanced(s[i:]); n > 0 && !strings.HasPrefix(s[i:], "{{") {
				w.copy(in, from, i)
				w.str(p.expression(s[i+1 : i+n-1]))
				i += n
				from = i
				w.line = in.line(min(i, len(s)))
				continue
			}
		}
		i++
	}
	w.copy(in, from, len(s))
	return w.sheet()
}

// statement gives the length of the import or export s begins with, with the
// lines that continue it.
func statement(s string) int {
	line := lineAt(s, 0)
	switch {
	case strings.HasPrefix(line, "import ") && (strings.ContainsAny(line, "'\"{") || strings.Contains(line, " from")):
	case strings.HasPrefix(line, "export ") && (strings.Contains(line, "=") || strings.Contains(line, "{") || strings.Contains(line, " function ") || strings.Contains(line, " default ") || strings.HasSuffix(line, " const")):
	default:
		return 0
	}
	depth, n := 0, 0
	for n < len(s) {
		line = lineAt(s, n)
		if strings.TrimSpace(line) == "" && depth <= 0 {
			break
		}
		if n > 0 && depth <= 0 && !strings.HasPrefix(line, "import ") && !strings.HasPrefix(line, "export ") && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, ".") {
			break
		}
		for i := range len(line) {
			switch line[i] {
			case '{', '(', '[':
				depth++
			case '}', ')', ']':
				depth--
			}
		}
		n = min(n+len(line)+1, len(s))
		if n > 16<<10 {
			break
		}
	}
	return n
}

// balanced gives the length of the {...} s begins with; 0: it does not end nearby.
func balanced(s string) int {
	depth := 0
	for i := 0; i < len(s) && i < 4000; i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// expression gives what a JSX expression shows when it is a plain string.
func (p *page) expression(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		if t := s[1 : len(s)-1]; strings.TrimSpace(t) == "" {
			return t
		} else {
			return p.marks.put(mark{kind: markText, a: t})
		}
	}
	if m, ok := p.marks.at(s); ok && len(s) == markLen && m.kind == markCode {
		return p.marks.put(mark{kind: markText, a: m.a})
	}
	return ""
}
