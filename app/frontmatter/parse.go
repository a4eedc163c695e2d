package frontmatter

import (
	"cmp"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"go.yaml.in/yaml/v4"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// An Error says where a front matter is broken, in words an author can use.
type Error struct {
	Line int // in the file, from 1
	Text string
}

func (e *Error) Error() string { return e.Text }

// Parse takes a front matter apart. It returns no fields with an error.
func Parse(f markdown.Front) (Fields, *Error) {
	switch f.Kind {
	case markdown.YAML:
		if fs, ok := plainYAML(f.Text, f.Line); ok {
			return fs, nil
		}
		return parseYAML(f.Text, f.Line)
	case markdown.TOML:
		return parseTOML(f.Text, f.Line)
	case markdown.JSON:
		return parseJSON(f.Text, f.Line)
	case markdown.Julia:
		return juliaFields(f.Defs), nil
	}
	return nil, nil
}

// ParseFile takes a configuration file apart that is one front matter as a
// whole. The end of its name says of which kind: .toml, .json, .md (the
// definitions of Franklin's config.md), else YAML.
func ParseFile(name string, src []byte) (Fields, *Error) {
	front := markdown.Front{Kind: markdown.YAML, Text: strings.TrimPrefix(string(src), "\ufeff"), Line: 1}
	switch path.Ext(name) {
	case ".md":
		front = markdown.Read(src, markdown.Options{Dialect: markdown.Franklin, Path: name}).Front
	case ".toml":
		front.Kind = markdown.TOML
	case ".json":
		front.Kind = markdown.JSON
	}
	return Parse(front)
}

// plainYAML reads what most front matters are made of, `name: value` with plain
// and quoted words, flow lists and block lists of them, ten times as fast as
// the library. It declines (false) whatever it is not sure of; what it accepts
// it reads as the library would.
func plainYAML(text string, line int) (Fields, bool) {
	if !isASCII(text) && strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 || r == 0xFEFF
	}) {
		return nil, false // what YAML takes for line ends or refuses
	}
	if strings.Count(text, "\r") != strings.Count(text, "\r\n") {
		return nil, false // as is a carriage return of its own
	}
	list := make(Fields, 0, 8)
	for ; text != ""; line++ {
		var l string
		l, text = cutLine(text)
		if l == "" || l[0] == '#' {
			continue
		}
		n := 0
		for n < len(l) && (isLetter(l[n]) || l[n] == '_' || n > 0 && (l[n] == '-' || l[n] >= '0' && l[n] <= '9')) {
			n++
		}
		if n == 0 || n == len(l) || l[n] != ':' || n+1 < len(l) && l[n+1] != ' ' {
			return nil, false
		}
		f := newField(l[:n], nil, line)
		rest := strings.Trim(l[n+1:], " ")
		var ok bool
		switch {
		case rest == "" || rest[0] == '#':
			var items []any
			if items, text, ok = plainItems(text); !ok {
				return nil, false
			}
			if items != nil {
				f.Value = items
				line += len(items)
			}
		case rest[0] == '[':
			if f.Value, ok = plainFlow(rest); !ok {
				return nil, false
			}
		default:
			if f.Value, ok = plainScalar(rest, false); !ok {
				return nil, false
			}
		}
		// What goes on, indented, on the next line is for the library.
		if next, _ := cutLine(text); next != "" && (next[0] == ' ' || next[0] == '\t' || next[0] == '-') {
			return nil, false
		}
		list = append(list, f)
	}
	return list, true
}

// plainItems reads the block list of scalars that text begins with, nil if there
// is none, and returns what follows it.
func plainItems(text string) (items []any, rest string, ok bool) {
	for text != "" {
		line, after := cutLine(text)
		item, is := strings.CutPrefix(strings.TrimLeft(line, " "), "- ")
		if !is {
			break
		}
		v, ok := plainScalar(strings.Trim(item, " "), false)
		if !ok {
			return nil, "", false
		}
		items, text = append(items, v), after
	}
	return items, text, true
}

// cutLine returns the first line of a text without its end, and the rest.
func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		line, rest = s[:i], s[i+1:]
	} else {
		line = s
	}
	return strings.TrimSuffix(line, "\r"), rest
}

// plainScalar reads a quoted or plain scalar that is whole in s. In a flow list
// (flow) more characters have a meaning.
func plainScalar(s string, flow bool) (any, bool) {
	if s == "" {
		return nil, !flow
	}
	for i := range len(s) {
		if s[i] < ' ' {
			return nil, false
		}
	}
	switch s[0] {
	case '\'', '"':
		end := strings.IndexByte(s[1:], s[0]) + 1
		if end <= 0 || strings.IndexByte(s[1:end], '\\') >= 0 {
			return nil, false
		}
		if end != len(s)-1 {
			return nil, false // a doubled quote, a comment: the library knows
		}
		return s[1:end], true
	case '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '%', '@', '`', '~', '.', '=', '<':
		return nil, false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") || s[len(s)-1] == ':' {
		return nil, false
	}
	if flow && strings.ContainsAny(s, "[]{}:\"'") {
		return nil, false
	}
	switch s {
	case "null", "Null", "NULL": // YAML 1.2, 10.3.2; nothing else is
		return nil, true
	}
	return s, true
}

// plainFlow reads a flow list of scalars that is whole in s.
func plainFlow(s string) (any, bool) {
	if s[len(s)-1] != ']' {
		return nil, false
	}
	s = strings.Trim(s[1:len(s)-1], " ")
	items := []any{}
	for s != "" {
		var item string
		if q := s[0]; q == '"' || q == '\'' {
			end := strings.IndexByte(s[1:], q)
			if end < 0 {
				return nil, false
			}
			item, s = s[:end+2], strings.TrimLeft(s[end+2:], " ")
			if s != "" && s[0] != ',' {
				return nil, false
			}
			s = strings.TrimPrefix(s, ",")
		} else {
			item, s, _ = strings.Cut(s, ",")
		}
		v, ok := plainScalar(strings.Trim(item, " "), true)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		s = strings.TrimLeft(s, " ")
	}
	return items, true
}

// maxNodes bounds the nodes of a front matter, which aliases of YAML can
// multiply.
const maxNodes = 10000

func parseYAML(text string, line int) (Fields, *Error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		at, why := yamlError(err)
		return nil, &Error{line + max(at, 1) - 1, why}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
			return nil, nil
		}
		return nil, &Error{line, "front matter is not a list of `name: value` lines"}
	}
	budget := maxNodes
	m, _ := yamlValue(root, line, &budget).(Fields)
	if budget <= 0 {
		return nil, &Error{line, "front matter is too large"}
	}
	return m, nil
}

// yamlValue converts a node. Each node takes one from budget; at 0 the rest is
// left out.
func yamlValue(n *yaml.Node, line int, budget *int) any {
	if *budget--; *budget <= 0 {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return yamlValue(n.Alias, line, budget)
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return nil
		}
		return n.Value
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			list = append(list, yamlValue(c, line, budget))
		}
		return list
	case yaml.MappingNode:
		list := make(Fields, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			list = append(list, newField(k.Value, yamlValue(n.Content[i+1], line, budget), line+k.Line-1))
		}
		return list
	}
	return nil
}

var yamlLine = lazyregexp.New(`line (\d+)`)

// yamlError returns the line, from 1 (0: not known), and the reason of an error
// of the library in words an author can use.
func yamlError(err error) (line int, why string) {
	why = err.Error()
	var one *yaml.LoadError
	if errors.As(err, &one) {
		line = one.Mark.Line
	}
	if m := yamlLine().FindStringSubmatch(why); m != nil && line == 0 {
		line, _ = strconv.Atoi(m[1])
	}
	if i := strings.LastIndex(why, ": "); i >= 0 {
		why = why[i+2:]
	}
	switch {
	case strings.Contains(why, "mapping values are not allowed"):
		why = "a value with a colon in it needs quotes"
	case strings.Contains(why, "cannot start any token"):
		why = "a value that begins with a special character needs quotes"
	}
	return line, "front matter is not YAML: " + why
}

func parseTOML(text string, line int) (Fields, *Error) {
	var m map[string]any
	if err := toml.Unmarshal([]byte(text), &m); err != nil {
		at, why := 1, err.Error()
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			at, _ = bad.Position()
			why = strings.TrimPrefix(why, "toml: ")
		}
		return nil, &Error{line + at - 1, "front matter is not TOML: " + why}
	}
	return tomlTable(m, nil, tomlLines(text, line), line), nil
}

// tomlPath makes one key of the names of a field and of the tables it is in.
func tomlPath(names []string) string { return strings.Join(names, "\x00") }

// tomlLines returns the line on which each field and table is first defined, by
// its tomlPath.
func tomlLines(text string, line int) map[string]int {
	if lines, ok := plainTOMLLines(text, line); ok {
		return lines
	}
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset([]byte(text))
	var above []string
	at := 0 // line is that of
	for p.NextExpression() {
		e := p.Expression()
		names, end := tomlNames(e)
		line += strings.Count(text[at:end], "\n")
		at = end
		path := slices.Concat(above, names)
		if e.Kind != unstable.KeyValue {
			above, path = names, names
		}
		for n := len(path); n > 0; n-- {
			if key := tomlPath(path[:n]); lines[key] == 0 {
				lines[key] = line
			}
		}
	}
	return lines
}

// plainTOMLLines does what tomlLines does for what most front matters are made
// of, `name = value` in one line each, several times as quickly. It declines
// (false) everything else.
func plainTOMLLines(text string, line int) (map[string]int, bool) {
	lines := make(map[string]int, 8)
	for ; text != ""; line++ {
		var l string
		l, text = cutLine(text)
		l = strings.TrimRight(l, " \t")
		if l == "" || l[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(l, "=")
		name, value = strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t")
		if !ok || name == "" || value == "" || strings.ContainsFunc(name, func(r rune) bool { return !isBareTOML(r) }) {
			return nil, false
		}
		switch last := value[len(value)-1]; value[0] {
		case '[', '{':
			if last != ']' && last != '}' {
				return nil, false
			}
		case '"', '\'':
			if strings.HasPrefix(value, `"""`) || strings.HasPrefix(value, "'''") {
				return nil, false
			}
		}
		lines[name] = line
	}
	return lines, true
}

// isBareTOML reports what a name without quotes is made of.
func isBareTOML(r rune) bool {
	return r < utf8.RuneSelf && isLetter(byte(r)) || r >= '0' && r <= '9' || r == '_' || r == '-'
}

// tomlTable converts a table to fields in the order of their lines. path are the
// names it is under; what has no line of its own, as in {a = 1}, is on that of
// the table.
func tomlTable(m map[string]any, path []string, lines map[string]int, line int) Fields {
	list := make(Fields, 0, len(m))
	for name, v := range m {
		path := append(path[:len(path):len(path)], name)
		at := cmp.Or(lines[tomlPath(path)], line)
		list = append(list, newField(name, tomlValue(v, path, lines, at), at))
	}
	slices.SortFunc(list, func(a, b Field) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Name, b.Name))
	})
	return list
}

func tomlValue(v any, path []string, lines map[string]int, line int) any {
	switch v := v.(type) {
	case map[string]any:
		return tomlTable(v, path, lines, line)
	case []any:
		for i := range v {
			v[i] = tomlValue(v[i], path, lines, line)
		}
	}
	return v
}

func parseJSON(text string, line int) (Fields, *Error) {
	var m map[string]any
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&m); err != nil {
		at := int64(len(text))
		var syn *json.SyntaxError
		var typ *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syn):
			at = min(at, syn.Offset)
		case errors.As(err, &typ):
			at = min(at, typ.Offset)
		}
		return nil, &Error{line + strings.Count(text[:at], "\n"), "front matter is not JSON: " + err.Error()}
	}
	r := jsonReader{dec: json.NewDecoder(strings.NewReader(text)), text: text, line: line}
	r.dec.UseNumber()
	fs, _ := r.value().(Fields)
	return fs, nil
}

// A jsonReader converts the tokens of a sound text.
type jsonReader struct {
	dec  *json.Decoder
	text string
	at   int64 // what line is that of
	line int
}

func (r *jsonReader) value() any {
	t, _ := r.dec.Token()
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return r.object()
		}
		list := []any{}
		for r.dec.More() {
			list = append(list, r.value())
		}
		r.dec.Token()
		return list
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n
		}
		return t.String()
	}
	return t
}

func (r *jsonReader) object() Fields {
	list := Fields{}
	for r.dec.More() {
		name, _ := r.dec.Token()
		now := r.dec.InputOffset()
		r.line += strings.Count(r.text[r.at:now], "\n")
		r.at = now
		f := newField(name.(string), nil, r.line)
		f.Value = r.value()
		list = append(list, f)
	}
	r.dec.Token()
	return list
}

// juliaFields converts the definitions of a Franklin page. Of an expression
// only a date has a value: its source, see ParseDate.
func juliaFields(defs []markdown.Def) Fields {
	list := make(Fields, 0, len(defs))
	for _, d := range defs {
		v := d.Value
		if s, ok := v.(string); ok {
			v = strings.TrimSpace(s)
		}
		if v == nil && strings.HasPrefix(d.Source, "Date") {
			v = d.Source
		}
		list = append(list, newField(d.Name, v, d.Line))
	}
	return list
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
