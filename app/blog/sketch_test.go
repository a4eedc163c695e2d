package blog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sheaf/app/markdown"
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
		s := v.Sketch(c.path, []byte(c.src))
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
	if s := b.Reader().Sketch("x.md", []byte("# X\n")); s.Post != nil || s.Problems != nil {
		t.Error("a reader gets a sketch")
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
	s := v.Sketch("posts/sea.md", []byte(src))
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
	if e := v.Sketch("posts/new.md", []byte("New.\n")).Post; e.Slug != "new" || e.State != Published || !e.HasDate {
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
		s := at(t, dir, still).Author("Ada").Sketch("blog/x.md", []byte(c.src))
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
	v.Sketch("part0/new.md", []byte(src.String()))
	b.ResetTimer()
	for b.Loop() {
		if s := v.Sketch("part0/new.md", []byte(src.String())); len(s.Problems) > 0 {
			b.Fatal(s.Problems)
		}
	}
}

func TestFieldsAsTyped(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\ntimezone: Europe/Berlin\n")
	v := at(t, dir, still).Author("Ada")
	src := "---\ntitle: \"A: b\"\nslug: a-b\ndate: 2026-12-01T08:00:00Z\ntags:\n- moving house\n- life\nexcerpt: Short.\npublished: false\n---\nText.\n"
	f, err := v.Fields("posts/a.md", []byte(src))
	if want := (Fields{"A: b", "a-b", "2026-12-01 09:00", "moving house, life", "Short.", "yes"}); err != nil || f != want {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := v.Fields("_drafts/a.md", []byte("# A\n")); err != nil || f != (Fields{Draft: "yes"}) {
		t.Errorf("%+v, %v", f, err)
	}
	if f, _ := v.Fields("a.md", []byte("---\ndate: 2026-12-01\ndraft: no\n---\n")); f.Date != "2026-12-01" || f.Draft != "no" {
		t.Errorf("%+v", f)
	}
	if _, err := v.Fields("a.md", []byte("---\ntitle: [\n---\n")); err == nil {
		t.Error("a broken front matter has fields")
	}
	// What is shown can be put back and changes nothing.
	for field, value := range map[string]string{"title": f.Title, "slug": f.Slug, "date": f.Date, "tags": f.Tags, "summary": f.Summary, "draft": f.Draft} {
		if out, err := v.SetField("posts/a.md", []byte(src), field, value); err != nil || string(out) != src {
			t.Errorf("%s: %q, %v", field, out, err)
		}
	}
}

func TestSetFieldAsTyped(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\ntimezone: Europe/Berlin\n")
	v := at(t, dir, still).Author("Ada") // noon of 8 April 2021
	src := "---\ntitle: A # mine\ndate: 2021-01-01\ntags: [a]\ndraft: true\n---\nText.\n"
	for _, c := range []struct{ field, value, old, new string }{
		{"title", " B: c ", "title: A # mine", "title: \"B: c\" # mine"},
		{"title", "", "title: A # mine\n", ""},
		{"slug", "on-homology", "draft: true\n", "draft: true\nslug: on-homology\n"},
		{"slug", "", "", ""},
		{"date", "tomorrow 9:00", "2021-01-01", "2021-04-09T09:00:00+02:00"},
		{"date", "2026-12-01", "2021-01-01", "2026-12-01"},
		{"date", "", "date: 2021-01-01\n", ""},
		{"tags", "#b, moving house,, b", "[a]", "[b, moving house]"},
		{"tags", " ", "tags: [a]\n", ""},
		{"summary", "Short.", "draft: true\n", "draft: true\ndescription: Short.\n"},
		{"draft", "No", "draft: true", "draft: false"},
		{"draft", "yes", "", ""},
		{"draft", "", "draft: true\n", ""},
	} {
		out, err := v.SetField("posts/a.md", []byte(src), c.field, c.value)
		if want := strings.Replace(src, c.old, c.new, 1); err != nil || string(out) != want {
			t.Errorf("%s %q: %v\n%s\nwant\n%s", c.field, c.value, err, out, want)
		}
	}
	for _, c := range [][3]string{
		{"date", "tomorow", `"tomorow" is not a date`},
		{"slug", "a b", `"a b" cannot be a slug: letters, digits and dashes can`},
		{"slug", "../x", `"../x" cannot be a slug: letters, digits and dashes can`},
		{"draft", "perhaps", `"perhaps" is neither yes nor no`},
		{"author", "Eve", `field "author" is not in the form`},
		{"title", "a\x1bb", "title: the text has blanks at its ends or control characters"},
	} {
		if _, err := v.SetField("posts/a.md", []byte(src), c[0], c[1]); err == nil || err.Error() != c[2] {
			t.Errorf("%s %q: %v", c[0], c[1], err)
		}
	}
}

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	const png = "\x89PNG\r\n\x1a\n0"
	put(t, dir, "site.yaml", "title: T\n", "posts/sea.md", sea+"\n![a](boat.png) ![b](other/far.png)\n", "posts/boat.png", png, "posts/sea.png", png, "posts/sea-2.png", png,
		"posts/seal.png", png, "posts/sea/deep.png", png, "posts/other/far.png", png, "posts/hills/index.md", hills, "posts/hills/a.png", png, "posts/hills/x/b.csv", "1\n")
	b := at(t, dir, still)
	v := b.Author("Ada")
	if _, err := v.Files(t.Context()); err != nil { // the folder is adopted
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"posts/sea.md":         "posts/boat.png posts/sea-2.png posts/sea.png posts/sea/deep.png",
		"posts/hills/index.md": "posts/hills/a.png posts/hills/x/b.csv",
		"posts/seal.md":        "posts/seal.png",
		"posts/none.md":        "",
	} {
		if got := strings.Join(v.Beside(name), " "); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if b.Reader().Beside("posts/sea.md") != nil {
		t.Error("a reader is told")
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
		s := v.Sketch(name, src)
		if s.Post.State != Draft || c.title != "" && s.Post.Title != strings.Join(strings.Fields(c.title), " ") || strings.Contains(told(s.Problems), "not a post") {
			t.Errorf("%s: at %s it is %+v\n%s", c.name, name, s.Post, told(s.Problems))
		}
		publish(t, v, name, string(src)+"Text.\n")
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("---\r\ntitle: A\r\n---\r\nText"), false)
	f.Add([]byte("@def a = [1,\n2]\n+++\nb = 1\n"), true)
	f.Fuzz(func(t *testing.T, src []byte, franklin bool) {
		o := markdown.Options{}
		if franklin {
			o.Dialect = markdown.Franklin
		}
		if at := bodyOf(src, o); at < 0 || at > len(src) {
			t.Fatalf("%q: %d", src, at)
		}
	})
}
