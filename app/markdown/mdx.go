package markdown

import "strings"

// mdxPass drops what is JavaScript: import and export statements, and the
// expressions in braces; a string in braces shows.
func (p *page) mdxPass(in mappedText) mappedText {
	w := newMappedWriter(in)
	s := in.text
	from := 0
	for i := 0; i < len(s); {
		if i == 0 || s[i-1] == '\n' {
			if n := moduleStatement(s[i:]); n > 0 {
				w.copyRange(in, from, i)
				i += n
				from = i
				w.line = in.sourceLine(i)
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
			if n := bracedLen(s[i:]); n > 0 && !strings.HasPrefix(s[i:], "{{") {
				w.copyRange(in, from, i)
				w.write(p.expressionText(s[i+1 : i+n-1]))
				i += n
				from = i
				w.line = in.sourceLine(i)
				continue
			}
		}
		i++
	}
	w.copyRange(in, from, len(s))
	return w.text()
}

// moduleStatement gives the length of the import or export s begins with, with the
// lines that continue it.
func moduleStatement(s string) int {
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

// bracedLen gives the length of the {...} s begins with; 0: it does not end nearby.
func bracedLen(s string) int {
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

// expressionText gives what a JSX expression shows when it is a plain string.
func (p *page) expressionText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		if t := s[1 : len(s)-1]; strings.TrimSpace(t) == "" {
			return t
		} else {
			return p.stash.put(placeholder{kind: phText, text: t})
		}
	}
	if m, ok := p.stash.at(s); ok && len(s) == placeholderLen && m.kind == phCode {
		return p.stash.put(placeholder{kind: phText, text: m.text})
	}
	return ""
}
