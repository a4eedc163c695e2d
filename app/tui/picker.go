package tui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/terminal"
	"sheaf/app/typeset"
)

// pickLink numbers the links on the screen and lets the reader choose one.
func (b *browser) pickLink(p *typeset.Page, seen func(line int) bool, follow func(typeset.Link)) {
	var links []typeset.Link
	var marks []labelPos
	for _, l := range p.Links {
		if seen(l.Line) {
			at := labelPos{line: l.Line, col: l.Col + l.Cells}
			if n := len(l.Rest); n > 0 {
				at = labelPos{line: l.Rest[n-1].Line, col: l.Rest[n-1].Col + l.Rest[n-1].Cells}
			}
			links, marks = append(links, l), append(marks, at)
		}
	}
	if len(links) > 0 {
		b.picker = &picker{b: b, label: "link", labels: marks, choose: func(i int) { follow(links[i]) }}
	}
}

// A picker lets the reader choose one of several things on the screen by typing
// its number.
type picker struct {
	b      *browser
	label  string
	labels []labelPos // where the numbers stand
	typed  string
	choose func(i int) // from 0
}

// A labelPos is where a number is drawn in a line of a page: after a thing, or
// over its beginning.
type labelPos struct {
	line, col int
	over      bool
}

// key takes a key and reports whether it was meant for the picker.
func (p *picker) key(e terminal.Event) bool {
	switch {
	case len(e.Key) == 1 && e.Key[0] >= '0' && e.Key[0] <= '9':
		p.typed += e.Key
		n, _ := strconv.Atoi(p.typed)
		switch {
		case n < 1 || n > len(p.labels):
			p.typed = ""
		case n*10 > len(p.labels):
			p.pick(n)
		}
		return true
	case e.Key == "enter":
		if n, _ := strconv.Atoi(p.typed); n > 0 {
			p.pick(n)
		}
		return true
	case e.Key == "backspace" && p.typed != "":
		p.typed = p.typed[:len(p.typed)-1]
		return true
	}
	p.b.picker = nil
	return e.Key == "esc" || e.Key == "q"
}

func (p *picker) pick(n int) {
	p.b.picker = nil
	p.choose(n - 1)
}

func (p *picker) line(st typeset.Styles) string {
	return st.Accent.On(p.label+" ") + p.typed + st.Accent.On("▏") +
		st.Dim.On("  1 to "+strconv.Itoa(len(p.labels))+", esc cancels")
}

// drawLabels draws the numbers of the picker into rows; at returns the row that
// shows a line of the page, nil if none does.
func (b *browser) drawLabels(at func(line int) *terminal.Row) {
	if b.picker == nil {
		return
	}
	marks, st := b.picker.labels, b.styles
	for i := len(marks) - 1; i >= 0; i-- { // from the right, so that columns stay true
		m := marks[i]
		r := at(m.line)
		if r == nil {
			continue
		}
		if m.over {
			number := fmt.Sprintf("%d ", i+1)
			r.Text = st.Title.On(number) + ansi.TruncateLeft(r.Text, len(number), "")
			continue
		}
		r.Text = ansi.Truncate(r.Text, m.col, "") + st.Title.On(superscript(i+1)) + ansi.TruncateLeft(r.Text, m.col, "")
	}
}

// superscript writes a number in small raised digits.
func superscript(n int) string {
	return strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, fmt.Sprint(n))
}
