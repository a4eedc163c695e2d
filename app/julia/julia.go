// Package julia reads definitions as Franklin's pages have them: assignments of
// Julia whose right side is a literal, a list of literals, or a date
// ([Assignments]). It evaluates nothing else.
package julia

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// An Assignment is name = value.
type Assignment struct {
	Name string
	// Value is a string, bool, int64, float64, time.Time (in UTC) or []any of
	// these; nil for an expression that is none of them. Strings are as the
	// literal has them: they may hold any character.
	Value  any
	Source string // the value as typed
	Line   int
}

const (
	maxAssignments = 1000
	maxDepth       = 8     // lists inside one another
	maxList        = 10000 // elements of a list
	maxDate        = 100   // bytes between the brackets of a date
)

// Assignments reads the assignments in s, which begins in some line of a
// source; at most 1000. What is no assignment is passed over up to the end of
// its line.
func Assignments(s string, line int) []Assignment {
	var list []Assignment
	counted := 0 // line is that of this offset
	for i := 0; i < len(s) && len(list) < maxAssignments; {
		from := skipLines(s, i)
		i = from
		for i < len(s) && (isWord(s[i]) || strings.IndexByte("_!.", s[i]) >= 0) {
			i++
		}
		name := s[from:i]
		i = skipBlanks(s, i)
		if name == "" || i >= len(s) || s[i] != '=' || strings.HasPrefix(s[i:], "==") {
			i = min(i+len(lineAt(s, i))+1, len(s))
			continue
		}
		i = skipBlanks(s, i+1)
		line += strings.Count(s[counted:from], "\n")
		counted = from
		v, end, ok := value(s, i, 0)
		if ok { // behind it there may be a comment, but no operator
			tail := strings.TrimLeft(lineAt(s, end), " \t;,")
			ok = tail == "" || tail[0] == '#' || strings.HasPrefix(tail, "<!--")
		}
		if !ok {
			v, end = nil, i+len(lineAt(s, i))
		}
		list = append(list, Assignment{Name: name, Value: v, Source: strings.TrimSpace(s[i:end]), Line: line})
		i = end + len(lineAt(s, end))
	}
	return list
}

// lineAt returns the rest of the line from at on.
func lineAt(s string, at int) string {
	line, _, _ := strings.Cut(s[min(at, len(s)):], "\n")
	return line
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func skipBlanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// skipLines skips what may stand between statements and in lists: blanks, line
// ends, semicolons, and comments of Julia and of HTML.
func skipLines(s string, i int) int {
	for i < len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == ';':
			i++
		case c == '#':
			i += len(lineAt(s, i))
		case strings.HasPrefix(s[i:], "<!--"):
			end := strings.Index(s[i:], "-->")
			if end < 0 {
				return len(s)
			}
			i += end + 3
		default:
			return i
		}
	}
	return i
}

// value reads the value at i, and returns where it ends; it is not ok for what
// is no literal.
func value(s string, i, depth int) (v any, end int, ok bool) {
	if i >= len(s) || depth > maxDepth {
		return nil, i, false
	}
	switch c := s[i]; {
	case c == '"':
		return quoted(s, i)
	case c == '[' || c == '(':
		return list(s, i, depth)
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		return number(s, i)
	case c == ':' && i+1 < len(s) && isWord(s[i+1]): // a symbol
		k := i + 1
		for k < len(s) && (isWord(s[k]) || s[k] == '_') {
			k++
		}
		return s[i+1 : k], k, true
	}
	return word(s, i, depth)
}

// quoted reads a string in one or three quotes.
func quoted(s string, i int) (v any, end int, ok bool) {
	quote := `"`
	if strings.HasPrefix(s[i:], `"""`) {
		quote = `"""`
	}
	from := i + len(quote)
	for k := from; k < len(s); k++ {
		if s[k] == '\\' {
			k++
		} else if strings.HasPrefix(s[k:], quote) {
			text := s[from:k]
			if quote != `"` {
				text = Dedent(text)
			}
			return unescape(text), k + len(quote), true
		}
	}
	return nil, i, false
}

// word reads what begins with a name: true and false, a date, and a list with
// the type of its elements.
func word(s string, i, depth int) (v any, end int, ok bool) {
	k := i
	for k < len(s) && (isWord(s[k]) || s[k] == '_' || s[k] == '.') {
		k++
	}
	switch w := strings.TrimPrefix(s[i:k], "Dates."); w {
	case "true", "false":
		return w == "true", k, true
	case "Date", "DateTime":
		if k < len(s) && s[k] == '(' {
			return date(s, k)
		}
	case "String", "Any", "AbstractString", "Vector":
		if t := strings.IndexByte(lineAt(s, k), '['); t >= 0 {
			return list(s, k+t, depth)
		}
	}
	return nil, i, false
}

// list reads a list or a tuple. A pair a => b in it is a list of two; brackets
// around one value are none.
func list(s string, i, depth int) (v any, end int, ok bool) {
	closing := byte(']')
	if s[i] == '(' {
		closing = ')'
	}
	values := []any{}
	comma := false
	for i = skipLines(s, i+1); i < len(s); i = skipLines(s, i) {
		switch s[i] {
		case closing:
			if closing == ')' && len(values) == 1 && !comma {
				return values[0], i + 1, true
			}
			return values, i + 1, true
		case ',':
			comma = true
			i++
			continue
		}
		x, k, ok := value(s, i, depth+1)
		if !ok || len(values) >= maxList {
			return nil, i, false
		}
		k = skipBlanks(s, k)
		if strings.HasPrefix(s[k:], "=>") {
			y, e, ok := value(s, skipLines(s, k+2), depth+1)
			if !ok {
				return nil, i, false
			}
			x, k = []any{x, y}, e
		} else if k < len(s) && s[k] == '=' { // a named tuple
			return nil, i, false
		}
		values = append(values, x)
		i = k
	}
	return nil, i, false
}

func number(s string, i int) (v any, end int, ok bool) {
	k := i + 1
	for k < len(s) {
		c := s[k]
		exponent := c|0x20 == 'e' || (c == '-' || c == '+') && s[k-1]|0x20 == 'e'
		if !exponent && (c < '0' || c > '9') && c != '_' && c != '.' {
			break
		}
		k++
	}
	t := strings.ReplaceAll(s[i:k], "_", "")
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return n, k, true
	}
	if f, err := strconv.ParseFloat(t, 64); err == nil {
		return f, k, true
	}
	return nil, i, false
}

var dateForms = []string{
	"2006-01-02", "2006-01-02T15:04:05", "2006-1-2", "2006/01/02", "2006-01-02 15:04:05",
}

// date reads the arguments of Date and DateTime: numbers, or one string.
func date(s string, i int) (v any, end int, ok bool) {
	n := strings.IndexByte(s[i:], ')')
	if n < 0 || n > maxDate {
		return nil, i, false
	}
	end = i + n + 1
	inside := strings.TrimSpace(s[i+1 : end-1])
	if strings.HasPrefix(inside, `"`) {
		text, _, _ := strings.Cut(inside[1:], `"`)
		for _, form := range dateForms {
			if t, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
				return t, end, true
			}
		}
		return nil, i, false
	}
	parts := strings.Split(inside, ",")
	d := [7]int{1, 1, 1} // year, month, day, hour, minute, second, millisecond
	if len(parts) > len(d) {
		return nil, i, false
	}
	for k, p := range parts {
		x, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil || x < 0 || x > 9999 {
			return nil, i, false
		}
		d[k] = x
	}
	if d[0] < 1 || d[1] < 1 || d[1] > 12 || d[2] < 1 || d[2] > 31 || d[3] > 23 || d[4] > 59 || d[5] > 59 {
		return nil, i, false
	}
	return time.Date(d[0], time.Month(d[1]), d[2], d[3], d[4], d[5], 0, time.UTC), end, true
}

// Dedent gives the inside of a triple-quoted string its meaning: the first
// line end and the indentation common to all lines go.
func Dedent(s string) string {
	s = strings.TrimPrefix(s, "\n")
	common := -1
	for l := range strings.Lines(s) {
		if t := strings.TrimLeft(l, " \t"); t != "" && t != "\n" && (common < 0 || len(l)-len(t) < common) {
			common = len(l) - len(t)
		}
	}
	if common <= 0 {
		return s
	}
	var b strings.Builder
	for l := range strings.Lines(s) {
		t := strings.TrimLeft(l, " \t")
		b.WriteString(l[min(common, len(l)-len(t)):])
	}
	return b.String()
}

// unescape resolves the escapes of a string. Control characters become blanks.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r', 'a', 'b', 'f', 'v', 'e', '0':
			b.WriteByte(' ')
		case '\n': // the line goes on
			i = skipBlanks(s, i+1) - 1
		case 'u', 'U', 'x':
			k := i + 1
			for k < len(s) && k-i <= 8 && unicode.Is(unicode.ASCII_Hex_Digit, rune(s[k])) {
				k++
			}
			if n, err := strconv.ParseUint(s[i+1:k], 16, 32); err == nil && n <= utf8.MaxRune {
				b.WriteRune(rune(n))
				i = k - 1
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
