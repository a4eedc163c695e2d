package blog

import (
	"fmt"
	"strings"
	"testing"
)

// change makes a change of files: path, text, path, text ...; an empty text
// removes.
func change(tb testing.TB, v Author, base Rev, files ...string) Change {
	tb.Helper()
	c := Change{Base: base}
	for i := 0; i < len(files); i += 2 {
		e := Entry{Path: files[i]}
		if text := files[i+1]; text != "" {
			hash, err := v.Put(tb.Context(), []byte(text))
			if err != nil {
				tb.Fatal(err)
			}
			e.Hash, e.Size = hash, int64(len(text))
		}
		c.Entries = append(c.Entries, e)
	}
	return c
}

func publish(tb testing.TB, v Author, files ...string) Receipt {
	tb.Helper()
	r, err := v.Commit(tb.Context(), change(tb, v, 0, files...))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

const (
	sea   = "---\ntitle: Sea\ndate: 2021-01-01\n---\nWaves.\n"
	hills = "---\ntitle: Hills\ndate: 2021-02-01\n---\nGrass.\n"
)

func TestCommitShowsAtOnce(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada").Via("pipe")
	before := b.Reader().Edition()
	r := publish(t, v, "posts/sea.md", sea, "posts/draft.md", "---\ntitle: D\ndraft: true\n---\nHush.\n", "posts/later.md", "---\ntitle: L\ndate: 2099-11-27 09:00\n---\nSoon.\n")
	select {
	case <-before.Superseded():
	default:
		t.Error("the next edition is not out")
	}
	if got := slugsOf(b.Reader().Edition().Posts()); got != "sea" {
		t.Errorf("readers see %q", got)
	}
	if got, want := strings.Join(r.Lines("h"), "\n"), "published  ssh -t h sea\ndraft      ssh -t h draft\nscheduled for 27 Nov 2099 09:00  ssh -t h later"; got != want {
		t.Errorf("%s", got)
	}
	r = publish(t, v, "posts/sea.md", sea)
	if got := strings.Join(r.Lines("h"), "\n"); got != "unchanged  ssh -t h sea" || r.Rev != 1 {
		t.Errorf("%s at r%d", got, r.Rev)
	}
	log, err := v.Log(t.Context(), "sea", 0)
	if err != nil || len(log) != 1 || log[0].Author != "Ada" || log[0].Channel != "pipe" {
		t.Errorf("%+v, %v", log, err)
	}
}

// What only authors may do is in no one else's hands: the compiler sees to it, if
// nobody else can become one.
func TestNobodyElseIsAnAuthor(t *testing.T) {
	b := at(t, t.TempDir(), still)
	ada := b.Author("Ada").Via("pipe")
	publish(t, ada, "sea.md", sea)
	shared, err := ada.Share(t.Context(), "sea")
	if err != nil {
		t.Fatal(err)
	}
	guest, _ := b.Guest(shared.Token)
	for who, v := range map[string]Visitor{"a reader": b.Reader(), "a guest": guest, "nobody": {}} {
		if a, ok := v.Author(); ok || a != (Author{}) || v.IsAuthor() {
			t.Errorf("%s is an author", who)
		}
	}
	if a, ok := ada.Visitor().Author(); !ok || a != ada {
		t.Error("an author is none")
	}
}

func BenchmarkCommitToEdition(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			for i := range n {
				put(b, dir, fmt.Sprintf("posts/%d.md", i), fmt.Sprintf("---\ntitle: Post %d\ndate: 2021-01-01\n---\nText.\n", i))
			}
			v := at(b, dir, still).Author("Ada")
			if _, err := v.Files(b.Context()); err != nil { // the folder is in the history
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				publish(b, v, "posts/5.md", fmt.Sprintf("---\ntitle: Post 5, %d\ndate: 2021-01-01\n---\nText.\n", i))
			}
		})
	}
}

// The owner of a Franklin blog may be sent a post by somebody who writes YAML.
func TestAYAMLFrontMatterInAFranklinBlog(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "config.md", "@def website_title = \"F\"\n", "posts/own.md", "@def title = \"Own\"\n\nText.\n")
	b := at(t, dir, still)
	v := b.Author("Ada")
	r := publish(t, v, "posts/sea.md", sea)
	p := r.Files[0].Post
	if p.Title != "Sea" || !p.HasDate || p.Date.Year() != 2021 || strings.Contains(p.Document().Text, "title:") {
		t.Errorf("%q of %v", p.Title, p.Date)
	}
	_, err := v.Commit(t.Context(), change(t, v, 0, "posts/x.md", "---\ntitle: X\ndate: tomorow\n---\nText.\n"))
	if err == nil || !strings.Contains(err.Error(), "posts/x.md:3: ") {
		t.Errorf("a bad date: %v", err)
	}
	if _, err := v.Unpublish(t.Context(), "sea"); err != nil {
		t.Fatal(err)
	}
	if src, _, _ := v.At(t.Context(), "sea", 0); !strings.HasPrefix(string(src), "---\ntitle: Sea\n") || !strings.Contains(string(src), "draft: true\n") {
		t.Errorf("%q", src)
	}
	if own, _ := b.Author("Ada").Edition().Post("own"); own == nil || own.Title != "Own" {
		t.Error("its own posts are read no more")
	}
}
