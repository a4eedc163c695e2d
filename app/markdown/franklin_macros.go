package markdown

import (
	"encoding/csv"
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
		f.expand(fillArguments(m.body, args)+inside[used:]+fillArguments(m.end, args), line, depth)
		return n + k + len(end)
	}
	if m, ok := f.macros[name]; ok {
		args, n := arguments(rest, m.args)
		if len(args) < m.args {
			return -1
		}
		flush()
		f.expand(fillArguments(f.stash.restore(m.body), args), line, depth)
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
		if calloutNames[name] != "" {
			f.write(f.stash.put(placeholder{kind: phBlockOpen, name: "callout", text: calloutNames[name]}))
			f.expand(strings.Join(args, "\n\n"), line, depth)
			f.write(f.stash.put(placeholder{kind: phBlockClose, name: "callout"}))
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
	if !f.muted() {
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
	m.body = dedent(f.stash.restore(body))
	k += e
	name = strings.TrimPrefix(strings.TrimSpace(name), `\`)
	if env {
		k += len(s[k:]) - len(strings.TrimLeft(s[k:], " \n"))
		end, e := braced(s[k:])
		if e == 0 {
			return 0
		}
		m.end = f.stash.restore(end)
		k += e
		name = "\\begin " + name
	}
	if len(f.macros) < 2000 {
		f.macros[name] = m
	}
	return k
}

// fillArguments puts arguments in the place of #1 and !#1.
func fillArguments(body string, args []string) string {
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
		f.w.write(f.stash.put(f.contentsPlaceholder()))
	case "eqref":
		var list []string
		for _, k := range strings.Split(args[0], ",") {
			n, ok := f.labels[equationKey(k)]
			if !ok {
				n = "?"
				f.problem(line, `\eqref: no \label{`+strings.TrimSpace(k)+"}")
			}
			list = append(list, n)
		}
		f.w.write("(" + strings.Join(list, ", ") + ")")
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
			alt = f.stash.text(args[0])
		}
		f.w.write(f.stash.put(placeholder{kind: phImage, target: p, text: alt}))
	case "file":
		f.w.write(f.stash.put(placeholder{kind: phLink, target: strings.TrimSpace(args[1]), text: f.stash.text(args[0])}))
	case "input":
		kind, p := strings.TrimSpace(args[0]), strings.TrimSpace(args[1])
		switch {
		case strings.HasPrefix(kind, "plot"):
			f.w.write(f.stash.put(placeholder{kind: phImage, target: p, text: ""}))
		case strings.HasPrefix(kind, "output"):
			f.includeOutput(p, line, depth, false)
		default:
			lang, _ := f.languageOfInfo(kind)
			f.includeCode(p, lang, line)
		}
	case "output", "show":
		f.includeOutput(strings.TrimSpace(args[0]), line, depth, false)
	case "textoutput":
		f.includeOutput(strings.TrimSpace(args[0]), line, depth, true)
	case "textinput":
		p := strings.TrimSpace(args[0])
		if b, ok := f.readFile(p, path.Join("_assets", p)); ok && depth < 4 {
			f.expand(b, line, depth)
		} else {
			f.missing("[file " + p + "]")
		}
	case "tableinput":
		f.includeTable(args, line)
	case "literate":
		f.includeCode(strings.TrimSpace(args[0]), "julia", line)
	case "reflink":
		f.w.write("#" + anchorID(args[0]))
	case "html", "nonumber":
		f.expand(args[0], line, depth)
	case "style":
		f.expand(args[1], line, depth)
	case "LaTeX", "TeX":
		f.w.write(name)
	case "skipline", "lineskip", "par", "newline":
		f.w.write(f.stash.paragraph())
	}
}

// literal writes text that is not parsed.
func (f *franklin) literal(s string) {
	f.write(f.stash.put(placeholder{kind: phText, text: f.stash.text(s), src: s}))
}

// missing writes a note that stands for something that cannot be shown.
func (f *franklin) missing(s string) {
	f.write(f.stash.put(placeholder{kind: phInlineOpen, name: "em"}) + f.stash.put(placeholder{kind: phText, text: f.stash.text(s)}) + f.stash.put(placeholder{kind: phInlineClose, name: "em"}))
}

func (f *franklin) contentsPlaceholder() placeholder {
	least, most := 1, 6
	if n, ok := f.vars["mintoclevel"].(int64); ok {
		least = int(min(max(n, 1), 6))
	}
	if n, ok := f.vars["maxtoclevel"].(int64); ok {
		most = int(min(max(n, 1), 6))
	}
	return placeholder{kind: phContents, n: least*10 + most}
}

// includeCode shows a file of code.
func (f *franklin) includeCode(p, lang string, line int32) {
	b, ok := f.readFile(p, path.Join("_assets", p), path.Join("_literate", p), path.Join("_assets/scripts", p))
	if !ok {
		f.missing("[file " + p + "]")
		return
	}
	f.w.write(f.stash.paragraph() + f.stash.put(placeholder{kind: phFence, name: lang, text: strings.TrimRight(b, "\n") + "\n", n: int(line)}) + f.stash.paragraph())
}

// includeOutput shows the stored result of evaluated code.
func (f *franklin) includeOutput(p string, line int32, depth int, markdown bool) {
	name := strings.TrimPrefix(strings.TrimSuffix(p, ".jl"), "./")
	page := strings.TrimSuffix(f.path, path.Ext(f.path))
	var tries []string
	for _, dir := range []string{path.Join("_assets", page, "code/output"), path.Join("__site/assets", page, "code/output"), path.Join("_assets", path.Dir(name), "output"), "_assets/scripts/output"} {
		tries = append(tries, path.Join(dir, path.Base(name)+".out"))
	}
	b, ok := f.readFile(tries...)
	switch {
	case !ok:
		f.missing("[output of " + p + "]")
	case strings.TrimSpace(b) == "":
	case markdown:
		f.expand(b, line, depth)
	default:
		f.w.write(f.stash.paragraph() + f.stash.put(placeholder{kind: phFence, text: strings.TrimRight(b, "\n") + "\n", n: int(line)}) + f.stash.paragraph())
	}
}

// includeTable shows a file of comma-separated values.
func (f *franklin) includeTable(args []string, line int32) {
	p := strings.TrimSpace(args[1])
	b, ok := f.readFile(p, path.Join("_assets", p))
	if !ok {
		f.missing("[file " + p + "]")
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
	f.w.write(f.stash.paragraph())
	f.w.line = line
	f.w.write("\n\n" + pipeTable(rows, "") + "\n")
}
