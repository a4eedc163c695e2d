package blog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
	"sheaf/app/store"
	"sheaf/app/textdiff"
)

// A Commit is one change as the log has it.
type Commit = store.Commit

// A Revision is one version of a post's file in the log.
type Revision struct {
	Rev     Rev
	Time    time.Time
	Author  string // "" the machine
	Channel string
	Message string
	Path    string
	Hash    string // "": removed
}

func revisionOf(c store.Commit, e Entry) Revision {
	return Revision{
		Rev: c.Rev, Time: c.Time, Author: c.Author, Channel: c.Channel, Message: c.Message, Path: e.Path, Hash: e.Hash,
	}
}

// Commits returns the commits after a revision, in order.
func (a Author) Commits(since Rev) iter.Seq[Commit] {
	return slices.Values(a.blog.lib.worktree.Ledger().Commits(since))
}

// Get returns the bytes of any version of a file. The error is fs.ErrNotExist
// for a version that is not kept any more.
func (a Author) Get(ctx context.Context, hash string) ([]byte, error) {
	return a.blog.lib.worktree.Get(ctx, hash)
}

// Log returns the history, the newest first, limit revisions at most (0: all).
// It is that of one post, by any slug or path that it has or had, also of one
// that was removed; post "" is the whole blog.
func (a Author) Log(ctx context.Context, post string, limit int) ([]Revision, error) {
	var all []Revision
	if post != "" {
		var err error
		if all, err = a.trail(ctx, post); err != nil {
			return nil, err
		}
	} else {
		for _, c := range slices.Backward(a.blog.lib.worktree.Ledger().Commits(0)) {
			for _, e := range c.Entries {
				all = append(all, revisionOf(c, e))
			}
			if limit > 0 && len(all) >= limit {
				break
			}
		}
	}
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all, nil
}

// trail returns the revisions of one post, the newest first. Before a renaming
// they are those of the path that the post had then.
func (a Author) trail(ctx context.Context, post string) ([]Revision, error) {
	l := a.blog.lib.worktree.Ledger()
	at, err := a.lastPath(ctx, l, post)
	if err != nil {
		return nil, err
	}
	var all []Revision
	for _, c := range slices.Backward(l.Commits(0)) {
		i := slices.IndexFunc(c.Entries, func(e Entry) bool { return e.Path == at })
		if i < 0 {
			continue
		}
		all = append(all, revisionOf(c, c.Entries[i]))
		for _, key := range slices.Sorted(maps.Keys(c.Meta)) {
			if from, ok := strings.CutPrefix(key, movedKey+pathPrefix); ok && c.Meta[key] == at {
				at = from
				break
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("post %q: %w", post, fs.ErrNotExist)
	}
	return all, nil
}

// lastPath returns the path that a post has, or had last. A removed post is
// found by its path, by the slug in its path, and by the slug that its front
// matter gave it.
func (a Author) lastPath(ctx context.Context, l *store.Ledger, post string) (string, error) {
	clean := strings.Trim(post, "/")
	if _, there := l.Entry(clean); there {
		return clean, nil
	}
	if p, err := a.Edition().Post(post); err == nil {
		return p.Path, nil
	}
	// It was removed. The name tells, or what its front matter said.
	commits := l.Commits(0)
	gone := map[string]string{} // the last hash of every post that is not there
	var order []string          // the last to go first
	for i, c := range slices.Backward(commits) {
		for _, e := range c.Entries {
			if e.Path == clean || IsMarkdown(e.Path) && addressKey(nameSlug(e.Path)) == addressKey(clean) {
				return followed(commits[i:], e.Path), nil
			}
			if _, there := l.Entry(e.Path); there || !IsMarkdown(e.Path) {
				continue
			}
			if _, known := gone[e.Path]; !known {
				order = append(order, e.Path)
			}
			if gone[e.Path] == "" {
				gone[e.Path] = e.Hash
			}
		}
	}
	const most = 1000
	listing := a.blog.current.Load().listing
	for _, name := range order[:min(len(order), most)] {
		at, ok := listing.locate(name)
		if src, err := a.blog.lib.worktree.Get(ctx, gone[name]); ok && err == nil {
			if addressKey(newEntry(at, src, a.blog.lib, markdown.Auto).slug()) == addressKey(clean) {
				return name, nil
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("post %q: %w", post, fs.ErrNotExist)
}

// followed returns the path that a file at a path has after some commits, which
// may have renamed it.
func followed(commits []store.Commit, at string) string {
	for _, c := range commits {
		if to, ok := c.Meta[movedKey+pathPrefix+at]; ok {
			at = to
		}
	}
	return at
}

// nameSlug is the slug that follows from a path alone.
func nameSlug(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	if stem == "index" {
		stem = path.Base(path.Dir(name))
	}
	if _, rest, ok := frontmatter.NameDate(stem, time.UTC); ok {
		stem = rest
	}
	return slugOf(stem + ".md")
}

// on returns the revision of a trail that counts at a revision of the blog; ok
// is false if there was no such post then.
func (a Author) on(trail []Revision, rev Rev) (r Revision, ok bool, err error) {
	if head := a.blog.lib.worktree.Ledger().Rev(); rev > head {
		return r, false, fmt.Errorf("revision %d: %w", rev, fs.ErrNotExist)
	}
	for _, r := range trail {
		if rev == 0 || r.Rev <= rev {
			return r, r.Hash != "", nil
		}
	}
	return r, false, nil
}

// source returns the bytes of a revision.
func (a Author) source(ctx context.Context, r Revision) ([]byte, error) {
	src, err := a.blog.lib.worktree.Get(ctx, r.Hash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal(r.Path, "r%d is not kept any more", r.Rev)
	}
	return src, err
}

// At returns a post's source as of a revision (0: the newest), and the path it
// had. The error is fs.ErrNotExist if there was no such post then, and a
// Refusal if the version is not kept any more.
func (a Author) At(ctx context.Context, post string, rev Rev) (src []byte, name string, err error) {
	trail, err := a.trail(ctx, post)
	if err != nil {
		return nil, "", err
	}
	r, ok, err := a.on(trail, rev)
	if err == nil && !ok {
		err = fmt.Errorf("post %q at revision %d: %w", post, rev, fs.ErrNotExist)
	}
	if err != nil {
		return nil, "", err
	}
	src, err = a.source(ctx, r)
	return src, r.Path, err
}

// Diff returns the unified diff of a post from a revision to now, with lines
// that are safe for a terminal. Revision 0 is the one before the last. A post
// that did not exist counts as empty.
func (a Author) Diff(ctx context.Context, post string, rev Rev) ([]textdiff.Line, error) {
	trail, err := a.trail(ctx, post)
	if err != nil {
		return nil, err
	}
	var before, now []byte
	if trail[0].Hash != "" {
		if now, err = a.source(ctx, trail[0]); err != nil {
			return nil, err
		}
	}
	old, ok, err := a.on(trail, rev)
	if rev == 0 {
		if ok = len(trail) > 1 && trail[1].Hash != ""; ok {
			old = trail[1]
		}
	}
	if err == nil && ok {
		before, err = a.source(ctx, old)
	}
	if err != nil {
		return nil, err
	}
	lines := textdiff.Unified(before, now)
	for i := range lines {
		lines[i].Text = markdown.Clean(lines[i].Text)
	}
	return lines, nil
}

// Restore brings a post back to what it was at a revision, at the path that it
// has or had last. One that was removed with its folder comes back with it.
func (a Author) Restore(ctx context.Context, post string, rev Rev) (Receipt, error) {
	if err := a.blog.awaitImport(ctx); err != nil {
		return Receipt{}, err
	}
	l := a.blog.lib.worktree.Ledger()
	trail, err := a.trail(ctx, post)
	if err != nil {
		return Receipt{}, err
	}
	r, ok, err := a.on(trail, rev)
	if err == nil && !ok {
		err = fmt.Errorf("post %q at revision %d: %w", post, rev, fs.ErrNotExist)
	}
	if err != nil {
		return Receipt{}, err
	}
	if _, err := a.source(ctx, r); err != nil {
		return Receipt{}, err
	}
	was, last := l.At(r.Rev)[r.Path], trail[0]
	was.Path = last.Path
	c := Change{Base: l.Rev(), Message: fmt.Sprintf("restore %s of r%d", nameSlug(last.Path), r.Rev)}
	if last.Hash != "" {
		was.MTime = time.Time{} // it changes now
	} else if dir := path.Dir(last.Path) + "/"; strings.HasPrefix(path.Base(last.Path), "index.") && dir != "./" {
		removal, _ := l.Commit(last.Rev)
		before := l.At(last.Rev - 1)
		for _, e := range removal.Entries {
			_, there := l.Entry(e.Path)
			if e.Hash == "" && e.Path != last.Path && strings.HasPrefix(e.Path, dir) && !there {
				c.Entries = append(c.Entries, before[e.Path])
			}
		}
	}
	c.Entries = append(c.Entries, was)
	return a.Commit(ctx, c)
}

// Undo takes back one commit. If any of its files has been changed since, the
// error is a Refusal that says by whom.
func (a Author) Undo(ctx context.Context, rev Rev) (Receipt, error) {
	if err := a.blog.awaitImport(ctx); err != nil {
		return Receipt{}, err
	}
	l := a.blog.lib.worktree.Ledger()
	c, ok := l.Commit(rev)
	if !ok {
		return Receipt{}, fmt.Errorf("revision %d: %w", rev, fs.ErrNotExist)
	}
	before := l.At(rev - 1)
	later := map[string]store.Commit{}
	for _, c := range l.Commits(rev) {
		for _, e := range c.Entries {
			later[e.Path] = c
		}
	}
	undo := Change{Base: l.Rev(), Message: fmt.Sprintf("undo r%d", rev)}
	no := &Refusal{Conflict: true}
	for _, e := range c.Entries {
		was := before[e.Path]
		was.Path = e.Path
		if now, _ := l.Entry(e.Path); now.Hash != e.Hash {
			by := later[e.Path]
			why := fmt.Sprintf("has been changed since, by %s in r%d", whoMade(by), by.Rev)
			no.Problems = append(no.Problems, Problem{Path: e.Path, Text: why})
		} else if was.Hash != "" {
			if _, err := a.source(ctx, Revision{Rev: rev - 1, Path: e.Path, Hash: was.Hash}); err != nil {
				return Receipt{}, err
			}
		}
		if was.Hash != "" || e.Hash != "" {
			undo.Entries = append(undo.Entries, was)
		}
	}
	if len(no.Problems) > 0 {
		return Receipt{}, no
	}
	return a.Commit(ctx, undo)
}
