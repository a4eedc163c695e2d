package frontmatter

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"sheaf/app/markdown"
)

// An edit puts text in the place of what stands between two offsets.
type edit struct {
	from, to int
	text     string
}

// apply makes an edit in the bytes of the source, in its own line ends.
func (l *layout) apply(e edit) []byte {
	raw := 0
	if bytes.HasPrefix(l.src, []byte("\ufeff")) {
		raw = len("\ufeff")
	}
	seek := func(n int) int {
		for ; n > 0; n-- {
			if l.src[raw] == '\r' && raw+1 < len(l.src) && l.src[raw+1] == '\n' {
				raw++
			}
			raw++
		}
		return raw
	}
	from := seek(e.from)
	to := seek(e.to - e.from)
	text := e.text
	if i := bytes.IndexAny(l.src, "\r\n"); i >= 0 && l.src[i] == '\r' {
		end := "\r"
		if i+1 < len(l.src) && l.src[i+1] == '\n' {
			end = "\r\n"
		}
		text = strings.ReplaceAll(text, "\n", end)
	}
	return slices.Concat(l.src[:from], []byte(text), l.src[to:])
}

// change returns the edits that may bring a field to a value, the likeliest
// first. The error is a plain reason.
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

// reorder writes a list that has a line for each item. The lines of items that
// stay are kept as they are, comments and all; new ones look like the first.
func (l *layout) reorder(at *fieldSpan, want []string) ([]edit, error) {
	from := at.value + len(lineAt(l.text, at.value)) + 1
	kept := map[string]string{}
	lead := ""
	quote := byte(0)
	for i := from; i < at.end; {
		line := lineAt(l.text, i)
		i += len(line) + 1
		item, text, ok := listItem(line)
		if !ok {
			return nil, fmt.Errorf("field %q has more than words in it", strings.Join(at.path, "."))
		}
		kept[item] = line
		if lead == "" {
			lead = line[:len(line)-len(text)]
			if text != "" && (text[0] == '"' || text[0] == '\'') {
				quote = text[0]
			}
		}
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

// listItem reads a line that is one item of a list and one text: the text, and
// how it is written.
func listItem(line string) (item, written string, ok bool) {
	written, ok = strings.CutPrefix(strings.TrimLeft(line, " "), "- ")
	written = strings.TrimLeft(written, " ")
	fs, bad := parseYAML("x: "+written, 1)
	if !ok || bad != nil || len(fs) != 1 {
		return "", "", false
	}
	_, ok = fs[0].Value.(string)
	return fs.Text("x"), written, ok
}

// insert returns the edits that may add a field, behind the others or, where
// that is not possible, before them; to a source without a front matter one is
// added.
func (l *layout) insert(name string, value any) []edit {
	if l.kind == markdown.NoFront {
		return l.found(name, value)
	}
	var edits []edit
	for _, text := range l.encode(value, nil) {
		switch l.kind {
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
			field = l.prefix + field
			edits = append(edits, edit{first.to, first.to, field}, edit{first.from, first.from, field})
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
	i := strings.LastIndexByte(l.text[:last.from], '\n')
	if i >= l.from-1 && strings.TrimSpace(l.text[i:last.from]) == "" {
		sep = "," + l.text[i:last.from] // a line of its own
	}
	return edit{last.to, last.to, sep + field}
}

// found returns the edits that may give a source without a front matter its
// first, of the kind that its dialect is used to.
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
