package markdown

import (
	"strings"

	"sheaf/app/julia"
	"sheaf/app/srcmap"
)

// defSpan is where definitions stand in a source.
type defSpan struct{ from, to int }

// juliaFront finds the definitions of a Franklin source: @def lines with their
// indented continuations, and +++ blocks, anywhere outside code and comments.
func juliaFront(s string) (Front, []defSpan) {
	if !strings.Contains(s, "@def") && !strings.Contains(s, "+++") {
		return Front{}, nil
	}
	var f defFinder
	var code fenceState
	comment := false
	for at := 0; at < len(s); {
		l := lineAt(s, at)
		next := min(at+len(l)+1, len(s))
		switch {
		case comment:
			_, comment = uncommented(l, true)
		case code.open() || strings.HasPrefix(strings.TrimLeft(l, " \t"), "```"):
			follow(&code, l)
		case strings.HasPrefix(l, "@def ") || strings.HasPrefix(l, "@def\t"):
			next = defEnd(s, at)
			f.add(s, at, next, at+len("@def "), next)
		case strings.HasPrefix(l, "+++") && strings.TrimSpace(l) == "+++":
			if inside, end := defBlock(s, next); end > 0 {
				f.add(s, at, end, next, inside)
				next = end
			}
		case strings.Contains(l, "<!--"):
			_, comment = uncommented(l, false)
		}
		at = next
	}
	if len(f.spans) > 0 {
		f.front.Kind = Julia
		f.front.Text = f.text.String()
	}
	return f.front, f.spans
}

// defFinder gathers definitions.
type defFinder struct {
	front   Front
	text    strings.Builder
	spans   []defSpan
	counted int // offset up to which lines have been counted
	line    int // of that offset, from 0
}

// add adds the definitions in s[inside:insideEnd], for which s[from:to] stands.
func (f *defFinder) add(s string, from, to, inside, insideEnd int) {
	textFrom := inside
	if insideEnd == to { // of an @def line all belongs to the text
		textFrom = from
	}
	f.line += strings.Count(s[f.counted:textFrom], "\n")
	f.counted = textFrom
	line := f.line + 1
	f.spans = append(f.spans, defSpan{from, to})
	f.text.WriteString(s[textFrom:insideEnd])
	if f.front.Line == 0 {
		f.front.Line = line
	}
	for _, a := range julia.Assignments(s[inside:insideEnd], line) {
		f.front.Defs = append(f.front.Defs,
			Def{Name: a.Name, Value: cleanValue(a.Value), Source: a.Source, Line: a.Line})
	}
}

// cleanValue cleans the strings in a value.
func cleanValue(v any) any {
	switch v := v.(type) {
	case string:
		return Clean(v)
	case []any:
		for i := range v {
			v[i] = cleanValue(v[i])
		}
	}
	return v
}

const maxDefLines = 400

// defEnd returns where the definition whose @def is at ends: behind the
// indented lines below it and the string that is open at their end. A string
// that is never closed takes nothing but its own line.
func defEnd(s string, at int) int {
	first := lineAt(s, at)
	next := min(at+len(first)+1, len(s))
	open := strings.Count(first, `"""`)%2 == 1
	end := next
	for n := 1; end < len(s) && n <= maxDefLines; n++ {
		l := lineAt(s, end)
		if !open && !strings.HasPrefix(l, "    ") && !strings.HasPrefix(l, "\t") {
			break
		}
		if strings.Count(l, `"""`)%2 == 1 {
			open = !open
		}
		end = min(end+len(l)+1, len(s))
	}
	if open {
		return next
	}
	return end
}

// defBlock returns where the inside of a +++ block, which begins at from, and
// the block end; end is 0 if it has no closing line.
func defBlock(s string, from int) (inside, end int) {
	for at := from; at < len(s); {
		l := lineAt(s, at)
		next := min(at+len(l)+1, len(s))
		if strings.TrimSpace(l) == "+++" {
			return at, next
		}
		at = next
	}
	return 0, 0
}

// withoutDefs returns a text that begins in some line of the source, without
// its definitions.
func withoutDefs(text string, spans []defSpan, line int32) srcmap.Text {
	in := srcmap.New(text, line)
	if len(spans) == 0 {
		return in
	}
	r := srcmap.NewRewriter(in)
	for _, s := range spans {
		r.Replace(s.from, s.to, "")
		r.Relocate(r.Line)
	}
	return r.Finish()
}
