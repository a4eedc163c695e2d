package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Every file operation goes through a disk, so that none escapes the tests
// that record and fail them; the lock is the only exception.
func TestOnlyADiskTouchesFiles(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{"ErrNotExist": true, "O_RDONLY": true, "O_WRONLY": true, "O_RDWR": true, "O_CREATE": true,
		"O_EXCL": true, "O_TRUNC": true, "IsNotExist": true}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "disk") || name == "lock.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "os" && !allowed[s.Sel.Name] {
				t.Errorf("%s uses os.%s", name, s.Sel.Name)
			}
			return true
		})
	}
}

// A spy is a disk that notes which files are opened.
type spy struct {
	disk
	dir    string
	opened *sync.Map
}

func (s spy) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	s.opened.Store(path.Join(s.dir, name), flag)
	return s.disk.OpenFile(name, flag, perm)
}

func (s spy) Sub(name string) (disk, error) {
	sub, err := s.disk.Sub(name)
	return spy{sub, path.Join(s.dir, name), s.opened}, err
}

func spied(opened *sync.Map) Option {
	return func(o *options) {
		o.disk = func(dir string) (disk, error) {
			d, err := openDisk(dir)
			if err != nil {
				return nil, err
			}
			return spy{d, filepath.ToSlash(dir), opened}, nil
		}
	}
}

func TestWhatWasJustWrittenIsNotReadAgain(t *testing.T) {
	dir := t.TempDir()
	var opened sync.Map
	f, err := Open(dir, slog.New(slog.DiscardHandler), spied(&opened))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := []string{"a.md", "deep/er/b.md"}
	wrote := func(mtime time.Time) {
		t.Helper()
		text := mtime.String()
		hash, err := f.Put(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c := Commit{}
		for _, name := range names {
			c.Entries = append(c.Entries, Entry{Path: name, Hash: hash, Size: int64(len(text)), MTime: mtime})
		}
		if _, err := f.Commit(t.Context(), f.Ledger().Rev(), c); err != nil {
			t.Fatal(err)
		}
	}
	unread := func(when string) {
		t.Helper()
		for _, name := range names {
			if _, ok := opened.Load(path.Join(filepath.ToSlash(dir), name)); ok {
				t.Errorf("%s is read %s", name, when)
			}
		}
	}
	wrote(time.Now().Add(-time.Hour))
	importAll(t, f)
	unread("by Import")
	wrote(time.Now().Add(-time.Minute))
	unread("by the next commit")

	// A new time is trusted when the system has told of the file, and some time
	// has gone by without anybody writing into it.
	told := f.Watch(t.Context(), func(string) bool { return false })
	wrote(time.Time{})
	for _, name := range names {
		until(t, func() bool { return f.cache.toldOf(name) })
		f.cache.age(name, 2*time.Second)
	}
	importAll(t, f)
	unread("by Import, though it is new")
	select {
	case <-told:
		t.Error("it is news")
	default:
	}
}

func (c *stampCache) toldOf(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.own[name].told
}

func (c *stampCache) age(name string, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.own[name]
	o.at = o.at.Add(-by)
	c.own[name] = o
}
