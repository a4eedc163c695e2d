// Package markup reads single tags as they stand in the sources of posts: those
// of HTML and JSX ([Tag]), and those of the template languages of site
// generators ([Shortcode]).
//
// [TagAt] and [ShortcodeAt] take what a text begins with, and are lenient: what
// authors write is not always well formed, and what is no tag must stay text.
// They know nothing of what a tag means, and nothing of Markdown. Every search
// is bounded in length or passes over its text once.
package markup

import (
	"html"
	"strings"
)

// Tag is one tag of HTML or JSX as it stands in a source.
type Tag struct {
	Name    string // lower case
	Typed   string // as written
	Attrs   string // what stands between the name and the end
	Closing bool
	Empty   bool // <br/>
}

const (
	maxTagName = 60
	maxTagLen  = 8000 // from the end of the name on
)

// TagAt reads the tag s begins with, and returns its length; n is 0 if s does
// not begin with a tag. A tag may go over several lines but not over a blank
// one. Attributes are not checked: quotes count only behind =, and braces of
// JSX may hold anything.
func TagAt(s string) (t Tag, n int) {
	if len(s) < 3 || s[0] != '<' {
		return t, 0
	}
	from := 1
	if s[from] == '/' {
		t.Closing = true
		from++
	}
	i := from
	for i < len(s) && i-from < maxTagName && isTagNameByte(s[i], i == from) {
		i++
	}
	if i == from || i >= len(s) || strings.IndexByte(">/ \n\t", s[i]) < 0 {
		return t, 0
	}
	t.Typed = s[from:i]
	t.Name = strings.ToLower(t.Typed)
	if strings.HasSuffix(t.Name, ":") || strings.HasPrefix(s[i:], "//") {
		return t, 0 // <https://...>
	}
	end := attributesEnd(s[i:min(len(s), i+maxTagLen)])
	if end < 0 {
		return t, 0
	}
	t.Attrs, t.Empty = strings.CutSuffix(s[i:i+end], "/")
	return t, i + end + 1
}

func isTagNameByte(c byte, first bool) bool {
	return isLetter(c) || !first && (isDigit(c) || strings.IndexByte("-._:", c) >= 0)
}

// attributesEnd returns the offset of the > that ends the tag whose attributes
// s begins with; -1: there is none.
func attributesEnd(s string) int {
	braces := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '>' && braces == 0:
			return i
		case (c == '"' || c == '\'') && strings.HasSuffix(strings.TrimRight(s[:i], " "), "="):
			q := strings.IndexByte(s[i+1:], c)
			if q < 0 {
				return -1
			}
			i += q + 2
			continue
		case c == '{': // a JSX expression
			braces++
		case c == '}':
			braces = max(braces-1, 0)
		case c == '<' && braces == 0:
			return -1
		case c == '\n' && strings.HasPrefix(strings.TrimLeft(s[i+1:], " \t"), "\n"):
			return -1
		}
		i++
	}
	return -1
}

// Attr returns the value of an attribute with its entities decoded, "" if
// there is none.
func (t Tag) Attr(name string) string {
	v, _ := attribute(t.Attrs, name)
	return v
}

// FirstAttr returns the first of some attributes that has a value.
func (t Tag) FirstAttr(names ...string) string {
	for _, n := range names {
		if v := t.Attr(n); v != "" {
			return v
		}
	}
	return ""
}

// Has reports whether an attribute is there, with or without a value.
func (t Tag) Has(name string) bool {
	_, ok := attribute(t.Attrs, name)
	return ok
}

// attribute returns the value of the first attribute of a name, in the
// attributes of HTML and JSX and in the arguments of shortcodes: name="v",
// name='v', name=v, name={v} and name alone, parted by blanks, commas or
// slashes. Entities are decoded; of a JSX expression the quotes around a
// string go, anything else in it stays as typed. A quote or brace without an
// end takes all that follows. Names count without regard to case.
func attribute(s, name string) (value string, ok bool) {
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] <= ' ' || s[i] == '/' || s[i] == ',') {
			i++
		}
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != '=' {
			i++
		}
		key := s[from:i]
		equals := skipBlanks(s, i)
		if equals >= len(s) || s[equals] != '=' {
			if key != "" && strings.EqualFold(key, name) {
				return "", true
			}
			if i == from {
				i++
			}
			continue
		}
		var v string
		v, i = attributeValue(s, skipBlanks(s, equals+1))
		if strings.EqualFold(key, name) {
			return html.UnescapeString(v), true
		}
	}
	return "", false
}

// attributeValue reads the value at i and returns where it ends.
func attributeValue(s string, i int) (value string, next int) {
	if i >= len(s) {
		return "", i
	}
	switch s[i] {
	case '"', '\'':
		q := strings.IndexByte(s[i+1:], s[i])
		if q < 0 {
			return s[i+1:], len(s)
		}
		return s[i+1 : i+1+q], i + q + 2
	case '{':
		depth, k := 0, i
		for k < len(s) {
			if s[k] == '{' {
				depth++
			} else if s[k] == '}' {
				depth--
			}
			k++
			if depth == 0 {
				break
			}
		}
		return strings.Trim(strings.Trim(s[i:k], "{}"), "\"'` "), k
	}
	k := i
	for k < len(s) && s[k] > ' ' {
		k++
	}
	return s[i:k], k
}

func skipBlanks(s string, i int) int {
	for i < len(s) && s[i] <= ' ' {
		i++
	}
	return i
}

// FindEndTag returns the offset behind the end tag of an element whose start
// tag stands before s; -1: there is none. Elements of the same name within it
// are passed over.
func FindEndTag(s, name string) int {
	depth := 0
	for i := 0; ; i++ {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			return -1
		}
		i += k
		at := i + 1
		closing := at < len(s) && s[at] == '/'
		if closing {
			at++
		}
		after := at + len(name)
		if after >= len(s) || !strings.EqualFold(s[at:after], name) || strings.IndexByte("> \n\t/", s[after]) < 0 {
			continue
		}
		end := strings.IndexByte(s[at:], '>')
		if end < 0 {
			return -1
		}
		switch {
		case closing && depth == 0:
			return at + end + 1
		case closing:
			depth--
		case s[at+end-1] != '/':
			depth++
		}
		i = at + end
	}
}

// StripTags takes comments and tags out of code; a <br> becomes a line end.
// What looks like the start tag of an unknown element is code, and stays.
func StripTags(s string) string {
	if strings.IndexByte(s, '<') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '<' {
			if t, n := TagAt(s[i:]); n > 0 && (IsKnown(t.Name) || t.Closing) {
				if t.Name == "br" {
					b.WriteByte('\n')
				}
				i += n
				continue
			}
			if strings.HasPrefix(s[i:], "<!--") {
				if n := strings.Index(s[i:], "-->"); n > 0 {
					i += n + 3
					continue
				}
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// IsBlock reports whether an element of HTML, named in lower case, begins a
// new block.
func IsBlock(name string) bool { return blockElements[name] }

// IsKnown reports whether HTML has an element of a name in lower case; old and
// withdrawn ones count too.
func IsKnown(name string) bool { return blockElements[name] || inlineElements[name] }

var (
	blockElements = words(`address article aside blockquote body center dd details dialog dir div dl dt fieldset
		figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main menu nav
		noframes noscript ol optgroup option p pre section select source summary table tbody td tfoot th thead title
		tr ul video audio object embed caption colgroup col button textarea picture`)
	inlineElements = words(`a abbr acronym area b base basefont bdi bdo big br cite code data del dfn em font i img
		input ins kbd label link map mark math meta meter nobr output param path progress q rp rt ruby s samp script
		slot small span strike strong style sub sup svg template time track tt u var wbr canvas g`)
)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
