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
	*setting
	runs []run
	face face
	link int
	deep int
}

const deepest = 100 // of inline nodes in one another

// inlines gives the runs of everything inside a block.
func (s *setting) inlines(n ast.Node, f face) []run {
	in := inliner{setting: s, face: f}
	in.children(n)
	return in.runs
}

func (in *inliner) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		in.node(c)
	}
}

func (in *inliner) say(text string, f face) {
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

func (in *inliner) node(n ast.Node) {
	in.deep++
	defer func() { in.deep-- }()
	if in.deep > deepest {
		in.say(in.plainText(n), face{})
		return
	}
	switch n := n.(type) {
	case *ast.Text:
		in.say(in.doc.TextOf(n), face{})
		switch {
		case n.HardLineBreak():
			in.runs = append(in.runs, run{end: true})
		case n.SoftLineBreak():
			in.softBreak(n)
		}
	case *ast.String:
		in.say(in.doc.TextOf(n), face{})
	case *ast.CodeSpan:
		in.code(n)
	case *ast.Emphasis:
		f := in.pal.emph
		if n.Level > 1 {
			f = in.pal.strong
		}
		in.inside(n, f)
	case *extast.Strikethrough:
		in.bracket(n, "~~", in.pal.gone)
	case *markdown.Mark:
		in.inside(n, in.pal.mark)
	case *markdown.Key:
		in.say("[", in.pal.strong)
		in.inside(n, in.pal.strong)
		in.say("]", in.pal.strong)
	case *markdown.Raised:
		in.shift(n, '^', raised)
	case *markdown.Lowered:
		in.shift(n, '_', lowered)
	case *markdown.Math:
		in.runs = append(in.runs, run{text: formula(n.TeX, n.Unicode), face: in.face.with(in.pal.span), link: in.link, solid: true})
	case *ast.Link:
		in.anchor(n, string(n.Destination))
	case *ast.AutoLink:
		in.autoLink(n)
	case *ast.Image:
		in.image(n)
	case *extast.FootnoteLink:
		number := superscript(n.Index)
		in.linked("#fn:"+strconv.Itoa(n.Index), number, func() { in.say(number, in.pal.dim) })
	case *extast.FootnoteBacklink, *extast.TaskCheckBox: // the box is its item's mark
	default:
		if n.HasChildren() {
			in.children(n)
		} else {
			in.say(in.doc.TextOf(n), face{})
		}
	}
}

// bracket sets children between marks where the theme cannot show their style.
func (in *inliner) bracket(n ast.Node, mark string, f face) {
	if !in.pal.plain {
		mark = ""
	}
	in.say(mark, face{})
	in.inside(n, f)
	in.say(mark, face{})
}

// softBreak sets the end of a source line: a blank, but nothing between characters of scripts that have none.
func (in *inliner) softBreak(n *ast.Text) {
	before, _ := utf8.DecodeLastRuneInString(in.doc.TextOf(n))
	if next, ok := n.NextSibling().(*ast.Text); ok && wide(before) {
		if after, _ := utf8.DecodeRuneInString(in.doc.TextOf(next)); wide(after) {
			return
		}
	}
	in.say(" ", face{})
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
		in.runs = append(in.runs, run{text: text, face: in.face.with(in.pal.span), link: in.link, solid: true})
	}
}

// shift sets raised or lowered text in the characters Unicode has for it, else after a mark.
func (in *inliner) shift(n ast.Node, mark rune, table map[rune]rune) {
	text := in.plainText(n)
	var b strings.Builder
	for _, r := range text {
		s, ok := table[r]
		if !ok {
			if utf8.RuneCountInString(text) > 1 {
				text = "(" + text + ")"
			}
			in.say(string(mark)+text, face{})
			return
		}
		b.WriteRune(s)
	}
	in.say(b.String(), face{})
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
			in.say(markdown.Clean(target), in.pal.link)
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
		in.say(text, face{})
		return
	}
	in.linked(target, text, func() {
		in.runs = append(in.runs, run{text: text, face: in.face.with(in.pal.link), link: in.link, solid: true})
	})
}

// linked notes a link of the page and sets its text with set.
func (in *inliner) linked(target, text string, set func()) {
	before := in.link
	in.link = in.addLink(target, text)
	set()
	in.link = before
}

func (s *setting) addLink(target, text string) int {
	target = strings.TrimSpace(markdown.Clean(target))
	uri, said := "", true
	if target != "" && target[0] != '#' {
		uri, said = hyperlink(target)
	}
	if s.pal.plain {
		said = target == "" || target[0] == '#'
		uri = ""
	}
	if !said && squeeze(text) != squeeze(target) {
		s.unsaid = append(s.unsaid, len(s.page.Links))
	}
	s.page.Links = append(s.page.Links, Link{Text: text, Target: target, Line: -1})
	s.uris = append(s.uris, uri)
	return len(s.page.Links)
}

// hyperlink gives what an OSC 8 may hold for a target: an absolute address of a scheme that opens a page or a letter, percent-encoded. said
// reports that the address stands in it as the author wrote it.
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
	title := strings.Join(strings.Fields(markdown.Clean(string(n.Title))), " ")
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
			in.say(" image", in.pal.dim)
		case words == "":
			in.say(" "+file, in.pal.dim)
		case file == "" || words == file:
			in.say(" "+words, face{})
		default:
			in.say(" "+words, face{})
			in.say(" ("+file+")", in.pal.dim)
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

// fileOf names the file at the end of an address; with plain set without percent signs, which is for reading only.
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
		if name = strings.Join(strings.Fields(markdown.Clean(name)), " "); name != "" {
			return name
		}
	}
	return base
}

func checkBox(n *extast.TaskCheckBox) string {
	if n.IsChecked {
		return "[x]"
	}
	return "[ ]"
}

// gather writes the text below n, without any marks.
func (s *setting) gather(b *strings.Builder, n ast.Node, deep int) {
	if deep > 10*deepest {
		return
	}
	switch n := n.(type) {
	case *ast.Text:
		b.WriteString(s.doc.TextOf(n))
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
		return
	case *ast.String:
		b.WriteString(s.doc.TextOf(n))
		return
	case *ast.AutoLink:
		b.WriteString(markdown.Clean(string(n.Label(s.doc.Source))))
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
		s.gather(b, c, deep+1)
	}
}

// squeeze drops blanks, to compare what was written with what is seen.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
