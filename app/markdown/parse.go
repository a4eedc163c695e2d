package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
)

const (
	maxParsed = 256 << 10 // of a source that is parsed; more follows as plain text
	maxSource = 4 << 20   // of a source that is shown at all
)

// page is one source on its way through the passes.
type page struct {
	dialect      Dialect
	site         *Site
	path         string
	title        string
	stash        stash
	macros       map[string]macro  // of Franklin, by name
	vars         map[string]any    // definitions of the page and its site
	labels       map[string]string // of equations, with their numbers
	equation     int
	fenceLang    string // of fences without a language
	indentIsCode bool   // Franklin: indented code is code
	lastLine     int32
	protectDepth int // shields inside one another
	problems     []Problem
	reported     map[string]bool
}

func (p *page) problem(line int32, text string) {
	if len(p.problems) < 100 {
		p.problems = append(p.problems, Problem{Line: int(line), Text: text, Warning: true})
	}
}

// problemOnce tells the same thing once.
func (p *page) problemOnce(line int32, text string) {
	if p.reported == nil {
		p.reported = make(map[string]bool)
	}
	if !p.reported[text] {
		p.reported[text] = true
		p.problem(line, Clean(text))
	}
}

func (p *page) addLabel(name, number string) {
	if len(p.labels) < 10000 {
		p.labels[equationKey(name)] = number
	}
}

// Parse makes the document of a source. It never fails: what is not
// understood is shown as typed.
func Parse(src []byte, o Options) (d *Document) {
	text := normalizeNewlines(string(src))
	long := len(text) > maxSource
	if long {
		text = text[:maxSource]
	}
	text = Clean(text)
	defer func() {
		if r := recover(); r != nil {
			d = verbatimDocument(text, o.Dialect)
		}
	}()
	d = parse(text, o)
	if long {
		d.Problems = append(d.Problems, Problem{Text: "the file is too long: its end is left out", Warning: true})
	}
	return d
}

func parse(text string, o Options) *Document {
	p := &page{dialect: resolveDialect(text, o), site: o.Site, path: o.Path, title: o.Title, labels: map[string]string{}}
	d := &Document{Dialect: p.dialect}
	p.lastLine = int32(strings.Count(text, "\n") + 1)
	body, rest := text, ""
	line := int32(1)
	var spans []defSpan
	if p.dialect == Franklin {
		d.Front, spans = juliaFront(text)
		p.franklinVars(d.Front.Defs)
	} else {
		front, cut, problems := splitFront(text)
		d.Front, p.problems = front, problems
		body = text[cut:]
		line += int32(strings.Count(text[:cut], "\n"))
	}
	if len(body) > maxParsed {
		cut := strings.LastIndexByte(body[:maxParsed], '\n') + 1
		if cut < maxParsed/2 {
			cut = maxParsed
			for cut > 0 && body[cut]&0xc0 == 0x80 {
				cut--
			}
		}
		body, rest = body[:cut], body[cut:]
	}
	sh := withoutDefs(body, spans, line)
	sh = p.protect(sh)
	switch p.dialect {
	case Plain:
	case Franklin:
		sh = p.franklinPass(sh)
	case MDX:
		sh = p.mdxPass(sh)
	default:
		sh = p.templatePass(sh)
	}
	if p.dialect != Franklin && strings.Contains(sh.text, "[[") || p.dialect == Obsidian {
		sh = p.obsidianPass(sh)
	}
	if strings.ContainsAny(sh.text, "<") || hasPlaceholder(sh.text) {
		sh = p.htmlPass(sh)
	}
	sh = p.finishPass(sh)
	if rest != "" {
		at := line + int32(strings.Count(body, "\n"))
		w := newMappedWriter(sh)
		w.copyRange(sh, 0, len(sh.text))
		w.line = at
		w.write("\n\n")
		p.problem(at, "the post is too long: from here on it is shown as typed")
		p.restoreFences(w, "", p.stash.put(placeholder{kind: phFence, text: rest, n: int(at) - 1}))
		sh = w.text()
	}
	d.Source = []byte(sh.text)
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
	p.fenceLang, _ = p.vars["lang"].(string)
	p.fenceLang = languageName(p.fenceLang)
	p.indentIsCode, _ = p.vars["indented_code"].(bool)
}

// verbatimDocument is the document of a source no pass could take.
func verbatimDocument(text string, dialect Dialect) *Document {
	d := &Document{Dialect: dialect, Source: []byte(text), Text: text}
	if dialect == Auto {
		d.Dialect = Plain
	}
	at := int32(0)
	block := ast.NewFencedCodeBlock(nil)
	sh := textFromLine(text, 1)
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
