package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sheaf/app/blog"
)

// The repository that git sees is a view of the blog's history, made from its
// commits before every fetch and push and kept for the next one. It has one
// branch.
//
// What is pushed stays in the view as it was pushed, and is one change of the
// blog, which names the commit it came with. The order is: the objects arrive
// apart from the others, the blog makes the change, git takes the objects over
// and moves the branch. Where the last step does not happen any more, the
// change is written into the view like one that came another way, and the
// author, who was told of a failure, has to pull. A view that does not agree
// with its note is compared with the blog, and made anew only if git cannot
// read it.
//
// Readers, where the site lets them, get a view of their own. It has only ever
// held what was public, and its history is how that looked whenever somebody
// came for it; nothing of the authors' commits is in it.

const branch = "refs/heads/main"

// settings are given with every call: nothing depends on a file.
//
// A push is kept from filling the memory by bigFileThreshold (large blobs are
// streamed), unpackLimit (always index-pack, which does so) and allocLimit.
func settings() []string {
	return []string{
		"safe.directory=*", "core.hooksPath=/dev/null", "core.bigFileThreshold=1m", "gc.auto=0", "receive.autogc=false", "maintenance.auto=false",
		"uploadpack.allowFilter=true", "receive.fsckObjects=true", "receive.denyDeletes=true", "receive.denyNonFastForwards=true",
		"receive.maxInputSize=" + maxPack, "receive.unpackLimit=1", "transfer.advertiseSID=false", "pack.threads=2",
	}
}

const (
	maxPack    = "512m"
	allocLimit = "GIT_ALLOC_LIMIT=96m" // of one object that a push brings, delta or tree
)

// repository is one view. Its methods are for who holds Transfer.view, but for
// git.
type repository struct{ dir string }

func (r repository) git(args ...string) program { return r.with(nil, args...) }

func (r repository) with(more []string, args ...string) program {
	var all []string
	for _, s := range append(settings(), more...) {
		all = append(all, "-c", s)
	}
	return program{name: "git", args: append(all, args...), dir: r.dir,
		env: []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_DIR=."}}
}

// git answers git-upload-pack and git-receive-pack, whatever the path: there is
// one repository.
func (t *Transfer) git(ctx context.Context, s Session, args []string) (int, error) {
	s.Visitor = s.Visitor.Through("git")
	push := args[0] == "git-receive-pack"
	switch {
	case args[0] != "git-upload-pack" && !push, len(args) != 2, strings.HasPrefix(args[1], "-"):
		s.say("sheaf: " + args[0] + ": is not answered here; git clone, pull and push are")
		return 1, nil
	case push && !s.Visitor.IsAuthor():
		s.deny()
		return 1, nil
	case !s.Visitor.IsAuthor() && !s.Visitor.Edition().Site().Git:
		s.deny()
		s.say("sheaf: git: this blog is not given away as a repository")
		return 1, nil
	}
	name := "public.git"
	if s.Visitor.IsAuthor() {
		name = "blog.git"
	}
	r := repository{filepath.Join(t.dir, name)}
	t.view.Lock()
	err := t.follow(ctx, r, s.Visitor)
	t.view.Unlock()
	if err != nil {
		return s.unfit(err)
	}
	var env []string
	for _, e := range s.Env {
		if e == "GIT_PROTOCOL=version=1" || e == "GIT_PROTOCOL=version=2" {
			env = []string{e}
		}
	}
	if push {
		return t.receive(ctx, s, r, env)
	}
	p := r.git("upload-pack", "--strict", "--timeout=600", ".")
	p.env = append(p.env, env...)
	p.in, p.out, p.err = s.In, s.Out, &lines{s: s}
	return p.run(ctx)
}

// note is what a view knows of itself: the file "sheaf" in it.
type note struct {
	Rev    blog.Rev          // the newest revision that is in the view
	ID     string            // of that revision
	Commit string            // the newest of git, "" before the first
	Files  map[string]string `json:",omitempty"` // of readers' view: paths and hashes
}

func (r repository) note() (n note, ok bool) {
	b, err := os.ReadFile(filepath.Join(r.dir, "sheaf"))
	return n, err == nil && json.Unmarshal(b, &n) == nil
}

func (r repository) setNote(n note) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	tmp := filepath.Join(r.dir, "sheaf.new")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(r.dir, "sheaf"))
}

// head is the newest commit of the view, "" when there is none.
func (r repository) head(ctx context.Context) (string, error) {
	out, err := r.git("for-each-ref", "--format=%(objectname)", branch).output(ctx)
	return strings.TrimSpace(string(out)), err
}

// has reports whether a commit is in the history of another.
func (r repository) has(ctx context.Context, in, commit string) (bool, error) {
	_, err := r.git("merge-base", "--is-ancestor", commit, in).output(ctx)
	var failed errFailed
	if errors.As(err, &failed) { // 1: it is not; 128: it is not known
		return false, ctx.Err()
	}
	return err == nil, err
}

// same reports whether two commits have the same files.
func (r repository) same(ctx context.Context, a, b string) (bool, error) {
	out, err := r.git("rev-parse", a+"^{tree}", b+"^{tree}").output(ctx)
	trees := strings.Fields(string(out))
	return len(trees) == 2 && trees[0] == trees[1], err
}

// open gives the view's note and head. A view that git cannot read is made
// anew; agrees says whether the note is the head's.
func (r repository) open(ctx context.Context) (n note, agrees bool, err error) {
	// The lock of a git that was killed: only who holds view writes here.
	for _, l := range []string{"HEAD.lock", "packed-refs.lock", branch + ".lock"} {
		_ = os.Remove(filepath.Join(r.dir, filepath.FromSlash(l)))
	}
	n, noted := r.note()
	var head string
	if _, err = os.Stat(filepath.Join(r.dir, "objects")); err == nil {
		if head, err = r.head(ctx); err == nil && head != "" {
			_, err = r.git("cat-file", "-e", head+"^{tree}").output(ctx)
		}
	}
	var failed errFailed
	switch {
	case err == nil && noted && head == n.Commit:
		return n, true, nil
	case err == nil && head == "":
		return note{}, true, r.setNote(note{})
	case err == nil:
		return note{Commit: head}, false, nil
	case errors.As(err, &failed) && ctx.Err() == nil, errors.Is(err, fs.ErrNotExist):
		return note{}, true, r.create(ctx)
	}
	return note{}, false, err
}

func (r repository) create(ctx context.Context) error {
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	if _, err := r.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".").output(ctx); err != nil {
		return err
	}
	return r.setNote(note{})
}
