package transfer

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sheaf/app/blog"
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

func TestProgramsForAuthorsOnly(t *testing.T) {
	h := newFixture(t, someFiles)
	h.config.AuthorsOnly = true
	reader, author := h.listen(h.blog.Reader()), h.listen(h.ada.Visitor())
	for name, args := range map[string][]string{"rsync": {"-a", "b:posts/", "x"}, "git": {"clone", "b:blog", "x"}} {
		said, status := client(t, reader, t.TempDir(), name, args...)
		if status == 0 {
			t.Errorf("%s: done", name)
		}
		wants(t, said, "is not for readers here; sftp and scp are")
		must(t, author, t.TempDir(), name, args...)
	}
	h.sound()
}

// A post that was edited by hand may hold what a terminal obeys. No door brings
// its source to a reader, and its authors see what is wrong with it.
func TestASourceThatATerminalObeysIsNotFetched(t *testing.T) {
	files := maps.Clone(someFiles)
	files["posts/red.md"] = post("Red", "A \x1b[31mred word, and ![a dot](dot.txt).")
	files["site.yaml"] += "git: true\n"
	h := newFixture(t, files)
	for name, v := range map[string]blog.Visitor{"reader": h.blog.Reader(), "author": h.ada.Visitor()} {
		isAuthor := name == "author"
		env, dir := h.listen(v), t.TempDir()
		must(t, env, dir, "rsync", "-a", "b:", "all")
		must(t, env, dir, "git", "clone", "b:blog", "clone")
		for _, at := range []string{"all/posts/red.md", "clone/posts/red.md"} {
			if _, err := os.Stat(filepath.Join(dir, at)); (err == nil) != isAuthor {
				t.Errorf("%s: %s: %v", name, at, err)
			}
		}
		for _, path := range []string{"posts/red.md", "red.md"} {
			if _, status := client(t, env, dir, "rsync", "-a", "b:"+path, "one"); (status == 0) != isAuthor {
				t.Errorf("%s: rsync %s: status %d", name, path, status)
			}
			m := h.mount(v)
			if _, err := m.Stat(path); (err == nil) != isAuthor {
				t.Errorf("%s: sftp %s: %v", name, path, err)
			}
			m.leave().is(t, 0)
		}
		if heard := h.copy(v, there, oks{}, "-f", "posts/red.md"); strings.Contains(heard.out, "red word") != isAuthor {
			t.Errorf("%s: scp: %q", name, heard.out)
		}
	}
	told := h.ada.Edition().Problems()
	if len(told) != 1 || told[0].Path != "posts/red.md" || !strings.Contains(told[0].Text, "holds a control character (U+001B)") {
		t.Errorf("authors are told %v", told)
	}
	if p, err := h.blog.Reader().Edition().Post("red"); err != nil || !strings.Contains(p.Document().Text, "red word") {
		t.Errorf("readers cannot read it: %v", err)
	}
	h.sound()
}
