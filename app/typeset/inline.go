package typeset

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"

	"sheaf/app/markdown"
)

// An inliner turns the inline nodes of one block into runs.
type inliner struct {
	*composer
	runs []run
	face face
	link int
	deep int
}

const maxInlineDepth = 100 // nodes in one another; what is deeper loses its looks

// inlines returns the runs of everything inside a block.
func (co *composer) inlines(n ast.Node, f face) []run {
	in := inliner{composer: co, face: f}
	in.children(n)
	return in.runs
}

func (in *inliner) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		in.node(c)
	}
}

func (in *inliner) add(text string, f face) {
	if text != "" {
		in.runs = append(in.runs, run{text: text, face: in.face.with(f), link: in.link})
	}
}

// inside sets the children of n with f laid over.
func (in *inliner) inside(n ast.Node, f face) {
	old := in.face
	in.face = old.with(f)
	in.children(n)
	in.face = old
}

// node adds the runs of one node with all that is in it. A node of an unknown
// kind shows its text.
func (in *inliner) node(n ast.Node) {
	in.deep++
	defer func() { in.deep-- }()
	if in.deep > maxInlineDepth {
		in.add(in.plainText(n), face{})
		return
	}
	switch n := n.(type) {
	case *ast.Text:
		in.add(in.doc.TextOf(n), face{})
		switch {
		case n.HardLineBreak():
			in.runs = append(in.runs, run{end: true})
		case n.SoftLineBreak():
			in.softBreak(n)
		}
	case *ast.String:
		in.add(in.doc.TextOf(n), face{})
	case *ast.CodeSpan:
		in.code(n)
	case *ast.Emphasis:
		f := in.pal.emph
		if n.Level > 1 {
			f = in.pal.strong
		}
		in.inside(n, f)
	case *extast.Strikethrough:
		in.bracket(n, "~~", in.pal.strike)
	case *markdown.Mark:
		in.inside(n, in.pal.mark)
	case *markdown.Key:
		in.add("[", in.pal.strong)
		in.inside(n, in.pal.strong)
		in.add("]", in.pal.strong)
	case *markdown.Raised:
		in.raiseOrLower(n, '^', raised)
	case *markdown.Lowered:
		in.raiseOrLower(n, '_', lowered)
	case *markdown.Math:
		in.addCode(formula(n.TeX, n.Unicode))
	case *ast.Link:
		in.anchor(n, string(n.Destination))
	case *ast.AutoLink:
		in.autoLink(n)
	case *ast.Image:
		in.image(n)
	case *extast.FootnoteLink:
		number := superscript(n.Index)
		in.linked("#fn:"+strconv.Itoa(n.Index), number, func() { in.add(number, in.pal.dim) })
	case *extast.FootnoteBacklink, *extast.TaskCheckBox: // the box is its item's mark
	default:
		if n.HasChildren() {
			in.children(n)
		} else {
			in.add(in.doc.TextOf(n), face{})
		}
	}
}

// bracket sets children between marks where the theme cannot show their style.
func (in *inliner) bracket(n ast.Node, mark string, f face) {
	if !in.pal.plain {
		mark = ""
	}
	in.add(mark, face{})
	in.inside(n, f)
	in.add(mark, face{})
}

// softBreak sets the end of a source line: a blank, but nothing between
// characters of scripts that have none.
func (in *inliner) softBreak(n *ast.Text) {
	before, _ := utf8.DecodeLastRuneInString(in.doc.TextOf(n))
	if next, ok := n.NextSibling().(*ast.Text); ok && unspaced(before) {
		if after, _ := utf8.DecodeRuneInString(in.doc.TextOf(next)); unspaced(after) {
			return
		}
	}
	in.add(" ", face{})
}

func (in *inliner) code(n ast.Node) {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b.WriteString(in.doc.TextOf(c))
	}
	text := b.String()
	if in.pal.plain {
		text = "`" + text + "`"
	}
	if text != "" {
		in.addCode(text)
	}
}

// addCode adds text whose blanks count, in the face of code.
func (in *inliner) addCode(text string) {
	in.runs = append(in.runs, run{text: text, face: in.face.with(in.pal.inlineCode), link: in.link, solid: true})
}

// raiseOrLower sets raised or lowered text in the characters Unicode has for
// it, else after a mark.
func (in *inliner) raiseOrLower(n ast.Node, mark rune, table map[rune]rune) {
	text := in.plainText(n)
	var b strings.Builder
	for _, r := range text {
		s, ok := table[r]
		if !ok {
			if utf8.RuneCountInString(text) > 1 {
				text = "(" + text + ")"
			}
			in.add(string(mark)+text, face{})
			return
		}
		b.WriteRune(s)
	}
	in.add(b.String(), face{})
}

// anchor sets a link's text.
func (in *inliner) anchor(n ast.Node, target string) {
	if in.link != 0 || target == "" { // links do not nest
		in.children(n)
		return
	}
	in.linked(target, in.plainText(n), func() {
		if n.HasChildren() {
			in.inside(n, in.pal.link)
		} else {
			in.add(markdown.Clean(target), in.pal.link)
		}
	})
}

func (in *inliner) autoLink(n *ast.AutoLink) {
	text := markdown.Clean(string(n.Label(in.doc.Source)))
	target := string(n.URL(in.doc.Source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(target), "mailto:") {
		target = "mailto:" + target
	}
	if in.link != 0 {
		in.add(text, face{})
		return
	}
	in.linked(target, text, func() {
		in.runs = append(in.runs, run{text: text, face: in.face.with(in.pal.link), link: in.link, solid: true})
	})
}

// linked adds a link to the page and sets its text with set.
func (in *inliner) linked(target, text string, set func()) {
	before := in.link
	in.link = in.addLink(target, text)
	set()
	in.link = before
}

func (co *composer) addLink(target, text string) int {
	target = strings.TrimSpace(markdown.Clean(target))
	uri, said := "", true
	if target != "" && target[0] != '#' {
		uri, said = hyperlink(target)
	}
	if co.pal.plain {
		said = target == "" || target[0] == '#'
		uri = ""
	}
	if !said && withoutBlanks(text) != withoutBlanks(target) {
		co.unlinked = append(co.unlinked, len(co.page.Links))
	}
	co.page.Links = append(co.page.Links, Link{Text: text, Target: target, Line: -1})
	co.uris = append(co.uris, uri)
	return len(co.page.Links)
}

// hyperlink returns what an OSC 8 may hold for a target: an absolute address of
// a scheme that opens a page or a letter, percent-encoded; "" for any other.
// said reports that the address stands in it as the author wrote it.
func hyperlink(target string) (uri string, said bool) {
	i := strings.IndexByte(target, ':')
	if i < 0 || len(target) > maxTarget {
		return "", false
	}
	switch strings.ToLower(target[:i]) {
	case "http", "https", "gemini":
		if !strings.HasPrefix(target[i:], "://") {
			return "", false
		}
	case "mailto":
	default:
		return "", false
	}
	var b strings.Builder
	for j := 0; j < len(target); j++ {
		if c := target[j]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String(), b.Len() == len(target)
}

// image describes a picture in words: ▣ alt text (file.png).
func (in *inliner) image(n *ast.Image) {
	alt := strings.Join(strings.Fields(in.plainText(n)), " ")
	title := markdown.Line(string(n.Title))
	target := strings.TrimSpace(markdown.Clean(string(n.Destination)))
	file := fileOf(target, alt != "")
	in.page.Images = append(in.page.Images, Image{Alt: alt, Target: target, Title: title, Line: -1})
	number := len(in.page.Images)

	words := alt
	switch {
	case alt == "":
		words = title
	case title != "" && !strings.EqualFold(title, alt):
		words = alt + ": " + title
	}
	set := func() {
		in.runs = append(in.runs, run{text: "▣", face: in.face.with(in.pal.dim), link: in.link, image: number})
		switch {
		case words == "" && file == "":
			in.add(" image", in.pal.dim)
		case words == "":
			in.add(" "+file, in.pal.dim)
		case file == "" || words == file:
			in.add(" "+words, face{})
		default:
			in.add(" "+words, face{})
			in.add(" ("+file+")", in.pal.dim)
		}
	}
	if uri, _ := hyperlink(target); in.link == 0 && uri != "" && !in.pal.plain {
		in.link = in.addLink(target, words)
		set()
		in.link = 0
		return
	}
	set()
}

// fileOf returns the name of the file at the end of an address, "" if it has
// none; if it is plain, percent signs are decoded, for reading only.
func fileOf(target string, plain bool) string {
	if strings.HasPrefix(target, "data:") || target == "" {
		return ""
	}
	p := target
	if i := strings.IndexAny(p, "?#"); i > 0 {
		p = p[:i]
	}
	base := path.Base(p)
	if base == "." || base == "/" {
		return target
	}
	if name, err := url.PathUnescape(base); plain && err == nil {
		if name = markdown.Line(name); name != "" {
			return name
		}
	}
	return base
}

func taskBox(n *extast.TaskCheckBox) string {
	if n.IsChecked {
		return "[x]"
	}
	return "[ ]"
}

// appendText writes the text below n, without any marks.
func (co *composer) appendText(b *strings.Builder, n ast.Node, deep int) {
	if deep > 10*maxInlineDepth {
		return
	}
	switch n := n.(type) {
	case *ast.Text:
		b.WriteString(co.doc.TextOf(n))
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
		return
	case *ast.String:
		b.WriteString(co.doc.TextOf(n))
		return
	case *ast.AutoLink:
		b.WriteString(markdown.Clean(string(n.Label(co.doc.Source))))
		return
	case *markdown.Math:
		b.WriteString(formula(n.TeX, n.Unicode))
		return
	case *extast.FootnoteLink:
		b.WriteString(superscript(n.Index))
		return
	case *extast.FootnoteBacklink, *extast.TaskCheckBox:
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		co.appendText(b, c, deep+1)
	}
}

// withoutBlanks returns s without blanks, to compare what was written with what
// is seen.
func withoutBlanks(s string) string { return strings.Join(strings.Fields(s), "") }
