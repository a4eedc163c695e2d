package markdown

import (
	"bytes"
	"encoding/binary"
	"html"
	"math/bits"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Skim is a quicker Read for the sources that most folders are full of: a front
// matter between fences, or a plain heading at the top. It is what keeps the
// start of a large blog near the time it takes to read its files. Words are
// counted less exactly, and behind a front matter no heading is looked for. It
// declines (false) whatever needs a closer look; so must a caller who needs a
// title and finds none in the front matter, and Read instead.
//
// The result's Body shares src, which must not be changed.
func Skim(src []byte, o Options) (*Source, bool) {
	d := Plain
	if o.Site != nil && o.Site.dialect == Franklin ||
		bytes.HasPrefix(bytes.TrimLeft(src, "\n"), []byte("@def ")) && path.Ext(o.Path) != ".mdx" {
		d = Franklin
	}
	switch {
	case o.Dialect != Auto && o.Dialect != d:
		return nil, false
	case d == Franklin:
		return skimFranklin(src)
	}
	return skimPlain(src)
}

func skimPlain(src []byte) (*Source, bool) {
	s := &Source{BodyLine: 1}
	front, body, ok := plainFront(src)
	if ok {
		if front.Kind == TOML && hasDefinitions(body) {
			return nil, false // Julia's, of which there is more further down
		}
		s.Front, s.Body = front, body
		s.BodyLine = front.Line + strings.Count(front.Text, "\n") + 1
	} else {
		s.Body, s.Heading = src, topHeading(src)
		if s.Heading == "" || hasDefinitions(src) {
			return nil, false
		}
	}
	s.Words, s.Wide = estimateWords(s.Body)
	return s, true
}

// skimFranklin takes pages with one block of definitions or definitions of one
// line each at the top, and none below.
func skimFranklin(src []byte) (*Source, bool) {
	body := src
	if front, rest, ok := plainFront(src); ok && front.Kind == TOML {
		body = rest
	}
	for body = bytes.TrimLeft(body, "\n"); bytes.HasPrefix(body, []byte("@def ")); {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		if body = rest; bytes.Count(line, []byte(`"""`))%2 != 0 {
			return nil, false // a string goes on in the next line
		}
	}
	if hasDefinitions(body) || bytes.HasPrefix(body, []byte(" ")) || bytes.HasPrefix(body, []byte("\t")) {
		return nil, false
	}
	s := Read(src[:len(src)-len(body)], Options{Dialect: Franklin})
	if len(s.Problems) > 0 {
		return nil, false
	}
	s.Body, s.BodyLine, s.Heading = src, 1, topHeading(bytes.TrimLeft(body, "\n"))
	s.Words, s.Wide = estimateWords(body)
	return s, true
}

// plainFront is splitFront for a source that begins with a fence, of which it
// looks at no more than the front matter.
func plainFront(src []byte) (f Front, body []byte, ok bool) {
	end := -1
	for _, fence := range [...]string{"\n---", "\n+++"} {
		if bytes.HasPrefix(src, []byte(fence[1:])) {
			end = bytes.Index(src, []byte(fence))
		}
	}
	if end < 0 {
		return f, nil, false
	}
	nl := bytes.IndexByte(src[end+1:], '\n')
	if nl < 0 {
		return f, nil, false
	}
	end += nl + 2
	head := normalizeNewlines(string(src[:end]))
	f, cut, _ := splitFront(head)
	return f, src[end:], f.Kind != NoFront && cut == len(head)
}

// hasDefinitions reports the marks of Franklin's definitions, which are at the
// beginning of a line.
func hasDefinitions(body []byte) bool {
	for _, mark := range [...]string{"@def", "+++"} {
		for rest := body; ; {
			i := bytes.Index(rest, []byte(mark))
			if i < 0 {
				break
			}
			if i == 0 || rest[i-1] == '\n' || rest[i-1] == '\r' {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}

// topHeading returns the heading that a source begins with, "" when it has
// anything in it that may be markup.
func topHeading(src []byte) string {
	if !bytes.HasPrefix(src, []byte("# ")) {
		return ""
	}
	line, _, _ := bytes.Cut(src, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	for _, c := range line[2:] {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte(" ,.!?'()/-", c) >= 0) {
			return ""
		}
	}
	return headingOf(string(line), "")
}

// estimateWords counts the words of a body outside of blocks of code by its
// blanks, and how many of them are one Chinese or Japanese character.
func estimateWords(body []byte) (words, wide int) {
	code := bytes.IndexByte(body, '`') >= 0
	for len(body) > 0 {
		text := body
		body = nil
		if code {
			if i := bytes.Index(text, []byte("\n```")); i >= 0 {
				text, body = text[:i], text[i+4:]
				if end := bytes.Index(body, []byte("\n```")); end >= 0 {
					body = body[end+4:]
				} else {
					body = nil
				}
			}
		}
		if len(bytes.TrimSpace(text)) > 0 {
			words += 1 + bytes.Count(text, []byte(" ")) + bytes.Count(text, []byte("\n"))
		}
		wide += ideographs(text)
	}
	return words + wide, wide
}

// ideographs counts kana and Han: what UTF-8 begins with E3 81 to E9.
func ideographs(text []byte) int {
	const (
		every = 0x0101010101010101
		high  = 0x80 * every
	)
	n := 0
	for ; len(text) > 8; text = text[8:] {
		x := binary.LittleEndian.Uint64(text)
		if x&high == 0 {
			continue
		}
		// Eight bytes at once, each in its lane: a byte's high bit and its
		// other seven, which no sum carries out of the lane.
		low := x &^ high
		from := func(b uint64) uint64 { return (low + (0x80-b&0x7f)*every) & x & high }
		n += bits.OnesCount64(from(0xe3) &^ from(0xea))
		for e3 := from(0xe3) &^ from(0xe4); e3 != 0; e3 &= e3 - 1 {
			if text[bits.TrailingZeros64(e3)/8+1] < 0x81 {
				n--
			}
		}
	}
	for i := 0; i+1 < len(text); i++ {
		if c := text[i]; c > 0xe3 && c <= 0xe9 || c == 0xe3 && text[i+1] >= 0x81 {
			n++
		}
	}
	return n
}

// skim finds the first heading and counts words, leaving out code, comments,
// definitions and the inside of tags.
func skim(s string, defs []defSpan, d Dialect) (heading string, words, wide int) {
	code := fenceState{franklin: d == Franklin}
	comment, previous := false, ""
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
		if !comment && (follow(&code, text) || code.open()) {
			previous = ""
			continue
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

// uncommented returns what a line shows outside comments. inside: a comment
// goes on in it; the result says so of the next line.
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

// headingOf returns the text of the heading that a line is, or that it makes
// of the line before (a setext underline), without its markup; "" if there is
// none.
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
		t = strings.TrimRight(t, " \t")
		if runOf(t, t[0]) == len(t) && (len(t) > 2 || t[0] == '=') && strings.TrimSpace(previous) != "" &&
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

// plainHeading takes the markup out of the text of a heading: attributes and
// closing signs at its end, emphasis, links (their text stays), footnotes, tags
// of HTML and templates. Code stays, entities are decoded.
func plainHeading(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndex(s, "{"); i > 0 && strings.HasSuffix(s, "}") && strings.IndexByte("#.:", s[i+1]) >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if t := strings.TrimRight(s, "#"); t == "" || strings.HasSuffix(t, " ") || strings.HasSuffix(t, "\t") {
		s = strings.TrimSpace(t)
	}
	if !strings.ContainsAny(s, "*_`[]<\\&~={!") {
		return Clean(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		text, n := plainPart(s, i)
		b.WriteString(text)
		i += n
	}
	return Clean(strings.Join(strings.Fields(html.UnescapeString(b.String())), " "))
}

// plainPart returns the text that the next n bytes of a heading show.
func plainPart(s string, i int) (text string, n int) {
	c, next := s[i], byte(0)
	if i+1 < len(s) {
		next = s[i+1]
	}
	// to returns the length up to a byte, or 1 if that does not follow.
	to := func(end byte) int { return max(strings.IndexByte(s[i:], end), 0) + 1 }
	switch c {
	case '\\':
		if isPunct(next) {
			return s[i+1 : i+2], 2
		}
	case '`':
		n := runOf(s[i:], '`')
		if end := strings.Index(s[i+n:], s[i:i+n]); end >= 0 {
			return strings.TrimSpace(s[i+n : i+n+end]), 2*n + end
		}
	case '*':
		return "", 1
	case '_':
		if i == 0 || !isWord(s[i-1]) || !isWord(next) {
			return "", 1
		}
	case '~', '=':
		if next == c {
			return "", 2
		}
	case '!':
		if next == '[' {
			return "", 1
		}
	case '[':
		if next == '^' {
			return "", to(']')
		}
		return "", 1
	case ']':
		if next == '(' {
			return "", to(')')
		}
		return "", 1
	case '<':
		if isWord(next) || next == '/' {
			if n := to('>'); n > 2 {
				return "", n
			}
		}
	case '{':
		if next == '{' || next == '%' {
			n := to('}')
			if n > 1 && i+n < len(s) && s[i+n] == '}' {
				n++
			}
			return "", n
		}
	}
	return s[i : i+1], 1
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
				if i+1 < len(s) && (c == '<' && (isWord(s[i+1]) || s[i+1] == '/') || c == ']' && s[i+1] == '(') {
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

// wideLetter reports whether a character is of a script that writes words
// without blanks between them.
func wideLetter(r rune) bool {
	return r >= 0x3041 && r <= 0x30ff || r >= 0x3400 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff ||
		r >= 0x20000 && r <= 0x3ffff
}
