package markdown

import (
	"fmt"
	"strings"
)

// table writes the rows between two table tags. It gives false, and writes
// nothing, for tables that only lay out a page: their cells are paragraphs.
func (h *htmlConverter) table(s string) bool {
	var rows [][]string
	caption := ""
	cell, head := -1, false
	var headRow []bool
	add := func(end int) bool {
		if cell < 0 {
			return true
		}
		raw := s[cell:end]
		cell = -1
		for k := 0; k < len(raw); k++ {
			if m, ok := h.stash.at(raw[k:]); ok {
				if m.kind == phFence && strings.Count(m.text, "\n") > 1 || m.kind == phBlockOpen {
					return false
				}
				k += placeholderLen - 1
			}
		}
		if len(rows) == 0 {
			rows, headRow = append(rows, nil), append(headRow, head)
		}
		r := len(rows) - 1
		rows[r] = append(rows[r], h.convertInline(raw))
		return len(rows[r]) <= 100
	}
	span := 0
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			break
		}
		i += k
		t, n := tagAt(s[i:])
		if n == 0 {
			i++
			continue
		}
		switch t.name {
		case "table":
			return false
		case "tr", "td", "th", "thead", "tbody", "tfoot", "caption":
			if !add(i) {
				return false
			}
			for ; span > 1 && len(rows) > 0 && len(rows[len(rows)-1]) < 100; span-- {
				rows[len(rows)-1] = append(rows[len(rows)-1], "")
			}
			span = 0
			switch {
			case t.closing:
			case t.name == "tr":
				if len(rows) >= 2000 {
					return false
				}
				rows, headRow = append(rows, nil), append(headRow, false)
			case t.name == "td" || t.name == "th":
				cell, head = i+n, t.name == "th"
				if len(headRow) > 0 && head {
					headRow[len(headRow)-1] = true
				}
				fmt.Sscan(t.attr("colspan"), &span)
				span = min(span, 50)
			case t.name == "caption":
				if e := findEndTag(s[i+n:], "caption"); e > 0 {
					caption = h.convertInline(s[i+n : i+n+strings.LastIndexByte(s[i+n:i+n+e], '<')])
					n += e
				}
			}
		}
		i += n
	}
	if !add(len(s)) {
		return false
	}
	var full [][]string
	width := 0
	for _, r := range rows {
		if len(r) > 0 {
			full = append(full, r)
			width = max(width, len(r))
		}
	}
	if h.singleLine > 0 || width < 2 || len(full) < 2 {
		return false
	}
	h.startBlock()
	if caption != "" {
		h.write(caption)
		h.startBlock()
	}
	p := h.prefix()
	t := pipeTable(full, p)
	t = strings.TrimPrefix(t, p)
	h.w.write(t)
	h.w.write(strings.TrimRight(p, " "))
	h.w.writeByte('\n')
	h.w.write(p)
	h.newBlock, h.newLine = true, true
	return true
}

// pipeTable writes rows as a table of Markdown; the first is its head.
func pipeTable(rows [][]string, prefix string) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	if width == 0 || width > 200 {
		return ""
	}
	var b strings.Builder
	for k, r := range rows {
		b.WriteString(prefix)
		for c := range width {
			v := ""
			if c < len(r) {
				v = r[c]
			}
			v = strings.Join(strings.Fields(v), " ")
			b.WriteString("| " + barred(v) + " ")
		}
		b.WriteString("|\n")
		if k == 0 {
			b.WriteString(prefix + strings.Repeat("| --- ", width) + "|\n")
		}
	}
	return b.String()
}

// barred escapes the bars in the text of a cell.
func barred(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '|' && (i == 0 || s[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
