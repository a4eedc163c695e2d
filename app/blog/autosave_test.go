package blog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sheaf/app/store"
)

func TestAutosavesOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "site.yaml", "title: T\n", "posts/sea.md", sea)
	b, end := opened(t, dir)
	ctx, cut := context.WithCancel(t.Context())
	cut() // the connection is lost
	k := Autosave{Text: Text{"posts/sea.md", strings.Repeat("a", 64), []byte("---\ntitle: Sea\n---\nSo wei")}, Cursor: 24, Channel: "browser"}
	id, err := b.Author("Ada").Autosave(ctx, k)
	if err != nil || id == "" {
		t.Fatal(id, err)
	}
	k.ID, k.Body, k.Cursor = id, append(k.Body, "t\x00\n\n"...), 99
	if same, err := b.Author("Ada").Autosave(ctx, k); err != nil || same != id {
		t.Fatal(same, err)
	}
	end()

	b, _ = opened(t, dir)
	list, err := b.Author("Ada").Autosaves(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	got := list[0]
	if got.ID != id || got.Author != "Ada" || got.Path != k.Path || got.Hash != k.Hash || !bytes.Equal(got.Body, k.Body) ||
		got.Cursor != len(k.Body) || !got.Time.Equal(noon) || got.Channel != "browser" || got.Reason != "" {
		t.Errorf("%+v", got)
	}
	for _, other := range []Author{b.Author("Bob"), b.Author("ada"), b.Author("")} {
		if list, err := other.Autosaves(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%s sees %v, %v", other.Name(), list, err)
		}
		if err := other.DiscardAutosave(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if list, _ := b.Author("Ada").Autosaves(t.Context()); len(list) != 1 {
		t.Error("another author has forgotten it")
	}
	if err := b.Author("Ada").DiscardAutosave(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if list, _ := b.Author("Ada").Autosaves(t.Context()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if text := plain(t, dir)["posts/sea.md"]; text != sea {
		t.Errorf("the post is %q", text)
	}
}

// opened opens a folder at noon; end closes it.
func opened(tb testing.TB, dir string) (b *Blog, end func()) {
	tb.Helper()
	f, err := store.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	if b, err = Open(tb.Context(), Config{Store: f, Now: still}); err != nil {
		tb.Fatal(err)
	}
	done := false
	end = func() {
		if !done {
			b.Close()
			f.Close()
		}
		done = true
	}
	tb.Cleanup(end)
	return b, end
}

func TestAutosavesAreBounded(t *testing.T) {
	b, _ := opened(t, t.TempDir())
	v := b.Author("Ada")
	keep := func(k Autosave) (string, error) { return v.Autosave(t.Context(), k) }
	for _, bad := range []Autosave{
		{Text: Text{Body: make([]byte, 2<<20+1)}},
		{ID: "../../posts/x"},
		{ID: strings.Repeat("a", 41)},
		{ID: "A"},
		{Text: Text{Path: strings.Repeat("a", 501)}},
	} {
		if _, err := keep(bad); err == nil {
			t.Errorf("%.60q is kept", fmt.Sprint(bad))
		}
	}
	var refused []string
	for i := range 3 {
		id, err := keep(Autosave{Text: Text{Body: []byte("x")}, Time: noon.Add(time.Duration(i) * time.Minute), Reason: "no"})
		if err != nil {
			t.Fatal(err)
		}
		refused = append(refused, id)
	}
	for i := range 97 {
		if _, err := keep(Autosave{Text: Text{Body: []byte("x")}, Time: noon.Add(-time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	ids := func() string {
		list, err := v.Autosaves(t.Context())
		if err != nil || len(list) > maxAutosaves {
			t.Fatal(len(list), err)
		}
		var all []string
		for _, k := range list {
			all = append(all, k.ID)
		}
		return strings.Join(all, " ")
	}
	for i, id := range refused {
		last, err := keep(Autosave{Text: Text{Body: []byte("y")}})
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(); strings.Contains(got, id) || !strings.Contains(got, last) || i < 2 && !strings.Contains(got, refused[2]) {
			t.Errorf("after %d more: %s", i+1, got)
		}
	}
	_, err := keep(Autosave{Text: Text{Body: []byte("z")}})
	if err == nil || !strings.Contains(err.Error(), "100 are kept for you already; discard one first") {
		t.Error(err)
	}
	one := strings.Fields(ids())[0]
	if _, err := keep(Autosave{ID: one, Text: Text{Body: []byte("z")}}); err != nil {
		t.Errorf("one that is there already: %v", err)
	}
	if _, err := b.Author("Bob").Autosave(t.Context(), Autosave{Text: Text{Body: []byte("z")}}); err != nil {
		t.Errorf("Bob's: %v", err)
	}
}

func TestDamagedAutosavesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	b, _ := opened(t, dir)
	v := b.Author("Ada")
	good, err := v.Autosave(t.Context(), Autosave{Text: Text{Body: []byte("good")}})
	if err != nil {
		t.Fatal(err)
	}
	bad, err := v.Autosave(t.Context(), Autosave{Text: Text{Body: []byte("a long text that is damaged")}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, ".sheaf", "state", autosavesOf("Ada")+bad)
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	src[len(src)-3] ^= 1
	if err := os.WriteFile(name, src, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, ".sheaf", "state", autosavesOf("Ada")+"zzz")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := v.Autosaves(t.Context()); err != nil || len(list) != 1 || list[0].ID != good {
		t.Errorf("%+v, %v", list, err)
	}
	for _, name := range []string{name, empty} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAutosaveInAFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "posts/sea.md", sea)
	v := openDir(t, dir).Author("Ada")
	_, err := v.Autosave(t.Context(), Autosave{Text: Text{Body: []byte("x")}})
	if !errors.Is(err, fs.ErrPermission) || StorageProblem(err) == "" {
		t.Error(err)
	}
	if list, err := v.Autosaves(t.Context()); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if _, err := v.Share(t.Context(), "sea"); StorageProblem(err) == "" {
		t.Error(err)
	}
	if _, shared := v.PreviewOf(v.Edition().Posts()[0]); shared {
		t.Error("shared all the same")
	}
}

func FuzzAutosave(f *testing.F) {
	k := Autosave{ID: "a", Author: "Ada", Text: Text{Body: []byte("x\n")}, Time: noon}
	b, err := k.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := unmarshalAutosave(b)
		if err == nil && (k.Cursor < 0 || k.Cursor > len(k.Body)) {
			t.Fatalf("%+v", k)
		}
	})
}
