package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sheaf/app/blog"
	"sheaf/app/markdown"
)

// gitObjects are the objects of a view together with those of a push.
type gitObjects struct {
	r   repository
	env []string // of hookRequest
}

func (g gitObjects) git(args ...string) program {
	p := g.r.git(args...)
	p.env = append(append(p.env, allocLimit), g.env...)
	return p
}

// checkCommit rejects a push of something that is no commit, or that is not
// based on the branch, whose head is from; "" is a branch yet to be made.
func (g gitObjects) checkCommit(ctx context.Context, from, to string) error {
	kind, err := g.git("cat-file", "-t", to).output(ctx)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(kind)) != "commit" {
		return rejection{"what is pushed to main is no commit"}
	}
	if from == "" {
		return nil
	}
	_, err = g.git("merge-base", "--is-ancestor", from, to).output(ctx)
	var failed statusError
	if errors.As(err, &failed) && failed.status == 1 {
		return rejection{"this would take back what is published: git pull --rebase, then push again"}
	}
	return err
}

// change reads what a push changes in the blog and gives the new contents to
// the uploader. The error may be a rejection. Sizes are checked before anything
// is read.
func (g gitObjects) change(ctx context.Context, to *uploader, files *blog.Files, from, commit string) (
	change blog.Change, err error,
) {
	change.Meta = map[string]string{"git.commit": commit}
	if change.Message, change.Time, err = g.message(ctx, from, commit); err != nil {
		return change, err
	}
	d, err := g.diff(ctx, files, from, commit)
	switch {
	case err != nil:
		return change, err
	case len(d.names) > maxFiles:
		return change, rejection{fmt.Sprintf("more than %d files at once", maxFiles)}
	case len(d.refused) > 0:
		return change, d.refused
	}
	change.Entries = d.removed
	if len(d.names) == 0 {
		return change, nil
	}
	objects := []byte(strings.Join(d.objects, "\n") + "\n")
	sizes, err := g.sizes(ctx, objects, len(d.names))
	if err != nil {
		return change, err
	}
	var refused rejection
	var total int64
	for i, size := range sizes {
		if total += size; size > to.author.MaxFile(d.names[i]) {
			refused = append(refused, markdown.Line(d.names[i])+": "+tooBig(to.author.MaxFile(d.names[i])).Error())
		}
	}
	if total > maxSet {
		refused = append(refused, fmt.Sprintf("more than %d MB at once", maxSet>>20))
	}
	if len(refused) > 0 {
		return change, refused
	}
	err = g.read(ctx, objects, func(in *bufio.Reader) error {
		for i, name := range d.names {
			b, err := readObject(in, sizes[i])
			if err != nil {
				return fmt.Errorf("%s: %w", markdown.Line(name), err)
			}
			if err := to.add(blog.Entry{Path: name, Size: sizes[i]}, b); err != nil {
				return err
			}
		}
		return nil
	})
	uploaded, uploadErr := to.wait()
	change.Entries = append(change.Entries, uploaded...)
	slices.SortFunc(change.Entries, byPath)
	return change, cmp.Or(uploadErr, err)
}

// A gitDiff is what a push changes, by the names in git's trees.
type gitDiff struct {
	removed []blog.Entry // from the blog
	names   []string     // of files that are new or changed
	objects []string     // their contents
	refused rejection    // what cannot be part of a blog
}

// diff compares two commits, the first of which may be "". Hidden files and
// those of editors are left out: they stay in the repository.
func (g gitObjects) diff(ctx context.Context, files *blog.Files, from, to string) (d gitDiff, err error) {
	const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	args := []string{"diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", cmp.Or(from, emptyTree), to}
	raw, err := g.git(args...).output(ctx)
	if err != nil {
		return d, err
	}
	fields := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
	for ; len(fields) > 1; fields = fields[2:] {
		meta, name := strings.Fields(fields[0]), fields[1]
		if len(meta) != 5 {
			return d, fmt.Errorf("git diff-tree: %s", markdown.Line(fields[0]))
		}
		mode, object, status := meta[1], meta[3], meta[4]
		if status == "D" {
			// The blog does not miss what it never had, a hidden file for one.
			if info, err := files.Stat(name); err == nil && info.Path == name && !info.Dir {
				d.removed = append(d.removed, blog.Entry{Path: name})
			}
			continue
		}
		switch why, scratch := refusedFile(name, mode), blog.Scratch(name); {
		case why != "":
			d.refused = append(d.refused, markdown.Line(name)+": "+why)
		case !scratch:
			d.names = append(d.names, name)
			d.objects = append(d.objects, object)
		}
	}
	return d, nil
}

// refusedFile tells why a file of a name and mode cannot be part of a blog, ""
// if it can, or if it is left out anyway.
func refusedFile(name, mode string) string {
	switch mode {
	case "100644", "100755":
	case "120000":
		return "is a link, which a blog has none of"
	case "160000":
		return "is a repository of its own, which a blog has none of"
	default:
		return "has a mode that is not kept: " + markdown.Line(mode)
	}
	if blog.Scratch(name) {
		return ""
	}
	if _, err := blog.PathFor(name); err != nil {
		return err.Error()
	}
	return ""
}

// message returns what the author has written about a push, which are the
// message of its last commit and the first lines of the others, and the time of
// the last commit. Clients can say any time; one that is yet to come is
// ignored.
func (g gitObjects) message(ctx context.Context, from, to string) (string, time.Time, error) {
	const maxBytes = 4000
	commits := to
	if from != "" {
		commits = from + ".." + to
	}
	log := g.git("log", "--max-count=30", "--topo-order", "--encoding=UTF-8", "--format=%at%x00%s%x00%B%x00", commits)
	out, err := log.output(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	fields := strings.Split(string(out), "\x00")
	if len(fields) < 3 {
		return "", time.Time{}, nil
	}
	var at time.Time
	sec, err := strconv.ParseInt(strings.TrimSpace(fields[0]), 10, 64)
	if err == nil && sec > 0 && sec < time.Now().Unix() {
		at = time.Unix(sec, 0)
	}
	message := strings.TrimSpace(fields[2])
	for i, head := 3, "\n\nbefore it:"; i+2 < len(fields); i += 3 {
		message += head + "\n- " + fields[i+1]
		head = ""
	}
	message = markdown.Clean(message)
	if len(message) > maxBytes {
		message = message[:maxBytes]
		for !utf8.ValidString(message) {
			message = message[:len(message)-1]
		}
	}
	return message, at, nil
}

// sizes returns the sizes of blobs, of which there are count, without reading
// them. The objects are names, each on a line of its own.
func (g gitObjects) sizes(ctx context.Context, objects []byte, count int) ([]int64, error) {
	p := g.git("cat-file", "--batch-check=%(objecttype) %(objectsize)")
	p.in = bytes.NewReader(objects)
	out, err := p.output(ctx)
	if err != nil {
		return nil, err
	}
	var sizes []int64
	for l := range strings.Lines(string(out)) {
		kind, size, _ := strings.Cut(strings.TrimSpace(l), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if kind != "blob" || err != nil {
			return nil, fmt.Errorf("git cat-file: %s", markdown.Line(l))
		}
		sizes = append(sizes, n)
	}
	if len(sizes) != count {
		return nil, fmt.Errorf("git cat-file: %d objects of %d", len(sizes), count)
	}
	return sizes, nil
}

// read lets f read objects, one after the other, with readObject. The objects
// are names, each on a line of its own.
func (g gitObjects) read(ctx context.Context, objects []byte, f func(*bufio.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	p := g.git("cat-file", "--batch", "--buffer")
	p.in, p.out, p.err = bytes.NewReader(objects), pw, io.Discard
	var runErr error
	var done sync.WaitGroup
	done.Go(func() {
		_, runErr = p.run(ctx)
		pw.CloseWithError(runErr)
	})
	err := f(bufio.NewReaderSize(pr, 64<<10))
	pr.Close()
	cancel()
	done.Wait()
	return errors.Join(err, runErr)
}

// readObject reads one blob, whose size is known, from the output of cat-file.
func readObject(in *bufio.Reader, size int64) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if f := strings.Fields(head); len(f) != 3 || f[1] != "blob" || f[2] != strconv.FormatInt(size, 10) {
		return nil, fmt.Errorf("git cat-file: %s", markdown.Line(head))
	}
	b := make([]byte, size+1) // a line end follows
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	return b[:size], nil
}
