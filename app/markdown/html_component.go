package markdown

import "strings"

// component takes a JSX element: known ones by what their attributes say,
// others by their inside.
func (h *htmlConverter) component(t tag, i, next int) int {
	name := strings.ToLower(t.typed)
	switch {
	case t.attr("src") != "" && (strings.Contains(name, "image") || strings.Contains(name, "img") || strings.Contains(name, "figure") || strings.Contains(name, "picture") || t.has("alt")):
		h.image(t)
		if c := t.attr("caption"); c != "" {
			h.startBlock()
			h.write(h.stash.literal(c))
			h.startBlock()
		}
		return next
	case strings.Contains(name, "youtube") || strings.Contains(name, "vimeo") || strings.Contains(name, "tweet") || strings.Contains(name, "gist"):
		for _, k := range []string{"id", "videoid", "url", "src", "href"} {
			if v := t.attr(k); v != "" {
				h.startBlock()
				h.write(h.serviceLink(name, v))
				h.startBlock()
				break
			}
		}
		return next
	case t.attr("src") != "" && (strings.Contains(name, "video") || strings.Contains(name, "audio")):
		t.name = "video"
		h.media(t)
		return next
	case calloutNames[name] != "" && !t.empty && h.singleLine == 0 && h.endOf(next, t.name) > 0:
		kind := calloutNames[name]
		for _, k := range []string{"type", "kind", "variant", "intent"} {
			if c := calloutNames[strings.ToLower(t.attr(k))]; c != "" {
				kind = c
			}
		}
		h.startBlock()
		h.openCallout(t.name, kind, t.attr("title"), false)
		return next
	case strings.Contains(name, "details") || strings.Contains(name, "collapse") || strings.Contains(name, "accordion") || strings.Contains(name, "spoiler"):
		if title := t.attr("title") + t.attr("summary"); !t.empty && title != "" && h.singleLine == 0 && h.endOf(next, t.name) > 0 {
			h.startBlock()
			h.w.write("> " + h.stash.put(placeholder{kind: phDetails, text: title}))
			h.push(openElement{name: t.name, prefix: "> ", strip: -1})
			h.w.writeByte('\n')
			h.w.write(h.prefix())
			h.newBlock, h.newLine = true, true
			return next
		}
	case t.attr("href") != "":
		if e := h.endOf(next, t.name); e > 0 && !t.empty {
			text := h.convertInline(h.inside(next, e))
			if text == "" {
				text = h.stash.put(placeholder{kind: phText, text: hostOf(t.attr("href"))})
			}
			h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "a", target: t.attr("href"), src: "["}) + text + h.stash.put(placeholder{kind: phInlineClose, name: "a"}))
			return e
		}
		label := t.attr("title")
		if label == "" {
			label = hostOf(t.attr("href"))
		}
		h.write(h.stash.put(placeholder{kind: phLink, target: t.attr("href"), text: label}))
		return next
	}
	if strings.TrimSpace(h.src[strings.LastIndexByte(h.src[:i], '\n')+1:i]) == "" && !t.empty && h.singleLine == 0 && h.endOf(next, t.name) > 0 {
		h.startBlock()
		if title := t.attr("title") + t.attr("label"); title != "" {
			h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "strong"}) + h.stash.put(placeholder{kind: phText, text: title}) + h.stash.put(placeholder{kind: phInlineClose, name: "strong"}))
			h.startBlock()
		}
		h.push(openElement{name: t.name, strip: -1})
	}
	return next
}
