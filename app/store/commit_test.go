package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a Store without a disk: what the interface promises and no more.
type memory struct {
	mu      sync.Mutex
	blobs   map[string][]byte
	commits []Commit
	more    chan struct{}
}

func (m *memory) Put(_ context.Context, b []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[hashOf(b)] = append([]byte(nil), b...)
	return hashOf(b), nil
}

func (m *memory) Get(_ context.Context, hash string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[hash]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]byte(nil), b...), nil
}

func (m *memory) Commit(_ context.Context, base Rev, c Commit) (Rev, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.commits {
		if c.ID != "" && old.ID == c.ID {
			return old.Rev, nil
		}
	}
	for _, e := range c.Entries {
		if _, ok := m.blobs[e.Hash]; e.Hash != "" && !ok {
			return 0, fs.ErrNotExist
		}
	}
	if base != Rev(len(m.commits)) {
		return 0, ErrConflict
	}
	c.Rev = base + 1
	m.commits = append(m.commits, c)
	close(m.more)
	m.more = make(chan struct{})
	return c.Rev, nil
}

func (m *memory) Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for {
			m.mu.Lock()
			more, list := m.more, m.commits[since:]
			m.mu.Unlock()
			for _, c := range list {
				if !yield(c, nil) {
					return
				}
				since = c.Rev
			}
			select {
			case <-more:
			case <-ctx.Done():
				yield(Commit{}, ctx.Err())
				return
			}
		}
	}
}

func (m *memory) Head(context.Context) (Rev, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Rev(len(m.commits)), nil
}

func (m *memory) Close() error { return nil }

func TestConformance(t *testing.T) {
	t.Run("folder", func(t *testing.T) { conforms(t, open(t, t.TempDir())) })
	t.Run("folder of small packs", func(t *testing.T) {
		f := open(t, t.TempDir())
		f.objects.packs.limit = 100
		conforms(t, f)
	})
	t.Run("memory", func(t *testing.T) {
		conforms(t, &memory{blobs: map[string][]byte{}, more: make(chan struct{})})
	})
}

// conforms is what every Store must pass.
func conforms(t *testing.T, s Store) {
	ctx := t.Context()
	put := func(text string) Entry {
		t.Helper()
		hash, err := s.Put(ctx, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return Entry{Hash: hash, Size: int64(len(text))}
	}
	at := func(path string, e Entry) Entry {
		e.Path = path
		return e
	}
	head := func(want Rev) {
		t.Helper()
		if got, err := s.Head(ctx); err != nil || got != want {
			t.Fatalf("head %d, %v; want %d", got, err, want)
		}
	}
	head(0)
	one, two := put("one"), put("two")
	if again := put("one"); again != one {
		t.Error("the same bytes have two hashes")
	}
	if b, err := s.Get(ctx, two.Hash); err != nil || string(b) != "two" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Get(ctx, strings.Repeat("0", 64)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a hash of nothing: %v", err)
	}
	rev, err := s.Commit(ctx, 0, Commit{ID: "a", Author: "Ada", Door: "pipe", Message: "first", Meta: map[string]string{"k": "v"},
		Entries: []Entry{at("a.md", one), at("b/c.md", two)}})
	if err != nil || rev != 1 {
		t.Fatal(rev, err)
	}
	if rev, err := s.Commit(ctx, 7, Commit{ID: "a", Entries: []Entry{at("a.md", two)}}); err != nil || rev != 1 {
		t.Errorf("the same ID again: %d, %v", rev, err)
	}
	if _, err := s.Commit(ctx, 0, Commit{ID: "b", Entries: []Entry{at("a.md", two)}}); !errors.Is(err, ErrConflict) {
		t.Errorf("an old base: %v", err)
	}
	if _, err := s.Commit(ctx, 1, Commit{ID: "c", Entries: []Entry{{Path: "x.md", Hash: strings.Repeat("1", 64), Size: 3}}}); err == nil {
		t.Error("a commit names a blob that is not there")
	}
	head(1)

	// Commits come in order, and then as they are made.
	type got struct {
		c   Commit
		err error
	}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	news := make(chan got)
	go func() {
		defer close(news)
		for c, err := range s.Commits(follow, 0) {
			news <- got{c, err}
		}
	}()
	first := <-news
	if c := first.c; first.err != nil || c.Rev != 1 || c.ID != "a" || c.Author != "Ada" || c.Door != "pipe" || c.Message != "first" || c.Meta["k"] != "v" || len(c.Entries) != 2 {
		t.Errorf("%+v", first)
	}
	if rev, err := s.Commit(ctx, 1, Commit{ID: "d", Entries: []Entry{{Path: "b/c.md"}, at("d.md", one)}}); err != nil || rev != 2 {
		t.Fatal(rev, err)
	}
	if second := <-news; second.c.Rev != 2 || second.c.Entries[0].Hash != "" {
		t.Errorf("%+v", second)
	}
	stop()
	if last := <-news; !errors.Is(last.err, context.Canceled) {
		t.Errorf("the end: %v", last.err)
	}
	for range news {
	}

	// Many at once: each revision is one of them, none is lost.
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			e := put(fmt.Sprint("many", i))
			for {
				base, err := s.Head(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Commit(ctx, base, Commit{ID: fmt.Sprint("m", i), Entries: []Entry{at(fmt.Sprintf("m%d.md", i), e)}})
				if err == nil {
					return
				}
				if !errors.Is(err, ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	head(10)
	l := &Ledger{}
	for c, err := range s.Commits(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if l = l.Apply(c); c.Rev == 10 {
			break
		}
	}
	if l.Rev() != 10 || l.Len() != 10 {
		t.Errorf("revision %d of %d files", l.Rev(), l.Len())
	}
	if _, ok := l.Entry("b/c.md"); ok || len(l.At(1)) != 2 {
		t.Error("a removed file is in the tree, or not in the one before")
	}
}

// commit puts files (a nil text removes) as one commit on the head.
func commit(t *testing.T, f *Folder, files map[string]*string) Rev {
	t.Helper()
	rev, err := tryCommit(t.Context(), f, f.Ledger().Rev(), files)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func tryCommit(ctx context.Context, f *Folder, base Rev, files map[string]*string) (Rev, error) {
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
	c.Author, c.Door = "Ada", "pipe"
	return f.Commit(ctx, base, c)
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

func TestCommitWritesPlainFiles(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	many := map[string]*string{}
	for i := range 3 * few {
		many[fmt.Sprintf("deep/er/%d.md", i)] = new(fmt.Sprint("text ", i))
	}
	commit(t, f, many)
	is(t, dir, "deep/er/7.md", "text 7")
	commit(t, f, map[string]*string{"a.md": new("a"), "deep/er/7.md": new("other")})
	is(t, dir, "deep/er/7.md", "other")
	for name := range many {
		many[name] = nil
	}
	commit(t, f, many)
	is(t, dir, "deep/er/7.md", "")
	if _, err := os.Stat(filepath.Join(dir, "deep")); err == nil {
		t.Error("an empty folder stays")
	}
	is(t, dir, "a.md", "a")
	if left, _ := os.ReadDir(filepath.Join(dir, ".sheaf/tmp")); len(left) > 0 {
		t.Errorf("%d temporary files", len(left))
	}
}

func TestAFolderThatIsEmptiedAndFilledStays(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"posts/old.md": new("x")})
	hash := hashOf([]byte("x"))
	_, err := f.Commit(t.Context(), 1, Commit{Entries: []Entry{{Path: "posts/old.md"}, {Path: "posts/new.md", Hash: hash, Size: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, dir, "posts/old.md", "")
	is(t, dir, "posts/new.md", "x")
}

func TestPathsOfCommitsAreConfined(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for _, name := range []string{"../x.md", "/x.md", "a/../x.md", ".sheaf/log", "a/.git/x", "", ".", "out/x.md", "a\nb.md", "a//b.md"} {
		if _, err := tryCommit(t.Context(), f, 0, map[string]*string{name: new("x")}); err == nil {
			t.Errorf("%q was committed", name)
		}
	}
	if list, _ := os.ReadDir(outside); len(list) > 0 {
		t.Error("a file was written outside")
	}
	if rev := f.Ledger().Rev(); rev != 0 {
		t.Errorf("revision %d", rev)
	}
}

func TestWhatIsChangedByHandIsNeverOverwrittenUnseen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "first")
	write(t, dir, "b.md", "b")
	f := open(t, dir)
	rev, err := f.Adopt(t.Context(), none)
	if err != nil || rev != 1 {
		t.Fatal(rev, err)
	}
	if again, err := f.Adopt(t.Context(), none); err != nil || again != 1 {
		t.Fatal(again, err)
	}
	write(t, dir, "a.md", "by hand")
	if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": new("pushed")}); !errors.Is(err, ErrConflict) {
		t.Fatalf("over an edit by hand: %v", err)
	}
	is(t, dir, "a.md", "by hand")
	commit(t, f, map[string]*string{"a.md": new("pushed")})
	is(t, dir, "a.md", "pushed")
	var texts []string
	for _, e := range f.Ledger().Of("a.md") {
		b, err := f.Get(t.Context(), e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if got := strings.Join(texts, ","); got != "first,by hand,pushed" {
		t.Errorf("history %s", got)
	}
	os.Remove(filepath.Join(dir, "b.md"))
	if _, err := f.Adopt(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Ledger().Entry("b.md"); ok {
		t.Error("a file removed by hand is in the tree")
	}
}

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

func TestLastCommitIsCarriedOutAgain(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	commit(t, f, map[string]*string{"a.md": new("a1"), "b.md": new("b1"), "c.md": new("c1"), "d.md": new("d1")})
	commit(t, f, map[string]*string{"a.md": new("a2"), "b.md": new("b2"), "c.md": nil, "d.md": new("d2")})
	f.Close()
	// As if the server had been stopped after the log and before the files;
	// then somebody edited one of them.
	for name, text := range map[string]string{"a.md": "a1", "c.md": "c1", "d.md": "by hand", ".sheaf/shown": "1", ".sheaf/tmp/left": "x"} {
		write(t, dir, name, text)
	}
	f = open(t, dir)
	for name, want := range map[string]string{"a.md": "a2", "b.md": "b2", "c.md": "", "d.md": "by hand", ".sheaf/tmp/left": ""} {
		is(t, dir, name, want)
	}
	if _, err := f.Adopt(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	if e, _ := f.Ledger().Entry("d.md"); e.Hash != hashOf([]byte("by hand")) {
		t.Error("the edit is not in the history")
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
	ago := time.Now().Add(-2 * unclaimed)
	for _, text := range []string{"old", "old, put again", "named"} {
		if err := f.home.Chtimes(objectName(hashOf([]byte(large(text)))), ago, ago); err != nil {
			t.Fatal(err)
		}
		d := digestOf(hashOf([]byte(text)))
		s := f.objects.packs.spots[d]
		s.put = uint32(ago.Unix())
		f.objects.packs.spots[d] = s
	}
	for _, text := range []string{"old, put again", large("old, put again")} {
		if _, err := f.Put(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	f.sweep()
	for text, want := range map[string]bool{"old": false, "old, put again": true, "fresh": true, "named": true} {
		for _, b := range []string{text, large(text)} {
			if _, err := f.objects.get(hashOf([]byte(b))); (err == nil) != want {
				t.Errorf("%s, %d bytes: %v", text, len(b), err)
			}
		}
	}
}

func TestState(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
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

// TestFullDisk needs a small disk of its own, and so the right to mount one.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("no right to mount: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	f := open(t, dir)
	old := strings.Repeat("old ", 10<<10)
	commit(t, f, map[string]*string{"a.md": &old})
	log, _ := os.ReadFile(filepath.Join(dir, ".sheaf/log"))
	fill := filepath.Join(dir, "fill")
	os.WriteFile(fill, make([]byte, 2<<20), 0o644) // as much as there is room for
	big := strings.Repeat("new ", 50<<10)
	if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": &big}); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Fatalf("on a full disk: %v", err)
	}
	is(t, dir, "a.md", old)
	if now, _ := os.ReadFile(filepath.Join(dir, ".sheaf/log")); string(now) != string(log) {
		t.Error("the log has changed")
	}
	// A blob fits, its plain copy does not.
	os.WriteFile(fill, make([]byte, 600<<10), 0o644)
	if _, err := tryCommit(t.Context(), f, 1, map[string]*string{"a.md": &big}); err == nil {
		t.Fatal("a commit without room for its file")
	}
	is(t, dir, "a.md", old)
	if rev := f.Ledger().Rev(); rev != 1 {
		t.Errorf("revision %d", rev)
	}
	os.Remove(fill)
	commit(t, f, map[string]*string{"a.md": &big})
	is(t, dir, "a.md", big)
	f.Close()
	if f = open(t, dir); f.Ledger().Rev() != 2 {
		t.Errorf("revision %d after a start", f.Ledger().Rev())
	}
}

// BenchmarkCommit replaces the same files again and again, or adds others each
// time.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		name  string
		files int
		path  func(i, k int) string
	}{
		{"replace/1", 1, func(_, k int) string { return fmt.Sprintf("posts/%d.md", k) }},
		{"replace/1000", 1000, func(_, k int) string { return fmt.Sprintf("posts/%d.md", k) }},
		{"add/1000", 1000, func(i, k int) string { return fmt.Sprintf("posts/%d-%d.md", i, k) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, err := Open(b.TempDir(), slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			for i := 0; b.Loop(); i++ {
				files := map[string]*string{}
				for k := range c.files {
					files[c.path(i, k)] = new(fmt.Sprint(i, k, strings.Repeat(" some words", 300)))
				}
				if _, err := tryCommit(b.Context(), f, f.Ledger().Rev(), files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAdopt(b *testing.B) {
	dir := b.TempDir()
	for i := range 10000 {
		p := filepath.Join(dir, fmt.Sprintf("d%d", i%100), fmt.Sprintf("%d.md", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(fmt.Sprint(i, strings.Repeat(" some words", 300))), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			os.RemoveAll(filepath.Join(dir, ".sheaf"))
			adopted(b, dir)
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			f, err := Open(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("open without an index", func(b *testing.B) {
		for b.Loop() {
			indexes, _ := filepath.Glob(filepath.Join(dir, sheafDir, "objects", "*"+indexSuffix))
			os.Remove(slices.MaxFunc(indexes, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) }))
			f, err := Open(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			adopted(b, dir)
		}
	})
}

func adopted(b *testing.B, dir string) {
	f, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Adopt(b.Context(), none); err != nil {
		b.Fatal(err)
	}
}
