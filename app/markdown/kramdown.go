package markdown

import "strings"

// abbreviation returns the length of kramdown's *[abbr]: meaning at i, which
// shows nothing; 0 if there is none.
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

// attributeList reads what kramdown writes in {: } at i, and returns the text
// that stands for it and its length; n is 0 if there is none.
//
// Kept are {:toc}, as a table of contents, and the #id of {: #id .class k=v} in
// a heading or on the line below one. Dropped without a trace are all other
// attributes of blocks and spans, definitions ({:name: .class}), extensions
// ({::options /}, {::nomarkdown}) and their ends ({:/}); with {::comment} goes
// everything up to its end. MDX has none of this, and plain Markdown only what
// has a blank behind the colon.
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
		return p.stash.put(placeholder{kind: phContents, n: 16}), end + 1
	case strings.HasPrefix(inside, ":comment"):
		if k := strings.Index(s[i:], "{:/"); k > 0 {
			if e := strings.IndexByte(s[i+k:], '}'); e > 0 {
				return "", k + e + 1
			}
		}
	}
	k := strings.IndexByte(inside, '#')
	if k >= 0 && strings.HasPrefix(strings.TrimLeft(lineAround(s, i), " "), "#") {
		id, _, _ := strings.Cut(inside[k+1:], " ")
		return p.stash.put(placeholder{kind: phID, name: id}), end + 1
	}
	return "", end + 1
}
