package blog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sheaf/app/lru"
	"sheaf/app/markdown"
	"sheaf/app/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put writes files into a folder: name, text, name, text ...
func put(tb testing.TB, dir string, files ...string) {
	tb.Helper()
	for i := 0; i < len(files); i += 2 {
		p := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(files[i+1]), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// at opens a folder as it is at a moment.
func at(tb testing.TB, dir string, now func() time.Time) *Blog {
	tb.Helper()
	f, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	b, err := Open(tb.Context(), Config{Store: f, Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		b.Close()
		f.Close()
	})
	return b
}

func still() time.Time { return noon }

func slugsOf(posts []*Post) string {
	var s []string
	for _, p := range posts {
		s = append(s, p.Slug)
	}
	return strings.Join(s, " ")
}

func TestViews(t *testing.T) {
	dir := t.TempDir()
	put(t, dir,
		"site.yaml", "title: The Notebook\ntagline: notes\nauthor: Ada\naccent: '#0A0'\ntimezone: Europe/Dublin\nlinks:\n- Code: https://example.org/code\n- title: Mail\n  url: mailto:a@example.org\n",
		"index.md", "Welcome.\n",
		"posts/one.md", "---\ntitle: One\ndate: 2021-01-01\ntags: [Life, go]\n---\nText.\n",
		"posts/two.md", "---\ntitle: Two\ndate: 2021-02-01\ntags: life\n---\nText.\n",
		"posts/undated.md", "# Undated\n\nText.\n",
		"posts/draft.md", "---\ntitle: D\ndraft: true\ntags: secret\naliases: [old-draft]\n---\nHush.\n",
		"posts/later.md", "---\ntitle: L\ndate: 2021-04-09\n---\nHush.\n",
		"posts/over.md", "---\ntitle: E\ndate: 2021-01-01\nexpiryDate: 2021-02-01\n---\nHush.\n",
		"posts/bad.md", "---\ntitle: B\ndate: someday\n---\nHush.\n",
		"pages/about.md", "# About\n\nMe.\n",
		"quiet.md", "---\ntitle: Q\nunlisted: true\n---\nPsst.\n",
		"README.md", "no", "_drafts/d2.md", "# D2\n", ".hidden.md", "no", "posts/_part.md", "no", "node_modules/x/y.md", "no",
	)
	b := at(t, dir, still)
	r, a := b.Reader().Edition(), b.Author("Ada").Edition()

	if got, want := slugsOf(r.Posts()), "two one undated"; got != want {
		t.Errorf("readers' posts: %s, want %s", got, want)
	}
	if got, want := slugsOf(a.Posts()), "bad d2 draft later two one over undated"; !sameWords(got, want) {
		t.Errorf("authors' posts: %s, want %s", got, want)
	}
	if slugsOf(r.Pages()) != "about" || r.Home() == nil || r.Home().Path != "index.md" {
		t.Errorf("pages %s, home %v", slugsOf(r.Pages()), r.Home())
	}
	s := r.Site()
	if s.Title != "The Notebook" || s.Author != "Ada" || s.Accent != "#00aa00" || s.Location.String() != "Europe/Dublin" ||
		!slices.Equal(s.Links, []Link{{"Code", "https://example.org/code"}, {"Mail", "mailto:a@example.org"}}) {
		t.Errorf("site %+v", s)
	}

	// To a reader what is hidden is as what is not there, whatever is asked.
	_, none := r.Post("no-such-post")
	for _, slug := range []string{"draft", "old-draft", "later", "over", "bad", "d2", "posts/draft", "posts/draft.md"} {
		_, err := r.Post(slug)
		if !errors.Is(err, fs.ErrNotExist) || strings.ReplaceAll(err.Error(), slug, "") != strings.ReplaceAll(none.Error(), "no-such-post", "") {
			t.Errorf("%s: %v", slug, err)
		}
		if _, _, ok := r.Resolve(r.Posts()[0], slug); ok {
			t.Errorf("a link to %s leads somewhere", slug)
		}
		if _, err := a.Post(slug); err != nil {
			t.Errorf("author: %v", err)
		}
	}
	if len(r.Search("hush")) != 0 || len(r.Filter("D")) == len(a.Filter("D")) || len(r.Tagged("secret")) != 0 || len(r.Problems()) != 0 {
		t.Error("readers learn of what is hidden")
	}
	if p, err := r.Post("QUIET"); err != nil || len(r.Filter("q")) != 0 {
		t.Errorf("unlisted: %v, %v", p, err)
	}
	if n := len(a.Search("hush")); n != 4 {
		t.Errorf("authors find %d", n)
	}
	if got := fmt.Sprint(r.Tags()); got != "[{Life 2} {go 1}]" && got != "[{life 2} {go 1}]" {
		t.Errorf("tags %s", got)
	}
	if len(a.Problems()) != 1 || a.Problems()[0].String() != `posts/bad.md:3: date "someday" is not a date` {
		t.Errorf("problems %v", a.Problems())
	}
	one, _ := r.Post("one")
	if (Visitor{}).Edition() == nil || len((Visitor{}).Edition().Posts()) != 0 || (Visitor{}).IsAuthor() {
		t.Error("the zero visitor sees something")
	}
	if src, err := one.Source(); err != nil || !strings.HasPrefix(string(src), "---\ntitle: One") {
		t.Errorf("source %q, %v", src, err)
	}
	if first := one.Document(); first != one.Document() {
		t.Error("a document is parsed twice")
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestSlugsTakenTwice(t *testing.T) {
	dir := t.TempDir()
	put(t, dir,
		"2014/intro/index.md", "# Fourteen\n\nx", "2015/intro/index.md", "# Fifteen\n\nx",
		"a.md", "---\ntitle: A\nslug: same\n---\nx", "b/b.md", "---\ntitle: B\nslug: same\n---\nx",
		"en/hello.md", "---\nslug: hello\n---\nx", "fr/hello.md", "---\nslug: hello\n---\nx",
		"c/draft.md", "---\ntitle: Draft\nslug: mine\ndraft: true\n---\nx", "z.md", "---\ntitle: Z\nslug: mine\n---\nx",
	)
	b := at(t, dir, still)
	r, a := b.Reader().Edition(), b.Author("").Edition()
	for slug, title := range map[string]string{"intro": "Fourteen", "2015/intro": "Fifteen", "same": "A", "en/hello": "Hello", "fr/hello": "Hello", "mine": "Z"} {
		if p, err := r.Post(slug); err != nil || p.Title != title {
			t.Errorf("%s: %v, %v", slug, p, err)
		}
	}
	var said []string
	for _, p := range a.Problems() {
		said = append(said, fmt.Sprint(p, " ", p.Warning))
	}
	want := []string{
		`2015/intro/index.md: slug "intro" is that of 2014/intro/index.md; this post is at 2015/intro true`,
		`b/b.md: slug "same" is already that of a.md false`,
		`c/draft.md: slug "mine" is already that of z.md false`,
	}
	if !slices.Equal(said, want) {
		t.Errorf("problems:\n%s", strings.Join(said, "\n"))
	}
}

func TestFoldersOfGenerators(t *testing.T) {
	for _, c := range []struct {
		name        string
		files       []string
		home, pages string
		posts       string
		title       string
	}{
		{"franklin", []string{
			"config.md", "@def website_title = \"My site\"\n@def author = \"Me\"\n@def ignore = [\"skip/\"]\n\\newcommand{\\x}{y}\n",
			"index.md", "# Hello\n\nx", "cv/index.md", "# CV\n\nx", "about.md", "# About\n\nx", "search.md", "## Search\n",
			"posts/one.md", "@def rss_pubdate = Date(2021, 1, 1)\n# One\n\nx", "faq/technical.md", "# FAQ\n\nx",
			"_assets/x.md", "no", "_layout/y.md", "no", "__site/z.md", "no", "skip/s.md", "no", "404.md", "no", "utils.jl", "no",
		}, "index.md", "about cv", "one technical", "My site"},
		{"hugo", []string{
			"hugo.toml", "title = \"H\"\nbaseURL = \"https://example.org/blog/\"\n[params]\ndescription = \"D\"\n",
			"content/_index.md", "Welcome.\n", "content/about.md", "# About\n\nx", "content/posts/_index.md", "---\ntitle: Posts\n---\n",
			"content/posts/one.md", "---\ntitle: One\ndate: 2021-01-01\n---\nx", "content/posts/two/index.fr.md", "---\ntitle: Deux\ndate: 2021-01-01\n---\nx",
			"themes/t/exampleSite/content/no.md", "no", "archetypes/default.md", "no", "docs.md", "no", "public/x.md", "no",
		}, "content/_index.md", "about", "one two", "H"},
		{"jekyll", []string{
			"_config.yml", "title: J\ndescription: D\n", "index.md", "---\nlayout: home\n---\n", "about.md", "---\ntitle: About\n---\nx",
			"_posts/2021-01-01-one.markdown", "---\ntitle: One\n---\nx", "_drafts/d.md", "x", "_series/s.md", "---\ntitle: S\n---\nx",
			"_includes/i.md", "no", "_site/x.md", "no", "vendor/g.md", "no",
		}, "", "about", "one s", "J"},
		{"zola", []string{
			"config.toml", "base_url = \"https://example.org\"\ntitle = \"Z\"\n", "content/_index.md", "+++\nsort_by = \"date\"\n+++\n",
			"content/one.md", "+++\ntitle = \"One\"\npath = \"2021/01/01/one\"\n+++\nx", "templates/t.md", "no",
		}, "", "", "one", "Z"},
		{"obsidian", []string{".obsidian/app.json", "{}", "Über uns.md", "# Other\n\nx"}, "", "", "Über-uns", ""},
		{"content alone", []string{"content/posts/2021-01-01-one.md", "---\ntitle: One\n---\nx", "README.md", "no", "package.json", "{}"}, "", "", "one", ""},
		{"plain", []string{"projects/index.md", "# Projects\n\nx", "projects/a.md", "# A\n\nx", "bundle/index.md", "# Bundle\n\nx"}, "", "projects", "bundle a", ""},
	} {
		dir := t.TempDir()
		put(t, dir, c.files...)
		r := at(t, dir, still).Reader().Edition()
		home := ""
		if r.Home() != nil {
			home = r.Home().Path
		}
		if home != c.home || !sameWords(slugsOf(r.Pages()), c.pages) || !sameWords(slugsOf(r.Posts()), c.posts) {
			t.Errorf("%s: home %q, pages %q, posts %q", c.name, home, slugsOf(r.Pages()), slugsOf(r.Posts()))
		}
		if c.title == "" {
			c.title = filepath.Base(dir)
		}
		if r.Site().Title != c.title {
			t.Errorf("%s: title %q", c.name, r.Site().Title)
		}
	}
}

// next waits for the edition after e.
func next(t *testing.T, v interface{ Edition() *Edition }, e *Edition) *Edition {
	t.Helper()
	select {
	case <-e.Superseded():
	case <-time.After(5 * time.Second):
		t.Fatal("no new edition")
	}
	return v.Edition()
}

func TestEditionsFollowTheFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.md", "# A\n\nx", "b.md", "# B\n\nx")
	v := at(t, dir, still).Reader()
	e := v.Edition()
	kept, _ := e.Post("b")
	doc := kept.Document()

	put(t, dir, "a.md", "# Changed\n\nx")
	e = next(t, v, e)
	if p, _ := e.Post("a"); p == nil || p.Title != "Changed" {
		t.Errorf("edit: %v", p)
	}
	if p, _ := e.Post("b"); p != kept || p.Document() != doc {
		t.Error("a post that has not changed is another one")
	}

	put(t, dir, "new/c.md", "# C\n\nx")
	e = next(t, v, e)
	if _, err := e.Post("c"); err != nil {
		t.Errorf("add: %v", err)
	}

	if err := os.Rename(filepath.Join(dir, "new/c.md"), filepath.Join(dir, "d.md")); err != nil {
		t.Fatal(err)
	}
	e = next(t, v, e)
	_, gone := e.Post("c")
	if _, err := e.Post("d"); err != nil || gone == nil {
		t.Errorf("rename: %v, %v", err, gone)
	}

	if err := os.Remove(filepath.Join(dir, "d.md")); err != nil {
		t.Fatal(err)
	}
	e = next(t, v, e)
	if len(e.Posts()) != 2 {
		t.Errorf("remove: %s", slugsOf(e.Posts()))
	}

	put(t, dir, "site.yaml", "title: T\n")
	e = next(t, v, e)
	if e.Site().Title != "T" {
		t.Errorf("site: %+v", e.Site())
	}

	// A touch is no edition.
	put(t, dir, "a.md", "# Changed\n\nx")
	select {
	case <-e.Superseded():
		t.Error("an edition with nothing new")
	case <-time.After(400 * time.Millisecond):
	}
}

func TestReadersAreNotToldOfDrafts(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.md", "# A\n\nx")
	b := at(t, dir, still)
	r, a := b.Reader().Edition(), b.Author("").Edition()
	put(t, dir, "d.md", "---\ntitle: D\ndraft: true\n---\nx")
	a = next(t, b.Author(""), a)
	if _, err := a.Post("d"); err != nil || b.Reader().Edition() != r {
		t.Errorf("author: %v; readers have another edition: %v", err, b.Reader().Edition() != r)
	}
	put(t, dir, "d.md", "---\ntitle: D\n---\nx")
	if r = next(t, b.Reader(), r); len(r.Posts()) != 2 {
		t.Errorf("published: %s", slugsOf(r.Posts()))
	}
}

func TestAThousandFilesAreOneEdition(t *testing.T) {
	dir := t.TempDir()
	v := at(t, dir, still).Reader()
	e := v.Edition()
	start := time.Now()
	for i := range 1000 {
		put(t, dir, fmt.Sprintf("d%d/p%d.md", i%10, i), "# P\n\nx")
	}
	// One at once, where they are written at once: after 700 ms, what is there
	// is shown.
	most := 1 + int(time.Since(start)/(700*time.Millisecond))
	for n := 1; len(e.Posts()) < 1000; n++ {
		if e = next(t, v, e); n > most {
			t.Fatalf("edition %d has %d posts", n, len(e.Posts()))
		}
	}
	select {
	case <-e.Superseded():
		t.Error("a second edition")
	case <-time.After(400 * time.Millisecond):
	}
}

func TestScheduledGoesLiveByItself(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.md", "---\ntitle: A\ndate: 2021-04-08 12:00:01\n---\nx", "b.md", "---\ntitle: B\nexpiryDate: 2021-04-08 12:00:02\n---\nx",
		"site.yaml", "timezone: UTC\n")
	clock := &calendar{at: noon}
	v := at(t, dir, clock.now).Reader()
	e := v.Edition()
	if slugsOf(e.Posts()) != "b" {
		t.Fatalf("at first %s", slugsOf(e.Posts()))
	}
	clock.set(noon.Add(time.Second))
	e = next(t, v, e)
	if !sameWords(slugsOf(e.Posts()), "a b") {
		t.Fatalf("then %s", slugsOf(e.Posts()))
	}
	clock.set(noon.Add(2 * time.Second))
	e = next(t, v, e)
	if slugsOf(e.Posts()) != "a" {
		t.Fatalf("at last %s", slugsOf(e.Posts()))
	}
}

func TestAPostTakenBackIsNotRead(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.md", "# A\n\nfirst")
	f, err := store.View(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := newIndex(f)
	if _, err := s.rescan(); err != nil {
		t.Fatal(err)
	}
	v := s.snapshot(noon)
	p, _ := v.reader.Post("a")
	put(t, dir, "a.md", "---\ndraft: true\n---\nsecret")
	if src, err := p.Source(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", src, err)
	}
	if d := p.Document(); strings.Contains(string(d.Source), "secret") {
		t.Error("the document holds what was taken back")
	}
}

func TestDocumentsAreBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		put(t, dir, fmt.Sprintf("p%d.md", i), "# P\n\n"+strings.Repeat("word ", 1000))
	}
	b := at(t, dir, still)
	const limit = 300 << 10
	b.lib.docs.cache = lru.New[*entry, *markdown.Document](limit)
	e := b.Reader().Edition()
	first := e.Posts()[0].Document()
	for _, p := range e.Posts() {
		p.Document()
	}
	if c := b.lib.docs.cache; c.Bytes() > limit || c.Len() == 0 || c.Len() > 10 {
		t.Errorf("%d bytes, %d documents", c.Bytes(), c.Len())
	}
	if e.Posts()[0].Document() != first {
		t.Error("a document that is in use is parsed again")
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	put(t, dir,
		"config.toml", "base_url = \"https://www.example.org\"\n",
		"content/_index.md", "Home\n",
		"content/one.md", "+++\ntitle = \"One\"\npath = \"2021/01/01/one\"\naliases = [\"old/one.html\"]\n+++\n# Part\nx",
		"content/deep/two.md", "+++\ntitle = \"Two\"\nslug = \"second\"\n+++\nx", "content/deep/bundle/index.md", "+++\ntitle = \"B\"\n+++\nx",
		"content/deep/2020-01-02-three.md", "+++\ntitle = \"Three\"\n+++\nx",
	)
	e := at(t, dir, still).Reader().Edition()
	two, err := e.Post("second")
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"@/one.md": "one", "@/one.md#part": "one#part", "../one.md": "one", "../one": "one", "/one/": "one", "one": "one", "One": "one",
		"/2021/01/01/one/": "one", "https://example.org/2021/01/01/one/#part": "one#part", "https://www.example.org/old/one.html": "one",
		"/old/one/": "one", "two.md": "second", "./two": "second", "second#x": "second#x", "bundle/": "bundle", "bundle/index.md": "bundle", "@/deep/bundle/index.md": "bundle",
		"three": "three", "2020-01-02-three": "three", "/blog/2020/01/02/three.html": "three", "/deep/two/": "second", "#here": "second#here",
		"/": "index", "two.md?x=1": "second", "bundle%2Findex.md": "bundle",
		"https://elsewhere.org/one": "", "mailto:one": "", "nothing": "", "@/nothing.md": "", "/one.png": "", "": "", "#": "", "../../../etc/passwd": "",
	} {
		p, heading, ok := e.Resolve(two, target)
		got := ""
		if ok {
			got = p.Slug
			if heading != "" {
				got += "#" + heading
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestSearchAndFilter(t *testing.T) {
	dir := t.TempDir()
	put(t, dir,
		"a.md", "---\ntitle: Über Brücken\ndate: 2021-01-01\ntags: [Straße]\n---\nIn the first line.\n\n## The *river* Łyna\n\nThere a `bridge` stands, [linked](https://example.org/hidden) and long,\nover two lines of the source.\n",
		"b.md", "---\ntitle: River\ndate: 2020-01-01\n---\nNothing of note.\n",
		"c.md", "---\ntitle: Other\ndate: 2021-03-01\n---\nA RIVER in the text.\n",
		"d.md", "---\ntitle: 题解（一）\ndate: 2019-03-01\n---\n给你一个字符串。\n",
	)
	e := at(t, dir, still).Reader().Edition()
	for q, want := range map[string]string{
		"river": "b a c", "bridge": "a", "bridge LYNA": "a", "uber": "a", "bridge nothing": "", "hidden": "", "字符": "d", "strasse": "a", "": "", "two lines": "a",
	} {
		var got []string
		for _, h := range e.Search(q) {
			got = append(got, h.Post.Slug)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("search %q: %v, want %s", q, got, want)
		}
	}
	h := e.Search("bridge")[0]
	if h.Line != 10 || h.Heading != "The river Łyna" || !strings.Contains(h.Snippet, "There a bridge stands, linked and long, over two lines") {
		t.Errorf("%+v", h)
	}
	if h := e.Search("über")[0]; h.Snippet != "In the first line." {
		t.Errorf("%+v", h)
	}
	if p, err := e.Post("UBER-BRUCKEN"); err == nil {
		t.Errorf("a title is no address: %v", p)
	}
	for q, want := range map[string]string{"brucken": "a", "riv": "b", "rvr": "b", "#strasse": "a", "zz": "", "题": "d", "e": "c a b", "": "c a b d"} {
		if got := slugsOf(e.Filter(q)); got != want {
			t.Errorf("filter %q: %s, want %s", q, got, want)
		}
	}
}

func TestReadPostAndCheck(t *testing.T) {
	dir := t.TempDir()
	put(t, dir,
		"config.md", "@def author = \"Me\"\n", "index.md", "# Home\n\nx",
		"posts/a.md", "# A\n\nSee [b](b.md), [c](c.md) and ![pic](pic.png) ![there](there.png).\n\n```julia\nx\n", "posts/b.md", "# B\n\nx", "posts/there.png", "",
	)
	p, site, err := ReadPost(filepath.Join(dir, "posts/a.md"), "", noon)
	if err != nil || p.Title != "A" || p.Path != "posts/a.md" || !slices.Equal(p.Authors, []string{"Me"}) || site.Author != "Me" {
		t.Errorf("%+v, %+v, %v", p, site, err)
	}
	if p.Document() == nil {
		t.Error("no document")
	}
	if _, _, err := ReadPost(filepath.Join(dir, "none.md"), "", noon); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	plain := t.TempDir()
	put(t, plain, "x.md", "---\ntitle: X\ndate: nope\ntagz: [a]\n---\ntext\n")
	problems, err := Check([]string{dir, filepath.Join(plain, "x.md")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, strings.NewReplacer(dir, "DIR", plain, "PLAIN").Replace(p.String()))
	}
	for _, want := range []string{
		`DIR/posts/a.md:3: link to "c.md": no such post`,
		`DIR/posts/a.md:3: image "pic.png" is not there`,
		`DIR/posts/a.md:5: this block of code is never closed`,
		`PLAIN/x.md:3: date "nope" is not a date`,
		`PLAIN/x.md:4: field "tagz": did you mean "tags"?`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("not said: %s", want)
		}
	}
	for _, g := range got {
		if strings.Contains(g, "there.png") || strings.Contains(g, `"b.md"`) {
			t.Errorf("said: %s", g)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
	if _, err := Check([]string{filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	f, err := store.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(context.Background(), Config{Store: f})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	f.Close()
	goleak.VerifyNone(t)
}

func TestTheSitesTitle(t *testing.T) {
	for _, c := range []struct {
		files         []string
		title, inText string
	}{
		{[]string{"site.yaml", "title: S\n", "index.md", "# Welcome\n\nx"}, "S", "Welcome"},
		{[]string{"index.md", "# Welcome\n\nx"}, "Welcome", ""},
		{[]string{"index.md", "x"}, "", ""},
	} {
		dir := t.TempDir()
		put(t, dir, c.files...)
		if c.title == "" {
			c.title = filepath.Base(dir)
		}
		e := at(t, dir, still).Reader().Edition()
		heading := ""
		if h := e.Home().Document().Headings; len(h) > 0 {
			heading = h[0].Text
		}
		if e.Site().Title != c.title || heading != c.inText {
			t.Errorf("%v: title %q, heading %q", c.files, e.Site().Title, heading)
		}
	}
}

func TestABrokenSiteIsAProblem(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\naccent: puce\ntimezone: Mars/Olympus\n", "a.md", "x")
	b := at(t, dir, still)
	var got []string
	for _, p := range b.Author("").Edition().Problems() {
		got = append(got, p.String())
	}
	want := []string{`site.yaml:2: accent "puce" is neither #rrggbb nor a colour's number or name`, `site.yaml:3: timezone "Mars/Olympus" is not known`}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	v := b.Author("")
	e := v.Edition()
	put(t, dir, "site.yaml", "title: a: b\n")
	e = next(t, v, e)
	if p := e.Problems(); len(p) != 1 || p[0].Line != 1 || p[0].Warning || len(e.Posts()) != 1 {
		t.Errorf("%v", p)
	}
}
