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
	name    string
	args    string
	text    string // literal: what it shows
	closing bool   // {{< /name >}}, {% endname %}, {% end %}
	empty   bool   // {{< name />}}
}

// shortcodeAt reads the template tag s begins with; n is its length, 0: none.
func shortcodeAt(s string) (c shortcode, n int) {
	if len(s) < 4 || s[0] != '{' || s[1] != '{' && s[1] != '%' {
		return c, 0
	}
	limit := min(len(s), 8000)
	end := ""
	from := 2
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
	if !strings.Contains(s[from:limit], end) {
		return c, 0
	}
	stop := -1
	for i := from; i < limit; i++ {
		if strings.HasPrefix(s[i:], end) {
			stop = i
			break
		}
		if q := s[i]; q == '"' || q == '\'' && c.form != liquidValue && i > 0 && (s[i-1] == '=' || s[i-1] == ' ' || s[i-1] == '(') || q == '`' && c.form == hugoTag {
			if k := strings.IndexByte(s[i+1:limit], q); k >= 0 && !strings.Contains(s[i:i+k+1], end) {
				i += k + 1
			}
		} else if q == '\n' && strings.HasPrefix(strings.TrimLeft(s[i+1:limit], " \t"), "\n") {
			return c, 0
		}
	}
	if stop < 0 {
		return c, 0
	}
	n = stop + len(end)
	inside := s[from:stop]
	if c.form != hugoTag {
		inside = strings.TrimSuffix(strings.TrimPrefix(inside, "-"), "-")
	}
	inside = strings.TrimSpace(inside)
	if strings.HasPrefix(inside, "/*") && strings.HasSuffix(inside, "*/") && len(inside) >= 4 {
		c.form = literalTag
		c.text = s[:from] + inside[2:len(inside)-2] + end
		return c, n
	}
	if c.form == hugoTag {
		if strings.HasPrefix(inside, "/") {
			c.closing = true
			inside = strings.TrimSpace(inside[1:])
		}
		if strings.HasSuffix(inside, "/") {
			c.empty = true
			inside = strings.TrimSpace(inside[:len(inside)-1])
		}
	}
	k := 0
	for k < len(inside) && (isWord(inside[k]) || inside[k] == '_' || inside[k] == '-' || inside[k] == '.' || inside[k] == '/' || inside[k] == ':' && c.form != liquidValue) {
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
		if t, ok := strings.CutPrefix(c.name, "end"); ok {
			c.closing, c.name = true, strings.TrimLeft(t, "-_")
		}
	}
	return c, n
}

// arg gives the i-th argument without a name, or the first of the named ones that is there.
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

// plainArgs are the arguments without a name.
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

// enclosesCode reports whether what the tag encloses is code.
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

// shortcodeBody gives what stands before the tag that closes c, and the length up to
// behind that tag; 0: it is not closed.
func shortcodeBody(s string, c shortcode) (body string, n int) {
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '{')
		if k < 0 {
			return "", 0
		}
		i += k
		if x, m := shortcodeAt(s[i:]); m > 0 && x.closing && x.form == c.form && (x.name == c.name || x.name == "") {
			return s[:i], i + m
		}
		i++
	}
	return "", 0
}
