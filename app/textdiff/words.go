package textdiff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Span is a piece of the way from one text to another: Kind is ' ' for what
// both have, '-' for what only the first and '+' for what only the second has.
type Span struct {
	Kind byte
	Text string
}

// maxWordsBytes bounds the pieces in which single words are compared: a longer
// one counts as replaced as a whole.
const maxWordsBytes = 32 << 10

// Words returns the difference of two texts by words: runs of letters and
// digits, runs of blanks, and every other character by itself, as are those of
// Chinese, Japanese and Korean. All spans but the '+' joined are a, all but the
// '-' are b. Texts that differ in very many lines are compared by lines.
func Words(a, b string) []Span {
	var w wordDiff
	old, now := 0, 0 // where the lines that differ begin
	atA, atB := 0, 0
	differ := func() {
		w.compare(a[old:atA], b[now:atB])
		old, now = atA, atB
	}
	for _, s := range editScript(splitLines([]byte(a)), splitLines([]byte(b))) {
		switch s.kind {
		case '-':
			atA += len(s.line)
		case '+':
			atB += len(s.line)
		default:
			differ()
			w.same(string(s.line))
			atA, atB = atA+len(s.line), atB+len(s.line)
			old, now = atA, atB
		}
	}
	differ()
	w.flush()
	return w.spans
}

// A wordDiff gathers the spans of a difference.
type wordDiff struct {
	spans    []Span
	old, now strings.Builder // the change that is being gathered
	blank    string          // one that stayed between two words that did not
}

func (w *wordDiff) same(text string) {
	w.flush()
	w.append(' ', text)
}

func (w *wordDiff) append(kind byte, text string) {
	if text == "" {
		return
	}
	if last := len(w.spans) - 1; last >= 0 && w.spans[last].Kind == kind {
		w.spans[last].Text += text
		return
	}
	w.spans = append(w.spans, Span{kind, text})
}

// flush ends a change. A blank still held back came after it.
func (w *wordDiff) flush() {
	w.append('-', w.old.String())
	w.append('+', w.now.String())
	w.append(' ', w.blank)
	w.old.Reset()
	w.now.Reset()
	w.blank = ""
}

func (w *wordDiff) compare(a, b string) {
	if a == "" || b == "" || len(a)+len(b) > maxWordsBytes {
		w.change(a, b)
		return
	}
	for _, s := range editScript(splitWords(a), splitWords(b)) {
		switch text := string(s.line); s.kind {
		case '-':
			w.change(text, "")
		case '+':
			w.change("", text)
		default:
			// A single blank between two changed words does not part them.
			if w.blank == "" && w.old.Len()+w.now.Len() > 0 && strings.Trim(text, " \t") == "" {
				w.blank = text
			} else {
				w.same(text)
			}
		}
	}
}

func (w *wordDiff) change(old, now string) {
	if old == "" && now == "" {
		return
	}
	w.old.WriteString(w.blank + old)
	w.now.WriteString(w.blank + now)
	w.blank = ""
}

// splitWords takes a text apart into what Words compares as a unit. A combining
// mark, a skin colour and the parts of a joined emoji stay with the character
// they belong to; an apostrophe before a letter is inside its word.
func splitWords(s string) [][]byte {
	const (
		letter = iota
		blank
		lone
	)
	kindOf := func(r rune) int {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			return lone
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_':
			return letter
		case r == ' ', r == '\t':
			return blank
		}
		return lone
	}
	var out [][]byte
	text := []byte(s)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		kind := kindOf(r)
		for joined := false; n < len(text); {
			next, size := utf8.DecodeRune(text[n:])
			inWord := kind == letter && (next == '\'' || next == '’')
			if inWord {
				after, _ := utf8.DecodeRune(text[n+size:])
				inWord = unicode.IsLetter(after)
			}
			switch {
			case kind != blank && (unicode.IsMark(next) || next == '\u200d' || next >= 0x1f3fb && next <= 0x1f3ff):
				// A mark or a skin colour: part of the character before.
			case joined && kind == lone: // the next part of a joined emoji
			case inWord, kind != lone && kindOf(next) == kind:
			default:
				size = 0
			}
			if size == 0 {
				break
			}
			joined = next == '\u200d'
			n += size
		}
		out = append(out, text[:n:n])
		text = text[n:]
	}
	return out
}
