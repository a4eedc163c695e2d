package markdown

import (
	"strconv"
	"strings"

	"sheaf/app/lazyregexp"
)

// maxMath bounds one formula, so that a stray dollar does not search a whole file again and again.
const maxMath = 16 << 10

// texLike tells a formula from text in brackets or between dollars.
var texLike = lazyregexp.New(`\\|[\^_]|[=<>+]|^\W*[A-Za-z]\W*$`)

// texSure tells a formula from text in brackets that an author escaped.
var texSure = lazyregexp.New(`\\[a-zA-Z]{2,}|[\^_]\{|[a-z]\s*[=<>+]\s*[\\a-z0-9]`)

// takeDollarMath takes a formula that begins with a dollar at i.
func (pr *protector) takeDollarMath(i int, flush func()) (next int, ok bool) {
	rest := pr.src[i:min(len(pr.src), i+maxMath)]
	if strings.HasPrefix(rest, "$$") {
		n := indexDelimiter(rest[2:], "$$")
		if n <= 0 || strings.TrimSpace(rest[2:2+n]) == "" {
			return 0, false
		}
		tex := rest[2 : 2+n]
		if pr.dialect != Franklin && hasBlankLine(tex) {
			return 0, false
		}
		next = i + n + 4
		flush()
		alone := pr.aloneOnLines(i, next)
		if alone || pr.dialect == Franklin && !pr.inRowOrHeading(i) || strings.Contains(tex, "\n") && !pr.inRowOrHeading(i) {
			return pr.displayMath(tex, i, next), true
		}
		pr.w.write(pr.stash.put(placeholder{kind: phMath, text: pr.withoutQuotes(tex), src: pr.src[i:next]}))
		pr.w.line = pr.in.sourceLine(next)
		return next, true
	}
	n := indexDelimiter(rest[1:], "$")
	if n <= 0 {
		return 0, false
	}
	tex := rest[1 : 1+n]
	if hasBlankLine(tex) {
		return 0, false
	}
	next = i + n + 2
	if pr.dialect != Franklin {
		first, last := tex[0], tex[len(tex)-1]
		if first == ' ' || first == '\n' || first == '\t' || last == ' ' || last == '\n' || last == '\t' || first == '{' && !strings.HasPrefix(tex, "{}") {
			return 0, false
		}
		if next < len(pr.src) && pr.src[next] >= '0' && pr.src[next] <= '9' {
			return 0, false
		}
		plain := !texLike().MatchString(tex)
		if plain && (len(tex) > 24 || strings.Count(tex, " ") > 2) || strings.Contains(tex, "\n") && !strings.ContainsAny(tex, `\^_=`) || strings.Contains(tex, "](") || strings.Contains(tex, "```") {
			return 0, false
		}
	}
	flush()
	pr.w.write(pr.stash.put(placeholder{kind: phMath, text: pr.withoutQuotes(tex), src: pr.src[i:next]}))
	pr.w.line = pr.in.sourceLine(next)
	return next, true
}

// indexDelimiter finds the unescaped delimiter in s; -1: there is none.
func indexDelimiter(s, delim string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '$' && strings.HasPrefix(s[i:], delim):
			return i
		case s[i] == '`' && strings.HasPrefix(s[i:], "\n```"):
			return -1
		}
	}
	return -1
}

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

// aloneOnLines reports whether s.s[from:to] is all there is on its lines.
func (pr *protector) aloneOnLines(from, to int) bool {
	return from == pr.textStart && strings.TrimSpace(pr.src[to:eol(pr.src, to)]) == ""
}

// inRowOrHeading reports whether the line at i is a row of a table or a heading, which cannot be broken.
func (pr *protector) inRowOrHeading(i int) bool {
	if pr.textStart >= len(pr.src) || i < pr.textStart {
		return false
	}
	return pr.src[pr.textStart] == '|' || pr.src[pr.textStart] == '#' || strings.HasPrefix(pr.src[pr.textStart:], "[^")
}

// withoutQuotes takes the containers' prefix from the lines of a formula.
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

// displayMath writes a formula as a block of its own.
func (pr *protector) displayMath(tex string, from, to int) int {
	src := pr.src[from:to]
	pr.ownLine()
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
			tex = strings.TrimRight(before, " \t") + after // the number stands for it
		}
	}
	pr.w.write(pr.stash.put(placeholder{kind: phFormula, text: strings.TrimSpace(dedent(pr.withoutQuotes(tex))), name: number, n: int(pr.in.sourceLine(from)), src: src}))
	pr.w.line = pr.in.sourceLine(to)
	return pr.endLine(to)
}

// environments are those of TeX that display mathematics by themselves.
var environments = map[string]bool{"align": true, "aligned": true, "alignat": true, "equation": true, "eqnarray": true,
	"gather": true, "gathered": true, "multline": true, "split": true, "cases": true, "matrix": true, "pmatrix": true,
	"bmatrix": true, "vmatrix": true, "array": true, "flalign": true, "displaymath": true, "math": true, "dcases": true}

// takeBracketMath takes \( \), \[ \], and \begin{align} and its like at i.
func (pr *protector) takeBracketMath(i int, flush func()) (next int, ok bool) {
	rest := pr.src[i:min(len(pr.src), i+maxMath)]
	open := 2
	if strings.HasPrefix(rest, `\\(`) || strings.HasPrefix(rest, `\\[`) {
		open = 3 // one backslash for Markdown, one for the reader of TeX
	}
	if len(rest) < open+1 {
		return 0, false
	}
	switch rest[open-1] {
	case '(':
		n := strings.Index(rest[open:], rest[:open-1]+")")
		if n <= 0 || hasBlankLine(rest[open:open+n]) || !texLike().MatchString(rest[open:open+n]) && (open == 2 && pr.dialect != Franklin) {
			return 0, false
		}
		next = i + n + 2*open
		flush()
		pr.w.write(pr.stash.put(placeholder{kind: phMath, text: pr.withoutQuotes(strings.TrimSpace(rest[open : open+n])), src: pr.src[i:next]}))
		pr.w.line = pr.in.sourceLine(next)
		return next, true
	case '[':
		n := strings.Index(rest[open:], rest[:open-1]+"]")
		if n <= 0 || pr.dialect != Franklin && hasBlankLine(rest[open:open+n]) {
			return 0, false
		}
		inside := rest[open : open+n]
		if pr.dialect != Franklin && (!texSure().MatchString(inside) || strings.ContainsAny(inside, "`[]") && !strings.Contains(inside, `\`) || strings.Contains(inside, "](")) {
			return 0, false
		}
		next = i + n + 2*open
		flush()
		if pr.inRowOrHeading(i) || !pr.aloneOnLines(i, next) && pr.dialect != Franklin && !strings.Contains(inside, "\n") {
			pr.w.write(pr.stash.put(placeholder{kind: phMath, text: pr.withoutQuotes(pr.src[i:next]), src: pr.src[i:next]}))
			pr.w.line = pr.in.sourceLine(next)
			return next, true
		}
		return pr.displayMath(pr.src[i:next], i, next), true
	case 'b':
		name, _, found := strings.Cut(strings.TrimPrefix(rest, `\begin{`), "}")
		if !found || !strings.HasPrefix(rest, `\begin{`) || !environments[strings.TrimSuffix(name, "*")] {
			return 0, false
		}
		end := `\end{` + name + "}"
		n := strings.Index(rest, end)
		if n < 0 {
			return 0, false
		}
		next = i + n + len(end)
		flush()
		return pr.displayMath(pr.src[i:next], i, next), true
	}
	return 0, false
}

// formulaText gives the Unicode form of a formula, when every part of it has
// one and none of its meaning is lost; else "".
func formulaText(tex string) string {
	if len(tex) > 400 || strings.ContainsAny(tex, "&%#\n") {
		return ""
	}
	var b strings.Builder
	if n, ok := texGroup(&b, tex, 0, 0); !ok || n != len(tex) {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// texGroup writes the Unicode form of s[i:] up to the } that closes the group.
func texGroup(b *strings.Builder, s string, i, depth int) (int, bool) {
	if depth > 8 {
		return i, false
	}
	for i < len(s) {
		switch c := s[i]; c {
		case '}':
			return i, depth > 0
		case '{':
			n, ok := texGroup(b, s, i+1, depth+1)
			if !ok || n >= len(s) {
				return i, false
			}
			i = n + 1
		case '^', '_':
			arg, n, ok := texArg(s, i+1, depth)
			if !ok {
				return i, false
			}
			table := raisedRunes
			if c == '_' {
				table = loweredRunes
			}
			if arg == "∘" && c == '^' {
				arg = ""
				b.WriteString("°")
			}
			for _, r := range arg {
				x, ok := table[r]
				if !ok {
					return i, false
				}
				b.WriteRune(x)
			}
			i = n
		case '\\':
			k := i + 1
			for k < len(s) && (s[k]|0x20 >= 'a' && s[k]|0x20 <= 'z') {
				k++
			}
			name := s[i+1 : k]
			switch {
			case name == "" && k < len(s) && strings.IndexByte("{}$%_&#", s[k]) >= 0:
				b.WriteByte(s[k])
				i = k + 1
			case name == "" && k < len(s) && strings.IndexByte(",;: !", s[k]) >= 0:
				if s[k] != '!' {
					b.WriteByte(' ')
				}
				i = k + 1
			case name == "frac":
				x, n, ok := texArg(s, k, depth)
				y, m, ok2 := texArg(s, n, depth)
				if !ok || !ok2 {
					return i, false
				}
				b.WriteString(bracketed(x) + "/" + bracketed(y))
				i = m
			case name == "sqrt":
				x, n, ok := texArg(s, k, depth)
				if !ok || k < len(s) && s[k] == '[' {
					return i, false
				}
				b.WriteString("√" + bracketed(x))
				i = n
			case name == "text" || name == "mathrm" || name == "operatorname" || name == "textrm":
				x, n, ok := texArg(s, k, depth)
				if !ok {
					return i, false
				}
				b.WriteString(x)
				i = n
			default:
				r, ok := texSymbols[name]
				if !ok {
					return i, false
				}
				b.WriteString(r)
				i = k
			}
		case '~':
			b.WriteByte(' ')
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return i, depth == 0
}

func texArg(s string, i, depth int) (arg string, next int, ok bool) {
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i >= len(s) {
		return "", i, false
	}
	var b strings.Builder
	switch {
	case s[i] == '{':
		n, ok := texGroup(&b, s, i+1, depth+1)
		return b.String(), n + 1, ok && n < len(s)
	case s[i] == '\\':
		k := i + 1
		for k < len(s) && (s[k]|0x20 >= 'a' && s[k]|0x20 <= 'z') {
			k++
		}
		r, ok := texSymbols[s[i+1:k]]
		return r, k, ok
	case s[i] < 0x80 && (isWord(s[i]) || s[i] == '*' || s[i] == '+' || s[i] == '-' || s[i] == '\''):
		return s[i : i+1], i + 1, true
	}
	return "", i, false
}

// bracketed puts brackets around what is more than one letter or number.
func bracketed(s string) string {
	for i, r := range s {
		if !(r >= '0' && r <= '9' || i == 0 && (r > 0x7f || isWord(byte(r)))) || r > 0x7f && i > 0 {
			return "(" + s + ")"
		}
	}
	return s
}

func pairs(from, to string) map[rune]rune {
	m := make(map[rune]rune)
	t := []rune(to)
	for i, r := range []rune(from) {
		m[r] = t[i]
	}
	return m
}

var (
	raisedRunes  = pairs("0123456789+-=()nijkxyabcdeThmpqrstuvwfgloTN′'*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏˣʸᵃᵇᶜᵈᵉᵀʰᵐᵖᑫʳˢᵗᵘᵛʷᶠᵍˡᵒᵀᴺ′′*")
	loweredRunes = pairs("0123456789+-=()aeijknmoprstuvxhl", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₙₘₒₚᵣₛₜᵤᵥₓₕₗ")
)

var texSymbols = map[string]string{
	"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
	"theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
	"rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
	"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
	"times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠",
	"approx": "≈", "equiv": "≡", "sim": "∼", "propto": "∝", "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏",
	"int": "∫", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪", "cap": "∩", "emptyset": "∅", "forall": "∀",
	"exists": "∃", "neg": "¬", "lnot": "¬", "land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "to": "→", "rightarrow": "→",
	"leftarrow": "←", "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "iff": "⇔", "implies": "⇒", "mapsto": "↦",
	"ldots": "…", "cdots": "⋯", "dots": "…", "circ": "∘", "star": "⋆", "ast": "∗", "oplus": "⊕", "otimes": "⊗", "perp": "⊥",
	"parallel": "∥", "angle": "∠", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
	"ell": "ℓ", "hbar": "ℏ", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ", "prime": "′", "ll": "≪", "gg": "≫", "mid": "∣",
	"sin": "sin", "cos": "cos", "tan": "tan", "log": "log", "ln": "ln", "exp": "exp", "lim": "lim", "max": "max", "min": "min",
	"quad": "  ", "qquad": "    ", "left": "", "right": "", "displaystyle": "", "degree": "°", "lbrace": "{", "rbrace": "}",
}
