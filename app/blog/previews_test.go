package blog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// over fails unless an edition has been superseded.
func over(tb testing.TB, e *Edition, want bool) {
	tb.Helper()
	select {
	case <-e.Superseded():
		if !want {
			tb.Error("there is a newer edition")
		}
	default:
		if want {
			tb.Error("there is no newer edition")
		}
	}
}

const hush = "---\ntitle: Hush\ndraft: true\n---\nNot yet.\n"

func TestAGuestSeesOnePost(t *testing.T) {
	dir := t.TempDir()
	b, _ := opened(t, dir)
	ada := b.Author("Ada")
	publish(t, ada, "posts/hush.md", hush, "posts/other.md", "---\ntitle: Other\ndraft: true\n---\nHidden.\n", "posts/sea.md", sea)
	p, err := ada.Share(t.Context(), "hush")
	if err != nil || !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(p.Token) || p.Path != "posts/hush.md" || p.Author != "Ada" || !p.Since.Equal(noon) {
		t.Fatalf("%+v, %v", p, err)
	}
	if again, err := b.Author("Bob").Share(t.Context(), "hush"); err != nil || again != p {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := ada.Share(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	guest, ok := b.Guest(p.Token)
	if slug, is := guest.Preview(); !ok || !is || slug != "hush" || guest.IsAuthor() {
		t.Fatal(slug, ok)
	}
	e := guest.Edition()
	post, err := e.Post("hush")
	if err != nil || post.Document().Text == "" {
		t.Fatal(err)
	}
	for _, hidden := range []string{"other", "sea"} {
		if _, err := e.Post(hidden); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", hidden, err)
		}
	}
	if len(e.Search("Hidden")) != 0 || len(e.Problems()) != 0 || slugsOf(e.Posts()) != "hush" {
		t.Error("a guest sees more")
	}
	if _, err := guest.Files(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files: %v", err)
	}
	if files, err := b.Reader().Files(t.Context()); err != nil || len(files.list) != 1 {
		t.Errorf("readers have %v, %v", files, err)
	}
	if _, err := b.Reader().Edition().Post("hush"); err == nil {
		t.Error("readers see it")
	}

	// What others do is nothing to a guest; what is done to the post is.
	publish(t, ada, "posts/hills.md", hills)
	over(t, e, false)
	publish(t, ada, "posts/hush.md", hush+"More.\n")
	over(t, e, true)
	if e = guest.Edition(); e.Posts()[0] == post {
		t.Error("the guest sees the old text")
	}

	if got, ok := ada.PreviewOf(e.Posts()[0]); !ok || got != p {
		t.Errorf("%+v", got)
	}
	if err := ada.Revoke(t.Context(), p.Token); err != nil {
		t.Fatal(err)
	}
	over(t, e, true)
	if slug, is := guest.Preview(); slug != "" || !is || len(guest.Edition().Posts()) != 0 {
		t.Error("a revoked preview is open")
	}
	over(t, guest.Edition(), false)
	publish(t, ada, "posts/hush.md", hush)
	if len(guest.Edition().Posts()) != 0 {
		t.Error("a revoked preview has come back")
	}
	for _, token := range []string{p.Token, "", "x"} {
		if _, ok := b.Guest(token); ok {
			t.Errorf("%q is a guest", token)
		}
	}
	if err := ada.Revoke(t.Context(), p.Token); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if next, err := ada.Share(t.Context(), "hush"); err != nil || next.Token == p.Token {
		t.Errorf("%+v, %v", next, err)
	}
}

func TestPreviewsFollowTheirPosts(t *testing.T) {
	dir := t.TempDir()
	b, end := opened(t, dir)
	ada := b.Author("Ada")
	publish(t, ada, "posts/a.md", hush, "posts/b.md", "---\ntitle: B\ndraft: true\n---\nText.\n")
	one, err := ada.Share(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	two, err := ada.Share(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	guest, _ := b.Guest(one.Token)
	if _, err := ada.Rename(t.Context(), "a", "c"); err != nil {
		t.Fatal(err)
	}
	if slug, _ := guest.Preview(); slug != "c" {
		t.Errorf("it is at %q", slug)
	}
	if _, err := ada.Publish(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if e := guest.Edition(); e.Posts()[0].State != Published {
		t.Error("it is not published")
	}
	if _, err := ada.Remove(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := ada.Restore(t.Context(), "b", 1); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Guest(two.Token); ok {
		t.Error("the preview has outlived its post")
	}
	end()

	b, end = opened(t, dir)
	if len(b.previews.list) != 1 {
		t.Errorf("%+v are open", b.previews.list)
	}
	c, _ := b.Reader().Edition().Post("c")
	if p, ok := b.Author("Bob").PreviewOf(c); !ok || p.Path != "posts/c.md" || p.Token != one.Token {
		t.Errorf("%+v, %v", p, ok)
	}
	if guest, ok := b.Guest(one.Token); !ok || slugsOf(guest.Edition().Posts()) != "c" {
		t.Error("it has not outlived the server")
	}
	end()

	// Taken away by hand while nobody looked.
	if err := os.Remove(filepath.Join(dir, "posts", "c.md")); err != nil {
		t.Fatal(err)
	}
	b, _ = opened(t, dir)
	if _, ok := b.Guest(one.Token); ok {
		t.Error("there is no such post")
	}
	publish(t, b.Author("Ada"), "posts/c.md", hush)
	if _, ok := b.Guest(one.Token); ok {
		t.Error("another post has its preview")
	}
}

func TestAScheduledPreviewGoesLive(t *testing.T) {
	b, _ := opened(t, t.TempDir())
	ada := b.Author("Ada")
	publish(t, ada, "posts/f.md", "---\ntitle: F\ndate: 2099-01-01\n---\nText.\n")
	p, err := ada.Share(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	guest, _ := b.Guest(p.Token)
	e := guest.Edition()
	if e.Posts()[0].State != Scheduled {
		t.Error(e.Posts()[0].State)
	}
	if _, err := ada.Schedule(t.Context(), "f", noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	over(t, e, true)
}
