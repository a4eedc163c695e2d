package markdown

import (
	"net/url"
	"path"
	"strings"
)

var inlineElementOf = map[string]string{"b": "strong", "strong": "strong", "i": "em", "em": "em", "cite": "em", "dfn": "em", "var": "em", "u": "em",
	"del": "del", "s": "del", "strike": "del", "sup": "sup", "sub": "sub", "kbd": "kbd", "mark": "mark"}

func (h *htmlConverter) image(t tag) {
	src := t.attr("src")
	for _, k := range []string{"data-src", "srcset", "data-original"} {
		if src == "" || strings.HasPrefix(src, "data:") && t.attr(k) != "" {
			src, _, _ = strings.Cut(t.attr(k), " ")
		}
	}
	src = strings.TrimSpace(h.stash.restore(src))
	alt := strings.Join(strings.Fields(h.stash.text(t.attr("alt"))), " ")
	if src == "" && alt == "" {
		return
	}
	h.write(h.stash.put(placeholder{kind: phImage, target: src, text: alt, title: h.stash.text(t.attr("title"))}))
}

// link begins a link; one that holds blocks becomes a paragraph's text.
func (h *htmlConverter) link(t tag, next int) int {
	href := strings.TrimSpace(h.stash.restore(t.attr("href")))
	if href == "" || t.empty {
		return next
	}
	e := h.endOf(next, "a")
	if e < 0 || e-next > 20000 {
		h.write(h.stash.put(placeholder{kind: phLink, target: href, text: hostOf(href)}))
		return next
	}
	inside := h.inside(next, e)
	text := h.convertInline(inside)
	if text == "" {
		if strings.HasPrefix(href, "#") || t.attr("title") == "" && t.attr("aria-label") == "" && !strings.Contains(href, ":") {
			return e
		}
		text = h.stash.put(placeholder{kind: phText, text: hostOf(href)})
	}
	h.write(h.stash.put(placeholder{kind: phInlineOpen, name: "a", target: href, title: h.stash.text(t.attr("title")), src: "["}) + text + h.stash.put(placeholder{kind: phInlineClose, name: "a"}))
	return e
}

func hostOf(target string) string {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Host, "www.")
	}
	return path.Base(target)
}

// media writes a link for what only a browser can play.
func (h *htmlConverter) media(t tag) {
	src := strings.TrimSpace(h.stash.restore(t.attr("src")))
	if src == "" {
		src = strings.TrimSpace(t.attr("data"))
	}
	if src == "" || t.name == "track" {
		h.startBlock()
		return
	}
	what := map[string]string{"iframe": "frame", "embed": "object", "source": "media"}[t.name]
	if what == "" {
		what = t.name
	}
	switch host := hostOf(src); {
	case strings.Contains(host, "youtube") || strings.Contains(host, "youtu.be") || strings.Contains(host, "vimeo") || strings.Contains(host, "bilibili"):
		what = "video"
	}
	label := strings.TrimSpace(t.attr("title"))
	if label == "" {
		label = hostOf(src)
	}
	h.startBlock()
	h.write(h.stash.put(placeholder{kind: phLink, target: src, text: "[" + what + ": " + label + "]"}))
	h.startBlock()
}
