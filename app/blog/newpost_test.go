package blog

import (
	"slices"
	"strings"
	"testing"
)

func TestPathOf(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "notes/one.md", "# One\n", "notes/two.md", "# Two\n", "three.md", "# Three\n")
	v := at(t, dir, still).Author("Ada")
	for src, want := range map[string]string{
		"# A Day at Sea!\n":                 "notes/a-day-at-sea.md",
		"---\ntitle: X\nslug: short\n---\n": "notes/short.md",
		"# Two\n\nAgain.\n":                 "notes/two.md",
		"# Ada's 100 % of 深層学習\n":           "notes/adas-100-of-深層学習.md",
		"No title at all.\n":                "",
	} {
		got, err := v.PathOf([]byte(src))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", src, got, err)
		}
	}
}

func TestPathOfFollowsTheBlog(t *testing.T) {
	for _, c := range []struct {
		files []string
		src   string
		want  string
	}{
		{nil, sea, "posts/sea.md"},
		{nil, "# Über die See: was *uns* trägt!\n", "posts/über-die-see-was-uns-trägt.md"},
		{nil, "---\ntitle: T\nslug: deep-sea\n---\nText.\n", "posts/deep-sea.md"},
		{nil, "Text alone.\n", ""},
		{[]string{"posts/old.md", "---\ntitle: Sea\nslug: sea\n---\nText.\n"}, sea, "posts/old.md"},
		{[]string{"notes/a.md", hills, "notes/b.md", hills, "posts/c.md", hills}, sea, "notes/sea.md"},
		{[]string{"posts/2021-01-01-a.md", hills, "posts/2021-02-01-b.md", hills}, sea, "posts/2021-01-01-sea.md"},
		{[]string{"_config.yml", "title: T\n", "_drafts/a.md", hills, "_drafts/b.md", hills}, "# Sea\n\nText.\n", "_posts/2021-04-08-sea.md"},
		{[]string{"hugo.toml", "title = 'T'\n", "content/blog/a.md", hills}, sea, "content/blog/sea.md"},
	} {
		dir := t.TempDir()
		put(t, dir, c.files...)
		v := at(t, dir, still).Author("Ada")
		got, err := v.PathOf([]byte(c.src))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q in %q: %q, %v; want %q", c.src, c.files, got, err, c.want)
		}
	}
}

func TestSlugFor(t *testing.T) {
	for title, want := range map[string]string{
		"A Day at the Sea": "a-day-at-the-sea", "Don't panic!": "dont-panic", "C++ & Go": "c-go", "…": "post",
		"给你": "给你", "  x  ": "x", "../etc/passwd": "etc-passwd", strings.Repeat("long ", 40): strings.TrimSuffix(strings.Repeat("long-", 16), "-"),
		strings.Repeat("é", 100): strings.Repeat("é", 40),
	} {
		if got := slugFor(title); got != want || !slices.Equal(addressOf(got), []string{got}) {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

func TestStarter(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		title string
		want  string // ^ is the cursor
	}{
		{"nothing there", nil, "On tides", "---\ntitle: On tides\ndraft: true\n---\n\n^"},
		{"no title", nil, "", "---\ntitle: ^\ndraft: true\n---\n\n"},
		{"a colon", nil, "Tides: a\n start", "---\ntitle: \"Tides: a start\"\ndraft: true\n---\n\n^"},
		{"YAML", []string{"posts/a.md", sea, "posts/b.md", hills, "posts/c.md", "+++\ntitle = 'C'\n+++\nText.\n"}, "X", "---\ntitle: X\ndraft: true\n---\n\n^"},
		{"TOML", []string{"hugo.toml", "title = 'T'\n", "content/posts/a.md", "+++\ntitle = 'A'\ndate = 2021-01-01\n+++\nText.\n"}, "", "+++\ntitle = \"^\"\ndraft = true\n+++\n\n"},
		{"JSON", []string{"hugo.toml", "title = 'T'\n", "content/posts/a.md", "{\n\"title\": \"A\", \"date\": \"2021-01-01\"\n}\nText.\n"}, "X", "{\n  \"title\": \"X\",\n  \"draft\": true\n}\n\n^"},
		{"Franklin", []string{"config.md", "@def website_title = \"T\"\n", "blog/a.md", "@def title = \"A\"\n@def date = Date(2021, 1, 1)\n\nText.\n"}, "X", "@def title = \"X\"\n@def draft = true\n\n^"},
		{"Jekyll", []string{"_config.yml", "title: T\n", "_posts/2021-01-01-a.md", "---\ntitle: A\n---\nText.\n"}, "X", "---\ntitle: X\npublished: false\n---\n\n^"},
		{"its own word", []string{"posts/a.md", "---\ntitle: A\ndate: 2021-01-01\npublished: true\n---\nText.\n"}, "X", "---\ntitle: X\npublished: false\n---\n\n^"},
		{"Obsidian's titles are names", []string{".obsidian/app.json", "{}", "a.md", "Text.\n"}, "X", "---\ntitle: X\ndraft: true\n---\n\n^"},
	} {
		dir := t.TempDir()
		put(t, dir, c.files...)
		v := at(t, dir, still).Author("Ada")
		src, at := v.Starter(c.title)
		if got := string(src[:at]) + "^" + string(src[at:]); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		name := "posts/x.md"
		if len(c.files) > 0 && c.files[0] == "hugo.toml" {
			name = "content/posts/x.md"
		}
		if c.title != "" {
			var err error
			if name, err = v.PathOf(src); err != nil {
				t.Fatal(err)
			}
		}
		s := v.Inspect(name, src)
		if s.Post.State != Draft || c.title != "" && s.Post.Title != strings.Join(strings.Fields(c.title), " ") || strings.Contains(told(s.Problems), "not a post") {
			t.Errorf("%s: at %s it is %+v\n%s", c.name, name, s.Post, told(s.Problems))
		}
		publish(t, v, name, string(src)+"Text.\n")
	}
}
