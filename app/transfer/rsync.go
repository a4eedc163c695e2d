package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sheaf/app/blog"
)

// rsyncCall is what a client asks of the far end.
type rsyncCall struct {
	sender  bool // the files go to the client
	dry     bool
	options []string // for the program, all of them known
	paths   []string
}

var (
	// The letters of -avzcnHpu... and what follows -e: the client's abilities.
	// Not among them: links that are followed (L k K), paths sent behind the
	// options (s), and what makes files somewhere else (R is needed for -R).
	rsyncLetters = regexp.MustCompile(`^-[vqlogDtpcnrzuWSxXAEJOIhibdyHR]+(e[0-9]*\.[a-zA-Z]*)?$|^-e[0-9]*\.[a-zA-Z]*$`)
	rsyncWords   = regexp.MustCompile(`^--(delete|delete-(before|during|delay|after|excluded|missing-args)|partial|numeric-ids|existing|ignore-existing|ignore-times|size-only|` +
		`checksum|whole-file|no-whole-file|no-(r|implied-dirs|relative|perms|owner|group|times|W|i-r|inc-recursive|recursive)|omit-dir-times|omit-link-times|stats|force|fuzzy|mkpath|safe-links|prune-empty-dirs|old-compress|new-compress|` +
		`(log-format|out-format)=%[a-zA-Z]|(max|min)-size=[0-9]+[kKmMgG]?|max-delete=[0-9]+|timeout=[0-9]+|modify-window=-?[0-9]+|compress-level=[0-9]+|compress-choice=[a-z0-9]+|checksum-choice=[a-z0-9,]+|checksum-seed=[0-9]+|bwlimit=[0-9.]+[kKmM]?|max-alloc=[0-9]+[kKmMgG]?)$`)
)

// parseRsync reads `rsync --server [--sender] OPTIONS . PATH...`, and refuses
// what it does not know.
func parseRsync(args []string) (c rsyncCall, err error) {
	if len(args) == 0 || args[0] != "--server" {
		return c, errors.New("is answered to the program rsync only")
	}
	args = args[1:]
	if len(args) > 0 && args[0] == "--sender" {
		c.sender, args = true, args[1:]
	}
	for len(args) > 0 && args[0] != "." {
		o := args[0]
		if !rsyncLetters.MatchString(o) && !rsyncWords.MatchString(o) {
			return c, fmt.Errorf("the option %s cannot be used here", o)
		}
		letters, _, _ := strings.Cut(o, "e")
		if o[1] != '-' && strings.Contains(letters, "n") {
			c.dry = true
		}
		if c.sender && strings.HasPrefix(o, "--remove") {
			return c, fmt.Errorf("the option %s cannot be used here", o)
		}
		c.options = append(c.options, o)
		args = args[1:]
	}
	if len(args) < 2 || !c.sender && len(args) > 2 {
		return c, errors.New("needs one path of the blog")
	}
	for _, p := range args[1:] {
		p = strings.TrimPrefix(p, "~/")
		if slices.Contains(strings.Split(p, "/"), "..") || strings.ContainsAny(p, "\x00\n\\") {
			return c, fmt.Errorf("%s leads out of the blog", line(p))
		}
		clean := strings.TrimPrefix(path.Clean("/"+p), "/")
		if strings.HasSuffix(p, "/") || clean == "" || strings.HasSuffix(p, "/.") {
			clean += "/"
		}
		c.paths = append(c.paths, clean)
	}
	return c, nil
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
	files, err := s.Visitor.Files(ctx)
	if err != nil {
		return 1, err
	}
	if err := os.MkdirAll(filepath.Join(t.dir, "rsync"), 0o700); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp(filepath.Join(t.dir, "rsync"), "")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	g := &staging{files: files, dir: dir, staged: map[string]staged{}}
	var paths []string
	for _, p := range c.paths {
		found, err := g.stage(ctx, p, c.sender)
		if err != nil {
			return 1, err
		}
		paths = append(paths, found...)
	}
	if !c.sender {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(path.Dir("./"+c.paths[0]))), 0o755); err != nil {
			return 1, err
		}
	}
	full := append([]string{"--server"}, c.options...)
	if c.sender {
		full = append([]string{"--server", "--sender"}, c.options...)
	} else {
		full = append(full, "--munge-links") // no link leads anywhere
	}
	full = append(append(full, "."), paths...)
	status, err = program{name: "rsync", args: full, dir: dir, in: s.In, out: s.Out, err: &lines{s: s}}.run(ctx)
	var missing errMissing
	if errors.As(err, &missing) {
		s.say("sheaf: " + missing.Error())
		return 1, nil
	}
	if err != nil || status != 0 || c.sender || c.dry {
		return status, err
	}
	if s.Alive != nil && !s.Alive(ctx) {
		return 1, nil
	}
	change, warnings, refused, err := g.difference(ctx, s)
	switch {
	case err != nil:
		return 1, err
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

// staging is a copy of a part of the blog that rsync works on.
type staging struct {
	files  *blog.Files
	dir    string
	under  string // what of the blog is in it, with a slash if it is a folder; "" is all
	staged map[string]staged
}

type staged struct {
	blog.FileInfo
	inode uint64
}

// stage copies what a path names, and gives the paths to tell rsync. A pattern
// is expanded for those who fetch, as a shell would have.
func (g *staging) stage(ctx context.Context, p string, fetch bool) (paths []string, err error) {
	want := strings.TrimSuffix(p, "/")
	g.under = want
	found := []string{want}
	if fetch {
		if list := match(g.files, want); len(list) > 0 {
			found = nil
			for _, info := range list {
				found = append(found, strings.TrimPrefix(info.Path, "."))
				if len(list) == 1 && info.Path != want && want != "" && !info.Dir && !strings.ContainsAny(want, "*?[") {
					// SLUG.md, which is another path's: under the name asked for.
					if err := g.copy(ctx, info, want); err != nil {
						return nil, err
					}
					return []string{"./" + want}, nil
				}
			}
		}
	}
	for _, root := range found {
		for info := range g.files.All() {
			if root == "" || info.Path == root || strings.HasPrefix(info.Path, root+"/") {
				if err := g.copy(ctx, info, info.Path); err != nil {
					return nil, err
				}
			}
		}
		full := "./" + root
		if strings.HasSuffix(p, "/") && root != "" {
			full += "/"
		}
		paths = append(paths, full)
	}
	return paths, nil
}

func (g *staging) copy(ctx context.Context, info blog.FileInfo, name string) error {
	b, err := g.files.Read(ctx, info)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	full := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(full, b, 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(full, info.MTime, info.MTime); err != nil {
		return err
	}
	now, err := os.Lstat(full)
	if err != nil {
		return err
	}
	g.staged[name] = staged{info, inode(now)}
	return nil
}

// difference makes a change of what rsync has left.
func (g *staging) difference(ctx context.Context, s Session) (change blog.Change, warnings, refused []string, err error) {
	change.Base = g.files.Rev()
	root, err := os.OpenRoot(g.dir)
	if err != nil {
		return change, nil, nil, err
	}
	defer root.Close()
	there := map[string]bool{}
	no := func(name, why string) { refused = append(refused, "sheaf: not published: "+name+": "+why) }
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if blog.Scratch(path.Base(name)) {
			warnings = append(warnings, "warning: "+name+": not kept: hidden names and editors' files are not part of the blog")
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
		if !info.Mode().IsRegular() {
			no(name, "is a link or a device, which a blog has none of")
			return nil
		}
		old, known := g.staged[name]
		if known && old.inode == inode(info) && old.Size == info.Size() && old.MTime.Equal(info.ModTime()) {
			return nil
		}
		if _, err := blog.PathFor(name); err != nil {
			no(name, err.Error())
			return nil
		}
		if limit := s.Visitor.MaxFile(name); info.Size() > limit {
			no(name, fmt.Sprintf("is too big: at most %d KB", limit>>10))
			return nil
		}
		b, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		hash, err := s.Visitor.Put(ctx, b)
		if err != nil {
			return err
		}
		if known && hash == old.Hash {
			return nil
		}
		change.Entries = append(change.Entries, blog.Entry{Path: name, Hash: hash, Size: int64(len(b)), MTime: info.ModTime()})
		return nil
	})
	for name := range g.staged {
		if !there[name] {
			change.Entries = append(change.Entries, blog.Entry{Path: name})
		}
	}
	return change, warnings, refused, err
}
