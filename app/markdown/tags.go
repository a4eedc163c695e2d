package markdown

import (
	"html"
	"strings"
)

// tag is one HTML tag as it stands in a source.
type tag struct {
	name    string // lower case
	typed   string // as written
	attrs   string // what stands between the name and the end
	closing bool
	empty   bool // <br/>
}

// tagAt reads the tag s begins with and its length; 0: s begins with no tag.
// It wants what CommonMark wants but is lenient about attributes.
func tagAt(s string) (t tag, n int) {
	if len(s) < 3 || s[0] != '<' {
		return t, 0
	}
	i := 1
	if s[i] == '/' {
		t.closing = true
		i++
	}
	from := i
	for i < len(s) && i-from < 60 && (s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || i > from && (s[i] == '-' || s[i] == '.' || s[i] == '_' || s[i] == ':')) {
		i++
	}
	if i == from || i >= len(s) || s[from] >= '0' && s[from] <= '9' {
		return t, 0
	}
	t.typed = s[from:i]
	t.name = strings.ToLower(t.typed)
	if c := s[i]; c != '>' && c != '/' && c != ' ' && c != '\n' && c != '\t' {
		return t, 0
	}
	if strings.HasSuffix(t.name, ":") || strings.HasPrefix(s[i:], "//") {
		return t, 0 // <https://...>
	}
	attrs := i
	limit := min(len(s), i+8000)
	braces := 0
	for i < limit {
		switch c := s[i]; {
		case c == '>' && braces == 0:
			t.attrs = s[attrs:i]
			if strings.HasSuffix(t.attrs, "/") {
				t.empty = true
				t.attrs = t.attrs[:len(t.attrs)-1]
			}
			return t, i + 1
		case (c == '"' || c == '\'') && i > 0 && (s[i-1] == '=' || s[i-1] == ' ' && strings.HasSuffix(strings.TrimRight(s[attrs:i], " "), "=")):
			q := strings.IndexByte(s[i+1:limit], c)
			if q < 0 {
				return t, 0
			}
			i += q + 2
		case c == '{': // a JSX expression
			braces++
			i++
		case c == '}':
			if braces > 0 {
				braces--
			}
			i++
		case c == '<' && braces == 0:
			return t, 0
		case c == '\n' && strings.HasPrefix(strings.TrimLeft(s[i+1:limit], " \t"), "\n"):
			return t, 0
		default:
			i++
		}
	}
	return t, 0
}

// attr gives an attribute's value, entities decoded; "" if there is none.
func (t tag) attr(name string) string {
	v, _ := attribute(t.attrs, name)
	return v
}

// has reports whether an attribute is there, with or without a value.
func (t tag) has(name string) bool {
	_, ok := attribute(t.attrs, name)
	return ok
}

func attribute(s, name string) (string, bool) {
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] <= ' ' || s[i] == '/' || s[i] == ',') {
			i++
		}
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != '=' {
			i++
		}
		key := s[from:i]
		k := i
		for k < len(s) && s[k] <= ' ' {
			k++
		}
		if k >= len(s) || s[k] != '=' {
			if key != "" && strings.EqualFold(key, name) {
				return "", true
			}
			if i == from {
				i++
			}
			continue
		}
		i = k + 1
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		var v string
		switch {
		case i < len(s) && (s[i] == '"' || s[i] == '\''):
			q := strings.IndexByte(s[i+1:], s[i])
			if q < 0 {
				q = len(s) - i - 1
			}
			v = s[i+1 : i+1+q]
			i = min(i+q+2, len(s))
		case i < len(s) && s[i] == '{':
			depth, at := 0, i
			for i < len(s) {
				if s[i] == '{' {
					depth++
				} else if s[i] == '}' {
					if depth--; depth == 0 {
						i++
						break
					}
				}
				i++
			}
			v = strings.Trim(strings.Trim(s[at:i], "{}"), "\"'` ")
		default:
			at := i
			for i < len(s) && s[i] > ' ' {
				i++
			}
			v = s[at:i]
		}
		if strings.EqualFold(key, name) {
			return html.UnescapeString(v), true
		}
	}
	return "", false
}

// findEndTag finds the end tag of an element whose start tag stands before s,
// and gives the offset behind it; -1: there is none.
func findEndTag(s, name string) int {
	depth := 0
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			return -1
		}
		i += k
		if i+len(name)+1 < len(s) {
			at := i + 1
			closing := s[at] == '/'
			if closing {
				at++
			}
			if at+len(name) < len(s) && strings.EqualFold(s[at:at+len(name)], name) {
				if c := s[at+len(name)]; c == '>' || c == ' ' || c == '\n' || c == '\t' || c == '/' {
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
		}
		i++
	}
	return -1
}

// stripTags takes the tags out of code and leaves its text, <br> as a line end.
func stripTags(s string) string {
	if strings.IndexByte(s, '<') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '<' {
			if t, n := tagAt(s[i:]); n > 0 && (knownTag[t.name] || t.closing) {
				if t.name == "br" {
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

func wordSet(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// blockTag are the elements that begin a new block.
	blockTag = wordSet(`address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer
		form frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main menu nav noframes noscript ol optgroup option p pre
		section select source summary table tbody td tfoot th thead title tr ul video audio object embed caption colgroup col button textarea picture`)
	inlineTag = wordSet(`a abbr acronym area b base basefont bdi bdo big br cite code data del dfn em font i img input ins kbd label link
		map mark math meta meter nobr output param path progress q rp rt ruby s samp script slot small span strike strong style sub sup
		svg template time track tt u var wbr canvas g`)
	knownTag = union(blockTag, inlineTag)
)

func union(a, b map[string]bool) map[string]bool {
	m := make(map[string]bool)
	for k := range a {
		m[k] = true
	}
	for k := range b {
		m[k] = true
	}
	return m
}
