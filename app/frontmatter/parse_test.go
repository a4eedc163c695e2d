package frontmatter

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
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

func TestLinesOfFields(t *testing.T) {
	lines := func(fs Fields) (out []string) {
		var walk func(above string, fs Fields)
		walk = func(above string, fs Fields) {
			for _, f := range fs {
				out = append(out, fmt.Sprintf("%d %s%s", f.Line, above, f.Name))
				if sub, ok := f.Value.(Fields); ok {
					walk(above+f.Name+".", sub)
				}
				if list, ok := f.Value.([]any); ok {
					for _, v := range list {
						sub, _ := v.(Fields)
						walk(above+f.Name+"[].", sub)
					}
				}
			}
		}
		walk("", fs)
		return out
	}
	for _, c := range []struct {
		kind markdown.FrontKind
		text string
		want string
	}{
		{markdown.TOML, "title = \"draft = 1\"\n\ndraft = true\nx.y = 1\n[extra]\ntitle = 2\nz = {a = 1}\n[[b]]\nc = 1\n[[b]]\nc = 2\n",
			"2 title,4 draft,5 x,5 x.y,6 extra,7 extra.title,8 extra.z,8 extra.z.a,9 b,10 b[].c,10 b[].c"},
		{markdown.JSON, "{\n\"a\": \"b: 1\",\n\"x\": {\n  \"a\": [1,\n {\"b\": null}], \"n\":\n 1.5}, \"a\": 2}",
			"3 a,4 x,5 x.a,6 x.a[].b,6 x.n,7 a"},
		{markdown.YAML, "a: 1\nx:\n  b: 1\n  a: 2\n", "2 a,3 x,4 x.b,5 x.a"},
		{markdown.YAML, "a: 1\nx:\n- b\n- c\n# d\ny: 1\n", "2 a,3 x,7 y"},
	} {
		fs, bad := Parse(markdown.Front{Kind: c.kind, Text: c.text, Line: 2})
		if got := strings.Join(lines(fs), ","); bad != nil || got != c.want {
			t.Errorf("%v %q: %v\n%s\nwant\n%s", c.kind, c.text, bad, got, c.want)
		}
	}
}
