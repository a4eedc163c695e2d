package tui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A prompt is a line being typed at the bottom. Its functions are called while
// it is open, but for enter and cancel: they come after it has been closed.
type prompt struct {
	lineInput
	b      *browser
	label  string
	tail   func() string     // what stands after the text; may be nil
	change func(text string) // the text is another; may be nil
	move   func(a action)    // ↑ ↓ pgup pgdn; may be nil
	enter  func(text string)
	cancel func() // may be nil

	complete func(text string) string // tab; may be nil
	bare     bool                     // blanks around the text count
}

// key takes a key. It edits the line or ends the prompt; the arrow keys are
// handed to move.
func (p *prompt) key(e terminal.Event) {
	before := p.text
	switch e.Key {
	case "enter":
		p.b.prompt = nil
		if !p.bare {
			p.text = strings.TrimSpace(p.text)
		}
		p.enter(p.text)
		return
	case "esc", "ctrl+g":
		p.close()
		return
	case "backspace":
		if p.text == "" {
			p.close()
			return
		}
		p.lineInput.key(e)
	case "tab":
		if p.complete != nil {
			p.text = p.complete(p.text)
		}
	case "up", "ctrl+p":
		p.moveBy(actLineUp)
	case "down", "ctrl+n":
		p.moveBy(actLineDown)
	case "pgup":
		p.moveBy(actPageUp)
	case "pgdown":
		p.moveBy(actPageDown)
	default:
		p.lineInput.key(e)
	}
	p.changed(before)
}

// paste takes what was pasted.
func (p *prompt) paste(s string) {
	before := p.text
	p.insert(s)
	p.changed(before)
}

func (p *prompt) moveBy(a action) {
	if p.move != nil {
		p.move(a)
	}
}

func (p *prompt) changed(before string) {
	if p.change != nil && p.text != before {
		p.change(p.text)
	}
}

func (p *prompt) close() {
	p.b.prompt = nil
	if p.cancel != nil {
		p.cancel()
	}
}

// line shows the end of what is typed.
func (p *prompt) line(width int, st typeset.Styles) string {
	tail := ""
	if p.tail != nil {
		tail = p.tail()
	}
	text := markdown.Clean(p.text)
	room := width - ansi.StringWidth(p.label) - 1
	if tail != "" && room-ansi.StringWidth(tail) > 12 {
		room -= ansi.StringWidth(tail) + 2
	} else {
		tail = ""
	}
	if w := ansi.StringWidth(text); w > room {
		text = ansi.TruncateLeft(text, w-room+1, "…")
	}
	s := st.Accent.On(p.label) + text + st.Accent.On("▏")
	if tail != "" {
		s += "  " + st.Dim.On(tail)
	}
	return typeset.Truncate(s, width)
}

// A lineInput is one line being typed, always at its end.
type lineInput struct{ text string }

// maxTyped bounds what is typed into a line, in bytes.
const maxTyped = 200

// key takes a key and reports whether it edits the line.
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

// insert appends what was typed or pasted, up to maxTyped bytes in all.
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

// A choice is a question with few answers, each of one key. Escape takes none.
type choice struct {
	b       *browser
	text    string
	options []option
}

// ask puts a question in the bottom line.
func (b *browser) ask(text string, options ...option) {
	b.choice = &choice{b: b, text: text, options: options}
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

// line sets the question and its answers. If there is not enough room the
// question is cut.
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
