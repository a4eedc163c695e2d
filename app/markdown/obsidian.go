package markdown

import (
	"path"
	"strings"
)

// obsidianPass takes [[links]], ![[embeds]], ==marks==, %%comments%% and ^ids.
func (p *page) obsidianPass(in mappedText) mappedText {
	w := newMappedWriter(in)
	s := in.text
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		var text string
		next := 0
		switch {
		case c == '\\':
			i += 2
			continue
		case c == '!' && strings.HasPrefix(s[i:], "![["), c == '[' && strings.HasPrefix(s[i:], "[["):
			text, next = p.wikilink(s, i)
		case c == '=' && strings.HasPrefix(s[i:], "==") && p.dialect == Obsidian:
			line := s[i+2 : eol(s, i)]
			if n := strings.Index(line, "=="); n > 0 && line[0] != ' ' && line[0] != '=' && line[n-1] != ' ' {
				text = p.stash.put(placeholder{kind: phInlineOpen, name: "mark", src: "=="}) + line[:n] + p.stash.put(placeholder{kind: phInlineClose, name: "mark", src: "=="})
				next = i + n + 4
			} else {
				i += runOf(s[i:], '=')
				continue
			}
		case c == '%' && strings.HasPrefix(s[i:], "%%") && p.dialect == Obsidian:
			if n := strings.Index(s[i+2:], "%%"); n >= 0 {
				next = i + n + 4
			} else {
				next = len(s)
			}
		case c == '^' && p.dialect == Obsidian && (i == 0 || s[i-1] == ' ' || s[i-1] == '\n'):
			end := eol(s, i)
			if id := strings.TrimSpace(s[i+1 : end]); id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" {
				next = end
			}
		}
		if next == 0 {
			i++
			continue
		}
		w.copyRange(in, from, i)
		w.write(text)
		w.line = in.sourceLine(next)
		i, from = next, next
	}
	w.copyRange(in, from, len(s))
	return w.text()
}

// wikilink reads the [[target#heading|text]] or ![[...]] at i.
func (p *page) wikilink(s string, i int) (text string, next int) {
	open := i + 2
	if s[i] == '!' {
		open++
	}
	line := s[open:eol(s, i)]
	n := strings.Index(line, "]]")
	if n <= 0 || strings.Contains(line[:n], "[[") {
		return "", 0
	}
	next = open + n + 2
	src := s[i:next]
	target, shown, named := strings.Cut(strings.ReplaceAll(line[:n], `\|`, "|"), "|")
	target = strings.TrimSpace(p.stash.restore(target))
	page, heading, hasHeading := strings.Cut(target, "#")
	if p.dialect != Obsidian && (i > 0 && s[i-1] == '[' || next < len(s) && strings.IndexByte("([:]", s[next]) >= 0 || strings.ContainsAny(target, "\"'=,") || len(target) > 120) {
		return "", 0
	}
	shown = strings.TrimSpace(p.stash.text(shown))
	if s[i] == '!' {
		switch strings.ToLower(path.Ext(page)) {
		case ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif":
			if strings.Trim(shown, "0123456789x") == "" {
				shown = ""
			}
			return p.stash.put(placeholder{kind: phImage, target: page, text: shown, src: src}), next
		}
		if strings.Trim(shown, "0123456789x") == "" {
			named = false
		}
	}
	if !named || shown == "" {
		shown = page
		if strings.Contains(page, "/") && path.Ext(page) == "" {
			shown = path.Base(page)
		}
		if hasHeading {
			h := strings.TrimPrefix(heading, "^")
			if h == heading {
				h = strings.ReplaceAll(h, "#", " › ")
				if shown != "" {
					shown += " › "
				}
				shown += h
			}
		}
		if shown == "" {
			shown = strings.TrimPrefix(target, "#")
		}
	}
	if page == "" {
		target = "#" + anchorID(heading)
	} else if hasHeading {
		target = page + "#" + anchorID(strings.TrimPrefix(heading, "^"))
	}
	return p.stash.put(placeholder{kind: phLink, target: target, text: shown, src: src}), next
}
