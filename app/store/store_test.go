//go:build unix

package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
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

func is(t *testing.T, dir, name, want string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if want == "" && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || string(b) != want {
		t.Errorf("%s: %q, %v; want %q", name, b, err, want)
	}
}

func none(string, bool) bool { return false }

func open(t *testing.T, dir string, opts ...Option) *Worktree {
	t.Helper()
	f, err := Open(dir, slog.New(slog.DiscardHandler), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func openLocal(t *testing.T, dir string) *Local {
	t.Helper()
	l, err := OpenLocal(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// An opener opens a folder, again and again, always over the same store.
type opener func(t *testing.T, dir string) *Worktree

// overEveryStore runs a test of a Worktree over a Local in the same folder,
// over one in another, and over a store that has no disk.
func overEveryStore(t *testing.T, test func(t *testing.T, open opener)) {
	t.Run("over a local", func(t *testing.T) {
		test(t, func(t *testing.T, dir string) *Worktree { return open(t, dir) })
	})
	t.Run("over a local elsewhere", func(t *testing.T) {
		dir := public(t)
		s := sync.OnceValue(func() Store { return openLocal(t, dir) }) // by who opens the folder
		test(t, func(t *testing.T, dir string) *Worktree { return overOne(t, s())(t, dir) })
	})
	t.Run("over a store without a disk", func(t *testing.T) {
		test(t, overOne(t, newMemory()))
	})
}

func overOne(t *testing.T, s Store) opener {
	return func(t *testing.T, dir string) *Worktree {
		t.Helper()
		w, err := OpenWorktree(dir, s, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		return w
	}
}

// commit puts files (a nil text removes) as one commit on the head.
func commit(t *testing.T, f *Worktree, files map[string]*string) Rev {
	t.Helper()
	rev, err := tryCommit(t.Context(), f, f.Ledger().Rev(), files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func tryCommit(ctx context.Context, f Store, base Rev, files map[string]*string) (Rev, error) {
	var c Commit
	for name, text := range files {
		e := Entry{Path: name}
		if text != nil {
			hash, err := f.Put(ctx, []byte(*text))
			if err != nil {
				return 0, err
			}
			e.Hash, e.Size = hash, int64(len(*text))
		}
		c.Entries = append(c.Entries, e)
	}
	c.Author, c.Channel = "Ada", "pipe"
	return f.Commit(ctx, base, c)
}

func importAll(t *testing.T, f *Worktree) Rev {
	t.Helper()
	rev, err := f.Import(t.Context(), none)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

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

// asNobody gives up root's rights until the test ends: root can write
// everywhere.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		return
	}
	if err := syscall.Seteuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

// until waits for something that must come about.
func until(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about")
		}
	}
}
