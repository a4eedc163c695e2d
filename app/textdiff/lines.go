package textdiff

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Line is a line of a unified diff, without its line end. Kind is ' ', '+'
// or '-', or '@' for a remark about the lines.
type Line struct {
	Kind byte
	Text string
}

// contextLines is how many equal lines are kept around those that differ.
const contextLines = 3

// maxEdits bounds the search for the shortest edit script: of texts that
// differ in more lines than this, the middle counts as replaced as a whole.
const maxEdits = 1000

// Unified returns the difference of two texts by lines, nil if they are equal.
// Of what is not valid UTF-8 it only says that it differs.
func Unified(a, b []byte) []Line {
	if !utf8.Valid(a) || !utf8.Valid(b) {
		if bytes.Equal(a, b) {
			return nil
		}
		return []Line{{'@', "not text, and not the same"}}
	}
	steps := editScript(splitLines(a), splitLines(b))
	var out []Line
	for i := 0; i < len(steps); {
		if steps[i].kind == ' ' {
			i++
			continue
		}
		from := max(i-contextLines, 0)
		to, same := i, 0
		for to < len(steps) && same <= 2*contextLines {
			if steps[to].kind == ' ' {
				same++
			} else {
				same = 0
			}
			to++
		}
		to -= max(same-contextLines, 0)
		olds, news := 0, 0
		for _, s := range steps[from:to] {
			if s.kind != '+' {
				olds++
			}
			if s.kind != '-' {
				news++
			}
		}
		head := "@@ -" + lineRange(steps[from].a, olds) + " +" + lineRange(steps[from].b, news) + " @@"
		out = append(out, Line{'@', head})
		for _, s := range steps[from:to] {
			out = append(out, s.lines()...)
		}
		i = to
	}
	return out
}

// lineRange is "first,count" with the first line counted from 1; of no lines
// it names the line before.
func lineRange(before, n int) string {
	if n > 0 {
		before++
	}
	return fmt.Sprintf("%d,%d", before, n)
}

// A step is one line of an edit script.
type step struct {
	kind byte // ' ', '-' or '+'
	a, b int  // lines of either text before this one
	line []byte
}

// lines shows a step. A line end that makes a difference is made visible.
func (s step) lines() []Line {
	line, ended := bytes.CutSuffix(s.line, []byte("\n"))
	text := string(line)
	if t, ok := strings.CutSuffix(text, "\r"); ok && s.kind != ' ' {
		text = t + "␍"
	}
	out := []Line{{s.kind, text}}
	if !ended {
		out = append(out, Line{'@', "no line end at the end"})
	}
	return out
}

// splitLines returns the lines of a text with their ends.
func splitLines(text []byte) [][]byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	}
	return lines
}

// editScript returns the shortest way from a to b (Myers, "An O(ND) Difference
// Algorithm and Its Variations", 1986). Only what lies between the common
// beginning and the common end is searched.
func editScript(a, b [][]byte) []step {
	head := 0
	for head < len(a) && head < len(b) && bytes.Equal(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && bytes.Equal(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	var out []step
	for i := range head {
		out = append(out, step{' ', i, i, a[i]})
	}
	x, y := head, head
	for _, kind := range shortestEdit(a[head:len(a)-tail], b[head:len(b)-tail]) {
		switch kind {
		case '-':
			out = append(out, step{'-', x, y, a[x]})
			x++
		case '+':
			out = append(out, step{'+', x, y, b[y]})
			y++
		default:
			out = append(out, step{' ', x, y, a[x]})
			x, y = x+1, y+1
		}
	}
	for i := range tail {
		out = append(out, step{' ', x + i, y + i, a[x+i]})
	}
	return out
}

// shortestEdit returns the kinds of the steps from a to b. After maxEdits
// rounds it gives up and replaces all of a by all of b.
func shortestEdit(a, b [][]byte) []byte {
	n, m := len(a), len(b)
	limit := min(n+m, maxEdits)
	v := make([]int32, 2*limit+3)
	at := func(k int) *int32 { return &v[k+limit+1] }
	var trace [][]int32 // v before each round
	for d := 0; d <= limit; d++ {
		trace = append(trace, slices.Clone(v[limit-d:limit+d+3]))
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || k != d && *at(k - 1) < *at(k + 1) {
				x = int(*at(k + 1))
			} else {
				x = int(*at(k - 1)) + 1
			}
			for x < n && x-k < m && bytes.Equal(a[x], b[x-k]) {
				x++
			}
			*at(k) = int32(x)
			if x >= n && x-k >= m {
				return backtrack(trace, n, m)
			}
		}
	}
	return append(bytes.Repeat([]byte{'-'}, n), bytes.Repeat([]byte{'+'}, m)...)
}

// backtrack reads the kinds of the steps off the rounds of the search, from
// the end (x, y) back to the beginning.
func backtrack(trace [][]int32, x, y int) []byte {
	var kinds []byte
	for d := len(trace) - 1; d >= 0; d-- {
		v := trace[d]
		get := func(k int) int { return int(v[k+d+1]) }
		k := x - y
		from := k - 1
		if k == -d || k != d && get(k-1) < get(k+1) {
			from = k + 1
		}
		// Back over the equal lines to where the round's single edit had led.
		px, py := 0, 0
		if d > 0 {
			px = get(from)
			py = px - from
		}
		for x > px && y > py {
			kinds = append(kinds, ' ')
			x, y = x-1, y-1
		}
		if d > 0 {
			if from == k+1 {
				kinds = append(kinds, '+')
			} else {
				kinds = append(kinds, '-')
			}
			x, y = px, py
		}
	}
	slices.Reverse(kinds)
	return kinds
}
