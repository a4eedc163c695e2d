package tui

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"

	"sheaf/app/blog"
	"sheaf/app/store"
	"sheaf/app/typeset"
)

// muchRead is the notebook after 40 days with readers.
func muchRead(t *testing.T) *blog.Blog {
	t.Helper()
	dir := t.TempDir()
	for name, text := range notebook {
		write(t, dir, name, text)
	}
	write(t, dir, "site.yaml", "title: The Notebook\ntimezone: UTC\n")
	folder, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	var now atomic.Pointer[time.Time]
	day := func(n int) {
		at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n-39)
		now.Store(&at)
	}
	day(0)
	b, err := blog.Open(t.Context(), blog.Config{Store: folder, Now: func() time.Time { return *now.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	r := b.Reader()
	for n := range 40 {
		day(n)
		for k := range n % 9 {
			leave := r.Visit()
			for i, slug := range []string{"arriving", "pruning", "topology", "about"} {
				if p, err := r.Edition().Post(slug); err != nil {
					t.Fatal(err)
				} else if k%(i*i+1) == 0 {
					r.Viewed(p)
				}
			}
			leave()
		}
	}
	return b
}

func asAuthor(b *blog.Blog) func(*Terminal, *Config, *vt.Emulator) {
	return func(_ *Terminal, c *Config, _ *vt.Emulator) { c.Visitor = b.Author("Ada").Visitor() }
}

func TestStatsScreens(t *testing.T) {
	b := muchRead(t)
	t.Cleanup(b.Reader().Visit())
	for _, size := range []Size{{80, 24}, {40, 12}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size.Width, size.Height), func(t *testing.T) {
			step := func(name, screen string) {
				t.Helper()
				t.Run(name, func(t *testing.T) { golden.RequireEqual(t, screen) })
			}
			r := read(t, b, size.Width, size.Height, asAuthor(b))
			step("list", r.sees("Arriving", "? keys"))
			r.keys("#")
			step("days", r.sees("1 session now", "views", "24 Nov", "█"))
			r.keys("G")
			step("posts", r.sees("What pruning", "counted."))
			r.keys("q")
			r.sees("11 Nov", "!counted.")
			if got, want := strings.Contains(r.text(), " views  "), size.Width >= 80; got != want {
				t.Errorf("views are in the list: %v", got)
			}
		})
	}
	r := read(t, b, 80, 24, nil)
	r.sees("Arriving")
	r.keys("#?")
	r.sees("enter l →", "!readers:")
}

// A session counts a post once, however often it is opened; an author's does
// not count.
func TestPostsThatAreOpenedAreCounted(t *testing.T) {
	b, _ := openBlog(t, notebook)
	views := func(slug string) int {
		p, err := b.Reader().Edition().Post(slug)
		if err != nil {
			t.Fatal(err)
		}
		return b.Author("Ada").Views(p)
	}
	for _, change := range []func(*Terminal, *Config, *vt.Emulator){asAuthor(b), nil} {
		r := read(t, b, 80, 24, change)
		r.sees("Arriving")
		r.keys("\r")
		r.sees("1 of 5", "It has been a while")
		r.keys("J")
		r.sees("2 of 5", "Paragraph 1 begins")
		r.keys("K")
		r.sees("1 of 5", "It has been a while")
		r.keys("h")
		r.sees("11 Nov")
		r.keys("g\r")
		r.sees("1 of 5", "It has been a while")
		r.resize(70, 24)
		r.keys("qq")
		if err := r.leaves(); err != nil {
			t.Fatal(err)
		}
	}
	if a, p, w := views("arriving"), views("pruning"), views("why"); a != 1 || p != 1 || w != 0 {
		t.Errorf("%d, %d and %d views", a, p, w)
	}
	r := read(t, b, 80, 24, func(term *Terminal, _ *Config, _ *vt.Emulator) { term.Term = "dumb" })
	r.keys("1\r1\rnothing\rq\r")
	if err := r.leaves(); err != nil {
		t.Fatal(err)
	}
	if n := views("arriving"); n != 2 {
		t.Errorf("%d views", n)
	}
	// The author's list keeps up.
	r = read(t, b, 80, 24, asAuthor(b))
	r.sees("   2 views  5 min", "   1 view  4 min")
	p, err := b.Reader().Edition().Post("arriving")
	if err != nil {
		t.Fatal(err)
	}
	for range 998 {
		b.Reader().Viewed(p)
	}
	r.keys("j")
	r.sees("!2 views")
	time.Sleep(2100 * time.Millisecond)
	r.keys("k")
	r.sees("   1000 views  5 min", "   1 view  4 min")
}

func TestStatsFitAnyWindow(t *testing.T) {
	b := muchRead(t)
	s := b.Author("Ada").Stats()
	for i := range s.Posts {
		s.Posts[i].Month, s.Posts[i].Total = 123456, 1234567
	}
	s.Views.Month, s.Views.Total = 12345678, 123456789
	s.Views.Days[s.Today] = 1234567
	for _, s := range []blog.Stats{s, {Today: s.Today}} {
		for width := 1; width < 130; width++ {
			for _, l := range statsLines(s, width, typeset.Styled(typeset.Theme{Name: "dark"})) {
				if w := ansi.StringWidth(l); w > width {
					t.Errorf("%d cells of %d: %q", w, width, ansi.Strip(l))
				}
			}
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		n, most, cells int
		want           string
	}{
		{0, 0, 5, ""}, {0, 9, 5, ""}, {9, 9, 5, "█████"}, {1, 1000, 5, "▏"}, {1, 2, 5, "██▌"}, {1, 16, 2, "▏"}, {15, 16, 2, "█▉"}, {1 << 40, 1 << 40, 3, "███"},
	} {
		if got := bar(c.n, c.most, c.cells); got != c.want {
			t.Errorf("%d of %d in %d: %q, want %q", c.n, c.most, c.cells, got, c.want)
		}
	}
}
