package markdown

import (
	"strings"

	"sheaf/app/srcmap"
)

// A protector puts a placeholder where there is anything no later pass may
// look into: code, comments, formulas, raw text. What it copies stays as typed.
type protector struct {
	*page
	*srcmap.Rewriter
	src     string
	rawHTML bool // between Franklin's ~~~

	prefix     string // containers of the current line, as typed
	textStart  int    // where the line's own text begins
	quotes     int
	lists      []int // columns where the text of the open list items begins
	openBlocks int   // open block elements
	afterBlank bool  // indented lines may be code: the line before is blank, or ends a block

	// noSpanBefore[n] is the offset up to which no n backticks end a code span.
	noSpanBefore map[int]int
}

const maxContainers = 64 // open lists, and quotes in one another, that are followed

// protect returns a text in which code, comments, formulas and raw text are
// placeholders.
func (p *page) protect(in srcmap.Text) srcmap.Text {
	pr := &protector{page: p, Rewriter: srcmap.NewRewriter(in), src: in.Text, afterBlank: true}
	for i := 0; i < len(pr.src); {
		i = pr.takeLine(i)
	}
	return pr.Text()
}

// takeLine takes the line at i with what begins on it, and returns where to go
// on.
func (pr *protector) takeLine(i int) int {
	end := eol(pr.src, i)
	if strings.TrimSpace(pr.src[i:end]) == "" {
		pr.newline(end)
		pr.afterBlank = true
		pr.noSpanBefore = nil
		return min(end+1, len(pr.src))
	}
	if !pr.rawHTML && pr.isIndentedCode(i) {
		return pr.takeIndentedCode(i)
	}
	pr.readContainers(i)
	pr.afterBlank = false
	text := pr.src[pr.textStart:end]
	if !pr.rawHTML && text != "" && (text[0] == '`' || text[0] == '~' && pr.dialect != Franklin) {
		if next := pr.takeFence(pr.textStart); next > 0 {
			pr.afterBlank = true
			return next
		}
	}
	pr.Write(pr.prefix)
	next := pr.takeInline(pr.textStart)
	n := runOf(text, '#')
	pr.afterBlank = n > 0 && n <= 6 && n < len(text) && text[n] == ' ' || isRule(text)
	return next
}

// newline writes the line end at i.
func (pr *protector) newline(i int) {
	if i < len(pr.src) {
		pr.Line = pr.In.Line(i + 1)
		pr.NewLine()
	}
}

// readContainers finds where the text of the line at i begins, behind quotes
// and list markers, and follows which lists are open.
func (pr *protector) readContainers(i int) {
	k := i
	column, base := 0, 0
	pr.quotes = 0
	for {
		c, n := indentation(pr.src[k:])
		column = base + c
		k += n
		if k >= len(pr.src) || pr.src[k] == '\n' {
			break
		}
		if pr.src[k] == '>' {
			pr.quotes++
			k++
			if k < len(pr.src) && pr.src[k] == ' ' {
				k++
			}
			base = 0
			if pr.quotes > maxContainers {
				break
			}
			continue
		}
		n = listMarker(pr.src[k:])
		if n == 0 || isRule(pr.src[k:eol(pr.src, k)]) {
			break
		}
		pr.closeLists(column)
		k += n
		gap, gapLen := indentation(pr.src[k:])
		if gap > 4 { // indented code in the item
			gap, gapLen = 1, 1
		}
		gap = max(gap, 1)
		base = column + n + gap
		if len(pr.lists) < maxContainers {
			pr.lists = append(pr.lists, base)
		}
		k += gapLen
		if k >= len(pr.src) || pr.src[k] == '\n' || len(pr.lists) >= maxContainers {
			break
		}
	}
	// a column within a quote tells nothing of the lists around it
	if k < len(pr.src) && pr.src[k] != '\n' && pr.afterBlank && pr.quotes == 0 && column < 2 {
		pr.closeLists(column)
	}
	pr.textStart = k
	pr.prefix = pr.src[i:k]
}

// closeLists ends the lists whose text begins to the right of a column.
func (pr *protector) closeLists(column int) {
	for n := len(pr.lists); n > 0 && column < pr.lists[n-1]; n-- {
		pr.lists = pr.lists[:n-1]
	}
}

// replaceBlock writes a block for what stands from i up to next, on lines of
// its own, and returns where to go on.
func (pr *protector) replaceBlock(i, next int, block string) int {
	pr.Flush(i)
	pr.ensureLine()
	pr.Write(block)
	pr.Line = pr.In.Line(next)
	pr.From = pr.endLine(next)
	return pr.From
}

// ensureLine makes sure that what is written next begins a line.
func (pr *protector) ensureLine() {
	line := pr.CurrentLine()
	if strings.Trim(line, " \t>") == "" || len(line) <= len(pr.prefix) {
		return
	}
	pr.NewLine()
	pr.Write(blankPrefix(pr.prefix))
}

// endLine ends the line if there is more text on it, and returns where that
// begins.
func (pr *protector) endLine(i int) int {
	if strings.TrimSpace(pr.src[i:eol(pr.src, i)]) == "" {
		return i
	}
	pr.NewLine()
	pr.Write(blankPrefix(pr.prefix))
	for i < len(pr.src) && (pr.src[i] == ' ' || pr.src[i] == '\t') {
		i++
	}
	return i
}
