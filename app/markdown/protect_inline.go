package markdown

import (
	"html"
	"strings"

	"sheaf/app/markup"
	"sheaf/app/srcmap"
)

// takeInline takes text from i to the end of the line (or of what a construct
// on it encloses), and the line end. It returns where to go on.
func (pr *protector) takeInline(i int) int {
	pr.From = i
	for i < len(pr.src) {
		c := pr.src[i]
		switch {
		case !specialByte[c]:
			i++
		case c == '\n':
			pr.Flush(i)
			pr.newline(i)
			return i + 1
		case pr.rawHTML:
			i = pr.takeRaw(i)
		default:
			i = pr.takeSpecial(i)
		}
	}
	pr.Flush(i)
	return i
}

// specialByte are the bytes that may begin something to protect.
var specialByte = [256]bool{
	'\n': true, '\\': true, '`': true, '$': true, '<': true, '{': true, ']': true, ':': true, '~': true,
	'*': true, '_': true, '[': true, '#': true, // between ~~~
}

// takeSpecial takes what the special byte at i begins, and returns where to go
// on. What it does not replace is copied later.
func (pr *protector) takeSpecial(i int) int {
	switch pr.src[i] {
	case '\\':
		return pr.takeBackslash(i)
	case '`':
		n := runOf(pr.src[i:], '`')
		if text, next, ok := pr.readCodeSpan(i, n); ok {
			return pr.Replace(i, next, pr.stash.put(placeholder{kind: phCode, text: text, src: pr.src[i:next]}))
		}
		return i + n
	case '$':
		if next := pr.takeDollarMath(i); next > i {
			return next
		}
		return i + runOf(pr.src[i:], '$')
	case '<':
		return pr.takeAngle(i)
	case '{':
		return pr.takeBrace(i)
	case ']':
		return pr.passLink(i)
	case ':':
		if strings.HasPrefix(pr.src[i:], "://") {
			return pr.passAddress(i)
		}
	case '~':
		if pr.dialect == Franklin && strings.HasPrefix(pr.src[i:], "~~~") {
			pr.rawHTML = strings.Contains(pr.src[i+3:], "~~~")
			return pr.Replace(i, i+3, "")
		}
	}
	return i + 1
}

// takeBackslash takes Franklin's line break, a formula, or an escaped
// character.
func (pr *protector) takeBackslash(i int) int {
	if i+1 >= len(pr.src) {
		return i + 1
	}
	if pr.dialect == Franklin && pr.src[i+1] == '\\' {
		return pr.Replace(i, i+2, pr.stash.put(placeholder{kind: phBreak, src: `\\`}))
	}
	if next := pr.takeBracketMath(i); next > i {
		return next
	}
	if isPunct(pr.src[i+1]) {
		return i + 2
	}
	return i + 1
}

// passLink passes over what may stand behind a ]: the target of a link, or the
// rest of the definition of one.
func (pr *protector) passLink(i int) int {
	line := eol(pr.src, i)
	if i+1 >= line {
		return i + 1
	}
	switch pr.src[i+1] {
	case '(':
		if n := destinationLen(pr.src[i+1 : line]); n > 0 {
			return i + 1 + n
		}
	case ':':
		text := pr.src[pr.textStart:]
		if text[0] == '[' && text[1] != '^' && strings.IndexByte(pr.src[pr.textStart:i], ']') < 0 {
			return line
		}
	}
	return i + 1
}

// passAddress passes over the rest of a bare address.
func (pr *protector) passAddress(i int) int {
	for i < len(pr.src) && pr.src[i] > ' ' && strings.IndexByte("<>\"`)}]|\\", pr.src[i]) < 0 {
		i++
	}
	return i
}

// takeRaw takes what means something to Markdown but not between ~~~, or to
// templates and formulas there too.
func (pr *protector) takeRaw(i int) int {
	switch pr.src[i] {
	case '~':
		if strings.HasPrefix(pr.src[i:], "~~~") {
			pr.rawHTML = false
			return pr.Replace(i, i+3, "")
		}
	case '#':
		if i == 0 || pr.src[i-1] != '&' {
			return pr.Replace(i, i+1, pr.stash.literal("#"))
		}
	case '*', '_', '`', '[', ']', '\\', '$':
		return pr.Replace(i, i+1, pr.stash.literal(pr.src[i:i+1]))
	}
	return pr.takeSpecial(i)
}

// destinationLen returns the length of the (...) s begins with; 0: it is not
// closed, or there are more parentheses in one another than cmark takes.
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

const (
	maxParagraphLines = 200 // that a code span is looked for in
	maxCodeSpan       = 64 << 10
)

// paragraphEnd returns where the paragraph that holds i ends: at a blank line,
// or a line that begins another block.
func (pr *protector) paragraphEnd(i int) int {
	for range maxParagraphLines {
		end := eol(pr.src, i)
		if end == len(pr.src) {
			return end
		}
		t := strings.TrimLeft(lineAt(pr.src, end+1), " \t>")
		if t == "" || strings.HasPrefix(t, "```") || t[0] == '#' || listMarker(t) > 0 || isRule(t) || t[0] == '|' {
			return end
		}
		i = end + 1
	}
	return i
}

// readCodeSpan reads the code span opened by n backticks at i. It remembers
// where it has looked for its end in vain, so that many backticks cost no more
// than one search.
func (pr *protector) readCodeSpan(i, n int) (text string, next int, ok bool) {
	if end, failed := pr.noSpanBefore[n]; failed && i < end {
		return "", 0, false
	}
	stop := -1 // known when the search leaves the line
	line := eol(pr.src, i)
	for k := i + n; ; {
		q := strings.IndexByte(pr.src[k:], '`')
		if q < 0 {
			stop = len(pr.src)
			break
		}
		k += q
		if k > line && stop < 0 {
			stop = min(pr.paragraphEnd(i), i+maxCodeSpan)
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

// spanText returns the text between the backticks of a code span: one line,
// without the quote markers of the lines it stood on.
func (pr *protector) spanText(s string) string {
	if strings.Contains(s, "\n") {
		lines := strings.Split(s, "\n")
		for k, l := range lines[1:] {
			l = strings.TrimLeft(l, " \t")
			for q := 0; q < pr.quotes && strings.HasPrefix(l, ">"); q++ {
				l = strings.TrimLeft(l[1:], " \t")
			}
			lines[k+1] = l
		}
		s = strings.Join(lines, " ")
	}
	s = pr.stash.restore(s)
	if len(s) > 2 && s[0] == ' ' && s[len(s)-1] == ' ' && strings.TrimSpace(s) != "" {
		s = s[1 : len(s)-1]
	}
	return s
}

// takeAngle takes what the < at i begins: a comment, an element whose inside
// is no Markdown, or a tag or an address, which is copied whole.
func (pr *protector) takeAngle(i int) int {
	rest := pr.src[i:]
	if strings.HasPrefix(rest, "<!--") {
		return pr.takeComment(i)
	}
	t, n := markup.TagAt(rest)
	if n == 0 {
		end := strings.IndexByte(rest, '>')
		if end > 0 && end < maxTarget &&
			!strings.ContainsAny(rest[1:end], " \n<") && strings.ContainsAny(rest[:end], ":@") {
			return i + end + 1
		}
		return i + 1
	}
	if t.Closing {
		if markup.IsBlock(t.Name) && pr.openBlocks > 0 {
			pr.openBlocks--
		}
		return i + n
	}
	switch t.Name {
	case "script", "style", "svg":
		if end := markup.FindEndTag(rest[n:], t.Name); end > 0 && !t.Empty {
			n += end
		}
		return pr.Replace(i, i+n, "")
	case "pre":
		if next := pr.takePre(t, i, n); next > i {
			return next
		}
	case "code", "tt", "samp":
		if next := pr.takeCodeElement(t, i, n); next > i {
			return next
		}
	}
	if markup.IsBlock(t.Name) && !t.Empty && t.Name != "p" && t.Name != "hr" {
		pr.openBlocks++
	}
	return i + n
}

const (
	maxTarget      = 2000 // bytes of an <address>
	maxCodeElement = 4000 // bytes of a code element that is one span
)

// takeComment takes the comment at i. It shows nothing; <!--more--> ends the
// summary.
func (pr *protector) takeComment(i int) int {
	n := strings.Index(pr.src[i:], "-->")
	if n < 0 {
		pr.problem(pr.In.Line(i), "the comment that begins here has no end")
		return pr.Replace(i, i+4, pr.stash.literal("<!--"))
	}
	next := i + n + 3
	switch strings.ToLower(strings.Trim(pr.src[i+4:i+n], " \t\n-")) {
	case "more", "excerpt", "end_excerpt":
		return pr.Replace(i, next, pr.stash.put(placeholder{kind: phMore, src: pr.src[i:next]}))
	}
	return pr.Replace(i, next, "")
}

// takePre takes a pre element, whose start tag of length n is at i; it returns
// 0 if that has no end.
func (pr *protector) takePre(t markup.Tag, i, n int) int {
	rest := pr.src[i:]
	end := markup.FindEndTag(rest[n:], t.Name)
	if end < 0 {
		return 0
	}
	inside := rest[n : n+end]
	lang, code := preText(t, inside[:strings.LastIndexByte(inside, '<')])
	line := int(pr.In.Line(i))
	return pr.replaceBlock(i, i+n+end,
		pr.stash.put(placeholder{kind: phFence, name: lang, text: code, n: line, src: rest[:n+end]}))
}

// takeCodeElement takes a code element, whose start tag of length n is at i,
// as a code span; it returns 0 if it is more than that.
func (pr *protector) takeCodeElement(t markup.Tag, i, n int) int {
	rest := pr.src[i:]
	end := markup.FindEndTag(rest[n:], t.Name)
	if end < 0 || end > maxCodeElement {
		return 0
	}
	inside := rest[n : n+end]
	inside = inside[:strings.LastIndexByte(inside, '<')]
	if strings.Contains(inside, "<a ") || strings.Contains(inside, "\n\n") || strings.Contains(inside, "<br") {
		return 0
	}
	text := strings.Join(strings.Fields(html.UnescapeString(markup.StripTags(inside))), " ")
	return pr.Replace(i, i+n+end, pr.stash.put(placeholder{kind: phCode, text: Clean(text), src: rest[:n+end]}))
}

// preText returns the language and the text of the inside of a pre element.
func preText(t markup.Tag, inside string) (lang, code string) {
	lang = languageOfTag(t)
	inside = strings.TrimPrefix(inside, "\n")
	if c, n := markup.TagAt(strings.TrimLeft(inside, " \t\n")); n > 0 && c.Name == "code" && lang == "" {
		lang = languageOfTag(c)
	}
	code = Clean(html.UnescapeString(markup.StripTags(inside)))
	return lang, strings.TrimRight(code, " \t\n") + "\n"
}

// languageOfTag returns the language the attributes of a pre or code element
// name.
func languageOfTag(t markup.Tag) string {
	if v := t.FirstAttr("data-lang", "data-language", "lang"); v != "" {
		return languageName(v)
	}
	for _, c := range strings.Fields(t.Attr("class")) {
		for _, p := range []string{"language-", "lang-", "brush:"} {
			if l, ok := strings.CutPrefix(c, p); ok {
				return languageName(l)
			}
		}
	}
	return ""
}

const maxProtectDepth = 4 // raw blocks in one another

// takeBrace takes what the { at i begins: comments of MDX go, template tags
// around code or raw text are taken with it, other tags are copied whole.
func (pr *protector) takeBrace(i int) int {
	rest := pr.src[i:]
	if strings.HasPrefix(rest, "{/*") && pr.dialect == MDX {
		if end := strings.Index(rest, "*/}"); end >= 0 {
			return pr.Replace(i, i+end+3, "")
		}
		return i + 1
	}
	c, n := markup.ShortcodeAt(rest)
	switch {
	case n == 0:
		return i + 1
	case c.Form == markup.LiteralTag:
		return pr.Replace(i, i+n, pr.stash.put(placeholder{kind: phText, text: c.Text, src: rest[:n]}))
	case c.Form == markup.LiquidTag && (c.Name == "raw" || c.Name == "verbatim"):
		return pr.takeRawTag(c, i, n)
	case c.EnclosesCode():
		return pr.takeCodeTag(c, i, n)
	case pr.dialect == Franklin && c.Form != markup.LiquidValue:
		return i + 1
	}
	return i + n
}

// takeRawTag takes {% raw %}, of length n at i, with what it encloses: template
// tags in that are text, all else is read as ever.
func (pr *protector) takeRawTag(c markup.Shortcode, i, n int) int {
	body, m := markup.ShortcodeBody(pr.src[i+n:], c)
	if m == 0 {
		return pr.Replace(i, i+n, "")
	}
	body = strings.NewReplacer("{{", pr.stash.literal("{{"), "{%", pr.stash.literal("{%")).Replace(body)
	line := pr.In.Line(i + n)
	sub := srcmap.New(body, line)
	if pr.protectDepth < maxProtectDepth {
		pr.protectDepth++
		sub = pr.page.protect(sub)
		pr.protectDepth--
	}
	pr.Flush(i)
	pr.Line = line
	pr.CopyRange(sub, 0, len(sub.Text))
	return pr.Replace(i, i+n+m, "")
}

// takeCodeTag takes a template tag, of length n at i, with the code it
// encloses. Hugo's may enclose fenced code.
func (pr *protector) takeCodeTag(c markup.Shortcode, i, n int) int {
	rest := pr.src[i:]
	body, m := markup.ShortcodeBody(rest[n:], c)
	if m == 0 {
		return pr.Replace(i, i+n, "")
	}
	lang, _ := pr.languageOfInfo(c.Arg(0, "lang", "language"))
	body = strings.Trim(body, "\n")
	if pr.dialect == Hugo && c.Form == markup.HugoTag && strings.HasPrefix(body, "```") {
		pr.Flush(i)
		pr.ensureLine()
		return pr.Replace(i, i+n, "")
	}
	return pr.replaceBlock(i, i+n+m, pr.stash.put(placeholder{
		kind: phFence, name: lang, text: strings.TrimRight(body, " \t\n") + "\n",
		n: int(pr.In.Line(i)), src: rest[:n+m],
	}))
}
