package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestBackupComesBackAsItWas(t *testing.T) {
	dir := servedFolder(t)
	write(t, dir, "by-hand.md", "in no commit yet")
	copied, restored := filepath.Join(t.TempDir(), "copy"), t.TempDir()
	if rev, err := Backup(t.Context(), dir, copied); rev != 5 || err != nil {
		t.Fatalf("backup of revision %d: %v", rev, err)
	}
	if rev, err := Restore(t.Context(), copied, restored); rev != 5 || err != nil {
		t.Fatalf("restored revision %d: %v", rev, err)
	}
	if said, _ := fsck(t, restored, false); said != "" {
		t.Errorf("fsck: %s", said)
	}
	if was, is := plain(t, dir), plain(t, restored); was != is {
		t.Errorf("plain files were %s\nare %s", was, is)
	}
	f := open(t, restored)
	old, _ := f.Ledger().Commit(1)
	for _, e := range old.Entries {
		if _, err := f.Get(t.Context(), e.Hash); err != nil {
			t.Errorf("an old version: %v", err)
		}
	}
	if b, err := f.State().State("x"); string(b) != "kept" || err != nil {
		t.Errorf("state: %q, %v", b, err)
	}
	info, err := os.Stat(filepath.Join(restored, sheafDir))
	if err != nil || info.Mode().Perm() != privateDir {
		t.Errorf(".sheaf: %v, %v", info, err)
	}
}

func TestBackupAndRestoreOverwriteNothing(t *testing.T) {
	dir, full := servedFolder(t), t.TempDir()
	write(t, full, "mine.md", "mine")
	if _, err := Backup(t.Context(), dir, full); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("backup: %v", err)
	}
	if _, err := Restore(t.Context(), dir, full); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("restore: %v", err)
	}
	if got := plain(t, full); !strings.HasPrefix(got, "./mine.md mine") {
		t.Errorf("has %s", got)
	}
	edit(t, dir, "log", flip(30))
	to := filepath.Join(t.TempDir(), "new")
	if _, err := Restore(t.Context(), dir, to); err == nil || !strings.Contains(err.Error(), ".sheaf/log:1: the checksum is wrong") {
		t.Errorf("of a damaged one: %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a damaged backup was put in place")
	}
}

// While commits are made, some of which remove packs, every backup is of one
// revision: its files are those that its log names.
func TestBackupWhileItIsPublishedTo(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, History(1))
	f.local.objects.packs.limit = 300 << 10
	commit(t, f, map[string]*string{"a.md": new("0"), "b.md": new("0")})
	var publishing sync.WaitGroup
	stop := make(chan struct{})
	publishing.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			text := fmt.Sprint(i, strings.Repeat("x", 150<<10))
			files := map[string]*string{"a.md": &text, "b.md": &text, "c.md": &text}
			if i%2 == 0 {
				files["c.md"] = nil
			}
			if _, err := tryCommit(t.Context(), f, f.Ledger().Rev(), files); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 10 {
		to := filepath.Join(t.TempDir(), "copy")
		rev, err := Backup(t.Context(), dir, to)
		if err != nil {
			t.Errorf("backup %d: %v", i, err)
			break
		}
		if said, damage := fsck(t, to, false); damage > 0 || strings.Contains(said, "are not as the newest revision has them") {
			t.Errorf("backup %d of revision %d: %s", i, rev, said)
		}
		a, _ := os.ReadFile(filepath.Join(to, "a.md"))
		b, _ := os.ReadFile(filepath.Join(to, "b.md"))
		if string(a) != string(b) {
			t.Errorf("backup %d: two files of one commit differ", i)
		}
	}
	close(stop)
	publishing.Wait()
}
