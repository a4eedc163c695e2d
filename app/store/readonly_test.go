//go:build unix

package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

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
