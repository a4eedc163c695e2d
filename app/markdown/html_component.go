package markdown

import (
	"strings"

	"sheaf/app/markup"
)

// isComponent reports whether a start tag is one of a JSX component: it begins
// with a capital letter or, in MDX, has a dot in its name, and it is no
// element of HTML that somebody wrote in capitals.
func (h *htmlConverter) isComponent(t markup.Tag) bool {
	if h.dialect == MDX && strings.Contains(t.Name, ".") {
		return true
	}
	capital := t.Typed[0] >= 'A' && t.Typed[0] <= 'Z'
	return capital && (h.dialect == MDX || t.Attrs != "" || t.Empty) && (!markup.IsKnown(t.Name) || t.Typed == "Aside")
}

// component writes what the start tag of a JSX component from i to next stands
// for, and returns where to go on. What it is its name and its attributes say:
// an image, something of a service, a video, a call-out, details, a link.
// Of others the text inside stays, below their title.
func (h *htmlConverter) component(t markup.Tag, i, next int) int {
	name := strings.ToLower(t.Typed)
	is := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
		return false
	}
	src := t.Attr("src")
	switch {
	case src != "" && (is("image", "img", "figure", "picture") || t.Has("alt")):
		h.image(t)
		if c := t.Attr("caption"); c != "" {
			h.paragraph(h.stash.literal(c))
		}
	case is("youtube", "vimeo", "tweet", "gist"):
		if id := t.FirstAttr("id", "videoid", "url", "src", "href"); id != "" {
			h.paragraph(h.serviceLink(name, id))
		}
	case src != "" && is("video", "audio"):
		t.Name = "video"
		h.media(t)
	case calloutNames[name] != "" && h.encloses(t, next):
		kind := calloutNames[name]
		for _, k := range []string{"type", "kind", "variant", "intent"} {
			if c := calloutNames[strings.ToLower(t.Attr(k))]; c != "" {
				kind = c
			}
		}
		h.startBlock()
		h.openBox(openElement{name: t.Name}, placeholder{kind: phCallout, name: kind, title: t.Attr("title")})
	case is("details", "collapse", "accordion", "spoiler"):
		title := t.Attr("title") + t.Attr("summary")
		if title == "" || !h.encloses(t, next) {
			h.unknownComponent(t, i, next)
			break
		}
		h.startBlock()
		h.openBox(openElement{name: t.Name}, placeholder{kind: phDetails, text: title})
	case t.Attr("href") != "":
		return h.componentLink(t, next)
	default:
		h.unknownComponent(t, i, next)
	}
	return next
}

// componentLink writes a component that has an href, and returns where to go
// on.
func (h *htmlConverter) componentLink(t markup.Tag, next int) int {
	href := t.Attr("href")
	if end := h.endOf(next, t.Name); end > 0 && !t.Empty {
		text := h.convertInline(h.inside(next, end))
		if text == "" {
			text = h.stash.put(placeholder{kind: phText, text: hostOf(href)})
		}
		h.writeLink(href, "", text)
		return end
	}
	label := t.Attr("title")
	if label == "" {
		label = hostOf(href)
	}
	h.write(h.stash.put(placeholder{kind: phLink, target: href, text: label}))
	return next
}

// unknownComponent begins a block for a component that begins a line and
// encloses something.
func (h *htmlConverter) unknownComponent(t markup.Tag, i, next int) {
	before := h.src[strings.LastIndexByte(h.src[:i], '\n')+1 : i]
	if strings.TrimSpace(before) != "" || !h.encloses(t, next) {
		return
	}
	h.startBlock()
	if title := t.Attr("title") + t.Attr("label"); title != "" {
		h.write(h.stash.wrap("strong", h.stash.put(placeholder{kind: phText, text: title})))
		h.startBlock()
	}
	h.push(openElement{name: t.Name, strip: -1})
}
