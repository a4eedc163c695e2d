package blog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sheaf/app/fold"
	"sheaf/app/frontmatter"
	"sheaf/app/store"
)

// maxInspected bounds the posts of one change that are read whole to find dead
// links and the like. For a larger change `sheaf check` tells.
const maxInspected = 100

// maxReviewedBytes bounds the texts of one change, which are judged together.
const maxReviewedBytes = 128 << 20

// A review is what is known of a change while it is being judged.
type review struct {
	Change
	ledger   *store.Ledger
	limits   Limits
	sources  map[string][]byte // of the posts that come
	gone     map[string]bool
	problems []Problem
	conflict bool
	receipt  Receipt
	renamed  map[string]string // new paths of posts, to those they had
	moved    map[string]string // old addresses, to the paths they lead to
}

// refuse adds a reason not to make the change.
func (r *review) refuse(path string, line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{Path: path, Line: line, Text: fmt.Sprintf(format, args...)})
}

// refusal returns the reasons not to make the change.
func (r *review) refusal() *Refusal {
	sortProblems(r.problems)
	return &Refusal{Problems: r.problems, Conflict: r.conflict}
}

// entries checks names, sizes and what others have done meanwhile. It returns
// the entries that change anything, and notes in the receipt what each does.
func (r *review) entries() []Entry {
	if len(r.Entries) > r.limits.Files {
		r.refuse(".", 0, "more than %d files in one change", r.limits.Files)
		return nil
	}
	var changed []Entry
	var total int64
	seen := map[string]bool{}
	for _, e := range r.Entries {
		now, known := r.ledger.Entry(e.Path)
		why := r.wrongEntry(e, now, known, seen[e.Path])
		seen[e.Path] = true
		if why != "" {
			r.refuse(e.Path, 0, "%s", why)
			continue
		}
		if known && e.Hash == now.Hash {
			r.receipt.Files = append(r.receipt.Files, FileResult{Path: e.Path})
			continue
		}
		if y := e.MTime.Year(); y < 1970 || y > 2200 {
			e.MTime = time.Time{}
		}
		action := Updated
		switch {
		case e.Hash == "":
			action, r.gone[e.Path] = Removed, true
		case !known:
			action = Added
		}
		total += e.Size
		r.receipt.Files = append(r.receipt.Files, FileResult{Path: e.Path, Action: action})
		changed = append(changed, e)
	}
	if total > r.limits.Change {
		r.refuse(".", 0, "more than %s in one change", bytesOf(r.limits.Change))
	}
	r.others(changed)
	r.names(changed)
	return changed
}

// wrongEntry returns why an entry is not taken, "" if it is. now is what stands
// at its path, if known; seen says whether the path was named before.
func (r *review) wrongEntry(e, now Entry, known, seen bool) string {
	if !known { // what is there under a bad name can be changed and removed
		clean, err := PathFor(e.Path)
		if err != nil {
			return err.Error()
		}
		if e.Path != clean {
			return "is not a plain path"
		}
	}
	limit := r.limits.File
	if IsMarkdown(e.Path) {
		limit = r.limits.Post
	}
	hash, is := r.expected[e.Path]
	switch {
	case seen:
		return "is named twice"
	case is && hash != now.Hash && e.Hash != now.Hash:
		r.conflict = true
		return r.since(e.Path)
	case e.Hash == "" && !known:
		return "there is no such file"
	case e.Hash != "" && e.Hash != now.Hash:
		return wrongSize(e.Size, limit)
	}
	return ""
}

// wrongSize returns why a file of this size is not taken, "" if it is.
func wrongSize(size, limit int64) string {
	switch {
	case size == 0:
		return "is empty"
	case size > limit:
		return fmt.Sprintf("is too big: %s; at most %s", bytesOf(size), bytesOf(limit))
	}
	return ""
}

// others refuses files that somebody else has changed since Base.
func (r *review) others(changed []Entry) {
	if r.Base == 0 {
		return
	}
	ours := map[string]string{}
	for _, e := range changed {
		ours[e.Path] = e.Hash
	}
	told := map[string]store.Commit{}
	for _, c := range r.ledger.Commits(r.Base) {
		for _, e := range c.Entries {
			if hash, is := ours[e.Path]; is && hash != e.Hash {
				told[e.Path] = c
			}
		}
	}
	if len(told) == 0 {
		return
	}
	seen := r.ledger.At(r.Base)
	for name, c := range told {
		if now, _ := r.ledger.Entry(name); now.Hash == seen[name].Hash {
			continue // and changed back
		}
		r.conflict = true
		r.refuse(name, 0, "changed by %s (%s) at %s, after you fetched it; fetch it again first",
			whoMade(c), c.Channel, c.Time.Local().Format("2 Jan 15:04:05"))
	}
}

// since says by whom and when a file was changed last.
func (r *review) since(name string) string {
	var last store.Commit
	what := "changed"
	for c, e := range r.ledger.Of(name) {
		if last = c; e.Hash == "" {
			what = "removed"
		} else {
			what = "changed"
		}
	}
	if last.Rev == 0 {
		return "is not there any more"
	}
	return fmt.Sprintf("%s by %s (%s) at %s, after you opened it",
		what, whoMade(last), last.Channel, last.Time.Local().Format("2 Jan 15:04:05"))
}

func whoMade(c store.Commit) string { return cmp.Or(c.Author, "somebody at the server") }

// names refuses new names that some disks cannot keep apart from another, in
// files and in folders: they are equal but for case or the form of their
// accents. It also refuses a file in the place of a folder, and the other way
// round, even if the old one goes with the same change: no disk can do that in
// one step.
func (r *review) names(changed []Entry) {
	var added []string
	for _, e := range changed {
		if _, known := r.ledger.Entry(e.Path); !known && e.Hash != "" {
			added = append(added, e.Path)
		}
	}
	if len(added) == 0 {
		return
	}
	there := map[string]string{} // by what names are told apart by
	folders := map[string]bool{}
	for _, e := range r.ledger.Entries() {
		for dir := path.Dir(e.Path); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
		if r.gone[e.Path] {
			continue
		}
		for p := e.Path; p != "."; p = path.Dir(p) {
			key := fold.Name(p)
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
			r.refuse(name, 0, "is a folder")
		}
		for p := name; p != "."; p = path.Dir(p) {
			if _, known := r.ledger.Entry(p); p != name && (known || files[p]) {
				r.refuse(name, 0, "%s is a file, not a folder", p)
				break
			}
			key := fold.Name(p)
			if other, is := there[key]; is && other != p {
				r.refuse(p, 0, "differs from %s only by capitals or the form of its accents", other)
				break
			}
			there[key] = p
		}
	}
}

// read checks the bytes of what comes, and keeps the texts in memory until the
// change is made.
func (r *review) read(ctx context.Context, folder *store.Worktree, changed []Entry) error {
	var texts int64
	for _, e := range changed {
		if e.Hash != "" && IsMarkdown(e.Path) {
			texts += e.Size
		}
	}
	if texts > maxReviewedBytes {
		r.refuse(".", 0, "more than %s of posts in one change", bytesOf(maxReviewedBytes))
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
		case IsMarkdown(e.Path):
			if line, why := Unprintable(b); why != "" {
				r.refuse(e.Path, line, "%s", why)
			}
			r.sources[e.Path] = b
		case isConfig(e.Path):
			r.config(e.Path, b)
		default:
			if why := wrongType(e.Path, b); why != "" {
				r.refuse(e.Path, 0, "%s", why)
			}
		}
	}
	return nil
}

// Unprintable returns the first line with something that has no place in a text,
// because a terminal might obey it, and what that is; "" if there is none.
func Unprintable(b []byte) (line int, why string) {
	if !utf8.Valid(b) {
		for n, l := range bytes.Split(b, []byte("\n")) {
			if !utf8.Valid(l) {
				return n + 1, "is not UTF-8"
			}
		}
	}
	for i, c := range b {
		if c >= ' ' && c < 0x7f || c > 0xc2 || c == '\n' || c == '\r' || c == '\t' || c == '\f' {
			continue
		}
		if r, _ := utf8.DecodeRune(b[i:]); r < 0xa0 { // what does not begin a rune is RuneError
			return bytes.Count(b[:i], []byte("\n")) + 1, fmt.Sprintf("holds a control character (%U)", r)
		}
	}
	return 0, ""
}

// isConfig reports whether a file is the blog's own configuration.
func isConfig(name string) bool {
	return slices.Contains(siteFiles, strings.TrimPrefix(name, "content/"))
}

// config checks site.yaml as strictly as a post.
func (r *review) config(name string, b []byte) {
	if line, why := Unprintable(b); why != "" {
		r.refuse(name, line, "%s", why)
		return
	}
	fs, bad := frontmatter.ParseFile(name, b)
	if bad != nil {
		r.refuse(name, bad.Line, "%s", bad.Text)
		return
	}
	site := Site{Location: time.Local}
	for _, p := range site.fill(name, fs) {
		p.Warning = false
		r.problems = append(r.problems, p)
	}
}

// wrongType returns why a picture is not what its name says, "" if it is or if
// the name says nothing. The type of a file is never taken from its name.
func wrongType(name string, b []byte) string {
	want := map[string]string{
		".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
		".bmp": "image/bmp", ".ico": "image/x-icon", ".pdf": "application/pdf",
	}[strings.ToLower(path.Ext(name))]
	if is := http.DetectContentType(b); want != "" && is != want {
		is, _, _ = strings.Cut(is, ";")
		return fmt.Sprintf("is not what its name says: it looks like %s", is)
	}
	return ""
}

// judge compares the blog as it would be with the blog as it is. Errors of the
// files that change are reasons to refuse, and so are new ones elsewhere: when
// two posts want one slug, it is the fault of the one that comes. If all is
// set, the files that came without a change are looked at as well.
func (r *review) judge(before, after *snapshot, changed []Entry, all bool) {
	ours := map[string]bool{}
	for _, c := range changed {
		ours[c.Path] = c.Hash != ""
	}
	if all {
		for _, came := range r.receipt.Files {
			ours[came.Path] = came.Action != Removed
		}
	}
	known := make(map[Problem]bool, len(before.author.problems))
	for _, p := range before.author.problems {
		known[p] = true
	}
	for _, p := range after.author.problems {
		switch {
		case !ours[p.Path] && known[p]:
		case p.Warning:
			r.receipt.Warnings = append(r.receipt.Warnings, p)
		default:
			r.problems = append(r.problems, p)
		}
	}
	if len(r.problems) > 0 {
		return
	}
	n := 0
	for name, here := range ours {
		p := after.post(name)
		if !here || p == nil {
			continue
		}
		if n++; n <= maxInspected {
			r.receipt.Warnings = append(r.receipt.Warnings, after.author.inspect(p)...)
		}
		if old := before.post(name); old != nil && old.Slug != p.Slug {
			r.move(old, p)
		}
	}
	if n > maxInspected {
		r.receipt.Warnings = append(r.receipt.Warnings, Problem{Path: ".", Warning: true,
			Text: fmt.Sprintf("of %d posts %d were looked through for dead links and missing images", n, maxInspected)})
	}
	for to, from := range r.renamed {
		r.move(before.post(from), after.post(to))
	}
	sortProblems(r.receipt.Warnings)
}

// findRenamed finds the posts that a change moves: one that goes and one that
// comes with the same bytes, or else with the same title, are the same post.
func (r *review) findRenamed(before *snapshot, next *index, changed []Entry) {
	r.renamed = map[string]string{}
	claims := next.claims(make([]State, len(next.entries)))
	var arrived []Entry
	for _, e := range changed {
		if i, ok := next.entries.find(e.Path); ok && claims[i].listed() && before.post(e.Path) == nil {
			arrived = append(arrived, e)
		}
	}
	if len(arrived) == 0 {
		return
	}
	for _, by := range []func(e *entry, hash string) string{
		func(e *entry, hash string) string { return hash },
		func(e *entry, hash string) string {
			if !e.titled {
				return ""
			}
			return e.title
		},
	} {
		taken := map[string]bool{}
		for _, from := range r.renamed {
			taken[from] = true
		}
		left := map[string][]string{}
		for _, name := range slices.Sorted(maps.Keys(r.gone)) {
			if p := before.post(name); p != nil && !taken[name] {
				was, _ := r.ledger.Entry(name)
				key := by(p.entry, was.Hash)
				left[key] = append(left[key], name)
			}
		}
		for _, e := range arrived {
			key := by(next.entries.get(e.Path), e.Hash)
			if from := left[key]; key != "" && len(from) > 0 && r.renamed[e.Path] == "" {
				left[key], r.renamed[e.Path] = from[1:], from[0]
			}
		}
	}
}

// meta returns the record of the commit: what came with the change, and the
// addresses that posts had.
func (r *review) meta() map[string]string {
	if len(r.moved) == 0 {
		return r.Meta
	}
	meta := maps.Clone(r.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	for old, to := range r.moved {
		meta[movedKey+old] = to
	}
	return meta
}

// movedKey begins the keys of a commit's Meta that keep old addresses: the
// rest is the address, the value the path of the post it leads to.
const movedKey = "blog.moved."

// pathPrefix marks a path in the place of an address: it was renamed.
const pathPrefix = "/"

// move notes that a post is found at another address or path.
func (r *review) move(old, now *Post) {
	if old.Slug != now.Slug {
		r.moved[addressKey(old.Slug)] = now.Path
		r.receipt.Warnings = append(r.receipt.Warnings, now.movedFrom(old))
	}
	if old.Path != now.Path {
		r.moved[pathPrefix+old.Path] = now.Path
	}
}

func (p *Post) movedFrom(old *Post) Problem {
	text := fmt.Sprintf("slug changed from %q to %q; the old one still leads here", old.Slug, p.Slug)
	return Problem{Path: p.Path, Warning: true, Text: text}
}
