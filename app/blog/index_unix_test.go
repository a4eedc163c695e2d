//go:build unix

package blog

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"sheaf/app/store"
)

// A folder that cannot be read for a while takes no post away, and its authors
// are told.
func TestPostsOfAFolderThatCannotBeReadStay(t *testing.T) {
	dir, err := os.MkdirTemp("", "public")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	put(t, dir, "posts/a.md", "# A\n", "posts/deep/b.md", "# B\n", "c.md", "# C\n")
	folder, err := store.View(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	s := newIndex(folder)
	if _, err := s.rescan(); err != nil || len(s.entries) != 3 {
		t.Fatalf("%d posts, %v", len(s.entries), err)
	}
	posts := filepath.Join(dir, "posts")
	if err := os.Chmod(posts, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(posts, 0o755) })
	if os.Geteuid() == 0 { // who can read everything
		if err := syscall.Seteuid(65534); err != nil {
			t.Fatal(err)
		}
		defer syscall.Seteuid(0)
	}
	changed, err := s.rescan()
	if !changed || err != nil || len(s.entries) != 3 {
		t.Errorf("changed: %v, %d posts, %v", changed, len(s.entries), err)
	}
	want := []Problem{{Path: "posts", Text: "cannot be read: permission denied; what was known of it stays"}}
	if !slices.Equal(s.listing.problems, want) {
		t.Errorf("problems %v", s.listing.problems)
	}
	if changed, _ := s.rescan(); changed {
		t.Error("it is news again")
	}
}
