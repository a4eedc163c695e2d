package blog

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"sheaf/app/markdown"
)

// noon is the moment at which the tests' blogs are looked at.
var noon = time.Date(2021, 4, 8, 12, 0, 0, 0, time.UTC)

func entryOf(p, src string, kind markdown.Dialect) *entry {
	sec := &section{kind: kind, site: markdown.NewSite(kind, nil, nil), loc: time.UTC}
	return newEntry(file{path: p, section: sec}, []byte(src), nil, markdown.Auto)
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		name, src string
		kind      markdown.Dialect
		check     func(e *entry) any
		want      any
	}{
		{"yaml", "---\ntitle: Hello\ndate: 2021-04-08\n---\nText", "", func(e *entry) any { return e.title }, "Hello"},
		{"quoted", "---\ntitle: 'A: \"b\"'\n---\n", "", func(e *entry) any { return e.title }, `A: "b"`},
		{"escaped", "---\ntitle: \"A \\\"b\\\"\"\n---\n", "", func(e *entry) any { return e.title }, `A "b"`},
		{"folded", "---\ntitle: >\n  one\n  two\n---\n", "", func(e *entry) any { return e.title }, "one two"},
		{"toml", "+++\ntitle = \"T\"\ndate = 2021-04-08\n+++\n", "", func(e *entry) any { return e.title + e.date.Format(" 2 Jan") }, "T 8 Apr"},
		{"json", "{\n\"title\": \"J\",\n\"draft\": true\n}\n\ntext", "", func(e *entry) any { return e.title }, "J"},
		{"julia", "@def title = \"F\"\n@def rss_pubdate = Date(2021, 4, 8)\ntext", markdown.Franklin, func(e *entry) any { return e.title + e.date.Format(" 2 Jan") }, "F 8 Apr"},
		{"julia block", "+++\ntitle = \"F\"\npublished = \"8 April 2021\"\n+++\ntext", markdown.Franklin, func(e *entry) any { return e.title + e.date.Format(" 2 Jan") }, "F 8 Apr"},
		{"rss_pubdate before date", "@def date = Date(2020, 1, 1)\n@def rss_pubdate = Date(2021, 4, 8)\n", markdown.Franklin, func(e *entry) any { return e.date.Year() }, 2021},
		{"heading", "# A *fine* day\n\ntext", "", func(e *entry) any { return e.title }, "A fine day"},
		{"file name", "text", "", func(e *entry) any { return e.title }, "Some post"},
		{"title with markup", "---\ntitle: The `x` of <b>y</b> &amp; z\n---\n", "", func(e *entry) any { return e.title }, "The x of y & z"},
		{"number as title", "---\ntitle: 1984\n---\n", "", func(e *entry) any { return e.title }, "1984"},
		{"tags list", "---\ntitle: t\ntags: [a, B c]\n---\n", "", func(e *entry) any { return e.tags }, []string{"a", "B c"}},
		{"tags block", "---\ntitle: t\ntags:\n- a\n- b\ncategories:\n  - C\n  - A\n---\n", "", func(e *entry) any { return e.tags }, []string{"a", "b", "C"}},
		{"tags blanks", "---\ntitle: t\ntags: a b  #c\n---\n", "", func(e *entry) any { return e.tags }, []string{"a", "b"}},
		{"tags commas", "---\ntitle: t\ntags: a b, c\n---\n", "", func(e *entry) any { return e.tags }, []string{"a b", "c"}},
		{"zola taxonomies", "+++\ntitle = \"t\"\n[taxonomies]\ntags = [\"x\"]\ncategories = [\"y\"]\n+++\n", "", func(e *entry) any { return e.tags }, []string{"x", "y"}},
		{"category", "---\ntitle: t\ncategory: release\n---\n", "", func(e *entry) any { return e.tags }, []string{"release"}},
		{"julia tags", "@def tags = [\"a\", \"b\"]\n", markdown.Franklin, func(e *entry) any { return e.tags }, []string{"a", "b"}},
		{"zola date in path", "+++\npath = \"2014/12/12/One\"\ntitle = \"t\"\n+++\n", "", func(e *entry) any { return e.date.Format("2006-01-02 ") + e.address[len(e.address)-1] }, "2014-12-12 One"},
		{"astro", "---\ntitle: t\npubDate: 'Apr 08 2021'\nupdatedDate: 2021-05-01\n---\n", "", func(e *entry) any { return e.date.Day() + int(e.updated.Month()) }, 13},
		{"published date", "---\ntitle: t\npublished_date: 2021-04-08 10:00\n---\n", "", func(e *entry) any { return e.date.Hour() }, 10},
		{"published false", "---\ntitle: t\npublished: false\n---\n", "", func(e *entry) any { return e.draft }, true},
		{"draft yes", "---\ntitle: t\ndraft: yes\n---\n", "", func(e *entry) any { return e.draft }, true},
		{"hidden", "---\ntitle: t\nhidden: true\n---\n", "", func(e *entry) any { return e.draft }, true},
		{"unlisted", "---\ntitle: t\nunlisted: true\n---\n", "", func(e *entry) any { return e.unlisted && !e.draft }, true},
		{"is_page", "---\ntitle: t\nis_page: true\n---\n", "", func(e *entry) any { return e.page }, true},
		{"description", "---\ntitle: t\nsummary: \"It is **so**.\"\n---\n", "", func(e *entry) any { return e.description }, "It is so."},
		{"rss", "@def rss = \"\"\" Short \"\"\"\n", markdown.Franklin, func(e *entry) any { return e.description }, "Short"},
		{"authors", "---\ntitle: t\nauthors: [A B, C]\n---\n", "", func(e *entry) any { return e.authors }, []string{"A B", "C"}},
		{"author maps", "---\ntitle: t\nauthors:\n- name: A\n  url: x\n- name: B\n---\n", "", func(e *entry) any { return e.authors }, []string{"A", "B"}},
		{"authors as html", "@def authors = \"\"\"<a href=\"x\">A B</a>, <a href=\"y\">C</a>\"\"\"\n", markdown.Franklin, func(e *entry) any { return e.authors }, []string{"A B", "C"}},
		{"aliases", "---\ntitle: t\nredirect_from:\n- /old/one/\n- two.html\n---\n", "", func(e *entry) any { return e.aliases }, []string{"old/one", "two"}},
		{"series", "---\ntitle: t\nseries: [S]\n---\n", "", func(e *entry) any { return e.series }, "S"},
		{"lang", "---\ntitle: t\nlang: fa\n---\n", "", func(e *entry) any { return e.lang }, "fa"},
		{"franklin's lang is code", "@def lang = \"julia\"\n", markdown.Franklin, func(e *entry) any { return e.lang }, ""},
		{"external", "@def external = \"https://example.org/x\"\n", markdown.Franklin, func(e *entry) any { return e.external }, "https://example.org/x"},
		{"crlf", "---\r\ntitle: Win\r\ntags: [a]\r\n---\r\ntext\r\n", "", func(e *entry) any { return e.title + e.tags[0] }, "Wina"},
		{"bom", "\ufeff---\ntitle: Bom\n---\ntext\n", "", func(e *entry) any { return e.title }, "Bom"},
		{"control characters", "---\ntitle: \"a\\e[31mb\\u202e\"\n---\n", "", func(e *entry) any { return strings.ContainsAny(e.title, "\x1b\u202e") }, false},
		{"minutes", "---\ntitle: t\n---\n" + strings.Repeat("word ", 880), "", func(e *entry) any { return e.minutes }, 4},
		{"minutes of chinese", "---\ntitle: t\n---\n" + strings.Repeat("字", 1200), "", func(e *entry) any { return e.minutes }, 3},
	} {
		e := entryOf("some-post.md", c.src, c.kind)
		if got := c.check(e); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, want %#v (problems %v)", c.name, got, c.want, e.problems)
		}
		if e.broken {
			t.Errorf("%s: broken: %v", c.name, e.problems)
		}
	}
}

func TestBrokenFrontMatterIsSaidWithItsLine(t *testing.T) {
	for _, c := range []struct {
		name, src string
		line      int
		says      string
	}{
		{"date", "---\ntitle: t\ndate: tomorow\n---\n", 3, `date "tomorow" is not a date`},
		{"colon", "---\ntitle: t\nsummary: a: b\n---\n", 3, "quotes"},
		{"toml", "+++\ntitle = \"t\"\ndraft = maybe\n+++\n", 3, "TOML"},
		{"json", "{\n\"title\": \"t\",\n\"draft\": nope\n}\n\ntext\n", 3, "JSON"},
		{"draft", "---\ntitle: t\n\ndraft: ture\n---\n", 4, "neither true nor false"},
		{"julia", "text\n\n@def date = \"soon\"\n", 3, `"soon"`},
	} {
		kind := markdown.Auto
		if c.name == "julia" {
			kind = markdown.Franklin
		}
		e := entryOf("p.md", c.src, kind)
		if !e.broken || e.state(noon) != Broken || len(e.problems) != 1 {
			t.Errorf("%s: broken %v, problems %v", c.name, e.broken, e.problems)
			continue
		}
		if p := e.problems[0]; p.Line != c.line || !strings.Contains(p.Text, c.says) || p.Warning || p.Path != "p.md" {
			t.Errorf("%s: %v (line %d), want line %d and %q", c.name, p, p.Line, c.line, c.says)
		}
	}
}

func TestStates(t *testing.T) {
	for _, c := range []struct {
		path, front string
		want        State
	}{
		{"a.md", "date: 2021-04-08", Published},
		{"a.md", "title: t", Published},
		{"a.md", "date: 2021-04-08 12:00:01", Scheduled},
		{"a.md", "date: 2021-04-01\npublishDate: 2021-04-09", Scheduled},
		{"a.md", "date: 2021-05-01\npublishDate: 2021-04-01", Published},
		{"2021-04-09-a.md", "title: t", Scheduled},
		{"a.md", "date: 2021-04-01\nexpiryDate: 2021-04-08", Expired},
		{"a.md", "date: 2021-04-01\nexpiryDate: 2021-04-09", Published},
		{"a.md", "date: 2021-05-01\ndraft: true", Draft},
		{"_drafts/a.md", "title: t", Draft},
		{"pages/a.md", "title: t", Page},
		{"_pages/a.md", "title: t", Page},
		{"pages/a.md", "page: false", Published},
		{"a.md", "page: true\ndate: 2021-04-01", Page},
		{"a.md", "page: true\ndraft: true", Draft},
		{"about.md", "title: t", Page},
		{"posts/about.md", "title: t", Published},
		{"a.md", "date: never", Broken},
	} {
		e := entryOf(c.path, "---\n"+c.front+"\n---\ntext\n", markdown.Auto)
		if got := e.state(noon); got != c.want {
			t.Errorf("%s %q: %v, want %v", c.path, c.front, got, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ path, front, want string }{
		{"hello.md", "", "hello"},
		{"posts/2021-04-08-hello.md", "", "posts/hello"},
		{"posts/2021-4-8-hello.md", "", "posts/hello"},
		{"posts/hello-2021-04-08.md", "", "posts/hello"},
		{"2021-04-08.md", "", "2021-04-08"},
		{"posts/hello/index.md", "", "posts/hello"},
		{"posts/2021-04-08-hello/index.md", "", "posts/hello"},
		{"_posts/2021-04-08-hello.markdown", "", "hello"},
		{"blog/_posts/2021-04-08-hello.md", "", "blog/hello"},
		{"a.md", "slug: b", "b"},
		{"x/a.md", "slug: b", "x/b"},
		{"a.md", "slug: /b/c/", "c"},
		{"a.md", "permalink: /blogs/me/thing/", "blogs/me/thing"},
		{"a.md", "permalink: /:year/:title", "a"},
		{"a.md", "url: /2014/01/02/x.html", "2014/01/02/x"},
		{"Core plugins.md", "", "Core-plugins"},
		{"--rf.md", "", "rf"},
		{"C#.md", "", "C"},
		{"题解（一）.md", "", "题解（一）"},
		{"Rust-1.53.0.md", "", "Rust-1.53.0"},
		{"en/hello.md", "", "en/hello"},
	} {
		e := entryOf(c.path, "---\ntitle: t\n"+c.front+"\n---\n", markdown.Auto)
		if got := strings.Join(e.address, "/"); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.path, c.front, got, c.want)
		}
	}
}

func TestNote(t *testing.T) {
	e := entryOf("a.md", "---\ntitle: t\ndate: 2021-04-08\ntags: [life, two words]\n---\nSome words.\n", markdown.Auto)
	if got, want := e.post("a", "t", Published).Note(), "8 April 2021 · 1 min · #life #two words"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e = entryOf("a.md", "---\ntitle: t\n---\nSome words.\n", markdown.Auto)
	if got, want := e.post("a", "t", Page).Note(), "1 min"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzEntry: no front matter may do worse than be a problem.
func FuzzEntry(f *testing.F) {
	for _, s := range []string{
		"title: Hello\ndate: 2021-04-08\ntags: [a, b]\n", "a: b: c\n", "x: |\n  text\n", "&a x: *a\n", "title = \"t\"\n[extra]\na = 1\n",
		"{\"a\": [1, 2, {\"b\": null}]}", "x: \"a\" b\n", "#\r:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, fence := range []string{"---", "+++"} {
			e := entryOf("p.md", fence+"\n"+text+"\n"+fence+"\nbody\n", markdown.Auto)
			if e.title == "" || len(e.address) == 0 || strings.ContainsAny(e.title, "\n\x1b") {
				t.Errorf("%q: title %q, address %v", text, e.title, e.address)
			}
		}
		entryOf("p.md", text, markdown.Franklin)
	})
}
