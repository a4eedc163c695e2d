package markdown

import "github.com/yuin/goldmark/ast"

// The kinds of node this package adds to goldmark's.
var (
	KindCallout   = ast.NewNodeKind("Callout")
	KindDetails   = ast.NewNodeKind("Details")
	KindMathBlock = ast.NewNodeKind("MathBlock")
	KindContents  = ast.NewNodeKind("Contents")
	KindMath      = ast.NewNodeKind("Math")
	KindRaised    = ast.NewNodeKind("Raised")
	KindLowered   = ast.NewNodeKind("Lowered")
	KindKey       = ast.NewNodeKind("Key")
	KindMark      = ast.NewNodeKind("Mark")
)

// Callout is a container of blocks set apart as a note, tip or warning.
type Callout struct {
	ast.BaseBlock
	Name  string // note tip important warning caution, or the author's own word in lower case
	Title string // "" if the author gave none
}

func (n *Callout) Kind() ast.NodeKind { return KindCallout }
func (n *Callout) Dump(src []byte, level int) {
	ast.DumpHelper(n, src, level, map[string]string{"Name": n.Name, "Title": n.Title}, nil)
}

// Details is a container of blocks an author wants folded.
type Details struct {
	ast.BaseBlock
	Summary string
}

func (n *Details) Kind() ast.NodeKind { return KindDetails }
func (n *Details) Dump(src []byte, level int) {
	ast.DumpHelper(n, src, level, map[string]string{"Summary": n.Summary}, nil)
}

// MathBlock is a displayed formula.
type MathBlock struct {
	ast.BaseBlock
	TeX     string // as typed, without the dollars around it; other delimiters are kept
	Unicode string // the same in plain characters, "" where that would lose something
	Number  string // equation number, "" if none
}

func (n *MathBlock) Kind() ast.NodeKind { return KindMathBlock }
func (n *MathBlock) IsRaw() bool        { return true }
func (n *MathBlock) Dump(src []byte, level int) {
	ast.DumpHelper(n, src, level, map[string]string{"TeX": n.TeX, "Number": n.Number}, nil)
}

// Contents is the place of a table of contents, which its reader makes from
// Document.Headings of the levels Min to Max.
type Contents struct {
	ast.BaseBlock
	Min, Max int
}

func (n *Contents) Kind() ast.NodeKind         { return KindContents }
func (n *Contents) IsRaw() bool                { return true }
func (n *Contents) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// Math is a formula in the text.
type Math struct {
	ast.BaseInline
	TeX     string
	Unicode string
}

func (n *Math) Kind() ast.NodeKind { return KindMath }
func (n *Math) Dump(src []byte, level int) {
	ast.DumpHelper(n, src, level, map[string]string{"TeX": n.TeX}, nil)
}

// Raised is superscript.
type Raised struct{ ast.BaseInline }

func (n *Raised) Kind() ast.NodeKind         { return KindRaised }
func (n *Raised) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// Lowered is subscript.
type Lowered struct{ ast.BaseInline }

func (n *Lowered) Kind() ast.NodeKind         { return KindLowered }
func (n *Lowered) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// Key is a key to press.
type Key struct{ ast.BaseInline }

func (n *Key) Kind() ast.NodeKind         { return KindKey }
func (n *Key) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// Mark is highlighted text.
type Mark struct{ ast.BaseInline }

func (n *Mark) Kind() ast.NodeKind         { return KindMark }
func (n *Mark) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }
