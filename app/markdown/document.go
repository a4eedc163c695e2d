package markdown

import (
	"fmt"

	"github.com/yuin/goldmark/ast"

	"sheaf/app/srcmap"
)

// Dialect names a generator's way of writing Markdown.
type Dialect string

const (
	Auto     Dialect = "" // from the source's own marks, then from the site
	Plain    Dialect = "plain"
	Franklin Dialect = "franklin"
	Hugo     Dialect = "hugo"
	Jekyll   Dialect = "jekyll"
	Zola     Dialect = "zola"
	Eleventy Dialect = "eleventy"
	MDX      Dialect = "astro-mdx"
	Obsidian Dialect = "obsidian"
)

// ParseDialect returns the dialect of a name: that of a constant, a short form,
// or "" and "auto" for Auto. The error lists the names.
func ParseDialect(name string) (Dialect, error) {
	switch d := Dialect(name); d {
	case Auto, Plain, Franklin, Hugo, Jekyll, Zola, Eleventy, MDX, Obsidian:
		return d, nil
	case "auto":
		return Auto, nil
	case "mdx", "astro":
		return MDX, nil
	case "11ty":
		return Eleventy, nil
	case "markdown", "gfm", "commonmark", "other":
		return Plain, nil
	}
	return Auto, fmt.Errorf(
		"dialect %q: not one of plain, franklin, hugo, jekyll, zola, eleventy, astro-mdx, obsidian", name)
}

// Options says how to take one source.
type Options struct {
	Dialect Dialect // Auto: from the source's own marks, then the site's
	Path    string  // slash-separated, below the content root
	Site    *Site   // may be nil
	Title   string  // shown above the page: a first block that is a heading saying the same is left out
}

// FrontKind is the form of a front matter.
type FrontKind int

const (
	NoFront FrontKind = iota
	YAML
	TOML
	JSON
	Julia // Franklin's @def lines and +++ blocks
)

func (k FrontKind) String() string {
	return [...]string{"none", "YAML", "TOML", "JSON", "Julia"}[k]
}

// Front is a front matter as the author typed it. Text holds what stands
// between the fences. The package reads Julia itself; the other kinds are left
// to the caller.
type Front struct {
	Kind FrontKind
	Text string
	Line int   // of the first line of Text, from 1
	Defs []Def // Julia only, in the order of the source
}

// Def is one definition of a Franklin page.
type Def struct {
	Name   string
	Value  any    // string bool int64 float64 time.Time []any; nil: not understood
	Source string // the value as typed
	Line   int
}

// Problem is something the author would want to know.
type Problem struct {
	Line    int // in the source, from 1; 0: the whole
	Text    string
	Warning bool // the page is right all the same
}

// Source is what Read finds.
type Source struct {
	Dialect  Dialect
	Front    Front
	Body     []byte // what follows the front matter; Franklin's definitions are still in it
	BodyLine int    // line of Body's first byte, from 1
	Heading  string // text of the first heading outside code and comments, without its markup
	Words    int    // a CJK character counts as one
	Wide     int    // of the words, those that are one CJK character
	Problems []Problem
}

// Document is a parsed post. It is immutable.
type Document struct {
	Dialect  Dialect
	Front    Front
	Source   []byte // what the segments of the tree point into: Markdown after the dialect's passes
	Root     ast.Node
	Headings []Heading
	Links    []Link
	Images   []Image
	Codes    []Code
	Text     string // plain text, for searching and feeds
	Summary  string // plain text before <!--more-->, else the first paragraph
	Problems []Problem

	lines srcmap.Lines // of Source
}

// Heading is a heading with the anchor its dialect gives it.
type Heading struct {
	Level int
	Text  string
	ID    string
	Line  int
}

// Link is a link as the author meant it: dialect syntax resolved, address not.
type Link struct {
	Text   string
	Target string
	Line   int
}

// Image is an image in the text.
type Image struct {
	Alt    string
	Target string
	Title  string
	Line   int
}

// Code is a block of code, verbatim.
type Code struct {
	Lang string
	Text string
	Line int
}

// Line returns the line of the original source for a byte offset of d.Source.
func (d *Document) Line(offset int) int {
	return int(d.lines.Line(offset))
}
