package tui

import (
	"slices"

	"sheaf/app/blog"
	"sheaf/app/terminal"
)

// A screen is told what to do by the browser, and shows itself in the rows it
// is given.
type screen interface {
	kind() screenKind
	breadcrumb() string             // its name in the line above, after the site's
	status() string                 // the right end of the line above
	rows(height int) []terminal.Row // at most height
	can(a action) bool              // whether an action would do something
	act(a action)                   // only what can be done
	hint(b binding) string          // what the bottom line says of a key, "" for nothing
	refresh()                       // follows the browser's edition, geometry and theme
	windowTitle() (title string)    // the window's title
}

// An inputScreen is a screen on which an author types. It gets the keys that
// are no action, the pastes and the mouse, and has the whole window.
type inputScreen interface {
	screen
	event(e terminal.Event)
	cursor() *terminal.Cell // below the line above; nil: none
	lineProblem() string    // of the line the cursor is in
	close()                 // the session ends: nothing may be lost
}

func (b *browser) current() screen { return b.stack[len(b.stack)-1] }

// maxScreens bounds how deep links lead; the oldest screens but home are
// forgotten.
const maxScreens = 50

// push opens a screen above the current one.
func (b *browser) push(s screen) {
	b.stack = append(b.stack, s)
	if len(b.stack) > maxScreens {
		b.stack = append(b.stack[:1], b.stack[2:]...)
	}
	b.picker = nil
	s.refresh()
}

// back leaves the screen on top; leaving home ends the session.
func (b *browser) back() {
	b.picker = nil
	if len(b.stack) == 1 {
		b.leaving = true
		return
	}
	left := b.current()
	b.stack = b.stack[:len(b.stack)-1]
	l, ok := b.current().(*list)
	if !ok {
		return
	}
	l.refresh()
	switch s := left.(type) {
	case *post:
		l.selectPost(s.slug)
	case *editor:
		if i := slices.IndexFunc(l.posts, func(p *blog.Post) bool { return p.Path == s.path }); i >= 0 {
			l.selectPost(l.posts[i].Slug)
		}
	}
}

// selected is the post that an action is about, nil if there is none. At home
// it is the home page as long as no post is on the screen.
func (b *browser) selected() *blog.Post {
	switch s := b.current().(type) {
	case *list:
		if first, last := s.visible(b.geo.body()); s.sel >= first && s.sel <= last {
			return s.posts[s.sel]
		}
		if s.where == onHome && s.introSeen(0) {
			return b.edition.Home()
		}
	case *post:
		if !s.gone {
			return s.p
		}
	}
	return nil
}
