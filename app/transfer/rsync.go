package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"sheaf/app/blog"
)

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
