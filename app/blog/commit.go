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
	"runtime/debug"
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

// maxTexts bounds the posts of one change, which are judged side by side.
const maxTexts = 128 << 20

// A Change is a set of files to be put and removed as one commit. The bytes of
// the files have been given to Visitor.Put before.
type Change struct {
	Base    Rev     // what the author saw: files of the change that have changed since are a conflict. 0: whatever stands there
	Entries []Entry // Hash "" removes; a zero MTime is now
	Message string
	Time    time.Time         // zero: now
	ID      string            // "" is a new one
	Meta    map[string]string // kept with the commit; the keys of a door begin with its name ("git.commit")

	stands map[string]string // what must stand at paths, by hash; "": nothing. Else it is a conflict
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
		sources: map[string][]byte{}, gone: map[string]bool{}, moved: map[string]string{}}
	changed := f.entries()
	if len(f.problems) > 0 {
		return Receipt{}, f.refusal()
	}
	if err := f.read(ctx, b.lib.folder, changed); err != nil {
		return Receipt{}, err
	}
	next := s.with(f, changed)
	after, _ := next.edition(b.lib.now())
	f.judge(s, next, b.current.Load().author, after.author, changed, !keep)
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
		if !s.follow(changed) {
			if err := s.rescan(); err != nil {
				return Receipt{}, err
			}
		}
		b.publish(s)
		next = s
	}
	for i := range f.receipt.Files {
		f.receipt.Files[i].Post = next.post(f.receipt.Files[i].Path)
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
		name := e.Path
		now, known := f.ledger.Entry(name)
		if !known { // what is there under a bad name can be changed and removed
			clean, err := PathFor(name)
			switch {
			case err != nil:
				f.refuse(name, 0, "%v", err)
				continue
			case name != clean:
				f.refuse(name, 0, "is not a plain path")
				continue
			}
		}
		if seen[name] {
			f.refuse(name, 0, "is named twice")
			continue
		}
		seen[name] = true
		if hash, is := f.stands[name]; is && hash != now.Hash && e.Hash != now.Hash {
			f.conflict = true
			f.refuse(name, 0, "%s", f.since(name))
			continue
		}
		limit := f.limits.File
		if isMarkdown(name) {
			limit = f.limits.Post
		}
		if y := e.MTime.Year(); y < 1970 || y > 2200 {
			e.MTime = time.Time{}
		}
		switch {
		case e.Hash == "" && !known:
			f.refuse(name, 0, "there is no such file")
			continue
		case known && e.Hash == now.Hash:
			f.receipt.Files = append(f.receipt.Files, Filed{Path: name})
			continue
		case e.Hash != "" && wrongSize(e.Size, limit) != "":
			f.refuse(name, 0, "%s", wrongSize(e.Size, limit))
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

// wrongSize says why a file of that size is not taken, "" if it is.
func wrongSize(size, limit int64) string {
	switch {
	case size == 0:
		return "is empty"
	case size > limit:
		return fmt.Sprintf("is too big: %s; at most %s", bytesOf(size), bytesOf(limit))
	}
	return ""
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
	if len(told) == 0 {
		return
	}
	seen := f.ledger.At(f.Base)
	for name, c := range told {
		if now, _ := f.ledger.Entry(name); now.Hash == seen[name].Hash {
			continue // and changed back
		}
		who := c.Author
		if who == "" {
			who = "somebody at the server"
		}
		f.conflict = true
		f.refuse(name, 0, "changed by %s (%s) at %s, after you fetched it; fetch it again first", who, c.Door, c.Time.Local().Format("2 Jan 15:04:05"))
	}
}

// since says who has changed a file last.
func (f *filing) since(name string) string {
	var last store.Commit
	what := "changed"
	for c, e := range f.ledger.Of(name) {
		if last = c; e.Hash == "" {
			what = "removed"
		} else {
			what = "changed"
		}
	}
	who := last.Author
	if who == "" {
		who = "somebody at the server"
	}
	if last.Rev == 0 {
		return "is not there any more"
	}
	return fmt.Sprintf("%s by %s (%s) at %s, after you opened it", what, who, last.Door, last.Time.Local().Format("2 Jan 15:04:05"))
}

// names refuses new names that are one with another on some disks, equal but
// for case or the form of their accents, folders too; and files in the place of
// folders and the other way round, also of those that go with the same change:
// no disk can do that in one step.
func (f *filing) names(changed []Entry) {
	var added []string
	for _, e := range changed {
		if _, known := f.ledger.Entry(e.Path); !known && e.Hash != "" {
			added = append(added, e.Path)
		}
	}
	if len(added) == 0 {
		return
	}
	there := map[string]string{} // by what names are told apart by
	folders := map[string]bool{}
	for _, e := range f.ledger.Entries() {
		for dir := path.Dir(e.Path); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
		if f.gone[e.Path] {
			continue
		}
		for p := e.Path; p != "."; p = path.Dir(p) {
			key := foldName(p)
			if _, is := there[key]; is {
				break
			}
			there[key] = p
		}
	}
	files := map[string]bool{}
	for _, name := range added {
		files[name] = true
	}
	for _, name := range added {
		if folders[name] {
			f.refuse(name, 0, "is a folder")
		}
		for p := name; p != "."; p = path.Dir(p) {
			if _, known := f.ledger.Entry(p); p != name && (known || files[p]) {
				f.refuse(name, 0, "%s is a file, not a folder", p)
				break
			}
			key := foldName(p)
			if other, is := there[key]; is && other != p {
				f.refuse(p, 0, "differs from %s only by capitals or the form of its accents", other)
				break
			}
			there[key] = p
		}
	}
}

// read looks into the bytes of what comes. The texts stay in memory until the
// change is made.
func (f *filing) read(ctx context.Context, folder *store.Folder, changed []Entry) error {
	var texts int64
	for _, e := range changed {
		if e.Hash != "" && isMarkdown(e.Path) {
			texts += e.Size
		}
	}
	if texts > maxTexts {
		f.refuse(".", 0, "more than %s of posts in one change", bytesOf(maxTexts))
		return nil
	}
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

func isConfig(name string) bool {
	switch strings.TrimPrefix(name, "content/") {
	case "site.yaml", "site.yml":
		return true
	}
	return false
}

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
			when := f.Time
			if when.IsZero() {
				when = lib.now()
			}
			next.date(post, when)
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
	next.entries = arranged(s.entries, changed, next.known)
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
// all that came. What is wrong elsewhere counts when it was not before: two
// posts of one slug are the fault of the one that comes.
func (f *filing) judge(s, next *shelf, before, after *Edition, changed []Entry, all bool) {
	ours := map[string]bool{}
	for _, c := range changed {
		ours[c.Path] = c.Hash != ""
	}
	if all {
		for _, came := range f.receipt.Files {
			ours[came.Path] = came.Action != Removed
		}
	}
	known := make(map[Problem]bool, len(before.problems))
	for _, p := range before.problems {
		known[p] = true
	}
	for _, p := range after.problems {
		switch {
		case !ours[p.Path] && known[p]:
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
	var arrived []Entry
	for name, here := range ours {
		p := next.post(name)
		if !here || p == nil {
			continue
		}
		if n++; n <= inspected {
			f.receipt.Warnings = append(f.receipt.Warnings, after.inspect(p)...)
		}
		if old := s.post(name); old != nil && old.Slug != p.Slug {
			f.move(old, p)
		}
	}
	if n > inspected {
		f.receipt.Warnings = append(f.receipt.Warnings, Problem{Path: ".", Warning: true,
			Text: fmt.Sprintf("of %d posts %d were looked through for dead links and missing images", n, inspected)})
	}
	for _, e := range changed {
		if e.Hash != "" && s.post(e.Path) == nil && next.post(e.Path) != nil {
			arrived = append(arrived, e)
		}
	}
	// A post that goes and one that comes with the same text, or else the same
	// title, are one that was moved.
	f.match(s, next, arrived, func(p *Post, hash string) string { return hash })
	f.match(s, next, arrived, func(p *Post, hash string) string {
		if !p.entry.titled {
			return ""
		}
		return p.Title
	})
	sortProblems(f.receipt.Warnings)
}

// match finds the posts that were moved by what they have in common; "" is
// nothing.
func (f *filing) match(s, next *shelf, arrived []Entry, by func(p *Post, hash string) string) {
	done := map[string]bool{}
	for _, to := range f.moved {
		done[to] = true
	}
	left := map[string][]*Post{}
	for _, name := range slices.Sorted(maps.Keys(f.gone)) {
		if p := s.post(name); p != nil && f.moved[pathPrefix+name] == "" {
			was, _ := f.ledger.Entry(name)
			key := by(p, was.Hash)
			left[key] = append(left[key], p)
		}
	}
	for _, e := range arrived {
		p := next.post(e.Path)
		key := by(p, e.Hash)
		if old := left[key]; key != "" && len(old) > 0 && !done[p.Path] {
			left[key] = old[1:]
			f.move(old[0], p)
		}
	}
}

// post gives the post of a path, nil if there is none.
func (s *shelf) post(name string) *Post {
	if k := s.known[name]; k != nil {
		return s.posts[k.entry]
	}
	return nil
}

// movedKey begins the keys of a commit's Meta that keep old addresses: the
// rest is the address, the value the path of the post it leads to.
const movedKey = "blog.moved."

// move keeps the address a post had.
func (f *filing) move(old, now *Post) {
	if old.Slug != now.Slug {
		f.moved[addressKey(old.Slug)] = now.Path
		f.receipt.Warnings = append(f.receipt.Warnings, now.movedFrom(old))
	}
	if old.Path != now.Path {
		f.moved[pathPrefix+old.Path] = now.Path
	}
}

func (p *Post) movedFrom(old *Post) Problem {
	return Problem{Path: p.Path, Warning: true, Text: fmt.Sprintf("slug changed from %q to %q; the old one still leads here", old.Slug, p.Slug)}
}

// pathPrefix marks a path in the place of an address: it was renamed.
const pathPrefix = "/"

// learn takes what the log says about addresses and first days, from where it
// was read last.
func (s *shelf) learn(l *store.Ledger) {
	commits := l.Commits(s.learned)
	if len(commits) > 0 {
		s.first = maps.Clone(s.first) // editions have the old one
	}
	for _, c := range commits {
		s.learned = c.Rev
		renamed := map[string]string{}
		for key, to := range c.Meta {
			if old, ok := strings.CutPrefix(key, movedKey); ok {
				if from, ok := strings.CutPrefix(old, pathPrefix); ok {
					renamed[from] = to
				}
			}
		}
		if len(renamed) > 0 { // all at once: two posts may have changed places
			for old, at := range s.moved {
				if to, ok := renamed[at]; ok {
					s.moved[old] = to
				}
			}
			days := map[string]time.Time{}
			for from, to := range renamed {
				if t, ok := s.first[from]; ok {
					days[to] = t
				}
			}
			for from := range renamed {
				delete(s.first, from)
			}
			maps.Copy(s.first, days)
		}
		for key, to := range c.Meta {
			if old, ok := strings.CutPrefix(key, movedKey); ok && !strings.HasPrefix(old, pathPrefix) {
				s.moved[old] = to
			}
		}
		for _, e := range c.Entries {
			if _, known := s.first[e.Path]; known || e.Hash == "" || !isMarkdown(e.Path) {
				continue
			}
			s.first[e.Path] = c.Time
			if c.Door == "hand" { // it was found: since when, nobody knows
				s.first[e.Path] = time.Time{}
			}
		}
	}
}

// date gives a post without a date that of its first commit; now is the time of
// the one that is being made, zero if none is.
func (s *shelf) date(e *entry, now time.Time) {
	if e.hasDate || e.page || e.broken || e.indexFile() {
		return
	}
	t, known := s.first[e.path]
	if !known {
		t = now
	}
	if !t.IsZero() {
		e.date, e.hasDate = t.In(e.section.location()), true
	}
}

// follow brings the shelf to what a commit has written, without a look at all
// other files. It declines (false) what may change how those are read:
// configurations, index files, folders that come or go.
func (s *shelf) follow(changed []Entry) bool {
	stays, indexed := map[string]bool{}, map[string]bool{} // folders: with other posts, with an index file
	changes := map[string]bool{}
	for _, e := range changed {
		changes[e.Path] = true
	}
	for _, e := range s.entries {
		dir := path.Dir(e.path)
		stays[dir] = stays[dir] || !changes[e.path]
		indexed[dir] = indexed[dir] || e.indexFile()
	}
	files := make([]file, len(changed)) // of the posts
	for i, e := range changed {
		dir, known := path.Dir(e.Path), s.known[e.Path]
		base := path.Base(e.Path)
		stem := strings.TrimSuffix(base, path.Ext(base))
		switch {
		case isConfigFile(e.Path), base == "config.md", stem == base, !isMarkdown(e.Path) && !stays[dir]:
			return false
		case !isMarkdown(e.Path):
		case known != nil && e.Hash != "":
			files[i] = known.entry.file
		case !stays[dir], indexed[dir], stem == "index", stem == "_index", dir == "." && e.Hash == "":
			return false
		case e.Hash != "":
			at, ok := s.listing.place(e.Path)
			if !ok {
				return false
			}
			files[i] = at
		}
	}
	s.learn(s.lib.folder.Ledger())
	r := s.lib.folder.NewReader()
	defer r.Close()
	found := make([]shelved, len(changed))
	for i, f := range files {
		if f.section == nil {
			continue
		}
		if found[i] = s.look(r, f); found[i].entry == nil {
			return false
		}
	}
	var gone []*entry
	for i, e := range changed {
		if old := s.known[e.Path]; old != nil && old.entry != found[i].entry {
			gone = append(gone, old.entry)
			delete(s.known, e.Path)
		}
		if found[i].entry != nil {
			s.known[e.Path] = &found[i]
		}
	}
	s.entries = arranged(s.entries, changed, s.known)
	s.version++
	s.lib.docs.forget(gone)
	return true
}

// arranged gives entries, in their order, with those that have changed taken
// from known.
func arranged(entries []*entry, changed []Entry, known map[string]*shelved) []*entry {
	touched := make(map[string]bool, len(changed))
	var fresh []*entry
	for _, c := range changed {
		touched[c.Path] = true
		if k := known[c.Path]; k != nil {
			fresh = append(fresh, k.entry)
		}
	}
	slices.SortFunc(fresh, func(a, b *entry) int { return walkOrder(a.path, b.path) })
	out := make([]*entry, 0, len(entries)+len(fresh))
	for _, e := range entries {
		if touched[e.path] {
			continue
		}
		for len(fresh) > 0 && walkOrder(fresh[0].path, e.path) < 0 {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		out = append(out, e)
	}
	return append(out, fresh...)
}

// walkOrder is the order in which a walk finds files: those of a directory
// before those below it.
func walkOrder(a, b string) int {
	for {
		x, inA, dirA := strings.Cut(a, "/")
		y, inB, dirB := strings.Cut(b, "/")
		if dirA != dirB {
			if dirB {
				return -1
			}
			return 1
		}
		if c := strings.Compare(x, y); c != 0 || !dirA {
			return c
		}
		a, b = inA, inB
	}
}

// do runs f in the goroutine that owns the shelf, and waits for it.
func (b *Blog) do(ctx context.Context, f func(*shelf)) error {
	done := make(chan error, 1)
	job := func(s *shelf) {
		defer func() {
			if p := recover(); p != nil {
				b.log.Error("panic", "panic", oneLine(fmt.Sprint(p)), "stack", string(debug.Stack()))
				done <- errors.New("something went wrong here; the log says more")
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
