package typeset

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"weak"

	"sheaf/app/lru"
	"sheaf/app/markdown"
)

// A Setter sets pages and keeps them. It is safe for any number of sessions.
type Setter struct {
	highlighter *highlighter

	mu       sync.Mutex
	pages    *lru.Cache[key, *Page]
	making   map[key]*making
	palettes map[Theme]*palette
	stats    Stats
}

// Stats are figures of a Setter since it was made.
type Stats struct {
	Set    uint64 // pages that were made
	Shared uint64 // that were there already
	Pages  int    // kept now
	Bytes  int64  // that they take
}

// Stats returns the figures of this moment.
func (s *Setter) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Pages, st.Bytes = s.pages.Len()+len(s.making), s.pages.Bytes()
	return st
}

// key is what a page depends on. The document is held weakly: a page in the
// cache does not keep its post in memory.
type key struct {
	doc    weak.Pointer[markdown.Document]
	header Header
	width  int
	theme  Theme
}

// making is a page that is being set for whoever asked first.
type making struct {
	ready chan struct{} // closed when page is there
	page  *Page
}

// New makes a Setter that keeps about maxBytes of finished pages, the least
// recently used going first. The page asked for last is kept however big it is.
func New(maxBytes int64) *Setter {
	return &Setter{
		highlighter: newHighlighter(),
		pages:       lru.New[key, *Page](maxBytes),
		making:      make(map[key]*making),
		palettes:    make(map[Theme]*palette),
	}
}

// Page returns the document set at a width (cells of text: margins are the
// caller's) in a theme. It is made once, however many ask for it at the same
// time, and never fails: what cannot be set is shown as plain text, with a note
// that says so.
func (s *Setter) Page(d *markdown.Document, h Header, width int, t Theme) *Page {
	width = min(max(width, 1), maxPageWidth)
	k := key{weak.Make(d), h, width, t}
	s.mu.Lock()
	if p, ok := s.pages.Get(k); ok {
		s.stats.Shared++
		s.mu.Unlock()
		return p
	}
	if m, ok := s.making[k]; ok {
		s.stats.Shared++
		s.mu.Unlock()
		<-m.ready
		return m.page
	}
	m := &making{ready: make(chan struct{})}
	s.making[k] = m
	s.stats.Set++
	pal := s.palette(t)
	s.mu.Unlock()

	m.page = makePage(d, h, width, pal, s.highlighter)
	close(m.ready)

	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.making, k)
	s.pages.Put(k, m.page, m.page.size()+int64(len(h.Title)+len(h.Note))+512)
	return m.page
}

// palette returns the faces of a theme. The lock is held.
func (s *Setter) palette(t Theme) *palette {
	if p, ok := s.palettes[t]; ok {
		return p
	}
	p := newPalette(t)
	if len(s.palettes) < 100 {
		s.palettes[t] = p
	}
	return p
}

// size estimates the memory of a page.
func (p *Page) size() int64 {
	n := 0
	for _, l := range p.Lines {
		n += len(l) + 16
	}
	for _, l := range p.Links {
		n += len(l.Text) + len(l.Target) + 80 + 24*len(l.Rest)
	}
	for _, c := range p.Codes {
		n += len(c.Lang) + len(c.Text) + 40
	}
	for _, i := range p.Images {
		n += len(i.Alt) + len(i.Target) + len(i.Title) + 56
	}
	for _, h := range p.Heads {
		n += len(h.Text) + len(h.ID) + 48
	}
	return int64(n + 16*(len(p.Starts)+len(p.Notes)))
}

// makePage sets a page; when that panics, the page shows the text alone.
func makePage(d *markdown.Document, h Header, width int, pal *palette, code *highlighter) (p *Page) {
	defer func() {
		if r := recover(); r != nil {
			p = textPage(d, h, width, pal, fmt.Sprintf("%v\n%s", r, debug.Stack()))
		}
	}()
	s := newComposer(d, width, pal, code)
	s.compose(h)
	return s.finish()
}

// textPage is the page of a document that cannot be set.
func textPage(d *markdown.Document, h Header, width int, pal *palette, why string) *Page {
	s := newComposer(d, width, pal, nil)
	s.header(h)
	s.page.Problem = why
	s.addText([]run{{text: "(This post could not be set; its text follows.)", face: pal.dim}})
	for par := range strings.SplitSeq(d.Text, "\n") {
		s.wantBlanks(1)
		s.addText([]run{{text: par}})
	}
	return s.finish()
}

// finish returns the page, without what was noted but never shown.
func (co *composer) finish() *Page {
	p := co.page
	p.Links = filter(p.Links, func(l Link) bool { return l.Line >= 0 })
	p.Images = filter(p.Images, func(i Image) bool { return i.Line >= 0 })
	p.Codes = filter(p.Codes, func(c Code) bool { return c.Line >= 0 })
	last := 0
	for _, b := range co.starts {
		if b.Source > last {
			p.Starts = append(p.Starts, b)
			last = b.Source
		}
	}
	return p
}

// filter returns the elements that are wanted. It does not change the list.
func filter[T any](list []T, want func(T) bool) []T {
	for i, x := range list {
		if want(x) {
			continue
		}
		out := slices.Clone(list[:i])
		for _, x := range list[i+1:] {
			if want(x) {
				out = append(out, x)
			}
		}
		return out
	}
	return list
}
