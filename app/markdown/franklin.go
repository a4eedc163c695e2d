package markdown

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sheaf/app/julia"
	"sheaf/app/markup"
	"sheaf/app/srcmap"
)

const (
	maxMacroDepth   = 20        // expansions inside one another
	maxIncludeDepth = 4         // included files inside one another
	maxExpansion    = 512 << 10 // bytes that all expansions of a page may make
	maxBraced       = 64 << 10  // bytes between two braces
	maxMacros       = 2000
)

// franklin is the pass over Franklin's own words: commands, {{functions}} and
// @@divs@@.
type franklin struct {
	*page
	w        *srcmap.Writer
	names    map[string]string // of \biblabel, by key
	expanded int               // bytes that expansions have made
	branches []branch
	openDivs int
}

// branch is an open {{if}}.
type branch struct {
	taken bool // one of its parts has been shown
	shown bool // the part at hand is
	muted bool // it stands in a part that is not
}

func (p *page) franklinPass(in srcmap.Text) srcmap.Text {
	f := &franklin{page: p, w: srcmap.NewWriter(in), names: p.bibliography(in.Text)}
	if p.site != nil {
		for k, m := range p.site.macros {
			p.macros[k] = m
		}
	}
	f.convert(in, 0)
	return f.w.Text()
}

// bibliography returns the names that \biblabel{key}{name} gives to keys.
func (p *page) bibliography(s string) map[string]string {
	names := make(map[string]string)
	for {
		_, after, ok := strings.Cut(s, `\biblabel{`)
		if !ok {
			return names
		}
		key, n := braced("{" + after)
		if n == 0 {
			return names
		}
		name, _ := braced(after[n-1:])
		names[strings.TrimSpace(key)] = p.stash.text(name)
		s = after
	}
}

// muted reports whether text falls into a part of an {{if}} that is not shown.
func (f *franklin) muted() bool {
	return len(f.branches) > 0 && !f.branches[len(f.branches)-1].shown
}

func (f *franklin) write(s string) {
	if !f.muted() {
		f.w.Write(s)
	}
}

// expand converts text that stands for something in a line of the source.
func (f *franklin) expand(s string, line int32, depth int) {
	if f.muted() {
		return
	}
	f.expanded += len(s)
	if depth > maxMacroDepth || f.expanded > maxExpansion {
		f.problem(line, "a macro expands without end, or to too much")
		f.w.Write(f.stash.put(placeholder{kind: phText, text: "…"}))
		return
	}
	f.convert(f.protect(srcmap.FromLine(julia.Dedent(s), line)), depth+1)
}

// franklinText is one text in the pass: that of the page, or what something on
// it stands for.
type franklinText struct {
	*franklin
	in    srcmap.Text
	from  int // what stands before it has been written
	depth int // of expansions
}

func (f *franklin) convert(in srcmap.Text, depth int) {
	t := &franklinText{franklin: f, in: in, depth: depth}
	s := in.Text
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			i = t.command(i)
		case '{':
			i = t.function(i)
		case '@':
			i = t.div(i)
		default:
			i++
		}
	}
	t.skip(len(s), len(s))
}

// skip writes what has not been written of the text before i, and goes on at
// next.
func (t *franklinText) skip(i, next int) int {
	if !t.muted() {
		t.w.CopyRange(t.in, t.from, i)
	}
	t.w.Line = t.in.Line(next)
	t.from = next
	return next
}

// function takes the {{function}} at i, and returns where to go on.
func (t *franklinText) function(i int) int {
	c, n := markup.ShortcodeAt(t.in.Text[i:])
	if n == 0 || c.Form != markup.LiquidValue {
		return i + 1
	}
	next := t.skip(i, i+n)
	if words := strings.Fields(c.Args); len(words) > 0 && !t.branch(words[0], words[1:]) && !t.muted() {
		t.show(words[0], words[1:], t.in.Line(i), t.depth)
	}
	return next
}

// div takes the @@ at i, which begins or ends a div, and returns where to go
// on.
func (t *franklinText) div(i int) int {
	s := t.in.Text
	if !strings.HasPrefix(s[i:], "@@") {
		return i + 1
	}
	k := i + 2
	if k < len(s) && isLetter(s[k]) {
		for k < len(s) && (isWord(s[k]) && s[k] < 0x80 || strings.IndexByte("_,:-", s[k]) >= 0) {
			k++
		}
		class := strings.ReplaceAll(strings.Trim(s[i+2:k], ","), ",", " ")
		t.skip(i, k)
		t.openDivs++
		t.write(t.stash.put(placeholder{kind: phBlockOpen, name: "div", text: class}))
		return k
	}
	if t.openDivs == 0 {
		if strings.TrimSpace(lineAround(s, i)) != "@@" {
			return k
		}
		return t.skip(i, k)
	}
	t.skip(i, k)
	t.openDivs--
	t.write(t.stash.put(placeholder{kind: phBlockClose, name: "div"}))
	return k
}

// braced reads the {...} s begins with, and its length; 0: there is none.
func braced(s string) (inside string, n int) {
	if s == "" || s[0] != '{' {
		return "", 0
	}
	depth := 0
	for i := 0; i < len(s) && i <= maxBraced; i++ {
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
	}
	return "", 0
}

// arguments reads up to n {...}, between which there may be blanks, and
// returns how many bytes they take.
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

// branch follows {{if}}, {{else}}, {{end}} and their like; it returns false
// for other functions. The inside of a {{for}} is shown once.
func (f *franklin) branch(name string, words []string) bool {
	switch name {
	case "if", "isdef", "ifdef", "isnotdef", "ifndef", "ifnotdef",
		"isempty", "isnotempty", "ifempty", "ifnotempty", "ispage", "isnotpage":
		holds := f.holds(name, words)
		f.branches = append(f.branches, branch{taken: holds, shown: holds && !f.muted(), muted: f.muted()})
	case "for":
		f.branches = append(f.branches, branch{taken: true, shown: !f.muted(), muted: f.muted()})
	case "elseif", "else":
		if len(f.branches) > 0 {
			b := &f.branches[len(f.branches)-1]
			holds := !b.taken && (name == "else" || f.holds("if", words))
			b.shown = holds && !b.muted
			b.taken = b.taken || holds
		}
	case "end":
		if len(f.branches) > 0 {
			f.branches = f.branches[:len(f.branches)-1]
		}
	default:
		return false
	}
	return true
}

// holds evaluates the condition of an {{if}}. What cannot be evaluated does
// not hold.
func (f *franklin) holds(name string, words []string) bool {
	if len(words) == 0 {
		return false
	}
	all := func(ok func(string) bool) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !ok(w) })
	}
	defined := func(w string) bool { _, ok := f.vars[w]; return ok }
	switch name {
	case "isdef", "ifdef":
		return all(defined)
	case "isnotdef", "ifndef", "ifnotdef":
		return !all(defined)
	case "isempty", "ifempty":
		return all(f.isEmpty)
	case "isnotempty", "ifnotempty":
		return !all(f.isEmpty)
	case "ispage":
		return slices.ContainsFunc(words, f.isPage)
	case "isnotpage":
		return !slices.ContainsFunc(words, f.isPage)
	}
	name, not := strings.CutPrefix(words[0], "!")
	v, known := f.vars[name]
	b, isBool := v.(bool)
	holds := known && v != nil && (!isBool || b)
	return holds != not
}

// isEmpty reports whether a definition is missing or has nothing in it.
func (f *franklin) isEmpty(name string) bool {
	switch v := f.vars[name].(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// isPage reports whether an address or a prefix/* of addresses is that of the
// page.
func (f *franklin) isPage(address string) bool {
	p := strings.TrimSuffix(f.path, path.Ext(f.path))
	address = strings.Trim(strings.TrimSuffix(address, path.Ext(address)), "/")
	if prefix, ok := strings.CutSuffix(address, "*"); ok {
		return strings.HasPrefix(p, prefix)
	}
	return p == address || p == path.Join(address, "index")
}

// show writes what a {{function}} shows. A name alone is that of a definition.
func (f *franklin) show(name string, words []string, line int32, depth int) {
	switch name {
	case "fill":
		if len(words) == 1 {
			f.writeVariable(words[0])
		}
	case "toc":
		f.w.Write(f.stash.put(f.contentsPlaceholder()))
	case "insert", "redirect", "addcomments":
	case "insertmd":
		if len(words) == 1 {
			if s, ok := f.readFile(words[0], path.Join("_assets", words[0])); ok && depth < maxIncludeDepth {
				f.expand(s, line, depth)
			}
		}
	default:
		if len(words) == 0 {
			f.writeVariable(name)
		}
	}
}

// writeVariable writes the value of a definition.
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
