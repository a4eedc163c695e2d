package blog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A Text is the source of a post that is being edited, and what the edit began
// from.
type Text struct {
	Path string // "" for a new post that has none yet
	Hash string // of the blob that stood there; "" for none
	Body []byte
}

// Open returns the text of a post by its slug, or of a file by its path, which
// need not be readable as a post. The error is fs.ErrNotExist if there is no
// such post or file.
func (a Author) Open(ctx context.Context, slug string) (Text, error) {
	if err := a.blog.awaitImport(ctx); err != nil {
		return Text{}, err
	}
	e := a.Edition()
	name := strings.Trim(slug, "/")
	p := e.byFile(name)
	if p == nil {
		var err error
		p, err = e.Post(slug)
		_, there := a.blog.lib.worktree.Ledger().Entry(name)
		if err != nil && (!there || !IsMarkdown(name) && !isConfig(name)) {
			return Text{}, err
		}
	}
	if p != nil {
		name = p.Path
	}
	body, _, err := a.blog.lib.worktree.ReadFile(name, a.MaxFile(name))
	if err != nil {
		return Text{}, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	return Text{Path: name, Hash: hex.EncodeToString(sum[:]), Body: body}, nil
}

// Save commits an edited text, if the blob that the edit began from still
// stands at its path. Otherwise the error is a Refusal that is ErrConflict and
// says who was first. That somebody else has saved the same bytes is no
// conflict.
func (a Author) Save(ctx context.Context, t Text, message string) (Receipt, error) {
	hash, err := a.Put(ctx, t.Body)
	if err != nil {
		return Receipt{}, err
	}
	return a.Commit(ctx, Change{
		Entries:  []Entry{{Path: t.Path, Hash: hash, Size: int64(len(t.Body))}},
		Message:  message,
		expected: map[string]string{t.Path: t.Hash},
	})
}

// Edited returns when a post's file was last changed. It costs one look into a
// table.
func (a Author) Edited(p *Post) time.Time {
	if p == nil {
		return time.Time{}
	}
	if e, ok := a.blog.lib.worktree.Ledger().Entry(p.Path); ok {
		return e.MTime
	}
	s, err := a.blog.lib.worktree.Stat(p.Path) // it is not in the history yet
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, s.MTime)
}
