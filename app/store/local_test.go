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
	"time"
)

func TestTornTailIsDroppedAndABrokenLineIsNot(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("1")})
	commit(t, f, map[string]*string{"a.md": new("2")})
	f.Close()
	log := filepath.Join(dir, ".sheaf/log")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"0", "01234567 {\"rev\":3", strings.Repeat("\x00", 100), "deadbeef {\"rev\":3}\n"} {
		if err := os.WriteFile(log, append(whole[:len(whole):len(whole)], tail...), 0o644); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		if rev := f.Ledger().Rev(); rev != 2 {
			t.Errorf("after %q: revision %d", tail, rev)
		}
		f.Close()
		if now, _ := os.ReadFile(log); string(now) != string(whole) {
			t.Errorf("after %q the log is another", tail)
		}
	}
	bad := append([]byte(nil), whole...)
	bad[20] ^= 1
	if err := os.WriteFile(log, bad, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "log:1:") {
		t.Errorf("a broken line: %v", err)
	}
	if now, _ := os.ReadFile(log); string(now) != string(bad) {
		t.Error("a broken log was changed")
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
