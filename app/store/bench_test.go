package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// BenchmarkCommit replaces the same files again and again, or adds others each
// time.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		name  string
		files int
		path  func(i, k int) string
	}{
		{"replace/1", 1, func(_, k int) string { return fmt.Sprintf("posts/%d.md", k) }},
		{"replace/1000", 1000, func(_, k int) string { return fmt.Sprintf("posts/%d.md", k) }},
		{"add/1000", 1000, func(i, k int) string { return fmt.Sprintf("posts/%d-%d.md", i, k) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, err := Open(b.TempDir(), slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			for i := 0; b.Loop(); i++ {
				files := map[string]*string{}
				for k := range c.files {
					files[c.path(i, k)] = new(fmt.Sprint(i, k, strings.Repeat(" some words", 300)))
				}
				if _, err := tryCommit(b.Context(), f, f.Ledger().Rev(), files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkImport(b *testing.B) {
	dir := b.TempDir()
	for i := range 10000 {
		p := filepath.Join(dir, fmt.Sprintf("d%d", i%100), fmt.Sprintf("%d.md", i))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(fmt.Sprint(i, strings.Repeat(" some words", 300))), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			os.RemoveAll(filepath.Join(dir, ".sheaf"))
			imported(b, dir)
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			f, err := Open(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("open without an index", func(b *testing.B) {
		for b.Loop() {
			indexes, _ := filepath.Glob(filepath.Join(dir, sheafDir, "objects", "*"+indexSuffix))
			os.Remove(slices.MaxFunc(indexes, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) }))
			f, err := Open(dir, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			imported(b, dir)
		}
	})
}

func imported(b *testing.B, dir string) {
	f, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Import(b.Context(), none); err != nil {
		b.Fatal(err)
	}
}
