package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// What comes at once is at most that much; the blog's own bounds may be
// narrower.
const (
	maxSet   = 512 << 20 // bytes
	maxFiles = 20_000
)

// Config is what the doors share.
type Config struct {
	Scratch string // a folder of ours for staging copies and the view for git; made when it is not there
	Host    string // printed in addresses when a Session names none
	Log     *slog.Logger
}

// A Session is one visit of a program that copies files.
type Session struct {
	Visitor blog.Visitor
	Host    string   // printed in addresses
	Denied  string   // what to tell a reader who tries to change something, one line or more
	Env     []string // of the client; only GIT_PROTOCOL counts
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	// Alive reports whether the client still answers: an input that has ended may have been cut.
	Alive func(context.Context) bool
}

// Transfer answers sftp, scp, rsync and git. Safe for concurrent use.
type Transfer struct {
	c    Config
	dir  string // Scratch, absolute
	view sync.Mutex
	held atomic.Int64 // bytes of files in memory
}

// New makes the folder for scratch files and sweeps what an earlier server has
// left in it.
func New(c Config) (*Transfer, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transfer{c: c}
	dir, err := filepath.Abs(c.Scratch)
	if err != nil {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	t.dir = dir
	_ = os.RemoveAll(filepath.Join(dir, "rsync"))
	_ = os.RemoveAll(filepath.Join(dir, "hook"))
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	return t, nil
}

// Copies reports whether a command is the far end of a program that copies
// files: the session goes to Exec.
func Copies(command string) bool {
	return command == "scp" || command == "rsync" || strings.HasPrefix(command, "git-")
}

// Exec answers such a command and gives the exit status. An error is one of
// the machine, of which the visitor has not been told.
func (t *Transfer) Exec(ctx context.Context, s Session, args []string) (status int, err error) {
	switch {
	case args[0] == "scp":
		return t.scp(ctx, s, args[1:])
	case args[0] == "rsync":
		return t.rsync(ctx, s, args[1:])
	}
	return t.git(ctx, s, args)
}

// say tells the person at the client.
func (s Session) say(lines ...string) {
	for _, l := range lines {
		_, _ = io.WriteString(s.Err, line(l)+"\n")
	}
}

func line(text string) string { return strings.Join(strings.Fields(markdown.Clean(text)), " ") }

// tell says what became of a change. The error is one of the machine.
func (s Session) tell(r blog.Receipt, err error) (status int, _ error) {
	var no *blog.Refusal
	switch {
	case err == nil:
		s.sayLines(r.Lines(s.Host))
		return 0, nil
	case errors.As(err, &no):
		for _, l := range no.Lines() {
			s.say("sheaf: not published: " + l)
		}
		return 1, nil
	case errors.Is(err, blog.ErrNotAuthor):
		s.deny()
		return 1, nil
	}
	if why := blog.Obstacle(err); why != "" {
		s.say("sheaf: not published: " + why)
		return 1, nil
	}
	return 1, err
}

// sayLines is say for lines whose blanks stand in columns.
func (s Session) sayLines(lines []string) {
	for _, l := range lines {
		_, _ = io.WriteString(s.Err, markdown.Clean(l)+"\n")
	}
}

func (s Session) deny() {
	text := s.Denied
	if text == "" {
		text = "sheaf: " + blog.ErrNotAuthor.Error()
	}
	s.sayLines(strings.Split(strings.TrimRight(text, "\n"), "\n"))
}

// contain turns a panic into an error: it is for goroutines of libraries,
// where nobody else does.
func (t *Transfer) contain(err *error) {
	if p := recover(); p != nil {
		t.c.Log.Error("panic", "panic", line(fmt.Sprint(p)), "stack", string(debug.Stack()))
		*err = errors.New("internal error")
	}
}

func tooBig(most int64) error { return fmt.Errorf("is too big: at most %d KB", most>>10) }

// postsDir can be written to in every blog, also in an empty one.
const postsDir = "posts"

// below gives a client's path as one of the blog's: "." is the top.
func below(p string) string {
	if p = path.Clean("/" + p)[1:]; p == "" {
		return "."
	}
	return p
}

// isDir reports a folder of the blog.
func isDir(f *blog.Files, p string) bool {
	if p == "." || p == postsDir {
		return true
	}
	info, err := f.Stat(p)
	return err == nil && info.Dir
}

// addresses reports whether a path is SLUG.md, the address of a post.
func addresses(v blog.Visitor, p string) bool {
	slug, ok := strings.CutSuffix(p, ".md")
	if !ok || strings.Contains(p, "/") {
		return false
	}
	post, err := v.Edition().Post(slug)
	return err == nil && post.Slug == slug
}

const patterns = `*?[\`

// match finds what a client's path names: the path itself, or a pattern that a
// shell would have expanded.
func match(f *blog.Files, p string) []blog.FileInfo {
	p = below(p)
	if info, err := f.Stat(p); err == nil {
		return []blog.FileInfo{info}
	}
	if isDir(f, p) {
		return []blog.FileInfo{{Path: p, Dir: true}}
	}
	if !strings.ContainsAny(p, patterns) || len(p) > 1024 {
		return nil
	}
	found := []blog.FileInfo{{Path: ".", Dir: true}}
	for pattern := range strings.SplitSeq(p, "/") {
		var next []blog.FileInfo
		for _, dir := range found {
			in, _ := f.List(dir.Path)
			for _, info := range in {
				if ok, _ := path.Match(pattern, path.Base(info.Path)); ok {
					next = append(next, info)
				}
			}
		}
		found = next
	}
	return found
}

// unfit says that a program is not there, or not as it has to be, or that it
// has no room to work in.
func (s Session) unfit(err error) (int, error) {
	var missing errMissing
	var old errOld
	switch why := blog.Obstacle(err); {
	case errors.As(err, &missing) || errors.As(err, &old):
		s.say("sheaf: " + err.Error())
	case why != "":
		s.say("sheaf: " + why)
	default:
		return 1, err
	}
	return 1, nil
}
