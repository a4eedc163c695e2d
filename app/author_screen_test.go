package app_test

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
	"golang.org/x/crypto/ssh"
)

// authors makes a keys folder with one author in it, and her way in.
func authors(t testing.TB, name string) (dir string, auth ssh.AuthMethod) {
	t.Helper()
	dir = t.TempDir()
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + name + "\n"
	if err := os.WriteFile(filepath.Join(dir, "authors"), []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return dir, ssh.PublicKeys(signer)
}

// What differs from day to day and from second to second on a screen.
var (
	moments = regexp.MustCompile(`\d{1,2} [A-Z][a-z]+ 20(2[6-9]|3\d)( \d\d:\d\d)?`)
	places  = regexp.MustCompile(` {2,}(kept (just now|\d+ (s|min) ago) +)?(line \d+, col \d+)`)
	ages    = regexp.MustCompile(` +(just now|\d+ (s|min) ago)`)
)

func timeless(screen string) string {
	screen = moments.ReplaceAllString(screen, "@")
	screen = places.ReplaceAllString(screen, "  @  $4")
	return ages.ReplaceAllString(screen, " @ ago")
}

// The screens of author mode, read back from a terminal over SSH.
func TestAuthorScreens(t *testing.T) {
	files := map[string]string{
		"draft.md": "---\ntitle: On persistent homology\ndraft: true\ntags: [tda]\n---\nA filtration is a nested sequence of spaces.\n\n- one\n- two\n\n" +
			"![](missing.png)\n\n```julia\nabstract type Point end\n```\n",
		"energy.md": "---\ntitle: Energy per parameter\ndate: 2098-11-27 09:00\n---\nLater.\n",
		"rates.md":  "---\ntitle: Rates\ndate: tomorow\n---\nNever.\n",
	}
	for name, text := range notebook {
		files[name] = text
	}
	files["site.yaml"] += "timezone: UTC\nhost: notebook.example.org\n"
	for i, size := range [][2]int{{80, 24}, {120, 40}, {40, 12}} {
		if i > 0 && testing.Short() {
			break
		}
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			dir := writeBlog(t, files)
			keys, auth := authors(t, "Ada")
			addr := program(t, dir, "--keys", keys)
			step := func(name, screen string) {
				t.Helper()
				t.Run(name, func(t *testing.T) { golden.RequireEqual(t, timeless(screen)) })
			}
			ada := dial(t, addr, size[0], size[1], auth)
			ada.waitFor("draft", "problem", "keys")
			ada.keys("jjjjjjjjj")
			bar := "▌ "
			if size[0] < 50 {
				bar = "▌" // no margin
			}
			step("list", ada.waitFor(bar+"03 Jul"))
			ada.keys("g?")
			step("help", ada.waitFor("› keys", "  edit"))
			ada.keys("q/homology<esc>")
			ada.keys("/homology<enter>")
			ada.waitFor("A filtration")
			ada.keys("e")
			step("editor", ada.waitFor("title: On persistent", "line 1, col 1"))
			ada.keys("<ctrl+end>")
			ada.keys("A new line, and a 漢字.")
			ada.waitFor("A new line, and a 漢字.")
			if size[0] < 120 {
				ada.keys("<ctrl+p>")
				step("preview", ada.waitFor("› preview", "A new line"))
				ada.keys("q")
			}
			ada.keys("<up><up><up><up><up>")
			step("problem", ada.waitFor("missing.png", "line 11, "))
			ada.keys("<ctrl+t>")
			step("form", ada.waitFor("› fields", "summary"))
			ada.keys("jjj<enter>")
			step("tags", ada.waitFor("tags: tda"))
			ada.keys("<esc>")
			ada.keys("q<ctrl+s>")
			ada.waitFor("saved")
			ada.keys("<ctrl+q>")
			ada.waitFor("e edit", "On persistent homology")
			ada.keys("S")
			ada.waitFor("when:")
			ada.keys("2098-12-01 9:00<enter>")
			step("schedule", ada.waitFor("Goes live"))
			ada.keys("<esc>")
			ada.keys("v")
			step("versions", ada.waitFor("2 versions", "browser"))
			ada.keys("<enter>")
			step("change", ada.waitFor("+ A new line"))
			ada.keys("qqe")
			ada.waitFor("title: On persistent", "col 1")

			// A conflict.
			ada.keys("<ctrl+down><end>Mine.")
			ada.waitFor("Mine.")
			if err := os.WriteFile(filepath.Join(dir, "draft.md"), []byte(strings.Replace(files["draft.md"], "- one", "- one, theirs", 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			ada.waitFor("Somebody")
			ada.keys("<ctrl+s>")
			step("conflict", ada.waitFor("same lines", "yours"))
			ada.keys("q")
			ada.waitFor("Mine.")

			// What is not saved is offered next time.
			ada.keys(" Kept.")
			ada.waitFor("Kept.")
			ada.session.Close()
			eventually(t, "the text is kept", func() bool {
				files, _ := filepath.Glob(filepath.Join(dir, ".sheaf", "state", "edit-*"))
				return slices.ContainsFunc(files, func(name string) bool {
					b, _ := os.ReadFile(name)
					return strings.Contains(string(b), " Kept.")
				})
			})
			again := dial(t, addr, size[0], size[1], auth)
			step("recovery", again.waitFor("unsaved", "On persistent"))
			again.keys("<enter>")
			again.waitFor("Kept.")
			again.keys("<ctrl+q>d")
			again.waitFor("discarded")
		})
	}
}

// A paste of a megabyte comes in whole.
func TestPaste(t *testing.T) {
	dir := writeBlog(t, notebook)
	keys, auth := authors(t, "Ada")
	ada := dial(t, program(t, dir, "--keys", keys), 80, 24, auth)
	ada.waitFor("you are Ada")
	ada.keys("NLong<enter>")
	ada.waitFor("title: Long")
	var text strings.Builder
	for i := 0; text.Len() < 1e6; i++ {
		fmt.Fprintf(&text, "Line %d of a paste, with 漢字 and 🙂 in it.\n", i)
	}
	ada.send("\x1b[200~" + strings.ReplaceAll(text.String(), "\n", "\r") + "\x1b[201~")
	ada.waitFor(fmt.Sprintf("Line %d of a paste", strings.Count(text.String(), "\n")-1))
	ada.keys("The end.")
	ada.waitFor("The end.")
	ada.keys("<ctrl+s>")
	ada.waitFor("saved  ssh")
	got, err := os.ReadFile(filepath.Join(dir, "posts", "long.md"))
	if err != nil {
		if got, err = os.ReadFile(filepath.Join(dir, "long.md")); err != nil {
			t.Fatal(err)
		}
	}
	if _, body, _ := strings.Cut(string(got), "---\n\n"); body != text.String()+"The end.\n" {
		t.Errorf("%d bytes were saved of %d", len(body), text.Len())
	}
}
