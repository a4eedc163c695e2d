package buffer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// at makes a buffer of a text in which | is the cursor and, if there are two,
// the first the anchor.
func at(text string) *Buffer {
	places := strings.Split(text, "|")
	b := New(strings.Join(places, ""), len(places[0]), 4<<20)
	if len(places) == 3 {
		b.MoveTo(len(places[0])+len(places[1]), true)
	}
	return b
}

// shown is the reverse of at.
func shown(b *Buffer) string {
	s := b.Text().String()
	from, to := b.ends()
	if from == to {
		return s[:from] + "|" + s[from:]
	}
	return s[:from] + "|" + s[from:to] + "|" + s[to:]
}

func TestMotions(t *testing.T) {
	for _, c := range []struct {
		m          Motion
		text, want string
	}{
		{Right, "a|e\u0301b", "ae\u0301|b"},
		{Left, "ae\u0301|b", "a|e\u0301b"},
		{Right, "|👩‍👩‍👧x", "👩‍👩‍👧|x"},
		{Left, "👩‍👩‍👧|x", "|👩‍👩‍👧x"},
		{Right, "a|\r\nb", "a\r\n|b"},
		{Left, "a\r\n|b", "a|\r\nb"},
		{Right, "日|本語", "日本|語"},
		{Left, "مر|حبا", "م|رحبا"},
		{WordRight, "one| two, three", "one two|, three"},
		{WordRight, "one two|, three", "one two, three|"},
		{WordLeft, "one two, |three", "one |two, three"},
		{WordLeft, "one\n  |two", "|one\n  two"},
		{WordLeft, "|one", "|one"},
		{WordRight, "don|'t stop", "don't| stop"},
		{WordRight, "end|...", "end...|"},
		{LineStart, "a\n  text| here", "a\n  |text here"},
		{LineStart, "a\n  |text", "a\n|  text"},
		{LineStart, "a\n|  text", "a\n  |text"},
		{LineEnd, "a|b\r\nc", "ab|\r\nc"},
		{ParagraphDown, "a|\nb\n\nc", "a\nb\n\n|c"},
		{ParagraphDown, "a\n\n|c", "a\n\nc|"},
		{ParagraphUp, "a\nb\n\nc|d", "a\nb\n\n|cd"},
		{ParagraphUp, "a\nb\n\n|cd", "|a\nb\n\ncd"},
		{TextStart, "ab|c", "|abc"},
		{TextEnd, "ab|c", "abc|"},
	} {
		b := at(c.text)
		b.Move(c.m, false)
		if got := shown(b); got != c.want {
			t.Errorf("motion %d from %q: %q, want %q", c.m, c.text, got, c.want)
		}
	}
}

func TestLists(t *testing.T) {
	newline, indent, outdent := (*Buffer).Newline, (*Buffer).Indent, (*Buffer).Outdent
	for _, c := range []struct {
		do         func(*Buffer)
		text, want string
	}{
		{newline, "a|b", "a\n|b"},
		{newline, "- one|", "- one\n- |"},
		{newline, "- one\n- |", "- one\n|"},
		{newline, "  * one| two", "  * one\n  * | two"},
		{newline, "9. nine|", "9. nine\n10. |"},
		{newline, "1) a|", "1) a\n2) |"},
		{newline, "- [x] done|", "- [x] done\n- [ ] |"},
		{newline, "> said|", "> said\n> |"},
		{newline, "> - a|", "> - a\n> - |"},
		{newline, "> |", "|"},
		{newline, "|- one", "\n|- one"},
		{newline, "\tcode|", "\tcode\n\t|"},
		{newline, "```\n- x|", "```\n- x\n|"},
		{newline, "```\n  - x|", "```\n  - x\n  |"},
		{newline, "```\nx\n```\n- y|", "```\nx\n```\n- y\n- |"},
		{newline, "---\ntags:\n  - a|", "---\ntags:\n  - a\n  |"},
		{newline, "---\na: b\n---\n- x|", "---\na: b\n---\n- x\n- |"},
		{newline, "a\r\n- b|", "a\r\n- b\r\n- |"},
		{newline, "a|bc|d", "a\n|d"},
		{newline, "**bold|", "**bold\n|"},
		{indent, "- a\n- |b", "- a\n  - |b"},
		{indent, "1. a\n2. b|", "1. a\n   2. b|"},
		{indent, "> - a|", ">   - a|"},
		{outdent, "- a\n  - |b", "- a\n- |b"},
		{outdent, "\tx|", "x|"},
		{outdent, "x|", "x|"},
		{indent, "ab|c", "ab  |c"},
		{indent, "|a\nb|", "|    a\n    b|"},
		{outdent, "|    a\n    b|", "|a\nb|"},
		{indent, "|- a\n|- b", "|  - a\n|- b"},
	} {
		b := at(c.text)
		c.do(b)
		if got := shown(b); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestEditing(t *testing.T) {
	b := at("|")
	for _, s := range []string{"o", "n", "e", " ", "t", "w", "o"} {
		b.Type(s)
	}
	check := func(what, want string) {
		t.Helper()
		if got := shown(b); got != want {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	b.Undo()
	check("a word is undone", "one |")
	b.Undo()
	check("and the one before", "|")
	if b.Undo() {
		t.Fatal("nothing is left to undo")
	}
	b.Redo()
	b.Redo()
	check("redone", "one two|")
	b.Saved()
	b.Erase(WordLeft)
	b.Erase(Left)
	check("erased", "one|")
	b.Undo()
	check("in one step", "one two|")
	if b.Changed() {
		t.Error("undo leads back to what was saved")
	}
	b.Move(WordLeft, true)
	if got := b.Selected(); got != "two" {
		t.Errorf("selected %q", got)
	}
	b.Paste("a\r\nb\rc")
	check("line ends of the buffer", "one a\nb\nc|")
	if got := b.Cut(); got != "c" {
		t.Errorf("cut %q", got)
	}
	b.MoveTo(0, false)
	if got := b.Cut(); got != "one a\n" {
		t.Errorf("cut the line %q", got)
	}
	check("cut", "|b\n")

	b = at("x|\r\ny")
	b.Paste("1\n2")
	check("CRLF stays", "x1\r\n2|\r\ny")

	b = at("one ONE ö|ne One")
	if n := b.ReplaceAll("one", "two"); n != 3 {
		t.Errorf("replaced %d", n)
	}
	check("whatever case", "two two ö|ne two")
	b.Undo()
	if n := b.ReplaceAll("One", "1"); n != 1 {
		t.Errorf("a capital counts: %d", n)
	}
	b = at("a |bc| d")
	b.Splice(0, 1, "long")
	check("the selection stays on its characters", "long |bc| d")
}

// The past is bounded by what it holds in truth, and its newest step is always
// there, however large.
func TestPastIsBounded(t *testing.T) {
	held := func(b *Buffer) (bytes int) {
		known := map[*node]bool{}
		var count func(n *node) int
		count = func(n *node) int {
			if n == nil || known[n] {
				return 0
			}
			known[n] = true
			return int(unsafe.Sizeof(*n)) + len(n.s) + count(n.left) + count(n.right)
		}
		count(b.now.text.root)
		for _, s := range slices.Concat(b.past, b.future) {
			bytes += count(s.text.root)
		}
		return bytes
	}
	r := rand.New(rand.NewPCG(1, 2))
	place := func(b *Buffer) { b.MoveTo(r.IntN(b.Text().Len()+1), false) }
	for name, change := range map[string]func(b *Buffer){
		"all is replaced": func(b *Buffer) { b.ReplaceAll("paragraph", "Paragraph") },
		"words are typed": func(b *Buffer) { place(b); b.Type("word") },
		"a place is typed at": func(b *Buffer) {
			b.Type("word")
			b.Type(" ")
		},
		"much is pasted and cut": func(b *Buffer) {
			b.SelectAll()
			s := b.Cut()
			b.Paste(s)
		},
		"one key is held": func(b *Buffer) {
			for range 100 {
				b.Erase(Left)
			}
			b.Paste(strings.Repeat("x", 100))
		},
		"lines are indented": func(b *Buffer) {
			place(b)
			_, at := b.Selection()
			b.MoveTo(at+10_000, true)
			b.Indent()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := New(megabyte(), 1<<19, 4<<20)
			for n := 0; b.held < mostHeld-(2<<20); n++ {
				change(b)
			}
			if real := held(b); real > b.held*5/4 || b.held > mostHeld {
				t.Errorf("%d bytes are held, and counted as %d", real, b.held)
			}
			steps := len(b.past)
			for range steps / 4 {
				change(b)
			}
			if real := held(b); real > b.held*5/4 || b.held > mostHeld {
				t.Errorf("%d bytes are held, and counted as %d", real, b.held)
			}
			last := b.Text().String()
			undone := 0
			for b.Undo() {
				undone++
			}
			if undone < min(steps/2, 10) || b.held != 0 {
				t.Errorf("%d steps of %d were undone, then %d bytes are counted", undone, steps, b.held)
			}
			for b.Redo() {
			}
			same(t, b.Text(), last)
		})
	}

	b := New("", 0, 64<<20)
	b.Paste(strings.Repeat("0123456789abcde\n", 3<<20))
	before := b.Text()
	b.SelectAll()
	b.Cut()
	if !b.Undo() || !b.Text().Same(before) || !b.Redo() || b.Text().Len() != 0 {
		t.Error("the newest step cannot be undone")
	}
	if b.Type("x"); len(b.past) != 1 {
		t.Errorf("%d steps are kept beside it", len(b.past))
	}
}

// A text grows no longer than it may; one that is too long may still shrink.
func TestTextsAreBounded(t *testing.T) {
	const most = 10
	for _, c := range []struct {
		name, text string
		do         func(*Buffer)
		want       string // "" for refused
	}{
		{"type", "123456789|", func(b *Buffer) { b.Type("x") }, "123456789x|"},
		{"type one more", "1234567890|", func(b *Buffer) { b.Type("x") }, ""},
		{"type over a selection", "12345678|90|", func(b *Buffer) { b.Type("xy") }, "12345678xy|"},
		{"paste", "12|3|4567", func(b *Buffer) { b.Paste("12345") }, ""},
		{"paste line ends", "1\r\n2|\r\n3", func(b *Buffer) { b.Paste("\n\n") }, ""},
		{"break a line", "- 34567890|", (*Buffer).Newline, ""},
		{"end a list", "- 3456\n- |", (*Buffer).Newline, "- 3456\n|"},
		{"indent", "1234567|", (*Buffer).Indent, "1234567 |"},
		{"indent at the end", "12345678|", (*Buffer).Indent, ""},
		{"indent an item", "- 3456789|", (*Buffer).Indent, ""},
		{"indent lines", "|1\n2\n34|", (*Buffer).Indent, ""},
		{"replace", "12345|6|", func(b *Buffer) { b.Replace("123456") }, ""},
		{"replace all", "|1x1x1x", func(b *Buffer) { b.ReplaceAll("x", "yyy") }, ""},
		{"replace all, with room", "|1x1x", func(b *Buffer) { b.ReplaceAll("x", "yyyy") }, "|1yyyy1yyyy"},
		{"shrink", "1234567890123|", func(b *Buffer) { b.Erase(Left) }, "123456789012|"},
		{"shrink by typing", "12345678901|23|", func(b *Buffer) { b.Type("x") }, "12345678901x|"},
		{"as long", "12345678901|2|", func(b *Buffer) { b.Type("x") }, "12345678901x|"},
		{"splice", "1234567890|", func(b *Buffer) { b.Splice(0, 0, "x") }, "x1234567890|"},
	} {
		b := at(c.text)
		b.most = most
		version := b.Version()
		c.do(b)
		want := c.want
		if want == "" {
			want = c.text
		}
		if got := shown(b); got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
		if refused := b.Refused(); refused != (c.want == "") || (b.Version() == version) != refused || b.Refused() {
			t.Errorf("%s: refused: %v, version %d", c.name, refused, b.Version())
		}
		for b.Undo() {
		}
		if got := b.Text().String(); got != strings.ReplaceAll(c.text, "|", "") {
			t.Errorf("%s: %q undone", c.name, got)
		}
	}
}

func TestFind(t *testing.T) {
	text := strings.Repeat("Übermut tut selten gut. ", 3000) + "NADEL " + strings.Repeat("x", 50)
	b := New(text, 0, 4<<20)
	if from, to, ok := b.Text().Find("nadel", 5); !ok || text[from:to] != "NADEL" {
		t.Errorf("found %d to %d, %v", from, to, ok)
	}
	if from, to, ok := b.Text().Find("übermut", 1); !ok || text[from:to] != "Übermut" || from != strings.Index(text[1:], "Übermut")+1 {
		t.Errorf("found %d to %d, %v", from, to, ok)
	}
	if from, _, ok := b.Text().Find("Übermut", len(text)); !ok || from != 0 {
		t.Errorf("from the beginning again: %d %v", from, ok)
	}
	if n := b.Text().Count("selten"); n != 1000 {
		t.Errorf("counted %d", n)
	}
	if _, _, ok := b.Text().Find("Nadel", 0); ok {
		t.Error("a capital counts")
	}
	if n := New("aXbx", 0, 4<<20).Text().Count("x"); n != 2 {
		t.Errorf("counted %d", n)
	}
}

// sound checks what a rope promises.
func sound(t *testing.T, n *node) {
	t.Helper()
	if n == nil {
		return
	}
	if n.isLeaf() {
		if n.size != len(n.s) || n.ends != strings.Count(n.s, "\n") || n.size == 0 || n.size > leafSize {
			t.Fatalf("a leaf of %d bytes says %d, %d", len(n.s), n.size, n.ends)
		}
		return
	}
	if d := n.left.height - n.right.height; d < -1 || d > 1 {
		t.Fatalf("heights %d and %d", n.left.height, n.right.height)
	}
	if n.size != n.left.size+n.right.size || n.ends != n.left.ends+n.right.ends {
		t.Fatal("a node does not add up")
	}
	sound(t, n.left)
	sound(t, n.right)
}

// same compares a text with a plain string.
func same(t *testing.T, got Text, want string) {
	t.Helper()
	sound(t, got.root)
	if s := got.String(); s != want {
		t.Fatalf("text %q, want %q", s, want)
	}
	lines := strings.Split(want, "\n")
	if got.Lines() != len(lines) {
		t.Fatalf("%d lines, want %d", got.Lines(), len(lines))
	}
	pos := 0
	for i, l := range lines {
		end := pos + len(l)
		if i < len(lines)-1 && strings.HasSuffix(l, "\r") {
			end--
		}
		if got.LineStart(i) != pos || got.LineEnd(i) != end || got.Line(pos) != i || got.Line(end) != i {
			t.Fatalf("line %d of %q: from %d to %d, want %d to %d", i, want, got.LineStart(i), got.LineEnd(i), pos, end)
		}
		pos += len(l) + 1
	}
}

// model is the same buffer on a plain string, without a past.
type model struct {
	text       string
	anchor, at int
}

func (m *model) ends() (int, int) { return min(m.anchor, m.at), max(m.anchor, m.at) }

func (m *model) put(from, to int, s string) {
	m.text = m.text[:from] + s + m.text[to:]
	m.anchor, m.at = from+len(s), from+len(s)
}

// characters gives where the characters of a text begin, and its end.
func characters(s string) (starts []int) {
	for it := graphemes.FromString(s); it.Next(); {
		starts = append(starts, it.Start())
	}
	return append(starts, len(s))
}

// FuzzBuffer does the same to a buffer and to a plain string.
func FuzzBuffer(f *testing.F) {
	f.Add("Hello\nWorld\n", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	f.Add("a\r\n日本語\r\n👩‍👩‍👧 e\u0301\r\n", []byte{2, 0, 4, 1, 6, 9, 3, 3, 3, 8, 8, 7})
	f.Add("- one\n- two\n\n> q\n```\ncode\n", []byte{9, 9, 9, 10, 10, 11, 12, 13, 7, 7, 8})
	f.Add("مرحبا بالعالم\n"+strings.Repeat("x ", 900), []byte{5, 5, 5, 1, 4, 7, 7, 7, 14, 14, 2})
	f.Add(strings.Repeat("0123456789abcde\n", 300), []byte{14, 200, 3, 14, 100, 1, 5, 14, 250, 7, 8, 15, 15})
	f.Fuzz(func(t *testing.T, text string, ops []byte) {
		if !utf8.ValidString(text) || len(text) > 64<<10 || len(ops) > 300 {
			t.Skip("larger than it needs to be, or not a text")
		}
		b := New(text, 0, 4<<20)
		m := &model{text: text}
		pieces := []string{"x", " ", "\n", "日本", "e\u0301", "👩‍👩‍👧", "- ", "```\n", strings.Repeat("long ", 500), "\t", "1. ", "ß"}
		versions := 0
		for i, op := range ops {
			arg := 0
			if i+1 < len(ops) {
				arg = int(ops[i+1])
			}
			before := b.Version()
			from, to := m.ends()
			switch op % 17 {
			case 0:
				s := pieces[arg%len(pieces)]
				b.Type(s)
				m.put(from, to, s)
			case 1:
				s := pieces[arg%len(pieces)]
				b.Paste(s)
				if b.eol == "\r\n" {
					s = strings.ReplaceAll(s, "\n", "\r\n")
				}
				m.put(from, to, s)
			case 2, 3:
				motion := Left
				if op%17 == 3 {
					motion = Right
				}
				b.Erase(motion)
				starts := characters(m.text)
				k, whole := slices.BinarySearch(starts, m.at)
				switch {
				case from != to:
				case !whole: // inside of a character that an edit has made
					now := b.Text().String()
					from, to = b.now.at, b.now.at+len(m.text)-len(now)
				case motion == Left && k > 0:
					from = starts[k-1]
				case motion == Right && k+1 < len(starts):
					to = starts[k+1]
				}
				m.put(from, to, "")
			case 4, 5, 6:
				motion := Motion(arg % 10)
				selecting := op%17 == 5
				b.Move(motion, selecting)
				m.anchor, m.at = b.Selection()
			case 7:
				b.Undo()
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 8:
				b.Redo()
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 9:
				b.Newline()
				now := b.Text().String()
				if strings.Count(now, "\n") > strings.Count(m.text, "\n")+1 {
					t.Fatalf("more than one line came: %q to %q", m.text, now)
				}
				m.text = now
				m.anchor, m.at = b.Selection()
			case 10:
				b.Indent()
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 11:
				b.Outdent()
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 12:
				s := b.Cut()
				if len(m.text)-len(s) != b.Text().Len() || !strings.Contains(m.text, s) {
					t.Fatalf("cut %q of %q", s, m.text)
				}
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 13:
				n := b.ReplaceAll("x", "yz")
				m.text = strings.NewReplacer("x", "yz", "X", "yz").Replace(m.text)
				if n > 0 || b.Text().String() == m.text {
					m.anchor, m.at = b.Selection()
				}
			case 14:
				b.MoveTo(arg*len(m.text)/256, false)
				m.anchor, m.at = b.Selection()
				if !utf8.ValidString(m.text[:m.at]) {
					t.Fatalf("%d is inside of a rune of %q", m.at, m.text)
				}
			case 15:
				b.Splice(arg%7, arg%13, "!")
				m.text = b.Text().String()
				m.anchor, m.at = b.Selection()
			case 16:
				b.SelectWord()
				m.anchor, m.at = b.Selection()
			}
			if op%17 == 15 && !utf8.ValidString(m.text) {
				t.Skip("cut in the middle of a rune: the caller's fault")
			}
			same(t, b.Text(), m.text)
			if a, c := b.Selection(); a != m.anchor || c != m.at {
				t.Fatalf("after %d: selection %d %d, want %d %d of %q", op%17, a, c, m.anchor, m.at, m.text)
			}
			if m.at < 0 || m.at > len(m.text) || !utf8.ValidString(m.text[:m.at]) || !utf8.ValidString(m.text[:m.anchor]) {
				t.Fatalf("after %d: cursor %d in %q", op%17, m.at, m.text)
			}
			if b.Version() > before {
				versions++
			}
		}
		last := b.Text().String()
		n := 0
		for b.Undo() {
			n++
		}
		same(t, b.Text(), text)
		for b.Redo() {
			n--
		}
		for range b.future {
			n--
		}
		if n > 0 {
			t.Fatalf("%d steps were not redone", n)
		}
		if versions > 0 && len(b.future) == 0 && b.Text().String() != last && !undone(ops) {
			t.Fatalf("redone %q, want %q", b.Text(), last)
		}
	})
}

func undone(ops []byte) bool {
	for _, op := range ops {
		if op%17 == 7 || op%17 == 8 {
			return true
		}
	}
	return false
}

// Characters are found as in the whole text, wherever it is cut into leaves
// and windows.
func TestCharacters(t *testing.T) {
	text := strings.Repeat("a e\u0301 👩‍👩‍👧 日本 \r\n", 400) + strings.Repeat("深", 3000) + strings.Repeat("z", 3000)
	b := NewText(text)
	starts := characters(text)
	for i, s := range starts[:len(starts)-1] {
		if got := b.Next(s); got != starts[i+1] {
			t.Fatalf("next of %d: %d, want %d", s, got, starts[i+1])
		}
		if got := b.Prev(starts[i+1]); got != s {
			t.Fatalf("prev of %d: %d, want %d", starts[i+1], got, s)
		}
	}
}

// megabyte is a post that is too long.
func megabyte() string {
	var b strings.Builder
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "Paragraph %d goes on for a while, so that it takes several rows.\n\n", i)
	}
	return b.String()
}

func BenchmarkType(b *testing.B) {
	buf := New(megabyte(), 1<<19, 4<<20)
	for b.Loop() {
		buf.Type("x")
	}
}

func BenchmarkNewlineAtTheEnd(b *testing.B) {
	buf := New(megabyte(), 1<<20, 4<<20)
	for b.Loop() {
		buf.Newline()
	}
}

func BenchmarkPaste(b *testing.B) {
	s := megabyte()
	for b.Loop() {
		New("", 0, 4<<20).Paste(s)
	}
}

func BenchmarkMotions(b *testing.B) {
	for name, text := range map[string]string{"lines": megabyte(), "line": strings.Repeat("x", 1<<20), "wide": strings.Repeat("深", 1<<18)} {
		for m, what := range []string{"left", "right", "word-left", "word-right"} {
			b.Run(name+"/"+what, func(b *testing.B) {
				t := NewText(text)
				for b.Loop() {
					t.To(Motion(m), 1<<19)
				}
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	t := NewText(megabyte())
	for b.Loop() {
		t.Find("no such words", 0)
	}
}
