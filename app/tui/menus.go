package tui

import (
	"fmt"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// newTags lists the tags with the number of their posts.
func newTags(b *browser) *menu {
	x := &menu{b: b, name: "tags", unit: "tag", empty: "No tags."}
	x.build = func() (entries []item) {
		tags := b.edition.Tags()
		digits := 1
		for _, t := range tags {
			digits = max(digits, len(fmt.Sprint(t.Count)))
		}
		for _, t := range tags {
			name, count := markdown.Line(t.Name), b.styles.Dim.On(rightAligned(fmt.Sprint(t.Count), digits))
			entries = append(entries, item{
				name:  t.Name,
				lines: []string{typeset.Truncate(count+"  #"+name, x.room())},
				open: func() {
					b.push(newList(b, "#"+name, func(e *blog.Edition) []*blog.Post { return e.Tagged(t.Name) }))
				},
			})
		}
		return entries
	}
	return x
}

// newArchive lists the years that there are posts of.
func newArchive(b *browser) *menu {
	const undated = "no date"
	x := &menu{b: b, name: "archive", unit: "year", empty: "No posts yet."}
	in := func(e *blog.Edition, y string) (posts []*blog.Post) {
		for _, p := range e.Posts() {
			if year(p) == y {
				posts = append(posts, p)
			}
		}
		return posts
	}
	x.build = func() (entries []item) {
		var years []string
		count := map[string]int{}
		for _, p := range b.edition.Posts() {
			y := year(p)
			if count[y]++; count[y] == 1 {
				years = append(years, y)
			}
		}
		for _, y := range years {
			name := y
			if y == "" {
				name = undated
			}
			posts := b.styles.Dim.On("  " + rightAligned(fmt.Sprint(count[y]), 4) + plural(count[y], " post"))
			entries = append(entries, item{
				name:  name,
				lines: []string{typeset.Truncate(leftAligned(name, 7)+posts, x.room())},
				open: func() {
					b.push(newList(b, name, func(e *blog.Edition) []*blog.Post { return in(e, y) }))
				},
			})
		}
		return entries
	}
	return x
}

// newOutline lists the headings of a post; the one being read is selected.
func newOutline(b *browser, s *post) *menu {
	x := &menu{b: b, name: s.breadcrumb() + " › outline", unit: "heading", empty: "No headings."}
	x.build = func() (entries []item) {
		s.refresh()
		if s.page == nil {
			return nil
		}
		least := 6
		for _, h := range s.page.Heads {
			least = min(least, h.Level)
		}
		for i, h := range s.page.Heads {
			indent := strings.Repeat("  ", h.Level-least)
			text := markdown.Line(h.Text)
			if h.Level == least {
				text = b.styles.Bold.On(text)
			}
			entries = append(entries, item{
				name:  fmt.Sprint(i),
				lines: []string{typeset.Truncate(indent+text, x.room())},
				open: func() {
					b.back()
					s.refresh()
					if i < len(s.page.Heads) {
						b.pushHistory()
						s.to(s.page.Heads[i].Line + s.geo.lead)
					}
				},
			})
		}
		return entries
	}
	x.refresh()
	for i, h := range s.page.Heads {
		if h.Line <= s.top-s.geo.lead+1 {
			x.sel = i
		}
	}
	x.ensure()
	return x
}
