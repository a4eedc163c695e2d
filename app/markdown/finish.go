package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sheaf/app/srcmap"
)

const (
	maxNesting    = 12  // quotes and lists inside one another
	maxDelimiters = 800 // delimiters of emphasis and brackets in one block of text
)

// A finisher makes what goldmark reads of the text the passes left: nesting
// and delimiters are limited, call-outs get their placeholders, headings lose
// their attributes, and code becomes fences again.
type finisher struct {
	*page
	w            *srcmap.Writer
	notes        map[string]bool // labels of the footnotes that have a text
	delimiters   int             // seen in the current block of text
	items        []int           // indentation of the text of open list items
	quotes       int             // quote markers of the line before
	inAdmonition bool            // in the indented body of a !!! call-out
}

func (p *page) finishPass(in srcmap.Text) srcmap.Text {
	f := &finisher{page: p, w: srcmap.NewWriter(in), notes: definedFootnotes(in.Text)}
	s := in.Text
	for i := 0; i < len(s); {
		end := eol(s, i)
		f.w.Relocate(in.Line(i))
		if end == len(s) {
			f.writeLine(s[i:], "", true)
			break
		}
		f.writeLine(s[i:end], s[end+1:], false)
		f.w.NewLine()
		i = end + 1
	}
	return f.w.Text()
}

// writeLine writes a line without its end. below is the text under it, and
// last reports that there is not even a line end.
func (f *finisher) writeLine(line, below string, last bool) {
	text := strings.TrimLeft(line, " \t")
	if text == "" {
		f.delimiters, f.quotes = 0, 0
		if f.inAdmonition {
			f.w.Write(">")
		}
		return
	}
	if f.inAdmonition {
		blanks := len(line) - len(text)
		if blanks >= 4 || line[0] == '\t' {
			line = "> " + strings.TrimPrefix(line[min(4, blanks):], "\t")
		} else {
			f.inAdmonition = false
			f.w.NewLine()
		}
	} else if head, ok := f.admonition(line); ok && (last || indentedBelow(below)) {
		f.inAdmonition = true
		f.w.Write(head)
		return
	}
	prefix, rest, quotes := f.limitContainers(line)
	if quotes > 0 && f.quotes != quotes || listMarker(strings.TrimLeft(prefix, " >")) > 0 || listMarker(rest) > 0 {
		f.delimiters = 0
	}
	if quotes > 0 && strings.HasPrefix(rest, "[!") && (f.quotes < quotes || f.quotes == 0) {
		if head, ok := f.alert(rest); ok {
			rest = head
		}
	}
	f.quotes = quotes
	if strings.HasPrefix(rest, "#") {
		rest = f.takeHeadingID(rest)
	} else if strings.HasSuffix(strings.TrimRight(rest, " "), "}") && isUnderline(below) {
		rest = strings.TrimPrefix(f.takeHeadingID("# "+rest), "# ")
	}
	f.writeText(prefix, f.limitDelimiters(rest))
}

// isUnderline reports whether the line s begins with makes a heading of the
// one above it.
func isUnderline(s string) bool {
	t := strings.TrimSpace(lineAt(s, 0))
	return t != "" && (t[0] == '=' || t[0] == '-') && runOf(t, t[0]) == len(t)
}

// indentedBelow reports whether the first line of s that is not blank is
// indented as code is.
func indentedBelow(s string) bool {
	for l := range strings.Lines(s) {
		if strings.TrimSpace(l) != "" {
			return strings.HasPrefix(l, "    ") || strings.HasPrefix(l, "\t")
		}
	}
	return false
}

// admonition reads the !!! kind "Title" of Julia and MkDocs, whose indented
// body becomes a quote, and ???, which is folded.
func (p *page) admonition(line string) (head string, ok bool) {
	sign, rest, ok := strings.Cut(line, " ")
	if !ok || sign != "!!!" && sign != "???" && sign != "???+" {
		return "", false
	}
	name, title, _ := strings.Cut(strings.TrimSpace(rest), " ")
	name = strings.ToLower(name)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "", false
	}
	kind, title := calloutHead(name, strings.Trim(strings.TrimSpace(title), `"`))
	m := placeholder{kind: phCallout, name: kind, title: p.stash.text(title)}
	if sign != "!!!" {
		m = placeholder{kind: phDetails, text: m.title}
	}
	return "> " + p.stash.put(m), true
}

// alert reads the [!KIND] of GitHub and the [!kind]- Title of Obsidian.
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
	kind, title := calloutHead(name, title)
	return p.stash.put(placeholder{kind: phCallout, name: kind, title: title}), true
}

// calloutHead returns the call-out an author's word stands for, and the title
// it has if the author gave none: that word, if another takes its place.
func calloutHead(name, given string) (kind, title string) {
	kind = calloutNames[name]
	if kind == "" {
		kind = name
	}
	if given == "" && kind != name {
		given = strings.ToUpper(name[:1]) + name[1:]
	}
	return kind, given
}

// limitContainers takes a line apart into the markers of its containers, no
// more than maxNesting of them, and its text. It follows which list items are
// open: an item that would stand too deep stays, on the deepest level allowed.
func (f *finisher) limitContainers(line string) (prefix, rest string, quotes int) {
	var b strings.Builder
	k, base, levels := 0, 0, 0
	items := f.items
	for k < len(line) {
		column, n := indentation(line[k:])
		column += base
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
		for len(items) > 0 && items[len(items)-1] > column {
			items = items[:len(items)-1]
		}
		items = append(items, column+m+1)
		marker := line[k+n : k+n+m]
		levels++
		if levels > maxNesting || quotes >= maxNesting {
			return b.String(), strings.TrimLeft(line[k+n+m:], " "), min(quotes, maxNesting)
		}
		if len(items) > maxNesting || quotes+len(items) > maxNesting+4 {
			f.items = items
			over := items[min(maxNesting, len(items))-1] - m - 1
			b.WriteString(strings.Repeat(" ", max(min(over, column), 0)) + marker + " ")
			return b.String(), strings.TrimLeft(line[k+n+m:], " "), quotes
		}
		b.WriteString(gap + marker)
		k += n + m
		base = column + m
		if k < len(line) && line[k] == ' ' {
			b.WriteByte(' ')
			k++
			base++
		}
	}
	f.items = items
	rest = strings.TrimLeft(line[k:], " \t")
	blanks := len(line) - k - len(rest)
	if len(items) > maxNesting {
		blanks = min(blanks, items[maxNesting-1])
	}
	b.WriteString(line[k : k+blanks])
	return b.String(), rest, min(quotes, maxNesting)
}

// takeHeadingID takes {#id .class} from the end of a heading; the id stays as a
// placeholder. Franklin has only ids.
func (p *page) takeHeadingID(s string) string {
	t := strings.TrimRight(s, " \t")
	n := runOf(s, '#')
	if n > 6 || n < len(s) && s[n] != ' ' && s[n] != '\t' || !strings.HasSuffix(t, "}") {
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

// definedFootnotes returns the labels, in lower case, of the footnotes that
// have a text.
func definedFootnotes(s string) map[string]bool {
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

// limitDelimiters makes text of the delimiters that would make goldmark slow.
// References to footnotes without a text become raised text, and :names:
// emoji.
func (f *finisher) limitDelimiters(s string) string {
	if !strings.ContainsAny(s, "*_[]~:") {
		return s
	}
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); {
		text, n := "", 1
		switch c := s[i]; c {
		case '\\':
			n = 2
		case '*', '_', '[', ']', '~':
			text, n = f.delimiter(s, i)
		case ':':
			if strings.HasPrefix(s[i:], "://") {
				for n = 3; i+n < len(s) && s[i+n] > ' '; n++ {
				}
			} else if i == 0 || !isWord(s[i-1]) && s[i-1] != ':' {
				text, n = emojiAt(s[i:])
				n = max(n, 1)
			}
		}
		if text != "" {
			b.WriteString(s[from:i])
			b.WriteString(text)
			from = i + n
		}
		i += n
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[min(from, len(s)):])
	return b.String()
}

// delimiter returns the text that takes the place of the delimiters at i, ""
// if they stay, and their number. Every bracket counts, and every run of the
// others.
func (f *finisher) delimiter(s string, i int) (text string, n int) {
	c := s[i]
	if c == '[' {
		if label, n := footnoteReference(s, i); n > 0 && !f.notes[strings.ToLower(label)] {
			return f.stash.wrap("sup", f.stash.put(placeholder{kind: phText, text: f.stash.text(label), src: label})), n
		}
	}
	n = runOf(s[i:], c)
	f.delimiters++
	if c == '*' && f.delimiters <= maxDelimiters {
		if before, after := wideFlank(s, i, n); before || after {
			gap := f.stash.put(placeholder{kind: phText}) // a letter that shows nothing
			if text = s[i : i+n]; before {
				text = gap + text
			}
			if after {
				text += gap
			}
			return text, n
		}
	}
	if f.delimiters > maxDelimiters {
		return f.stash.literal(s[i : i+n]), n
	}
	if c == '[' || c == ']' {
		return "", 1
	}
	return "", n
}

// footnoteReference reads a [^label] at i that is neither a link nor the
// beginning of a footnote.
func footnoteReference(s string, i int) (label string, n int) {
	if !strings.HasPrefix(s[i:], "[^") {
		return "", 0
	}
	k := strings.IndexByte(s[i:], ']')
	if k <= 2 || strings.ContainsAny(s[i+2:i+k], " [") {
		return "", 0
	}
	if end := i + k + 1; end < len(s) && (s[end] == '(' || s[end] == ':' && i == 0) {
		return "", 0
	}
	return s[i+2 : i+k], k + 1
}

// wideFlank tells on which side the n stars at i need something like a letter.
// CommonMark takes a star between a full stop and a letter for no end of
// emphasis, which is right where blanks part words, and wrong in Chinese,
// Japanese and Korean.
func wideFlank(s string, i, n int) (before, after bool) {
	if i == 0 || i+n >= len(s) {
		return false, false
	}
	prev, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i+n:])
	wide := func(r rune) bool { return wideLetter(r) || r >= 0xac00 && r <= 0xd7a3 }
	sign := func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
	return sign(prev) && wide(next), wide(prev) && sign(next)
}

// writeText writes the text of a line behind its prefix. Blocks of code in it
// become fences on lines of their own.
func (f *finisher) writeText(prefix, text string) {
	w := f.w
	w.Write(prefix)
	below := blankPrefix(prefix)
	from := 0
	for i := 0; i < len(text); {
		k := strings.IndexByte(text[i:], placeholderLead)
		if k < 0 {
			break
		}
		i += k
		m, ok := f.stash.at(text[i:])
		i += placeholderLen
		if !ok || m.kind != phFence {
			continue
		}
		w.Write(text[from : i-placeholderLen])
		if strings.TrimSpace(text[:i-placeholderLen]) != "" {
			w.NewLine()
			w.Write(below)
		}
		f.writeFence(w, below, m)
		if strings.TrimSpace(text[i:]) != "" {
			w.NewLine()
			w.Write(below)
			i = len(text) - len(strings.TrimLeft(text[i:], " "))
		}
		from = i
	}
	w.Write(text[from:])
}

// writeFence writes a block of code between fences longer than any in it.
// Lines below the first begin with a prefix.
func (p *page) writeFence(w *srcmap.Writer, prefix string, m placeholder) {
	ticks := 3
	for l := range strings.Lines(m.text) {
		ticks = max(ticks, runOf(strings.TrimLeft(l, " \t"), '`')+1)
	}
	fence := strings.Repeat("`", ticks)
	w.Write(fence + m.name)
	line := w.Line
	for k, l := range codeLines(m.text) {
		if m.n > 0 {
			w.Line = min(int32(m.n+1+k), p.lastLine)
		}
		w.NewLine()
		if l == "" {
			w.Write(strings.TrimRight(prefix, " "))
			continue
		}
		w.Write(prefix)
		w.Write(l)
	}
	w.Line = line
	w.NewLine()
	w.Write(prefix + fence)
}

// codeLines returns the lines of a block of code; none if it is empty.
func codeLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
