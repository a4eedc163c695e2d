package buffer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/clipperhouse/uax29/v2/words"
)

// A Motion is a way to another place.
type Motion int

// The motions. A word's end is where WordRight stops, its beginning where
// WordLeft does; LineStart stops at the first character that is no blank, and
// goes on from there to the line's beginning.
const (
	Left Motion = iota
	Right
	WordLeft
	WordRight
	LineStart
	LineEnd
	ParagraphUp
	ParagraphDown
	TextStart
	TextEnd
)

// To gives where a motion leads from a place.
func (t Text) To(m Motion, at int) int {
	at = max(min(at, t.Len()), 0)
	switch m {
	case Left:
		return t.Prev(at)
	case Right:
		return t.Next(at)
	case WordLeft:
		return t.wordLeft(at)
	case WordRight:
		return t.wordRight(at)
	case LineStart:
		line := t.Line(at)
		start, end := t.LineStart(line), t.LineEnd(line)
		text := start
		for text < end && blank(t.byte(text)) && t.Next(text) == text+1 {
			text++
		}
		if text == at || text == end {
			return start
		}
		return text
	case LineEnd:
		return t.LineEnd(t.Line(at))
	case ParagraphUp:
		line := t.Line(at)
		if at == t.LineStart(line) {
			line--
		}
		for line > 0 && t.empty(line) {
			line--
		}
		for line > 0 && !t.empty(line-1) {
			line--
		}
		return t.LineStart(max(line, 0))
	case ParagraphDown:
		line, lines := t.Line(at), t.Lines()
		for line < lines && !t.empty(line) {
			line++
		}
		for line < lines && t.empty(line) {
			line++
		}
		return t.LineStart(line)
	case TextStart:
		return 0
	}
	return t.Len()
}

func (t Text) byte(at int) byte { return t.Slice(at, at+1)[0] }

func blank(c byte) bool { return c == ' ' || c == '\t' }

// empty reports a line without text.
func (t Text) empty(line int) bool {
	const enough = 256
	start, end := t.LineStart(line), t.LineEnd(line)
	return end-start < enough && strings.TrimSpace(t.Slice(start, end)) == ""
}

// window is how far is looked at once, in bytes; no character that people write
// is longer.
const window = 256

// Next gives the end of the character at a place.
func (t Text) Next(at int) int {
	if at >= t.Len() {
		return t.Len()
	}
	s := t.Slice(at, at+window)
	if len(s) > 1 && s[0] < utf8.RuneSelf && s[0] != '\r' && s[1] < utf8.RuneSelf {
		return at + 1
	}
	return at + max(len(graphemes.FromString(s).First()), 1)
}

// Prev gives the beginning of the character before a place.
func (t Text) Prev(at int) int {
	if at <= 0 {
		return 0
	}
	from := t.apart(max(at-window, 0), at)
	last := from
	for it := graphemes.FromString(t.Slice(from, at)); it.Next(); {
		last = from + it.Start()
	}
	return last
}

// apart finds the last place before at that surely is between two characters:
// between two of ASCII; else from, or where a rune begins near it.
func (t Text) apart(from, at int) int {
	s := t.Slice(from, at)
	for i := len(s) - 2; i > 0; i-- {
		if s[i] < utf8.RuneSelf && s[i-1] < utf8.RuneSelf && (s[i-1] != '\r' || s[i] != '\n') {
			return from + i
		}
	}
	for i := 0; from > 0 && i < len(s) && i < utf8.UTFMax; i++ {
		if utf8.RuneStart(s[i]) {
			return from + i
		}
	}
	return from
}

// stretch is how far is looked for words at once, in bytes.
const stretch = 2 << 10

func isWord(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

func (t Text) wordRight(at int) int {
	for at < t.Len() {
		s := t.Slice(at, at+stretch)
		for it := words.FromString(s); it.Next(); {
			if isWord(it.Value()) {
				return t.whole(at + it.End())
			}
		}
		at += len(s)
	}
	return t.Len()
}

func (t Text) wordLeft(at int) int {
	for at > 0 {
		from := max(at-stretch, 0)
		if line := t.LineStart(t.Line(at - 1)); line > from {
			from = line
		} else {
			from = t.whole(from)
		}
		found := -1
		for it := words.FromString(t.Slice(from, at)); it.Next(); {
			if isWord(it.Value()) {
				found = from + it.Start()
			}
		}
		if found >= 0 {
			return found
		}
		if from == at {
			return t.Prev(at)
		}
		at = from
	}
	return 0
}

// whole moves a place that may be inside of a rune to its beginning.
func (t Text) whole(at int) int {
	for n := 0; n < utf8.UTFMax && at > 0 && at < t.Len() && !utf8.RuneStart(t.byte(at)); n++ {
		at--
	}
	return at
}

// Word gives the word, or what stands between words, around a place.
func (t Text) Word(at int) (from, to int) {
	line := t.Line(at)
	start, end := t.LineStart(line), t.LineEnd(line)
	if at-start > stretch {
		start = t.whole(at - stretch)
	}
	end = min(end, t.whole(min(at+stretch, t.Len())))
	for it := words.FromString(t.Slice(start, end)); it.Next(); {
		if at < start+it.End() {
			return start + it.Start(), start + it.End()
		}
	}
	return at, at
}
