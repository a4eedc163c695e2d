package markdown

import (
	"slices"
	"strconv"
	"strings"

	"sheaf/app/julia"
	"sheaf/app/lazyregexp"
)

// maxMath bounds one formula, so that a stray dollar does not search a whole
// file again and again.
const maxMath = 16 << 10

// texLike tells a formula from text in brackets or between dollars.
var texLike = lazyregexp.New(`\\|[\^_]|[=<>+]|^\W*[A-Za-z]\W*$`)

// texSure tells a formula from text in brackets that an author escaped.
var texSure = lazyregexp.New(`\\[a-zA-Z]{2,}|[\^_]\{|[a-z]\s*[=<>+]\s*[\\a-z0-9]`)

// takeDollarMath takes a formula that begins with a dollar at i, and returns
// where to go on; 0: there is none. What stands between two dollars is one
// displayed formula if it is alone on its lines or goes over several; Franklin
// displays every one that may break its line.
func (pr *protector) takeDollarMath(i int) int {
	rest := pr.src[i:min(len(pr.src), i+maxMath)]
	if !strings.HasPrefix(rest, "$$") {
		return pr.takeInlineMath(i, rest)
	}
	n := indexDelimiter(rest[2:], "$$")
	if n <= 0 {
		return 0
	}
	tex := rest[2 : 2+n]
	if strings.TrimSpace(tex) == "" || pr.dialect != Franklin && hasBlankLine(tex) {
		return 0
	}
	next := i + n + 4
	mayBreak := pr.dialect == Franklin || strings.Contains(tex, "\n")
	if pr.aloneOnLines(i, next) || mayBreak && !pr.inRowOrHeading(i) {
		return pr.displayMath(tex, i, next)
	}
	return pr.replaceMath(i, next, tex)
}

// takeInlineMath takes a formula between single dollars, with which rest
// begins. Dollars are money too: outside Franklin they must touch the formula,
// no digit may follow, and what has nothing of TeX in it must be short.
func (pr *protector) takeInlineMath(i int, rest string) int {
	n := indexDelimiter(rest[1:], "$")
	if n <= 0 {
		return 0
	}
	tex := rest[1 : 1+n]
	next := i + n + 2
	if hasBlankLine(tex) {
		return 0
	}
	if pr.dialect != Franklin {
		if strings.IndexByte(" \n\t", tex[0]) >= 0 || strings.IndexByte(" \n\t", tex[n-1]) >= 0 ||
			tex[0] == '{' && !strings.HasPrefix(tex, "{}") ||
			next < len(pr.src) && pr.src[next] >= '0' && pr.src[next] <= '9' {
			return 0
		}
		if strings.Contains(tex, "](") || strings.Contains(tex, "```") ||
			strings.Contains(tex, "\n") && !strings.ContainsAny(tex, `\^_=`) ||
			(n > 24 || strings.Count(tex, " ") > 2) && !texLike().MatchString(tex) {
			return 0
		}
	}
	return pr.replaceMath(i, next, tex)
}

// replaceMath writes a formula within text for what stands from i up to next.
func (pr *protector) replaceMath(i, next int, tex string) int {
	tex = pr.withoutQuotes(tex)
	return pr.Replace(i, next, pr.stash.put(placeholder{kind: phMath, text: tex, src: pr.src[i:next]}))
}

// indexDelimiter finds the unescaped delimiter in s; -1: there is none.
func indexDelimiter(s, delim string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '$' && strings.HasPrefix(s[i:], delim):
			return i
		}
	}
	return -1
}

// hasBlankLine reports whether there is a blank line within s.
func hasBlankLine(s string) bool {
	for {
		nl := strings.IndexByte(s, '\n')
		if nl < 0 {
			return false
		}
		s = s[nl+1:]
		if t := strings.TrimLeft(s, " \t"); t != "" && t[0] == '\n' {
			return true
		}
	}
}

// aloneOnLines reports whether pr.src[from:to] is all there is on its lines.
func (pr *protector) aloneOnLines(from, to int) bool {
	return from == pr.textStart && strings.TrimSpace(lineAt(pr.src, to)) == ""
}

// inRowOrHeading reports whether i stands in a line that cannot be broken: the
// row of a table, a heading, a footnote.
func (pr *protector) inRowOrHeading(i int) bool {
	if pr.textStart >= len(pr.src) || i < pr.textStart {
		return false
	}
	text := pr.src[pr.textStart:]
	return text[0] == '|' || text[0] == '#' || strings.HasPrefix(text, "[^")
}

// withoutQuotes takes the quote markers from the second and later lines of a
// formula.
func (pr *protector) withoutQuotes(tex string) string {
	if !strings.Contains(tex, "\n") || pr.quotes == 0 {
		return tex
	}
	lines := strings.Split(tex, "\n")
	for k, l := range lines[1:] {
		for range pr.quotes {
			if t := strings.TrimLeft(l, " "); strings.HasPrefix(t, ">") {
				l = t[1:]
			}
		}
		lines[k+1] = l
	}
	return strings.Join(lines, "\n")
}

// displayMath writes a formula as a block of its own, and returns where to go
// on. Franklin numbers them; the number takes the place of a \label.
func (pr *protector) displayMath(tex string, from, to int) int {
	number := ""
	if pr.dialect == Franklin {
		if !strings.HasSuffix(pr.src[:from], `\nonumber{`) {
			pr.equation++
		}
		for {
			before, rest, _ := strings.Cut(tex, `\label{`)
			label, after, ok := strings.Cut(rest, "}")
			if !ok {
				break
			}
			number = strconv.Itoa(pr.equation)
			pr.addLabel(label, number)
			tex = strings.TrimRight(before, " \t") + after
		}
	}
	return pr.replaceBlock(from, to, pr.stash.put(placeholder{
		kind: phFormula, text: strings.TrimSpace(julia.Dedent(pr.withoutQuotes(tex))), name: number,
		n: int(pr.In.Line(from)), src: pr.src[from:to],
	}))
}

// environments are those of TeX that display mathematics by themselves.
var environments = []string{
	"align", "aligned", "alignat", "equation", "eqnarray", "gather", "gathered", "multline", "split", "cases", "matrix",
	"pmatrix", "bmatrix", "vmatrix", "array", "flalign", "displaymath", "math", "dcases",
}

// takeBracketMath takes \( \), \[ \], and \begin{align} and its like at i, and
// returns where to go on; 0: there is none. Brackets may have two backslashes,
// one for Markdown and one for the reader of TeX.
func (pr *protector) takeBracketMath(i int) int {
	rest := pr.src[i:min(len(pr.src), i+maxMath)]
	open := 2
	if strings.HasPrefix(rest, `\\(`) || strings.HasPrefix(rest, `\\[`) {
		open = 3
	}
	if len(rest) < open+1 {
		return 0
	}
	switch rest[open-1] {
	case '(':
		n := strings.Index(rest[open:], rest[:open-1]+")")
		if n <= 0 {
			return 0
		}
		tex := rest[open : open+n]
		if hasBlankLine(tex) || open == 2 && pr.dialect != Franklin && !texLike().MatchString(tex) {
			return 0
		}
		return pr.replaceMath(i, i+n+2*open, strings.TrimSpace(tex))
	case '[':
		n := strings.Index(rest[open:], rest[:open-1]+"]")
		if n <= 0 {
			return 0
		}
		tex := rest[open : open+n]
		if pr.dialect != Franklin && !isBracketMath(tex) {
			return 0
		}
		next := i + n + 2*open
		mayBreak := pr.aloneOnLines(i, next) || pr.dialect == Franklin || strings.Contains(tex, "\n")
		if pr.inRowOrHeading(i) || !mayBreak {
			return pr.replaceMath(i, next, pr.src[i:next])
		}
		return pr.displayMath(pr.src[i:next], i, next)
	case 'b':
		name, _, found := strings.Cut(strings.TrimPrefix(rest, `\begin{`), "}")
		known := slices.Contains(environments, strings.TrimSuffix(name, "*"))
		if !found || !known || !strings.HasPrefix(rest, `\begin{`) {
			return 0
		}
		end := `\end{` + name + "}"
		if n := strings.Index(rest, end); n >= 0 {
			next := i + n + len(end)
			return pr.displayMath(pr.src[i:next], i, next)
		}
	}
	return 0
}

// isBracketMath reports whether what stands in \[ \] is a formula, and not
// text in brackets that Markdown must not take for a link.
func isBracketMath(tex string) bool {
	return texSure().MatchString(tex) && !hasBlankLine(tex) && !strings.Contains(tex, "](") &&
		(strings.Contains(tex, `\`) || !strings.ContainsAny(tex, "`[]"))
}
