package tui

import (
	"strings"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// askSearch asks for words and shows where in the blog they stand.
func (b *browser) askSearch() {
	b.prompt = &prompt{b: b, label: "search: ", enter: func(words string) {
		if words == "" {
			return
		}
		e := b.edition
		b.background(func() func() {
			hits := e.Search(words)
			return func() { b.push(newHits(b, words, e, hits)) }
		})
	}}
}

// newHits shows what a search has found.
func newHits(b *browser, words string, e *blog.Edition, hits []blog.Hit) *menu {
	x := &menu{b: b, name: "«" + words + "»", unit: "post", empty: "No match for «" + words + "»."}
	x.build = func() (entries []item) {
		if b.edition != e {
			e = b.edition
			hits = e.Search(words)
		}
		for _, hit := range hits {
			p := hit.Post
			room := x.room()
			right := ""
			if p.HasDate {
				right = p.Date.Format("2 Jan 2006")
			}
			if room < 40 {
				right = ""
			}
			where := ""
			if hit.Heading != "" && room >= 60 {
				where = b.styles.Dim.On(" › " + oneLine(hit.Heading))
			}
			entries = append(entries, item{
				name: p.Slug,
				lines: []string{
					between(b.styles.Bold.On(oneLine(p.Title))+where, b.styles.Dim.On(right), room),
					typeset.Truncate(highlightWords(oneLine(hit.Snippet), words, b.styles), room),
				},
				open: func() {
					s := b.openPost(p, nil)
					s.search = textSearch{words: words}
					s.goTo = func() {
						s.search.find(s.page)
						line := s.page.StartOf(hit.Line)
						if hit.Line <= 1 {
							line = 0
						}
						if m, ok := s.search.from(line); ok {
							s.scrollTo(m.line)
						} else {
							s.search = textSearch{}
							if hit.Line > 1 {
								s.scrollTo(line)
							}
						}
					}
					if s.page != nil {
						s.goTo()
						s.goTo = nil
					}
				},
			})
		}
		return entries
	}
	x.refresh()
	return x
}

// highlightWords shows the words that were looked for in a snippet; the rest is dim.
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
