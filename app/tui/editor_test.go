package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/terminal"
)

// writing opens an editor on a text, at an author's terminal.
func writing(t testing.TB, cols, rows int, text string) (*session, *editor) {
	t.Helper()
	bl, _ := openBlog(t, map[string]string{"hello.md": "---\ntitle: Hello\ndate: 2021-01-01\n---\nHello.\n"})
	s := newSession(t, bl.Author("Ada").Visitor(), cols, rows)
	var e *editor
	s.do(func() { e = s.author.openEditor(document{Text: blog.Text{Body: []byte(text)}}) })
	return s, e
}

// What is typed shows, and the cursor stands where it goes on, whatever the
// width of the characters.
func TestEditorCursor(t *testing.T) {
	b, e := writing(t, 40, 12, "日本語 abc\n")
	b.press("\x1b[C\x1b[C")
	if got := *b.frame().Cursor; got != (terminal.Cell{X: 2 + 4, Y: 1}) {
		t.Errorf("cursor at %v", got)
	}
	b.press("\x1b[1;2C\x1b[1;2C")
	if got := e.buf.Selected(); got != "語 " {
		t.Errorf("selected %q", got)
	}
	b.press("\x18\x1b[F\x16")
	if got := e.buf.Text().String(); got != "日本abc語 \n" {
		t.Errorf("cut and pasted: %q", got)
	}
	// The mouse: a press, a drag; twice on a word.
	b.press("\x1b[<0;3;2M\x1b[<32;7;2M\x1b[<0;7;2m")
	if got := e.buf.Selected(); got != "日本" {
		t.Errorf("selected with the mouse: %q", got)
	}
	b.press("\x1b[<0;8;2M\x1b[<0;8;2m\x1b[<0;8;2M\x1b[<0;8;2m")
	if got := e.buf.Selected(); got != "abc" {
		t.Errorf("selected by a double click: %q", got)
	}
	b.press("\x1a\x1a")
	if got := e.buf.Text().String(); got != "日本語 abc\n" {
		t.Errorf("undone: %q", got)
	}
}

// Control characters of a text never reach the terminal, and those of a paste
// never the text.
func TestEditorIsClean(t *testing.T) {
	b, e := writing(t, 80, 24, "a\x1b]0;x\x07\u202eb\x9bc\n")
	for _, line := range b.frame().Rows {
		for _, r := range ansi.Strip(line.Text) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
				t.Errorf("%U in %q", r, line.Text)
			}
		}
		if strings.Contains(line.Text, "\x1b]") {
			t.Errorf("a sequence in %q", line.Text)
		}
	}
	b.press("\x1b[200~x\x1b[31my\rz\x00\x1b[201~")
	if got := e.buf.Text().String(); !strings.HasPrefix(got, "x[31my\nza") {
		t.Errorf("pasted: %q", got)
	}
}

func TestFindAndReplace(t *testing.T) {
	b, e := writing(t, 80, 24, "one two one\nthree One\n")
	b.press("\x06one")
	if got := b.screen()[23]; !strings.Contains(got, "3 matches") {
		t.Errorf("the prompt says %q", got)
	}
	b.press("\r")
	b.press("\x1bOR")
	if from, to := e.buf.Selection(); from != 8 || to != 11 {
		t.Errorf("the next one: %d to %d", from, to)
	}
	b.press("\x1b[1;5H\x12")
	b.press("\x15one\r1 \rn")
	b.press("y")
	if got := e.buf.Text().String(); got != "one two 1 \nthree One\n" {
		t.Errorf("replaced: %q", got)
	}
	b.press("a")
	if got := e.buf.Text().String(); got != "1  two 1 \nthree 1 \n" {
		t.Errorf("replaced all: %q", got)
	}
	b.press("\x072\r")
	if _, at := e.buf.Selection(); e.buf.Text().Line(at) != 1 {
		t.Errorf("line %d", e.buf.Text().Line(at))
	}
}

// What is typed while an editor is slow to open is typed there, and does
// nothing to the list; nor does it when no editor comes, or a question before
// it.
func TestTypingBeforeTheEditor(t *testing.T) {
	slow := func(then func(b *session) func()) *session {
		b, e := writing(t, 80, 24, "")
		release := make(chan struct{})
		b.do(func() {
			e.leave(true)
			b.author.openInput(func() func() {
				<-release
				return then(b)
			})
		})
		b.press("xqN\x1b[200~ pasted\x1b[201~\x1b[<65;3;2M\r")
		if len(b.stack) != 1 || b.asking() || b.leaving {
			t.Errorf("a key has gone to the list: %d screens, %v, %v", len(b.stack), b.prompt, b.choice)
		}
		close(release)
		b.until("done", func() bool { return b.author.holds == 0 })
		return b
	}
	b := slow(func(b *session) func() {
		return func() { b.author.openEditor(document{Text: blog.Text{Body: []byte(".")}, cursor: 0}) }
	})
	if e, ok := b.current().(*editor); !ok || e.buf.Text().String() != "xqN pasted\n." {
		t.Errorf("the text is not in the editor: %v", b.screen())
	}
	b = slow(func(b *session) func() {
		return func() { b.say("not done") }
	})
	if len(b.stack) != 1 || b.prompt != nil || b.leaving {
		t.Error("a key has gone to the list when no editor came")
	}
	b = slow(func(b *session) func() {
		return func() {
			b.ask("Which?", option{"x", "this", func() { t.Error("it was answered") }})
		}
	})
	if b.choice == nil {
		t.Error("the question is gone")
	}
}

// A mark stands before the lines of this text that are doubtful; what a text
// does to another post is said in its first line.
func TestProblemsOfOthers(t *testing.T) {
	b, e := writing(t, 80, 24, "one\ntwo\nthree\n")
	e.inspecting.result = blog.Inspection{Post: &blog.Post{Path: "posts/mine.md"}, Problems: []blog.Problem{
		{Path: "posts/hers.md", Line: 2, Text: "slug taken"},
		{Path: "posts/mine.md", Text: "the whole file"},
		{Path: "posts/mine.md", Line: 3, Text: "a line"},
	}}
	e.inspecting.version, e.path = e.buf.Version(), "posts/mine.md"
	for line, want := range map[int]string{0: "! posts/hers.md:2: slug taken · the whole file", 1: "^S save", 2: "! a line"} {
		e.buf.MoveTo(e.buf.Text().LineStart(line), false)
		b.show()
		screen := b.screen()
		for i, text := range []string{"   one", "   two", " ! three"} {
			if screen[i+1] != text {
				t.Errorf("line %d is shown as %q, want %q", i, screen[i+1], text)
			}
		}
		if last := strings.TrimSpace(screen[23]); !strings.HasPrefix(last, want) {
			t.Errorf("line %d: %q, want %q", line, last, want)
		}
	}
}

// What would make a post too long is refused where it is typed, and the text
// stays as it was.
func TestTooLong(t *testing.T) {
	const said = "Too long: a post has at most 2048 KB. Delete something or begin another post."
	for _, c := range []struct{ name, keys string }{
		{"type", "xyz"},
		{"paste", "\x1b[200~a long paste\x1b[201~"},
		{"paste what was copied", "\x18\x16\x16"},
		{"enter", "\r\r\r"},
		{"tab", "\t"},
		{"replace one", "\x12\x15two\rtwo three\ry"},
		{"replace all", "\x12\x15two\rtwo three\ra"},
		{"a field", "\x14\rA longer title\r"},
	} {
		b, e := writing(t, 100, 24, "---\ntitle: Hello\n---\none\ntwo\n")
		long := strings.Repeat("Words of a long post.\n", 2<<20/22+1)
		n := e.buf.Text().Len()
		e.buf.Splice(n, n, long[:2<<20-n-3])
		e.buf.MoveTo(n, false)
		e.buf.Saved()
		want := e.buf.Text().String()
		if c.name == "type" {
			b.press("x") // there is room for one
			want = want[:n] + "x" + want[n:]
			e.buf.Saved()
		}
		b.press(c.keys)
		b.until(c.name+" refused", func() bool { return strings.Contains(b.bottom(), said) })
		got := e.buf.Text().String()
		if got == want || c.name == "enter" && len(got) == len(want)+1 {
			continue
		}
		t.Errorf("%s: the text of %d bytes has %d", c.name, len(want), len(got))
	}
}

// A key in a post of a megabyte, from its arrival to the frame.
func BenchmarkEditorKey(b *testing.B) {
	var text strings.Builder
	for i := 0; text.Len() < 1<<20; i++ {
		fmt.Fprintf(&text, "Paragraph %d goes on for a while, with 漢字 in it, so that it takes several rows of the window.\n\n", i)
	}
	for name, c := range map[string]struct{ text, key string }{
		"type":       {text.String(), "x"},
		"down":       {text.String(), "\x1b[B"},
		"page":       {text.String(), "\x1b[6~"},
		"enter":      {text.String(), "\r"},
		"word-right": {text.String(), "\x1b[1;5C"},
		"one-line":   {strings.Repeat("word ", 1<<20/5), "x"},
		"one-word":   {strings.Repeat("深", 1<<20/3), "x"},
	} {
		b.Run(name, func(b *testing.B) {
			m, e := writing(b, 80, 24, c.text)
			e.buf.MoveTo(1<<19, false)
			b.ReportAllocs()
			for b.Loop() {
				m.Update(packet(c.key))
			}
		})
	}
}

// A paste of a megabyte, in the packets of a connection.
func BenchmarkEditorPaste(b *testing.B) {
	text := "\x1b[200~" + strings.Repeat("A line of a paste.\r", 1<<20/19) + "\x1b[201~"
	for b.Loop() {
		b.StopTimer()
		m, e := writing(b, 80, 24, "")
		b.StartTimer()
		for rest := text; rest != ""; {
			n := min(1<<10, len(rest))
			m.Update(packet(rest[:n]))
			rest = rest[n:]
		}
		if e.buf.Text().Len() < 1<<19 {
			b.Fatal("nothing was pasted")
		}
	}
}

// What is kept of a text is forgotten when an earlier state of it was saved
// only if nothing was typed and kept since.
func TestKeeperKeepsTheLatest(t *testing.T) {
	bl, _ := openBlog(t, map[string]string{"hello.md": "Hello.\n"})
	v := bl.Author("Ada")
	k := &autosaver{visitor: v, version: -1}
	for version, text := range []string{"one", "two"} {
		if err := k.put(t.Context(), version, blog.Autosave{Text: blog.Text{Body: []byte(text)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.discard(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if all, err := v.Autosaves(t.Context()); err != nil || len(all) != 1 || string(all[0].Body) != "two" {
		t.Fatalf("kept %v, %v", all, err)
	}
	if err := k.discard(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if all, err := v.Autosaves(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("kept %v, %v", all, err)
	}
}

// What is typed while a text is being published, when somebody else publishes
// it too, began from neither of the two: the next saving compares, and all of
// it is there to choose from.
func TestPublishingWhileOthersDo(t *testing.T) {
	b, e := writing(t, 80, 24, "")
	bob := b.author.visitor
	text, err := bob.Open(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	b.do(func() {
		e.leave(true)
		e = b.author.openEditor(document{Text: text, cursor: len(text.Body)})
	})
	b.press("Mine.\r")
	saved, release := make(chan struct{}), make(chan struct{})
	b.do(func() {
		e.commit("publish", func(ctx context.Context, r blog.Receipt) (blog.Receipt, error) {
			close(saved)
			<-release
			return r, nil
		}, nil)
	})
	b.press("Later.\r")
	<-saved
	text, err = bob.Open(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	text.Body = append(text.Body, "Theirs.\n"...)
	if _, err := bob.Save(t.Context(), text, "save hello"); err != nil {
		t.Fatal(err)
	}
	close(release)
	b.until("published", func() bool { return !e.saving })
	if got := e.buf.Text().String(); !strings.HasSuffix(got, "Mine.\nLater.\n") {
		t.Errorf("the text became %q", got)
	}
	b.press("\x13")
	b.sees("Later.", "Theirs.")
	if _, ok := b.current().(*merge); !ok {
		t.Errorf("not both to choose from:\n%s", strings.Join(b.screen(), "\n"))
	}
	if now, _ := bob.Open(t.Context(), "hello"); !strings.HasSuffix(string(now.Body), "Mine.\nTheirs.\n") {
		t.Errorf("the post is now %q", now.Body)
	}
}
