package sshd

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	gossh "golang.org/x/crypto/ssh"

	"sheaf/app/markdown"
)

const (
	maxAuthorsFile = 1 << 20
	maxAuthors     = 1000
	maxByline      = 64 // runes
	minRSA         = 2048
)

// author is one line of keys/authors.
type author struct {
	name string // the byline: the line's comment
	key  gossh.PublicKey
}

// authors is the present content of keys/authors. Without the file, the blog
// has no authors but those named at the start. It is safe for concurrent use.
type authors struct {
	path  string
	log   *slog.Logger
	extra map[string]*author // named at the start, beside the file

	mu       sync.RWMutex
	byKey    map[string]*author // by the key in wire form
	read     fileState          // the file that byKey was read from
	lastSeen fileState          // the file as refreshWhenSettled last saw it
}

// fileState tells whether a file has changed; the zero value is a missing file.
type fileState struct {
	info fs.FileInfo
}

func (s fileState) same(t fileState) bool {
	if s.info == nil || t.info == nil {
		return s.info == nil && t.info == nil
	}
	return os.SameFile(s.info, t.info) && s.info.Size() == t.info.Size() && s.info.ModTime().Equal(t.info.ModTime())
}

// newAuthors reads the file at path. The authors in the text extra, which has
// the same format, are authors whatever the file says. A faulty line of either
// is logged and makes nobody an author.
func newAuthors(path, extra string, log *slog.Logger) *authors {
	a := &authors{path: path, log: log}
	var problems []error
	a.extra, problems = parseAuthors([]byte(extra))
	for _, p := range problems {
		a.log.Error("SHEAF_AUTHORS: line refused", "why", oneLine(p.Error()))
	}
	s, _ := a.stat()
	a.load(s)
	a.lastSeen = s
	return a
}

// count is how many authors there are.
func (a *authors) count() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	n := len(a.extra)
	for k := range a.byKey {
		if a.extra[k] == nil {
			n++
		}
	}
	return n
}

// find returns the author with this key, or nil. A certificate is nobody's key.
func (a *authors) find(k gossh.PublicKey) *author {
	if k == nil {
		return nil
	}
	if _, is := k.(*gossh.Certificate); is {
		return nil
	}
	wire := k.Marshal()
	if f := a.extra[string(wire)]; f != nil {
		return f
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.byKey[string(wire)]
}

// stat is the state of the file; false when that cannot be told.
func (a *authors) stat() (fileState, bool) {
	info, err := os.Stat(a.path)
	if err != nil {
		return fileState{}, errors.Is(err, fs.ErrNotExist)
	}
	return fileState{info}, true
}

// refresh reads the file if it has changed since it was read.
func (a *authors) refresh() {
	s, ok := a.stat()
	a.mu.RLock()
	stale := ok && !s.same(a.read)
	a.mu.RUnlock()
	if stale {
		a.load(s)
	}
}

// refreshWhenSettled reads the file if it has changed since it was read and not
// since the last look, and reports whether it is unchanged since the last look.
// An editor or a copy may leave the file missing or empty for a moment, and
// nobody is to lose a session for that.
func (a *authors) refreshWhenSettled() bool {
	s, ok := a.stat()
	if !ok {
		return false
	}
	a.mu.Lock()
	same := s.same(a.lastSeen)
	a.lastSeen = s
	a.mu.Unlock()
	if same {
		a.refresh()
	}
	return same
}

// load reads the file. One that is there and cannot be read changes nothing.
func (a *authors) load(s fileState) {
	byKey := map[string]*author{}
	if s.info != nil {
		b, err := readBounded(a.path, maxAuthorsFile)
		if err != nil {
			a.log.Error("authors not read, those known stay", "err", oneLine(err.Error()))
			a.mu.Lock()
			a.read = s
			a.mu.Unlock()
			return
		}
		var problems []error
		byKey, problems = parseAuthors(b)
		for _, p := range problems {
			a.log.Error("authors: line refused", "file", a.path, "why", oneLine(p.Error()))
		}
		if s.info.Mode().Perm()&0o022 != 0 {
			a.log.Warn("authors: others can write this file", "file", a.path, "mode", s.info.Mode().Perm().String())
		}
	}
	a.mu.Lock()
	first := a.byKey == nil
	a.byKey, a.read = byKey, s
	a.mu.Unlock()
	if first || s.info != nil {
		a.log.Info("authors read", "file", a.path, "count", len(byKey), "beside", len(a.extra))
	}
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s: larger than %d bytes", path, most)
	}
	return b, err
}

// parseAuthors reads the format of authorized_keys (sshd(8)), and returns the
// authors by their key in wire form. A line of which anything would have to be
// ignored is refused with a reason; the others count.
func parseAuthors(b []byte) (map[string]*author, []error) {
	byKey := map[string]*author{}
	var problems []error
	n := 0
	for line := range bytes.Lines(b) {
		n++
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.Contains(line, []byte("PRIVATE KEY")) {
			return byKey, append(problems, fmt.Errorf(
				"line %d: a private key, which is nobody's but its owner's: put the line of its .pub file here", n))
		}
		a, err := parseAuthor(line)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("line %d: %w", n, err))
		case len(byKey) >= maxAuthors:
			return byKey, append(problems, fmt.Errorf("line %d: more than %d authors", n, maxAuthors))
		default:
			if k := string(a.key.Marshal()); byKey[k] == nil {
				byKey[k] = a
			}
		}
	}
	return byKey, problems
}

// harmlessOptions are the options that take away only what nobody has here.
var harmlessOptions = []string{"no-agent-forwarding", "no-port-forwarding", "no-x11-forwarding", "no-user-rc"}

func parseAuthor(line []byte) (*author, error) {
	key, comment, options, _, err := gossh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, errors.New("not a public key")
	}
	for _, o := range options {
		if !slices.Contains(harmlessOptions, strings.ToLower(o)) {
			name, _, _ := strings.Cut(o, "=")
			return nil, fmt.Errorf("option %s is not supported", name)
		}
	}
	if _, is := key.(*gossh.Certificate); is {
		return nil, errors.New("certificates are not supported")
	}
	if c, ok := key.(gossh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < minRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too short", r.N.BitLen())
		}
	}
	name := markdown.Line(comment)
	if r := []rune(name); len(r) > maxByline {
		name = string(r[:maxByline])
	}
	if name == "" {
		name = "author"
	}
	return &author{name: name, key: key}, nil
}
