package markdown

import "strings"

// component takes a JSX element: known ones by what their attributes say,
// others by their inside.
func (h *markup) component(t tag, i, next int) int {
	name := strings.ToLower(t.typed)
	switch {
	case t.attr("src") != "" && (strings.Contains(name, "image") || strings.Contains(name, "img") || strings.Contains(name, "figure") || strings.Contains(name, "picture") || t.has("alt")):
		h.image(t)
		if c := t.attr("caption"); c != "" {
			h.para()
			h.write(h.marks.put(mark{kind: markText, a: c, src: c}))
			h.para()
		}
		return next
	case strings.Contains(name, "youtube") || strings.Contains(name, "vimeo") || strings.Contains(name, "tweet") || strings.Contains(name, "gist"):
		for _, k := range []string{"id", "videoid", "url", "src", "href"} {
			if v := t.attr(k); v != "" {
				h.para()
				h.write(h.service(name, v))
				h.para()
				break
			}
		}
		return next
	case t.attr("src") != "" && (strings.Contains(name, "video") || strings.Contains(name, "audio")):
		t.name = "video"
		h.media(t)
		return next
	case callouts[name] != "" && !t.empty && h.flat == 0 && h.ends(next, t.name) > 0:
		kind := callouts[name]
		for _, k := range []string{"type", "kind", "variant", "intent"} {
			if c := callouts[strings.ToLower(t.attr(k))]; c != "" {
				kind = c
			}
		}
		h.para()
		h.callout(t.name, kind, t.attr("title"), false)
		return next
	case strings.Contains(name, "details") || strings.Contains(name, "collapse") || strings.Contains(name, "accordion") || strings.Contains(name, "spoiler"):
		if title := t.attr("title") + t.attr("summary"); !t.empty && title != "" && h.flat == 0 && h.ends(next, t.name) > 0 {
			h.para()
			h.w.str("> " + h.marks.put(mark{kind: markDetails, a: title}))
			h.push(frame{name: t.name, prefix: "> ", strip: -1})
			h.w.byte('\n')
			h.w.str(h.prefix())
			h.fresh, h.bol = true, true
			return next
		}
	case t.attr("href") != "":
		if e := h.ends(next, t.name); e > 0 && !t.empty {
			text := h.inline(h.inside(next, e))
			if text == "" {
				text = h.marks.put(mark{kind: markText, a: hostOf(t.attr("href"))})
			}
			h.write(h.marks.put(mark{kind: markOpen, a: "a", b: t.attr("href"), src: "["}) + text + h.marks.put(mark{kind: markClose, a: "a"}))
			return e
		}
		label := t.attr("title")
		if label == "" {
			label = hostOf(t.attr("href"))
		}
		h.write(h.marks.put(mark{kind: markLink, a: t.attr("href"), b: label}))
		return next
	}
	if strings.TrimSpace(h.s[strings.LastIndexByte(h.s[:i], '\n')+1:i]) == "" && !t.empty && h.flat == 0 && h.ends(next, t.name) > 0 {
		h.para()
		if title := t.attr("title") + t.attr("label"); title != "" {
			h.write(h.marks.put(mark{kind: markOpen, a: "strong"}) + h.marks.put(mark{kind: markText, a: title}) + h.marks.put(mark{kind: markClose, a: "strong"}))
			h.para()
		}
		h.push(frame{name: t.name, strip: -1})
	}
	return next
}
