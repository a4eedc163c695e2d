package frontmatter

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// encode returns the ways to write a value in place of an old one (nil: there
// is none), the likeliest first.
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
		return []string{strconv.FormatBool(v)}
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
		body := strings.TrimRight(was[:len(was)-len(last)], " \t\n")
		if strings.TrimSpace(last) == "]" && strings.HasSuffix(body, ",") {
			end = "," + last
		}
	}
	return open + strings.Join(texts, sep) + end
}

// dateForms are the ways of typing a date that an edit follows.
var dateForms = []string{
	"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05",
	time.RFC3339, "2006-01-02T15:04:05.000Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00",
	"2006-01-02 15:04:05-07:00", "2006-01-02 15:04 -0700", "2006-01-02T15:04Z07:00", "2006/01/02",
	"2006/01/02 15:04", time.RFC1123Z, "2 January 2006", "January 2, 2006", "2 Jan 2006", "Jan 2, 2006",
}

// dated writes a time like the old one (was), then as a day, then whole: the
// first of them that says the whole time is verified.
func (l *layout) dated(t time.Time, was string, quote byte) []string {
	var forms []string
	for _, f := range dateForms {
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
	if s == "" || !unicode.IsLetter(r) && !unicode.IsDigit(r) || strings.ContainsAny(s, "\n\t\"'`\\") ||
		strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":") {
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
