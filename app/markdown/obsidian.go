package markdown

import (
	"path"
	"slices"
	"strings"

	"sheaf/app/srcmap"
)

// obsidianPass takes [[links]] and ![[embeds]], which other dialects have too,
// and Obsidian's ==marks==, %%comments%% and ^ids.
func (p *page) obsidianPass(in srcmap.Text) srcmap.Text {
	r := srcmap.NewRewriter(in)
	s := in.Text
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			i += 2
			continue
		}
		text, next := "", 0
		if rest := s[i:]; strings.HasPrefix(rest, "[[") || strings.HasPrefix(rest, "![[") {
			text, next = p.wikilink(s, i)
		} else if p.dialect == Obsidian {
			text, next = p.obsidianMark(s, i)
		}
		if next == 0 {
			i++
			continue
		}
		i = r.Replace(i, next, text)
	}
	return r.Finish()
}

// obsidianMark reads what only Obsidian has at i, and returns the text that
// takes its place and where to go on; next is 0 if there is nothing.
func (p *page) obsidianMark(s string, i int) (text string, next int) {
	switch {
	case strings.HasPrefix(s[i:], "=="):
		line := lineAt(s, i+2)
		n := strings.Index(line, "==")
		if n > 0 && line[0] != ' ' && line[0] != '=' && line[n-1] != ' ' {
			return p.stash.put(placeholder{kind: phInlineOpen, name: "mark", src: "=="}) + line[:n] +
				p.stash.put(placeholder{kind: phInlineClose, name: "mark", src: "=="}), i + n + 4
		}
		n = runOf(s[i:], '=')
		return s[i : i+n], i + n
	case strings.HasPrefix(s[i:], "%%"):
		if n := strings.Index(s[i+2:], "%%"); n >= 0 {
			return "", i + n + 4
		}
		return "", len(s)
	case s[i] == '^' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\n'):
		if isBlockID(strings.TrimSpace(lineAt(s, i+1))) {
			return "", eol(s, i)
		}
	}
	return "", 0
}

func isBlockID(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || !isWord(s[i]) && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

const maxWikiTarget = 120 // bytes; outside Obsidian a longer one is no link

// wikilink reads the [[target#heading|text]] or ![[...]] at i, and returns the
// link or image that it is and where to go on; next is 0 if it is neither.
// Outside Obsidian, brackets that may be an array, a command or a link of
// Markdown are left alone.
func (p *page) wikilink(s string, i int) (text string, next int) {
	open := i + 2
	embedded := s[i] == '!'
	if embedded {
		open++
	}
	line := lineAt(s, open)
	n := strings.Index(line, "]]")
	if n <= 0 || strings.Contains(line[:n], "[[") {
		return "", 0
	}
	next = open + n + 2
	target, shown, named := strings.Cut(strings.ReplaceAll(line[:n], `\|`, "|"), "|")
	target = strings.TrimSpace(p.stash.restore(target))
	if p.dialect != Obsidian &&
		(i > 0 && s[i-1] == '[' || next < len(s) && strings.IndexByte("([:]", s[next]) >= 0 ||
			strings.ContainsAny(target, "\"'=,") || len(target) > maxWikiTarget) {
		return "", 0
	}
	page, heading, hasHeading := strings.Cut(target, "#")
	shown = strings.TrimSpace(p.stash.text(shown))
	src := s[i:next]
	if embedded && strings.Trim(shown, "0123456789x") == "" { // a size
		shown, named = "", false
	}
	if embedded && slices.Contains(wikiImages, strings.ToLower(path.Ext(page))) {
		return p.stash.put(placeholder{kind: phImage, target: page, text: shown, src: src}), next
	}
	if !named || shown == "" {
		shown = wikiText(page, heading, hasHeading)
		if shown == "" {
			shown = strings.TrimPrefix(target, "#")
		}
	}
	if hasHeading || page == "" {
		id := heading
		if page != "" {
			id = strings.TrimPrefix(id, "^")
		}
		target = page + "#" + anchorID(id)
	}
	return p.stash.put(placeholder{kind: phLink, target: target, text: shown, src: src}), next
}

// wikiImages are the endings of files that an embed shows as an image.
var wikiImages = []string{".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif"}

// wikiText returns what a link without a text shows: the page's name, and the
// headings, but no ids of blocks.
func wikiText(page, heading string, hasHeading bool) string {
	shown := page
	if strings.Contains(page, "/") && path.Ext(page) == "" {
		shown = path.Base(page)
	}
	if hasHeading && !strings.HasPrefix(heading, "^") {
		if shown != "" {
			shown += " › "
		}
		shown += strings.ReplaceAll(heading, "#", " › ")
	}
	return shown
}
