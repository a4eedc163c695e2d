package blog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sheaf/app/store"
)

// change makes a change of files: path, text, path, text ...; an empty text
// removes.
func change(tb testing.TB, v Visitor, base Rev, files ...string) Change {
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

func publish(tb testing.TB, v Visitor, files ...string) Receipt {
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
	v := b.Author("Ada").Through("pipe")
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
	if err != nil || len(log) != 1 || log[0].Author != "Ada" || log[0].Door != "pipe" {
		t.Errorf("%+v, %v", log, err)
	}
}

func TestCommitIsRefusedWhole(t *testing.T) {
	dir := t.TempDir()
	b := at(t, dir, still)
	v := b.Author("Ada")
	publish(t, v, "posts/sea.md", sea)
	edition := b.Author("").Edition()
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"date":      {[]string{"posts/x.md", "---\ntitle: X\ndate: someday\n---\n"}, "posts/x.md:3: "},
		"yaml":      {[]string{"posts/x.md", "---\ntitle: [X\n---\nText\n"}, "posts/x.md:"},
		"control":   {[]string{"posts/x.md", "# X\n\na\x1b[31mb\n"}, "posts/x.md:3: holds a control character"},
		"utf-8":     {[]string{"posts/x.md", "# X\n\xff\n"}, "posts/x.md:2: is not UTF-8"},
		"slug":      {[]string{"posts/x.md", "---\ntitle: X\nslug: y\n---\n", "posts/z.md", "---\ntitle: Z\nslug: y\n---\n"}, `slug "y" is already that of posts/x.md`},
		"case":      {[]string{"posts/Sea.md", hills}, "only by capitals"},
		"folder":    {[]string{"Posts/hills.md", hills}, "only by capitals"},
		"form":      {[]string{"posts/é.md", hills, "posts/e\u0301.md", hills}, "the form of its accents"},
		"up":        {[]string{"../x.md", hills}, "leads out of the blog"},
		"hidden":    {[]string{".git/config", "x"}, "is hidden"},
		"bell":      {[]string{"posts/\x07.md", hills}, "cannot be kept"},
		"bidi":      {[]string{"posts/\u202ex.md", hills}, "cannot be kept"},
		"nothing":   {[]string{"posts/none.md", ""}, "there is no such file"},
		"picture":   {[]string{"posts/x.png", "#!/bin/sh\n"}, "is not what its name says"},
		"site":      {[]string{"site.yaml", "title: [x\n"}, "site.yaml:"},
		"time zone": {[]string{"site.yaml", "timezone: Mars/Olympus\n"}, "site.yaml:1: "},
		"big":       {[]string{"posts/x.md", "# X\n" + strings.Repeat("x", 2<<20)}, "is too big: 2.0 MB"},
	} {
		files := append([]string{"posts/hills.md", hills}, c.files...)
		if c.files[0] == "Posts/hills.md" {
			files = c.files
		}
		_, err := v.Commit(t.Context(), change(t, v, 0, files...))
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.Author("").Edition() != edition {
		t.Error("a refused change made an edition")
	}
	if rev := b.lib.folder.Ledger().Rev(); rev != 1 {
		t.Errorf("revision %d", rev)
	}
	if _, err := os.Stat(filepath.Join(dir, "posts/hills.md")); err == nil {
		t.Error("half of a refused set was written")
	}
	empty := Change{Entries: []Entry{{Path: "posts/x.md", Hash: strings.Repeat("0", 64)}}}
	if _, err := v.Commit(t.Context(), empty); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: %v", err)
	}
}

func TestReadersChangeNothing(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Reader()
	ctx := t.Context()
	for name, err := range map[string]error{
		"put":       second(v.Put(ctx, []byte("x"))),
		"commit":    second(v.Commit(ctx, Change{})),
		"check":     second(v.Check(ctx, Change{})),
		"publish":   second(v.Publish(ctx, "x")),
		"unpublish": second(v.Unpublish(ctx, "x")),
		"schedule":  second(v.Schedule(ctx, "x", noon)),
		"remove":    second(v.Remove(ctx, "x")),
		"rename":    second(v.Rename(ctx, "x", "y")),
		"log":       second(v.Log(ctx, "", 0)),
		"diff":      second(v.Diff(ctx, "x", 0)),
		"restore":   second(v.Restore(ctx, "x", 1)),
		"undo":      second(v.Undo(ctx, 1)),
		"get":       second(v.Get(ctx, "x")),
		"path":      second(v.PathOf([]byte(sea))),
	} {
		if !errors.Is(err, ErrNotAuthor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(slices.Collect(v.Commits(0))) > 0 {
		t.Error("a reader reads the log")
	}
}

func second[T any](_ T, err error) error { return err }

func TestTwoAuthors(t *testing.T) {
	b := at(t, t.TempDir(), still)
	ada, bob := b.Author("Ada").Through("git"), b.Author("Bob").Through("scp")
	base := publish(t, ada, "a.md", sea, "b.md", hills).Rev
	// Another file is no conflict, the same one is.
	publish(t, bob, "b.md", hills+"More.\n")
	if _, err := ada.Commit(t.Context(), change(t, ada, base, "a.md", sea+"Ada's.\n")); err != nil {
		t.Fatal(err)
	}
	_, err := bob.Commit(t.Context(), change(t, bob, base, "a.md", sea+"Bob's.\n"))
	if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "changed by Ada (git)") {
		t.Errorf("%v", err)
	}
	if src, _, err := bob.At(t.Context(), "a", 0); err != nil || !strings.HasSuffix(string(src), "Ada's.\n") {
		t.Errorf("%q, %v", src, err)
	}
	if _, err := bob.Commit(t.Context(), change(t, bob, base, "a.md", sea+"Ada's.\n")); err != nil {
		t.Errorf("the same text: %v", err)
	}
}

func TestOldAddressesLeadToTheirPosts(t *testing.T) {
	dir := t.TempDir()
	func() {
		f, err := store.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, err := Open(t.Context(), Config{Folder: f, Now: still})
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

func TestRemoveRestoreUndo(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada").Through("shell")
	publish(t, v, "posts/sea.md", sea)
	r, err := v.Remove(t.Context(), "sea")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reader().Edition().Post("sea"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	if _, err := v.Undo(t.Context(), r.Rev); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reader().Edition().Post("sea"); err != nil {
		t.Error(err)
	}
	if _, err := v.Undo(t.Context(), r.Rev); !errors.Is(err, ErrConflict) {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := v.Remove(t.Context(), "sea"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Restore(t.Context(), "sea", 1); err != nil {
		t.Fatal(err)
	}
	if src, _, _ := v.At(t.Context(), "sea", 0); string(src) != sea {
		t.Errorf("%q", src)
	}
	if _, err := v.Restore(t.Context(), "sea", 99); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a revision to come: %v", err)
	}
}

func TestReadersFetchWhatIsPublic(t *testing.T) {
	dir := t.TempDir()
	png := "\x89PNG\r\n\x1a\n0"
	put(t, dir,
		"posts/sea.md", sea+"![A boat](boat.png) and [a file](/files/a%20b.txt)\n", "posts/boat.png", png,
		"posts/secret.md", "---\ntitle: S\ndraft: true\n---\n![x](secret.png)\n", "posts/secret.png", png,
		"files/a b.txt", "x", "files/other.txt", "x", "site.yaml", "title: T\n", "static/files/boat.png", png)
	b := at(t, dir, still)
	list := func(v Visitor) string {
		f, err := v.Files(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := range f.All() {
			all = append(all, i.Path)
		}
		return strings.Join(all, " ")
	}
	if got, want := list(b.Reader()), "files/a b.txt posts/boat.png posts/sea.md"; got != want {
		t.Errorf("readers: %s", got)
	}
	if got := list(b.Author("Ada")); strings.Count(got, ".") != 8 {
		t.Errorf("authors: %s", got)
	}
	f, _ := b.Reader().Files(t.Context())
	info, err := f.Stat("sea.md")
	if err != nil || info.Path != "posts/sea.md" {
		t.Errorf("by its address: %+v, %v", info, err)
	}
	for _, name := range []string{"posts/secret.md", "secret.md", "posts/secret.png", "site.yaml", "nothing"} {
		if _, err := f.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

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

func TestPathFor(t *testing.T) {
	for name, want := range map[string]string{
		"posts/a.md": "posts/a.md", "/posts//a.md": "posts/a.md", "./a.md": "a.md", "日記/é.md": "日記/é.md",
		"": "", "/": "", "..": "", "a/../b.md": "", "a/..": "", ".hidden": "", "a/.b/c.md": "", "a\\b.md": "", "a\nb.md": "",
		"a\x00.md": "", "\xff.md": "", " a.md": "", "a /b.md": "", strings.Repeat("x", 201): "", "a\u200e.md": "",
	} {
		if got, err := PathFor(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]bool{"4913": true, "a/.x.swp": true, "x.md~": true, "sedAbC123": true, ".git/config": true, "a.md": false, "posts/sedation.md": false, "2021.md": false} {
		if Scratch(name) != want {
			t.Errorf("Scratch(%q)", name)
		}
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

func TestASlugIsNotTakenAway(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	publish(t, v, "z.md", "---\ntitle: Z\nslug: y\n---\nText.\n")
	// In the order of paths the new one is first, and z.md would be broken.
	_, err := v.Commit(t.Context(), change(t, v, 0, "a.md", "---\ntitle: A\nslug: y\n---\nText.\n"))
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(err.Error(), `slug "y" is already that of`) {
		t.Errorf("%v", err)
	}
	if p, err := b.Reader().Edition().Post("y"); err != nil || p.Path != "z.md" {
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
		s := newShelf(nil)
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

func TestFilesInThePlaceOfFolders(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	publish(t, v, "a/b.md", sea, "c.txt", "x")
	for want, files := range map[string][]string{
		"a: is a folder": {"a", "x"},
		"c.txt/x.png: c.txt is a file, not a folder": {"c.txt/x.png", boat},
		"d/e/f.txt: d/e is a file, not a folder":     {"d/e", "x", "d/e/f.txt", "x"},
	} {
		_, err := v.Commit(t.Context(), change(t, v, 0, files...))
		var no *Refusal
		if !errors.As(err, &no) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestChangedAndChangedBackIsNoConflict(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	base := publish(t, v, "a.md", sea).Rev
	publish(t, v, "a.md", hills)
	publish(t, v, "a.md", sea)
	if _, err := v.Commit(t.Context(), change(t, v, base, "a.md", sea+"More.\n")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsThereUnderABadNameCanGo(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a\\b.md", sea, "empty.txt", "", "x.txt", "x")
	v := at(t, dir, still).Author("Ada")
	if _, err := v.Files(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish(t, v, "a\\b.md", "")
	if _, err := os.Stat(filepath.Join(dir, "a\\b.md")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	empty, _ := v.Put(t.Context(), nil)
	if _, err := v.Commit(t.Context(), Change{Entries: []Entry{{Path: "empty.txt", Hash: empty}}}); err != nil {
		t.Errorf("an empty file that is there: %v", err)
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

// What a commit shows is what a new start would show, whichever way it was
// found.
func TestCommitShowsWhatAStartWould(t *testing.T) {
	dir := t.TempDir()
	b := at(t, dir, still)
	v := b.Author("Ada")
	show := func(e *Edition) string {
		var out strings.Builder
		fmt.Fprintln(&out, e.Site().Title, e.Home() != nil)
		for _, p := range e.ordered() {
			fmt.Fprintln(&out, p.Slug, p.Path, p.Title, p.State, p.HasDate)
		}
		for _, p := range e.Problems() {
			fmt.Fprintln(&out, p)
		}
		return out.String()
	}
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
		s := newShelf(b.lib.folder)
		if err := s.rescan(); err != nil {
			t.Fatal(err)
		}
		views, _ := s.edition(noon)
		if got, want := show(v.Edition()), show(views.author); got != want {
			t.Errorf("after change %d:\n%s\nwant\n%s", i+1, got, want)
		}
		if got, want := show(b.Reader().Edition()), show(views.reader); got != want {
			t.Errorf("readers, after change %d:\n%s\nwant\n%s", i+1, got, want)
		}
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
