package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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
	Channel string            `json:"door,omitempty"` // how it came: sftp, scp, rsync, git, pipe, shell, browser, hand
	Message string            `json:"message,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"` // of the layers above; nothing here reads it
	Entries []Entry           `json:"entries"`
}

// handChannel is that of what was changed in the plain files.
const handChannel = "hand"

func handCommit(entries []Entry) Commit { return Commit{Channel: handChannel, Entries: entries} }

// completed gives a commit as it will be read again, with its ID, its times
// and entries of its own. It changes nothing in one that is complete.
func completed(c Commit) Commit {
	if c.ID == "" {
		c.ID = rand.Text()
	}
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	c.Time = c.Time.Round(0)
	for _, s := range []*string{&c.ID, &c.Author, &c.Channel, &c.Message} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	c.Entries = slices.Clone(c.Entries)
	for i := range c.Entries {
		if e := &c.Entries[i]; e.Hash != "" && e.MTime.IsZero() {
			e.MTime = c.Time
		}
	}
	return c
}

// checkEntries refuses what no commit may name: it is the last check, behind
// those that know what a blog is.
func checkEntries(entries []Entry) error {
	if len(entries) == 0 {
		return errors.New("a commit without files")
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if !plainPath(e.Path) || seen[e.Path] {
			return fmt.Errorf("path %q: %w", e.Path, fs.ErrInvalid)
		}
		seen[e.Path] = true
	}
	return nil
}

// plainPath reports a path that a plain file may have.
func plainPath(p string) bool {
	return fs.ValidPath(p) && p != "." && !hidden(p) && loggable(p)
}

// loggable reports a path that a line of the log can hold.
func loggable(p string) bool {
	return utf8.ValidString(p) && !strings.ContainsFunc(p, unicode.IsControl)
}

// hidden reports names that begin with a dot, which are nobody's business:
// the log and lock of Sheaf, a repository, an environment file.
func hidden(name string) bool {
	if name == "." {
		return false
	}
	return name == "" || name[0] == '.' || strings.Contains(name, "/.")
}
