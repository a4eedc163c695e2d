package markdown

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
)

// HeadingMark begins the line of a heading in a PlainText.
const HeadingMark = 0x02

// PlainText takes the markup off the body, roughly and quickly, for searches
// in many sources; see Document.Text for the text as readers see it. Line n of
// it is line BodyLine+n of the source. It is not cleaned.
func (s *Source) PlainText() []byte {
	franklin := s.Dialect == Franklin
	body := s.Body
	out := make([]byte, 0, len(body))
	code := fenceState{franklin: franklin}
	comment, defs := false, false
	for len(body) > 0 {
		var line []byte
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			line, body = body, nil
		}
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case comment:
			if i := bytes.Index(line, []byte("-->")); i >= 0 {
				comment = false
				out = appendPlain(out, line[i+3:])
			}
		case code.open():
			if !follow(&code, line) {
				out = append(out, line...)
			}
		case line[0] != '>' && follow(&code, line):
		case franklin && bytes.HasPrefix(line, []byte("+++")):
			defs = !defs
		case defs, franklin && bytes.HasPrefix(line, []byte("@def ")), franklin && bytes.HasPrefix(line, []byte("~~~")):
		case line[0] == '#':
			text := bytes.TrimLeft(line, "#")
			if len(text) > 0 && text[0] == ' ' && len(line)-len(text) <= 6 {
				out = append(out, HeadingMark)
				out = appendPlain(out, bytes.TrimRight(text[1:], "# "))
			} else {
				out = appendPlain(out, line)
			}
		case bytes.HasPrefix(line, []byte("<!--")):
			i := bytes.Index(line, []byte("-->"))
			if comment = i < 0; !comment {
				out = appendPlain(out, line[i+3:])
			}
		default:
			out = appendPlain(out, bytes.TrimLeft(line, "> "))
		}
		out = append(out, '\n')
	}
	return out
}

// appendPlain takes the markup out of one line: emphasis, code spans, links but
// for their texts, tags, and the calls of templates.
func appendPlain(out, line []byte) []byte {
	if len(line) > 1 && (line[0] == '*' || line[0] == '-' || line[0] == '+') && line[1] == ' ' {
		line = line[2:]
	}
	for i := 0; i < len(line); {
		if n := markupLen(line[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, line[i])
		i++
	}
	return out
}

// endOf returns the offset behind the first end in a line, 0 if there is none.
func endOf(line []byte, end string) int {
	if i := bytes.Index(line, []byte(end)); i > 0 {
		return i + len(end)
	}
	return 0
}

// markupLen returns how many of the bytes a line goes on with show nothing.
func markupLen(line []byte) int {
	c := line[0]
	if isWord(c) || c == ' ' {
		return 0
	}
	next := byte(0)
	if len(line) > 1 {
		next = line[1]
	}
	switch {
	case c == '*' || c == '`' || c == '[' || c < ' ' || c == '!' && next == '[':
		return 1
	case c == ']' && next == '(':
		return max(bytes.IndexByte(line, ')'), 0) + 1
	case c == ']' && next == '[':
		return max(bytes.IndexByte(line[1:], ']')+1, 0) + 1
	case c == ']':
		return 1
	case c == '<' && (isLetter(next) || next == '/' || next == '!'):
		return bytes.IndexByte(line, '>') + 1
	case c == '{' && next == '{':
		return endOf(line, "}}")
	case c == '{' && next == '%':
		return endOf(line, "%}")
	case bytes.HasPrefix(line, []byte("~~~")):
		return 3
	}
	return 0
}

var (
	htmlTag    = lazyregexp.New(`</?[a-zA-Z][^<>]*>`)
	inlineLink = lazyregexp.New(`!?\[([^\[\]]*)\]\([^()]*\)`)
)

// PlainLine makes one clean line without markup of a value that was typed into
// a front matter.
func PlainLine(s string) string {
	if strings.ContainsAny(s, "<&") {
		s = html.UnescapeString(htmlTag().ReplaceAllString(s, ""))
	}
	if strings.Contains(s, "](") {
		s = inlineLink().ReplaceAllString(s, "$1")
	}
	if strings.Contains(s, "`") {
		s = strings.ReplaceAll(s, "`", "")
	}
	if strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "")
	}
	return strings.Join(strings.Fields(Clean(s)), " ")
}

// Shorten cuts s to n bytes at most, at a rune, and says so with an ellipsis
// (which is not counted).
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
