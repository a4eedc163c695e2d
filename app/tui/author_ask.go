package tui

import (
	"context"
	"time"

	"sheaf/app/blog"
)

func (b *browser) askTitle() {
	b.prompt = &prompt{b: b, label: "title: ", enter: func(title string) {
		v := b.conf.Visitor
		b.openInput(func() func() {
			src, at := v.Starter(title)
			return func() { b.openEditor(document{text: src, cursor: at, unsaved: title != ""}) }
		})
	}}
}

// askWhen asks for a moment and shows it in full before it counts.
func (b *browser) askWhen(p *blog.Post) {
	read := func(text string) (time.Time, error) { return blog.ParseWhen(text, time.Now(), b.zone()) }
	b.prompt = &prompt{b: b, label: "when: ", tail: func() string {
		if b.prompt == nil || b.prompt.text == "" {
			return "tomorrow 9:00, 2026-12-01, in 2h"
		}
		at, err := read(b.prompt.text)
		if err != nil {
			return "…"
		}
		return at.In(b.zone()).Format("Mon 2 Jan 2006 15:04")
	}, enter: func(text string) {
		if text == "" {
			return
		}
		at, err := read(text)
		if err != nil {
			b.say("not done: " + oneLine(err.Error()))
			return
		}
		b.choice = &choice{b: b, text: "Goes live on " + b.fullTime(at) + ".", options: []option{{"y", "yes", func() {
			b.commit("scheduled", func(ctx context.Context) (blog.Receipt, error) {
				return b.conf.Visitor.Schedule(ctx, p.Slug, at)
			})
		}}}}
	}}
}

func (b *browser) askSlug(p *blog.Post) {
	b.prompt = &prompt{b: b, label: "address: ", text: oneLine(p.Slug), enter: func(to string) {
		if to == "" || to == p.Slug {
			return
		}
		b.commit("renamed", func(ctx context.Context) (blog.Receipt, error) { return b.conf.Visitor.Rename(ctx, p.Slug, to) })
	}}
}

// askShare gives a draft's preview address, making one if there is none.
func (b *browser) askShare(p *blog.Post) {
	v := b.conf.Visitor
	if p.State.Visible() {
		b.say("everybody can read this one already")
		return
	}
	if _, shared := v.PreviewOf(p); !shared {
		b.background(func() func() {
			given, err := v.Share(b.ctx, p.Slug)
			return func() {
				if err != nil {
					b.sayRefused(err)
					return
				}
				b.showShare(given)
			}
		})
		return
	}
	given, _ := v.PreviewOf(p)
	b.showShare(given)
}

func (b *browser) showShare(given blog.Preview) {
	v := b.conf.Visitor
	host := b.host()
	if host == "" {
		host = "HOST"
	}
	address := "ssh preview-" + given.Token + "@" + host
	b.choice = &choice{b: b, text: address, options: []option{
		{"c", "copy", func() {
			b.paint.Copy(address)
			b.say("copied: " + address)
		}},
		{"x", "take back", func() {
			b.background(func() func() {
				err := v.Revoke(b.ctx, given.Token)
				return func() {
					if err != nil {
						b.sayRefused(err)
						return
					}
					b.say("taken back: that address leads nowhere now")
				}
			})
		}},
	}}
}
