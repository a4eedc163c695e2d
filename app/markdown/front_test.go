package markdown

import (
	"fmt"
	"strings"
	"testing"
)

func TestFrontMatter(t *testing.T) {
	for _, c := range []struct {
		name, source string
		dialect      Dialect
		kind         FrontKind
		text         string
		line         int
		body         string
		bodyLine     int
		problems     int
	}{
		{"yaml", "---\na: 1\n---\nx\n", Auto, YAML, "a: 1\n", 2, "x\n", 4, 0},
		{"yaml with BOM and CRLF", "\ufeff---\r\na: 1\r\n...\r\nx\r\n", Auto, YAML, "a: 1\n", 2, "x\n", 4, 0},
		{"yaml behind blank lines", "\n\n---\na: 1\n---\nx", Auto, YAML, "a: 1\n", 4, "x", 6, 0},
		{"empty yaml", "---\n---\nx", Auto, YAML, "", 2, "x", 3, 0},
		{"a rule", "---\n\nhello\n\n---\nx", Auto, NoFront, "", 0, "---\n\nhello\n\n---\nx", 1, 0},
		{"unclosed yaml", "---\ntitle: x\n\ntext", Auto, NoFront, "", 0, "---\ntitle: x\n\ntext", 1, 1},
		{"toml", "+++\na = 1\n[b]\n+++\nx", Auto, TOML, "a = 1\n[b]\n", 2, "x", 5, 0},
		{"json", "{\n\"a\": {\"b\": \"}\"}\n}\nx", Auto, JSON, "{\n\"a\": {\"b\": \"}\"}\n}", 1, "x", 4, 0},
		{"no json", "{ text", Auto, NoFront, "", 0, "{ text", 1, 0},
		{"a shortcode", "{{< x >}}", Auto, NoFront, "", 0, "{{< x >}}", 1, 0},
		{"julia", "@def a = 1\nx", Auto, Julia, "@def a = 1\n", 1, "@def a = 1\nx", 1, 0},
		{"nothing", "", Auto, NoFront, "", 0, "", 1, 0},
		{"only front matter", "---\na: 1\n---", Auto, YAML, "a: 1\n", 2, "", 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Read([]byte(c.source), Options{Dialect: c.dialect})
			if s.Front.Kind != c.kind || s.Front.Text != c.text || s.Front.Line != c.line {
				t.Errorf("front %v %q line %d, want %v %q line %d", s.Front.Kind, s.Front.Text, s.Front.Line, c.kind, c.text, c.line)
			}
			if string(s.Body) != c.body || s.BodyLine != c.bodyLine || len(s.Problems) != c.problems {
				t.Errorf("body %q line %d, problems %v; want %q line %d, %d problems", s.Body, s.BodyLine, s.Problems, c.body, c.bodyLine, c.problems)
			}
		})
	}
}

func TestJuliaDefinitions(t *testing.T) {
	f, spans := juliaFront("@def a = \"x\"\n@def b = [\"p\",\n    \"q\"]\ntext\n<!--\n@def no = 1\n-->\n```\n@def no = 2\n```\n+++\nc = 3 # n\nd = true\n+++\n@def e = \"\"\"\none\n\"\"\"\n")
	got := ""
	for _, d := range f.Defs {
		got += fmt.Sprintf("%s=%v@%d ", d.Name, d.Value, d.Line)
	}
	if want := "a=x@1 b=[p q]@2 c=3@12 d=true@13 e=one\n@15 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(spans) != 4 {
		t.Errorf("%d places, want 4", len(spans))
	}
}

func TestHeadingAndWords(t *testing.T) {
	for _, c := range []struct {
		source, heading string
		words           int
	}{
		{"# One *two* `x_y` [l](http://a.b/c) {#id}\ntext", "One two x_y l", 6},
		{"```\n# no\n```\n## Yes ##\n", "Yes", 1},
		{"<!-- # no\n# no -->\nTitle\n=====\n", "Title", 1},
		{"text\n\n<h1 class=\"a\">Big &amp; <b>bold</b></h1>", "Big & bold", 4},
		{"---\na: b c d\n---\n中文字 and words", "", 5},
		{"#hashtag\n\n- a\n---\n", "", 2},
		{"@def a = 1\n+++\n# no\n+++\n# Yes\n", "Yes", 1},
	} {
		s := Read([]byte(c.source), Options{})
		if s.Heading != c.heading || s.Words != c.words {
			t.Errorf("%q: %q with %d words, want %q with %d", c.source, s.Heading, s.Words, c.heading, c.words)
		}
	}
}

func TestDialectFromTheSource(t *testing.T) {
	for _, c := range []struct {
		source, path string
		site         Dialect
		want         Dialect
	}{
		{"@def a = 1\n", "a.md", Auto, Franklin},
		{"text\n\\toc\n", "a.md", Auto, Franklin},
		{"+++\na = Date(2020, 1, 1)\n+++\n", "a.md", Auto, Franklin},
		{"+++\na = 1\n+++\n", "a.md", Franklin, Franklin},
		{"+++\na = 1\n[taxonomies]\n+++\n", "a.md", Auto, Zola},
		{"---\na: 1\n---\n{{< x >}}", "a.md", Auto, Hugo},
		{"```\n{{< x >}}\n@def a = 1\n```\n", "a.md", Auto, Plain},
		{"{% include x %}", "a.md", Auto, Jekyll},
		{"{% include x %}", "a.md", Eleventy, Eleventy},
		{"text", "a.mdx", Hugo, MDX},
		{"[[a]]", "a.md", Auto, Obsidian},
		{"[[1]](/a) `[[b]]` if [[ -f x ]]; then", "a.md", Auto, Plain},
		{"a {{ \"/x/\" | url }}", "a.md", Auto, Eleventy},
		{"a {{ site.x }}", "a.md", Plain, Jekyll},
		{"text", "a.md", Hugo, Hugo},
		{"text", "a.md", Auto, Plain},
	} {
		if got := Read([]byte(c.source), Options{Path: c.path, Site: NewSite(c.site, nil, nil)}).Dialect; got != c.want {
			t.Errorf("%q on a %q site: %q, want %q", c.source, c.site, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":                                 "plain\ttext\n",
		"a\x1b[31mb\x07\x00\u009bc":                     "a[31mbc",
		"a\u202eb\u2066c\u200fd":                        "abcd",
		"a\xffb":                                        "a\ufffdb",
		"e" + strings.Repeat("\u0301", 9):               "e" + strings.Repeat("\u0301", 4),
		"x\U00100001y\U000e0041":                        "xy",
		"\U0001f468\u200d\U0001f469 \u06cc\u200c\u062e": "\U0001f468\u200d\U0001f469 \u06cc\u200c\u062e",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFront(f *testing.F) {
	for _, s := range []string{"---\na: 1\n---\nx", "+++\na = [1,\n2]\n+++", "{\"a\": 1}\n", "@def a = \"\"\"x\n\"\"\"\n+++\nb = Date(2020,1,2) # c\n+++\n", "\ufeff---\r\n...\r\n", "# a\n===\n<!--"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, d := range []Dialect{Auto, Franklin} {
			s := Read(src, Options{Dialect: d})
			lines := strings.Count(normalizeNewlines(string(src)), "\n") + 1
			if s.BodyLine < 1 || s.BodyLine > lines || s.Front.Line > lines {
				t.Errorf("body in line %d, front matter in line %d of %d", s.BodyLine, s.Front.Line, lines)
			}
			if Clean(s.Heading) != s.Heading || strings.Contains(s.Heading, "\n") {
				t.Errorf("heading %q", s.Heading)
			}
			for _, def := range s.Front.Defs {
				if def.Name == "" || def.Line < 1 || def.Line > lines {
					t.Errorf("definition %q in line %d of %d", def.Name, def.Line, lines)
				}
			}
		}
	})
}

func FuzzBodyStart(f *testing.F) {
	f.Add([]byte("---\r\ntitle: A\r\n---\r\nText"), false)
	f.Add([]byte("@def a = [1,\n2]\n+++\nb = 1\n"), true)
	f.Fuzz(func(t *testing.T, src []byte, franklin bool) {
		o := Options{}
		if franklin {
			o.Dialect = Franklin
		}
		if at := BodyStart(src, o); at < 0 || at > len(src) {
			t.Fatalf("%q: %d", src, at)
		}
	})
}
