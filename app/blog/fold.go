package blog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldString brings text to what searches compare: lower case, no accents, the
// letters that keyboards exchange made one.
func foldString(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return string(appendFold(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

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
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		to = appendFoldedRune(to, r)
		i += n
	}
	return to
}

func appendFoldedRune(to []byte, r rune) []byte {
	switch {
	case r < 0x300:
	case r < 0x370, r >= 0x64B && r <= 0x652, r == 0x640, r >= 0x591 && r <= 0x5C7, r == 0x200C, r == 0x200D:
		return to // combining accents, Arabic and Hebrew vowel signs, joiners
	case r >= 0x3000 && r != 0x3000: // kana, Han, Hangul have no case and nothing to fold
		return utf8.AppendRune(to, r)
	}
	r = unicode.ToLower(r)
	if r >= 0xDF && r < 0x250 || r >= 0x1E00 && r < 0x1F00 {
		switch r {
		case 'ß':
			return append(to, "ss"...)
		case 'æ':
			return append(to, "ae"...)
		case 'œ':
			return append(to, "oe"...)
		case 'þ':
			return append(to, "th"...)
		}
		for i, accented := range bases {
			if strings.ContainsRune(accented, r) {
				return append(to, baseLetters[i])
			}
		}
		return utf8.AppendRune(to, r)
	}
	switch r {
	case 'ё':
		r = 'е'
	case 'ά':
		r = 'α'
	case 'έ':
		r = 'ε'
	case 'ή':
		r = 'η'
	case 'ί', 'ϊ', 'ΐ':
		r = 'ι'
	case 'ό':
		r = 'ο'
	case 'ύ', 'ϋ', 'ΰ':
		r = 'υ'
	case 'ώ':
		r = 'ω'
	case 'ς':
		r = 'σ'
	case 'ي', 'ى':
		r = 'ی'
	case 'ك':
		r = 'ک'
	case 'أ', 'إ', 'آ':
		r = 'ا'
	case '’':
		r = '\''
	}
	return utf8.AppendRune(to, r)
}

const baseLetters = "acdeghijklnorstuwyz"

var bases = [len(baseLetters)]string{
	"àáâãäåāăąǎạảấầẩẫậắằẳẵặ", "çćĉċč", "ďđð", "èéêëēĕėęěẹẻẽếềểễệ", "ĝğġģ", "ĥħ", "ìíîïĩīĭįıǐỉị", "ĵ", "ķ", "ĺļľŀł",
	"ñńņňŋ", "òóôõöøōŏőơǒọỏốồổỗộớờởỡợ", "ŕŗř", "śŝşšșſ", "ţťŧț", "ùúûüũūŭůűųưǔụủứừửữự", "ŵẁẃẅ", "ýÿŷỳỵỷỹ", "źżž",
}
