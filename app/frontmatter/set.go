package frontmatter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// Set returns the source with one field of its front matter changed, and no
// other bytes. A front matter is added where there is none. The value is a
// string, a bool, a time.Time (in the blog's zone), a []string, or nil, which
// takes the field away. Of title, slug, date, tags, summary and draft it finds
// the author's own spelling: `published: false` is a draft too. The error is a
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

// Read reads the front matter of a source that is to be edited. One that is not
// sound is an error, which is a plain reason.
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

// SetDraft returns the source as a draft, or as none, by the fields that are in
// it already if they can say so. given are the fields that the folder adds to
// the source's own. The error is a plain reason.
func SetDraft(src []byte, o markdown.Options, given Fields, draft bool) ([]byte, error) {
	s, own, err := Read(src, o)
	switch {
	case err != nil:
		return nil, err
	case draft == slices.Concat(given, own).IsDraft():
		return src, nil
	case draft:
		name, value := own.draftField(s.Dialect)
		return SetNamed(src, o, name, value)
	}
	for _, way := range []struct {
		meaning Meaning
		value   any // that says it is none
	}{{Draft, false}, {Hidden, false}, {Published, true}, {Status, "published"}} {
		for _, k := range Keys(way.meaning) {
			all := slices.Concat(given, own)
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
		}
	}
	return src, nil
}

// draftField returns the field that a source has for saying that it is a draft,
// else that of its generator, and the value that says so.
func (fs Fields) draftField(d markdown.Dialect) (name string, value any) {
	if f, ok := fs.Find(Draft); ok {
		return f.Name, true
	}
	for _, k := range Keys(Published) {
		if _, flag := fs.Flag(k); flag {
			f, _ := fs.Get(k)
			return f.Name, false
		}
	}
	if f, ok := fs.Find(Status); ok {
		return f.Name, "draft"
	}
	if d == markdown.Jekyll {
		return "published", false
	}
	return "draft", true
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

// SetNamed is Set for the field of exactly this name, or of a path such as
// "taxonomies.tags" that is there already. It tries the ways to write the value,
// the likeliest first, and returns the first that can be verified.
func SetNamed(src []byte, o markdown.Options, name string, value any) ([]byte, error) {
	if err := settable(name, value); err != nil {
		return nil, err
	}
	before, was, err := Read(src, o)
	if err != nil {
		return nil, err
	}
	path := strings.Split(name, ".")
	f, rest, ok := was.without(path)
	if ok && says(f.Value, value) || !ok && value == nil {
		return src, nil // it says so already
	}
	l, err := locate(src, before)
	if err != nil {
		return nil, err
	}
	var edits []edit
	if at := l.find(path); at != nil {
		edits, err = l.change(at, value)
	} else if len(path) > 1 {
		err = fmt.Errorf("there is no field %q", name)
	} else {
		edits = l.insert(name, value)
	}
	if err != nil {
		return nil, err
	}
	v := verifier{options: o, path: path, value: value, before: before, rest: rest}
	for _, e := range edits {
		if out := l.apply(e); v.verify(out) {
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
