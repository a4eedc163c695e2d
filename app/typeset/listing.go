package typeset

import (
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"sheaf/app/markdown"
)

// Listings beyond these bounds are shown without colours.
const (
	maxListingLines = 500
	maxListingBytes = 64 << 10
	maxListingLine  = 4 << 10
	highlightLimit  = 300 * time.Millisecond // for one listing
)

const tabStop = 4

// A highlighter finds chroma's lexers by the names authors give them, and remembers what it found.
type highlighter struct {
	timeLimit time.Duration // for one listing

	mu    sync.Mutex
	found map[string]chroma.Lexer // nil: there is none
}

func newHighlighter() *highlighter {
	return &highlighter{timeLimit: highlightLimit, found: make(map[string]chroma.Lexer)}
}

// lexer looks a language up, nil when there is none. Text is never guessed at: a listing without a name is text.
func (h *highlighter) lexer(lang string) chroma.Lexer {
	if i := strings.IndexAny(lang, ":,{ "); i > 0 {
		lang = lang[:i]
	}
	switch lang = strings.ToLower(lang); lang {
	case "", "text", "plain", "plaintext", "txt", "output", "none", "nohighlight":
		return nil
	case "julia-repl", "jldoctest":
		lang = "julia"
	case "terminal":
		lang = "bash"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.found[lang]
	if !ok {
		l = findLexer(lang)
		if len(h.found) < 1000 { // names come from authors
			h.found[lang] = l
		}
	}
	return l
}

// findLexer goes by names and aliases, then by endings of files. chroma's own look-up matches a name it does not know against
// every file pattern of every lexer, which takes milliseconds.
func findLexer(lang string) chroma.Lexer {
	all := lexers.GlobalLexerRegistry.Lexers
	for _, l := range all {
		c := l.Config()
		if strings.EqualFold(c.Name, lang) {
			return l
		}
		for _, a := range c.Aliases {
			if strings.EqualFold(a, lang) {
				return l
			}
		}
	}
	for _, l := range all {
		for _, f := range l.Config().Filenames {
			if ext, ok := strings.CutPrefix(f, "*."); ok && strings.EqualFold(ext, lang) {
				return l
			}
		}
	}
	return nil
}

// highlight cuts a text into rows of pieces with the faces of its tokens. ok is false when the text is to be shown without.
func (h *highlighter) highlight(lang, text string, pal *palette) (rows []row, ok bool) {
	if pal.tokens == nil || len(text) > maxListingBytes || strings.Count(text, "\n") > maxListingLines {
		return nil, false
	}
	lexer := h.lexer(lang)
	if lexer == nil {
		return nil, false
	}
	for l := range strings.Lines(text) {
		if len(l) > maxListingLine {
			return nil, false
		}
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, text)
	if err != nil {
		return nil, false
	}
	var cur row
	start := time.Now()
	for n := 0; ; n++ {
		if n%64 == 63 && time.Since(start) > h.timeLimit {
			return nil, false
		}
		t := tokens()
		if t == chroma.EOF {
			break
		}
		f := pal.tokenFace(t.Type)
		for i, part := range strings.SplitAfter(t.Value, "\n") {
			if i > 0 {
				rows = append(rows, cur)
				cur = nil
			}
			if part = strings.TrimSuffix(part, "\n"); part == "" {
				continue
			}
			if k := len(cur); k > 0 && (cur[k-1].face == f || strings.TrimLeft(part, " ") == "") {
				cur[k-1].text += part
			} else {
				cur = append(cur, piece{text: part, face: f})
			}
		}
	}
	if len(cur) > 0 {
		rows = append(rows, cur)
	}
	return rows, true
}

// listing sets a block of code: indented, coloured, tabs as blanks, its language at the right of its first line. A line longer than the
// measure goes on below, with a mark at both ends.
func (co *composer) listing(lang, text string) {
	text = strings.TrimRight(text, "\n")
	for strings.HasPrefix(text, "\n") {
		text = text[1:]
	}
	co.page.Codes = append(co.page.Codes, Code{Lang: lang, Text: text, Line: -1})
	number := len(co.page.Codes) - 1
	if strings.TrimSpace(text) == "" {
		return
	}
	co.clearHeading()
	co.wantBlanks(1) // in a tight list too, where it would run into the text
	co.flushMark()
	co.flushBlanks()
	co.page.Codes[number].Line = len(co.page.Lines)
	label := strings.ToLower(strings.TrimSpace(lang))
	if co.pal.plain || label == "text" || label == "plaintext" || label == "txt" || label == "plain" {
		label = ""
	}
	co.verbatim(lang, expandTabs(text), label, face{})
	co.wantBlanks(1)
}

// verbatim sets lines as they are. It reports whether there was room for the label.
func (co *composer) verbatim(lang, text, label string, f face) (labelled bool) {
	lines := strings.Split(text, "\n")
	start := time.Now()
	rows, ok := co.highlighter.highlight(lang, text, co.pal)
	if !ok && time.Since(start) > co.highlighter.timeLimit {
		co.uncertain = true // another time there may be time enough
	}
	for len(rows) < len(lines) && ok {
		rows = append(rows, nil)
	}
	longest := 0
	for _, l := range lines {
		longest = max(longest, width(l))
	}
	avail := co.avail()
	indent := 4
	switch {
	case avail < 30:
		indent = 0
	case avail < narrow:
		indent = 2
	}
	switch {
	case longest > avail: // some line goes on below in any case
		indent = min(indent, 2)
	case longest > avail-indent: // a line that fits without an indent is better than one that goes on below
		indent = avail - longest
	}
	opened := indent > 0 && co.openContainer(nil, row{{text: spaces(indent), cells: indent}})
	room := co.avail()
	for i, l := range lines {
		r := row{{text: l, face: f}}
		if ok {
			r = rows[i]
		}
		for k := range r {
			r[k].cells = width(r[k].text)
			if r[k].face == (face{}) {
				r[k].face = f
			}
		}
		used := r.cells()
		if used > room {
			for _, part := range co.wrapCode(r, room) {
				co.addRow(part)
			}
			continue
		}
		if n := width(label); i == 0 && n > 0 && n <= 20 && used+2+n <= room {
			gap := room - used - n
			labelled = true
			r = append(r, piece{text: spaces(gap), cells: gap}, pieceOf(label, co.pal.dim))
		}
		co.addRow(r)
	}
	if opened {
		co.closeContainer(true)
	}
	return labelled
}

// wrapCode breaks a line of code: ↩ at the edge says it goes on, ↳ that it does. The continuation is indented as the line is.
func (co *composer) wrapCode(r row, room int) []row {
	if room < 4 {
		return breakRuns([]run{{text: textOf(r), solid: true}}, room)
	}
	indent := 0
	if len(r) > 0 {
		indent = len(r[0].text) - len(strings.TrimLeft(r[0].text, " "))
	}
	indent = min(indent, room/3)
	var out []row
	cur, used := row{}, 0
	limit := room - 1
	next := func() {
		gap := room - 1 - used
		cur = append(cur, piece{text: spaces(gap), cells: gap}, pieceOf("↩", co.pal.dim))
		out = append(out, cur)
		cur = row{{text: spaces(indent), cells: indent}, pieceOf("↳", co.pal.dim), {text: " ", cells: 1}}
		used = indent + 2
		if used >= limit-1 {
			cur, used = row{pieceOf("↳", co.pal.dim)}, 1
		}
	}
	left := r.cells()
	for _, p := range r {
		for p.text != "" {
			if used+left <= room { // the rest of the line fits to the very edge
				cur = append(cur, p)
				used += p.cells
				left -= p.cells
				break
			}
			n, cells, good, goodCells := 0, 0, -1, 0
			for n < len(p.text) {
				cl, w := cluster(p.text[n:])
				if used+cells+w > limit {
					break
				}
				n, cells = n+len(cl), cells+w
				if strings.ContainsAny(cl, " ,;(/") && used+cells > limit*3/4 {
					good, goodCells = n, cells
				}
			}
			if n < len(p.text) && good > 0 {
				n, cells = good, goodCells
			}
			if n > 0 {
				cur = append(cur, piece{text: p.text[:n], cells: cells, face: p.face})
				used, left = used+cells, left-cells
				p.text, p.cells = p.text[n:], p.cells-cells
			}
			if p.text != "" {
				next()
			}
		}
	}
	if len(cur) > 0 {
		out = append(out, cur)
	}
	return out
}

func textOf(r row) string {
	var b strings.Builder
	for _, p := range r {
		b.WriteString(p.text)
	}
	return b.String()
}

// expandTabs puts blanks for tabs.
func expandTabs(text string) string {
	if !strings.Contains(text, "\t") {
		return text
	}
	var b strings.Builder
	for l := range strings.Lines(text) {
		for {
			i := strings.IndexByte(l, '\t')
			if i < 0 {
				break
			}
			b.WriteString(l[:i])
			b.WriteString(spaces(tabStop - width(l[:i])%tabStop))
			// what follows starts at a tab stop, so its own tabs count from there
			l = l[i+1:]
		}
		b.WriteString(l)
	}
	return b.String()
}

// mathBlock sets a displayed formula line by line, its number at the right.
func (co *composer) mathBlock(n *markdown.MathBlock) {
	tex := strings.Trim(markdown.Clean(n.TeX), "\n")
	if text := formula(tex, markdown.Clean(n.Unicode)); !strings.Contains(tex, "\n") {
		tex = text
	}
	lines := strings.Split(expandTabs(tex), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	if strings.TrimSpace(tex) == "" {
		return
	}
	co.clearHeading()
	co.spaceAbove(1)
	number := strings.TrimSpace(markdown.Clean(n.Number))
	if number != "" && !strings.HasPrefix(number, "(") {
		number = "(" + number + ")"
	}
	if !co.verbatim("", strings.Join(lines, "\n"), number, co.pal.inlineCode) && number != "" {
		gap := max(co.avail()-width(number), 0)
		co.addRow(row{{text: spaces(gap), cells: gap}, pieceOf(Truncate(number, co.avail()), co.pal.dim)})
	}
	co.wantBlanks(1)
}
