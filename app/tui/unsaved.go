package tui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// An unsavedList shows the texts that were kept aside: what was being written
// when a session ended, and what another channel refused.
type unsavedList struct {
	a     *author
	menu  *menu
	texts []unsavedText
}

type unsavedText struct {
	blog.Autosave
	title  string
	locked bool // it is open in another session
}

// openUnsaved lists the texts that were kept aside. When there are none it says
// so, if the author asked.
func (a *author) openUnsaved(asked bool) {
	b, ctx, visitor := a.b, a.b.ctx, a.visitor
	b.background(func() func() {
		texts, err := readUnsaved(ctx, visitor)
		return func() {
			switch {
			case err != nil && asked:
				a.sayRefused(err)
			case err != nil:
				b.conf.Log.Error("texts that were kept", "err", err)
			case len(texts) > 0:
				a.pushUnsaved(texts)
			case asked:
				b.say("Nothing is unsaved.")
			}
		}
	})
}

func (a *author) pushUnsaved(texts []unsavedText) {
	l := &unsavedList{a: a, texts: texts}
	l.menu = &menu{
		b: a.b, where: onUnsaved, name: "unsaved", unit: "text", empty: "Nothing is unsaved.",
		build: l.items, load: l.load, acts: map[action]func(int){
			actCompare: func(i int) { a.compareUnsaved(l.texts[i].Autosave) },
			actDiscard: l.askDiscard,
		},
	}
	a.b.push(l.menu)
}

// readUnsaved reads the texts and their titles. It waits for the disk.
func readUnsaved(ctx context.Context, v blog.Author) (texts []unsavedText, err error) {
	all, err := v.Autosaves(ctx)
	for _, k := range all {
		title := markdown.Line(v.Inspect(k.Path, k.Body).Post.Title)
		texts = append(texts, unsavedText{Autosave: k, title: title, locked: v.AutosaveLocked(k.ID)})
	}
	return texts, err
}

// load reads the texts again. If that fails, the list stays as it is.
func (l *unsavedList) load() job {
	ctx, visitor := l.a.b.ctx, l.a.visitor
	return func() func() {
		texts, err := readUnsaved(ctx, visitor)
		return func() {
			if err == nil {
				l.texts = texts
			}
		}
	}
}

// items are the texts with their title, their age, and why they are not saved.
func (l *unsavedList) items() (items []item) {
	st, room, now := l.a.b.styles, l.menu.room(), time.Now()
	for _, t := range l.texts {
		name := t.title
		if name == "" {
			name = markdown.Line(t.Path)
		}
		if name == "" {
			name = "a new post"
		}
		why := "not saved"
		if t.locked {
			why = "open in another session"
		} else if t.Channel != channel {
			why = "refused (" + markdown.Line(t.Channel) + ")"
		}
		what := fmt.Sprintf("%s, %d bytes", why, len(t.Body))
		if t.Reason != "" {
			what = why + ": " + markdown.Line(t.Reason)
		}
		items = append(items, item{
			name: t.ID,
			lines: []string{
				between(st.Bold.On(name), st.Dim.On(ago(t.Time, now)), room),
				typeset.Truncate(st.Dim.On(what), room),
			},
			open: func() {
				l.a.b.back()
				l.a.resume(t.Autosave, func(e *editor, k blog.Autosave) {
					e.compareOrigin()
					if k.Reason != "" {
						l.a.b.say(markdown.Line(k.Reason))
					}
				})
			},
		})
	}
	return items
}

// resume opens an editor on a text that was kept aside; then opened is called,
// which may be nil. The text is read again, because more may have been typed
// meanwhile where it is open in another session. That session may only seem to
// be alive: therefore both go on, each with a copy of its own.
func (a *author) resume(k blog.Autosave, opened func(*editor, blog.Autosave)) {
	ctx := a.b.ctx
	a.openInput(func() func() {
		all, _ := a.visitor.Autosaves(ctx)
		if i := slices.IndexFunc(all, func(now blog.Autosave) bool { return now.ID == k.ID }); i >= 0 {
			k = all[i]
		}
		d := document{Text: k.Text, cursor: k.Cursor, keptID: k.ID, unsaved: true}
		if a.visitor.AutosaveLocked(k.ID) {
			d.keptID = ""
		}
		return func() {
			e := a.openEditor(d)
			if opened != nil {
				opened(e, k)
			}
		}
	})
}

// askDiscard discards a text, unless it is open in another session.
func (l *unsavedList) askDiscard(i int) {
	b, id := l.a.b, l.texts[i].ID
	b.background(func() func() {
		locked := l.a.visitor.AutosaveLocked(id)
		return func() {
			if locked {
				b.say("It is open in another session of yours.")
				return
			}
			b.ask("Discard this text for good?", option{"y", "yes", func() { l.discard(id) }})
		}
	})
}

func (l *unsavedList) discard(id string) {
	b, load := l.a.b, l.load()
	try(l.a, func(ctx context.Context) (put func(), err error) {
		err = l.a.visitor.DiscardAutosave(ctx, id)
		return load(), err
	}, func(put func()) {
		put()
		l.menu.rebuild()
		if len(l.texts) == 0 && b.current() == screen(l.menu) {
			b.back()
		}
		b.say("discarded")
	})
}

// compareUnsaved shows how a text differs from the post as it stands.
func (a *author) compareUnsaved(k blog.Autosave) {
	try(a, func(ctx context.Context) ([]textdiff.Span, error) {
		now, err := a.visitor.Open(ctx, k.Path)
		if k.Path == "" || errors.Is(err, fs.ErrNotExist) {
			now, err = blog.Text{}, nil
		}
		return textdiff.Words(string(now.Body), string(k.Body)), err
	}, func(spans []textdiff.Span) {
		name := markdown.Line(k.Path)
		if name == "" {
			name = "a new post"
		}
		a.b.push(&pager{b: a.b, name: name + " › unsaved", setText: diffPage(spans)})
	})
}
