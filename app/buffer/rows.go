package buffer

import "github.com/clipperhouse/uax29/v2/graphemes"

// A Row is what one row of a window shows of a text: the bytes from From up to,
// but not including, To. A line end is in none.
type Row struct{ From, To int }

// Cells tells how many cells of a terminal a character takes at a column.
type Cells func(character string, column int) int

// Rows breaks the lines of a text into the rows of a window, at words. Only the
// lines that are asked for are broken, and a long one in pieces, each of which
// begins a row: a line without end costs no more than a screenful. What was
// broken last is kept, as neighbours are asked for one after the other. It
// belongs to one goroutine.
type Rows struct {
	text  Text
	width int
	cells Cells

	from, to int   // the piece that rows are of
	rows     []Row // nil: none
}

// pieceSize is how much of a line is broken at once, in bytes.
const pieceSize = 8 << 10

// NewRows makes the rows of a text in a window that is so many cells wide.
func NewRows(t Text, width int, cells Cells) *Rows { return &Rows{text: t, width: width, cells: cells} }

// Of reports whether these are the rows of that text at that width.
func (r *Rows) Of(t Text, width int) bool { return r != nil && r.text.Same(t) && r.width == width }

// Character is the first character of a string that is not empty.
func Character(s string) string {
	if len(s) > 1 && s[0] < 0x80 && s[1] < 0x80 {
		return s[:1]
	}
	if g := graphemes.FromString(s).First(); g != "" {
		return g
	}
	return s[:1]
}

// At is the row that a place is on.
func (r *Rows) At(at int) Row {
	rows := r.around(at)
	for i, row := range rows {
		if at < row.To || i == len(rows)-1 {
			return row
		}
	}
	return Row{at, at}
}

// Next is the row below, false at the end of the text.
func (r *Rows) Next(row Row) (Row, bool) {
	line := r.text.Line(row.From)
	if row.To < r.text.LineEnd(line) {
		return r.At(row.To), true
	}
	if line+1 >= r.text.Lines() {
		return row, false
	}
	return r.around(r.text.LineStart(line + 1))[0], true
}

// Previous is the row above, false at the beginning of the text.
func (r *Rows) Previous(row Row) (Row, bool) {
	line := r.text.Line(row.From)
	if row.From > r.text.LineStart(line) {
		return r.At(row.From - 1), true
	}
	if line == 0 {
		return row, false
	}
	rows := r.around(r.text.LineEnd(line - 1))
	return rows[len(rows)-1], true
}

// Column tells how many cells stand before a place in its row.
func (r *Rows) Column(row Row, at int) (column int) {
	text := r.text.Slice(row.From, row.To)
	for i := 0; i < len(text) && row.From+i < at; {
		g := Character(text[i:])
		column += r.cells(g, column)
		i += len(g)
	}
	return column
}

// Offset is the place of the character of a row that is nearest to a column: at
// it or before it. In a row that goes on in the next one it is never the end,
// which is the next one's beginning.
func (r *Rows) Offset(row Row, column int) int {
	text := r.text.Slice(row.From, row.To)
	at, last := 0, 0
	for i := 0; i < len(text); {
		g := Character(text[i:])
		n := r.cells(g, at)
		if at+n > column {
			return row.From + i
		}
		at += n
		last = i
		i += len(g)
	}
	if row.To < r.text.LineEnd(r.text.Line(row.From)) {
		return row.From + last
	}
	return row.To
}

// piece gives the beginning and the end of the piece of a line that a place is
// in.
func (r *Rows) piece(at int) (from, to int) {
	line := r.text.Line(at)
	start, end := r.text.LineStart(line), r.text.LineEnd(line)
	if end-start <= pieceSize {
		return start, end
	}
	nth := func(k int) int { return min(r.text.whole(min(start+k*pieceSize, end)), end) }
	k := (min(at, end) - start) / pieceSize
	if nth(k+1) <= at && nth(k+1) < end {
		k++
	}
	for k > 0 && (nth(k) > at || nth(k) == end) {
		k--
	}
	return nth(k), nth(k + 1)
}

// around gives the rows of the piece around a place.
func (r *Rows) around(at int) []Row {
	from, to := r.piece(at)
	if r.rows != nil && r.from == from && r.to == to {
		return r.rows
	}
	begins := r.breaks(r.text.Slice(from, to))
	rows := make([]Row, len(begins))
	for i, b := range begins {
		rows[i] = Row{from + b, to}
		if i > 0 {
			rows[i-1].To = from + b
		}
	}
	r.from, r.to, r.rows = from, to, rows
	return rows
}

// breaks finds where the rows of a piece of a line begin: after blanks and beside
// characters of two cells, elsewhere only in a word that is wider than a row.
// Blanks at the end of a row may stand beyond its width; no row begins with them.
func (r *Rows) breaks(s string) []int {
	begins := []int{0}
	col, begin := 0, 0
	chance := -1 // the last place in this row where it may be broken
	blank := false
	wide := false
	for i := 0; i < len(s); {
		g := Character(s[i:])
		cells := r.cells(g, col)
		isBlank := g == " " || g == "\t"
		if i > begin && !isBlank && (blank || wide || cells == 2) {
			chance = i
		}
		if col+cells > r.width && !isBlank && i > begin {
			if chance <= begin {
				chance = i
			}
			begins = append(begins, chance)
			begin = chance
			col = 0
			for j := begin; j < i; {
				h := Character(s[j:])
				col += r.cells(h, col)
				j += len(h)
			}
			cells = r.cells(g, col)
		}
		col += cells
		blank, wide = isBlank, cells == 2
		i += len(g)
	}
	return begins
}
