package shell_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"sheaf/app/blog"
	"sheaf/app/shell"
	"sheaf/app/typeset"
)

const news = "---\ntitle: Big news\ndate: 2021-06-01\n---\nRead all about it.\n"

// sending is a call with an input whose client is still there at its end.
func sending(input string) func(*shell.Call) {
	return func(c *shell.Call) {
		c.In, c.Alive = strings.NewReader(input), func(context.Context) bool { return true }
	}
}

func TestAuthorsVerbs(t *testing.T) {
	b := open(t, sample)
	ada := b.Author("Ada")
	for _, c := range []struct {
		args, in string
		status   int
		out      []string // parts; "!x" must not be there
		err      string   // a part
	}{
		{"publish", news, 0, []string{"published  ssh -t blog.example big-news\n"}, ""},
		{"cat big-news", "", 0, []string{news}, ""},
		{"publish big-news", news, 0, []string{"unchanged  ssh -t blog.example big-news\n"}, ""},
		{"publish extra/", news, 0, []string{"published  ssh -t blog.example "}, ""},
		{"publish ../x.md", news, 1, nil, "sheaf: ../x.md: "},
		{"publish", "", 1, nil, "sheaf: publish: the input is empty\nhint: usage: publish [PATH] < post.md\n"},
		{"publish x.md", "---\ndate: tomorow\n---\nText.\n", 1, nil, "sheaf: x.md:2: "},
		{"publish a b", news, 2, nil, "too many words"},
		{"check x.md", "---\ndate: tomorow\n---\nText.\n", 1, nil, "sheaf: x.md:2: "},
		{"check x.md", "# X\n\n[gone](nowhere.md)\n", 0, []string{"x.md:3: warning: ", "!published"}, ""},
		{"x", "", 1, nil, "no such post"},
		{"drafts", "", 0, []string{"draft       secret", "!arriving"}, ""},
		{"preview", "", 2, nil, "sheaf: preview: which post?\nhint: usage: preview SLUG [--revoke]\n"},
		{"preview nothing", "", 1, nil, "sheaf: nothing: no such post or command"},
		{"preview --revoke secret", "", 1, nil, "sheaf: preview: secret is not shared\n"},
		{"preview secret", "", 0, []string{"ssh preview-", "@blog.example\n"}, ""},
		{"drafts", "", 0, []string{"draft       secret", "\n            ssh preview-", "@blog.example\n"}, ""},
		{"drafts --json", "", 0, []string{`"preview":"ssh preview-`}, ""},
		{"preview --revoke secret", "", 0, []string{"revoked    secret\n"}, ""},
		{"drafts", "", 0, []string{"draft       secret", "!preview"}, ""},
		{"publish secret", "", 0, []string{"published  ssh -t blog.example secret\n"}, ""},
		{"unpublish arriving", "", 0, []string{"draft      ssh -t blog.example arriving\n"}, ""},
		{"unpublish nothing", "", 1, nil, "sheaf: nothing: no such post or command"},
		{"schedule arriving 2099-12-01", "", 0, []string{"scheduled for 1 Dec 2099 00:00  ssh -t blog.example arriving\n"}, ""},
		{"schedule arriving", "", 2, nil, "sheaf: schedule: when?"},
		{"schedule arriving in a while", "", 2, nil, "sheaf: schedule: in a while: not a date\nhint: "},
		{"log arriving", "", 0, []string{"Ada by shell", "arriving.md"}, ""},
		{"diff arriving", "", 0, []string{"\n+", "2099-12-01"}, ""},
		{"diff arriving r0", "", 2, nil, "not a revision"},
		{"restore arriving", "", 2, nil, "sheaf: restore: which revision?"},
		{"restore arriving r1", "", 0, []string{"published  ssh -t blog.example arriving\n"}, ""},
		{"cat arriving", "", 0, []string{sample["arriving.md"]}, ""},
		{"mv arriving landing", "", 0, []string{"ssh -t blog.example landing\n"}, ""},
		{"cat arriving", "", 0, []string{"Three flights"}, ""},
		{"mv landing", "", 2, nil, "which new slug?"},
		{"rm landing", "", 0, []string{"removed    "}, ""},
		{"cat landing", "", 1, nil, "no such post"},
		{"undo nothing", "", 2, nil, "not a revision"},
		{"undo 9999", "", 1, nil, "sheaf: undo: 9999: no such revision"},
		{"help", "", 0, []string{"publish [PATH] < post.md", "restore SLUG REV"}, ""},
	} {
		got := ask(t, ada.Visitor(), sending(c.in), strings.Fields(c.args)...)
		if got.status != c.status || !strings.Contains(got.err, c.err) || (c.err == "") != (got.err == "") {
			t.Errorf("%s: status %d, want %d; said %q, want %q", c.args, got.status, c.status, got.err, c.err)
		}
		for _, want := range c.out {
			text, not := strings.CutPrefix(want, "!")
			if strings.Contains(got.out, text) == not {
				t.Errorf("%s: %q in:\n%s", c.args, want, got.out)
			}
		}
		plain(t, c.args, got.out)
		plain(t, c.args, got.err)
	}

	var log []map[string]any
	if err := json.Unmarshal([]byte(ask(t, ada.Visitor(), nil, "log", "--json").out), &log); err != nil || len(log) == 0 {
		t.Fatalf("%v %v", log, err)
	}
	if log[0]["path"] != "arriving.md" && log[0]["removed"] != true || log[0]["author"] != "Ada" || log[0]["door"] != "shell" {
		t.Errorf("%v", log[0])
	}
}

func TestAnInputThatWasCutIsNotPublished(t *testing.T) {
	b := open(t, sample)
	for name, change := range map[string]func(*shell.Call){
		"gone":     func(c *shell.Call) { c.Alive = func(context.Context) bool { return false } },
		"not said": func(c *shell.Call) { c.Alive = nil },
		"broken":   func(c *shell.Call) { c.In = io.MultiReader(c.In, brokenReader{}) },
		"too long": func(c *shell.Call) { c.In = io.MultiReader(c.In, zeros{}) },
	} {
		got := ask(t, b.Author("Ada").Visitor(), func(c *shell.Call) { sending(news)(c); change(c) }, "publish")
		if got.status != 1 || got.out != "" || !strings.HasPrefix(got.err, "sheaf: publish: the input ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := b.Author("Ada").Edition().Post("big-news"); err == nil {
		t.Error("it was published")
	}
	terminal := func(c *shell.Call) { c.Terminal, c.Width = true, 80 }
	for args, want := range map[string]string{
		"publish":        "sheaf: publish: the post comes from the standard input, not from a terminal\nhint: usage: publish [PATH] < post.md\n",
		"check x.md":     "sheaf: check: the post comes from the standard input, not from a terminal\nhint: usage: check [PATH] < post.md\n",
		"publish no/how": "sheaf: publish: the post comes from the standard input, not from a terminal\nhint: usage: publish [PATH] < post.md\n",
	} {
		if got := ask(t, b.Author("Ada").Visitor(), terminal, strings.Fields(args)...); got.err != want || got.status == 0 {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestReadersAreToldHowToBecomeAuthors(t *testing.T) {
	b := open(t, sample)
	denied := "sheaf: permission denied: no author key\noffered: SHA256:abc\x1b ssh-ed25519\nhint: do this"
	readers, verbs := ask(t, b.Reader(), nil, "help").out, 0
	for l := range strings.Lines(ask(t, b.Author("Ada").Visitor(), nil, "help").out) {
		usage, is := strings.CutPrefix(l, "ssh blog.example ")
		if !is || strings.HasPrefix(usage, " ") {
			continue
		}
		verb := strings.Fields(usage)[0]
		if !shell.IsVerb(verb) {
			t.Errorf("%s is in the help, and no verb", verb)
		}
		got := ask(t, b.Reader(), func(c *shell.Call) { sending(news)(c); c.Denied = denied }, verb)
		if !strings.Contains(got.err, "permission denied") {
			continue
		}
		verbs++
		if want := strings.ReplaceAll(denied, "\x1b", "") + "\n"; got.err != want || got.status != 1 || got.out != "" {
			t.Errorf("%s: %+v", verb, got)
		}
		if strings.Contains(readers, " "+verb+" ") {
			t.Errorf("readers are told of %s", verb)
		}
	}
	if verbs != 13 {
		t.Errorf("%d verbs are the authors'", verbs)
	}
	if got := ask(t, b.Reader(), nil, "rm", "arriving"); got.err != "sheaf: "+blog.ErrNotAuthor.Error()+"\n" {
		t.Errorf("%+v", got)
	}
}

func TestADifferenceHasColoursOnATerminal(t *testing.T) {
	b := open(t, sample)
	if got := ask(t, b.Author("Ada").Visitor(), nil, "unpublish", "arriving"); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	styles := typeset.Styled(typeset.Theme{Name: "dark"})
	got := ask(t, b.Author("Ada").Visitor(), func(c *shell.Call) { c.Terminal, c.Width, c.Color = true, 80, true }, "diff", "arriving")
	if !strings.Contains(got.out, styles.Added.On("+draft: true")) {
		t.Errorf("%q", got.out)
	}
	got = ask(t, b.Author("Ada").Visitor(), func(c *shell.Call) { c.Terminal, c.Width, c.Color = true, 60, true }, "log")
	for l := range strings.Lines(got.out) {
		if typeset.Width(strings.TrimSuffix(l, "\n")) > 60 {
			t.Errorf("too wide: %q", l)
		}
	}
}
