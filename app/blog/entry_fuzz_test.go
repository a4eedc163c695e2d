package blog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// FuzzSetField: of a post whose front matter was changed, the blog reads what
// was asked for, the quick way too, and everything else as before.
func FuzzSetField(f *testing.F) {
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
		out, err := frontmatter.Set(src, o, name, value)
		if err != nil {
			return
		}
		before, after := entryOf("posts/x.md", string(src), d), entryOf("posts/x.md", string(out), d)
		if after.broken && !before.broken {
			t.Fatalf("%q is broken: %v", out, after.problems)
		}
		if name == "draft" && after.draft != value.(bool) {
			t.Fatalf("%q: a draft is %v", out, after.draft)
		}
		if name == "date" && !after.broken && !after.date.Equal(when) {
			t.Fatalf("%q: date %v", out, after.date)
		}
		kept := func(e *entry) string {
			s := fmt.Sprint(e.page && name != "date", e.authors, e.aliases, e.lang, e.series, e.external, e.weight)
			if name != "title" {
				s += e.title
			}
			if name != "draft" {
				s += fmt.Sprint(e.draft)
			}
			if name != "date" {
				s += fmt.Sprint(e.date, e.due, e.expires)
			}
			if name != "tags" {
				s += strings.Join(e.tags, ",")
			}
			if name != "slug" {
				s += strings.Join(e.address, "/")
			}
			if name != "summary" {
				s += e.description
			}
			return s
		}
		if !before.broken && kept(before) != kept(after) {
			t.Fatalf("%q\n%q\n%s\n%s", src, out, kept(before), kept(after))
		}
		if name == "tags" && !before.broken {
			for _, tag := range value.([]string) {
				if want := (frontmatter.Fields{frontmatter.NewField("tags", []any{tag})}).Tags(); len(want) > 0 && !slices.ContainsFunc(after.tags, func(s string) bool { return strings.EqualFold(s, want[0]) }) {
					t.Fatalf("%q has the tags %q", out, after.tags)
				}
			}
		}
	})
}
