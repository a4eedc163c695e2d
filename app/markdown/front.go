package markdown

import (
	"html"
	"strings"
	"unicode"
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

// resolveDialect gives the dialect of a source: the one asked for, else the one its
// own marks name, else its site's.
func resolveDialect(s string, o Options) Dialect {
	if o.Dialect != Auto {
		return o.Dialect
	}
	site := Auto
	if o.Site != nil {
		site = o.Site.dialect
	}
	if d := detect(s, o.Path, site); d != Auto {
		return d
	}
	if site != Auto && site != Plain {
		return site
	}
	return Plain
}

// detect names the dialect whose marks are in the source. It reads the front
// matter and the beginning only, and says Auto rather than guess.
func detect(s, path string, site Dialect) Dialect {
	if strings.HasSuffix(path, ".mdx") {
		return MDX
	}
	head := s[:min(len(s), 32<<10)]
	t := strings.TrimLeft(head, " \t\n")
	switch {
	case strings.HasPrefix(t, "@def "), strings.Contains(head, "\n@def "):
		if strings.HasPrefix(t, "@def ") || outsideFences(head, "@def ") {
			return Franklin
		}
	case strings.HasPrefix(t, "+++\n") || strings.HasPrefix(t, "+++ "):
		block, _, _ := strings.Cut(t[3:], "\n+++")
		switch {
		case strings.Contains(block, "\n[taxonomies]"), strings.Contains(block, "\n[extra]"):
			return Zola
		case site == Franklin, strings.Contains(block, "= Date("), strings.Contains(block, "=Date("):
			return Franklin
		}
	}
	if site == Franklin && strings.HasPrefix(t, "---\n") {
		// Franklin has no such front matter: the page was written for others.
		if f, _, problems := splitFront(head); f.Kind == YAML || len(problems) > 0 {
			return Plain
		}
	}
	if site != Auto && site != Plain {
		return Auto // a site is one generator's; a stray mark in one page does not change that
	}
	switch {
	case outsideFences(head, "\\newcommand{"), outsideFences(head, "@@"), outsideFences(head, "\\toc"), outsideFences(head, "{{fill "):
		return Franklin
	case strings.Contains(head, "{{<"), strings.Contains(head, "{{%"):
		if outsideCode(head, "{{<") || outsideCode(head, "{{%") {
			return Hugo
		}
	}
	if strings.Contains(head, "{{") {
		switch {
		case strings.Contains(head, " | url }}"), search(head, filtered):
			return Eleventy
		case outsideCode(head, "{{ site."), outsideCode(head, "{{site."), outsideCode(head, "{{ page."):
			return Jekyll
		}
	}
	if strings.Contains(head, "{%") && outsideCode(head, "{%") {
		if strings.HasPrefix(t, "+++") {
			return Zola
		}
		if strings.Contains(head, "{% image ") {
			return Eleventy
		}
		return Jekyll
	}
	if strings.HasPrefix(t, "---\n") && (strings.Contains(head, "\nlayout: ") || strings.Contains(head, "\n{:")) {
		return Jekyll
	}
	if strings.Contains(head, "[[") && search(head, wikilinked) {
		return Obsidian
	}
	if outsideFences(head, "import ") && strings.Contains(head, " from ") && strings.Contains(head, "/>") {
		return MDX
	}
	return Auto
}

// filtered reports whether a line shows a literal through a template's filter: {{ "/x/" | url }}.
func filtered(line string) bool {
	i := strings.Index(line, "{{")
	if i < 0 || strings.Count(line[:i], "`")%2 != 0 {
		return false
	}
	inside, _, ok := strings.Cut(line[i+2:], "}}")
	inside = strings.TrimSpace(inside)
	return ok && inside != "" && (inside[0] == '"' || inside[0] == '\'') && strings.Contains(inside, " | ")
}

// wikilinked reports whether a line has an [[address]] that can be nothing else.
func wikilinked(line string) bool {
	i := strings.Index(line, "[[")
	if i < 0 || i > 0 && line[i-1] == '[' || strings.Count(line[:i], "`")%2 != 0 || strings.HasPrefix(line, "    ") {
		return false
	}
	n := strings.Index(line[i:], "]]")
	rest := line[max(i+n, 0):]
	return n > 2 && !strings.ContainsAny(line[i+2:i+n], "[]\"'=;`") && (len(rest) == 2 || strings.IndexByte("([:]", rest[2]) < 0)
}

// outsideFences reports whether a line outside fenced code begins with mark.
func outsideFences(s, mark string) bool {
	return strings.Contains(s, mark) && search(s, func(line string) bool { return strings.HasPrefix(line, mark) })
}

// outsideCode reports whether mark stands in a line outside fenced code with
// no code span before it.
func outsideCode(s, mark string) bool {
	return strings.Contains(s, mark) && search(s, func(line string) bool {
		i := strings.Index(line, mark)
		return i >= 0 && strings.Count(line[:i], "`")%2 == 0 && !strings.HasPrefix(line, "    ")
	})
}

func search(s string, found func(string) bool) bool {
	fence := ""
	for len(s) > 0 {
		var line string
		line, s, _ = strings.Cut(s, "\n")
		if step(&fence, line) || fence != "" {
			continue
		}
		if found(line) {
			return true
		}
	}
	return false
}

// step follows fenced code line by line; it reports whether the line is a fence.
func step(fence *string, line string) bool {
	t := strings.TrimLeft(line, " \t>")
	if len(t) < 3 || t[0] != '`' && t[0] != '~' {
		return false
	}
	n := runOf(t, t[0])
	if n < 3 {
		return false
	}
	if *fence == "" {
		if t[0] == '`' && strings.IndexByte(t[n:], '`') >= 0 {
			return false
		}
		*fence = t[:n]
		return true
	}
	if t[0] == (*fence)[0] && n >= len(*fence) && strings.TrimSpace(t[n:]) == "" {
		*fence = ""
		return true
	}
	return false
}

// runOf counts how often c stands at the beginning of s.
func runOf(s string, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

// splitFront finds YAML, TOML or JSON at the beginning of a source, and where
// its body begins.
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

// assigns reports whether a line of the block gives something a value or is a comment.
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

// jsonEnd gives the end of the object s begins with; 0: there is none.
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

// skim finds the first heading and counts words, leaving out code, comments,
// definitions and the inside of tags.
func skim(s string, defs []defSpan, d Dialect) (heading string, words, wide int) {
	fence, comment, previous := "", false, ""
	for at, line := 0, 0; at < len(s); line++ {
		text := s[at:]
		if nl := strings.IndexByte(text, '\n'); nl >= 0 {
			text = text[:nl]
		}
		if len(defs) > 0 && defs[0].from == at {
			at, previous = defs[0].to, ""
			defs = defs[1:]
			continue
		}
		at += len(text) + 1
		if !comment && (fence != "" || !(d == Franklin && strings.HasPrefix(text, "~"))) {
			if step(&fence, text) || fence != "" {
				previous = ""
				continue
			}
		}
		if comment || strings.Contains(text, "<!--") {
			text, comment = uncommented(text, comment)
		}
		if heading == "" && text != "" {
			heading = headingOf(text, previous)
			previous = text
		}
		n, w := countWords(text)
		words, wide = words+n, wide+w
	}
	return heading, words, wide
}

// uncommented gives what a line shows outside comments.
func uncommented(line string, inside bool) (string, bool) {
	var b strings.Builder
	for {
		if inside {
			_, rest, ok := strings.Cut(line, "-->")
			if !ok {
				return b.String(), true
			}
			line, inside = rest, false
		}
		shown, rest, ok := strings.Cut(line, "<!--")
		b.WriteString(shown)
		if !ok {
			return b.String(), false
		}
		line, inside = rest, true
	}
}

func headingOf(line, previous string) string {
	t := strings.TrimLeft(line, " ")
	if len(line)-len(t) > 3 || t == "" {
		return ""
	}
	switch t[0] {
	case '#':
		n := runOf(t, '#')
		if n <= 6 && n < len(t) && (t[n] == ' ' || t[n] == '\t') {
			return plainHeading(t[n:])
		}
	case '=', '-':
		if t = strings.TrimRight(t, " \t"); runOf(t, t[0]) == len(t) && strings.TrimSpace(previous) != "" && (len(t) > 2 || t[0] == '=') &&
			!strings.ContainsAny(previous[:1], "#>-*+|`<{@\\:") && !strings.HasPrefix(previous, "    ") {
			return plainHeading(previous)
		}
	case '<':
		if len(t) > 3 && (t[1] == 'h' || t[1] == 'H') && t[2] >= '1' && t[2] <= '6' && (t[3] == '>' || t[3] == ' ') {
			return plainHeading(t)
		}
	}
	return ""
}

// plainHeading takes the markup out of one line.
func plainHeading(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndex(s, "{"); i > 0 && strings.HasSuffix(s, "}") && strings.ContainsAny(s[i+1:min(i+2, len(s))], "#.:") {
		s = strings.TrimSpace(s[:i])
	}
	if t := strings.TrimRight(s, "#"); t == "" || strings.HasSuffix(t, " ") || strings.HasSuffix(t, "\t") {
		s = strings.TrimSpace(t)
	}
	if !strings.ContainsAny(s, "*_`[]<\\&~={!") {
		return Clean(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '\\':
			if i+1 < len(s) && isPunct(s[i+1]) {
				i++
				b.WriteByte(s[i])
			} else {
				b.WriteByte(c)
			}
		case '`':
			n := runOf(s[i:], '`')
			if end := strings.Index(s[i+n:], s[i:i+n]); end >= 0 {
				b.WriteString(strings.TrimSpace(s[i+n : i+n+end]))
				i += 2*n + end - 1
			} else {
				b.WriteByte(c)
			}
		case '*':
		case '_':
			if i > 0 && i+1 < len(s) && isWord(s[i-1]) && isWord(s[i+1]) {
				b.WriteByte(c)
			}
		case '~', '=':
			if i+1 < len(s) && s[i+1] == c {
				i++
			} else {
				b.WriteByte(c)
			}
		case '!':
			if i+1 >= len(s) || s[i+1] != '[' {
				b.WriteByte(c)
			}
		case '[':
			if strings.HasPrefix(s[i:], "[^") {
				if end := strings.IndexByte(s[i:], ']'); end > 0 {
					i += end
				}
			}
		case ']':
			if i+1 < len(s) && s[i+1] == '(' {
				if end := strings.IndexByte(s[i:], ')'); end > 0 {
					i += end
				}
			}
		case '<':
			if end := strings.IndexByte(s[i:], '>'); end > 1 && (isWord(s[i+1]) || s[i+1] == '/') {
				i += end
			} else {
				b.WriteByte(c)
			}
		case '{':
			if i+1 < len(s) && (s[i+1] == '{' || s[i+1] == '%') {
				if end := strings.Index(s[i:], "}"); end > 0 {
					i += end
					if i+1 < len(s) && s[i+1] == '}' {
						i++
					}
				}
			} else {
				b.WriteByte(c)
			}
		default:
			b.WriteByte(c)
		}
	}
	return Clean(strings.Join(strings.Fields(html.UnescapeString(b.String())), " "))
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func isPunct(c byte) bool {
	return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z')
}

// countWords counts the words of a line, and how many of them are one CJK
// character.
func countWords(s string) (n, wide int) {
	inside := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < 0x80:
			if c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
				if !inside {
					n++
				}
				inside = true
			} else {
				inside = inside && (c == '\'' || c == '-' || c == '_')
				if (c == '<' && i+1 < len(s) && (isWord(s[i+1]) || s[i+1] == '/')) || c == ']' && i+1 < len(s) && s[i+1] == '(' {
					end := byte('>')
					if c == ']' {
						end = ')'
					}
					if k := strings.IndexByte(s[i:], end); k > 0 {
						i += k
					}
				}
			}
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			switch {
			case wideLetter(r):
				n, wide = n+1, wide+1
				inside = false
			case r > 0x2e7f && !unicode.IsLetter(r) || r >= 0x2000 && r <= 0x206f || r == 0xa0:
				inside = false
			case !inside && unicode.IsLetter(r):
				n++
				inside = true
			}
		}
	}
	return n, wide
}

// wideLetter tells the scripts that write words without blanks between them.
func wideLetter(r rune) bool {
	return r >= 0x3041 && r <= 0x30ff || r >= 0x3400 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff || r >= 0x20000 && r <= 0x3ffff
}
