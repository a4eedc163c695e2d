package tui

import (
	"sheaf/app/blog"
)

// An anchor is a place in the source of a post: row of so many in the block
// around a source line. It means the same place in every page of that source,
// at any width.
type anchor struct {
	source  int // 0: the top of the page
	row, of int
	above   int    // blank lines between it and the top of the screen
	line    string // what stands there
}

// A history holds the places that were read before the current one and, after
// going back, those to go forward to.
type history struct{ past, future []historyEntry }

// A historyEntry is a place in a post.
type historyEntry struct {
	slug string
	at   anchor
}

// atHeading is for openPost: it goes to a heading.
func atHeading(id string) func(*post) {
	if id == "" {
		return nil
	}
	return func(s *post) {
		if line, ok := s.page.Anchor(id); ok {
			s.to(line + s.b.geo.lead)
		}
	}
}

func atHistoryEntry(v historyEntry) func(*post) {
	return func(s *post) { s.restore(v.at) }
}

// openPost shows a post. When its page has come, aim is called to scroll to
// where the reader wants to be; it may be nil.
func (b *browser) openPost(p *blog.Post, aim func(*post)) *post {
	b.pushHistory()
	s := newPost(b, p, aim)
	b.push(s)
	s.refresh()
	return s
}

// replacePost shows another post in the place of the one on top.
func (b *browser) replacePost(p *blog.Post, aim func(*post)) {
	s := newPost(b, p, aim)
	b.stack[len(b.stack)-1] = s
	b.picker = nil
	s.refresh()
}

const maxHistory = 200

// pushHistory notes the current place before the reader goes to another one.
// There is nothing to go forward to any more.
func (b *browser) pushHistory() {
	b.future = nil
	if s, ok := b.current().(*post); ok && !s.gone {
		b.past = append(b.past, s.historyEntry())
		if len(b.past) > maxHistory {
			b.past = b.past[1:]
		}
	}
}

func (s *post) historyEntry() historyEntry { return historyEntry{s.slug, s.reading} }

// travel goes back or forward. Posts that are gone are skipped.
func (b *browser) travel(from, to *[]historyEntry) {
	for len(*from) > 0 {
		v := (*from)[len(*from)-1]
		*from = (*from)[:len(*from)-1]
		p, err := b.edition.Post(v.slug)
		if err != nil {
			continue
		}
		if s, ok := b.current().(*post); ok {
			*to = append(*to, s.historyEntry())
		}
		b.replacePost(p, atHistoryEntry(v))
		return
	}
}

// block returns the lines of the page that belong to the block around a source
// line.
func (s *post) block(source int) (begin, end int) {
	begin, end = s.page.StartOf(source), len(s.page.Lines)
	for _, st := range s.page.Starts {
		if st.Line > begin {
			end = st.Line
			break
		}
	}
	return begin, end
}

// restore scrolls to an anchor and keeps it as it is: when the window gets its
// old width back, the text stands where it stood.
func (s *post) restore(a anchor) {
	s.reading = a
	if s.page == nil {
		return
	}
	if a.source == 0 {
		s.top = min(s.top, s.end())
		if a == (anchor{}) {
			s.top = 0
		}
		return
	}
	begin, end := s.block(a.source)
	line := begin + a.row
	if n := max(end-begin, 1); n != a.of {
		line = begin + a.row*n/a.of
	}
	s.top = min(max(line-a.above+s.geo.lead, 0), s.end())
}

// realign keeps the line that was at the top there when the post was edited. Of
// several equal lines the nearest counts.
func (s *post) realign() {
	above, want := s.reading.above, s.reading.line
	at := s.top - s.geo.lead + above
	if want == "" || at < 0 {
		return
	}
	for d := range len(s.page.Lines) {
		for _, i := range [...]int{at - d, at + d} {
			if i >= 0 && i < len(s.page.Lines) && s.page.Lines[i] == want {
				s.to(i - above + s.geo.lead)
				return
			}
		}
	}
}
