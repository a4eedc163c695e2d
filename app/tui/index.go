package tui

import (
	"fmt"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// An index is a list of anything but posts by date: tags, years, headings,
// what a search has found. It is short enough to be made as a whole.
type index struct {
	b     *browser
	where place // 0 is onIndex
	name  string
	unit  string // "tag"; counted in the line above
	empty string
	make  func() []entry         // anew for each edition, geometry and theme
	acts  map[action]func(i int) // what else can be done with an entry

	edition *blog.Edition
	geo     geometry
	theme   typeset.Theme
	entries []entry
	at      []int // the first row of each entry
	total   int
	sel     int
	top     int
}

// An entry is one thing to choose.
type entry struct {
	name  string   // tells it from the others
	lines []string // at least one
	open  func()   // nil: it is only read
}

func (x *index) place() place {
	if x.where != 0 {
		return x.where
	}
	return onIndex
}

func (x *index) crumb() string  { return x.name }
func (x *index) window() string { return title(x.b.edition.Site().Title, x.name) }
func (x *index) hint(k binding) string {
	if k.do == open && x.where == 0 {
		return "open"
	}
	return k.hint
}

func (x *index) status() string {
	if len(x.entries) == 0 || x.unit == "" {
		return ""
	}
	return counted(len(x.entries), x.unit)
}

func (x *index) sync() {
	if x.edition == x.b.edition && x.geo == x.b.geo && x.theme == x.b.theme {
		return
	}
	name := ""
	if x.sel < len(x.entries) {
		name = x.entries[x.sel].name
	}
	x.edition, x.geo, x.theme = x.b.edition, x.b.geo, x.b.theme
	x.entries = x.make()
	x.at = x.at[:0]
	x.total = x.geo.lead
	for i, e := range x.entries {
		if name != "" && e.name == name {
			x.sel, name = i, ""
		}
		x.at = append(x.at, x.total)
		x.total += len(e.lines)
	}
	x.sel = max(min(x.sel, len(x.entries)-1), 0)
	x.ensure()
}

// ensure scrolls until the selection is on the screen.
func (x *index) ensure() {
	h := x.geo.body()
	if len(x.entries) > 0 {
		from := x.at[x.sel]
		to := from + len(x.entries[x.sel].lines)
		if x.sel == 0 {
			from = 0
		}
		x.top = min(x.top, from)
		x.top = max(x.top, to-h)
	}
	x.top = min(x.top, max(x.total-h, 0))
}

func (x *index) can(a action) bool {
	switch a {
	case open:
		return len(x.entries) > 0 && x.entries[x.sel].open != nil
	case lineDown, lineUp, halfDown, halfUp, pageDown, pageUp, top, bottom:
		return true
	}
	return len(x.entries) > 0 && x.acts[a] != nil
}

// again makes the entries anew.
func (x *index) again() {
	x.edition = nil
	x.sync()
}

func (x *index) act(a action) {
	h := max(x.geo.body(), 1)
	per := 1
	if len(x.entries) > 0 {
		per = len(x.entries[x.sel].lines)
	}
	by := 0
	switch a {
	case lineDown:
		by = 1
	case lineUp:
		by = -1
	case halfDown:
		by = max(h/2/per, 1)
	case halfUp:
		by = -max(h/2/per, 1)
	case pageDown:
		by = max(h/per-1, 1)
	case pageUp:
		by = -max(h/per-1, 1)
	case top:
		by = -len(x.entries)
	case bottom:
		by = len(x.entries)
	case open:
		x.entries[x.sel].open()
		return
	default:
		x.acts[a](x.sel)
		return
	}
	x.sel = max(min(x.sel+by, len(x.entries)-1), 0)
	x.ensure()
}

func (x *index) rows(height int) []terminal.Row {
	if len(x.entries) == 0 {
		rows := make([]terminal.Row, x.geo.lead)
		return append(rows, terminal.Row{At: x.geo.left, Text: x.b.styles.Dim.On(typeset.Truncate(x.empty, x.geo.measure))})
	}
	c := newColumns(x.geo, 0, 0, 0)
	rows := make([]terminal.Row, 0, height)
	for range max(x.geo.lead-x.top, 0) {
		rows = append(rows, terminal.Row{})
	}
	for i, e := range x.entries {
		for n, line := range e.lines {
			y := x.at[i] + n
			if y < x.top || y >= x.top+height {
				continue
			}
			bar := " "
			if i == x.sel {
				bar = x.b.styles.Accent.On("▌")
			}
			rows = append(rows, terminal.Row{At: c.at, Text: bar + strings.Repeat(" ", c.gap-1) + line})
		}
	}
	return rows
}

// room is how wide a line of an entry may be.
func (x *index) room() int {
	c := newColumns(x.b.geo, 0, 0, 0)
	return max(c.width-c.gap, 1)
}

func newTags(b *browser) *index {
	x := &index{b: b, name: "tags", unit: "tag", empty: "No tags."}
	x.make = func() (entries []entry) {
		tags := b.edition.Tags()
		digits := 1
		for _, t := range tags {
			digits = max(digits, len(fmt.Sprint(t.Count)))
		}
		for _, t := range tags {
			name := oneLine(t.Name)
			entries = append(entries, entry{
				name:  t.Name,
				lines: []string{typeset.Truncate(b.styles.Dim.On(rightAligned(fmt.Sprint(t.Count), digits))+"  #"+name, x.room())},
				open: func() {
					b.push(newList(b, "#"+name, func(e *blog.Edition) []*blog.Post { return e.Tagged(t.Name) }))
				},
			})
		}
		return entries
	}
	x.sync()
	return x
}

func newArchive(b *browser) *index {
	const undated = "no date"
	x := &index{b: b, name: "archive", unit: "year", empty: "No posts yet."}
	in := func(e *blog.Edition, y string) (posts []*blog.Post) {
		for _, p := range e.Posts() {
			if year(p) == y {
				posts = append(posts, p)
			}
		}
		return posts
	}
	x.make = func() (entries []entry) {
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
			entries = append(entries, entry{
				name:  name,
				lines: []string{typeset.Truncate(leftAligned(name, 7)+b.styles.Dim.On("  "+rightAligned(fmt.Sprint(count[y]), 4)+plural(count[y], " post")), x.room())},
				open: func() {
					b.push(newList(b, name, func(e *blog.Edition) []*blog.Post { return in(e, y) }))
				},
			})
		}
		return entries
	}
	x.sync()
	return x
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// newOutline lists the headings of a post; the one being read is selected.
func newOutline(b *browser, s *post) *index {
	x := &index{b: b, name: s.crumb() + " › outline", unit: "heading", empty: "No headings."}
	x.make = func() (entries []entry) {
		s.sync()
		if s.page == nil {
			return nil
		}
		least := 6
		for _, h := range s.page.Heads {
			least = min(least, h.Level)
		}
		for i, h := range s.page.Heads {
			indent := strings.Repeat("  ", h.Level-least)
			text := oneLine(h.Text)
			if h.Level == least {
				text = b.styles.Bold.On(text)
			}
			entries = append(entries, entry{
				name:  fmt.Sprint(i),
				lines: []string{typeset.Truncate(indent+text, x.room())},
				open: func() {
					b.back()
					s.sync()
					if i < len(s.page.Heads) {
						b.remember()
						s.to(s.page.Heads[i].Line + s.geo.lead)
					}
				},
			})
		}
		return entries
	}
	x.sync()
	for i, h := range s.page.Heads {
		if h.Line <= s.top-s.geo.lead+1 {
			x.sel = i
		}
	}
	x.ensure()
	return x
}

// askSearch asks for words and shows where in the blog they stand.
func (b *browser) askSearch() {
	b.prompt = &prompt{b: b, label: "search: ", enter: func(words string) {
		if words == "" {
			return
		}
		e := b.edition
		b.work(func() func() {
			hits := e.Search(words)
			return func() { b.push(newHits(b, words, e, hits)) }
		})
	}}
}

// newHits shows what a search has found.
func newHits(b *browser, words string, e *blog.Edition, hits []blog.Hit) *index {
	x := &index{b: b, name: "«" + words + "»", unit: "post", empty: "No match for «" + words + "»."}
	x.make = func() (entries []entry) {
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
			entries = append(entries, entry{
				name: p.Slug,
				lines: []string{
					between(b.styles.Bold.On(oneLine(p.Title))+where, b.styles.Dim.On(right), room),
					typeset.Truncate(lit(oneLine(hit.Snippet), words, b.styles), room),
				},
				open: func() {
					s := b.openPost(p, nil)
					s.search = lookup{words: words}
					s.aim = func() {
						s.search.look(s.page)
						line := s.page.StartOf(hit.Line)
						if hit.Line <= 1 {
							line = 0
						}
						if m, ok := s.search.from(line); ok {
							s.bring(m.line)
						} else {
							s.search = lookup{}
							if hit.Line > 1 {
								s.bring(line)
							}
						}
					}
					if s.page != nil {
						s.aim()
						s.aim = nil
					}
				},
			})
		}
		return entries
	}
	x.sync()
	return x
}

// lit shows the words that were looked for in a snippet; the rest is dim.
func lit(snippet, words string, st typeset.Styles) string {
	low := folded(snippet)
	if len(low) != len(snippet) {
		return st.Dim.On(snippet)
	}
	var out strings.Builder
	for at := 0; at < len(snippet); {
		next, long := len(snippet), 0
		for _, w := range strings.Fields(folded(words)) {
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
