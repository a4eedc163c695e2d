package blog

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"sheaf/app/store"
)

// heads are front matters of one dialect each: a title of two words and a
// number, a date, two tags.
var heads = map[string]string{
	"yaml":     "---\ntitle: The %s of %s, number %d\ndate: %d-%02d-%02d\ntags: [%s, %s]\ndraft: false\n---\n\n",
	"toml":     "+++\ntitle = \"The %s of %s, number %d\"\ndate = %d-%02d-%02d\ntags = [\"%s\", \"%s\"]\ndraft = false\n+++\n\n",
	"franklin": "@def title = \"The %s of %s, number %d\"\n@def date = Date(%d, %02d, %02d)\n@def tags = [\"%s\", \"%s\"]\n@def hascode = true\n\n\\toc\n\n",
	"plain":    "# The %s of %s, number %d\n\n%d-%02d-%02d %s %s\n\n",
}

// manyPosts writes n posts of about size bytes that begin with head.
func manyPosts(tb testing.TB, n, size int, head string) string {
	tb.Helper()
	dir := tb.TempDir()
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 10000)
	for i := range words {
		var w strings.Builder
		for range 3 + rnd.IntN(8) {
			w.WriteByte(byte('a' + rnd.IntN(26)))
		}
		words[i] = w.String()
	}
	for i := range n {
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Join(dir, fmt.Sprint("part", i/1000)), 0o755); err != nil {
				tb.Fatal(err)
			}
		}
		var b strings.Builder
		fmt.Fprintf(&b, head,
			words[rnd.IntN(len(words))], words[rnd.IntN(len(words))], i, 1995+rnd.IntN(30), 1+rnd.IntN(12), 1+rnd.IntN(28),
			words[rnd.IntN(30)], words[rnd.IntN(30)])
		for b.Len() < size {
			if rnd.IntN(12) == 0 {
				fmt.Fprintf(&b, "## About %s\n\n", words[rnd.IntN(len(words))])
			}
			for range 40 + rnd.IntN(60) {
				b.WriteString(words[rnd.IntN(len(words))])
				b.WriteByte(" \n"[rnd.IntN(15)/14])
			}
			b.WriteString(".\n\n")
		}
		name := filepath.Join(dir, fmt.Sprint("part", i/1000), fmt.Sprintf("post-%05d.md", i))
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func openDir(tb testing.TB, dir string) *Blog {
	tb.Helper()
	f, err := store.View(dir)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := Open(context.Background(), Config{Store: f})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		b.Close()
		f.Close()
	})
	return b
}

// BenchmarkStart compares the index of 10,000 posts of each dialect with a pass
// that only reads the files, by as many workers.
func BenchmarkStart(b *testing.B) {
	for _, dialect := range slices.Sorted(maps.Keys(heads)) {
		dir := manyPosts(b, 10000, 4000, heads[dialect])
		b.Run(dialect+"/read-only", func(b *testing.B) {
			for b.Loop() {
				readAll(b, dir)
			}
		})
		f, err := store.View(dir)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		var s *index
		b.Run(dialect+"/index", func(b *testing.B) {
			for b.Loop() {
				s = newIndex(f)
				if _, err := s.rescan(); err != nil {
					b.Fatal(err)
				}
				v := s.snapshot(s.lib.now())
				if len(v.reader.posts) != 10000 {
					b.Fatal(len(v.reader.posts), v.author.problems)
				}
			}
		})
		b.Run(dialect+"/rescan", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.rescan(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// readAll reads every file below dir, as many at once as the index does.
func readAll(b *testing.B, dir string) {
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	work := make(chan string)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		wg.Go(func() {
			for p := range work {
				if _, err := os.ReadFile(p); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, p := range names {
		work <- p
	}
	close(work)
	wg.Wait()
}

func BenchmarkFilter(b *testing.B) {
	e := openDir(b, manyPosts(b, 10000, 500, heads["yaml"])).Reader().Edition()
	for _, q := range []string{"t", "the", "number 99", "zzzqx", "tnmbr"} {
		b.Run(strings.ReplaceAll(q, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				e.Filter(q)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	e := openDir(b, manyPosts(b, 10000, 4000, heads["yaml"])).Reader().Edition()
	e.Search("warm") // makes the text
	for _, q := range []string{"e", "the", "number", "about", "qzxwvj", "abc xyz"} {
		b.Run(strings.ReplaceAll(q, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				e.Search(q)
			}
		})
	}
}
