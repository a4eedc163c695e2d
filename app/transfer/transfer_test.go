package transfer

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sheaf/app/blog"
	"sheaf/app/store"
)

func TestMain(m *testing.M) {
	asAnother()
	goleak.VerifyTestMain(m)
}

// post is the source of one with a title.
func post(title, text string) string {
	return "---\ntitle: " + title + "\ndate: 2021-06-01\n---\n" + text + "\n"
}

var (
	badPost   = "---\ntitle: Bad\ndate: 31 Smarch\n---\nText.\n"
	draftPost = "---\ntitle: Secret\ndate: 2021-06-01\ndraft: true\n---\nHush.\n"
)

// bed is a blog that is copied to and from.
type bed struct {
	testing.TB
	*Transfer
	blog   *blog.Blog
	folder *store.Worktree
	dir    string
	ada    blog.Visitor
}

func newBed(tb testing.TB) *bed {
	tb.Helper()
	b := &bed{TB: tb, dir: tb.TempDir()}
	for name, text := range map[string]string{"posts/hello.md": post("Hello", "First."), "posts/secret.md": draftPost, "site.yaml": "title: T\n"} {
		p := filepath.Join(b.dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	var err error
	if b.folder, err = store.Open(b.dir, slog.New(slog.DiscardHandler)); err != nil {
		tb.Fatal(err)
	}
	if b.blog, err = blog.Open(context.Background(), blog.Config{Store: b.folder}); err != nil {
		tb.Fatal(err)
	}
	if b.Transfer, err = New(Config{Scratch: tb.TempDir()}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if n := b.reserved.Load(); n != 0 {
			tb.Errorf("%d bytes are still held", n)
		}
		b.blog.Close()
		b.folder.Close()
	})
	b.ada = b.blog.Author("Ada").Visitor
	b.tree() // until the folder is adopted
	return b
}

// tree is every file of the blog, with its bytes.
func (b *bed) tree() map[string]string {
	b.Helper()
	f, err := b.ada.Files(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	tree := map[string]string{}
	for info := range f.All() {
		data, err := f.Read(context.Background(), info)
		if err != nil {
			b.Fatal(err)
		}
		tree[info.Path] = string(data)
	}
	return tree
}

// has checks files: name, text, name, text ... A text of "-" is none.
func (b *bed) has(want ...string) {
	b.Helper()
	tree := b.tree()
	for i := 0; i < len(want); i += 2 {
		got, ok := tree[want[i]]
		if ok == (want[i+1] == "-") || ok && got != want[i+1] {
			b.Errorf("%s is %q, want %q", want[i], got, want[i+1])
		}
	}
}

func (b *bed) head() blog.Rev {
	b.Helper()
	r, err := b.folder.Head(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// commit is what another author does meanwhile.
func (b *bed) commit(path, text string) {
	b.Helper()
	bob := b.blog.Author("Bob")
	e := blog.Entry{Path: path}
	if text != "" {
		hash, err := bob.Put(context.Background(), []byte(text))
		if err != nil {
			b.Fatal(err)
		}
		e.Hash, e.Size = hash, int64(len(text))
	}
	if _, err := bob.Commit(context.Background(), blog.Change{Entries: []blog.Entry{e}}); err != nil {
		b.Fatal(err)
	}
}

// terminal is what a person sees of a session.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// said checks what was said, and that no byte of it can harm a terminal.
func (t *terminal) said(tb testing.TB, parts ...string) {
	tb.Helper()
	s := t.String()
	for _, p := range parts {
		text, not := strings.CutPrefix(p, "!")
		if strings.Contains(s, text) == not {
			tb.Errorf("%q in what was said:\n%s", p, s)
		}
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
		tb.Errorf("a control character: %q", s)
	}
}

// end is how a session ended.
type end struct {
	status int
	err    error
}

func (e end) is(tb testing.TB, status int) {
	tb.Helper()
	if e.status != status || e.err != nil {
		tb.Errorf("status %d, %v; want %d", e.status, e.err, status)
	}
}

func after(tb testing.TB, c <-chan end) end {
	tb.Helper()
	select {
	case e := <-c:
		return e
	case <-time.After(20 * time.Second):
		tb.Fatal("the session has not ended")
		return end{}
	}
}

func there(context.Context) bool { return true }
func gone(context.Context) bool  { return false }
