package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

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
		want bool
	}{
		{"edit", func() error { return os.WriteFile(filepath.Join(dir, "a.md"), []byte("aa"), 0o644) }, true},
		{"edit below", func() error { return os.WriteFile(filepath.Join(dir, "old/b.md"), []byte("bb"), 0o644) }, true},
		{"new folder", func() error { return os.MkdirAll(filepath.Join(dir, "new/deep"), 0o755) }, true},
		{"file in it", func() error { return os.WriteFile(filepath.Join(dir, "new/deep/c.md"), []byte("c"), 0o644) }, true},
		{"rename folder", func() error { return os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "moved")) }, true},
		{"edit in it", func() error { return os.WriteFile(filepath.Join(dir, "moved/deep/c.md"), []byte("cc"), 0o644) }, true},
		{"remove folder", func() error { return os.RemoveAll(filepath.Join(dir, "moved")) }, true},
		{"hidden", func() error { return os.WriteFile(filepath.Join(dir, ".index.lock"), []byte("x"), 0o644) }, false},
		{"skipped", func() error {
			if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "node_modules/x.md"), []byte("x"), 0o644)
		}, false},
	} {
		if err := c.do(); err != nil {
			t.Fatal(c.name, err)
		}
		if !c.want {
			if n := changes(ch, 400*time.Millisecond); n > 0 {
				t.Errorf("%s is told", c.name)
			}
			continue
		}
		select {
		case <-ch:
		case <-time.After(10 * time.Second):
			t.Errorf("%s is not told", c.name)
		}
		changes(ch, 300*time.Millisecond) // on a busy machine it may be told in two
	}
}

func TestWatchTellsOfAThousandFilesOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	f.pause = pauses{quiet: time.Second, late: time.Minute, bulk: time.Minute, poll: time.Hour} // for a busy machine
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
	if n := changes(ch, 3*time.Second); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestACheckoutHasMoreTime(t *testing.T) {
	start := time.Now()
	b := newBurst(watchPauses)
	for i := range checkout - 1 {
		if got := b.wait(start); got != watchPauses.quiet {
			t.Fatalf("after %d changes: %v", i+1, got)
		}
	}
	if got := b.wait(start.Add(2 * time.Second)); got != watchPauses.quiet {
		t.Errorf("of a checkout, after 2 s: %v", got)
	}
	if got := b.wait(start.Add(2950 * time.Millisecond)); got != 50*time.Millisecond {
		t.Errorf("of a checkout, after 2.95 s: %v", got)
	}
	b = newBurst(watchPauses)
	b.wait(start)
	if got := b.wait(start.Add(600 * time.Millisecond)); got != 100*time.Millisecond {
		t.Errorf("of somebody's editing, after 0.6 s: %v", got)
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
	f := open(t, dir)
	// As on a file system without notification.
	w := &watch{tree: f, skip: func(string) bool { return false }}
	w.poll()
	if w.poll() {
		t.Fatal("the fingerprint is not stable")
	}
	write(t, dir, "a.md", "b")
	if !w.poll() {
		t.Fatal("an edit does not change the fingerprint")
	}
	importAll(t, f)
	commit(t, f, map[string]*string{"new/b.md": new("ours"), "a.md": new("ours too")})
	commit(t, f, map[string]*string{"new/b.md": nil, "a.md": new("and again")})
	if w.poll() {
		t.Error("a commit of ours changes the fingerprint")
	}
}

func TestFolderReplacedAsAWhole(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "content")
	write(t, dir, "a.md", "old")
	write(t, base, "next/a.md", "new")
	f, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.pause.poll = 50 * time.Millisecond
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

func TestOwnCommitsAreNoNews(t *testing.T) {
	overEveryStore(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		f := open(t, dir)
		f.pause.quiet = 10 * time.Millisecond
		ch := f.Watch(t.Context(), func(string) bool { return false })
		for i, files := range []map[string]*string{
			{"a.md": new("a"), "deep/er/b.md": new("b")},
			{"a.md": new("aa")},
			{"deep/er/b.md": nil, "deep/c.md": new("c")},
			{"deep/c.md": nil, "deep": new("a file now")},
			{"deep": nil},
		} {
			commit(t, f, files)
			if n := changes(ch, 100*time.Millisecond); n > 0 {
				t.Errorf("commit %d is told %d times", i+1, n)
			}
		}
		for i := range 20 { // quicker than the system tells
			commit(t, f, map[string]*string{"a.md": new(fmt.Sprint(i)), fmt.Sprintf("d%d/x.md", i): new("x")})
		}
		if n := changes(ch, 100*time.Millisecond); n > 0 {
			t.Errorf("commits in a row are told %d times", n)
		}
		write(t, dir, "d7/by-hand.md", "by hand")
		<-ch
		// Who edits a file at once is heard.
		commit(t, f, map[string]*string{"a.md": new("ours")})
		write(t, dir, "a.md", "theirs")
		<-ch
		if importAll(t, f); !strings.HasSuffix(history(t, f, "a.md"), "ours, theirs") {
			t.Errorf("history %s", history(t, f, "a.md"))
		}
	})
}

// A clock may be so coarse that an edit has the stamp of the commit before it.
func TestEditWithinAStepOfTheClock(t *testing.T) {
	for name, mtime := range map[string]time.Time{"of now": time.Now(), "long ago": time.Unix(1e9, 0)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir)
			hash, err := f.Put(t.Context(), []byte("ours"))
			if err == nil {
				_, err = f.Commit(t.Context(), 0, Commit{Entries: []Entry{{Path: "a.md", Hash: hash, Size: 4, MTime: mtime}}})
			}
			if err != nil {
				t.Fatal(err)
			}
			before, err := f.Stat("a.md")
			if err != nil {
				t.Fatal(err)
			}
			a := filepath.Join(dir, "a.md")
			if err := errors.Join(os.WriteFile(a, []byte("hand"), 0o644), os.Chtimes(a, mtime, mtime)); err != nil {
				t.Fatal(err)
			}
			if after, err := f.Stat("a.md"); err != nil || after != before {
				t.Fatalf("the stamp is %v, not %v: %v", after, before, err)
			}
			v := &watch{tree: f, skip: func(string) bool { return false }}
			if v.concerns(fsnotify.Event{Name: a, Op: fsnotify.Create}) {
				t.Error("the commit itself is news")
			}
			for _, op := range []fsnotify.Op{fsnotify.Write, fsnotify.Chmod} {
				if !v.concerns(fsnotify.Event{Name: a, Op: op}) {
					t.Errorf("%v is no news", op)
				}
			}
			importAll(t, f)
			if got := history(t, f, "a.md"); got != "ours, hand" {
				t.Errorf("history %s", got)
			}
		})
	}
}
