package markdown

import (
	"html"
	"strings"
)

// takeInline takes text from i to the end of the line (or of what a construct
// on it encloses), and the line end.
func (s *shield) takeInline(i int) int {
	from := i
	flush := func() { s.w.copy(s.in, from, i) }
	put := func(text string, next int) {
		flush()
		s.w.str(text)
		s.w.line = s.in.line(min(next, len(s.s)))
		i, from = next, next
	}
	for i < len(s.s) {
		c := s.s[i]
		if special[c] == 0 {
			i++
			continue
		}
		if c == '\n' {
			flush()
			s.newline(i)
			return i + 1
		}
		if s.raw {
			if next, text, ok := s.inRaw(i); ok {
				put(text, next)
				continue
			}
		}
		switch c {
		case '\\':
			if i+1 >= len(s.s) {
				i++
				continue
			}
			if s.dialect == Franklin && s.s[i+1] == '\\' && !s.raw {
				put(s.marks.put(mark{kind: markBreak, src: `\\`}), i+2)
				continue
			}
			if !s.raw {
				if next, ok := s.bracketMath(i, flush); ok {
					i, from = next, next
					continue
				}
			}
			if s.s[i+1] == '\n' {
				i++
				continue
			}
			if isPunct(s.s[i+1]) {
				i += 2
				continue
			}
			i++
		case '`':
			n := runOf(s.s[i:], '`')
			if text, next, ok := s.codeSpan(i, n); ok {
				put(s.marks.put(mark{kind: markCode, a: text, src: s.s[i:next]}), next)
			} else {
				i += n
			}
		case '$':
			if next, ok := s.dollarMath(i, flush); ok {
				i, from = next, next
			} else {
				i += runOf(s.s[i:], '$')
			}
		case '<':
			if next, ok := s.angle(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case '{':
			if next, ok := s.brace(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case ']':
			line := eol(s.s, i)
			if i+1 < line && s.s[i+1] == '(' {
				if end := destination(s.s[i+1 : line]); end > 0 {
					i += 1 + end
					continue
				}
			}
			if i+1 < line && s.s[i+1] == ':' && s.s[s.content] == '[' && s.content+1 < len(s.s) && s.s[s.content+1] != '^' && strings.IndexByte(s.s[s.content:i], ']') < 0 {
				i = line
				continue
			}
			i++
		case ':':
			if strings.HasPrefix(s.s[i:], "://") {
				for i < len(s.s) && s.s[i] > ' ' && strings.IndexByte("<>\"`)}]|\\", s.s[i]) < 0 {
					i++
				}
				continue
			}
			i++
		case '~':
			if s.dialect == Franklin && strings.HasPrefix(s.s[i:], "~~~") {
				line := s.w.lineText()
				s.raw = strings.Contains(s.s[i+3:], "~~~")
				if s.raw && strings.TrimSpace(line) == "" && strings.TrimSpace(s.s[i+3:eol(s.s, i+3)]) == "" {
					put("", i+3) // a block of its own
					continue
				}
				put("", i+3)
				continue
			}
			i++
		default:
			i++
		}
	}
	flush()
	return i
}

var special = [256]byte{'\n': 1, '\\': 1, '`': 1, '$': 1, '<': 1, '{': 1, ']': 1, ':': 1, '~': 1, '*': 2, '_': 2, '[': 2, '#': 2}

// inRaw takes what means something to Markdown but not between ~~~.
func (s *shield) inRaw(i int) (next int, text string, ok bool) {
	switch s.s[i] {
	case '~':
		if strings.HasPrefix(s.s[i:], "~~~") {
			s.raw = false
			return i + 3, "", true
		}
	case '#':
		if i > 0 && s.s[i-1] == '&' {
			break
		}
		fallthrough
	case '*', '_', '`', '[', ']', '\\', '$':
		return i + 1, s.marks.put(mark{kind: markText, a: s.s[i : i+1], src: s.s[i : i+1]}), true
	}
	return 0, "", false
}

// destination gives the length of the (...) s begins with; 0: it is not closed,
// or there are more parentheses in one another than cmark takes.
func destination(s string) int {
	const deepest = 32
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			if depth++; depth > deepest {
				return 0
			}
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case '`':
			return 0
		}
	}
	return 0
}

// paragraphEnd gives where the paragraph that holds i ends: a blank line, or a
// line that begins another block.
func (s *shield) paragraphEnd(i int) int {
	for lines := 0; lines < 200; lines++ {
		end := eol(s.s, i)
		if end == len(s.s) {
			return end
		}
		next := s.s[end+1 : eol(s.s, end+1)]
		t := strings.TrimLeft(next, " \t>")
		if t == "" || strings.HasPrefix(t, "```") || t[0] == '#' || listMarker(t) > 0 || isRule(t) || t[0] == '|' {
			return end
		}
		i = end + 1
	}
	return i
}

// codeSpan reads the code span opened by n backticks at i.
func (s *shield) codeSpan(i, n int) (text string, next int, ok bool) {
	if end, failed := s.barren[n]; failed && i < end {
		return "", 0, false
	}
	stop := -1
	line := eol(s.s, i)
	for k := i + n; ; {
		q := strings.IndexByte(s.s[k:], '`')
		if q < 0 {
			stop = len(s.s)
			break
		}
		k += q
		if k > line && stop < 0 {
			stop = min(s.paragraphEnd(i), i+64<<10)
		}
		if stop >= 0 && k >= stop {
			break
		}
		m := runOf(s.s[k:], '`')
		if m == n {
			return s.spanText(s.s[i+n : k]), k + m, true
		}
		k += m
	}
	if s.barren == nil {
		s.barren = make(map[int]int)
	}
	s.barren[n] = stop
	return "", 0, false
}

func (s *shield) spanText(t string) string {
	if strings.Contains(t, "\n") {
		lines := strings.Split(t, "\n")
		for k, l := range lines {
			if k > 0 {
				l = strings.TrimLeft(l, " \t")
				for q := 0; q < s.quotes && strings.HasPrefix(l, ">"); q++ {
					l = strings.TrimLeft(l[1:], " \t")
				}
				lines[k] = l
			}
		}
		t = strings.Join(lines, " ")
	}
	t = s.marks.restore(t)
	if len(t) > 2 && t[0] == ' ' && t[len(t)-1] == ' ' && strings.TrimSpace(t) != "" {
		t = t[1 : len(t)-1]
	}
	return t
}

// angle takes what a < begins: a comment, an element whose inside is no
// Markdown, or a tag, which is copied whole.
func (s *shield) angle(i int, flush func()) (next int, ok bool) {
	rest := s.s[i:]
	if strings.HasPrefix(rest, "<!--") {
		n := strings.Index(rest, "-->")
		if n < 0 {
			flush()
			s.problem(s.in.line(i), "the comment that begins here has no end")
			s.w.str(s.marks.put(mark{kind: markText, a: "<!--", src: "<!--"}))
			return i + 4, true
		}
		flush()
		next = i + n + 3
		if word := strings.ToLower(strings.Trim(rest[4:n], " \t\n-")); word == "more" || word == "excerpt" || word == "end_excerpt" {
			s.w.str(s.marks.put(mark{kind: markMore, src: rest[:n+3]}))
		}
		s.w.line = s.in.line(min(next, len(s.s)))
		return next, true
	}
	t, n := tagAt(rest)
	if n == 0 {
		if end := strings.IndexByte(rest, '>'); end > 0 && end < 2000 && !strings.ContainsAny(rest[1:end], " \n<") && strings.ContainsAny(rest[:end], ":@") {
			flush()
			s.w.str(rest[:end+1])
			return i + end + 1, true
		}
		return 0, false
	}
	if t.closing {
		flush()
		s.w.copy(s.in, i, i+n)
		if blockTag[t.name] && s.html > 0 {
			s.html--
		}
		return i + n, true
	}
	switch t.name {
	case "script", "style", "svg":
		if end := closeTag(rest[n:], t.name); end > 0 && !t.empty {
			n += end
		}
		flush()
		s.w.line = s.in.line(min(i+n, len(s.s)))
		return i + n, true
	case "pre":
		end := closeTag(rest[n:], t.name)
		if end < 0 {
			break
		}
		inside := rest[n : n+end]
		inside = inside[:strings.LastIndexByte(inside, '<')]
		lang, code := preText(t, inside)
		flush()
		s.ownLine()
		s.w.str(s.marks.put(mark{kind: markFence, a: lang, b: code, n: int(s.in.line(i)), src: rest[:n+end]}))
		s.w.line = s.in.line(min(i+n+end, len(s.s)))
		return s.endLine(i + n + end), true
	case "code", "tt", "samp", "var":
		if t.name == "var" {
			break
		}
		end := closeTag(rest[n:], t.name)
		if end < 0 || end > 4000 {
			break
		}
		inside := rest[n : n+end]
		inside = inside[:strings.LastIndexByte(inside, '<')]
		if strings.Contains(inside, "<a ") || strings.Contains(inside, "\n\n") || strings.Contains(inside, "<br") {
			break
		}
		flush()
		text := strings.Join(strings.Fields(html.UnescapeString(stripTags(inside))), " ")
		s.w.str(s.marks.put(mark{kind: markCode, a: Clean(text), src: rest[:n+end]}))
		s.w.line = s.in.line(min(i+n+end, len(s.s)))
		return i + n + end, true
	}
	if blockTag[t.name] && !t.empty && t.name != "p" && t.name != "hr" {
		s.html++
	}
	flush()
	s.w.copy(s.in, i, i+n)
	return i + n, true
}

// preText gives the language and the text of the inside of a pre element.
func preText(t tag, inside string) (lang, code string) {
	lang = languageOf(t)
	inside = strings.TrimPrefix(inside, "\n")
	if c, n := tagAt(strings.TrimLeft(inside, " \t\n")); n > 0 && c.name == "code" && lang == "" {
		lang = languageOf(c)
	}
	code = Clean(html.UnescapeString(stripTags(inside)))
	return lang, strings.TrimRight(code, " \t\n") + "\n"
}

func languageOf(t tag) string {
	for _, k := range []string{"data-lang", "data-language", "lang"} {
		if v := t.attr(k); v != "" {
			lang, _ := language(v, &page{})
			return lang
		}
	}
	for _, c := range strings.Fields(t.attr("class")) {
		for _, p := range []string{"language-", "lang-", "brush:"} {
			if l, ok := strings.CutPrefix(c, p); ok {
				l, _ = language(l, &page{})
				return l
			}
		}
	}
	return ""
}

// brace takes what a { begins and holds no Markdown: template tags are copied
// whole; code and raw blocks of templates become marks.
func (s *shield) brace(i int, flush func()) (next int, ok bool) {
	rest := s.s[i:]
	if strings.HasPrefix(rest, "{/*") && s.dialect == MDX {
		end := strings.Index(rest, "*/}")
		if end < 0 {
			return 0, false
		}
		flush()
		s.w.line = s.in.line(min(i+end+3, len(s.s)))
		return i + end + 3, true
	}
	sc, n := shortcodeAt(rest)
	if n == 0 {
		return 0, false
	}
	flush()
	switch {
	case sc.form == literal:
		s.w.str(s.marks.put(mark{kind: markText, a: sc.text, src: rest[:n]}))
	case sc.form == liquidTag && sc.name == "raw" || sc.form == liquidTag && sc.name == "verbatim":
		if body, m := bodyOf(rest[n:], sc); m > 0 {
			body = strings.NewReplacer(
				"{{", s.marks.put(mark{kind: markText, a: "{{", src: "{{"}),
				"{%", s.marks.put(mark{kind: markText, a: "{%", src: "{%"})).Replace(body)
			sub := plainSheet(body, 0)
			for k, at := range sub.start {
				sub.lines[k] = s.in.line(i+n) + int32(strings.Count(body[:at], "\n"))
			}
			if s.deep < 4 {
				s.deep++
				sub = s.page.shield(sub)
				s.deep--
			}
			s.w.line = s.in.line(i + n)
			s.w.copy(sub, 0, len(sub.s))
			n += m
		}
	case sc.code():
		if body, m := bodyOf(rest[n:], sc); m > 0 {
			lang := sc.arg(0, "lang", "language")
			lang, _ = language(lang, s.page)
			s.ownLine()
			body = strings.Trim(body, "\n")
			if s.dialect == Hugo && sc.form == hugoTag && strings.HasPrefix(body, "```") {
				break
			}
			s.w.str(s.marks.put(mark{kind: markFence, a: lang, b: strings.TrimRight(body, " \t\n") + "\n", n: int(s.in.line(i)), src: rest[:n+m]}))
			s.w.line = s.in.line(min(i+n+m, len(s.s)))
			return s.endLine(i + n + m), true
		}
	default:
		if s.dialect == Franklin && sc.form != liquidValue {
			s.w.str("{")
			return i + 1, true
		}
		s.w.copy(s.in, i, i+n)
	}
	s.w.line = s.in.line(min(i+n, len(s.s)))
	return i + n, true
}
