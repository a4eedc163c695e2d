package typeset

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// A run is inline text with one look, as the tree gives it: blanks in it may
// become line ends.
type run struct {
	text  string
	face  face
	link  int  // 1 + index of the page's link, 0 none
	solid bool // code: blanks count as typed, hyphens do not break
	end   bool // a line end the author asked for; text is empty
	image int  // 1 + index of the page's image whose description begins here
}

// A piece is a part of a row, with one look; link and image as in a run.
type piece struct {
	text  string
	cells int
	face  face
	link  int
	image int
}

type row []piece

func (r row) cells() int {
	n := 0
	for _, p := range r {
		n += p.cells
	}
	return n
}

func pieceOf(s string, f face) piece { return piece{text: s, cells: width(s), face: f} }

func blankPiece(cells int) piece { return piece{text: spaces(cells), cells: cells} }

// width counts the cells of text without escape sequences, as x/ansi does.
func width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// cluster returns the first user-perceived character of s (a grapheme cluster,
// UAX 29) and its cells.
func cluster(s string) (string, int) {
	if s[0] < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		return s[:1], 1
	}
	return ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
}

// maxPiece bounds the bytes of a piece that grows by one character at a time.
const maxPiece = 256

// A lineBreaker fills rows of a width with runs: it breaks at blanks, after
// hyphens between letters, between the characters of scripts written without
// blanks (but not before closing punctuation or after opening), and through a
// word only when the word is longer than a row.
type lineBreaker struct {
	width int
	rows  []row

	cur       row
	used      int // cells of cur
	gap       row // the blanks between cur and word
	gapCells  int
	word      row
	wordCells int

	last     rune // the character before, 0 after a blank
	canBreak bool // a row may end after last: it is a dash
}

// breakRuns breaks runs into rows of at most width cells.
func breakRuns(runs []run, width int) []row {
	b := lineBreaker{width: max(width, 1)}
	for _, r := range runs {
		b.add(r)
	}
	b.flushWord()
	if len(b.cur) > 0 {
		b.endRow()
	}
	return b.rows
}

// add takes a run apart into words, blanks and single characters.
func (b *lineBreaker) add(r run) {
	if r.end {
		b.flushWord()
		b.endRow()
		return
	}
	for s := r.text; s != ""; {
		n := 0
		for n < len(s) && s[n] > ' ' && s[n] < utf8.RuneSelf { // the common case: a word in ASCII
			n++
			if s[n-1] == '-' && !r.solid && hyphenAt(s, n-1) {
				break
			}
		}
		if n > 0 && n < len(s) && s[n] >= utf8.RuneSelf {
			n-- // the last letter may carry a mark
		}
		switch {
		case n > 0:
			b.addPiece(piece{text: s[:n], cells: n, face: r.face, link: r.link}, rune(s[0]))
			b.last = rune(s[n-1])
			b.canBreak = b.last == '-' && n < len(s) && letter(s[n]) && !r.solid
		case s[0] == ' ' || s[0] == '\t' || s[0] == '\n':
			n = 1
			b.addBlank(r)
		default:
			cl, w := cluster(s)
			n = len(cl)
			b.addChar(r, cl, w)
		}
		s = s[n:]
	}
}

// hyphenAt reports whether the - at i parts two words of at least two letters.
func hyphenAt(s string, i int) bool {
	return i > 1 && letter(s[i-1]) && letter(s[i-2]) && i+2 < len(s) && letter(s[i+1]) && letter(s[i+2])
}

// addChar adds one character outside ASCII, or one that carries a mark. What
// has no width belongs to the character before it, whatever run that came from.
func (b *lineBreaker) addChar(r run, cl string, w int) {
	c, _ := utf8.DecodeRuneInString(cl)
	switch c {
	case 0x200B: // zero width space: a place to break, nothing to see
		b.flushWord()
		return
	case 0x00AD, 0xFEFF, 0x2060: // a soft hyphen, a byte order mark, a word joiner
		return
	}
	if n := len(b.word); w == 0 && n > 0 && len(b.word[n-1].text) < maxPiece {
		p := &b.word[n-1]
		b.wordCells -= p.cells
		p.text += cl
		p.cells = width(p.text)
		b.wordCells += p.cells
		return
	}
	b.addPiece(piece{text: cl, cells: w, face: r.face, link: r.link, image: r.image}, c)
	b.last = c
	b.canBreak = c == '—' || c == '–'
}

// addBlank ends a word; in code every blank counts.
func (b *lineBreaker) addBlank(r run) {
	b.flushWord()
	b.last, b.canBreak = 0, false
	if len(b.gap) > 0 && !r.solid {
		return
	}
	b.gap = append(b.gap, piece{text: " ", cells: 1, face: r.face, link: r.link})
	b.gapCells++
}

// addPiece adds a piece that begins with the character first to the word being
// gathered, or begins another where a row may end before it.
func (b *lineBreaker) addPiece(p piece, first rune) {
	if b.last != 0 && (b.canBreak || unspaced(first) || unspaced(b.last)) && !cannotStart(first) && !cannotEnd(b.last) {
		b.flushWord()
	}
	if n := len(b.word); n > 0 && b.word[n-1].takes(p) && len(b.word[n-1].text) < maxPiece {
		b.word[n-1].text += p.text
		b.word[n-1].cells += p.cells
	} else {
		b.word = append(b.word, p)
	}
	b.wordCells += p.cells
}

// flushWord puts the word gathered so far on this row or the next.
func (b *lineBreaker) flushWord() {
	if len(b.word) == 0 {
		return
	}
	if b.used > 0 && b.used+b.gapCells+b.wordCells > b.width {
		b.endRow()
	}
	if b.used > 0 {
		b.put(b.gap...)
	}
	b.gap, b.gapCells = b.gap[:0], 0
	if b.used+b.wordCells <= b.width {
		b.put(b.word...)
	} else {
		for _, p := range b.word {
			b.splitPiece(p)
		}
	}
	b.word, b.wordCells = b.word[:0], 0
}

// splitPiece breaks a piece of a word that is longer than a row, where it can
// after one of the signs addresses are made of. A character that is wider than
// a row is shown as …, so that no row is wider than promised.
func (b *lineBreaker) splitPiece(p piece) {
	for b.used+p.cells > b.width {
		room := b.width - b.used
		n, cells := fit(p.text, room, "/-_.?&=,;:", room*2/3)
		if n == 0 && b.used > 0 {
			b.endRow()
			continue
		}
		part := piece{text: p.text[:n], cells: cells, face: p.face, link: p.link, image: p.image}
		if n == 0 {
			cl, w := cluster(p.text)
			n, cells = len(cl), w
			part.text, part.cells, part.image = "…", 1, 0
		}
		b.put(part)
		p.text, p.cells = p.text[n:], p.cells-cells
		if p.text == "" {
			return
		}
		b.endRow()
	}
	b.put(p)
}

// fit returns how much of a text fits in room cells. Of a text that does not
// fit it takes no more than up to the last of some signs, if that fills more
// than least cells.
func fit(text string, room int, signs string, least int) (n, cells int) {
	good, goodCells := 0, 0
	for n < len(text) {
		cl, w := cluster(text[n:])
		if cells+w > room {
			if good > 0 {
				return good, goodCells
			}
			return n, cells
		}
		n, cells = n+len(cl), cells+w
		if cells > least && strings.ContainsAny(cl, signs) {
			good, goodCells = n, cells
		}
	}
	return n, cells
}

// takes reports whether p looks the same and may be appended to q.
func (q piece) takes(p piece) bool { return q.face == p.face && q.link == p.link && p.image == 0 }

func (b *lineBreaker) put(ps ...piece) {
	for _, p := range ps {
		b.used += p.cells
		if n := len(b.cur); n > 0 && b.cur[n-1].takes(p) {
			b.cur[n-1].text += p.text
			b.cur[n-1].cells += p.cells
		} else {
			b.cur = append(b.cur, p)
		}
	}
}

func (b *lineBreaker) endRow() {
	b.rows = append(b.rows, b.cur)
	b.cur, b.used = nil, 0
	b.gap, b.gapCells = b.gap[:0], 0
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// unspaced reports whether a character is of a script written without blanks,
// in which a row may end anywhere. Korean has blanks.
func unspaced(r rune) bool {
	return r >= 0x2E80 && (r < 0xA4D0 || r >= 0xF900 && r < 0xFB00 || r >= 0xFE30 && r < 0xFE50 ||
		r >= 0xFF00 && r < 0xFFEF || r >= 0x20000 && r < 0x40000)
}

// cannotStart and cannotEnd report whether a row must not begin or end with a
// character: closing and opening punctuation (JIS X 4051, kinsoku shori).
func cannotStart(r rune) bool {
	return strings.ContainsRune("、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝〕〉》」』】〙〗〟’”»!?),.:;]}%‰…‥ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～", r)
}

func cannotEnd(r rune) bool {
	return strings.ContainsRune("（［｛〔〈《「『【〘〖〝‘“«([{", r)
}

// minWidth returns the least number of cells that runs need so that no word is
// broken, at most limit. A stretch of code counts as one word: broken between
// the rows of other cells nobody could read it together.
func minWidth(runs []run, limit int) int {
	need, word := 0, 0
	for _, r := range runs {
		if r.end {
			word = 0
			continue
		}
		for i := 0; i < len(r.text); {
			if c := r.text[i]; (c == ' ' || c == '\t' || c == '\n') && !r.solid {
				word = 0
				i++
				continue
			}
			cl, w := cluster(r.text[i:])
			if c, _ := utf8.DecodeRuneInString(cl); unspaced(c) {
				word = 2 * w // it and the punctuation that must not be parted from it
			} else {
				word += w
			}
			need = max(need, word)
			i += len(cl)
		}
	}
	return min(need, limit)
}

// maxWidth returns the number of cells that runs take when no row is broken but
// where the author asks for it.
func maxWidth(runs []run) int {
	widest, n := 0, 0
	for _, r := range runs {
		if r.end {
			n = 0
			continue
		}
		n += width(r.text)
		widest = max(widest, n)
	}
	return widest
}
