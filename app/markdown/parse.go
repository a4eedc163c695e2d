package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
)

const (
	largest = 256 << 10 // of a source that is parsed; more follows as plain text
	longest = 4 << 20   // of a source that is shown at all
)

// page is one source on its way through the passes.
type page struct {
	dialect  Dialect
	site     *Site
	path     string
	title    string
	marks    marks
	macros   map[string]macro  // of Franklin, by name
	vars     map[string]any    // definitions of the page and its site
	labels   map[string]string // of equations, with their numbers
	equation int
	lang     string // of fences without a language
	indented bool   // Franklin: indented code is code
	lastLine int32
	deep     int // shields inside one another
	problems []Problem
	told     map[string]bool
}

func (p *page) problem(line int32, text string) {
	if len(p.problems) < 100 {
		p.problems = append(p.problems, Problem{Line: int(line), Text: text, Warning: true})
	}
}

// problemOnce tells the same thing once.
func (p *page) problemOnce(line int32, text string) {
	if p.told == nil {
		p.told = make(map[string]bool)
	}
	if !p.told[text] {
		p.told[text] = true
		p.problem(line, Clean(text))
	}
}

func (p *page) label(name, number string) {
	if len(p.labels) < 10000 {
		p.labels[anchor(name)] = number
	}
}

// Parse makes the document of a source. It never fails: what is not
// understood is shown as typed.
func Parse(src []byte, o Options) (d *Document) {
	text := unbroken(string(src))
	long := len(text) > longest
	if long {
		text = text[:longest]
	}
	text = Clean(text)
	defer func() {
		if r := recover(); r != nil {
			d = verbatim(text, o.Dialect)
		}
	}()
	d = parse(text, o)
	if long {
		d.Problems = append(d.Problems, Problem{Text: "the file is too long: its end is left out", Warning: true})
	}
	return d
}

func parse(text string, o Options) *Document {
	p := &page{dialect: settle(text, o), site: o.Site, path: o.Path, title: o.Title, labels: map[string]string{}}
	d := &Document{Dialect: p.dialect}
	p.lastLine = int32(strings.Count(text, "\n") + 1)
	body, rest := text, ""
	line := int32(1)
	var spans []defSpan
	if p.dialect == Franklin {
		d.Front, spans = julia(text)
		p.franklinVars(d.Front.Defs)
	} else {
		front, cut, problems := splitFront(text)
		d.Front, p.problems = front, problems
		body = text[cut:]
		line += int32(strings.Count(text[:cut], "\n"))
	}
	if len(body) > largest {
		cut := strings.LastIndexByte(body[:largest], '\n') + 1
		if cut < largest/2 {
			cut = largest
			for cut > 0 && body[cut]&0xc0 == 0x80 {
				cut--
			}
		}
		body, rest = body[:cut], body[cut:]
	}
	sh := without(body, spans, line)
	sh = p.shield(sh)
	switch p.dialect {
	case Plain:
	case Franklin:
		sh = p.franklinPass(sh)
	case MDX:
		sh = p.mdxPass(sh)
	default:
		sh = p.templatePass(sh)
	}
	if p.dialect != Franklin && strings.Contains(sh.s, "[[") || p.dialect == Obsidian {
		sh = p.obsidianPass(sh)
	}
	if strings.ContainsAny(sh.s, "<") || strings.IndexByte(sh.s, 0xf4) >= 0 {
		sh = p.htmlPass(sh)
	}
	sh = p.finish(sh)
	if rest != "" {
		at := line + int32(strings.Count(body, "\n"))
		w := newPen(sh)
		w.copy(sh, 0, len(sh.s))
		w.line = at
		w.str("\n\n")
		p.problem(at, "the post is too long: from here on it is shown as typed")
		p.unshield(w, "", p.marks.put(mark{kind: markFence, b: rest, n: int(at) - 1}))
		sh = w.sheet()
	}
	d.Source = []byte(sh.s)
	d.lines, d.start = sh.lines, sh.start
	p.tree(d)
	d.Problems = append(d.Problems, p.problems...)
	return d
}

// franklinVars gathers the definitions a page sees.
func (p *page) franklinVars(defs []Def) {
	p.macros = make(map[string]macro)
	p.vars = make(map[string]any)
	if p.site != nil {
		for k, v := range p.site.vars {
			p.vars[k] = v
		}
	}
	for _, d := range defs {
		p.vars[d.Name] = d.Value
	}
	p.lang, _ = p.vars["lang"].(string)
	if p.lang != "" {
		p.lang, _ = language(p.lang, &page{})
	}
	p.indented, _ = p.vars["indented_code"].(bool)
}

// verbatim is the document of a source no pass could take.
func verbatim(text string, dialect Dialect) *Document {
	d := &Document{Dialect: dialect, Source: []byte(text), Text: text}
	if dialect == Auto {
		d.Dialect = Plain
	}
	at := int32(0)
	block := ast.NewFencedCodeBlock(nil)
	sh := plainSheet(text, 1)
	for i := range sh.lines {
		sh.lines[i] = int32(i + 1)
	}
	d.lines, d.start = sh.lines, sh.start
	for l := range strings.Lines(text) {
		block.Lines().Append(segment(int(at), int(at)+len(l)))
		at += int32(len(l))
	}
	root := ast.NewDocument()
	root.AppendChild(root, block)
	d.Root = root
	d.Codes = []Code{{Text: text, Line: 1}}
	d.Problems = []Problem{{Text: "the post cannot be set, it is shown as typed"}}
	return d
}
