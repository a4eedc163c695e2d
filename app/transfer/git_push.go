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

// git runs our own program before it takes a push: a link of this name leads to
// it. The program asks the server it belongs to over two pipes that it has
// inherited through git, and only hands on what the server says; nobody else
// can reach the other end of them.

const (
	// hookName is the name under which git calls our program.
	hookName = "pre-receive"
	// hookMark tells the program that it is called by a git that we have started.
	hookMark = "SHEAF_HOOK=1"
)

// A question is what git's hook asks: what is to become of the branches, and
// where the new objects are.
type question struct {
	Updates []string // "old new ref"
	Env     []string
}

// An answer is what the hook says to the person, and whether the push goes on.
type answer struct {
	Lines  []string
	Accept bool
}

// IsHook reports whether the process, by its name and environment, is git's
// hook and has to call Hook.
func IsHook(name string, env []string) bool {
	return path.Base(name) == hookName && slices.Contains(env, hookMark)
}

// Hook is git's pre-receive hook: it asks the server that has started git
// whether a push may go on, says the answer to the person, and gives git the
// exit status. The server is at the other end of the descriptors 3 and 4.
func Hook(_ context.Context, env []string, in io.Reader, out io.Writer) (status int) {
	var q question
	sc := bufio.NewScanner(io.LimitReader(in, 64<<10))
	for sc.Scan() {
		q.Updates = append(q.Updates, sc.Text())
	}
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); slices.Contains(quarantine(), name) {
			q.Env = append(q.Env, e)
		}
	}
	ask, told := os.NewFile(3, "ask"), os.NewFile(4, "told")
	var a answer
	err := json.NewEncoder(ask).Encode(q)
	if err == nil {
		err = json.NewDecoder(told).Decode(&a)
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

// quarantine names what says where the objects of a push are while it is
// judged.
func quarantine() []string {
	return []string{"GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
}
