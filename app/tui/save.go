package tui

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"time"

	tea "charm.land/bubbletea/v2"

	"sheaf/app/blog"
)

// compareBase says when somebody else has changed the post since the text was
// taken from it.
func (e *editor) compareBase() {
	if e.path == "" || e.hash == "" || e.changedElsewhere || e.committing {
		return
	}
	v, ctx, name, hash := e.b.conf.Visitor, e.b.ctx, e.path, e.hash
	e.b.background(func() func() {
		f, err := v.Files(ctx)
		if err != nil {
			return func() {}
		}
		now, err := f.Stat(name)
		return func() {
			if (err != nil || now.Hash != hash) && e.hash == hash && !e.changedElsewhere && !e.committing {
				e.changedElsewhere = true
				e.b.say("Somebody has changed this post. Saving will show both texts.")
			}
		}
	})
}

// askClose closes the editor; a text that is not saved is not left in silence.
func (e *editor) askClose() {
	if !e.dirty() {
		e.leave(true)
		return
	}
	e.b.choice = &choice{b: e.b, text: "Not saved.", options: []option{
		{"s", "save", func() { e.save(func() { e.leave(true) }) }},
		{"k", "keep for later", func() {
			version, text := e.snapshot()
			e.b.background(func() func() {
				err := e.saver.put(e.b.ctx, version, text)
				return func() {
					if err != nil {
						e.autosaveDone(time.Time{}, err)
						return
					}
					e.leave(false)
					e.b.say("kept; w in the list shows it")
				}
			})
		}},
		{"d", "discard", func() {
			e.leave(true)
			e.b.say("discarded")
		}},
	}}
}

// leave takes the editor off; forget also drops what is kept.
func (e *editor) leave(forget bool) {
	if forget {
		version := e.buf.Version()
		ctx, keep := e.b.ctx, e.saver
		e.b.background(func() func() {
			err := keep.discard(ctx, version)
			keep.release()
			return func() {
				if err != nil {
					e.b.sayRefused(err)
				}
			}
		})
	}
	e.unsaved = false
	e.buf.Saved()
	if !forget {
		e.saver.release()
	}
	if e.b.current() == screen(e) {
		e.b.back()
	}
}

// save commits the text. When somebody else has changed the post, both texts
// are shown instead.
func (e *editor) save(then func()) {
	e.commit("save", nil, then)
}

// publish commits the text and shows it to readers.
func (e *editor) publish() {
	v := e.b.conf.Visitor
	e.commit("publish", func(ctx context.Context, r blog.Receipt) (blog.Receipt, error) {
		for _, f := range r.Files {
			if f.Post != nil {
				return v.Publish(ctx, f.Post.Slug)
			}
		}
		return r, nil
	}, nil)
}

func (e *editor) commit(verb string, more func(context.Context, blog.Receipt) (blog.Receipt, error), then func()) {
	v, ctx := e.b.conf.Visitor, e.b.ctx
	version, text := e.buf.Version(), e.buf.Text()
	src := []byte(text.String())
	if n := len(src); e.finalNewline && n > 0 && src[n-1] != '\n' {
		src = append(src, e.buf.EOL()...)
	}
	name, base, hash := e.path, e.base, e.hash
	if e.committing {
		return
	}
	e.committing = true
	e.b.background(func() func() {
		var err error
		if name == "" {
			name, err = v.PathOf(src)
		}
		var saved, r blog.Receipt
		if err == nil {
			saved, err = v.Save(ctx, name, base, hash, src, verb+" "+name)
		}
		var now []byte
		r = saved
		var after error
		var kept string // the blob that was saved
		if err == nil {
			var stands []byte
			if _, base, kept, stands, err = v.Open(ctx, name); err == nil && !bytes.Equal(stands, src) {
				kept = "" // somebody else was quick
			}
		}
		if err == nil {
			if more != nil {
				r, after = more(ctx, saved)
			}
			_, base, hash, now, err = v.Open(ctx, name)
		}
		return func() {
			e.committing = false
			switch {
			case errors.Is(err, blog.ErrConflict):
				e.conflict(name)
				return
			case err != nil:
				e.b.sayRefused(err)
				return
			}
			e.path, e.base, e.hash, e.unsaved, e.changedElsewhere, e.autosaveError = name, base, hash, false, false, ""
			e.b.noteCommit(saved, "saving "+e.title())
			e.b.setEdition(v.Edition())
			if more != nil && after == nil {
				e.b.noteCommit(r, "publishing "+e.title())
			}
			if e.buf.Version() == version {
				e.take(string(now))
				e.buf.Saved()
				version = e.buf.Version()
			} else {
				// What was typed meanwhile began from what was saved, not from
				// what the post is now: the next saving compares the two.
				e.hash, e.unsaved = kept, true
			}
			e.seenVersion = e.buf.Version()
			keep := e.saver
			e.b.command(func() tea.Msg {
				_ = keep.discard(ctx, version) // it is offered once more, at worst
				return nil
			})
			e.inspectSoon(0)
			if after != nil {
				e.b.sayRefused(after)
				return
			}
			what := "saved"
			if more != nil {
				what = "published"
			}
			e.b.say(e.b.describe(r, what))
			if then != nil {
				then()
			}
		}
	})
}

// take brings the text to what the file is now, as one change of what differs.
func (e *editor) take(now string) {
	old := e.buf.Text().String()
	if old == now {
		return
	}
	from, to, s := difference(old, now)
	e.buf.Splice(from, to, s)
}

// difference gives what has to be put in the place of what, to make one text of
// another. It cuts no character in two.
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

// conflict shows what somebody else has made of the post meanwhile.
func (e *editor) conflict(name string) {
	v, ctx := e.b.conf.Visitor, e.b.ctx
	mine, hash := e.buf.Text().String(), e.hash
	e.b.background(func() func() {
		_, rev, now, theirs, err := v.Open(ctx, name)
		gone := errors.Is(err, fs.ErrNotExist)
		if gone {
			err = nil
		}
		var before []byte
		if err == nil && hash != "" {
			before, err = v.Get(ctx, hash)
		}
		var who string
		if log, e := v.Log(ctx, name, 1); e == nil && len(log) > 0 {
			who = authorOf(log[0])
		}
		return func() {
			switch {
			case err != nil:
				e.b.sayRefused(err)
			case gone:
				e.b.choice = &choice{b: e.b, text: "Deleted by " + who + ".", options: []option{{"n", "save it as new", func() {
					e.base, e.hash, e.unsaved = 0, "", true
					e.save(nil)
				}}}}
			default:
				e.b.push(newMerge(e, who, before, []byte(mine), theirs, rev, now))
			}
		}
	})
}

func authorOf(r blog.Revision) string {
	who := oneLine(r.Author)
	if who == "" {
		who = "somebody at the server"
	}
	return who + " (" + oneLine(r.Door) + ", " + ago(r.Time, time.Now()) + ")"
}
