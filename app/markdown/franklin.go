package markdown

import (
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// macro is a \newcommand or \newenvironment: what it stands for, and how many arguments it takes.
type macro struct {
	args int
	body string
	end  string // environments: what follows the inside
	env  bool
}

const (
	deepestMacro  = 20        // expansions inside one another
	longestOutput = 512 << 10 // text all expansions of a page may make
)

// franklin is the pass over Franklin's own words: commands, {{functions}} and
// @@divs@@. It reads shielded text.
type franklin struct {
	*page
	w        *pen
	names    map[string]string // of \biblabel
	made     int               // bytes written by expansions
	branches []branch
	divs     int
}

// branch is an open {{if}}.
type branch struct {
	taken bool // one of its parts has been shown
	shown bool
	outer bool
}

func (p *page) franklinPass(in sheet) sheet {
	f := &franklin{page: p, w: newPen(in), names: map[string]string{}}
	if p.site != nil {
		for k, m := range p.site.macros {
			p.macros[k] = m
		}
	}
	for rest := in.s; ; {
		_, after, ok := strings.Cut(rest, `\biblabel{`)
		if !ok {
			break
		}
		key, n := braced("{" + after)
		if n == 0 {
			break
		}
		name, _ := braced(after[n-1:])
		f.names[strings.TrimSpace(key)] = p.marks.words(name)
		rest = after
	}
	f.text(in, 0)
	return f.w.sheet()
}

// mute reports whether text falls into a part of an {{if}} that is not shown.
func (f *franklin) mute() bool {
	return len(f.branches) > 0 && !f.branches[len(f.branches)-1].shown
}

func (f *franklin) str(s string) {
	if !f.mute() {
		f.w.str(s)
	}
}

// expand writes text that stands for something in line.
func (f *franklin) expand(s string, line int32, depth int) {
	if f.mute() {
		return
	}
	f.made += len(s)
	if depth > deepestMacro || f.made > longestOutput {
		f.problem(line, "a macro expands without end, or to too much")
		f.w.str(f.marks.put(mark{kind: markText, a: "…"}))
		return
	}
	sub := f.shield(plainSheet(dedent(s), line))
	f.text(sub, depth+1)
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

func (f *franklin) text(in sheet, depth int) {
	s := in.s
	from, i := 0, 0
	flush := func(next int) {
		if !f.mute() {
			f.w.copy(in, from, i)
		}
		f.w.line = in.line(min(next, len(s)))
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
			line := in.line(i)
			name := s[i+1 : k]
			start := i
			if n := f.command(s[k:], name, line, depth, func() { flush(start) }); n >= 0 {
				i, from = k+n, k+n
				f.w.line = in.line(min(i, len(s)))
			} else {
				i = k
			}
		case '{':
			sc, n := shortcodeAt(s[i:])
			if n == 0 || sc.form != liquidValue {
				i++
				continue
			}
			line := in.line(i)
			flush(i + n)
			f.function(sc.args, line, depth)
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
				f.divs++
				f.str(f.marks.put(mark{kind: markTag, a: "div", b: class}))
				continue
			}
			if f.divs == 0 && strings.TrimSpace(lineAround(s, i)) != "@@" {
				i = k
				continue
			}
			flush(k)
			if f.divs > 0 {
				f.divs--
				f.str(f.marks.put(mark{kind: markEndTag, a: "div"}))
			}
		default:
			i++
		}
	}
	flush(len(s))
}

func lineAround(s string, i int) string {
	return s[strings.LastIndexByte(s[:i], '\n')+1 : eol(s, i)]
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

// command writes what \name stands for; rest is what follows the name. It
// gives the length of the arguments, -1 if it is no command.
func (f *franklin) command(rest, name string, line int32, depth int, flush func()) int {
	switch name {
	case "newcommand", "newenvironment", "renewcommand":
		n := f.define(rest, name == "newenvironment")
		if n == 0 {
			return -1
		}
		flush()
		return n
	case "begin":
		env, n := braced(rest)
		m, known := f.macros["\\begin "+env]
		end := `\end{` + env + "}"
		k := strings.Index(rest[n:], end)
		if n == 0 || k < 0 {
			return -1
		}
		flush()
		inside := rest[n : n+k]
		if !known {
			f.expand(inside, line, depth)
			return n + k + len(end)
		}
		args, used := arguments(inside, m.args)
		f.expand(fill(m.body, args)+inside[used:]+fill(m.end, args), line, depth)
		return n + k + len(end)
	}
	if m, ok := f.macros[name]; ok {
		args, n := arguments(rest, m.args)
		if len(args) < m.args {
			return -1
		}
		flush()
		f.expand(fill(f.marks.restore(m.body), args), line, depth)
		return n
	}
	count, ok := builtins[name]
	if !ok {
		args, n := arguments(rest, 9)
		if n == 0 {
			return -1
		}
		flush()
		f.problemOnce(line, `\`+name+" is not defined")
		if callouts[name] != "" {
			f.str(f.marks.put(mark{kind: markTag, a: "callout", b: callouts[name]}))
			f.expand(strings.Join(args, "\n\n"), line, depth)
			f.str(f.marks.put(mark{kind: markEndTag, a: "callout"}))
			return n
		}
		args = slices.DeleteFunc(args, isStyle)
		f.expand(strings.Join(args, " "), line, depth)
		return n
	}
	args, n := arguments(rest, count)
	if len(args) < count {
		return -1
	}
	flush()
	if !f.mute() {
		f.builtin(name, args, line, depth)
	}
	return n
}

// isStyle reports whether an argument is CSS, which commands of sites often take first.
func isStyle(s string) bool {
	name, value, ok := strings.Cut(strings.TrimSpace(s), ":")
	return ok && value != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == "" && (strings.HasSuffix(value, ";") || !strings.Contains(value, " "))
}

// define reads \newcommand{\name}[n]{body} and \newenvironment{name}[n]{begin}{end}.
func (f *franklin) define(s string, env bool) int {
	name, n := braced(s)
	if n == 0 {
		return 0
	}
	m := macro{env: env}
	k := n + len(s[n:]) - len(strings.TrimLeft(s[n:], " \n"))
	if k < len(s) && s[k] == '[' {
		e := strings.IndexByte(s[k:], ']')
		if e < 0 {
			return 0
		}
		m.args, _ = strconv.Atoi(strings.TrimSpace(s[k+1 : k+e]))
		m.args = min(max(m.args, 0), 9)
		k += e + 1
	}
	k += len(s[k:]) - len(strings.TrimLeft(s[k:], " \n"))
	body, e := braced(s[k:])
	if e == 0 {
		return 0
	}
	m.body = dedent(f.marks.restore(body))
	k += e
	name = strings.TrimPrefix(strings.TrimSpace(name), `\`)
	if env {
		k += len(s[k:]) - len(strings.TrimLeft(s[k:], " \n"))
		end, e := braced(s[k:])
		if e == 0 {
			return 0
		}
		m.end = f.marks.restore(end)
		k += e
		name = "\\begin " + name
	}
	if len(f.macros) < 2000 {
		f.macros[name] = m
	}
	return k
}

// fill puts arguments in the place of #1 and !#1.
func fill(body string, args []string) string {
	if strings.IndexByte(body, '#') < 0 {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		at := i
		if c == '!' && i+1 < len(body) && body[i+1] == '#' {
			at++
		}
		if body[at] == '#' && at+1 < len(body) && body[at+1] >= '1' && body[at+1] <= '9' {
			if k := int(body[at+1] - '1'); k < len(args) {
				if b.Len() > 256<<10 {
					return b.String()
				}
				b.WriteString(strings.TrimSpace(args[k]))
				i = at + 1
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// builtins are Franklin's own commands and the number of their arguments.
var builtins = map[string]int{
	"toc": 0, "tableofcontents": 0, "label": 1, "eqref": 1, "cite": 1, "citet": 1, "citep": 1, "biblabel": 2,
	"fig": 1, "figalt": 2, "file": 2, "input": 2, "output": 1, "show": 1, "textoutput": 1, "textinput": 1,
	"tableinput": 2, "literate": 1, "reflink": 1, "html": 1, "nonumber": 1, "style": 2, "skipline": 0, "lineskip": 0,
	"LaTeX": 0, "TeX": 0, "par": 0, "newline": 0,
}

func (f *franklin) builtin(name string, args []string, line int32, depth int) {
	switch name {
	case "toc", "tableofcontents":
		f.w.str(f.marks.put(f.contents()))
	case "eqref":
		var list []string
		for _, k := range strings.Split(args[0], ",") {
			n, ok := f.labels[anchor(k)]
			if !ok {
				n = "?"
				f.problem(line, `\eqref: no \label{`+strings.TrimSpace(k)+"}")
			}
			list = append(list, n)
		}
		f.w.str("(" + strings.Join(list, ", ") + ")")
	case "cite", "citet", "citep":
		var list []string
		for _, k := range strings.Split(args[0], ",") {
			k = strings.TrimSpace(k)
			if n := f.names[k]; n != "" {
				k = n
			}
			list = append(list, k)
		}
		t := strings.Join(list, ", ")
		if name == "citep" {
			t = "(" + t + ")"
		}
		f.literal(t)
	case "fig", "figalt":
		p := strings.TrimSpace(args[len(args)-1])
		alt := ""
		if len(args) == 2 {
			alt = f.marks.words(args[0])
		}
		f.w.str(f.marks.put(mark{kind: markImage, a: p, b: alt}))
	case "file":
		f.w.str(f.marks.put(mark{kind: markLink, a: strings.TrimSpace(args[1]), b: f.marks.words(args[0])}))
	case "input":
		kind, p := strings.TrimSpace(args[0]), strings.TrimSpace(args[1])
		switch {
		case strings.HasPrefix(kind, "plot"):
			f.w.str(f.marks.put(mark{kind: markImage, a: p, b: ""}))
		case strings.HasPrefix(kind, "output"):
			f.output(p, line, depth, false)
		default:
			lang, _ := language(kind, f.page)
			f.code(p, lang, line)
		}
	case "output", "show":
		f.output(strings.TrimSpace(args[0]), line, depth, false)
	case "textoutput":
		f.output(strings.TrimSpace(args[0]), line, depth, true)
	case "textinput":
		p := strings.TrimSpace(args[0])
		if b, ok := f.file(p, path.Join("_assets", p)); ok && depth < 4 {
			f.expand(b, line, depth)
		} else {
			f.stand("[file " + p + "]")
		}
	case "tableinput":
		f.table(args, line)
	case "literate":
		f.code(strings.TrimSpace(args[0]), "julia", line)
	case "reflink":
		f.w.str("#" + anchorID(args[0]))
	case "html", "nonumber":
		f.expand(args[0], line, depth)
	case "style":
		f.expand(args[1], line, depth)
	case "LaTeX", "TeX":
		f.w.str(name)
	case "skipline", "lineskip", "par", "newline":
		f.w.str(f.marks.put(mark{kind: markTag, a: "p"}))
	}
}

// literal writes text that is not parsed.
func (f *franklin) literal(s string) {
	f.str(f.marks.put(mark{kind: markText, a: f.marks.words(s), src: s}))
}

// stand writes a note that stands for something that cannot be shown.
func (f *franklin) stand(s string) {
	f.str(f.marks.put(mark{kind: markOpen, a: "em"}) + f.marks.put(mark{kind: markText, a: f.marks.words(s)}) + f.marks.put(mark{kind: markClose, a: "em"}))
}

func (f *franklin) contents() mark {
	least, most := 1, 6
	if n, ok := f.vars["mintoclevel"].(int64); ok {
		least = int(min(max(n, 1), 6))
	}
	if n, ok := f.vars["maxtoclevel"].(int64); ok {
		most = int(min(max(n, 1), 6))
	}
	return mark{kind: markContents, n: least*10 + most}
}

// code shows a file of code.
func (f *franklin) code(p, lang string, line int32) {
	b, ok := f.file(p, path.Join("_assets", p), path.Join("_literate", p), path.Join("_assets/scripts", p))
	if !ok {
		f.stand("[file " + p + "]")
		return
	}
	f.w.str(f.marks.put(mark{kind: markTag, a: "p"}) + f.marks.put(mark{kind: markFence, a: lang, b: strings.TrimRight(b, "\n") + "\n", n: int(line)}) + f.marks.put(mark{kind: markTag, a: "p"}))
}

// output shows the stored result of evaluated code.
func (f *franklin) output(p string, line int32, depth int, markdown bool) {
	name := strings.TrimPrefix(strings.TrimSuffix(p, ".jl"), "./")
	page := strings.TrimSuffix(f.path, path.Ext(f.path))
	var tries []string
	for _, dir := range []string{path.Join("_assets", page, "code/output"), path.Join("__site/assets", page, "code/output"), path.Join("_assets", path.Dir(name), "output"), "_assets/scripts/output"} {
		tries = append(tries, path.Join(dir, path.Base(name)+".out"))
	}
	b, ok := f.file(tries...)
	switch {
	case !ok:
		f.stand("[output of " + p + "]")
	case strings.TrimSpace(b) == "":
	case markdown:
		f.expand(b, line, depth)
	default:
		f.w.str(f.marks.put(mark{kind: markTag, a: "p"}) + f.marks.put(mark{kind: markFence, b: strings.TrimRight(b, "\n") + "\n", n: int(line)}) + f.marks.put(mark{kind: markTag, a: "p"}))
	}
}

// table shows a file of comma-separated values.
func (f *franklin) table(args []string, line int32) {
	p := strings.TrimSpace(args[1])
	b, ok := f.file(p, path.Join("_assets", p))
	if !ok {
		f.stand("[file " + p + "]")
		return
	}
	r := csv.NewReader(strings.NewReader(b))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	var rows [][]string
	for len(rows) < 500 {
		rec, err := r.Read()
		if err != nil {
			break
		}
		rows = append(rows, rec)
	}
	if h := strings.TrimSpace(args[0]); h != "" {
		rows = slices.Insert(rows, 0, strings.Split(h, ","))
	}
	f.w.str(f.marks.put(mark{kind: markTag, a: "p"}))
	f.w.line = line
	f.w.str("\n\n" + pipeTable(rows, "") + "\n")
}

// pipeTable writes rows as a table of Markdown; the first is its head.
func pipeTable(rows [][]string, prefix string) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	if width == 0 || width > 200 {
		return ""
	}
	var b strings.Builder
	for k, r := range rows {
		b.WriteString(prefix)
		for c := range width {
			v := ""
			if c < len(r) {
				v = r[c]
			}
			v = strings.Join(strings.Fields(v), " ")
			b.WriteString("| " + barred(v) + " ")
		}
		b.WriteString("|\n")
		if k == 0 {
			b.WriteString(prefix + strings.Repeat("| --- ", width) + "|\n")
		}
	}
	return b.String()
}

// barred escapes the bars in the text of a cell.
func barred(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '|' && (i == 0 || s[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// function writes what {{words}} stands for.
func (f *franklin) function(call string, line int32, depth int) {
	words := strings.Fields(call)
	if len(words) == 0 {
		return
	}
	name, rest := words[0], words[1:]
	switch name {
	case "if", "isdef", "ifdef", "isnotdef", "ifndef", "ifnotdef", "isempty", "isnotempty", "ispage", "isnotpage", "ifempty", "ifnotempty":
		ok := f.holds(name, rest)
		f.branches = append(f.branches, branch{taken: ok, shown: ok && !f.mute(), outer: f.mute()})
		return
	case "for":
		f.branches = append(f.branches, branch{taken: true, shown: !f.mute(), outer: f.mute()})
		return
	case "elseif", "else":
		if len(f.branches) == 0 {
			return
		}
		b := &f.branches[len(f.branches)-1]
		ok := !b.taken && (name == "else" || f.holds("if", rest))
		b.shown = ok && !b.outer
		b.taken = b.taken || ok
		return
	case "end":
		if len(f.branches) > 0 {
			f.branches = f.branches[:len(f.branches)-1]
		}
		return
	}
	if f.mute() {
		return
	}
	switch name {
	case "fill":
		if len(rest) == 1 {
			f.value(rest[0])
		}
	case "toc":
		f.w.str(f.marks.put(f.contents()))
	case "insert", "redirect", "addcomments":
	case "insertmd":
		if len(rest) == 1 {
			if b, ok := f.file(rest[0], path.Join("_assets", rest[0])); ok && depth < 4 {
				f.expand(b, line, depth)
			}
		}
	default:
		if len(rest) == 0 {
			f.value(name)
		}
	}
}

func (f *franklin) value(name string) {
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

// holds evaluates the condition of an {{if}}.
func (f *franklin) holds(name string, words []string) bool {
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

// file reads the first of the paths that is a file below the content root.
func (p *page) file(tries ...string) (string, bool) {
	if p.site == nil || p.site.files == nil {
		return "", false
	}
	for _, t := range tries {
		t = strings.TrimPrefix(path.Clean("/"+t), "/")
		if t == "" || !fs.ValidPath(t) {
			continue
		}
		g, err := p.site.files.Open(t)
		if err != nil {
			continue
		}
		st, err := g.Stat()
		if err == nil && st.Mode().IsRegular() && st.Size() <= 256<<10 {
			b, err := io.ReadAll(io.LimitReader(g, 256<<10))
			g.Close()
			if err == nil {
				return Clean(unbroken(string(b))), true
			}
			continue
		}
		g.Close()
	}
	return "", false
}

// NewSite gathers what the folders around posts say. config is Franklin's
// config.md (nil for other dialects); files is the content root, from which
// pages may include files, and may be nil.
func NewSite(d Dialect, config []byte, files fs.FS) *Site {
	s := &Site{dialect: d, files: files, macros: map[string]macro{}, vars: map[string]any{}}
	if len(config) == 0 {
		return s
	}
	if len(config) > largest {
		config = config[:largest]
	}
	text := Clean(unbroken(string(config)))
	front, spans := julia(text)
	for _, d := range front.Defs {
		s.vars[d.Name] = d.Value
	}
	p := &page{dialect: Franklin, macros: map[string]macro{}, labels: map[string]string{}, vars: s.vars}
	sh := p.shield(without(text, spans, 1))
	f := &franklin{page: p, w: newPen(sh)}
	f.text(sh, 0)
	s.macros = p.macros
	return s
}

// without gives text with the definitions taken out, beginning in line.
func without(text string, spans []defSpan, line int32) sheet {
	if len(spans) == 0 {
		lines := make([]int32, strings.Count(text, "\n")+1)
		for i := range lines {
			lines[i] = line + int32(i)
		}
		return newSheet(text, lines)
	}
	var b strings.Builder
	lines := []int32{}
	at := 0
	for l := range strings.Lines(text) {
		end := at + len(l)
		for len(spans) > 0 && spans[0].to <= at {
			spans = spans[1:]
		}
		if len(spans) == 0 || at < spans[0].from {
			b.WriteString(l)
			lines = append(lines, line)
		}
		at = end
		line++
	}
	if s := b.String(); s == "" || strings.HasSuffix(s, "\n") {
		lines = append(lines, max(line-1, 1))
	}
	return newSheet(b.String(), lines)
}
