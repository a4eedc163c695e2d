package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// A Rev numbers the commits of a blog: 0 is the empty blog, and each commit
// adds one.
type Rev uint64

// An Entry says what one file is after a commit. Hash is the SHA-256 of its
// bytes in lower-case hexadecimal; "" removes the path.
type Entry struct {
	Path  string // below the folder, with slashes
	Hash  string
	Size  int64
	MTime time.Time
}

// MarshalText gives "HASH SIZE MTIME PATH", or "- PATH" for one that removes;
// MTIME is in nanoseconds since 1970. The log of a large blog is read at every
// start, and this is read several times quicker than an object.
func (e Entry) MarshalText() ([]byte, error) {
	if e.Hash == "" {
		return append([]byte("- "), e.Path...), nil
	}
	return fmt.Appendf(nil, "%s %d %d %s", e.Hash, e.Size, e.MTime.UnixNano(), e.Path), nil
}

// UnmarshalText reads what MarshalText gives.
func (e *Entry) UnmarshalText(text []byte) error {
	if path, ok := strings.CutPrefix(string(text), "- "); ok {
		*e = Entry{Path: path}
		return nil
	}
	hash, rest, _ := strings.Cut(string(text), " ")
	size, rest, _ := strings.Cut(rest, " ")
	mtime, path, ok := strings.Cut(rest, " ")
	n, err1 := strconv.ParseInt(size, 10, 64)
	t, err2 := strconv.ParseInt(mtime, 10, 64)
	if !ok || !validHash(hash) || err1 != nil || err2 != nil {
		return fmt.Errorf("not an entry: %.80q", text)
	}
	*e = Entry{Path: path, Hash: hash, Size: n, MTime: time.Unix(0, t)}
	return nil
}

// A Commit is one change of any number of files.
type Commit struct {
	Rev     Rev               `json:"rev"`
	ID      string            `json:"id"` // chosen by who commits; the same ID is the same commit
	Time    time.Time         `json:"time"`
	Author  string            `json:"author"`         // "" is the machine: what was found changed by hand
	Door    string            `json:"door,omitempty"` // how it came: sftp, scp, rsync, git, pipe, shell, browser, hand
	Message string            `json:"message,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"` // of the layers above; nothing here reads it
	Entries []Entry           `json:"entries"`
}

// ErrConflict says that the base of a commit is not the head any more.
var ErrConflict = errors.New("the blog has changed since")

// A Store keeps every version of every file: an append-only log of commits over
// content-addressed blobs. All methods are safe for concurrent use. The
// interface asks for nothing that a replicated log cannot give (a stream's
// sequence number is the revision).
type Store interface {
	// Put keeps b and gives its hash. It is invisible until a commit names
	// it, and may be forgotten an hour later if none does.
	Put(ctx context.Context, b []byte) (hash string, err error)
	// Get gives the bytes of a hash, fs.ErrNotExist if they are not kept. They are the caller's.
	Get(ctx context.Context, hash string) ([]byte, error)
	// Commit makes c the revision after base, all of it or nothing. When it
	// returns nil it is durable. A base that is not the head gives
	// ErrConflict; a commit whose ID is known gives the revision it has, and
	// changes nothing. Rev of c is ignored; a zero Time is now.
	Commit(ctx context.Context, base Rev, c Commit) (Rev, error)
	// Commits gives every commit after since in order, then waits for the
	// next ones, until ctx ends (whose error is then the last) or the caller
	// has enough. Reading up to Head does not wait.
	Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error]
	// Head is the newest revision.
	Head(ctx context.Context) (Rev, error)
	Close() error
}
