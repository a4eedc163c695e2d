package blog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Rev numbers the revisions of the blog; 0 is none.
type Rev = store.Rev

// An Entry is one file of a change or of a revision.
type Entry = store.Entry

// ErrNotAuthor is the answer to readers who try to change something.
var ErrNotAuthor = errors.New("permission denied: no author key")

// ErrConflict is what a Refusal is when somebody else has changed the same
// files meanwhile.
var ErrConflict = store.ErrConflict

// Limits bound what one change may bring. A zero field takes its default.
type Limits struct {
	Post   int64 // bytes of a post: 2 MiB
	File   int64 // of any other file: 16 MiB
	Change int64 // of all files of a change: 512 MiB
	Files  int   // of a change: 20,000
}

func (l Limits) or() Limits {
	number := func(n *int64, d int64) {
		if *n <= 0 {
			*n = d
		}
	}
	number(&l.Post, 2<<20)
	number(&l.File, 16<<20)
	number(&l.Change, 512<<20)
	if l.Files <= 0 {
		l.Files = 20000
	}
	return l
}

// inspected is how many posts of one change are read whole to find dead links
// and the like; of a larger one `sheaf check` tells.
const inspected = 100

// A Change is a set of files to be put and removed as one commit. The bytes of
// the files have been given to Visitor.Put before.
type Change struct {
	Base    Rev     // what the author saw: files of the change that have changed since are a conflict. 0: whatever stands there
	Entries []Entry // Hash "" removes; a zero MTime is now
	Message string
	Time    time.Time         // zero: now
	ID      string            // "" is a new one
	Meta    map[string]string // kept with the commit; the keys of a door begin with its name ("git.commit")
}

// An Action is what a change did to a file.
type Action int

const (
	Unchanged Action = iota
	Added
	Updated
	Removed
)

// Filed is what became of one file.
type Filed struct {
	Path   string
	Action Action
	Post   *Post // nil: not a post, or removed
}

// A Receipt is what the author is told of a change that was made.
type Receipt struct {
	Rev      Rev // of the commit; of the head when nothing had to change
	Files    []Filed
	Warnings []Problem
}

// A Refusal is a change that was not made, all of it, and why.
type Refusal struct {
	Problems []Problem
	Conflict bool // somebody else was first: it is ErrConflict then
}

// Error gives the problems, a line for each.
func (r *Refusal) Error() string { return strings.Join(r.Lines(), "\n") }

// Is makes a conflict known to errors.Is.
func (r *Refusal) Is(target error) bool { return r.Conflict && target == ErrConflict }

// Lines says a refusal in words, a line for each problem: "PATH:LINE: why".
// They hold no control characters.
func (r *Refusal) Lines() []string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, oneLine(p.String()))
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(markdown.Clean(s)), " ") }

// Lines says a receipt in words, a line for each post, then the warnings:
// "published  ssh -t HOST SLUG". Every door answers with them. They hold no
// control characters.
func (r Receipt) Lines(host string) []string {
	var out []string
	same, others := 0, 0
	for _, f := range r.Files {
		switch {
		case f.Action == Unchanged:
			same++
		case f.Post == nil && f.Action != Removed:
			others++
		}
	}
	const many = 20
	for _, f := range r.Files {
		word, what := "", oneLine(f.Path)
		switch {
		case f.Action == Unchanged && same > many, f.Post == nil && f.Action != Removed && f.Action != Unchanged && others > many:
			continue
		case f.Action == Removed:
			word = "removed"
		case f.Post == nil:
			word = "filed"
		default:
			word = f.Post.State.String()
			what = "ssh -t " + host + " " + oneLine(f.Post.Slug)
			if f.Post.State == Scheduled {
				word = "scheduled for " + f.Post.entry.due.Format("2 Jan 2006 15:04")
			}
		}
		if f.Action == Unchanged {
			word = "unchanged"
		}
		out = append(out, fmt.Sprintf("%-9s  %s", word, what))
	}
	if others > many {
		out = append(out, fmt.Sprintf("%-9s  %d other files", "filed", others))
	}
	if same > many {
		out = append(out, fmt.Sprintf("%-9s  %d files", "unchanged", same))
	}
	for _, p := range r.Warnings {
		out = append(out, "warning: "+oneLine(p.String()))
	}
	return out
}

// Through gives the visitor as it comes through a door (sftp, scp, rsync, git,
// pipe, shell, browser), for the record of what it commits.
func (v Visitor) Through(door string) Visitor {
	v.door = door
	return v
}

// Put keeps the bytes of a file for a change and gives their hash for an
// Entry.
func (v Visitor) Put(ctx context.Context, data []byte) (hash string, err error) {
	if !v.author {
		return "", ErrNotAuthor
	}
	return v.blog.lib.folder.Put(ctx, data)
}

// MaxFile is the most bytes that a file of this path may have.
func (v Visitor) MaxFile(name string) int64 {
	if v.blog == nil {
		return 0
	}
	if isMarkdown(name) {
		return v.blog.limits.Post
	}
	return v.blog.limits.File
}

// Commit checks a change, makes it durable and shows it: when it returns, the
// next edition is out. All of it is made or nothing: a *Refusal says why not.
// Readers get ErrNotAuthor.
func (v Visitor) Commit(ctx context.Context, c Change) (Receipt, error) { return v.file(ctx, c, true) }

// Check is Commit without the change: what it would answer.
func (v Visitor) Check(ctx context.Context, c Change) (Receipt, error) { return v.file(ctx, c, false) }

func (v Visitor) file(ctx context.Context, c Change, keep bool) (r Receipt, err error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return Receipt{}, err
	}
	for range 5 { // somebody may edit by hand at the same time
		work := v.blog.do(ctx, func(s *shelf) { r, err = v.blog.file(ctx, s, v, c, keep) })
		if work != nil {
			return Receipt{}, work
		}
		var not *Refusal
		if !errors.Is(err, store.ErrConflict) || errors.As(err, &not) {
			break
		}
	}
	return r, err
}

// filing is a change on its way into the blog.
type filing struct {
	Change
	ledger   *store.Ledger
	limits   Limits
	sources  map[string][]byte // of the posts that come
	gone     map[string]bool
	old      map[string]*Post // the posts as they stand, by path
	problems []Problem
	conflict bool
	receipt  Receipt
	moved    map[string]string // old addresses, to the paths they lead to
}

func (f *filing) refuse(path string, line int, format string, args ...any) {
	f.problems = append(f.problems, Problem{Path: path, Line: line, Text: fmt.Sprintf(format, args...)})
}

// file does the work of Commit in the goroutine that owns the shelf.
func (b *Blog) file(ctx context.Context, s *shelf, v Visitor, c Change, keep bool) (Receipt, error) {
	f := &filing{Change: c, ledger: b.lib.folder.Ledger(), limits: b.limits,
		sources: map[string][]byte{}, gone: map[string]bool{}, old: map[string]*Post{}, moved: map[string]string{}}
	for e, p := range s.posts {
		f.old[e.path] = p
	}
	changed := f.entries()
	if len(f.problems) > 0 {
		return Receipt{}, f.refusal()
	}
	if err := f.read(ctx, b.lib.folder, changed); err != nil {
		return Receipt{}, err
	}
	next := s.with(f, changed)
	after, _ := next.edition(b.lib.now())
	f.judge(next, after.author, changed, !keep)
	if len(f.problems) > 0 {
		return Receipt{}, f.refusal()
	}
	f.receipt.Rev = f.ledger.Rev()
	if keep && len(changed) > 0 {
		meta := maps.Clone(c.Meta)
		for old, to := range f.moved {
			if meta == nil {
				meta = map[string]string{}
			}
			meta[movedKey+old] = to
		}
		rev, err := b.lib.folder.Commit(ctx, f.ledger.Rev(), store.Commit{ID: c.ID, Time: c.Time, Author: v.name, Door: v.door,
			Message: c.Message, Meta: meta, Entries: changed})
		if err != nil {
			return Receipt{}, err
		}
		f.receipt.Rev = rev
		if err := s.rescan(); err != nil {
			return Receipt{}, err
		}
		b.publish(s)
		next = s
	}
	posts := map[string]*Post{}
	for e, p := range next.posts {
		posts[e.path] = p
	}
	for i := range f.receipt.Files {
		f.receipt.Files[i].Post = posts[f.receipt.Files[i].Path]
	}
	return f.receipt, nil
}

func (f *filing) refusal() *Refusal {
	sortProblems(f.problems)
	return &Refusal{Problems: f.problems, Conflict: f.conflict}
}

// entries checks names, sizes and what others did meanwhile, and gives what
// really changes.
func (f *filing) entries() []Entry {
	if len(f.Entries) > f.limits.Files {
		f.refuse(".", 0, "more than %d files in one change", f.limits.Files)
		return nil
	}
	var changed []Entry
	var total int64
	seen := map[string]bool{}
	for _, e := range f.Entries {
		name, err := PathFor(e.Path)
		switch {
		case err != nil:
			f.refuse(e.Path, 0, "%v", err)
			continue
		case name != e.Path || seen[name]:
			f.refuse(e.Path, 0, "not a plain path, or named twice")
			continue
		}
		seen[name] = true
		limit := f.limits.File
		if isMarkdown(name) {
			limit = f.limits.Post
		}
		now, known := f.ledger.Entry(name)
		switch {
		case e.Hash == "" && !known:
			f.refuse(name, 0, "there is no such file")
			continue
		case e.Hash != "" && e.Size == 0:
			f.refuse(name, 0, "is empty")
			continue
		case e.Size > limit:
			f.refuse(name, 0, "is too big: %s; at most %s", bytesOf(e.Size), bytesOf(limit))
			continue
		case known && e.Hash == now.Hash:
			f.receipt.Files = append(f.receipt.Files, Filed{Path: name})
			continue
		}
		action := Updated
		switch {
		case e.Hash == "":
			action, f.gone[name] = Removed, true
		case !known:
			action = Added
		}
		total += e.Size
		f.receipt.Files = append(f.receipt.Files, Filed{Path: name, Action: action})
		changed = append(changed, e)
	}
	if total > f.limits.Change {
		f.refuse(".", 0, "more than %s in one change", bytesOf(f.limits.Change))
	}
	f.others(changed)
	f.names(changed)
	return changed
}

func bytesOf(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// others finds the files that somebody else has changed since Base.
func (f *filing) others(changed []Entry) {
	if f.Base == 0 {
		return
	}
	ours := map[string]string{}
	for _, e := range changed {
		ours[e.Path] = e.Hash
	}
	told := map[string]store.Commit{}
	for _, c := range f.ledger.Commits(f.Base) {
		for _, e := range c.Entries {
			if hash, is := ours[e.Path]; is && hash != e.Hash {
				told[e.Path] = c
			}
		}
	}
	for name, c := range told {
		who := c.Author
		if who == "" {
			who = "somebody at the server"
		}
		f.conflict = true
		f.refuse(name, 0, "changed by %s (%s) at %s, after you fetched it; fetch it again first", who, c.Door, c.Time.Format("15:04:05"))
	}
}

// names refuses names that are one on some disks: equal but for case or the
// form of their accents. So are folders.
func (f *filing) names(changed []Entry) {
	there := map[string]string{}
	add := func(p string, refuse bool) bool {
		for ; p != "."; p = path.Dir(p) {
			key := foldName(p)
			switch other, is := there[key]; {
			case !is:
				there[key] = p
			case other != p && refuse:
				f.refuse(p, 0, "differs from %s only by capitals or the form of its accents", other)
				return false
			}
		}
		return true
	}
	for _, e := range f.ledger.Entries() {
		if !f.gone[e.Path] {
			add(e.Path, false)
		}
	}
	for _, e := range changed {
		if e.Hash == "" {
			continue
		}
		if _, known := f.ledger.Entry(e.Path); !known {
			add(e.Path, true)
		}
	}
}

// read looks into the bytes of what comes.
func (f *filing) read(ctx context.Context, folder *store.Folder, changed []Entry) error {
	for _, e := range changed {
		if e.Hash == "" {
			continue
		}
		b, err := folder.Get(ctx, e.Hash)
		if err != nil {
			return err
		}
		switch {
		case isMarkdown(e.Path):
			if line, why := unprintable(b); why != "" {
				f.refuse(e.Path, line, "%s", why)
			}
			f.sources[e.Path] = b
		case isConfig(e.Path):
			f.config(e.Path, b)
		default:
			if why := wrongType(e.Path, b); why != "" {
				f.refuse(e.Path, 0, "%s", why)
			}
		}
	}
	return nil
}

// unprintable finds what has no place in a text: the line, and why.
func unprintable(b []byte) (line int, why string) {
	if !utf8.Valid(b) {
		for n, l := range bytes.Split(b, []byte("\n")) {
			if !utf8.Valid(l) {
				return n + 1, "is not UTF-8"
			}
		}
	}
	for i, r := range string(b) {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r >= 0x7f && r < 0xa0 {
			return bytes.Count(b[:i], []byte("\n")) + 1, fmt.Sprintf("holds a control character (%U)", r)
		}
	}
	return 0, ""
}

func isConfig(name string) bool { return name == "site.yaml" || name == "site.yml" }

// config checks site.yaml like a post.
func (f *filing) config(name string, b []byte) {
	if line, why := unprintable(b); why != "" {
		f.refuse(name, line, "%s", why)
		return
	}
	fs, bad := libraryYAML(string(bytes.TrimPrefix(b, []byte("\ufeff"))), 1)
	if bad != nil {
		f.refuse(name, bad.line, "%s", bad.text)
		return
	}
	site := Site{Location: time.Local}
	for _, p := range site.fill(name, fs) {
		p.Warning = false
		f.problems = append(f.problems, p)
	}
}

// wrongType finds a picture that is something else than its name says. What a
// file is is never taken from its name.
func wrongType(name string, b []byte) string {
	want := map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
		".webp": "image/webp", ".bmp": "image/bmp", ".ico": "image/x-icon", ".pdf": "application/pdf"}[strings.ToLower(path.Ext(name))]
	if is := http.DetectContentType(b); want != "" && is != want {
		is, _, _ = strings.Cut(is, ";")
		return fmt.Sprintf("is not what its name says: it looks like %s", is)
	}
	return ""
}

// with gives the shelf as it would be: entries that are not concerned are
// shared.
func (s *shelf) with(f *filing, changed []Entry) *shelf {
	lib := &library{folder: s.lib.folder, docs: newDocuments(1 << 20), now: s.lib.now, coming: map[string]bool{}}
	next := &shelf{lib: lib, listing: s.listing, known: maps.Clone(s.known), posts: s.posts, moved: s.moved, first: s.first}
	for _, e := range changed {
		lib.coming[e.Path] = e.Hash != ""
		delete(next.known, e.Path)
		src, text := f.sources[e.Path]
		if !text {
			continue
		}
		if at, ok := s.listing.place(e.Path); ok {
			post := newEntry(at, src, lib, markdown.Auto)
			post.given = src
			next.date(post, lib.now())
			next.known[e.Path] = &shelved{entry: post}
		}
	}
	if !slices.ContainsFunc(changed, func(e Entry) bool { return path.Base(e.Path) == "index.md" || path.Base(e.Path) == "_index.md" }) {
		// No new home page.
	} else if l := *s.listing; true {
		for _, e := range changed {
			if stem := strings.TrimSuffix(e.Path, path.Ext(e.Path)); (stem == "index" || stem == "_index") && !slices.Contains(l.homes, e.Path) {
				l.homes = append(slices.Clone(l.homes), e.Path)
			}
		}
		next.listing = &l
	}
	for _, k := range next.known {
		next.entries = append(next.entries, k.entry)
	}
	slices.SortFunc(next.entries, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	return next
}

// place says whether a file of this path is read as a post, and in which
// section.
func (l *listing) place(name string) (file, bool) {
	dir := path.Dir(name)
	sec := l.nearest(dir)
	if !isMarkdown(name) || sec.skips(dir, path.Base(name)) {
		return file{}, false
	}
	for at, parts := ".", strings.Split(dir, "/"); dir != "." && len(parts) > 0; parts = parts[1:] {
		above := l.nearest(at)
		if len(above.enter(&store.Dir{Path: at, Dirs: parts[:1]})) == 0 {
			return file{}, false
		}
		at = path.Join(at, parts[0])
	}
	index := strings.TrimSuffix(path.Base(name), path.Ext(name))
	if index == "_index" && dir != sec.dirOrDot() || dir == sec.dirOrDot() && sec.base != "" {
		return file{}, false
	}
	return file{path: name, section: sec}, true
}

// judge looks at the blog as it would be: at what changes, and if asked to at
// all that came.
func (f *filing) judge(next *shelf, e *Edition, changed []Entry, all bool) {
	ours := map[string]bool{}
	for _, c := range changed {
		ours[c.Path] = c.Hash != ""
	}
	if all {
		for _, came := range f.receipt.Files {
			ours[came.Path] = came.Action != Removed
		}
	}
	for _, p := range e.problems {
		switch {
		case !ours[p.Path]:
		case p.Warning:
			f.receipt.Warnings = append(f.receipt.Warnings, p)
		default:
			f.problems = append(f.problems, p)
		}
	}
	if len(f.problems) > 0 {
		return
	}
	n := 0
	var arrived, left []*Post
	for en, p := range next.posts {
		if !ours[en.path] {
			continue
		}
		if n++; n <= inspected {
			f.receipt.Warnings = append(f.receipt.Warnings, e.inspect(p)...)
		}
		switch old := f.old[en.path]; {
		case old == nil:
			arrived = append(arrived, p)
		case old.Slug != p.Slug:
			f.move(old, p)
		}
	}
	if n > inspected {
		f.receipt.Warnings = append(f.receipt.Warnings, Problem{Path: ".", Warning: true,
			Text: fmt.Sprintf("of %d posts %d were looked through for dead links and missing images", n, inspected)})
	}
	for name := range f.gone {
		if p := f.old[name]; p != nil {
			left = append(left, p)
		}
	}
	// A post that goes and one that comes with the same text, or the same
	// title, are one that was moved.
	for _, p := range arrived {
		for _, old := range left {
			if was, _ := f.ledger.Entry(old.Path); was.Hash == hashIn(changed, p.Path) || old.Title == p.Title && p.entry.titled {
				f.move(old, p)
				break
			}
		}
	}
	sortProblems(f.receipt.Warnings)
}

func hashIn(changed []Entry, name string) string {
	for _, e := range changed {
		if e.Path == name {
			return e.Hash
		}
	}
	return ""
}

// movedKey begins the keys of a commit's Meta that keep old addresses: the
// rest is the address, the value the path of the post it leads to.
const movedKey = "blog.moved."

// move keeps the address a post had.
func (f *filing) move(old, now *Post) {
	if old.Slug != now.Slug {
		f.moved[addressKey(old.Slug)] = now.Path
		f.receipt.Warnings = append(f.receipt.Warnings, Problem{Path: now.Path, Warning: true,
			Text: fmt.Sprintf("slug changed from %q to %q; the old one still leads here", old.Slug, now.Slug)})
	}
	if old.Path != now.Path {
		f.moved[pathPrefix+old.Path] = now.Path
	}
}

// pathPrefix marks a path in the place of an address: it was renamed.
const pathPrefix = "/"

// learn takes what the log says about addresses and first days, from where it
// was read last.
func (s *shelf) learn(l *store.Ledger) {
	for _, c := range l.Commits(s.learned) {
		s.learned = c.Rev
		for key, to := range c.Meta {
			old, ok := strings.CutPrefix(key, movedKey)
			if !ok {
				continue
			}
			if from, ok := strings.CutPrefix(old, pathPrefix); ok {
				for a, p := range s.moved {
					if p == from {
						s.moved[a] = to
					}
				}
				if t, ok := s.first[from]; ok {
					s.first[to] = t
				}
				continue
			}
			s.moved[old] = to
		}
		if c.Author == "" {
			continue // found in the folder: since when, nobody knows
		}
		for _, e := range c.Entries {
			if _, known := s.first[e.Path]; !known && e.Hash != "" && isMarkdown(e.Path) {
				s.first[e.Path] = c.Time
			}
		}
	}
}

// date gives a post without a date that of its first commit.
func (s *shelf) date(e *entry, now time.Time) {
	if e.hasDate || e.page || e.broken || e.indexFile() {
		return
	}
	t, ok := s.first[e.path]
	if _, known := s.lib.folder.Ledger().Entry(e.path); !ok && !now.IsZero() && !known {
		t, ok = now, true
	}
	if ok {
		e.date, e.hasDate = t.In(e.section.location()), true
	}
}

// do runs f in the goroutine that owns the shelf, and waits for it.
func (b *Blog) do(ctx context.Context, f func(*shelf)) error {
	done := make(chan error, 1)
	job := func(s *shelf) {
		defer func() {
			if p := recover(); p != nil {
				b.log.Error("panic", "panic", fmt.Sprint(p))
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		f(s)
		done <- nil
	}
	select {
	case b.jobs <- job:
		return <-done
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}

// adoption waits until the folder has been looked through once.
func (b *Blog) adoption(ctx context.Context) error {
	select {
	case <-b.adopted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closed:
		return fs.ErrClosed
	}
}
