package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// clone gives a working copy of the blog and the way to use git in it.
func clone(t testing.TB, env []string, args ...string) (dir string, git func(args ...string) string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "work")
	must(t, env, filepath.Dir(dir), "git", append(append([]string{"clone", "-q"}, args...), "b:/blog.git", dir)...)
	return dir, func(args ...string) string {
		t.Helper()
		return must(t, env, dir, "git", args...)
	}
}

func onePost(title string) string {
	return fmt.Sprintf("---\ntitle: %s\ndate: 2026-02-01\n---\n%s.\n", title, title)
}

// like fails the test when a working copy has not the files of the blog.
func (f *fixture) like(dir string) {
	f.Helper()
	want := f.tree()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if text, is := want[name]; !is || text != string(b) {
			f.Errorf("%s is not as in the blog", name)
		}
		delete(want, name)
		return err
	})
	if err != nil {
		f.Error(err)
	}
	for name := range want {
		f.Errorf("%s is not there", name)
	}
}

// Whatever moment a server dies at, the view comes to agree with the blog, and
// what was pushed stays as it is where it can.
func TestGitViewRecovers(t *testing.T) {
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	view := repository{filepath.Join(h.scratch, "blog.git")}
	early, _ := view.state()
	write(t, dir, map[string]string{"posts/one.md": onePost("One"), ".hidden": "mine\n"})
	git("add", ".")
	git("commit", "-qm", "one")
	git("push", "-q", "origin", "main")
	pushed := strings.TrimSpace(git("rev-parse", "HEAD"))
	tip := func() string {
		t.Helper()
		c, g := clone(t, env)
		h.like(c)
		g("fsck", "--strict")
		return strings.TrimSpace(g("rev-parse", "HEAD"))
	}

	// The branch has moved, the note has not.
	if err := view.saveState(early); err != nil {
		t.Fatal(err)
	}
	if got := tip(); got != pushed {
		t.Errorf("after a lost note: %s, pushed %s", got, pushed)
	}
	// No note at all, one that is torn, and one of another blog.
	os.Remove(filepath.Join(view.dir, "sheaf"))
	if got := tip(); got != pushed {
		t.Errorf("without a note: %s, pushed %s", got, pushed)
	}
	os.WriteFile(filepath.Join(view.dir, "sheaf"), []byte(`{"Rev":1,"Com`), 0o600)
	if got := tip(); got != pushed {
		t.Errorf("with half a note: %s, pushed %s", got, pushed)
	}
	for _, n := range []viewState{{Rev: 1000, ID: "x", Commit: pushed}, {Rev: 1, ID: "another", Commit: pushed}} {
		if err := view.saveState(n); err != nil {
			t.Fatal(err)
		}
		if got := tip(); got != pushed {
			// A commit that changes nothing is allowed here, a lost one is not.
			if _, err := view.git("merge-base", "--is-ancestor", pushed, got).output(t.Context()); err != nil {
				t.Errorf("with the note of another blog: %s", got)
			}
		}
	}
	h.commit("posts/two.md", onePost("Two"))
	tip()

	// The blog has made the change, the branch has not moved, and locks are
	// left.
	h2 := newFixture(t, someFiles)
	env = h2.listen(h2.ada.Visitor())
	dir, git = clone(t, env)
	view = repository{filepath.Join(h2.scratch, "blog.git")}
	early, _ = view.state()
	write(t, dir, map[string]string{"posts/one.md": onePost("One")})
	git("add", ".")
	git("commit", "-qm", "one")
	git("push", "-q", "origin", "main")
	if _, err := view.git("update-ref", branch, early.Commit).output(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := view.saveState(early); err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"refs/heads/main.lock", "packed-refs.lock"} {
		if err := os.WriteFile(filepath.Join(view.dir, l), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h = h2
	if got := tip(); got == early.Commit {
		t.Error("a commit of the blog is not in the view")
	}
	git("pull", "-q", "--rebase")
	h2.like(dir)

	// What git cannot read is made anew.
	for _, spoil := range []func() error{
		func() error { return os.WriteFile(filepath.Join(view.dir, "HEAD"), []byte("junk"), 0o600) },
		func() error { return os.RemoveAll(view.dir) },
		func() error { return os.RemoveAll(filepath.Join(view.dir, "objects")) },
		func() error {
			return os.WriteFile(filepath.Join(view.dir, "refs/heads/main"), []byte(strings.Repeat("ab", 20)+"\n"), 0o600)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		tip()
	}
	h.sound()
}

// The same blog gives the same commits, wherever the view is made.
func TestGitViewsAgree(t *testing.T) {
	h := newFixture(t, someFiles)
	h.commit("posts/two.md", onePost("Two"))
	h.commit("posts/two.md", "")
	h.commit("posts/sub/x.md", onePost("X"))
	var shas []string
	for range 2 {
		_, git := clone(t, h.listen(h.ada.Visitor()))
		shas = append(shas, git("log", "--format=%H %an %s"))
		var err error
		if h.Transfer, err = New(Config{Scratch: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
	}
	if shas[0] != shas[1] || strings.Count(shas[0], "\n") != 4 {
		t.Errorf("%s\n%s", shas[0], shas[1])
	}
	h.sound()
}

func TestGitReaders(t *testing.T) {
	files := map[string]string{}
	for name, text := range someFiles {
		files[name] = text
	}
	h := newFixture(t, files)
	reader := h.listen(h.blog.Reader())
	said, status := client(t, reader, t.TempDir(), "git", "clone", "b:blog", "x")
	if status == 0 {
		t.Error("cloned")
	}
	wants(t, said, "not given away")
	h.commit("site.yaml", "title: The house\nauthor: Ada\ngit: true\n")
	h.commit("posts/secret.md", "---\ntitle: Secret\ndraft: true\n---\nNot yet to be known, again.\n")

	dir, git := clone(t, reader)
	everything := func() string {
		t.Helper()
		views, _ := filepath.Glob(filepath.Join(h.scratch, publicPattern))
		if len(views) != 1 {
			t.Fatalf("views: %v", views)
		}
		out, err := repository{views[0]}.git("cat-file", "--batch-all-objects", "--batch").output(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, secret := range []string{"Not yet", "Not before", "nobody names", "secret.md", "later.md", "private", "site.yaml", "Grace"} {
		if strings.Contains(everything(), secret) {
			t.Errorf("readers have %q", secret)
		}
	}
	for _, name := range []string{"posts/hello.md", "posts/picture.md", "posts/dot.txt"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != someFiles[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A change of a draft is nothing to readers.
	tip := git("rev-parse", "HEAD")
	h.commit("posts/secret.md", "---\ntitle: Secret\ndraft: true\n---\nOther words.\n")
	git("pull", "-q")
	if git("rev-parse", "HEAD") != tip {
		t.Error("readers see that authors work")
	}
	// What is added is pulled.
	h.commit("posts/more.md", onePost("More"))
	git("pull", "-q")
	if out := git("log", "--format=%s"); strings.Count(out, "\n") != 2 {
		t.Errorf("history: %s", out)
	}
	// A sentence that is taken back, while somebody reads from the view.
	_, release := h.takePublic()
	h.commit("posts/more.md", onePost("More, and better"))
	if _, again := clone(t, reader); strings.Contains(again("cat-file", "--batch-all-objects", "--batch"), onePost("More")) {
		t.Error("an earlier version is in a new clone")
	}
	if views, _ := filepath.Glob(filepath.Join(h.scratch, publicPattern)); len(views) != 2 {
		t.Errorf("views: %v", views)
	}
	release()
	git("fetch", "-q")
	git("reset", "-q", "--hard", "origin/main")
	// A time that comes, and a post that goes.
	later := time.Date(2099, 1, 2, 0, 0, 0, 0, time.UTC)
	edition := h.blog.Reader().Edition()
	h.now.Store(&later)
	h.commit("posts/hello.md", "---\ntitle: Hello\ndraft: true\n---\nThe first words.\n")
	<-edition.Superseded()
	if !strings.Contains(everything(), "The first words") {
		t.Error("what is public is not in the view")
	}
	git("fetch", "-q")
	git("reset", "-q", "--hard", "origin/main")
	if strings.Contains(everything(), "The first words") {
		t.Error("what was taken back is still in the view")
	}
	if _, err := os.Stat(filepath.Join(dir, "posts/later.md")); err != nil {
		t.Error("what is published by its date does not come")
	}
	if _, err := os.Stat(filepath.Join(dir, "posts/hello.md")); err == nil {
		t.Error("what is a draft again is still given away")
	}
	write(t, dir, map[string]string{"posts/eve.md": onePost("Eve")})
	git("add", ".")
	git("commit", "-qm", "eve")
	before := h.head()
	said, status = client(t, reader, dir, "git", "push", "origin", "main")
	if status == 0 || h.head() != before {
		t.Errorf("pushed: %d", status)
	}
	wants(t, said, "permission denied: no author key")
	h.sound()
}

func TestGitClones(t *testing.T) {
	h := newFixture(t, someFiles)
	h.commit("posts/two.md", onePost("Two"))
	env := h.listen(h.ada.Visitor())
	for _, args := range [][]string{{"--depth=1"}, {"--filter=blob:none"}, {"--filter=tree:0", "--no-checkout"}, {"-c", "protocol.version=0"}, {"-c", "protocol.version=1"}, {"--single-branch", "--bare"}} {
		dir, git := clone(t, env, args...)
		if !slices.Contains(args, "--bare") {
			git("checkout", "-q", "main")
			h.like(dir)
		}
	}
	// A shallow clone can be pushed from.
	dir, git := clone(t, env, "--depth=1")
	write(t, dir, map[string]string{"posts/three.md": onePost("Three")})
	git("add", ".")
	git("commit", "-qm", "three")
	wants(t, git("push", "origin", "main"), "published  ssh -t blog.example three")
	h.sound()
}

// An empty blog takes a repository that was somewhere else before.
func TestGitFirstImport(t *testing.T) {
	h := newFixture(t, nil)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	must(t, env, dir, "git", "init", "-q")
	write(t, dir, map[string]string{"posts/one.md": onePost("One"), "site.yaml": "title: Mine\n", ".gitignore": "x\n"})
	must(t, env, dir, "git", "add", ".")
	must(t, env, dir, "git", "commit", "-qm", "all of it")
	said := must(t, env, dir, "git", "push", "b:x", "main")
	wants(t, said, "published  ssh -t blog.example one")
	again, _ := clone(t, env)
	h.like(again)
	h.sound()
}

func TestGitThatIsMissing(t *testing.T) {
	h := newFixture(t, someFiles)
	env, dir := h.listen(h.ada.Visitor()), t.TempDir()
	full := installed(t, "git")
	t.Setenv("PATH", dir)
	said, status := client(t, env, dir, full, "clone", "b:x", "y")
	if status == 0 {
		t.Error("cloned")
	}
	wants(t, said, "sheaf: git: is not installed on the server\n")
	h.sound()
}

// BenchmarkGit pushes 1,000 posts, each time to a new blog.
func BenchmarkGit(b *testing.B) {
	dir := b.TempDir()
	write(b, dir, thousand())
	var env []string
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		h := newFixture(b, nil)
		env = h.listen(h.ada.Visitor())
		if i == 0 {
			must(b, env, dir, "git", "init", "-q")
			must(b, env, dir, "git", "add", ".")
			must(b, env, dir, "git", "commit", "-qm", "all")
		}
		b.StartTimer()
		must(b, env, dir, "git", "push", "-q", "b:x", "main")
		b.StopTimer()
		if h.text("posts/999.md") == "" {
			b.Fatal("not there")
		}
		start := time.Now()
		must(b, env, b.TempDir(), "git", "clone", "-q", "b:x", "y")
		b.ReportMetric(time.Since(start).Seconds(), "s-clone")
		b.StartTimer()
	}
}

// Whoever waits for a view gets the one that is being made, which goes on when
// the session that has asked first has ended.
func TestGitViewIsMadeOnceForAll(t *testing.T) {
	h := newFixture(t, someFiles)
	installed(t, "git")
	v := h.blog.Reader()
	h.viewMu.Lock() // nobody gets further
	first, cut := context.WithCancel(t.Context())
	results := make(chan error)
	go func() { results <- h.updateView(first, v) }()
	await(t, func() bool { h.Transfer.mu.Lock(); defer h.Transfer.mu.Unlock(); return len(h.updates) == 1 })
	for range 3 {
		go func() { results <- h.updateView(t.Context(), v) }()
	}
	cut()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("cut: %v", err)
	}
	h.viewMu.Unlock()
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	views, _ := filepath.Glob(filepath.Join(h.scratch, "*"))
	if len(views) != 1 || !strings.HasPrefix(filepath.Base(views[0]), "public-") {
		t.Errorf("made: %v", views)
	}
	// The next server goes on with it, without what a killed one has left.
	for _, name := range []string{"objects/pack/tmp_pack_x", "fast_import_crash_1"} {
		write(t, views[0], map[string]string{name: "half"})
	}
	again, err := New(Config{Scratch: h.scratch})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.updateView(t.Context(), v); err != nil || again.public.dir != views[0] {
		t.Errorf("%v: %v", again.public, err)
	}
	if left, _ := filepath.Glob(filepath.Join(views[0], "objects/pack/tmp_*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
