package markdown

import (
	"strconv"
	"strings"
)

// equationKey brings the label of an equation to the form it is known by.
func equationKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// anchorID makes the anchor of a heading as most generators do.
func anchorID(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		switch {
		case r == ' ' || r == '-':
			dash = b.Len() > 0
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r >= 0xc0 && r < 0x2000 || r > 0x2e7f && r < 0xe000:
			if dash {
				b.WriteByte('-')
				dash = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// franklinID makes the anchor Franklin gives a heading.
func franklinID(s string) string {
	return strings.ReplaceAll(anchorID(strings.ReplaceAll(s, "_", "-")), "-", "_")
}

// unique gives id, with a number behind it if it was given before.
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
