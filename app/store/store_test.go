package store

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string, opts ...Option) *Folder {
	t.Helper()
	f, err := Open(dir, slog.New(slog.DiscardHandler), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

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
			t.Errorf("Folder.ReadFile %s", name)
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

// changes counts what a watch tells in a time.
func changes(ch <-chan struct{}, d time.Duration) int {
	n, end := 0, time.After(d)
	for {
		select {
		case <-ch:
			n++
		case <-end:
			return n
		}
	}
}

func TestWatchTellsOfEveryKindOfChange(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "a")
	write(t, dir, "old/b.md", "b")
	f := open(t, dir)
	ch := f.Watch(t.Context(), func(dir string) bool { return filepath.Base(dir) == "node_modules" })
	for _, c := range []struct {
		name string
		do   func() error
		want int
	}{
		{"edit", func() error { return os.WriteFile(filepath.Join(dir, "a.md"), []byte("aa"), 0o644) }, 1},
		{"edit below", func() error { return os.WriteFile(filepath.Join(dir, "old/b.md"), []byte("bb"), 0o644) }, 1},
		{"new folder", func() error { return os.MkdirAll(filepath.Join(dir, "new/deep"), 0o755) }, 1},
		{"file in it", func() error { return os.WriteFile(filepath.Join(dir, "new/deep/c.md"), []byte("c"), 0o644) }, 1},
		{"rename folder", func() error { return os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "moved")) }, 1},
		{"edit in it", func() error { return os.WriteFile(filepath.Join(dir, "moved/deep/c.md"), []byte("cc"), 0o644) }, 1},
		{"remove folder", func() error { return os.RemoveAll(filepath.Join(dir, "moved")) }, 1},
		{"hidden", func() error { return os.WriteFile(filepath.Join(dir, ".index.lock"), []byte("x"), 0o644) }, 0},
		{"skipped", func() error {
			if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "node_modules/x.md"), []byte("x"), 0o644)
		}, 0},
	} {
		if err := c.do(); err != nil {
			t.Fatal(c.name, err)
		}
		if n := changes(ch, 400*time.Millisecond); n != c.want {
			t.Errorf("%s: told %d times, want %d", c.name, n, c.want)
		}
	}
}

func TestWatchTellsOfAThousandFilesOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	ch := f.Watch(t.Context(), func(string) bool { return false })
	for i := range 10 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint("d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("d%d/f%d.md", i%10, i)), []byte("text"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := changes(ch, time.Second); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWatchDoesNotWaitForEver(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	ch := f.Watch(t.Context(), func(string) bool { return false })
	start := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { // something that never leaves the folder alone
		defer close(done)
		for ctx.Err() == nil {
			os.WriteFile(filepath.Join(dir, "a.md"), []byte(time.Now().String()), 0o644)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	<-ch
	cancel()
	<-done
	if d := time.Since(start); d > time.Second {
		t.Errorf("told after %v", d)
	}
}

func TestPollFindsWhatNobodyTells(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "a")
	f := open(t, dir, Poll(50*time.Millisecond))
	// As on a file system without notification.
	w := &watch{folder: f, skip: func(string) bool { return false }, seed: maphash.MakeSeed()}
	before := w.fingerprint()
	if before != w.fingerprint() {
		t.Fatal("the fingerprint is not stable")
	}
	write(t, dir, "a.md", "b")
	if before == w.fingerprint() {
		t.Fatal("an edit does not change the fingerprint")
	}
}

func TestFolderReplacedAsAWhole(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "content")
	write(t, dir, "a.md", "old")
	write(t, base, "next/a.md", "new")
	f := open(t, dir, Poll(50*time.Millisecond))
	ch := f.Watch(t.Context(), func(string) bool { return false })
	changes(ch, 300*time.Millisecond)
	if err := os.Rename(dir, filepath.Join(base, "before")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(base, "next"), dir); err != nil {
		t.Fatal(err)
	}
	if changes(ch, time.Second) == 0 {
		t.Error("not told")
	}
	if b, _, err := f.ReadFile("a.md", 100); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestCloseEndsWatches(t *testing.T) {
	f, err := Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ch := f.Watch(context.Background(), func(string) bool { return false })
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range ch {
	}
}
