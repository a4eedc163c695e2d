package blog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSaveIsRefusedWhenSomebodyWasFirst(t *testing.T) {
	dir := t.TempDir()
	b, _ := opened(t, dir)
	ada, bob := b.Author("Ada").Via("browser"), b.Author("Bob").Via("git")
	publish(t, ada, "posts/sea.md", sea)
	name, rev, hash, src, err := ada.Open(t.Context(), "sea")
	if err != nil || name != "posts/sea.md" || rev != 1 || string(src) != sea {
		t.Fatal(name, rev, hash, string(src), err)
	}
	r, err := ada.Save(t.Context(), name, rev, hash, []byte(sea+"Foam.\n"), "edit sea")
	if err != nil || r.Rev != 2 || r.Files[0].Action != Updated || r.Files[0].Post.Slug != "sea" {
		t.Fatalf("%+v, %v", r, err)
	}
	if log, _ := ada.Log(t.Context(), "sea", 1); log[0].Message != "edit sea" || log[0].Door != "browser" {
		t.Errorf("%+v", log)
	}
	_, rev, hash, _, _ = ada.Open(t.Context(), "posts/sea.md")
	publish(t, bob, "posts/sea.md", sea+"Bob's.\n")
	conflict := func(what string, err error, want string) {
		t.Helper()
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = ada.Save(t.Context(), name, rev, hash, []byte(sea+"Ada's.\n"), "")
	conflict("changed", err, "posts/sea.md: changed by Bob (git) at ")
	// Her own session elsewhere counts as well.
	_, err = bob.Save(t.Context(), name, rev, hash, []byte(sea+"Again.\n"), "")
	conflict("changed by oneself", err, "by Bob")
	if got := plain(t, dir)["posts/sea.md"]; got != sea+"Bob's.\n" {
		t.Errorf("it is %q", got)
	}
	if r, err := ada.Save(t.Context(), name, rev, hash, []byte(sea+"Bob's.\n"), ""); err != nil || r.Files[0].Action != Unchanged {
		t.Errorf("the very same: %+v, %v", r, err)
	}

	_, err = ada.Save(t.Context(), name, rev, "", []byte(hills), "")
	conflict("there already", err, "changed by Bob")
	if _, err := ada.Save(t.Context(), "posts/new.md", 0, "", []byte(hills), ""); err != nil {
		t.Error(err)
	}
	_, rev, hash, _, _ = ada.Open(t.Context(), "new")
	if _, err := bob.Remove(t.Context(), "new"); err != nil {
		t.Fatal(err)
	}
	_, err = ada.Save(t.Context(), "posts/new.md", rev, hash, []byte(hills+"More.\n"), "")
	conflict("removed", err, "posts/new.md: removed by Bob (git) at ")

	// By hand, a moment ago.
	_, rev, hash, _, _ = ada.Open(t.Context(), "sea")
	put(t, dir, "posts/sea.md", sea+"By hand.\n")
	if err := os.Chtimes(filepath.Join(dir, "posts", "sea.md"), noon, noon); err != nil {
		t.Fatal(err)
	}
	_, err = ada.Save(t.Context(), "posts/sea.md", rev, hash, []byte(sea+"Ada's.\n"), "")
	conflict("by hand", err, "posts/sea.md: changed by somebody at the server (hand)")
	if got := plain(t, dir)["posts/sea.md"]; got != sea+"By hand.\n" {
		t.Errorf("it is %q", got)
	}

	var no *Refusal
	if _, err := ada.Save(t.Context(), "posts/x.md", 0, "", []byte("---\ndate: tomorow\n---\n"), ""); !errors.As(err, &no) || errors.Is(err, ErrConflict) {
		t.Error(err)
	}
	if _, err := ada.Save(t.Context(), "posts/x.md", 999, "", []byte(hills), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestOpenWhatIsBroken(t *testing.T) {
	dir := t.TempDir()
	const broken = "---\ntitle: [\n---\nText.\n"
	put(t, dir, "site.yaml", "title: T\n", "posts/bad.md", broken, "posts/latin.md", "\xff\n", "README.md", "# Read\n")
	b, _ := opened(t, dir)
	v := b.Author("Ada")
	for _, what := range []string{"posts/bad.md", "bad"} {
		name, _, hash, src, err := v.Open(t.Context(), what)
		if err != nil || name != "posts/bad.md" || string(src) != broken {
			t.Fatalf("%s: %s %q %v", what, name, src, err)
		}
		if _, err := v.Check(t.Context(), Change{Entries: []Entry{{Path: name, Hash: hash, Size: int64(len(src))}}}); err == nil {
			t.Error("it is sound")
		}
	}
	for _, what := range []string{"posts/latin.md", "README.md", "site.yaml"} {
		if name, _, _, _, err := v.Open(t.Context(), what); err != nil || name != what {
			t.Errorf("%s: %s, %v", what, name, err)
		}
	}
	for _, what := range []string{"none", "", "../x", "posts/boat.png", ".sheaf/log"} {
		if _, _, _, _, err := v.Open(t.Context(), what); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", what, err)
		}
	}
	_, rev, hash, _, err := v.Open(t.Context(), "bad")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Save(t.Context(), "posts/bad.md", rev, hash, []byte(sea), ""); err != nil {
		t.Error(err)
	}
}

func TestVersionAndEdited(t *testing.T) {
	b, _ := opened(t, t.TempDir())
	v := b.Author("Ada")
	publish(t, v, "posts/sea.md", sea)
	publish(t, v, "posts/sea.md", sea+"More.\n")
	for rev, want := range map[Rev]string{1: sea, 2: sea + "More.\n", 0: sea + "More.\n"} {
		if src, err := v.Version(t.Context(), "sea", rev); err != nil || string(src) != want {
			t.Errorf("r%d: %q, %v", rev, src, err)
		}
	}
	if _, err := v.Version(t.Context(), "sea", 3); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	p, _ := v.Edition().Post("sea")
	if got := v.Edited(p); !got.Equal(noon) { // by the blog's clock
		t.Errorf("edited %v", got)
	}
	view := openDir(t, manyPosts(t, 3, 100, heads["yaml"])).Author("Ada")
	if got := view.Edited(view.Edition().Posts()[0]); time.Since(got) > time.Minute {
		t.Errorf("edited %v", got)
	}
}
