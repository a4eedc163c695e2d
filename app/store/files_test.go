//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestFSIsConfined(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "secret", "s")
	dir := t.TempDir()
	write(t, dir, "a.md", "a")
	write(t, dir, "sub/b.md", "b")
	write(t, dir, ".env", "TOKEN")
	write(t, dir, "sub/.git/config", "c")
	links := map[string]string{
		"out": filepath.Join(outside, "secret"), "up": "../" + filepath.Base(outside) + "/secret",
		"outdir": outside, "in": "sub/b.md", "sub/over": "../a.md",
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.md"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for _, name := range []string{"out", "up", "outdir/secret", "pipe.md", ".env", "sub/.git/config", ".sheaf/lock", "../x", "/etc/passwd", "none"} {
		if b, err := fs.ReadFile(f.FS(), name); err == nil {
			t.Errorf("read %s: %q", name, b)
		}
		if _, _, err := f.ReadFile(name, 100); err == nil {
			t.Errorf("Worktree.ReadFile %s", name)
		}
		r := f.NewReader()
		if _, _, err := r.ReadFile(name, 100); err == nil {
			t.Errorf("Reader.ReadFile %s", name)
		}
		r.Close()
	}
	r := f.NewReader()
	defer r.Close()
	for name, want := range map[string]string{"a.md": "a", "sub/b.md": "b", "in": "b", "sub/over": "a"} {
		if b, err := fs.ReadFile(f.FS(), name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if b, _, err := r.ReadFile(name, 100); err != nil || string(b) != want {
			t.Errorf("Reader %s: %q, %v", name, b, err)
		}
	}
	if _, _, err := f.ReadFile("a.md", 0); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestFSKeepsTheRulesOfFileSystems(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "a")
	write(t, dir, "sub/b.md", "b")
	if err := fstest.TestFS(open(t, dir).FS(), "a.md", "sub/b.md"); err != nil {
		t.Fatal(err)
	}
}

func TestLinksToHiddenNamesAreNotServed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".env", "SECRET=1")
	write(t, dir, ".git/config", "url = secret")
	write(t, dir, "posts/a.md", "a")
	for name, to := range map[string]string{
		"env.md": ".env", "posts/config.md": "../.git/config", "chain.md": "env.md", "hidden": ".git", "plain.md": "posts/a.md", "folder": "posts",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, dir)
	for _, name := range []string{"env.md", "posts/config.md", "chain.md", "hidden/config"} {
		if b, _, err := f.ReadFile(name, 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile %s: %q, %v", name, b, err)
		}
		if b, err := fs.ReadFile(f.FS(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("FS %s: %q, %v", name, b, err)
		}
		if _, err := fs.Stat(f.FS(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat %s: %v", name, err)
		}
	}
	for _, name := range []string{"plain.md", "folder/a.md"} {
		if b, err := fs.ReadFile(f.FS(), name); string(b) != "a" || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if got := plain(t, dir); strings.Contains(got, "env") || strings.Contains(got, "config") || strings.Contains(got, "chain") {
		t.Errorf("a walk finds %s", got)
	}
}

func TestWhatCannotBeReadIsNotTakenForRemoved(t *testing.T) {
	dir := public(t)
	write(t, dir, "posts/a.md", "a")
	write(t, dir, "b.md", "b")
	f := open(t, dir)
	importAll(t, f)
	if err := os.Chmod(filepath.Join(dir, "posts"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "posts"), 0o755) })
	asNobody(t)
	var said error
	err := f.Walk(func(d *Dir) []string {
		if d.Path == "posts" {
			said = d.Err
		}
		return d.Dirs
	})
	if err != nil || !errors.Is(said, fs.ErrPermission) {
		t.Errorf("a walk says %v, %v", said, err)
	}
	found, _, err := f.changedByHand(t.Context(), f.Ledger(), none)
	if len(found) > 0 || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}
