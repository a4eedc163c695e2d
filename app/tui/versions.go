package tui

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// openVersions lists the revisions of a post.
func (b *browser) openVersions(p *blog.Post) {
	v, ctx := b.conf.Visitor, b.ctx
	b.background(func() func() {
		log, err := v.Log(ctx, p.Path, 0)
		return func() {
			if err != nil {
				b.sayRefused(err)
				return
			}
			b.push(newVersions(b, p, log))
		}
	})
}

func newVersions(b *browser, p *blog.Post, log []blog.Revision) *menu {
	v := b.conf.Visitor
	x := &menu{b: b, where: onVersions, name: oneLine(p.Title) + " › versions", unit: "version", empty: "No versions yet."}
	x.build = func() (entries []item) {
		if b.edition != x.edition && x.edition != nil || log == nil {
			if now, err := v.Log(b.ctx, p.Path, 0); err == nil {
				log = now
			}
		}
		digits, names := 1, 0
		for _, r := range log {
			digits = max(digits, len(fmt.Sprint(r.Rev)))
			names = max(names, ansi.StringWidth(revisionAuthor(r)))
		}
		names = min(names, 20)
		now := time.Now()
		for i, r := range log {
			left := leftAligned(fmt.Sprintf("r%d", r.Rev), digits+1) + "  " + leftAligned(typeset.Truncate(revisionAuthor(r), names), names) + "  " +
				b.styles.Dim.On(leftAligned(oneLine(r.Door), 7)+" "+oneLine(r.Message))
			when := ago(r.Time, now)
			if x.room() >= 60 {
				when = r.Time.In(b.zone()).Format("2 Jan 2006 15:04")
			}
			entries = append(entries, item{
				name:  fmt.Sprint(r.Rev),
				lines: []string{between(left, b.styles.Dim.On(when), x.room())},
				open:  func() { b.openChange(p, log, i) },
			})
		}
		return entries
	}
	x.acts = map[action]func(int){actRestore: func(i int) {
		r := log[i]
		b.choice = &choice{b: b, text: fmt.Sprintf("Bring back what it was at r%d?", r.Rev), options: []option{{"y", "yes", func() {
			b.commit("restored", func(ctx context.Context) (blog.Receipt, error) { return v.Restore(ctx, p.Path, r.Rev) })
		}}}}
	}}
	x.refresh()
	return x
}

// revisionAuthor is the author of a revision.
func revisionAuthor(r blog.Revision) string {
	if name := oneLine(r.Author); name != "" {
		return name
	}
	return "by hand"
}

// openChange shows what a revision changed, word by word.
func (b *browser) openChange(p *blog.Post, log []blog.Revision, i int) {
	v, ctx := b.conf.Visitor, b.ctx
	b.background(func() func() {
		text := func(i int) (string, error) {
			if i >= len(log) || log[i].Hash == "" {
				return "", nil
			}
			src, err := v.Get(ctx, log[i].Hash)
			return string(src), err
		}
		now, err := text(i)
		var before string
		if err == nil {
			before, err = text(i + 1)
		}
		var spans []textdiff.Span
		if err == nil {
			spans = textdiff.Words(before, now)
		}
		return func() {
			if err != nil {
				b.sayRefused(err)
				return
			}
			r := log[i]
			b.push(&pager{b: b, name: fmt.Sprintf("%s › r%d", oneLine(p.Title), r.Rev),
				make: func(width int) []string { return diffView(spans, width, b.styles) }})
		}
	})
}
