//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mount puts a small file system of its own at dir, which needs the right to.
func mount(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("no right to mount: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
}

// public is a folder that anybody can get to, for tests that are nobody.
func public(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "public")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func adopt(t *testing.T, f *Folder) Rev {
	t.Helper()
	rev, err := f.Adopt(t.Context(), none)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// refused tries a commit that must not be made, and looks that nothing has
// changed: not the head, not the files, and nothing is left for Adopt to find.
func refused(t *testing.T, f *Folder, files map[string]*string, why string) {
	t.Helper()
	rev := f.Ledger().Rev()
	_, err := tryCommit(t.Context(), f, rev, files)
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v; want %q", err, why)
	}
	if now := f.Ledger().Rev(); now != rev {
		t.Errorf("refused, and there is revision %d after %d", now, rev)
	}
	if now, err := f.Adopt(t.Context(), none); err == nil && now != rev {
		c, _ := f.Ledger().Commit(now)
		t.Errorf("refused, and Adopt has found %v", c.Entries)
	}
	err = filepath.WalkDir(f.Dir(), func(name string, d fs.DirEntry, err error) error {
		if err == nil && isStaged(d.Name()) {
			t.Errorf("%s is left", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDirectoryThatCannotBeWrittenRefusesCommits(t *testing.T) {
	dir := public(t)
	write(t, dir, "posts/a.md", "old")
	if err := os.Chmod(filepath.Join(dir, "posts"), 0o555); err != nil {
		t.Fatal(err)
	}
	asNobody(t)
	f := open(t, dir)
	adopt(t, f)
	refused(t, f, map[string]*string{"b.md": new("b"), "posts/a.md": new("new")}, "posts/a.md: permission denied")
	refused(t, f, map[string]*string{"posts/a.md": nil}, "posts/a.md: permission denied")
	is(t, dir, "posts/a.md", "old")
	is(t, dir, "b.md", "")
	commit(t, f, map[string]*string{"b.md": new("b")})
}

func TestDirectoryOnAnotherDisk(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "posts/.keep", "")
	mount(t, filepath.Join(dir, "posts"))
	write(t, dir, "posts/a.md", "old")
	f := open(t, dir)
	adopt(t, f)
	rev := commit(t, f, map[string]*string{"posts/a.md": new("new"), "b.md": new("b")})
	is(t, dir, "posts/a.md", "new")
	if now := adopt(t, f); now != rev {
		t.Errorf("Adopt has made revision %d of %d", now, rev)
	}
}

func TestFilesAndDirectoriesTakeTurns(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "file")
	write(t, dir, "d/one.md", "1")
	write(t, dir, "d/.hidden", "by hand")
	f := open(t, dir)
	adopt(t, f)
	refused(t, f, map[string]*string{"a/b.md": new("x")}, "a is a file")
	refused(t, f, map[string]*string{"d": new("x"), "d/one.md": nil}, "is a directory")
	commit(t, f, map[string]*string{"a": nil, "a/b/c.md": new("below")})
	is(t, dir, "a/b/c.md", "below")
	commit(t, f, map[string]*string{"a": new("file again"), "a/b/c.md": nil})
	is(t, dir, "a", "file again")
	is(t, dir, "d/.hidden", "by hand")
	if rev := adopt(t, f); rev != 3 {
		t.Errorf("Adopt has made revision %d", rev)
	}
}

func TestWhatHasNoHistoryIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "real/a.md", "a")
	write(t, dir, "big.bin", "")
	if err := os.Truncate(filepath.Join(dir, "big.bin"), maxKept+1); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link.md": "real/a.md", "alias": "real"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, dir)
	adopt(t, f)
	refused(t, f, map[string]*string{"link.md": new("x")}, "is a symbolic link")
	refused(t, f, map[string]*string{"alias/b.md": new("x")}, "alias: is a symbolic link")
	refused(t, f, map[string]*string{"big.bin": new("x")}, "cannot be kept")
	refused(t, f, map[string]*string{"big.bin": nil}, "cannot be kept")
}

func TestFolderThatWasReplacedTakesNoCommits(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "content")
	write(t, dir, "a.md", "old")
	write(t, base, "next/a.md", "next")
	f := open(t, dir)
	rev := adopt(t, f)
	err := os.Rename(dir, filepath.Join(base, "before"))
	if err == nil {
		err = os.Rename(filepath.Join(base, "next"), dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.renew()
	if _, err := tryCommit(t.Context(), f, rev, map[string]*string{"n.md": new("new")}); !errors.Is(err, errReplaced) {
		t.Errorf("a commit into a folder that has gone: %v", err)
	}
}

func TestModeOfAFileIsKept(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "old")
	if err := os.Chmod(filepath.Join(dir, "a.md"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	adopt(t, f)
	commit(t, f, map[string]*string{"a.md": new("new")})
	if info, err := os.Stat(filepath.Join(dir, "a.md")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestEditDuringACommitIsNotLost(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("first")})
	hash, err := f.Put(t.Context(), []byte("pushed"))
	if err != nil {
		t.Fatal(err)
	}
	entries := []Entry{{Path: "a.md", Hash: hash, Size: 6}}
	f.writing.Lock()
	places, byHand, err := f.look(f.Ledger(), entries)
	if err != nil || len(byHand) > 0 {
		t.Fatal(byHand, err)
	}
	write(t, dir, "a.md", "by hand, this very moment")
	_, err = f.record(f.Ledger(), Commit{Author: "Ada", Entries: entries}, places)
	f.writing.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	is(t, dir, "a.md", "by hand, this very moment")
	if rev := adopt(t, f); rev != 3 {
		t.Errorf("revision %d", rev)
	}
	var texts []string
	for _, e := range f.Ledger().Of("a.md") {
		b, err := f.Get(t.Context(), e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if got := strings.Join(texts, ", then "); got != "first, then pushed, then by hand, this very moment" {
		t.Errorf("history %s", got)
	}
}

// A commit in the log whose files could not be written is neither forgotten nor
// taken for an edit by hand.
func TestCommitThatIsNotInPlaceHoldsUpTheNext(t *testing.T) {
	dir := public(t)
	write(t, dir, "posts/a.md", "old")
	posts := filepath.Join(dir, "posts")
	if err := os.Chmod(posts, 0o777); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	adopt(t, f)
	f.writing.Lock()
	hash, err := f.Put(t.Context(), []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	c := Commit{Rev: 2, ID: "x", Author: "Ada", Entries: []Entry{{Path: "posts/a.md", Hash: hash, Size: 3}}}
	places, _, err := f.look(f.Ledger(), c.Entries)
	if err == nil {
		err = f.write(c, places)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.behind = places
	f.ledger.Store(f.Ledger().Apply(c))
	f.writing.Unlock()
	other, err := f.Put(t.Context(), []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("no leave", func(t *testing.T) {
		if err := os.Chmod(posts, 0o555); err != nil {
			t.Fatal(err)
		}
		asNobody(t)
		if _, err := f.Commit(t.Context(), 2, Commit{Entries: []Entry{{Path: "b.md", Hash: other, Size: 1}}}); err == nil || !strings.Contains(err.Error(), "revision 2 is not in place") {
			t.Errorf("%v", err)
		}
		if _, err := f.Adopt(t.Context(), none); err == nil {
			t.Error("Adopt has taken the old file for an edit")
		}
	})
	if err := os.Chmod(posts, 0o777); err != nil {
		t.Fatal(err)
	}
	if rev := adopt(t, f); rev != 2 {
		t.Errorf("revision %d", rev)
	}
	is(t, dir, "posts/a.md", "new")
	commit(t, f, map[string]*string{"b.md": new("b")})
}

func TestFullDiskDoesNotKeepFromStarting(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir)
	f := open(t, dir)
	old, next := strings.Repeat("old ", 10<<10), strings.Repeat("new ", 20<<10)
	commit(t, f, map[string]*string{"a.md": &old})
	commit(t, f, map[string]*string{"a.md": &next})
	f.Close()
	write(t, dir, "a.md", old) // stopped after the log
	write(t, dir, ".sheaf/shown", "1")
	fill := filepath.Join(dir, "fill")
	os.WriteFile(fill, make([]byte, 2<<20), 0o644) // as much as there is room for
	f = open(t, dir)
	is(t, dir, "a.md", old)
	if _, err := f.Adopt(t.Context(), none); err == nil {
		t.Error("Adopt has taken the old file for an edit")
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	adopt(t, f)
	is(t, dir, "a.md", next)
}

func TestWhatAStopHasLeftIsTidied(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "posts/a.md", "a")
	write(t, dir, "posts/"+staged+"LEFT", "half")
	f := open(t, dir)
	adopt(t, f)
	is(t, dir, "posts/"+staged+"LEFT", "")
	is(t, dir, ".sheaf/.gitignore", "*\n")
}

func TestTornBlobIsMended(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for name, text := range map[string]string{"a.md": "text", "b.md": strings.Repeat("large", maxPacked)} {
		hash, err := f.Put(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) <= maxPacked {
			spoil(t, f, hash)
		} else {
			write(t, dir, ".sheaf/"+objectName(hash), "\x00\x00\x00\x00")
		}
		if _, err := f.Get(t.Context(), hash); err == nil || !strings.Contains(err.Error(), "have changed") {
			t.Errorf("other bytes than those of the hash: %v", err)
		}
		commit(t, f, map[string]*string{name: &text})
		is(t, dir, name, text)
	}
}

func TestReadOnlyFolderHasItsHistory(t *testing.T) {
	dir := public(t)
	write(t, dir, "a.md", "first")
	f := open(t, dir)
	adopt(t, f)
	commit(t, f, map[string]*string{"a.md": new("second")})
	f.Close()
	write(t, dir, "b.md", "since")
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o555)
		}
		return os.Chmod(name, 0o444)
	})
	if err != nil {
		t.Fatal(err)
	}
	asNobody(t)
	f = open(t, dir)
	if rev := adopt(t, f); rev != 3 {
		t.Errorf("revision %d", rev)
	}
	for text, name := range map[string]string{"first": "a.md", "second": "a.md", "since": "b.md"} {
		if b, err := f.Get(t.Context(), hashOf([]byte(text))); err != nil || string(b) != text {
			t.Errorf("%s of %s: %q, %v", text, name, b, err)
		}
	}
	if _, err := tryCommit(t.Context(), f, 3, map[string]*string{"a.md": new("x")}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
}
