package transfer

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

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
