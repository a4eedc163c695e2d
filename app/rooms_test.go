package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// room says what one package may import besides the standard library.
type room struct {
	ours    []string // rooms, relative to the module
	outside []string // modules or import path prefixes
}

// rooms is the table of the design: an arrow that is not here does not exist.
var rooms = map[string]room{
	"cmd/sheaf":    {ours: []string{"app"}},
	"app":          {ours: []string{"app/sshd", "app/tui", "app/shell", "app/transfer", "app/typeset", "app/blog", "app/buffer", "app/markdown", "app/store"}, outside: []string{"github.com/alecthomas/kong", "github.com/prometheus/client_golang"}},
	"app/sshd":     {ours: []string{"app/tui", "app/shell", "app/transfer", "app/blog", "app/typeset", "app/markdown"}, outside: []string{"charm.land/wish/v2", "charm.land/ssh", "golang.org/x/crypto/ssh", "golang.org/x/time/rate", "github.com/pires/go-proxyproto"}},
	"app/buffer":   {outside: []string{"github.com/clipperhouse/uax29/v2"}},
	"app/tui":      {ours: []string{"app/blog", "app/typeset", "app/markdown", "app/textdiff", "app/buffer"}, outside: []string{"charm.land/bubbletea/v2", "charm.land/bubbles/v2", "charm.land/lipgloss/v2", "github.com/charmbracelet/x/ansi", "github.com/charmbracelet/colorprofile"}},
	"app/shell":    {ours: []string{"app/blog", "app/typeset", "app/markdown"}},
	"app/transfer": {ours: []string{"app/blog", "app/markdown"}, outside: []string{"github.com/pkg/sftp"}},
	"app/typeset":  {ours: []string{"app/markdown"}, outside: []string{"charm.land/glamour/v2", "github.com/alecthomas/chroma/v2", "charm.land/lipgloss/v2", "github.com/charmbracelet/x/ansi", "github.com/yuin/goldmark/ast", "github.com/yuin/goldmark/extension/ast"}},
	"app/blog":     {ours: []string{"app/markdown", "app/textdiff", "app/store"}, outside: []string{"go.yaml.in/yaml/v4", "github.com/pelletier/go-toml/v2", "golang.org/x/text/unicode/norm"}},
	"app/textdiff": {},
	"app/markdown": {outside: []string{"github.com/yuin/goldmark"}},
	"app/store":    {outside: []string{"github.com/fsnotify/fsnotify", "golang.org/x/sys/unix"}},
}

func TestRoomsImportOnlyWhatTheirTableAllows(t *testing.T) {
	root := ".."
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		rel, _ := filepath.Rel(root, p)
		name := path.Dir(filepath.ToSlash(rel))
		r, ok := rooms[name]
		if !ok {
			t.Errorf("%s: no room %q in the table", rel, name)
			return nil
		}
		seen[name] = true
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if !allowed(r, imp) {
				t.Errorf("%s imports %s", rel, imp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range rooms {
		if !seen[name] {
			t.Errorf("room %s of the table has no source", name)
		}
	}
}

func allowed(r room, imp string) bool {
	if ours, ok := strings.CutPrefix(imp, "sheaf/"); ok {
		return slices.Contains(r.ours, ours)
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return true
	}
	return slices.ContainsFunc(r.outside, func(o string) bool { return imp == o || strings.HasPrefix(imp, o+"/") })
}

func TestTopLevelHoldsOnlyItsFewNames(t *testing.T) {
	want := []string{"cmd", "app", "content", "keys", "Dockerfile", "go.mod", "go.sum", "README.md", "LICENSE"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("%s at the top level", e.Name())
		}
	}
}
