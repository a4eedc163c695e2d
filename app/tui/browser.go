package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// The messages of a session.
type (
	packet         []byte   // from the terminal
	inputEnd       struct{} // the terminal is gone
	resized        Size
	notice         string
	superseded     struct{}
	channelClosed  struct{ resizes, notices bool } // a channel was closed
	deliver        func()                          // puts a command's result in place
	escapeExpired  int
	messageExpired int
	answerOverdue  struct{} // for the terminal's answers
)

const (
	escWait     = 50 * time.Millisecond  // an escape alone is a key after this
	answerWait  = 100 * time.Millisecond // the first frame waits no longer for the background colour
	quickEnough = 50 * time.Millisecond  // a wait shorter than this is not shown
	messageTime = 3 * time.Second

	maxPasteAuthor = 2 << 20         // bytes
	answerDeadline = 5 * time.Second // a background colour told later is not ours to follow
)

// browser is the one model.
type browser struct {
	ctx   context.Context
	conf  Config
	term  Terminal
	paint *terminal.Painter
	crash func(any)
	began time.Time

	in      terminal.Decoder
	escapes int // counts them, so that an old timer is known
	cmds    []tea.Cmd
	ready   bool // the first frame may be shown
	leaving bool

	geo        geometry
	theme      typeset.Theme
	styles     typeset.Styles
	monochrome bool // there are no colours to choose from
	chosen     bool // the reader has chosen a theme
	edition    *blog.Edition

	stack        []screen // the first is home
	past, future []historyEntry
	viewed       map[string]bool // paths of the posts that were shown
	prompt       *prompt
	choice       *choice
	picker       *picker
	message      string
	messageSeq   int

	// An author's.
	commits   []ownCommit      // what was done in this session, for undo
	clipboard string           // what was cut or copied last
	opening   bool             // a desk is waited for
	queued    []terminal.Event // what was typed meanwhile
}

func newBrowser(ctx context.Context, t Terminal, c Config, p *terminal.Painter, crash func(any)) *browser {
	b := &browser{ctx: ctx, conf: c, term: t, paint: p, crash: crash, began: time.Now(), geo: newGeometry(t.Width, t.Height)}
	b.edition = c.Visitor.Edition()
	b.theme = typeset.Theme{Name: "dark", Accent: b.edition.Site().Accent}
	if c.Visitor.IsAuthor() {
		b.in.MaxPaste = maxPasteAuthor
	}
	return b
}

// Init opens the first screen.
func (b *browser) Init() tea.Cmd {
	defer b.recovered()
	b.styles = typeset.Styled(b.theme)
	b.stack = []screen{newHome(b)}
	b.listen()
	if !b.ready {
		b.after(answerWait, answerOverdue{})
	}
	if b.conf.Open != "" {
		slug, heading, _ := strings.Cut(b.conf.Open, "#")
		if p, err := b.edition.Post(slug); err == nil {
			b.openPost(p, atHeading(heading))
		} else {
			b.say(fmt.Sprintf("There is no post «%s».", oneLine(slug)))
		}
	}
	b.offer()
	b.show()
	return b.commands()
}

// View is bubbletea's; the painter has the screen.
func (b *browser) View() tea.View { return tea.View{} }

// Update takes one message.
func (b *browser) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	m = b
	defer b.recovered()
	switch msg := msg.(type) {
	case packet:
		for _, e := range b.in.Feed(msg) {
			b.event(e)
		}
		if b.in.Waiting() {
			b.escapes++
			b.after(escWait, escapeExpired(b.escapes))
		}
	case escapeExpired:
		if int(msg) == b.escapes {
			for _, e := range b.in.Flush() {
				b.event(e)
			}
		}
	case inputEnd:
		return b, tea.Quit
	case resized:
		b.geo = newGeometry(boundedSize(msg.Width, msg.Height))
		b.listen()
	case notice:
		b.say(oneLine(string(msg)))
		b.listen()
	case channelClosed:
		if msg.resizes {
			b.term.Resizes = nil
		}
		if msg.notices {
			b.term.Notices = nil
		}
		b.listen()
	case superseded:
		b.setEdition(b.conf.Visitor.Edition())
		b.listen()
	case deliver:
		msg()
	case messageExpired:
		if int(msg) == b.messageSeq {
			b.message = ""
		}
	case answerOverdue:
		b.ready = true
	default:
		return b, nil // bubbletea's own
	}
	if b.leaving {
		return b, tea.Quit
	}
	b.show()
	return b, b.commands()
}

func (b *browser) recovered() {
	if p := recover(); p != nil {
		b.crash(p)
	}
}

// close ends the session's writing, when Update is called no more.
func (b *browser) close() {
	for _, s := range b.stack {
		if d, ok := s.(inputScreen); ok {
			func() {
				defer b.recovered()
				d.close()
			}()
		}
	}
}

// event takes one thing the terminal says.
func (b *browser) event(e terminal.Event) {
	if b.opening {
		switch e.Kind {
		case terminal.Key, terminal.Paste:
			if e.Key == "ctrl+c" {
				b.leaving = true
				return
			}
			b.enqueue(e)
			return
		case terminal.PointerDown, terminal.PointerDrag, terminal.PointerUp, terminal.WheelUp, terminal.WheelDown:
			return
		}
	}
	switch e.Kind {
	case terminal.Key:
		if e.Key != "" {
			b.key(e)
		}
	case terminal.Paste:
		if b.prompt != nil {
			b.prompt.insert(e.Text)
		} else if d, ok := b.current().(inputScreen); ok && b.choice == nil {
			d.event(e)
		}
	case terminal.PasteTooLong:
		b.say("That is too long for a paste; send it as a file.")
	case terminal.PointerDown, terminal.PointerDrag, terminal.PointerUp, terminal.WheelUp, terminal.WheelDown:
		if d, ok := b.current().(inputScreen); ok && b.prompt == nil && b.choice == nil {
			d.event(e)
		}
	case terminal.Attributes:
		b.ready = true
	case terminal.LightBackground, terminal.DarkBackground:
		b.ready = true
		if name := map[terminal.Kind]string{terminal.LightBackground: "light", terminal.DarkBackground: "dark"}[e.Kind]; !b.chosen && !b.monochrome && time.Since(b.began) < answerDeadline {
			b.setTheme(name)
		}
	}
}

func (b *browser) key(e terminal.Event) {
	top := b.current()
	d, typing := top.(inputScreen)
	if e.Key == "ctrl+c" && (!typing || b.prompt != nil || b.choice != nil) {
		if typing {
			e.Key = "esc" // nobody leaves a text by mistake
		} else {
			b.leaving = true
			return
		}
	}
	if typing && b.prompt == nil && b.choice == nil {
		b.message = ""
		if !b.perform(e.Key) {
			d.event(e)
		}
		return
	}
	if rest, ok := strings.CutPrefix(e.Key, "alt+"); ok && utf8.RuneCountInString(rest) == 1 {
		// No key of ours; most likely an escape and a key that have come together.
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

// perform does what a key means here, if it means anything.
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
	case actNewPost, actEdit, actPublish, actSchedule, actRename, actRemove, actVersions, actUndo, actDrafts, actUnsaved, actShare, actStats:
		return b.canAuthor(a)
	}
	return b.current().can(a)
}

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
		next := map[string]string{"dark": "light", "light": "mono", "mono": "dark"}[b.theme.Name]
		b.chosen = true
		b.setTheme(next)
		b.say("colours: " + map[string]string{"dark": "dark", "light": "light", "mono": "none"}[next])
	case actSearch:
		b.askSearch()
	case actTags:
		b.push(newTags(b))
	case actArchive:
		b.push(newArchive(b))
	case actNewPost, actEdit, actPublish, actSchedule, actRename, actRemove, actVersions, actUndo, actDrafts, actUnsaved, actShare, actStats:
		b.actAuthor(a)
	default:
		b.current().act(a)
	}
}

func (b *browser) setTheme(name string) {
	b.theme.Name = name
	b.styles = typeset.Styled(b.theme)
}

// setEdition takes a newer edition.
func (b *browser) setEdition(e *blog.Edition) {
	known := make(map[string]bool, len(b.edition.Posts()))
	for _, p := range b.edition.Posts() {
		known[p.Slug] = true
	}
	fresh := 0
	for _, p := range e.Posts() {
		if !known[p.Slug] {
			fresh++
		}
	}
	old := b.edition
	switch {
	case b.message != "" && b.conf.Visitor.IsAuthor(), b.current().kind() == onEditor:
		// What the author has done is being said, or the editor has news of its own.
	case fresh > 0:
		b.say(fmt.Sprintf("%d new", fresh))
	case old.Home() != e.Home() || !slices.Equal(old.Posts(), e.Posts()) || !slices.Equal(old.Pages(), e.Pages()):
		b.say("updated")
	}
	b.edition = e
	if accent := e.Site().Accent; accent != b.theme.Accent {
		b.theme.Accent = accent
		b.styles = typeset.Styled(b.theme)
	}
}

// page sets a post. It is called in jobs.
func page(c Config, p *blog.Post, h typeset.Header, measure int, t typeset.Theme) *typeset.Page {
	page := c.Setter.Page(p.Document(), h, measure, t)
	if page.Problem != "" {
		c.Log.Error("a post cannot be set", "path", p.Path, "problem", page.Problem)
	}
	return page
}
