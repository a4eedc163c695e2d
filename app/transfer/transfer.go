// Package transfer answers the programs that copy files: sftp, scp in both
// protocols, sshfs, rsync and git. Authors put files with them, readers fetch
// what is public.
//
// Whatever the program, the blog decides: a set of files ends in one
// blog.Change, which is made whole or refused whole, and its answer, a line for
// each post, goes to the standard error of the session, where scp, rsync and
// git show it. A client whose connection was cut looks like one that has
// finished; before a set is committed it is asked whether it is still there.
//
// sftp has no end of a set: it publishes each file when it is closed. Names
// that cannot be part of a blog (the temporary files of editors, .x.swp, x~)
// live as long as the session and are seen by nobody else, so that an editor on
// an sshfs mount works: what it renames to a post's name at the end is
// published.
//
// rsync and git are the programs of these names, which have to be installed:
// rsync works on a copy of the files (rsync.go), git on a repository that is a
// view of the blog's history (git.go). Neither sees the content folder, a
// shell, or the environment of the server, and of what a client asks them only
// what is on a short list reaches them.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"sheaf/app/blog"
	"sheaf/app/markdown"
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
