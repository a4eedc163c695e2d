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
	text, err := ada.Open(t.Context(), "sea")
	if err != nil || text.Path != "posts/sea.md" || string(text.Body) != sea {
		t.Fatal(text, err)
	}
	with := func(text Text, body string) Text {
		text.Body = []byte(body)
		return text
	}
	r, err := ada.Save(t.Context(), with(text, sea+"Foam.\n"), "edit sea")
	if err != nil || r.Rev != 2 || r.Files[0].Action != Updated || r.Files[0].Post.Slug != "sea" {
		t.Fatalf("%+v, %v", r, err)
	}
	if log, _ := ada.Log(t.Context(), "sea", 1); log[0].Message != "edit sea" || log[0].Channel != "browser" {
		t.Errorf("%+v", log)
	}
	text, _ = ada.Open(t.Context(), "posts/sea.md")
	publish(t, bob, "posts/sea.md", sea+"Bob's.\n")
	conflict := func(what string, err error, want string) {
		t.Helper()
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = ada.Save(t.Context(), with(text, sea+"Ada's.\n"), "")
	conflict("changed", err, "posts/sea.md: changed by Bob (git) at ")
	// Her own session elsewhere counts as well.
	_, err = bob.Save(t.Context(), with(text, sea+"Again.\n"), "")
	conflict("changed by oneself", err, "by Bob")
	if got := plain(t, dir)["posts/sea.md"]; got != sea+"Bob's.\n" {
		t.Errorf("it is %q", got)
	}
	if r, err := ada.Save(t.Context(), with(text, sea+"Bob's.\n"), ""); err != nil || r.Files[0].Action != Unchanged {
		t.Errorf("the very same: %+v, %v", r, err)
	}

	_, err = ada.Save(t.Context(), Text{Path: "posts/sea.md", Body: []byte(hills)}, "")
	conflict("there already", err, "changed by Bob")
	if _, err := ada.Save(t.Context(), Text{Path: "posts/new.md", Body: []byte(hills)}, ""); err != nil {
		t.Error(err)
	}
	text, _ = ada.Open(t.Context(), "new")
	if _, err := bob.Remove(t.Context(), "new"); err != nil {
		t.Fatal(err)
	}
	_, err = ada.Save(t.Context(), with(text, hills+"More.\n"), "")
	conflict("removed", err, "posts/new.md: removed by Bob (git) at ")

	// By hand, a moment ago.
	text, _ = ada.Open(t.Context(), "sea")
	put(t, dir, "posts/sea.md", sea+"By hand.\n")
	if err := os.Chtimes(filepath.Join(dir, "posts", "sea.md"), noon, noon); err != nil {
		t.Fatal(err)
	}
	_, err = ada.Save(t.Context(), with(text, sea+"Ada's.\n"), "")
	conflict("by hand", err, "posts/sea.md: changed by somebody at the server (hand)")
	if got := plain(t, dir)["posts/sea.md"]; got != sea+"By hand.\n" {
		t.Errorf("it is %q", got)
	}

	var no *Refusal
	if _, err := ada.Save(t.Context(), Text{Path: "posts/x.md", Body: []byte("---\ndate: tomorow\n---\n")}, ""); !errors.As(err, &no) || errors.Is(err, ErrConflict) {
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
		text, err := v.Open(t.Context(), what)
		if err != nil || text.Path != "posts/bad.md" || string(text.Body) != broken {
			t.Fatalf("%s: %v %v", what, text, err)
		}
		if _, err := v.Check(t.Context(), Change{Entries: []Entry{{Path: text.Path, Hash: text.Hash, Size: int64(len(text.Body))}}}); err == nil {
			t.Error("it is sound")
		}
	}
	for _, what := range []string{"posts/latin.md", "README.md", "site.yaml"} {
		if text, err := v.Open(t.Context(), what); err != nil || text.Path != what {
			t.Errorf("%s: %v, %v", what, text, err)
		}
	}
	for _, what := range []string{"none", "", "../x", "posts/boat.png", ".sheaf/log"} {
		if _, err := v.Open(t.Context(), what); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", what, err)
		}
	}
	text, err := v.Open(t.Context(), "bad")
	if err != nil {
		t.Fatal(err)
	}
	text.Body = []byte(sea)
	if _, err := v.Save(t.Context(), text, ""); err != nil {
		t.Error(err)
	}
}

func TestAtAndEdited(t *testing.T) {
	b, _ := opened(t, t.TempDir())
	v := b.Author("Ada")
	publish(t, v, "posts/sea.md", sea)
	publish(t, v, "posts/sea.md", sea+"More.\n")
	for rev, want := range map[Rev]string{1: sea, 2: sea + "More.\n", 0: sea + "More.\n"} {
		if src, _, err := v.At(t.Context(), "sea", rev); err != nil || string(src) != want {
			t.Errorf("r%d: %q, %v", rev, src, err)
		}
	}
	if _, _, err := v.At(t.Context(), "sea", 3); !errors.Is(err, fs.ErrNotExist) {
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
