//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommitWritesPlainFiles(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		many := map[string]*string{}
		for i := range 3 * few {
			many[fmt.Sprintf("deep/er/%d.md", i)] = new(fmt.Sprint("text ", i))
		}
		commit(t, f, many)
		is(t, dir, "deep/er/7.md", "text 7")
		commit(t, f, map[string]*string{"a.md": new("a"), "deep/er/7.md": new("other")})
		is(t, dir, "deep/er/7.md", "other")
		for name := range many {
			many[name] = nil
		}
		commit(t, f, many)
		is(t, dir, "deep/er/7.md", "")
		if _, err := os.Stat(filepath.Join(dir, "deep")); err == nil {
			t.Error("an empty folder stays")
		}
		is(t, dir, "a.md", "a")
		if left, _ := os.ReadDir(filepath.Join(dir, ".sheaf/tmp")); len(left) > 0 {
			t.Errorf("%d temporary files", len(left))
		}
	})
}

func TestAFolderThatIsEmptiedAndFilledStays(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		commit(t, f, map[string]*string{"posts/old.md": new("x")})
		hash := hashOf([]byte("x"))
		_, err := f.Commit(t.Context(), 1, Commit{Entries: []Entry{{Path: "posts/old.md"}, {Path: "posts/new.md", Hash: hash, Size: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		is(t, dir, "posts/old.md", "")
		is(t, dir, "posts/new.md", "x")
	})
}

func TestPathsOfCommitsAreConfined(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		outside, dir := t.TempDir(), t.TempDir()
		if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		for _, name := range []string{"../x.md", "/x.md", "a/../x.md", ".sheaf/log", "a/.git/x", "", ".", "out/x.md", "a\nb.md", "a//b.md"} {
			if _, err := tryCommit(t.Context(), f, 0, map[string]*string{name: new("x")}); err == nil {
				t.Errorf("%q was committed", name)
			}
		}
		if list, _ := os.ReadDir(outside); len(list) > 0 {
			t.Error("a file was written outside")
		}
		if rev := f.Ledger().Rev(); rev != 0 {
			t.Errorf("revision %d", rev)
		}
	})
}

func TestWhatIsChangedByHandIsNeverOverwrittenUnseen(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		write(t, dir, "a.md", "first")
		write(t, dir, "b.md", "b")
		f := open(t, dir)
		rev, err := f.Import(t.Context(), none)
		if err != nil || rev != 1 {
			t.Fatal(rev, err)
		}
		if again, err := f.Import(t.Context(), none); err != nil || again != 1 {
			t.Fatal(again, err)
		}
		write(t, dir, "a.md", "by hand")
		if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": new("pushed")}); !errors.Is(err, ErrConflict) {
			t.Fatalf("over an edit by hand: %v", err)
		}
		is(t, dir, "a.md", "by hand")
		commit(t, f, map[string]*string{"a.md": new("pushed")})
		is(t, dir, "a.md", "pushed")
		var texts []string
		for _, e := range f.Ledger().Of("a.md") {
			b, err := f.Get(t.Context(), e.Hash)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(b))
		}
		if got := strings.Join(texts, ","); got != "first,by hand,pushed" {
			t.Errorf("history %s", got)
		}
		os.Remove(filepath.Join(dir, "b.md"))
		if _, err := f.Import(t.Context(), none); err != nil {
			t.Fatal(err)
		}
		if _, ok := f.Ledger().Entry("b.md"); ok {
			t.Error("a file removed by hand is in the tree")
		}
	})
}

func TestLastCommitIsCarriedOutAgain(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		commit(t, f, map[string]*string{"a.md": new("a1"), "b.md": new("b1"), "c.md": new("c1"), "d.md": new("d1")})
		commit(t, f, map[string]*string{"a.md": new("a2"), "b.md": new("b2"), "c.md": nil, "d.md": new("d2")})
		f.Close()
		// As if the server had been stopped after the log and before the files;
		// then somebody edited one of them.
		for name, text := range map[string]string{"a.md": "a1", "c.md": "c1", "d.md": "by hand", ".sheaf/shown": "1", ".sheaf/tmp/left": "x"} {
			write(t, dir, name, text)
		}
		f = open(t, dir)
		for name, want := range map[string]string{"a.md": "a2", "b.md": "b2", "c.md": "", "d.md": "by hand", ".sheaf/tmp/left": ""} {
			is(t, dir, name, want)
		}
		if _, err := f.Import(t.Context(), none); err != nil {
			t.Fatal(err)
		}
		if e, _ := f.Ledger().Entry("d.md"); e.Hash != hashOf([]byte("by hand")) {
			t.Error("the edit is not in the history")
		}
	})
}

// TestFullDisk needs a small disk of its own, and so the right to mount one.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("no right to mount: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	f := open(t, dir)
	old := strings.Repeat("old ", 10<<10)
	commit(t, f, map[string]*string{"a.md": &old})
	log, _ := os.ReadFile(filepath.Join(dir, ".sheaf/log"))
	fill := filepath.Join(dir, "fill")
	os.WriteFile(fill, make([]byte, 2<<20), 0o644) // as much as there is room for
	big := strings.Repeat("new ", 50<<10)
	if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": &big}); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Fatalf("on a full disk: %v", err)
	}
	is(t, dir, "a.md", old)
	if now, _ := os.ReadFile(filepath.Join(dir, ".sheaf/log")); string(now) != string(log) {
		t.Error("the log has changed")
	}
	// A blob fits, its plain copy does not.
	os.WriteFile(fill, make([]byte, 600<<10), 0o644)
	if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": &big}); err == nil {
		t.Fatal("a commit without room for its file")
	}
	is(t, dir, "a.md", old)
	if rev := f.Ledger().Rev(); rev != 1 {
		t.Errorf("revision %d", rev)
	}
	os.Remove(fill)
	commit(t, f, map[string]*string{"a.md": &big})
	is(t, dir, "a.md", big)
	f.Close()
	if f = open(t, dir); f.Ledger().Rev() != 2 {
		t.Errorf("revision %d after a start", f.Ledger().Rev())
	}
}

// refused tries a commit that must not be made, and looks that nothing has
// changed: not the head, not the files, and nothing is left for Import to find.
func refused(t *testing.T, f *Worktree, files map[string]*string, why string) {
	t.Helper()
	rev := f.Ledger().Rev()
	_, err := tryCommit(t.Context(), f, rev, files)
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v; want %q", err, why)
	}
	if now := f.Ledger().Rev(); now != rev {
		t.Errorf("refused, and there is revision %d after %d", now, rev)
	}
	if now, err := f.Import(t.Context(), none); err == nil && now != rev {
		c, _ := f.Ledger().Commit(now)
		t.Errorf("refused, and Import has found %v", c.Entries)
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
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := public(t)
		write(t, dir, "posts/a.md", "old")
		if err := os.Chmod(filepath.Join(dir, "posts"), 0o555); err != nil {
			t.Fatal(err)
		}
		asNobody(t)
		f := open(t, dir)
		importAll(t, f)
		refused(t, f, map[string]*string{"b.md": new("b"), "posts/a.md": new("new")}, "posts/a.md: permission denied")
		refused(t, f, map[string]*string{"posts/a.md": nil}, "posts/a.md: permission denied")
		is(t, dir, "posts/a.md", "old")
		is(t, dir, "b.md", "")
		commit(t, f, map[string]*string{"b.md": new("b")})
	})
}

func TestDirectoryOnAnotherDisk(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		write(t, dir, "posts/.keep", "")
		mount(t, filepath.Join(dir, "posts"))
		write(t, dir, "posts/a.md", "old")
		f := open(t, dir)
		importAll(t, f)
		rev := commit(t, f, map[string]*string{"posts/a.md": new("new"), "b.md": new("b")})
		is(t, dir, "posts/a.md", "new")
		if now := importAll(t, f); now != rev {
			t.Errorf("Import has made revision %d of %d", now, rev)
		}
	})
}

func TestFilesAndDirectoriesTakeTurns(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		write(t, dir, "a", "file")
		write(t, dir, "d/one.md", "1")
		write(t, dir, "d/.hidden", "by hand")
		f := open(t, dir)
		importAll(t, f)
		refused(t, f, map[string]*string{"a/b.md": new("x")}, "a is a file")
		refused(t, f, map[string]*string{"d": new("x"), "d/one.md": nil}, "is a directory")
		commit(t, f, map[string]*string{"a": nil, "a/b/c.md": new("below")})
		is(t, dir, "a/b/c.md", "below")
		commit(t, f, map[string]*string{"a": new("file again"), "a/b/c.md": nil})
		is(t, dir, "a", "file again")
		is(t, dir, "d/.hidden", "by hand")
		if rev := importAll(t, f); rev != 3 {
			t.Errorf("Import has made revision %d", rev)
		}
	})
}

func TestWhatHasNoHistoryIsNotOverwritten(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
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
		importAll(t, f)
		refused(t, f, map[string]*string{"link.md": new("x")}, "is a symbolic link")
		refused(t, f, map[string]*string{"alias/b.md": new("x")}, "alias: is a symbolic link")
		refused(t, f, map[string]*string{"big.bin": new("x")}, "cannot be kept")
		refused(t, f, map[string]*string{"big.bin": nil}, "cannot be kept")
	})
}

func TestFolderThatWasReplacedTakesNoCommits(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		base := t.TempDir()
		dir := filepath.Join(base, "content")
		write(t, dir, "a.md", "old")
		write(t, base, "next/a.md", "next")
		f := open(t, dir)
		rev := importAll(t, f)
		err := os.Rename(dir, filepath.Join(base, "before"))
		if err == nil {
			err = os.Rename(filepath.Join(base, "next"), dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.reopen()
		if _, err := tryCommit(t.Context(), f, rev, map[string]*string{"n.md": new("new")}); !errors.Is(err, errReplaced) {
			t.Errorf("a commit into a folder that has gone: %v", err)
		}
	})
}

func TestModeOfAFileIsKept(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		write(t, dir, "a.md", "old")
		if err := os.Chmod(filepath.Join(dir, "a.md"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		importAll(t, f)
		commit(t, f, map[string]*string{"a.md": new("new")})
		if info, err := os.Stat(filepath.Join(dir, "a.md")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	})
}

func TestEditDuringACommitIsNotLost(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		commit(t, f, map[string]*string{"a.md": new("first")})
		hash, err := f.Put(t.Context(), []byte("pushed"))
		if err != nil {
			t.Fatal(err)
		}
		entries := []Entry{{Path: "a.md", Hash: hash, Size: 6}}
		f.writing.Lock()
		updates, byHand, err := f.plan(f.Ledger(), entries)
		if err != nil || len(byHand) > 0 {
			t.Fatal(byHand, err)
		}
		write(t, dir, "a.md", "by hand, this very moment")
		_, err = f.commit(t.Context(), completed(Commit{Author: "Ada", Entries: entries}), updates)
		f.writing.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		is(t, dir, "a.md", "by hand, this very moment")
		if rev := importAll(t, f); rev != 3 {
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
	})
}

// A commit in the log whose files could not be written is neither forgotten nor
// taken for an edit by hand.
func TestCommitThatIsNotInPlaceHoldsUpTheNext(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := public(t)
		write(t, dir, "posts/a.md", "old")
		posts := filepath.Join(dir, "posts")
		if err := os.Chmod(posts, 0o777); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		importAll(t, f)
		f.writing.Lock()
		hash, err := f.Put(t.Context(), []byte("new"))
		if err != nil {
			t.Fatal(err)
		}
		c := Commit{Rev: 2, ID: "x", Author: "Ada", Entries: []Entry{{Path: "posts/a.md", Hash: hash, Size: 3}}}
		updates, _, err := f.plan(f.Ledger(), c.Entries)
		if err == nil {
			err = f.stage(t.Context(), updates)
		}
		var next *Ledger
		if err == nil {
			next, err = f.send(t.Context(), f.Ledger(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.pending = updates
		f.publish(next)
		f.writing.Unlock()
		other, err := f.Put(t.Context(), []byte("b"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run("no leave", func(t *testing.T) {
			// Nobody is to be kept out of the posts, not out of .sheaf.
			if err := errors.Join(os.Chmod(posts, 0o555), os.Chmod(filepath.Join(dir, sheafDir), 0o777)); err != nil {
				t.Fatal(err)
			}
			asNobody(t)
			if _, err := f.Commit(t.Context(), 2, Commit{Entries: []Entry{{Path: "b.md", Hash: other, Size: 1}}}); err == nil || !strings.Contains(err.Error(), "revision 2 is not in place") {
				t.Errorf("%v", err)
			}
			if _, err := f.Import(t.Context(), none); err == nil {
				t.Error("Import has taken the old file for an edit")
			}
		})
		if err := os.Chmod(posts, 0o777); err != nil {
			t.Fatal(err)
		}
		if rev := importAll(t, f); rev != 2 {
			t.Errorf("revision %d", rev)
		}
		is(t, dir, "posts/a.md", "new")
		commit(t, f, map[string]*string{"b.md": new("b")})
	})
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
	if _, err := f.Import(t.Context(), none); err == nil {
		t.Error("Import has taken the old file for an edit")
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	importAll(t, f)
	is(t, dir, "a.md", next)
}

func TestWhatAStopHasLeftIsTidied(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		write(t, dir, "posts/a.md", "a")
		write(t, dir, "posts/"+stagedPrefix+"LEFT", "half")
		f := open(t, dir)
		importAll(t, f)
		is(t, dir, "posts/"+stagedPrefix+"LEFT", "")
		is(t, dir, ".sheaf/.gitignore", "*\n")
	})
}
