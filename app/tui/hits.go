package tui

import (
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A hitList shows where in the blog some words were found.
type hitList struct {
	b     *browser
	menu  *menu
	words string
	hits  []blog.Hit
}

// askSearch asks for words and shows where in the blog they stand.
func (b *browser) askSearch() {
	b.prompt = &prompt{b: b, label: "search: ", enter: func(words string) {
		if words != "" {
			b.openHits(words)
		}
	}}
}

func (b *browser) openHits(words string) {
	l := &hitList{b: b, words: words}
	l.menu = &menu{
		b: b, name: "«" + words + "»", unit: "post", empty: "No match for «" + words + "».",
		build: l.items, load: l.load,
	}
	load := l.load()
	b.background(func() func() {
		put := load()
		return func() {
			put()
			b.push(l.menu)
		}
	})
}

// load searches the edition there is now.
func (l *hitList) load() job {
	edition, words := l.b.edition, l.words
	return func() func() {
		hits := edition.Search(words)
		return func() { l.hits = hits }
	}
}

func (l *hitList) items() (items []item) {
	st, room := l.b.styles, l.menu.room()
	for _, hit := range l.hits {
		date, heading := "", ""
		if hit.Post.HasDate && room >= 40 {
			date = hit.Post.Date.Format("2 Jan 2006")
		}
		if hit.Heading != "" && room >= 60 {
			heading = st.Dim.On(" › " + markdown.Line(hit.Heading))
		}
		items = append(items, item{
			name: hit.Post.Slug,
			lines: []string{
				between(st.Bold.On(markdown.Line(hit.Post.Title))+heading, st.Dim.On(date), room),
				typeset.Truncate(highlightWords(markdown.Line(hit.Snippet), l.words, st), room),
			},
			open: func() { l.open(hit) },
		})
	}
	return items
}

// open shows a post where the words stand in it.
func (l *hitList) open(hit blog.Hit) {
	l.b.openPost(hit.Post, func(s *post) {
		s.search = textSearch{words: l.words}
		s.search.find(s.page)
		line := 0
		if hit.Line > 1 {
			line = s.page.StartOf(hit.Line)
		}
		if m, ok := s.search.from(line); ok {
			s.scrollTo(m.line)
			return
		}
		s.search = textSearch{}
		if hit.Line > 1 {
			s.scrollTo(line)
		}
	})
}

// highlightWords sets a snippet: the words that were searched for are bold, the
// rest is dim.
func highlightWords(snippet, words string, st typeset.Styles) string {
	low := fold(snippet)
	if len(low) != len(snippet) {
		return st.Dim.On(snippet)
	}
	var out strings.Builder
	for at := 0; at < len(snippet); {
		next, long := len(snippet), 0
		for _, w := range strings.Fields(fold(words)) {
			if k := strings.Index(low[at:], w); k >= 0 && at+k < next {
				next, long = at+k, len(w)
			}
		}
		out.WriteString(st.Dim.On(snippet[at:next]))
		if long == 0 {
			break
		}
		out.WriteString(st.Bold.On(snippet[next : next+long]))
		at = next + long
	}
	return out.String()
}
