package store

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Finding is one thing that Fsck has to say.
type Finding struct {
	Place  string // below the folder, with a line or an offset where there is one: .sheaf/log:3
	Text   string
	Damage bool   // else it is worth knowing and nothing is wrong
	Mended string // what a repair has done about it; "": nothing
}

func (f Finding) String() string {
	s := f.Place + ": " + f.Text
	if f.Mended != "" {
		s += " (" + f.Mended + ")"
	}
	return s
}

// ErrNoHistory says that Sheaf has never kept anything in a folder.
var ErrNoHistory = errors.New("no history: Sheaf has not served this folder")

// Fsck reads all that the .sheaf of a folder has, and compares it with the
// folder: the log line by line, every record of every pack, every index, the
// blobs that commits name, the state and the plain files. It gives what it
// found, in the order of the places. The error is of a folder that cannot be
// looked at.
//
// Without repair nothing is written, no lock is taken, and the folder may be
// served meanwhile. With repair nobody else may have it: see ErrHeld. A repair
// takes nothing away but moves it to .sheaf/damaged-TIME. It makes the rest
// such that a server starts with it: a commit that cannot be read becomes one
// without files; what only it had is then found in the plain files, as if it
// had been changed by hand.
func Fsck(dir string, repair bool) (findings []Finding, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := checker{}
	if c.home, err = openDisk(filepath.Join(abs, sheafDir)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNoHistory
		}
		return nil, fmt.Errorf("%s: %w", dir, Reason(err))
	}
	defer c.home.Close()
	if c.tree, err = View(abs); err != nil {
		return nil, err
	}
	defer c.tree.Close()
	if repair {
		lock, err := takeLock(filepath.Join(abs, sheafDir), "fsck")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		defer func() { err = errors.Join(err, lock.release()) }()
		c.aside = "damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
	}
	err = c.run()
	return c.findings, err
}

// checker is one run of Fsck.
type checker struct {
	tree     *Worktree // a view of the folder
	home     disk      // its .sheaf
	aside    string    // the folder of what a repair takes away; "": nothing is repaired
	findings []Finding
	ledger   *Ledger
	stored   map[string]int64 // blobs that are whole, and their sizes
}

func (c *checker) run() error {
	newer, err := c.format()
	if newer || err != nil {
		return err
	}
	for _, check := range []func() error{c.log, c.packs, c.loose, c.blobs, c.state, c.files} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) note(place, format string, args ...any) {
	c.findings = append(c.findings, Finding{Place: place, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) damage(place, mended, format string, args ...any) {
	if c.aside == "" {
		mended = ""
	}
	f := Finding{Place: place, Text: fmt.Sprintf(format, args...), Damage: true, Mended: mended}
	c.findings = append(c.findings, f)
}

// keep copies a file of .sheaf to where a repair keeps what it takes away.
func (c *checker) keep(name string) error {
	b, err := readAll(c.home, name)
	if err != nil {
		return fmt.Errorf("%s: %w", path.Join(sheafDir, name), Reason(err))
	}
	to := path.Join(c.aside, name)
	if _, err := makeDirs(c.home, path.Dir(to), nil); err != nil {
		return err
	}
	if err := create(c.home, to, os.O_EXCL, privateFile, b); err != nil {
		return err
	}
	return errors.Join(fsync(c.home, to), fsync(c.home, path.Dir(to)), fsync(c.home, "."))
}

// rewrite keeps a file and puts b in its place; nil removes it.
func (c *checker) rewrite(name string, b []byte) error {
	if err := c.keep(name); err != nil {
		return err
	}
	if b == nil {
		return errors.Join(c.home.Remove(name), fsync(c.home, path.Dir(name)))
	}
	if _, err := makeDirs(c.home, "tmp", nil); err != nil {
		return err
	}
	return replace(c.home, name, b)
}

func (c *checker) format() (newer bool, err error) {
	place := path.Join(sheafDir, formatName)
	b, err := readAll(c.home, formatName)
	if errors.Is(err, fs.ErrNotExist) {
		c.note(place, "there is none: the next start makes it")
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", place, Reason(err))
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err == nil && n > formatVersion {
		c.damage(place, "", "format %d was made by a newer version of Sheaf, this one knows %d", n, formatVersion)
		return true, nil
	}
	if err == nil && n > 0 {
		return false, nil
	}
	c.damage(place, fmt.Sprintf("now %d", formatVersion), "%.20q is not the number of a format", b)
	if c.aside != "" {
		return false, c.rewrite(formatName, strconv.AppendUint(nil, formatVersion, 10))
	}
	return false, nil
}

// log reads the log line by line. A repair leaves a log in which every commit
// that can be read has the revision it had.
func (c *checker) log() error {
	place := path.Join(sheafDir, journalName)
	b, err := readAll(c.home, journalName)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
		c.damage(place, "", "there is none")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", place, Reason(err))
	}
	commits := c.lines(place, b)
	c.ledger = fold(commits)
	damaged := slices.ContainsFunc(c.findings, func(f Finding) bool { return strings.HasPrefix(f.Place, place) })
	last, shown := c.ledger.Rev(), c.shown()
	if shown > last {
		c.damage(path.Join(sheafDir, appliedName), "now "+strconv.FormatUint(uint64(last), 10),
			"revision %d was shown, but the log ends with %d: commits are missing", shown, last)
	}
	if c.aside == "" || !damaged && shown <= last {
		return nil
	}
	// First what was shown: the start carries out no commit of a log that is
	// shorter, as if it were new.
	if shown > 0 {
		if err := c.rewrite(appliedName, strconv.AppendUint(nil, uint64(last), 10)); err != nil {
			return err
		}
	}
	if damaged {
		return c.rewriteLog(commits)
	}
	return nil
}

// lines gives the commits of a log that can be read, each with its revision. For
// those before it that cannot stand commits without files.
func (c *checker) lines(place string, log []byte) (commits []Commit) {
	var last Rev
	n, broken, bytesBroken := 0, 0, 0 // lines, and those since the last commit
	for line := range bytes.Lines(log) {
		n++
		at := fmt.Sprintf("%s:%d", place, n)
		whole, ended := bytes.CutSuffix(line, []byte("\n"))
		if !ended {
			c.damage(at, "cut off", "the line was never finished: %d bytes that nobody was told are kept", len(whole))
			break
		}
		commit, err := decodeLine(whole)
		if err == nil && (commit.Rev <= last || commit.Rev > last+1+Rev(max(broken, bytesBroken/minLine))) {
			err = fmt.Errorf("revision %d after %d", commit.Rev, last)
		}
		if err != nil {
			broken, bytesBroken = broken+1, bytesBroken+len(line)
			c.damage(at, "cut out", "%v", err)
			continue
		}
		for rev := last + 1; rev < commit.Rev; rev++ {
			commits = append(commits, lostCommit(rev, commit.Time))
		}
		commits, last, broken, bytesBroken = append(commits, commit), commit.Rev, 0, 0
	}
	return commits
}

// rewriteLog makes a log of commits. The old one is kept.
func (c *checker) rewriteLog(commits []Commit) error {
	repaired := []byte{}
	for _, commit := range commits {
		line, err := encodeLine(commit)
		if err != nil {
			return err
		}
		repaired = append(repaired, line...)
	}
	if _, err := c.home.Lstat(journalName); errors.Is(err, fs.ErrNotExist) {
		return errors.Join(create(c.home, journalName, os.O_EXCL, privateFile, nil), fsync(c.home, "."))
	}
	return c.rewrite(journalName, repaired)
}

// minLine is less than any commit takes in the log: a line that has lost its end
// may have been two.
const minLine = 64

// lostCommit stands in a repaired log for one that cannot be read.
func lostCommit(rev Rev, next time.Time) Commit {
	const why = "this commit was damaged and could not be read"
	return Commit{Rev: rev, ID: rand.Text(), Time: next, Message: why, Entries: []Entry{}}
}

// shown is the revision that the plain files have been of; 0 if that is not
// known.
func (c *checker) shown() Rev {
	place := path.Join(sheafDir, appliedName)
	b, err := readAll(c.home, appliedName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	n, perr := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil || perr != nil {
		c.note(place, "not the number of a revision: the next commit makes it anew")
		return 0
	}
	return Rev(n)
}

// packs reads every record of every pack, and compares the indexes with them.
func (c *checker) packs() error {
	c.stored = map[string]int64{}
	list, err := c.home.ReadDir("objects")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path.Join(sheafDir, "objects"), Reason(err))
	}
	for _, e := range list {
		if n, ok := packNumber(e.Name()); ok {
			if err := c.pack(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) pack(n uint32) error {
	name := packName(n)
	place := path.Join(sheafDir, name)
	b, err := readAll(c.home, name)
	if err != nil {
		c.damage(place, "", "cannot be read: %v", Reason(err))
		return nil
	}
	whole := []byte{}           // the records that are, one behind the other
	at := map[digest]location{} // where they are
	for i, bad := 0, 0; i < len(b) || bad > 0; {
		if i < len(b) {
			d, size, put, ok := decodeRecord(b[i:])
			if !ok {
				i, bad = i+1, bad+1
				continue
			}
			if bad == 0 {
				at[d] = location{n, uint32(i), size, put}
				c.stored[hex.EncodeToString(d[:])] = int64(size)
				whole = append(whole, b[i:i+headSize+int(size)]...)
				i += headSize + int(size)
				continue
			}
		}
		c.damage(fmt.Sprintf("%s:+%d", place, i-bad), "cut out",
			"%d bytes are no record: what a power cut leaves, or a version that has changed on the disk", bad)
		bad = 0
	}
	if c.aside != "" && len(whole) < len(b) {
		if err := c.rewrite(name, whole); err != nil {
			return err
		}
		if _, err := c.home.Lstat(name + indexSuffix); err == nil {
			return c.rewrite(name+indexSuffix, nil)
		}
		return nil
	}
	return c.index(n, int64(len(b)), at)
}

// index compares the index of a pack with the records that are in it.
func (c *checker) index(n uint32, size int64, at map[digest]location) error {
	name := packName(n) + indexSuffix
	b, err := readAll(c.home, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	wrong := ""
	p, k := packs{disk: c.home}, pack{number: n, size: size}
	if err != nil {
		wrong = "cannot be read: " + Reason(err).Error()
	} else if known := p.loadIndex(&k); known == nil {
		wrong = fmt.Sprintf("%d bytes that are no index of this pack", len(b))
	} else {
		for ; len(known) > 0; known = known[indexedSize:] {
			d, l := indexedBlob(known, n)
			if is, ok := at[d]; !ok || is.size != l.size || is.at < l.at {
				wrong = fmt.Sprintf("has blob %.12x at %d, where it is not", d[:], l.at)
			}
		}
	}
	if wrong == "" {
		return nil
	}
	c.damage(path.Join(sheafDir, name), "removed: the next start reads the pack", "%s", wrong)
	if c.aside != "" {
		return c.rewrite(name, nil)
	}
	return nil
}

// loose reads the blobs that have a file of their own.
func (c *checker) loose() error {
	o := objects{disk: c.home}
	return o.eachLoose(func(hash string, _ time.Time) {
		name := objectName(hash)
		b, err := readAll(c.home, name)
		if err == nil && hashOf(b) == hash {
			c.stored[hash] = int64(len(b))
			return
		}
		if err == nil {
			err = errors.New("its bytes have changed on the disk")
		}
		mended := "moved away"
		if c.aside != "" {
			if failed := c.rewrite(name, nil); failed != nil {
				mended = "not moved away: " + Reason(failed).Error()
			}
		}
		c.damage(path.Join(sheafDir, name), mended, "%v", Reason(err))
	})
}

// blobs looks for what commits name. What an old commit names may have been
// forgotten; what the newest tree names has to be there.
func (c *checker) blobs() error {
	current := map[string]bool{}
	for _, e := range c.ledger.tree() {
		current[e.Hash] = true
	}
	gone := 0
	for hash := range c.ledger.hashes() {
		if _, ok := c.stored[hash]; hash != "" && !ok && !current[hash] {
			gone++
		}
	}
	if gone > 0 {
		c.note(path.Join(sheafDir, "objects"), "%d old versions are not kept any more", gone)
	}
	for _, e := range c.ledger.Entries() {
		name := e.Path
		if size, ok := c.stored[e.Hash]; ok {
			if size != e.Size {
				c.damage(name, "", "has %d bytes in the log and %d in the store", e.Size, size)
			}
			continue
		}
		b, _, err := c.tree.ReadFile(name, maxKept)
		if err != nil || hashOf(b) != e.Hash {
			c.damage(name, "", "the version that the log names is lost (blob %.12s); the file is as you see it", e.Hash)
			continue
		}
		c.damage(name, "taken from the file", "its version is not in the store (blob %.12s), only in the file", e.Hash)
		if c.aside != "" {
			if _, err := makeDirs(c.home, path.Dir(objectName(e.Hash)), nil); err != nil {
				return err
			}
			if err := replace(c.home, objectName(e.Hash), b); err != nil {
				return err
			}
		}
		c.stored[e.Hash] = e.Size
	}
	return nil
}

// state reads what is kept beside the posts.
func (c *checker) state() error {
	list, err := c.home.ReadDir("state")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path.Join(sheafDir, "state"), Reason(err))
	}
	for _, e := range list {
		if _, err := readAll(c.home, path.Join("state", e.Name())); err != nil {
			c.damage(path.Join(sheafDir, "state", e.Name()), "", "cannot be read: %v", Reason(err))
		}
	}
	list, err = c.home.ReadDir(".")
	for _, e := range list {
		if strings.HasPrefix(e.Name(), journalName+".torn-") || strings.HasPrefix(e.Name(), "damaged-") {
			c.note(path.Join(sheafDir, e.Name()), "kept from an earlier repair: look at it, or remove it")
		}
	}
	return err
}

// files compares the plain files with the newest tree.
func (c *checker) files() error {
	differ, there := 0, map[string]bool{}
	err := c.tree.Walk(func(d *Dir) []string {
		for _, name := range d.Dots {
			if isStaged(name) {
				c.note(path.Join(d.Path, name), "left by a commit that was cut short: the next start removes it")
			}
		}
		for _, name := range d.Files {
			p := path.Join(d.Path, name)
			there[p] = true
			e, known := c.ledger.Entry(p)
			if !known {
				continue
			}
			b, _, err := c.tree.ReadFile(p, maxKept)
			switch {
			case err != nil:
				c.damage(p, "", "cannot be read: %v", Reason(err))
			case hashOf(b) != e.Hash:
				differ++
			}
		}
		return d.Dirs
	})
	for name := range c.ledger.tree() {
		if !there[name] {
			differ++
		}
	}
	if differ > 0 {
		c.note(".", "%d files are not as the newest revision has them: the next start takes that for an edit by hand",
			differ)
	}
	return err
}
