package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sheaf/app/blog"
)

// The program rsync works on a copy of what it is to see, a new one for each
// session, and what it has made of it is one change of the blog. Its command
// line comes from the client, so each option has to be known; and what a client
// says later on, behind the command line, has to stay within the copy too: the
// name of a file with filter rules could be that of any file of the server.
// --confine-root sees to that, which rsync has since 3.5.0.

// rsyncCall is what a client asks of the far end.
type rsyncCall struct {
	sender  bool // the files go to the client
	dry     bool
	whole   bool     // what stands there has to be read, not only looked at
	options []string // for the program, all of them known
	paths   []string // cleaned, below the blog; with a slash at the end where the client had one
}

var (
	// rsyncNumber are the letters that have a number behind them.
	rsyncNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-[@B]-?[0-9]{1,9}$`) })
	// rsyncAbilities end the letters: what the client is able to.
	rsyncAbilities = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^e[0-9]{0,3}\.[0-9]{0,3}[a-zA-Z]*$`) })

	// rsyncWord is large, and made when it is asked for: most sessions never
	// need it.
	rsyncWord = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^--(checksum|delete|delete-(after|before|delay|during|excluded)|delay-updates|dirs|existing|force|fsync|fuzzy|` +
			`ignore-(errors|existing|missing-args|times)|list-only|mkpath|(new|old)-compress|no-(r|W|implied-dirs|relative|specials|whole-file|i-r|inc-recursive|msgs2stderr)|` +
			`msgs2stderr|numeric-ids|omit-(dir|link)-times|one-file-system|partial|prune-empty-dirs|safe-links|size-only|stats|use-qsort|whole-file|` +
			`(log-format|out-format)=[%a-zA-Z]{1,8}|info=[a-z0-9,]{1,100}|(max|min)-size=[0-9]{1,12}[kKmMgG]?|(block-size|bwlimit|max-delete|timeout)=[0-9.]{1,12}[kKmM]?|` +
			`(modify-window|checksum-seed|compress-level|compress-threads)=-?[0-9]{1,10}|(compress|checksum)-choice=[a-z0-9,]{1,40}|skip-compress=[a-zA-Z0-9/.,\[\]-]{0,500}|` +
			`iconv=[a-zA-Z0-9_,.:-]{1,60})$`)
	})
)

const (
	// rsyncLetters may come together: -vlogDtpre.iLsfxCIvu. Those that are not
	// here make links that lead somewhere (K), or send the paths where nobody
	// has looked at them yet (s).
	rsyncLetters = "vqlogDtpcnrzuWSxXAEJOIibdyHRmNUC"
	// rsyncSenderLetters follow links, of which the blog has none.
	rsyncSenderLetters = "Lk"
)

// parseRsync reads `--server [--sender] OPTIONS . PATH...`, and refuses what
// it does not know.
func parseRsync(args []string) (c rsyncCall, err error) {
	if len(args) == 0 || args[0] != "--server" {
		return c, errors.New("only the program rsync is answered")
	}
	args = args[1:]
	if len(args) > 0 && args[0] == "--sender" {
		c.sender, args = true, args[1:]
	}
	for ; len(args) > 0 && args[0] != "."; args = args[1:] {
		o := args[0]
		switch {
		case strings.HasPrefix(o, "--partial-dir="):
			continue // what is cut off is not kept
		case o == "--partial-dir" && len(args) > 1:
			args = args[1:]
			continue
		case c.sender && (o == "--files-from=-" || o == "--from0"):
		case rsyncNumber().MatchString(o), rsyncWord().MatchString(o):
			c.whole = c.whole || o == "--checksum"
		default:
			if err := c.letters(o); err != nil {
				return c, err
			}
		}
		c.options = append(c.options, o)
	}
	if len(args) == 0 {
		return c, errors.New("no path is given; -s is not understood here")
	}
	args = args[1:]
	if len(args) == 0 {
		args = []string{""}
	}
	if !c.sender && len(args) > 1 {
		return c, errors.New("more than one place to copy to")
	}
	for _, p := range args {
		clean, err := rsyncPath(p)
		if err != nil {
			return c, err
		}
		c.paths = append(c.paths, clean)
	}
	return c, nil
}

// letters reads options of one letter.
func (c *rsyncCall) letters(o string) error {
	if len(o) < 2 || o[0] != '-' || o[1] == '-' {
		return fmt.Errorf("%s cannot be used here", line(o))
	}
	for i, l := range o[1:] {
		if l == 'e' {
			if !rsyncAbilities().MatchString(o[1+i:]) {
				return fmt.Errorf("%s is not understood", line(o))
			}
			break
		}
		if !strings.ContainsRune(rsyncLetters, l) && !(c.sender && strings.ContainsRune(rsyncSenderLetters, l)) {
			return fmt.Errorf("-%s cannot be used here", line(string(l)))
		}
		c.dry = c.dry || l == 'n'
		c.whole = c.whole || l == 'c'
	}
	return nil
}

// rsyncPath is a path below the blog, whatever it begins with. Where it ends
// with a slash, the folder itself is meant.
func rsyncPath(p string) (string, error) {
	switch {
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("%s leads out of the blog", line(p))
	case strings.ContainsAny(p, "\x00\n\r\\"), !utf8.ValidString(p), len(p) > 4096:
		return "", fmt.Errorf("%s cannot be a path of the blog", line(p[:min(len(p), 100)]))
	}
	p = strings.TrimPrefix(p, "~/")
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if clean != "" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}

// rsyncFits refuses a program that does not keep its clients within a folder.
func rsyncFits(ctx context.Context) error {
	said, err := program{name: "rsync", args: []string{"--version"}}.output(ctx)
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`^rsync +version v?([0-9]+)\.([0-9]+)`).FindSubmatch(said)
	if m == nil {
		return errMissing{"rsync"}
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major < 3 || major == 3 && minor < 5 {
		return errOld{"rsync", string(m[1]) + "." + string(m[2]), "3.5"}
	}
	return nil
}

// errOld is a program that cannot be used.
type errOld struct{ name, is, want string }

func (e errOld) Error() string {
	return fmt.Sprintf("%s: version %s on the server is too old: %s or newer is needed", e.name, e.is, e.want)
}

// rsync answers with the program rsync, on a copy of what is asked for.
func (t *Transfer) rsync(ctx context.Context, s Session, args []string) (status int, err error) {
	s.Visitor = s.Visitor.Through("rsync")
	c, err := parseRsync(args)
	if err != nil {
		s.say("sheaf: rsync: " + err.Error())
		return 1, nil
	}
	if !c.sender && !s.Visitor.IsAuthor() {
		s.deny()
		return 1, nil
	}
	if err := rsyncFits(ctx); err != nil {
		return s.unfit(err)
	}
	g, err := t.newStaging(ctx, s, c)
	if err != nil {
		return s.unfit(err)
	}
	defer g.remove()
	if c.sender {
		return g.send(ctx, s, c)
	}
	return g.receive(ctx, s, c)
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

// staging is a copy of a part of the blog that rsync works on.
//
// A client that sends files compares sizes and times; what stands in them
// is looked at only when it asks for that. So the files of the copy are mostly
// empty ones of the right size and age. rsync never writes into a file that is
// there, it puts another in its place: a file that is still the one that was
// put there has not changed.
type staging struct {
	t      *Transfer
	files  *blog.Files
	top    string // everything; removed at the end
	dir    string // what rsync sees
	whole  bool
	staged map[string]blog.FileInfo // by path below dir
	nodes  map[uint64]blog.FileInfo // by inode, of files without contents
	bytes  int64                    // of contents that were copied

	puts  *puts            // what has arrived, on its way into the blog
	taken map[string]stamp // what they have been given
}

// stamp tells whether a file is still the same.
type stamp struct {
	inode uint64
	size  int64
	mtime int64
}

func stampOf(info fs.FileInfo) stamp {
	return stamp{inode(info), info.Size(), info.ModTime().UnixNano()}
}

// newStaging copies nothing yet.
func (t *Transfer) newStaging(ctx context.Context, s Session, c rsyncCall) (*staging, error) {
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return nil, err
	}
	above := filepath.Join(t.dir, "rsync")
	if err := os.MkdirAll(above, 0o700); err != nil {
		return nil, err
	}
	top, err := os.MkdirTemp(above, "")
	if err != nil {
		return nil, err
	}
	g := &staging{t: t, files: files, top: top, whole: c.whole || c.sender,
		staged: map[string]blog.FileInfo{}, nodes: map[uint64]blog.FileInfo{}, puts: t.puts(ctx, s.Visitor), taken: map[string]stamp{}}
	if g.top, err = filepath.EvalSymlinks(top); err == nil {
		g.dir = filepath.Join(g.top, "blog")
		err = errors.Join(os.Mkdir(g.dir, 0o755), os.Mkdir(filepath.Join(g.top, "kept"), 0o700))
	}
	if err != nil {
		_ = os.RemoveAll(top)
		return nil, err
	}
	g.whole = g.whole || !g.linkable()
	return g, nil
}

func (g *staging) remove() {
	// A client may have made folders that nobody may enter.
	_ = filepath.WalkDir(g.dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(g.top); err != nil {
		g.t.c.Log.Warn("scratch files not removed", "err", err)
	}
}

// linkable reports whether files can be known again here.
func (g *staging) linkable() bool {
	from, to := filepath.Join(g.top, "kept", "a"), filepath.Join(g.top, "kept", "b")
	if os.WriteFile(from, nil, 0o600) != nil || os.Link(from, to) != nil {
		return false
	}
	info, err := os.Lstat(to)
	return err == nil && inode(info) != 0
}

// command is rsync on the copy.
func (g *staging) command(s Session, c rsyncCall, paths []string) program {
	args := []string{"--server"}
	if c.sender {
		args = append(args, "--sender")
	} else {
		// No link leads anywhere, and no device, owner or attribute of the
		// system is made.
		args = append(args, "--munge-links", "--drop-D", "--no-super")
	}
	args = append(append(args, c.options...), "--confine-root="+g.dir, ".")
	for _, p := range paths {
		args = append(args, "./"+p)
	}
	return program{name: "rsync", args: args, dir: g.dir, in: s.In, out: s.Out, err: &lines{s: s}}
}

// send gives files to the client.
func (g *staging) send(ctx context.Context, s Session, c rsyncCall) (int, error) {
	var paths []string
	missing := false
	for _, p := range c.paths {
		// A pattern is expanded as a shell would have.
		found := match(g.files, p)
		if len(found) == 0 {
			s.say("sheaf: rsync: " + cmp.Or(p, ".") + ": no such file")
			missing = true
		}
		for _, info := range found {
			name := info.Path
			if want := strings.TrimSuffix(p, "/"); !info.Dir && len(found) == 1 && !strings.ContainsAny(want, "*?[") {
				name = want // SLUG.md, which may stand under another name
			}
			if err := g.stage(ctx, info, name); err != nil {
				return s.unfit(err)
			}
			if info.Dir && strings.HasSuffix(p, "/") {
				name += "/"
			}
			paths = append(paths, name)
		}
	}
	if len(paths) == 0 {
		return 23, nil
	}
	status, err := g.command(s, c, paths).run(ctx)
	if status == 0 && missing {
		status = 23
	}
	return status, err
}

// receive takes files from the client: all of them or none.
func (g *staging) receive(ctx context.Context, s Session, c rsyncCall) (int, error) {
	to := c.paths[0]
	if info, err := g.files.Stat(cmp.Or(strings.TrimSuffix(to, "/"), ".")); err == nil && (info.Dir || info.Path == to) {
		if err := g.stage(ctx, info, info.Path); err != nil {
			return s.unfit(err)
		}
	}
	// The way to it is there, as posts/ is where there are no posts yet.
	way := filepath.Join(g.dir, filepath.FromSlash(path.Dir(to)))
	if to == "posts" {
		way = filepath.Join(g.dir, "posts")
	}
	if err := os.MkdirAll(way, 0o755); err != nil {
		return 1, err
	}
	root, err := os.OpenRoot(g.dir)
	if err != nil {
		return 1, err
	}
	defer root.Close()
	defer g.puts.wait()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var watch sync.WaitGroup
	watch.Go(func() {
		var err error
		defer func() { stop(err) }()
		defer g.t.contain(&err)
		err = g.watch(running, root, s.Visitor)
	})
	status, err := g.command(s, c, []string{to}).run(running)
	stop(nil)
	watch.Wait()
	var much errTooMuch
	switch {
	case ctx.Err() != nil || err != nil:
		return 1, err
	case errors.As(context.Cause(running), &much):
		s.say("sheaf: not published: " + much.Error())
		return 23, nil
	case c.dry:
		return status, nil
	case status != 0:
		s.say("sheaf: rsync: the transfer was not completed; nothing was changed")
		return status, nil
	case s.Alive != nil && !s.Alive(ctx):
		return 1, nil
	}
	change, warnings, refused, err := g.difference(root, s.Visitor)
	switch {
	case err != nil:
		status, err = s.tell(blog.Receipt{}, err)
	case len(refused) > 0:
		s.say(refused...)
		return 23, nil
	case len(change.Entries) > 0:
		status, err = s.tell(s.Visitor.Commit(ctx, change))
	}
	s.say(warnings...)
	if status == 1 {
		status = 23 // "some files were not transferred"
	}
	return status, err
}

// errTooMuch is what ends a client that sends too much.
type errTooMuch struct{ why string }

func (e errTooMuch) Error() string { return e.why }

// watch looks at the copy while rsync is at work. It ends with an error when
// more comes than may, for compressed files say nothing of their size on their
// way. What has arrived is given to the blog meanwhile: rsync writes under
// a hidden name, and a file that has its own is whole.
func (g *staging) watch(ctx context.Context, root *os.Root, v blog.Visitor) error {
	maxFile := v.MaxFile("")
	pause := 50 * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		start := time.Now()
		var total int64
		count := 0
		err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return nil
			}
			if _, ours := g.nodes[inode(info)]; ours {
				return nil
			}
			count++
			total += info.Size()
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case info.Size() > maxFile:
				return errTooMuch{fmt.Sprintf("%s: is too big: at most %d MB", name, maxFile>>20)}
			case total > g.bytes+maxSet:
				return errTooMuch{fmt.Sprintf("more than %d MB at once", maxSet>>20)}
			case count > 2*maxFiles+len(g.staged):
				return errTooMuch{fmt.Sprintf("more than %d files at once", maxFiles)}
			case !g.whole && info.Mode().IsRegular() && !blog.Scratch(name) && info.Size() <= v.MaxFile(name):
				return g.take(root, name)
			}
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		pause = max(50*time.Millisecond, 2*time.Since(start))
	}
}

// take gives a file that has arrived to the blog, once.
func (g *staging) take(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nil // later
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	now := stampOf(info)
	if g.taken[name] == now {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, info.Size()+1))
	if err != nil || int64(len(b)) != info.Size() {
		return err
	}
	g.taken[name] = now
	return g.puts.add(blog.Entry{Path: name, Size: info.Size(), MTime: info.ModTime()}, b)
}

// stage puts a file, or a folder with all that is in it, into the copy.
func (g *staging) stage(ctx context.Context, info blog.FileInfo, name string) error {
	if !info.Dir {
		return g.put(ctx, info, name)
	}
	if err := os.MkdirAll(filepath.Join(g.dir, filepath.FromSlash(name)), 0o755); err != nil {
		return err
	}
	list, err := g.files.List(info.Path)
	if err != nil {
		return err
	}
	for _, below := range list {
		if err := g.stage(ctx, below, below.Path); err != nil {
			return err
		}
	}
	if info.MTime.IsZero() {
		return nil
	}
	return os.Chtimes(filepath.Join(g.dir, filepath.FromSlash(name)), info.MTime, info.MTime)
}

func (g *staging) put(ctx context.Context, info blog.FileInfo, name string) error {
	if _, there := g.staged[name]; there {
		return nil
	}
	full := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	if g.whole {
		b, err := g.files.Read(ctx, info)
		if err != nil {
			return err
		}
		if err := os.WriteFile(full, b, 0o644); err != nil {
			return err
		}
		g.bytes += info.Size
	} else {
		f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Truncate(info.Size), f.Close()); err != nil {
			return err
		}
		// A second name keeps the inode from being used again.
		if err := os.Link(full, filepath.Join(g.top, "kept", strconv.Itoa(len(g.nodes))+".")); err != nil {
			return err
		}
		now, err := os.Lstat(full)
		if err != nil {
			return err
		}
		g.nodes[inode(now)] = info
	}
	g.staged[name] = info
	return os.Chtimes(full, info.MTime, info.MTime)
}

// difference makes a change of what rsync has left.
func (g *staging) difference(root *os.Root, v blog.Visitor) (change blog.Change, warnings, refused []string, err error) {
	change.Base = g.files.Rev()
	there := map[string]bool{}
	var total int64
	count := 0
	no := func(name, why string) { refused = append(refused, "sheaf: not published: "+name+": "+why) }
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if d.IsDir() {
			if err := root.Chmod(name, 0o700); err != nil {
				return err
			}
		}
		if blog.Scratch(path.Base(name)) {
			warnings = append(warnings, "warning: "+name+": not kept: hidden names and the files of editors are no part of the blog")
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		there[name] = true
		info, err := d.Info()
		if err != nil {
			return err
		}
		was, kept := g.nodes[inode(info)]
		switch _, err := blog.PathFor(name); {
		case kept && was.Path == name:
			return nil
		case !info.Mode().IsRegular():
			no(name, "is a link or a device, which a blog has none of; rsync -L sends what a link leads to")
			return nil
		case err != nil:
			no(name, err.Error())
			return nil
		case kept: // under another name too
			change.Entries = append(change.Entries, blog.Entry{Path: name, Hash: was.Hash, Size: was.Size, MTime: info.ModTime()})
			return nil
		case info.Size() > v.MaxFile(name):
			no(name, tooBig(v.MaxFile(name)).Error())
			return nil
		}
		if _, staged := g.staged[name]; !staged || !g.whole {
			count++
			total += info.Size()
		}
		if total > maxSet || count > maxFiles {
			return errTooMuch{fmt.Sprintf("more than %d MB or %d files at once", maxSet>>20, maxFiles)}
		}
		if g.taken[name] == stampOf(info) {
			return nil
		}
		if err := root.Chmod(name, 0o600); err != nil {
			return err
		}
		return g.take(root, name)
	})
	came, failed := g.puts.wait()
	var much errTooMuch
	switch {
	case errors.As(err, &much):
		return change, warnings, append(refused, "sheaf: not published: "+much.Error()), nil
	case err != nil || failed != nil:
		return change, nil, nil, cmp.Or(failed, err)
	}
	for _, e := range came {
		old, was := g.staged[e.Path]
		if there[e.Path] && !(g.whole && was && e.Hash == old.Hash && e.MTime.Equal(old.MTime)) {
			change.Entries = append(change.Entries, e)
		}
	}
	for name := range g.staged {
		if !there[name] {
			change.Entries = append(change.Entries, blog.Entry{Path: name})
		}
	}
	slices.SortFunc(change.Entries, byPath)
	const some = 10
	if n := len(warnings) - some; n > 1 {
		warnings = append(warnings[:some], fmt.Sprintf("warning: %d more like these; --exclude '.*' does not send them", n))
	}
	return change, warnings, refused, nil
}
