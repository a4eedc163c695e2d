package blog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sheaf/app/store"
)

// A calendar is set by tests.
type calendar struct {
	mu sync.Mutex
	at time.Time
}

func (c *calendar) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *calendar) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *calendar) add(days int) { c.set(c.now().AddDate(0, 0, days)) }

// counting opens a folder at a clock; what is logged goes to log.
func counting(tb testing.TB, dir string, c *calendar, log *bytes.Buffer) (b *Blog, end func()) {
	tb.Helper()
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	f, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	if b, err = Open(tb.Context(), Config{Store: f, Now: c.now, Log: logger}); err != nil {
		tb.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		b.Close()
		f.Close()
	})
	tb.Cleanup(end)
	return b, end
}

func view(tb testing.TB, v Visitor, slugs ...string) {
	tb.Helper()
	for _, slug := range slugs {
		p, err := v.Edition().Post(slug)
		if err != nil {
			tb.Fatal(err)
		}
		v.Viewed(p)
	}
}

func figures(c Count) [4]int { return [4]int{c.Total, c.Month, c.Week, c.Today} }

// perPost gives each post's slug and figures.
func perPost(s Stats) string {
	var all []string
	for _, p := range s.Posts {
		all = append(all, fmt.Sprint(p.Post.Slug, figures(p.Count)))
	}
	return strings.Join(all, " ")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keptStats is what is in the small state of a folder.
func keptStats(dir string) string {
	return string(must(os.ReadFile(filepath.Join(dir, ".sheaf", "state", statsState))))
}

func TestReadersAreCountedByDay(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\ntimezone: Asia/Tokyo\n", "sea.md", sea, "hills.md", hills, "draft.md", "---\ntitle: D\ndraft: true\n---\nNot yet.\n")
	c := &calendar{at: noon}
	b, end := counting(t, dir, c, nil)
	r, ada := b.Reader(), b.Author("Ada")
	for _, later := range []int{0, 23, 6, 1} { // 30, 7 and 1 days before the last
		c.add(later)
		view(t, r, "sea")
		r.Visit()()
	}
	view(t, r, "hills", "hills", "hills")
	leave := r.Visit()
	s := b.Author("Ada").Stats()
	if got := perPost(s); got != "sea[4 3 2 1] hills[3 3 3 3]" {
		t.Error(got)
	}
	if figures(s.Views) != [4]int{7, 6, 5, 4} || figures(s.Sessions) != [4]int{5, 4, 3, 2} || s.Now != 1 || s.Today.String() != "2021-05-08" {
		t.Errorf("%+v", s)
	}
	if want := map[Day]int{s.Today - 30: 1, s.Today - 7: 1, s.Today - 1: 1, s.Today: 4}; !maps.Equal(s.Views.Days, want) {
		t.Errorf("%v, want %v", s.Views.Days, want)
	}
	leave()
	leave()
	if n := b.Author("Ada").Stats().Now; n != 0 {
		t.Errorf("%d sessions are open", n)
	}
	clear(s.Views.Days) // the caller's

	// The day begins where the blog is.
	c.set(time.Date(2021, 5, 8, 15, 30, 0, 0, time.UTC))
	view(t, r, "sea")
	if s := b.Author("Ada").Stats(); s.Today.String() != "2021-05-09" || perPost(s) != "sea[5 4 3 1] hills[3 3 3 0]" {
		t.Errorf("%v %s", s.Today, perPost(s))
	}

	// Nobody else counts, and nothing that is hidden.
	before := b.Author("Ada").Stats()
	view(t, ada.Visitor(), "sea", "draft")
	ada.Visit()()
	hidden := must(ada.Edition().Post("draft"))
	r.Viewed(hidden)
	r.Viewed(nil)
	shared, err := ada.Share(t.Context(), "sea")
	if err != nil {
		t.Fatal(err)
	}
	guest, ok := b.Guest(shared.Token)
	if !ok {
		t.Fatal("no guest")
	}
	view(t, guest, "sea")
	guest.Visit()()
	Visitor{}.Viewed(hidden)
	Visitor{}.Visit()()
	after := b.Author("Ada").Stats()
	if perPost(after) != perPost(before) || figures(after.Sessions) != figures(before.Sessions) || figures(after.Views) != figures(before.Views) {
		t.Errorf("%s, before %s", perPost(after), perPost(before))
	}

	if n := ada.Views(must(r.Edition().Post("sea"))); n != 5 {
		t.Errorf("%d views", n)
	}

	// The same after a restart.
	end()
	b, _ = counting(t, dir, c, nil)
	again := b.Author("Ada").Stats()
	if perPost(again) != perPost(after) || figures(again.Views) != figures(after.Views) || figures(again.Sessions) != figures(after.Sessions) || !maps.Equal(again.Views.Days, after.Views.Days) || again.Now != 0 {
		t.Errorf("%+v, before %+v", again, after)
	}
	view(t, b.Reader(), "sea")
	if got := perPost(b.Author("Ada").Stats()); got != "sea[6 5 4 2] hills[3 3 3 0]" {
		t.Error(got)
	}
}

func TestNothingAboutAPersonIsKept(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea)
	b, end := counting(t, dir, &calendar{at: noon}, nil)
	for range 3 {
		leave := b.Reader().Visit()
		view(t, b.Reader(), "sea")
		leave()
	}
	view(t, b.Author("Ada").Visitor(), "sea")
	end()
	all := `\{"days":\{"2021-04-08":3\}\}`
	if want := regexp.MustCompile(`^\{"rev":\d+,"views":` + all + `,"sessions":` + all + `,"posts":\{"sea.md":` + all + `\}\}$`); !want.MatchString(keptStats(dir)) {
		t.Error(keptStats(dir))
	}
}

func TestCountsFollowTheirPosts(t *testing.T) {
	dir := t.TempDir()
	c := &calendar{at: noon}
	b, end := counting(t, dir, c, nil)
	ada := b.Author("Ada")
	publish(t, ada, "sea.md", sea, "hills.md", hills)
	view(t, b.Reader(), "sea", "sea", "hills")
	if _, err := ada.Rename(t.Context(), "sea", "ocean"); err != nil {
		t.Fatal(err)
	}
	if got := perPost(b.Author("Ada").Stats()); got != "ocean[2 2 2 2] hills[1 1 1 1]" {
		t.Error(got)
	}
	view(t, b.Reader(), "ocean")
	if _, err := ada.Remove(t.Context(), "hills"); err != nil {
		t.Fatal(err)
	}
	if s := b.Author("Ada").Stats(); perPost(s) != "ocean[3 3 3 3]" || s.Views.Total != 4 {
		t.Errorf("%s, %d in all", perPost(s), s.Views.Total)
	}
	end()
	if got := keptStats(dir); !strings.Contains(got, `"ocean.md"`) || strings.Contains(got, `"sea.md"`) {
		t.Error(got)
	}

	// What is kept may be older than a renaming.
	b, end = counting(t, dir, c, nil)
	if _, err := b.Author("Ada").Rename(t.Context(), "ocean", "pond"); err != nil {
		t.Fatal(err)
	}
	b.stats.mu.Lock()
	b.stats.changed = false // as if the server were killed now
	b.stats.mu.Unlock()
	end()
	if got := keptStats(dir); !strings.Contains(got, `"ocean.md"`) {
		t.Error(got)
	}
	b, _ = counting(t, dir, c, nil)
	if got := perPost(b.Author("Ada").Stats()); got != "pond[3 3 3 3]" {
		t.Error(got)
	}
	if _, err := b.Author("Ada").Restore(t.Context(), "hills", 1); err != nil {
		t.Fatal(err)
	}
	if got := perPost(b.Author("Ada").Stats()); got != "pond[3 3 3 3] hills[1 1 1 1]" {
		t.Error(got)
	}
}

func TestDamagedCountsArePutAside(t *testing.T) {
	for _, text := range []string{"", "{", `{"rev":1,"views":{"days":{"2021-04-08":3}},"posts":{"sea.md"`, `{"views":{"days":{"yesterday":3}}}`,
		`{"views":{"days":{"2021-04-08":-3}}}`, `{"posts":{"sea.md":null}}`, `{"sessions":{"earlier":-1}}`, "\x00\x00\x00"} {
		dir := t.TempDir()
		put(t, dir, "sea.md", sea, ".sheaf/state/"+statsState, text)
		var log bytes.Buffer
		b, end := counting(t, dir, &calendar{at: noon}, &log)
		view(t, b.Reader(), "sea")
		end()
		if n := strings.Count(log.String(), "views and sessions not read"); n != 1 {
			t.Errorf("%q: logged %d times: %s", text, n, log.String())
		}
		var aside []string
		for _, e := range must(os.ReadDir(filepath.Join(dir, ".sheaf", "state"))) {
			if strings.HasPrefix(e.Name(), damagedStats) {
				aside = append(aside, string(must(os.ReadFile(filepath.Join(dir, ".sheaf", "state", e.Name())))))
			}
		}
		if !slices.Equal(aside, []string{text}) {
			t.Errorf("%q: %q is aside", text, aside)
		}
		log.Reset()
		b, end = counting(t, dir, &calendar{at: noon}, &log)
		if got := perPost(b.Author("Ada").Stats()); got != "sea[1 1 1 1]" {
			t.Errorf("%q: %s", text, got)
		}
		end()
		if strings.Contains(log.String(), "WARN") {
			t.Errorf("%q: %s", text, log.String())
		}
	}
}

func TestCountsAreKeptNowAndThen(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea)
	b, _ := counting(t, dir, &calendar{at: noon}, nil)
	state := filepath.Join(dir, ".sheaf", "state", statsState)
	view(t, b.Reader(), "sea")
	time.Sleep(50 * time.Millisecond)
	if _, err := os.Stat(state); err == nil {
		t.Error("each view is written at once")
	}
	var impatient sync.WaitGroup
	impatient.Go(func() { b.keepStats(t.Context(), time.Millisecond) })
	t.Cleanup(impatient.Wait)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		view(t, b.Reader(), "sea")
		if _, err := os.Stat(state); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is kept")
		}
	}
}

func TestCountsThatCannotBeKeptAreSaidOnce(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "sea.md", sea)
	f := must(store.View(dir))
	defer f.Close()
	var log bytes.Buffer
	b, err := Open(t.Context(), Config{Store: f, Now: still, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		view(t, b.Reader(), "sea")
		b.stats.save(b.log)
	}
	if n := b.Author("Ada").Views(must(b.Reader().Edition().Post("sea"))); n != 3 {
		t.Errorf("%d views", n)
	}
	b.Close()
	if n := strings.Count(log.String(), "sessions not kept"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

func TestCountsAreBounded(t *testing.T) {
	c := &calendar{at: noon}
	b, _ := counting(t, t.TempDir(), c, nil)
	s := &b.stats
	check := func(what string, sum int) {
		t.Helper()
		cells, total := 0, 0
		for at, p := range s.file.Posts {
			kept := p.Earlier
			for _, n := range p.Days {
				kept += n
			}
			if kept != p.sum {
				t.Errorf("%s: %s has %d of %d", what, at, kept, p.sum)
			}
			cells, total = cells+len(p.Days), total+p.sum
		}
		if cells != s.cells || cells > maxStatsCells || len(s.file.Posts) > maxStatsPosts || len(s.file.Views.Days) > maxStatsDays {
			t.Errorf("%s: %d days of posts (%d counted), %d posts, %d days", what, cells, s.cells, len(s.file.Posts), len(s.file.Views.Days))
		}
		if total != sum {
			t.Errorf("%s: %d views of posts, want %d", what, total, sum)
		}
	}
	for range 500 {
		s.viewed("a.md")
		c.add(1)
	}
	check("days", 500)
	if n := len(s.file.Posts["a.md"].Days); n != maxStatsDays || s.file.Views.sum != 500 {
		t.Errorf("%d days, %d views", n, s.file.Views.sum)
	}
	for range 60 {
		for i := range 2000 {
			s.viewed(fmt.Sprint(i))
		}
		c.add(1)
	}
	check("cells", 500+60*2000)
	if n := len(s.file.Posts["7"].Days); n < 40 || n >= 60 {
		t.Errorf("%d days of a post are kept", n)
	}
	for i := range 2 * maxStatsPosts {
		s.viewed(fmt.Sprint("new", i))
	}
	if s.file.Posts["a.md"] != nil || s.file.Posts[fmt.Sprint("new", 2*maxStatsPosts-1)] == nil {
		t.Error("the wrong posts are forgotten")
	}
	sum := 0
	for _, p := range s.file.Posts {
		sum += p.sum
	}
	check("posts", sum)
	if src := must(json.Marshal(s.file)); len(src) > 5<<20 {
		t.Errorf("%d bytes are kept", len(src))
	}
}
