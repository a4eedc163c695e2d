package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"sheaf/app/blog"
)

// mounted is a client in a session.
type mounted struct {
	*sftp.Client
	tb    testing.TB
	err   terminal
	in    *io.PipeWriter
	done  chan end
	alive bool
}

func (f *fixture) mount(v blog.Visitor) *mounted { return f.mountTo(v, nil) }

// mountTo is mount with a terminal of another kind.
func (f *fixture) mountTo(v blog.Visitor, errs io.Writer) *mounted {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	m := &mounted{tb: f.TB, in: toServer, done: make(chan end, 1), alive: true}
	if errs == nil {
		errs = &m.err
	}
	go func() {
		status, err := f.SFTP(context.Background(), Session{Visitor: v, Host: "blog.example", Denied: "sheaf: permission denied: no author key",
			In: in, Out: out, Err: errs, Alive: func(context.Context) bool { return m.alive }})
		m.done <- end{status, err}
		out.Close()
	}()
	c, err := sftp.NewClientPipe(fromServer, toServer)
	if err != nil {
		f.Fatal(err)
	}
	m.Client = c
	return m
}

// leave ends the session as a client does that has done its work.
func (m *mounted) leave() end {
	m.tb.Helper()
	m.in.Close()
	e := after(m.tb, m.done)
	m.Client.Close()
	return e
}

// cut ends it in the middle.
func (m *mounted) cut() end {
	m.tb.Helper()
	m.alive = false
	m.in.CloseWithError(io.ErrUnexpectedEOF)
	e := after(m.tb, m.done)
	m.Client.Close()
	return e
}

func (m *mounted) put(p, text string) error {
	f, err := m.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(text)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (m *mounted) get(p string) string {
	m.tb.Helper()
	f, err := m.Open(p)
	if err != nil {
		m.tb.Errorf("%s: %v", p, err)
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		m.tb.Errorf("%s: %v", p, err)
	}
	return string(b)
}

func (m *mounted) ls(p string) string {
	m.tb.Helper()
	infos, err := m.ReadDir(p)
	if err != nil {
		m.tb.Errorf("%s: %v", p, err)
	}
	var names []string
	for _, i := range infos {
		name := i.Name()
		if i.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func fails(tb testing.TB, err error, part string) {
	tb.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		tb.Errorf("%v, want %q", err, part)
	}
}

func TestAFileIsPublishedWhenItIsClosed(t *testing.T) {
	b := newFixture(t, smallBlog)
	m := b.mount(b.ada.Visitor())
	before := b.head()
	f, err := m.OpenFile("/posts/new.md", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	ok(t, err)
	_, err = f.Write([]byte(post("New", "Half")))
	ok(t, err)
	if info, err := m.Stat("posts/new.md"); err != nil || info.Size() == 0 {
		t.Errorf("an upload is not seen by its session: %v", err)
	}
	if b.head() != before {
		t.Error("published before it was closed")
	}
	ok(t, m.Chtimes("/posts/new.md", time.Unix(1e9, 0), time.Unix(1e9, 0)))
	ok(t, f.Close())
	b.has("posts/new.md", post("New", "Half"))
	m.err.said(t, "published  ssh -t blog.example new\n")
	if info, err := m.Stat("/posts/new.md"); err != nil || info.ModTime().Unix() != 1e9 {
		t.Errorf("the time of the upload is not kept: %v", info)
	}
	// Again, the same; and what SLUG.md is.
	ok(t, m.put("new.md", post("New", "Half")))
	m.err.said(t, "unchanged  ssh -t blog.example new\n")
	ok(t, m.put("new.md", post("New", "Whole")))
	b.has("posts/new.md", post("New", "Whole"), "new.md", "-")
	ok(t, m.Remove("posts/new.md"))
	b.has("posts/new.md", "-")
	m.leave().is(t, 0)
}

func TestAnUploadThatIsCutPublishesNothing(t *testing.T) {
	b := newFixture(t, smallBlog)
	before, tree := b.head(), b.tree()
	for _, p := range []string{"posts/new.md", "posts/hello.md", "posts/.hello.md.swp"} {
		m := b.mount(b.ada.Visitor())
		f, err := m.OpenFile(p, os.O_RDWR|os.O_CREATE)
		ok(t, err)
		_, err = f.Write([]byte(post("Half", "of")))
		ok(t, err)
		m.cut().is(t, 1)
		m.err.said(t, "sheaf: not published: "+p+": the upload was cut off\n")
	}
	if now := b.tree(); b.head() != before || len(now) != len(tree) || now["posts/hello.md"] != tree["posts/hello.md"] {
		t.Error("something has changed")
	}
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	m := b.mount(b.ada.Visitor())
	fails(t, m.put("posts/bad.md", badPost), "31 Smarch")
	if m.get("posts/bad.md") != badPost { // it is not lost while one is there
		t.Error("the text is lost")
	}
	fails(t, m.put("posts/hello.md", badPost), "31 Smarch")
	for p, why := range map[string]string{
		"../out.md":              "sheaf: not published: ../out.md: leads out of the blog\n",
		"/posts/../../out.md":    "sheaf: not published: posts/../../out.md: leads out",
		"nosuch/":                "sheaf: not published: nosuch: there is no such folder; make it first\n",
		"nosuch/a.md":            "sheaf: not published: nosuch/a.md: there is no folder nosuch; make it first\n",
		"posts/a\x1b[31m.md":     "sheaf: not published: posts/a",
		"posts":                  "sheaf: not published: posts: is a folder\n",
		"posts/\u202egpj.md":     "sheaf: not published: posts/",
		strings.Repeat("a", 300): "has a name longer than",
	} {
		if m.put(p, post("X", "x")) == nil {
			t.Errorf("%q is taken", p)
		}
		if p == "/posts/../../out.md" {
			why = "leads out of the blog"
		}
		m.err.said(t, why)
	}
	fails(t, m.Symlink("posts/hello.md", "posts/link.md"), "")
	fails(t, m.Link("posts/hello.md", "posts/link.md"), "")
	fails(t, m.Mkdir("posts"), "")
	fails(t, m.Mkdir("../up"), "")
	fails(t, m.Remove("posts"), "")
	fails(t, m.RemoveDirectory("posts"), "")
	fails(t, m.Rename("posts/hello.md", "posts/secret.md"), "exists")
	fails(t, m.Rename("posts/hello.md", "../up.md"), "leads out")
	fails(t, m.Rename("posts/nothing.md", "posts/x.md"), "not exist")
	fails(t, m.Rename("posts", "posts/in"), "itself")
	if _, err := m.ReadLink("posts/hello.md"); err == nil {
		t.Error("a link is read")
	}
	if _, err := m.OpenFile("posts/hello.md", os.O_WRONLY|os.O_CREATE|os.O_EXCL); err == nil {
		t.Error("O_EXCL opens what is there")
	}
	if _, err := m.OpenFile("posts/none.md", os.O_WRONLY); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without O_CREAT: %v", err)
	}
	if b.head() != before {
		t.Error("something has changed")
	}
	// Fixed, the same file is published, and renamed to a better name.
	ok(t, m.put("posts/bad.md", post("Bad", "Good.")))
	ok(t, m.Rename("posts/bad.md", "posts/good.md"))
	b.has("posts/bad.md", "-", "posts/good.md", post("Bad", "Good."), "posts/hello.md", post("Hello", "First."))
	m.leave().is(t, 1)
}

func TestEmptyFilesAndDroppingsStayInTheSession(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	m := b.mount(b.ada.Visitor())
	for _, p := range []string{"posts/empty.md", "posts/hello.md"} { // sshfs makes a file before it writes it
		f, err := m.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		ok(t, err)
		ok(t, f.Close())
	}
	ok(t, m.Truncate("posts/secret.md", 0)) // and empties one before it opens it
	ok(t, m.put("posts/.hello.md.swp", "b0VIM"))
	ok(t, m.Mkdir(".Trash-1000"))
	ok(t, m.put(".Trash-1000/x", "x"))
	if got := m.ls("posts"); got != ".hello.md.swp empty.md hello.md secret.md" {
		t.Error(got)
	}
	other := b.mount(b.blog.Author("Grace").Visitor())
	if got := other.ls("posts") + other.ls("/"); got != "hello.md secret.mdposts/ site.yaml" {
		t.Errorf("another session sees %s", got)
	}
	other.leave().is(t, 0)
	if b.head() != before {
		t.Error("something has changed")
	}
	f, err := m.OpenFile("posts/secret.md", os.O_WRONLY)
	ok(t, err)
	_, err = f.Write([]byte(post("Open", "Told.")))
	ok(t, err)
	ok(t, f.Close())
	b.has("posts/secret.md", post("Open", "Told."), "posts/hello.md", post("Hello", "First."))
	m.leave().is(t, 1)
	m.err.said(t, "sheaf: not published: posts/empty.md: is empty\n", "posts/hello.md: is empty", "posts/.hello.md.swp: hidden names", "!secret.md: is")
}

func TestTheSecondOfTwoAuthorsIsTold(t *testing.T) {
	b := newFixture(t, smallBlog)
	m := b.mount(b.ada.Visitor())
	f, err := m.OpenFile("posts/hello.md", os.O_WRONLY|os.O_TRUNC)
	ok(t, err)
	_, err = f.Write([]byte(post("Hello", "Ada's.")))
	ok(t, err)
	b.commit("posts/hello.md", post("Hello", "Grace's."))
	if f.Close() == nil {
		t.Error("Grace's is gone")
	}
	b.has("posts/hello.md", post("Hello", "Grace's."))
	m.err.said(t, "sheaf: not published: posts/hello.md", "Grace")
	if got := m.get("posts/hello.md"); got != post("Hello", "Grace's.") {
		t.Errorf("the session reads %q", got)
	}
	if got := m.get("posts/hello.md.refused~"); got != post("Hello", "Ada's.") {
		t.Errorf("Ada's text is %q", got)
	}
	ok(t, m.put("posts/hello.md", post("Hello", "Both.")))
	b.has("posts/hello.md", post("Hello", "Both."))
	m.leave().is(t, 1)
}

func TestARefusedTextIsPutAsideForTheBrowser(t *testing.T) {
	b := newFixture(t, smallBlog)
	kept := func() []blog.Autosave {
		t.Helper()
		list, err := b.ada.Autosaves(t.Context())
		ok(t, err)
		return list
	}
	m := b.mount(b.ada.Visitor())
	fails(t, m.put("posts/bad.md", badPost), "31 Smarch")
	list := kept()
	if len(list) != 1 || string(list[0].Body) != badPost || list[0].Path != "posts/bad.md" || list[0].Channel != "sftp" || list[0].Hash != "" ||
		!strings.HasPrefix(list[0].Reason, "posts/bad.md:3: ") || !strings.Contains(list[0].Reason, "31 Smarch") {
		t.Fatalf("%+v", list)
	}
	// The same again is the same one; when it is sound there is nothing to
	// offer.
	fails(t, m.put("posts/bad.md", badPost+"More.\n"), "31 Smarch")
	if again := kept(); len(again) != 1 || again[0].ID != list[0].ID || string(again[0].Body) != badPost+"More.\n" {
		t.Errorf("%+v", again)
	}
	ok(t, m.put("posts/bad.md", post("Bad", "Good.")))
	if left := kept(); len(left) != 0 {
		t.Errorf("%+v", left)
	}

	// Through a file of another name, as some editors save; and from a backup.
	began, err := b.ada.Open(t.Context(), "posts/hello.md")
	ok(t, err)
	ok(t, m.put("posts/.hello.md.tmp", badPost))
	fails(t, m.PosixRename("posts/.hello.md.tmp", "posts/hello.md"), "31 Smarch")
	if list := kept(); len(list) != 1 || string(list[0].Body) != badPost || list[0].Path != "posts/hello.md" || list[0].Hash != began.Hash {
		t.Errorf("%+v", list)
	}
	ok(t, m.put("posts/.hello.md.tmp", post("Hello", "Third.")))
	ok(t, m.PosixRename("posts/.hello.md.tmp", "posts/hello.md"))
	if left := kept(); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	began, err = b.ada.Open(t.Context(), "posts/hello.md")
	ok(t, err)
	ok(t, m.Rename("posts/hello.md", "posts/hello.md~"))
	fails(t, m.put("posts/hello.md", badPost), "31 Smarch")
	if list := kept(); len(list) != 1 || list[0].Hash != began.Hash {
		t.Errorf("%+v, not from %s", list, began.Hash)
	}
	ok(t, m.put("posts/hello.md", post("Hello", "Fourth.")))

	// What came too late, with what it began from.
	before := m.get("posts/hello.md")
	began, err = b.ada.Open(t.Context(), "posts/hello.md")
	ok(t, err)
	f, err := m.OpenFile("posts/hello.md", os.O_WRONLY|os.O_TRUNC)
	ok(t, err)
	_, err = f.Write([]byte(post("Hello", "Ada's.")))
	ok(t, err)
	b.commit("posts/hello.md", post("Hello", "Grace's."))
	if f.Close() == nil {
		t.Error("Grace's is gone")
	}
	list = kept()
	if len(list) != 1 || string(list[0].Body) != post("Hello", "Ada's.") || list[0].Path != "posts/hello.md" || list[0].Hash != began.Hash || !strings.Contains(list[0].Reason, "Grace") {
		t.Errorf("%+v, from %q", list, before)
	}
	// The session's own copy is a dropping, and no post.
	ok(t, m.Remove("posts/hello.md.refused~"))

	for p, text := range map[string]string{"posts/x.png": "no picture", "posts/bin.md": "# B\n\x00\n", "posts/latin.md": "\xff\n", "posts/empty.md": ""} {
		_ = m.put(p, text)
	}
	if now := kept(); len(now) != 1 {
		t.Errorf("%+v", now)
	}
	m.leave().is(t, 1)
	if now := kept(); len(now) != 1 {
		t.Errorf("after the session: %+v", now)
	}
	if list, err := b.blog.Author("Grace").Autosaves(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("Grace sees %+v, %v", list, err)
	}
}

func TestReadersFetchWhatIsPublic(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	m := b.mount(b.blog.Reader())
	if got := m.ls("/") + ", " + m.ls("posts"); got != "posts/, hello.md" {
		t.Error(got)
	}
	for _, p := range []string{"posts/hello.md", "hello.md", "/posts/../hello.md"} {
		if got := m.get(p); got != post("Hello", "First.") {
			t.Errorf("%s: %q", p, got)
		}
	}
	for _, p := range []string{"posts/secret.md", "secret.md", "site.yaml", ".sheaf", ".sheaf/log", "nothing.md"} {
		if _, err := m.Open(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p, err)
		}
		if _, err := m.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p, err)
		}
	}
	for what, err := range map[string]error{
		"put":      m.put("posts/hello.md", "x"),
		"new":      m.put("posts/x.md", "x"),
		"scratch":  m.put(".x.swp", "x"),
		"remove":   m.Remove("posts/hello.md"),
		"unknown":  m.Remove("posts/secret.md"),
		"rename":   m.Rename("posts/hello.md", "posts/x.md"),
		"posix":    m.PosixRename("posts/hello.md", "posts/x.md"),
		"mkdir":    m.Mkdir("x"),
		"rmdir":    m.RemoveDirectory("posts"),
		"chmod":    m.Chmod("posts/hello.md", 0o600),
		"truncate": m.Truncate("posts/hello.md", 0),
		"symlink":  m.Symlink("a", "b"),
		"link":     m.Link("posts/hello.md", "b"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if v, err := m.StatVFS("/"); err != nil || v.Flag != 1 || v.Bavail != 0 {
		t.Errorf("%+v %v", v, err)
	}
	m.leave().is(t, 1)
	if got := m.err.String(); got != "sheaf: permission denied: no author key\n" {
		t.Errorf("said %q", got)
	}
	if b.head() != before {
		t.Error("something has changed")
	}
}

func TestASessionIsBounded(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	m := b.mount(b.ada.Visitor())
	f, err := m.OpenFile("posts/far.png", os.O_WRONLY|os.O_CREATE)
	ok(t, err)
	if _, err := f.WriteAt([]byte("x"), 1<<40); err == nil {
		t.Error("a byte far away is taken")
	}
	if f.Close() == nil {
		t.Error("and the file published")
	}
	m.err.said(t, "sheaf: not published: posts/far.png: ")
	fails(t, m.put("posts/big.md", strings.Repeat("x", 3<<20)), "too big")
	fails(t, m.Truncate("posts/hello.md", 1<<40), "too big")

	var open []*sftp.File
	for i := range maxHandles + 1 {
		p := fmt.Sprintf("posts/%d.png", i)
		f, err := m.OpenFile(p, os.O_WRONLY|os.O_CREATE)
		if i == maxHandles {
			if err == nil {
				t.Error("too many files are open")
			}
			continue
		}
		ok(t, err)
		open = append(open, f)
	}
	if _, err := m.Open("posts/hello.md"); err == nil {
		t.Error("and one more to read")
	}
	if _, err := m.ReadDir("posts"); err == nil {
		t.Error("and a folder")
	}
	full := 0
	for _, f := range open {
		if _, err := f.WriteAt([]byte("x"), 10<<20); err != nil {
			full++
		}
	}
	if full != len(open)-maxSessionBytes/(10<<20+1) {
		t.Errorf("%d of %d are refused; %d bytes are held", full, len(open), b.reserved.Load())
	}
	m.cut().is(t, 1)
	if b.head() != before {
		t.Error("something has changed")
	}

	// What all authors hold is theirs; what is read is on the disk.
	b.reserved.Add(maxTotalBytes)
	m = b.mount(b.ada.Visitor())
	if m.put("posts/more.md", "x") == nil {
		t.Error("all together hold too much")
	}
	if m.get("posts/hello.md") == "" {
		t.Error("nothing is read")
	}
	m.cut().is(t, 1)
	b.reserved.Add(-maxTotalBytes)
	// And where the disk takes nothing, it is in memory, of which readers have
	// their own.
	ok(t, os.RemoveAll(filepath.Join(b.scratch, "sending")))
	write(t, b.scratch, map[string]string{"sending": "no folder"})
	b.readers.Add(maxReadersBytes)
	reader, author := b.mount(b.blog.Reader()), b.mount(b.ada.Visitor())
	if _, err := reader.Open("posts/hello.md"); err == nil {
		t.Error("readers together hold too much")
	}
	if author.get("posts/hello.md") == "" {
		t.Error("nothing is read by an author")
	}
	b.readers.Add(-maxReadersBytes)
	if reader.get("posts/hello.md") == "" {
		t.Error("nothing is read")
	}
	reader.leave().is(t, 0)
	author.leave().is(t, 0)
}

// Whoever reads the same file has the same one, on the disk.
func TestFilesAreSharedWhileTheyAreSent(t *testing.T) {
	b := newFixture(t, smallBlog)
	reader, env := b.blog.Reader(), b.listen(b.blog.Reader())
	kept := func() int {
		list, _ := os.ReadDir(filepath.Join(b.scratch, "sending"))
		return len(list)
	}
	one, two := b.mount(reader), b.mount(reader)
	for _, m := range []*mounted{one, two, one} {
		f, err := m.Open("posts/hello.md")
		ok(t, err)
		defer f.Close()
	}
	must(t, env, t.TempDir(), "rsync", "-a", "b:", "all")
	if n := kept(); n != 1 {
		t.Errorf("%d files for one", n)
	}
	one.leave().is(t, 0)
	if n := kept(); n != 1 {
		t.Errorf("%d files while it is read", n)
	}
	two.leave().is(t, 0)
	if n := kept(); n != 0 {
		t.Errorf("%d files that nobody reads", n)
	}
}

// breaks is a terminal that panics.
type breaks struct{}

func (breaks) Write([]byte) (int, error) { panic("on purpose") }

func TestAPanicIsOneSessionsOnly(t *testing.T) {
	b := newFixture(t, smallBlog)
	m := b.mountTo(b.ada.Visitor(), breaks{})
	fails(t, m.put("posts/new.md", post("New", "x")), "internal error")
	fails(t, m.put("posts/bad.md", badPost), "internal error")
	fails(t, m.Mkdir("nosuch/in"), "internal error")
	if m.get("posts/new.md") == "" {
		t.Error("nothing is read")
	}
	if e := m.leave(); e.status != 1 || e.err == nil {
		t.Errorf("%d, %v", e.status, e.err)
	}
	m = b.mount(b.ada.Visitor())
	ok(t, m.put("posts/other.md", post("Other", "x")))
	m.leave().is(t, 0)
}

// FuzzSFTP looks for bytes that end the process, in the library as in ours:
// its goroutines recover from nothing.
func FuzzSFTP(f *testing.F) {
	b := newFixture(f, smallBlog)
	c := &packet{}
	f.Add([]byte{}, true)
	f.Add(slices.Concat(c.of(fxpOpen, "posts/new.md", uint32(0x1b), uint32(0)), c.of(6, "1", uint64(0), "x"), c.of(5, "1", uint64(0), uint32(9)), c.of(8, "1"), c.of(4, "1")), true)
	f.Add(slices.Concat(c.of(11, "posts"), c.of(12, "1"), c.of(12, "1"), c.of(4, "1"), c.of(19, "posts"), c.of(16, ".")), false)
	f.Add(slices.Concat(c.of(9, "posts/hello.md", uint32(9), uint64(3), uint32(1), uint32(2)), c.of(10, "1", uint32(8), uint32(1), uint32(2))), true)
	f.Add(slices.Concat(c.of(fxpRename, "posts/hello.md", "posts/hello.md~"), c.of(fxpExtended, "posix-rename@openssh.com", "posts/hello.md~", "posts/a.md"), c.of(20, "a", "b"), c.of(fxpExtended, "statvfs@openssh.com", "/"), c.of(fxpExtended, "hardlink@openssh.com", "a", "b"), c.of(fxpExtended, "x")), true)
	f.Add(slices.Concat(c.of(fxpMkdir, "posts/d", uint32(0)), c.of(fxpRmdir, "posts/d"), c.of(fxpRemove, "posts/hello.md"), c.of(7, "posts/hello.md"), c.of(17, "posts/hello.md")), true)
	f.Fuzz(func(t *testing.T, in []byte, author bool) {
		v := b.blog.Reader()
		if author {
			v = b.ada.Visitor()
		}
		before, err := b.ada.Files(t.Context())
		ok(t, err)
		_, _ = b.SFTP(context.Background(), Session{Visitor: v, In: io.MultiReader(bytes.NewReader(c.init()), bytes.NewReader(in)), Out: io.Discard, Err: io.Discard, Alive: gone})
		after, err := b.ada.Files(t.Context())
		ok(t, err)
		if !author && after.Rev() != before.Rev() {
			t.Fatal("a reader has changed something")
		}
		if n := b.reserved.Load(); n != 0 {
			t.Fatalf("%d bytes are held", n)
		}
	})
}
