package frontmatter

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Field is one definition of a front matter. Scalars of YAML are the text
// the author wrote, so that a version of 1.10 and a country of "no" stay what
// they are; TOML, JSON and Julia have typed values.
type Field struct {
	Name  string // as written
	Key   string // its short form, see KeyOf
	Value any    // string bool int64 float64 time.Time []any Fields nil, TOML's local dates and times
	Line  int    // in the file, from 1; 0: not known
}

// NewField makes a field that stands in no file.
func NewField(name string, value any) Field { return newField(name, value, 0) }

func newField(name string, value any, line int) Field {
	return Field{Name: name, Key: KeyOf(name), Value: value, Line: line}
}

// String returns a scalar as text, "" for everything else.
func (f Field) String() string { return scalar(f.Value) }

// List returns the texts of a list, of tables in it their names, and of a
// scalar itself.
func (f Field) List() []string { return flat(f.Value) }

// Int returns a whole number, of a text the figures that it begins with, and 0
// for everything else.
func (f Field) Int() int64 {
	switch v := f.Value.(type) {
	case int64:
		return v
	case string:
		n, _ := number(v)
		return int64(n)
	}
	return 0
}

// Fields is a front matter, or a table in one, in the order of the file. A name
// may stand in it twice.
type Fields []Field

// Get returns the first of the keys, in their order, that has a value. Of
// several fields with one key the last counts, as in every generator.
func (fs Fields) Get(keys ...string) (Field, bool) {
	for _, k := range keys {
		for i := len(fs) - 1; i >= 0; i-- {
			if fs[i].Key == k && fs[i].Value != nil && fs[i].Value != "" {
				return fs[i], true
			}
		}
	}
	return Field{}, false
}

// Text returns the first of the keys, in their order, that has a scalar value
// which is not blank; "" if none has.
func (fs Fields) Text(keys ...string) string {
	for _, k := range keys {
		if f, ok := fs.Get(k); ok {
			if s := strings.TrimSpace(scalar(f.Value)); s != "" {
				return s
			}
		}
	}
	return ""
}

// Flag returns a yes or no; set is false when the value is neither.
func (fs Fields) Flag(key string) (yes, set bool) {
	f, ok := fs.Get(key)
	if !ok {
		return false, false
	}
	switch v := f.Value.(type) {
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

// Words returns a list of words: a list, or one text with commas between them,
// or with blanks if it has no comma.
func (fs Fields) Words(key string) []string {
	f, ok := fs.Get(key)
	if !ok {
		return nil
	}
	if s, ok := f.Value.(string); ok {
		if strings.Contains(s, ",") {
			return trimAll(strings.Split(s, ","))
		}
		return strings.Fields(s)
	}
	return flat(f.Value)
}

// Names returns a list of texts that may have blanks inside, such as people and
// addresses: a list, or one text with commas between them.
func (fs Fields) Names(key string) []string {
	f, ok := fs.Get(key)
	if !ok {
		return nil
	}
	if s, ok := f.Value.(string); ok {
		if strings.Contains(s, ",") && !strings.Contains(s, "<") {
			return trimAll(strings.Split(s, ","))
		}
		return trimAll([]string{s})
	}
	return flat(f.Value)
}

// Sub returns the fields of a table, nil when there is none of that name.
func (fs Fields) Sub(key string) Fields {
	f, _ := fs.Get(key)
	m, _ := f.Value.(Fields)
	return m
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

func flat(v any) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, flat(x)...)
		}
		return out
	case Fields:
		if s := v.Text("name", "title", "value", "label", "slug"); s != "" {
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
	case fmt.Stringer: // TOML's local dates and times
		return v.String()
	}
	return ""
}
