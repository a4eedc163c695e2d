package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// A screen is told what to do by the browser, and shows itself in the rows it
// is given.
type screen interface {
	place() place
	crumb() string                  // its name in the line above, after the site's
	status() string                 // the right end of the line above
	rows(height int) []terminal.Row // at most height
	can(a action) bool              // whether an action would do something
	act(a action)                   // only what can be done
	hint(b binding) string          // what the bottom line says of a key, "" for nothing
	sync()                          // follows the browser's edition, geometry and theme
	window() (title string)         // the window's title
}

// A desk is a screen on which an author types: it has the keys that are no
// action, the pastes and the mouse, and the window for itself.
type desk interface {
	screen
	event(e terminal.Event)
	cursor() *terminal.Cell // below the line above; nil: none
	remark() string         // what is doubtful where the cursor is
	close()                 // the session ends: nothing may be lost
}

// The messages of a session.
type (
	packet     []byte   // from the terminal
	inputEnd   struct{} // the terminal is gone
	resized    Size
	notice     string
	superseded struct{}
	deaf       struct{ resizes, notices bool } // a channel was closed
	deliver    func()                          // puts a command's result in place
	escExpired int
	noteOver   int
	waitOver   struct{} // for the terminal's answers
)

const (
	escWait    = 50 * time.Millisecond  // an escape alone is a key after this
	answerWait = 100 * time.Millisecond // the first frame waits no longer for the background colour
	patience   = 50 * time.Millisecond  // a wait shorter than this is not shown
	noteTime   = 3 * time.Second

	mostPasteAuthor = 2 << 20         // bytes
	answerLate      = 5 * time.Second // a background colour told later is not ours to follow
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
	past, future []visit
	viewed       map[string]bool // paths of the posts that were shown
	prompt       *prompt
	choice       *choice
	picker       *picker
	note         string
	notes        int

	// An author's.
	done    []done           // what was done in this session, for undo
	clip    string           // what was cut or copied last
	opening bool             // a desk is waited for
	early   []terminal.Event // what was typed meanwhile
}

func newBrowser(ctx context.Context, t Terminal, c Config, p *terminal.Painter, crash func(any)) *browser {
	b := &browser{ctx: ctx, conf: c, term: t, paint: p, crash: crash, began: time.Now(), geo: newGeometry(t.Width, t.Height)}
	b.edition = c.Visitor.Edition()
	b.theme = typeset.Theme{Name: "dark", Accent: b.edition.Site().Accent}
	if c.Visitor.IsAuthor() {
		b.in.MaxPaste = mostPasteAuthor
	}
	return b
}

// Init opens the first screen.
func (b *browser) Init() tea.Cmd {
	defer b.recovered()
	b.styles = typeset.Styled(b.theme)
	b.stack = []screen{newHome(b)}
	b.await()
	if !b.ready {
		b.after(answerWait, waitOver{})
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
			b.after(escWait, escExpired(b.escapes))
		}
	case escExpired:
		if int(msg) == b.escapes {
			for _, e := range b.in.Flush() {
				b.event(e)
			}
		}
	case inputEnd:
		return b, tea.Quit
	case resized:
		b.geo = newGeometry(plausible(msg.Width, msg.Height))
		b.await()
	case notice:
		b.say(oneLine(string(msg)))
		b.await()
	case deaf:
		if msg.resizes {
			b.term.Resizes = nil
		}
		if msg.notices {
			b.term.Notices = nil
		}
		b.await()
	case superseded:
		b.follow(b.conf.Visitor.Edition())
		b.await()
	case deliver:
		msg()
	case noteOver:
		if int(msg) == b.notes {
			b.note = ""
		}
	case waitOver:
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
		if d, ok := s.(desk); ok {
			func() {
				defer b.recovered()
				d.close()
			}()
		}
	}
}

// commands hands over the commands that have come together.
func (b *browser) commands() tea.Cmd {
	cmds := b.cmds
	b.cmds = nil
	return tea.Batch(cmds...)
}

// do adds a command. It must not touch the browser.
func (b *browser) do(cmd tea.Cmd) {
	crash := b.crash
	b.cmds = append(b.cmds, func() tea.Msg {
		defer func() {
			if p := recover(); p != nil {
				crash(p)
			}
		}()
		return cmd()
	})
}

// after sends a message later.
func (b *browser) after(d time.Duration, msg tea.Msg) {
	ctx := b.ctx
	b.do(func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return msg
		case <-ctx.Done():
			return nil
		}
	})
}

// await waits for the next thing that is not typed. There is one such command
// at any time.
func (b *browser) await() {
	ctx, news, resizes, notices := b.ctx, b.edition.Superseded(), b.term.Resizes, b.term.Notices
	b.do(func() tea.Msg {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			return superseded{}
		case s, ok := <-resizes:
			if !ok {
				return deaf{resizes: true}
			}
			return resized(s)
		case s, ok := <-notices:
			if !ok {
				return deaf{notices: true}
			}
			return notice(s)
		}
	})
}

// work does what may take a while outside of Update; what it returns is called
// in Update. Most often it is done at once: then so is that.
func (b *browser) work(job func() (then func())) {
	ctx := b.ctx
	done := make(chan func(), 1)
	guard(b.crash, func() { done <- job() })
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case then := <-done:
		then()
	case <-t.C:
		b.do(func() tea.Msg {
			select {
			case then := <-done:
				return deliver(then)
			case <-ctx.Done():
				return nil
			}
		})
	case <-ctx.Done():
	}
}

// workDesk is work that a desk comes of. What is typed before it is there is
// meant for it, and for nothing else: it waits for it, and is lost when something
// else comes.
func (b *browser) workDesk(job func() (then func())) {
	before := b.top()
	b.opening = true
	b.work(func() func() {
		then := job()
		return func() {
			b.opening = false
			then()
			early := b.early
			b.early = nil
			if d, ok := b.top().(desk); ok && screen(d) != before && b.prompt == nil && b.choice == nil {
				for _, e := range early {
					b.event(e)
				}
			}
		}
	})
}

// wait keeps what is typed for the desk that comes, as much as one paste may be.
func (b *browser) wait(e terminal.Event) {
	const most = 1000
	size := len(e.Text)
	for _, was := range b.early {
		size += len(was.Text)
	}
	if len(b.early) < most && size <= mostPasteAuthor {
		b.early = append(b.early, e)
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
			b.wait(e)
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
		} else if d, ok := b.top().(desk); ok && b.choice == nil {
			d.event(e)
		}
	case terminal.PasteTooLong:
		b.say("That is too long for a paste; send it as a file.")
	case terminal.PointerDown, terminal.PointerDrag, terminal.PointerUp, terminal.WheelUp, terminal.WheelDown:
		if d, ok := b.top().(desk); ok && b.prompt == nil && b.choice == nil {
			d.event(e)
		}
	case terminal.Attributes:
		b.ready = true
	case terminal.LightBackground, terminal.DarkBackground:
		b.ready = true
		if name := map[terminal.Kind]string{terminal.LightBackground: "light", terminal.DarkBackground: "dark"}[e.Kind]; !b.chosen && !b.monochrome && time.Since(b.began) < answerLate {
			b.setTheme(name)
		}
	}
}

func (b *browser) key(e terminal.Event) {
	top := b.top()
	d, typing := top.(desk)
	if e.Key == "ctrl+c" && (!typing || b.prompt != nil || b.choice != nil) {
		if typing {
			e.Key = "esc" // nobody leaves a text by mistake
		} else {
			b.leaving = true
			return
		}
	}
	if typing && b.prompt == nil && b.choice == nil {
		b.note = ""
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
	for _, a := range actionsOf(key, b.top().place()) {
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
	case help:
		return b.top().place() != onHelp
	case back, cancel, quit, leave:
		return true
	case theme:
		return !b.monochrome
	case search:
		return len(b.edition.Posts()) > 0
	case tags:
		return len(b.edition.Tags()) > 0
	case archive:
		return len(b.edition.Posts()) > 0
	case writeNew, edit, publish, schedule, rename, remove, versions, undo, drafts, unsaved, share, readers:
		return b.canAuthor(a)
	}
	return b.top().can(a)
}

func (b *browser) act(a action) {
	b.note = ""
	switch a {
	case help:
		b.push(newHelp(b))
	case cancel:
		if b.top().can(cancel) {
			b.top().act(cancel)
		} else if len(b.stack) > 1 {
			b.back()
		}
	case back, leave:
		b.back()
	case quit:
		b.leaving = true
	case theme:
		next := map[string]string{"dark": "light", "light": "mono", "mono": "dark"}[b.theme.Name]
		b.chosen = true
		b.setTheme(next)
		b.say("colours: " + map[string]string{"dark": "dark", "light": "light", "mono": "none"}[next])
	case search:
		b.askSearch()
	case tags:
		b.push(newTags(b))
	case archive:
		b.push(newArchive(b))
	case writeNew, edit, publish, schedule, rename, remove, versions, undo, drafts, unsaved, share, readers:
		b.actAuthor(a)
	default:
		b.top().act(a)
	}
}

func (b *browser) setTheme(name string) {
	b.theme.Name = name
	b.styles = typeset.Styled(b.theme)
}

// follow takes a newer edition.
func (b *browser) follow(e *blog.Edition) {
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
	case b.note != "" && b.conf.Visitor.IsAuthor(), b.top().place() == onEditor:
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

func (b *browser) top() screen { return b.stack[len(b.stack)-1] }

// mostScreens bounds how deep links lead; the oldest screens but home are
// forgotten.
const mostScreens = 50

func (b *browser) push(s screen) {
	b.stack = append(b.stack, s)
	if len(b.stack) > mostScreens {
		b.stack = append(b.stack[:1], b.stack[2:]...)
	}
	b.picker = nil
}

// back leaves the screen on top; leaving home ends the session.
func (b *browser) back() {
	b.picker = nil
	if len(b.stack) == 1 {
		b.leaving = true
		return
	}
	left := b.top()
	b.stack = b.stack[:len(b.stack)-1]
	l, ok := b.top().(*list)
	if !ok {
		return
	}
	l.sync()
	switch s := left.(type) {
	case *post:
		l.choose(s.slug)
	case *editor:
		if i := slices.IndexFunc(l.posts, func(p *blog.Post) bool { return p.Path == s.name }); i >= 0 {
			l.choose(l.posts[i].Slug)
		}
	}
}

// say shows a message in the bottom line for a while, a long one longer.
func (b *browser) say(s string) {
	b.note = s
	b.notes++
	b.after(noteTime+time.Duration(len(s)/40)*time.Second, noteOver(b.notes))
}

// page sets a post. It is called in jobs.
func page(c Config, p *blog.Post, h typeset.Header, measure int, t typeset.Theme) *typeset.Page {
	page := c.Setter.Page(p.Document(), h, measure, t)
	if page.Problem != "" {
		c.Log.Error("a post cannot be set", "path", p.Path, "problem", page.Problem)
	}
	return page
}

// host is what a reader types after "ssh -t", "" when nobody knows.
func (b *browser) host() string {
	if b.conf.Host != "" {
		return oneLine(b.conf.Host)
	}
	return oneLine(b.edition.Site().Host)
}

// show hands the painter what is to be seen now.
func (b *browser) show() {
	if b.ready {
		b.paint.Show(b.frame())
	}
}

// frame composes what is to be seen now.
func (b *browser) frame() *terminal.Frame {
	s := b.top()
	s.sync()
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
	f := &terminal.Frame{Width: g.width, Height: g.height, Rows: rows, Title: s.window()}
	if d, ok := s.(desk); ok {
		f.Mouse = true
		if c := d.cursor(); c != nil && b.prompt == nil && b.choice == nil {
			at := *c
			if g.header {
				at.Y++
			}
			f.Cursor = &at
		}
	}
	return f
}

// edge is where the lines above and below a screen begin, and how far they go:
// a desk has the whole window.
func (b *browser) edge(s screen) (at, width int) {
	if _, ok := s.(desk); ok && b.geo.width >= narrow {
		return 1, b.geo.width - 2
	}
	return b.geo.edge()
}

// header is the line above: where am I.
func (b *browser) header(s screen) terminal.Row {
	at, width := b.edge(s)
	site := oneLine(b.edition.Site().Title)
	left := b.styles.Bold.On(site)
	if s.place() == onEditor {
		left = s.crumb()
	} else if c := s.crumb(); c != "" {
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
	at, width := b.edge(s)
	switch {
	case b.choice != nil:
		return terminal.Row{At: at, Text: b.choice.line(width, b.styles)}
	case b.prompt != nil:
		return terminal.Row{At: at, Text: b.prompt.line(width, b.styles)}
	case b.picker != nil:
		return terminal.Row{At: at, Text: typeset.Truncate(b.picker.line(b.styles), width)}
	case b.note != "":
		return terminal.Row{At: at, Text: typeset.Truncate(b.note, width)}
	}
	if d, ok := s.(desk); ok {
		if what := d.remark(); what != "" {
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
	if b.can(help) {
		key := "?"
		if s.place() == onEditor {
			key = "F1"
		}
		right = key + " " + dim.On("keys")
		room -= ansi.StringWidth(right) + gap
	}
	var line strings.Builder
	used := 0
	for _, k := range keymap {
		if k.hint == "" || k.where&s.place() == 0 || !b.can(k.do) {
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
