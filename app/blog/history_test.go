package blog

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sheaf/app/markdown"
)

func TestTrail(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada").Via("pipe")
	ctx := t.Context()
	publish(t, v, "a.md", sea)            // 1
	publish(t, v, "a.md", sea+"More.\n")  // 2
	rename := func(from, to string) Rev { // 3
		r, err := v.Rename(ctx, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return r.Rev
	}
	rename("a", "b")
	publish(t, v, "a.md", hills)           // 4: another post, where the first one was
	publish(t, v, "b.md", sea+"Other.\n")  // 5
	publish(t, v, "a.md", hills+"Again\n") // 6
	trail := func(post string) string {
		log, err := v.Log(ctx, post, 0)
		if err != nil {
			return err.Error()
		}
		var s []string
		for _, r := range log {
			s = append(s, string('0'+byte(r.Rev))+" "+r.Path)
			if r.Hash == "" {
				s = append(s, "removed")
			}
		}
		return strings.Join(s, ", ")
	}
	for post, want := range map[string]string{
		"b": "5 b.md, 3 b.md, 2 a.md, 1 a.md", "b.md": "5 b.md, 3 b.md, 2 a.md, 1 a.md", "/b": "5 b.md, 3 b.md, 2 a.md, 1 a.md",
		"none": `post "none": file does not exist`,
	} {
		if got := trail(post); got != want {
			t.Errorf("%s: %s, want %s", post, got, want)
		}
	}
	if src, name, err := v.At(ctx, "b", 2); err != nil || name != "a.md" || string(src) != sea+"More.\n" {
		t.Errorf("%s %q, %v", name, src, err)
	}
	if src, _, err := v.At(ctx, "b", 0); err != nil || string(src) != sea+"Other.\n" {
		t.Errorf("%q, %v", src, err)
	}
	if _, _, err := v.At(ctx, "b", 7); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a revision to come: %v", err)
	}
	diff := func(post string, rev Rev) string {
		lines, err := v.Diff(ctx, post, rev)
		if err != nil {
			return err.Error()
		}
		var s []string
		for _, l := range lines {
			if l.Kind != ' ' {
				s = append(s, string(l.Kind)+l.Text)
			}
		}
		return strings.Join(s, "|")
	}
	if got := diff("b", 0); got != "@@@ -3,4 +3,4 @@|-More.|+Other." {
		t.Errorf("the last change: %s", got)
	}
	if got := diff("b", 1); got != "@@@ -3,3 +3,4 @@|+Other." {
		t.Errorf("since the first: %s", got)
	}

	// Renamed on, removed, and found by every name it had.
	rename("b", "c")                              // 7
	if _, err := v.Remove(ctx, "c"); err != nil { // 8
		t.Fatal(err)
	}
	for _, post := range []string{"b", "c", "c.md", "b.md"} {
		if got, want := trail(post), "8 c.md, removed, 7 c.md, 5 b.md, 3 b.md, 2 a.md, 1 a.md"; got != want {
			t.Errorf("%s: %s, want %s", post, got, want)
		}
	}
	if got := diff("c", 0); !strings.HasPrefix(got, "@@@ -1,6 +0,0 @@|----|-title: Sea") {
		t.Errorf("the removal: %s", got)
	}
	if _, _, err := v.At(ctx, "c", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is there no more: %v", err)
	}
	r, err := v.Restore(ctx, "b", 1)
	if err != nil || len(r.Files) != 1 || r.Files[0].Path != "c.md" {
		t.Fatalf("%+v, %v", r, err)
	}
	if src, err := r.Files[0].Post.Source(); err != nil || string(src) != sea {
		t.Errorf("%q, %v", src, err)
	}
	if p, err := v.Edition().Post("a"); err != nil || p.Title != "Hills" {
		t.Errorf("the other post: %v, %v", p, err)
	}
	if all, _ := v.Log(ctx, "", 3); len(all) != 3 || all[0].Rev != 9 || all[0].Message != "restore c of r1" {
		t.Errorf("%+v", all)
	}
}

func TestRestoreWithItsFolder(t *testing.T) {
	dir := t.TempDir()
	v := at(t, dir, still).Author("Ada")
	publish(t, v, "posts/sea/index.md", sea, "posts/sea/a.txt", "a", "posts/sea/b.txt", "b", "posts/other.txt", "x")
	before := plain(t, dir)
	if _, err := v.Remove(t.Context(), "sea"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "posts/sea")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
	if _, err := v.Restore(t.Context(), "sea", 1); err != nil {
		t.Fatal(err)
	}
	if got := plain(t, dir); !maps.Equal(got, before) {
		t.Errorf("%q, want %q", got, before)
	}
}

func TestRemovedPostIsFoundByTheSlugItSaid(t *testing.T) {
	v := at(t, t.TempDir(), still).Author("Ada")
	publish(t, v, "posts/x.md", "---\ntitle: Sea\nslug: deep\n---\nText.\n")
	if _, err := v.Remove(t.Context(), "deep"); err != nil {
		t.Fatal(err)
	}
	if r, err := v.Restore(t.Context(), "deep", 1); err != nil || r.Files[0].Post.Slug != "deep" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestUndoSaysWhoWasLater(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	publish(t, v, "a.md", sea, "b.md", hills)
	publish(t, b.Author("Bob"), "b.md", hills+"Bob's.\n")
	_, err := v.Undo(t.Context(), 1)
	if !errors.Is(err, ErrConflict) || err.Error() != "b.md: has been changed since, by Bob in r2" {
		t.Errorf("%v", err)
	}
	if _, err := v.Undo(t.Context(), 9); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestDiffIsSafeForATerminal(t *testing.T) {
	v := at(t, t.TempDir(), still).Author("ada")
	publish(t, v, "posts/a.md", "# A\n\nText.\n")
	publish(t, v, "posts/a.md", "# A\n\nab\u200e\u202ecd.\n")
	lines, err := v.Diff(t.Context(), "a", 0)
	if err != nil || len(lines) == 0 {
		t.Fatal(lines, err)
	}
	for _, l := range lines {
		if l.Text != markdown.Clean(l.Text) {
			t.Errorf("%q", l.Text)
		}
	}
}

func TestRemoveRestoreUndo(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada").Via("shell")
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
