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
	ours    []string // packages of this module, relative to it
	outside []string // import paths, and whatever lies below them
}

// rooms is the table of the design: an arrow that is not here does not exist,
// and one that is here is used.
var rooms = map[string]room{
	"cmd/sheaf": {
		ours: []string{"app"},
	},
	"app": {
		ours: []string{
			"app/sshd", "app/transfer", "app/typeset", "app/blog", "app/markdown", "app/store",
		},
		outside: []string{
			"github.com/alecthomas/kong",
			"github.com/prometheus/client_golang",
		},
	},
	"app/sshd": {
		ours: []string{
			"app/tui", "app/shell", "app/transfer", "app/blog", "app/typeset", "app/markdown", "app/terminal",
			"app/lazyregexp",
		},
		outside: []string{
			"charm.land/wish/v2",
			"charm.land/ssh",
			"golang.org/x/crypto/ssh",
			"golang.org/x/time/rate",
			"github.com/pires/go-proxyproto",
		},
	},
	"app/tui": {
		ours: []string{"app/blog", "app/typeset", "app/markdown", "app/terminal", "app/buffer", "app/textdiff"},
		outside: []string{
			"charm.land/bubbletea/v2",
			"github.com/charmbracelet/x/ansi",
			"github.com/charmbracelet/colorprofile",
		},
	},
	"app/terminal": {
		outside: []string{"github.com/charmbracelet/x/ansi"},
	},
	"app/buffer": {
		ours:    []string{"app/lazyregexp"},
		outside: []string{"github.com/clipperhouse/uax29/v2"},
	},
	"app/shell": {
		ours: []string{"app/blog", "app/typeset", "app/markdown"},
	},
	"app/transfer": {
		ours:    []string{"app/blog", "app/markdown", "app/lazyregexp"},
		outside: []string{"github.com/pkg/sftp"},
	},
	"app/typeset": {
		ours: []string{"app/markdown", "app/lru"},
		outside: []string{
			"charm.land/glamour/v2",
			"github.com/alecthomas/chroma/v2",
			"charm.land/lipgloss/v2",
			"github.com/charmbracelet/x/ansi",
			"github.com/yuin/goldmark/ast",
			"github.com/yuin/goldmark/extension/ast",
		},
	},
	"app/blog": {
		ours: []string{"app/markdown", "app/frontmatter", "app/textdiff", "app/store", "app/lazyregexp", "app/lru", "app/fold"},
	},
	"app/frontmatter": {
		ours: []string{"app/markdown", "app/lazyregexp"},
		outside: []string{
			"go.yaml.in/yaml/v4",
			"github.com/pelletier/go-toml/v2",
		},
	},
	"app/textdiff":   {},
	"app/markup":     {},
	"app/julia":      {},
	"app/srcmap":     {},
	"app/tex":        {},
	"app/lazyregexp": {},
	"app/lru":        {},
	"app/fold": {
		outside: []string{"golang.org/x/text/unicode/norm"},
	},
	"app/markdown": {
		ours:    []string{"app/markup", "app/julia", "app/srcmap", "app/tex", "app/lazyregexp"},
		outside: []string{"github.com/yuin/goldmark", "github.com/yuin/goldmark-emoji/definition"},
	},
	"app/store": {
		outside: []string{
			"github.com/fsnotify/fsnotify",
			"github.com/gofrs/flock",
			"golang.org/x/sys/unix",
		},
	},
}

// Below this folder are commands for developers, and packages for tests. They
// are no rooms: no room may import them, and they themselves may import any.
const notInTheProgram = "app/internal/"

// The table and the code agree in both directions: no file imports what its
// room may not, and no room may import what none of its files does.
func TestRoomsImportWhatTheirTableSays(t *testing.T) {
	root := ".."
	used := map[string]map[string]bool{} // by room, what it imports of the table
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
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, notInTheProgram) {
			return nil
		}
		r, ok := rooms[name]
		if !ok {
			t.Errorf("%s: no room %q in the table", rel, name)
			return nil
		}
		if used[name] == nil {
			used[name] = map[string]bool{}
		}
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			by, ok := allowance(r, imp)
			if !ok {
				t.Errorf("%s imports %s, which the table does not allow", rel, imp)
			}
			used[name][by] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range rooms {
		if used[name] == nil {
			t.Errorf("room %s of the table has no source", name)
			continue
		}
		for _, imp := range slices.Concat(r.ours, r.outside) {
			if strings.HasPrefix(imp, notInTheProgram) {
				t.Errorf("room %s may import %s", name, imp)
			}
			if !used[name][imp] {
				t.Errorf("room %s may import %s and does not: take it out of the table", name, imp)
			}
		}
	}
}

// allowance is the entry of the table that lets a room import something: "" for
// the standard library, and false when there is none. Of two that do, the
// narrower one counts.
func allowance(r room, imp string) (by string, ok bool) {
	if ours, is := strings.CutPrefix(imp, "sheaf/"); is {
		return ours, slices.Contains(r.ours, ours)
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return "", true
	}
	for _, o := range r.outside {
		if (imp == o || strings.HasPrefix(imp, o+"/")) && len(o) > len(by) {
			by = o
		}
	}
	return by, by != ""
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

// ARCHITECTURE.md has a row for every room, with what it imports of ours.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 6 {
			rows[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[3])
		}
	}
	for name, r := range rooms {
		if name == "app/lazyregexp" {
			continue // whoever has a regular expression imports it
		}
		var ours []string
		for _, o := range r.ours {
			if o != "app/lazyregexp" {
				ours = append(ours, path.Base(o))
			}
		}
		got, ok := rows[name]
		is := strings.Fields(got)
		slices.Sort(is)
		slices.Sort(ours)
		if !ok || !slices.Equal(is, ours) {
			t.Errorf("%s imports %q, the page says %q", name, ours, is)
		}
	}
}
