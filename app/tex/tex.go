// Package tex has [Unicode], which writes a short formula of TeX in plain
// characters, for readers that cannot set mathematics.
package tex

import "strings"

const (
	maxFormula = 400 // bytes of TeX; longer formulas are read as TeX
	maxDepth   = 8
)

// Unicode returns the Unicode form of a formula, when every part of it has one
// and none of its meaning is lost; else "".
func Unicode(tex string) string {
	if len(tex) > maxFormula || strings.ContainsAny(tex, "&%#\n") {
		return ""
	}
	r := reader{s: tex}
	if text, ok := r.group(0); ok {
		return strings.TrimSpace(text)
	}
	return ""
}

// A reader takes TeX apart and returns its Unicode form, part by part. None of
// its methods is ok for what has no such form.
type reader struct {
	s string
	i int
}

// group reads up to the } that closes a group of some depth, which it leaves,
// or at depth 0 up to the end.
func (r *reader) group(depth int) (text string, ok bool) {
	if depth > maxDepth {
		return "", false
	}
	var b strings.Builder
	for r.i < len(r.s) {
		c := r.s[r.i]
		if c == '}' {
			return b.String(), depth > 0
		}
		var part string
		ok := true
		switch c {
		case '{':
			part, ok = r.argument(depth)
		case '^', '_':
			r.i++
			part, ok = r.script(c, depth)
		case '\\':
			part, ok = r.command(depth)
		case '~':
			r.i++
			part = " "
		default:
			r.i++
			part = r.s[r.i-1 : r.i]
		}
		if !ok {
			return "", false
		}
		b.WriteString(part)
	}
	return b.String(), depth == 0
}

// argument reads a group in braces, a symbol, or one character.
func (r *reader) argument(depth int) (text string, ok bool) {
	for r.i < len(r.s) && r.s[r.i] == ' ' {
		r.i++
	}
	if r.i >= len(r.s) {
		return "", false
	}
	switch c := r.s[r.i]; {
	case c == '{':
		r.i++
		text, ok = r.group(depth + 1)
		r.i++
		return text, ok && r.i <= len(r.s)
	case c == '\\':
		text, ok = symbols[r.name()]
		return text, ok
	case c < 0x80 && (isAlphanumeric(c) || strings.IndexByte("*+-'", c) >= 0):
		r.i++
		return r.s[r.i-1 : r.i], true
	}
	return "", false
}

// script reads what stands behind ^ or _.
func (r *reader) script(c byte, depth int) (text string, ok bool) {
	arg, ok := r.argument(depth)
	if !ok {
		return "", false
	}
	table := loweredRunes
	if c == '^' {
		if arg == "∘" {
			return "°", true
		}
		table = raisedRunes
	}
	var b strings.Builder
	for _, c := range arg {
		x, ok := table[c]
		if !ok {
			return "", false
		}
		b.WriteRune(x)
	}
	return b.String(), true
}

// command reads a backslash and what belongs to it.
func (r *reader) command(depth int) (text string, ok bool) {
	switch name := r.name(); name {
	case "":
		return r.escape()
	case "frac":
		x, ok := r.argument(depth)
		if !ok {
			return "", false
		}
		y, ok := r.argument(depth)
		return bracketed(x) + "/" + bracketed(y), ok
	case "sqrt":
		x, ok := r.argument(depth)
		return "√" + bracketed(x), ok
	case "text", "mathrm", "operatorname", "textrm":
		return r.argument(depth)
	default:
		text, ok = symbols[name]
		return text, ok
	}
}

// name reads a backslash and the letters behind it.
func (r *reader) name() string {
	from := r.i + 1
	for r.i = from; r.i < len(r.s) && isLetter(r.s[r.i]); r.i++ {
	}
	return r.s[from:r.i]
}

// escape reads the sign behind a backslash: itself, or a space.
func (r *reader) escape() (text string, ok bool) {
	if r.i >= len(r.s) {
		return "", false
	}
	r.i++
	switch c := r.s[r.i-1]; {
	case strings.IndexByte("{}$%_&#", c) >= 0:
		return string(c), true
	case c == '!': // narrower than none
		return "", true
	case strings.IndexByte(",;: ", c) >= 0:
		return " ", true
	}
	return "", false
}

// bracketed puts brackets around what is more than one letter or number.
func bracketed(s string) string {
	for i, r := range s {
		if !(r >= '0' && r <= '9' || i == 0 && (r > 0x7f || isAlphanumeric(byte(r)))) || r > 0x7f && i > 0 {
			return "(" + s + ")"
		}
	}
	return s
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlphanumeric(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

func pairs(from, to string) map[rune]rune {
	m := make(map[rune]rune)
	t := []rune(to)
	for i, r := range []rune(from) {
		m[r] = t[i]
	}
	return m
}

// raisedRunes and loweredRunes are the characters Unicode has above and below
// the line.
var (
	raisedRunes = pairs(
		"0123456789+-=()nijkxyabcdeThmpqrstuvwfgloTN′'*",
		"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏˣʸᵃᵇᶜᵈᵉᵀʰᵐᵖᑫʳˢᵗᵘᵛʷᶠᵍˡᵒᵀᴺ′′*")
	loweredRunes = pairs(
		"0123456789+-=()aeijknmoprstuvxhl",
		"₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₙₘₒₚᵣₛₜᵤᵥₓₕₗ")
)

// symbols are the commands that stand for a symbol or a word.
var symbols = map[string]string{
	"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
	"eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
	"xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
	"chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
	"Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "times": "×", "cdot": "·", "div": "÷", "pm": "±",
	"mp": "∓", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "equiv": "≡",
	"sim": "∼", "propto": "∝", "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫",
	"in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪", "cap": "∩", "emptyset": "∅", "forall": "∀",
	"exists": "∃", "neg": "¬", "lnot": "¬", "land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "to": "→",
	"rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "iff": "⇔",
	"implies": "⇒", "mapsto": "↦", "ldots": "…", "cdots": "⋯", "dots": "…", "circ": "∘", "star": "⋆", "ast": "∗",
	"oplus": "⊕", "otimes": "⊗", "perp": "⊥", "parallel": "∥", "angle": "∠", "langle": "⟨", "rangle": "⟩",
	"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "ell": "ℓ", "hbar": "ℏ", "Re": "ℜ", "Im": "ℑ",
	"aleph": "ℵ", "prime": "′", "ll": "≪", "gg": "≫", "mid": "∣", "sin": "sin", "cos": "cos", "tan": "tan",
	"log": "log", "ln": "ln", "exp": "exp", "lim": "lim", "max": "max", "min": "min", "quad": "  ", "qquad": "    ",
	"left": "", "right": "", "displaystyle": "", "degree": "°", "lbrace": "{", "rbrace": "}",
}
