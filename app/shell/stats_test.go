package shell_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sheaf/app/blog"
	"sheaf/app/shell"
	"sheaf/app/typeset"
)

func TestStats(t *testing.T) {
	b := open(t, sample)
	ada := b.Author("Ada")
	for _, args := range []string{
		"read arriving", "cat arriving", "arriving", "latest", "read arriving#the-move", "cat why",
		"ls", "search Dublin", "feed", "help", "read nothing", "cat nothing", "read arriving#nowhere", "read arriving --width 1", // none of a post
	} {
		ask(t, b.Reader(), nil, strings.Fields(args)...)
		ask(t, ada.Visitor(), nil, strings.Fields(args)...)
	}
	defer b.Reader().Visit()()

	got := ask(t, ada.Visitor(), nil, "stats")
	if got.status != 0 || got.err != "" {
		t.Fatalf("%+v", got)
	}
	plain(t, "stats", got.out)
	today := time.Now().Format(time.DateOnly)
	for _, want := range []string{
		"            30 days  7 days  today  total\n",
		"sessions          1       1      1      1\n",
		"views             6       6      6      6\n",
		"\n\narriving          5       5      5      5  Arriving in Dublin\n",
		"why               1       1      1      1  A blog, and why\n\n",
		"            sessions  views\n" + today + "         1      6\n",
		"\n\n1 session now\n",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in:\n%s", want, got.out)
		}
	}
	if n := strings.Count(got.out, "\n"); n != 3+1+2+1+1+14+2 {
		t.Errorf("%d lines:\n%s", n, got.out)
	}

	for _, width := range []int{80, 40, 20} {
		got := ask(t, ada.Visitor(), func(c *shell.Call) { c.Terminal, c.Width = true, width }, "stats")
		for l := range strings.Lines(got.out) {
			if w := typeset.Width(strings.TrimRight(l, "\n")); w > width {
				t.Errorf("%d cells of %d: %q", w, width, l)
			}
		}
	}

	var all struct {
		Today    string
		Now      int
		Sessions struct{ Total, Month, Week, Today int }
		Views    struct {
			Total, Month, Week, Today int
			Days                      map[string]int
		}
		Posts []struct {
			Slug, Title               string
			Total, Month, Week, Today int
			Days                      map[string]int
		}
	}
	if err := json.Unmarshal([]byte(ask(t, ada.Visitor(), nil, "stats", "--json").out), &all); err != nil {
		t.Fatal(err)
	}
	if all.Today != today || all.Now != 1 || all.Sessions.Total != 1 || all.Views.Total != 6 || all.Views.Days[today] != 6 ||
		len(all.Posts) != 2 || all.Posts[0].Slug != "arriving" || all.Posts[0].Days[today] != 5 || all.Posts[0].Month != 5 {
		t.Errorf("%+v", all)
	}

	got = ask(t, b.Reader(), nil, "stats")
	if got.status != 1 || got.out != "" || got.err != "sheaf: "+blog.ErrNotAuthor.Error()+"\n" {
		t.Errorf("%+v", got)
	}
}

func TestStatsOfABlogThatNobodyReads(t *testing.T) {
	b := open(t, sample)
	if got := ask(t, b.Author("Ada").Visitor(), nil, "stats", "--json"); !strings.Contains(got.out, `"now":0,"sessions":{"total":0,"month":0,"week":0,"today":0,"days":{}}`) || !strings.Contains(got.out, `"posts":[]`) {
		t.Errorf("%+v", got)
	}
	if got := ask(t, b.Author("Ada").Visitor(), nil, "stats"); got.status != 0 || !strings.HasSuffix(got.out, "\n\n0 sessions now\n") {
		t.Errorf("%+v", got)
	}
}
