// Package fold brings text to the form in which searches and file systems
// compare it.
package fold

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// String brings text to what searches compare: lower case, no accents, one letter
// for those that keyboards exchange. Folding what is folded changes nothing.
func String(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return string(Append(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// Append appends the folded form of s to a slice, and returns that. Line ends
// stay where they are.
func Append[T string | []byte](to []byte, s T) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			to = append(to, c)
			i++
			continue
		}
		from := i
		for i < len(s) && s[i] >= utf8.RuneSelf {
			i++
		}
		to = appendRun(to, []byte(s[from:i]))
	}
	return to
}

// appendRun folds text outside ASCII.
func appendRun(to, run []byte) []byte {
	table := letters()
	for len(run) > 0 {
		r, n := utf8.DecodeRune(run)
		switch {
		case int(r) < len(table):
			to = append(to, table[r]...)
		case r >= 0x3040 && r <= 0xd7a3 && !isPart(r): // kana, Han, Hangul: nothing to fold
			to = append(to, run[:n]...)
		case isPart(r):
			to = norm.NFC.Append(to, run[:n]...)
		default:
			to = appendRune(to, r)
		}
		run = run[n:]
	}
	return to
}

// isPart reports the parts in which some systems write the letters of Korean
// and the voiced ones of Japanese. They are put together again.
func isPart(r rune) bool { return r >= 0x1100 && r <= 0x11ff || r == 0x3099 || r == 0x309a }

// letters has what the letters of Latin, Greek, Cyrillic, Armenian, Hebrew and
// Arabic are folded to, as appendRune does it ten times as slowly.
var letters = sync.OnceValue(func() *[0x700]string {
	t := new([0x700]string)
	for r := range rune(len(t)) {
		t[r] = string(appendRune(nil, r))
	}
	return t
})

// appendRune folds one character. A letter is taken apart (Unicode
// Standard Annex 15, NFD), and its accents are left out.
func appendRune(to []byte, r rune) []byte {
	var b [utf8.UTFMax]byte
	parts := norm.NFD.Properties(utf8.AppendRune(b[:0], r)).Decomposition()
	if parts == nil {
		return appendPart(to, r)
	}
	for _, r := range string(parts) {
		to = appendPart(to, r)
	}
	return to
}

// appendPart folds a letter or mark that has no parts.
func appendPart(to []byte, r rune) []byte {
	if r >= 0x300 && unicode.Is(unicode.Mn, r) && isAccent(r) {
		return to
	}
	switch r = unicode.ToLower(r); r {
	case 'ß':
		return append(to, "ss"...)
	case 'æ':
		return append(to, "ae"...)
	case 'œ':
		return append(to, "oe"...)
	case 'þ':
		return append(to, "th"...)
	case 'đ', 'ð':
		r = 'd'
	case 'ħ':
		r = 'h'
	case 'ı':
		r = 'i'
	case 'ł', 'ŀ':
		r = 'l'
	case 'ŋ':
		r = 'n'
	case 'ø':
		r = 'o'
	case 'ſ':
		r = 's'
	case 'ŧ':
		r = 't'
	case 'ς':
		r = 'σ'
	case 'ي', 'ى':
		r = 'ی'
	case 'ك':
		r = 'ک'
	case '’':
		r = '\''
	case 0x640, 0x200c, 0x200d: // what only stretches and joins
		return to
	}
	return utf8.AppendRune(to, r)
}

// isAccent reports whether a non-spacing mark is one that readers leave out when
// they type a word: those above, below and through letters, and the vowels of
// Arabic and Hebrew. In Indic scripts, Thai and kana such marks are letters of
// their own, and have other combining classes (Unicode Standard, 4.3).
func isAccent(r rune) bool {
	var b [utf8.UTFMax]byte
	switch class := norm.NFD.Properties(utf8.AppendRune(b[:0], r)).CCC(); {
	case class == 1, class >= 10 && class <= 35, class >= 200 && class <= 240:
		return true
	}
	return false
}

// Index returns where a folded word stands in text that is not folded, -1 if it
// does not.
func Index(text string, word []byte) int {
	at := bytes.Index(Append(make([]byte, 0, len(text)), text), word)
	if at < 0 {
		return -1
	}
	// A step takes what is folded by itself.
	var folded []byte
	for i, n := 0, 0; i < len(text); i += n {
		if n = 1; text[i] >= utf8.RuneSelf {
			n = norm.NFC.NextBoundaryInString(text[i:], true)
		}
		folded = Append(folded[:0], text[i:i+n])
		if at -= len(folded); at < 0 {
			return i
		}
	}
	return -1
}

// Name brings the path of a file to the form in which names are compared: two
// with the same one cannot both be on every disk, because some tell neither
// capitals nor the forms of accents apart.
func Name(p string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(p))) }
