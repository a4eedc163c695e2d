package tui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/markdown"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// bottomLine is what the line below the screen shows instead of keys: the first
// of these that is set.
type bottomLine struct {
	choice  *choice
	prompt  *prompt
	picker  *picker
	message string

	messages int // counts them, so that an old timer is known
}

// messageTime is how long a message is shown; a long one is shown longer.
const messageTime = 3 * time.Second

// asking reports whether keys go to a question or a line being typed.
func (l *bottomLine) asking() bool { return l.choice != nil || l.prompt != nil }

// show hands the painter what is to be seen now.
func (b *browser) show() {
	if b.ready {
		b.paint.Show(b.frame())
	}
}

// frame composes what is to be seen now.
func (b *browser) frame() *terminal.Frame {
	s := b.current()
	s.refresh()
	g := b.geo
	rows := make([]terminal.Row, 0, g.height)
	if g.header {
		rows = append(rows, b.header(s))
	}
	body := s.rows(g.body())
	rows = append(rows, body[:min(len(body), g.body())]...)
	for len(rows) < g.height {
		rows = append(rows, terminal.Row{})
	}
	if g.footer {
		rows[g.height-1] = b.footer(s)
	}
	f := &terminal.Frame{Width: g.width, Height: g.height, Rows: rows, Title: s.windowTitle()}
	if d, ok := s.(inputScreen); ok {
		f.Mouse = true
		if c := d.cursor(); c != nil && !b.asking() {
			at := *c
			if g.header {
				at.Y++
			}
			f.Cursor = &at
		}
	}
	return f
}

// chromeSpan is the column at which the lines above and below a screen begin,
// and their width. On an input screen they take the whole window.
func (b *browser) chromeSpan(s screen) (at, width int) {
	if _, ok := s.(inputScreen); ok && b.geo.width >= narrow {
		return 1, b.geo.width - 2
	}
	return b.geo.edge()
}

// header is the line above: where am I.
func (b *browser) header(s screen) terminal.Row {
	at, width := b.chromeSpan(s)
	site := markdown.Line(b.edition.Site().Title)
	left := b.styles.Bold.On(site)
	if s.kind() == onEditor {
		left = s.breadcrumb()
	} else if c := s.breadcrumb(); c != "" {
		// The title has the room: the site's name is cut, and left out in a
		// narrow window.
		const least = 16
		room := width - ansi.StringWidth(s.status()) - ansi.StringWidth(c) - 5
		if w := ansi.StringWidth(site); w > room && b.geo.width < narrow {
			return terminal.Row{At: at, Text: between(b.styles.Bold.On(c), b.styles.Dim.On(s.status()), width)}
		} else if w > max(room, least) {
			site = typeset.Truncate(site, max(room, least))
		}
		left = b.styles.Dim.On(site+" › ") + b.styles.Bold.On(c)
	}
	return terminal.Row{At: at, Text: between(left, b.styles.Dim.On(s.status()), width)}
}

// footer is the line below: what can I do, or what has just been done.
func (b *browser) footer(s screen) terminal.Row {
	at, width := b.chromeSpan(s)
	switch {
	case b.choice != nil:
		return terminal.Row{At: at, Text: b.choice.line(width, b.styles)}
	case b.prompt != nil:
		return terminal.Row{At: at, Text: b.prompt.line(width, b.styles)}
	case b.picker != nil:
		return terminal.Row{At: at, Text: typeset.Truncate(b.picker.line(b.styles), width)}
	case b.message != "":
		return terminal.Row{At: at, Text: typeset.Truncate(b.message, width)}
	}
	if d, ok := s.(inputScreen); ok {
		if what := d.lineProblem(); what != "" {
			return terminal.Row{At: at, Text: typeset.Truncate(b.styles.Error.On("!")+" "+what, width)}
		}
	}
	return terminal.Row{At: at, Text: b.hints(s, width)}
}

// hints names the keys that matter here, as many as there is room for.
func (b *browser) hints(s screen, width int) string {
	const gap, least = 2, 8
	dim := b.styles.Dim
	right := ""
	room := width
	if b.can(actHelp) {
		key := "?"
		if s.kind() == onEditor {
			key = "F1"
		}
		right = key + " " + dim.On("keys")
		room -= ansi.StringWidth(right) + gap
	}
	var line strings.Builder
	used := 0
	for _, k := range keymap {
		if k.hint == "" || k.where&s.kind() == 0 || !b.can(k.do) {
			continue
		}
		word := s.hint(k)
		if word == "" {
			continue
		}
		key := k.shortcut()
		space := 0
		if used > 0 {
			space = gap
		}
		free := room - used - space - ansi.StringWidth(key) - 1
		if w := ansi.StringWidth(word); w > free {
			if free < least || w <= least {
				break
			}
			word = typeset.Truncate(word, free)
		}
		line.WriteString(strings.Repeat(" ", space) + key + " " + dim.On(word))
		used += space + ansi.StringWidth(key) + 1 + ansi.StringWidth(word)
	}
	return between(line.String(), right, width)
}

// say shows a message in the bottom line for a while, a long one longer.
func (b *browser) say(s string) {
	b.message = s
	b.messages++
	b.after(messageTime+time.Duration(len(s)/40)*time.Second, messageExpired(b.messages))
}
