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

// gitObjects are the objects of the view and those of a push.
type gitObjects struct {
	r   repository
	env []string
}

func (g gitObjects) git(args ...string) program {
	p := g.r.git(args...)
	p.env = append(append(p.env, allocLimit), g.env...)
	return p
}

// change reads what a push changes in the blog.
func (g gitObjects) change(ctx context.Context, to *puts, files *blog.Files, from, commit string) (change blog.Change, refused []string, err error) {
	change.Meta = map[string]string{"git.commit": commit}
	if change.Message, change.Time, err = g.message(ctx, from, commit); err != nil {
		return change, nil, err
	}
	if from == "" {
		from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // the empty tree
	}
	raw, err := g.git("diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", from, commit).output(ctx)
	if err != nil {
		return change, nil, err
	}
	no := func(name, why string) { refused = append(refused, "error: "+line(name)+": "+why) }
	var objects bytes.Buffer
	var names []string
	fields := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
	for ; len(fields) > 1; fields = fields[2:] {
		meta, name := strings.Fields(fields[0]), fields[1]
		if len(meta) != 5 {
			return change, nil, fmt.Errorf("git diff-tree: %s", line(fields[0]))
		}
		switch mode, object, kind := meta[1], meta[3], meta[4]; {
		case kind == "D":
			// What is not the blog's (it was hidden, say) is not missed by it.
			if info, err := files.Stat(name); err == nil && info.Path == name && !info.Dir {
				change.Entries = append(change.Entries, blog.Entry{Path: name})
			}
		case mode == "120000":
			no(name, "is a link, which a blog has none of")
		case mode == "160000":
			no(name, "is a repository of its own, which a blog has none of")
		case mode != "100644" && mode != "100755":
			no(name, "has a mode that is not kept: "+line(mode))
		case blog.Scratch(name):
			// It stays in the repository, and is no part of the blog.
		default:
			if _, err := blog.PathFor(name); err != nil {
				no(name, err.Error())
				continue
			}
			objects.WriteString(object + "\n")
			names = append(names, name)
		}
	}
	if len(names) > maxFiles {
		return change, []string{fmt.Sprintf("error: more than %d files at once", maxFiles)}, nil
	}
	if len(names) == 0 || len(refused) > 0 {
		return change, refused, nil
	}
	// What is too big is found out before any of it is read.
	sizes, err := g.sizes(ctx, objects.Bytes(), len(names))
	if err != nil {
		return change, nil, err
	}
	var total int64
	for i, size := range sizes {
		if total += size; size > to.v.MaxFile(names[i]) {
			no(names[i], tooBig(to.v.MaxFile(names[i])).Error())
		}
	}
	if total > maxSet {
		refused = append(refused, fmt.Sprintf("error: more than %d MB at once", maxSet>>20))
	}
	if len(refused) > 0 {
		return change, refused, nil
	}
	err = g.read(ctx, objects.Bytes(), func(in *bufio.Reader) error {
		for i, name := range names {
			b, err := readObject(in, sizes[i])
			if err != nil {
				return fmt.Errorf("%s: %w", line(name), err)
			}
			if err := to.add(blog.Entry{Path: name, Size: sizes[i]}, b); err != nil {
				return err
			}
		}
		return nil
	})
	came, failed := to.wait()
	change.Entries = append(change.Entries, came...)
	slices.SortFunc(change.Entries, byPath)
	return change, nil, cmp.Or(failed, err)
}

// message is what the author has written about a push, and when: of its last
// commit, and the first lines of the others.
func (g gitObjects) message(ctx context.Context, from, to string) (string, time.Time, error) {
	span := to
	if from != "" {
		span = from + ".." + to
	}
	out, err := g.git("log", "--max-count=30", "--topo-order", "--encoding=UTF-8", "--format=%at%x00%s%x00%B%x00", span).output(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	fields := strings.Split(string(out), "\x00")
	if len(fields) < 3 {
		return "", time.Time{}, nil
	}
	// git keeps the time a client says; one that is yet to come is no date.
	var at time.Time
	if sec, err := strconv.ParseInt(strings.TrimSpace(fields[0]), 10, 64); err == nil && sec > 0 && sec < time.Now().Unix() {
		at = time.Unix(sec, 0)
	}
	message := strings.TrimSpace(fields[2])
	for i, more := 3, "\n\nbefore it:"; i+2 < len(fields); i += 3 {
		message += more + "\n- " + fields[i+1]
		more = ""
	}
	message = markdown.Clean(message)
	if len(message) > 4000 {
		message = message[:4000]
		for !utf8.ValidString(message) {
			message = message[:len(message)-1]
		}
	}
	return message, at, nil
}

// sizes asks for the sizes of objects without reading them.
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
			return nil, fmt.Errorf("git cat-file: %s", line(l))
		}
		sizes = append(sizes, n)
	}
	if len(sizes) != count {
		return nil, fmt.Errorf("git cat-file: %d objects of %d", len(sizes), count)
	}
	return sizes, nil
}

// read lets f read the objects one behind the other.
func (g gitObjects) read(ctx context.Context, objects []byte, f func(*bufio.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	p := g.git("cat-file", "--batch", "--buffer")
	p.in, p.out, p.err = bytes.NewReader(objects), pw, io.Discard
	var ran error
	var done sync.WaitGroup
	done.Go(func() {
		_, ran = p.run(ctx)
		pw.CloseWithError(ran)
	})
	err := f(bufio.NewReaderSize(pr, 64<<10))
	pr.Close()
	cancel()
	done.Wait()
	return errors.Join(err, ran)
}

// readObject reads what cat-file says of one object whose size is known.
func readObject(in *bufio.Reader, size int64) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if f := strings.Fields(head); len(f) != 3 || f[1] != "blob" || f[2] != strconv.FormatInt(size, 10) {
		return nil, fmt.Errorf("git cat-file: %s", line(head))
	}
	b := make([]byte, size+1) // with a line end
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	return b[:size], nil
}
