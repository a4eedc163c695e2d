package blog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sheaf/app/markdown"
)

// A DiffLine is a line of a unified diff: Kind is ' ', '+', '-', or '@' for what
// is said about the lines.
type DiffLine struct {
	Kind byte
	Text string // safe for a terminal
}

// diffContext is how many lines that are the same stand around those that are
// not.
const diffContext = 3

// maxDiff bounds the work: of texts that differ in more lines than this, the
// middle is shown as replaced whole.
const maxDiff = 1000

// unified is the difference of two texts, by lines; none if they are the same.
func unified(a, b []byte) []DiffLine {
	if !utf8.Valid(a) || !utf8.Valid(b) {
		if bytes.Equal(a, b) {
			return nil
		}
		return []DiffLine{{'@', "not text, and not the same"}}
	}
	steps := script(split(a), split(b))
	var out []DiffLine
	for i := 0; i < len(steps); {
		if steps[i].kind == ' ' {
			i++
			continue
		}
		from := max(i-diffContext, 0)
		to, same := i, 0
		for to < len(steps) && same <= 2*diffContext {
			if steps[to].kind == ' ' {
				same++
			} else {
				same = 0
			}
			to++
		}
		to -= max(same-diffContext, 0)
		olds, news := 0, 0
		for _, s := range steps[from:to] {
			if s.kind != '+' {
				olds++
			}
			if s.kind != '-' {
				news++
			}
		}
		out = append(out, DiffLine{'@', "@@ -" + hunk(steps[from].a, olds) + " +" + hunk(steps[from].b, news) + " @@"})
		for _, s := range steps[from:to] {
			out = append(out, s.shown()...)
		}
		i = to
	}
	return out
}

// hunk says which lines: the first, from 1, and how many; of none, the one
// before.
func hunk(before, n int) string {
	if n > 0 {
		before++
	}
	return fmt.Sprintf("%d,%d", before, n)
}

// shown is a step for a reader. Ends of lines that make a difference are seen.
func (s step) shown() []DiffLine {
	line, ended := bytes.CutSuffix(s.line, []byte("\n"))
	text := string(line)
	if t, ok := strings.CutSuffix(text, "\r"); ok && s.kind != ' ' {
		text = t + "␍"
	}
	out := []DiffLine{{s.kind, markdown.Clean(text)}}
	if !ended {
		out = append(out, DiffLine{'@', "no line end at the end"})
	}
	return out
}

// split gives the lines with their ends.
func split(text []byte) [][]byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	}
	return lines
}

// step is a line of the way from one text to the other.
type step struct {
	kind byte // ' ', '-' or '+'
	a, b int  // the lines reached
	line []byte
}

// script is the shortest way from a to b (Myers, "An O(ND) Difference Algorithm
// and Its Variations", 1986), between the lines both begin and end with.
func script(a, b [][]byte) []step {
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
	for _, kind := range middle(a[head:len(a)-tail], b[head:len(b)-tail]) {
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

// middle gives the kinds of the steps.
func middle(a, b [][]byte) []byte {
	n, m := len(a), len(b)
	limit := min(n+m, maxDiff)
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
				return back(trace, n, m)
			}
		}
	}
	return append(bytes.Repeat([]byte{'-'}, n), bytes.Repeat([]byte{'+'}, m)...)
}

// back follows the way that was found from its end.
func back(trace [][]int32, x, y int) []byte {
	var kinds []byte
	for d := len(trace) - 1; d >= 0; d-- {
		v := trace[d]
		get := func(k int) int { return int(v[k+d+1]) }
		k := x - y
		from := k - 1
		if k == -d || k != d && get(k-1) < get(k+1) {
			from = k + 1
		}
		// Back along the same lines to where the round's one step had led.
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
