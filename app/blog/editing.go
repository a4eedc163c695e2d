package blog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Open gives a text to edit, of a post by its slug or of a file by its path,
// one that cannot be read as a post too: its path, and the revision and the
// blob that an edit of it begins from. fs.ErrNotExist if there is none.
func (v Visitor) Open(ctx context.Context, slug string) (name string, rev Rev, hash string, src []byte, err error) {
	if !v.author {
		return "", 0, "", nil, ErrNotAuthor
	}
	if err := v.blog.adoption(ctx); err != nil {
		return "", 0, "", nil, err
	}
	l := v.blog.lib.folder.Ledger() // first: what follows is not older
	e := v.Edition()
	name = strings.Trim(slug, "/")
	p := e.byFile(name)
	if p == nil {
		p, err = e.Post(slug)
	}
	if p != nil {
		name = p.Path
	} else if _, there := l.Entry(name); !there || !isMarkdown(name) && !isConfig(name) {
		return "", 0, "", nil, err
	}
	src, _, err = v.blog.lib.folder.ReadFile(name, v.MaxFile(name))
	if err != nil {
		return "", 0, "", nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(src)
	return name, l.Rev(), hex.EncodeToString(sum[:]), src, nil
}

// Save publishes an edited text: one file, one commit. It is made only if what
// stands at the path is still the blob that the edit began from, "" for
// nothing: else it is a Refusal that is ErrConflict and says who was first. That
// somebody else has written the very same is no conflict.
func (v Visitor) Save(ctx context.Context, name string, base Rev, hash string, src []byte, message string) (Receipt, error) {
	if !v.author {
		return Receipt{}, ErrNotAuthor
	}
	if head := v.blog.lib.folder.Ledger().Rev(); base > head {
		return Receipt{}, fmt.Errorf("revision %d: %w", base, fs.ErrNotExist)
	}
	now, err := v.Put(ctx, src)
	if err != nil {
		return Receipt{}, err
	}
	return v.Commit(ctx, Change{Entries: []Entry{{Path: name, Hash: now, Size: int64(len(src))}}, Message: message,
		stands: map[string]string{name: hash}})
}

// Edited is when a post's file was last changed, zero for those who are no
// authors. It is one look into a table.
func (v Visitor) Edited(p *Post) time.Time {
	if !v.author || p == nil {
		return time.Time{}
	}
	if e, ok := v.blog.lib.folder.Ledger().Entry(p.Path); ok {
		return e.MTime
	}
	s, err := v.blog.lib.folder.Stat(p.Path) // it is not in the history yet
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, s.MTime)
}
