package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
	"sheaf/app/markdown"
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
	escWait        = 50 * time.Millisecond  // after this an escape with nothing behind it is a key
	answerWait     = 100 * time.Millisecond // the first frame waits no longer for the background colour
	answerDeadline = 5 * time.Second        // an answer that comes later changes the theme no more
)

// A browser is the one model of a session: what is read, and the screens that
// show it. Only Update changes it.
type browser struct {
	ctx     context.Context
	conf    Config
	crash   func(any)
	cmds    []tea.Cmd // for bubbletea, after Update
	leaving bool

	edition *blog.Edition
	stack   []screen        // the first is home
	viewed  map[string]bool // paths of the posts that were shown
	author  *author         // nil for readers

	terminalIO
	appearance
	bottomLine
	history
}

// terminalIO is the terminal of a session, in both directions.
type terminalIO struct {
	term    Terminal
	paint   *terminal.Painter
	in      terminal.Decoder
	escapes int       // counts them, so that an old timer is known
	began   time.Time // when it was asked for its background
	ready   bool      // the first frame may be shown
}

// appearance is how things look: the window's geometry and the theme.
type appearance struct {
	geo        geometry
	theme      typeset.Theme
	styles     typeset.Styles
	monochrome bool // there are no colours to choose from
	chosen     bool // the reader has chosen a theme
}

func newBrowser(ctx context.Context, t Terminal, c Config, p *terminal.Painter, crash func(any)) *browser {
	b := &browser{ctx: ctx, conf: c, crash: crash, edition: c.Visitor.Edition(), viewed: map[string]bool{}}
	b.terminalIO = terminalIO{term: t, paint: p, in: terminal.Decoder{MaxPaste: c.MaxPaste}, began: time.Now()}
	b.geo = newGeometry(t.Width, t.Height)
	b.theme = typeset.Theme{Name: "dark", Accent: b.edition.Site().Accent}
	if visitor, ok := c.Visitor.Author(); ok {
		b.author = &author{b: b, visitor: visitor}
	}
	return b
}

// Init opens the first screen: home and above it the post that was asked for,
// or, for an author, the texts that an earlier session has left unsaved.
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
			b.say(fmt.Sprintf("There is no post «%s».", markdown.Line(slug)))
		}
	} else if b.author != nil {
		b.author.openUnsaved(false)
	}
	b.show()
	return b.takeCommands()
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
		b.say(markdown.Line(string(msg)))
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
		if int(msg) == b.messages {
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
	return b, b.takeCommands()
}

func (b *browser) recovered() {
	if p := recover(); p != nil {
		b.crash(p)
	}
}

// close saves what was being written. Update is not called any more.
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

// setTheme shows everything in another theme.
func (a *appearance) setTheme(t typeset.Theme) {
	a.theme, a.styles = t, typeset.Styled(t)
}

// setThemeName changes the theme and keeps the accent.
func (a *appearance) setThemeName(name string) {
	a.setTheme(typeset.Theme{Name: name, Accent: a.theme.Accent})
}

// setEdition takes a newer edition and says what is new in it. Screens follow
// when they are shown next.
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
	case b.message != "" && b.author != nil, b.current().kind() == onEditor:
		// What the author has done is being said, or the editor has news of its
		// own.
	case fresh > 0:
		b.say(fmt.Sprintf("%d new", fresh))
	case old.Home() != e.Home() || !slices.Equal(old.Posts(), e.Posts()) || !slices.Equal(old.Pages(), e.Pages()):
		b.say("updated")
	}
	b.edition = e
	if accent := e.Site().Accent; accent != b.theme.Accent {
		b.setTheme(typeset.Theme{Name: b.theme.Name, Accent: accent})
	}
}
