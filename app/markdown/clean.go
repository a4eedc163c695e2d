package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxCombining is how many combining marks one character may carry; no living
// script needs more, and a tower of them would cover other lines.
const maxCombining = 4

// Clean makes text safe to show: valid UTF-8 (U+FFFD where it was not), no
// control characters but \n and \t, none that turn the direction of writing,
// no invisible tags, and none of the runes this package uses as placeholders.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for _, r := range s { // a broken byte comes as U+FFFD
		switch {
		case r < 0x80:
			marks = 0
			if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
				continue
			}
		case harmful(r):
			continue
		case r == 0x2028 || r == 0x2029:
			r, marks = ' ', 0
		case r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > maxCombining {
				continue
			}
		default:
			marks = 0
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Line is Clean for text that has to stay on one line, of a log, a list or a
// title: runs of blanks and line ends become one space, and none are left at
// either end.
func Line(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// harmful reports whether a rune could change how a terminal shows others, or
// whether it is a placeholder.
func harmful(r rune) bool {
	switch {
	case r < 0xa0, // C1
		r == 0xad, r == 0x61c, r == 0xfeff,
		r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x206f,
		r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f,
		r >= firstPlaceholder:
		return true
	}
	return false
}

// isClean reports whether Clean would change nothing; it is the common case.
func isClean(s string) bool {
	marks := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < 0x80 {
			if c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
				return false
			}
			marks = 0
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || harmful(r) || r == 0x2028 || r == 0x2029 {
			return false
		}
		if r >= 0x300 && (r < 0x3041 || r > 0xd7ff) && unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxCombining {
				return false
			}
		} else {
			marks = 0
		}
		i += n
	}
	return true
}

// normalizeNewlines brings line ends to \n and takes a byte order mark away.
func normalizeNewlines(s string) string {
	s = strings.TrimPrefix(s, "\ufeff")
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
