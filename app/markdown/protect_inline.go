package markdown

import (
	"html"
	"strings"
)

// takeInline takes text from i to the end of the line (or of what a construct
// on it encloses), and the line end.
func (pr *protector) takeInline(i int) int {
	from := i
	flush := func() { pr.w.copyRange(pr.in, from, i) }
	put := func(text string, next int) {
		flush()
		pr.w.write(text)
		pr.w.line = pr.in.sourceLine(next)
		i, from = next, next
	}
	for i < len(pr.src) {
		c := pr.src[i]
		if specialByte[c] == 0 {
			i++
			continue
		}
		if c == '\n' {
			flush()
			pr.newline(i)
			return i + 1
		}
		if pr.rawHTML {
			if next, text, ok := pr.takeRaw(i); ok {
				put(text, next)
				continue
			}
		}
		switch c {
		case '\\':
			if i+1 >= len(pr.src) {
				i++
				continue
			}
			if pr.dialect == Franklin && pr.src[i+1] == '\\' && !pr.rawHTML {
				put(pr.stash.put(placeholder{kind: phBreak, src: `\\`}), i+2)
				continue
			}
			if !pr.rawHTML {
				if next, ok := pr.takeBracketMath(i, flush); ok {
					i, from = next, next
					continue
				}
			}
			if pr.src[i+1] == '\n' {
				i++
				continue
			}
			if isPunct(pr.src[i+1]) {
				i += 2
				continue
			}
			i++
		case '`':
			n := runOf(pr.src[i:], '`')
			if text, next, ok := pr.readCodeSpan(i, n); ok {
				put(pr.stash.put(placeholder{kind: phCode, text: text, src: pr.src[i:next]}), next)
			} else {
				i += n
			}
		case '$':
			if next, ok := pr.takeDollarMath(i, flush); ok {
				i, from = next, next
			} else {
				i += runOf(pr.src[i:], '$')
			}
		case '<':
			if next, ok := pr.takeAngle(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case '{':
			if next, ok := pr.takeBrace(i, flush); ok {
				i, from = next, next
			} else {
				i++
			}
		case ']':
			line := eol(pr.src, i)
			if i+1 < line && pr.src[i+1] == '(' {
				if end := destinationLen(pr.src[i+1 : line]); end > 0 {
					i += 1 + end
					continue
				}
			}
			if i+1 < line && pr.src[i+1] == ':' && pr.src[pr.textStart] == '[' && pr.textStart+1 < len(pr.src) && pr.src[pr.textStart+1] != '^' && strings.IndexByte(pr.src[pr.textStart:i], ']') < 0 {
				i = line
				continue
			}
			i++
		case ':':
			if strings.HasPrefix(pr.src[i:], "://") {
				for i < len(pr.src) && pr.src[i] > ' ' && strings.IndexByte("<>\"`)}]|\\", pr.src[i]) < 0 {
					i++
				}
				continue
			}
			i++
		case '~':
			if pr.dialect == Franklin && strings.HasPrefix(pr.src[i:], "~~~") {
				line := pr.w.currentLine()
				pr.rawHTML = strings.Contains(pr.src[i+3:], "~~~")
				if pr.rawHTML && strings.TrimSpace(line) == "" && strings.TrimSpace(pr.src[i+3:eol(pr.src, i+3)]) == "" {
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

var specialByte = [256]byte{'\n': 1, '\\': 1, '`': 1, '$': 1, '<': 1, '{': 1, ']': 1, ':': 1, '~': 1, '*': 2, '_': 2, '[': 2, '#': 2}

// takeRaw takes what means something to Markdown but not between ~~~.
func (pr *protector) takeRaw(i int) (next int, text string, ok bool) {
	switch pr.src[i] {
	case '~':
		if strings.HasPrefix(pr.src[i:], "~~~") {
			pr.rawHTML = false
			return i + 3, "", true
		}
	case '#':
		if i > 0 && pr.src[i-1] == '&' {
			break
		}
		fallthrough
	case '*', '_', '`', '[', ']', '\\', '$':
		return i + 1, pr.stash.literal(pr.src[i : i+1]), true
	}
	return 0, "", false
}

// destinationLen gives the length of the (...) s begins with; 0: it is not closed,
// or there are more parentheses in one another than cmark takes.
func destinationLen(s string) int {
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
func (pr *protector) paragraphEnd(i int) int {
	for lines := 0; lines < 200; lines++ {
		end := eol(pr.src, i)
		if end == len(pr.src) {
			return end
		}
		next := pr.src[end+1 : eol(pr.src, end+1)]
		t := strings.TrimLeft(next, " \t>")
		if t == "" || strings.HasPrefix(t, "```") || t[0] == '#' || listMarker(t) > 0 || isRule(t) || t[0] == '|' {
			return end
		}
		i = end + 1
	}
	return i
}

// readCodeSpan reads the code span opened by n backticks at i.
func (pr *protector) readCodeSpan(i, n int) (text string, next int, ok bool) {
	if end, failed := pr.noSpanBefore[n]; failed && i < end {
		return "", 0, false
	}
	stop := -1
	line := eol(pr.src, i)
	for k := i + n; ; {
		q := strings.IndexByte(pr.src[k:], '`')
		if q < 0 {
			stop = len(pr.src)
			break
		}
		k += q
		if k > line && stop < 0 {
			stop = min(pr.paragraphEnd(i), i+64<<10)
		}
		if stop >= 0 && k >= stop {
			break
		}
		m := runOf(pr.src[k:], '`')
		if m == n {
			return pr.spanText(pr.src[i+n : k]), k + m, true
		}
		k += m
	}
	if pr.noSpanBefore == nil {
		pr.noSpanBefore = make(map[int]int)
	}
	pr.noSpanBefore[n] = stop
	return "", 0, false
}

func (pr *protector) spanText(t string) string {
	if strings.Contains(t, "\n") {
		lines := strings.Split(t, "\n")
		for k, l := range lines {
			if k > 0 {
				l = strings.TrimLeft(l, " \t")
				for q := 0; q < pr.quotes && strings.HasPrefix(l, ">"); q++ {
					l = strings.TrimLeft(l[1:], " \t")
				}
				lines[k] = l
			}
		}
		t = strings.Join(lines, " ")
	}
	t = pr.stash.restore(t)
	if len(t) > 2 && t[0] == ' ' && t[len(t)-1] == ' ' && strings.TrimSpace(t) != "" {
		t = t[1 : len(t)-1]
	}
	return t
}

// takeAngle takes what a < begins: a comment, an element whose inside is no
// Markdown, or a tag, which is copied whole.
func (pr *protector) takeAngle(i int, flush func()) (next int, ok bool) {
	rest := pr.src[i:]
	if strings.HasPrefix(rest, "<!--") {
		n := strings.Index(rest, "-->")
		if n < 0 {
			flush()
			pr.problem(pr.in.sourceLine(i), "the comment that begins here has no end")
			pr.w.write(pr.stash.literal("<!--"))
			return i + 4, true
		}
		flush()
		next = i + n + 3
		if word := strings.ToLower(strings.Trim(rest[4:n], " \t\n-")); word == "more" || word == "excerpt" || word == "end_excerpt" {
			pr.w.write(pr.stash.put(placeholder{kind: phMore, src: rest[:n+3]}))
		}
		pr.w.line = pr.in.sourceLine(next)
		return next, true
	}
	t, n := tagAt(rest)
	if n == 0 {
		if end := strings.IndexByte(rest, '>'); end > 0 && end < 2000 && !strings.ContainsAny(rest[1:end], " \n<") && strings.ContainsAny(rest[:end], ":@") {
			flush()
			pr.w.write(rest[:end+1])
			return i + end + 1, true
		}
		return 0, false
	}
	if t.closing {
		flush()
		pr.w.copyRange(pr.in, i, i+n)
		if blockTag[t.name] && pr.openBlocks > 0 {
			pr.openBlocks--
		}
		return i + n, true
	}
	switch t.name {
	case "script", "style", "svg":
		if end := findEndTag(rest[n:], t.name); end > 0 && !t.empty {
			n += end
		}
		flush()
		pr.w.line = pr.in.sourceLine(i + n)
		return i + n, true
	case "pre":
		end := findEndTag(rest[n:], t.name)
		if end < 0 {
			break
		}
		inside := rest[n : n+end]
		inside = inside[:strings.LastIndexByte(inside, '<')]
		lang, code := preText(t, inside)
		flush()
		pr.ownLine()
		pr.w.write(pr.stash.put(placeholder{kind: phFence, name: lang, text: code, n: int(pr.in.sourceLine(i)), src: rest[:n+end]}))
		pr.w.line = pr.in.sourceLine(i + n + end)
		return pr.endLine(i + n + end), true
	case "code", "tt", "samp", "var":
		if t.name == "var" {
			break
		}
		end := findEndTag(rest[n:], t.name)
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
		pr.w.write(pr.stash.put(placeholder{kind: phCode, text: Clean(text), src: rest[:n+end]}))
		pr.w.line = pr.in.sourceLine(i + n + end)
		return i + n + end, true
	}
	if blockTag[t.name] && !t.empty && t.name != "p" && t.name != "hr" {
		pr.openBlocks++
	}
	flush()
	pr.w.copyRange(pr.in, i, i+n)
	return i + n, true
}

// preText gives the language and the text of the inside of a pre element.
func preText(t tag, inside string) (lang, code string) {
	lang = languageOfTag(t)
	inside = strings.TrimPrefix(inside, "\n")
	if c, n := tagAt(strings.TrimLeft(inside, " \t\n")); n > 0 && c.name == "code" && lang == "" {
		lang = languageOfTag(c)
	}
	code = Clean(html.UnescapeString(stripTags(inside)))
	return lang, strings.TrimRight(code, " \t\n") + "\n"
}

func languageOfTag(t tag) string {
	for _, k := range []string{"data-lang", "data-language", "lang"} {
		if v := t.attr(k); v != "" {
			lang, _ := languageOfInfo(v, &page{})
			return lang
		}
	}
	for _, c := range strings.Fields(t.attr("class")) {
		for _, p := range []string{"language-", "lang-", "brush:"} {
			if l, ok := strings.CutPrefix(c, p); ok {
				l, _ = languageOfInfo(l, &page{})
				return l
			}
		}
	}
	return ""
}

// takeBrace takes what a { begins and holds no Markdown: template tags are copied
// whole; code and raw blocks of templates become placeholders.
func (pr *protector) takeBrace(i int, flush func()) (next int, ok bool) {
	rest := pr.src[i:]
	if strings.HasPrefix(rest, "{/*") && pr.dialect == MDX {
		end := strings.Index(rest, "*/}")
		if end < 0 {
			return 0, false
		}
		flush()
		pr.w.line = pr.in.sourceLine(i + end + 3)
		return i + end + 3, true
	}
	sc, n := shortcodeAt(rest)
	if n == 0 {
		return 0, false
	}
	flush()
	switch {
	case sc.form == literalTag:
		pr.w.write(pr.stash.put(placeholder{kind: phText, text: sc.text, src: rest[:n]}))
	case sc.form == liquidTag && sc.name == "raw" || sc.form == liquidTag && sc.name == "verbatim":
		if body, m := shortcodeBody(rest[n:], sc); m > 0 {
			body = strings.NewReplacer(
				"{{", pr.stash.literal("{{"),
				"{%", pr.stash.literal("{%")).Replace(body)
			sub := textFromLine(body, 0)
			for k, at := range sub.start {
				sub.lines[k] = pr.in.sourceLine(i+n) + int32(strings.Count(body[:at], "\n"))
			}
			if pr.protectDepth < 4 {
				pr.protectDepth++
				sub = pr.page.protect(sub)
				pr.protectDepth--
			}
			pr.w.line = pr.in.sourceLine(i + n)
			pr.w.copyRange(sub, 0, len(sub.text))
			n += m
		}
	case sc.enclosesCode():
		if body, m := shortcodeBody(rest[n:], sc); m > 0 {
			lang := sc.arg(0, "lang", "language")
			lang, _ = languageOfInfo(lang, pr.page)
			pr.ownLine()
			body = strings.Trim(body, "\n")
			if pr.dialect == Hugo && sc.form == hugoTag && strings.HasPrefix(body, "```") {
				break
			}
			pr.w.write(pr.stash.put(placeholder{kind: phFence, name: lang, text: strings.TrimRight(body, " \t\n") + "\n", n: int(pr.in.sourceLine(i)), src: rest[:n+m]}))
			pr.w.line = pr.in.sourceLine(i + n + m)
			return pr.endLine(i + n + m), true
		}
	default:
		if pr.dialect == Franklin && sc.form != liquidValue {
			pr.w.write("{")
			return i + 1, true
		}
		pr.w.copyRange(pr.in, i, i+n)
	}
	pr.w.line = pr.in.sourceLine(i + n)
	return i + n, true
}
