package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/buffer"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// contextLines is how many lines are shown before and after one that has
// changed.
const contextLines = 2

// A diffLine is one line of two texts that are compared.
type diffLine struct {
	spans   []textdiff.Span // without line ends
	changed bool
}

// diffLines divides spans into lines.
func diffLines(spans []textdiff.Span) (lines []diffLine) {
	var line diffLine
	for _, s := range spans {
		for part := range strings.SplitAfterSeq(s.Text, "\n") {
			end := strings.HasSuffix(part, "\n")
			line.changed = line.changed || s.Kind != ' ' && part != ""
			if part = strings.TrimRight(part, "\r\n"); part != "" {
				line.spans = append(line.spans, textdiff.Span{Kind: s.Kind, Text: part})
			}
			if end {
				lines = append(lines, line)
				line = diffLine{}
			}
		}
	}
	if len(line.spans) > 0 || line.changed {
		lines = append(lines, line)
	}
	return lines
}

// diffPage sets a comparison for a pager.
func diffPage(spans []textdiff.Span) func(int, typeset.Theme) *typeset.Page {
	return plainPage(func(width int, st typeset.Styles) []string { return diffView(spans, width, st) })
}

// diffView shows the lines that have changed and some around them. What was
// removed is struck through, what was added is bold, and a mark stands before
// each changed line, so that no colour is needed.
func diffView(spans []textdiff.Span, width int, st typeset.Styles) (out []string) {
	lines := diffLines(spans)
	near := make([]bool, len(lines))
	any := false
	for i, l := range lines {
		if !l.changed {
			continue
		}
		any = true
		for k := max(i-contextLines, 0); k <= min(i+contextLines, len(lines)-1); k++ {
			near[k] = true
		}
	}
	if !any {
		return []string{st.Dim.On("Nothing has changed.")}
	}
	for i, l := range lines {
		if !near[i] {
			if i == 0 || near[i-1] {
				out = append(out, st.Dim.On("…"))
			}
			continue
		}
		out = append(out, diffLineRows(l, width, st)...)
	}
	return out
}

// mark is what stands before a line: a sign where it has changed.
func (l diffLine) mark(st typeset.Styles) string {
	went, came := false, false
	for _, s := range l.spans {
		went, came = went || s.Kind == '-', came || s.Kind == '+'
	}
	switch {
	case !l.changed:
		return "  "
	case went && came:
		return st.Accent.On("±") + " "
	case went:
		return st.Removed.On("-") + " "
	}
	return st.Added.On("+") + " "
}

// diffLineRows sets a line of a comparison in rows, broken at words. Removed
// and added words that touch each other are set a blank apart.
func diffLineRows(l diffLine, width int, st typeset.Styles) []string {
	mark, room := l.mark(st), max(width-2, 1)
	var rows []string
	var row strings.Builder
	used := 0
	flush := func() {
		rows = append(rows, mark+row.String())
		mark = "  "
		row.Reset()
		used = 0
	}
	for i, s := range l.spans {
		if i > 0 && used > 0 && used < room && abut(l.spans[i-1], s) {
			row.WriteByte(' ')
			used++
		}
		style := typeset.Style{}
		switch s.Kind {
		case '-':
			style = st.Removed
		case '+':
			style = st.Added
		}
		for text := printableText(s.Text); text != ""; {
			n := strings.IndexByte(text, ' ') + 1
			if n == 0 {
				n = len(text)
			}
			word := text[:n]
			w := ansi.StringWidth(word)
			if used+ansi.StringWidth(strings.TrimRight(word, " ")) > room {
				if used > 0 {
					flush()
					continue
				}
				word = ansi.Truncate(word, room, "")
				if word == "" {
					break
				}
				n, w = len(word), ansi.StringWidth(word)
			}
			row.WriteString(style.On(word))
			used += w
			text = text[n:]
		}
	}
	flush()
	return rows
}

// abut reports whether two changes would be read as one word.
func abut(a, b textdiff.Span) bool {
	return a.Kind != ' ' && b.Kind != ' ' && !strings.HasSuffix(a.Text, " ") && !strings.HasPrefix(b.Text, " ")
}

// printableText makes a piece of a source fit for a row.
func printableText(s string) string {
	var out strings.Builder
	for s != "" {
		g := buffer.Character(s)
		shown, _ := glyph(g, 0)
		out.WriteString(shown)
		s = s[len(g):]
	}
	return out.String()
}
