package tui

import (
	"context"
	"time"

	"sheaf/app/blog"
)

// askTitle begins a new post.
func (a *author) askTitle() {
	a.b.prompt = &prompt{b: a.b, label: "title: ", enter: func(title string) {
		a.openInput(func() func() {
			text, cursor := a.visitor.Starter(title)
			return func() { a.openEditor(document{text: text, cursor: cursor, unsaved: title != ""}) }
		})
	}}
}

// askWhen asks for a moment and shows it in full before it counts.
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
			b.say("not done: " + oneLine(err.Error()))
			return
		}
		b.choice = &choice{b: b, text: "Goes live on " + b.fullTime(at) + ".", options: []option{{"y", "yes", func() {
			a.commit("scheduled", func(ctx context.Context) (blog.Receipt, error) { return a.visitor.Schedule(ctx, p.Slug, at) })
		}}}}
	}
	b.prompt = ask
}

// askSlug gives a post another address.
func (a *author) askSlug(p *blog.Post) {
	a.b.prompt = &prompt{lineInput: lineInput{oneLine(p.Slug)}, b: a.b, label: "address: ", enter: func(to string) {
		if to == "" || to == p.Slug {
			return
		}
		a.commit("renamed", func(ctx context.Context) (blog.Receipt, error) { return a.visitor.Rename(ctx, p.Slug, to) })
	}}
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
	ctx, visitor := a.b.ctx, a.visitor
	a.b.background(func() func() {
		given, err := visitor.Share(ctx, p.Slug)
		return func() {
			if err != nil {
				a.sayRefused(err)
				return
			}
			a.showShare(given)
		}
	})
}

// showShare shows a preview address, to be copied or taken back.
func (a *author) showShare(given blog.Preview) {
	b := a.b
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
		{"x", "take back", func() { a.revoke(given) }},
	}}
}

func (a *author) revoke(given blog.Preview) {
	ctx, visitor := a.b.ctx, a.visitor
	a.b.background(func() func() {
		err := visitor.Revoke(ctx, given.Token)
		return func() {
			if err != nil {
				a.sayRefused(err)
				return
			}
			a.b.say("taken back: that address leads nowhere now")
		}
	})
}
