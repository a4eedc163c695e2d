package frontmatter

import "strings"

// locateYAML finds the fields of block YAML between two offsets; above are the
// names they are under. It declines (false) what is not a list of `name: value`
// lines with one indentation.
func (l *layout) locateYAML(from, to int, above []string) bool {
	indent := -1
	for at := from; at < to; {
		line := lineAt(l.text, at)
		body := strings.TrimLeft(line, " ")
		if body == "" || body[0] == '#' {
			at += len(line) + 1
			continue
		}
		n := len(line) - len(body)
		if indent < 0 {
			indent = n
			if len(above) == 0 {
				l.prefix = line[:n]
			}
		}
		name, colon := l.yamlName(at + n)
		if n != indent || colon < 0 {
			return false
		}
		s, ok := l.yamlField(at, colon, to, above, name)
		if !ok {
			return false
		}
		l.add(s, above, name)
		at = s.to
	}
	return true
}

// yamlField finds the value of the field whose line begins at an offset, and
// whose name ends with the colon. Of a table, the fields in it are added to the
// layout, if they can be changed.
func (l *layout) yamlField(at, colon, to int, above []string, name string) (fieldSpan, bool) {
	line := lineAt(l.text, at)
	end := at + len(line) // of the line that the value ends in
	indent := len(line) - len(strings.TrimLeft(line, " "))
	below := l.below(end+1, to, indent)
	v := colon + 1
	for v < len(l.text) && (l.text[v] == ' ' || l.text[v] == '\t') {
		v++
	}
	s := fieldSpan{from: at, value: v}
	rest := l.text[v:end]
	switch {
	case rest == "" || rest[0] == '#':
		s.value, s.end, s.comment = colon+1, colon+1, rest != ""
		if below > end+1 {
			l.yamlBelow(&s, end+1, below, above, name)
			end = below - 1
		}
	case rest[0] == '\'' || rest[0] == '"' || rest[0] == '[' || rest[0] == '{':
		var ok bool
		if s.end, s.comment, ok = l.yamlEnd(v); !ok || s.end > to {
			return s, false
		}
		s.style = styleOf(rest[0])
		end = s.end + len(lineAt(l.text, s.end))
		if tail := strings.TrimLeft(l.text[s.end:end], " \t"); tail != "" && tail[0] != '#' {
			return s, false
		}
	case strings.IndexByte("&*!?%@`", rest[0]) >= 0:
		s.style, s.end = opaque, end
		if below > end+1 {
			end = below - 1
			s.end = end
		}
	case rest[0] == '|' || rest[0] == '>':
		s.style, s.end = folded, max(end, below-1)
		end = s.end
	default:
		s.style = bare
		if i := strings.Index(rest, " #"); i >= 0 {
			rest = rest[:i]
		}
		s.end = v + len(strings.TrimRight(rest, " \t"))
		if i := below - 1; i > end && strings.TrimLeft(uncomment(l.text[end+1:below]), " \n") != "" {
			s.style, s.end, end = folded, i, i
		}
	}
	s.to = min(end+1, to)
	return s, true
}

// yamlBelow takes the lines below a name that has nothing behind it: the items
// of a list, or a table, whose fields are added to the layout.
func (l *layout) yamlBelow(s *fieldSpan, from, to int, above []string, name string) {
	first := strings.TrimLeft(uncomment(l.text[from:to]), " \n")
	switch mark := len(l.spans); {
	case first == "":
	case strings.HasPrefix(first, "- "):
		s.style, s.end = items, to-1
	default:
		s.style, s.end = opaque, to-1
		if len(above) > 0 || !l.locateYAML(from, to, []string{name}) {
			l.spans = l.spans[:mark]
		}
	}
}

// uncomment takes the comments above a text away.
func uncomment(s string) string {
	for strings.HasPrefix(strings.TrimLeft(s, " \n"), "#") {
		_, s, _ = strings.Cut(strings.TrimLeft(s, " \n"), "\n")
	}
	return s
}

// below returns where the lines end that belong to a field with an indentation:
// those further in, and a list's items beside the name. Blank lines and
// comments behind the last of them do not belong to it.
func (l *layout) below(at, to, indent int) int {
	last := at
	for at < to {
		line := lineAt(l.text, at)
		body := strings.TrimLeft(line, " \t")
		n := len(line) - len(body)
		at = min(at+len(line)+1, to)
		switch {
		case body == "" || body[0] == '#' && n <= indent:
		case n > indent, n == indent && (strings.HasPrefix(body, "- ") || body == "-"):
			last = at
		default:
			return last
		}
	}
	return last
}

// yamlName reads a name and returns where its colon is, -1 if it is none.
func (l *layout) yamlName(at int) (name string, colon int) {
	line := lineAt(l.text, at)
	if line != "" && (line[0] == '"' || line[0] == '\'') {
		end := strings.IndexByte(line[1:], line[0]) + 2
		if end < 2 || strings.ContainsAny(line[:end], "\\") {
			return "", -1
		}
		gap := len(line[end:]) - len(strings.TrimLeft(line[end:], " "))
		if end+gap < len(line) && line[end+gap] == ':' {
			return line[1 : end-1], at + end + gap
		}
		return "", -1
	}
	if line == "" || strings.IndexByte("&*!|>%@`[]{},#", line[0]) >= 0 ||
		strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "? ") {
		return "", -1
	}
	for i := range len(line) {
		if line[i] == ':' && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t') {
			return strings.TrimRight(line[:i], " \t"), at + i
		}
	}
	return "", -1
}

// locateFlowYAML finds the fields of YAML that is written like JSON, from its {
// on.
func (l *layout) locateFlowYAML(at int) bool {
	l.flow = true
	const blanks = " \t\n"
	l.from = at + 1
	for i := l.skip(at+1, blanks); i < l.to; {
		if l.text[i] == '}' {
			l.to = i
			return true
		}
		from := i
		name, colon := l.flowName(i)
		v := l.skip(colon+1, blanks)
		if colon < 0 || v >= l.to {
			return false
		}
		s := fieldSpan{from: from, value: v, style: styleOf(l.text[v])}
		switch c := l.text[v]; {
		case c == ',' || c == '}':
			s.value, s.end, s.style = colon+1, colon+1, missing
		case s.style != bare:
			var ok bool
			if s.end, s.comment, ok = l.yamlEnd(v); !ok {
				return false
			}
		default:
			n := strings.IndexAny(l.text[v:l.to], ",{}[]\n")
			if n < 0 {
				return false
			}
			s.end = v + len(strings.TrimRight(l.text[v:v+n], " \t"))
			if strings.IndexByte("&*!", c) >= 0 || strings.Contains(l.text[v:s.end], " #") {
				s.style = opaque
			}
		}
		s.to = s.end
		l.add(s, nil, name)
		if i = l.skip(s.end, blanks); i < l.to && l.text[i] == ',' {
			i = l.skip(i+1, blanks)
		} else if i >= l.to || l.text[i] != '}' {
			return false
		}
	}
	return false
}

// flowName reads a name in braces and returns where its colon is, -1 if it is
// none.
func (l *layout) flowName(i int) (name string, colon int) {
	if c := l.text[i]; c == '"' || c == '\'' {
		end, _, ok := l.yamlEnd(i)
		if !ok {
			return "", -1
		}
		if colon = l.skip(end, " \t\n"); colon >= l.to || l.text[colon] != ':' {
			return "", -1
		}
		return l.text[i+1 : end-1], colon
	}
	n := strings.IndexAny(l.text[i:l.to], ":,{}[]#\n")
	if n < 1 || l.text[i+n] != ':' {
		return "", -1
	}
	return strings.TrimRight(l.text[i:i+n], " "), i + n
}

// yamlEnd returns where a quoted or bracketed value ends. comment: there is one
// in it.
func (l *layout) yamlEnd(i int) (end int, comment, ok bool) {
	s := l.text
	if s[i] == '"' || s[i] == '\'' {
		end = l.quoteEnd(i)
		return end, false, end > 0
	}
	depth := 0
	for start := true; i < l.to; i++ { // start: a value may begin here
		switch c := s[i]; c {
		case '[', '{':
			depth++
			start = true
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1, comment, true
			}
			start = false
		case ',', ':', '=':
			start = true
		case ' ', '\t', '\n':
		case '"', '\'':
			if start {
				if i = l.quoteEnd(i) - 1; i < 0 {
					return 0, false, false
				}
			}
			start = false
		case '#':
			if s[i-1] == ' ' || s[i-1] == '\t' || s[i-1] == '\n' {
				comment = true
				i += len(lineAt(s, i)) - 1
			}
		default:
			start = false
		}
	}
	return 0, false, false
}

// quoteEnd returns the offset behind a quoted text, -1 if it has no end.
func (l *layout) quoteEnd(i int) int {
	q := l.text[i]
	for k := i + 1; k < l.to; k++ {
		switch {
		case l.text[k] == '\\' && q == '"':
			k++
		case l.text[k] == q && q == '\'' && strings.HasPrefix(l.text[k+1:], "'"):
			k++
		case l.text[k] == q:
			return k + 1
		}
	}
	return -1
}
