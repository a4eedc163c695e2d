package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/textdiff"
	"sheaf/app/typeset"
)

// openVersions lists the revisions of a post.
func (b *browser) openVersions(p *blog.Post) {
	v, ctx := b.conf.Visitor, b.ctx
	b.work(func() func() {
		log, err := v.Log(ctx, p.Path, 0)
		return func() {
			if err != nil {
				b.refused(err)
				return
			}
			b.push(newVersions(b, p, log))
		}
	})
}

func newVersions(b *browser, p *blog.Post, log []blog.Revision) *index {
	v := b.conf.Visitor
	x := &index{b: b, where: onVersions, name: oneLine(p.Title) + " › versions", unit: "version", empty: "No versions yet."}
	x.make = func() (entries []entry) {
		if b.edition != x.edition && x.edition != nil || log == nil {
			if now, err := v.Log(b.ctx, p.Path, 0); err == nil {
				log = now
			}
		}
		digits, names := 1, 0
		for _, r := range log {
			digits = max(digits, len(fmt.Sprint(r.Rev)))
			names = max(names, ansi.StringWidth(who(r)))
		}
		names = min(names, 20)
		now := time.Now()
		for i, r := range log {
			left := leftAligned(fmt.Sprintf("r%d", r.Rev), digits+1) + "  " + leftAligned(typeset.Truncate(who(r), names), names) + "  " +
				b.styles.Dim.On(leftAligned(oneLine(r.Door), 7)+" "+oneLine(r.Message))
			when := ago(r.Time, now)
			if x.room() >= 60 {
				when = r.Time.In(b.zone()).Format("2 Jan 2006 15:04")
			}
			entries = append(entries, entry{
				name:  fmt.Sprint(r.Rev),
				lines: []string{between(left, b.styles.Dim.On(when), x.room())},
				open:  func() { b.openChange(p, log, i) },
			})
		}
		return entries
	}
	x.acts = map[action]func(int){restore: func(i int) {
		r := log[i]
		b.choice = &choice{b: b, text: fmt.Sprintf("Bring back what it was at r%d?", r.Rev), options: []option{{"y", "yes", func() {
			b.commit("restored", func(ctx context.Context) (blog.Receipt, error) { return v.Restore(ctx, p.Path, r.Rev) })
		}}}}
	}}
	x.sync()
	return x
}

// who is the author of a revision.
func who(r blog.Revision) string {
	if name := oneLine(r.Author); name != "" {
		return name
	}
	return "by hand"
}

// openChange shows what a revision changed, word by word.
func (b *browser) openChange(p *blog.Post, log []blog.Revision, i int) {
	v, ctx := b.conf.Visitor, b.ctx
	b.work(func() func() {
		text := func(i int) (string, error) {
			if i >= len(log) || log[i].Hash == "" {
				return "", nil
			}
			src, err := v.Get(ctx, log[i].Hash)
			return string(src), err
		}
		now, err := text(i)
		var before string
		if err == nil {
			before, err = text(i + 1)
		}
		var spans []textdiff.Span
		if err == nil {
			spans = textdiff.Words(before, now)
		}
		return func() {
			if err != nil {
				b.refused(err)
				return
			}
			r := log[i]
			b.push(&sheet{b: b, name: fmt.Sprintf("%s › r%d", oneLine(p.Title), r.Rev),
				make: func(width int) []string { return changedLines(spans, width, b.styles) }})
		}
	})
}

// around is how many lines are shown before and after one that has changed.
const around = 2

// A textLine is one line of two texts that are compared.
type textLine struct {
	spans   []textdiff.Span // without line ends
	changed bool
}

// textLines divides spans into lines.
func textLines(spans []textdiff.Span) (lines []textLine) {
	var line textLine
	for _, s := range spans {
		for part := range strings.SplitAfterSeq(s.Text, "\n") {
			end := strings.HasSuffix(part, "\n")
			line.changed = line.changed || s.Kind != ' ' && part != ""
			if part = strings.TrimRight(part, "\r\n"); part != "" {
				line.spans = append(line.spans, textdiff.Span{Kind: s.Kind, Text: part})
			}
			if end {
				lines = append(lines, line)
				line = textLine{}
			}
		}
	}
	if len(line.spans) > 0 || line.changed {
		lines = append(lines, line)
	}
	return lines
}

// changedLines shows the lines that have changed and some around them. What
// went is struck through, what came is bold, and a mark stands before a line
// that has either, so that no colour is needed.
func changedLines(spans []textdiff.Span, width int, st typeset.Styles) (out []string) {
	lines := textLines(spans)
	near := make([]bool, len(lines))
	any := false
	for i, l := range lines {
		if !l.changed {
			continue
		}
		any = true
		for k := max(i-around, 0); k <= min(i+around, len(lines)-1); k++ {
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
		out = append(out, spanRows(l, width, st)...)
	}
	return out
}

// spanRows sets a line of a comparison in rows, broken at words. What went and
// what came in its place are a blank apart, so that each can be read.
func spanRows(l textLine, width int, st typeset.Styles) []string {
	mark := "  "
	if l.changed {
		went, came := false, false
		for _, s := range l.spans {
			went, came = went || s.Kind == '-', came || s.Kind == '+'
		}
		switch {
		case went && came:
			mark = st.Accent.On("±") + " "
		case went:
			mark = st.Removed.On("-") + " "
		default:
			mark = st.Added.On("+") + " "
		}
	}
	room := max(width-2, 1)
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
		if i > 0 && s.Kind != ' ' && l.spans[i-1].Kind != ' ' && used > 0 && used < room && !strings.HasSuffix(l.spans[i-1].Text, " ") && !strings.HasPrefix(s.Text, " ") {
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
		for text := shownText(s.Text); text != ""; {
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

// shownText makes a piece of a source fit for a row.
func shownText(s string) string {
	var out strings.Builder
	for s != "" {
		g := character(s)
		shown, _ := glyph(g, 0)
		out.WriteString(shown)
		s = s[len(g):]
	}
	return out.String()
}
