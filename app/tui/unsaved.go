package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// offer shows, at the beginning of a session, the texts that an earlier one
// has left unsaved.
func (b *browser) offer() {
	if b.conf.Visitor.IsAuthor() && b.conf.Open == "" {
		b.openUnsaved(false)
	}
}

// openUnsaved lists the texts that were kept aside: what was being written when
// a session ended, and what another door refused. It says so when there are
// none, if the author asked.
func (b *browser) openUnsaved(asked bool) {
	v, ctx := b.conf.Visitor, b.ctx
	b.background(func() func() {
		mine, err := v.Kept(ctx)
		return func() {
			switch {
			case err != nil && asked:
				b.sayRefused(err)
			case err != nil:
				b.conf.Log.Error("texts that were kept", "err", err)
			case len(mine) > 0:
				b.push(newUnsaved(b, mine))
			case asked:
				b.say("Nothing is unsaved.")
			}
		}
	})
}

func newUnsaved(b *browser, mine []blog.Kept) *menu {
	v, ctx := b.conf.Visitor, b.ctx
	x := &menu{b: b, where: onUnsaved, name: "unsaved", unit: "text", empty: "Nothing is unsaved."}
	again := func() {
		if now, err := v.Kept(ctx); err == nil {
			mine = now
		}
		x.reload()
	}
	x.build = func() (entries []item) {
		now := time.Now()
		for _, k := range mine {
			name := k.Path
			if name == "" {
				name = "a new post"
			}
			made := v.Sketch(k.Path, k.Text)
			if t := oneLine(made.Post.Title); t != "" {
				name = t
			}
			when := ago(k.Time, now)
			why := "not saved"
			if v.Held(k.ID) {
				why = "open in another session"
			} else if k.Door != door {
				why = "refused (" + oneLine(k.Door) + ")"
			}
			what := fmt.Sprintf("%s, %d bytes", why, len(k.Text))
			if k.Reason != "" {
				what = why + ": " + oneLine(k.Reason)
			}
			entries = append(entries, item{
				name: k.ID,
				lines: []string{
					between(b.styles.Bold.On(oneLine(name)), b.styles.Dim.On(when), x.room()),
					typeset.Truncate(b.styles.Dim.On(what), x.room()),
				},
				open: func() {
					b.back()
					b.openInput(func() func() {
						all, _ := v.Kept(ctx) // where it is open elsewhere more may have been typed
						if i := slices.IndexFunc(all, func(now blog.Kept) bool { return now.ID == k.ID }); i >= 0 {
							k = all[i]
						}
						return func() {
							b.openEditor(b.continued(k)).compareBase()
							if k.Reason != "" {
								b.say(oneLine(k.Reason))
							}
						}
					})
				},
			})
		}
		return entries
	}
	x.acts = map[action]func(int){
		actCompare: func(i int) { b.compareKept(mine[i]) },
		actDiscard: func(i int) {
			k := mine[i]
			if v.Held(k.ID) {
				b.say("It is open in another session of yours.")
				return
			}
			b.choice = &choice{b: b, text: "Discard this text for good?", options: []option{{"y", "yes", func() {
				b.background(func() func() {
					err := v.Forget(ctx, k.ID)
					return func() {
						if err != nil {
							b.sayRefused(err)
							return
						}
						again()
						if len(mine) == 0 && b.current() == screen(x) {
							b.back()
						}
						b.say("discarded")
					}
				})
			}}}}
		},
	}
	x.refresh()
	return x
}

// compareKept shows how a kept text differs from the post as it stands.
func (b *browser) compareKept(k blog.Kept) {
	v, ctx := b.conf.Visitor, b.ctx
	b.background(func() func() {
		_, _, _, now, err := v.Open(ctx, k.Path)
		if k.Path == "" || errors.Is(err, fs.ErrNotExist) {
			now, err = nil, nil
		}
		spans := textdiff.Words(string(now), string(k.Text))
		return func() {
			if err != nil {
				b.sayRefused(err)
				return
			}
			name := ansi.Strip(oneLine(k.Path))
			if name == "" {
				name = "a new post"
			}
			b.push(&pager{b: b, name: name + " › unsaved", make: func(width int) []string { return diffView(spans, width, b.styles) }})
		}
	})
}
