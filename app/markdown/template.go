package markdown

import (
	"path"
	"slices"
	"strings"

	"sheaf/app/markup"
	"sheaf/app/srcmap"
)

// A templateConverter takes the template tags of Hugo, Jekyll, Zola and
// Eleventy and kramdown's attribute lists out of a text.
type templateConverter struct {
	*page
	*srcmap.Rewriter
	open []openTemplate // paired tags whose end has not come yet
}

// openTemplate is the beginning of a pair of tags, and the element it became:
// "" if its text stands alone.
type openTemplate struct{ tag, element string }

func (p *page) templatePass(in srcmap.Text) srcmap.Text {
	t := &templateConverter{page: p, Rewriter: srcmap.NewRewriter(in)}
	s := in.Text
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			i += 2
		case '*':
			if n := t.abbreviation(s, i); n > 0 {
				i = t.Replace(i, i+n, "")
			} else {
				i++
			}
		case '{':
			i = t.brace(i)
		default:
			i++
		}
	}
	return t.Finish()
}

// brace takes what the { at i begins, and returns where to go on. A tag that
// shows nothing and is alone on its line takes the line with it; a table of
// contents takes the list item above it, as kramdown has it.
func (t *templateConverter) brace(i int) int {
	s := t.In.Text
	line := strings.LastIndexByte(s[:i], '\n') + 1
	text, n := t.attributeList(s, i)
	if n == 0 {
		c, m := markup.ShortcodeAt(s[i:])
		if m == 0 || c.Form == markup.LiteralTag {
			return i + 1
		}
		text, n = t.tag(c, s[i+m:])
		n += m
		alone := i > 0 && strings.TrimSpace(s[line:i]) == "" && i+n < len(s) && s[i+n] == '\n'
		if c.Form == markup.LiquidTag && text == "" && alone && line >= t.From {
			return t.Replace(line, i+n+1, "")
		}
	}
	if m, ok := t.stash.at(text); ok && m.kind == phContents && i > 0 && line == i {
		if item := strings.LastIndexByte(s[:i-1], '\n') + 1; listMarker(s[item:]) > 0 && item >= t.From {
			return t.Replace(item, i+n, text)
		}
	}
	return t.Replace(i, i+n, text)
}

// tag returns what a template tag stands for; after is what follows it, of
// which n bytes belong to it. In this order: a value, the end of a pair, a tag
// this package knows by its name, a call-out, an image or something of a
// service. Of an unknown pair the text between stays, of any other unknown tag
// nothing.
func (t *templateConverter) tag(c markup.Shortcode, after string) (text string, n int) {
	if c.Form == markup.LiquidValue {
		return t.templateValue(c), 0
	}
	if c.Closing {
		return t.end(c.Name), 0
	}
	name := strings.TrimSuffix(c.Name[strings.LastIndexByte(c.Name, '/')+1:], ".html")
	if take := templateTagOf(name); take != nil {
		if text, n, ok := take(t, name, c, after); ok {
			return text, n
		}
	}
	paired := isPaired(c, after)
	if paired {
		if kind, title := templateCallout(name, c); kind != "" {
			title = t.stash.text(title)
			return t.begin(c, placeholder{kind: phBlockOpen, name: "callout", text: kind, title: title}), 0
		}
	}
	if text := t.embed(name, c); text != "" {
		if paired {
			t.push(c, "")
		}
		return text, 0
	}
	switch {
	case !paired:
	case strings.HasPrefix(strings.TrimLeft(after, " "), "\n"):
		return t.begin(c, placeholder{kind: phBlockOpen, name: "div"}), 0
	default:
		t.push(c, "")
	}
	return "", 0
}

// A templateTag returns what a tag of some name stands for, and how much of
// the text after it belongs to it. If it is not ok, the tag may be anything
// else.
type templateTag func(t *templateConverter, name string, c markup.Shortcode, after string) (text string, n int, ok bool)

// templateTagOf returns how a tag of some name is taken; nil for call-outs and
// for what embeds something.
func templateTagOf(name string) templateTag {
	switch name {
	case "comment":
		return (*templateConverter).comment
	case "ref", "relref", "post_url", "link":
		return (*templateConverter).pageAddress
	case "highlight", "code", "raw", "verbatim":
		return (*templateConverter).nothing
	case "include", "include_relative", "include_cached", "partial", "render":
		return (*templateConverter).include
	case "tab", "tabitem", "tab-item", "steps", "step":
		return (*templateConverter).tab
	case "details", "fold", "expand", "spoiler", "collapse", "collapsible", "accordion", "toggle":
		return (*templateConverter).details
	case "quote", "blockquote", "epigraph", "pullquote":
		return (*templateConverter).quote
	case "button", "btn", "cta":
		return (*templateConverter).button
	case "kbd", "mark", "sup", "sub", "del":
		return (*templateConverter).inline
	}
	return nil
}

func (t *templateConverter) nothing(string, markup.Shortcode, string) (string, int, bool) {
	return "", 0, true
}

func (t *templateConverter) comment(_ string, c markup.Shortcode, after string) (string, int, bool) {
	_, n := markup.ShortcodeBody(after, c)
	return "", n, true
}

// pageAddress takes a reference to another page, which stands where a link has
// its target: its path as written. Hugo's link tag is something else.
func (t *templateConverter) pageAddress(name string, c markup.Shortcode, _ string) (string, int, bool) {
	if c.Form != markup.LiquidTag && name != "ref" && name != "relref" {
		return "", 0, false
	}
	return strings.ReplaceAll(strings.TrimSpace(c.Arg(0, "path")), " ", "%20"), 0, true
}

// include takes a tag that includes a file; the file's name says what it
// embeds.
func (t *templateConverter) include(_ string, c markup.Shortcode, _ string) (string, int, bool) {
	args := c.PlainArgs()
	if len(args) == 0 {
		return "", 0, true
	}
	included := c
	_, included.Args, _ = strings.Cut(c.Args, args[0])
	included.Args = strings.TrimLeft(included.Args, "\"' ")
	return t.embed(strings.TrimSuffix(path.Base(args[0]), path.Ext(args[0])), included), 0, true
}

func (t *templateConverter) tab(_ string, c markup.Shortcode, after string) (string, int, bool) {
	title := c.Arg(0, "name", "title", "label")
	if title == "" || !isPaired(c, after) {
		return "", 0, false
	}
	return t.begin(c, placeholder{kind: phBlockOpen, name: "div"}) +
		t.stash.put(placeholder{kind: phBlockOpen, name: "heading", text: t.stash.text(title)}), 0, true
}

func (t *templateConverter) details(_ string, c markup.Shortcode, after string) (string, int, bool) {
	if !isPaired(c, after) {
		return "", 0, false
	}
	title := c.Arg(0, "summary", "title", "label", "header")
	return t.begin(c, placeholder{kind: phBlockOpen, name: "details", text: t.stash.text(title)}), 0, true
}

func (t *templateConverter) quote(_ string, c markup.Shortcode, after string) (string, int, bool) {
	if !isPaired(c, after) {
		return "", 0, false
	}
	return t.begin(c, placeholder{kind: phBlockOpen, name: "blockquote"}), 0, true
}

func (t *templateConverter) button(_ string, c markup.Shortcode, after string) (string, int, bool) {
	href := c.Arg(-1, "href", "url", "link", "relref")
	if href == "" || !isPaired(c, after) {
		return "", 0, false
	}
	return t.begin(c, placeholder{kind: phInlineOpen, name: "a", target: href}), 0, true
}

// inline takes a tag named like an inline element, around text or with the
// text as its argument.
func (t *templateConverter) inline(name string, c markup.Shortcode, after string) (string, int, bool) {
	if isPaired(c, after) {
		return t.begin(c, placeholder{kind: phInlineOpen, name: name}), 0, true
	}
	if text := c.Arg(0); text != "" {
		return t.stash.wrap(name, t.stash.put(placeholder{kind: phText, text: text})), 0, true
	}
	return "", 0, false
}

// begin opens the element x for a paired tag.
func (t *templateConverter) begin(c markup.Shortcode, x placeholder) string {
	t.push(c, x.name)
	return t.stash.put(x)
}

func (t *templateConverter) push(c markup.Shortcode, element string) {
	if len(t.open) < maxOpenTemplates {
		t.open = append(t.open, openTemplate{tag: c.Name, element: element})
	}
}

const maxOpenTemplates = 1000

// end ends the element of the last open tag of a name, and of all tags within
// it. Zola's {% end %} has no name and ends the last one.
func (t *templateConverter) end(name string) string {
	for k := len(t.open) - 1; k >= 0; k-- {
		if o := t.open[k]; o.tag == name || name == "" {
			t.open = t.open[:k]
			switch o.element {
			case "":
				return ""
			case "a", "kbd", "mark", "sup", "sub", "del":
				return t.stash.put(placeholder{kind: phInlineClose, name: o.element})
			}
			return t.stash.put(placeholder{kind: phBlockClose, name: o.element})
		}
	}
	return ""
}

// templateCallout returns the call-out a paired tag is by its name or its
// arguments, and its title; kind is "" if it is none.
func templateCallout(name string, c markup.Shortcode) (kind, title string) {
	if kind = calloutNames[strings.TrimSuffix(name, "box")]; kind == "" {
		if kind = calloutOfClass(name); kind == "" {
			return "", ""
		}
	}
	title = c.Arg(-1, "title", "header", "heading", "summary")
	for k, a := range c.PlainArgs() {
		if x := calloutNames[strings.ToLower(a)]; x != "" {
			kind = x
		} else if title == "" && k <= 1 && c.Form == markup.HugoTag &&
			!slices.Contains([]string{"true", "false", "open"}, a) {
			title = a
		}
	}
	for _, k := range []string{"type", "kind", "level", "class", "style", "color", "status"} {
		if x := calloutOfClass(c.Arg(-1, k)); x != "" {
			kind = x
		}
	}
	return kind, title
}

// isPaired reports whether the tag that closes c stands in what follows it.
func isPaired(c markup.Shortcode, after string) bool {
	if c.Empty {
		return false
	}
	word := "/" + c.Name
	if c.Form == markup.LiquidTag {
		word = "end"
	}
	for s := after; s != ""; {
		k := strings.Index(s, word)
		if k < 0 {
			return c.Form == markup.HugoTag && strings.Contains(s, "/ "+c.Name)
		}
		if b := strings.LastIndexByte(s[:k], '{'); b >= 0 {
			if b > 0 && s[b-1] == '{' {
				b--
			}
			x, n := markup.ShortcodeAt(s[b:])
			if n > 0 && x.Closing && (x.Name == c.Name || x.Name == "") {
				return true
			}
		}
		s = s[k+len(word):]
	}
	return false
}

// templateValue returns what {{ ... }} shows, as far as a reader without the
// generator can know: a literal, the title of the page, something it embeds,
// or nothing.
func (p *page) templateValue(c markup.Shortcode) string {
	if name, ok := strings.CutSuffix(c.Name, "()"); ok {
		return p.embed(name, c)
	}
	expr := strings.TrimSpace(c.Args)
	if expr != "" && (expr[0] == '"' || expr[0] == '\'') {
		if end := strings.IndexByte(expr[1:], expr[0]); end >= 0 {
			return expr[1 : 1+end]
		}
	}
	name, _, _ := strings.Cut(expr, "|")
	if name = strings.TrimSpace(name); name == "page.title" || name == "title" {
		return p.stash.put(placeholder{kind: phText, text: p.title})
	}
	return ""
}
