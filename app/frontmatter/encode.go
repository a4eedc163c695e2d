package frontmatter

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// change gives the edits that may bring a field to a value.
func (l *layout) change(at *fieldSpan, value any) ([]edit, error) {
	name := strings.Join(at.path, ".")
	if at.style == opaque {
		return nil, fmt.Errorf("field %q is written in a way that only its author can change", name)
	}
	if value == nil {
		return l.remove(at), nil
	}
	want, isList := value.([]string)
	switch {
	case at.style == items && !isList:
		return nil, fmt.Errorf("field %q is a list", name)
	case at.style == items && len(want) > 0:
		return l.reorder(at, want)
	case at.comment && (at.style == bracketed || at.style == items):
		return nil, fmt.Errorf("field %q has comments among its values", name)
	}
	gap := ""
	if at.style == missing || at.style == items {
		gap = " "
	}
	var edits []edit
	for _, text := range l.encode(value, at) {
		edits = append(edits, edit{at.value, at.end, gap + text})
	}
	return edits, nil
}

// remove takes a field away: its lines, or itself and a comma.
func (l *layout) remove(at *fieldSpan) []edit {
	if !l.flow {
		return []edit{{at.from, at.to, ""}}
	}
	from := at.from
	for i := range l.spans {
		if s := &l.spans[i]; s.from > at.from {
			return []edit{{at.from, s.from, ""}}
		} else if s.from < at.from {
			from = s.to
		}
	}
	return []edit{{from, at.to, ""}}
}

// reorder writes a list that has a line for each item. The lines of those that
// stay are kept as they are.
func (l *layout) reorder(at *fieldSpan, want []string) ([]edit, error) {
	from := at.value + len(lineAt(l.text, at.value)) + 1
	kept := map[string]string{}
	lead := ""
	quote := byte(0)
	for i := from; i < at.end; {
		line := lineAt(l.text, i)
		i += len(line) + 1
		body := strings.TrimLeft(line, " ")
		if body == "" || !strings.HasPrefix(body, "- ") {
			return nil, fmt.Errorf("field %q has more than words in it", strings.Join(at.path, "."))
		}
		if lead == "" {
			text := strings.TrimLeft(body[1:], " ")
			lead = line[:len(line)-len(text)]
			if text != "" && (text[0] == '"' || text[0] == '\'') {
				quote = text[0]
			}
		}
		item, bad := parseYAML("x: "+strings.TrimLeft(body[1:], " "), 1)
		ok := bad == nil && len(item) == 1
		if ok {
			_, ok = item[0].Value.(string)
		}
		if !ok {
			return nil, fmt.Errorf("field %q has more than words in it", strings.Join(at.path, "."))
		}
		kept[item.Text("x")] = line
	}
	var lines []string
	for _, s := range want {
		line, ok := kept[s]
		if !ok {
			line = lead + l.quoted(s, quote, false)
		}
		lines = append(lines, line)
	}
	return []edit{{from, at.end, strings.Join(lines, "\n")}}, nil
}

// insert gives the edits that may add a field.
func (l *layout) insert(name string, value any) []edit {
	var edits []edit
	for _, text := range l.encode(value, nil) {
		switch l.kind {
		case markdown.NoFront:
			edits = append(edits, l.found(name, value)...)
			return edits
		case markdown.YAML, markdown.JSON:
			if l.flow {
				edits = append(edits, l.join(name, text))
				continue
			}
			at := l.from + len(strings.TrimRight(l.text[l.from:l.to], " \t\n"))
			field := l.prefix + name + ": " + text
			if at > l.from {
				edits = append(edits, edit{at, at, "\n" + field})
			}
			edits = append(edits, edit{l.to, l.to, field + "\n"})
		case markdown.TOML:
			// Before the tables: what comes behind one belongs to it.
			field := name + " = " + text + "\n"
			edits = append(edits, edit{l.top, l.top, field}, edit{l.from, l.from, field})
		case markdown.Julia:
			field := name + " = " + text + "\n"
			if len(l.spans) == 0 {
				edits = append(edits, edit{0, 0, "@def " + field})
				continue
			}
			first := l.spans[0]
			edits = append(edits, edit{first.to, first.to, l.prefix + field}, edit{first.from, first.from, l.prefix + field})
		}
	}
	return edits
}

// join adds a field to those in braces, behind the last.
func (l *layout) join(name, text string) edit {
	if l.kind == markdown.JSON {
		name = `"` + name + `"`
	}
	field := name + ": " + text
	if len(l.spans) == 0 {
		return edit{l.from, l.to, field}
	}
	last := l.spans[len(l.spans)-1]
	sep := ", "
	if i := strings.LastIndexByte(l.text[:last.from], '\n'); i >= l.from-1 && strings.TrimSpace(l.text[i:last.from]) == "" {
		sep = "," + l.text[i:last.from]
	}
	return edit{last.to, last.to, sep + field}
}

// found gives a source without a front matter its first, of the kind that its
// dialect is used to.
func (l *layout) found(name string, value any) []edit {
	open, assign, end := "---\n", ": ", "\n---\n"
	kind := markdown.YAML
	switch l.dialect {
	case markdown.Franklin:
		open, assign, end, kind = "@def ", " = ", "\n", markdown.Julia
	case markdown.Zola:
		open, assign, end, kind = "+++\n", " = ", "\n+++\n", markdown.TOML
	}
	if l.text != "" && l.text[0] != '\n' {
		end += "\n"
	}
	in := &layout{kind: kind, dialect: l.dialect}
	var edits []edit
	for _, text := range in.encode(value, nil) {
		edits = append(edits, edit{0, 0, open + name + assign + text + end})
	}
	return edits
}

// encode gives the ways to write a value in place of an old one (nil: there is
// none), the likeliest first.
func (l *layout) encode(value any, old *fieldSpan) []string {
	was, quote := "", byte(0)
	if old != nil && old.style != missing {
		was = l.text[old.value:old.end]
		switch old.style {
		case single:
			quote = '\''
		case double:
			quote = '"'
		}
	}
	switch v := value.(type) {
	case bool:
		text := "false"
		if v {
			text = "true"
		}
		return []string{text}
	case string:
		return []string{l.quoted(v, quote, l.flow), l.quoted(v, '"', l.flow)}
	case time.Time:
		return l.dated(v, strings.Trim(was, `'"`), quote)
	case []string:
		if old == nil || old.style != bracketed {
			was = ""
		}
		return []string{l.listed(v, was)}
	}
	return nil
}

// listed writes a list in brackets like an old one: its quotes, and a line for
// each item if that is how it stood.
func (l *layout) listed(values []string, was string) string {
	quote := byte(0)
	inside := strings.TrimSpace(strings.TrimPrefix(was, "["))
	if inside != "" && (inside[0] == '"' || inside[0] == '\'') {
		quote = inside[0]
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = l.quoted(v, quote, true)
	}
	open, sep, end := "[", ", ", "]"
	if first, rest, ok := strings.Cut(was, "\n"); ok && len(values) > 0 && strings.TrimSpace(first) == "[" {
		line := lineAt(rest, 0)
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		last := was[strings.LastIndexByte(was, '\n'):]
		open, sep, end = "[\n"+indent, ",\n"+indent, last
		if body := strings.TrimRight(was[:len(was)-len(last)], " \t\n"); strings.TrimSpace(last) == "]" && strings.HasSuffix(body, ",") {
			end = "," + last
		}
	}
	return open + strings.Join(texts, sep) + end
}

// dateForms are the ways dates are typed that an edit follows.
func dateForms() []string {
	return []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
		time.RFC3339, "2006-01-02T15:04:05.000Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05-07:00",
		"2006-01-02 15:04 -0700", "2006-01-02T15:04Z07:00", "2006/01/02", "2006/01/02 15:04", time.RFC1123Z,
		"2 January 2006", "January 2, 2006", "2 Jan 2006", "Jan 2, 2006"}
}

// dated writes a time as the old one was typed, if that can say it; else as a
// day, if it is a day's beginning; else whole.
func (l *layout) dated(t time.Time, was string, quote byte) []string {
	var forms []string
	for _, f := range dateForms() {
		if old, err := time.Parse(f, was); err == nil && old.Format(f) == was {
			forms = append(forms, f)
			break
		}
	}
	forms = append(forms, time.DateOnly)
	if l.dialect == markdown.Jekyll {
		forms = append(forms, "2006-01-02 15:04:05 -0700")
	}
	forms = append(forms, time.RFC3339, time.RFC3339Nano)
	var texts []string
	if l.kind == markdown.Julia && quote == 0 {
		texts = append(texts, t.Format("Date(2006, 1, 2)"), t.UTC().Format("DateTime(2006, 1, 2, 15, 4, 5)"))
		for i := range texts {
			texts[i] = unpadded().ReplaceAllString(texts[i], "$1$2")
		}
	}
	for _, f := range forms {
		text := t.Format(f)
		switch {
		case quote != 0:
			text = l.quoted(text, quote, l.flow)
		case l.kind == markdown.JSON || l.kind == markdown.Julia:
			text = l.quoted(text, '"', l.flow)
		case l.kind == markdown.YAML && strings.ContainsAny(text, ","):
			text = l.quoted(text, 0, l.flow)
		}
		texts = append(texts, text)
	}
	return texts
}

// unpadded finds the zeros that Julia's numbers do without.
var unpadded = lazyregexp.New(`([(, ])0(\d)`)

// quoted writes a text: with the quotes asked for, or (0) without if it cannot
// be taken for anything else.
func (l *layout) quoted(s string, quote byte, flow bool) string {
	switch l.kind {
	case markdown.YAML:
		if quote == 0 && plainText(s, flow) {
			return s
		}
		if quote == '\'' && !strings.ContainsAny(s, "\n\t") {
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
	case markdown.TOML:
		if quote == '\'' && !strings.ContainsAny(s, "'\n\t") {
			return "'" + s + "'"
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '$' && l.kind == markdown.Julia:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plainText reports whether a text can stand in YAML without quotes and is a
// string to everybody who reads it.
func plainText(s string, flow bool) bool {
	r, _ := utf8.DecodeRuneInString(s)
	if s == "" || !unicode.IsLetter(r) && !unicode.IsDigit(r) || strings.ContainsAny(s, "\n\t\"'`\\") || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":") {
		return false
	}
	if flow && strings.ContainsAny(s, ",[]{}:?#") {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf":
		return false
	}
	return !(r >= '0' && r <= '9' && strings.Trim(s, "0123456789abcdefABCDEFxXoO_.:+-TtZz ") == "")
}
