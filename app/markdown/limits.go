package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxNesting    = 12  // quotes and lists inside one another
	maxDelimiters = 800 // delimiters of emphasis and brackets in one block of text
)

// finishPass is the last pass: it limits nesting and delimiters, brings call-outs
// to their placeholders, takes attributes from headings, and puts code back as fences.
func (p *page) finishPass(in mappedText) mappedText {
	w := newMappedWriter(in)
	s := in.text
	notes := p.definedFootnotes(s)
	runs := 0
	depth := []int{} // indentation of open list items
	quote := 0       // quote markers of the line before
	julia := 0       // indentation of the body of a !!! call-out; 0: none
	for i := 0; i < len(s); {
		end := eol(s, i)
		line := s[i:end]
		w.line = in.sourceLine(i)
		if len(w.buf) > 0 {
			// the line was opened by the one before; correct its origin
			w.lines[len(w.lines)-1] = w.line
		}
		next := min(end+1, len(s))
		last := end == len(s)
		t := strings.TrimLeft(line, " \t")
		if t == "" {
			runs = 0
			if julia > 0 {
				w.write(">")
			}
			w.writeByte('\n')
			quote = 0
			i = next
			if last {
				break
			}
			continue
		}
		if julia > 0 {
			if len(line)-len(t) < 4 && !strings.HasPrefix(line, "\t") {
				julia = 0
				w.writeByte('\n')
			} else {
				line = "> " + strings.TrimPrefix(line[min(4, len(line)-len(t)):], "\t")
				t = line
			}
		} else if strings.HasPrefix(line, "!!! ") || strings.HasPrefix(line, "??? ") || strings.HasPrefix(line, "???+ ") {
			if head, ok := p.admonition(line); ok && (last || indentedNext(s, next)) {
				w.write(head)
				w.writeByte('\n')
				julia = 4
				i = next
				if last {
					break
				}
				continue
			}
		}
		prefix, rest, quotes := p.limitContainers(line, &depth)
		if listMarker(strings.TrimLeft(prefix, " >")) > 0 {
			runs = 0
		}
		if quotes > 0 && quote != quotes || listMarker(strings.TrimLeft(rest, " ")) > 0 {
			runs = 0
		}
		if quotes > 0 && strings.HasPrefix(rest, "[!") && (quote < quotes || quote == 0) {
			if head, ok := p.alert(rest); ok {
				rest = head
			}
		}
		quote = quotes
		if strings.HasPrefix(rest, "#") {
			rest = p.takeHeadingID(rest)
		} else if strings.HasSuffix(strings.TrimRight(rest, " "), "}") && underlined(s, next) {
			rest = strings.TrimPrefix(p.takeHeadingID("# "+rest), "# ")
		}
		rest = p.limitDelimiters(rest, &runs, notes)
		p.restoreFences(w, prefix, rest)
		if last {
			break
		}
		w.writeByte('\n')
		i = next
	}
	return w.text()
}

// underlined reports whether the line at i makes a heading of the one before.
func underlined(s string, i int) bool {
	t := strings.TrimSpace(lineAt(s, i))
	return t != "" && (t[0] == '=' || t[0] == '-') && runOf(t, t[0]) == len(t)
}

func indentedNext(s string, i int) bool {
	for i < len(s) {
		l := lineAt(s, i)
		if strings.TrimSpace(l) != "" {
			return strings.HasPrefix(l, "    ") || strings.HasPrefix(l, "\t")
		}
		i = min(i+len(l)+1, len(s))
	}
	return false
}

// admonition reads Julia's and MkDocs' !!! kind "Title".
func (p *page) admonition(line string) (head string, ok bool) {
	_, rest, _ := strings.Cut(line, " ")
	name, title, _ := strings.Cut(strings.TrimSpace(rest), " ")
	name = strings.ToLower(name)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "", false
	}
	kind := calloutNames[name]
	if kind == "" {
		kind = name
	}
	title = strings.Trim(strings.TrimSpace(title), `"`)
	if title == "" && kind != name {
		title = strings.ToUpper(name[:1]) + name[1:]
	}
	m := placeholder{kind: phCallout, name: kind, title: p.stash.text(title)}
	if strings.HasPrefix(line, "???") {
		m = placeholder{kind: phDetails, text: p.stash.text(title)}
	}
	return "> " + p.stash.put(m), true
}

// alert reads the [!KIND]± Title of GitHub and Obsidian.
func (p *page) alert(s string) (head string, ok bool) {
	name, title, ok := strings.Cut(s[2:], "]")
	name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "|")
	if !ok || name == "" || len(name) > 40 || strings.ContainsAny(name, "[(<") || strings.HasPrefix(title, "(") {
		return "", false
	}
	title = strings.TrimSpace(strings.TrimLeft(title, "+-"))
	if strings.ContainsAny(title, "*_[`\\<&") || hasPlaceholder(title) {
		title = plainHeading(p.stash.text(title))
	}
	kind := calloutNames[name]
	if kind == "" {
		kind = name
	}
	if title == "" && kind != name {
		title = strings.ToUpper(name[:1]) + name[1:]
	}
	return p.stash.put(placeholder{kind: phCallout, name: kind, title: title}), true
}

// limitContainers takes a line apart into the markers of its containers, no more of
// them than the deepest, and its text.
func (p *page) limitContainers(line string, depth *[]int) (prefix, rest string, quotes int) {
	k, col, base := 0, 0, 0
	var b strings.Builder
	levels := 0
	d := *depth
	for k < len(line) {
		c, n := indentation(line[k:])
		col = base + c
		gap := line[k : k+n]
		if k+n >= len(line) {
			break
		}
		if line[k+n] == '>' {
			k += n + 1
			quotes++
			if levels++; levels <= maxNesting {
				b.WriteString(gap + ">")
			}
			if k < len(line) && line[k] == ' ' {
				k++
				if levels <= maxNesting {
					b.WriteByte(' ')
				}
			}
			base = 0
			continue
		}
		m := listMarker(line[k+n:])
		if m == 0 || isRule(line[k+n:]) {
			break
		}
		for len(d) > 0 && d[len(d)-1] > col {
			d = d[:len(d)-1]
		}
		d = append(d, col+m+1)
		if levels++; len(d) > maxNesting || levels > maxNesting || quotes+len(d) > maxNesting+4 {
			// too deep: the item stays, on the deepest level allowed
			if levels > maxNesting || quotes >= maxNesting {
				return b.String(), strings.TrimLeft(line[k+n+m:], " "), min(quotes, maxNesting)
			}
			over := d[min(maxNesting, len(d))-1] - m - 1
			*depth = d
			return b.String() + strings.Repeat(" ", max(min(over, col), 0)) + line[k+n:k+n+m] + " ", strings.TrimLeft(line[k+n+m:], " "), quotes
		}
		b.WriteString(gap + line[k+n:k+n+m])
		k += n + m
		base = col + m
		if k < len(line) && line[k] == ' ' {
			b.WriteByte(' ')
			k++
			base++
		}
		if len(d) > 200 {
			break
		}
	}
	*depth = d
	if quotes > maxNesting {
		quotes = maxNesting
	}
	rest = line[k:]
	t := strings.TrimLeft(rest, " \t")
	if n := len(rest) - len(t); n > 0 {
		if len(d) > maxNesting {
			n = min(n, d[maxNesting-1])
		}
		b.WriteString(rest[:n])
		rest = t
	}
	return b.String(), rest, quotes
}

// takeHeadingID takes {#id .class} from the end of a heading.
func (p *page) takeHeadingID(s string) string {
	t := strings.TrimRight(s, " \t")
	n := runOf(s, '#')
	if n > 6 {
		return s
	}
	if n < len(s) && s[n] != ' ' && s[n] != '\t' {
		return s
	}
	if !strings.HasSuffix(t, "}") {
		return s
	}
	k := strings.LastIndexByte(t, '{')
	if k < n || k+2 >= len(t) || strings.IndexByte("#.:", t[k+1]) < 0 && !strings.Contains(t[k:], "=") {
		return s
	}
	if p.dialect == Franklin && t[k+1] != '#' {
		return s
	}
	id := ""
	for _, w := range strings.Fields(strings.TrimLeft(t[k+1:len(t)-1], ":")) {
		if strings.HasPrefix(w, "#") {
			id = w[1:]
		}
	}
	t = strings.TrimRight(t[:k], " \t")
	if id != "" {
		t += p.stash.put(placeholder{kind: phID, name: id})
	}
	return t
}

// definedFootnotes finds the footnotes that have a text.
func (p *page) definedFootnotes(s string) map[string]bool {
	if !strings.Contains(s, "[^") {
		return nil
	}
	m := map[string]bool{}
	for l := range strings.Lines(s) {
		l = strings.TrimLeft(l, " \t>-*")
		if strings.HasPrefix(l, "[^") {
			if k := strings.Index(l, "]:"); k > 2 {
				m[strings.ToLower(l[2:k])] = true
			}
		}
	}
	return m
}

// limitDelimiters escapes what would make the parser slow, turns references to
// footnotes that have no text into plain raised text, and :names: into emoji.
func (p *page) limitDelimiters(s string, runs *int, notes map[string]bool) string {
	if !strings.ContainsAny(s, "*_[]~:") {
		return s
	}
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch c {
		case '\\':
			i += 2
			continue
		case '*', '_', '[', ']', '~':
			if c == '[' && strings.HasPrefix(s[i:], "[^") {
				if k := strings.IndexByte(s[i:], ']'); k > 2 && !strings.ContainsAny(s[i+2:i+k], " [") && (i+k+1 >= len(s) || s[i+k+1] != '(' && (s[i+k+1] != ':' || i > 0)) {
					if label := s[i+2 : i+k]; !notes[strings.ToLower(label)] {
						b.WriteString(s[from:i])
						b.WriteString(p.stash.put(placeholder{kind: phInlineOpen, name: "sup"}) + p.stash.put(placeholder{kind: phText, text: p.stash.text(label), src: label}) + p.stash.put(placeholder{kind: phInlineClose, name: "sup"}))
						i += k + 1
						from = i
						continue
					}
				}
			}
			if c == '*' {
				if before, after := wideFlank(s, i); (before || after) && *runs < maxDelimiters {
					n := runOf(s[i:], c)
					gap := p.stash.put(placeholder{kind: phText})
					b.WriteString(s[from:i])
					if before {
						b.WriteString(gap)
					}
					b.WriteString(s[i : i+n])
					if after {
						b.WriteString(gap)
					}
					*runs++
					i += n
					from = i
					continue
				}
			}
			if *runs++; *runs > maxDelimiters {
				b.WriteString(s[from:i])
				n := runOf(s[i:], c)
				b.WriteString(p.stash.literal(s[i : i+n]))
				i += n
				from = i
				continue
			}
			if c == '[' || c == ']' {
				i++ // every bracket counts, every run of the others
			} else {
				i += runOf(s[i:], c)
			}
			continue
		case ':':
			if strings.HasPrefix(s[i:], "://") {
				for i < len(s) && s[i] > ' ' {
					i++
				}
				continue
			}
			if i == 0 || !isWord(s[i-1]) && s[i-1] != ':' {
				if e, n := emojiAt(s[i:]); n > 0 {
					b.WriteString(s[from:i])
					b.WriteString(e)
					i += n
					from = i
					continue
				}
			}
		}
		i++
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[min(from, len(s)):])
	return b.String()
}

// wideFlank tells on which side the stars at i need something like a letter.
// CommonMark takes a star between a full stop and a letter for no end of
// emphasis, which is right where blanks part words, and wrong in Chinese,
// Japanese and Korean.
func wideFlank(s string, i int) (before, after bool) {
	n := runOf(s[i:], '*')
	if i == 0 || i+n >= len(s) {
		return false, false
	}
	prev, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i+n:])
	wide := func(r rune) bool { return wideLetter(r) || r >= 0xac00 && r <= 0xd7a3 }
	mark := func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
	return mark(prev) && wide(next), wide(prev) && mark(next)
}

// restoreFences writes a line, blocks of code in it as fences behind its prefix.
func (p *page) restoreFences(w *mappedWriter, prefix, rest string) {
	w.write(prefix)
	if !hasPlaceholder(rest) {
		w.write(rest)
		return
	}
	h := blankPrefix(prefix)
	for i := 0; i < len(rest); {
		m, ok := p.stash.at(rest[i:])
		if !ok {
			k := strings.IndexByte(rest[i+1:], placeholderLead)
			if k < 0 {
				k = len(rest) - i - 1
			}
			w.write(rest[i : i+1+k])
			i += 1 + k
			continue
		}
		if m.kind != phFence {
			w.write(rest[i : i+placeholderLen])
			i += placeholderLen
			continue
		}
		if strings.TrimSpace(rest[:i]) != "" {
			w.writeByte('\n')
			w.write(h)
		}
		ticks := 3
		for l := range strings.Lines(m.text) {
			ticks = max(ticks, runOf(strings.TrimLeft(l, " \t"), '`')+1)
		}
		fence := strings.Repeat("`", ticks)
		w.write(fence + m.name)
		line := m.n
		save := w.line
		if line > 0 {
			w.line = int32(line)
		}
		for k, l := range codeLines(m.text) {
			if line > 0 {
				w.line = min(int32(line+1+k), p.lastLine)
			}
			w.writeByte('\n')
			if l == "" {
				w.write(strings.TrimRight(h, " "))
				continue
			}
			w.write(h)
			w.write(l)
		}
		w.line = save
		w.writeByte('\n')
		w.write(h + fence)
		i += placeholderLen
		if strings.TrimSpace(rest[i:]) != "" {
			w.writeByte('\n')
			w.write(h)
			i += len(rest[i:]) - len(strings.TrimLeft(rest[i:], " "))
		}
	}
}

// codeLines gives the lines of a block of code; none if it is empty.
func codeLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
