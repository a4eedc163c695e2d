package markdown

import (
	"fmt"
	"strings"

	"sheaf/app/markup"
)

const (
	maxTableColumns = 100
	maxTableRows    = 2000
	maxTableSpan    = 50 // columns one cell may take
)

// table writes the rows between two table tags as a table of Markdown. It
// returns false and writes nothing for what cannot be one: tables in tables,
// cells with blocks, and those of one row or one column, which only lay out a
// page. Their cells are paragraphs.
func (h *htmlConverter) table(s string) bool {
	r := tableReader{h: h, s: s, cell: -1}
	if h.singleLine || !r.read() {
		return false
	}
	var rows [][]string
	width := 0
	for _, row := range r.rows {
		if len(row) > 0 {
			rows = append(rows, row)
			width = max(width, len(row))
		}
	}
	if width < 2 || len(rows) < 2 {
		return false
	}
	h.startBlock()
	if r.caption != "" {
		h.write(r.caption)
		h.startBlock()
	}
	p := h.prefix()
	h.w.Write(strings.TrimSuffix(strings.TrimPrefix(pipeTable(rows, p), p), "\n"))
	h.blankLineBelow()
	return true
}

// A tableReader takes a table of HTML apart into cells.
type tableReader struct {
	h       *htmlConverter
	s       string
	rows    [][]string
	caption string
	cell    int // offset of the open cell's inside; -1: none is open
	span    int // columns of the cell that has ended last
}

// read reads the whole table; it returns false for one that cannot become a
// table of Markdown.
func (r *tableReader) read() bool {
	for i := 0; i < len(r.s); {
		k := strings.IndexByte(r.s[i:], '<')
		if k < 0 {
			break
		}
		i += k
		t, n := markup.TagAt(r.s[i:])
		if n == 0 {
			i++
			continue
		}
		switch t.Name {
		case "table":
			return false
		case "tr", "td", "th", "thead", "tbody", "tfoot", "caption":
			ok := r.endCell(i)
			r.fillSpan()
			if ok && !t.Closing {
				n, ok = r.start(t, i, n)
			}
			if !ok {
				return false
			}
		}
		i += n
	}
	return r.endCell(len(r.s))
}

// start handles a start tag of length n at i, and returns the length to go on
// behind.
func (r *tableReader) start(t markup.Tag, i, n int) (int, bool) {
	switch t.Name {
	case "tr":
		if len(r.rows) >= maxTableRows {
			return 0, false
		}
		r.rows = append(r.rows, nil)
	case "td", "th":
		r.cell = i + n
		fmt.Sscan(t.Attr("colspan"), &r.span)
		r.span = min(r.span, maxTableSpan)
	case "caption":
		if end := markup.FindEndTag(r.s[i+n:], "caption"); end > 0 {
			inside := r.s[i+n : i+n+end]
			r.caption = r.h.convertInline(inside[:strings.LastIndexByte(inside, '<')])
			n += end
		}
	}
	return n, true
}

// endCell ends the open cell, if there is one. It returns false if the cell
// holds a block or the row is too long.
func (r *tableReader) endCell(end int) bool {
	if r.cell < 0 {
		return true
	}
	inside := r.s[r.cell:end]
	r.cell = -1
	for k := 0; k < len(inside); k++ {
		if m, ok := r.h.stash.at(inside[k:]); ok {
			if m.kind == phFence && strings.Count(m.text, "\n") > 1 || m.kind == phBlockOpen {
				return false
			}
			k += placeholderLen - 1
		}
	}
	if len(r.rows) == 0 {
		r.rows = append(r.rows, nil)
	}
	row := &r.rows[len(r.rows)-1]
	*row = append(*row, r.h.convertInline(inside))
	return len(*row) <= maxTableColumns
}

// fillSpan adds empty cells behind one that takes several columns.
func (r *tableReader) fillSpan() {
	for n := len(r.rows); r.span > 1 && n > 0 && len(r.rows[n-1]) < maxTableColumns; r.span-- {
		r.rows[n-1] = append(r.rows[n-1], "")
	}
	r.span = 0
}

// pipeTable writes rows as a table of Markdown whose lines begin with prefix;
// the first row is its head. It returns "" for no columns or more than 200.
func pipeTable(rows [][]string, prefix string) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	if width == 0 || width > 2*maxTableColumns {
		return ""
	}
	var b strings.Builder
	for k, r := range rows {
		b.WriteString(prefix)
		for c := range width {
			v := ""
			if c < len(r) {
				v = strings.Join(strings.Fields(r[c]), " ")
			}
			b.WriteString("| " + escapeBars(v) + " ")
		}
		b.WriteString("|\n")
		if k == 0 {
			b.WriteString(prefix + strings.Repeat("| --- ", width) + "|\n")
		}
	}
	return b.String()
}

// escapeBars escapes the bars in the text of a cell.
func escapeBars(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '|' && (i == 0 || s[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
