package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sheaf/app/blog"
)

// The repository that git sees is a view of the blog's history, made from its
// commits before every fetch and push and kept for the next one. What is pushed
// stays in it as it was pushed; for the blog it is one change, and the view
// notes which revision it became. A view that is lost, or that does not agree
// with its note, is made anew.
//
// Readers, where the site lets them, get a view of their own, whose only
// contents are what is public at the moment.

const branch = "refs/heads/main"

// maxPack bounds one push.
const maxPack = "512m"

// repository is one view.
type repository struct {
	dir string
}

func (r repository) git(args ...string) program {
	return program{name: "git", args: append(settings(), args...), dir: r.dir, env: gitEnv()}
}

func gitEnv() []string {
	return []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_DIR=."}
}

// settings are given with every call: nothing of them depends on a file.
func settings() []string {
	var args []string
	for _, s := range []string{"safe.directory=*", "core.bigFileThreshold=1m", "gc.auto=0", "core.fsyncMethod=batch",
		"uploadpack.allowFilter=true", "receive.fsckObjects=true", "receive.denyDeletes=true", "receive.denyNonFastForwards=true",
		"receive.maxInputSize=" + maxPack, "receive.autogc=false", "receive.unpackLimit=1", "transfer.advertiseSID=false", "advice.pushNonFastForward=true"} {
		args = append(args, "-c", s)
	}
	return args
}

// git answers git-upload-pack and git-receive-pack, whatever the path: there is
// one repository.
func (t *Transfer) git(ctx context.Context, s Session, args []string) (int, error) {
	s.Visitor = s.Visitor.Through("git")
	push := args[0] == "git-receive-pack"
	switch {
	case args[0] != "git-upload-pack" && !push, len(args) != 2:
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
	status, err := t.serveGit(ctx, s, push)
	var missing errMissing
	if errors.As(err, &missing) {
		s.say("sheaf: " + missing.Error())
		return 1, nil
	}
	return status, err
}

func (t *Transfer) serveGit(ctx context.Context, s Session, push bool) (int, error) {
	var env []string
	for _, e := range s.Env {
		if v, ok := strings.CutPrefix(e, "GIT_PROTOCOL="); ok && (v == "version=1" || v == "version=2") {
			env = append(env, e)
		}
	}
	name := "public.git"
	if s.Visitor.IsAuthor() {
		name = "blog.git"
	}
	r := repository{filepath.Join(t.dir, name)}
	t.view.Lock()
	err := r.follow(ctx, s.Visitor)
	if !push || err != nil {
		t.view.Unlock()
	}
	if err != nil {
		return 1, err
	}
	p := r.git("upload-pack", "--strict", "--timeout=600", ".")
	if push {
		defer t.view.Unlock() // one push at a time, and no other commit between it and its check
		return t.receive(ctx, s, r, env)
	}
	p.env = append(p.env, env...)
	p.in, p.out, p.err = s.In, s.Out, &lines{s: s}
	return p.run(ctx)
}

// note is what a view knows of itself: the file "sheaf" in it.
type note struct {
	Rev    blog.Rev
	Commit string // of git, "" before the first
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

// follow brings the view to the newest revision.
func (r repository) follow(ctx context.Context, v blog.Visitor) error {
	n, ok := r.note()
	if ok {
		head, err := r.head(ctx)
		var missing errMissing
		if errors.As(err, &missing) {
			return err
		}
		ok = err == nil && head == n.Commit
	}
	if !ok {
		n = note{}
		if err := r.create(ctx); err != nil {
			return err
		}
	}
	files, err := v.Files(ctx)
	if err != nil {
		return err
	}
	if files.Rev() == n.Rev {
		return nil
	}
	var stream bytes.Buffer
	w := &importer{out: &stream, from: n.Commit, files: files, ctx: ctx, blobs: map[string]int{}}
	if v.IsAuthor() {
		err = w.history(v, n.Rev)
	} else {
		err = r.public(ctx, w, n)
	}
	if err != nil {
		return err
	}
	if w.commits > 0 {
		p := r.git("fast-import", "--quiet", "--force")
		p.in = &stream
		if _, err := p.output(ctx); err != nil {
			return err
		}
	}
	head, err := r.head(ctx)
	if err != nil {
		return err
	}
	return r.setNote(note{files.Rev(), head})
}

func (r repository) create(ctx context.Context) error {
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	_, err := r.git("init", "--quiet", "--bare", "--initial-branch=main", ".").output(ctx)
	return err
}

// importer writes what git fast-import reads.
type importer struct {
	out     *bytes.Buffer
	from    string
	files   *blog.Files
	ctx     context.Context
	blobs   map[string]int // marks, by hash
	commits int
}

// history writes the commits after a revision that did not come by git.
func (w *importer) history(v blog.Visitor, since blog.Rev) error {
	for c := range v.Commits(since) {
		if err := w.commit(c.Author, c.Time, orMessage(c), c.Entries, v.Get); err != nil {
			return err
		}
	}
	return nil
}

func orMessage(c blog.Commit) string {
	if c.Message != "" {
		return c.Message
	}
	names := make([]string, 0, 3)
	for _, e := range c.Entries[:min(3, len(c.Entries))] {
		names = append(names, e.Path)
	}
	text := strings.Join(names, ", ")
	if n := len(c.Entries) - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text + "\n\nby " + c.Door
}

// public writes one commit from what the view has to what readers may have.
func (r repository) public(ctx context.Context, w *importer, n note) error {
	have := map[string]bool{}
	if n.Commit != "" {
		out, err := r.git("ls-tree", "-r", "-z", "--name-only", n.Commit).output(ctx)
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
			have[name] = name != ""
		}
	}
	var entries []blog.Entry
	var newest time.Time
	for info := range w.files.All() {
		delete(have, info.Path)
		entries = append(entries, blog.Entry{Path: info.Path, Hash: info.Hash, Size: info.Size})
		if info.MTime.After(newest) {
			newest = info.MTime
		}
	}
	for name := range have {
		if name != "" {
			entries = append(entries, blog.Entry{Path: name})
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return w.commit("", newest, "What is published", entries, func(ctx context.Context, hash string) ([]byte, error) {
		return w.files.Read(ctx, blog.FileInfo{Hash: hash})
	})
}

func (w *importer) commit(author string, at time.Time, message string, entries []blog.Entry, get func(context.Context, string) ([]byte, error)) error {
	marks := make([]int, len(entries))
	for i, e := range entries {
		if e.Hash == "" {
			continue
		}
		if marks[i] = w.blobs[e.Hash]; marks[i] != 0 {
			continue
		}
		b, err := get(w.ctx, e.Hash)
		if err != nil {
			marks[i] = -1 // an old version that is not kept any more
			continue
		}
		marks[i] = len(w.blobs) + 1
		w.blobs[e.Hash] = marks[i]
		fmt.Fprintf(w.out, "blob\nmark :%d\ndata %d\n", marks[i], len(b))
		w.out.Write(b)
		w.out.WriteByte('\n')
	}
	if author == "" {
		author = "sheaf"
	}
	who := strings.Map(func(r rune) rune {
		if r == '<' || r == '>' {
			return -1
		}
		return r
	}, line(author))
	fmt.Fprintf(w.out, "commit %s\ncommitter %s <> %d +0000\ndata %d\n%s\n", branch, who, at.Unix(), len(message), message)
	if w.from != "" && w.commits == 0 {
		fmt.Fprintf(w.out, "from %s\n", w.from)
	}
	for i, e := range entries {
		switch {
		case e.Hash == "":
			fmt.Fprintf(w.out, "D %s\n", quotePath(e.Path))
		case marks[i] > 0:
			fmt.Fprintf(w.out, "M 100644 :%d %s\n", marks[i], quotePath(e.Path))
		}
	}
	w.out.WriteByte('\n')
	w.commits++
	return nil
}

func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}

// receive takes a push. git runs our own program as its hook while the new
// objects are still apart; the hook asks here, over two pipes it has inherited.
func (t *Transfer) receive(ctx context.Context, s Session, r repository, env []string) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	hooks := filepath.Join(t.dir, "hook")
	if err := os.MkdirAll(hooks, 0o700); err != nil {
		return 1, err
	}
	link := filepath.Join(hooks, hookName)
	if to, err := os.Readlink(link); err != nil || to != self {
		_ = os.Remove(link)
		if err := os.Symlink(self, link); err != nil {
			return 1, err
		}
	}
	askR, askW, err := os.Pipe()
	if err != nil {
		return 1, err
	}
	defer askR.Close()
	tellR, tellW, err := os.Pipe()
	if err != nil {
		return 1, errors.Join(err, askW.Close())
	}
	defer tellW.Close()
	answered := make(chan struct{})
	var machine error
	go func() {
		defer close(answered)
		defer t.contain(&machine)
		machine = t.answerHook(ctx, s, r, askR, tellW)
		tellW.Close()
	}()
	p := program{name: "git", args: append(settings(), "-c", "core.hooksPath="+hooks, "receive-pack", "."), dir: r.dir,
		env: append(append(gitEnv(), hookMark), env...), in: s.In, out: s.Out, err: &lines{s: s}, files: []*os.File{askW, tellR}}
	status, err := p.run(ctx)
	askW.Close()
	tellR.Close()
	<-answered
	return status, errors.Join(err, machine)
}

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

func (t *Transfer) answerHook(ctx context.Context, s Session, r repository, ask io.Reader, tell io.Writer) error {
	var q question
	if err := json.NewDecoder(ask).Decode(&q); err != nil {
		return nil // nothing was pushed, or git has refused it itself
	}
	a, err := t.judge(ctx, s, r, q)
	if err != nil {
		a = answer{Lines: []string{"sheaf: internal error; nothing was changed"}}
	}
	return errors.Join(err, json.NewEncoder(tell).Encode(a))
}

func no(lines ...string) answer { return answer{Lines: lines} }

// judge makes a change of what is pushed. It is accepted when the blog has made
// it.
func (t *Transfer) judge(ctx context.Context, s Session, r repository, q question) (answer, error) {
	if len(q.Updates) != 1 {
		return no("error: push one branch: main"), nil
	}
	parts := strings.Fields(q.Updates[0])
	if len(parts) != 3 || parts[2] != branch {
		return no("error: this blog has one branch: main"), nil
	}
	n, ok := r.note()
	if zero := strings.Repeat("0", len(parts[0])); !ok || parts[0] != n.Commit && !(n.Commit == "" && parts[0] == zero) {
		return no("error: the blog has changed meanwhile: pull, then push again"), nil
	}
	git := func(args ...string) program {
		p := r.git(args...)
		p.env = append(p.env, q.Env...)
		return p
	}
	change, refused, err := pushed(ctx, s, git, n, parts[1])
	switch {
	case err != nil:
		return answer{}, err
	case len(refused) > 0:
		return no(refused...), nil
	}
	a := answer{Accept: true}
	if len(change.Entries) == 0 {
		return a, r.setNote(note{n.Rev, parts[1]})
	}
	receipt, err := s.Visitor.Commit(ctx, change)
	var not *blog.Refusal
	switch {
	case errors.As(err, &not):
		for _, l := range not.Lines() {
			a.Lines = append(a.Lines, "error: "+l)
		}
		a.Accept = false
		return a, nil
	case err != nil:
		return answer{}, err
	}
	a.Lines = receipt.Lines(s.Host)
	return a, r.setNote(note{receipt.Rev, parts[1]})
}

// pushed reads the difference that a push makes, out of the objects that are
// still apart.
func pushed(ctx context.Context, s Session, git func(...string) program, n note, to string) (change blog.Change, refused []string, err error) {
	change.Base = n.Rev
	change.Meta = map[string]string{"git.commit": to}
	if out, err := git("log", "-1", "--format=%at%n%B", to).output(ctx); err == nil {
		secs, message, _ := strings.Cut(string(out), "\n")
		if sec, err := strconv.ParseInt(secs, 10, 64); err == nil && sec > 0 && sec < time.Now().Unix() {
			change.Time = time.Unix(sec, 0)
		}
		change.Message = strings.TrimSpace(message)[:min(len(strings.TrimSpace(message)), 2000)]
	}
	from := n.Commit
	if from == "" {
		from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // the empty tree
	}
	raw, err := git("diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", from, to).output(ctx)
	if err != nil {
		return change, nil, err
	}
	fields := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
	var blobs bytes.Buffer
	var names []string
	for i := 0; i+1 < len(fields); i += 2 {
		meta, name := strings.Fields(fields[i]), fields[i+1]
		if len(meta) != 5 || blog.Scratch(name) {
			continue // what is hidden stays in the repository and is no part of the blog
		}
		switch mode := meta[1]; {
		case meta[4] == "D":
			change.Entries = append(change.Entries, blog.Entry{Path: name})
			continue
		case mode != "100644" && mode != "100755":
			refused = append(refused, "error: "+name+": is a link or a repository of its own, which a blog has none of")
			continue
		}
		blobs.WriteString(meta[3] + "\n")
		names = append(names, name)
	}
	if len(names) == 0 || len(refused) > 0 {
		return change, refused, nil
	}
	// What is too big is found out before any of it is read.
	p := git("cat-file", "--batch-check=%(objectsize)")
	p.in = bytes.NewReader(blobs.Bytes())
	sizes, err := p.output(ctx)
	if err != nil {
		return change, nil, err
	}
	for i, size := range strings.Fields(string(sizes)) {
		if k, err := strconv.ParseInt(size, 10, 64); i < len(names) && (err != nil || k > s.Visitor.MaxFile(names[i])) {
			refused = append(refused, fmt.Sprintf("error: %s: is too big: at most %d KB", names[i], s.Visitor.MaxFile(names[i])>>10))
		}
	}
	if len(refused) > 0 {
		return change, refused, nil
	}
	pr, pw := io.Pipe()
	p = git("cat-file", "--batch")
	p.in, p.out, p.err = bytes.NewReader(blobs.Bytes()), pw, io.Discard
	done := make(chan error, 1)
	go func() {
		_, err := p.run(ctx)
		pw.CloseWithError(errors.Join(err, io.EOF))
		done <- err
	}()
	defer func() {
		pr.Close()
		err = errors.Join(err, <-done)
	}()
	in := bufio.NewReaderSize(pr, 64<<10)
	now := time.Now()
	for _, name := range names {
		head, err := in.ReadString('\n')
		if err != nil {
			return change, nil, err
		}
		parts := strings.Fields(head)
		if len(parts) != 3 {
			return change, nil, fmt.Errorf("git: no object for %s", line(name))
		}
		size, err := strconv.Atoi(parts[2])
		if err != nil {
			return change, nil, err
		}
		b := make([]byte, size+1) // with a line end
		if _, err := io.ReadFull(in, b); err != nil {
			return change, nil, err
		}
		hash, err := s.Visitor.Put(ctx, b[:size])
		if err != nil {
			return change, nil, err
		}
		change.Entries = append(change.Entries, blog.Entry{Path: name, Hash: hash, Size: int64(size), MTime: now})
	}
	// A path that goes where no file was kept (it was empty, or too big once)
	// is nothing to the blog.
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return change, nil, err
	}
	change.Entries = slices.DeleteFunc(change.Entries, func(e blog.Entry) bool {
		info, err := files.Stat(e.Path)
		return e.Hash == "" && (err != nil || info.Path != e.Path)
	})
	return change, nil, nil
}
