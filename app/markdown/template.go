package markdown

import (
	"path"
	"strings"
)

// templatePass takes the template tags of Hugo, Jekyll, Zola and Eleventy and
// kramdown's attribute lists.
func (p *page) templatePass(in mappedText) mappedText {
	w := newMappedWriter(in)
	s := in.text
	from := 0
	var open []string // elements begun by paired tags
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			i += 2
			continue
		case '{', '*':
		default:
			i++
			continue
		}
		text, n := "", 0
		if s[i] == '*' {
			if n = p.abbreviation(s, i); n == 0 {
				i++
				continue
			}
		} else if text, n = p.attributeList(s, i); n == 0 {
			sc, m := shortcodeAt(s[i:])
			if m == 0 || sc.form == literalTag {
				i++
				continue
			}
			text, n = p.templateTag(sc, s[i+m:], &open)
			n += m
			if sc.form == liquidTag && text == "" && strings.TrimSpace(s[strings.LastIndexByte(s[:i], '\n')+1:i]) == "" && i+n < len(s) && s[i+n] == '\n' && i > 0 {
				// a tag alone on its line leaves no line
				i0 := strings.LastIndexByte(s[:i], '\n') + 1
				if i0 >= from {
					w.copyRange(in, from, i0)
					from = i + n + 1
					i = from
					w.line = in.sourceLine(i)
					continue
				}
			}
		}
		stop := i
		if m, ok := p.stash.at(text); ok && m.kind == phContents && i > 0 && s[i-1] == '\n' {
			// it takes the place of the list item above it
			if k := strings.LastIndexByte(s[:i-1], '\n') + 1; listMarker(s[k:]) > 0 && k >= from {
				stop = k
			}
		}
		w.copyRange(in, from, stop)
		w.write(text)
		i += n
		from = i
		w.line = in.sourceLine(i)
	}
	w.copyRange(in, from, len(s))
	return w.text()
}

// abbreviation gives the length of kramdown's *[abbr]: meaning at i.
func (p *page) abbreviation(s string, i int) int {
	if !strings.HasPrefix(s[i:], "*[") || i > 0 && s[i-1] != '\n' {
		return 0
	}
	line := lineAt(s, i)
	if k := strings.Index(line, "]:"); k > 2 && !strings.Contains(line[2:k], "]") {
		return len(line)
	}
	return 0
}

// attributeList reads kramdown's {: .class #id} and {::options} at i.
func (p *page) attributeList(s string, i int) (text string, n int) {
	if !strings.HasPrefix(s[i:], "{:") || p.dialect == MDX || p.dialect == Plain && !strings.HasPrefix(s[i:], "{: ") {
		return "", 0
	}
	line := s[i:eol(s, i)]
	end := strings.IndexByte(line, '}')
	if end < 0 || len(line) < 3 || !strings.ContainsRune(" .#/:abcdefghijklmnopqrstuvwxyz\t", rune(line[2])) {
		return "", 0
	}
	inside := line[2:end]
	switch {
	case strings.HasPrefix(inside, "toc") || strings.Contains(inside, " toc"):
		// it replaces the list item before it
		return p.stash.put(placeholder{kind: phContents, n: 16}), end + 1
	case strings.HasPrefix(inside, ":comment"):
		if k := strings.Index(s[i:], "{:/"); k > 0 {
			if e := strings.IndexByte(s[i+k:], '}'); e > 0 {
				return "", k + e + 1
			}
		}
	}
	// an identifier belongs to the heading it stands in or under
	if k := strings.IndexByte(inside, '#'); k >= 0 && strings.HasPrefix(strings.TrimLeft(lineAround(s, i), " "), "#") {
		id, _, _ := strings.Cut(inside[k+1:], " ")
		return p.stash.put(placeholder{kind: phID, name: id}), end + 1
	}
	return "", end + 1
}

// templateTag gives what a template tag stands for; after is what follows it, of
// which n bytes belong to it.
func (p *page) templateTag(c shortcode, after string, open *[]string) (text string, n int) {
	if c.form == liquidValue {
		return p.templateValue(c), 0
	}
	if c.closing {
		for k := len(*open) - 1; k >= 0; k-- {
			name, element, _ := strings.Cut((*open)[k], " ")
			if name != c.name && c.name != "" {
				continue
			}
			*open = (*open)[:k]
			if element == "" {
				return "", 0
			}
			if inlineOf[element] {
				return p.stash.put(placeholder{kind: phInlineClose, name: element}), 0
			}
			return p.stash.put(placeholder{kind: phBlockClose, name: element}), 0
		}
		return "", 0
	}
	begin := func(element string, m placeholder) string {
		if len(*open) < 1000 {
			*open = append(*open, c.name+" "+element)
		}
		return p.stash.put(m)
	}
	paired := func() bool { return !c.empty && hasClosingTag(after, c) }
	name := c.name
	name = strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".html")
	switch name {
	case "comment":
		if _, n := shortcodeBody(after, c); n > 0 {
			return "", n
		}
		return "", 0
	case "ref", "relref", "post_url", "link":
		if name == "link" && c.form == hugoTag {
			break
		}
		t := c.arg(0, "path")
		if name == "ref" || name == "relref" || c.form == liquidTag {
			return strings.ReplaceAll(strings.TrimSpace(t), " ", "%20"), 0
		}
	case "highlight", "code", "raw", "verbatim":
		return "", 0
	case "include", "include_relative", "include_cached", "partial", "render":
		args := c.plainArgs()
		if len(args) == 0 {
			return "", 0
		}
		file := strings.TrimSuffix(path.Base(args[0]), path.Ext(args[0]))
		sub := c
		_, sub.args, _ = strings.Cut(c.args, args[0])
		sub.args = strings.TrimLeft(sub.args, "\"' ")
		return p.embed(file, sub), 0
	case "tab", "tabitem", "tab-item", "steps", "step":
		if title := c.arg(0, "name", "title", "label"); title != "" && paired() {
			return begin("div", placeholder{kind: phBlockOpen, name: "div"}) + p.stash.put(placeholder{kind: phBlockOpen, name: "heading", text: p.stash.text(title)}), 0
		}
	case "details", "fold", "expand", "spoiler", "collapse", "collapsible", "accordion", "toggle":
		if paired() {
			title := c.arg(0, "summary", "title", "label", "header")
			return begin("details", placeholder{kind: phBlockOpen, name: "details", text: p.stash.text(title)}), 0
		}
	case "quote", "blockquote", "epigraph", "pullquote":
		if paired() {
			return begin("blockquote", placeholder{kind: phBlockOpen, name: "blockquote"}), 0
		}
	case "button", "btn", "cta":
		if href := c.arg(-1, "href", "url", "link", "relref"); href != "" && paired() {
			return begin("a", placeholder{kind: phInlineOpen, name: "a", target: href}), 0
		}
	case "kbd", "mark", "sup", "sub", "del":
		if paired() {
			return begin(name, placeholder{kind: phInlineOpen, name: name}), 0
		}
		if t := c.arg(0); t != "" {
			return p.stash.put(placeholder{kind: phInlineOpen, name: name}) + p.stash.put(placeholder{kind: phText, text: t}) + p.stash.put(placeholder{kind: phInlineClose, name: name}), 0
		}
	}
	if kind := calloutNames[strings.TrimSuffix(name, "box")]; (kind != "" || calloutOfClass(name) != "") && paired() {
		if kind == "" {
			kind = calloutOfClass(name)
		}
		title := c.arg(-1, "title", "header", "heading", "summary")
		args := c.plainArgs()
		for k, a := range args {
			if x := calloutNames[strings.ToLower(a)]; x != "" {
				kind = x
			} else if title == "" && k <= 1 && c.form == hugoTag && a != "true" && a != "false" && a != "open" {
				title = a
			}
		}
		for _, k := range []string{"type", "kind", "level", "class", "style", "color", "status"} {
			if v := c.arg(-1, k); v != "" {
				if x := calloutOfClass(v); x != "" {
					kind = x
				}
			}
		}
		return begin("callout", placeholder{kind: phBlockOpen, name: "callout", text: kind, title: p.stash.text(title)}), 0
	}
	if t := p.embed(name, c); t != "" {
		if paired() {
			begin("", placeholder{kind: phText})
		}
		return t, 0
	}
	if paired() {
		// what encloses text and is not known lets the text stand
		if c.form == hugoTag || c.form == liquidTag {
			if strings.HasPrefix(strings.TrimLeft(after, " "), "\n") {
				return begin("div", placeholder{kind: phBlockOpen, name: "div"}), 0
			}
			begin("", placeholder{kind: phText})
		}
	}
	return "", 0
}

var inlineOf = map[string]bool{"a": true, "kbd": true, "mark": true, "sup": true, "sub": true, "del": true}

// hasClosingTag reports whether the tag that closes c follows.
func hasClosingTag(s string, c shortcode) bool {
	word := "/" + c.name
	if c.form == liquidTag {
		word = "end"
	}
	for len(s) > 0 {
		k := strings.Index(s, word)
		if k < 0 {
			if c.form == hugoTag {
				k = strings.Index(s, "/ "+c.name)
			}
			return k >= 0
		}
		line := s[:k]
		if b := strings.LastIndexByte(line, '{'); b >= 0 {
			if b > 0 && line[b-1] == '{' {
				b--
			}
			x, n := shortcodeAt(s[b:])
			if n > 0 && x.closing && (x.name == c.name || x.name == "") {
				return true
			}
		}
		s = s[k+len(word):]
	}
	return false
}

// embed gives an image or a link for a tag that embeds something; "" if it
// embeds nothing this package knows of.
func (p *page) embed(name string, c shortcode) string {
	restore := p.stash.restore
	switch {
	case name == "figure" || name == "img" || name == "image" || name == "imgproc" || name == "picture" || name == "gallery-img" || name == "responsive-image" || name == "fig" || name == "photo":
		src := restore(c.arg(0, "src", "link", "url", "path", "file", "image_path", "filename"))
		alt := c.arg(-1, "alt", "caption", "title")
		args := c.plainArgs()
		if alt == "" && c.form != hugoTag && len(args) > 1 && c.arg(-1, "src", "path") == "" {
			alt = args[1]
		} else if alt == "" && len(args) > 1 && c.arg(-1, "src") == "" {
			alt = args[len(args)-1]
		}
		if src == "" {
			return ""
		}
		out := p.stash.put(placeholder{kind: phImage, target: src, text: p.stash.text(alt)})
		if caption := c.arg(-1, "caption"); caption != "" && caption != alt {
			para := p.stash.paragraph()
			out = para + out + para + caption + para
		}
		return out
	}
	for _, s := range []string{"youtube", "vimeo", "bilibili", "gist", "tweet", "twitter", "instagram", "asciinema", "video", "audio", "youtube-nocookie", "figma", "spotify", "iframe", "pdf", "speakerdeck", "mastodon", "codepen", "jsfiddle", "x"} {
		if name == s || strings.TrimSuffix(name, "-embed") == s || strings.HasPrefix(name, "embed-") && name[6:] == s {
			id := restore(c.arg(0, "id", "src", "url", "link", "href", "vid", "file", "user", "source", "mp4"))
			if id == "" {
				return ""
			}
			if args := c.plainArgs(); s == "gist" && len(args) > 1 {
				id = args[0] + "/" + args[1]
			} else if (s == "tweet" || s == "twitter" || s == "x") && c.arg(-1, "user") != "" && c.arg(-1, "id") != "" {
				id = "https://x.com/" + c.arg(-1, "user") + "/status/" + c.arg(-1, "id")
			}
			para := p.stash.paragraph()
			return para + p.serviceLink(s, id) + para
		}
	}
	return ""
}

// serviceLink gives the link to something at a known service.
func (p *page) serviceLink(name, id string) string {
	target, label := id, name
	if !strings.Contains(id, "/") || name == "gist" && !strings.Contains(id, ":") {
		switch {
		case strings.Contains(name, "youtube"):
			target, label = "https://www.youtube.com/watch?v="+id, "youtube.com"
		case strings.Contains(name, "vimeo"):
			target, label = "https://vimeo.com/"+id, "vimeo.com"
		case strings.Contains(name, "bilibili"):
			target, label = "https://www.bilibili.com/video/"+id, "bilibili.com"
		case strings.Contains(name, "gist"):
			target, label = "https://gist.github.com/"+id, "gist"
		case strings.Contains(name, "tweet") || name == "x" || name == "twitter":
			target, label = "https://x.com/i/status/"+id, "x.com"
		case strings.Contains(name, "instagram"):
			target, label = "https://www.instagram.com/p/"+id, "instagram.com"
		case strings.Contains(name, "asciinema"):
			target, label = "https://asciinema.org/a/"+id, "asciinema.org"
		}
	} else if h := hostOf(id); h != "" {
		label = h
	}
	what := "video"
	switch {
	case strings.Contains(name, "gist"), strings.Contains(name, "codepen"), strings.Contains(name, "jsfiddle"):
		what = "code"
	case strings.Contains(name, "tweet"), strings.Contains(name, "twitter"), name == "x", strings.Contains(name, "mastodon"), strings.Contains(name, "instagram"):
		what = "post"
	case name == "audio" || name == "spotify":
		what = "audio"
	case name == "iframe" || name == "pdf" || name == "figma" || name == "speakerdeck":
		what = "frame"
	}
	return p.stash.put(placeholder{kind: phLink, target: target, text: "[" + what + ": " + label + "]"})
}

// templateValue gives what {{ ... }} shows, as far as a reader without the
// generator can know: a literal, or nothing.
func (p *page) templateValue(c shortcode) string {
	if name, ok := strings.CutSuffix(c.name, "()"); ok {
		return p.embed(name, c)
	}
	expr := strings.TrimSpace(c.args)
	if expr != "" && (expr[0] == '"' || expr[0] == '\'') {
		if end := strings.IndexByte(expr[1:], expr[0]); end >= 0 {
			return expr[1 : 1+end]
		}
	}
	if name, _, _ := strings.Cut(expr, "|"); strings.TrimSpace(name) == "page.title" || strings.TrimSpace(name) == "title" {
		return p.stash.put(placeholder{kind: phText, text: p.title})
	}
	return ""
}
