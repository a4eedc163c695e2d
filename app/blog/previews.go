package blog

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Preview shows one post, whatever its state, to everybody who has the token,
// until it is revoked or the post is removed.
type Preview struct {
	Token  string    `json:"token"`
	Path   string    `json:"path"`
	Author string    `json:"author"` // who shares it
	Since  time.Time `json:"since"`
}

// previewsState names the small state that previews are kept in.
const previewsState = "previews"

const maxPreviews = 1000

// previews are the posts that are shown to guests.
type previews struct {
	mu   sync.RWMutex
	rev  Rev               // what they have followed
	list map[string]*share // by path
}

// A share is an open preview. Guests hold on to it: when it ends, its edition
// becomes empty.
type share struct {
	Preview
	edition atomic.Pointer[Edition]
}

type previewsFile struct {
	Rev  Rev       `json:"rev"`
	List []Preview `json:"previews"`
}

// loadPreviews reads what was shared before the start.
func (b *Blog) loadPreviews() {
	p := &b.previews
	p.list, p.rev = map[string]*share{}, b.lib.worktree.Ledger().Rev()
	var file previewsFile
	src, err := b.state.State(previewsState)
	if err == nil {
		err = json.Unmarshal(src, &file)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			b.log.Warn("previews not read: none is open", "err", markdown.Line(err.Error()))
		}
		return
	}
	p.rev = min(p.rev, file.Rev)
	for _, one := range file.List {
		p.list[one.Path] = &share{Preview: one}
	}
}

// save makes the previews durable. The caller holds the lock.
func (p *previews) save(state store.State) error {
	file := previewsFile{Rev: p.rev}
	for _, s := range p.list {
		file.List = append(file.List, s.Preview)
	}
	slices.SortFunc(file.List, func(a, b Preview) int { return strings.Compare(a.Path, b.Path) })
	src, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("previews: %w", err)
	}
	return state.SetState(previewsState, src)
}

// followMoves follows posts that were moved, and ends the previews of posts
// that were removed. It reports whether any preview has changed. The caller
// holds the lock.
func (p *previews) followMoves(commits []store.Commit) (changed bool) {
	for _, c := range commits {
		p.rev = c.Rev
		if len(p.list) == 0 {
			continue
		}
		_, moved := renamings(c)
		gone := map[string]bool{}
		for _, e := range c.Entries {
			gone[e.Path] = e.Hash == ""
		}
		next := make(map[string]*share, len(p.list))
		for at, s := range p.list {
			to, is := moved[at]
			switch {
			case is:
				s.Path, changed = to, true
				next[to] = s
			case gone[at]:
				s.end()
				changed = true
			case next[at] == nil:
				next[at] = s
			}
		}
		p.list = next
	}
	return changed
}

// end takes the post away from those who have it open.
func (s *share) end() {
	if old := s.edition.Load(); old != nil {
		s.show(nil, old.site)
	}
}

// show sets what guests see: the post, or nothing if p is nil.
func (s *share) show(p *Post, site Site) {
	var only []*Post
	if p != nil {
		only = []*Post{p}
	}
	old := s.edition.Load()
	if old != nil && old.site.equal(site) && slices.Equal(old.all, only) {
		return
	}
	s.edition.Store(newEdition(site, only...))
	if old != nil {
		close(old.superseded)
	}
}

// showPreviews brings all previews to a snapshot.
func (b *Blog) showPreviews(v *snapshot) {
	p := &b.previews
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.followMoves(b.lib.worktree.Ledger().Commits(p.rev)) {
		if err := p.save(b.state); err != nil {
			b.log.Warn("previews not kept", "err", markdown.Line(err.Error()))
		}
	}
	for at, one := range p.list {
		one.show(v.post(at), v.author.site)
	}
}

// Share makes a token that cannot be guessed and shows a post to whoever has
// it. A post that is shared already keeps its token. The error is
// fs.ErrNotExist if there is no such post.
func (a Author) Share(_ context.Context, slug string) (Preview, error) {
	b := a.blog
	p := &b.previews
	p.mu.Lock()
	defer p.mu.Unlock()
	e := a.Edition()
	post, err := e.Post(slug)
	if err != nil {
		return Preview{}, err
	}
	if s := p.list[post.Path]; s != nil {
		return s.Preview, nil
	}
	if len(p.list) >= maxPreviews {
		return Preview{}, refusal(post.Path, "%d posts are shared already; revoke one first", len(p.list))
	}
	since := b.lib.now().Truncate(time.Second)
	s := &share{Preview: Preview{Token: random(), Path: post.Path, Author: a.name, Since: since}}
	p.list[post.Path] = s
	if err := p.save(b.state); err != nil {
		delete(p.list, post.Path)
		return Preview{}, err
	}
	s.show(post, e.site)
	return s.Preview, nil
}

// Revoke ends a preview, also for those who have it open. The error is
// fs.ErrNotExist if there is no such preview.
func (a Author) Revoke(_ context.Context, token string) error {
	p := &a.blog.previews
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(token)
	if s == nil {
		return fmt.Errorf("preview: %w", fs.ErrNotExist)
	}
	delete(p.list, s.Path)
	if err := p.save(a.blog.state); err != nil {
		p.list[s.Path] = s
		return err
	}
	s.end()
	return nil
}

// find compares all of every token, so that the time it takes tells nothing.
// The caller holds the lock.
func (p *previews) find(token string) (found *share) {
	for _, s := range p.list {
		if subtle.ConstantTimeCompare([]byte(s.Token), []byte(token)) == 1 {
			found = s
		}
	}
	return found
}

// PreviewOf returns the preview of a post; ok is false if it is not shared.
func (a Author) PreviewOf(post *Post) (Preview, bool) {
	if post == nil {
		return Preview{}, false
	}
	p := &a.blog.previews
	p.mu.RLock()
	defer p.mu.RUnlock()
	s := p.list[post.Path]
	if s == nil {
		return Preview{}, false
	}
	return s.Preview, true
}

// Guest returns a visitor who sees the one post of a preview and nothing else,
// as long as it is shared. ok is false if the token is not that of an open
// preview.
func (b *Blog) Guest(token string) (Visitor, bool) {
	p := &b.previews
	p.mu.RLock()
	defer p.mu.RUnlock()
	s := p.find(token)
	if s == nil {
		return Visitor{}, false
	}
	e := s.edition.Load()
	if e == nil || len(e.all) == 0 { // the file is not there at the moment
		return Visitor{}, false
	}
	return Visitor{blog: b, guest: s}, true
}

// Preview returns the slug of the post that a guest sees, "" if that is gone;
// ok is false for all other visitors.
func (v Visitor) Preview() (slug string, ok bool) {
	if v.guest == nil {
		return "", false
	}
	if list := v.guest.edition.Load().posts; len(list) > 0 {
		slug = list[0].Slug
	}
	return slug, true
}
