package tui

import (
	"strings"
	"time"
	"unicode/utf8"

	"sheaf/app/terminal"
)

// event takes one thing that the terminal says.
func (b *browser) event(e terminal.Event) {
	if b.author.queue(e) {
		return
	}
	switch e.Kind {
	case terminal.Key:
		if e.Key != "" {
			b.key(e)
		}
	case terminal.Paste:
		if b.prompt != nil {
			b.prompt.paste(e.Text)
		} else if d, ok := b.current().(inputScreen); ok && b.choice == nil {
			d.event(e)
		}
	case terminal.PasteTooLong:
		b.say("That is too long for a paste; send it as a file.")
	case terminal.PointerDown, terminal.PointerDrag, terminal.PointerUp, terminal.WheelUp, terminal.WheelDown:
		if d, ok := b.current().(inputScreen); ok && !b.asking() {
			d.event(e)
		}
	case terminal.Attributes:
		b.ready = true
	case terminal.LightBackground:
		b.suit("light")
	case terminal.DarkBackground:
		b.suit("dark")
	}
}

// suit chooses the theme for the terminal's background, unless the answer came
// too late or the reader has chosen a theme.
func (b *browser) suit(theme string) {
	b.ready = true
	if !b.chosen && !b.monochrome && time.Since(b.began) < answerDeadline {
		b.setThemeName(theme)
	}
}

// key gives a key to whatever it is meant for: a question, a line being typed,
// an action of the key map, or the text of an input screen.
func (b *browser) key(e terminal.Event) {
	top := b.current()
	d, typing := top.(inputScreen)
	if e.Key == "ctrl+c" && (!typing || b.asking()) {
		if typing {
			e.Key = "esc" // nobody shall leave a text by mistake
		} else {
			b.leaving = true
			return
		}
	}
	if typing && !b.asking() {
		b.message = ""
		if !b.perform(e.Key) {
			d.event(e)
		}
		return
	}
	if rest, ok := strings.CutPrefix(e.Key, "alt+"); ok && utf8.RuneCountInString(rest) == 1 {
		// No key of ours; most likely an escape and a key that have come
		// together.
		b.key(terminal.Event{Key: "esc"})
		b.key(terminal.Event{Key: rest, Text: rest})
		return
	}
	if b.choice != nil {
		b.choice.key(e)
		return
	}
	if b.prompt != nil {
		b.prompt.key(e)
		return
	}
	if b.picker != nil && b.picker.key(e) {
		return
	}
	b.perform(e.Key)
}

// perform does what a key means on the current screen, and reports whether it
// means anything.
func (b *browser) perform(key string) bool {
	for _, a := range actionsOf(key, b.current().kind()) {
		if b.can(a) {
			b.act(a)
			return true
		}
	}
	return false
}

// can tells whether an action is of any use now.
func (b *browser) can(a action) bool {
	if a.ofAuthor() {
		return b.author != nil && b.author.can(a)
	}
	switch a {
	case actHelp:
		return b.current().kind() != onHelp
	case actBack, actCancel, actQuit:
		return true
	case actTheme:
		return !b.monochrome
	case actSearch:
		return len(b.edition.Posts()) > 0
	case actTags:
		return len(b.edition.Tags()) > 0
	case actArchive:
		return len(b.edition.Posts()) > 0
	}
	return b.current().can(a)
}

// act performs an action that can be done. An escape cancels something on the
// screen if there is anything to cancel, else it goes back.
func (b *browser) act(a action) {
	b.message = ""
	switch a {
	case actHelp:
		b.push(newHelp(b))
	case actCancel:
		if b.current().can(actCancel) {
			b.current().act(actCancel)
		} else if len(b.stack) > 1 {
			b.back()
		}
	case actBack:
		b.back()
	case actQuit:
		b.leaving = true
	case actTheme:
		b.nextTheme()
	case actSearch:
		b.askSearch()
	case actTags:
		b.push(newTags(b))
	case actArchive:
		b.push(newArchive(b))
	default:
		if a.ofAuthor() {
			b.author.act(a)
		} else {
			b.current().act(a)
		}
	}
}

// nextTheme goes from one theme to the next: dark, light, no colours.
func (b *browser) nextTheme() {
	next, said := "dark", "dark"
	switch b.theme.Name {
	case "dark":
		next, said = "light", "light"
	case "light":
		next, said = "mono", "none"
	}
	b.chosen = true
	b.setThemeName(next)
	b.say("colours: " + said)
}
