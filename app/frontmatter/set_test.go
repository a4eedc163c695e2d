package frontmatter

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"sheaf/app/markdown"
)

func TestSet(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, berlin)
	nine := time.Date(2026, 12, 1, 9, 0, 0, 0, berlin)
	for _, c := range []struct {
		name, in, field string
		value           any
		out             string // "": refused
		kind            markdown.Dialect
	}{
		{"block", "---\ntitle: A # mine\ndraft: true  # not yet\nx: [1, {y: 2}]\n---\nText.\n", "draft", false,
			"---\ntitle: A # mine\ndraft: false  # not yet\nx: [1, {y: 2}]\n---\nText.\n", ""},
		{"CRLF", "---\r\ntitle: A\r\ndraft: true\r\n---\r\nText.\r\n", "draft", false, "---\r\ntitle: A\r\ndraft: false\r\n---\r\nText.\r\n", ""},
		{"CRLF, new", "---\r\ntitle: A\r\n---\r\nText.\r\n", "draft", true, "---\r\ntitle: A\r\ndraft: true\r\n---\r\nText.\r\n", ""},
		{"CR", "---\rtitle: A\r---\rText.\r", "draft", true, "---\rtitle: A\rdraft: true\r---\rText.\r", ""},
		{"byte order mark", "\ufeff---\ntitle: A\ndraft: true\n---\nText.\n", "draft", false, "\ufeff---\ntitle: A\ndraft: false\n---\nText.\n", ""},
		{"mark, no front", "\ufeff# A\n", "draft", true, "\ufeff---\ndraft: true\n---\n\n# A\n", ""},
		{"flow", "---\n{title: A, draft: true, tags: [a, b]}\n---\nText.\n", "draft", false, "---\n{title: A, draft: false, tags: [a, b]}\n---\nText.\n", ""},
		{"flow, new", "---\n# c\n{title: A, tags: [a, b]}\n---\nText.\n", "draft", true, "---\n# c\n{title: A, tags: [a, b], draft: true}\n---\nText.\n", ""},
		{"TOML", "+++\ntitle = \"A\"\ndraft = true # wait\n[extra]\ndraft = 1\n+++\nText.\n", "draft", false, "+++\ntitle = \"A\"\ndraft = false # wait\n[extra]\ndraft = 1\n+++\nText.\n", ""},
		{"TOML, new before the tables", "+++\ntitle = \"A\"\n\n[extra]\nx = 1\n+++\nText.\n", "draft", true, "+++\ntitle = \"A\"\ndraft = true\n\n[extra]\nx = 1\n+++\nText.\n", ""},
		{"TOML, only tables", "+++\n[extra]\nx = 1\n+++\nText.\n", "draft", true, "+++\ndraft = true\n[extra]\nx = 1\n+++\nText.\n", ""},
		{"JSON", "{\n  \"title\": \"A\",\n  \"draft\": true,\n  \"x\": {\"draft\": true}\n}\nText.\n", "draft", false, "{\n  \"title\": \"A\",\n  \"draft\": false,\n  \"x\": {\"draft\": true}\n}\nText.\n", ""},
		{"JSON, new", "{\n  \"title\": \"A, \\\"B\\\"\"\n}\nText.\n", "draft", true, "{\n  \"title\": \"A, \\\"B\\\"\",\n  \"draft\": true\n}\nText.\n", ""},
		{"JSON, one line", "{\"title\": \"A\"}\nText.\n", "draft", true, "{\"title\": \"A\", \"draft\": true}\nText.\n", ""},
		{"@def", "@def title = \"A\"\n@def draft = true\n\nText.\n", "draft", false, "@def title = \"A\"\n@def draft = false\n\nText.\n", ""},
		{"@def, new", "@def title = \"A\"\n\nText.\n", "draft", true, "@def title = \"A\"\n@def draft = true\n\nText.\n", ""},
		{"Julia's block", "+++\ntitle = \"A\" # t\ndate = Date(2021, 4, 8)\ndraft = true\n+++\nText.\n", "draft", false, "+++\ntitle = \"A\" # t\ndate = Date(2021, 4, 8)\ndraft = false\n+++\nText.\n", ""},
		{"Julia's block, new", "+++\ntitle = \"A\"\ndate = Date(2021, 4, 8)\n+++\nText.\n", "draft", true, "+++\ntitle = \"A\"\ndraft = true\ndate = Date(2021, 4, 8)\n+++\nText.\n", ""},
		{"none", "# A\n\nText.\n", "draft", true, "---\ndraft: true\n---\n\n# A\n\nText.\n", ""},
		{"none, and a rule", "---\n\nText.\n\n---\n", "draft", true, "---\ndraft: true\n---\n\n---\n\nText.\n\n---\n", ""},
		{"none, Zola", "Text.\n", "date", nine, "+++\ndate = 2026-12-01T09:00:00+01:00\n+++\n\nText.\n", markdown.Zola},
		{"none, Franklin", "# A\n", "draft", true, "@def draft = true\n\n# A\n", markdown.Franklin},
		{"none, Jekyll", "# A\n", "draft", true, "---\npublished: false\n---\n\n# A\n", markdown.Jekyll},
		{"none, empty", "", "title", "A", "---\ntitle: A\n---\n", ""},
		{"empty front", "---\n---\nText.\n", "title", "A", "---\ntitle: A\n---\nText.\n", ""},

		{"published", "---\ntitle: A\npublished: true\n---\nT\n", "draft", true, "---\ntitle: A\npublished: false\n---\nT\n", ""},
		{"published is a date", "---\ntitle: A\npublished: 2021-01-01\n---\nT\n", "draft", true, "---\ntitle: A\npublished: 2021-01-01\ndraft: true\n---\nT\n", ""},
		{"status", "---\ntitle: A\nstatus: draft\n---\nT\n", "draft", false, "---\ntitle: A\nstatus: published\n---\nT\n", ""},
		{"a draft twice over", "---\npublished: no\nDraft: yes\n---\nT\n", "draft", false, "---\npublished: true\nDraft: false\n---\nT\n", ""},
		{"no draft already", "---\ntitle: A\n---\nT\n", "draft", false, "---\ntitle: A\n---\nT\n", ""},
		{"defined twice", "---\ndraft: false\ndraft: true\n---\nT\n", "draft", false, "---\ndraft: false\ndraft: false\n---\nT\n", ""},

		{"plain title", "---\ntitle: A\n---\n", "title", "B, c", "---\ntitle: B, c\n---\n", ""},
		{"title with a colon", "---\ntitle: A\n---\n", "title", "B: c", "---\ntitle: \"B: c\"\n---\n", ""},
		{"title that is no word", "---\ntitle: A\n---\n", "title", "yes", "---\ntitle: \"yes\"\n---\n", ""},
		{"title that is a number", "---\ntitle: A\n---\n", "title", "1.10", "---\ntitle: \"1.10\"\n---\n", ""},
		{"single quotes", "---\ntitle: 'It''s'\n---\n", "title", "That's", "---\ntitle: 'That''s'\n---\n", ""},
		{"double quotes", "---\ntitle: \"A\" # t\n---\n", "title", `a \ "b"`, "---\ntitle: \"a \\\\ \\\"b\\\"\" # t\n---\n", ""},
		{"no value", "---\ntitle:\ndate: 2021-01-01\n---\n", "title", "A", "---\ntitle: A\ndate: 2021-01-01\n---\n", ""},
		{"no value, a comment", "---\ntitle: # of the post\n---\n", "title", "A", "---\ntitle: A # of the post\n---\n", ""},
		{"folded", "---\ntitle: >-\n  A\n  b\n\ntags: x\n---\n", "title", "C", "---\ntitle: C\n\ntags: x\n---\n", ""},
		{"several lines", "---\ntitle: A\n  b\ntags: x\n---\n", "title", "C", "---\ntitle: C\ntags: x\n---\n", ""},
		{"quoted over lines", "---\ntitle: \"A\n  b\"\ntags: x\n---\n", "title", "C", "---\ntitle: \"C\"\ntags: x\n---\n", ""},
		{"an indented comment", "---\ntitle: A\n  # that is it\ntags: x\n---\n", "title", "C", "---\ntitle: C\n  # that is it\ntags: x\n---\n", ""},
		{"umlauts before it", "---\nauthor: Zoë Ümläut\ntitle: Ä\n---\n", "title", "Ö", "---\nauthor: Zoë Ümläut\ntitle: Ö\n---\n", ""},
		{"quoted name", "---\n\"title\": A\n---\n", "title", "C", "---\n\"title\": C\n---\n", ""},
		{"indented", "---\n  title: A\n  x: 1\n---\n", "slug", "c", "---\n  title: A\n  x: 1\n  slug: c\n---\n", ""},
		{"literal at the end", "---\ntitle: A\ntext: |+\n  keep\n\n---\n", "slug", "c", "---\ntitle: A\ntext: |+\n  keep\n\nslug: c\n---\n", ""},
		{"TOML's literal", "+++\ntitle = 'A'\n+++\n", "title", "B", "+++\ntitle = 'B'\n+++\n", ""},
		{"TOML, apostrophe", "+++\ntitle = 'A'\n+++\n", "title", "B's", "+++\ntitle = \"B's\"\n+++\n", ""},
		{"TOML, several lines", "+++\ntitle = \"\"\"\nA\"\"\"\ndraft = true\n+++\n", "title", "B", "+++\ntitle = \"B\"\ndraft = true\n+++\n", ""},
		{"Julia's dollar", "@def title = \"A\"\n", "title", "US$ 5", "@def title = \"US\\$ 5\"\n", ""},
		{"JSON escapes", "{\"title\": \"A\"}\n", "title", "a \"b\"", "{\"title\": \"a \\\"b\\\"\"}\n", ""},
		{"summary by another name", "---\nexcerpt: A\n---\n", "summary", "B", "---\nexcerpt: B\n---\n", ""},
		{"summary, new", "---\ntitle: A\n---\n", "summary", "B", "---\ntitle: A\ndescription: B\n---\n", ""},

		{"day", "---\ndate: 2021-04-08\n---\n", "date", day, "---\ndate: 2026-12-01\n---\n", ""},
		{"day becomes a time", "---\ndate: 2021-04-08\n---\n", "date", nine, "---\ndate: 2026-12-01T09:00:00+01:00\n---\n", ""},
		{"time, as typed", "---\ndate: 2021-04-08 10:00\n---\n", "date", nine, "---\ndate: 2026-12-01 09:00\n---\n", ""},
		{"time and zone, as typed", "---\ndate: \"2021-04-08 10:00:00 +0200\"\n---\n", "date", nine, "---\ndate: \"2026-12-01 09:00:00 +0100\"\n---\n", ""},
		{"date with a comma", "---\ndate: April 8, 2021\n---\n", "date", day, "---\ndate: December 1, 2026\n---\n", ""},
		{"pubDate", "---\npubDate: 'Apr 8, 2021'\n---\n", "date", nine, "---\npubDate: '2026-12-01T09:00:00+01:00'\n---\n", ""},
		{"Jekyll's date", "---\ntitle: A\n---\n", "date", nine, "---\ntitle: A\ndate: 2026-12-01 09:00:00 +0100\n---\n", markdown.Jekyll},
		{"TOML's date", "+++\ndate = 2021-04-08\n+++\n", "date", day, "+++\ndate = 2026-12-01\n+++\n", ""},
		{"TOML's time", "+++\ndate = 2021-04-08T10:00:00Z\n+++\n", "date", nine, "+++\ndate = 2026-12-01T09:00:00+01:00\n+++\n", ""},
		{"TOML, a date in quotes", "+++\ndate = \"2021-04-08\"\n+++\n", "date", day, "+++\ndate = \"2026-12-01\"\n+++\n", ""},
		{"JSON's date", "{\"date\": \"2021-04-08\"}\n", "date", day, "{\"date\": \"2026-12-01\"}\n", ""},
		{"Julia's date", "@def date = Date(2021, 4, 8)\n", "date", day, "@def date = Date(2026, 12, 1)\n", ""},
		{"Julia's time", "@def date = Date(2021, 4, 8)\n", "date", nine, "@def date = DateTime(2026, 12, 1, 8, 0, 0)\n", ""},

		{"tags", "---\ntags: [a, \"b c\"]\n---\n", "tags", []string{"a", "x, y"}, "---\ntags: [a, \"x, y\"]\n---\n", ""},
		{"tags in lines", "---\ntags:\n  - a # first\n  - 'b'\nx: 1\n---\n", "tags", []string{"c", "a"}, "---\ntags:\n  - c\n  - a # first\nx: 1\n---\n", ""},
		{"tags at the margin", "---\ntags:\n- a\n- b\nx: 1\n---\n", "tags", []string{"b"}, "---\ntags:\n- b\nx: 1\n---\n", ""},
		{"no tags", "---\ntags:\n- a\nx: 1\n---\n", "tags", []string{}, "---\ntags: []\nx: 1\n---\n", ""},
		{"words become a list", "---\ntags: a b\n---\n", "tags", []string{"a", "b c"}, "---\ntags: [a, b c]\n---\n", ""},
		{"bracket on its own line", "---\ntags: [\n  \"a\",\n  \"b\"\n]\nx: 1\n---\n", "tags", []string{"c", "d"}, "---\ntags: [\n  \"c\",\n  \"d\"\n]\nx: 1\n---\n", ""},
		{"Zola's tags", "+++\ntitle = \"A\"\n[taxonomies]\ntags = [\"a\"]\n[extra]\nx = 1\n+++\n", "tags", []string{"b"}, "+++\ntitle = \"A\"\n[taxonomies]\ntags = [\"b\"]\n[extra]\nx = 1\n+++\n", ""},
		{"tags below", "---\ntaxonomies:\n  series: x\n  tags:\n  - a\n---\n", "tags", []string{"b"}, "---\ntaxonomies:\n  series: x\n  tags:\n  - b\n---\n", ""},
		{"Julia's tags", "@def tags = [\"a\", \"b\"]\n", "tags", []string{"c"}, "@def tags = [\"c\"]\n", ""},

		{"away", "---\ntitle: A\nslug: b # why\nx: 1\n---\n", "slug", nil, "---\ntitle: A\nx: 1\n---\n", ""},
		{"away with its lines", "---\ntags:\n- a\nx: 1\n---\n", "tags", nil, "---\nx: 1\n---\n", ""},
		{"away, JSON", "{\"a\": 1, \"slug\": \"b\", \"c\": 2}\n", "slug", nil, "{\"a\": 1, \"c\": 2}\n", ""},
		{"away, JSON, the last", "{\"a\": 1,\n \"slug\": \"b\"}\n", "slug", nil, "{\"a\": 1}\n", ""},
		{"away, was not there", "# A\n", "slug", nil, "# A\n", ""},

		{"anchor", "---\ntitle: &t A\nx: *t\n---\n", "title", "B", "", ""},
		{"alias", "---\nx: &t A\ntitle: *t\n---\n", "title", "B", "", ""},
		{"tag", "---\ntitle: !!str A\n---\n", "title", "B", "", ""},
		{"an anchor elsewhere", "---\nx: &t A\ny: *t\ntitle: A\n---\n", "title", "B", "---\nx: &t A\ny: *t\ntitle: B\n---\n", ""},
		{"explicit key", "---\nx: 1\n? title\n: A\n---\n", "title", "B", "", ""},
		{"table for a word", "---\ntitle:\n  en: A\n---\n", "title", "B", "", ""},
		{"expression", "@def title = string(\"A\", 1)\n", "title", "B", "", ""},
		{"comments in a list", "---\ntags: [a, # one\n  b]\n---\n", "tags", []string{"c"}, "", ""},
		{"records in a list", "---\ntags:\n- name: a\n- name: b\n---\n", "tags", []string{"c"}, "", ""},
		{"broken", "---\ntitle: \"A\n---\nT\n", "draft", true, "", ""},
		{"never closed", "---\ntitle: A\n\nT\n", "draft", true, "", ""},
		{"not UTF-8", "---\ntitle: \xff\n---\n", "draft", true, "", ""},
		{"control characters", "---\ntitle: A\n---\n", "title", "B\x1b[2J", "", ""},
		{"a name that is none", "---\ntitle: A\n---\n", "a: b\nc", "B", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := markdown.Options{Site: markdown.NewSite(c.kind, nil, nil)}
			out, err := Set([]byte(c.in), o, c.field, c.value)
			if c.out == "" {
				if err == nil {
					t.Errorf("gives %q", out)
				} else if strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("error %q", err)
				}
				return
			}
			if err != nil || string(out) != c.out {
				t.Errorf("\n%q, %v, want\n%q", out, err, c.out)
			}
		})
	}
}

func TestDraftOfFolder(t *testing.T) {
	given := Fields{NewField("published", "false")}
	out, err := SetDraft([]byte("---\ntitle: A\n---\nT\n"), markdown.Options{}, given, false)
	if want := "---\ntitle: A\npublished: true\n---\nT\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}

// FuzzSet: what is not refused says what was asked for, saying it again changes
// nothing, and all other fields are as they were.
func FuzzSet(f *testing.F) {
	for _, src := range []string{
		"---\ntitle: A # mine\ndraft: true\ntags: [a, 'b']\n---\nText.\n", "---\r\ntags:\r\n- a\r\n- b\r\ndate: 2021-04-08\r\n---\r\nText.\r\n",
		"\ufeff+++\ntitle = \"A\"\ndraft = true\n[extra]\nx = 1\n+++\n", "{\n  \"title\": \"A\",\n  \"tags\": [\"a\"]\n}\nText.\n",
		"@def title = \"A\"\n@def tags = [\"a\",\n    \"b\"]\nText.\n", "+++\ntitle = \"A\"\ndate = Date(2021, 4, 8)\n+++\n",
		"# A\n\nText.\n", "---\n{title: A, draft: true}\n---\n", "---\ntitle: >-\n  A\n  b\n\nx: &a [1]\ny: *a\n---\n", "---\n? a\n: b\n---\n",
		"---\ntitle: |+\n  a\n\n\n---\n", "+++\nx = '''\n[a]\n'''\n[[y]]\ntitle = 1\n+++\n", "---\ntitle: \"A\n  b\" # c\ntaxonomies:\n  tags: [x]\n---\n",
	} {
		for field := range byte(7) {
			f.Add([]byte(src), field, "B: c, 'd'", byte(0))
		}
	}
	kinds := []markdown.Dialect{markdown.Auto, markdown.Franklin, markdown.Jekyll, markdown.Zola, markdown.Hugo}
	when := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, src []byte, field byte, text string, kind byte) {
		d := kinds[int(kind)%len(kinds)]
		o := markdown.Options{Site: markdown.NewSite(d, nil, nil)}
		var name string
		var value any
		switch field % 7 {
		case 0:
			name, value = "title", text
		case 1:
			name, value = "draft", true
		case 2:
			name, value = "draft", false
		case 3:
			name, value = "date", when
		case 4:
			name, value = "tags", strings.Split(text, ",")
		case 5:
			name, value = "slug", nil
		case 6:
			name, value = "summary", text
		}
		given := bytes.Clone(src)
		out, err := Set(src, o, name, value)
		if !bytes.Equal(src, given) {
			t.Fatal("the source was changed in place")
		}
		if err != nil {
			if s := err.Error(); s != markdown.Clean(s) || s == "" {
				t.Fatalf("error %q", s)
			}
			return
		}
		same := 0
		for same < len(out) && same < len(src) && out[same] == src[same] {
			same++
		}
		if name != "draft" && bytes.Count(out[same:], []byte("\n"))-bytes.Count(src[same:], []byte("\n")) > 5 {
			t.Fatalf("%q grew to %q", src, out)
		}
		again, err := Set(out, o, name, value)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q: once %q, twice %q, %v", src, out, again, err)
		}
		// Every other field says what it said.
		_, before, err := Read(src, o)
		if err != nil {
			return
		}
		_, after, err := Read(out, o)
		if err != nil {
			t.Fatalf("%q to %q: %v", src, out, err)
		}
		if draft, ok := value.(bool); ok {
			if after.IsDraft() != draft {
				t.Fatalf("%q: a draft is %v", out, after.IsDraft())
			}
			return
		}
		path := strings.Split(before.NameOf(name, d), ".")
		without := func(fs Fields) Fields {
			return slices.DeleteFunc(slices.Clone(fs), func(f Field) bool { return f.Key == KeyOf(path[0]) })
		}
		if !sameFields(without(before), without(after)) {
			t.Fatalf("%q\n%q", src, out)
		}
	})
}
