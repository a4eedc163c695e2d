package typeset

import (
	"strconv"
	"strings"
)

// Theme says in which colours a page is set. It is comparable and part of a
// page's identity.
type Theme struct {
	// Name is "dark", "light" or "plain"; anything else is taken as "dark".
	// Plain has no escape sequences, and lists the targets of links at its end.
	// "mono" has attributes (bold, underline, reverse) but no colour.
	Name string
	// Accent is the one colour of the site: "#rrggbb", an ANSI number "0" to
	// "255", or "" for glamour's heading colour.
	Accent string
}

// Header is set above the text of a page. The zero Header sets nothing.
type Header struct {
	Title string
	Note  string // a dim line below the title: date, reading time, tags
}

// Page is a document set at a width. It is immutable: whoever asks for it
// shares it.
type Page struct {
	Width  int
	Lines  []string
	Heads  []Head
	Links  []Link
	Codes  []Code
	Images []Image
	Notes  []Note
	Starts []Start

	// Problem says, for the log, why the page is plain text only; "" when it is
	// not.
	Problem string
}

// Head is a heading and the line of the page it stands on.
type Head struct {
	Level    int
	Text, ID string
	Line     int
}

// Link is a link and where its text stands. Target is what the author wrote; an
// address inside the page is "#id".
type Link struct {
	Text, Target string
	Line         int
	Col, Cells   int     // where its first line begins, and how many cells of that line it takes
	Rest         []Place // where it goes on, when it is broken over lines
}

// Place is a stretch of one line.
type Place struct{ Line, Col, Cells int }

// Code is a block of code, whole and unfolded.
type Code struct {
	Lang, Text string
	Line       int
}

// Image is a picture and the line its description stands on.
type Image struct {
	Alt, Target, Title string
	Line               int
}

// Start says on which line of the page a block of the source begins: a
// paragraph, a heading, a list item, a table, wherever it stands. Both lines
// rise from one Start to the next.
type Start struct {
	Source int // line of the source file, from 1
	Line   int // line of the page, from 0
}

// StartOf returns the line of the page on which the block around a line of the
// source begins; 0 if that stands before all blocks.
func (p *Page) StartOf(source int) int {
	line := 0
	for _, s := range p.Starts {
		if s.Source > source {
			break
		}
		line = s.Line
	}
	return line
}

// SourceOf returns the line of the source whose block stands on a line of the
// page, 0 when none does.
func (p *Page) SourceOf(line int) int {
	source := 0
	for _, s := range p.Starts {
		if s.Line > line {
			break
		}
		source = s.Source
	}
	return source
}

// Note is a footnote at the end of the page; links to it have the target
// "#fn:NUMBER".
type Note struct{ Number, Line int }

// Anchor returns the line that an address inside the page ("id" or "#id") leads
// to.
func (p *Page) Anchor(id string) (line int, ok bool) {
	id = strings.TrimPrefix(id, "#")
	for _, h := range p.Heads {
		if h.ID == id {
			return h.Line, true
		}
	}
	if s, ok := strings.CutPrefix(id, "fn:"); ok {
		for _, n := range p.Notes {
			if strconv.Itoa(n.Number) == s {
				return n.Line, true
			}
		}
	}
	return 0, false
}
