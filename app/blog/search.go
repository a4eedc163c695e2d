package blog

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"sheaf/app/fold"
	"sheaf/app/markdown"
)

// maxHits is how many posts a search gives at most: nobody reads on after so
// many, and every hit costs its snippet.
const maxHits = 200

// A Hit is a post that a search has found.
type Hit struct {
	Post    *Post
	Snippet string // a line of the text around the first match; the post's beginning when only its title matches
	Heading string // the text of the heading above it, "" for none
	Line    int    // in the source, from 1
}

// Filter gives the posts of the list with all words of q in their title or
// tags, whatever case and accents; when there are none, those whose title has
// the letters of each word in order. The order is the list's.
func (e *Edition) Filter(q string) []*Post {
	words := strings.Fields(fold.String(q))
	if len(words) == 0 {
		return e.posts
	}
	for i, w := range words {
		if len(w) > 1 {
			words[i] = strings.TrimPrefix(w, "#")
		}
	}
	var found []*Post
	for _, p := range e.posts {
		if containsAll(p.entry.folded, words) {
			found = append(found, p)
		}
	}
	if found != nil {
		return found
	}
	for _, p := range e.posts {
		title, _, _ := strings.Cut(p.entry.folded, "\n")
		if subsequences(title, words) {
			found = append(found, p)
		}
	}
	return found
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

func subsequences(s string, words []string) bool {
	for _, w := range words {
		if utf8.RuneCountInString(w) < 3 {
			return false // two letters in order are in every title
		}
		rest := s
		for _, r := range w {
			i := strings.IndexRune(rest, r)
			if i < 0 {
				return false
			}
			rest = rest[i+utf8.RuneLen(r):]
		}
	}
	return true
}

// A searchText is a post's text as searches compare it: folded, a line for a
// line of the source.
type searchText struct {
	body  []byte
	heads []byte // the headings in it
	line  int    // of body's first, in the source
	has   signature
}

// A signature says of most words that are not in a text that they are not: it
// has a bit for every three bytes in a row, by hash. It is an eighth of the
// text, and spares reading the rest of it.
type signature []uint64

func sign(text []byte) signature {
	size := 1
	for size*64 < len(text) {
		size *= 2
	}
	s := make(signature, size)
	for i := 0; i+2 < len(text); i++ {
		b := s.bit(text[i], text[i+1], text[i+2])
		s[b>>6] |= 1 << (b & 63)
	}
	return s
}

func (s signature) bit(a, b, c byte) uint32 {
	h := (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1
	return (h ^ h>>15) & uint32(len(s)*64-1)
}

// mayHave is false only for a word that is not in the text.
func (s signature) mayHave(word []byte) bool {
	for i := 0; i+2 < len(word); i++ {
		if b := s.bit(word[i], word[i+1], word[i+2]); s[b>>6]&(1<<(b&63)) == 0 {
			return false
		}
	}
	return true
}

// maxSearchText bounds the bytes of a post that are searched.
const maxSearchText = 512 << 10

// searchText returns the text that searches compare, which is made once. It is
// empty if the file has changed since it was indexed.
func (e *entry) searchText() *searchText {
	if t := e.text.Load(); t != nil {
		return t
	}
	t := &searchText{line: 1}
	if src, err := e.source(); err == nil && sum(src) == e.hash {
		var shown []byte
		shown, t.line = e.shown(src)
		t.body = fold.Append(make([]byte, 0, len(shown)), shown)
		if len(t.body) > maxSearchText {
			t.body = bytes.Clone(t.body[:maxSearchText])
		}
		for rest := t.body; ; {
			i := bytes.IndexByte(rest, markdown.HeadingMark)
			if i < 0 {
				break
			}
			rest = rest[i+1:]
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			t.heads = append(append(t.heads, line...), '\n')
		}
	}
	t.has = sign(t.body)
	e.text.Store(t)
	return t
}

// shown returns the text of a source, roughly without its markup, a line for a
// line of the body; line is the number of the first.
func (e *entry) shown(src []byte) (text []byte, line int) {
	o := e.section.options(e.path, e.dialect)
	s, ok := markdown.Skim(src, o)
	if !ok {
		s = markdown.Read(src, o)
	}
	return s.PlainText(), s.BodyLine
}

// Search finds the posts and pages in which every word stands, in the title, a
// tag or the text, whatever case and accents. Those with the words in the
// title come first, then in a heading, then in the text; among equals the
// newest. There are 200 hits at most.
func (e *Edition) Search(words string) []Hit {
	ws := strings.Fields(fold.String(words))
	if len(ws) == 0 {
		return nil
	}
	slices.SortStableFunc(ws, func(a, b string) int { return len(b) - len(a) }) // the longest is the rarest
	needles := make([][]byte, len(ws))
	for i, w := range ws {
		if len(w) > 1 {
			w = strings.TrimPrefix(w, "#")
			ws[i] = w
		}
		needles[i] = []byte(w)
	}
	type match struct {
		post  *Post
		score int
	}
	parts := inParallel(len(e.searched), 512, func(from, to int) []match {
		var found []match
		for _, p := range e.searched[from:to] {
			if score := p.entry.score(ws, needles); score > 0 {
				found = append(found, match{p, score})
			}
		}
		return found
	})
	slices.SortStableFunc(parts, func(a, b match) int {
		return cmp.Or(b.score-a.score, b.post.Date.Compare(a.post.Date))
	})
	parts = parts[:min(len(parts), maxHits)]
	return inParallel(len(parts), 16, func(from, to int) []Hit {
		hits := make([]Hit, 0, to-from)
		for _, m := range parts[from:to] {
			hits = append(hits, m.post.hit(needles))
		}
		return hits
	})
}

// inParallel does n things in pieces, on all processors, and joins the results
// in order.
func inParallel[T any](n, piece int, do func(from, to int) []T) []T {
	if n <= piece {
		return do(0, n)
	}
	out := make([][]T, (n+piece-1)/piece)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(out)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(out)); i = next.Add(1) - 1 {
				out[i] = do(int(i)*piece, min((int(i)+1)*piece, n))
			}
		})
	}
	workers.Wait()
	return slices.Concat(out...)
}

// score says how well a post answers a search: 0 not at all. The words come as
// strings and as bytes.
func (e *entry) score(words []string, needles [][]byte) int {
	t := e.searchText()
	title, _, _ := strings.Cut(e.folded, "\n")
	score := 0
	for i, w := range words {
		switch {
		case strings.Contains(title, w):
			score += 100
		case strings.Contains(e.folded, w):
			score += 60
		case !t.has.mayHave(needles[i]):
			return 0
		case bytes.Contains(t.heads, needles[i]):
			score += 10
		case bytes.Contains(t.body, needles[i]):
			score++
		default:
			return 0
		}
	}
	return score
}

// hit returns the place in a post that a search shows: the first line of the text
// with one of the folded words, else its first line.
func (p *Post) hit(words [][]byte) Hit {
	h := Hit{Post: p}
	t := p.entry.searchText()
	at := -1
	for _, w := range words {
		if at = bytes.Index(t.body, w); at >= 0 {
			break
		}
	}
	shown, line := t.body, t.line
	if src, same, err := p.read(); err == nil && same {
		shown, line = p.entry.shown(src)
	}
	n := 0 // the line in shown
	if at >= 0 {
		n = bytes.Count(t.body[:at], []byte("\n"))
	}
	h.Line = line + n
	lines := bytes.Split(shown, []byte("\n"))
	if n >= len(lines) {
		return h
	}
	for i := n; i >= 0; i-- {
		if len(lines[i]) > 0 && lines[i][0] == markdown.HeadingMark {
			h.Heading = string(bytes.TrimSpace(lines[i][1:]))
			break
		}
	}
	if at < 0 {
		for n < len(lines)-1 && (len(bytes.TrimSpace(lines[n])) == 0 || lines[n][0] == markdown.HeadingMark) {
			n++
		}
		h.Line = line + n
	}
	from, to := paragraphAt(lines, n)
	before := string(bytes.Join(lines[from:n], []byte(" ")))
	after := string(bytes.Join(lines[n:to], []byte(" ")))
	h.Snippet = snippet(before, strings.Trim(after, string(rune(markdown.HeadingMark))), words)
	return h
}

// paragraphAt returns the first line and the one behind the last of the
// paragraph around line n, for prose with hard line ends; two lines before and
// four from n on at most.
func paragraphAt(lines [][]byte, n int) (from, to int) {
	from, to = n, n+1
	inParagraph := func(i int) bool { return len(lines[i]) > 0 && lines[i][0] != markdown.HeadingMark }
	if len(lines[n]) > 0 && !inParagraph(n) {
		return from, to // a heading
	}
	for from > 0 && n-from < 2 && inParagraph(from-1) {
		from--
	}
	for to < len(lines) && to-n < 4 && inParagraph(to) {
		to++
	}
	return from, to
}

// snippet cuts some 160 bytes out of a paragraph, around the first of the
// words that is in its second part.
func snippet(before, after string, words [][]byte) string {
	text := after
	at := 0
	for _, w := range words {
		if i := fold.Index(after, w); i >= 0 {
			at = i
			break
		}
	}
	if before != "" {
		text = before + " " + after
		at += len(before) + 1
	}
	from, to := max(0, at-60), min(len(text), at+110)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	if from > 0 {
		if i := strings.IndexByte(text[from:at], ' '); i >= 0 {
			from += i + 1
		}
	}
	if to < len(text) {
		if i := strings.LastIndexByte(text[from:to], ' '); i > at-from {
			to = from + i
		}
	}
	s := markdown.Line(text[from:to])
	if from > 0 {
		s = "… " + s
	}
	if to < len(text) {
		s += " …"
	}
	return s
}
