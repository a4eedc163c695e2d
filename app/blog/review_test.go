package blog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
	if rev := b.lib.worktree.Ledger().Rev(); rev != 1 {
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

func TestTwoAuthors(t *testing.T) {
	b := at(t, t.TempDir(), still)
	ada, bob := b.Author("Ada").Via("git"), b.Author("Bob").Via("scp")
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
