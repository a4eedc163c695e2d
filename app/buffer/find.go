package buffer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A matcher finds some words. Case counts only if they hold a capital.
type matcher struct {
	fold  func(s string) string         // done once to what is searched; it keeps the length
	first func(s string) (from, to int) // the first match in what is folded, -1 when there is none
}

func newMatcher(want string) matcher {
	asItIs := func(s string) string { return s }
	index := func(s string) (int, int) {
		i := strings.Index(s, want)
		return i, i + len(want)
	}
	exact := strings.ContainsFunc(want, unicode.IsUpper)
	ascii := !strings.ContainsFunc(want, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case exact:
		return matcher{asItIs, index}
	case ascii:
		return matcher{lowerASCII, index}
	}
	re, err := regexp.Compile("(?i:" + regexp.QuoteMeta(want) + ")")
	return matcher{asItIs, func(s string) (int, int) {
		if err != nil {
			return -1, -1
		}
		if m := re.FindStringIndex(s); m != nil {
			return m[0], m[1]
		}
		return -1, -1
	}}
}

// lowerASCII keeps the length.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// block is how much is searched at once, in bytes.
const block = 16 << 10

// Match finds the first match that begins at from or behind it and before to.
// Case counts only if the words hold a capital.
func (t Text) Match(words string, from, to int) (begin, end int, ok bool) {
	if words == "" {
		return 0, 0, false
	}
	return t.match(newMatcher(words), 4*len(words), from, to)
}

func (t Text) match(m matcher, longest, from, to int) (begin, end int, ok bool) {
	to = min(to, t.Len())
	for from < to {
		part := min(block, to-from)
		if i, j := m.first(m.fold(t.Slice(from, from+part+longest))); i >= 0 && from+i < to {
			return from + i, from + j, true
		}
		from = t.whole(from + part)
		if part < block {
			break
		}
	}
	return 0, 0, false
}

// Find finds the next match from a place on; after the text's end it goes on
// at its beginning.
func (t Text) Find(words string, at int) (begin, end int, ok bool) {
	if begin, end, ok = t.Match(words, at, t.Len()); ok {
		return begin, end, ok
	}
	return t.Match(words, 0, at)
}

// Count counts the matches, one thousand at most.
func (t Text) Count(words string) (n int) {
	const most = 1000
	for _, end, ok := t.Match(words, 0, t.Len()); ok && n < most; _, end, ok = t.Match(words, end, t.Len()) {
		n++
	}
	return n
}
