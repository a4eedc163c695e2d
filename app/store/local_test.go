package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// twoCommits gives a folder with two revisions of a.md, closed, and its log.
func twoCommits(t *testing.T) (dir, log string, whole []byte) {
	t.Helper()
	dir = t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("1")})
	commit(t, f, map[string]*string{"a.md": new("2")})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	log = filepath.Join(dir, sheafDir, journalName)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return dir, log, whole
}

// opening opens a folder for its error, and gives what was logged.
func opening(t *testing.T, dir string) (logged string, err error) {
	t.Helper()
	var out strings.Builder
	f, err := Open(dir, slog.New(slog.NewTextHandler(&out, nil)))
	if err == nil {
		err = f.Close()
	}
	return out.String(), err
}

func TestUnfinishedLineIsPutAside(t *testing.T) {
	dir, log, whole := twoCommits(t)
	// Zeros where a sector was not written, in a line that has its end.
	gap := []byte("01234567 {" + strings.Repeat("x", 2000) + "}\n")
	clear(gap[1024-len(whole)%512 : 1024-len(whole)%512+512])
	for _, tail := range []string{"0", "01234567 {\"rev\":3", strings.Repeat("\x00", 100), string(gap)} {
		if err := os.WriteFile(log, append(whole[:len(whole):len(whole)], tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		logged, err := opening(t, dir)
		if err != nil {
			t.Errorf("after %.20q: %v", tail, err)
		}
		if !strings.Contains(logged, fmt.Sprintf(`"after revision"=2 bytes=%d`, len(tail))) {
			t.Errorf("after %.20q was logged: %s", tail, logged)
		}
		if now, _ := os.ReadFile(log); string(now) != string(whole) {
			t.Errorf("after %.20q the log is another", tail)
		}
		kept, _ := filepath.Glob(log + ".torn-*")
		if len(kept) != 1 {
			t.Fatalf("after %.20q there are %q", tail, kept)
		}
		if b, _ := os.ReadFile(kept[0]); string(b) != tail {
			t.Errorf("of %.20q was kept %.20q", tail, b)
		}
		if err := os.Remove(kept[0]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedLogIsTold(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(log []byte) []byte
		want   string
	}{
		{"a flipped bit in the first line", func(b []byte) []byte { b[20] ^= 1; return b }, "log:1: the line is damaged: the checksum is wrong"},
		{"a flipped bit in the last line", func(b []byte) []byte { b[len(b)-5] ^= 1; return b }, "log:2: the line is damaged: the checksum is wrong"},
		{"a whole line of something else", func(b []byte) []byte { return append(b, "deadbeef {\"rev\":3}\n"...) }, "log:3: the line is damaged: the checksum is wrong"},
		{"a line twice", func(b []byte) []byte { return append(b, b[len(b)/2:]...) }, "log:3: "},
		{"without its last line end", func(b []byte) []byte { return b[:len(b)-1] }, "revision 2 was shown, but the history ends with 1"},
		{"without its last line", func(b []byte) []byte { return b[:strings.IndexByte(string(b), '\n')+1] }, "revision 2 was shown, but the history ends with 1"},
		{"emptied", func(b []byte) []byte { return nil }, "revision 2 was shown, but the history ends with 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, log, whole := twoCommits(t)
			bad := test.damage(slices.Clone(whole))
			if err := os.WriteFile(log, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first start changes nothing about it
				if _, err := opening(t, dir); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v", err)
				}
			}
			now, _ := os.ReadFile(log)
			kept, _ := filepath.Glob(log + ".torn-*")
			for _, name := range kept {
				b, _ := os.ReadFile(name)
				now = append(now, b...)
			}
			if string(now) != string(bad) {
				t.Error("bytes of the damaged log are lost")
			}
		})
	}
}

func TestNoBlobIsRemovedInARunThatMissesCommits(t *testing.T) {
	dir, log, whole := twoCommits(t)
	if err := os.WriteFile(log, append(whole, "0123"...), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir, History(1))
	hash, err := f.Put(t.Context(), []byte("of a commit that is missing"))
	if err != nil {
		t.Fatal(err)
	}
	packs := f.local.objects.packs
	old := packs.locations[digestOf(hash)]
	old.storedAt = 1 // in 1970
	packs.locations[digestOf(hash)] = old
	f.local.unsynced.Delete(hash)
	f.local.sweep()
	if _, ok := packs.size(hash); !ok {
		t.Error("swept")
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct{ is, want string }{
		{"1\n", ""}, {"1", ""},
		{"2\n", "format 2 was made by a newer version of Sheaf, this one knows 1"},
		{"", "is not the number of a format"},
		{"x", "is not the number of a format"},
	} {
		dir, _, _ := twoCommits(t)
		if err := os.WriteFile(filepath.Join(dir, sheafDir, formatName), []byte(test.is), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := opening(t, dir); fmt.Sprint(err) == "<nil>" != (test.want == "") || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%q: %v", test.is, err)
		}
	}
}

func TestSheafIsPrivate(t *testing.T) {
	dir, log, _ := twoCommits(t)
	home := filepath.Join(dir, sheafDir)
	// As it was before there was a format.
	if err := errors.Join(os.Remove(filepath.Join(home, formatName)), os.Chmod(home, 0o755), os.Chmod(log, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := opening(t, dir); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(home, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCommitIsRefusedWhereSomebodyElseWrites(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(home string) error
		want   string
	}{
		{"the log is longer", func(home string) error {
			f, err := os.OpenFile(filepath.Join(home, journalName), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("x")
				err = errors.Join(err, f.Close())
			}
			return err
		}, "another program has changed the log"},
		{"the log is shorter", func(home string) error { return os.Truncate(filepath.Join(home, journalName), 10) }, "another program has changed the log"},
		{"the log was replaced", func(home string) error {
			b, err := os.ReadFile(filepath.Join(home, journalName))
			if err == nil {
				err = os.WriteFile(filepath.Join(home, "copy"), b, 0o600)
			}
			return errors.Join(err, os.Rename(filepath.Join(home, "copy"), filepath.Join(home, journalName)))
		}, "another program has changed the log"},
		{"the log is gone", func(home string) error { return os.Remove(filepath.Join(home, journalName)) }, "another program has changed the log"},
		{"the lock is gone", func(home string) error { return os.Remove(filepath.Join(home, lockName)) }, "another program has removed or replaced .sheaf/lock"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir)
			commit(t, f, map[string]*string{"a.md": new("1")})
			hash, err := f.Put(t.Context(), []byte("2"))
			if err != nil {
				t.Fatal(err)
			}
			if err := test.change(filepath.Join(dir, sheafDir)); err != nil {
				t.Fatal(err)
			}
			_, err = f.Commit(t.Context(), 1, Commit{Entries: []Entry{{Path: "a.md", Hash: hash, Size: 1}}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
			if b, _ := os.ReadFile(filepath.Join(dir, "a.md")); string(b) != "1" {
				t.Errorf("the file has %q", b)
			}
		})
	}
}

func TestHistoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, History(2500))
	for i := range 6 {
		commit(t, f, map[string]*string{"a.md": new(fmt.Sprint(i) + strings.Repeat("x", 999)), "keep.md": new("k")})
	}
	kept := 0
	for _, e := range f.Ledger().Of("a.md") {
		if _, err := f.Get(t.Context(), e.Hash); err == nil {
			kept++
		}
	}
	if kept != 3 { // the newest, and two old ones
		t.Errorf("%d versions are kept", kept)
	}
}

func TestSweepSparesWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	large := func(text string) string { return text + strings.Repeat(" large", maxPacked/5) }
	for _, text := range []string{"old", "old, put again", "fresh", "named"} {
		for _, text := range []string{text, large(text)} {
			if _, err := f.Put(t.Context(), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	commit(t, f, map[string]*string{"a.md": new("named"), "b.md": new(large("named"))})
	ago := time.Now().Add(-2 * unreferencedTTL)
	for _, text := range []string{"old", "old, put again", "named"} {
		if err := f.home.disk.Chtimes(objectName(hashOf([]byte(large(text)))), ago, ago); err != nil {
			t.Fatal(err)
		}
		d := digestOf(hashOf([]byte(text)))
		s := f.local.objects.packs.locations[d]
		s.storedAt = uint32(ago.Unix())
		f.local.objects.packs.locations[d] = s
	}
	for _, text := range []string{"old, put again", large("old, put again")} {
		if _, err := f.Put(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	f.local.sweep()
	for text, want := range map[string]bool{"old": false, "old, put again": true, "fresh": true, "named": true} {
		for _, b := range []string{text, large(text)} {
			if _, err := f.local.objects.get(hashOf([]byte(b))); (err == nil) != want {
				t.Errorf("%s, %d bytes: %v", text, len(b), err)
			}
		}
	}
}

func TestState(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir).State()
	if _, err := f.State("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := f.SetState("x", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := f.State("x"); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	if names, err := f.States(); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	if err := f.SetState("x", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a/b", "../x", ".x"} {
		if err := f.SetState(name, []byte("x")); err == nil {
			t.Errorf("%q was kept", name)
		}
	}
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
