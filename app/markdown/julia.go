package markdown

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// defSpan is where definitions stand in a source.
type defSpan struct{ from, to int }

// juliaFront finds the definitions of a Franklin source: @def lines with their
// indented continuations, and +++ blocks, anywhere outside code and comments.
func juliaFront(s string) (Front, []defSpan) {
	f := Front{}
	if !strings.Contains(s, "@def") && !strings.Contains(s, "+++") {
		return f, nil
	}
	var spans []defSpan
	var text strings.Builder
	var code fenceState
	comment := false
	line := 1
	for at := 0; at < len(s); {
		l := lineAt(s, at)
		next := min(at+len(l)+1, len(s))
		switch {
		case comment:
			_, comment = uncommented(l, true)
		case code.open() || strings.HasPrefix(strings.TrimLeft(l, " \t"), "```"):
			follow(&code, l)
		case strings.HasPrefix(l, "@def ") || strings.HasPrefix(l, "@def\t"):
			end, n := next, 1
			open := strings.Count(l, `"""`)%2 == 1
			for end < len(s) {
				c := lineAt(s, end)
				if !open && !strings.HasPrefix(c, "    ") && !strings.HasPrefix(c, "\t") || n > 400 {
					break
				}
				if strings.Count(c, `"""`)%2 == 1 {
					open = !open
				}
				end = min(end+len(c)+1, len(s))
				n++
			}
			if open { // a string that is never closed takes nothing but its own line
				end, n = next, 1
			}
			spans = append(spans, defSpan{at, end})
			text.WriteString(s[at:end])
			if f.Line == 0 {
				f.Line = line
			}
			f.Defs = append(f.Defs, assignments(s[at+5:end], line)...)
			at, line = end, line+n
			continue
		case strings.HasPrefix(l, "+++") && strings.TrimSpace(l) == "+++":
			end, n := next, 1
			for end < len(s) {
				c := lineAt(s, end)
				to := min(end+len(c)+1, len(s))
				n++
				if strings.TrimSpace(c) == "+++" {
					spans = append(spans, defSpan{at, to})
					text.WriteString(s[next:end])
					if f.Line == 0 {
						f.Line = line + 1
					}
					f.Defs = append(f.Defs, assignments(s[next:end], line+1)...)
					next, line = to, line+n-1
					break
				}
				end = to
			}
		default:
			if strings.Contains(l, "<!--") {
				_, comment = uncommented(l, false)
			}
		}
		at = next
		line++
	}
	if len(spans) > 0 {
		f.Kind = Julia
		f.Text = text.String()
	}
	return f, spans
}

// assignments reads name = value, one or more. What it cannot evaluate (any
// expression but a literal or a date) has no value.
func assignments(s string, line int) []Def {
	var defs []Def
	counted := 0
	for i := 0; i < len(s); {
		i = juliaSpace(s, i, true)
		from := i
		for i < len(s) && (isWord(s[i]) || s[i] == '_' || s[i] == '!' || s[i] == '.') {
			i++
		}
		name := s[from:i]
		i = juliaSpace(s, i, false)
		if name == "" || i >= len(s) || s[i] != '=' || strings.HasPrefix(s[i:], "==") {
			// not an assignment: the rest of the line says nothing to us
			if nl := strings.IndexByte(s[min(i, len(s)):], '\n'); nl >= 0 {
				i += nl + 1
				continue
			}
			break
		}
		i = juliaSpace(s, i+1, false)
		line += strings.Count(s[counted:from], "\n")
		counted = from
		v, end, ok := juliaValue(s, i, 0)
		if ok {
			// what follows may be a comment, but no operator
			tail := strings.TrimLeft(lineAt(s, end), " \t;,")
			ok = tail == "" || tail[0] == '#' || strings.HasPrefix(tail, "<!--")
		}
		if !ok {
			v = nil
			end = i + len(lineAt(s, i))
		}
		defs = append(defs, Def{Name: name, Value: v, Source: strings.TrimSpace(s[i:end]), Line: line})
		i = end + len(lineAt(s, min(end, len(s))))
		if len(defs) >= 1000 {
			break
		}
	}
	return defs
}

// juliaSpace skips blanks and, between statements or in lists, line ends and comments.
func juliaSpace(s string, i int, lines bool) int {
	for i < len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			i++
		case lines && (c == '\n' || c == ';'):
			i++
		case lines && c == '#':
			i += len(lineAt(s, i))
		case lines && strings.HasPrefix(s[i:], "<!--"):
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

func juliaValue(s string, i, depth int) (v any, end int, ok bool) {
	if i >= len(s) || depth > 8 {
		return nil, i, false
	}
	switch c := s[i]; {
	case strings.HasPrefix(s[i:], `"""`):
		from := i + 3
		for k := from; k < len(s); k++ {
			if s[k] == '\\' {
				k++
			} else if strings.HasPrefix(s[k:], `"""`) {
				return Clean(unescapeJulia(dedent(s[from:k]))), k + 3, true
			}
		}
		return nil, i, false
	case c == '"':
		for k := i + 1; k < len(s); k++ {
			if s[k] == '\\' {
				k++
			} else if s[k] == '"' {
				return Clean(unescapeJulia(s[i+1 : k])), k + 1, true
			}
		}
		return nil, i, false
	case c == '[' || c == '(':
		return juliaList(s, i, depth)
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		return juliaNumber(s, i)
	case c == ':' && i+1 < len(s) && isWord(s[i+1]):
		k := i + 1
		for k < len(s) && (isWord(s[k]) || s[k] == '_') {
			k++
		}
		return Clean(s[i+1 : k]), k, true
	}
	k := i
	for k < len(s) && (isWord(s[k]) || s[k] == '_' || s[k] == '.') {
		k++
	}
	word := strings.TrimPrefix(s[i:k], "Dates.")
	switch word {
	case "true", "false":
		return word == "true", k, true
	case "Date", "DateTime":
		if k < len(s) && s[k] == '(' {
			return juliaDate(s, k)
		}
	case "String", "Any", "AbstractString", "Vector":
		if t := strings.IndexByte(lineAt(s, k), '['); t >= 0 {
			return juliaList(s, k+t, depth)
		}
	}
	return nil, i, false
}

func juliaList(s string, i, depth int) (v any, end int, ok bool) {
	closing := byte(']')
	if s[i] == '(' {
		closing = ')'
	}
	list := []any{}
	comma := false
	for i = juliaSpace(s, i+1, true); i < len(s); i = juliaSpace(s, i, true) {
		switch s[i] {
		case closing:
			if closing == ')' && len(list) == 1 && !comma {
				return list[0], i + 1, true // brackets around one value
			}
			return list, i + 1, true
		case ',':
			comma = true
			i++
			continue
		}
		x, k, ok := juliaValue(s, i, depth+1)
		if !ok || len(list) >= 10000 {
			return nil, i, false
		}
		k = juliaSpace(s, k, false)
		if strings.HasPrefix(s[k:], "=>") {
			y, e, ok := juliaValue(s, juliaSpace(s, k+2, true), depth+1)
			if !ok {
				return nil, i, false
			}
			x, k = []any{x, y}, e
		} else if k < len(s) && s[k] == '=' { // a named tuple
			return nil, i, false
		}
		list = append(list, x)
		i = k
	}
	return nil, i, false
}

func juliaNumber(s string, i int) (v any, end int, ok bool) {
	k := i + 1
	for k < len(s) && (s[k] >= '0' && s[k] <= '9' || s[k] == '_' || s[k] == '.' || s[k]|0x20 == 'e' || (s[k] == '-' || s[k] == '+') && s[k-1]|0x20 == 'e') {
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

// juliaDate reads the arguments of Date and DateTime: numbers, or one string.
func juliaDate(s string, i int) (v any, end int, ok bool) {
	close := strings.IndexByte(s[i:], ')')
	if close < 0 || close > 100 {
		return nil, i, false
	}
	end = i + close + 1
	inside := strings.TrimSpace(s[i+1 : end-1])
	if strings.HasPrefix(inside, `"`) {
		text, _, _ := strings.Cut(inside[1:], `"`)
		for _, form := range []string{"2006-01-02", "2006-01-02T15:04:05", "2006-1-2", "2006/01/02", "2006-01-02 15:04:05"} {
			if t, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
				return t, end, true
			}
		}
		return nil, i, false
	}
	n := [7]int{1, 1, 1, 0, 0, 0, 0}
	parts := strings.Split(inside, ",")
	if len(parts) > len(n) {
		return nil, i, false
	}
	for k, p := range parts {
		x, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil || x < 0 || x > 9999 {
			return nil, i, false
		}
		n[k] = x
	}
	if n[0] < 1 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return nil, i, false
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC), end, true
}

// dedent gives a triple-quoted string its meaning: the first line end and the
// indentation common to all lines go.
func dedent(s string) string {
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

func unescapeJulia(s string) string {
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
		case '\n':
			for i+1 < len(s) && (s[i+1] == ' ' || s[i+1] == '\t') {
				i++
			}
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

// withoutDefs gives text with the definitions taken out, beginning in line.
func withoutDefs(text string, spans []defSpan, line int32) mappedText {
	if len(spans) == 0 {
		lines := make([]int32, strings.Count(text, "\n")+1)
		for i := range lines {
			lines[i] = line + int32(i)
		}
		return newMappedText(text, lines)
	}
	var b strings.Builder
	lines := []int32{}
	at := 0
	for l := range strings.Lines(text) {
		end := at + len(l)
		for len(spans) > 0 && spans[0].to <= at {
			spans = spans[1:]
		}
		if len(spans) == 0 || at < spans[0].from {
			b.WriteString(l)
			lines = append(lines, line)
		}
		at = end
		line++
	}
	if s := b.String(); s == "" || strings.HasSuffix(s, "\n") {
		lines = append(lines, max(line-1, 1))
	}
	return newMappedText(b.String(), lines)
}
