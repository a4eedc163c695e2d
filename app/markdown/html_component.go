package markdown

import "strings"

// isComponent reports whether a start tag is one of a JSX component: it begins
// with a capital letter or, in MDX, has a dot in its name, and it is no
// element of HTML that somebody wrote in capitals.
func (h *htmlConverter) isComponent(t tag) bool {
	if h.dialect == MDX && strings.Contains(t.name, ".") {
		return true
	}
	capital := t.typed[0] >= 'A' && t.typed[0] <= 'Z'
	return capital && (h.dialect == MDX || t.attrs != "" || t.empty) && (!knownTag[t.name] || t.typed == "Aside")
}

// component writes what the start tag of a JSX component from i to next stands
// for, and returns where to go on. What it is its name and its attributes say:
// an image, something of a service, a video, a call-out, details, a link.
// Of others the text inside stays, below their title.
func (h *htmlConverter) component(t tag, i, next int) int {
	name := strings.ToLower(t.typed)
	is := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
		return false
	}
	src := t.attr("src")
	switch {
	case src != "" && (is("image", "img", "figure", "picture") || t.has("alt")):
		h.image(t)
		if c := t.attr("caption"); c != "" {
			h.paragraph(h.stash.literal(c))
		}
	case is("youtube", "vimeo", "tweet", "gist"):
		if id := t.firstAttr("id", "videoid", "url", "src", "href"); id != "" {
			h.paragraph(h.serviceLink(name, id))
		}
	case src != "" && is("video", "audio"):
		t.name = "video"
		h.media(t)
	case calloutNames[name] != "" && h.encloses(t, next):
		kind := calloutNames[name]
		for _, k := range []string{"type", "kind", "variant", "intent"} {
			if c := calloutNames[strings.ToLower(t.attr(k))]; c != "" {
				kind = c
			}
		}
		h.startBlock()
		h.openBox(openElement{name: t.name}, placeholder{kind: phCallout, name: kind, title: t.attr("title")})
	case is("details", "collapse", "accordion", "spoiler"):
		title := t.attr("title") + t.attr("summary")
		if title == "" || !h.encloses(t, next) {
			h.unknownComponent(t, i, next)
			break
		}
		h.startBlock()
		h.openBox(openElement{name: t.name}, placeholder{kind: phDetails, text: title})
	case t.attr("href") != "":
		return h.componentLink(t, next)
	default:
		h.unknownComponent(t, i, next)
	}
	return next
}

// componentLink writes a component that has an href, and returns where to go
// on.
func (h *htmlConverter) componentLink(t tag, next int) int {
	href := t.attr("href")
	if end := h.endOf(next, t.name); end > 0 && !t.empty {
		text := h.convertInline(h.inside(next, end))
		if text == "" {
			text = h.stash.put(placeholder{kind: phText, text: hostOf(href)})
		}
		h.writeLink(href, "", text)
		return end
	}
	label := t.attr("title")
	if label == "" {
		label = hostOf(href)
	}
	h.write(h.stash.put(placeholder{kind: phLink, target: href, text: label}))
	return next
}

// unknownComponent begins a block for a component that begins a line and
// encloses something.
func (h *htmlConverter) unknownComponent(t tag, i, next int) {
	before := h.src[strings.LastIndexByte(h.src[:i], '\n')+1 : i]
	if strings.TrimSpace(before) != "" || !h.encloses(t, next) {
		return
	}
	h.startBlock()
	if title := t.attr("title") + t.attr("label"); title != "" {
		h.write(h.stash.wrap("strong", h.stash.put(placeholder{kind: phText, text: title})))
		h.startBlock()
	}
	h.push(openElement{name: t.name, strip: -1})
}
