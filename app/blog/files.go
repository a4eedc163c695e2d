package blog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/store"
)

// Files are the files of the blog at one revision, as a visitor may fetch them:
// for authors all, for readers the sources of what is published and the files
// that these name. They are immutable and shared by all visitors of a kind.
type Files struct {
	blog    *Blog
	author  bool
	ledger  *store.Ledger
	edition *Edition
	list    []FileInfo            // sorted by path
	at      map[string]FileInfo   // directories too, and what is in no list
	in      map[string][]FileInfo // by directory, sorted
	posts   map[string]*Post      // of readers: by path
	hashes  map[string]string     // of readers: the paths
}

// A FileInfo describes one file or directory.
type FileInfo struct {
	Path  string // "." is the top
	Dir   bool
	Size  int64
	MTime time.Time
	Hash  string
}

// Files returns the files of the newest revision. It waits until the folder has
// been compared with the history once since the start. A guest has no files:
// the error is fs.ErrNotExist.
func (v Visitor) Files(ctx context.Context) (*Files, error) {
	if v.blog == nil || v.guest != nil {
		return nil, fs.ErrNotExist
	}
	if err := v.blog.awaitImport(ctx); err != nil {
		return nil, err
	}
	last := &v.blog.files.reader
	if v.author {
		last = &v.blog.files.author
	}
	ledger, edition := v.blog.lib.worktree.Ledger(), v.Edition()
	if f := last.Load(); f != nil && f.ledger == ledger && f.edition == edition && ledger.Rev() > 0 {
		return f, nil
	}
	f := &Files{
		blog: v.blog, author: v.author, ledger: ledger, edition: edition,
		at: map[string]FileInfo{}, in: map[string][]FileInfo{}, hashes: map[string]string{},
	}
	entries := ledger.Entries()
	if ledger.Rev() == 0 {
		// Nothing has been kept: the folder is empty, or cannot be written.
		if entries = v.blog.standing(); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	var public map[string]bool
	if !v.author {
		public, f.posts = edition.public(entries)
	}
	f.fill(entries, public)
	last.Store(f)
	return f, nil
}

// fill enters the files: all for authors, for readers those that are public,
// which are listed if the value is true.
func (f *Files) fill(entries []Entry, public map[string]bool) {
	f.at["."] = FileInfo{Path: ".", Dir: true}
	for _, e := range entries {
		listed, is := public[e.Path]
		if !f.author && !is {
			continue
		}
		info := FileInfo{Path: e.Path, Size: e.Size, MTime: e.MTime, Hash: e.Hash}
		if info.Hash == "" {
			b, _, err := f.blog.lib.worktree.ReadFile(e.Path, f.blog.limits.File)
			if err != nil {
				continue
			}
			hash := sha256.Sum256(b)
			info.Hash, info.Size = hex.EncodeToString(hash[:]), int64(len(b))
		}
		if !f.author {
			f.hashes[info.Hash] = info.Path
		}
		if f.author || listed {
			f.list = append(f.list, info)
			f.add(info)
		} else {
			f.at[info.Path] = info
		}
	}
	for dir := range f.in {
		slices.SortFunc(f.in[dir], func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) })
	}
}

// standing returns the plain files as they are, sorted by path, without hashes.
func (b *Blog) standing() []Entry {
	var entries []Entry
	_ = b.lib.worktree.Walk(func(d *store.Dir) (enter []string) { // then there are none
		for _, name := range d.Files {
			p := path.Join(d.Path, name)
			if s, err := b.lib.worktree.Stat(p); err == nil && !Scratch(name) && s.Size <= b.limits.File {
				entries = append(entries, Entry{Path: p, Size: s.Size, MTime: time.Unix(0, s.MTime)})
			}
		}
		for _, name := range d.Dirs {
			if !unwatched(path.Join(d.Path, name)) {
				enter = append(enter, name)
			}
		}
		return enter
	})
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries
}

// add enters a file and the directories above it. A directory is as old as the
// first file in it.
func (f *Files) add(info FileInfo) {
	f.at[info.Path] = info
	f.in[path.Dir(info.Path)] = append(f.in[path.Dir(info.Path)], info)
	for dir := path.Dir(info.Path); dir != "."; dir = path.Dir(dir) {
		if _, known := f.at[dir]; known {
			return
		}
		d := FileInfo{Path: dir, Dir: true, MTime: info.MTime}
		f.at[dir] = d
		f.in[path.Dir(dir)] = append(f.in[path.Dir(dir)], d)
	}
}

// Rev is the revision.
func (f *Files) Rev() Rev { return f.ledger.Rev() }

// Stat describes a file or directory. If there is no file at a path SLUG.md,
// that is the source of the post with this slug. The error is fs.ErrNotExist,
// also for what the visitor may not have.
func (f *Files) Stat(name string) (FileInfo, error) {
	name = path.Clean(strings.Trim(name, "/"))
	if info, ok := f.at[name]; ok {
		return info, nil
	}
	if IsMarkdown(name) {
		if p, err := f.edition.Post(name); err == nil {
			if info, ok := f.at[p.Path]; ok {
				return info, nil
			}
		}
	}
	return FileInfo{}, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// List returns what is in a directory, sorted by name.
func (f *Files) List(dir string) ([]FileInfo, error) {
	dir = path.Clean(strings.Trim(dir, "/"))
	if info, ok := f.at[dir]; !ok || !info.Dir {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	return f.in[dir], nil
}

// All returns every file, sorted by path.
func (f *Files) All() iter.Seq[FileInfo] { return slices.Values(f.list) }

// Read returns the bytes of a file that Stat has found; a FileInfo with nothing
// but the hash will do. The revision may be newer than the edition, so readers
// get no text that is not for them any more.
func (f *Files) Read(ctx context.Context, info FileInfo) ([]byte, error) {
	if info.Dir {
		return nil, errors.New("is a directory")
	}
	if info.Path == "" {
		info.Path = f.hashes[info.Hash]
	}
	if _, theirs := f.at[info.Path]; !f.author && !theirs {
		return nil, fmt.Errorf("%s: %w", info.Path, fs.ErrNotExist)
	}
	b, err := f.blog.lib.worktree.Get(ctx, info.Hash)
	if err != nil && f.Rev() == 0 {
		b, _, err = f.blog.lib.worktree.ReadFile(info.Path, f.blog.limits.File)
	}
	if err != nil {
		return nil, err
	}
	if p := f.posts[info.Path]; p != nil && sum(b) != p.entry.hash {
		now := newEntry(p.entry.file, b, p.entry.lib, p.entry.dialect)
		if !now.state(f.blog.lib.now()).Visible() || now.unprintable {
			return nil, fmt.Errorf("%s: %w", info.Path, fs.ErrNotExist)
		}
	}
	return b, nil
}

// public returns the paths that readers may fetch: the sources of what they see
// and the files that these name. The value is false for a file that only an
// unlisted post names, or is: it can be fetched, but is in no list. A source that
// a terminal might obey is not fetched. posts are the readers' posts by path.
func (e *Edition) public(entries []Entry) (paths map[string]bool, posts map[string]*Post) {
	paths, posts = map[string]bool{}, map[string]*Post{}
	type known struct{ full, blank string } // blank: the name, when it has blanks
	byWord := map[string][]known{}
	for _, x := range entries {
		if IsMarkdown(x.Path) || isConfigFile(x.Path) {
			continue
		}
		base := path.Base(x.Path)
		k := known{full: x.Path}
		if i := strings.LastIndexByte(base, ' '); i >= 0 {
			k.blank = base
			byWord[base[i+1:]] = append(byWord[base[i+1:]], k)
		}
		byWord[base] = append(byWord[base], k)
	}
	for _, p := range e.all {
		if !p.State.Visible() {
			continue
		}
		posts[p.Path] = p
		if !p.entry.unprintable {
			paths[p.Path] = !p.Unlisted
		}
		if len(byWord) == 0 {
			continue
		}
		for _, word := range p.names() {
			last := path.Base(word)
			for _, k := range byWord[last] {
				name := word
				if k.blank != "" && last != k.blank { // "photo.png" of "my photo.png"
					if src, err := p.Source(); err != nil || !bytes.Contains(src, []byte(k.blank)) {
						continue
					}
					name = k.blank
				}
				if e.reaches(p, name, k.full) {
					paths[k.full] = paths[k.full] || !p.Unlisted
				}
			}
		}
	}
	return paths, posts
}

// named finds the words of a source that may be the names of files.
var named = lazyregexp.New("[^\\s()<>\"'`\\[\\]{}|=]+\\.[A-Za-z0-9]{1,8}")

// names returns the words of a post's source that may be names of files. It
// looks for them once for each version of the post.
func (p *Post) names() []string {
	if found := p.entry.names.Load(); found != nil {
		return *found
	}
	src, same, err := p.read()
	if err != nil {
		return nil
	}
	const most = 4096
	var found []string
	for _, word := range named().FindAllString(string(src), -1) {
		if strings.Contains(word, "://") || IsMarkdown(word) {
			continue
		}
		if u, err := url.PathUnescape(word); err == nil {
			word = u
		}
		found = append(found, strings.Clone(word))
	}
	slices.Sort(found)
	found = slices.Clone(slices.Compact(found))
	found = found[:min(len(found), most)]
	if same {
		p.entry.names.Store(&found)
	}
	return found
}

// reaches reports whether a name in a post's source can mean a file.
func (e *Edition) reaches(p *Post, word, full string) bool {
	for _, at := range e.places(p) {
		if path.Join(at, strings.TrimPrefix(word, "/")) == full {
			return true
		}
	}
	return false
}

// isConfigFile reports files that say how a site is made. They are the authors'
// alone.
func isConfigFile(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".toml", ".json", ".lock", ".env", ".jl", ".rb", ".js", ".ts", ".mjs", ".html",
		".key", ".pem":
		return true
	}
	return false
}

const (
	maxName = 200 // bytes of one name
	maxPath = 500
)

// PathFor returns the path that an author means who writes to name: cleaned,
// below the folder. The error is a plain reason.
func PathFor(name string) (string, error) {
	clean := path.Clean(strings.TrimLeft(name, "/"))
	switch {
	case clean == "." || clean == "":
		return "", errors.New("names no file")
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", errors.New("leads out of the blog")
	case len(clean) > maxPath:
		return "", fmt.Errorf("is longer than %d bytes", maxPath)
	case !utf8.ValidString(clean):
		return "", errors.New("has a name that is not UTF-8")
	}
	for _, r := range clean {
		const joiner = 0x200d // holds emoji together
		if r == '\\' || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Cf) && r != joiner {
			return "", fmt.Errorf("has a character in its name that cannot be kept (%U)", r)
		}
	}
	for part := range strings.SplitSeq(clean, "/") {
		switch {
		case part[0] == '.':
			return "", errors.New("is hidden: names that begin with a dot are not part of the blog")
		case len(part) > maxName:
			return "", fmt.Errorf("has a name longer than %d bytes", maxName)
		case strings.TrimSpace(part) != part:
			return "", errors.New("has a name that begins or ends with a blank")
		}
	}
	return clean, nil
}

// droppings are the temporary names of editors and of sed.
var droppings = lazyregexp.New(`^(4913|sed[A-Za-z0-9]{6}|#.*#|.*~|.*\.(swp|swo|tmp|part|crdownload|filepart))$`)

// Scratch reports names that are nobody's work: hidden ones, and the temporary
// files of editors and transfers (4913, .x.swp, x~).
func Scratch(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." && part != ".." && part[0] == '.' || droppings().MatchString(part) {
			return true
		}
	}
	return false
}
