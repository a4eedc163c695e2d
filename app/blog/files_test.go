package blog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sheaf/app/store"
)

func filesOf(t *testing.T, v interface {
	Files(context.Context) (*Files, error)
}) *Files {
	t.Helper()
	f, err := v.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func pathsOf(f *Files) string {
	var all []string
	for i := range f.All() {
		all = append(all, i.Path)
	}
	return strings.Join(all, " ")
}

const boat = "\x89PNG\r\n\x1a\n0"

func TestAFileThatComesLaterIsPublic(t *testing.T) {
	b := at(t, t.TempDir(), still)
	v := b.Author("Ada")
	publish(t, v, "sea.md", sea+"![A boat](img/boat.png) ![[my boat.png]]\n")
	if got := pathsOf(filesOf(t, b.Reader())); got != "sea.md" {
		t.Errorf("before: %s", got)
	}
	publish(t, v, "img/boat.png", boat, "my boat.png", boat, "other boat.png", boat)
	if got := pathsOf(filesOf(t, b.Reader())); got != "img/boat.png my boat.png sea.md" {
		t.Errorf("after: %s", got)
	}
	if a, b := filesOf(t, b.Reader()), filesOf(t, b.Reader()); a != b {
		t.Error("made anew for every reader")
	}
}

func TestUnlistedFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea, "quiet/letter.md", "---\ntitle: L\nunlisted: true\n---\n![x](x.png)\n", "quiet/x.png", boat)
	f := filesOf(t, at(t, dir, still).Reader())
	if got := pathsOf(f); got != "sea.md" {
		t.Errorf("listed: %s", got)
	}
	if top, err := f.List("."); err != nil || len(top) != 1 {
		t.Errorf("top: %+v, %v", top, err)
	}
	for name, want := range map[string]string{"quiet/letter.md": "quiet/letter.md", "letter.md": "quiet/letter.md", "quiet/x.png": "quiet/x.png"} {
		info, err := f.Stat(name)
		if err != nil || info.Path != want {
			t.Errorf("%s: %+v, %v", name, info, err)
			continue
		}
		if _, err := f.Read(t.Context(), info); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Between a commit and its edition the history is ahead of what readers see.
func TestReadersGetNoTextThatIsADraftByNow(t *testing.T) {
	b := at(t, t.TempDir(), still)
	publish(t, b.Author("Ada"), "sea.md", sea)
	folder := b.lib.worktree
	// Nobody makes another edition meanwhile.
	held, release := make(chan struct{}), make(chan struct{})
	var holding sync.WaitGroup
	holding.Go(func() {
		_ = b.withIndex(t.Context(), func(*index) {
			close(held)
			<-release
		})
	})
	<-held
	defer holding.Wait()
	defer close(release)
	for _, c := range []struct {
		text string
		want error
	}{
		{sea + "More.\n", nil},
		{strings.Replace(sea, "title", "draft: true\ntitle", 1), fs.ErrNotExist},
	} {
		hash, err := folder.Put(t.Context(), []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		head, _ := folder.Head(t.Context())
		// Past the blog.
		if _, err := folder.Commit(t.Context(), head, store.Commit{Entries: []Entry{{Path: "sea.md", Hash: hash, Size: int64(len(c.text))}}}); err != nil {
			t.Fatal(err)
		}
		f := filesOf(t, b.Reader())
		info, err := f.Stat("sea.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, ask := range []FileInfo{info, {Hash: info.Hash}} {
			if src, err := f.Read(t.Context(), ask); !errors.Is(err, c.want) || err == nil && string(src) != c.text {
				t.Errorf("%q, %v", src, err)
			}
		}
	}
	f := filesOf(t, b.Reader())
	secret := "secret"
	hash, err := folder.Put(t.Context(), []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	for _, ask := range []FileInfo{{Hash: hash}, {Path: "sea.png", Hash: hash}} {
		if src, err := f.Read(t.Context(), ask); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("by a hash that is not theirs: %q, %v", src, err)
		}
	}
}

func TestFilesOfAFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea+"![x](boat.png)\n", "boat.png", boat, "draft.md", "---\ndraft: true\n---\nHush.\n", "site.yaml", "title: T\n")
	b := openDir(t, dir) // a view: there is no history
	f := filesOf(t, b.Reader())
	if got := pathsOf(f); got != "boat.png sea.md" {
		t.Errorf("readers: %s", got)
	}
	info, err := f.Stat("sea.md")
	if err != nil {
		t.Fatal(err)
	}
	if src, err := f.Read(t.Context(), info); err != nil || !strings.HasPrefix(string(src), sea) || info.Size != int64(len(src)) {
		t.Errorf("%q, %v", src, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sea.md"), []byte("---\ndraft: true\n---\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(t.Context(), info); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a draft by now: %v", err)
	}
	if got := pathsOf(filesOf(t, b.Author("Ada"))); got != "boat.png draft.md sea.md site.yaml" {
		t.Errorf("authors: %s", got)
	}
	if _, err := b.Author("Ada").Put(t.Context(), []byte("x")); err == nil {
		t.Error("put into a view")
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
	if got := list(b.Author("Ada").Visitor()); strings.Count(got, ".") != 8 {
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
