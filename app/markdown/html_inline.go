package markdown

import (
	"strings"

	"sheaf/app/markup"
)

// inlineElementOf names the element of the tree for an inline element of HTML.
var inlineElementOf = map[string]string{
	"b": "strong", "strong": "strong",
	"i": "em", "em": "em", "cite": "em", "dfn": "em", "var": "em", "u": "em",
	"del": "del", "s": "del", "strike": "del",
	"sup": "sup", "sub": "sub", "kbd": "kbd", "mark": "mark",
}

// startInline handles the start tags of elements that stand within text, and
// of those that show nothing; it is not ok for others.
func (h *htmlConverter) startInline(t markup.Tag, next int) (after int, ok bool) {
	switch t.Name {
	case "br":
		h.write(h.stash.put(placeholder{kind: phBreak, src: " "}))
	case "img":
		h.image(t)
	case "image": // Astro's; SVG has an element of that name
		if t.Typed != "Image" {
			return 0, false
		}
		h.image(t)
	case "a":
		return h.link(t, next), true
	case "q":
		h.write("“")
	case "rt":
		h.write("(")
	case "rp", "title":
		return h.skip(t, next), true
	case "textarea":
	case "input":
		if t.Attr("type") == "checkbox" {
			box := "☐"
			if t.Has("checked") {
				box = "☑"
			}
			h.write(box)
		}
	default:
		return 0, false
	}
	return next, true
}

// image writes an image. Its address may stand in an attribute of a script
// that loads images late.
func (h *htmlConverter) image(t markup.Tag) {
	src := t.Attr("src")
	for _, k := range []string{"data-src", "srcset", "data-original"} {
		if src == "" || strings.HasPrefix(src, "data:") && t.Attr(k) != "" {
			src, _, _ = strings.Cut(t.Attr(k), " ")
		}
	}
	src = strings.TrimSpace(h.stash.restore(src))
	alt := strings.Join(strings.Fields(h.stash.text(t.Attr("alt"))), " ")
	if src == "" && alt == "" {
		return
	}
	title := h.stash.text(t.Attr("title"))
	h.write(h.stash.put(placeholder{kind: phImage, target: src, text: alt, title: title}))
}

const maxLinkInside = 20000 // bytes between the tags of a link

// link writes an a element and returns where to go on. Blocks in it become its
// text; without a text it shows the host, or nothing if it is only a target of
// other links.
func (h *htmlConverter) link(t markup.Tag, next int) int {
	href := strings.TrimSpace(h.stash.restore(t.Attr("href")))
	if href == "" || t.Empty {
		return next
	}
	end := h.endOf(next, "a")
	if end < 0 || end-next > maxLinkInside {
		h.write(h.stash.put(placeholder{kind: phLink, target: href, text: hostOf(href)}))
		return next
	}
	text := h.convertInline(h.inside(next, end))
	title := h.stash.text(t.Attr("title"))
	if text == "" {
		if strings.HasPrefix(href, "#") ||
			t.FirstAttr("title", "aria-label") == "" && !strings.Contains(href, ":") {
			return end
		}
		text = h.stash.put(placeholder{kind: phText, text: hostOf(href)})
	}
	h.writeLink(href, title, text)
	return end
}

func (h *htmlConverter) writeLink(target, title, text string) {
	h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "a", target: target, title: title, src: "["}) +
		text + h.stash.put(placeholder{kind: phInlineClose, name: "a"}))
}
