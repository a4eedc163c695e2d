package typeset

import (
	"strings"
	"time"

	"sheaf/app/markdown"
)

const tabStop = 4

// listing sets a block of code: indented, coloured, tabs as blanks, its
// language at the right of its first line. A line longer than the measure goes
// on below, with a mark at both ends.
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

// verbatim sets the lines of a text as they are, with a label at the right of
// the first. It reports whether there was room for that.
func (co *composer) verbatim(lang, text, label string, f face) (labelled bool) {
	lines := strings.Split(text, "\n")
	rows := co.codeRows(lang, text, lines, f)
	indent := co.codeIndent(lines)
	opened := indent > 0 && co.openContainer(nil, row{blankPiece(indent)})
	room := co.avail()
	for i, r := range rows {
		used := r.cells()
		if used > room {
			for _, part := range co.wrapCode(r, room) {
				co.addRow(part)
			}
			continue
		}
		if n := width(label); i == 0 && n > 0 && n <= maxLabel && used+2+n <= room {
			labelled = true
			r = append(r, blankPiece(room-used-n), pieceOf(label, co.pal.dim))
		}
		co.addRow(r)
	}
	if opened {
		co.closeContainer(true)
	}
	return labelled
}

const maxLabel = 20 // cells

// codeRows returns a row for each line of a text, in colours if the language is
// known and there was time enough. What has no colour has the face f.
func (co *composer) codeRows(lang, text string, lines []string, f face) []row {
	start := time.Now()
	rows, ok := co.highlighter.highlight(lang, text, co.pal)
	if !ok {
		rows = make([]row, len(lines))
		for i, l := range lines {
			rows[i] = row{{text: l}}
		}
		if time.Since(start) > co.highlighter.timeLimit {
			co.uncertain = true // another time there may be time enough
		}
	}
	for len(rows) < len(lines) {
		rows = append(rows, nil)
	}
	rows = rows[:len(lines)]
	for _, r := range rows {
		for k := range r {
			r[k].cells = width(r[k].text)
			if r[k].face == (face{}) {
				r[k].face = f
			}
		}
	}
	return rows
}

// codeIndent returns by how much code is indented. A line that fits without an
// indent is better than one that goes on below.
func (co *composer) codeIndent(lines []string) int {
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
	case longest > avail:
		return min(indent, 2)
	case longest > avail-indent:
		return avail - longest
	}
	return indent
}

// wrapCode breaks a line of code that is wider than room: ↩ at the edge says
// that it goes on, ↳ that the row belongs to the one above. Those rows are
// indented as the line is.
func (co *composer) wrapCode(r row, room int) []row {
	if room < 4 {
		return breakRuns([]run{{text: textOf(r), solid: true}}, room)
	}
	indent := 0
	if len(r) > 0 {
		indent = min(len(r[0].text)-len(strings.TrimLeft(r[0].text, " ")), room/3)
	}
	var rows []row
	cur, used := row{}, 0
	limit := room - 1
	next := func() {
		cur = append(cur, blankPiece(limit-used), pieceOf("↩", co.pal.dim))
		rows = append(rows, cur)
		cur = row{blankPiece(indent), pieceOf("↳", co.pal.dim), blankPiece(1)}
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
			n, cells := fit(p.text, limit-used, " ,;(/", limit*3/4-used)
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
		rows = append(rows, cur)
	}
	return rows
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
			// what follows starts at a tab stop, so its own tabs count from
			// there
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
		left := max(co.avail()-width(number), 0)
		co.addRow(row{blankPiece(left), pieceOf(Truncate(number, co.avail()), co.pal.dim)})
	}
	co.wantBlanks(1)
}
