package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sheaf/app/blog"
	"sheaf/app/markdown"
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

// follow brings a view to the newest revision.
func (t *Transfer) follow(ctx context.Context, r repository, v blog.Visitor) error {
	n, agrees, err := r.open(ctx)
	if err != nil {
		return err
	}
	files, err := v.Files(ctx)
	if err != nil {
		return err
	}
	w := &importer{ctx: ctx, from: n.Commit, blobs: map[string]int{}}
	var write func() error
	next := n
	if v.IsAuthor() {
		commits, known, err := r.missing(ctx, v, n, files.Rev())
		if err != nil {
			return err
		}
		next = note{Rev: files.Rev(), ID: revisionID(v, files.Rev())}
		switch {
		case !agrees, !known:
			write, err = r.whole(ctx, w, files, "The blog as it stands")
		case len(commits) > 0:
			write = func() error {
				for _, c := range commits {
					if err := w.commit(c.Author, c.Time, c.Message, c.Door, c.Entries, v.Get); err != nil {
						return err
					}
				}
				return nil
			}
		}
		if err != nil {
			return err
		}
	} else {
		next.Files = map[string]string{}
		for info := range files.All() {
			next.Files[info.Path] = info.Hash
		}
		if agrees && maps.Equal(n.Files, next.Files) {
			return nil
		}
		if !agrees {
			write, err = r.whole(ctx, w, files, "What is published")
		} else {
			write = func() error { return w.public(v, files, n.Files) }
		}
		if err != nil {
			return err
		}
	}
	if write != nil {
		if err := t.fastImport(ctx, r, w, write); err != nil {
			return err
		}
	}
	if next.Commit, err = r.head(ctx); err != nil {
		return err
	}
	if !agrees && write != nil {
		// Mostly nothing was wrong but the note.
		if same, err := r.same(ctx, n.Commit, next.Commit); err != nil {
			return err
		} else if same {
			if _, err := r.git("update-ref", branch, n.Commit, next.Commit).output(ctx); err != nil {
				return err
			}
			next.Commit = n.Commit
		}
	}
	if write == nil && agrees && next.Rev == n.Rev && next.Commit == n.Commit {
		return nil
	}
	if err := r.setNote(next); err != nil {
		return err
	}
	if write != nil {
		t.tidy(ctx, r)
	}
	return nil
}

// missing gives the revisions behind the view's up to another that did not come
// with a push which is in the view. known is false when the view's revision is
// none of the blog's.
func (r repository) missing(ctx context.Context, v blog.Visitor, n note, to blog.Rev) (commits []blog.Commit, known bool, err error) {
	if n.Rev > to || n.Rev > 0 && revisionID(v, n.Rev) != n.ID {
		return nil, false, nil
	}
	for c := range v.Commits(n.Rev) {
		if c.Rev > to {
			break
		}
		if pushed := c.Meta["git.commit"]; pushed != "" && n.Commit != "" {
			is, err := r.has(ctx, n.Commit, pushed)
			if err != nil {
				return nil, false, err
			}
			if is {
				continue
			}
		}
		commits = append(commits, c)
	}
	return commits, true, nil
}

func revisionID(v blog.Visitor, rev blog.Rev) string {
	if rev > 0 {
		for c := range v.Commits(rev - 1) {
			return c.ID
		}
	}
	return ""
}

// whole writes one commit that makes the view's tree the blog's, from whatever
// it is. What the blog has no part in stays.
func (r repository) whole(ctx context.Context, w *importer, files *blog.Files, message string) (func() error, error) {
	var entries []blog.Entry
	if w.from != "" {
		out, err := r.git("ls-tree", "-r", "-z", "--name-only", w.from).output(ctx)
		if err != nil {
			return nil, err
		}
		for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
			if name != "" && !blog.Scratch(name) {
				entries = append(entries, blog.Entry{Path: name})
			}
		}
	}
	var newest time.Time
	for info := range files.All() {
		entries = append(entries, blog.Entry{Path: info.Path, Hash: info.Hash, Size: info.Size})
		if info.MTime.After(newest) {
			newest = info.MTime
		}
	}
	if len(entries) == 0 {
		return nil, nil
	}
	return func() error {
		return w.commit("", newest, message, "", entries, func(ctx context.Context, hash string) ([]byte, error) {
			return files.Read(ctx, blog.FileInfo{Hash: hash})
		})
	}, nil
}

// public writes one commit from what readers could have to what they may have
// now. It says nothing of who changed what and when.
func (w *importer) public(v blog.Visitor, files *blog.Files, had map[string]string) error {
	var entries []blog.Entry
	had = maps.Clone(had)
	for info := range files.All() {
		if had[info.Path] != info.Hash {
			entries = append(entries, blog.Entry{Path: info.Path, Hash: info.Hash, Size: info.Size})
		}
		delete(had, info.Path)
	}
	for name := range had {
		entries = append(entries, blog.Entry{Path: name})
	}
	slices.SortFunc(entries, byPath)
	site := v.Edition().Site()
	return w.commit(cmp.Or(site.Author, site.Title), time.Now(), "", "", entries, func(ctx context.Context, hash string) ([]byte, error) {
		return files.Read(ctx, blog.FileInfo{Hash: hash})
	})
}

// fastImport lets write speak to git fast-import: all of it comes into the
// view, or nothing.
func (t *Transfer) fastImport(ctx context.Context, r repository, w *importer, write func() error) error {
	pr, pw := io.Pipe()
	w.out = bufio.NewWriterSize(pw, 64<<10)
	var wrote error
	var done sync.WaitGroup
	done.Go(func() {
		defer func() { pw.CloseWithError(wrote) }()
		defer t.contain(&wrote)
		if wrote = write(); wrote == nil {
			_, wrote = w.out.WriteString("done\n")
			wrote = errors.Join(wrote, w.out.Flush())
		}
	})
	p := r.git("fast-import", "--quiet", "--done")
	p.in = pr
	_, err := p.output(ctx)
	pr.Close()
	done.Wait()
	if errors.Is(wrote, io.ErrClosedPipe) {
		wrote = nil // git's own error says why
	}
	if err := errors.Join(wrote, err); err != nil {
		return fmt.Errorf("view for git: %w", err)
	}
	return nil
}

// importer writes what git fast-import reads.
type importer struct {
	ctx     context.Context
	out     *bufio.Writer
	from    string         // the commit before the first
	blobs   map[string]int // marks, by hash
	commits int
}

// commit writes one commit and the blobs it needs. An old version that is not
// kept any more is left out: the newest is always there.
func (w *importer) commit(author string, at time.Time, message, door string, entries []blog.Entry, get func(context.Context, string) ([]byte, error)) error {
	for _, e := range entries {
		if e.Hash == "" || w.blobs[e.Hash] != 0 {
			continue
		}
		b, err := get(w.ctx, e.Hash)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		w.blobs[e.Hash] = len(w.blobs) + 1
		fmt.Fprintf(w.out, "blob\nmark :%d\ndata %d\n", w.blobs[e.Hash], len(b))
		w.out.Write(b)
		w.out.WriteByte('\n')
	}
	who := strings.TrimSpace(strings.NewReplacer("<", "", ">", "").Replace(line(author)))
	if message = strings.TrimSpace(markdown.Clean(message)); message == "" {
		message = summary(entries, door)
	}
	fmt.Fprintf(w.out, "commit %s\ncommitter %s <> %d +0000\ndata %d\n%s\n\n", branch, cmp.Or(who, "sheaf"), max(at.Unix(), 0), len(message)+1, message)
	if w.from != "" && w.commits == 0 {
		fmt.Fprintf(w.out, "from %s\n", w.from)
	}
	// What goes, goes first: a folder may come where a file was.
	for _, e := range entries {
		if e.Hash == "" {
			fmt.Fprintf(w.out, "D %s\n", quotePath(e.Path))
		}
	}
	for _, e := range entries {
		if mark := w.blobs[e.Hash]; e.Hash != "" && mark > 0 {
			fmt.Fprintf(w.out, "M 100644 :%d %s\n", mark, quotePath(e.Path))
		}
	}
	w.commits++
	return w.out.WriteByte('\n') // the writer remembers what went wrong before
}

// summary is the message of a commit that has none.
func summary(entries []blog.Entry, door string) string {
	names := make([]string, 0, 3)
	for _, e := range entries[:min(3, len(entries))] {
		names = append(names, e.Path)
	}
	text := line(strings.Join(names, ", "))
	if n := len(entries) - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if door != "" {
		text += "\n\nby " + door
	}
	return text
}

func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}

// tidy packs a view when it has become loose, and removes what pushes that
// were cut off have left. It is only housekeeping: it may fail.
func (t *Transfer) tidy(ctx context.Context, r repository) {
	old := time.Now().Add(-24 * time.Hour)
	left, _ := filepath.Glob(filepath.Join(r.dir, "objects", "*incoming-*"))
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && info.ModTime().Before(old) {
			_ = os.RemoveAll(dir)
		}
	}
	_, err := r.with([]string{"gc.auto=2000", "gc.autoPackLimit=40", "gc.autoDetach=false"}, "gc", "--auto", "--quiet").output(ctx)
	if err != nil && ctx.Err() == nil {
		t.c.Log.Warn("view for git not packed", "err", err)
	}
}

// A push is one that is under way. From the moment at which the blog makes
// its change it is not broken off with the session: git gets the time to move
// its branch.
type push struct {
	t      *Transfer
	s      Session
	r      repository
	ctx    context.Context // ends with the session, or a little later
	stop   context.CancelFunc
	mu     sync.Mutex
	gone   bool // the session is, before a change was made
	making bool
	holds  bool // Transfer.view
	deaf   bool // the client is
}

const grace = 10 * time.Second

// receive takes a push.
func (t *Transfer) receive(ctx context.Context, s Session, r repository, env []string) (int, error) {
	hooks, err := t.hooks()
	if err != nil {
		return 1, err
	}
	askR, askW, err := os.Pipe()
	if err != nil {
		return 1, err
	}
	defer askR.Close()
	defer askW.Close()
	tellR, tellW, err := os.Pipe()
	if err != nil {
		return 1, err
	}
	defer tellR.Close()
	p := &push{t: t, s: s, r: r}
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer p.stop()
	defer context.AfterFunc(ctx, p.leave)()
	defer p.release()
	var machine error
	var answered sync.WaitGroup
	answered.Go(func() {
		defer tellW.Close()
		defer t.contain(&machine)
		machine = p.answer(askR, tellW)
	})
	cmd := r.with([]string{"core.hooksPath=" + hooks}, "receive-pack", ".")
	cmd.env = append(append(cmd.env, hookMark, allocLimit), env...)
	cmd.in, cmd.out, cmd.err, cmd.files = s.In, p, &lines{s: s}, []*os.File{askW, tellR}
	status, err := cmd.run(p.ctx)
	askW.Close() // nobody asks any more
	answered.Wait()
	return status, errors.Join(err, machine, p.finish())
}

// hooks makes the folder in which git finds us.
func (t *Transfer) hooks() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.dir, "hook")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	t.view.Lock()
	defer t.view.Unlock()
	link := filepath.Join(dir, hookName)
	if to, err := os.Readlink(link); err != nil || to != self {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := os.Symlink(self, link); err != nil {
			return "", err
		}
	}
	// git takes a hook that is not there for none that is wanted.
	info, err := os.Stat(link)
	if err == nil && info.Mode()&0o111 == 0 {
		err = fs.ErrPermission
	}
	return dir, err
}

// Write gives the client what git says. Where nobody hears it git goes on, and
// is ended by who ended the session.
func (p *push) Write(b []byte) (int, error) {
	if !p.deaf {
		_, err := p.s.Out.Write(b)
		p.deaf = err != nil
	}
	return len(b), nil
}

// leave is what happens when the session ends before the push does.
func (p *push) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.making {
		time.AfterFunc(grace, p.stop)
		return
	}
	p.gone = true
	p.stop()
}

// begin says that the blog is about to make the change: false when the session
// has ended.
func (p *push) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.making = !p.gone
	return p.making
}

func (p *push) release() {
	if p.holds {
		p.holds = false
		p.t.view.Unlock()
	}
}

// finish notes where the branch is now.
func (p *push) finish() error {
	if !p.holds || !p.making {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), grace)
	defer cancel()
	n, ok := p.r.note()
	head, err := p.r.head(ctx)
	if err != nil || !ok || head == n.Commit {
		return err
	}
	// The revision stays: whether others came in between, follow will see.
	n.Commit = head
	if err := p.r.setNote(n); err != nil {
		return err
	}
	p.t.tidy(ctx, p.r)
	return nil
}

// answer waits for the hook and tells it what is to be done.
func (p *push) answer(ask io.Reader, tell io.Writer) error {
	var q question
	if err := json.NewDecoder(ask).Decode(&q); err != nil {
		return nil // nothing was pushed, or git has refused it itself
	}
	a, err := p.judge(q)
	if err != nil {
		a = answer{Lines: []string{"error: internal error; nothing was changed"}}
		if p.ctx.Err() != nil {
			err = nil
		}
	}
	for i, l := range a.Lines {
		a.Lines[i] = markdown.Clean(l)
	}
	// A git that has been killed does not listen any more.
	_ = json.NewEncoder(tell).Encode(a)
	return err
}

func no(lines ...string) answer { return answer{Lines: lines} }

// judge makes a change of what is pushed. From here to the end of the push no
// other commit comes into the view.
func (p *push) judge(q question) (answer, error) {
	p.t.view.Lock()
	p.holds = true
	if len(q.Updates) != 1 {
		return no("error: push one branch, main, and nothing else"), nil
	}
	parts := strings.Fields(q.Updates[0])
	if len(parts) != 3 {
		return no("error: push one branch, main, and nothing else"), nil
	}
	from, to, ref := parts[0], parts[1], parts[2]
	none := strings.Repeat("0", len(from))
	switch {
	case ref != branch:
		return no("error: this blog has one branch, main: git push origin HEAD:main"), nil
	case to == none:
		return no("error: the branch main cannot be removed"), nil
	case from == none:
		from = ""
	}
	n, ok := p.r.note()
	head, err := p.r.head(p.ctx)
	if err != nil {
		return answer{}, err
	}
	files, err := p.s.Visitor.Files(p.ctx)
	if err != nil {
		return answer{}, err
	}
	others, known, err := p.r.missing(p.ctx, p.s.Visitor, n, files.Rev())
	if err != nil {
		return answer{}, err
	}
	if !ok || !known || from != head || head != n.Commit || len(others) > 0 {
		return no("error: the blog has changed meanwhile: git pull --rebase, then push again"), nil
	}
	objects, err := p.apart(q.Env)
	if err != nil {
		return answer{}, err
	}
	g := gitObjects{p.r, objects}
	if kind, err := g.git("cat-file", "-t", to).output(p.ctx); err != nil || strings.TrimSpace(string(kind)) != "commit" {
		return no("error: what is pushed to main is no commit"), err
	}
	if from != "" {
		_, err := g.git("merge-base", "--is-ancestor", from, to).output(p.ctx)
		var failed errFailed
		if errors.As(err, &failed) && failed.status == 1 {
			return no("error: this would take back what is published: git pull --rebase, then push again"), nil
		}
		if err != nil {
			return answer{}, err
		}
	}
	change, refused, err := g.change(p.ctx, p.t.puts(p.ctx, p.s.Visitor), files, from, to)
	switch {
	case err != nil && blog.Obstacle(err) != "":
		return no("error: " + blog.Obstacle(err)), nil
	case err != nil:
		return answer{}, err
	case len(refused) > 0:
		return no(refused...), nil
	case !p.begin():
		return no("error: the connection has ended"), nil
	case len(change.Entries) == 0:
		return answer{Accept: true}, nil // all of it hidden, or a merge
	}
	change.Base = files.Rev()
	receipt, err := p.s.Visitor.Commit(p.ctx, change)
	var not *blog.Refusal
	switch {
	case errors.As(err, &not):
		lines := not.Lines()
		for i := range lines {
			lines[i] = "error: " + lines[i]
		}
		return no(lines...), nil
	case err != nil && blog.Obstacle(err) != "":
		return no("error: " + blog.Obstacle(err)), nil
	case err != nil:
		return answer{}, err
	}
	return answer{Lines: receipt.Lines(p.s.Host), Accept: true}, nil
}

// apart checks where git says the new objects are.
func (p *push) apart(env []string) ([]string, error) {
	root, err := filepath.EvalSymlinks(p.r.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range env {
		name, dir, _ := strings.Cut(e, "=")
		if name == "GIT_ALTERNATE_OBJECT_DIRECTORIES" {
			continue
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return nil, err
		}
		if rel, err := filepath.Rel(root, dir); err != nil || !filepath.IsLocal(rel) {
			return nil, fmt.Errorf("objects of a push outside the view: %s", line(e))
		}
	}
	return env, nil
}

// gitObjects are the objects of the view and those of a push.
type gitObjects struct {
	r   repository
	env []string
}

func (g gitObjects) git(args ...string) program {
	p := g.r.git(args...)
	p.env = append(append(p.env, allocLimit), g.env...)
	return p
}

// change reads what a push changes in the blog.
func (g gitObjects) change(ctx context.Context, to *puts, files *blog.Files, from, commit string) (change blog.Change, refused []string, err error) {
	change.Meta = map[string]string{"git.commit": commit}
	if change.Message, change.Time, err = g.message(ctx, from, commit); err != nil {
		return change, nil, err
	}
	if from == "" {
		from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // the empty tree
	}
	raw, err := g.git("diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", from, commit).output(ctx)
	if err != nil {
		return change, nil, err
	}
	no := func(name, why string) { refused = append(refused, "error: "+line(name)+": "+why) }
	var objects bytes.Buffer
	var names []string
	fields := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
	for ; len(fields) > 1; fields = fields[2:] {
		meta, name := strings.Fields(fields[0]), fields[1]
		if len(meta) != 5 {
			return change, nil, fmt.Errorf("git diff-tree: %s", line(fields[0]))
		}
		switch mode, object, kind := meta[1], meta[3], meta[4]; {
		case kind == "D":
			// What is not the blog's (it was hidden, say) is not missed by it.
			if info, err := files.Stat(name); err == nil && info.Path == name && !info.Dir {
				change.Entries = append(change.Entries, blog.Entry{Path: name})
			}
		case mode == "120000":
			no(name, "is a link, which a blog has none of")
		case mode == "160000":
			no(name, "is a repository of its own, which a blog has none of")
		case mode != "100644" && mode != "100755":
			no(name, "has a mode that is not kept: "+line(mode))
		case blog.Scratch(name):
			// It stays in the repository, and is no part of the blog.
		default:
			if _, err := blog.PathFor(name); err != nil {
				no(name, err.Error())
				continue
			}
			objects.WriteString(object + "\n")
			names = append(names, name)
		}
	}
	if len(names) > maxFiles {
		return change, []string{fmt.Sprintf("error: more than %d files at once", maxFiles)}, nil
	}
	if len(names) == 0 || len(refused) > 0 {
		return change, refused, nil
	}
	// What is too big is found out before any of it is read.
	sizes, err := g.sizes(ctx, objects.Bytes(), len(names))
	if err != nil {
		return change, nil, err
	}
	var total int64
	for i, size := range sizes {
		if total += size; size > to.v.MaxFile(names[i]) {
			no(names[i], tooBig(to.v.MaxFile(names[i])).Error())
		}
	}
	if total > maxSet {
		refused = append(refused, fmt.Sprintf("error: more than %d MB at once", maxSet>>20))
	}
	if len(refused) > 0 {
		return change, refused, nil
	}
	err = g.read(ctx, objects.Bytes(), func(in *bufio.Reader) error {
		for i, name := range names {
			b, err := readObject(in, sizes[i])
			if err != nil {
				return fmt.Errorf("%s: %w", line(name), err)
			}
			if err := to.add(blog.Entry{Path: name, Size: sizes[i]}, b); err != nil {
				return err
			}
		}
		return nil
	})
	came, failed := to.wait()
	change.Entries = append(change.Entries, came...)
	slices.SortFunc(change.Entries, byPath)
	return change, nil, cmp.Or(failed, err)
}

// message is what the author has written about a push, and when: of its last
// commit, and the first lines of the others.
func (g gitObjects) message(ctx context.Context, from, to string) (string, time.Time, error) {
	span := to
	if from != "" {
		span = from + ".." + to
	}
	out, err := g.git("log", "--max-count=30", "--topo-order", "--encoding=UTF-8", "--format=%at%x00%s%x00%B%x00", span).output(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	fields := strings.Split(string(out), "\x00")
	if len(fields) < 3 {
		return "", time.Time{}, nil
	}
	// git keeps the time a client says; one that is yet to come is no date.
	var at time.Time
	if sec, err := strconv.ParseInt(strings.TrimSpace(fields[0]), 10, 64); err == nil && sec > 0 && sec < time.Now().Unix() {
		at = time.Unix(sec, 0)
	}
	message := strings.TrimSpace(fields[2])
	for i, more := 3, "\n\nbefore it:"; i+2 < len(fields); i += 3 {
		message += more + "\n- " + fields[i+1]
		more = ""
	}
	message = markdown.Clean(message)
	if len(message) > 4000 {
		message = message[:4000]
		for !utf8.ValidString(message) {
			message = message[:len(message)-1]
		}
	}
	return message, at, nil
}

// sizes asks for the sizes of objects without reading them.
func (g gitObjects) sizes(ctx context.Context, objects []byte, count int) ([]int64, error) {
	p := g.git("cat-file", "--batch-check=%(objecttype) %(objectsize)")
	p.in = bytes.NewReader(objects)
	out, err := p.output(ctx)
	if err != nil {
		return nil, err
	}
	var sizes []int64
	for l := range strings.Lines(string(out)) {
		kind, size, _ := strings.Cut(strings.TrimSpace(l), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if kind != "blob" || err != nil {
			return nil, fmt.Errorf("git cat-file: %s", line(l))
		}
		sizes = append(sizes, n)
	}
	if len(sizes) != count {
		return nil, fmt.Errorf("git cat-file: %d objects of %d", len(sizes), count)
	}
	return sizes, nil
}

// read lets f read the objects one behind the other.
func (g gitObjects) read(ctx context.Context, objects []byte, f func(*bufio.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	p := g.git("cat-file", "--batch", "--buffer")
	p.in, p.out, p.err = bytes.NewReader(objects), pw, io.Discard
	var ran error
	var done sync.WaitGroup
	done.Go(func() {
		_, ran = p.run(ctx)
		pw.CloseWithError(ran)
	})
	err := f(bufio.NewReaderSize(pr, 64<<10))
	pr.Close()
	cancel()
	done.Wait()
	return errors.Join(err, ran)
}

// readObject reads what cat-file says of one object whose size is known.
func readObject(in *bufio.Reader, size int64) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if f := strings.Fields(head); len(f) != 3 || f[1] != "blob" || f[2] != strconv.FormatInt(size, 10) {
		return nil, fmt.Errorf("git cat-file: %s", line(head))
	}
	b := make([]byte, size+1) // with a line end
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	return b[:size], nil
}
