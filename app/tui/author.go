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

// A done is a commit of this session that can be taken back.
type done struct {
	rev  blog.Rev
	what string
}

// mostDone bounds how far undo goes.
const mostDone = 100

// selected is the post that an action is about, the home page while no post is
// seen below it; nil if there is none.
func (b *browser) selected() *blog.Post {
	switch s := b.top().(type) {
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
	case writeNew, unsaved, readers:
		return true
	case drafts:
		l, ok := b.top().(*list)
		return ok && (l.name == draftsName || b.top().place() == onHome && len(hidden(b.edition)) > 0)
	case undo:
		return len(b.done) > 0
	}
	p := b.selected()
	switch {
	case p == nil:
		return false
	case p.State == blog.Broken:
		return a == edit || a == remove || a == versions
	case p == b.edition.Home():
		return a == edit || a == versions
	}
	return true
}

func (b *browser) actAuthor(a action) {
	v, p := b.conf.Visitor, b.selected()
	switch a {
	case writeNew:
		b.askTitle()
	case edit:
		b.edit(p)
	case publish:
		if p.State.Visible() {
			b.commit("taken back", func(ctx context.Context) (blog.Receipt, error) { return v.Unpublish(ctx, p.Slug) })
		} else {
			b.commit("published", func(ctx context.Context) (blog.Receipt, error) { return v.Publish(ctx, p.Slug) })
		}
	case schedule:
		b.askWhen(p)
	case rename:
		b.askSlug(p)
	case remove:
		b.commit("deleted «"+oneLine(p.Title)+"»", func(ctx context.Context) (blog.Receipt, error) { return v.Remove(ctx, p.Path) })
	case versions:
		b.openVersions(p)
	case undo:
		last := b.done[len(b.done)-1]
		b.done = b.done[:len(b.done)-1]
		b.work(func() func() {
			r, err := v.Undo(b.ctx, last.rev)
			return func() {
				if err != nil {
					b.refused(err)
					return
				}
				b.point(r)
				b.say("undone: " + last.what)
			}
		})
	case drafts:
		if l, ok := b.top().(*list); ok && l.name == draftsName {
			b.back()
		} else {
			b.push(newList(b, draftsName, hidden))
		}
	case unsaved:
		b.openUnsaved(true)
	case share:
		b.askShare(p)
	case readers:
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
	b.work(func() func() {
		r, err := job(ctx)
		return func() {
			if err != nil {
				b.refused(err)
				return
			}
			b.committed(r, what)
			b.point(r)
			b.say(b.outcome(r, what))
		}
	})
}

// point selects the post that was changed.
func (b *browser) point(r blog.Receipt) {
	b.follow(b.conf.Visitor.Edition())
	l, ok := b.top().(*list)
	if !ok {
		return
	}
	l.sync()
	for _, f := range r.Files {
		if f.Post != nil {
			l.choose(f.Post.Slug)
			return
		}
	}
}

// committed notes a commit for undo, unless nothing was changed: the revision is
// somebody else's then.
func (b *browser) committed(r blog.Receipt, what string) {
	if !slices.ContainsFunc(r.Files, func(f blog.Filed) bool { return f.Action != blog.Unchanged }) {
		return
	}
	b.done = append(b.done, done{r.Rev, what})
	if len(b.done) > mostDone {
		b.done = b.done[1:]
	}
}

// outcome says what became of a change: the state and address of its post, and
// the first thing that is doubtful.
func (b *browser) outcome(r blog.Receipt, what string) string {
	for _, f := range r.Files {
		switch {
		case f.Action == blog.Removed, f.Post == nil:
			continue
		case f.Action == blog.Unchanged:
			what = "unchanged"
		case f.Post.State == blog.Scheduled:
			what = "scheduled for " + b.inFull(f.Post.Due())
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

// refused says why something was not done.
func (b *browser) refused(err error) { b.say("not done: " + b.why(err)) }

// why is the reason of an error in words for the author. What is wrong with the
// machine goes to the log.
func (b *browser) why(err error) string {
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

// inFull writes a moment as it counts, in the blog's own time zone.
func (b *browser) inFull(t time.Time) string {
	return t.In(b.zone()).Format("Monday, 2 January 2006, 15:04 MST")
}

func (b *browser) zone() *time.Location {
	if loc := b.edition.Site().Location; loc != nil {
		return loc
	}
	return time.Local
}
