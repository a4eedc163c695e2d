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

// A set of files is at most this large. The blog's own limits may be narrower.
const (
	maxSet   = 512 << 20 // bytes
	maxFiles = 20_000
)

// Config holds what all sessions share.
type Config struct {
	// Scratch is a folder for staging copies and git's view of the blog. It
	// belongs to the Transfer alone and is made when missing.
	Scratch string
	// AuthorsOnly keeps rsync and git, which are programs that are run, from
	// readers. They have sftp and scp.
	AuthorsOnly bool
	// Log takes failures that no client is told of; nil discards them.
	Log *slog.Logger
}

// A Session is one connection of a program that copies files.
type Session struct {
	Visitor blog.Visitor
	Host    blog.Host // in printed addresses
	Denied  string    // what a reader is told who tries to change something, one line or more
	Env     []string  // the client's; only GIT_PROTOCOL is used
	In      io.Reader
	Out     io.Writer
	Err     io.Writer // for people

	// Alive reports whether the client still answers. It is asked before a set
	// is committed, because input that has ended may have been cut.
	Alive func(context.Context) bool
}

// A Transfer serves sftp, scp, rsync and git. It is safe for concurrent use.
type Transfer struct {
	config   Config
	dir      string       // Config.Scratch, absolute
	viewMu   sync.Mutex   // guards the git repositories in dir
	reserved atomic.Int64 // bytes of file contents held by authors' sftp sessions
	readers  atomic.Int64 // the same of readers'
	sending  *pool

	ctx     context.Context // of what is done for more than one session; stop ends it
	stop    context.CancelFunc
	running sync.WaitGroup // what is done in it

	mu      sync.Mutex
	updates map[*blog.Files]*update // of views, that are under way
	public  *publicView             // nil before the first; set with viewMu held as well
}

// New makes the scratch folder and removes what an earlier server has left in
// it. Only one Transfer may use a scratch folder at a time. A folder that
// cannot be made for lack of permission is no error here: sessions that need it
// say so.
func New(c Config) (*Transfer, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transfer{config: c, updates: map[*blog.Files]*update{}}
	t.ctx, t.stop = context.WithCancel(context.Background())
	dir, err := filepath.Abs(c.Scratch)
	if err != nil {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	t.dir = dir
	_ = os.RemoveAll(filepath.Join(dir, "rsync"))
	_ = os.RemoveAll(filepath.Join(dir, "hook"))
	_ = os.RemoveAll(filepath.Join(dir, "sending"))
	t.sending = newPool(filepath.Join(dir, "sending"))
	_ = os.RemoveAll(filepath.Join(dir, "public.git")) // of an earlier version: it kept what was taken back
	t.findPublic()
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	return t, nil
}

// Close ends what is done for more than one session, and waits for it. The
// sessions have ended before.
func (t *Transfer) Close() {
	t.stop()
	t.running.Wait()
}

// IsCopyCommand reports whether a client that runs this command copies files,
// so that its session belongs to Exec.
func IsCopyCommand(command string) bool {
	return command == "scp" || command == "rsync" || strings.HasPrefix(command, "git-")
}

// Exec serves scp, rsync or git, whichever args[0] names, until the client has
// finished or ctx ends, and returns the exit status. The client has been told
// of everything but err, which is an internal failure for the log.
func (t *Transfer) Exec(ctx context.Context, s Session, args []string) (status int, err error) {
	switch {
	case args[0] == "scp":
		return t.scp(ctx, s, args[1:])
	case t.config.AuthorsOnly && !s.Visitor.IsAuthor():
		s.deny()
		s.say("sheaf: " + markdown.Line(args[0]) + ": is not for readers here; sftp and scp are")
		return 1, nil
	case args[0] == "rsync":
		return t.rsync(ctx, s, args[1:])
	}
	return t.git(ctx, s, args)
}

// say prints lines for the person at the client.
func (s Session) say(lines ...string) {
	for _, l := range lines {
		_, _ = io.WriteString(s.Err, markdown.Line(l)+"\n")
	}
}

// sayAligned is say for lines whose blanks align columns.
func (s Session) sayAligned(lines []string) {
	for _, l := range lines {
		_, _ = io.WriteString(s.Err, markdown.Clean(l)+"\n")
	}
}

// deny tells a reader that only authors may change something.
func (s Session) deny() {
	text := s.Denied
	if text == "" {
		text = "sheaf: " + blog.ErrNotAuthor.Error()
	}
	s.sayAligned(strings.Split(strings.TrimRight(text, "\n"), "\n"))
}

// report tells the author the outcome of a commit and returns the exit status.
// Errors that mean nothing to an author are not told but returned.
func (s Session) report(r blog.Receipt, err error) (status int, _ error) {
	if err == nil {
		s.sayAligned(r.Lines(s.Host))
		return 0, nil
	}
	var refusal *blog.Refusal
	if errors.As(err, &refusal) {
		for _, l := range refusal.Lines() {
			s.say("sheaf: not published: " + l)
		}
		return 1, nil
	}
	if why := blog.StorageProblem(err); why != "" {
		s.say("sheaf: not published: " + why)
		return 1, nil
	}
	return 1, err
}

// reportUnavailable tells the visitor that a program is missing or too old on
// the server, or that the server has no room to work in, and returns the exit
// status. All other errors are not told but returned.
func (s Session) reportUnavailable(err error) (status int, _ error) {
	var missing missingError
	var old outdatedError
	switch why := blog.StorageProblem(err); {
	case errors.As(err, &missing) || errors.As(err, &old):
		s.say("sheaf: " + err.Error())
	case why != "":
		s.say("sheaf: " + why)
	default:
		return 1, err
	}
	return 1, nil
}

// contain, when deferred, turns a panic into an error. Goroutines need it: a
// panic that nobody recovers there ends the server.
func (t *Transfer) contain(err *error) {
	if p := recover(); p != nil {
		t.config.Log.Error("panic", "panic", markdown.Line(fmt.Sprint(p)), "stack", string(debug.Stack()))
		*err = errors.New("internal error")
	}
}

func tooBig(limit int64) error { return fmt.Errorf("is too big: at most %d KB", limit>>10) }

// postsDir exists for clients in every blog, an empty one too, so that they
// have somewhere to write to.
const postsDir = "posts"

// cleanPath makes a path of the blog from a client's. The top is ".".
func cleanPath(p string) string {
	if p = path.Clean("/" + p)[1:]; p == "" {
		return "."
	}
	return p
}

// isDir reports whether a path names a folder of the blog.
func isDir(f *blog.Files, p string) bool {
	if p == "." || p == postsDir {
		return true
	}
	info, err := f.Stat(p)
	return err == nil && info.Dir
}

// isPostAddress reports whether a path is SLUG.md, the address of a post.
func isPostAddress(v blog.Visitor, p string) bool {
	slug, ok := strings.CutSuffix(p, ".md")
	if !ok || strings.Contains(p, "/") {
		return false
	}
	post, err := v.Edition().Post(slug)
	return err == nil && post.Slug == slug
}

// globChars are what makes a path a pattern.
const globChars = `*?[\`

// glob returns the files and folders that a client's path names: the path
// itself or, if it names nothing, what it matches as a pattern. Clients rely on
// the far end's shell to expand patterns.
func glob(f *blog.Files, p string) []blog.FileInfo {
	p = cleanPath(p)
	if info, err := f.Stat(p); err == nil {
		return []blog.FileInfo{info}
	}
	if isDir(f, p) {
		return []blog.FileInfo{{Path: p, Dir: true}}
	}
	if !strings.ContainsAny(p, globChars) || len(p) > 1024 {
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
