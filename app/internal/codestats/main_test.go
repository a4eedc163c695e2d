package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	dir := t.TempDir()
	long := "func long() {\n" + strings.Repeat("\tlong()\n", 60) + "}\n"
	for name, text := range map[string]string{
		"a/a.go": `// Package a has
// two lines of comment.
package a

/* and one
   of two */
var X, y = ` + "`a\nb\n`" + `, 1 // code

type T[P any] struct{}

func (*T[P]) M() {} // exported
func (t) N()     {} // not
` + long,
		"a/b.go":          "package a\n\n// Documented.\n" + strings.Replace(long, "long()", "lang()", 1) + "// " + strings.Repeat("é", 118) + "\n",
		"a/a_test.go":     "package a\n\nfunc TestNothing() {}\n",
		"a/testdata/x.go": "no Go",
		".git/x.go":       "no Go",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := report(&out, dir); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if got, want := strings.Join(strings.Fields(lines[2]), " "), "| a | 2 | 142 | 132 | 6 | 3 | 3 | 4 | 2 | 1 | 1 | a.go 76 |"; got != want {
		t.Errorf("got\n%s\nwant\n%s\n%s", got, want, out.String())
	}
}
