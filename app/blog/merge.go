package blog

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// HunkKind says who has changed a piece of a text.
type HunkKind int

const (
	Same   HunkKind = iota // nobody
	Mine                   // only the one
	Theirs                 // only the other
	Both                   // both, and in the same way
	Clash                  // both, each in another way
)

// A Hunk is a piece of three texts, whole lines of each. What is not changed is
// the same in all.
type Hunk struct {
	Kind               HunkKind
	Base, Mine, Theirs []byte
}

// Merge compares two texts with the one that both began from, by lines. All
// Base together are base, all Mine are mine, all Theirs are theirs. The hunks
// share the bytes of the texts.
func Merge(base, mine, theirs []byte) []Hunk {
	b, m, t := split(base), split(mine), split(theirs)
	inMine, inTheirs := kept(b, m), kept(b, t)
	var out []Hunk
	add := func(kind HunkKind, b, m, t []byte) {
		if last := len(out) - 1; last >= 0 && out[last].Kind == Same && kind == Same {
			h := &out[last]
			h.Base, h.Mine, h.Theirs = h.Base[:len(h.Base)+len(b)], h.Mine[:len(h.Mine)+len(m)], h.Theirs[:len(h.Theirs)+len(t)]
			return
		}
		out = append(out, Hunk{kind, b, m, t})
	}
	// Offsets, in bytes, of what has been told.
	fromB, fromM, fromT := 0, 0, 0
	take := func(text []byte, from *int, lines [][]byte) []byte {
		n := 0
		for _, l := range lines {
			n += len(l)
		}
		*from += n
		return text[*from-n : *from]
	}
	i, j, k := 0, 0, 0
	for i < len(b) || j < len(m) || k < len(t) {
		if i < len(b) && inMine[i] == j && inTheirs[i] == k {
			add(Same, take(base, &fromB, b[i:i+1]), take(mine, &fromM, m[j:j+1]), take(theirs, &fromT, t[k:k+1]))
			i, j, k = i+1, j+1, k+1
			continue
		}
		// On to the next line that all three have.
		to := i
		for to < len(b) && (inMine[to] < 0 || inTheirs[to] < 0) {
			to++
		}
		toM, toT := len(m), len(t)
		if to < len(b) {
			toM, toT = inMine[to], inTheirs[to]
		}
		x, y, z := take(base, &fromB, b[i:to]), take(mine, &fromM, m[j:toM]), take(theirs, &fromT, t[k:toT])
		kind := Clash
		switch {
		case bytes.Equal(y, z):
			kind = Both
		case bytes.Equal(x, z):
			kind = Mine
		case bytes.Equal(x, y):
			kind = Theirs
		}
		add(kind, x, y, z)
		i, j, k = to, toM, toT
	}
	return out
}

// kept gives for each line of a the line of b that it has become, -1 for those
// that are gone.
func kept(a, b [][]byte) []int {
	to := make([]int, len(a))
	for _, s := range script(a, b) {
		switch s.kind {
		case ' ':
			to[s.a] = s.b
		case '-':
			to[s.a] = -1
		}
	}
	return to
}

// A Span is a piece of the way from one text to another: Kind is ' ', '-' or
// '+'. The text is as it was, not cleaned.
type Span struct {
	Kind byte
	Text string
}

// maxWords bounds the bytes of a piece in which single words are compared: a
// longer one is shown as replaced whole.
const maxWords = 32 << 10

// Words is the difference of two texts, by words: runs of letters and digits,
// runs of blanks, and every other character, of which Chinese, Japanese and
// Korean ones are words of their own. All but the '+' together are a, all but
// the '-' are b. Texts that differ in very many lines are compared by lines.
func Words(a, b string) []Span {
	var w wording
	old, now := 0, 0 // where the lines that differ begin
	atA, atB := 0, 0
	differ := func() {
		w.compare(a[old:atA], b[now:atB])
		old, now = atA, atB
	}
	for _, s := range script(split([]byte(a)), split([]byte(b))) {
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
	w.settle()
	return w.spans
}

// wording gathers the spans of a difference.
type wording struct {
	spans    []Span
	old, now strings.Builder // a change that goes on
	blank    string          // between two changes, perhaps
}

func (w *wording) same(text string) {
	w.settle()
	w.put(' ', text)
}

func (w *wording) put(kind byte, text string) {
	if text == "" {
		return
	}
	if last := len(w.spans) - 1; last >= 0 && w.spans[last].Kind == kind {
		w.spans[last].Text += text
		return
	}
	w.spans = append(w.spans, Span{kind, text})
}

// settle ends a change. The blank that waits was not in the midst of one.
func (w *wording) settle() {
	w.put('-', w.old.String())
	w.put('+', w.now.String())
	w.put(' ', w.blank)
	w.old.Reset()
	w.now.Reset()
	w.blank = ""
}

func (w *wording) compare(a, b string) {
	if a == "" || b == "" || len(a)+len(b) > maxWords {
		w.change(a, b)
		return
	}
	for _, s := range script(wordsOf(a), wordsOf(b)) {
		switch text := string(s.line); s.kind {
		case '-':
			w.change(text, "")
		case '+':
			w.change("", text)
		default:
			// One blank that stays is no rest between two words that change.
			if w.blank == "" && w.old.Len()+w.now.Len() > 0 && strings.Trim(text, " \t") == "" {
				w.blank = text
			} else {
				w.same(text)
			}
		}
	}
}

func (w *wording) change(old, now string) {
	if old == "" && now == "" {
		return
	}
	w.old.WriteString(w.blank + old)
	w.now.WriteString(w.blank + now)
	w.blank = ""
}

// wordsOf takes a text apart into what is compared as one.
func wordsOf(s string) [][]byte {
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
				// An accent, a colour of skin: of the character before.
			case joined && kind == lone: // an emoji of several
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
