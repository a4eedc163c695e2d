package markdown

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	maxMacroDepth = 20        // expansions inside one another
	maxExpansion  = 512 << 10 // text all expansions of a page may make
)

// franklin is the pass over Franklin's own words: commands, {{functions}} and
// @@divs@@. It reads protected text.
type franklin struct {
	*page
	w        *mappedWriter
	names    map[string]string // of \biblabel
	expanded int               // bytes written by expansions
	branches []branch
	openDivs int
}

// branch is an open {{if}}.
type branch struct {
	taken bool // one of its parts has been shown
	shown bool
	outer bool
}

func (p *page) franklinPass(in mappedText) mappedText {
	f := &franklin{page: p, w: newMappedWriter(in), names: map[string]string{}}
	if p.site != nil {
		for k, m := range p.site.macros {
			p.macros[k] = m
		}
	}
	for rest := in.text; ; {
		_, after, ok := strings.Cut(rest, `\biblabel{`)
		if !ok {
			break
		}
		key, n := braced("{" + after)
		if n == 0 {
			break
		}
		name, _ := braced(after[n-1:])
		f.names[strings.TrimSpace(key)] = p.stash.text(name)
		rest = after
	}
	f.convert(in, 0)
	return f.w.text()
}

// muted reports whether text falls into a part of an {{if}} that is not shown.
func (f *franklin) muted() bool {
	return len(f.branches) > 0 && !f.branches[len(f.branches)-1].shown
}

func (f *franklin) write(s string) {
	if !f.muted() {
		f.w.write(s)
	}
}

// expand writes text that stands for something in line.
func (f *franklin) expand(s string, line int32, depth int) {
	if f.muted() {
		return
	}
	f.expanded += len(s)
	if depth > maxMacroDepth || f.expanded > maxExpansion {
		f.problem(line, "a macro expands without end, or to too much")
		f.w.write(f.stash.put(placeholder{kind: phText, text: "…"}))
		return
	}
	sub := f.protect(textFromLine(dedent(s), line))
	f.convert(sub, depth+1)
}

// braced reads the {...} s begins with, and its length; 0: there is none.
func braced(s string) (inside string, n int) {
	if s == "" || s[0] != '{' {
		return "", 0
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[1:i], i + 1
			}
		}
		if i > 64<<10 {
			break
		}
	}
	return "", 0
}

func (f *franklin) convert(in mappedText, depth int) {
	s := in.text
	from, i := 0, 0
	flush := func(next int) {
		if !f.muted() {
			f.w.copyRange(in, from, i)
		}
		f.w.line = in.sourceLine(next)
		from, i = next, next
	}
	for i < len(s) {
		switch c := s[i]; c {
		case '\\':
			k := i + 1
			for k < len(s) && (s[k]|0x20 >= 'a' && s[k]|0x20 <= 'z') {
				k++
			}
			if k == i+1 {
				i = min(i+2, len(s))
				continue
			}
			line := in.sourceLine(i)
			name := s[i+1 : k]
			start := i
			if n := f.command(s[k:], name, line, depth, func() { flush(start) }); n >= 0 {
				i, from = k+n, k+n
				f.w.line = in.sourceLine(i)
			} else {
				i = k
			}
		case '{':
			sc, n := shortcodeAt(s[i:])
			if n == 0 || sc.form != liquidValue {
				i++
				continue
			}
			line := in.sourceLine(i)
			flush(i + n)
			f.templateFunction(sc.args, line, depth)
		case '@':
			if !strings.HasPrefix(s[i:], "@@") {
				i++
				continue
			}
			k := i + 2
			if k < len(s) && (s[k]|0x20 >= 'a' && s[k]|0x20 <= 'z') {
				for k < len(s) && (isWord(s[k]) && s[k] < 0x80 || strings.IndexByte("_,:-", s[k]) >= 0) {
					k++
				}
				class := strings.ReplaceAll(strings.Trim(s[i+2:k], ","), ",", " ")
				flush(k)
				f.openDivs++
				f.write(f.stash.put(placeholder{kind: phBlockOpen, name: "div", text: class}))
				continue
			}
			if f.openDivs == 0 && strings.TrimSpace(lineAround(s, i)) != "@@" {
				i = k
				continue
			}
			flush(k)
			if f.openDivs > 0 {
				f.openDivs--
				f.write(f.stash.put(placeholder{kind: phBlockClose, name: "div"}))
			}
		default:
			i++
		}
	}
	flush(len(s))
}

// arguments reads up to n {...}, blanks between them allowed; it gives how
// many bytes they take.
func arguments(s string, n int) (args []string, length int) {
	for len(args) < n {
		k := length
		for k < len(s) && (s[k] == ' ' || s[k] == '\n' || s[k] == '\t') && len(args) > 0 {
			k++
		}
		a, m := braced(s[k:])
		if m == 0 {
			break
		}
		args = append(args, a)
		length = k + m
	}
	return args, length
}

// templateFunction writes what {{words}} stands for.
func (f *franklin) templateFunction(call string, line int32, depth int) {
	words := strings.Fields(call)
	if len(words) == 0 {
		return
	}
	name, rest := words[0], words[1:]
	switch name {
	case "if", "isdef", "ifdef", "isnotdef", "ifndef", "ifnotdef", "isempty", "isnotempty", "ispage", "isnotpage", "ifempty", "ifnotempty":
		ok := f.conditionHolds(name, rest)
		f.branches = append(f.branches, branch{taken: ok, shown: ok && !f.muted(), outer: f.muted()})
		return
	case "for":
		f.branches = append(f.branches, branch{taken: true, shown: !f.muted(), outer: f.muted()})
		return
	case "elseif", "else":
		if len(f.branches) == 0 {
			return
		}
		b := &f.branches[len(f.branches)-1]
		ok := !b.taken && (name == "else" || f.conditionHolds("if", rest))
		b.shown = ok && !b.outer
		b.taken = b.taken || ok
		return
	case "end":
		if len(f.branches) > 0 {
			f.branches = f.branches[:len(f.branches)-1]
		}
		return
	}
	if f.muted() {
		return
	}
	switch name {
	case "fill":
		if len(rest) == 1 {
			f.writeVariable(rest[0])
		}
	case "toc":
		f.w.write(f.stash.put(f.contentsPlaceholder()))
	case "insert", "redirect", "addcomments":
	case "insertmd":
		if len(rest) == 1 {
			if b, ok := f.readFile(rest[0], path.Join("_assets", rest[0])); ok && depth < 4 {
				f.expand(b, line, depth)
			}
		}
	default:
		if len(rest) == 0 {
			f.writeVariable(name)
		}
	}
}

func (f *franklin) writeVariable(name string) {
	switch v := f.vars[name].(type) {
	case string:
		f.literal(v)
	case int64, float64, bool:
		f.literal(fmt.Sprint(v))
	case []any:
		var list []string
		for _, x := range v {
			list = append(list, fmt.Sprint(x))
		}
		f.literal(strings.Join(list, ", "))
	case interface{ Format(string) string }:
		f.literal(v.Format("2 January 2006"))
	}
}

// conditionHolds evaluates the condition of an {{if}}.
func (f *franklin) conditionHolds(name string, words []string) bool {
	if len(words) == 0 {
		return false
	}
	all := func(ok func(string) bool) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !ok(w) })
	}
	defined := func(w string) bool { _, ok := f.vars[w]; return ok }
	empty := func(w string) bool {
		switch v := f.vars[w].(type) {
		case nil:
			return true
		case string:
			return v == ""
		case []any:
			return len(v) == 0
		}
		return false
	}
	here := func(w string) bool {
		p := strings.TrimSuffix(f.path, path.Ext(f.path))
		w = strings.Trim(strings.TrimSuffix(w, path.Ext(w)), "/")
		if prefix, ok := strings.CutSuffix(w, "*"); ok {
			return strings.HasPrefix(p, prefix)
		}
		return p == w || p == path.Join(w, "index")
	}
	switch name {
	case "isdef", "ifdef":
		return all(defined)
	case "isnotdef", "ifndef", "ifnotdef":
		return !all(defined)
	case "isempty", "ifempty":
		return all(empty)
	case "isnotempty", "ifnotempty":
		return !all(empty)
	case "ispage":
		return slices.ContainsFunc(words, here)
	case "isnotpage":
		return !slices.ContainsFunc(words, here)
	}
	w := words[0]
	not := strings.HasPrefix(w, "!")
	v, known := f.vars[strings.TrimPrefix(w, "!")]
	b, isBool := v.(bool)
	ok := known && v != nil && (!isBool || b) // what cannot be evaluated does not hold
	return ok != not
}
