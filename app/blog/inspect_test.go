package blog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// told gives problems as lines, warnings marked.
func told(problems []Problem) string {
	var lines []string
	for _, p := range problems {
		if p.Warning {
			p.Text = "warning: " + p.Text
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

func TestSketchSaysWhatCheckWould(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\n", "posts/sea.md", sea, "posts/hills.md", hills, "posts/boat.png", "\x89PNG\r\n\x1a\n0", "index.md", "Welcome.\n",
		"posts/mine.md", "---\ntitle: Mine\nslug: mine\n---\nText.\n", "notes/hills.md", "---\ntitle: N\ndate: 2021-03-01\n---\nText.\n")
	b := at(t, dir, still)
	v := b.Author("Ada")
	for _, c := range []struct{ name, path, src, want string }{
		{"sound", "posts/x.md", "---\ntitle: X\ndate: 2021-01-01\n---\nText, [sea](sea.md), ![a boat](boat.png).\n", ""},
		{"dead link", "posts/x.md", "---\ntitle: X\n---\n[gone](nowhere.md) and [no heading](#n-o)\n", "posts/x.md:4: warning: link to \"nowhere.md\": no such post\nposts/x.md:4: warning: link to \"#n-o\": no such heading in this post"},
		{"image", "posts/x.md", "# X\n\n![](boat.png)\n\n![b](no.png)\n", "posts/x.md:3: warning: image \"boat.png\" has no description\nposts/x.md:5: warning: image \"no.png\" is not there"},
		{"a slip", "posts/x.md", "---\ntitle: X\ntgas: [a]\n---\nText.\n", "posts/x.md:3: warning: field \"tgas\": did you mean \"tags\"?"},
		{"open code", "posts/x.md", "# X\n\n```\nx\n", "posts/x.md:3: warning: this block of code is never closed\nposts/x.md:3: warning: the code block that begins here has no end"},
		{"broken date", "posts/x.md", "---\ntitle: X\ndate: tomorow\n---\nText.\n", "posts/x.md:3: date \"tomorow\" is not a date"},
		{"control", "posts/x.md", "# X\n\na\x1bb\n", "posts/x.md:3: holds a control character (U+001B)"},
		{"empty", "posts/x.md", "", "posts/x.md: is empty"},
		{"bad path", "../x.md", "# X\n\nText.\n", "../x.md: leads out of the blog"},
		{"slug taken", "posts/x.md", "---\ntitle: X\nslug: mine\n---\nText.\n", "posts/x.md: slug \"mine\" is already that of posts/mine.md"},
		{"slug told by its folder", "other/sea.md", "---\ntitle: X\n---\nText.\n", "posts/sea.md: warning: slug \"sea\" is that of other/sea.md; this post is at posts/sea"},
		{"slug told by its folder, a draft", "other/sea.md", "---\ntitle: X\ndraft: true\n---\nText.\n", "other/sea.md: warning: slug \"sea\" is that of posts/sea.md; this post is at other/sea"},
		{"slug given up", "notes/hills.md", "---\ntitle: N\ndraft: true\n---\nText.\n", "notes/hills.md: warning: slug \"hills\" is that of posts/hills.md; this post is at notes/hills\nnotes/hills.md: warning: slug changed from \"hills\" to \"notes/hills\"; the old one still leads here"},
		{"slug changed", "posts/sea.md", strings.Replace(sea, "---\nW", "slug: ocean\n---\nW", 1), "posts/sea.md: warning: slug changed from \"sea\" to \"ocean\"; the old one still leads here"},
		{"itself", "posts/x.md", "---\ntitle: X\n---\n## Here\n\n[a](x.md#here) [b](/x/)\n", ""},
		{"the same as it was", "posts/hills.md", hills, "posts/hills.md: warning: slug \"hills\" is that of notes/hills.md; this post is at posts/hills"},
		{"home", "index.md", "# Hello\n\nWelcome, [x](nowhere.md).\n", "index.md:3: warning: link to \"nowhere.md\": no such post"},
	} {
		s := v.Inspect(c.path, []byte(c.src))
		got := told(s.Problems)
		if c.name == "empty" {
			got, _, _ = strings.Cut(got, "\n")
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		// Check says the same: all of it, or of a text with errors those.
		r, err := v.Check(t.Context(), change(t, v, 0, c.path, cmpOr(c.src, "-")))
		var no *Refusal
		if c.src == "" || err != nil && !errors.As(err, &no) {
			continue
		}
		check := r.Warnings
		if no != nil {
			check = no.Problems
		}
		for _, p := range check {
			if !slices.Contains(s.Problems, p) {
				t.Errorf("%s: Check says %q too", c.name, p)
			}
		}
		if no == nil && len(check) != len(s.Problems) {
			t.Errorf("%s: Check says only\n%s", c.name, told(check))
		}
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestSketchIsThePost(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\ntimezone: Europe/Berlin\n", "posts/sea.md", sea)
	b := at(t, dir, still)
	v := b.Author("Ada")
	before, _ := v.Edition().Post("sea")
	src := "---\ntitle: Ocean\ndate: 2021-02-03 9:00\ntags: [a, b]\ndraft: true\n---\n\n" + strings.Repeat("Many waves. ", 400) + "\n\n## Deep\n"
	s := v.Inspect("posts/sea.md", []byte(src))
	p := s.Post
	if p.Title != "Ocean" || p.State != Draft || p.Slug != "sea" || p.Date.Format("2006-01-02 15:04 MST") != "2021-02-03 09:00 CET" || strings.Join(p.Tags, " ") != "a b" || p.Minutes != 4 {
		t.Errorf("%+v", p)
	}
	if d := p.Document(); len(d.Headings) != 1 || d.Headings[0].Text != "Deep" || p.Document() != d {
		t.Errorf("%+v", d.Headings)
	}
	if got, _ := p.Source(); string(got) != src {
		t.Errorf("its source is %q", got)
	}
	if now, _ := v.Edition().Post("sea"); now != before || plain(t, dir)["posts/sea.md"] != sea {
		t.Error("the blog has changed")
	}
	if e := v.Inspect("posts/new.md", []byte("New.\n")).Post; e.Slug != "new" || e.State != Published || !e.HasDate {
		t.Errorf("%+v", e)
	}
}

func TestSketchSaysWhereTheTextBegins(t *testing.T) {
	for _, c := range []struct {
		src, text string // the text after the front matter
		config    string
	}{
		{"---\ntitle: A\n---\nText.\n", "Text.\n", ""},
		{"---\r\ntitle: A\r\n---\r\n\r\nText.\r\n", "\r\nText.\r\n", ""},
		{"\ufeff---\ntitle: A\n---\nText.\n", "Text.\n", ""},
		{"+++\ntitle = 'A'\n+++\n\nText.\n", "\nText.\n", ""},
		{"{\n  \"title\": \"A\"\n}\nText.\n", "Text.\n", ""},
		{"# A\n\nText.\n", "# A\n\nText.\n", ""},
		{"---\ntitle: A\n---\n", "", ""},
		{"", "", ""},
		{"@def title = \"A\"\n@def tags = [\"a\",\n    \"b\"]\n\nText.\n\n@def later = 1\n", "\nText.\n\n@def later = 1\n", "x"},
		{"+++\ntitle = \"A\"\n\ndate = Date(2021, 1, 1)\n+++\nText.\n", "Text.\n", "x"},
	} {
		dir := t.TempDir()
		if c.config != "" {
			put(t, dir, "config.md", "@def website_title = \"T\"\n")
		} else {
			put(t, dir, "site.yaml", "title: T\n")
		}
		s := at(t, dir, still).Author("Ada").Inspect("blog/x.md", []byte(c.src))
		if got := c.src[s.Body:]; got != c.text {
			t.Errorf("%q: the text is %q", c.src, got)
		}
	}
}

func BenchmarkSketch(b *testing.B) {
	v := openDir(b, manyPosts(b, 1000, 2000, heads["yaml"])).Author("Ada")
	var src strings.Builder
	src.WriteString("---\ntitle: A post\ndate: 2021-01-01\ntags: [a, b]\ndraft: true\n---\n\n")
	for i := 0; src.Len() < 10<<10; i++ {
		fmt.Fprintf(&src, "## Part %d\n\nWords that go on for a while, with *some* that are `marked` and a [link](post-%05d.md) in them, then more of the same until it ends.\n\n", i, i)
	}
	v.Inspect("part0/new.md", []byte(src.String()))
	b.ResetTimer()
	for b.Loop() {
		if s := v.Inspect("part0/new.md", []byte(src.String())); len(s.Problems) > 0 {
			b.Fatal(s.Problems)
		}
	}
}
