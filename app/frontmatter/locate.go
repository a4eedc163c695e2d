package frontmatter

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sheaf/app/markdown"
)

// A style is how a value is written.
type style byte

const (
	missing   style = iota // nothing behind the name
	bare                   // one line without quotes
	single                 // 'quoted'
	double                 // "quoted"
	bracketed              // [a, list]
	items                  // - one a line
	folded                 // text of several lines
	opaque                 // what is not taken apart here
)

// A fieldSpan is where a field stands: offsets into the text of its layout.
type fieldSpan struct {
	path       []string // one name, or two
	from, to   int      // all of it: whole lines, or from the name to the end of the value
	value, end int      // its value
	style      style
	comment    bool // a comment stands between value and end, or behind the name of a list
}

// A layout is a source with the places of its fields. Offsets are those of the
// text that is read: without a byte order mark, lines ended by \n.
type layout struct {
	src     []byte
	text    string
	kind    markdown.FrontKind
	dialect markdown.Dialect
	from    int         // of the front matter
	to      int         // behind it
	spans   []fieldSpan // in order
	flow    bool        // one {a: b} with commas between the fields
	prefix  string      // of a field on a line of its own: indentation, or "@def "
}

// An edit puts text in the place of what stands between two offsets.
type edit struct {
	from, to int
	text     string
}

func layoutOf(src []byte, s *markdown.Source) (*layout, error) {
	text := strings.TrimPrefix(string(src), "\ufeff")
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	l := &layout{src: src, text: text, kind: s.Front.Kind, dialect: s.Dialect}
	if l.kind == markdown.NoFront {
		return l, nil
	}
	l.from = offsetOf(text, s.Front.Line)
	l.to = l.from + len(s.Front.Text)
	if l.kind != markdown.Julia && (l.to > len(text) || text[l.from:l.to] != s.Front.Text) {
		return nil, errors.New("the front matter is not where it should be")
	}
	ok := true
	switch l.kind {
	case markdown.YAML:
		if first := strings.TrimLeft(uncomment(s.Front.Text), " \n"); strings.HasPrefix(first, "{") {
			l.flow = true
			ok = l.object(l.to - len(first))
		} else {
			ok = l.lines(l.from, l.to, nil)
		}
	case markdown.JSON:
		l.flow = true
		ok = l.object(l.from)
	case markdown.TOML:
		ok = l.tables()
	case markdown.Julia:
		l.definitions(s.Front.Defs)
	}
	if !ok {
		return nil, errors.New("the front matter is written in a way that only its author can change")
	}
	return l, nil
}

// uncomment takes the comments above a text away.
func uncomment(s string) string {
	for strings.HasPrefix(strings.TrimLeft(s, " \n"), "#") {
		_, s, _ = strings.Cut(strings.TrimLeft(s, " \n"), "\n")
	}
	return s
}

// offsetOf gives where a line, from 1, begins.
func offsetOf(text string, line int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	return at
}

// apply makes the edit in the bytes of the source, in its own line ends.
func (l *layout) apply(e edit) []byte {
	raw := 0
	if bytes.HasPrefix(l.src, []byte("\ufeff")) {
		raw = len("\ufeff")
	}
	seek := func(n int) int {
		for ; n > 0; n-- {
			if l.src[raw] == '\r' && raw+1 < len(l.src) && l.src[raw+1] == '\n' {
				raw++
			}
			raw++
		}
		return raw
	}
	from := seek(e.from)
	to := seek(e.to - e.from)
	text := e.text
	if i := bytes.IndexAny(l.src, "\r\n"); i >= 0 && l.src[i] == '\r' {
		end := "\r"
		if i+1 < len(l.src) && l.src[i+1] == '\n' {
			end = "\r\n"
		}
		text = strings.ReplaceAll(text, "\n", end)
	}
	return slices.Concat(l.src[:from], []byte(text), l.src[to:])
}

// find gives the last slot of a path.
func (l *layout) find(path []string) *fieldSpan {
	for i := len(l.spans) - 1; i >= 0; i-- {
		if slices.EqualFunc(l.spans[i].path, path, func(a, b string) bool { return KeyOf(a) == KeyOf(b) }) {
			return &l.spans[i]
		}
	}
	return nil
}

func (l *layout) add(s fieldSpan, above []string, name string) {
	s.path = append(above[:len(above):len(above)], name)
	l.spans = append(l.spans, s)
}

// lines finds the fields of block YAML between two offsets; above are the names
// they are under.
func (l *layout) lines(from, to int, above []string) bool {
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
		v := colon + 1
		for v < len(l.text) && (l.text[v] == ' ' || l.text[v] == '\t') {
			v++
		}
		s := fieldSpan{from: at, value: v}
		end := at + len(line) // of the line the value ends in
		below := l.below(end+1, to, n)
		rest := l.text[v:end]
		switch {
		case rest == "" || rest[0] == '#':
			s.value, s.end, s.comment = colon+1, colon+1, rest != ""
			if below > end+1 {
				first := strings.TrimLeft(uncomment(l.text[end+1:below]), " \n")
				switch mark := len(l.spans); {
				case first == "":
				case strings.HasPrefix(first, "- "):
					s.style, s.end = items, below-1
				default:
					s.style, s.end = opaque, below-1
					if len(above) > 0 || !l.lines(end+1, below, []string{name}) {
						l.spans = l.spans[:mark]
					}
				}
				end = below - 1
			}
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '[' || rest[0] == '{':
			var ok bool
			if s.end, s.comment, ok = l.valueEnd(v); !ok || s.end > to {
				return false
			}
			s.style = map[byte]style{'\'': single, '"': double, '[': bracketed, '{': opaque}[rest[0]]
			end = s.end + len(lineAt(l.text, s.end))
			if tail := strings.TrimLeft(l.text[s.end:end], " \t"); tail != "" && tail[0] != '#' {
				return false
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
		l.add(s, above, name)
		at = end + 1
	}
	return true
}

// below gives where the lines end that belong to a field with an indentation:
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

// yamlName reads a name and gives where its colon is; -1: it is none.
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
	if line == "" || strings.IndexByte("&*!|>%@`[]{},#", line[0]) >= 0 || strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "? ") {
		return "", -1
	}
	for i := range len(line) {
		if line[i] == ':' && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t') {
			return strings.TrimRight(line[:i], " \t"), at + i
		}
	}
	return "", -1
}

// object finds the fields of JSON, and of YAML that is written like it.
func (l *layout) object(at int) bool {
	if at >= l.to || l.text[at] != '{' {
		return false
	}
	skip := func(i int) int {
		for i < l.to && strings.IndexByte(" \t\n", l.text[i]) >= 0 {
			i++
		}
		return i
	}
	l.from = at + 1
	for i := skip(at + 1); i < l.to; {
		if l.text[i] == '}' {
			l.to = i
			return true
		}
		from := i
		name := ""
		switch c := l.text[i]; {
		case c == '"' || c == '\'' && l.kind == markdown.YAML:
			end, _, ok := l.valueEnd(i)
			if !ok {
				return false
			}
			name = l.text[i+1 : end-1]
			if i = skip(end); i >= l.to || l.text[i] != ':' {
				return false
			}
		case l.kind == markdown.YAML:
			n := strings.IndexAny(l.text[i:l.to], ":,{}[]#\n")
			if n < 1 || l.text[i+n] != ':' {
				return false
			}
			name = strings.TrimRight(l.text[i:i+n], " ")
			i += n
		default:
			return false
		}
		if l.kind == markdown.JSON {
			var plain string
			if json.Unmarshal([]byte(`"`+name+`"`), &plain) == nil {
				name = plain
			}
		}
		v := skip(i + 1)
		if v >= l.to {
			return false
		}
		s := fieldSpan{from: from, value: v, style: bare}
		if c := l.text[v]; c == ',' || c == '}' {
			s.value, s.end, s.style = i+1, i+1, missing
		} else if c == '"' || c == '\'' || c == '[' || c == '{' {
			var ok bool
			if s.end, s.comment, ok = l.valueEnd(v); !ok {
				return false
			}
			s.style = map[byte]style{'\'': single, '"': double, '[': bracketed, '{': opaque}[c]
		} else {
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
		if i = skip(s.end); i < l.to && l.text[i] == ',' {
			i = skip(i + 1)
		} else if i >= l.to || l.text[i] != '}' {
			return false
		}
	}
	return false
}

// tables finds the fields of TOML, those of [tables] under their names.
func (l *layout) tables() bool {
	var above []string
	for at := l.from; at < l.to; {
		line := lineAt(l.text, at)
		body := strings.TrimLeft(line, " \t")
		n := at + len(line) - len(body)
		switch {
		case body == "" || body[0] == '#':
			at += len(line) + 1
			continue
		case body[0] == '[':
			name, _, _ := strings.Cut(body[1:], "]")
			above = []string{strings.TrimSpace(name)}
			if body[1:] == "" || body[1] == '[' {
				above = []string{"", ""} // a list of tables: nothing in it is edited
			}
			at += len(line) + 1
			continue
		}
		eq := strings.IndexByte(body, '=')
		if eq < 1 {
			return false
		}
		name := strings.TrimSpace(body[:eq])
		if len(name) > 2 && (name[0] == '"' || name[0] == '\'') && name[len(name)-1] == name[0] {
			name = name[1 : len(name)-1]
		}
		v := n + eq + 1
		for v < l.to && (l.text[v] == ' ' || l.text[v] == '\t') {
			v++
		}
		if v >= l.to || l.text[v] == '\n' {
			return false
		}
		s := fieldSpan{from: at, value: v, style: bare}
		switch c := l.text[v]; c {
		case '"', '\'', '[', '{':
			var ok bool
			if s.end, s.comment, ok = l.valueEnd(v); !ok || s.end > l.to {
				return false
			}
			s.style = map[byte]style{'\'': single, '"': double, '[': bracketed, '{': opaque}[c]
			if strings.Contains(l.text[v:s.end], "\n") && s.style != bracketed {
				s.style = folded
			}
		default:
			rest, _, _ := strings.Cut(lineAt(l.text, v), "#")
			s.end = v + len(strings.TrimRight(rest, " \t"))
		}
		s.to = min(s.end+len(lineAt(l.text, s.end))+1, l.to)
		l.add(s, above, name)
		at = s.to
	}
	return true
}

// definitions finds Franklin's: each is looked for on the line it is said to be
// on.
func (l *layout) definitions(defs []markdown.Def) {
	l.prefix = "@def "
	at, on := 0, 1
	for _, d := range defs {
		at += offsetOf(l.text[at:], d.Line-on+1)
		on = d.Line
		line := lineAt(l.text, at)
		rest := strings.TrimLeft(line, " \t")
		if after, ok := strings.CutPrefix(rest, "@def"); ok {
			rest = strings.TrimLeft(after, " \t")
		} else if len(l.spans) == 0 {
			l.prefix = "" // in a block
		}
		after, ok := strings.CutPrefix(rest, d.Name)
		after, eq := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		v := at + len(line) - len(strings.TrimLeft(after, " \t"))
		if !ok || !eq || !strings.HasPrefix(l.text[v:], d.Source) {
			continue
		}
		s := fieldSpan{from: at, value: v, end: v + len(d.Source), style: bare}
		switch {
		case d.Source == "" || d.Value == nil && !strings.HasPrefix(d.Source, "Date"):
			s.style = opaque
		case strings.HasPrefix(d.Source, `"""`):
			s.style = folded
		case d.Source[0] == '"':
			s.style = double
		case d.Source[0] == '[' || d.Source[0] == '(' || strings.HasSuffix(d.Source, "]"):
			s.style, s.comment = bracketed, strings.Contains(d.Source, "#") && strings.Contains(d.Source, "\n")
		}
		s.to = min(s.end+len(lineAt(l.text, s.end))+1, len(l.text))
		l.add(s, nil, d.Name)
	}
}

// valueEnd gives where a quoted or bracketed value ends. note: there are
// comments in it.
func (l *layout) valueEnd(i int) (end int, note, ok bool) {
	s := l.text
	quoted := func(i int) int {
		q := s[i]
		if l.kind == markdown.TOML {
			if three := strings.Repeat(s[i:i+1], 3); strings.HasPrefix(s[i:], three) {
				for k := i + 3; k < l.to; k++ {
					if s[k] == '\\' && q == '"' {
						k++
					} else if strings.HasPrefix(s[k:], three) {
						for k++; strings.HasPrefix(s[k:], three); k++ { // "" inside, at the end
						}
						return k + 2
					}
				}
				return -1
			}
		}
		for k := i + 1; k < l.to; k++ {
			switch {
			case s[k] == '\\' && q == '"':
				k++
			case s[k] == q && q == '\'' && l.kind == markdown.YAML && strings.HasPrefix(s[k+1:], "'"):
				k++
			case s[k] == q:
				return k + 1
			}
		}
		return -1
	}
	if s[i] == '"' || s[i] == '\'' {
		end = quoted(i)
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
				return i + 1, note, true
			}
			start = false
		case ',', ':', '=':
			start = true
		case ' ', '\t', '\n':
		case '"', '\'':
			if start || l.kind != markdown.YAML {
				if i = quoted(i) - 1; i < 0 {
					return 0, false, false
				}
			}
			start = false
		case '#':
			if l.kind == markdown.TOML || l.kind == markdown.YAML && (s[i-1] == ' ' || s[i-1] == '\t' || s[i-1] == '\n') {
				note = true
				i += len(lineAt(s, i)) - 1
			}
		default:
			start = false
		}
	}
	return 0, false, false
}

func lineAt(s string, at int) string {
	if at >= len(s) {
		return ""
	}
	line, _, _ := strings.Cut(s[at:], "\n")
	return line
}
