package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/terminal"
)

// An author is the part of a browser that only authors have: what they do to
// posts. The screens only ask; every change is a commit of package blog, which
// may refuse it.
type author struct {
	b       *browser
	visitor blog.Author

	commits   []ownCommit // of this session, for undo
	clipboard string      // what was cut or copied last

	holds  int              // jobs that what is typed waits for
	queued []terminal.Event // what was typed meanwhile
}

// An ownCommit is a commit of this session that can be taken back.
type ownCommit struct {
	rev  blog.Rev
	what string
}

// maxCommits bounds how far undo goes.
const maxCommits = 100

func (a *author) can(do action) bool {
	switch do {
	case actNewPost, actUnsaved, actStats:
		return true
	case actDrafts:
		l, ok := a.b.current().(*list)
		return ok && (l.name == draftsName || l.where == onHome && len(hidden(a.b.edition)) > 0)
	case actUndo:
		return len(a.commits) > 0
	}
	p := a.b.selected()
	switch {
	case p == nil:
		return false
	case p.State == blog.Broken:
		return do == actEdit || do == actRemove || do == actVersions
	case p == a.b.edition.Home():
		return do == actEdit || do == actVersions
	}
	return true
}

// act does what is asked for with the selected post, if it is about one. All
// but opening a screen ends in a commit, of which the bottom line tells.
func (a *author) act(do action) {
	b, v, p := a.b, a.visitor, a.b.selected()
	switch do {
	case actNewPost:
		a.askTitle()
	case actEdit:
		a.edit(p)
	case actPublish:
		if p.State.Visible() {
			a.commit("taken back", func(ctx context.Context) (blog.Receipt, error) { return v.Unpublish(ctx, p.Slug) })
		} else {
			a.commit("published", func(ctx context.Context) (blog.Receipt, error) { return v.Publish(ctx, p.Slug) })
		}
	case actSchedule:
		a.askWhen(p)
	case actRename:
		a.askSlug(p)
	case actRemove:
		what := "deleted «" + markdown.Line(p.Title) + "»"
		a.commit(what, func(ctx context.Context) (blog.Receipt, error) { return v.Remove(ctx, p.Path) })
	case actVersions:
		a.openVersions(p)
	case actUndo:
		a.undo()
	case actDrafts:
		if l, ok := b.current().(*list); ok && l.name == draftsName {
			b.back()
		} else {
			b.push(newList(b, draftsName, hidden))
		}
	case actUnsaved:
		a.openUnsaved(true)
	case actShare:
		a.askShare(p)
	case actStats:
		a.openStats()
	}
}

// commit changes the blog in the background, says what came of it, and notes it
// for undo.
func (a *author) commit(what string, do func(context.Context) (blog.Receipt, error)) {
	try(a, do, func(r blog.Receipt) {
		a.noteCommit(r, what)
		a.selectChanged(r)
		a.b.say(a.describe(r, what))
	})
}

// undo takes back the newest commit of this session that still stands.
func (a *author) undo() {
	last := a.commits[len(a.commits)-1]
	a.commits = a.commits[:len(a.commits)-1]
	undo := func(ctx context.Context) (blog.Receipt, error) { return a.visitor.Undo(ctx, last.rev) }
	try(a, undo, func(r blog.Receipt) {
		a.selectChanged(r)
		a.b.say("undone: " + last.what)
	})
}

// noteCommit notes a commit for undo. Where nothing was changed, the revision
// of the receipt is somebody else's and is not noted.
func (a *author) noteCommit(r blog.Receipt, what string) {
	if !slices.ContainsFunc(r.Files, func(f blog.FileResult) bool { return f.Action != blog.Unchanged }) {
		return
	}
	a.commits = append(a.commits, ownCommit{r.Rev, what})
	if len(a.commits) > maxCommits {
		a.commits = a.commits[1:]
	}
}

// selectChanged selects the post that was changed.
func (a *author) selectChanged(r blog.Receipt) {
	a.b.setEdition(a.visitor.Edition())
	l, ok := a.b.current().(*list)
	if !ok {
		return
	}
	l.refresh()
	for _, f := range r.Files {
		if f.Post != nil {
			l.selectPost(f.Post.Slug)
			return
		}
	}
}

// describe tells what became of a change: the state and address of its post,
// and the first warning.
func (a *author) describe(r blog.Receipt, what string) string {
	for _, f := range r.Files {
		switch {
		case f.Action == blog.Removed, f.Post == nil:
			continue
		case f.Action == blog.Unchanged:
			what = "unchanged"
		case f.Post.State == blog.Scheduled:
			what = "scheduled for " + a.b.fullTime(f.Post.Due())
		case f.Post.State == blog.Draft && what == "published":
			what = "still a draft"
		}
		if host := a.b.host(); host != "" && f.Action != blog.Unchanged {
			what += "  " + host.Open(f.Post.Slug)
		}
		break
	}
	if n := len(r.Warnings); n > 0 {
		what += "  but " + markdown.Line(r.Warnings[0].Text)
		if n > 1 {
			what += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	return what
}

// sayRefused shows why something was not done.
func (a *author) sayRefused(err error) { a.b.say("not done: " + a.reason(err)) }

// reason explains an error in words for the author. What is wrong with the
// machine goes to the log.
func (a *author) reason(err error) string {
	var no *blog.Refusal
	switch {
	case errors.As(err, &no):
		lines := no.Lines()
		if n := len(lines); n > 1 {
			return fmt.Sprintf("%s (and %d more)", lines[0], n-1)
		}
		return lines[0]
	case errors.Is(err, fs.ErrNotExist):
		return "it is gone"
	case errors.Is(err, fs.ErrInvalid):
		return markdown.Line(err.Error())
	}
	a.b.conf.Log.Error("an author's action", "err", err)
	if s := blog.StorageProblem(err); s != "" {
		return s
	}
	return "internal error"
}

// copy puts text on the session's clipboard and, unless it is too long for
// that, on the terminal's.
func (a *author) copy(s string) {
	if s == "" {
		return
	}
	a.clipboard = s
	if len(s) > maxCopied {
		a.b.say("copied for here; it is too long for your terminal's clipboard")
		return
	}
	a.b.paint.Copy(s)
}

// edit opens a post's source. If an unsaved text of it was kept, the author
// chooses between the two.
func (a *author) edit(p *blog.Post) {
	b, ctx, visitor := a.b, a.b.ctx, a.visitor
	a.openInput(func() func() {
		text, err := visitor.Open(ctx, p.Path)
		var kept *blog.Autosave
		if err == nil {
			var all []blog.Autosave
			all, err = visitor.Autosaves(ctx)
			i := slices.IndexFunc(all, func(k blog.Autosave) bool {
				return k.Path == text.Path && k.Channel == channel
			})
			if i >= 0 {
				kept = &all[i]
			}
		}
		return func() {
			switch {
			case err != nil:
				a.sayRefused(err)
			case kept != nil:
				question := "You have an unsaved text of this, kept " + ago(kept.Time, time.Now()) + "."
				b.ask(question,
					option{"c", "continue it", func() { a.resume(*kept, nil) }},
					option{"n", "leave it aside", func() { a.openEditor(document{Text: text}) }},
				)
			default:
				a.openEditor(document{Text: text})
			}
		}
	})
}

// askTitle begins a new post.
func (a *author) askTitle() {
	a.b.prompt = &prompt{b: a.b, label: "title: ", enter: func(title string) {
		a.openInput(func() func() {
			text, cursor := a.visitor.Starter(title)
			return func() { a.openEditor(document{Text: blog.Text{Body: text}, cursor: cursor, unsaved: title != ""}) }
		})
	}}
}

// askWhen asks when a post goes live. The time that was understood is shown
// while it is typed, and in full before it is taken.
func (a *author) askWhen(p *blog.Post) {
	b := a.b
	read := func(text string) (time.Time, error) { return blog.ParseWhen(text, time.Now(), b.zone()) }
	ask := &prompt{b: b, label: "when: "}
	ask.tail = func() string {
		if ask.text == "" {
			return "tomorrow 9:00, 2026-12-01, in 2h"
		}
		at, err := read(ask.text)
		if err != nil {
			return "…"
		}
		return at.In(b.zone()).Format("Mon 2 Jan 2006 15:04")
	}
	ask.enter = func(text string) {
		if text == "" {
			return
		}
		at, err := read(text)
		if err != nil {
			b.say("not done: " + markdown.Line(err.Error()))
			return
		}
		schedule := func(ctx context.Context) (blog.Receipt, error) { return a.visitor.Schedule(ctx, p.Slug, at) }
		b.ask("Goes live on "+b.fullTime(at)+".", option{"y", "yes", func() { a.commit("scheduled", schedule) }})
	}
	b.prompt = ask
}

// askSlug gives a post another address.
func (a *author) askSlug(p *blog.Post) {
	rename := func(to string) {
		if to == "" || to == p.Slug {
			return
		}
		a.commit("renamed", func(ctx context.Context) (blog.Receipt, error) {
			return a.visitor.Rename(ctx, p.Slug, to)
		})
	}
	a.b.prompt = &prompt{lineInput: lineInput{markdown.Line(p.Slug)}, b: a.b, label: "address: ", enter: rename}
}

// askShare gives a draft's preview address, making one if there is none.
func (a *author) askShare(p *blog.Post) {
	if p.State.Visible() {
		a.b.say("everybody can read this one already")
		return
	}
	if given, shared := a.visitor.PreviewOf(p); shared {
		a.showShare(given)
		return
	}
	try(a, func(ctx context.Context) (blog.Preview, error) { return a.visitor.Share(ctx, p.Slug) }, a.showShare)
}

// showShare shows a preview address, to be copied or taken back.
func (a *author) showShare(given blog.Preview) {
	b := a.b
	address := cmp.Or(b.host(), "HOST").Preview(given.Token)
	b.ask(address, option{"c", "copy", func() {
		b.paint.Copy(address)
		b.say("copied: " + address)
	}}, option{"x", "take back", func() {
		try(a, func(ctx context.Context) (none struct{}, err error) {
			return none, a.visitor.Revoke(ctx, given.Token)
		}, func(struct{}) { b.say("taken back: that address leads nowhere now") })
	}})
}
