package tui

import (
	"slices"

	"sheaf/app/blog"
	"sheaf/app/terminal"
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
