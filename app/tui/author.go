package tui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sheaf/app/blog"
	"sheaf/app/terminal"
)

// An author is what a browser has for a visitor who is one: what she does to
// posts, each of which ends in a commit of package blog, which decides.
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
		what := "deleted «" + oneLine(p.Title) + "»"
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

// commit does something to the blog, says what came of it, and keeps the way
// back.
func (a *author) commit(what string, do func(context.Context) (blog.Receipt, error)) {
	ctx := a.b.ctx
	a.b.background(func() func() {
		r, err := do(ctx)
		return func() {
			if err != nil {
				a.sayRefused(err)
				return
			}
			a.noteCommit(r, what)
			a.selectChanged(r)
			a.b.say(a.describe(r, what))
		}
	})
}

// undo takes back the last commit of this session that was not taken back yet.
func (a *author) undo() {
	ctx, visitor, last := a.b.ctx, a.visitor, a.commits[len(a.commits)-1]
	a.commits = a.commits[:len(a.commits)-1]
	a.b.background(func() func() {
		r, err := visitor.Undo(ctx, last.rev)
		return func() {
			if err != nil {
				a.sayRefused(err)
				return
			}
			a.selectChanged(r)
			a.b.say("undone: " + last.what)
		}
	})
}

// noteCommit notes a commit for undo, unless nothing was changed: the revision is
// somebody else's then.
func (a *author) noteCommit(r blog.Receipt, what string) {
	if !slices.ContainsFunc(r.Files, func(f blog.Filed) bool { return f.Action != blog.Unchanged }) {
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

// describe says what became of a change: the state and address of its post, and
// the first thing that is doubtful.
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
			what += "  ssh -t " + host + " " + oneLine(f.Post.Slug)
		}
		break
	}
	if n := len(r.Warnings); n > 0 {
		what += "  but " + oneLine(r.Warnings[0].Text)
		if n > 1 {
			what += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	return what
}

// sayRefused says why something was not done.
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
		return oneLine(err.Error())
	}
	a.b.conf.Log.Error("an author's action", "err", err)
	if s := blog.Obstacle(err); s != "" {
		return s
	}
	return "internal error"
}

// copy takes what was cut or copied, for the terminal's clipboard too.
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

// edit opens a post's source; what is kept of it is offered first.
func (a *author) edit(p *blog.Post) {
	b, ctx, visitor := a.b, a.b.ctx, a.visitor
	a.openInput(func() func() {
		d, err := openDocument(ctx, visitor, p.Path)
		var kept *blog.Kept
		var mine document
		if err == nil {
			var all []blog.Kept
			all, err = visitor.Kept(ctx)
			i := slices.IndexFunc(all, func(k blog.Kept) bool { return k.Path == d.path && k.Door == door })
			if i >= 0 {
				kept, mine = &all[i], continued(visitor, all[i])
			}
		}
		return func() {
			switch {
			case err != nil:
				a.sayRefused(err)
			case kept != nil:
				text := "You have an unsaved text of this, kept " + ago(kept.Time, time.Now()) + "."
				b.choice = &choice{b: b, text: text, options: []option{
					{"c", "continue it", func() { a.openEditor(mine) }},
					{"n", "leave it aside", func() { a.openEditor(d) }},
				}}
			default:
				a.openEditor(d)
			}
		}
	})
}
