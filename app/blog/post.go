package blog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A State says who can see a post, and where.
type State int

const (
	Published State = iota // in everybody's list
	Page                   // in everybody's menu
	Draft                  // for authors
	Scheduled              // for authors until its date
	Expired                // for authors since its expiryDate
	Broken                 // for authors until its front matter can be read
)

func (s State) String() string {
	return [...]string{"published", "page", "draft", "scheduled", "expired", "broken"}[s]
}

// Visible reports whether readers can see a post in this state.
func (s State) Visible() bool { return s == Published || s == Page }

// A Post is one post or page in one state. It is immutable. Two equal pointers
// are the same text in the same state.
type Post struct {
	Slug        string // the address, without a leading or trailing slash
	Path        string // of the file, below the content folder
	Title       string // one line
	Date        time.Time
	Updated     time.Time // zero: not said
	Expires     time.Time // zero: never
	HasDate     bool
	State       State
	Tags        []string
	Aliases     []string // other addresses
	Authors     []string
	Description string // what the author says it is about; see Summary
	Lang        string
	Series      string
	External    string // the address of a text that is elsewhere, "" for ours
	Unlisted    bool   // can be read by its address, is in no list
	Words       int
	Minutes     int // to read it, at least 1 unless it is empty

	above string // the title shown above the text: the post's; on the home page the site's
	entry *entry
}

// An entry is what is known of one version of one file. Posts that are made of
// it share it, and the next edition takes it over if the file has not changed.
type entry struct {
	file
	hash    uint64
	lib     *library
	dialect markdown.Dialect // "" unless asked for
	given   []byte           // the source, when it is not the folder's to give
	stamp   store.Stamp      // of the file when it was read; only the index looks at it

	metadata
	folded string                     // title and tags as the filter compares them
	text   atomic.Pointer[searchText] // nil until it is made
	names  atomic.Pointer[[]string]   // nil until somebody asks: see Post.names
	keys   atomic.Pointer[addressKeys]

	parsing sync.Mutex // one parser at a time
	doc     weak.Pointer[markdown.Document]
	above   string // that doc was made for
}

// A library is where the posts of a blog are read from, and the documents that
// were parsed.
type library struct {
	worktree *store.Worktree
	docs     *documents
	now      func() time.Time
	pending  map[string]bool // files that are not in the folder yet, or, false, will not be for long
}

// Note is the line under a post's title: "8 April 2021 · 4 min · #life". What
// is not known is left out. For authors it begins with the reason why readers
// do not see the post.
func (p *Post) Note() string {
	var parts []string
	switch p.State {
	case Draft, Broken:
		parts = append(parts, p.State.String())
	case Scheduled:
		parts = append(parts, "goes live "+p.entry.due.Format("2 January 2006 15:04"))
	case Expired:
		parts = append(parts, "expired "+p.Expires.Format("2 January 2006"))
	}
	if p.HasDate && p.State != Scheduled {
		parts = append(parts, p.Date.Format("2 January 2006"))
	}
	if p.Minutes > 0 {
		parts = append(parts, fmt.Sprintf("%d min", p.Minutes))
	}
	if len(p.Tags) > 0 {
		parts = append(parts, "#"+strings.Join(p.Tags, " #"))
	}
	return strings.Join(parts, " · ")
}

// Due returns when readers may see a scheduled post, in the blog's time zone.
// It is zero for any other post.
func (p *Post) Due() time.Time { return p.entry.due }

// Source returns the bytes of the file. The error is fs.ErrNotExist if the post
// was removed, or taken back, since this edition was made.
func (p *Post) Source() ([]byte, error) {
	src, _, err := p.read()
	return src, err
}

// source returns the bytes that were given, else those of the file as it is
// now. They must not be changed.
func (e *entry) source() ([]byte, error) {
	if e.given != nil {
		return e.given, nil
	}
	src, _, err := e.lib.worktree.ReadFile(e.path, maxPost)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.path, err)
	}
	return src, nil
}

// read returns the bytes of the file, and whether they are still those of this
// post. If they are not, only those get them who could see them anyway.
func (p *Post) read() (src []byte, same bool, err error) {
	e := p.entry
	src, err = e.source()
	if err != nil {
		return nil, false, err
	}
	if e.given != nil {
		return slices.Clone(src), true, nil
	}
	if sum(src) == e.hash {
		return src, true, nil
	}
	now := newEntry(e.file, src, e.lib, e.dialect)
	if p.State.Visible() && !now.state(e.lib.now()).Visible() {
		return nil, false, fmt.Errorf("%s: %w", e.path, fs.ErrNotExist)
	}
	return src, false, nil
}

// Document returns the parsed text. It is parsed once for everybody and kept as
// long as somebody uses it or the cache has room. If the post cannot be read
// any more, the document says so. A first heading that repeats the title above
// the text is left out: that is the post's title or, on the home page, the
// site's.
func (p *Post) Document() *markdown.Document {
	e := p.entry
	e.parsing.Lock()
	defer e.parsing.Unlock()
	if d := e.doc.Value(); d != nil && e.above == p.above {
		e.lib.docs.use(e, d)
		return d
	}
	src, same, err := p.read()
	if err != nil {
		why := "This post is gone."
		if !errors.Is(err, fs.ErrNotExist) {
			why = "This post cannot be read: " + store.Reason(err).Error() + "."
		}
		return markdown.Parse([]byte(why+"\n"), markdown.Options{})
	}
	if p.External != "" && p.Words == 0 {
		// The file only sends browsers on.
		src = append(src[:len(src):len(src)], "\n\n[Read it at "+plainHost(p.External)+"]("+p.External+")\n"...)
	}
	o := e.section.options(e.path, e.dialect)
	o.Title = p.above
	d := markdown.Parse(src, o)
	if same {
		e.doc, e.above = weak.Make(d), p.above
		e.lib.docs.use(e, d)
	}
	return d
}

// Summary returns the author's description, else the text before a more-mark,
// else the first paragraph.
func (p *Post) Summary() string {
	if p.Description != "" {
		return p.Description
	}
	return p.Document().Summary
}
