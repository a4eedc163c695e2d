package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"sheaf/app/blog"
)

// The program rsync works on a copy of what it is to see, which is made for the
// session (staging). What it has made of the copy becomes one change of the
// blog.
//
// What a client sends after its command line has to stay within the copy, too:
// the name of a file with filter rules could be that of any file of the server.
// The option --confine-root sees to that, so no older rsync will do than the
// first that has it.
const minRsyncMajor, minRsyncMinor = 3, 5

// rsyncPartial is rsync's exit status for "some files were not transferred",
// which is also that of a set that was refused.
const rsyncPartial = 23

// rsync serves the command rsync.
func (t *Transfer) rsync(ctx context.Context, s Session, args []string) (status int, err error) {
	s.Visitor = s.Visitor.Via("rsync")
	a, err := parseRsync(args)
	if err != nil {
		s.say("sheaf: rsync: " + err.Error())
		return 1, nil
	}
	author, isAuthor := s.Visitor.Author()
	if !a.sender && !isAuthor {
		s.deny()
		return 1, nil
	}
	if err := checkRsyncVersion(ctx); err != nil {
		return s.reportUnavailable(err)
	}
	g, err := t.newStaging(ctx, s.Visitor, a)
	if err != nil {
		return s.reportUnavailable(err)
	}
	defer g.remove()
	if a.sender {
		return g.send(ctx, s, a)
	}
	g.uploader = t.newUploader(ctx, author)
	return g.receive(ctx, s, author, a)
}

// Lacking is what keeps rsync or git from being served on this machine: a
// program that is missing or too old.
func Lacking(ctx context.Context) (errs []error) {
	if err := checkRsyncVersion(ctx); err != nil {
		errs = append(errs, err)
	}
	if _, err := (program{name: "git", args: []string{"--version"}}).output(ctx); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// checkRsyncVersion fails if rsync is missing or too old.
func checkRsyncVersion(ctx context.Context) error {
	out, err := program{name: "rsync", args: []string{"--version"}}.output(ctx)
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`^rsync +version v?([0-9]+)\.([0-9]+)`).FindSubmatch(out)
	if m == nil {
		return missingError{"rsync"}
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major < minRsyncMajor || major == minRsyncMajor && minor < minRsyncMinor {
		return outdatedError{
			name:    "rsync",
			version: fmt.Sprintf("%s.%s", m[1], m[2]),
			needed:  fmt.Sprintf("%d.%d", minRsyncMajor, minRsyncMinor),
		}
	}
	return nil
}

// command returns the call of rsync on the copy.
func (g *staging) command(s Session, a rsyncArgs, paths []string) program {
	args := []string{"--server"}
	if a.sender {
		args = append(args, "--sender", "--max-alloc="+strconv.Itoa(readerMemory))
	} else {
		// No link leads anywhere, and no device, owner or attribute of the
		// system is made.
		args = append(args, "--munge-links", "--drop-D", "--no-super")
	}
	args = append(append(args, a.options...), "--confine-root="+g.dir, ".")
	for _, p := range paths {
		args = append(args, "./"+p)
	}
	p := program{name: "rsync", args: args, dir: g.dir, in: s.In, out: s.Out, err: &lineWriter{session: s}}
	if !s.Visitor.IsAuthor() {
		p.memory = readerMemory
	}
	return p
}

// send gives files to the client and returns the exit status. Patterns are
// expanded as a shell would. The error is internal.
func (g *staging) send(ctx context.Context, s Session, a rsyncArgs) (status int, err error) {
	var paths []string
	missing := false
	for _, p := range a.paths {
		found := glob(g.files, p)
		if len(found) == 0 {
			s.say("sheaf: rsync: " + cmp.Or(p, ".") + ": no such file")
			missing = true
		}
		for _, info := range found {
			name := info.Path
			if asked := strings.TrimSuffix(p, "/"); !info.Dir && len(found) == 1 && !strings.ContainsAny(asked, "*?[") {
				name = asked // SLUG.md stands for a file of another name
			}
			if err := g.stage(ctx, info, name); err != nil {
				return s.reportUnavailable(err)
			}
			if info.Dir && strings.HasSuffix(p, "/") {
				name += "/"
			}
			paths = append(paths, name)
		}
	}
	if len(paths) == 0 {
		return rsyncPartial, nil
	}
	status, err = g.command(s, a, paths).run(ctx)
	if status == 0 && missing {
		status = rsyncPartial
	}
	return status, err
}

// receive takes files from the client, all of them or none, and returns the
// exit status. The error is internal.
func (g *staging) receive(ctx context.Context, s Session, author blog.Author, a rsyncArgs) (status int, err error) {
	if err := g.stageTarget(ctx, a.paths[0]); err != nil {
		return s.reportUnavailable(err)
	}
	root, err := os.OpenRoot(g.dir)
	if err != nil {
		return 1, err
	}
	defer root.Close()
	defer g.uploader.wait()
	status, err = g.runWatched(ctx, s, a, root)
	var limit limitError
	switch {
	case errors.As(err, &limit):
		s.say("sheaf: not published: " + limit.Error())
		return rsyncPartial, nil
	case ctx.Err() != nil:
		return 1, err
	case err != nil:
		_, err = s.report(blog.Receipt{}, err)
		return rsyncPartial, err
	case a.dryRun:
		return status, nil
	case status != 0:
		s.say("sheaf: rsync: the transfer was not completed; nothing was changed")
		return status, nil
	case !s.Alive(ctx):
		return 1, nil
	}
	d, err := g.diff(root, s.Visitor)
	switch {
	case err != nil:
		status, err = s.report(blog.Receipt{}, err)
	case len(d.refused) > 0:
		for _, why := range d.refused {
			s.say("sheaf: not published: " + why)
		}
		return rsyncPartial, nil
	case len(d.change.Entries) > 0:
		status, err = s.report(author.Commit(ctx, d.change))
	}
	s.say(d.warnings...)
	if status == 1 {
		status = rsyncPartial
	}
	return status, err
}

// limitError means that a client sends more than it may.
type limitError struct{ why string }

func (e limitError) Error() string { return e.why }

// runWatched runs rsync on the copy while watch looks after it, and returns
// rsync's exit status. The error is rsync's or that of watch.
func (g *staging) runWatched(ctx context.Context, s Session, a rsyncArgs, root *os.Root) (status int, err error) {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var watching sync.WaitGroup
	watching.Go(func() {
		var err error
		defer func() { stop(err) }()
		defer g.t.contain(&err)
		err = g.watch(running, root, s.Visitor)
	})
	status, err = g.command(s, a, a.paths).run(running)
	stop(nil)
	watching.Wait()
	// stop(nil) leaves context.Canceled.
	if cause := context.Cause(running); err == nil && ctx.Err() == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return status, err
}

// watch looks through the copy again and again until ctx ends, and uploads
// files as they arrive: rsync writes under a hidden name, so a file with its
// own name is complete. The error is a limitError when more has come than may.
// Only this can find that out: a client may send more than it has announced.
func (g *staging) watch(ctx context.Context, root *os.Root, v blog.Visitor) error {
	const minPause = 50 * time.Millisecond
	pause := minPause
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		start := time.Now()
		err := g.inspect(ctx, root, v)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		pause = max(minPause, 2*time.Since(start))
	}
}

// inspect looks once through the copy, for watch.
func (g *staging) inspect(ctx context.Context, root *os.Root, v blog.Visitor) error {
	maxFile := v.MaxFile("")
	var total int64
	count := 0
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // gone, or not to be entered
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if _, unchanged := g.placeholders[inode(info)]; unchanged {
			return nil
		}
		count++
		total += info.Size()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case info.Size() > maxFile:
			return limitError{fmt.Sprintf("%s: is too big: at most %d MB", name, maxFile>>20)}
		case total > g.contentBytes+maxSet:
			return limitError{fmt.Sprintf("more than %d MB at once", maxSet>>20)}
		case count > 2*maxFiles+len(g.staged):
			return limitError{fmt.Sprintf("more than %d files at once", maxFiles)}
		case !g.withContent && info.Mode().IsRegular() && !blog.Scratch(name) && info.Size() <= v.MaxFile(name):
			return g.upload(root, name)
		}
		return nil
	})
}

// stageTarget stages what is at the path a client copies to, and the folders
// above it.
func (g *staging) stageTarget(ctx context.Context, to string) error {
	info, err := g.files.Stat(cmp.Or(strings.TrimSuffix(to, "/"), "."))
	if err == nil && (info.Dir || info.Path == to) {
		if err := g.stage(ctx, info, info.Path); err != nil {
			return err
		}
	}
	dir := path.Dir(to)
	if to == postsDir {
		dir = postsDir
	}
	return os.MkdirAll(g.path(dir), 0o755)
}
