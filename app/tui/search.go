package tui

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A textSearch holds the words that are searched for in a page, and where they
// stand.
type textSearch struct {
	words   string
	matches []match
	at      int // the one that is shown
	count   int // matches that are broken over two lines count once
}

// A match is a stretch of one line. One that is broken over two lines is two
// matches, of which the second is linked to the first by part.
type match struct {
	line, col, cells int
	part             int // 1 + index of the first half; 0: a whole one or a first half
}

// find finds all matches in a page, whatever their case.
func (s *textSearch) find(p *typeset.Page) {
	if s.words == "" {
		return
	}
	s.matches, s.count = nil, 0
	want := fold(strings.Join(strings.Fields(s.words), " "))
	if want == "" {
		return
	}
	before := ""
	for i, line := range p.Lines {
		if line == "" {
			before = ""
			continue
		}
		text := fold(ansi.Strip(line))
		s.broken(before, text, want, i)
		for at := 0; ; {
			k := strings.Index(text[at:], want)
			if k < 0 {
				break
			}
			s.add(i, text[:at+k], want, 0)
			s.count++
			at += k + len(want)
		}
		before = text
	}
	s.at = min(s.at, max(len(s.matches)-1, 0))
}

// broken finds a match that is broken over two lines.
func (s *textSearch) broken(before, text, want string, line int) {
	inner := strings.TrimLeft(text, " │")
	for i := range want {
		if want[i] != ' ' {
			continue
		}
		head, tail := want[:i], want[i+1:]
		if strings.HasSuffix(before, head) && strings.HasPrefix(inner, tail) {
			s.add(line-1, strings.TrimSuffix(before, head), head, 0)
			s.add(line, text[:len(text)-len(inner)], tail, len(s.matches))
			s.count++
			return
		}
	}
}

// add notes a match that stands after other text of its line.
func (s *textSearch) add(line int, after, text string, part int) {
	m := match{line: line, col: ansi.StringWidth(after), cells: ansi.StringWidth(text), part: part}
	s.matches = append(s.matches, m)
}

// fold makes texts comparable whatever their case. It keeps the number of
// characters.
func fold(s string) string { return strings.Map(unicode.ToLower, s) }

// from goes to the first match from a line on, else to the first of all.
func (s *textSearch) from(line int) (match, bool) {
	for i, m := range s.matches {
		if m.line >= line && m.part == 0 {
			s.at = i
			return m, true
		}
	}
	s.at = 0
	if len(s.matches) == 0 {
		return match{}, false
	}
	return s.matches[0], true
}

// step goes to the next match, or the one before. After the last comes the
// first.
func (s *textSearch) step(by int) (match, bool) {
	n := len(s.matches)
	if n == 0 {
		return match{}, false
	}
	for {
		s.at = (s.at + by + n) % n
		if m := s.matches[s.at]; m.part == 0 {
			return m, true
		}
	}
}

// status tells which match is shown, and, if named, of what.
func (s *textSearch) status(named bool) string {
	nth := 0
	for _, m := range s.matches[:min(s.at+1, len(s.matches))] {
		if m.part == 0 {
			nth++
		}
	}
	if !named {
		return fmt.Sprintf("%d/%d", nth, s.count)
	}
	return fmt.Sprintf("«%s» %d/%d", typeset.Truncate(markdown.Line(s.words), 20), nth, s.count)
}
