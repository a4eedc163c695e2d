package tui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sheaf/app/blog"
)

// What an author does to a post from a list or from the post itself. A screen
// only asks: each of these ends in a commit of package blog, which decides.

// A ownCommit is a commit of this session that can be taken back.
type ownCommit struct {
	rev  blog.Rev
	what string
}

// maxCommits bounds how far undo goes.
const maxCommits = 100

// selected is the post that an action is about, the home page while no post is
// seen below it; nil if there is none.
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

func (b *browser) canAuthor(a action) bool {
	if !b.conf.Visitor.IsAuthor() {
		return false
	}
	switch a {
	case actNewPost, actUnsaved, actStats:
		return true
	case actDrafts:
		l, ok := b.current().(*list)
		return ok && (l.name == draftsName || b.current().kind() == onHome && len(hidden(b.edition)) > 0)
	case actUndo:
		return len(b.commits) > 0
	}
	p := b.selected()
	switch {
	case p == nil:
		return false
	case p.State == blog.Broken:
		return a == actEdit || a == actRemove || a == actVersions
	case p == b.edition.Home():
		return a == actEdit || a == actVersions
	}
	return true
}

func (b *browser) actAuthor(a action) {
	v, p := b.conf.Visitor, b.selected()
	switch a {
	case actNewPost:
		b.askTitle()
	case actEdit:
		b.edit(p)
	case actPublish:
		if p.State.Visible() {
			b.commit("taken back", func(ctx context.Context) (blog.Receipt, error) { return v.Unpublish(ctx, p.Slug) })
		} else {
			b.commit("published", func(ctx context.Context) (blog.Receipt, error) { return v.Publish(ctx, p.Slug) })
		}
	case actSchedule:
		b.askWhen(p)
	case actRename:
		b.askSlug(p)
	case actRemove:
		b.commit("deleted «"+oneLine(p.Title)+"»", func(ctx context.Context) (blog.Receipt, error) { return v.Remove(ctx, p.Path) })
	case actVersions:
		b.openVersions(p)
	case actUndo:
		last := b.commits[len(b.commits)-1]
		b.commits = b.commits[:len(b.commits)-1]
		b.background(func() func() {
			r, err := v.Undo(b.ctx, last.rev)
			return func() {
				if err != nil {
					b.sayRefused(err)
					return
				}
				b.selectChanged(r)
				b.say("undone: " + last.what)
			}
		})
	case actDrafts:
		if l, ok := b.current().(*list); ok && l.name == draftsName {
			b.back()
		} else {
			b.push(newList(b, draftsName, hidden))
		}
	case actUnsaved:
		b.openUnsaved(true)
	case actShare:
		b.askShare(p)
	case actStats:
		b.openStats()
	}
}

const draftsName = "drafts"

// hidden gives what readers do not see.
func hidden(e *blog.Edition) (posts []*blog.Post) {
	for _, p := range e.Posts() {
		if !p.State.Visible() {
			posts = append(posts, p)
		}
	}
	return posts
}

// ordered gives the posts as lists show them: what readers do not see, to
// authors, before everything else.
func ordered(e *blog.Edition) []*blog.Post {
	if first := hidden(e); len(first) > 0 {
		return hiddenFirst(e.Posts())
	}
	return e.Posts()
}

func hiddenFirst(posts []*blog.Post) []*blog.Post {
	posts = slices.Clone(posts)
	slices.SortStableFunc(posts, func(a, b *blog.Post) int {
		switch x, y := a.State.Visible(), b.State.Visible(); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return posts
}

// commit does something to the blog, says what came of it, and keeps the way
// back.
func (b *browser) commit(what string, job func(context.Context) (blog.Receipt, error)) {
	ctx := b.ctx
	b.background(func() func() {
		r, err := job(ctx)
		return func() {
			if err != nil {
				b.sayRefused(err)
				return
			}
			b.noteCommit(r, what)
			b.selectChanged(r)
			b.say(b.describe(r, what))
		}
	})
}

// selectChanged selects the post that was changed.
func (b *browser) selectChanged(r blog.Receipt) {
	b.setEdition(b.conf.Visitor.Edition())
	l, ok := b.current().(*list)
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

// noteCommit notes a commit for undo, unless nothing was changed: the revision is
// somebody else's then.
func (b *browser) noteCommit(r blog.Receipt, what string) {
	if !slices.ContainsFunc(r.Files, func(f blog.Filed) bool { return f.Action != blog.Unchanged }) {
		return
	}
	b.commits = append(b.commits, ownCommit{r.Rev, what})
	if len(b.commits) > maxCommits {
		b.commits = b.commits[1:]
	}
}

// describe says what became of a change: the state and address of its post, and
// the first thing that is doubtful.
func (b *browser) describe(r blog.Receipt, what string) string {
	for _, f := range r.Files {
		switch {
		case f.Action == blog.Removed, f.Post == nil:
			continue
		case f.Action == blog.Unchanged:
			what = "unchanged"
		case f.Post.State == blog.Scheduled:
			what = "scheduled for " + b.fullTime(f.Post.Due())
		case f.Post.State == blog.Draft && what == "published":
			what = "still a draft"
		}
		if host := b.host(); host != "" && f.Action != blog.Unchanged {
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
func (b *browser) sayRefused(err error) { b.say("not done: " + b.reason(err)) }

// reason is the reason of an error in words for the author. What is wrong with the
// machine goes to the log.
func (b *browser) reason(err error) string {
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
	case errors.Is(err, blog.ErrNotAuthor), errors.Is(err, fs.ErrInvalid):
		return oneLine(err.Error())
	}
	b.conf.Log.Error("an author's action", "err", err)
	if s := blog.Obstacle(err); s != "" {
		return s
	}
	return "internal error"
}

// fullTime writes a moment as it counts, in the blog's own time zone.
func (b *browser) fullTime(t time.Time) string {
	return t.In(b.zone()).Format("Monday, 2 January 2006, 15:04 MST")
}

func (b *browser) zone() *time.Location {
	if loc := b.edition.Site().Location; loc != nil {
		return loc
	}
	return time.Local
}
