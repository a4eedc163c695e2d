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

// A Kept is a text that is not in the blog yet and must not be lost: what an
// author is writing, or an upload that was refused.
type Kept struct {
	ID     string
	Author string
	Path   string // of the post; "" when it has none yet
	Base   Rev    // what the author saw
	Hash   string // the blob that the edit began from, "" for a new post
	Text   []byte
	At     int // the cursor, in bytes
	Time   time.Time
	Door   string
	Reason string // why it was refused; "" for what is being written
}

// maxKept bounds the texts of one author.
const maxKept = 100

// The state of a kept text is named keptPrefix, whose it is, and its ID. It
// holds a line with the checksum of the rest, a line of JSON, and the text.
const (
	keptPrefix = "edit-"
	keptMagic  = "sheaf-edit "
)

var keptID = lazyregexp.New(`^[a-z0-9]{1,40}$`)

// keptOf begins the names of an author's texts. A byline may hold anything, so
// that it is not in them.
func keptOf(author string) string {
	hash := sha256.Sum256([]byte(author))
	return keptPrefix + hex.EncodeToString(hash[:8]) + "-"
}

// random gives 128 bits that nobody can guess, in letters and digits.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Keep puts a text aside until Forget, durably: when it returns nil the text
// outlives the server. Without an ID it is a new one, else it takes the place of
// the author's text of that ID. The author is the visitor, and a zero Time is
// now. Of more than 100 texts the oldest refused upload goes; if all are being
// written the answer is an error. A context that ends does not stop it: that a
// connection is lost is what it is for.
func (a Author) Keep(_ context.Context, k Kept) (id string, err error) {
	switch {
	case int64(len(k.Text)) > a.blog.limits.Post:
		return "", refusal(k.Path, "is too big: %s; at most %s", bytesOf(int64(len(k.Text))), bytesOf(a.blog.limits.Post))
	case k.ID != "" && !keptID().MatchString(k.ID):
		return "", fmt.Errorf("kept text %q: %w", markdown.Shorten(markdown.Clean(k.ID), 40), fs.ErrInvalid)
	case len(k.Path) > maxPath:
		return "", fmt.Errorf("kept text: its path is longer than %d bytes", maxPath)
	}
	k.Author = a.name
	k.At = min(max(k.At, 0), len(k.Text))
	k.Reason, k.Door = markdown.Shorten(oneLine(k.Reason), 1000), markdown.Shorten(oneLine(k.Door), 20)
	if k.Time.IsZero() {
		k.Time = a.blog.lib.now()
	}
	a.blog.keeping.Lock()
	defer a.blog.keeping.Unlock()
	mine := keptOf(a.name)
	names, err := a.keptNames()
	if err != nil {
		return "", fmt.Errorf("kept texts: %w", err)
	}
	fresh := k.ID == "" || !slices.Contains(names, mine+k.ID)
	if k.ID == "" {
		k.ID = random()
	}
	if fresh && len(names) >= maxKept {
		if err := a.makeRoom(names); err != nil {
			return "", err
		}
	}
	b, err := k.marshal()
	if err != nil {
		return "", err
	}
	if err := a.blog.state.SetState(mine+k.ID, b); err != nil {
		return "", err
	}
	return k.ID, nil
}

// makeRoom forgets the oldest of the refused uploads.
func (a Author) makeRoom(names []string) error {
	all := a.readKept(names)
	for _, k := range slices.Backward(all) {
		if k.Reason != "" {
			return a.blog.state.SetState(keptOf(a.name)+k.ID, nil)
		}
	}
	return refusal("texts", "%d are kept for you already; discard one first", len(names))
}

func (a Author) keptNames() ([]string, error) {
	names, err := a.blog.state.States()
	mine := keptOf(a.name)
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, mine) }), err
}

// Kept gives the visitor's own texts that were put aside, the newest first. One
// that is damaged is left where it is, and out.
func (a Author) Kept(context.Context) ([]Kept, error) {
	names, err := a.keptNames()
	if err != nil {
		return nil, fmt.Errorf("kept texts: %w", err)
	}
	return a.readKept(names), nil
}

func (a Author) readKept(names []string) []Kept {
	var all []Kept
	for _, name := range names {
		b, err := a.blog.state.State(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // forgotten meanwhile
		}
		var k Kept
		if err == nil {
			k, err = unmarshalKept(b)
		}
		if err == nil && (k.Author != a.name || keptOf(a.name)+k.ID != name) {
			err = errors.New("is not what its name says")
		}
		if err != nil {
			a.blog.log.Warn("kept text not read", "state", name, "err", oneLine(err.Error()))
			continue
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Kept) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.ID, b.ID)) })
	return all
}

// Forget gives up one of the visitor's own texts; one that is not there is
// forgotten already.
func (a Author) Forget(_ context.Context, id string) error {
	switch {
	case !keptID().MatchString(id):
		return fmt.Errorf("kept text %q: %w", markdown.Shorten(markdown.Clean(id), 40), fs.ErrInvalid)
	}
	a.blog.keeping.Lock()
	defer a.blog.keeping.Unlock()
	return a.blog.state.SetState(keptOf(a.name)+id, nil)
}

// Hold says that a kept text is being written now, in this session, for Held to
// tell the author's other sessions. Calling release ends that; a server that
// ends does too.
func (a Author) Hold(id string) (release func()) {
	if id == "" {
		return func() {}
	}
	name := keptOf(a.name) + id
	a.blog.keeping.Lock()
	defer a.blog.keeping.Unlock()
	a.blog.held[name]++
	return func() {
		a.blog.keeping.Lock()
		defer a.blog.keeping.Unlock()
		if a.blog.held[name]--; a.blog.held[name] <= 0 {
			delete(a.blog.held, name)
		}
	}
}

// Held reports whether some session writes a kept text now.
func (a Author) Held(id string) bool {
	a.blog.keeping.Lock()
	defer a.blog.keeping.Unlock()
	return a.blog.held[keptOf(a.name)+id] > 0
}

// keptHead is what stands before a text.
type keptHead struct {
	ID     string    `json:"id"`
	Author string    `json:"author"`
	Path   string    `json:"path,omitempty"`
	Base   Rev       `json:"base,omitempty"`
	Hash   string    `json:"hash,omitempty"`
	At     int       `json:"at,omitempty"`
	Time   time.Time `json:"time"`
	Door   string    `json:"door,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

func (k Kept) marshal() ([]byte, error) {
	head, err := json.Marshal(keptHead{k.ID, k.Author, k.Path, k.Base, k.Hash, k.At, k.Time, k.Door, k.Reason})
	if err != nil {
		return nil, fmt.Errorf("kept text: %w", err)
	}
	rest := slices.Concat(head, []byte("\n"), k.Text)
	check := sha256.Sum256(rest)
	return slices.Concat([]byte(keptMagic+hex.EncodeToString(check[:])+"\n"), rest), nil
}

func unmarshalKept(b []byte) (Kept, error) {
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	check := sha256.Sum256(rest)
	if string(first) != keptMagic+hex.EncodeToString(check[:]) {
		return Kept{}, errors.New("is damaged")
	}
	line, text, _ := bytes.Cut(rest, []byte("\n"))
	var h keptHead
	if err := json.Unmarshal(line, &h); err != nil {
		return Kept{}, err
	}
	return Kept{ID: h.ID, Author: h.Author, Path: h.Path, Base: h.Base, Hash: h.Hash, Text: text, At: min(max(h.At, 0), len(text)),
		Time: h.Time, Door: h.Door, Reason: h.Reason}, nil
}
