package transfer

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGitPushStaysAsItIs(t *testing.T) {
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	h.like(dir)
	before := h.head()
	write(t, dir, map[string]string{"posts/one.md": onePost("One"), ".github/ci.yml": "on: push\n"})
	git("add", ".")
	git("commit", "-qm", "first line\n\nmore")
	git("switch", "-qc", "side", "HEAD~1")
	write(t, dir, map[string]string{"posts/two.md": onePost("Two")})
	git("add", ".")
	git("commit", "-qm", "from aside")
	git("switch", "-q", "main")
	git("merge", "-q", "--no-edit", "side")
	said := git("push", "origin", "main")
	wants(t, said, "remote: published  ssh -t blog.example one", "remote: published  ssh -t blog.example two")
	sha := strings.TrimSpace(git("rev-parse", "HEAD"))
	c := h.last()
	if h.head() != before+1 || c.Author != "Ada Lovelace" || c.Channel != "git" || c.Meta["git.commit"] != sha || len(c.Entries) != 2 {
		t.Errorf("head %d after %d: %+v", h.head(), before, c)
	}
	wants(t, c.Message, "Merge branch 'side'", "- first line", "- from aside")
	if h.text(".github/ci.yml") != "" {
		t.Error("a hidden file is in the blog")
	}
	again, gitAgain := clone(t, env)
	if got := strings.TrimSpace(gitAgain("rev-parse", "HEAD")); got != sha {
		t.Errorf("cloned %s, pushed %s", got, sha)
	}
	if _, err := os.Stat(filepath.Join(again, ".github/ci.yml")); err != nil {
		t.Error("a hidden file is not in the repository")
	}
	// Only what is hidden: no commit of the blog.
	write(t, dir, map[string]string{".github/ci.yml": "on: never\n"})
	git("commit", "-qam", "quiet")
	git("push", "origin", "main")
	if h.head() != before+1 {
		t.Error("a commit without files")
	}
	// What comes another way goes on top.
	h.commit("posts/three.md", onePost("Three"))
	h.commit("posts/one.md", "")
	gitAgain("pull", "-q")
	h.like(again)
	if log := gitAgain("log", "--format=%an <%ae> %s", "-2"); log != "Grace <> posts/one.md\nGrace <> posts/three.md\n" {
		t.Errorf("log: %q", log)
	}
	wants(t, gitAgain("log", "--format=%H"), sha)
	gitAgain("fsck", "--strict")
	h.sound()
}

func TestGitRefuses(t *testing.T) {
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	write(t, dir, map[string]string{"posts/one.md": onePost("One")})
	git("add", ".")
	git("commit", "-qm", "one")
	git("push", "-q", "origin", "main")
	before, tip := h.head(), git("rev-parse", "HEAD")
	refused := func(want string, args ...string) {
		t.Helper()
		said, status := client(t, env, dir, "git", append([]string{"push"}, args...)...)
		if status == 0 {
			t.Errorf("%q: done", args)
		}
		wants(t, said, want)
		if h.head() != before {
			t.Fatalf("%q: a commit was made\n%s", args, said)
		}
		if now := must(t, env, dir, "git", "ls-remote", "-q", "origin"); !strings.HasPrefix(now, strings.TrimSpace(tip)+"\tHEAD\n") {
			t.Fatalf("%q: the branch has moved\n%s", args, now)
		}
	}
	refused("one branch", "origin", "HEAD:refs/heads/other")
	refused("cannot be removed", "origin", ":main")
	git("tag", "v1")
	refused("one branch", "origin", "v1")
	refused("one branch", "origin", "--atomic", "HEAD~1:refs/heads/x", "HEAD:refs/heads/y")
	git("tag", "-am", "x", "v2")
	write(t, dir, map[string]string{"posts/two.md": onePost("Two")})
	git("add", ".")
	git("commit", "-qm", "two")
	refused("nothing else", "origin", "main", "v2")
	git("reset", "-q", "--hard", "HEAD~1")
	refused("take back", "-f", "origin", "HEAD~1:main")
	git("switch", "-q", "--orphan", "unrelated")
	write(t, dir, map[string]string{"posts/u.md": onePost("U")})
	git("add", ".")
	git("commit", "-qm", "u")
	refused("take back", "-f", "origin", "HEAD:main")
	git("switch", "-q", "main")
	for name, spoil := range map[string]func(full string) error{
		"posts/bad.md":   func(p string) error { return os.WriteFile(p, []byte("---\ndate: Smarch\n---\n"), 0o644) },
		"posts/link.md":  func(p string) error { return os.Symlink("one.md", p) },
		"posts/empty.md": func(p string) error { return os.WriteFile(p, nil, 0o644) },
		"posts/bell\a.md": func(p string) error {
			return os.WriteFile(p, []byte(onePost("Bell")), 0o644)
		},
		"posts/HELLO.md": func(p string) error { return os.WriteFile(p, []byte(onePost("Shout")), 0o644) },
		"posts/big.md":   func(p string) error { return os.WriteFile(p, make([]byte, 3<<20), 0o644) },
		"site.yaml":      func(p string) error { return os.WriteFile(p, []byte("title: [\n"), 0o644) },
		"posts/sub": func(p string) error {
			if err := os.Mkdir(p, 0o755); err != nil {
				return err
			}
			for _, args := range [][]string{{"init", "-q"}, {"commit", "-q", "--allow-empty", "-m", "sub"}} {
				must(t, env, p, "git", args...)
			}
			return nil
		},
	} {
		if err := spoil(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		write(t, dir, map[string]string{"posts/fine.md": onePost("Fine")})
		git("add", ".")
		git("commit", "-qm", "bad")
		refused("remote: error: "+strings.ReplaceAll(name, "\a", ""), "origin", "main")
		git("reset", "-q", "--hard", "HEAD~1")
		os.RemoveAll(filepath.Join(dir, "posts/sub"))
	}
	for _, command := range []string{"git-upload-archive '/blog.git'", "git-receive-pack", "git-receive-pack -x", "git-shell x", "git-upload-pack a b"} {
		self, _ := os.Executable()
		said, status := client(t, env, dir, self, "b", command)
		if status == 0 {
			t.Errorf("%s: done", command)
		}
		wants(t, said, "is not answered here")
	}
	if left, _ := filepath.Glob(filepath.Join(h.scratch, "*.git/objects/*incoming*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	h.sound()
}

// A small pack may hold a very large file: it is refused by its size, and never
// read.
func TestGitRefusesABomb(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	before := h.head()
	if err := os.WriteFile(filepath.Join(dir, "posts/bomb.png"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "posts/bomb.png"), 200<<20); err != nil {
		t.Fatal(err)
	}
	git("-c", "core.bigFileThreshold=1m", "add", ".")
	git("commit", "-qm", "bomb")
	said, status := client(t, env, dir, "git", "push", "origin", "main")
	if status == 0 || h.head() != before {
		t.Errorf("status %d", status)
	}
	wants(t, said, "remote: error: posts/bomb.png: is too big")
	h.sound()
}

// A delta of some bytes may ask for a gigabyte of memory: git is refused it.
func TestGitRefusesADeltaBomb(t *testing.T) {
	h := newFixture(t, someFiles)
	clone(t, h.listen(h.ada.Visitor())) // there is a git, and a view
	const copies = 16000
	head := func(kind byte, size int) []byte {
		b := []byte{kind<<4 | byte(size&15)}
		for size >>= 4; size > 0; size >>= 7 {
			b[len(b)-1] |= 0x80
			b = append(b, byte(size&0x7f))
		}
		return b
	}
	packed := func(b []byte) []byte {
		var out bytes.Buffer
		z := zlib.NewWriter(&out)
		z.Write(b)
		z.Close()
		return out.Bytes()
	}
	base := make([]byte, 1<<16)
	name := sha1.Sum(append([]byte("blob 65536\x00"), base...))
	delta := binary.AppendUvarint(binary.AppendUvarint(nil, 1<<16), copies<<16)
	delta = append(delta, bytes.Repeat([]byte{0x80}, copies)...) // each copies all of the base
	pack := slices.Concat([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02"), head(3, len(base)), packed(base), head(7, len(delta)), name[:], packed(delta))
	sum := sha1.Sum(pack)
	pack = append(pack, sum[:]...)

	n, _ := repository{filepath.Join(h.scratch, "blog.git")}.state()
	order := fmt.Sprintf("%s %x %s\x00 report-status", n.Commit, name, branch)
	in := fmt.Sprintf("%04x%s0000%s", len(order)+4, order, pack)
	var out, errs strings.Builder
	_, err := h.Exec(t.Context(), Session{Visitor: h.ada.Visitor(), In: strings.NewReader(in), Out: &out, Err: &errs}, []string{"git-receive-pack", "/x"})
	if err != nil || !strings.Contains(out.String(), "unpack index-pack") || !strings.Contains(errs.String()+out.String(), "over limit") {
		t.Errorf("%v\n%q\n%s", err, out.String(), errs.String())
	}
}

// While a client is at its push, others fetch, and what comes another way makes
// it pull first.
func TestGitPushThatIsOvertaken(t *testing.T) {
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	// git has read where the branch is when it calls this, and sent nothing.
	write(t, dir, map[string]string{".git/hooks/pre-push": "#!/bin/sh\ntouch started\nwhile [ ! -e go ]; do sleep 0.02; done\n", "posts/mine.md": onePost("Mine")})
	if err := os.Chmod(filepath.Join(dir, ".git/hooks/pre-push"), 0o755); err != nil {
		t.Fatal(err)
	}
	git("add", "posts")
	git("commit", "-qm", "mine")
	type end struct {
		said   string
		status int
	}
	done := make(chan end, 1)
	go func() {
		said, status := client(t, env, dir, "git", "push", "origin", "main")
		done <- end{said, status}
	}()
	await(t, func() bool { _, err := os.Stat(filepath.Join(dir, "started")); return err == nil })
	h.commit("posts/theirs.md", onePost("Theirs"))
	other, _ := clone(t, env) // not kept waiting
	h.like(other)
	write(t, dir, map[string]string{"go": ""})
	e := <-done
	os.Remove(filepath.Join(dir, "go"))
	os.Remove(filepath.Join(dir, "started"))
	if e.status == 0 || h.text("posts/mine.md") != "" {
		t.Errorf("status %d\n%s", e.status, e.said)
	}
	git("pull", "-q", "--rebase")
	must(t, env, dir, "git", "push", "-q", "--no-verify", "origin", "main")
	if h.text("posts/mine.md") == "" {
		t.Error("not published")
	}
	h.like(dir)
	h.sound()
}

// The client is killed while it pushes: nothing is changed.
func TestGitCut(t *testing.T) {
	h := newFixture(t, someFiles)
	env := h.listen(h.ada.Visitor())
	dir, git := clone(t, env)
	before := h.head()
	noise := make([]byte, 8<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	write(t, dir, map[string]string{"posts/noise.bin": string(noise), "posts/one.md": onePost("One")})
	git("add", ".")
	git("commit", "-qm", "one")
	full := installed(t, "git")
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	cmd := exec.CommandContext(ctx, full, "push", "-q", "origin", "main")
	ownProcessGroup(cmd)
	cmd.Dir, cmd.Env = dir, env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		list, _ := filepath.Glob(filepath.Join(h.scratch, "blog.git/objects/*incoming*/pack/*"))
		return len(list) > 0 || h.head() != before
	})
	// It gets no further: its hook has to wait.
	h.viewMu.Lock()
	cut := h.head() == before
	// With all that it has started: what stands in for ssh among them.
	kill()
	_ = cmd.Wait()
	h.viewMu.Unlock()
	if !cut {
		t.Fatal("the whole push went by unseen")
	}
	h.idle()
	if h.head() != before {
		t.Error("a push that was killed went on")
	}
	git("push", "-q", "origin", "main")
	if h.head() != before+1 || h.text("posts/noise.bin") != string(noise) {
		t.Error("not pushed again")
	}
	h.sound()
}
