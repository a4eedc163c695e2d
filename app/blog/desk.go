package blog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Revision is one version of a post's file in the log.
type Revision struct {
	Rev     Rev
	Time    time.Time
	Author  string // "" the machine
	Door    string
	Message string
	Path    string
	Hash    string // "": removed
}

// refusal is a Refusal of one reason.
func refusal(path, format string, args ...any) error {
	return &Refusal{Problems: []Problem{{Path: path, Text: fmt.Sprintf(format, args...)}}}
}

// edit commits what change makes of a post's source.
func (v Visitor) edit(ctx context.Context, slug, message string, change func(p *Post, src []byte) ([]byte, error)) (Receipt, error) {
	p, src, base, err := v.fetch(slug)
	if err != nil {
		return Receipt{}, err
	}
	out, err := change(p, src)
	if err != nil {
		var no *Refusal
		if !errors.As(err, &no) {
			err = refusal(p.Path, "%v", err)
		}
		return Receipt{}, err
	}
	return v.replace(ctx, base, message, p.Path, p.Path, out)
}

// fetch gives a post, its source, and the revision they are of.
func (v Visitor) fetch(slug string) (*Post, []byte, Rev, error) {
	if !v.author {
		return nil, nil, 0, ErrNotAuthor
	}
	base := v.blog.lib.folder.Ledger().Rev()
	p, err := v.Edition().Post(slug)
	if err != nil {
		return nil, nil, 0, err
	}
	src, err := p.Source()
	return p, src, base, err
}

// replace commits a source at a path, and takes it away from where it was.
func (v Visitor) replace(ctx context.Context, base Rev, message, from, to string, src []byte) (Receipt, error) {
	hash, err := v.Put(ctx, src)
	if err != nil {
		return Receipt{}, err
	}
	entries := []Entry{{Path: to, Hash: hash, Size: int64(len(src))}}
	if from != to {
		entries = append(entries, Entry{Path: from})
	}
	return v.Commit(ctx, Change{Base: base, Entries: entries, Message: message})
}

// options are how a post's source is read.
func (p *Post) options() markdown.Options { return p.entry.section.options(p.Path, p.entry.dialect) }

// Publish shows a draft, or a scheduled post, to readers now: it changes the
// field that keeps it from them and nothing else. A file in _drafts moves to
// _posts under today's date.
func (v Visitor) Publish(ctx context.Context, slug string) (Receipt, error) {
	p, src, base, err := v.fetch(slug)
	if err != nil {
		return Receipt{}, err
	}
	now := v.blog.lib.now()
	to := p.Path
	switch p.State {
	case Published, Page:
		return Receipt{Rev: base, Files: []Filed{{Path: p.Path, Post: p}}}, nil
	case Scheduled:
		src, err = SetField(src, p.options(), "date", now.In(p.entry.section.location()).Truncate(time.Second))
	case Draft:
		if dir := path.Dir(p.Path); path.Base(dir) == "_drafts" {
			to = path.Join(path.Dir(dir), "_posts", now.In(p.entry.section.location()).Format("2006-01-02-")+path.Base(p.Path))
		}
		if to == p.Path || draftField(src, p) {
			src, err = SetField(src, p.options(), "draft", false)
		}
	default:
		err = fmt.Errorf("is %s; that has to change in the file", p.State)
	}
	if err != nil {
		return Receipt{}, refusal(p.Path, "%v", err)
	}
	return v.replace(ctx, base, "publish "+p.Slug, p.Path, to, src)
}

func draftField(src []byte, p *Post) bool {
	_, list, err := readFront(src, p.options())
	return err == nil && isDraft(list)
}

// Unpublish makes a draft of a post.
func (v Visitor) Unpublish(ctx context.Context, slug string) (Receipt, error) {
	return v.edit(ctx, slug, "unpublish "+slug, func(p *Post, src []byte) ([]byte, error) {
		return SetField(src, p.options(), "draft", true)
	})
}

// Schedule gives a post a date; if that is to come, readers see it from then
// on. A draft is one no longer.
func (v Visitor) Schedule(ctx context.Context, slug string, at time.Time) (Receipt, error) {
	return v.edit(ctx, slug, "schedule "+slug, func(p *Post, src []byte) ([]byte, error) {
		out, err := SetField(src, p.options(), "date", at.In(p.entry.section.location()))
		if err == nil && draftField(out, p) {
			out, err = SetField(out, p.options(), "draft", false)
		}
		if err != nil {
			return nil, err
		}
		if e := newEntry(p.entry.file, out, p.entry.lib, p.entry.dialect); e.due.IsZero() || e.due.Sub(at).Abs() >= 24*time.Hour {
			return nil, errors.New("another field of it says when it is shown; that has to change in the file")
		}
		return out, nil
	})
}

// Remove removes a post's file. Restore brings it back.
func (v Visitor) Remove(ctx context.Context, slug string) (Receipt, error) {
	p, _, base, err := v.fetch(slug)
	if err != nil {
		return Receipt{}, err
	}
	return v.Commit(ctx, Change{Base: base, Entries: []Entry{{Path: p.Path}}, Message: "remove " + p.Slug})
}

// Rename gives a post another slug. The field is changed if the post has one,
// else the file is renamed, or the folder of an index file with all that is in
// it. The old address goes on leading to the post.
func (v Visitor) Rename(ctx context.Context, slug, to string) (Receipt, error) {
	p, src, base, err := v.fetch(slug)
	if err != nil {
		return Receipt{}, err
	}
	to = strings.TrimSuffix(to, ".md")
	if a := addressOf(to); strings.Contains(to, "/") || len(a) != 1 || a[0] != to {
		return Receipt{}, refusal(p.Path, "%q cannot be a slug: letters, digits and dashes can", to)
	}
	if other, err := v.Edition().Post(to); err == nil && other.Path != p.Path && strings.EqualFold(other.Slug, to) {
		return Receipt{}, refusal(p.Path, "slug %q is already that of %s", to, other.Path)
	}
	message := "rename " + p.Slug + " to " + to
	if p.entry.explicit {
		if src, err = SetField(src, p.options(), "slug", to); err != nil {
			return Receipt{}, refusal(p.Path, "%v", err)
		}
		return v.replace(ctx, base, message, p.Path, p.Path, src)
	}
	old := path.Base(p.Path)
	dir := path.Dir(p.Path)
	if p.entry.indexFile() && dir != "." {
		return v.renameFolder(ctx, base, message, dir, path.Join(path.Dir(dir), keepDate(path.Base(dir), to)))
	}
	stem, ext := strings.TrimSuffix(old, path.Ext(old)), path.Ext(old)
	return v.replace(ctx, base, message, p.Path, path.Join(dir, keepDate(stem, to)+ext), src)
}

// keepDate is a new name behind the date that the old one begins with.
func keepDate(old, to string) string {
	if _, rest, ok := nameDate(old, time.UTC); ok {
		return strings.TrimSuffix(old, rest) + to
	}
	return to
}

func (v Visitor) renameFolder(ctx context.Context, base Rev, message, from, to string) (Receipt, error) {
	var entries []Entry
	for _, e := range v.blog.lib.folder.Ledger().Entries() {
		if rest, ok := strings.CutPrefix(e.Path, from+"/"); ok {
			entries = append(entries, Entry{Path: e.Path}, Entry{Path: to + "/" + rest, Hash: e.Hash, Size: e.Size, MTime: e.MTime})
		}
	}
	return v.Commit(ctx, Change{Base: base, Entries: entries, Message: message})
}

// PathOf says where a post with this source goes: to the post with its slug, if
// there is one, else into the folder that most posts are in, named after its
// slug or title.
func (v Visitor) PathOf(src []byte) (name string, err error) {
	if !v.author {
		return "", ErrNotAuthor
	}
	err = v.blog.do(context.Background(), func(s *shelf) {
		dirs := map[string]int{}
		dir := "posts"
		if s.listing.nearest(".").kind == markdown.Jekyll {
			dir = "_posts"
		}
		for e, p := range s.posts {
			if p.State == Page || e.indexFile() {
				continue
			}
			d := path.Dir(e.path)
			if dirs[d]++; dirs[d] > dirs[dir] || dirs[d] == dirs[dir] && d < dir {
				dir = d
			}
		}
		at := file{path: path.Join(dir, "post.md"), section: s.listing.nearest(dir)}
		e := newEntry(at, src, s.lib, markdown.Auto)
		slug := e.address[len(e.address)-1]
		if !e.explicit {
			if !e.titled {
				return
			}
			slug = slugFor(e.title)
		}
		for _, p := range s.posts {
			if strings.EqualFold(p.Slug, slug) {
				name = p.Path
				return
			}
		}
		if path.Base(dir) == "_posts" {
			day := e.date
			if !e.hasDate {
				day = s.lib.now()
			}
			slug = day.In(at.section.location()).Format("2006-01-02-") + slug
		}
		name = path.Join(dir, slug+".md")
	})
	if err == nil && name == "" {
		err = refusal("post", "has neither a title nor a slug: say where it goes, as in publish posts/name.md")
	}
	return name, err
}

// slugFor makes a slug of a title: its letters and digits, in lower case.
func slugFor(title string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	}) {
		if w = strings.NewReplacer("'", "", "’", "").Replace(w); w != "" {
			words = append(words, w)
		}
	}
	slug := strings.Join(words, "-")
	for len(slug) > 80 {
		i := strings.LastIndexByte(slug[:80], '-')
		if i <= 0 {
			return strings.ToValidUTF8(slug[:80], "")
		}
		slug = slug[:i]
	}
	if slug == "" {
		return "post"
	}
	return slug
}

// trace gives the paths a post has had, by any address or path of it, and also
// of one that was removed.
func (v Visitor) trace(post string) (map[string]bool, error) {
	if !v.author {
		return nil, ErrNotAuthor
	}
	l := v.blog.lib.folder.Ledger()
	now := ""
	if p, err := v.Edition().Post(post); err == nil {
		now = p.Path
	}
	commits := l.Commits(0)
	for i := len(commits) - 1; i >= 0 && now == ""; i-- {
		for _, e := range commits[i].Entries {
			clean := strings.Trim(post, "/")
			if e.Path == clean || isMarkdown(e.Path) && addressKey(v.slugAt(e.Path)) == addressKey(clean) {
				now = e.Path
				break
			}
		}
	}
	if now == "" {
		return nil, fmt.Errorf("post %q: %w", post, fs.ErrNotExist)
	}
	paths := map[string]bool{now: true}
	for _, c := range slices.Backward(commits) {
		for key, to := range c.Meta {
			if from, ok := strings.CutPrefix(key, movedKey+pathPrefix); ok && paths[to] {
				paths[from] = true
			}
		}
	}
	return paths, nil
}

// slugAt is the slug that a path alone gives.
func (v Visitor) slugAt(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	if stem == "index" {
		stem = path.Base(path.Dir(name))
	}
	if _, rest, ok := nameDate(stem, time.UTC); ok {
		stem = rest
	}
	return slugOf(stem + ".md")
}

// Log is the history, newest first, at most limit revisions (0: all): of one
// post, by any slug or path it has or had, removed ones too, or with "" of the
// blog.
func (v Visitor) Log(_ context.Context, post string, limit int) ([]Revision, error) {
	if !v.author {
		return nil, ErrNotAuthor
	}
	var paths map[string]bool
	if post != "" {
		var err error
		if paths, err = v.trace(post); err != nil {
			return nil, err
		}
	}
	var all []Revision
	for _, c := range slices.Backward(v.blog.lib.folder.Ledger().Commits(0)) {
		for _, e := range c.Entries {
			if paths != nil && !paths[e.Path] {
				continue
			}
			if all = append(all, revisionOf(c, e)); len(all) == limit {
				return all, nil
			}
		}
	}
	return all, nil
}

func revisionOf(c store.Commit, e Entry) Revision {
	return Revision{c.Rev, c.Time, c.Author, c.Door, c.Message, e.Path, e.Hash}
}

// At gives a post's source as of a revision, and the path it had; 0 is the
// newest. fs.ErrNotExist if there was none, or if it is not kept any more.
func (v Visitor) At(ctx context.Context, post string, rev Rev) (src []byte, name string, err error) {
	all, err := v.Log(ctx, post, 0)
	if err != nil {
		return nil, "", err
	}
	if rev > v.blog.lib.folder.Ledger().Rev() {
		return nil, "", fmt.Errorf("revision %d: %w", rev, fs.ErrNotExist)
	}
	for _, r := range all {
		if rev != 0 && r.Rev > rev {
			continue
		}
		if r.Hash == "" {
			// One half of a renaming, perhaps.
			if i := slices.IndexFunc(all, func(o Revision) bool { return o.Rev == r.Rev && o.Hash != "" }); i >= 0 {
				r = all[i]
			} else {
				break
			}
		}
		src, err := v.blog.lib.folder.Get(ctx, r.Hash)
		return src, r.Path, err
	}
	return nil, "", fmt.Errorf("post %q: %w", post, fs.ErrNotExist)
}

// Diff is the unified diff of a post from a revision to the present; 0 is the
// revision before the last.
func (v Visitor) Diff(ctx context.Context, post string, rev Rev) ([]DiffLine, error) {
	all, err := v.Log(ctx, post, 0)
	if err != nil {
		return nil, err
	}
	now, _, err := v.At(ctx, post, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var before []byte
	if rev == 0 && len(all) > 1 {
		if rev = all[0].Rev - 1; rev == 0 {
			return unified(nil, now), nil
		}
	} else if rev == 0 {
		return unified(nil, now), nil
	}
	before, _, err = v.At(ctx, post, rev)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || rev > all[0].Rev) {
		return nil, err
	}
	return unified(before, now), nil
}

// Restore brings a post back to what it was at a revision, also one that was
// removed.
func (v Visitor) Restore(ctx context.Context, post string, rev Rev) (Receipt, error) {
	src, was, err := v.At(ctx, post, rev)
	if err != nil {
		return Receipt{}, err
	}
	to := was
	base := v.blog.lib.folder.Ledger().Rev()
	if p, err := v.Edition().Post(post); err == nil {
		to = p.Path
	}
	return v.replace(ctx, base, fmt.Sprintf("restore %s from r%d", post, rev), to, to, bytes.Clone(src))
}

// Undo takes back one commit, if nothing has touched its files since.
func (v Visitor) Undo(ctx context.Context, rev Rev) (Receipt, error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	l := v.blog.lib.folder.Ledger()
	c, ok := l.Commit(rev)
	if !ok {
		return Receipt{}, fmt.Errorf("revision %d: %w", rev, fs.ErrNotExist)
	}
	before := l.At(rev - 1)
	var entries []Entry
	for _, e := range c.Entries {
		if now, _ := l.Entry(e.Path); now.Hash != e.Hash {
			return Receipt{}, &Refusal{Conflict: true, Problems: []Problem{{Path: e.Path, Text: fmt.Sprintf("has changed since r%d", rev)}}}
		}
		was := before[e.Path]
		was.Path = e.Path
		if was.Hash != "" || e.Hash != "" {
			entries = append(entries, was)
		}
	}
	return v.Commit(ctx, Change{Base: l.Rev(), Entries: entries, Message: fmt.Sprintf("undo r%d", rev)})
}
