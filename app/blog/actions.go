package blog

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/frontmatter"
	"sheaf/app/markdown"
)

// changePost commits the change that work makes of a post. If somebody else
// changes the post at the same time, work is called again with the post as it
// is then, three times at most: nothing of theirs is overwritten.
func (a Author) changePost(ctx context.Context, slug string, work func(p *Post) (Change, error)) (Receipt, error) {
	if err := a.blog.awaitImport(ctx); err != nil {
		return Receipt{}, err
	}
	for tries := 1; ; tries++ {
		base := a.blog.lib.worktree.Ledger().Rev() // first: what follows is not older
		p, err := a.Edition().Post(slug)
		if err != nil {
			return Receipt{}, err
		}
		c, err := work(p)
		if err != nil {
			return Receipt{}, err
		}
		c.Base = base
		r, err := a.Commit(ctx, c)
		if !errors.Is(err, ErrConflict) || tries == 3 {
			return r, err
		}
	}
}

// editSource commits what change makes of a post's source, at the path that
// change returns.
func (a Author) editSource(ctx context.Context, slug, verb string,
	change func(p *Post, src []byte) (to string, out []byte, err error),
) (Receipt, error) {
	return a.changePost(ctx, slug, func(p *Post) (Change, error) {
		src, err := p.Source()
		if err != nil {
			return Change{}, err
		}
		to, out, err := change(p, src)
		if err != nil {
			return Change{}, refusal(p.Path, "%v", err)
		}
		entries, err := a.moveEntries(ctx, p.Path, to, out)
		return Change{Entries: entries, Message: verb + " " + p.Slug}, err
	})
}

// moveEntries returns the entries that put a source at a path and remove it
// from another, which may be the same path.
func (a Author) moveEntries(ctx context.Context, from, to string, src []byte) ([]Entry, error) {
	hash, err := a.Put(ctx, src)
	entries := []Entry{{Path: to, Hash: hash, Size: int64(len(src))}}
	if from != to {
		if _, there := a.blog.lib.worktree.Ledger().Entry(to); there {
			return nil, refusal(from, "%s is there already", to)
		}
		entries = append(entries, Entry{Path: from})
	}
	return entries, err
}

// options says how the post's source is read.
func (p *Post) options() markdown.Options { return p.entry.section.options(p.Path, p.entry.dialect) }

// asEntry returns what the blog would know of the post if its file had another
// path and other bytes.
func (p *Post) asEntry(to string, src []byte) *entry {
	f := p.entry.file
	f.path = to
	return newEntry(f, src, p.entry.lib, p.entry.dialect)
}

// undrafted returns a draft's source without what makes it one, and the path it
// then has: a file in _drafts moves to _posts and gets the day into its name if
// it has no date there.
func (p *Post) undrafted(src []byte, day time.Time) (to string, out []byte, err error) {
	out, err = frontmatter.SetDraft(src, p.options(), p.entry.section.defaults, false)
	parts := strings.Split(p.Path, "/")
	i := slices.IndexFunc(parts, func(dir string) bool { return strings.EqualFold(dir, "_drafts") })
	if i < 0 || i == len(parts)-1 {
		return p.Path, out, err
	}
	parts[i] = "_posts"
	if last := len(parts) - 1; !p.entry.indexFile() {
		stem := strings.TrimSuffix(parts[last], path.Ext(parts[last]))
		if _, _, dated := frontmatter.NameDate(stem, time.UTC); !dated {
			parts[last] = day.In(p.entry.section.location()).Format("2006-01-02-") + parts[last]
		}
	}
	return strings.Join(parts, "/"), out, err
}

// setDue returns the source with another moment from which readers see the
// post.
func (p *Post) setDue(src []byte, at time.Time) ([]byte, error) {
	_, own, err := frontmatter.Read(src, p.options())
	if err != nil {
		return nil, err
	}
	name := own.NameOf("date", p.entry.section.kind)
	if f, ok := own.Find(frontmatter.Visible); ok {
		name = f.Name
	}
	return frontmatter.SetNamed(src, p.options(), name, at.In(p.entry.section.location()).Truncate(time.Second))
}

// Publish shows a draft or a scheduled post to readers now. It changes the
// field that hides the post and nothing else; a file in _drafts moves to
// _posts. A Refusal says why a post cannot be published.
func (a Author) Publish(ctx context.Context, slug string) (Receipt, error) {
	return a.editSource(ctx, slug, "publish", func(p *Post, src []byte) (string, []byte, error) {
		now := a.blog.lib.now()
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
		to, out, err := p.undrafted(src, day)
		if err == nil && p.State == Scheduled {
			out, err = p.setDue(out, now)
		}
		if err != nil {
			return "", nil, err
		}
		// A draft with a date to come is scheduled now.
		if s := p.asEntry(to, out).state(now); !s.Visible() && (s != Scheduled || p.State == Scheduled) {
			return "", nil, fmt.Errorf("would still be %s; that has to change in the file", s)
		}
		return to, out, nil
	})
}

// Unpublish makes a post a draft.
func (a Author) Unpublish(ctx context.Context, slug string) (Receipt, error) {
	return a.editSource(ctx, slug, "unpublish", func(p *Post, src []byte) (string, []byte, error) {
		if p.State == Draft {
			return p.Path, src, nil
		}
		out, err := frontmatter.SetDraft(src, p.options(), p.entry.section.defaults, true)
		return p.Path, out, err
	})
}

// Schedule has readers see a post from a later moment on. A draft is no draft
// any more afterwards. A Refusal says why that cannot be done by one field.
func (a Author) Schedule(ctx context.Context, slug string, at time.Time) (Receipt, error) {
	return a.editSource(ctx, slug, "schedule", func(p *Post, src []byte) (string, []byte, error) {
		at := at.In(p.entry.section.location()).Truncate(time.Second)
		now := a.blog.lib.now()
		if !at.After(now) {
			return "", nil, fmt.Errorf("%s is past", at.Format("2 January 2006 15:04"))
		}
		to, out, err := p.undrafted(src, at)
		if err == nil {
			out, err = p.setDue(out, at)
		}
		if err != nil {
			return "", nil, err
		}
		switch e := p.asEntry(to, out); {
		case e.state(now) != Scheduled || !e.due.Equal(at):
			return "", nil, errors.New("something else says when it is shown; that has to change in the file")
		case !e.expires.IsZero() && !e.expires.After(at):
			return "", nil, fmt.Errorf("expires before that, on %s", e.expires.Format("2 January 2006 15:04"))
		}
		return to, out, nil
	})
}

// Remove removes a post's file and, if that is an index file, all that is in
// its folder. Restore brings it back.
func (a Author) Remove(ctx context.Context, slug string) (Receipt, error) {
	return a.changePost(ctx, slug, func(p *Post) (Change, error) {
		entries := []Entry{{Path: p.Path}}
		for _, e := range a.bundle(p) {
			if e.Path != p.Path {
				entries = append(entries, Entry{Path: e.Path})
			}
		}
		return Change{Entries: entries, Message: "remove " + p.Slug}, nil
	})
}

// bundle returns the files of the folder that belongs to a post alone: the
// folder of an index file, without other posts in it. Other posts have none.
func (a Author) bundle(p *Post) []Entry {
	dir := path.Dir(p.Path)
	e := a.Edition()
	if sec := p.entry.section; !p.entry.indexFile() || dir == sec.dirOrDot() || dir == path.Join(sec.dir, sec.base) {
		return nil
	}
	for _, o := range e.all {
		if o != p && strings.HasPrefix(o.Path, dir+"/") {
			return nil
		}
	}
	var list []Entry
	for _, e := range a.blog.lib.worktree.Ledger().Entries() {
		if strings.HasPrefix(e.Path, dir+"/") {
			list = append(list, e)
		}
	}
	return list
}

// Rename changes a post's slug. It changes the field of that name if there is
// one, else the name of the file, or that of the folder of an index file; a
// date in the name stays. If the name does not decide the slug, the field is
// added. The old address goes on leading to the post.
func (a Author) Rename(ctx context.Context, slug, to string) (Receipt, error) {
	to = strings.TrimSuffix(to, ".md")
	return a.changePost(ctx, slug, func(p *Post) (Change, error) {
		if s := addressOf(to); len(s) != 1 || s[0] != to {
			return Change{}, refusal(p.Path, "%q cannot be a slug: letters, digits and dashes can", to)
		}
		if p == a.Edition().Home() {
			return Change{}, refusal(p.Path, "is the home page")
		}
		if other := a.Edition().bySlug(strings.ToLower(to)); other != nil && other != p {
			return Change{}, refusal(p.Path, "slug %q is already that of %s", to, other.Path)
		}
		c := Change{Message: "rename " + p.Slug + " to " + to}
		src, err := p.Source()
		if err != nil {
			return c, err
		}
		if name := p.renamed(to); !p.entry.explicit && name != p.Path {
			if e := p.asEntry(name, src); e.address[len(e.address)-1] == to {
				if !p.entry.indexFile() {
					c.Entries, err = a.moveEntries(ctx, p.Path, name, src)
					return c, err
				}
				if c.Entries, err = a.moveFolder(p, path.Dir(name)); err != nil || c.Entries != nil {
					return c, err
				}
			}
		}
		out, err := frontmatter.Set(src, p.options(), "slug", to)
		if err != nil {
			return c, refusal(p.Path, "%v", err)
		}
		c.Entries, err = a.moveEntries(ctx, p.Path, p.Path, out)
		return c, err
	})
}

// renamed returns the path of a post whose file, or whose folder if it is an
// index file, has another name. A date and a language in the name stay.
func (p *Post) renamed(to string) string {
	rename := func(base string) string {
		ext := ""
		if !p.entry.indexFile() {
			ext = path.Ext(base)
		}
		stem := strings.TrimSuffix(base, ext)
		name := p.entry.pathInfo().name
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

// moveFolder returns the entries that move a post's own folder to another name,
// the post's first; none if it has no folder of its own.
func (a Author) moveFolder(p *Post, to string) ([]Entry, error) {
	from := path.Dir(p.Path)
	var come, leave []Entry
	for _, e := range a.bundle(p) {
		name := to + strings.TrimPrefix(e.Path, from)
		if _, there := a.blog.lib.worktree.Ledger().Entry(name); there {
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
