package blog

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// An Autosave is a text that is not in the blog yet and must not be lost: what
// an author is writing, or an upload that was refused.
type Autosave struct {
	Text
	ID      string
	Author  string
	Cursor  int // in bytes of the body
	Time    time.Time
	Channel string
	Reason  string // why the text was refused; "" for one that is being written
}

// maxAutosaves bounds the texts of one author.
const maxAutosaves = 100

// Each autosave is a state (see store.State) named by the prefix, its author
// and its ID: a line with the magic and the checksum of the rest, a line of
// JSON, and the body.
const (
	autosavePrefix = "edit-"
	autosaveMagic  = "sheaf-edit "
)

var autosaveID = lazyregexp.New(`^[a-z0-9]{1,40}$`)

// autosavesOf begins the names of an author's autosaves. A byline may hold
// anything, so the name has its hash.
func autosavesOf(author string) string {
	hash := sha256.Sum256([]byte(author))
	return autosavePrefix + hex.EncodeToString(hash[:8]) + "-"
}

// random returns 128 bits that nobody can guess, in letters and digits.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Autosave keeps a text until it is discarded: when it returns nil, the text
// outlives the server. One without an ID is new, any other replaces the
// author's autosave of that ID. Author is ignored, and a zero Time is now. When
// an author has 100, the oldest refused upload makes room; if none was refused,
// the answer is a Refusal. That ctx ends does not stop it: autosaves are for
// connections that are lost.
func (a Author) Autosave(_ context.Context, s Autosave) (id string, err error) {
	size, limit := int64(len(s.Body)), a.blog.limits.Post
	switch {
	case size > limit:
		return "", refusal(s.Path, "is too big: %s; at most %s", bytesOf(size), bytesOf(limit))
	case s.ID != "" && !autosaveID().MatchString(s.ID):
		return "", fmt.Errorf("kept text %q: %w", markdown.Shorten(markdown.Clean(s.ID), 40), fs.ErrInvalid)
	case len(s.Path) > maxPath:
		return "", fmt.Errorf("kept text: its path is longer than %d bytes", maxPath)
	}
	s.Author = a.name
	s.Cursor = min(max(s.Cursor, 0), len(s.Body))
	s.Reason = markdown.Shorten(markdown.Line(s.Reason), 1000)
	s.Channel = markdown.Shorten(markdown.Line(s.Channel), 20)
	if s.Time.IsZero() {
		s.Time = a.blog.lib.now()
	}
	a.blog.autosaving.Lock()
	defer a.blog.autosaving.Unlock()
	names, err := a.autosaveNames()
	if err != nil {
		return "", fmt.Errorf("kept texts: %w", err)
	}
	isNew := s.ID == "" || !slices.Contains(names, autosavesOf(a.name)+s.ID)
	if s.ID == "" {
		s.ID = random()
	}
	if isNew && len(names) >= maxAutosaves {
		if err := a.discardOldest(names); err != nil {
			return "", err
		}
	}
	b, err := s.marshal()
	if err != nil {
		return "", err
	}
	if err := a.blog.state.SetState(autosavesOf(a.name)+s.ID, b); err != nil {
		return "", err
	}
	return s.ID, nil
}

// discardOldest discards the oldest of the refused uploads.
func (a Author) discardOldest(names []string) error {
	for _, s := range slices.Backward(a.readAutosaves(names)) {
		if s.Reason != "" {
			return a.blog.state.SetState(autosavesOf(a.name)+s.ID, nil)
		}
	}
	return refusal("texts", "%d are kept for you already; discard one first", len(names))
}

// autosaveNames returns the names of the states that are the author's
// autosaves.
func (a Author) autosaveNames() ([]string, error) {
	names, err := a.blog.state.States()
	mine := autosavesOf(a.name)
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, mine) }), err
}

// Autosaves returns the author's own autosaves, the newest first. One that is
// damaged is left where it is, and left out.
func (a Author) Autosaves(context.Context) ([]Autosave, error) {
	names, err := a.autosaveNames()
	if err != nil {
		return nil, fmt.Errorf("kept texts: %w", err)
	}
	return a.readAutosaves(names), nil
}

func (a Author) readAutosaves(names []string) []Autosave {
	var all []Autosave
	for _, name := range names {
		b, err := a.blog.state.State(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // discarded meanwhile
		}
		var s Autosave
		if err == nil {
			s, err = unmarshalAutosave(b)
		}
		if err == nil && (s.Author != a.name || autosavesOf(a.name)+s.ID != name) {
			err = errors.New("is not what its name says")
		}
		if err != nil {
			a.blog.log.Warn("kept text not read", "state", name, "err", markdown.Line(err.Error()))
			continue
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(s, o Autosave) int { return cmp.Or(o.Time.Compare(s.Time), strings.Compare(s.ID, o.ID)) })
	return all
}

// DiscardAutosave removes one of the author's own autosaves. That there is none
// of that ID is no error.
func (a Author) DiscardAutosave(_ context.Context, id string) error {
	if !autosaveID().MatchString(id) {
		return fmt.Errorf("kept text %q: %w", markdown.Shorten(markdown.Clean(id), 40), fs.ErrInvalid)
	}
	a.blog.autosaving.Lock()
	defer a.blog.autosaving.Unlock()
	return a.blog.state.SetState(autosavesOf(a.name)+id, nil)
}

// LockAutosave marks an autosave as being written in this session, for the
// author's other sessions to know, until unlock is called or the server ends.
// Several sessions may hold the same lock: it keeps nobody from writing.
func (a Author) LockAutosave(id string) (unlock func()) {
	if id == "" {
		return func() {}
	}
	name := autosavesOf(a.name) + id
	a.blog.autosaving.Lock()
	defer a.blog.autosaving.Unlock()
	a.blog.autosaveLocks[name]++
	return func() {
		a.blog.autosaving.Lock()
		defer a.blog.autosaving.Unlock()
		if a.blog.autosaveLocks[name]--; a.blog.autosaveLocks[name] <= 0 {
			delete(a.blog.autosaveLocks, name)
		}
	}
}

// AutosaveLocked reports whether a session is writing an autosave now.
func (a Author) AutosaveLocked(id string) bool {
	a.blog.autosaving.Lock()
	defer a.blog.autosaving.Unlock()
	return a.blog.autosaveLocks[autosavesOf(a.name)+id] > 0
}

// autosaveHead is what stands before the body.
type autosaveHead struct {
	ID      string    `json:"id"`
	Author  string    `json:"author"`
	Path    string    `json:"path,omitempty"`
	Hash    string    `json:"hash,omitempty"`
	Cursor  int       `json:"at,omitempty"`
	Time    time.Time `json:"time"`
	Channel string    `json:"door,omitempty"`
	Reason  string    `json:"reason,omitempty"`
}

func (s Autosave) marshal() ([]byte, error) {
	head, err := json.Marshal(autosaveHead{
		ID: s.ID, Author: s.Author, Path: s.Path, Hash: s.Hash,
		Cursor: s.Cursor, Time: s.Time, Channel: s.Channel, Reason: s.Reason,
	})
	if err != nil {
		return nil, fmt.Errorf("kept text: %w", err)
	}
	rest := slices.Concat(head, []byte("\n"), s.Body)
	check := sha256.Sum256(rest)
	return slices.Concat([]byte(autosaveMagic+hex.EncodeToString(check[:])+"\n"), rest), nil
}

func unmarshalAutosave(b []byte) (Autosave, error) {
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	check := sha256.Sum256(rest)
	if string(first) != autosaveMagic+hex.EncodeToString(check[:]) {
		return Autosave{}, errors.New("is damaged")
	}
	line, body, _ := bytes.Cut(rest, []byte("\n"))
	var h autosaveHead
	if err := json.Unmarshal(line, &h); err != nil {
		return Autosave{}, err
	}
	return Autosave{
		Text: Text{Path: h.Path, Hash: h.Hash, Body: body}, ID: h.ID, Author: h.Author,
		Cursor: min(max(h.Cursor, 0), len(body)), Time: h.Time, Channel: h.Channel, Reason: h.Reason,
	}, nil
}
