package blog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v4"

	"sheaf/app/markdown"
)

// A field is one definition of a front matter. Scalars of YAML are the text
// the author wrote (so that a version of 1.10 and a country of "no" stay what
// they are); TOML, JSON and Julia give typed values.
type field struct {
	name  string // as written
	key   string // lower case without _ and -: the name synonyms are known by
	value any    // string bool int64 float64 time.Time []any []field nil, toml's local dates
	line  int    // in the file, from 1; 0: not known
}

type fields []field

// fieldError says where a front matter is broken.
type fieldError struct {
	line int
	text string
}

func (e *fieldError) Error() string { return e.text }

// parseFields takes a front matter apart. What was understood before an error
// is given with it.
func parseFields(f markdown.Front) (fields, *fieldError) {
	switch f.Kind {
	case markdown.YAML:
		if list, ok := plainYAML(f.Text, f.Line); ok {
			return list, nil
		}
		return libraryYAML(f.Text, f.Line)
	case markdown.TOML:
		return tomlFields(f.Text, f.Line)
	case markdown.JSON:
		return jsonFields(f.Text, f.Line)
	case markdown.Julia:
		return juliaFields(f.Defs), nil
	}
	return nil, nil
}

// normal brings a field's name to its key.
func normal(name string) string {
	for i := range len(name) {
		if c := name[i]; c < 'a' || c > 'z' {
			return strings.Map(func(r rune) rune {
				if r == '_' || r == '-' || r == ' ' {
					return -1
				}
				return r
			}, strings.ToLower(name))
		}
	}
	return name
}

// get gives the first of the keys, in their order, that has a value.
func (fs fields) get(keys ...string) (field, bool) {
	for _, k := range keys {
		// The last definition counts, as it does in every generator.
		for i := len(fs) - 1; i >= 0; i-- {
			if fs[i].key == k && fs[i].value != nil && fs[i].value != "" {
				return fs[i], true
			}
		}
	}
	return field{}, false
}

func (fs fields) text(keys ...string) string {
	for _, k := range keys {
		if f, ok := fs.get(k); ok {
			if s := strings.TrimSpace(scalar(f.value)); s != "" {
				return s
			}
		}
	}
	return ""
}

// flag gives a yes or no; set is false when the value is neither.
func (fs fields) flag(key string) (yes, set bool) {
	f, ok := fs.get(key)
	if !ok {
		return false, false
	}
	switch v := f.value.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes", "on", "1", "y":
			return true, true
		case "false", "no", "off", "0", "n":
			return false, true
		}
	}
	return false, false
}

// words gives a list of strings: a list, or one string with commas, or with
// blanks where there is no comma.
func (fs fields) words(key string) []string {
	f, ok := fs.get(key)
	if !ok {
		return nil
	}
	if s, ok := f.value.(string); ok {
		if strings.Contains(s, ",") {
			return trimAll(strings.Split(s, ","))
		}
		return strings.Fields(s)
	}
	return flat(f.value)
}

// names is words for what has blanks inside: authors, addresses.
func (fs fields) names(key string) []string {
	f, ok := fs.get(key)
	if !ok {
		return nil
	}
	if s, ok := f.value.(string); ok {
		if strings.Contains(s, ",") && !strings.Contains(s, "<") {
			return trimAll(strings.Split(s, ","))
		}
		return trimAll([]string{s})
	}
	return flat(f.value)
}

func trimAll(list []string) []string {
	out := list[:0]
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// flat gives the strings of a list; of maps in it, their name.
func flat(v any) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, flat(x)...)
		}
		return out
	case []field:
		if s := fields(v).text("name", "title", "value", "label", "slug"); s != "" {
			return []string{s}
		}
		return nil
	case nil:
		return nil
	default:
		return trimAll([]string{scalar(v)})
	}
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case time.Time:
		return v.Format(time.RFC3339)
	case fmt.Stringer: // toml's local dates and times
		return v.String()
	}
	return ""
}

// sub gives the fields of a nested table, none when there is none.
func (fs fields) sub(key string) fields {
	f, _ := fs.get(key)
	m, _ := f.value.([]field)
	return m
}

func newField(name string, value any, line int) field {
	return field{name: name, key: normal(name), value: value, line: line}
}

// plainYAML reads what most front matters are made of, `key: value`, flow lists and
// block lists of plain or quoted words, an order of magnitude quicker than
// the library. It declines (false) whatever it is not sure of.
func plainYAML(text string, line int) (fields, bool) {
	if !isASCII(text) && strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 || r == 0xFEFF
	}) {
		return nil, false // what YAML takes for line ends or refuses
	}
	if strings.Count(text, "\r") != strings.Count(text, "\r\n") {
		return nil, false // as is a carriage return of its own
	}
	list := make(fields, 0, 8)
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
			for {
				peek, after := cutLine(text)
				item := strings.TrimLeft(peek, " ")
				if text == "" || !strings.HasPrefix(item, "- ") {
					break
				}
				s, ok := plainScalar(strings.Trim(item[2:], " "), false)
				if !ok {
					return nil, false
				}
				items = append(items, s)
				text, line = after, line+1
			}
			if items != nil {
				f.value = items
			}
		case rest[0] == '[':
			if f.value, ok = plainFlow(rest); !ok {
				return nil, false
			}
		default:
			if f.value, ok = plainScalar(rest, false); !ok {
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

func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		line, rest = s[:i], s[i+1:]
	} else {
		line = s
	}
	return strings.TrimSuffix(line, "\r"), rest
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// plainScalar reads a quoted or plain scalar that is whole in s.
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
	case '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '%', '@', '`':
		return nil, false
	case '~', '.', '=', '<':
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

func libraryYAML(text string, line int) (fields, *fieldError) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		at, why := yamlError(err)
		return nil, &fieldError{line + max(at, 1) - 1, why}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
			return nil, nil
		}
		return nil, &fieldError{line, "front matter is not a list of `name: value` lines"}
	}
	budget := 10000
	m, _ := yamlValue(root, line, &budget).([]field)
	if budget <= 0 {
		return nil, &fieldError{line, "front matter is too large"}
	}
	return m, nil
}

// yamlValue brings a node to a value; budget bounds what aliases can blow up.
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
		list := make([]field, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			list = append(list, newField(k.Value, yamlValue(n.Content[i+1], line, budget), line+k.Line-1))
		}
		return list
	}
	return nil
}

var yamlLine = pattern(`line (\d+)`)

// yamlError gives the line and the reason of the library's error in words an
// author can use.
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

func tomlFields(text string, line int) (fields, *fieldError) {
	var m map[string]any
	if err := toml.Unmarshal([]byte(text), &m); err != nil {
		at, why := 1, err.Error()
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			at, _ = bad.Position()
			why = strings.TrimPrefix(why, "toml: ")
		}
		return nil, &fieldError{line + at - 1, "front matter is not TOML: " + why}
	}
	return mapFields(m, text, line), nil
}

func jsonFields(text string, line int) (fields, *fieldError) {
	var m map[string]any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		at := int64(len(text))
		var syn *json.SyntaxError
		var typ *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syn):
			at = min(at, syn.Offset)
		case errors.As(err, &typ):
			at = min(at, typ.Offset)
		}
		return nil, &fieldError{line + strings.Count(text[:at], "\n"), "front matter is not JSON: " + err.Error()}
	}
	return mapFields(m, text, line), nil
}

// mapFields gives the entries of a map in the order of their lines, which are
// found by their names.
func mapFields(m map[string]any, text string, line int) fields {
	list := make(fields, 0, len(m))
	for name, v := range m {
		list = append(list, newField(name, plainValue(v, text, line), line+lineOf(text, name)))
	}
	slices.SortFunc(list, func(a, b field) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.name, b.name)
	})
	return list
}

func plainValue(v any, text string, line int) any {
	switch v := v.(type) {
	case map[string]any:
		return []field(mapFields(v, text, line))
	case []any:
		for i := range v {
			v[i] = plainValue(v[i], text, line)
		}
		return v
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainValue(v[i], text, line)
		}
		return list
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		return v.String()
	case int:
		return int64(v)
	}
	return v
}

// lineOf finds the line, from 0, that defines name.
func lineOf(text, name string) int {
	for i := 0; text != ""; i++ {
		var l string
		l, text = cutLine(text)
		l = strings.TrimLeft(l, " \t[{\"'")
		if after, ok := strings.CutPrefix(l, name); ok {
			if after = strings.TrimLeft(after, " \t\"'"); after == "" || after[0] == ':' || after[0] == '=' || after[0] == ']' {
				return i
			}
		}
	}
	return 0
}

func juliaFields(defs []markdown.Def) fields {
	list := make(fields, 0, len(defs))
	for _, d := range defs {
		v := d.Value
		if s, ok := v.(string); ok {
			v = strings.TrimSpace(s)
		}
		if v == nil && bytes.HasPrefix([]byte(d.Source), []byte("Date")) {
			v = d.Source // a date this room may still understand
		}
		list = append(list, newField(d.Name, v, d.Line))
	}
	return list
}
