package markup

import "strings"

// Form is the way a template tag is written.
type Form uint8

const (
	_           Form = iota
	HugoTag          // {{< name args >}} and {{% name args %}}
	LiquidTag        // {% name args %}, Zola's {% name(args) %}
	LiquidValue      // {{ value | filter }}, Zola's {{ name(args) }}
	LiteralTag       // {{</* shown */>}}
)

// Shortcode is one template tag.
type Shortcode struct {
	Form    Form
	Name    string // lower case; of a value only Zola's name()
	Args    string
	Text    string // of a LiteralTag: what it shows
	Closing bool   // {{< /name >}}, {% endname %}, {% end %}
	Empty   bool   // {{< name />}}
}

const maxShortcodeLen = 8000

// ShortcodeAt reads the template tag s begins with, and returns its length; n
// is 0 if s does not begin with a tag. A tag may go over several lines, but
// over a blank one only within quotes.
func ShortcodeAt(s string) (c Shortcode, n int) {
	if len(s) < 4 || s[0] != '{' || s[1] != '{' && s[1] != '%' {
		return c, 0
	}
	from, end := 2, ""
	switch {
	case s[1] == '%':
		c.Form, end = LiquidTag, "%}"
	case s[2] == '<':
		c.Form, end, from = HugoTag, ">}}", 3
	case s[2] == '%':
		c.Form, end, from = HugoTag, "%}}", 3
	default:
		c.Form, end = LiquidValue, "}}"
	}
	stop := shortcodeEnd(s[:min(len(s), maxShortcodeLen)], from, end, c.Form)
	if stop < 0 {
		return c, 0
	}
	inside := s[from:stop]
	if c.Form != HugoTag {
		inside = strings.TrimSuffix(strings.TrimPrefix(inside, "-"), "-")
	}
	inside = strings.TrimSpace(inside)
	if strings.HasPrefix(inside, "/*") && strings.HasSuffix(inside, "*/") && len(inside) >= 4 {
		c.Form = LiteralTag
		c.Text = s[:from] + inside[2:len(inside)-2] + end
	} else {
		c.parse(inside)
	}
	return c, stop + len(end)
}

// shortcodeEnd returns the offset of the end of a tag whose inside begins at
// from; -1: it has none. The first one counts, within quotes too.
func shortcodeEnd(s string, from int, end string, f Form) int {
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
		case q == '"', q == '`' && f == HugoTag, q == '\'' && f != LiquidValue && strings.IndexByte("= (", s[i-1]) >= 0:
			if k := strings.IndexByte(s[i+1:], q); k >= 0 && !strings.Contains(s[i:i+k+1], end) {
				i += k + 1
			}
		}
	}
	return -1
}

// parse takes the inside of a tag apart into its name and its arguments.
func (c *Shortcode) parse(inside string) {
	if c.Form == HugoTag {
		if inside, c.Closing = strings.CutPrefix(inside, "/"); c.Closing {
			inside = strings.TrimSpace(inside)
		}
		if inside, c.Empty = strings.CutSuffix(inside, "/"); c.Empty {
			inside = strings.TrimSpace(inside)
		}
	}
	k := 0
	for k < len(inside) {
		b := inside[k]
		if !isLetter(b) && !isDigit(b) && b < 0x80 && strings.IndexByte("_-./", b) < 0 &&
			(b != ':' || c.Form == LiquidValue) {
			break
		}
		k++
	}
	c.Name, c.Args = strings.ToLower(inside[:k]), strings.TrimSpace(inside[k:])
	if strings.HasPrefix(c.Args, "(") {
		if e := strings.LastIndexByte(c.Args, ')'); e > 0 {
			c.Args = strings.TrimSpace(c.Args[1:e])
			if c.Form == LiquidValue {
				c.Name += "()"
			}
		}
	} else if c.Form == LiquidValue {
		c.Args = inside
	}
	if c.Form == LiquidTag {
		if name, ok := strings.CutPrefix(c.Name, "end"); ok {
			c.Closing, c.Name = true, strings.TrimLeft(name, "-_")
		}
	}
}

// Arg returns the first of the named arguments that is there and not empty, or
// else the i-th without a name, from 0; a negative i asks for named ones only.
func (c Shortcode) Arg(i int, names ...string) string {
	for _, n := range names {
		if v, ok := attribute(c.Args, n); ok && v != "" {
			return v
		}
	}
	if i < 0 {
		return ""
	}
	for _, v := range c.PlainArgs() {
		if i == 0 {
			return v
		}
		i--
	}
	return ""
}

// PlainArgs returns the arguments without a name, at most 100: words, and what
// stands in quotes, parted by blanks or commas. A quote without an end takes
// all that follows.
func (c Shortcode) PlainArgs() (list []string) {
	s := c.Args
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

// EnclosesCode reports whether c is the first of a pair of tags around code.
func (c Shortcode) EnclosesCode() bool {
	if c.Closing || c.Form != HugoTag && c.Form != LiquidTag {
		return false
	}
	switch c.Name {
	case "highlight", "code", "codeblock", "prism", "mermaid", "highlight-code":
		return true
	}
	return false
}

// ShortcodeBody returns what stands before the tag that closes c, and the
// length of that and the tag; n is 0 if c is not closed.
func ShortcodeBody(s string, c Shortcode) (body string, n int) {
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '{')
		if k < 0 {
			return "", 0
		}
		i += k
		x, m := ShortcodeAt(s[i:])
		if m > 0 && x.Closing && x.Form == c.Form && (x.Name == c.Name || x.Name == "") {
			return s[:i], i + m
		}
		i++
	}
	return "", 0
}
