package markdown

import (
	"encoding/csv"
	"path"
	"slices"
	"strconv"
	"strings"

	"sheaf/app/julia"
)

// macro is a \newcommand or \newenvironment: what it stands for, and how many
// arguments it takes.
type macro struct {
	args int
	body string
	end  string // of an environment: what follows the inside
}

// environmentName is the name under which an environment is kept among the
// macros.
func environmentName(name string) string { return `\begin ` + name }

// command takes the \name at i with its arguments, and returns where to go on.
// What is no command, or lacks arguments, stays as it is.
func (t *franklinText) command(i int) int {
	s := t.in.Text
	k := i + 1
	for k < len(s) && isLetter(s[k]) {
		k++
	}
	if k == i+1 {
		return min(i+2, len(s))
	}
	name, rest := s[i+1:k], s[k:]
	n := -1
	switch m, isMacro := t.macros[name]; {
	case name == "newcommand" || name == "renewcommand" || name == "newenvironment":
		if n = t.define(rest, name == "newenvironment"); n > 0 {
			t.skip(i, i)
		}
	case name == "begin":
		n = t.environment(i, rest)
	case isMacro:
		if args, used := arguments(rest, m.args); len(args) == m.args {
			n = used
			t.skip(i, i)
			t.expand(fillArguments(m.body, args), t.in.Line(i), t.depth)
		}
	default:
		if count, ok := builtins[name]; !ok {
			n = t.unknownCommand(i, name, rest)
		} else if args, used := arguments(rest, count); len(args) == count {
			n = used
			t.skip(i, i)
			if !t.muted() {
				t.builtin(name, args, t.in.Line(i), t.depth)
			}
		}
	}
	if n < 0 {
		return k
	}
	t.from = k + n
	t.w.Line = t.in.Line(t.from)
	return t.from
}

// environment takes the {name}...\end{name} behind the \begin at i, and
// returns its length; -1: it has no end. The inside of one that is not defined
// stays.
func (t *franklinText) environment(i int, rest string) int {
	name, n := braced(rest)
	end := `\end{` + name + "}"
	k := strings.Index(rest[n:], end)
	if n == 0 || k < 0 {
		return -1
	}
	t.skip(i, i)
	inside := rest[n : n+k]
	if m, ok := t.macros[environmentName(name)]; ok {
		args, used := arguments(inside, m.args)
		inside = fillArguments(m.body, args) + inside[used:] + fillArguments(m.end, args)
	}
	t.expand(inside, t.in.Line(i), t.depth)
	return n + k + len(end)
}

// unknownCommand takes a command that is not defined and has arguments; it
// returns their length, -1 if it has none. It shows its arguments but those
// that are styles, as a call-out if its name is the one of a call-out.
func (t *franklinText) unknownCommand(i int, name, rest string) int {
	args, n := arguments(rest, 9)
	if n == 0 {
		return -1
	}
	line := t.in.Line(i)
	t.skip(i, i)
	t.problemOnce(line, `\`+name+" is not defined")
	kind := calloutNames[name]
	if kind == "" {
		t.expand(strings.Join(slices.DeleteFunc(args, isStyle), " "), line, t.depth)
		return n
	}
	t.write(t.stash.put(placeholder{kind: phBlockOpen, name: "callout", text: kind}))
	t.expand(strings.Join(args, "\n\n"), line, t.depth)
	t.write(t.stash.put(placeholder{kind: phBlockClose, name: "callout"}))
	return n
}

// isStyle reports whether an argument is CSS, which commands of sites often
// take first.
func isStyle(s string) bool {
	name, value, ok := strings.Cut(strings.TrimSpace(s), ":")
	return ok && value != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == "" &&
		(strings.HasSuffix(value, ";") || !strings.Contains(value, " "))
}

// define reads {\name}[n]{body} of a \newcommand, or {name}[n]{begin}{end} of
// a \newenvironment, and returns its length; -1 if it is neither.
func (f *franklin) define(s string, environment bool) int {
	skip := func(k int) int { return len(s) - len(strings.TrimLeft(s[k:], " \n")) }
	name, n := braced(s)
	if n == 0 {
		return -1
	}
	name = strings.TrimPrefix(strings.TrimSpace(name), `\`)
	var m macro
	k := skip(n)
	if k < len(s) && s[k] == '[' {
		e := strings.IndexByte(s[k:], ']')
		if e < 0 {
			return -1
		}
		m.args, _ = strconv.Atoi(strings.TrimSpace(s[k+1 : k+e]))
		m.args = min(max(m.args, 0), 9)
		k = skip(k + e + 1)
	}
	body, n := braced(s[k:])
	if n == 0 {
		return -1
	}
	m.body = julia.Dedent(f.stash.restore(body))
	k += n
	if environment {
		k = skip(k)
		end, n := braced(s[k:])
		if n == 0 {
			return -1
		}
		m.end = f.stash.restore(end)
		k += n
		name = environmentName(name)
	}
	if len(f.macros) < maxMacros {
		f.macros[name] = m
	}
	return k
}

const maxFilled = 256 << 10 // bytes from which on no more arguments are filled in

// fillArguments puts arguments in the place of #1 and !#1.
func fillArguments(body string, args []string) string {
	if strings.IndexByte(body, '#') < 0 {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		at := i
		if body[i] == '!' && i+1 < len(body) && body[i+1] == '#' {
			at++
		}
		if body[at] == '#' && at+1 < len(body) && body[at+1] >= '1' && body[at+1] <= '9' {
			if k := int(body[at+1] - '1'); k < len(args) {
				if b.Len() > maxFilled {
					return b.String()
				}
				b.WriteString(strings.TrimSpace(args[k]))
				i = at + 1
				continue
			}
		}
		b.WriteByte(body[i])
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

// builtin writes what a command of Franklin's own shows.
func (f *franklin) builtin(name string, args []string, line int32, depth int) {
	arg := func(i int) string { return strings.TrimSpace(args[i]) }
	switch name {
	case "toc", "tableofcontents":
		f.w.Write(f.stash.put(f.contentsPlaceholder()))
	case "eqref":
		f.equationReferences(args[0], line)
	case "cite", "citet", "citep":
		f.citation(name, args[0])
	case "fig":
		f.w.Write(f.stash.put(placeholder{kind: phImage, target: arg(0)}))
	case "figalt":
		f.w.Write(f.stash.put(placeholder{kind: phImage, target: arg(1), text: f.stash.text(args[0])}))
	case "file":
		f.w.Write(f.stash.put(placeholder{kind: phLink, target: arg(1), text: f.stash.text(args[0])}))
	case "input":
		f.input(arg(0), arg(1), line, depth)
	case "output", "show":
		f.includeOutput(arg(0), line, depth, false)
	case "textoutput":
		f.includeOutput(arg(0), line, depth, true)
	case "textinput":
		if s, ok := f.readFile(arg(0), path.Join("_assets", arg(0))); ok && depth < maxIncludeDepth {
			f.expand(s, line, depth)
		} else {
			f.missing("file " + arg(0))
		}
	case "tableinput":
		f.includeTable(arg(0), arg(1), line)
	case "literate":
		f.includeCode(arg(0), "julia", line)
	case "reflink":
		f.w.Write("#" + anchorID(args[0]))
	case "html", "nonumber":
		f.expand(args[0], line, depth)
	case "style":
		f.expand(args[1], line, depth)
	case "LaTeX", "TeX":
		f.w.Write(name)
	case "skipline", "lineskip", "par", "newline":
		f.w.Write(f.stash.paragraph())
	}
}

// equationReferences writes the numbers of equations, whose labels are parted
// by commas.
func (f *franklin) equationReferences(labels string, line int32) {
	var list []string
	for k := range strings.SplitSeq(labels, ",") {
		n, ok := f.labels[equationKey(k)]
		if !ok {
			n = "?"
			f.problem(line, `\eqref: no \label{`+strings.TrimSpace(k)+"}")
		}
		list = append(list, n)
	}
	f.w.Write("(" + strings.Join(list, ", ") + ")")
}

// citation writes the names of sources, whose keys are parted by commas.
func (f *franklin) citation(command, keys string) {
	var list []string
	for k := range strings.SplitSeq(keys, ",") {
		k = strings.TrimSpace(k)
		if n := f.names[k]; n != "" {
			k = n
		}
		list = append(list, k)
	}
	text := strings.Join(list, ", ")
	if command == "citep" {
		text = "(" + text + ")"
	}
	f.literal(text)
}

// input includes a file as \input{kind}{file} says: a plot, the output of
// code, or code in the language the kind names.
func (f *franklin) input(kind, file string, line int32, depth int) {
	switch {
	case strings.HasPrefix(kind, "plot"):
		f.w.Write(f.stash.put(placeholder{kind: phImage, target: file}))
	case strings.HasPrefix(kind, "output"):
		f.includeOutput(file, line, depth, false)
	default:
		lang, _ := f.languageOfInfo(kind)
		f.includeCode(file, lang, line)
	}
}

// literal writes text that is not parsed.
func (f *franklin) literal(s string) {
	f.write(f.stash.put(placeholder{kind: phText, text: f.stash.text(s), src: s}))
}

// missing writes a note that stands for something that cannot be shown.
func (f *franklin) missing(what string) {
	f.write(f.stash.wrap("em", f.stash.put(placeholder{kind: phText, text: f.stash.text("[" + what + "]")})))
}

// contentsPlaceholder returns a table of contents with the levels that the
// page asks for.
func (f *franklin) contentsPlaceholder() placeholder {
	lowest, highest := 1, 6
	if n, ok := f.vars["mintoclevel"].(int64); ok {
		lowest = int(min(max(n, 1), 6))
	}
	if n, ok := f.vars["maxtoclevel"].(int64); ok {
		highest = int(min(max(n, 1), 6))
	}
	return placeholder{kind: phContents, n: lowest*10 + highest}
}

// writeCode writes a block of code.
func (f *franklin) writeCode(lang, code string, line int32) {
	code = strings.TrimRight(code, "\n") + "\n"
	f.w.Write(f.stash.paragraph() +
		f.stash.put(placeholder{kind: phFence, name: lang, text: code, n: int(line)}) +
		f.stash.paragraph())
}

// includeCode shows a file of code.
func (f *franklin) includeCode(p, lang string, line int32) {
	s, ok := f.readFile(p, path.Join("_assets", p), path.Join("_literate", p), path.Join("_assets/scripts", p))
	if !ok {
		f.missing("file " + p)
		return
	}
	f.writeCode(lang, s, line)
}

// includeOutput shows the stored result of evaluated code, as code or as
// Markdown.
func (f *franklin) includeOutput(p string, line int32, depth int, asMarkdown bool) {
	name := strings.TrimPrefix(strings.TrimSuffix(p, ".jl"), "./")
	page := strings.TrimSuffix(f.path, path.Ext(f.path))
	file := path.Base(name) + ".out"
	s, ok := f.readFile(
		path.Join("_assets", page, "code/output", file),
		path.Join("__site/assets", page, "code/output", file),
		path.Join("_assets", path.Dir(name), "output", file),
		path.Join("_assets/scripts/output", file),
	)
	switch {
	case !ok:
		f.missing("output of " + p)
	case strings.TrimSpace(s) == "":
	case asMarkdown:
		f.expand(s, line, depth)
	default:
		f.writeCode("", s, line)
	}
}

const maxCSVRows = 500

// includeTable shows a file of comma-separated values, below a head if one is
// given.
func (f *franklin) includeTable(head, p string, line int32) {
	s, ok := f.readFile(p, path.Join("_assets", p))
	if !ok {
		f.missing("file " + p)
		return
	}
	r := csv.NewReader(strings.NewReader(s))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	var rows [][]string
	for len(rows) < maxCSVRows {
		record, err := r.Read()
		if err != nil {
			break // what could be read is shown
		}
		rows = append(rows, record)
	}
	if head != "" {
		rows = slices.Insert(rows, 0, strings.Split(head, ","))
	}
	f.w.Write(f.stash.paragraph())
	f.w.Line = line
	f.w.Write("\n\n" + pipeTable(rows, "") + "\n")
}
