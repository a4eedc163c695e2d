package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"sheaf/app/blog"
)

// An scpSink takes a set of files and commits it as one change.
type scpSink struct {
	Session
	author blog.Author
	ctx    context.Context
	conn   *scpConn
	args   scpArgs
	files  *blog.Files

	target      string
	targetIsDir bool
	openDirs    []string // paths of the directories that are open, outermost first
	nextMTime   time.Time
	change      blog.Change
	seen        map[string]bool // paths of the set
	size        int64           // of the set, in bytes
	count       int             // of its files
	warnings    []string
}

// internalError is a failure for the log, about which an author can do nothing.
type internalError struct{ error }

func (e *internalError) Unwrap() error { return e.error }

// receive takes the set and returns the exit status. It ends at the first thing
// that is wrong: the whole set is refused then, and nobody needs to wait for
// the rest of it. The error is internal.
func (k *scpSink) receive() (status int, _ error) {
	err := k.resolveTarget(k.args.paths[0])
	if err == nil {
		k.conn.ok()
		err = k.readRecords()
	}
	if err == nil {
		if !k.Alive(k.ctx) {
			return 1, nil
		}
		if err = k.commit(); errors.Is(err, errReported) {
			return 1, nil
		}
	}
	var internal *internalError
	switch {
	case errors.As(err, &internal):
		if why := blog.StorageProblem(err); why != "" {
			k.conn.fail("not published: " + why)
			return 1, nil
		}
		return 1, internal.error
	case errors.Is(err, errCutOff):
		k.say("sheaf: not published: " + err.Error())
		return 1, nil
	case errors.Is(err, errReported):
		k.conn.fail(err.Error())
		return 1, nil
	case err != nil:
		k.conn.fail("not published: " + err.Error())
		return 1, nil
	}
	k.say(k.warnings...)
	if len(k.warnings) > 0 && len(k.seen) == 0 {
		return 1, nil
	}
	return 0, nil
}

// commit publishes what has arrived. The error is errReported if it was
// refused.
func (k *scpSink) commit() error {
	if len(k.change.Entries) == 0 {
		return nil
	}
	status, err := k.report(k.author.Commit(k.ctx, k.change))
	k.change.Entries = nil
	switch {
	case err != nil:
		return &internalError{err}
	case status != 0:
		return errReported
	}
	return nil
}

// resolveTarget finds out where the set goes.
func (k *scpSink) resolveTarget(p string) error {
	if slices.Contains(strings.Split(p, "/"), "..") {
		return errors.New(p + ": leads out of the blog")
	}
	k.target = cleanPath(p)
	switch k.targetIsDir = isDir(k.files, k.target); {
	case k.targetIsDir:
		return nil
	case k.args.targetDir || strings.HasSuffix(p, "/"):
		return errors.New(k.target + ": there is no such folder; make it first")
	case !isDir(k.files, path.Dir(k.target)):
		return errors.New(k.target + ": there is no folder " + path.Dir(k.target) + "; make it first")
	}
	return nil
}

// pathFor returns the path of what comes next under a name.
func (k *scpSink) pathFor(name string) string {
	switch {
	case len(k.openDirs) > 0:
		return path.Join(k.openDirs[len(k.openDirs)-1], name)
	case k.targetIsDir:
		return path.Join(k.target, name)
	}
	return k.target
}

// readRecords takes the set, to the end of the input. Where a directory is
// still open, that is not the end of the set but a connection that was cut.
func (k *scpSink) readRecords() error {
	for {
		text, err := k.conn.readRecord()
		switch {
		case err == io.EOF && len(k.openDirs) == 0:
			return nil
		case err == io.EOF:
			return errCutOff
		case err != nil:
			return err
		}
		r, err := parseRecord(text)
		if err != nil {
			return err
		}
		switch r.kind {
		case scpWarning: // the client could not read a file, and has said so
			continue
		case scpFatal:
			return errCutOff
		case 'T':
			k.nextMTime = r.mtime
		case 'D':
			if !k.args.recursive || len(k.openDirs) == maxDepth {
				return errRecord
			}
			k.openDirs = append(k.openDirs, k.pathFor(r.text))
			k.nextMTime = time.Time{}
		case 'E':
			if len(k.openDirs) == 0 {
				return errRecord
			}
			k.openDirs = k.openDirs[:len(k.openDirs)-1]
		case 'C':
			if err := k.receiveFile(k.pathFor(r.text), r.size); err != nil {
				return err
			}
			k.nextMTime = time.Time{}
			if !k.args.recursive && !k.args.targetDir {
				// It is the only one, and complete. Clients other than OpenSSH
				// do not look at the exit status, but at this answer.
				if err := k.commit(); err != nil {
					return err
				}
			}
		}
		k.conn.ok()
	}
}

// receiveFile takes the bytes of a file into the blog. The caller acknowledges
// them.
func (k *scpSink) receiveFile(p string, size int64) error {
	dest, err := k.destination(p, size)
	if err != nil {
		return err
	}
	k.size += size
	if k.count++; k.size > maxSet || k.count > maxFiles {
		return fmt.Errorf("a set is at most %d files and %d MB", maxFiles, maxSet>>20)
	}
	if dest == "" {
		k.warnings = append(k.warnings,
			"warning: "+p+": not kept: hidden names, and those of editors, are not part of the blog")
		k.conn.ok()
		if _, err := io.CopyN(io.Discard, k.conn.in, size); err != nil {
			return errCutOff
		}
		return k.conn.readAck()
	}
	k.conn.ok()
	data := make([]byte, size)
	if _, err := io.ReadFull(k.conn.in, data); err != nil {
		return errCutOff
	}
	if err := k.conn.readAck(); errors.Is(err, errSkipped) {
		return errors.New(p + ": the client could not read all of it")
	} else if err != nil {
		return err
	}
	hash, err := k.author.Put(k.ctx, data)
	if err != nil {
		return &internalError{err}
	}
	k.change.Entries = append(k.change.Entries,
		blog.Entry{Path: dest, Hash: hash, Size: size, MTime: k.nextMTime})
	return nil
}

// destination returns the path in the blog of a file of that size, or why there
// may be none. The path is "" for hidden files and those of editors, which are
// not kept.
func (k *scpSink) destination(p string, size int64) (string, error) {
	if blog.Scratch(p) {
		if limit := k.Visitor.MaxFile(p); size > limit {
			return "", fmt.Errorf("%s: %w", p, tooBig(limit))
		}
		return "", nil
	}
	if info, err := k.files.Stat(p); err == nil && !info.Dir && info.Path != p && isPostAddress(k.Visitor, p) {
		p = info.Path
	}
	dest, err := blog.PathFor(p)
	switch limit := k.Visitor.MaxFile(p); {
	case err != nil:
		return "", fmt.Errorf("%s: %w", p, err)
	case size > limit:
		return "", fmt.Errorf("%s: %w", p, tooBig(limit))
	case k.seen[dest]:
		return "", errors.New(p + ": comes twice")
	case isDir(k.files, dest):
		return "", errors.New(p + ": is a folder")
	}
	k.seen[dest] = true
	return dest, nil
}
