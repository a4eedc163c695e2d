package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// heard is what comes back from a session of scp.
type heard struct {
	end
	out string
	err terminal
}

func (f *fixture) copy(v blog.Visitor, alive func(context.Context) bool, in io.Reader, args ...string) *heard {
	f.Helper()
	h := &heard{}
	var out bytes.Buffer
	h.status, h.end.err = f.Exec(context.Background(), Session{Visitor: v, Host: "blog.example", Denied: "sheaf: permission denied: no author key",
		In: in, Out: &out, Err: &h.err, Alive: alive}, append([]string{"scp"}, args...))
	h.out = out.String()
	return h
}

// file is what the sending side writes for one.
func file(name, text string) string { return fmt.Sprintf("C0644 %d %s\n%s\x00", len(text), name, text) }

var trip = "T1000000000 0 1000000001 0\nD0755 0 trip\n" +
	"T1000000002 0 1000000001 0\n" + file("index.md", post("Trip", "![The sea](sea.svg)")) +
	file("sea.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`) +
	"D0755 0 .git\n" + file("HEAD", "ref") + "E\n" + "D0755 0 more\n" + file("also.md", post("Also", "x")) + "E\nE\n"

func TestASetIsOneChange(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	h := b.copy(b.ada.Visitor(), there, strings.NewReader(trip), "-r", "-p", "-t", "posts")
	h.is(t, 0)
	if b.head() != before+1 {
		t.Errorf("%d changes", b.head()-before)
	}
	b.has("posts/trip/index.md", post("Trip", "![The sea](sea.svg)"), "posts/trip/more/also.md", post("Also", "x"), "posts/trip/.git/HEAD", "-")
	h.err.said(t, "published  ssh -t blog.example trip\n", "published  ssh -t blog.example also\n", "warning: posts/trip/.git/HEAD: not kept")
	if strings.Trim(h.out, "\x00") != "" {
		t.Errorf("answered %q", h.out)
	}
	f, err := b.ada.Files(t.Context())
	ok(t, err)
	if info, err := f.Stat("posts/trip/index.md"); err != nil || info.MTime.Unix() != 1000000002 {
		t.Errorf("%v %v", info.MTime, err)
	}
	// A file alone is published before the client is answered: curl and pscp
	// look at nothing else.
	h = b.copy(b.ada.Visitor(), gone, strings.NewReader(file("bad.md", badPost)), "-t", "posts")
	h.is(t, 1)
	if h.out != "\x00\x00\x02sheaf: nothing was changed\n" {
		t.Errorf("answered %q", h.out)
	}
	// Under another name, as a new folder, to the post's address.
	b.copy(b.ada.Visitor(), there, strings.NewReader(trip), "-r", "-t", "posts/tour").is(t, 0)
	b.has("posts/tour/sea.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`)
	h = b.copy(b.ada.Visitor(), there, strings.NewReader(file("x.md", post("Hello", "Second."))), "-t", "~/hello.md")
	h.is(t, 0)
	b.has("posts/hello.md", post("Hello", "Second."), "hello.md", "-")
	h = b.copy(b.ada.Visitor(), there, strings.NewReader("\x01scp: gone.md: No such file\n"+file("x.md", post("X", "x"))), "-d", "-t", "--", "/posts/")
	h.is(t, 0)
	b.has("posts/x.md", post("X", "x"))
}

// Wherever a set is cut, it changes nothing; and what it says is never half of
// something.
func TestASetThatIsCutChangesNothing(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	for n := range len(trip) {
		h := b.copy(b.ada.Visitor(), there, strings.NewReader(trip[:n]), "-r", "-p", "-t", "posts")
		if h.end.err != nil || b.head() != before {
			t.Fatalf("cut after %d bytes: %d, %v, revision %d\n%s", n, h.status, h.end.err, b.head(), &h.err)
		}
		// Before its first folder nothing of it is there, as if nothing was
		// sent.
		if began := strings.Index(trip, "D0755"); n > began && h.status != 1 {
			t.Fatalf("cut after %d bytes: status %d", n, h.status)
		}
	}
	h := b.copy(b.ada.Visitor(), there, io.MultiReader(strings.NewReader(trip[:len(trip)-9]), iotest.ErrReader(errors.New("reset"))), "-r", "-t", "posts")
	h.is(t, 1)
	h.err.said(t, "sheaf: not published: the upload was cut off\n")
	b.copy(b.ada.Visitor(), gone, strings.NewReader(trip), "-r", "-t", "posts").is(t, 1)
	if b.head() != before {
		t.Error("published for one who has gone")
	}
	b.copy(b.ada.Visitor(), there, iotest.OneByteReader(strings.NewReader(trip)), "-r", "-t", "posts").is(t, 0)
	if b.head() != before+1 {
		t.Error("not published at last")
	}
}

func TestHostileSets(t *testing.T) {
	b := newFixture(t, smallBlog)
	before := b.head()
	for _, c := range []struct{ in, args, say string }{
		{file("bad.md", badPost), "-t posts", "posts/bad.md:3: date"},
		{file("fine.md", post("Fine", "x")) + file("bad.md", badPost), "-d -t posts", "posts/bad.md:3: date"},
		{file("..", "x"), "-t posts", "not the protocol"},
		{file("a/b", "x"), "-t posts", "not the protocol"},
		{file("", "x"), "-t posts", "not the protocol"},
		{"D0755 0 ..\nE\n", "-r -t posts", "not the protocol"},
		{"D0755 0 a\nE\n", "-t posts", "not the protocol"},
		{"E\n", "-r -t posts", "not the protocol"},
		{strings.Repeat("D0755 0 a\n", 100), "-r -t posts", "not the protocol"},
		{file("x.md", "x"), "-t ../", "leads out of the blog"},
		{file("x.md", "x"), "-t posts/../../x.md", "leads out of the blog"},
		{file("x.md", "x"), "-t nosuch/", "nosuch: there is no such folder; make it first"},
		{file("x.md", "x"), "-d -t nosuch", "nosuch: there is no such folder"},
		{file("x.md", "x"), "-t nosuch/x.md", "there is no folder nosuch"},
		{file("posts", "x"), "-t .", "is a folder"},
		{file("x.md", post("X", "x")) + file("x.md", post("X", "x")), "-d -t posts", "comes twice"},
		{file("a\x1b]0;x\a.md", "x"), "-t posts", "cannot be kept"},
		{file("a\rb.md", "x"), "-t posts", "cannot be kept"},
		{file("\xff.md", "x"), "-t posts", "not UTF-8"},
		{file(strings.Repeat("n", 300)+".md", "x"), "-t posts", "longer than"},
		{"C0644 99999999999 x.png\n", "-t posts", "posts/x.png: is too big"},
		{"C0644 99999999999999999999 x.png\n", "-t posts", "not the protocol"},
		{"C0644 -1 x.md\n", "-t posts", "not the protocol"},
		{"C0644 +1 x.md\nx\x00", "-t posts", "not the protocol"},
		{"C644 1 x.md\nx\x00", "-t posts", "not the protocol"},
		{"C0944 1 x.md\nx\x00", "-t posts", "not the protocol"},
		{"C0644 1\n", "-t posts", "not the protocol"},
		{"Tx 0 1 0\n", "-t posts", "not the protocol"},
		{"T1 0\n", "-t posts", "not the protocol"},
		{"T99999999999999 0 0 0\n", "-t posts", "not the protocol"},
		{"X\n", "-t posts", "not the protocol"},
		{"\n", "-t posts", "not the protocol"},
		{strings.Repeat("C", 200<<20), "-t posts", "not the protocol"},
		{"C0644 5 x.md\nabc", "-t posts", "cut off"},
		{"C0644 3 x.md\nabc\x01scp: x.md: Input/output error\n", "-t posts", "posts/x.md: the client could not read all of it"},
		{"C0644 3 x.md\nabcdef\x00", "-t posts", "cut off"},
		{"\x02I give up\n", "-t posts", "cut off"},
		{"", "-t", "answered to the program scp only"},
		{"", "-t a b", "answered to the program scp only"},
		{"", "-t -f a", "answered to the program scp only"},
		{"", "a", "answered to the program scp only"},
		{"", "-S sh -t a", "the option -S cannot be used here"},
	} {
		in := strings.NewReader(c.in)
		h := b.copy(b.ada.Visitor(), there, in, strings.Fields(c.args)...)
		name := markdown.Line(fmt.Sprintf("%.60q %s", c.in, c.args))
		if h.status == 0 || h.end.err != nil {
			t.Errorf("%s: status %d, %v", name, h.status, h.end.err)
		}
		told := strings.TrimSuffix(h.err.String()+h.out, "\x02sheaf: nothing was changed\n")
		if strings.Count(told, "sheaf: ") != 1 || !strings.Contains(told, c.say) {
			t.Errorf("%s: told %q, want %q", name, told, c.say)
		}
		if strings.ContainsAny(told, "\x1b\a\r") {
			t.Errorf("%s: told %q", name, told)
		}
		if read := len(c.in) - in.Len(); read > 64<<10 {
			t.Errorf("%s: %d bytes were read", name, read)
		}
		if b.head() != before {
			t.Fatalf("%s: something has changed: %v", name, b.tree())
		}
	}
	h := b.copy(b.blog.Reader(), there, strings.NewReader(file("x.md", post("X", "x"))), "-t", "posts")
	h.is(t, 1)
	h.err.said(t, "sheaf: permission denied: no author key\n")
	if h.out != "\x02sheaf: nothing was changed\n" || b.head() != before {
		t.Errorf("answered %q", h.out)
	}
	h = b.copy(b.ada.Visitor(), there, strings.NewReader(file("x.md", "x")), "-t", "posts/.hidden.md")
	h.is(t, 1)
	h.err.said(t, "warning: posts/.hidden.md: not kept: hidden names")
	h = b.copy(b.ada.Visitor(), there, strings.NewReader(file(".DS_Store", "x")), "-t", "posts")
	h.is(t, 1)
	h.err.said(t, "warning: posts/.DS_Store: not kept")
}

// oks are a client's answers.
type oks struct{}

func (oks) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFilesAreGiven(t *testing.T) {
	b := newFixture(t, smallBlog)
	b.copy(b.ada.Visitor(), there, strings.NewReader(trip), "-r", "-p", "-t", "posts").is(t, 0)
	hello, index, sea, also := file("hello.md", post("Hello", "First.")), file("index.md", post("Trip", "![The sea](sea.svg)")), file("sea.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`), file("also.md", post("Also", "x"))
	dir := "D0755 0 trip\n" + index + "D0755 0 more\n" + also + "E\n" + sea + "E\n"
	reader := b.blog.Reader()
	for _, c := range []struct {
		v         blog.Visitor
		args, out string
		status    int
	}{
		{reader, "-f posts/hello.md", hello, 0},
		{reader, "-f /posts/./hello.md", hello, 0},
		{reader, "-f hello.md", hello, 0},
		{reader, "-f trip.md", strings.Replace(index, "index", "trip", 1), 0},
		{reader, "-f posts/*.md", hello, 0},
		{reader, "-f p*s/h[a-f]ll?.md", hello, 0},
		{b.ada.Visitor(), "-f posts/*.md", hello + file("secret.md", draftPost), 0},
		{reader, "-r -f posts/trip", dir, 0},
		{reader, "-r -f posts/tr*", dir, 0},
		{reader, "-r -f .", "D0755 0 posts\n" + hello + dir + "E\n", 0},
		{reader, "-f posts/hello.md nothing.md posts/trip/sea.svg", hello + "\x01scp: nothing.md: No such file or directory\n" + sea, 1},
		{reader, "-f posts", "\x01scp: posts: not a regular file\n", 1},
		{reader, "-f posts/secret.md", "\x01scp: posts/secret.md: No such file or directory\n", 1},
		{reader, "-f site.yaml", "\x01scp: site.yaml: No such file or directory\n", 1},
		{reader, "-f ../x", "\x01scp: ../x: No such file or directory\n", 1},
		{reader, "-f a\x1b[2J*", "\x01scp: a[2J*: No such file or directory\n", 1},
		{reader, "-p -f posts/trip/index.md", "T1000000002 0 1000000002 0\n" + index, 0},
	} {
		h := b.copy(c.v, there, oks{}, strings.Fields(c.args)...)
		h.is(t, c.status)
		if h.out != c.out {
			t.Errorf("%s: %q, want %q", c.args, h.out, c.out)
		}
		h.err.said(t)
	}
	// A client that does not take one thing gets the rest, one that gives up
	// or has gone gets nothing more.
	no := "\x01scp: no\n"
	for in, want := range map[string]string{
		"\x00" + no + "\x00\x00":                strings.SplitAfter(hello, "\n")[0] + sea,
		"\x00\x02no\n\x00\x00\x00":              strings.SplitAfter(hello, "\n")[0],
		"\x00":                                  strings.SplitAfter(hello, "\n")[0],
		"":                                      "",
		"\x00\x01" + strings.Repeat("x", 1<<20): strings.SplitAfter(hello, "\n")[0],
	} {
		h := b.copy(reader, there, strings.NewReader(in), "-f", "posts/hello.md", "posts/trip/sea.svg")
		h.is(t, 1)
		if h.out != want {
			t.Errorf("%.30q: %q, want %q", in, h.out, want)
		}
	}
}

func TestParseRecord(t *testing.T) {
	for text, want := range map[string]scpRecord{
		"C0644 12 a b.md":             {kind: 'C', size: 12, text: "a b.md"},
		"C0644 0  x":                  {kind: 'C', text: " x"},
		"D0755 0 posts":               {kind: 'D', text: "posts"},
		"E":                           {kind: 'E'},
		"T1183828267 0 1183828267 0":  {kind: 'T', mtime: time.Unix(1183828267, 0)},
		"\x01scp: a.md: No such file": {kind: 1, text: "scp: a.md: No such file"},
	} {
		if got, err := parseRecord(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// FuzzParseRecord looks for lines that become a file or directory nobody meant.
func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{"", "C0644 12 a.md", "D0755 0 ..", "T1 0 1 0", "E", "C0644 9223372036854775808 a", "C06449 1 a", "C0644 1 ../a", "\x01x", "T-1 0 0 0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRecord(text)
		if err != nil {
			if r != (scpRecord{}) && r.kind != text[0] {
				t.Fatalf("%q: %+v", text, r)
			}
			return
		}
		switch r.kind {
		case 'C', 'D':
			if r.size < 0 || r.text == "" || r.text == "." || r.text == ".." || strings.ContainsAny(r.text, "/\x00") {
				t.Fatalf("%q: %+v", text, r)
			}
			if again := fmt.Sprintf("%c%s %d %s", r.kind, text[1:5], r.size, r.text); again != text && !strings.Contains(text, " 0") {
				t.Fatalf("%q is read as %q", text, again)
			}
		case 'T':
			if r.mtime.Unix() < 0 {
				t.Fatalf("%q: %+v", text, r)
			}
		case 'E', scpWarning, scpFatal:
		default:
			t.Fatalf("%q: %+v", text, r)
		}
	})
}
