package transfer

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// updateView brings a view to the newest revision: that of the authors if v is
// one, otherwise that of the readers. It is done once for all who ask for the
// same revision, and goes on when their sessions end.
func (t *Transfer) updateView(ctx context.Context, v blog.Visitor) error {
	files, err := v.Files(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	u := t.updates[files]
	if u == nil {
		u = &update{done: make(chan struct{})}
		t.updates[files] = u
		t.running.Go(func() {
			defer close(u.done)
			ctx, cancel := context.WithTimeout(t.ctx, maxUpdate)
			defer cancel()
			u.err = t.makeView(ctx, v, files)
			t.mu.Lock()
			defer t.mu.Unlock()
			delete(t.updates, files)
		})
	}
	t.mu.Unlock()
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxUpdate is how long a view may take to be made.
const maxUpdate = 15 * time.Minute

// An update of a view is under way until done is closed.
type update struct {
	done chan struct{}
	err  error
}

// makeView brings a view to the revision of files, which are v's.
func (t *Transfer) makeView(ctx context.Context, v blog.Visitor, files *blog.Files) (err error) {
	t.viewMu.Lock()
	defer t.viewMu.Unlock()
	defer t.contain(&err)
	author, ok := v.Author()
	if !ok {
		return t.makePublic(ctx, v, files)
	}
	r := t.authorsView()
	old, valid, err := r.open(ctx)
	if err != nil {
		return err
	}
	next, write, err := r.planHistory(ctx, author, files, old, valid)
	if err != nil {
		return err
	}
	return t.write(ctx, r, old, valid, next, write)
}

// write brings a view from one state to the next.
func (t *Transfer) write(
	ctx context.Context, r repository, old viewState, valid bool, next viewState, write writeFunc,
) (err error) {
	next.Commit = old.Commit
	if write == nil {
		if valid && next.Rev == old.Rev {
			return nil
		}
		return r.saveState(next)
	}
	if err := t.fastImport(ctx, r, old.Commit, write); err != nil {
		return err
	}
	if next.Commit, err = r.head(ctx); err != nil {
		return err
	}
	if !valid {
		if next.Commit, err = r.undoEmpty(ctx, old.Commit, next.Commit); err != nil {
			return err
		}
	}
	if err := r.saveState(next); err != nil {
		return err
	}
	t.collectGarbage(ctx, r)
	return nil
}

// A writeFunc writes the commits that a view lacks.
type writeFunc func(*importer) error

// planHistory plans the update of the authors' view: a commit for each of the
// blog's, or one for all if the view is not known to be at one of the blog's
// revisions. It returns the state of the view afterwards, but for the Commit,
// and what has to be written; nil is nothing.
func (r repository) planHistory(ctx context.Context, a blog.Author, files *blog.Files, old viewState, valid bool) (
	viewState, writeFunc, error,
) {
	next := viewState{Rev: files.Rev(), ID: revisionID(a, files.Rev())}
	commits, known, err := r.newCommits(ctx, a, old, files.Rev())
	switch {
	case err != nil:
		return next, nil, err
	case !valid, !known:
		write, err := r.snapshot(ctx, old.Commit, files, "The blog as it stands")
		return next, write, err
	case len(commits) == 0:
		return next, nil, nil
	}
	return next, func(w *importer) error {
		for _, c := range commits {
			if err := w.commit(c, a.Get); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// newCommits returns the blog's commits from the view's revision to another,
// without those of pushes that are in the view already. known is false if the
// view's revision is not one of the blog's.
func (r repository) newCommits(ctx context.Context, a blog.Author, st viewState, to blog.Rev) (
	commits []blog.Commit, known bool, err error,
) {
	if st.Rev > to || st.Rev > 0 && revisionID(a, st.Rev) != st.ID {
		return nil, false, nil
	}
	for c := range a.Commits(st.Rev) {
		if c.Rev > to {
			break
		}
		if pushed := c.Meta["git.commit"]; pushed != "" && st.Commit != "" {
			inView, err := r.isAncestor(ctx, pushed, st.Commit)
			if err != nil {
				return nil, false, err
			}
			if inView {
				continue
			}
		}
		commits = append(commits, c)
	}
	return commits, true, nil
}

// revisionID returns the ID of a revision, "" if the blog does not have it.
func revisionID(a blog.Author, rev blog.Rev) string {
	if rev > 0 {
		for c := range a.Commits(rev - 1) {
			return c.ID
		}
	}
	return ""
}

// snapshot plans one commit that gives the view the blog's files, whatever its
// parent has. Hidden files, in which the blog has no part, stay.
func (r repository) snapshot(ctx context.Context, parent string, files *blog.Files, message string) (
	writeFunc, error,
) {
	c := blog.Commit{Message: message}
	if parent != "" {
		out, err := r.git("ls-tree", "-r", "-z", "--name-only", parent).output(ctx)
		if err != nil {
			return nil, err
		}
		for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
			if name != "" && !blog.Scratch(name) {
				c.Entries = append(c.Entries, blog.Entry{Path: name})
			}
		}
	}
	for info := range files.All() {
		c.Entries = append(c.Entries, blog.Entry{Path: info.Path, Hash: info.Hash, Size: info.Size})
		if info.MTime.After(c.Time) {
			c.Time = info.MTime
		}
	}
	if len(c.Entries) == 0 {
		return nil, nil
	}
	return func(w *importer) error { return w.commit(c, readBy(files)) }, nil
}

// undoEmpty takes a snapshot's commit out of the view again if it has changed
// nothing: mostly, only the record of the view's state was lost. It returns the
// head of the branch.
func (r repository) undoEmpty(ctx context.Context, before, after string) (head string, err error) {
	same, err := r.sameTree(ctx, before, after)
	if err != nil || !same {
		return after, err
	}
	_, err = r.git("update-ref", branch, before, after).output(ctx)
	return before, err
}

// A getFunc returns the contents with a hash, or fs.ErrNotExist.
type getFunc func(ctx context.Context, hash string) ([]byte, error)

// readBy reads the contents of files by their hashes.
func readBy(files *blog.Files) getFunc {
	return func(ctx context.Context, hash string) ([]byte, error) {
		return files.Read(ctx, blog.FileInfo{Hash: hash})
	}
}

// fastImport adds the commits that write writes to the view, after parent: all
// of them, or none if there is an error.
func (t *Transfer) fastImport(ctx context.Context, r repository, parent string, write writeFunc) error {
	pr, pw := io.Pipe()
	w := &importer{
		ctx:    ctx,
		out:    bufio.NewWriterSize(pw, 64<<10),
		parent: parent,
		marks:  map[string]int{},
	}
	var writeErr error
	var done sync.WaitGroup
	done.Go(func() {
		defer func() { pw.CloseWithError(writeErr) }()
		defer t.contain(&writeErr)
		if writeErr = write(w); writeErr == nil {
			_, writeErr = w.out.WriteString("done\n")
			writeErr = errors.Join(writeErr, w.out.Flush())
		}
	})
	var settings []string
	if parent == "" {
		settings = []string{"fastimport.unpackLimit=0"} // which would write everything twice
	}
	p := r.gitWith(settings, "fast-import", "--quiet", "--done")
	p.in = pr
	_, err := p.output(ctx)
	pr.Close()
	done.Wait()
	if errors.Is(writeErr, io.ErrClosedPipe) {
		writeErr = nil // git's own error says why
	}
	if err := errors.Join(writeErr, err); err != nil {
		return fmt.Errorf("view for git: %w", err)
	}
	return nil
}

// An importer writes the input of git fast-import. Failures to write are kept
// by out, which has to be flushed.
type importer struct {
	ctx    context.Context
	out    *bufio.Writer
	parent string         // of the first commit, "" for none
	marks  map[string]int // of the blobs that were written, by hash
}

// commit writes a commit and the blobs it needs. Old versions that the blog has
// not kept are left out; the newest is always there.
func (w *importer) commit(c blog.Commit, get getFunc) error {
	for _, e := range c.Entries {
		if e.Hash == "" || w.marks[e.Hash] != 0 {
			continue
		}
		b, err := get(w.ctx, e.Hash)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		w.marks[e.Hash] = len(w.marks) + 1
		fmt.Fprintf(w.out, "blob\nmark :%d\ndata %d\n", w.marks[e.Hash], len(b))
		w.out.Write(b)
		w.out.WriteByte('\n')
	}
	author := strings.NewReplacer("<", "", ">", "").Replace(markdown.Line(c.Author))
	author = cmp.Or(strings.TrimSpace(author), "sheaf")
	message := strings.TrimSpace(markdown.Clean(c.Message))
	if message == "" {
		message = defaultMessage(c.Entries, c.Channel)
	}
	fmt.Fprintf(w.out, "commit %s\ncommitter %s <> %d +0000\n", branch, author, max(c.Time.Unix(), 0))
	fmt.Fprintf(w.out, "data %d\n%s\n\n", len(message)+1, message)
	if w.parent != "" {
		fmt.Fprintf(w.out, "from %s\n", w.parent)
		w.parent = "" // later commits follow this one
	}
	// Files are removed first: a folder may come where a file was.
	for _, e := range c.Entries {
		if e.Hash == "" {
			fmt.Fprintf(w.out, "D %s\n", quotePath(e.Path))
		}
	}
	for _, e := range c.Entries {
		if mark := w.marks[e.Hash]; e.Hash != "" && mark > 0 {
			fmt.Fprintf(w.out, "M 100644 :%d %s\n", mark, quotePath(e.Path))
		}
	}
	return w.out.WriteByte('\n')
}

// defaultMessage is the message of a commit that has none.
func defaultMessage(entries []blog.Entry, channel string) string {
	names := make([]string, 0, 3)
	for _, e := range entries[:min(3, len(entries))] {
		names = append(names, e.Path)
	}
	text := markdown.Line(strings.Join(names, ", "))
	if n := len(entries) - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if channel != "" {
		text += "\n\nby " + channel
	}
	return text
}

// quotePath quotes a path for git fast-import.
func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}

// collectGarbage packs a view that holds many loose objects, and removes what
// pushes have left that were cut off. That it fails is only logged.
func (t *Transfer) collectGarbage(ctx context.Context, r repository) {
	old := time.Now().Add(-24 * time.Hour)
	left, _ := filepath.Glob(filepath.Join(r.dir, "objects", "*incoming-*"))
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && info.ModTime().Before(old) {
			_ = os.RemoveAll(dir)
		}
	}
	gc := r.gitWith(
		[]string{"gc.auto=2000", "gc.autoPackLimit=40", "gc.autoDetach=false"},
		"gc", "--auto", "--quiet")
	if _, err := gc.output(ctx); err != nil && ctx.Err() == nil {
		t.config.Log.Warn("view for git not packed", "err", err)
	}
}
