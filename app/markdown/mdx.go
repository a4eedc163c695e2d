package markdown

import (
	"strings"

	"sheaf/app/markup"
	"sheaf/app/srcmap"
)

const (
	maxStatement  = 16 << 10 // bytes of an import or export
	maxExpression = 4000     // bytes of an expression in braces
)

// mdxPass drops what is JavaScript: import and export statements, and the
// expressions in braces; a string in braces shows.
func (p *page) mdxPass(in srcmap.Text) srcmap.Text {
	r := srcmap.NewRewriter(in)
	s := in.Text
	for i := 0; i < len(s); {
		if i == 0 || s[i-1] == '\n' {
			if n := moduleStatement(s[i:]); n > 0 {
				i = r.Replace(i, i+n, "")
				continue
			}
		}
		switch s[i] {
		case '\\':
			i++
		case '<':
			if _, n := markup.TagAt(s[i:]); n > 0 {
				i += n
				continue
			}
		case '{':
			if n := bracedLen(s[i:]); n > 0 && !strings.HasPrefix(s[i:], "{{") {
				i = r.Replace(i, i+n, p.expressionText(s[i+1:i+n-1]))
				continue
			}
		}
		i++
	}
	return r.Finish()
}

// moduleStatement returns the length of the import or export s begins with,
// and of the lines that continue it: up to a blank line, or to one that begins
// something else once all brackets are closed. It is 0 for prose.
func moduleStatement(s string) int {
	if !isModuleStatement(lineAt(s, 0)) {
		return 0
	}
	depth, n := 0, 0
	for n < len(s) && n <= maxStatement {
		line := lineAt(s, n)
		if depth <= 0 && n > 0 && !continuesStatement(line) {
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
	}
	return n
}

// isModuleStatement reports whether a line begins a statement, and not a
// sentence that begins with the same word.
func isModuleStatement(line string) bool {
	if strings.HasPrefix(line, "import ") {
		return strings.ContainsAny(line, "'\"{") || strings.Contains(line, " from")
	}
	return strings.HasPrefix(line, "export ") &&
		(strings.ContainsAny(line, "={") || strings.Contains(line, " function ") ||
			strings.Contains(line, " default ") || strings.HasSuffix(line, " const"))
}

// continuesStatement reports whether a line belongs to the statements above
// it although no bracket is open.
func continuesStatement(line string) bool {
	if strings.TrimSpace(line) == "" {
		return false
	}
	for _, begin := range []string{"import ", "export ", " ", "\t", "."} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// bracedLen returns the length of the {...} s begins with; 0: it does not end
// nearby.
func bracedLen(s string) int {
	depth := 0
	for i := 0; i < len(s) && i < maxExpression; i++ {
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

// expressionText returns what a JSX expression shows when it is a plain
// string; "" for any other.
func (p *page) expressionText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		text := s[1 : len(s)-1]
		if strings.TrimSpace(text) == "" {
			return text
		}
		return p.stash.put(placeholder{kind: phText, text: text})
	}
	if m, ok := p.stash.at(s); ok && len(s) == placeholderLen && m.kind == phCode { // a template literal
		return p.stash.put(placeholder{kind: phText, text: m.text})
	}
	return ""
}
