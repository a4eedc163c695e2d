package markdown

import (
	"strings"
	"unicode/utf8"
)

// Read takes a source apart without parsing its Markdown, in one cheap pass.
// The result's Body may share src, which must not be changed.
func Read(src []byte, o Options) *Source {
	s := normalizeNewlines(string(src))
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	d := resolveDialect(s, o)
	out := &Source{Dialect: d, BodyLine: 1}
	cut := 0
	var defs []defSpan
	if d == Franklin {
		out.Front, defs = juliaFront(s)
	} else {
		out.Front, cut, out.Problems = splitFront(s)
		out.BodyLine += strings.Count(s[:cut], "\n")
	}
	body := s[cut:]
	if s == string(src) {
		out.Body = src[cut:]
	} else {
		out.Body = []byte(body)
	}
	out.Heading, out.Words, out.Wide = skim(body, defs, d)
	return out
}

// splitFront finds YAML, TOML or JSON at the beginning of a source whose lines
// end in \n, and where the body begins behind it. Blank lines may stand above
// it. Fences around a text that assigns nothing are two rules, and no front
// matter; a front matter without its end is a problem.
func splitFront(s string) (f Front, body int, problems []Problem) {
	start, line := 0, 1
	for start < len(s) {
		end := strings.IndexByte(s[start:], '\n')
		if end < 0 || strings.TrimSpace(s[start:start+end]) != "" {
			break
		}
		start += end + 1
		line++
	}
	first, rest, ok := strings.Cut(s[start:], "\n")
	first = strings.TrimRight(first, " \t")
	if first == "{" || strings.HasPrefix(first, "{\"") || first == "{}" {
		if end := jsonEnd(s[start:]); end > 0 {
			f = Front{Kind: JSON, Text: s[start : start+end], Line: line}
			after := start + end
			if nl := strings.IndexByte(s[after:], '\n'); nl >= 0 {
				return f, after + nl + 1, nil
			}
			return f, len(s), nil
		}
		if strings.HasPrefix(strings.TrimLeft(s[start+1:], " \t\n"), "\"") {
			problems = []Problem{{Line: line, Text: "front matter: the closing } is missing"}}
		}
		return Front{}, 0, problems
	}
	if !ok || first != "---" && first != "+++" {
		return Front{}, 0, nil
	}
	kind, from := YAML, start+len(s[start:])-len(rest)
	if first == "+++" {
		kind = TOML
	}
	for at := from; at <= len(s); {
		text := s[at:]
		nl := strings.IndexByte(text, '\n')
		if nl >= 0 {
			text = text[:nl]
		}
		next := at + len(text) + 1
		if text == "" || text[0] != first[0] && text[0] != '.' {
			at = next
			continue
		}
		if t := strings.TrimRight(text, " \t"); t == first || kind == YAML && t == "..." {
			block := s[from:at]
			if !assigns(block, kind) && strings.TrimSpace(block) != "" {
				return Front{}, 0, nil // a rule, not a front matter
			}
			return Front{Kind: kind, Text: block, Line: line + 1}, min(next, len(s)), nil
		}
		at = next
	}
	if top, _, _ := strings.Cut(strings.TrimLeft(rest, "\n"), "\n"); assigns(top, kind) {
		problems = []Problem{{Line: line, Text: "front matter: the closing " + first + " is missing"}}
	}
	return Front{}, 0, problems
}

// assigns reports whether a line of the block gives something a value or is a
// comment.
func assigns(block string, kind FrontKind) bool {
	sep := ":"
	if kind == TOML {
		sep = "="
	}
	for l := range strings.Lines(block) {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "#") || kind == TOML && strings.HasPrefix(l, "[") {
			return true
		}
		name, _, ok := strings.Cut(l, sep)
		if !ok || name == "" {
			continue
		}
		if !strings.ContainsAny(strings.Trim(strings.TrimSpace(name), `"'`), " \t*<") {
			return true
		}
	}
	return false
}

// jsonEnd returns the end of the object that s begins with, 0 if there is none.
func jsonEnd(s string) int {
	if t := strings.TrimLeft(s[1:], " \t\n"); t == "" || t[0] != '"' && t[0] != '}' {
		return 0
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		}
	}
	return 0
}

// BodyStart returns the offset in src at which the text begins behind a front
// matter, or behind the definitions that a page of Franklin's begins with.
func BodyStart(src []byte, o Options) int {
	s := Read(src, o)
	line := s.BodyLine
	if s.Front.Kind == Julia {
		line = definitionsEnd(src, s.Front.Defs)
	}
	return lineStart(src, line)
}

// definitionsEnd returns the line behind the definitions at the top of a page,
// from 1.
func definitionsEnd(src []byte, defs []Def) int {
	lines := strings.Split(normalizeNewlines(string(src)), "\n")
	at := map[int]Def{}
	for _, d := range defs {
		at[d.Line] = d
	}
	end, block := 1, false
	for n := 1; n <= len(lines); n++ {
		text := strings.TrimSpace(lines[n-1])
		d, defines := at[n]
		switch {
		case defines, strings.HasPrefix(text, "@def "):
			n += strings.Count(d.Source, "\n")
			end = n + 1
		case text == "+++":
			block = !block
			end = n + 1
		case block:
		case text != "":
			return end
		}
	}
	return end
}

// lineStart returns the offset of a line, from 1, whatever its line ends are.
func lineStart(src []byte, line int) int {
	for i := 0; i < len(src); i++ {
		if line <= 1 {
			return i
		}
		switch src[i] {
		case '\r':
			if i+1 < len(src) && src[i+1] == '\n' {
				continue
			}
			line--
		case '\n':
			line--
		}
	}
	return len(src)
}
