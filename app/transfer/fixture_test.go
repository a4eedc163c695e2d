package transfer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sheaf/app/blog"
	"sheaf/app/store"
)

// A fixture is a blog in a temporary folder, with a Transfer on it.
type fixture struct {
	testing.TB
	*Transfer
	blog    *blog.Blog
	ada     blog.Author
	scratch string                    // Config.Scratch
	now     atomic.Pointer[time.Time] // the blog's clock; it stands still

	sessions atomic.Int64 // that serve has begun and not ended
	mu       sync.Mutex
	internal []error // what the visitors of these sessions were not told
}

var someFiles = map[string]string{
	"site.yaml":         "title: The house\nauthor: Ada\n",
	"posts/hello.md":    "---\ntitle: Hello\ndate: 2026-01-02\n---\nThe first words.\n",
	"posts/secret.md":   "---\ntitle: Secret\ndraft: true\n---\nNot yet to be known.\n",
	"posts/later.md":    "---\ntitle: Later\ndate: 2099-01-01\n---\nNot before its time.\n",
	"posts/picture.md":  "---\ntitle: Picture\ndate: 2026-01-03\n---\n![a dot](dot.txt)\n",
	"posts/dot.txt":     "dot\n",
	"posts/private.txt": "nobody names this\n",
}

// smallBlog is for tests that change what is there.
var smallBlog = map[string]string{
	"posts/hello.md":  post("Hello", "First."),
	"posts/secret.md": draftPost,
	"site.yaml":       "title: T\n",
}

// newFixture opens a blog of these files. It is closed when the test has ended,
// which then waits for the sessions of serve, and fails if memory is reserved.
func newFixture(tb testing.TB, files map[string]string) *fixture {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "content")
	f := &fixture{TB: tb, scratch: filepath.Join(tb.TempDir(), "scratch")}
	now := time.Now()
	f.now.Store(&now)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	write(tb, dir, files)
	log := slog.New(slog.DiscardHandler)
	folder, err := store.Open(dir, log)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { folder.Close() })
	clock := func() time.Time { return *f.now.Load() }
	f.blog, err = blog.Open(context.Background(), blog.Config{Store: folder, Now: clock, Log: log})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.blog.Close() })
	if f.Transfer, err = New(Config{Scratch: f.scratch, Log: log}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		f.idle()
		f.Close()
		if n := f.reserved.Load(); n != 0 {
			tb.Errorf("%d bytes are still reserved", n)
		}
		if n := f.readers.Load(); n != 0 {
			tb.Errorf("%d bytes of readers are still reserved", n)
		}
		if left, _ := os.ReadDir(filepath.Join(f.scratch, "sending")); len(left) > 0 {
			tb.Errorf("%d files are still kept to be sent", len(left))
		}
	})
	f.ada = f.blog.Author("Ada Lovelace")
	return f
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// head is the newest revision.
func (f *fixture) head() blog.Rev {
	f.Helper()
	return f.files().Rev()
}

// files are the blog's files as its authors see them.
func (f *fixture) files() *blog.Files {
	f.Helper()
	files, err := f.ada.Files(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	return files
}

// tree is every file of the blog, with its contents.
func (f *fixture) tree() map[string]string {
	f.Helper()
	tree := map[string]string{}
	files := f.files()
	for info := range files.All() {
		b, err := files.Read(context.Background(), info)
		if err != nil {
			f.Fatal(err)
		}
		tree[info.Path] = string(b)
	}
	return tree
}

// text is a file of the blog, "" if there is none.
func (f *fixture) text(name string) string {
	f.Helper()
	return f.tree()[name]
}

// has checks files: name, text, name, text ... A text of "-" is none.
func (f *fixture) has(want ...string) {
	f.Helper()
	tree := f.tree()
	for i := 0; i < len(want); i += 2 {
		got, ok := tree[want[i]]
		if ok == (want[i+1] == "-") || ok && got != want[i+1] {
			f.Errorf("%s is %q, want %q", want[i], got, want[i+1])
		}
	}
}

// commit is what another author does meanwhile. A text of "" removes the file.
func (f *fixture) commit(name, text string) {
	f.Helper()
	grace := f.blog.Author("Grace").Via("sftp")
	e := blog.Entry{Path: name, Size: int64(len(text))}
	if text != "" {
		var err error
		if e.Hash, err = grace.Put(context.Background(), []byte(text)); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := grace.Commit(context.Background(), blog.Change{Entries: []blog.Entry{e}}); err != nil {
		f.Fatal(err)
	}
}

// last is the newest commit.
func (f *fixture) last() (c blog.Commit) {
	for c = range f.ada.Commits(f.head() - 1) {
	}
	return c
}

// idle waits until no session is left.
func (f *fixture) idle() {
	f.Helper()
	await(f, func() bool { return f.sessions.Load() == 0 })
}

// await waits until something is the case, and fails the test if it never is.
func await(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

// sound fails the test if something went wrong that no visitor was told of.
func (f *fixture) sound() {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.internal {
		f.Errorf("internal error: %v", err)
	}
}
