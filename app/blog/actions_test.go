package blog

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// plain gives the files of a blog's folder: what stands there, without what is
// kept.
func plain(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	files := map[string]string{}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".sheaf" {
			return fs.SkipDir
		}
		if !d.IsDir() {
			b, err := os.ReadFile(filepath.Join(dir, p))
			files[p] = string(b)
			return err
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return files
}

func TestDesk(t *testing.T) {
	const (
		draft  = "---\r\ntitle: D # mine\r\ndraft: true\r\n---\r\nText.\r\n"
		future = "---\ntitle: F\ndate: 2099-01-01\n---\nText.\n"
	)
	png := "\x89PNG\r\n\x1a\n0"
	publish := func(slug string) func(context.Context, Author) (Receipt, error) {
		return func(ctx context.Context, v Author) (Receipt, error) { return v.Publish(ctx, slug) }
	}
	unpublish := func(slug string) func(context.Context, Author) (Receipt, error) {
		return func(ctx context.Context, v Author) (Receipt, error) { return v.Unpublish(ctx, slug) }
	}
	schedule := func(slug, when string) func(context.Context, Author) (Receipt, error) {
		return func(ctx context.Context, v Author) (Receipt, error) {
			at, err := ParseWhen(when, noon, time.UTC)
			if err != nil {
				return Receipt{}, err
			}
			return v.Schedule(ctx, slug, at)
		}
	}
	rename := func(slug, to string) func(context.Context, Author) (Receipt, error) {
		return func(ctx context.Context, v Author) (Receipt, error) { return v.Rename(ctx, slug, to) }
	}
	remove := func(slug string) func(context.Context, Author) (Receipt, error) {
		return func(ctx context.Context, v Author) (Receipt, error) { return v.Remove(ctx, slug) }
	}
	for _, c := range []struct {
		name   string
		files  []string // path, text, path, text ...
		do     func(context.Context, Author) (Receipt, error)
		answer string   // the first line of it, of a refusal too
		change []string // what stands there otherwise then; "": gone
	}{
		{"publish", []string{"d.md", draft}, publish("d"), "published  ssh -t h d", []string{"d.md", strings.Replace(draft, "true", "false", 1)}},
		{"publish what is", []string{"sea.md", sea}, publish("sea"), "unchanged  ssh -t h sea", nil},
		{"publish at once", []string{"f.md", future}, publish("f"), "published  ssh -t h f", []string{"f.md", strings.Replace(future, "2099-01-01", "2021-04-08T12:00:00Z", 1)}},
		{"publish at once, Hugo", []string{"hugo.toml", "title = 'T'\n", "content/posts/f.md", "---\ntitle: F\ndate: 2021-01-01\npublishDate: 2099-01-01T10:00:00Z\n---\nText.\n"}, publish("f"),
			"published  ssh -t h f", []string{"content/posts/f.md", "---\ntitle: F\ndate: 2021-01-01\npublishDate: 2021-04-08T12:00:00Z\n---\nText.\n"}},
		{"publish at once, by its name", []string{"2099-01-01-f.md", "# F\n\nText.\n"}, publish("f"),
			"published  ssh -t h f", []string{"2099-01-01-f.md", "---\ndate: 2021-04-08T12:00:00Z\n---\n\n# F\n\nText.\n"}},
		{"a draft with a date to come", []string{"f.md", "---\ntitle: F\ndate: 2099-01-01\ndraft: true\n---\nText.\n"}, publish("f"),
			"scheduled for 1 Jan 2099 00:00  ssh -t h f", []string{"f.md", "---\ntitle: F\ndate: 2099-01-01\ndraft: false\n---\nText.\n"}},
		{"publish from _drafts", []string{"_config.yml", "title: T\n", "_drafts/new.md", "---\ntitle: N\n---\nText.\n", "_posts/2021-01-01-a.md", sea}, publish("new"),
			"published  ssh -t h new", []string{"_drafts/new.md", "", "_posts/2021-04-08-new.md", "---\ntitle: N\n---\nText.\n"}},
		{"publish from _drafts, with its own date", []string{"_config.yml", "title: T\n", "_drafts/2021-02-03-new.md", "---\ntitle: N\npublished: false\n---\nText.\n"}, publish("new"),
			"published  ssh -t h new", []string{"_drafts/2021-02-03-new.md", "", "_posts/2021-02-03-new.md", "---\ntitle: N\npublished: true\n---\nText.\n"}},
		{"publish from _drafts, name taken", []string{"_config.yml", "title: T\n", "_drafts/a.md", "---\ntitle: N\ndate: 2021-01-01\n---\nText.\n", "_posts/2021-01-01-a.md", "---\ntitle: A\nslug: b\n---\nText.\n"}, publish("a"),
			"_drafts/a.md: _posts/2021-01-01-a.md is there already", nil},
		{"publish what is over", []string{"e.md", "---\ntitle: E\ndate: 2021-01-01\nexpiryDate: 2021-02-01\n---\nText.\n"}, publish("e"), "e.md: has expired on 1 February 2021", nil},
		{"publish what is broken", []string{"b.md", "---\ntitle: B\ndate: someday\n---\nText.\n"}, publish("b"), "b.md: cannot be read; check says why", nil},
		{"publish nothing", nil, publish("none"), `post "none": file does not exist`, nil},

		{"unpublish", []string{"sea.md", sea}, unpublish("sea"), "draft      ssh -t h sea", []string{"sea.md", strings.Replace(sea, "---\nW", "draft: true\n---\nW", 1)}},
		{"unpublish twice", []string{"d.md", draft}, unpublish("d"), "unchanged  ssh -t h d", nil},
		{"unpublish, Jekyll", []string{"_config.yml", "title: T\n", "_posts/2021-01-01-a.md", "---\ntitle: A\n---\nText.\n"}, unpublish("a"),
			"draft      ssh -t h a", []string{"_posts/2021-01-01-a.md", "---\ntitle: A\npublished: false\n---\nText.\n"}},
		{"unpublish what has an anchor", []string{"a.md", "---\ntitle: A\ndate: 2021-01-01\ndraft: &no false\nx: *no\n---\nText.\n"}, unpublish("a"),
			`a.md: field "draft" is written in a way that only its author can change`, nil},

		{"schedule", []string{"sea.md", sea}, schedule("sea", "2021-05-01 9:00"), "scheduled for 1 May 2021 09:00  ssh -t h sea", []string{"sea.md", strings.Replace(sea, "2021-01-01", "2021-05-01T09:00:00Z", 1)}},
		{"schedule a draft", []string{"d.md", draft}, schedule("d", "2021-05-01"), "scheduled for 1 May 2021 00:00  ssh -t h d",
			[]string{"d.md", "---\r\ntitle: D # mine\r\ndraft: false\r\ndate: 2021-05-01\r\n---\r\nText.\r\n"}},
		{"schedule from _drafts", []string{"_config.yml", "title: T\n", "_drafts/new.md", "---\ntitle: N\n---\nText.\n"}, schedule("new", "2021-05-01"),
			"scheduled for 1 May 2021 00:00  ssh -t h new", []string{"_drafts/new.md", "", "_posts/2021-05-01-new.md", "---\ntitle: N\ndate: 2021-05-01\n---\nText.\n"}},
		{"schedule Franklin's", []string{"config.md", "@def website_title = \"T\"\n", "blog/f.md", "@def title = \"F\"\n@def rss_pubdate = Date(2021, 1, 1)\n@def date = Date(2020, 1, 1)\n\nText.\n"}, schedule("f", "2021-05-01"),
			"scheduled for 1 May 2021 00:00  ssh -t h f", []string{"blog/f.md", "@def title = \"F\"\n@def rss_pubdate = Date(2021, 5, 1)\n@def date = Date(2020, 1, 1)\n\nText.\n"}},
		{"schedule what is past", []string{"sea.md", sea}, schedule("sea", "2021-03-01"), "sea.md: 1 March 2021 00:00 is past", nil},
		{"schedule after its end", []string{"e.md", "---\ntitle: E\ndate: 2021-01-01\nexpiryDate: 2021-05-01\n---\nText.\n"}, schedule("e", "2021-06-01"), "e.md: expires before that, on 1 May 2021 00:00", nil},

		{"rename a file", []string{"posts/2021-01-01-sea.md", sea}, rename("sea", "ocean"), "published  ssh -t h ocean", []string{"posts/2021-01-01-sea.md", "", "posts/2021-01-01-ocean.md", sea}},
		{"rename, the date behind", []string{"posts/sea-2021-01-01.md", sea}, rename("sea", "ocean"), "published  ssh -t h ocean", []string{"posts/sea-2021-01-01.md", "", "posts/ocean-2021-01-01.md", sea}},
		{"rename a field", []string{"a.md", "---\nslug: 'sea' # s\ntitle: T\n---\nText.\n"}, rename("sea", "ocean"), "published  ssh -t h ocean", []string{"a.md", "---\nslug: 'ocean' # s\ntitle: T\n---\nText.\n"}},
		{"rename a folder", []string{"posts/sea/index.md", sea, "posts/sea/a.png", png, "posts/seal.md", hills}, rename("sea", "ocean"), "published  ssh -t h ocean",
			[]string{"posts/sea/index.md", "", "posts/sea/a.png", "", "posts/ocean/index.md", sea, "posts/ocean/a.png", png}},
		{"rename the index of a folder of posts", []string{"posts/sea/index.md", sea, "posts/sea/b.md", hills}, rename("sea", "ocean"), "published  ssh -t h ocean",
			[]string{"posts/sea/index.md", strings.Replace(sea, "---\nW", "slug: ocean\n---\nW", 1)}},
		{"rename what the name does not decide", []string{"_config.yml", "title: T\n", "_posts/2021-01-01-a.md", "---\ntitle: A\npermalink: /x/sea/\n---\nText.\n"}, rename("sea", "ocean"), "published  ssh -t h ocean",
			[]string{"_posts/2021-01-01-a.md", "---\ntitle: A\npermalink: /x/sea/\nslug: ocean\n---\nText.\n"}},
		{"rename in another language", []string{"hugo.toml", "title = 'T'\n", "content/posts/sea.fr.md", sea}, rename("sea", "mer"), "published  ssh -t h mer", []string{"content/posts/sea.fr.md", "", "content/posts/mer.fr.md", sea}},
		{"rename to what is taken", []string{"sea.md", sea, "hills.md", hills}, rename("sea", "hills"), `sea.md: slug "hills" is already that of hills.md`, nil},
		{"rename onto a file", []string{"sea.md", sea, "ocean.md", "---\ntitle: O\nslug: o\n---\nText.\n"}, rename("sea", "ocean"), "sea.md: ocean.md is there already", nil},
		{"rename to no slug", []string{"sea.md", sea}, rename("sea", "../x"), `sea.md: "../x" cannot be a slug: letters, digits and dashes can`, nil},
		{"rename home", []string{"index.md", "# Home\n\nText.\n"}, rename("index", "x"), "index.md: is the home page", nil},

		{"remove", []string{"sea.md", sea}, remove("sea"), "removed    sea.md", []string{"sea.md", ""}},
		{"remove a folder", []string{"posts/sea/index.md", sea, "posts/sea/in/a.png", png}, remove("sea"), "removed    posts/sea/index.md", []string{"posts/sea/index.md", "", "posts/sea/in/a.png", ""}},
		{"remove from a folder of posts", []string{"posts/sea/index.md", sea, "posts/sea/b.md", hills}, remove("sea"), "removed    posts/sea/index.md", []string{"posts/sea/index.md", ""}},
		{"remove home", []string{"index.md", "# Home\n\nText.\n", "a.png", png}, remove("index"), "removed    index.md", []string{"index.md", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, c.files...)
			v := at(t, dir, still).Author("Ada").Via("shell")
			before, want := plain(t, dir), plain(t, dir)
			for i := 0; i < len(c.change); i += 2 {
				if want[c.change[i]] = c.change[i+1]; c.change[i+1] == "" {
					delete(want, c.change[i])
				}
			}
			r, err := c.do(t.Context(), v)
			lines := r.Lines("h")
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) == 0 || lines[0] != c.answer {
				t.Errorf("answer %q, want %q", lines, c.answer)
			}
			if got := plain(t, dir); !maps.Equal(got, want) {
				t.Errorf("files %q, want %q", got, want)
			}
			if err != nil || c.change == nil {
				return
			}
			if _, err := v.Undo(t.Context(), r.Rev); err != nil {
				t.Error(err)
			}
			if got := plain(t, dir); !maps.Equal(got, before) {
				t.Errorf("taken back: %q, want %q", got, before)
			}
		})
	}
}

func TestDeskAmongOthers(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea)
	b := at(t, dir, still)
	v := b.Author("Ada")
	if _, err := v.Log(t.Context(), "sea", 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	// Edited by hand an instant before, and not seen yet: nothing of it is lost.
	put(t, dir, "sea.md", sea+"By hand.\n")
	if _, err := v.Unpublish(t.Context(), "sea"); err != nil {
		t.Fatal(err)
	}
	if got := plain(t, dir)["sea.md"]; got != strings.Replace(sea, "---\nW", "draft: true\n---\nW", 1)+"By hand.\n" {
		t.Errorf("%q", got)
	}
	// Two at once: both are done, on two posts and on one.
	publish(t, v, "a.md", sea, "b.md", hills)
	done := make(chan error)
	for _, do := range []func() error{
		func() error { _, err := v.Unpublish(t.Context(), "a"); return err },
		func() error { _, err := v.Rename(t.Context(), "b", "c"); return err },
		func() error { _, err := b.Author("Bob").Unpublish(t.Context(), "a"); return err },
	} {
		go func() { done <- do() }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if e := v.Edition(); slugsOf(e.Posts()) != "a sea c" {
		t.Errorf("%s", slugsOf(e.Posts()))
	}
}
