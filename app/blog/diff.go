package blog

import (
	"bytes"
	"fmt"

	"sheaf/app/markdown"
)

// A DiffLine is a line of a unified diff: Kind is ' ', '+', '-' or '@'.
type DiffLine struct {
	Kind byte
	Text string // safe for a terminal
}

// diffContext is how many lines that are the same stand diffContext those that are not.
const diffContext = 3

// maxDiff bounds the work: of texts that differ in more lines than this, the
// middle is shown as replaced whole.
const maxDiff = 2000

// unified is the difference of two texts, by lines.
func unified(a, b []byte) []DiffLine {
	before, after := split(a), split(b)
	steps := script(before, after)
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
		first := steps[from]
		olds, news := 0, 0
		for _, s := range steps[from:to] {
			if s.kind != '+' {
				olds++
			}
			if s.kind != '-' {
				news++
			}
		}
		out = append(out, DiffLine{'@', fmt.Sprintf("@@ -%d,%d +%d,%d @@", first.a+1, olds, first.b+1, news)})
		for _, s := range steps[from:to] {
			line := s.line
			out = append(out, DiffLine{s.kind, markdown.Clean(string(line))})
		}
		i = to
	}
	return out
}

func split(text []byte) [][]byte {
	if len(text) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
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
	v := make([]int, 2*limit+3)
	at := func(k int) *int { return &v[k+limit+1] }
	var trace [][]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, append([]int(nil), v[limit+1-d-1:limit+1+d+2]...))
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || k != d && *at(k - 1) < *at(k + 1) {
				x = *at(k + 1)
			} else {
				x = *at(k - 1) + 1
			}
			for x < n && x-k < m && bytes.Equal(a[x], b[x-k]) {
				x++
			}
			*at(k) = x
			if x >= n && x-k >= m {
				return back(trace, n, m)
			}
		}
	}
	return append(bytes.Repeat([]byte{'-'}, n), bytes.Repeat([]byte{'+'}, m)...)
}

// back follows the way that was found from its end.
func back(trace [][]int, x, y int) []byte {
	var kinds []byte
	for d := len(trace) - 1; d >= 0; d-- {
		v := trace[d]
		get := func(k int) int { return v[k+d+1] }
		k := x - y
		from := k - 1
		if k == -d || k != d && get(k-1) < get(k+1) {
			from = k + 1
		}
		px := 0
		if d > 0 {
			px = get(from)
		}
		py := px - from
		if d == 0 {
			px, py = 0, 0
		}
		for x > px && y > py && x > 0 && y > 0 && !(d > 0 && (from == k+1 && x == px && y == py+1 || from == k-1 && x == px+1 && y == py)) {
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
	for i, j := 0, len(kinds)-1; i < j; i, j = i+1, j-1 {
		kinds[i], kinds[j] = kinds[j], kinds[i]
	}
	return kinds
}
