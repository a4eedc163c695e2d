package blog

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldString brings text to what searches compare: lower case, no accents, one
// letter for those that keyboards exchange. Folding what is folded changes
// nothing.
func foldString(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return string(appendFold(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// appendFold appends the folded form of s. Line ends stay where they are.
func appendFold[T string | []byte](to []byte, s T) []byte {
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
		to = appendFoldedRun(to, []byte(s[from:i]))
	}
	return to
}

// appendFoldedRun folds text outside ASCII.
func appendFoldedRun(to, run []byte) []byte {
	table := foldTable()
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
			to = appendFoldedRune(to, r)
		}
		run = run[n:]
	}
	return to
}

// isPart reports the parts in which some systems write the letters of Korean
// and the voiced ones of Japanese. They are put together again.
func isPart(r rune) bool { return r >= 0x1100 && r <= 0x11ff || r == 0x3099 || r == 0x309a }

// foldTable has what the letters of Latin, Greek, Cyrillic, Armenian, Hebrew and
// Arabic are folded to, as appendFoldedRune does it ten times as slowly.
var foldTable = sync.OnceValue(func() *[0x700]string {
	t := new([0x700]string)
	for r := range rune(len(t)) {
		t[r] = string(appendFoldedRune(nil, r))
	}
	return t
})

// appendFoldedRune folds one character. A letter is taken apart (Unicode
// Standard Annex 15, NFD), and its accents are left out.
func appendFoldedRune(to []byte, r rune) []byte {
	var b [utf8.UTFMax]byte
	parts := norm.NFD.Properties(utf8.AppendRune(b[:0], r)).Decomposition()
	if parts == nil {
		return appendFoldedPart(to, r)
	}
	for _, r := range string(parts) {
		to = appendFoldedPart(to, r)
	}
	return to
}

// appendFoldedPart folds a letter or mark that has no parts.
func appendFoldedPart(to []byte, r rune) []byte {
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
