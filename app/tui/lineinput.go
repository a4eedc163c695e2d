package tui

import (
	"strings"
	"unicode/utf8"

	"sheaf/app/markdown"
	"sheaf/app/terminal"
)

// A lineInput is one line being typed, always at its end.
type lineInput struct{ text string }

// maxTyped bounds what is typed into a line, in bytes.
const maxTyped = 200

// key takes a key that edits the line; false gives it back.
func (l *lineInput) key(e terminal.Event) bool {
	switch e.Key {
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(l.text)
		l.text = l.text[:len(l.text)-n]
	case "ctrl+u":
		l.text = ""
	case "ctrl+w", "alt+backspace":
		s := strings.TrimRight(l.text, " ")
		l.text = s[:strings.LastIndexByte(s, ' ')+1]
	default:
		if e.Text == "" || e.Text == "\t" {
			return false
		}
		l.insert(e.Text)
	}
	return true
}

// insert takes what was typed or pasted, as much of it as there is room for.
func (l *lineInput) insert(s string) {
	s = l.text + strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(s)
	if len(s) > maxTyped {
		s = s[:maxTyped]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	l.text = markdown.Clean(s)
}
