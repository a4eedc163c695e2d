package blog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"sheaf/app/markdown"
	"sheaf/app/store"
	"sheaf/app/textdiff"
)

// refusal is a Refusal of one reason.
func refusal(path, format string, args ...any) error {
	return &Refusal{Problems: []Problem{{Path: path, Text: fmt.Sprintf(format, args...)}}}
}

// desk commits what work makes of a post as it stands. When somebody else has
// changed it meanwhile it is done again: nothing of theirs is written over.
func (v Visitor) desk(ctx context.Context, slug string, work func(p *Post) (Change, error)) (Receipt, error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return Receipt{}, err
	}
	for tries := 1; ; tries++ {
		base := v.blog.lib.folder.Ledger().Rev() // first: what follows is not older
		p, err := v.Edition().Post(slug)
		if err != nil {
			return Receipt{}, err
		}
		c, err := work(p)
		if err != nil {
			return Receipt{}, err
		}
		c.Base = base
		r, err := v.Commit(ctx, c)
		if !errors.Is(err, ErrConflict) || tries == 3 {
			return r, err
		}
	}
}

// edit commits what change makes of a post's source, at the path it gives.
func (v Visitor) edit(ctx context.Context, slug, verb string, change func(p *Post, src []byte) (to string, out []byte, err error)) (Receipt, error) {
	return v.desk(ctx, slug, func(p *Post) (Change, error) {
		src, err := p.Source()
		if err != nil {
			return Change{}, err
		}
		to, out, err := change(p, src)
		if err != nil {
			return Change{}, refusal(p.Path, "%v", err)
		}
		entries, err := v.moved(ctx, p.Path, to, out)
		return Change{Entries: entries, Message: verb + " " + p.Slug}, err
	})
}

// moved gives the entries of a source that goes from one path to another,
// which may be the same.
func (v Visitor) moved(ctx context.Context, from, to string, src []byte) ([]Entry, error) {
	hash, err := v.Put(ctx, src)
	entries := []Entry{{Path: to, Hash: hash, Size: int64(len(src))}}
	if from != to {
		if _, there := v.blog.lib.folder.Ledger().Entry(to); there {
			return nil, refusal(from, "%s is there already", to)
		}
		entries = append(entries, Entry{Path: from})
	}
	return entries, err
}

// options are how a post's source is read.
func (p *Post) options() markdown.Options { return p.entry.section.options(p.Path, p.entry.dialect) }

// as gives what the blog would make of another source at another path.
func (p *Post) as(to string, src []byte) *entry {
	f := p.entry.file
	f.path = to
	return newEntry(f, src, p.entry.lib, p.entry.dialect)
}

// shown gives a draft's source without what makes it one, and the path it has
// then: what is in _drafts goes to _posts, under its date.
func (p *Post) shown(src []byte, day time.Time) (to string, out []byte, err error) {
	out, err = setDraft(src, p.options(), p.entry.section.defaults, false)
	parts := strings.Split(p.Path, "/")
	i := slices.IndexFunc(parts, func(dir string) bool { return strings.EqualFold(dir, "_drafts") })
	if i < 0 || i == len(parts)-1 {
		return p.Path, out, err
	}
	parts[i] = "_posts"
	if last := len(parts) - 1; !p.entry.indexFile() {
		if _, _, dated := nameDate(strings.TrimSuffix(parts[last], path.Ext(parts[last])), time.UTC); !dated {
			parts[last] = day.In(p.entry.section.location()).Format("2006-01-02-") + parts[last]
		}
	}
	return strings.Join(parts, "/"), out, err
}

// setDue gives the source with another moment from which readers see the post.
func (p *Post) setDue(src []byte, at time.Time) ([]byte, error) {
	_, own, err := readFront(src, p.options())
	if err != nil {
		return nil, err
	}
	name := spelling(own, p.entry.section.kind, "date")
	if f, ok := own.get(dueKeys()...); ok {
		name = f.name
	}
	return splice(src, p.options(), name, at.In(p.entry.section.location()).Truncate(time.Second))
}

// Publish shows a draft, or a scheduled post, to readers now: it changes the
// field that keeps it from them and nothing else. What is in _drafts moves to
// _posts.
func (v Visitor) Publish(ctx context.Context, slug string) (Receipt, error) {
	return v.edit(ctx, slug, "publish", func(p *Post, src []byte) (string, []byte, error) {
		now := v.blog.lib.now()
		switch p.State {
		case Published, Page:
			return p.Path, src, nil
		case Expired:
			return "", nil, fmt.Errorf("has expired on %s", p.Expires.Format("2 January 2006"))
		case Broken:
			return "", nil, errors.New("cannot be read; check says why")
		}
		day := now
		if p.HasDate {
			day = p.Date
		}
		to, out, err := p.shown(src, day)
		if err == nil && p.State == Scheduled {
			out, err = p.setDue(out, now)
		}
		if err != nil {
			return "", nil, err
		}
		// A draft with a date to come is scheduled now.
		if s := p.as(to, out).state(now); !s.Visible() && (s != Scheduled || p.State == Scheduled) {
			return "", nil, fmt.Errorf("would still be %s; that has to change in the file", s)
		}
		return to, out, nil
	})
}

// Unpublish makes a draft of a post.
func (v Visitor) Unpublish(ctx context.Context, slug string) (Receipt, error) {
	return v.edit(ctx, slug, "unpublish", func(p *Post, src []byte) (string, []byte, error) {
		if p.State == Draft {
			return p.Path, src, nil
		}
		out, err := setDraft(src, p.options(), p.entry.section.defaults, true)
		return p.Path, out, err
	})
}

// Schedule has readers see a post from a moment on that is to come. A draft is
// one no longer.
func (v Visitor) Schedule(ctx context.Context, slug string, at time.Time) (Receipt, error) {
	return v.edit(ctx, slug, "schedule", func(p *Post, src []byte) (string, []byte, error) {
		at := at.In(p.entry.section.location()).Truncate(time.Second)
		now := v.blog.lib.now()
		if !at.After(now) {
			return "", nil, fmt.Errorf("%s is past", at.Format("2 January 2006 15:04"))
		}
		to, out, err := p.shown(src, at)
		if err == nil {
			out, err = p.setDue(out, at)
		}
		if err != nil {
			return "", nil, err
		}
		switch e := p.as(to, out); {
		case e.state(now) != Scheduled || !e.due.Equal(at):
			return "", nil, errors.New("something else says when it is shown; that has to change in the file")
		case !e.expires.IsZero() && !e.expires.After(at):
			return "", nil, fmt.Errorf("expires before that, on %s", e.expires.Format("2 January 2006 15:04"))
		}
		return to, out, nil
	})
}

// Remove removes a post's file; if that is an index file, the folder with all
// that is in it. Restore brings it back.
func (v Visitor) Remove(ctx context.Context, slug string) (Receipt, error) {
	return v.desk(ctx, slug, func(p *Post) (Change, error) {
		entries := []Entry{{Path: p.Path}}
		for _, e := range v.bundle(p) {
			if e.Path != p.Path {
				entries = append(entries, Entry{Path: e.Path})
			}
		}
		return Change{Entries: entries, Message: "remove " + p.Slug}, nil
	})
}

// bundle gives the files of the folder that is a post's own: that of an index
// file with no other posts in it.
func (v Visitor) bundle(p *Post) []Entry {
	dir := path.Dir(p.Path)
	e := v.Edition()
	if sec := p.entry.section; !p.entry.indexFile() || dir == sec.dirOrDot() || dir == path.Join(sec.dir, sec.base) {
		return nil
	}
	for _, o := range e.slugs {
		if o != p && strings.HasPrefix(o.Path, dir+"/") {
			return nil
		}
	}
	var list []Entry
	for _, e := range v.blog.lib.folder.Ledger().Entries() {
		if strings.HasPrefix(e.Path, dir+"/") {
			list = append(list, e)
		}
	}
	return list
}

// Rename gives a post another slug. The field is changed if the post has one,
// else the file is renamed, or the folder of an index file with all that is in
// it; a date in the name stays. Where the name does not decide, the field is
// added. The old address goes on leading to the post.
func (v Visitor) Rename(ctx context.Context, slug, to string) (Receipt, error) {
	to = strings.TrimSuffix(to, ".md")
	return v.desk(ctx, slug, func(p *Post) (Change, error) {
		if a := addressOf(to); len(a) != 1 || a[0] != to {
			return Change{}, refusal(p.Path, "%q cannot be a slug: letters, digits and dashes can", to)
		}
		if p == v.Edition().Home() {
			return Change{}, refusal(p.Path, "is the home page")
		}
		if other := v.Edition().slugs[strings.ToLower(to)]; other != nil && other != p {
			return Change{}, refusal(p.Path, "slug %q is already that of %s", to, other.Path)
		}
		c := Change{Message: "rename " + p.Slug + " to " + to}
		src, err := p.Source()
		if err != nil {
			return c, err
		}
		if name := p.renamed(to); !p.entry.explicit && name != p.Path {
			if e := p.as(name, src); e.address[len(e.address)-1] == to {
				if !p.entry.indexFile() {
					c.Entries, err = v.moved(ctx, p.Path, name, src)
					return c, err
				}
				if c.Entries, err = v.moveFolder(p, path.Dir(name)); err != nil || c.Entries != nil {
					return c, err
				}
			}
		}
		out, err := SetField(src, p.options(), "slug", to)
		if err != nil {
			return c, refusal(p.Path, "%v", err)
		}
		c.Entries, err = v.moved(ctx, p.Path, p.Path, out)
		return c, err
	})
}

// renamed is the path of a post whose name is another: that of the file, or of
// the folder of an index file. A date and a language stay.
func (p *Post) renamed(to string) string {
	rename := func(base string) string {
		ext := ""
		if !p.entry.indexFile() {
			ext = path.Ext(base)
		}
		stem := strings.TrimSuffix(base, ext)
		name := p.entry.place().name
		i := strings.LastIndex(stem, name)
		if i < 0 {
			return base
		}
		return stem[:i] + to + stem[i+len(name):] + ext
	}
	dir, base := path.Split(p.Path)
	if p.entry.indexFile() {
		dir = strings.TrimSuffix(dir, "/")
		return path.Join(path.Dir(dir), rename(path.Base(dir)), base)
	}
	return dir + rename(base)
}

// moveFolder gives the entries of a post's own folder under another name; none
// if it has no folder of its own.
func (v Visitor) moveFolder(p *Post, to string) ([]Entry, error) {
	from := path.Dir(p.Path)
	var come, leave []Entry
	for _, e := range v.bundle(p) {
		name := to + strings.TrimPrefix(e.Path, from)
		if _, there := v.blog.lib.folder.Ledger().Entry(name); there {
			return nil, refusal(p.Path, "%s is there already", name)
		}
		leave = append(leave, Entry{Path: e.Path})
		at := len(come)
		if e.Path == p.Path {
			at = 0 // the answer begins with the post
		}
		come = slices.Insert(come, at, Entry{Path: name, Hash: e.Hash, Size: e.Size, MTime: e.MTime})
	}
	return append(come, leave...), nil
}

// PathOf says where a post with this source goes: to the post with its slug, if
// there is one, else into the folder that most posts are in, named after its
// slug or title, and after its date if the others there are.
func (v Visitor) PathOf(src []byte) (name string, err error) {
	if !v.author {
		return "", ErrNotAuthor
	}
	err = v.blog.do(context.Background(), func(s *shelf) {
		dir, dated := s.usual()
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
		if dated {
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

// usual gives the folder that most posts are in, and whether their names begin
// with their dates.
func (s *shelf) usual() (dir string, dated bool) {
	all, days := map[string]int{}, map[string]int{}
	dir = "posts"
	if s.listing.nearest(".").kind == markdown.Jekyll {
		dir = "_posts"
	}
	for e, p := range s.posts {
		if p.State == Page || e.indexFile() || strings.Contains("/"+e.path, "/_drafts/") {
			continue
		}
		d := path.Dir(e.path)
		if all[d]++; all[d] > all[dir] || all[d] == all[dir] && d < dir {
			dir = d
		}
		if _, n := dashedDate(path.Base(e.path)); n > 0 {
			days[d]++
		}
	}
	return dir, path.Base(dir) == "_posts" || days[dir]*2 > all[dir]
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

func revisionOf(c store.Commit, e Entry) Revision {
	return Revision{c.Rev, c.Time, c.Author, c.Door, c.Message, e.Path, e.Hash}
}

// Log is the history, newest first, at most limit revisions (0: all): of one
// post, by any slug or path it has or had, removed ones too, or with "" of the
// blog.
func (v Visitor) Log(ctx context.Context, post string, limit int) ([]Revision, error) {
	if !v.author {
		return nil, ErrNotAuthor
	}
	var all []Revision
	if post != "" {
		var err error
		if all, err = v.trail(ctx, post); err != nil {
			return nil, err
		}
	} else {
		for _, c := range slices.Backward(v.blog.lib.folder.Ledger().Commits(0)) {
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

// trail gives the revisions of one post, newest first: of the path it has, and
// before each renaming of the path it had then.
func (v Visitor) trail(ctx context.Context, post string) ([]Revision, error) {
	if !v.author {
		return nil, ErrNotAuthor
	}
	l := v.blog.lib.folder.Ledger()
	at, err := v.lastPath(ctx, l, post)
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

// lastPath is the path that a post has, or had last.
func (v Visitor) lastPath(ctx context.Context, l *store.Ledger, post string) (string, error) {
	clean := strings.Trim(post, "/")
	if _, there := l.Entry(clean); there {
		return clean, nil
	}
	if p, err := v.Edition().Post(post); err == nil {
		return p.Path, nil
	}
	// It was removed. The name tells, or what its front matter said.
	commits := l.Commits(0)
	gone := map[string]string{} // the last hash of every post that is not there
	var order []string          // the last to go first
	for i, c := range slices.Backward(commits) {
		for _, e := range c.Entries {
			if e.Path == clean || isMarkdown(e.Path) && addressKey(nameSlug(e.Path)) == addressKey(clean) {
				return followed(commits[i:], e.Path), nil
			}
			if _, there := l.Entry(e.Path); there || !isMarkdown(e.Path) {
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
	found := ""
	err := v.blog.do(ctx, func(s *shelf) {
		const most = 1000
		for _, name := range order[:min(len(order), most)] {
			at, ok := s.listing.place(name)
			if src, err := s.lib.folder.Get(ctx, gone[name]); ok && err == nil {
				if e := newEntry(at, src, s.lib, markdown.Auto); addressKey(e.address[len(e.address)-1]) == addressKey(clean) {
					found = name
					return
				}
			}
		}
	})
	if err == nil && found == "" {
		err = fmt.Errorf("post %q: %w", post, fs.ErrNotExist)
	}
	return found, err
}

// followed is where what was at a path went, by renamings.
func followed(commits []store.Commit, at string) string {
	for _, c := range commits {
		if to, ok := c.Meta[movedKey+pathPrefix+at]; ok {
			at = to
		}
	}
	return at
}

// nameSlug is the slug that a path alone gives.
func nameSlug(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	if stem == "index" {
		stem = path.Base(path.Dir(name))
	}
	if _, rest, ok := nameDate(stem, time.UTC); ok {
		stem = rest
	}
	return slugOf(stem + ".md")
}

// on gives the revision of a trail that counts at a revision of the blog: none
// when there was no such post yet, or no more.
func (v Visitor) on(trail []Revision, rev Rev) (r Revision, ok bool, err error) {
	if head := v.blog.lib.folder.Ledger().Rev(); rev > head {
		return r, false, fmt.Errorf("revision %d: %w", rev, fs.ErrNotExist)
	}
	for _, r := range trail {
		if rev == 0 || r.Rev <= rev {
			return r, r.Hash != "", nil
		}
	}
	return r, false, nil
}

// source gives the bytes of a revision.
func (v Visitor) source(ctx context.Context, r Revision) ([]byte, error) {
	src, err := v.blog.lib.folder.Get(ctx, r.Hash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal(r.Path, "r%d is not kept any more", r.Rev)
	}
	return src, err
}

// At gives a post's source as of a revision, and the path it had; 0 is the
// newest. fs.ErrNotExist if there was none.
func (v Visitor) At(ctx context.Context, post string, rev Rev) (src []byte, name string, err error) {
	trail, err := v.trail(ctx, post)
	if err != nil {
		return nil, "", err
	}
	r, ok, err := v.on(trail, rev)
	if err == nil && !ok {
		err = fmt.Errorf("post %q at revision %d: %w", post, rev, fs.ErrNotExist)
	}
	if err != nil {
		return nil, "", err
	}
	src, err = v.source(ctx, r)
	return src, r.Path, err
}

// Diff is the unified diff of a post from a revision to the present, its lines
// safe for a terminal; 0 is the revision before the last. What was not there is
// empty.
func (v Visitor) Diff(ctx context.Context, post string, rev Rev) ([]textdiff.Line, error) {
	trail, err := v.trail(ctx, post)
	if err != nil {
		return nil, err
	}
	var before, now []byte
	if trail[0].Hash != "" {
		if now, err = v.source(ctx, trail[0]); err != nil {
			return nil, err
		}
	}
	old, ok, err := v.on(trail, rev)
	if rev == 0 {
		if ok = len(trail) > 1 && trail[1].Hash != ""; ok {
			old = trail[1]
		}
	}
	if err == nil && ok {
		before, err = v.source(ctx, old)
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

// Restore brings a post back to what it was at a revision, under the path it
// has or had last; one that was removed with its folder, with that.
func (v Visitor) Restore(ctx context.Context, post string, rev Rev) (Receipt, error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return Receipt{}, err
	}
	l := v.blog.lib.folder.Ledger()
	trail, err := v.trail(ctx, post)
	if err != nil {
		return Receipt{}, err
	}
	r, ok, err := v.on(trail, rev)
	if err == nil && !ok {
		err = fmt.Errorf("post %q at revision %d: %w", post, rev, fs.ErrNotExist)
	}
	if err != nil {
		return Receipt{}, err
	}
	if _, err := v.source(ctx, r); err != nil {
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
			if _, there := l.Entry(e.Path); e.Hash == "" && e.Path != last.Path && strings.HasPrefix(e.Path, dir) && !there {
				c.Entries = append(c.Entries, before[e.Path])
			}
		}
	}
	c.Entries = append(c.Entries, was)
	return v.Commit(ctx, c)
}

// Undo takes back one commit, if nothing has touched its files since.
func (v Visitor) Undo(ctx context.Context, rev Rev) (Receipt, error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return Receipt{}, err
	}
	l := v.blog.lib.folder.Ledger()
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
			who := by.Author
			if who == "" {
				who = "somebody at the server"
			}
			no.Problems = append(no.Problems, Problem{Path: e.Path, Text: fmt.Sprintf("has been changed since, by %s in r%d", who, by.Rev)})
		} else if was.Hash != "" {
			if _, err := v.source(ctx, Revision{Rev: rev - 1, Path: e.Path, Hash: was.Hash}); err != nil {
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
	return v.Commit(ctx, undo)
}
