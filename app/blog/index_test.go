package blog

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sheaf/app/store"
	"sheaf/app/textdiff"
)

func TestOldAddressesLeadToTheirPosts(t *testing.T) {
	dir := t.TempDir()
	func() {
		f, err := store.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := Open(t.Context(), Config{Store: f, Now: still})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		v := b.Author("Ada")
		publish(t, v, "posts/sea.md", sea, "posts/hills.md", "---\ntitle: Hills\nslug: hills\n---\nGrass.\n")
		for _, step := range [][2]string{{"sea", "ocean"}, {"ocean", "deep-sea"}, {"hills", "downs"}} {
			r, err := v.Rename(t.Context(), step[0], step[1])
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(r.Lines("h"), "\n"), "the old one still leads here") {
				t.Errorf("%q", r.Lines("h"))
			}
		}
	}()
	b := at(t, dir, still) // as after a restart
	for old, want := range map[string]string{"sea": "deep-sea", "ocean": "deep-sea", "deep-sea": "deep-sea", "hills": "downs"} {
		if p, err := b.Reader().Edition().Post(old); err != nil || p.Slug != want {
			t.Errorf("%s leads to %+v, %v", old, p, err)
		}
	}
	v := b.Author("Ada")
	if log, err := v.Log(t.Context(), "sea", 0); err != nil || len(log) != 3 || log[2].Path != "posts/sea.md" {
		t.Errorf("%d revisions, %v", len(log), err)
	}
	src, _, err := v.At(t.Context(), "hills", 0)
	if err != nil || string(src) != "---\ntitle: Hills\nslug: downs\n---\nGrass.\n" {
		t.Errorf("%q, %v", src, err)
	}
	// A new post takes the address over.
	publish(t, v, "posts/sea.md", hills)
	if p, err := b.Reader().Edition().Post("sea"); err != nil || p.Title != "Hills" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestThePostsOwnDay(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "old.md", "# Old\n\nText.\n")
	now := noon
	b := at(t, dir, func() time.Time { return now })
	v := b.Author("Ada")
	c := change(t, v, 0, "new.md", "# New\n\nText.\n")
	c.Time = noon
	if _, err := v.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(0, 0, 3)
	publish(t, v, "new.md", "# New\n\nOther text.\n")
	e := b.Reader().Edition()
	if p, _ := e.Post("new"); !p.HasDate || !p.Date.Equal(noon) {
		t.Errorf("a post that came: %v", p.Date)
	}
	if p, _ := e.Post("old"); p.HasDate {
		t.Errorf("a post that was there: %v", p.Date)
	}
}

// A post that came undated has the day it came; one that was found in the
// folder has none, whoever changes it later.
func TestAnOldPostIsNotOfToday(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "old.md", "# Old\n\nText.\n", "sea.md", sea)
	b := at(t, dir, still)
	v := b.Author("Ada")
	if _, err := v.Files(t.Context()); err != nil { // it is in the history
		t.Fatal(err)
	}
	publish(t, v, "old.md", "# Old\n\nOther text.\n")
	if p, err := b.Reader().Edition().Post("old"); err != nil || p.HasDate {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPostsThatChangePlaces(t *testing.T) {
	dir := t.TempDir()
	b := at(t, dir, still)
	v := b.Author("Ada")
	one, two := "---\ntitle: One\n---\nText.\n", "---\ntitle: Two\n---\nText.\n"
	publish(t, v, "a.md", one, "b.md", two)
	publish(t, v, "a.md", "", "c.md", one)                            // One: a, c
	publish(t, v, "b.md", "", "d.md", two)                            // Two: b, d
	publish(t, v, "c.md", "", "d.md", "", "e.md", one, "c/x.md", two) // One: e; Two: c/x, and d
	for old, want := range map[string]string{"a": "One", "c": "One", "e": "One", "b": "Two", "d": "Two", "x": "Two"} {
		if p, err := b.Reader().Edition().Post(old); err != nil || p.Title != want {
			t.Errorf("%s leads to %+v, %v; want %s", old, p, err, want)
		}
	}
}

// Aliases are renamed all at once: of two that are exchanged none is lost.
func TestExchangedPaths(t *testing.T) {
	for range 20 { // of a map's orders
		s := newIndex(nil)
		s.moved = map[string]string{"one": "a.md", "two": "b.md"}
		s.first = map[string]time.Time{"a.md": noon, "b.md": noon.AddDate(1, 0, 0)}
		l := (&store.Ledger{}).Apply(store.Commit{Rev: 1, Meta: map[string]string{movedKey + "/a.md": "b.md", movedKey + "/b.md": "a.md"}})
		s.learn(l)
		if s.moved["one"] != "b.md" || s.moved["two"] != "a.md" || !s.first["b.md"].Equal(noon) {
			t.Fatalf("%v, %v", s.moved, s.first)
		}
	}
}

func TestManyPostsMove(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	var here, there []string
	const n = 2000
	for i := range n {
		text := fmt.Sprintf("---\ntitle: Post\n---\nText %d.\n", i)
		here = append(here, fmt.Sprintf("old/p%d.md", i), text)
		there = append(there, fmt.Sprintf("old/p%d.md", i), "", fmt.Sprintf("new/q%d.md", i), text)
	}
	publish(t, v, here...)
	publish(t, v, there...)
	e := b.Reader().Edition()
	for i := range n {
		if p, err := e.Post(fmt.Sprint("p", i)); err != nil || p.Slug != fmt.Sprint("q", i) {
			t.Fatalf("p%d leads to %+v, %v", i, p, err)
		}
	}
}

func TestReadersAreNotToldOfADraftsAddress(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	publish(t, v, "sea.md", sea, "d.md", "---\ntitle: D\ndraft: true\nslug: one\n---\nHush.\n")
	before := b.Reader().Edition()
	publish(t, v, "d.md", "---\ntitle: D\ndraft: true\nslug: two\n---\nHush.\n")
	if p, err := v.Edition().Post("one"); err != nil || p.Slug != "two" {
		t.Errorf("authors: %+v, %v", p, err)
	}
	if b.Reader().Edition() != before {
		t.Error("readers got a new edition")
	}
	if _, err := b.Reader().Edition().Post("one"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// described is all that an edition shows, for comparison with another.
func described(e *Edition, addresses ...string) string {
	var out strings.Builder
	fmt.Fprintln(&out, e.Site().Title, e.Home() != nil, e.Tags())
	for _, list := range [][]*Post{e.all, e.Posts(), e.Pages(), e.searched} {
		for _, p := range list {
			fmt.Fprintln(&out, p.Slug, p.Path, p.Title, p.State, p.HasDate, p.Date, p.Tags)
		}
	}
	for _, a := range addresses {
		if p, err := e.Post(a); err == nil {
			fmt.Fprintln(&out, a, "is", p.Path)
		}
	}
	for _, p := range e.Problems() {
		fmt.Fprintln(&out, p)
	}
	return out.String()
}

// sameAsAStart compares what a blog shows with what a start would.
func sameAsAStart(t *testing.T, b *Blog, now time.Time, what string, addresses ...string) {
	t.Helper()
	s := newIndex(b.lib.worktree)
	if _, err := s.rescan(); err != nil {
		t.Fatal(err)
	}
	v := s.snapshot(now)
	for _, c := range []struct {
		who         string
		shown, want *Edition
	}{{"authors", b.Author("").Edition(), v.author}, {"readers", b.Reader().Edition(), v.reader}} {
		if got, want := described(c.shown, addresses...), described(c.want, addresses...); got != want {
			t.Fatalf("%s, %s:\n%s", c.who, what, unified(want, got))
		}
	}
}

// unified is what the second text has otherwise than the first.
func unified(a, b string) string {
	var out strings.Builder
	for _, l := range textdiff.Unified([]byte(a), []byte(b)) {
		fmt.Fprintf(&out, "%c%s\n", l.Kind, l.Text)
	}
	return out.String()
}

// What a commit shows is what a new start would show, whichever way it was
// found.
func TestCommitShowsWhatAStartWould(t *testing.T) {
	dir := t.TempDir()
	b := at(t, dir, still)
	v := b.Author("Ada")
	dated := func(title string) string { return "---\ntitle: " + title + "\ndate: 2021-01-01\n---\nText.\n" }
	for i, files := range [][]string{
		{"posts/sea.md", sea, "posts/hills.md", hills},
		{"posts/sea.md", sea + "More.\n"},
		{"posts/lake.md", dated("Lake"), "posts/boat.png", boat},
		{"zoo.md", dated("Zoo"), "posts/zoo.md", dated("Another")}, // of one name
		{"aaa/zoo.md", dated("A third")},
		{"posts/zoo.md", ""},
		{"note.md", "# Note\n\nText.\n"},
		{"_posts/x.txt", "x"}, // a folder of Jekyll's
		{"_posts/x.txt", ""},
		{"config.md", "@def title = \"F\"\n"}, // Franklin's
		{"config.md", "# Config\n\nText.\n"},
		{"config.md", ""},
		{"trip/index.md", "# Trip\n\nText.\n"},
		{"trip/more.md", dated("More")}, // the index is a page now
		{"trip/more.md", ""},
		{"posts/index.md", "# Posts\n"},
		{"posts/later.md", dated("Later")},
		{"posts/index.md", ""},
		{"index.md", "# Welcome\n\nHome.\n"},
		{"index.md", "# Welcome\n\nStill.\n"},
		{"about.md", "# About\n\nMe.\n", "content/x.md", dated("X")},
		{"site.yaml", "title: A Site\n"},
		{"_posts/2021-01-01-jekyll.md", dated("J"), "_drafts/d.md", dated("D")},
		{"_posts/2021-01-01-jekyll.md", "", "_drafts/d.md", ""},
		{"config.md", "@def title = \"F\"\n"},
		{"posts/sea.md", "", "posts/hills.md", "", "posts/lake.md", "", "posts/later.md", ""},
		{"hugo.toml", "title = \"H\"\n"},
		{"zoo.md", "", "about.md", "", "index.md", "", "config.md", "", "aaa/zoo.md", ""},
	} {
		publish(t, v, files...)
		sameAsAStart(t, b, noon, fmt.Sprintf("after change %d", i+1))
	}
}

// A commit keeps what it can of the edition before: posts, their order, their
// addresses. After no row of changes can anybody tell.
func TestAnyCommitShowsWhatAStartWould(t *testing.T) {
	clock := &calendar{at: noon}
	b := at(t, t.TempDir(), clock.now)
	v := b.Author("Ada")
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	addresses := []string{"a", "b", "c", "old", "other", "posts/a", "trips/b", "2020/c", "one", "two"}
	made := Rev(0)
	for n := range 300 {
		clock.set(clock.now().Add(6 * time.Hour))
		there := b.lib.worktree.Ledger().Entries()
		var c Change
		for range 1 + r.IntN(3) {
			what := r.IntN(4)
			if what < 2 && len(there) > 0 { // one goes, or moves
				old := there[r.IntN(len(there))]
				c.Entries = append(c.Entries, Entry{Path: old.Path})
				if what == 0 {
					old.Path = pick("trips/", "posts/", "") + fmt.Sprintf("moved-%d.md", n)
					c.Entries = append(c.Entries, old)
				}
				continue
			}
			name := pick("", "posts/", "posts/2020/", "trips/") + pick("a", "b", "c") + pick(".md", ".md", ".md", "/index.md")
			soon := "date: " + clock.now().AddDate(0, 0, 1+r.IntN(9)).Format(time.DateOnly) + "\n"
			text := "---\ntitle: " + pick("One", "Two", name) + "\n" +
				pick("", "", "date: 2021-01-01\n", "date: 2020-05-05\n", soon, soon) + pick("", "", "draft: true\n", "unlisted: true\n") +
				pick("", "", "", "slug: a\n", "slug: other\n") + pick("", "aliases: [old]\n", "tags: [x, Y]\n", "tags: y\n") + "---\n" +
				pick("", "Text.\n", fmt.Sprintln("Text", r.IntN(1000)))
			c.Entries = append(c.Entries, change(t, v, 0, name, text).Entries...)
		}
		receipt, err := v.Commit(t.Context(), c)
		if no := (*Refusal)(nil); err != nil && !errors.As(err, &no) {
			t.Fatal(err)
		}
		if receipt.Rev > made {
			made = receipt.Rev
			sameAsAStart(t, b, clock.now(), fmt.Sprintf("after change %d of seed %d, %+v", n+1, seed, c.Entries), addresses...)
		}
	}
	if made < 100 {
		t.Errorf("only %d of 300 changes were made", made)
	}
}

func TestAPostMovesWithinAFolderOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	v := at(t, dir, still).Author("Ada")
	publish(t, v, "trip/a.md", sea)
	publish(t, v, "trip/a.md", "", "trip/b.md", sea)
	if b, err := os.ReadFile(filepath.Join(dir, "trip/b.md")); err != nil || string(b) != sea {
		t.Errorf("%q, %v", b, err)
	}
}
