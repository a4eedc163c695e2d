package tui

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// A versionList shows the revisions of a post.
type versionList struct {
	a    *author
	menu *menu
	post *blog.Post
	log  []blog.Revision // newest first
}

// openVersions lists the revisions of a post.
func (a *author) openVersions(p *blog.Post) {
	l := &versionList{a: a, post: p}
	l.menu = &menu{
		b: a.b, where: onVersions, name: markdown.Line(p.Title) + " › versions",
		unit: "version", empty: "No versions yet.",
		build: l.items, load: l.load, acts: map[action]func(int){actRestore: l.askRestore},
	}
	read := func(ctx context.Context) ([]blog.Revision, error) { return a.visitor.Log(ctx, p.Path, 0) }
	try(a, read, func(log []blog.Revision) {
		l.log = log
		a.b.push(l.menu)
	})
}

// load reads the revisions again. If that fails, the list stays as it is.
func (l *versionList) load() job {
	ctx, visitor, path := l.a.b.ctx, l.a.visitor, l.post.Path
	return func() func() {
		log, err := visitor.Log(ctx, path, 0)
		return func() {
			if err == nil {
				l.log = log
			}
		}
	}
}

func (l *versionList) items() (items []item) {
	b, st, room, now := l.a.b, l.a.b.styles, l.menu.room(), time.Now()
	digits, names := 1, 0
	for _, r := range l.log {
		digits = max(digits, len(fmt.Sprint(r.Rev)))
		names = max(names, ansi.StringWidth(revisionAuthor(r)))
	}
	names = min(names, 20)
	for i, r := range l.log {
		left := leftAligned(fmt.Sprintf("r%d", r.Rev), digits+1) + "  " +
			leftAligned(typeset.Truncate(revisionAuthor(r), names), names) + "  " +
			st.Dim.On(leftAligned(markdown.Line(r.Channel), 7)+" "+markdown.Line(r.Message))
		when := ago(r.Time, now)
		if room >= 60 {
			when = r.Time.In(b.zone()).Format("2 Jan 2006 15:04")
		}
		items = append(items, item{
			name:  fmt.Sprint(r.Rev),
			lines: []string{between(left, st.Dim.On(when), room)},
			open:  func() { l.openChange(i) },
		})
	}
	return items
}

func (l *versionList) askRestore(i int) {
	rev := l.log[i].Rev
	restore := func(ctx context.Context) (blog.Receipt, error) { return l.a.visitor.Restore(ctx, l.post.Path, rev) }
	text := fmt.Sprintf("Bring back what it was at r%d?", rev)
	l.a.b.ask(text, option{"y", "yes", func() { l.a.commit("restored", restore) }})
}

// revisionAuthor is the author of a revision.
func revisionAuthor(r blog.Revision) string {
	if name := markdown.Line(r.Author); name != "" {
		return name
	}
	return "by hand"
}

// openChange shows what a revision changed, word by word.
func (l *versionList) openChange(i int) {
	a, log := l.a, l.log
	text := func(ctx context.Context, i int) (string, error) {
		if i >= len(log) || log[i].Hash == "" {
			return "", nil
		}
		src, err := a.visitor.Get(ctx, log[i].Hash)
		return string(src), err
	}
	try(a, func(ctx context.Context) ([]textdiff.Span, error) {
		now, err := text(ctx, i)
		if err != nil {
			return nil, err
		}
		before, err := text(ctx, i+1)
		return textdiff.Words(before, now), err
	}, func(spans []textdiff.Span) {
		name := fmt.Sprintf("%s › r%d", markdown.Line(l.post.Title), log[i].Rev)
		a.b.push(&pager{b: a.b, name: name, setText: diffPage(spans)})
	})
}
