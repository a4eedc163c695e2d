package tui

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// openLink goes where a link leads: to a heading of the same text, to another
// post, or, as an address on the reader's clipboard, elsewhere.
func (b *browser) openLink(from *blog.Post, target string, inside func(heading string)) {
	if p, heading, ok := b.edition.Resolve(from, target); ok && p != nil {
		if p == from {
			inside(heading)
		} else {
			b.openPost(p, atHeading(heading))
		}
		return
	}
	target = markdown.Line(target)
	if i := strings.Index(target, ":"); i <= 0 || strings.HasPrefix(target, "#") {
		b.say("not in this blog: " + target)
		return
	}
	target = strings.TrimPrefix(target, "mailto:")
	b.paint.Copy(target)
	b.say("copied: " + target)
}

// restyled gives some cells of a line another style.
func restyled(line string, col, cells int, st typeset.Style) string {
	if w := ansi.StringWidth(line); col+cells > w {
		cells = w - col
	}
	if cells <= 0 {
		return line
	}
	text := ansi.Strip(ansi.Cut(line, col, col+cells))
	return ansi.Truncate(line, col, "") + "\x1b[m" + st.On(text) + ansi.TruncateLeft(line, col+cells, "")
}

// host is the host in addresses; "" if it is not known.
func (b *browser) host() blog.Host {
	return cmp.Or(b.conf.Host, b.edition.Site().Host)
}
