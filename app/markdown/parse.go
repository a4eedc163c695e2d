package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"sheaf/app/srcmap"
)

const (
	maxParsed = 256 << 10 // bytes of a source that are parsed; more follows as plain text
	maxSource = 4 << 20   // bytes of a source that are shown at all
)

// page is one source on its way through the passes.
type page struct {
	dialect  Dialect
	site     *Site
	path     string
	title    string
	stash    stash
	lastLine int32 // of the source
	problems []Problem
	reported map[string]bool // texts of problems that are told once

	macros       map[string]macro  // of Franklin, by name
	vars         map[string]any    // definitions of the page and its site
	labels       map[string]string // of equations, with their numbers
	equation     int               // number of the last one
	fenceLang    string            // Franklin: of fences without a language
	indentIsCode bool              // Franklin: indented lines are code
	protectDepth int               // protectors inside one another
}

const (
	maxProblems = 100
	maxLabels   = 10000
)

// problem tells the author something about a line of the source. The page is
// right all the same.
func (p *page) problem(line int32, text string) {
	if len(p.problems) < maxProblems {
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

// addLabel returns an equation's label its number.
func (p *page) addLabel(name, number string) {
	if len(p.labels) < maxLabels {
		p.labels[equationKey(name)] = number
	}
}

// Parse returns the document of a source. It never fails: what is not
// understood is shown as typed, and what is longer than 256 KB follows as plain
// text, up to 4 MB. src is not kept.
func Parse(src []byte, o Options) (d *Document) {
	source := normalizeNewlines(string(src))
	long := len(source) > maxSource
	if long {
		source = source[:maxSource]
	}
	source = Clean(source)
	defer func() {
		if r := recover(); r != nil {
			d = verbatimDocument(source, o.Dialect)
		}
	}()
	d = parse(source, o)
	if long {
		d.Problems = append(d.Problems, Problem{Text: "the file is too long: its end is left out", Warning: true})
	}
	return d
}

// parse does what Parse promises, but may panic.
func parse(source string, o Options) *Document {
	p := &page{
		dialect: resolveDialect(source, o), site: o.Site, path: o.Path, title: o.Title,
		labels: map[string]string{}, lastLine: int32(strings.Count(source, "\n") + 1),
	}
	d := &Document{Dialect: p.dialect}
	body, line := source, int32(1)
	var spans []defSpan
	if p.dialect == Franklin {
		d.Front, spans = juliaFront(source)
		p.franklinVars(d.Front.Defs)
	} else {
		var cut int
		d.Front, cut, p.problems = splitFront(source)
		body = source[cut:]
		line += int32(strings.Count(source[:cut], "\n"))
	}
	body, rest := cutLong(body)
	out := p.runPasses(withoutDefs(body, spans, line))
	if rest != "" {
		out = p.appendVerbatim(out, rest, line+int32(strings.Count(body, "\n")))
	}
	d.Source = []byte(out.Text)
	d.lines = out.Lines
	p.buildTree(d)
	d.Problems = append(d.Problems, p.problems...)
	return d
}

// cutLong cuts what is too long to be parsed off a body: at a line end, or
// within a very long line at a character.
func cutLong(body string) (head, rest string) {
	if len(body) <= maxParsed {
		return body, ""
	}
	cut := strings.LastIndexByte(body[:maxParsed], '\n') + 1
	if cut < maxParsed/2 {
		cut = maxParsed
		for cut > 0 && body[cut]&0xc0 == 0x80 {
			cut--
		}
	}
	return body[:cut], body[cut:]
}

// runPasses brings a body to the Markdown that goldmark parses.
func (p *page) runPasses(t srcmap.Text) srcmap.Text {
	t = p.protect(t)
	switch p.dialect {
	case Plain:
	case Franklin:
		t = p.franklinPass(t)
	case MDX:
		t = p.mdxPass(t)
	default:
		t = p.templatePass(t)
	}
	if p.dialect != Franklin && strings.Contains(t.Text, "[[") || p.dialect == Obsidian {
		t = p.obsidianPass(t)
	}
	if strings.Contains(t.Text, "<") || hasPlaceholder(t.Text) {
		t = p.htmlPass(t)
	}
	return p.finishPass(t)
}

// appendVerbatim appends text from some line of the source on as code.
func (p *page) appendVerbatim(t srcmap.Text, rest string, line int32) srcmap.Text {
	p.problem(line, "the post is too long: from here on it is shown as typed")
	w := srcmap.NewWriter(t)
	w.CopyRange(t, 0, len(t.Text))
	w.Line = line
	w.Write("\n\n")
	p.writeFence(w, "", placeholder{text: rest, n: int(line) - 1})
	return w.Text()
}

// franklinVars gathers the definitions a page sees: those of its site, and its
// own over them.
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
	lang, _ := p.vars["lang"].(string)
	p.fenceLang = languageName(lang)
	p.indentIsCode, _ = p.vars["indented_code"].(bool)
}

// verbatimDocument is the document of a source that made a pass panic: one
// block of code.
func verbatimDocument(source string, dialect Dialect) *Document {
	d := &Document{
		Dialect: dialect, Source: []byte(source), Text: source,
		Codes:    []Code{{Text: source, Line: 1}},
		Problems: []Problem{{Text: "the post cannot be set, it is shown as typed"}},
	}
	if dialect == Auto {
		d.Dialect = Plain
	}
	block := ast.NewFencedCodeBlock(nil)
	at := 0
	for l := range strings.Lines(source) {
		block.Lines().Append(text.NewSegment(at, at+len(l)))
		at += len(l)
	}
	d.lines = srcmap.New(source, 1).Lines
	d.Root = ast.NewDocument()
	d.Root.AppendChild(d.Root, block)
	return d
}
