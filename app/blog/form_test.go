package blog

import (
	"strings"
	"testing"
)

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
}
