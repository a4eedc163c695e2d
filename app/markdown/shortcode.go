package markdown

import "strings"

// form is the way a template tag is written.
type form uint8

const (
	noForm      form = iota
	hugoTag          // {{< name args >}} and {{% name args %}}
	liquidTag        // {% name args %}, Zola's {% name(args) %}
	liquidValue      // {{ value | filter }}, Zola's {{ name(args) }}
	literalTag       // {{</* shown */>}}
)

// shortcode is one template tag.
type shortcode struct {
	form    form
	name    string // lower case; of a value only Zola's name()
	args    string
	text    string // of a literalTag: what it shows
	closing bool   // {{< /name >}}, {% endname %}, {% end %}
	empty   bool   // {{< name />}}
}

const maxShortcodeLen = 8000

// shortcodeAt reads the template tag s begins with, and returns its length; n
// is 0 if s does not begin with a tag. A tag may go over several lines but not
// over a blank one, and may hold its own end within quotes.
func shortcodeAt(s string) (c shortcode, n int) {
	if len(s) < 4 || s[0] != '{' || s[1] != '{' && s[1] != '%' {
		return c, 0
	}
	from, end := 2, ""
	switch {
	case s[1] == '%':
		c.form, end = liquidTag, "%}"
	case s[2] == '<':
		c.form, end, from = hugoTag, ">}}", 3
	case s[2] == '%':
		c.form, end, from = hugoTag, "%}}", 3
	default:
		c.form, end = liquidValue, "}}"
	}
	stop := shortcodeEnd(s[:min(len(s), maxShortcodeLen)], from, end, c.form)
	if stop < 0 {
		return c, 0
	}
	inside := s[from:stop]
	if c.form != hugoTag {
		inside = strings.TrimSuffix(strings.TrimPrefix(inside, "-"), "-")
	}
	inside = strings.TrimSpace(inside)
	if strings.HasPrefix(inside, "/*") && strings.HasSuffix(inside, "*/") && len(inside) >= 4 {
		c.form = literalTag
		c.text = s[:from] + inside[2:len(inside)-2] + end
	} else {
		c.parse(inside)
	}
	return c, stop + len(end)
}

// shortcodeEnd returns the offset of the end of a tag whose inside begins at
// from; -1: it has none. Within quotes it is passed over, unless the quotes
// close only behind it: then they are text.
func shortcodeEnd(s string, from int, end string, f form) int {
	if !strings.Contains(s[from:], end) {
		return -1
	}
	for i := from; i < len(s); i++ {
		if strings.HasPrefix(s[i:], end) {
			return i
		}
		switch q := s[i]; {
		case q == '\n':
			if strings.HasPrefix(strings.TrimLeft(s[i+1:], " \t"), "\n") {
				return -1
			}
		case q == '"', q == '`' && f == hugoTag, q == '\'' && f != liquidValue && strings.IndexByte("= (", s[i-1]) >= 0:
			if k := strings.IndexByte(s[i+1:], q); k >= 0 && !strings.Contains(s[i:i+k+1], end) {
				i += k + 1
			}
		}
	}
	return -1
}

// parse takes the inside of a tag apart into its name and its arguments.
func (c *shortcode) parse(inside string) {
	if c.form == hugoTag {
		if inside, c.closing = strings.CutPrefix(inside, "/"); c.closing {
			inside = strings.TrimSpace(inside)
		}
		if inside, c.empty = strings.CutSuffix(inside, "/"); c.empty {
			inside = strings.TrimSpace(inside)
		}
	}
	k := 0
	for k < len(inside) && (isWord(inside[k]) || strings.IndexByte("_-./", inside[k]) >= 0 ||
		inside[k] == ':' && c.form != liquidValue) {
		k++
	}
	c.name, c.args = strings.ToLower(inside[:k]), strings.TrimSpace(inside[k:])
	if strings.HasPrefix(c.args, "(") {
		if e := strings.LastIndexByte(c.args, ')'); e > 0 {
			c.args = strings.TrimSpace(c.args[1:e])
			if c.form == liquidValue {
				c.name += "()"
			}
		}
	} else if c.form == liquidValue {
		c.args = inside
	}
	if c.form == liquidTag {
		if name, ok := strings.CutPrefix(c.name, "end"); ok {
			c.closing, c.name = true, strings.TrimLeft(name, "-_")
		}
	}
}

// arg returns the first of the named arguments that is there and not empty, or
// else the i-th without a name, from 0; a negative i asks for named ones only.
func (c shortcode) arg(i int, names ...string) string {
	for _, n := range names {
		if v, ok := attribute(c.args, n); ok && v != "" {
			return v
		}
	}
	if i < 0 {
		return ""
	}
	for _, v := range c.plainArgs() {
		if i == 0 {
			return v
		}
		i--
	}
	return ""
}

// plainArgs returns the arguments without a name, at most 100: words, and what
// stands in quotes, parted by blanks or commas. A quote without an end takes
// all that follows.
func (c shortcode) plainArgs() (list []string) {
	s := c.args
	for i := 0; i < len(s) && len(list) < 100; {
		for i < len(s) && (s[i] <= ' ' || s[i] == ',') {
			i++
		}
		if i >= len(s) {
			break
		}
		if q := s[i]; q == '"' || q == '\'' || q == '`' {
			end := strings.IndexByte(s[i+1:], q)
			if end < 0 {
				end = len(s) - i - 1
			}
			list = append(list, s[i+1:i+1+end])
			i += end + 2
			continue
		}
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != ',' && s[i] != '=' {
			i++
		}
		if i < len(s) && s[i] == '=' {
			i++
			if i < len(s) && (s[i] == '"' || s[i] == '\'') {
				if end := strings.IndexByte(s[i+1:], s[i]); end >= 0 {
					i += end + 2
					continue
				}
			}
			for i < len(s) && s[i] > ' ' && s[i] != ',' {
				i++
			}
			continue
		}
		list = append(list, s[from:i])
	}
	return list
}

// enclosesCode reports whether c is the first of a pair of tags around code.
func (c shortcode) enclosesCode() bool {
	if c.closing || c.form != hugoTag && c.form != liquidTag {
		return false
	}
	switch c.name {
	case "highlight", "code", "codeblock", "prism", "mermaid", "highlight-code":
		return true
	}
	return false
}

// shortcodeBody returns what stands before the tag that closes c, and the
// length of that and the tag; n is 0 if c is not closed.
func shortcodeBody(s string, c shortcode) (body string, n int) {
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '{')
		if k < 0 {
			return "", 0
		}
		i += k
		x, m := shortcodeAt(s[i:])
		if m > 0 && x.closing && x.form == c.form && (x.name == c.name || x.name == "") {
			return s[:i], i + m
		}
		i++
	}
	return "", 0
}
