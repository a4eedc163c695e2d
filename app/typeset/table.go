package typeset

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// maxTableCells bounds the cells of a table that are measured and laid out in
// columns.
const maxTableCells = 20000

// longestWord is how many cells of a word ask for the width of a column; what
// is longer is an address or the like and may be broken.
const longestWord = 32

// A cell of a table, measured.
type cell struct {
	runs  []run
	min   int // cells its longest word or stretch of code needs
	max   int // cells it needs to stand on one row
	align extast.Alignment
}

// table sets a table in columns, wrapping cells at words; when not even the
// longest words fit beside each other, row by row as records.
func (co *composer) table(n *extast.Table) {
	head, body, cols, count := co.measureTable(n)
	if cols == 0 {
		return
	}
	co.clearHeading()
	co.spaceAbove(1)
	var widths []int
	if count <= maxTableCells {
		widths = columnWidths(head, body, cols, co.avail())
	}
	if widths == nil {
		co.records(head, body)
	} else {
		co.columns(head, body, widths)
	}
	co.wantBlanks(1)
}

// measureTable measures the cells of a table: those of its head, those of the
// rows below, the number of columns and that of all cells.
func (co *composer) measureTable(n *extast.Table) (head []cell, body [][]cell, cols, count int) {
	for r := n.FirstChild(); r != nil; r = r.NextSibling() {
		_, isHead := r.(*extast.TableHeader)
		f := face{}
		if isHead {
			f = co.pal.label
		}
		var cells []cell
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, co.measureCell(c, f))
		}
		cols = max(cols, len(cells))
		count += len(cells)
		if isHead && head == nil {
			head = cells
		} else {
			body = append(body, cells)
		}
	}
	return head, body, cols, count
}

func (co *composer) measureCell(n ast.Node, f face) cell {
	c := cell{runs: trimRuns(co.inlines(n, f))}
	c.max = maxWidth(c.runs)
	c.min = minWidth(c.runs, longestWord)
	if t, ok := n.(*extast.TableCell); ok {
		c.align = t.Alignment
	}
	return c
}

// trimRuns drops blanks and line ends at both ends.
func trimRuns(runs []run) []run {
	for len(runs) > 0 && strings.TrimSpace(runs[0].text) == "" && !runs[0].solid {
		runs = runs[1:]
	}
	for n := len(runs); n > 0 && strings.TrimSpace(runs[n-1].text) == "" && !runs[n-1].solid; n = len(runs) {
		runs = runs[:n-1]
	}
	return runs
}

// columns sets a table in columns of some widths. A head without any text is
// left out. If a row is tall, all rows are set apart, so that one sees where
// they begin.
func (co *composer) columns(head []cell, body [][]cell, widths []int) {
	if slices.ContainsFunc(head, func(c cell) bool { return !blank(c.runs) }) {
		for _, r := range co.tableRow(head, widths) {
			co.addRow(r)
		}
		co.tableRule(widths)
	}
	rows := make([][]row, len(body))
	tallest := 0
	for i, cells := range body {
		rows[i] = co.tableRow(cells, widths)
		tallest = max(tallest, len(rows[i]))
	}
	for i, parts := range rows {
		if i > 0 && tallest > tallCell {
			co.addRow(co.tableRow(nil, widths)[0])
		}
		for _, r := range parts {
			co.addRow(r)
		}
	}
}

const between = " │ "

// A column narrower than narrowColumn in which a cell takes more than tallCell
// rows is no pleasure to read.
const (
	narrowColumn = 12
	tallCell     = 3
)

// columnWidths chooses the width of each column, nil when the table does not
// fit or would not read well. Each gets what the longest word of its cells
// needs; what is left goes where it saves most: columns that could use little
// get all of it, the others share the rest in proportion.
func columnWidths(head []cell, body [][]cell, cols, avail int) []int {
	least, most := columnNeeds(head, body, cols)
	room := avail - (cols-1)*width(between)
	need, want := 0, 0
	for i := range cols {
		need += least[i]
		want += most[i]
	}
	switch {
	case want <= room:
		return most
	case need > room:
		return nil
	}
	widths := slices.Clone(least)
	share(widths, most, room-need)
	for i, w := range widths {
		if w < narrowColumn && most[i] > tallCell*w {
			return nil
		}
	}
	return widths
}

// columnNeeds returns for each column the width without which a word would be
// broken, and the width with which no cell is.
func columnNeeds(head []cell, body [][]cell, cols int) (least, most []int) {
	least, most = make([]int, cols), make([]int, cols)
	for i := range cols {
		least[i], most[i] = 1, 1
	}
	for r := range len(body) + 1 {
		cells := head
		if r > 0 {
			cells = body[r-1]
		}
		for i, c := range cells {
			least[i] = max(least[i], c.min)
			most[i] = max(most[i], c.max)
		}
	}
	for i := range cols {
		least[i] = min(least[i], most[i])
	}
	return least, most
}

// share adds what is left to widths, none of which becomes more than most.
// Whoever wants no more than an even share gets it whole; the others share the
// rest in proportion to what they want.
func share(widths, most []int, left int) {
	open := make([]int, 0, len(widths)) // columns that want more
	for i := range widths {
		if most[i] > widths[i] {
			open = append(open, i)
		}
	}
	for {
		k := slices.IndexFunc(open, func(i int) bool { return most[i]-widths[i] <= left/len(open) })
		if k < 0 || left <= 0 {
			break
		}
		i := open[k]
		left -= most[i] - widths[i]
		widths[i] = most[i]
		open = slices.Delete(open, k, k+1)
	}
	wish := 0
	for _, i := range open {
		wish += most[i] - widths[i]
	}
	all := left
	for _, i := range open {
		more := all * (most[i] - widths[i]) / wish
		widths[i] += more
		left -= more
	}
	for _, i := range open {
		if left > 0 && widths[i] < most[i] {
			widths[i]++
			left--
		}
	}
}

// tableRow lays the cells of a row beside each other.
func (co *composer) tableRow(cells []cell, widths []int) []row {
	parts := make([][]row, len(widths))
	height := 1
	for i, c := range cells {
		parts[i] = breakRuns(c.runs, widths[i])
		height = max(height, len(parts[i]))
	}
	bar := pieceOf("│", co.pal.dim)
	rows := make([]row, height)
	for y := range rows {
		r := row{}
		for x, w := range widths {
			var part row
			if y < len(parts[x]) {
				part = parts[x][y]
			}
			left := max(w-part.cells(), 0)
			before := 0
			if x < len(cells) {
				switch cells[x].align {
				case extast.AlignRight:
					before = left
				case extast.AlignCenter:
					before = left / 2
				}
			}
			if x > 0 {
				r = append(r, blankPiece(1), bar, blankPiece(1))
			}
			r = append(r, blankPiece(before))
			r = append(r, part...)
			r = append(r, blankPiece(left-before))
		}
		rows[y] = r
	}
	return rows
}

// tableRule sets the line between the head and the rows.
func (co *composer) tableRule(widths []int) {
	var b strings.Builder
	for i, w := range widths {
		if i > 0 {
			b.WriteString("─┼─")
		}
		b.WriteString(strings.Repeat("─", w))
	}
	co.addRow(row{pieceOf(b.String(), co.pal.dim)})
}

// records sets each row of a table as lines "header: value", an empty line
// between rows.
func (co *composer) records(head []cell, body [][]cell) {
	if len(body) == 0 {
		body, head = [][]cell{head}, nil
	}
	for i, cells := range body {
		if i > 0 {
			co.wantBlanks(1)
		}
		for x, c := range cells {
			if blank(c.runs) {
				continue
			}
			var runs []run
			if x < len(head) && !blank(head[x].runs) {
				runs = append(runs, head[x].runs...)
				runs = append(runs, run{text: ": ", face: co.pal.label})
				if slices.ContainsFunc(c.runs, func(r run) bool { return r.end }) {
					runs = append(runs, run{end: true})
				}
			}
			co.addHanging(append(runs, c.runs...), 2)
		}
	}
}

// addHanging sets a paragraph whose second and later rows are indented.
func (co *composer) addHanging(runs []run, indent int) {
	if co.avail()-indent < minTextWidth {
		co.addText(runs)
		return
	}
	rows := breakRuns(runs, co.avail())
	if len(rows) < 2 {
		co.addText(runs)
		return
	}
	for i, r := range breakRuns(runs, co.avail()-indent) {
		if i > 0 {
			r = append(row{blankPiece(indent)}, r...)
		}
		co.addRow(r)
	}
}
