package frontmatter

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

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

// styleOf returns the style of a value that begins with c.
func styleOf(c byte) style {
	switch c {
	case '\'':
		return single
	case '"':
		return double
	case '[':
		return bracketed
	case '{':
		return opaque
	}
	return bare
}

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
	top     int         // TOML: behind the last field that is in no table
	flow    bool        // one {a: b} with commas between the fields
	prefix  string      // of a field on a line of its own: indentation, or "@def "
}

// locate finds the fields of a source, which s was read from. The error is a
// plain reason: there are front matters that can be read but not be changed.
func locate(src []byte, s *markdown.Source) (*layout, error) {
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
			ok = l.locateFlowYAML(l.to - len(first))
		} else {
			ok = l.locateYAML(l.from, l.to, nil)
		}
	case markdown.JSON:
		ok = l.locateJSON()
	case markdown.TOML:
		ok = l.locateTOML()
	case markdown.Julia:
		l.locateJulia(s.Front.Defs)
	}
	if !ok {
		return nil, errors.New("the front matter is written in a way that only its author can change")
	}
	return l, nil
}

// offsetOf returns where a line, from 1, begins.
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

// lineAt returns the rest of the line at an offset, without its end.
func lineAt(s string, at int) string {
	if at >= len(s) {
		return ""
	}
	line, _, _ := strings.Cut(s[at:], "\n")
	return line
}

// skip returns the first offset from i on, before l.to, that holds none of the
// blanks.
func (l *layout) skip(i int, blanks string) int {
	for i < l.to && strings.IndexByte(blanks, l.text[i]) >= 0 {
		i++
	}
	return i
}

// lineEnd returns the offset behind the line of a front matter that i is in.
func (l *layout) lineEnd(i int) int { return min(i+len(lineAt(l.text, i))+1, l.to) }

func (l *layout) add(s fieldSpan, above []string, names ...string) {
	s.path = slices.Concat(above, names)
	l.spans = append(l.spans, s)
}

// find returns the last span of a path, the one that counts; nil if there is
// none.
func (l *layout) find(path []string) *fieldSpan {
	same := func(a, b string) bool { return KeyOf(a) == KeyOf(b) }
	for i := len(l.spans) - 1; i >= 0; i-- {
		if slices.EqualFunc(l.spans[i].path, path, same) {
			return &l.spans[i]
		}
	}
	return nil
}

// locateJSON finds the fields of an object, with the offsets of the standard
// library's tokens.
func (l *layout) locateJSON() bool {
	l.flow = true
	start := l.from
	dec := json.NewDecoder(strings.NewReader(l.text[start:l.to]))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	l.from = start + int(dec.InputOffset())
	for dec.More() {
		from := l.skip(start+int(dec.InputOffset()), " \t\n,")
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return false
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return false
		}
		end := start + int(dec.InputOffset())
		l.add(fieldSpan{from: from, to: end, value: end - len(value), end: end, style: styleOf(value[0])}, nil, name)
	}
	if _, err := dec.Token(); err != nil {
		return false
	}
	l.to = start + int(dec.InputOffset()) - 1
	return true
}

// locateTOML finds the fields of TOML, those of [tables] under their names,
// with the ranges of the library's parser.
func (l *layout) locateTOML() bool {
	p := unstable.Parser{KeepComments: true}
	p.Reset([]byte(l.text[l.from:l.to]))
	var above []string
	l.top = l.from
	for p.NextExpression() {
		e := p.Expression()
		names, end := tomlNames(e)
		switch e.Kind {
		case unstable.Table:
			above = names
		case unstable.ArrayTable:
			above = []string{"", ""} // nothing in it is edited
		case unstable.KeyValue:
			from := l.from + int(e.Raw.Offset)
			s := fieldSpan{from: strings.LastIndexByte(l.text[:from], '\n') + 1, end: from + int(e.Raw.Length)}
			s.to = l.lineEnd(s.end)
			s.value = l.skip(l.skip(l.from+end, " \t")+1, " \t") // behind the =
			s.style, s.comment = styleOf(l.text[s.value]), hasComment(e.Value())
			if s.style != bracketed && strings.Contains(l.text[s.value:s.end], "\n") {
				s.style = folded
			}
			l.add(s, above, names...)
			if above == nil {
				l.top = s.to
			}
		}
	}
	return p.Error() == nil
}

// tomlNames returns the names of an expression (a.b is two) and the offset
// behind them; none of one that has no names.
func tomlNames(e *unstable.Node) (names []string, end int) {
	switch e.Kind {
	case unstable.KeyValue, unstable.Table, unstable.ArrayTable:
		for keys := e.Key(); keys.Next(); {
			names = append(names, string(keys.Node().Data))
			end = int(keys.Node().Raw.Offset + keys.Node().Raw.Length)
		}
	}
	return names, end
}

// hasComment reports a comment among the values of a list.
func hasComment(n *unstable.Node) bool {
	if n.Kind != unstable.Array {
		return n.Kind == unstable.Comment
	}
	for below := n.Children(); below.Next(); {
		if hasComment(below.Node()) {
			return true
		}
	}
	return false
}

// locateJulia finds Franklin's definitions, each on the line it is said to be on.
// One that is not found there is left out: it cannot be changed.
func (l *layout) locateJulia(defs []markdown.Def) {
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
