// Command codestats prints a table of the packages of a Go module: how big they
// are, and what in them is bigger than it should be.
//
//	go run ./app/internal/codestats [FOLDER]
//
// FOLDER is the root of a checkout, "." if it is not named. Files for tests are
// counted in one column of their own and nowhere else; folders named testdata,
// and those whose name begins with a dot, are left out.
//
//	files     source files
//	lines     of these files
//	code      lines that hold more than a comment
//	comment   lines that hold a comment and nothing else
//	test      lines of the files for tests
//	exported  types, functions, constants and variables with an exported name, and
//	          exported methods of exported types
//	funcs     functions and methods
//	>60       of these, longer than 60 lines
//	undoc>30  of these, longer than 30 lines without a comment in front
//	>120      lines wider than 120 columns, where a tab is 4
//	biggest   the file of most lines, with their number
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	longFunction   = 60  // lines
	toBeDocumented = 30  // lines of a function
	wideLine       = 120 // columns
	tabWidth       = 4
)

// figures are those of one package, or of many together.
type figures struct {
	name                 string
	files                int
	lines, code, comment int
	test                 int // lines
	exported, funcs      int
	long, undocumented   int // functions
	wide                 int // lines
	biggest              string
	biggestLines         int
}

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := report(os.Stdout, root); err != nil {
		fmt.Fprintf(os.Stderr, "codestats: %v\n", err)
		os.Exit(1)
	}
}

// report writes the table of the packages below root, by name, with their sum.
func report(w io.Writer, root string) error {
	packages := map[string]*figures{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (name == "testdata" || strings.HasPrefix(name, ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(filepath.Dir(rel))
		if packages[name] == nil {
			packages[name] = &figures{name: name}
		}
		return packages[name].add(filepath.Base(path), src)
	})
	if err != nil {
		return err
	}
	all := figures{name: "all"}
	var rows []*figures
	for _, f := range packages {
		rows = append(rows, f)
		all.sum(f)
	}
	slices.SortFunc(rows, func(a, b *figures) int { return cmp.Compare(a.name, b.name) })
	return table(w, append(rows, &all))
}

// add counts one file.
func (f *figures) add(name string, src []byte) error {
	if strings.HasSuffix(name, "_test.go") {
		f.test += bytes.Count(src, []byte("\n"))
		return nil
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := bytes.Count(src, []byte("\n"))
	f.files++
	f.lines += lines
	if lines > f.biggestLines {
		f.biggest, f.biggestLines = name, lines
	}
	for line := range bytes.Lines(src) {
		if columns(line) > wideLine {
			f.wide++
		}
	}
	f.addLines(src)
	for _, d := range tree.Decls {
		f.addDeclaration(files, d)
	}
	return nil
}

// columns is the width of a line without its end.
func columns(line []byte) int {
	line = bytes.TrimRight(line, "\r\n")
	return utf8.RuneCount(line) + (tabWidth-1)*bytes.Count(line, []byte("\t"))
}

// addLines counts the lines of code and those of nothing but comments.
func (f *figures) addLines(src []byte) {
	const code, comment = 1, 2
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(src))
	kinds := make([]int, bytes.Count(src, []byte("\n"))+2) // by line, from 1
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue // put in by the scanner
		}
		kind := code
		if tok == token.COMMENT {
			kind = comment
		}
		first := file.Line(pos)
		for line := first; line <= first+strings.Count(text, "\n"); line++ {
			kinds[line] |= kind
		}
	}
	for _, kind := range kinds {
		switch {
		case kind&code != 0:
			f.code++
		case kind == comment:
			f.comment++
		}
	}
}

// addDeclaration counts a function, or what else a declaration exports.
func (f *figures) addDeclaration(files *token.FileSet, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		f.funcs++
		lines := files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1
		if lines > longFunction {
			f.long++
		}
		if lines > toBeDocumented && d.Doc == nil {
			f.undocumented++
		}
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type))) {
			f.exported++
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					f.exported++
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() {
						f.exported++
					}
				}
			}
		}
	}
}

// receiver is the name of the type of a method.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// sum adds the figures of a package to those of all.
func (f *figures) sum(p *figures) {
	f.files += p.files
	f.lines += p.lines
	f.code += p.code
	f.comment += p.comment
	f.test += p.test
	f.exported += p.exported
	f.funcs += p.funcs
	f.long += p.long
	f.undocumented += p.undocumented
	f.wide += p.wide
	if p.biggestLines > f.biggestLines {
		f.biggest, f.biggestLines = p.name+"/"+p.biggest, p.biggestLines
	}
}

// table writes the rows as a table of Markdown that can be read as it is.
func table(w io.Writer, rows []*figures) error {
	cells := [][]string{strings.Fields(
		"package files lines code comment test exported funcs >60 undoc>30 >120 biggest")}
	for _, f := range rows {
		row := []string{f.name}
		for _, n := range []int{
			f.files, f.lines, f.code, f.comment, f.test, f.exported, f.funcs, f.long, f.undocumented, f.wide,
		} {
			row = append(row, strconv.Itoa(n))
		}
		cells = append(cells, append(row, fmt.Sprintf("%s %d", f.biggest, f.biggestLines)))
	}
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, c := range row {
			widths[i] = max(widths[i], len(c))
		}
	}
	var out bytes.Buffer
	for n, row := range cells {
		rule := ""
		for i, c := range row {
			if i == 0 || i == len(row)-1 { // text
				fmt.Fprintf(&out, "| %-*s ", widths[i], c)
				rule += "|" + strings.Repeat("-", widths[i]+2)
			} else {
				fmt.Fprintf(&out, "| %*s ", widths[i], c)
				rule += "|" + strings.Repeat("-", widths[i]+1) + ":"
			}
		}
		fmt.Fprintln(&out, "|")
		if n == 0 {
			fmt.Fprintln(&out, rule+"|")
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
