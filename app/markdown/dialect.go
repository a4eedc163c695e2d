package markdown

import (
	"slices"
	"strings"
)

// resolveDialect returns the dialect of a source: the one asked for, else the
// one its own marks name, else its site's.
func resolveDialect(s string, o Options) Dialect {
	if o.Dialect != Auto {
		return o.Dialect
	}
	site := Auto
	if o.Site != nil {
		site = o.Site.dialect
	}
	if d := detect(s, o.Path, site); d != Auto {
		return d
	}
	if site != Auto && site != Plain {
		return site
	}
	return Plain
}

const maxDetect = 32 << 10 // bytes of a source that are looked at

// detect names the dialect whose marks are in the source. It reads the front
// matter and the beginning only, and says Auto rather than guess. A site is
// one generator's: a stray mark in the text of a page does not change that.
func detect(s, path string, site Dialect) Dialect {
	if strings.HasSuffix(path, ".mdx") {
		return MDX
	}
	head := s[:min(len(s), maxDetect)]
	if d := detectFront(head, site); d != Auto {
		return d
	}
	if site != Auto && site != Plain {
		return Auto
	}
	return detectBody(head)
}

// detectFront names the dialect that has the front matter of a source.
func detectFront(head string, site Dialect) Dialect {
	t := strings.TrimLeft(head, " \t\n")
	switch {
	case strings.HasPrefix(t, "@def "):
		return Franklin
	case strings.Contains(head, "\n@def "):
		if outsideFences(head, "@def ") {
			return Franklin
		}
	case strings.HasPrefix(t, "+++\n"), strings.HasPrefix(t, "+++ "):
		block, _, _ := strings.Cut(t[3:], "\n+++")
		switch {
		case strings.Contains(block, "\n[taxonomies]"), strings.Contains(block, "\n[extra]"):
			return Zola
		case site == Franklin, strings.Contains(block, "= Date("), strings.Contains(block, "=Date("):
			return Franklin
		}
	}
	if site == Franklin && strings.HasPrefix(t, "---\n") {
		// Franklin has no such front matter: the page was written for others.
		if f, _, problems := splitFront(head); f.Kind == YAML || len(problems) > 0 {
			return Plain
		}
	}
	return Auto
}

// detectBody names the dialect of the marks in the text of a source.
func detectBody(head string) Dialect {
	t := strings.TrimLeft(head, " \t\n")
	switch {
	case beginsLine(head, "\\newcommand{", "@@", "\\toc", "{{fill "):
		return Franklin
	case outsideCode(head, "{{<"), outsideCode(head, "{{%"):
		return Hugo
	case !strings.Contains(head, "{{"):
	case strings.Contains(head, " | url }}"), anyLine(head, filtered):
		return Eleventy
	case outsideCode(head, "{{ site."), outsideCode(head, "{{site."), outsideCode(head, "{{ page."):
		return Jekyll
	}
	switch {
	case outsideCode(head, "{%"):
		switch {
		case strings.HasPrefix(t, "+++"):
			return Zola
		case strings.Contains(head, "{% image "):
			return Eleventy
		}
		return Jekyll
	case strings.HasPrefix(t, "---\n") && (strings.Contains(head, "\nlayout: ") || strings.Contains(head, "\n{:")):
		return Jekyll
	case strings.Contains(head, "[[") && anyLine(head, wikilinked):
		return Obsidian
	case outsideFences(head, "import ") && strings.Contains(head, " from ") && strings.Contains(head, "/>"):
		return MDX
	}
	return Auto
}

// filtered reports whether a line shows a literal through a template's filter:
// {{ "/x/" | url }}.
func filtered(line string) bool {
	i := strings.Index(line, "{{")
	if i < 0 || strings.Count(line[:i], "`")%2 != 0 {
		return false
	}
	inside, _, ok := strings.Cut(line[i+2:], "}}")
	inside = strings.TrimSpace(inside)
	return ok && inside != "" && (inside[0] == '"' || inside[0] == '\'') && strings.Contains(inside, " | ")
}

// wikilinked reports whether a line has an [[address]] that can be nothing
// else.
func wikilinked(line string) bool {
	i := strings.Index(line, "[[")
	if i < 0 || i > 0 && line[i-1] == '[' || strings.Count(line[:i], "`")%2 != 0 || strings.HasPrefix(line, "    ") {
		return false
	}
	n := strings.Index(line[i:], "]]")
	rest := line[max(i+n, 0):]
	return n > 2 && !strings.ContainsAny(line[i+2:i+n], "[]\"'=;`") &&
		(len(rest) == 2 || strings.IndexByte("([:]", rest[2]) < 0)
}

// outsideFences reports whether a line outside fenced code begins with mark.
func outsideFences(s, mark string) bool {
	return strings.Contains(s, mark) && anyLine(s, func(line string) bool { return strings.HasPrefix(line, mark) })
}

// beginsLine reports whether a line outside fenced code begins with one of some
// marks.
func beginsLine(s string, marks ...string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return outsideFences(s, mark) })
}

// outsideCode reports whether mark stands in a line outside fenced code with
// no code span before it.
func outsideCode(s, mark string) bool {
	return strings.Contains(s, mark) && anyLine(s, func(line string) bool {
		i := strings.Index(line, mark)
		return i >= 0 && strings.Count(line[:i], "`")%2 == 0 && !strings.HasPrefix(line, "    ")
	})
}

// anyLine reports whether found is true of a line outside fenced code.
func anyLine(s string, found func(string) bool) bool {
	var code fenceState
	for len(s) > 0 {
		var line string
		line, s, _ = strings.Cut(s, "\n")
		if follow(&code, line) || code.open() {
			continue
		}
		if found(line) {
			return true
		}
	}
	return false
}
