package markdown

import (
	"html"
	"strings"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
)

var (
	htmlTag    = lazyregexp.New(`</?[a-zA-Z][^<>]*>`)
	inlineLink = lazyregexp.New(`!?\[([^\[\]]*)\]\([^()]*\)`)
)

// PlainLine makes one clean line without markup of a value that was typed into
// a front matter.
func PlainLine(s string) string {
	if strings.ContainsAny(s, "<&") {
		s = html.UnescapeString(htmlTag().ReplaceAllString(s, ""))
	}
	if strings.Contains(s, "](") {
		s = inlineLink().ReplaceAllString(s, "$1")
	}
	if strings.Contains(s, "`") {
		s = strings.ReplaceAll(s, "`", "")
	}
	if strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "")
	}
	return strings.Join(strings.Fields(Clean(s)), " ")
}

// Shorten cuts s to n bytes at most, at a rune, and says so with an ellipsis
// (which is not counted).
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
