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
func (a Author) Open(ctx context.Context, slug string) (name string, rev Rev, hash string, src []byte, err error) {
	if err := a.blog.adoption(ctx); err != nil {
		return "", 0, "", nil, err
	}
	l := a.blog.lib.folder.Ledger() // first: what follows is not older
	e := a.Edition()
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
	src, _, err = a.blog.lib.folder.ReadFile(name, a.MaxFile(name))
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
func (a Author) Save(ctx context.Context, name string, base Rev, hash string, src []byte, message string) (Receipt, error) {
	if head := a.blog.lib.folder.Ledger().Rev(); base > head {
		return Receipt{}, fmt.Errorf("revision %d: %w", base, fs.ErrNotExist)
	}
	now, err := a.Put(ctx, src)
	if err != nil {
		return Receipt{}, err
	}
	return a.Commit(ctx, Change{Entries: []Entry{{Path: name, Hash: now, Size: int64(len(src))}}, Message: message,
		stands: map[string]string{name: hash}})
}

// Edited is when a post's file was last changed. It is one look into a table.
func (a Author) Edited(p *Post) time.Time {
	if p == nil {
		return time.Time{}
	}
	if e, ok := a.blog.lib.folder.Ledger().Entry(p.Path); ok {
		return e.MTime
	}
	s, err := a.blog.lib.folder.Stat(p.Path) // it is not in the history yet
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, s.MTime)
}
