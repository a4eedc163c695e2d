package julia

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAssignments(t *testing.T) {
	date := time.Date(2021, 4, 8, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		source string
		want   any
	}{
		{`"a \"b\" \u00e9"`, `a "b" é`},
		{"\"\"\"\n    one\n      two\n    \"\"\"", "one\n  two\n"},
		{`Date(2021, 4, 8)`, date},
		{`Date(2021,4,8) # c`, date},
		{`Dates.Date("2021-04-08")`, date},
		{`DateTime(2021, 4, 8, 12, 30)`, date.Add(12*time.Hour + 30*time.Minute)},
		{`["a", "b"]  <!-- c -->`, []any{"a", "b"}},
		{"[\n \"a\", # one\n \"b\",\n]", []any{"a", "b"}},
		{`String["a"]`, []any{"a"}},
		{`("a", 1)`, []any{"a", int64(1)}},
		{`("a")`, "a"},
		{`[]`, []any{}},
		{`true`, true},
		{`1_000`, int64(1000)},
		{`-2.5`, -2.5},
		{`:sym`, "sym"},
		{`nothing`, nil},
		{`today()`, nil},
		{`"a" * "b"`, nil},
		{`Date(2021, 13, 8)`, nil},
		{`"unclosed`, nil},
		{`[1, f(2)]`, nil},
	} {
		list := Assignments("x = "+c.source+"\ny = 2", 7)
		if len(list) == 0 || !reflect.DeepEqual(list[0].Value, c.want) || list[0].Line != 7 {
			t.Errorf("%s: got %#v, want %#v", c.source, list, c.want)
			continue
		}
		last := list[len(list)-1]
		if last.Name != "y" || last.Value != int64(2) || last.Line != 8+strings.Count(c.source, "\n") {
			t.Errorf("%s: what follows is %#v", c.source, last)
		}
	}
}

// FuzzAssignments: whatever the source, lines lie within it and rise.
func FuzzAssignments(f *testing.F) {
	f.Add("a = 1 # one\nb = [\"x\", 2 => :y]\n\nc = Date(2020, 1, 2); d = \"\"\"\n  e\n\"\"\"")
	f.Add("x == 2\ny = f(3)\n<!-- z = 1\n")
	f.Fuzz(func(t *testing.T, s string) {
		before := 1
		for _, a := range Assignments(s, 1) {
			if a.Line < before || a.Line > 1+strings.Count(s, "\n") {
				t.Fatalf("%q: %s in line %d, after %d", s, a.Name, a.Line, before)
			}
			if a.Name == "" || !strings.Contains(s, a.Source) {
				t.Fatalf("%q: %#v", s, a)
			}
			before = a.Line
		}
	})
}
