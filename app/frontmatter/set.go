package frontmatter

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// Editing a field of a front matter changes the bytes of that field and no
// others: comments, order, line ends, quotes and unknown fields stay. Nothing
// is encoded again. The field's place is found, the new value is written there
// in the manner of the old one, and the result is read again: it counts only
// if this field says what it should and all others what they said. What cannot
// be proved so (anchors, tags, values of an unusual form) is refused.

// Set gives the source with one field of its front matter changed. A
// front matter is added where there is none. The value is a string, a bool, a
// time.Time (in the blog's zone), a []string, or nil, which takes the field
// away. Of the fields title, slug, date, tags, summary and draft it finds the
// author's own spelling: `published: false` is a draft too. The error is a
// plain reason.
func Set(src []byte, o markdown.Options, name string, value any) ([]byte, error) {
	if draft, ok := value.(bool); ok && KeyOf(name) == "draft" {
		return SetDraft(src, o, nil, draft)
	}
	s, fs, err := Read(src, o)
	if err != nil {
		return nil, err
	}
	return SetNamed(src, o, fs.NameOf(name, s.Dialect), value)
}

// Read reads the front matter of a source that is to be edited: it must be
// sound.
func Read(src []byte, o markdown.Options) (*markdown.Source, Fields, error) {
	if !utf8.Valid(src) {
		return nil, nil, errors.New("the text is not UTF-8")
	}
	s := markdown.Read(src, o)
	for _, p := range s.Problems {
		if !p.Warning {
			return nil, nil, errors.New(p.Text)
		}
	}
	fs, bad := Parse(s.Front)
	if bad != nil {
		return nil, nil, bad
	}
	return s, fs, nil
}

// SetDraft makes a source a draft, or not. given are the fields that the
// folder adds to the source's own.
func SetDraft(src []byte, o markdown.Options, given Fields, draft bool) ([]byte, error) {
	s, own, err := Read(src, o)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(given, own)
	if draft == all.IsDraft() {
		return src, nil
	}
	if draft {
		if f, ok := own.Find(Draft); ok {
			return SetNamed(src, o, f.Name, true)
		}
		for _, k := range Keys(Published) {
			if _, flag := own.Flag(k); flag {
				f, _ := own.Get(k)
				return SetNamed(src, o, f.Name, false)
			}
		}
		if f, ok := own.Find(Status); ok {
			return SetNamed(src, o, f.Name, "draft")
		}
		if s.Dialect == markdown.Jekyll {
			return SetNamed(src, o, "published", false)
		}
		return SetNamed(src, o, "draft", true)
	}
	for _, way := range []struct {
		meaning Meaning
		value   any // that says it is none
	}{{Draft, false}, {Hidden, false}, {Published, true}, {Status, "published"}} {
		for _, k := range Keys(way.meaning) {
			f, ok := all.Get(k)
			if !ok || !(Fields{f}).IsDraft() || !all.IsDraft() {
				continue
			}
			if src, err = SetNamed(src, o, f.Name, way.value); err != nil {
				return nil, err
			}
			if _, own, err = Read(src, o); err != nil {
				return nil, err
			}
			all = slices.Concat(given, own)
		}
	}
	return src, nil
}

// ClearDraft takes away the fields that say whether a source is a draft. The
// error is a plain reason.
func ClearDraft(src []byte, o markdown.Options) ([]byte, error) {
	for _, k := range slices.Concat(Keys(Draft), Keys(Published), Keys(Status)) {
		_, own, err := Read(src, o)
		if err != nil {
			return nil, err
		}
		f, ok := own.Get(k)
		_, flag := own.Flag(k)
		if !ok || !flag && !(Fields{f}).IsDraft() {
			continue
		}
		if src, err = SetNamed(src, o, f.Name, nil); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// SetNamed sets the field of a name, or of a path "taxonomies.tags", that must
// then be there already. It tries the ways to write the value, the likeliest
// first, and gives the first one that is proved.
func SetNamed(src []byte, o markdown.Options, name string, value any) ([]byte, error) {
	if err := settable(name, value); err != nil {
		return nil, err
	}
	before, was, err := Read(src, o)
	if err != nil {
		return nil, err
	}
	p := verification{o: o, path: strings.Split(name, "."), value: value, source: before, rest: was}
	if f, ok := p.cut(&p.rest); ok && p.says(f.Value) || !ok && value == nil {
		return src, nil // it says so already
	}
	l, err := locate(src, before)
	if err != nil {
		return nil, err
	}
	var edits []edit
	if at := l.find(p.path); at != nil {
		edits, err = l.change(at, value)
	} else if len(p.path) > 1 {
		err = fmt.Errorf("there is no field %q", name)
	} else {
		edits = l.insert(name, value)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if out := l.apply(e); p.holds(out) {
			return out, nil
		}
	}
	return nil, fmt.Errorf("field %q is written in a way that only its author can change", markdown.Clean(name))
}

var fieldName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63})?$`)

// settable refuses what no front matter should hold.
func settable(name string, value any) error {
	if !fieldName().MatchString(name) {
		return fmt.Errorf("field %q cannot be changed here", markdown.Shorten(markdown.Clean(name), 60))
	}
	texts, _ := value.([]string)
	switch v := value.(type) {
	case nil, bool, []string:
	case string:
		texts = []string{v}
	case time.Time:
		if v.Year() < 1 || v.Year() > 9999 {
			return fmt.Errorf("%s: the year %d is out of reach", name, v.Year())
		}
	default:
		return fmt.Errorf("%s: a value of type %T cannot be written", name, value)
	}
	for _, s := range texts {
		if s != markdown.Clean(s) || s != strings.TrimSpace(s) {
			return fmt.Errorf("%s: the text has blanks at its ends or control characters", name)
		}
	}
	return nil
}

// A verification says what must hold of a source after a field was changed.
type verification struct {
	o      markdown.Options
	path   []string
	value  any
	source *markdown.Source
	rest   Fields // what was there, without the field
}

// cut takes the field of the path away, the last one of its name: it is the one
// that counts.
func (p *verification) cut(list *Fields) (Field, bool) {
	at := func(fs Fields, name string) int {
		for i := len(fs) - 1; i >= 0; i-- {
			if fs[i].Key == KeyOf(name) {
				return i
			}
		}
		return -1
	}
	fs := slices.Clone(*list)
	i := at(fs, p.path[0])
	if i < 0 {
		return Field{}, false
	}
	f := fs[i]
	if len(p.path) == 1 {
		*list = slices.Delete(fs, i, i+1)
		return f, true
	}
	below, _ := f.Value.(Fields)
	k := at(below, p.path[1])
	if k < 0 {
		return Field{}, false
	}
	f = below[k]
	fs[i].Value = slices.Delete(slices.Clone(below), k, k+1)
	*list = fs
	return f, true
}

// says reports whether a value that was read is the one that was to be written.
func (p *verification) says(v any) bool {
	switch want := p.value.(type) {
	case nil:
		return false
	case bool:
		yes, set := Fields{{Key: "x", Value: v}}.Flag("x")
		return set && yes == want
	case time.Time:
		t, err := Field{Value: v}.Date(want.Location())
		return err == nil && t.Equal(want)
	case string:
		if v == nil {
			return want == ""
		}
		s, ok := v.(string)
		return ok && s == want
	case []string:
		list, ok := v.([]any)
		return ok && slices.EqualFunc(list, want, func(a any, b string) bool { return a == b })
	}
	return false
}

// holds reads the changed source and compares.
func (p *verification) holds(out []byte) bool {
	after, now, err := Read(out, p.o)
	if err != nil || after.Dialect != p.source.Dialect || after.Heading != p.source.Heading ||
		p.source.Front.Kind != markdown.NoFront && after.Front.Kind != p.source.Front.Kind {
		return false
	}
	if after.Front.Kind != markdown.Julia {
		body := after.Body
		if p.source.Front.Kind == markdown.NoFront && !bytes.HasPrefix(p.source.Body, []byte("\n")) {
			body = bytes.TrimPrefix(body, []byte("\n")) // it was added with the front matter
		}
		if !bytes.Equal(body, p.source.Body) {
			return false
		}
	}
	f, there := p.cut(&now)
	return there == (p.value != nil) && (!there || p.says(f.Value)) && fieldsAgree(p.rest, now)
}

// fieldsAgree compares names and values. The order counts only among fields of
// one name.
func fieldsAgree(a, b Fields) bool {
	byName := func(fs Fields) Fields {
		fs = slices.Clone(fs)
		slices.SortStableFunc(fs, func(x, y Field) int { return strings.Compare(x.Key, y.Key) })
		return fs
	}
	return slices.EqualFunc(byName(a), byName(b), func(x, y Field) bool { return x.Name == y.Name && sameValue(x.Value, y.Value) })
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case Fields:
		b, ok := b.(Fields)
		return ok && fieldsAgree(a, b)
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
