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
	b      *browser
	label  string
	text   string
	tail   func() string     // what stands after the text
	change func(text string) // may be nil
	move   func(a action)    // ↑ ↓ pgup pgdn; may be nil
	enter  func(text string)
	cancel func() // may be nil

	complete func(text string) string // tab; may be nil
	bare     bool                     // blanks around the text count
}

// maxTyped bounds what is typed.
const maxTyped = 200

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
	case "tab":
		if p.complete != nil {
			p.text = p.complete(p.text)
		}
	case "esc", "ctrl+g":
		p.close()
		return
	case "backspace":
		if p.text == "" {
			p.close()
			return
		}
		_, n := utf8.DecodeLastRuneInString(p.text)
		p.text = p.text[:len(p.text)-n]
	case "ctrl+u":
		p.text = ""
	case "ctrl+w", "alt+backspace":
		s := strings.TrimRight(p.text, " ")
		p.text = s[:strings.LastIndexByte(s, ' ')+1]
	case "up", "down", "pgup", "pgdown", "ctrl+p", "ctrl+n":
		if p.move != nil {
			p.move(map[string]action{"up": actLineUp, "down": actLineDown, "pgup": actPageUp, "pgdown": actPageDown, "ctrl+p": actLineUp, "ctrl+n": actLineDown}[e.Key])
		}
		return
	default:
		if e.Text != "" && e.Text != "\t" {
			p.insert(e.Text)
		}
		return
	}
	if p.change != nil && p.text != before {
		p.change(p.text)
	}
}

// insert takes what was typed or pasted.
func (p *prompt) insert(s string) {
	s = p.text + strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(s)
	if len(s) > maxTyped {
		s = s[:maxTyped]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	if s = markdown.Clean(s); s == p.text {
		return
	}
	p.text = s
	if p.change != nil {
		p.change(s)
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
