package transfer

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
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
