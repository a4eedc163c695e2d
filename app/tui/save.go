package tui

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/textdiff"
)

// compareOrigin tells the author if somebody else has changed the post since
// the text was taken from it.
func (e *editor) compareOrigin() {
	if e.path == "" || e.hash == "" || e.changedElsewhere || e.saving {
		return
	}
	visitor, ctx, from := e.a.visitor, e.b.ctx, e.origin
	e.b.background(func() func() {
		files, err := visitor.Files(ctx)
		if err != nil {
			return func() {}
		}
		now, err := files.Stat(from.path)
		return func() {
			if (err != nil || now.Hash != from.hash) && e.hash == from.hash && !e.changedElsewhere && !e.saving {
				e.changedElsewhere = true
				e.b.say("Somebody has changed this post. Saving will show both texts.")
			}
		}
	})
}

// askClose closes the editor. If the text is not saved, it asks what to do with
// it.
func (e *editor) askClose() {
	if !e.dirty() {
		e.leave(true)
		return
	}
	e.b.ask("Not saved.",
		option{"s", "save", func() { e.save(func() { e.leave(true) }) }},
		option{"k", "keep for later", e.keepForLater},
		option{"d", "discard", func() {
			e.leave(true)
			e.b.say("discarded")
		}},
	)
}

// keepForLater keeps the text aside and closes the editor once that is done.
func (e *editor) keepForLater() {
	ctx, saver := e.b.ctx, e.saver
	version, text := e.snapshot()
	e.b.background(func() func() {
		err := saver.put(ctx, version, text)
		return func() {
			switch {
			case err != nil:
				e.autosaved(time.Time{}, err)
			case e.buf.Version() != version: // more was typed
				e.keepForLater()
			default:
				e.leave(false)
				e.b.say("kept; w in the list shows it")
			}
		}
	})
}

// leave closes the editor without asking. With forget, what is kept of its text
// is discarded.
func (e *editor) leave(forget bool) {
	ctx, saver, version := e.b.ctx, e.saver, e.buf.Version()
	e.b.background(func() func() {
		var err error
		if forget {
			err = saver.discard(ctx, version)
		}
		saver.release()
		return func() {
			if err != nil {
				e.a.sayRefused(err)
			}
		}
	})
	e.unsaved = false
	e.buf.Saved()
	if e.b.current() == screen(e) {
		e.b.back()
	}
}

// save commits the text; then is called when that is done. When somebody else
// has changed the post, both texts are shown instead.
func (e *editor) save(then func()) { e.commit("save", nil, then) }

// publish commits the text and shows it to readers.
func (e *editor) publish() {
	visitor := e.a.visitor
	e.commit("publish", func(ctx context.Context, r blog.Receipt) (blog.Receipt, error) {
		for _, f := range r.Files {
			if f.Post != nil {
				return visitor.Publish(ctx, f.Post.Slug)
			}
		}
		return r, nil
	}, nil)
}

// A saving is one commit of a text: what goes in, and what came of it.
type saving struct {
	visitor blog.Author
	verb    string
	more    func(context.Context, blog.Receipt) (blog.Receipt, error) // after it; may be nil
	version int                                                       // of the editor's text
	text    blog.Text

	saved   blog.Receipt // of the text
	receipt blog.Receipt // of all of it
	now     blog.Text    // what stands there
	blob    string       // hash of what was saved; "": somebody else was quick
	err     error        // nothing was saved
	moreErr error
}

// run commits the text, does more, and reads what stands there then.
func (s *saving) run(ctx context.Context) {
	if s.text.Path == "" {
		if s.text.Path, s.err = s.visitor.PathOf(s.text.Body); s.err != nil {
			return
		}
	}
	s.saved, s.err = s.visitor.Save(ctx, s.text, s.verb+" "+s.text.Path)
	if s.err != nil {
		return
	}
	s.receipt = s.saved
	s.now, s.err = s.visitor.Open(ctx, s.text.Path)
	if s.err != nil {
		return
	}
	if bytes.Equal(s.now.Body, s.text.Body) {
		s.blob = s.now.Hash
	}
	if s.more != nil {
		s.receipt, s.moreErr = s.more(ctx, s.saved)
	}
	s.now, s.err = s.visitor.Open(ctx, s.text.Path)
}

// commit saves the text in the background; more, which may be nil, goes on with
// its receipt there. then, which may be nil too, is called in Update when all
// is done and nothing was typed meanwhile. While one commit is on its way,
// another is ignored.
func (e *editor) commit(verb string, more func(context.Context, blog.Receipt) (blog.Receipt, error), then func()) {
	if e.saving {
		return
	}
	e.saving = true
	text := []byte(e.buf.Text().String())
	if n := len(text); e.finalNewline && n > 0 && text[n-1] != '\n' {
		text = append(text, e.buf.EOL()...)
	}
	s := &saving{
		visitor: e.a.visitor, verb: verb, more: more,
		version: e.buf.Version(), text: blog.Text{Path: e.path, Hash: e.hash, Body: text},
	}
	ctx := e.b.ctx
	e.b.background(func() func() {
		s.run(ctx)
		return func() { e.committed(s, then) }
	})
}

// committed takes over the result of a saving.
func (e *editor) committed(s *saving, then func()) {
	e.saving = false
	switch {
	case errors.Is(s.err, blog.ErrConflict):
		e.openMerge(s.text.Path)
		return
	case s.err != nil:
		e.a.sayRefused(s.err)
		return
	}
	e.origin, e.unsaved, e.changedElsewhere, e.autosaving.problem = originOf(s.now), false, false, ""
	e.a.noteCommit(s.saved, "saving "+e.title())
	e.b.setEdition(e.a.visitor.Edition())
	what := "saved"
	if s.more != nil {
		what = "published"
		if s.moreErr == nil {
			e.a.noteCommit(s.receipt, "publishing "+e.title())
		}
	}
	version := s.version
	if e.buf.Version() == version {
		e.take(string(s.now.Body))
		e.buf.Saved()
		version = e.buf.Version()
	} else {
		// What was typed meanwhile began from what was saved, not from what
		// the post is now: the next saving compares the two.
		e.hash, e.unsaved = s.blob, true
	}
	e.seenVersion = e.buf.Version()
	e.discardAutosave(version)
	e.inspect(0)
	if s.moreErr != nil {
		e.a.sayRefused(s.moreErr)
		return
	}
	e.b.say(e.a.describe(s.receipt, what))
	if then != nil && !e.dirty() { // else more was typed, which must not be lost
		then()
	}
}

// take makes the text equal to now, by one edit that undo takes back.
func (e *editor) take(now string) {
	old := e.buf.Text().String()
	if old == now {
		return
	}
	from, to, s := difference(old, now)
	e.buf.Splice(from, to, s)
}

// difference returns the smallest edit of whole lines that turns old into now:
// old[from:to] becomes s. It cuts no character in two.
func difference(old, now string) (from, to int, s string) {
	for from < min(len(old), len(now)) && old[from] == now[from] {
		from++
	}
	for from > 0 && from < len(old) && old[from-1] != '\n' {
		from--
	}
	end := 0
	for end < min(len(old), len(now))-from && old[len(old)-1-end] == now[len(now)-1-end] {
		end++
	}
	for end > 0 && end < len(old) && old[len(old)-end-1] != '\n' {
		end--
	}
	return from, len(old) - end, now[from : len(now)-end]
}

// openMerge shows what the author and somebody else have made of the post, to
// choose from. If the post was deleted, the text can be saved as a new one.
func (e *editor) openMerge(path string) {
	visitor, ctx := e.a.visitor, e.b.ctx
	version, text, hash := e.buf.Version(), e.buf.Text(), e.hash
	e.b.background(func() func() {
		theirs, err := visitor.Open(ctx, path)
		gone := errors.Is(err, fs.ErrNotExist)
		if gone {
			err = nil
		}
		var before []byte
		if err == nil && hash != "" {
			before, err = visitor.Get(ctx, hash)
		}
		var hunks []textdiff.Hunk
		if err == nil && !gone {
			hunks = textdiff.Merge(before, []byte(text.String()), theirs.Body)
		}
		who := ""
		if log, e := visitor.Log(ctx, path, 1); e == nil && len(log) > 0 {
			who = revisionOrigin(log[0])
		}
		return func() {
			switch {
			case err != nil:
				e.a.sayRefused(err)
			case e.buf.Version() != version: // more was typed
				e.openMerge(path)
			case gone:
				e.b.ask("Deleted by "+who+".", option{"n", "save it as new", func() {
					e.hash, e.unsaved = "", true
					e.save(nil)
				}})
			default:
				e.b.push(newMerge(e, who, hunks, originOf(theirs)))
			}
		}
	})
}

// revisionOrigin tells who made a revision, through which channel, and when.
func revisionOrigin(r blog.Revision) string {
	who := markdown.Line(r.Author)
	if who == "" {
		who = "somebody at the server"
	}
	return who + " (" + markdown.Line(r.Channel) + ", " + ago(r.Time, time.Now()) + ")"
}
