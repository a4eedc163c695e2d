package shell_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"sheaf/app/blog"
	"sheaf/app/shell"
	"sheaf/app/store"
	"sheaf/app/typeset"
)

// The clock of the regular expressions in the highlighter stops by itself a
// moment after their last use.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

var sample = map[string]string{
	"site.yaml": "title: The Notebook\ntagline: notes\nauthor: Ada\nhost: blog.example\ntimezone: UTC\n",
	"arriving.md": "---\ntitle: Arriving in Dublin\ndate: 2021-04-08\ntags: [life, travel]\ndescription: Three flights.\n---\n" +
		"It has been a while since I wrote here.\n\n## The move\n\nThree flights & a <b>bus</b>: see [the map](https://example.org/map), [not](javascript:x).\n\n" +
		"```go\nx := 1 < 2\n```\n",
	"2020-11-11-why.md": "# A blog, and why\n\nBecause the pen was there.\n",
	"wide.md":           "---\ntitle: 日本語の題名はとても長いのでこの行は幅を超えてしまうはずですから切り詰めます\ndate: 2020-01-01\ntags: [life]\n---\nText.\n",
	"undated.md":        "---\ntitle: No date\n---\nText.\n",
	"about.md":          "---\ntitle: About\npage: true\n---\nMe.\n",
	"secret.md":         "---\ntitle: Secret\ndate: 2021-05-01\ndraft: true\n---\nNot yet.\n",
	"escape.md":         "---\ntitle: Escape\npage: true\n---\nA \x1b[31mred word.\n",
	"evil.md":           "---\ntitle: \"e\\e[2Jvil\\u202e\"\ndate: 2019-01-01\ntags: [\"\\e]52;c;x\\a\"]\n---\nBytes: \x1b[31m\xff and &#27;]0;x&#7;.\n",
}

func open(t testing.TB, files map[string]string) *blog.Blog {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	b, err := blog.Open(context.Background(), blog.Config{Store: folder, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

type answer struct {
	out, err string
	status   int
}

func ask(t testing.TB, v blog.Visitor, change func(*shell.Call), args ...string) answer {
	t.Helper()
	var out, errs bytes.Buffer
	c := shell.Call{Args: args, Visitor: v, Setter: typeset.New(1 << 20), Host: "blog.example", Theme: typeset.Theme{Name: "dark"}, Out: &out, Err: &errs}
	if change != nil {
		change(&c)
	}
	status, err := shell.Run(context.Background(), c)
	if err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return answer{out.String(), errs.String(), status}
}

// plain fails on anything but text and line ends.
func plain(t *testing.T, what, s string) {
	t.Helper()
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || r == 0x202e) {
			t.Errorf("%s: %q in %.200q", what, r, s)
			return
		}
	}
}

func TestVerbs(t *testing.T) {
	b := open(t, sample)
	for _, c := range []struct {
		args   string
		status int
		out    []string // must be there; "!x" must not
		err    string   // the whole
	}{
		{"", 0, []string{"2021-04-08  arriving", "!secret", "!about"}, ""},
		{"ls", 0, []string{"2021-04-08  arriving", "Arriving in Dublin", "1 min", "#life #travel", "2020-11-11  why ", "A blog, and why", "-           undated"}, ""},
		{"ls --tag life", 0, []string{"arriving", "wide", "!why"}, ""},
		{"ls --tag=Travel", 0, []string{"arriving", "!wide"}, ""},
		{"ls --tag nobody", 1, nil, "sheaf: ls: no post has the tag nobody\nhint: tags lists the tags\n"},
		{"ls --tag", 2, nil, "sheaf: ls: --tag needs a value\nhint: usage: ls [--json] [--tag TAG]\n"},
		{"ls --jsn", 2, nil, "sheaf: ls: no option --jsn\nhint: usage: ls [--json] [--tag TAG]\n"},
		{"ls all", 2, nil, "sheaf: ls: too many words\nhint: usage: ls [--json] [--tag TAG]\n"},
		{"read arriving", 0, []string{"Arriving in Dublin", "8 April 2021", "Three flights", "https://example.org/map"}, ""},
		{"arriving", 0, []string{"Arriving in Dublin", "Three flights"}, ""},
		{"arriving.md", 0, []string{"Three flights"}, ""},
		{"about", 0, []string{"Me."}, ""},
		{"arriving#the-move", 0, []string{"The move", "Three flights", "!a while"}, ""},
		{"arriving#nowhere", 1, nil, "sheaf: arriving#nowhere: no such heading\nhint: read arriving shows all of the post\n"},
		{"read arriving --color always", 0, []string{"\x1b[", "Three flights"}, ""},
		{"arriving --color=always", 0, []string{"\x1b["}, ""},
		{"read arriving --color blue", 2, nil, "sheaf: --color blue: not auto, always or never\n"},
		{"read arriving --width 9", 2, nil, "sheaf: --width 9: not a number from 10 to 1000\n"},
		{"read", 2, nil, "sheaf: read: which post?\nhint: usage: read SLUG [--width N] [--color auto|always|never]\n"},
		{"read a b", 2, nil, "sheaf: read: too many words\nhint: usage: read SLUG [--width N] [--color auto|always|never]\n"},
		{"latest", 0, []string{"Arriving in Dublin"}, ""},
		{"cat arriving", 0, []string{sample["arriving.md"]}, ""},
		{"cat evil", 1, nil, "sheaf: cat: evil: line 6 is not UTF-8\nhint: read evil shows it\n"},
		{"cat escape", 1, nil, "sheaf: cat: escape: line 5 holds a control character (U+001B)\nhint: read escape shows it\n"},
		{"read escape", 0, []string{"A [31mred word."}, ""},
		{"search flights", 0, []string{"arriving", "!why"}, ""},
		{"search the pen", 0, []string{"why", "!arriving"}, ""},
		{"search zeppelin", 1, nil, "sheaf: search: No match for «zeppelin».\n"},
		{"search", 2, nil, "sheaf: search: which words?\nhint: usage: search WORDS [--json]\n"},
		{"search " + strings.Repeat("x", 101), 2, nil, "sheaf: search: more than 100 characters\n"},
		{"tags", 0, []string{"life     2\n", "travel   1\n"}, ""},
		{"help", 0, []string{"The Notebook · notes", "ssh blog.example ls [--json]", "ssh -t blog.example SLUG", "!publish"}, ""},
		{"--help", 0, []string{"ssh blog.example"}, ""},
		{"--version", 2, nil, "sheaf: --version: no such option\nhint: help lists the commands\n"},
		{"nothing", 1, nil, "sheaf: nothing: no such post or command\nhint: ls lists the posts, help the commands\n"},
		{"cat nothing", 1, nil, "sheaf: nothing: no such post or command\nhint: ls lists the posts, help the commands\n"},
		{"cat secret", 1, nil, "sheaf: secret: no such post or command\nhint: ls lists the posts, help the commands\n"},
		{"secret", 1, nil, "sheaf: secret: no such post or command\nhint: ls lists the posts, help the commands\n"},
		{"x\x1b]0;t\a\u202e", 1, nil, "sheaf: x]0;t: no such post or command\nhint: ls lists the posts, help the commands\n"},
	} {
		t.Run(c.args, func(t *testing.T) {
			got := ask(t, b.Reader(), nil, strings.Fields(c.args)...)
			if got.status != c.status || got.err != c.err {
				t.Errorf("status %d, want %d; said %q, want %q", got.status, c.status, got.err, c.err)
			}
			for _, want := range c.out {
				text, not := strings.CutPrefix(want, "!")
				if strings.Contains(got.out, text) == not {
					t.Errorf("%q in:\n%s", want, got.out)
				}
			}
			if !strings.Contains(c.args, "always") {
				plain(t, "out", got.out)
			}
			plain(t, "err", got.err)
		})
	}
}

func TestAuthorsSeeDraftsWithTheirState(t *testing.T) {
	b := open(t, sample)
	if got := ask(t, b.Author("Ada").Visitor(), nil, "ls"); !strings.Contains(got.out, "draft       secret") {
		t.Error(got.out)
	}
	if got := ask(t, b.Author("Ada").Visitor(), nil, "cat", "secret"); got.out != sample["secret.md"] {
		t.Errorf("%+v", got)
	}
	if got := ask(t, b.Author("Ada").Visitor(), nil, "latest"); !strings.Contains(got.out, "Dublin") {
		t.Error(got.out)
	}
	if got := ask(t, b.Author("Ada").Visitor(), nil, "feed"); strings.Contains(got.out, "Secret") {
		t.Error("a draft is in the feed")
	}
}

func TestATerminalIsNeverTooNarrow(t *testing.T) {
	b := open(t, sample)
	for _, width := range []int{20, 40, 60, 80, 120, 200} {
		for _, args := range [][]string{{"ls"}, {"tags"}, {"search", "text"}, {"help"}, {"read", "arriving"}, {"read", "wide"}, {"latest"}, {"cat", "evil"}} {
			for _, color := range []bool{false, true} {
				got := ask(t, b.Reader(), func(c *shell.Call) { c.Terminal, c.Width, c.Color = true, width, color }, args...)
				if got.status != 0 {
					t.Errorf("%v at %d: %+v", args, width, got)
				}
				for l := range strings.Lines(got.out) {
					if w := typeset.Width(strings.TrimSuffix(l, "\n")); w > width && args[0] != "cat" {
						t.Errorf("%v at %d: %d cells: %q", args, width, w, l)
					}
				}
				if color && args[0] == "ls" && !strings.Contains(got.out, "\x1b[") {
					t.Error("no colour where it is welcome")
				}
				if !color {
					plain(t, args[0], got.out)
				}
			}
		}
	}
}

func TestJSON(t *testing.T) {
	b := open(t, sample)
	var posts []map[string]any
	got := ask(t, b.Reader(), nil, "ls", "--json")
	if err := json.Unmarshal([]byte(got.out), &posts); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	plain(t, "ls --json", got.out)
	if words, _ := posts[0]["words"].(float64); words < 10 {
		t.Errorf("words: %v", posts[0]["words"])
	}
	delete(posts[0], "words")
	first, _ := json.Marshal(posts[0])
	want := `{"address":"ssh://blog.example/arriving","date":"2021-04-08T00:00:00Z","minutes":1,"slug":"arriving","state":"published","summary":"Three flights.","tags":["life","travel"],"title":"Arriving in Dublin","updated":""}`
	if string(first) != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
	for _, p := range posts {
		if p["tags"] == nil {
			t.Errorf("tags of %v are null", p["slug"])
		}
	}
	var hits []map[string]any
	if err := json.Unmarshal([]byte(ask(t, b.Reader(), nil, "search", "--json", "pen").out), &hits); err != nil || len(hits) != 1 || hits[0]["slug"] != "why" || hits[0]["snippet"] == "" {
		t.Errorf("%v %v", hits, err)
	}
	for _, args := range [][]string{{"search", "--json", "zeppelin"}, {"ls", "--json", "--tag", "nobody"}} {
		if got := ask(t, b.Reader(), nil, args...); got.out != "[]\n" || got.status != 0 {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := ask(t, b.Reader(), nil, "tags", "--json"); !strings.Contains(got.out, `{"name":"life","count":2}`) {
		t.Error(got.out)
	}
}

// RFC 4287: what a feed and its entries must have, and that ids stay.
func TestFeed(t *testing.T) {
	b := open(t, sample)
	got := ask(t, b.Reader(), nil, "feed")
	plain(t, "feed", got.out)
	type named struct {
		Name string `xml:"name"`
	}
	type link struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	}
	var f struct {
		XMLName xml.Name
		ID      string  `xml:"id"`
		Title   string  `xml:"title"`
		Updated string  `xml:"updated"`
		Author  []named `xml:"author"`
		Links   []link  `xml:"link"`
		Entries []struct {
			ID, Title, Updated, Published string
			XID                           string `xml:"id"`
			XTitle                        string `xml:"title"`
			XUpdated                      string `xml:"updated"`
			XPublished                    string `xml:"published"`
			Links                         []link `xml:"link"`
			Content                       struct {
				Type string `xml:"type,attr"`
				Body string `xml:",chardata"`
			} `xml:"content"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(got.out), &f); err != nil {
		t.Fatal(err)
	}
	if f.XMLName.Space != "http://www.w3.org/2005/Atom" || f.ID != "tag:blog.example,2000:sheaf" || f.Title != "The Notebook" ||
		len(f.Author) != 1 || f.Author[0].Name != "Ada" || f.Updated != "2021-04-08T00:00:00Z" {
		t.Errorf("%+v", f)
	}
	ids := map[string]bool{}
	for _, e := range f.Entries {
		if ids[e.XID] || !strings.HasPrefix(e.XID, "tag:blog.example,") || e.XTitle == "" {
			t.Errorf("id %q, title %q", e.XID, e.XTitle)
		}
		ids[e.XID] = true
		for _, s := range []string{e.XUpdated, e.XPublished} {
			if _, err := time.Parse(time.RFC3339, s); err != nil {
				t.Errorf("%s: %v", e.XID, err)
			}
		}
		if len(e.Links) != 1 || !strings.HasPrefix(e.Links[0].Href, "ssh://blog.example/") || e.Content.Type != "html" || e.Content.Body == "" {
			t.Errorf("%+v", e)
		}
		// The HTML is well-formed and has none of the post's own.
		dec := xml.NewDecoder(strings.NewReader("<x>" + e.Content.Body + "</x>"))
		for {
			tok, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in %s", e.XID, err, e.Content.Body)
			}
			if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "script" {
				t.Error(e.Content.Body)
			}
		}
	}
	if len(f.Entries) != 4 || f.Entries[0].XID != "tag:blog.example,2021-04-08:arriving" {
		t.Errorf("%d entries, the first %q", len(f.Entries), f.Entries[0].XID)
	}
	for _, want := range []string{"<h3>The move</h3>", "<p>Three flights &amp; a", "<pre><code>x := 1 &lt; 2</code></pre>", `<li><a href="https://example.org/map">the map</a></li>`} {
		if !strings.Contains(f.Entries[0].Content.Body, want) {
			t.Errorf("no %s in %s", want, f.Entries[0].Content.Body)
		}
	}
}

// However many read the feed of an edition, it is there once, and no larger than
// it may be: a post that does not fit comes without its text.
func TestTheFeedIsMadeOnce(t *testing.T) {
	files := map[string]string{}
	for i := range 10 {
		files[fmt.Sprintf("long-%d.md", i)] = fmt.Sprintf("---\ntitle: Long %d\ndate: 2020-01-%02d\n---\n%s\n", i, i+1, strings.Repeat("a b c d e\n\n", 10_000))
	}
	b := open(t, files)
	var feeds shell.Feeds
	var first [48]*byte
	var wg sync.WaitGroup
	for i := range first {
		wg.Go(func() {
			size := 0
			ask(t, b.Reader(), func(c *shell.Call) {
				c.Feeds = &feeds
				c.Out = writer(func(p []byte) (int, error) {
					if size == 0 {
						first[i] = &p[0]
					}
					size += len(p)
					return len(p), nil
				})
			}, "feed")
			if size < 500_000 || size > 2<<20 {
				t.Errorf("%d bytes", size)
			}
		})
	}
	wg.Wait()
	for _, at := range first {
		if at != first[0] {
			t.Fatal("it was made or copied again")
		}
	}
	got := ask(t, b.Reader(), nil, "feed").out
	if all, texts := strings.Count(got, "<entry>"), strings.Count(got, "<content "); all != 10 || texts < 2 || texts == 10 {
		t.Errorf("%d entries, %d texts", all, texts)
	}
}

// A writer is a function that is written to.
type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestCatToATerminalIsCleaned(t *testing.T) {
	b := open(t, sample)
	got := ask(t, b.Reader(), func(c *shell.Call) { c.Terminal, c.Width = true, 80 }, "cat", "evil")
	plain(t, "cat", got.out)
	if !strings.Contains(got.out, "Bytes: ") {
		t.Errorf("%q", got.out)
	}
}

func TestAnEmptyBlog(t *testing.T) {
	b := open(t, nil)
	for args, want := range map[string]answer{
		"ls":     {"", "sheaf: ls: no posts yet\n", 0},
		"latest": {"", "sheaf: latest: no posts yet\n", 1},
		"tags":   {"", "", 0},
	} {
		if got := ask(t, b.Reader(), nil, args); got != want {
			t.Errorf("%s: %+v, want %+v", args, got, want)
		}
	}
	if got := ask(t, b.Reader(), nil, "feed"); got.status != 0 || xml.Unmarshal([]byte(got.out), new(struct{ XMLName xml.Name })) != nil {
		t.Errorf("%+v", got)
	}
}

// brokenPipe is a visitor who has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAVisitorWhoHasGone(t *testing.T) {
	b := open(t, sample)
	got := ask(t, b.Reader(), func(c *shell.Call) { c.Out = brokenPipe{} }, "ls")
	if got.status != 1 {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	status, err := shell.Run(ctx, shell.Call{Args: []string{"ls"}, Visitor: b.Reader(), Setter: typeset.New(1 << 20), Out: &out, Err: &errs})
	if status != 1 || err != nil {
		t.Errorf("%d %v", status, err)
	}
}

func FuzzRun(f *testing.F) {
	b := open(f, sample)
	set := typeset.New(1 << 20)
	f.Add("ls --tag life", true, 40)
	f.Add("read arriving#the-move --width 12", false, 0)
	f.Fuzz(func(t *testing.T, line string, terminal bool, width int) {
		var out, errs bytes.Buffer
		status, err := shell.Run(context.Background(), shell.Call{Args: strings.Fields(line), Visitor: b.Reader(), Setter: set, Terminal: terminal,
			Width: width % 1000, Out: &out, Err: &errs, Theme: typeset.Theme{Name: "dark"}})
		if err != nil || status < 0 || status > 2 {
			t.Errorf("%d %v", status, err)
		}
		plain(t, "err", errs.String())
		if status != 0 && errs.Len() == 0 {
			t.Error("refused without a reason")
		}
	})
}
