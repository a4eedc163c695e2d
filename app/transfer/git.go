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

// git works on a repository of its own, the view. Before every fetch and push
// it is brought up to date with the blog's history, and it is kept for the next
// one. It has one branch.
//
// Authors and readers have separate views. A readers' view, if the site allows
// one, holds nothing but what is public (git_public.go). Its history is how that
// has grown, each time somebody fetched it; nothing of the authors' commits is
// in it.
//
// A push becomes one change of the blog, which records the pushed commit, while
// the view keeps the commits as they were pushed. The order is:
//
//  1. git receives the objects into quarantine and calls its pre-receive hook.
//  2. The blog makes the change.
//  3. git moves the objects into the view, and then the branch.
//
// If the third step fails, the author is told so and has to pull: the next
// update of the view finds a change whose commit is missing, and writes it like
// one that came by another way.
//
// The view records what it contains (viewState). If that does not match its
// branch, it is compared with the blog, and it is only made anew if git cannot
// read it.
const branch = "refs/heads/main"

const (
	maxPack    = "512m"
	allocLimit = "GIT_ALLOC_LIMIT=96m" // for one object of a push, delta or tree

	readerGitMemory = 128 << 20 // bytes, of each program of git that runs for a reader
)

// gitSettings are passed with every call, so that nothing depends on a
// configuration file. Three of them, and allocLimit, bound the memory of a
// push: core.bigFileThreshold has large blobs streamed, and receive.unpackLimit
// has every pack go through index-pack, which does so. Those of packs bound
// that of a clone.
func gitSettings() []string {
	return []string{
		"safe.directory=*",
		"core.hooksPath=/dev/null",
		"core.bigFileThreshold=1m",
		"core.deltaBaseCacheLimit=16m",
		"core.packedGitLimit=32m",
		"core.packedGitWindowSize=1m",
		"gc.auto=0",
		"maintenance.auto=false",
		"pack.deltaCacheSize=16m",
		"pack.threads=2",
		"pack.windowMemory=16m",
		"receive.autogc=false",
		"receive.denyDeletes=true",
		"receive.denyNonFastForwards=true",
		"receive.fsckObjects=true",
		"receive.maxInputSize=" + maxPack,
		"receive.unpackLimit=1",
		"transfer.advertiseSID=false",
		"uploadpack.allowFilter=true",
	}
}

// A repository is a view in the folder dir. Except for git and gitWith, its
// methods require Transfer.viewMu to be held.
type repository struct{ dir string }

// authorsView is the view of authors.
func (t *Transfer) authorsView() repository { return repository{filepath.Join(t.dir, "blog.git")} }

// git returns a call of git on the repository.
func (r repository) git(args ...string) program { return r.gitWith(nil, args...) }

// gitWith is git with settings that override gitSettings.
func (r repository) gitWith(settings []string, args ...string) program {
	var all []string
	for _, s := range append(gitSettings(), settings...) {
		all = append(all, "-c", s)
	}
	return program{
		name: "git",
		args: append(all, args...),
		dir:  r.dir,
		env: []string{
			"GIT_CONFIG_NOSYSTEM=1",
			"GIT_CONFIG_GLOBAL=/dev/null",
			"GIT_TERMINAL_PROMPT=0",
			"GIT_DIR=.",
		},
	}
}

// git serves git-upload-pack and git-receive-pack. The path is ignored: a
// visitor sees one repository.
func (t *Transfer) git(ctx context.Context, s Session, args []string) (status int, err error) {
	s.Visitor = s.Visitor.Via("git")
	author, isAuthor := s.Visitor.Author()
	isPush := args[0] == "git-receive-pack"
	switch {
	case args[0] != "git-upload-pack" && !isPush, len(args) != 2, strings.HasPrefix(args[1], "-"):
		s.say("sheaf: " + args[0] + ": is not answered here; git clone, pull and push are")
		return 1, nil
	case isPush && !isAuthor:
		s.deny()
		return 1, nil
	case !isAuthor && !s.Visitor.Edition().Site().Git:
		s.deny()
		s.say("sheaf: git: this blog is not given away as a repository")
		return 1, nil
	}
	if err := t.updateView(ctx, s.Visitor); err != nil {
		return s.reportUnavailable(err)
	}
	r := t.authorsView()
	if !isAuthor {
		public, release := t.takePublic()
		defer release()
		if public == nil {
			return 1, errors.New("view for git: there is none for readers")
		}
		r = public.repository
	}
	var env []string
	for _, e := range s.Env {
		if e == "GIT_PROTOCOL=version=1" || e == "GIT_PROTOCOL=version=2" {
			env = []string{e}
		}
	}
	if isPush {
		return t.receive(ctx, s, author, r, env)
	}
	p := r.gitWith([]string{"pack.threads=1"}, "upload-pack", "--strict", "--timeout=600", ".")
	if !isAuthor {
		p.memory = readerGitMemory
	}
	p.env = append(p.env, env...)
	p.in, p.out, p.err = s.In, s.Out, &lineWriter{session: s}
	return p.run(ctx)
}

// A viewState says what a view contains. It is kept in the file "sheaf" of the
// repository.
type viewState struct {
	Rev    blog.Rev          // the newest revision in the view
	ID     string            // of that revision
	Commit string            // the head of the branch, "" while it has none
	Files  map[string]string `json:",omitempty"` // hashes by path, of a readers' view
}

// state reads the recorded state of the view.
func (r repository) state() (st viewState, ok bool) {
	b, err := os.ReadFile(filepath.Join(r.dir, "sheaf"))
	return st, err == nil && json.Unmarshal(b, &st) == nil
}

func (r repository) saveState(st viewState) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	tmp := filepath.Join(r.dir, "sheaf.new")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(r.dir, "sheaf"))
}

// head returns the newest commit of the branch, "" if there is none.
func (r repository) head(ctx context.Context) (string, error) {
	out, err := r.git("for-each-ref", "--format=%(objectname)", branch).output(ctx)
	return strings.TrimSpace(string(out)), err
}

// isAncestor reports whether a commit is in the history of another.
func (r repository) isAncestor(ctx context.Context, ancestor, commit string) (bool, error) {
	_, err := r.git("merge-base", "--is-ancestor", ancestor, commit).output(ctx)
	var failed statusError
	if errors.As(err, &failed) { // 1: it is not; 128: it is not known
		return false, ctx.Err()
	}
	return err == nil, err
}

// sameTree reports whether two commits have the same files.
func (r repository) sameTree(ctx context.Context, a, b string) (bool, error) {
	out, err := r.git("rev-parse", a+"^{tree}", b+"^{tree}").output(ctx)
	trees := strings.Fields(string(out))
	return len(trees) == 2 && trees[0] == trees[1], err
}

// open returns the state of the view, after making the view anew if it is
// missing or git cannot read it. Its Commit is the head of the branch; valid is
// false if the rest of the state is not known to belong to that commit.
func (r repository) open(ctx context.Context) (st viewState, valid bool, err error) {
	// Locks of a git that was killed: nobody else writes here.
	for _, lock := range []string{"HEAD.lock", "packed-refs.lock", branch + ".lock"} {
		_ = os.Remove(filepath.Join(r.dir, filepath.FromSlash(lock)))
	}
	// And what it has not finished writing.
	for _, pattern := range []string{"objects/pack/tmp_*", "objects/pack/.tmp*", "fast_import_crash_*"} {
		left, _ := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(pattern)))
		for _, name := range left {
			_ = os.Remove(name)
		}
	}
	st, recorded := r.state()
	var head string
	if _, err = os.Stat(filepath.Join(r.dir, "objects")); err == nil {
		if head, err = r.head(ctx); err == nil && head != "" {
			_, err = r.git("cat-file", "-e", head+"^{tree}").output(ctx)
		}
	}
	var failed statusError
	switch {
	case err == nil && recorded && head == st.Commit:
		return st, true, nil
	case err == nil && head == "":
		return viewState{}, true, r.saveState(viewState{})
	case err == nil:
		return viewState{Commit: head}, false, nil
	case errors.As(err, &failed) && ctx.Err() == nil, errors.Is(err, fs.ErrNotExist):
		return viewState{}, true, r.create(ctx)
	}
	return viewState{}, false, err
}

// create makes an empty view, in place of whatever is there.
func (r repository) create(ctx context.Context) error {
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	init := r.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
	if _, err := init.output(ctx); err != nil {
		return err
	}
	return r.saveState(viewState{})
}
