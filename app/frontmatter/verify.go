package frontmatter

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"sheaf/app/markdown"
)

// A verifier knows what must hold of a source after one field was changed.
type verifier struct {
	options markdown.Options
	path    []string // of the field
	value   any      // it must have; nil: it must be gone
	before  *markdown.Source
	rest    Fields // what was there, without the field
}

// verify reads the changed source and reports whether the field has its new
// value and everything else is as it was: the kind of the front matter, all
// other fields, the text.
func (v *verifier) verify(out []byte) bool {
	after, fs, err := Read(out, v.options)
	if err != nil || after.Dialect != v.before.Dialect || after.Heading != v.before.Heading ||
		v.before.Front.Kind != markdown.NoFront && after.Front.Kind != v.before.Front.Kind {
		return false
	}
	if after.Front.Kind != markdown.Julia {
		body := after.Body
		if v.before.Front.Kind == markdown.NoFront && !bytes.HasPrefix(v.before.Body, []byte("\n")) {
			body = bytes.TrimPrefix(body, []byte("\n")) // it was added with the front matter
		}
		if !bytes.Equal(body, v.before.Body) {
			return false
		}
	}
	f, rest, there := fs.without(v.path)
	return there == (v.value != nil) && (!there || says(f.Value, v.value)) && sameFields(v.rest, rest)
}

// without returns the field of a path of one or two names, and the others. Of
// several with one name it takes the last, which is the one that counts.
func (fs Fields) without(path []string) (Field, Fields, bool) {
	i := fs.last(path[0])
	if i < 0 {
		return Field{}, fs, false
	}
	rest := slices.Clone(fs)
	if len(path) == 1 {
		return fs[i], slices.Delete(rest, i, i+1), true
	}
	below, _ := fs[i].Value.(Fields)
	f, others, ok := below.without(path[1:])
	rest[i].Value = others
	if !ok {
		return Field{}, fs, false
	}
	return f, rest, true
}

func (fs Fields) last(name string) int {
	key := KeyOf(name)
	for i := len(fs) - 1; i >= 0; i-- {
		if fs[i].Key == key {
			return i
		}
	}
	return -1
}

// says reports whether a value that was read is the one that was to be written.
func says(value, want any) bool {
	switch want := want.(type) {
	case nil:
		return false
	case bool:
		yes, set := Fields{{Key: "x", Value: value}}.Flag("x")
		return set && yes == want
	case time.Time:
		t, err := Field{Value: value}.Date(want.Location())
		return err == nil && t.Equal(want)
	case string:
		if value == nil {
			return want == ""
		}
		s, ok := value.(string)
		return ok && s == want
	case []string:
		list, ok := value.([]any)
		return ok && slices.EqualFunc(list, want, func(a any, b string) bool { return a == b })
	}
	return false
}

// sameFields compares names and values. The order counts only among fields of
// one name.
func sameFields(a, b Fields) bool {
	byName := func(fs Fields) Fields {
		fs = slices.Clone(fs)
		slices.SortStableFunc(fs, func(x, y Field) int { return strings.Compare(x.Key, y.Key) })
		return fs
	}
	same := func(x, y Field) bool { return x.Name == y.Name && sameValue(x.Value, y.Value) }
	return slices.EqualFunc(byName(a), byName(b), same)
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case Fields:
		b, ok := b.(Fields)
		return ok && sameFields(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	}
	return reflect.DeepEqual(a, b)
}
