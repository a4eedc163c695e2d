package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A choice is a question with few answers, each of one key. Escape takes none.
type choice struct {
	b       *browser
	text    string
	options []option
}

// An option is one answer.
type option struct {
	key, word string
	do        func()
}

func (c *choice) key(e terminal.Event) {
	for _, o := range c.options {
		if e.Key == o.key {
			c.b.choice = nil
			o.do()
			return
		}
	}
	if e.Key == "esc" || e.Key == "q" {
		c.b.choice = nil
	}
}

// line shows the question; the answers stay whole.
func (c *choice) line(width int, st typeset.Styles) string {
	var keys []string
	plain := 0
	for _, o := range append(c.options, option{key: "esc", word: "cancel"}) {
		keys = append(keys, st.Accent.On(o.key)+" "+st.Dim.On(o.word))
		plain += ansi.StringWidth(o.key) + 1 + ansi.StringWidth(o.word) + 2
	}
	if width-plain < 10 { // the last one goes without saying
		keys = keys[:len(keys)-1]
		plain -= 12
	}
	return typeset.Truncate(typeset.Truncate(c.text, max(width-plain, 1))+"  "+strings.Join(keys, "  "), width)
}
