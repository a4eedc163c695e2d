package markdown

import (
	"strconv"
	"strings"
)

// equationKey returns the form of an equation's label that labels are compared
// in.
func equationKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// anchorID returns the anchor that most generators give a heading: letters and
// digits, in lower case, with a dash for blanks.
func anchorID(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		switch {
		case r == ' ' || r == '-':
			dash = b.Len() > 0
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r >= 0xc0 && r < 0x2000, r > 0x2e7f && r < 0xe000:
			if dash {
				b.WriteByte('-')
				dash = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// franklinID returns the anchor that Franklin gives a heading.
func franklinID(s string) string {
	return strings.ReplaceAll(anchorID(strings.ReplaceAll(s, "_", "-")), "-", "_")
}

// unique returns id, or id with a number if it has been given before; seen
// counts.
func (p *page) unique(id string, seen map[string]int) string {
	if id == "" {
		id = "section"
	}
	seen[id]++
	n := seen[id]
	switch {
	case n == 1:
		return id
	case p.dialect == Franklin:
		return id + "__" + strconv.Itoa(n)
	}
	return id + "-" + strconv.Itoa(n-1)
}
