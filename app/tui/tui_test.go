package tui

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/color"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"
	"go.uber.org/goleak"

	"sheaf/app/blog"
	"sheaf/app/store"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

func TestMain(m *testing.M) {
	// The clock of the highlighter's expressions runs on for a while.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// screenRestored is the end of what is sent to a terminal, before any farewell:
// the cursor, the normal screen and its title.
const screenRestored = "\x1b[?25h\x1b[?1049l\x1b[23;0t"

// notebook is the blog that is read here.
var notebook = map[string]string{
	"site.yaml": "title: The Notebook\ntagline: notes on mathematics and machines\n",
	"index.md":  "Welcome. I write about making neural networks smaller, about Julia, and about moving to Dublin.\n",
	"arriving.md": "---\ntitle: Arriving in Dublin\ndate: 2021-04-08\ntags: [life]\n---\n" +
		"It has been a while since I wrote here. Because of the pandemic the projects were on stand-by, and Julia is now at 1.6.\n\n" +
		"## The move\n\nThree flights: one to Mexico City, one to [Dallas](https://example.org/dallas), and the last to Dublin. What it cost: [pruning](pruning.md).\n\n" +
		"```julia\nabstract type Point end\nstruct PointR2{T<:Real} <: Point\n    x::T\nend\n```\n\n" +
		numberedParagraphs(40) + "## The end\n\nThat was all.\n",
	"pruning.md":  "---\ntitle: What pruning really costs\ndate: 2021-03-02\ntags: [dnn]\n---\n" + numberedParagraphs(30),
	"why.md":      "---\ntitle: A blog, and why\ndate: 2020-11-11\n---\nBecause.\n",
	"topology.md": "---\ntitle: 'Topology for small architectures: a first look, with examples in Julia, and 深層学習のための位相幾何学入門 🙂'\ndate: 2020-07-03\ntags: [tda]\n---\nText.\n",
	"rtl.md":      "---\ntitle: שלום עולם, and the frame stays whole\ndate: 2019-05-05\ntags: [深層学習のための位相幾何学]\n---\nשלום.\n",
	"about.md":    "---\ntitle: About\npage: true\n---\nI am Ada.\n",
}

// numberedParagraphs are long enough to be broken differently at every width.
func numberedParagraphs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Paragraph %d begins here and goes on for a while, so that it takes several lines in any window, of which the reader sees some.\n\n", i+1)
	}
	return b.String()
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openBlog makes a blog of files; dir is its folder.
func openBlog(t testing.TB, files map[string]string) (b *blog.Blog, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		write(t, dir, name, text)
	}
	folder, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	b, err = blog.Open(t.Context(), blog.Config{Store: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, dir
}

// A reader sits at an emulated terminal.
type reader struct {
	t       *testing.T
	in      *io.PipeWriter
	resizes chan Size
	end     context.CancelCauseFunc
	ended   chan struct{}
	err     error // once ended

	mu     sync.Mutex
	screen *vt.Emulator
	raw    strings.Builder
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw.Write(p)
	// A frame for the window as it was a moment ago may scroll rows that are
	// not there any more. A terminal cuts them off; the emulator panics.
	defer func() {
		if p := recover(); p != nil && !strings.Contains(fmt.Sprint(p), "index out of range") {
			panic(p)
		}
	}()
	_, _ = r.screen.Write(p)
	return len(p), nil
}

// read starts a session; change may be nil.
func read(t *testing.T, b *blog.Blog, cols, rows int, change func(*Terminal, *Config, *vt.Emulator)) *reader {
	t.Helper()
	ctx, end := context.WithCancelCause(context.Background())
	in, typed := io.Pipe()
	r := &reader{t: t, in: typed, resizes: make(chan Size, 1), end: end, ended: make(chan struct{}), screen: vt.NewEmulator(cols, rows)}
	term := Terminal{In: in, Out: r, Term: "xterm-256color", Width: cols, Height: rows, Resizes: r.resizes}
	conf := Config{Visitor: b.Reader(), Setter: typeset.New(1 << 20), Host: "notebook.example.org"}
	if change != nil {
		change(&term, &conf, r.screen)
	}
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		buf := make([]byte, 256)
		for {
			n, err := r.screen.Read(buf)
			if err != nil {
				return
			}
			if _, err := typed.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(r.ended)
		r.err = Run(ctx, term, conf)
	}()
	t.Cleanup(func() {
		end(nil)
		<-r.ended
		in.Close()
		typed.Close()
		r.screen.InputPipe().(io.Closer).Close()
		<-answers
	})
	return r
}

func (r *reader) keys(s ...string) {
	r.t.Helper()
	for _, k := range s {
		if _, err := io.WriteString(r.in, k); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *reader) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unlocked()
}

func (r *reader) unlocked() string {
	lines := strings.Split(r.screen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func (r *reader) sent() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.raw.String()
}

// sees waits until the screen holds all of the words and none of those that
// begin with "!", and gives the screen.
func (r *reader) sees(words ...string) string {
	r.t.Helper()
	for deadline := time.Now().Add(8 * time.Second); ; {
		screen, wrong := r.text(), ""
		for _, w := range words {
			absent, no := strings.CutPrefix(w, "!")
			if strings.Contains(screen, absent) == no {
				wrong = w
			}
		}
		if wrong == "" {
			return screen
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%q is not so on the screen:\n%s", wrong, screen)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// leaves waits for the end of the session.
func (r *reader) leaves() error {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(8 * time.Second):
		r.t.Fatal("the session has not ended")
	}
	return r.err
}

func (r *reader) resize(cols, rows int) {
	r.mu.Lock()
	r.screen.Resize(cols, rows)
	r.mu.Unlock()
	select {
	case r.resizes <- Size{cols, rows}:
	case <-r.ended:
		r.t.Fatal("the session has ended: ", r.err)
	}
}

// The screens of a session at three sizes.
func TestScreens(t *testing.T) {
	b, _ := openBlog(t, notebook)
	for _, size := range []Size{{80, 24}, {40, 12}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size.Width, size.Height), func(t *testing.T) {
			r := read(t, b, size.Width, size.Height, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.KeysRefused = 2 })
			step := func(name, screen string) {
				t.Helper()
				t.Run(name, func(t *testing.T) { golden.RequireEqual(t, screen) })
			}
			step("home", r.sees("Arriving in Dublin", "? keys"))
			r.keys("jjjj")
			step("last", r.sees("05 May", "שלום", "▌", "!▌ 08 Apr", "!▌08 Apr", "!▌03 Jul"))
			r.keys("?")
			step("help", r.sees("keys", "enter l →"))
			r.keys("\x1b", "g\r")
			step("post", r.sees("1 of 5", "It has been a while"))
			r.keys("f")
			step("links", r.sees("1 to"))
			r.keys("q", "o")
			step("outline", r.sees("2 headings", "The move"))
			r.keys("\x1b", "dd")
			step("scrolled", r.sees("Paragraph", "q back", "!The move"))
			r.keys("/", "paragraph 20", "\r")
			step("found", r.sees("Paragraph 20", "1/1"))
			r.keys("\x1b", "q", "/prun")
			step("filter", r.sees("/prun▏  1 of 5", "What pruning"))
			r.keys("\x1b", "t")
			step("tags", r.sees("4 tags", "#dnn", "#life"))
			r.keys("q", "A")
			step("archive", r.sees("2021", "2 posts"))
			r.keys("q", "s", "paragraph flights\r")
			step("hits", r.sees("Arriving in Dublin", "1 post", "«paragraph flights»", "!▏"))
			r.keys("q", "q")
			if err := r.leaves(); err != nil {
				t.Error(err)
			}
			if sent := r.sent(); strings.Count(sent, "\x1b[?1049h") != 1 || !strings.HasSuffix(sent, screenRestored) {
				t.Errorf("the terminal was not restored: %q", sent[max(0, len(sent)-100):])
			}
		})
	}
}

// Nothing is painted before the terminal has said its colours, and then once.
func TestFirstPaint(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, func(_ *Terminal, _ *Config, e *vt.Emulator) { e.SetBackgroundColor(color.White) })
	r.sees("Arriving in Dublin")
	time.Sleep(2 * answerWait)
	if sent := r.sent(); strings.Count(sent, "\x1b[2J") != 1 || strings.Count(sent, "Arriving in Dublin") != 1 {
		t.Errorf("not painted once: %q", sent)
	}
	light := typeset.Styled(typeset.Theme{Name: "light"}).Dim.On("notes on mathematics and machines")
	if !strings.Contains(r.sent(), light) {
		t.Errorf("not in the light theme: %q", r.sent())
	}
	r.keys("TT") // none, dark
	r.sees("colours: dark")
	if dark := typeset.Styled(typeset.Theme{Name: "dark"}).Dim.On("notes on mathematics and machines"); !strings.Contains(r.sent(), dark) {
		t.Error("T did not change the theme")
	}
}

// A terminal that does not answer gets the dark theme, soon.
func TestSilentTerminal(t *testing.T) {
	b, _ := openBlog(t, notebook)
	in, typed := io.Pipe()
	defer typed.Close()
	ctx, end := context.WithCancel(context.Background())
	r := &reader{t: t, screen: vt.NewEmulator(80, 24), ended: make(chan struct{})}
	go func() { _, _ = io.Copy(io.Discard, r.screen) }()
	go func() {
		defer close(r.ended)
		_ = Run(ctx, Terminal{In: in, Out: r, Term: "xterm-256color", Width: 80, Height: 24}, Config{Visitor: b.Reader(), Setter: typeset.New(1 << 20)})
	}()
	r.sees("Arriving in Dublin")
	if dark := typeset.Styled(typeset.Theme{Name: "dark"}).Dim.On("notes on mathematics and machines"); !strings.Contains(r.sent(), dark) {
		t.Error("not in the dark theme")
	}
	end()
	_ = r.leaves()
	r.screen.InputPipe().(io.Closer).Close()
}

func TestKeysInOnePacketAllCount(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, nil)
	r.sees("▌ 08 Apr")
	r.keys("jjj")
	r.sees("▌ 03 Jul")
	r.keys("kk\rjjjjj") // into a post and five lines down
	r.sees("What pruning really costs", "2 of 5", "Paragraph 2 begins", "!▌")
	want := r.text()
	r.keys("q", "\r", "j", "j", "j", "j", "j")
	r.sees("2 of 5", "Paragraph 2 begins")
	for deadline := time.Now().Add(5 * time.Second); r.text() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("five keys in one packet:\n%s\none by one:\n%s", want, r.text())
		}
	}
}

// The paragraph at the top stays at the top, whatever the window.
func TestResizeKeepsTheParagraph(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Open = "arriving" })
	r.sees("It has been a while")
	r.keys("/", "paragraph 17", "\r")
	r.sees("Paragraph 17")
	for !strings.Contains(strings.Split(r.text(), "\n")[1], "Paragraph 17") {
		before := r.text()
		r.keys("j")
		for deadline := time.Now().Add(time.Second); r.text() == before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}
	for _, s := range []Size{{40, 12}, {120, 50}, {61, 20}, {200, 60}, {30, 9}, {80, 24}} {
		r.resize(s.Width, s.Height)
		want := "Paragraph 17"
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			lines := strings.Split(r.text(), "\n")
			if len(lines) > 1 && strings.Contains(lines[1], want) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%dx%d: not at the top:\n%s", s.Width, s.Height, r.text())
			}
		}
	}
}

// Any window is survived, and what is shown never is wider.
func TestAnyWindow(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, nil)
	r.sees("Arriving in Dublin")
	for _, keys := range []string{"", "jj", "\r", "f", "o", "\x1b", "?", "\x1b", "\x1b", "t", "\x1b", "/d", "\x1b", "s"} {
		r.keys(keys)
		for _, s := range []Size{{1, 1}, {2, 2}, {3, 3}, {7, 4}, {49, 5}, {50, 200}, {99, 3}, {100, 20}, {300, 100}} {
			r.resize(s.Width, s.Height)
			time.Sleep(2 * time.Millisecond)
		}
	}
	r.keys("\x1b")
	r.resize(80, 24)
	r.sees("Arriving in Dublin", "tab pages: About")
}

func TestLinks(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Open = "arriving#the-move" })
	r.sees("The move")
	r.keys("f", "1")
	r.sees("copied: https://example.org/dallas")
	if want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte("https://example.org/dallas")) + "\x07"; !strings.Contains(r.sent(), want) {
		t.Error("not on the clipboard")
	}
	r.keys("\t\t\r")
	r.sees("What pruning really costs", "2 of 5")
	r.keys("H")
	r.sees("Arriving in Dublin", "1 of 5")
	r.keys("L")
	r.sees("What pruning really costs", "2 of 5")
	r.keys("q")
	r.sees("The move", "1 of 5")
	r.keys("c")
	r.sees("copied 4 lines of julia")
	if want := base64.StdEncoding.EncodeToString([]byte("abstract type Point end\nstruct PointR2{T<:Real} <: Point\n    x::T\nend")); !strings.Contains(r.sent(), want) {
		t.Errorf("the code is not on the clipboard: %q", r.sent())
	}
	r.keys("y")
	r.sees("copied: ssh -t notebook.example.org arriving")
	r.keys("J")
	r.sees("2 of 5")
	r.keys("q") // the list shows where one has been
	r.sees("▌ 02 Mar")
}

func TestLinksOfTheHomePage(t *testing.T) {
	b, _ := openBlog(t, map[string]string{
		"index.md":    "Welcome. I have [moved](arriving.md#the-move) to [Dublin](https://example.org/dublin).\n",
		"arriving.md": notebook["arriving.md"],
	})
	r := read(t, b, 80, 24, nil)
	r.sees("Welcome")
	r.keys("f")
	r.sees("moved¹", "Dublin²", "1 to 2")
	r.keys("1")
	r.sees("The move", "1 of 1", "!Welcome")
	r.keys("qf2")
	r.sees("Welcome", "copied: https://example.org/dublin")
}

// A change of the folder shows, and what is being read stays where it is.
func TestLiveUpdate(t *testing.T) {
	b, dir := openBlog(t, notebook)
	list := read(t, b, 80, 24, nil)
	post := read(t, b, 80, 24, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Open = "arriving" })
	list.sees("Arriving in Dublin")
	list.keys("j")
	list.sees("▌ 02 Mar")
	post.sees("It has been a while")
	post.keys("/", "paragraph 21", "\r")
	before := post.sees("Paragraph 21", "!/paragraph 21▏")

	write(t, dir, "new.md", "---\ntitle: Hot off the press\ndate: 2022-01-01\n---\nNews.\n")
	list.sees("Hot off the press", "▌ 02 Mar", "1 new")
	post.sees("2 of 6")
	write(t, dir, "arriving.md", strings.Replace(notebook["arriving.md"], "It has been", "A paragraph before all others.\n\nAnd another one.\n\nIt has been", 1))
	post.sees("updated")
	row := func(screen string) int {
		for y, l := range strings.Split(screen, "\n") {
			if strings.Contains(l, "Paragraph 21") {
				return y
			}
		}
		return -1
	}
	if after := post.text(); row(after) != row(before) {
		t.Errorf("the line being read moved from row %d to %d:\n%s", row(before), row(after), after)
	}
	if err := os.Remove(filepath.Join(dir, "arriving.md")); err != nil {
		t.Fatal(err)
	}
	post.sees("This post is gone; q goes back.")
	post.keys("q")
	post.sees("Hot off the press", "!Arriving")
}

// The list may grow and shrink under a reader who is at its end.
func TestListGrowsAndShrinks(t *testing.T) {
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("p%02d.md", i)] = fmt.Sprintf("---\ntitle: Post number %d.\ndate: %s\n---\nText.\n", i, time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	b, dir := openBlog(t, files)
	r := read(t, b, 80, 24, nil)
	r.sees("Post number 59.")
	r.keys("Gkkk")
	before := r.sees("▌ 04 Jan  Post number 3.")
	write(t, dir, "new.md", "---\ntitle: Brand new\ndate: 2021-01-01\n---\nText.\n")
	if after := r.sees("1 new"); strings.Index(after, "▌") != strings.Index(before, "▌") {
		t.Errorf("the selection moved:\n%s\n%s", before, after)
	}
	for i := range 58 {
		if err := os.Remove(filepath.Join(dir, fmt.Sprintf("p%02d.md", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	r.sees("Brand new", "▌", "Post number 0.", "!Post number 3.", "updated")
	r.keys("g\r")
	r.sees("1 of 3", "Brand new")
}

// However a session ends, the terminal is restored, and the reason told.
func TestFarewell(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, nil)
	r.sees("Arriving in Dublin")
	r.end(errors.New("The server is restarting; come back soon."))
	if err := r.leaves(); err != nil {
		t.Error(err)
	}
	if sent := r.sent(); !strings.HasSuffix(sent, screenRestored+"The server is restarting; come back soon.\r\n") {
		t.Errorf("%q", sent[max(0, len(sent)-200):])
	}
	r = read(t, b, 80, 24, nil)
	r.sees("Arriving in Dublin")
	r.keys("\r", "\x03")
	if err := r.leaves(); err != nil {
		t.Error(err)
	}
	if sent := r.sent(); !strings.HasSuffix(sent, screenRestored) {
		t.Errorf("after ctrl+c: %q", sent[max(0, len(sent)-200):])
	}
	r = read(t, b, 80, 24, nil)
	r.sees("Arriving in Dublin")
	r.in.Close() // the terminal is gone
	if err := r.leaves(); err != nil {
		t.Error(err)
	}
}

// A bug of ours ends one session, and that one properly.
func TestPanicEndsOneSession(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 80, 24, nil)
	r.sees("Arriving in Dublin")
	bad := read(t, b, 80, 24, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Setter = nil })
	if err := bad.leaves(); !errors.Is(err, ErrPanic) {
		t.Errorf("ended with %v", err)
	}
	if sent := bad.sent(); !strings.HasSuffix(sent, screenRestored+"sheaf: internal error\r\n") {
		t.Errorf("%q", sent)
	}
	r.keys("j")
	r.sees("▌ 02 Mar")
}

// What takes long is waited for aside: the session goes on.
func TestSlowWork(t *testing.T) {
	b, _ := openBlog(t, notebook)
	m := newBrowser(t.Context(), Terminal{Width: 80, Height: 24}, Config{Visitor: b.Reader(), Setter: typeset.New(1 << 20)}, terminal.NewPainter(io.Discard, false, nil), func(p any) { t.Error(p) })
	m.Init()
	release := make(chan struct{})
	done := false
	m.background(func() func() {
		<-release
		return func() { done = true }
	})
	if done || len(m.cmds) != 1 {
		t.Fatalf("done %v, %d commands", done, len(m.cmds))
	}
	close(release)
	msg := m.cmds[0]()
	if done {
		t.Error("the command changed the model")
	}
	m.Update(msg)
	if !done {
		t.Error("the result was not put in place")
	}
	m.background(func() func() { return func() { done = false } })
	if done {
		t.Error("quick work was not done at once")
	}
}

// Authors see drafts, and which files are wrong; readers neither.
func TestAuthor(t *testing.T) {
	b, _ := openBlog(t, map[string]string{
		"index.md": "Welcome.\n",
		"draft.md": "---\ntitle: Not yet\ndraft: true\n---\nText.\n",
		"bad.md":   "---\ntitle: [broken\n---\nText.\n",
		"good.md":  "---\ntitle: Good\ndate: 2021-01-01\n---\nText.\n",
	})
	r := read(t, b, 80, 24, func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Visitor = b.Author("Ada").Visitor() })
	r.sees("you are Ada (author)", "draft", "Not yet", "problem", "bad.md:", "Good")
	r = read(t, b, 80, 24, nil)
	r.sees("Good", "!Ada", "!Not yet", "!problem")
}

// A blog without posts says so.
func TestEmptyBlog(t *testing.T) {
	b, dir := openBlog(t, map[string]string{})
	r := read(t, b, 80, 24, nil)
	r.sees("No posts yet.", "? keys")
	r.keys("jk\r/sAtGgdu \tq")
	if err := r.leaves(); err != nil {
		t.Error(err)
	}
	r = read(t, b, 80, 24, nil)
	r.sees("No posts yet.")
	write(t, dir, "first.md", "---\ntitle: The first\n---\nText.\n")
	r.sees("The first", "!No posts yet.", "1 new")
}

// A reader who takes nothing does not keep a session open.
func TestStalledTerminalEnds(t *testing.T) {
	b, _ := openBlog(t, notebook)
	in, typed := io.Pipe()
	out, sink := io.Pipe()
	ended := make(chan error, 1)
	ctx, end := context.WithCancel(context.Background())
	go func() {
		ended <- Run(ctx, Terminal{In: in, Out: sink, Term: "xterm", Width: 80, Height: 24}, Config{Visitor: b.Reader(), Setter: typeset.New(1 << 20)})
	}()
	_, _ = io.WriteString(typed, "jjjjjjjjjjkkkkkkkkkk") // goes on reading keys all the same
	end()
	select {
	case err := <-ended:
		if !errors.Is(err, terminal.ErrStalled) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the session has not ended")
	}
	out.Close()
	typed.Close()
}

// No text of a blog reaches the terminal but as text.
func TestHostileTexts(t *testing.T) {
	const evil = "evil \\u001b]0;pwned\\u0007\\u009b31m\\u202e end"
	b, _ := openBlog(t, map[string]string{
		"site.yaml": "title: \"site " + evil + "\"\ntagline: \"tag " + evil + "\"\n",
		"bad.md":    "---\ntitle: \"title " + evil + "\"\ndate: 2021-01-01\ntags: [\"tag " + evil + "\"]\n---\n## Heading\n\n\x1b]0;pwned\x07 [link](https://example.org/\x1b]0;pwned\x07)\n",
		"page.md":   "---\ntitle: \"page " + evil + "\"\npage: true\n---\nText.\n",
	})
	r := read(t, b, 80, 24, nil)
	r.sees("site evil")
	for _, k := range []string{"t", "\r", "\r", "o", "\r", "f", "1", "q", "q", "q", "\t", "q", "s", "heading\r"} {
		r.keys(k)
		time.Sleep(20 * time.Millisecond)
	}
	r.sees("1 post")
	sent := r.sent()
	for _, bad := range []string{"\x1b]0;", "\u009b", "\u202e"} {
		if strings.Contains(sent, bad) {
			t.Errorf("%q was sent", bad)
		}
	}
}

func TestNoColour(t *testing.T) {
	b, _ := openBlog(t, notebook)
	for name, change := range map[string]func(*Terminal, *Config, *vt.Emulator){
		"NO_COLOR": func(t *Terminal, _ *Config, _ *vt.Emulator) { t.NoColor = true },
		"vt100":    func(t *Terminal, _ *Config, _ *vt.Emulator) { t.Term = "vt100" },
	} {
		r := read(t, b, 80, 24, change)
		r.sees("Arriving in Dublin")
		r.keys("\r")
		r.sees("1 of 5")
		if sent := r.sent(); strings.Contains(sent, ";5;") || strings.Contains(sent, "\x1b[3") && strings.Contains(sent, "\x1b[38") {
			t.Errorf("%s: colours were sent: %q", name, sent)
		}
		if sent := r.sent(); strings.Contains(sent, "\x1b]11;?\x07") {
			t.Errorf("%s: colours were asked for", name)
		}
	}
	r := read(t, b, 80, 24, func(t *Terminal, _ *Config, _ *vt.Emulator) { t.Term = "xterm" })
	r.sees("Arriving in Dublin")
	if sent := r.sent(); strings.Contains(sent, "38;5;") {
		t.Errorf("256 colours on a terminal of 16: %q", sent)
	}
}

// TERM=dumb: a conversation, and not one escape sequence.
func TestDumbTerminal(t *testing.T) {
	b, _ := openBlog(t, notebook)
	r := read(t, b, 60, 24, func(t *Terminal, _ *Config, _ *vt.Emulator) { t.Term = "dumb" })
	waits := func(what string) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); !strings.Contains(r.sent(), what); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %q in %q", what, r.sent())
			}
		}
	}
	waits("1. Arriving in Dublin, 8 April 2021")
	r.keys("3\r")
	waits("Because.")
	r.keys("/flights\r")
	waits("/flights\r\n1. Arriving")
	r.keys("nothing\r")
	waits("There is no post «nothing»")
	r.keys("q\r")
	if err := r.leaves(); err != nil {
		t.Error(err)
	}
	if sent := r.sent(); strings.Contains(sent, "\x1b") {
		t.Errorf("an escape sequence: %q", sent)
	}
}

// Ten thousand posts are as quick as forty.
func TestManyPosts(t *testing.T) {
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("p%04d.md", i)] = fmt.Sprintf("---\ntitle: Post number %d\ndate: %s\n---\nText.\n", i, time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	b, _ := openBlog(t, files)
	r := read(t, b, 80, 24, nil)
	r.sees("Post number 2999")
	r.keys("G")
	r.sees("▌ 01 Jan  Post number 0 ")
	r.keys("g" + strings.Repeat("j", 1000))
	r.sees("▌", "Post number 1999 ")
	r.keys("u", "G", "\r")
	r.sees("3000 of 3000")
	r.keys("q", "/number 2977")
	r.sees("1 of 3000", "▌", "Post number 2977 ")
}

func BenchmarkListKey(b *testing.B)  { benchmarkKey(b, func(*browser) {}) }
func BenchmarkPagerKey(b *testing.B) { benchmarkKey(b, func(m *browser) { m.act(actOpen) }) }

// benchmarkKey measures a key from its arrival to the frame.
func benchmarkKey(b *testing.B, prepare func(*browser)) {
	dir := b.TempDir()
	for i := range 40 {
		text := fmt.Sprintf("---\ntitle: Post number %d of many, with a title\ndate: 2021-01-%02d\ntags: [life]\n---\n%s", i, i%28+1, numberedParagraphs(200))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("p%d.md", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	folder, err := store.View(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	bl, err := blog.Open(b.Context(), blog.Config{Store: folder})
	if err != nil {
		b.Fatal(err)
	}
	defer bl.Close()
	p := terminal.NewPainter(io.Discard, false, nil)
	m := newBrowser(b.Context(), Terminal{Width: 80, Height: 24}, Config{Visitor: bl.Reader(), Setter: typeset.New(1 << 20)}, p, func(p any) { panic(p) })
	m.ready = true
	m.Init()
	prepare(m)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		key := "j"
		if i/30%2 == 1 {
			key = "k"
		}
		m.Update(packet(key))
	}
}

// Columns give way in their order: tags, reading time, year; never the title.
func TestColumnsGiveWay(t *testing.T) {
	seen := columns{tags: 1, time: 1, years: true, date: 1}
	for width := 200; width > 0; width-- {
		c := newColumns(newGeometry(width, 24), 6, 6, 10)
		if c.tags > 0 && c.time == 0 || c.time > 0 && !c.years || c.years && c.date == 0 {
			t.Errorf("width %d: %+v", width, c)
		}
		if c.title < min(12, c.width-c.gap) {
			t.Errorf("width %d: %d cells for the title", width, c.title)
		}
		if seen.tags == 0 && c.tags > 0 || seen.time == 0 && c.time > 0 {
			t.Errorf("width %d: a column comes back", width)
		}
		seen = c
		if g := newGeometry(width, 24); g.left+g.measure > width {
			t.Errorf("width %d: the text ends at %d", width, g.left+g.measure)
		}
	}
}

// Every key of the map means one thing on every screen, and every binding is
// explained or follows one that is.
func TestKeymap(t *testing.T) {
	for on := onHome; on <= onEditor; on <<= 1 {
		for i, b := range keymap {
			if b.where&on == 0 {
				continue
			}
			for k := range strings.FieldsSeq(b.keys) {
				if got := actionsOf(k, on)[0]; got != b.do && b.help != "" && b.where != everywhere {
					t.Errorf("binding %d: %q on %d is taken", i, k, on)
				}
			}
			if b.help != "" && b.group == "" {
				t.Errorf("binding %d has no group", i)
			}
		}
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		left, right string
		width       int
		want        string
	}{
		{"left", "right", 12, "left   right"},
		{"a longer left side", "right", 20, "a longer le…   right"[:0] + "a longer lef…  right"},
		{"left", "", 3, "le…"},
		{"a longer left side", "a right side as long", 16, "a longer left s…"},
	} {
		if got := between(c.left, c.right, c.width); got != c.want || ansi.StringWidth(got) > c.width {
			t.Errorf("between(%q, %q, %d) = %q, want %q", c.left, c.right, c.width, got, c.want)
		}
	}
}
