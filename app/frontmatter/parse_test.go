package frontmatter

import (
	"reflect"
	"slices"
	"testing"

	"sheaf/app/markdown"
)

// FuzzYAML holds the quick reader of YAML against the library: what it accepts
// it must understand in the same way.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"title: Hello\ndate: 2021-04-08\ntags: [a, b]\n", "title: \"x\"\ntags:\n- a\n- b c\ndraft: true\n", "a: b: c\n", "a:\n  b: c\n",
		"title: 'it''s'\n", "x: [a, 'b, c', \"d\"]\n", "x: ~\ny: null\nz:\n", "x: |\n  text\n", "&a x: *a\n", "x: a # b\n", "x: a\n  b\n", "x: [a,, b]\n",
		"x: -1\ny: - 1\nz: [-, a]\n", "x: .5\n? y\n", "x: a\u0085b\n", "x: [a\n, b]\n", "x: \"a\" b\n", "#\r:", "x: nulL\ny: NULL\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quick, ok := plainYAML(text, 1)
		if !ok {
			return
		}
		slow, bad := parseYAML(text, 1)
		// The library returns the last of two equal names as well.
		same := func(x, y Field) bool { return x.Name == y.Name && reflect.DeepEqual(x.Value, y.Value) }
		if bad == nil && !slices.EqualFunc(quick, slow, same) {
			t.Errorf("%q: quick %v, library %v", text, quick, slow)
		}
	})
}

// FuzzParse: any text is fields or an error with a line in it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"title: Hello\ndate: 2021-04-08\n", "a: b: c\n", "&a x: *a\n", "title = \"t\"\n[extra]\na = 1\n", "a = 1\nb =",
		"{\"a\": [1, 2, {\"b\": null}]}", "{\"a\": 1", "a: &a [*a]\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []markdown.FrontKind{markdown.YAML, markdown.TOML, markdown.JSON} {
			fs, bad := Parse(markdown.Front{Kind: kind, Text: text, Line: 2})
			if bad != nil && (bad.Line < 2 || bad.Line > 2+len(text) || bad.Text == "" || fs != nil) {
				t.Errorf("kind %v: %q: %+v, %v", kind, text, bad, fs)
			}
			for _, f := range fs {
				if f.Key != KeyOf(f.Name) || f.Line < 2 {
					t.Errorf("kind %v: %q: %+v", kind, text, f)
				}
			}
		}
	})
}
