package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// A push is one that is under way. Its io.Writer is the client. From the moment
// the blog makes the change, the push no longer ends with the session: git gets
// the time to move its branch.
type push struct {
	t      *Transfer
	s      Session
	author blog.Author
	r      repository
	ctx    context.Context // ends with the session, or up to pushGrace later

	stop       context.CancelFunc // of ctx
	locked     bool               // the push holds Transfer.viewMu
	clientGone bool

	mu         sync.Mutex
	cancelled  bool // the session has ended before a change was made
	committing bool // the blog is making the change, or has made it
}

// pushGrace is how long git may take once the blog has made the change.
const pushGrace = 10 * time.Second

// receive serves git-receive-pack. The objects of the push are received by git,
// the change is decided on by its hook, which asks serveHook over two pipes.
func (t *Transfer) receive(ctx context.Context, s Session, author blog.Author, r repository, env []string) (
	status int, err error,
) {
	hooks, err := t.hooksDir()
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
	p := &push{t: t, s: s, author: author, r: r}
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer p.stop()
	defer context.AfterFunc(ctx, p.cancel)()
	defer p.unlockView()
	var hookErr error
	var served sync.WaitGroup
	served.Go(func() {
		defer tellW.Close()
		defer t.contain(&hookErr)
		hookErr = p.serveHook(askR, tellW)
	})
	git := r.gitWith([]string{"core.hooksPath=" + hooks}, "receive-pack", ".")
	git.env = append(append(git.env, hookEnv, allocLimit), env...)
	git.in, git.out, git.err = s.In, p, &lineWriter{session: s}
	git.files = []*os.File{askW, tellR}
	status, err = git.run(p.ctx)
	askW.Close() // so that serveHook ends if there was no hook
	served.Wait()
	return status, errors.Join(err, hookErr, p.saveHead())
}

// hooksDir returns a folder in which git finds this program as its hook. git
// would take a push without asking if the hook were missing, so the folder is
// checked on every push.
func (t *Transfer) hooksDir() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.dir, "hook")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	t.viewMu.Lock()
	defer t.viewMu.Unlock()
	link := filepath.Join(dir, hookName)
	if to, err := os.Readlink(link); err != nil || to != self {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := os.Symlink(self, link); err != nil {
			return "", err
		}
	}
	info, err := os.Stat(link)
	if err == nil && info.Mode()&0o111 == 0 {
		err = fs.ErrPermission
	}
	return dir, err
}

// Write passes git's output on to the client. It never fails: git has to go on
// when nobody listens any more, and is ended by the end of ctx.
func (p *push) Write(b []byte) (int, error) {
	if !p.clientGone {
		_, err := p.s.Out.Write(b)
		p.clientGone = err != nil
	}
	return len(b), nil
}

// cancel is called when the session ends before the push does.
func (p *push) cancel() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.committing {
		time.AfterFunc(pushGrace, p.stop)
		return
	}
	p.cancelled = true
	p.stop()
}

// startCommit reports whether the blog may make the change: it may not if the
// session has ended.
func (p *push) startCommit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committing = !p.cancelled
	return p.committing
}

func (p *push) unlockView() {
	if p.locked {
		p.locked = false
		p.t.viewMu.Unlock()
	}
}

// saveHead records where the branch is after a change was made.
func (p *push) saveHead() error {
	if !p.locked || !p.committing {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), pushGrace)
	defer cancel()
	st, ok := p.r.state()
	head, err := p.r.head(ctx)
	if err != nil || !ok || head == st.Commit {
		return err
	}
	// The revision stays as it is: other changes may have come in before this
	// one, which the next updateView finds out.
	st.Commit = head
	if err := p.r.saveState(st); err != nil {
		return err
	}
	p.t.collectGarbage(ctx, p.r)
	return nil
}

// A rejection is why a push is not accepted, a line for each reason.
type rejection []string

func (r rejection) Error() string { return strings.Join(r, "; ") }

// explain makes a rejection of an error that means something to the author, and
// returns all others as they are.
func explain(err error) error {
	var refusal *blog.Refusal
	if errors.As(err, &refusal) {
		return rejection(refusal.Lines())
	}
	if why := blog.StorageProblem(err); why != "" {
		return rejection{why}
	}
	return err
}

// serveHook waits for the hook's request and answers it. The error is internal.
func (p *push) serveHook(ask io.Reader, tell io.Writer) error {
	var q hookRequest
	if err := json.NewDecoder(ask).Decode(&q); err != nil {
		return nil // nothing was pushed, or git has refused it itself
	}
	lines, err := p.review(q)
	response := hookResponse{Lines: lines, Accept: err == nil}
	var rejected rejection
	switch {
	case errors.As(err, &rejected):
		for _, l := range rejected {
			response.Lines = append(response.Lines, "error: "+l)
		}
		err = nil
	case err != nil:
		response.Lines = []string{"error: internal error; nothing was changed"}
		if p.ctx.Err() != nil {
			err = nil
		}
	}
	for i, l := range response.Lines {
		response.Lines[i] = markdown.Clean(l)
	}
	_ = json.NewEncoder(tell).Encode(response) // fails if git was killed meanwhile
	return err
}

// review makes a change of what is pushed and returns the blog's answer. The
// error is a rejection or internal. Until the push is over the view stays
// locked, so that nothing else is written to it.
func (p *push) review(q hookRequest) (lines []string, err error) {
	p.t.viewMu.Lock()
	p.locked = true
	from, to, err := parseUpdates(q.Updates)
	if err != nil {
		return nil, err
	}
	head, err := p.r.head(p.ctx)
	if err != nil {
		return nil, err
	}
	files, err := p.author.Files(p.ctx)
	if err != nil {
		return nil, err
	}
	st, ok := p.r.state()
	others, known, err := p.r.newCommits(p.ctx, p.author, st, files.Rev())
	if err != nil {
		return nil, err
	}
	if !ok || !known || from != head || head != st.Commit || len(others) > 0 {
		return nil, rejection{"the blog has changed meanwhile: git pull --rebase, then push again"}
	}
	if err := p.checkQuarantine(q.Env); err != nil {
		return nil, err
	}
	objects := gitObjects{p.r, q.Env}
	if err := objects.checkCommit(p.ctx, from, to); err != nil {
		return nil, err
	}
	change, err := objects.change(p.ctx, p.t.newUploader(p.ctx, p.author), files, from, to)
	if err != nil {
		return nil, explain(err)
	}
	if !p.startCommit() {
		return nil, rejection{"the connection has ended"}
	}
	if len(change.Entries) == 0 { // only hidden files, or a merge
		return nil, nil
	}
	change.Base = files.Rev()
	receipt, err := p.author.Commit(p.ctx, change)
	if err != nil {
		return nil, explain(err)
	}
	return receipt.Lines(p.s.Host), nil
}

// parseUpdates reads which commits the branch is to move from and to; from is
// "" if there is no branch yet. The error is a rejection: nothing but the one
// branch can be pushed.
func parseUpdates(updates []string) (from, to string, err error) {
	if len(updates) != 1 {
		return "", "", rejection{"push one branch, main, and nothing else"}
	}
	parts := strings.Fields(updates[0])
	if len(parts) != 3 {
		return "", "", rejection{"push one branch, main, and nothing else"}
	}
	from, to = parts[0], parts[1]
	none := strings.Repeat("0", len(from))
	switch {
	case parts[2] != branch:
		return "", "", rejection{"this blog has one branch, main: git push origin HEAD:main"}
	case to == none:
		return "", "", rejection{"the branch main cannot be removed"}
	case from == none:
		from = ""
	}
	return from, to, nil
}

// checkQuarantine fails if the new objects are not within the view. The paths,
// in git's variables, come from a process we have started; still, git is about
// to read from them on behalf of a client.
func (p *push) checkQuarantine(env []string) error {
	root, err := filepath.EvalSymlinks(p.r.dir)
	if err != nil {
		return err
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
			return err
		}
		if rel, err := filepath.Rel(root, dir); err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("objects of a push outside the view: %s", markdown.Line(e))
		}
	}
	return nil
}

// git runs this program as its hook, by a link of the name hookName. The hook
// asks the server that has started git over two pipes, which it has inherited
// through git, and only passes the answer on. Nobody else can reach the other
// ends of the pipes.
const (
	hookName = "pre-receive"
	hookEnv  = "SHEAF_HOOK=1" // in the environment of a git that we have started
)

// A hookRequest asks what is to become of a push.
type hookRequest struct {
	Updates []string // of branches: "OLD NEW REF", with object names
	Env     []string // git's variables that say where the new objects are
}

// A hookResponse says what is to become of a push.
type hookResponse struct {
	Lines  []string // for the person who pushes
	Accept bool
}

// IsHook reports whether the process, by its name and environment, is git's
// hook and has to call Hook.
func IsHook(name string, env []string) bool {
	return path.Base(name) == hookName && slices.Contains(env, hookEnv)
}

// Hook is git's pre-receive hook. It asks the server that has started git, at
// the other ends of the descriptors 3 and 4, whether a push may go on, prints
// the answer to out, and returns the exit status for git. It reads the updates
// of branches from in and git's variables from env.
func Hook(_ context.Context, env []string, in io.Reader, out io.Writer) (status int) {
	var q hookRequest
	sc := bufio.NewScanner(io.LimitReader(in, 64<<10))
	for sc.Scan() {
		q.Updates = append(q.Updates, sc.Text())
	}
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); slices.Contains(quarantineVars(), name) {
			q.Env = append(q.Env, e)
		}
	}
	ask, tell := os.NewFile(3, "ask"), os.NewFile(4, "tell")
	var a hookResponse
	err := json.NewEncoder(ask).Encode(q)
	if err == nil {
		err = json.NewDecoder(tell).Decode(&a)
	}
	if err != nil {
		fmt.Fprintln(out, "error: the blog does not answer")
		return 1
	}
	for _, l := range a.Lines {
		fmt.Fprintln(out, l)
	}
	if !a.Accept {
		return 1
	}
	return 0
}

// quarantineVars are the variables by which git says where the objects of a
// push are until it is accepted (git-receive-pack(1), QUARANTINE ENVIRONMENT).
func quarantineVars() []string {
	return []string{"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
}
