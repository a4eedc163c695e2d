package store

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// elsewhere commits on a store as somebody else would.
func elsewhere(t *testing.T, s Store, files map[string]*string) Rev {
	t.Helper()
	base, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rev, err := tryCommit(t.Context(), s, base, files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// reached waits until the plain files are of a revision.
func reached(t *testing.T, w *Worktree, rev Rev) {
	t.Helper()
	until(t, func() bool { return w.Ledger().Rev() >= rev })
}

// history lists the versions of a path as the ledger has them.
func history(t *testing.T, w *Worktree, path string) string {
	t.Helper()
	var texts []string
	for _, e := range w.Ledger().Of(path) {
		if e.Hash == "" {
			texts = append(texts, "-")
			continue
		}
		b, err := w.Get(t.Context(), e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	return strings.Join(texts, ", ")
}

func TestCommitsOfOthersAreWritten(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		commit(t, f, map[string]*string{"a.md": new("a1"), "old/b.md": new("b1")})
		f.pause.poll = time.Hour
		told := f.Watch(t.Context(), func(string) bool { return false })
		rev := elsewhere(t, f.store, map[string]*string{"a.md": new("a2"), "old/b.md": nil, "new/c.md": new("c1")})
		reached(t, f, rev)
		until(t, func() bool { return len(told) > 0 })
		for name, want := range map[string]string{"a.md": "a2", "old/b.md": "", "new/c.md": "c1"} {
			is(t, dir, name, want)
		}
		if now := importAll(t, f); now != rev {
			t.Errorf("Import has made revision %d of %d", now, rev)
		}
		if rev := commit(t, f, map[string]*string{"a.md": new("a3")}); rev != 3 {
			t.Errorf("revision %d", rev)
		}
	})
}

func TestWhatIsChangedByHandStaysWhenOthersCommit(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		commit(t, f, map[string]*string{"a.md": new("a1"), "b.md": new("b1"), "c.md": new("c1"), "d.md": new("d1")})
		write(t, dir, "a.md", "by hand")
		write(t, dir, "c.md", "c2") // the same as they do
		write(t, dir, "new.md", "mine")
		if err := os.Remove(filepath.Join(dir, "d.md")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("a.md", filepath.Join(dir, "link.md")); err != nil {
			t.Fatal(err)
		}
		elsewhere(t, f.store, map[string]*string{"a.md": new("a2"), "b.md": new("b2"), "c.md": new("c2"),
			"d.md": new("d2"), "new.md": new("theirs"), "link.md": new("x")})
		reached(t, f, 3)
		for name, want := range map[string]string{"a.md": "by hand", "b.md": "b2", "c.md": "c2",
			"d.md": "", "new.md": "mine", "link.md": "by hand"} {
			is(t, dir, name, want)
		}
		for name, want := range map[string]string{"a.md": "a1, a2, by hand", "b.md": "b1, b2", "c.md": "c1, c2",
			"d.md": "d1, d2, -", "new.md": "theirs, mine", "link.md": "x"} {
			if got := history(t, f, name); got != want {
				t.Errorf("history of %s: %s; want %s", name, got, want)
			}
		}
	})
}

func TestAFolderIsBroughtUpToItsStore(t *testing.T) {
	s := newMemory()
	open := overOne(t, s)
	first := open(t, t.TempDir())
	commit(t, first, map[string]*string{"a.md": new("a1"), "b/c.md": new("c1"), "gone.md": new("x"), "d.md": new("d1")})
	commit(t, first, map[string]*string{"a.md": new("a2"), "gone.md": nil})
	commit(t, first, map[string]*string{"a.md": new("a3"), "out/e.md": new("e")})
	want := map[string]string{"a.md": "a3", "b/c.md": "c1", "gone.md": "", "d.md": "d1"}
	for name, before := range map[string]map[string]string{
		"empty":            {},
		"an old copy":      {"a.md": "a1", "b/c.md": "c1", "gone.md": "x", "d.md": "d1"},
		"a newer one":      {"a.md": "a2", "d.md": "d1", ".sheaf/shown": "2", "b/c.md": "c1"},
		"up to date":       {"a.md": "a3", "b/c.md": "c1", "d.md": "d1"},
		"changed by hand":  {"a.md": "hand", "d.md": "hand"},
		"removed since":    {"d.md": "d1", "b/c.md": "c1", ".sheaf/shown": "2"},
		"with other files": {"e.md": "e"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range before {
				write(t, dir, name, text)
			}
			if err := os.Symlink(t.TempDir(), filepath.Join(dir, "out")); err != nil {
				t.Fatal(err)
			}
			open(t, dir)
			expected := maps.Clone(want)
			switch name {
			case "changed by hand":
				expected["a.md"], expected["d.md"] = "hand", "hand"
			case "removed since":
				expected["a.md"] = ""
			}
			for name, text := range expected {
				is(t, dir, name, text)
			}
			if list, err := os.ReadDir(filepath.Join(dir, "out")); err != nil || len(list) > 0 {
				t.Errorf("what is behind a link: %v, %v", list, err)
			}
		})
	}
}

// A racing store lets somebody else commit first, once.
type racing struct {
	Store
	first func()
}

func (r *racing) Commit(ctx context.Context, base Rev, c Commit) (Rev, error) {
	if first := r.first; first != nil {
		r.first = nil
		first()
	}
	return r.Store.Commit(ctx, base, c)
}

func TestCommitThatOthersOvertake(t *testing.T) {
	s := newMemory()
	r := &racing{Store: s}
	dir := t.TempDir()
	f := overOne(t, r)(t, dir)
	commit(t, f, map[string]*string{"a.md": new("a1")})
	r.first = func() { elsewhere(t, s, map[string]*string{"a.md": new("theirs"), "b.md": new("b")}) }
	_, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": new("mine"), "deep/c.md": new("c")})
	if !errors.Is(err, ErrConflict) {
		t.Fatalf("%v", err)
	}
	// When it is refused the next attempt has what it needs.
	if rev := f.Ledger().Rev(); rev != 2 {
		t.Errorf("revision %d", rev)
	}
	is(t, dir, "a.md", "theirs")
	is(t, dir, "b.md", "b")
	var names []string
	list, err := os.ReadDir(dir)
	for _, e := range list {
		names = append(names, e.Name())
	}
	if want := []string{sheafDir, "a.md", "b.md"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v, %v; want %v", names, err, want)
	}
	commit(t, f, map[string]*string{"a.md": new("mine")})
	is(t, dir, "a.md", "mine")
	// And an edit by hand that is overtaken comes on top.
	write(t, dir, "a.md", "by hand")
	r.first = func() { elsewhere(t, s, map[string]*string{"a.md": new("theirs again"), "b.md": new("b2")}) }
	importAll(t, f)
	if got := history(t, f, "a.md"); got != "a1, theirs, mine, theirs again, by hand" {
		t.Errorf("history %s", got)
	}
	is(t, dir, "a.md", "by hand")
	is(t, dir, "b.md", "b2")
}

func TestPathsOfOthersAreConfined(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "content")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newMemory()
	f := overOne(t, s)(t, dir)
	rev := elsewhere(t, s, map[string]*string{"../out.md": new("x"), ".sheaf/lock": new("x"), "/abs.md": new("x"),
		"a/../../b.md": new("x"), "a\nb": new("x"), "good.md": new("good")})
	reached(t, f, rev)
	is(t, dir, "good.md", "good")
	is(t, base, "out.md", "")
	is(t, base, "b.md", "")
	if b, err := os.ReadFile(filepath.Join(dir, ".sheaf/lock")); err != nil || string(b) == "x" {
		t.Errorf("the lock is %q, %v", b, err)
	}
}
