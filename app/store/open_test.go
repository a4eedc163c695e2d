//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLockNamesItsHolder(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, Holder("serving :2222"))
	_, err := Open(dir, slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrHeld) {
		t.Fatalf("second Open: %v", err)
	}
	for _, want := range []string{dir, fmt.Sprint("pid ", os.Getpid()), "serving :2222"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	first.Close()
	open(t, dir).Close()
}

func TestOpenMissingFolder(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"), slog.New(slog.DiscardHandler))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestReadOnlyFolderIsServedWithoutLock(t *testing.T) {
	dir, err := os.MkdirTemp("", "readonly") // not t.TempDir, whose parent is the owner's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write(t, dir, "a.md", "x")
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	asNobody(t)
	f := open(t, dir)
	if b, err := fs.ReadFile(f.FS(), "a.md"); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".sheaf")); err == nil {
		t.Error("a folder for the lock was made")
	}
}

func TestReadOnlyFolderHasItsHistory(t *testing.T) {
	dir := public(t)
	write(t, dir, "a.md", "first")
	f := open(t, dir)
	importAll(t, f)
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
	if rev := importAll(t, f); rev != 3 {
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
