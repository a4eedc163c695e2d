package store

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clockStep is how old a file must be for its stamp to be trusted: a second
// edit within the clock's step would have the same one.
const clockStep = 50 * time.Millisecond

// ownTime is how long it takes at most until a change of ours comes back as a
// notification, on a machine that is busy.
const ownTime = 10 * time.Second

// A stampCache remembers which bytes a file had when it was last looked at, by
// its stamp, and what this process has changed itself, so that it is no news
// when the system tells of it. It can be lost: the files are then read again.
// Its methods are safe for concurrent use.
type stampCache struct {
	seed maphash.Seed

	mu      sync.Mutex
	files   map[string]known
	changed bool // files, since it was saved

	own    map[string]ownChange // the last one of each path, of late
	swept  time.Time            // when own was
	shift  uint64               // of a fingerprint, by all changes of ours
	shifts int                  // how often it has changed, or will
}

// known is what a name is: a file, or a directory.
type known struct {
	dir   bool
	stamp Stamp
	hash  string
}

// An ownChange is one that this process has made. The stamp of a new file is
// mostly within the clock's step, so it is trusted only when the notification
// of the change has come, and time enough for another one behind it.
type ownChange struct {
	is    *known // nil: removed
	at    time.Time
	told  bool       // the system has told of it
	after *ownChange // while it is being made: the one before it, if there was one
}

func (o *ownChange) made(is *known) bool {
	if o == nil || (o.is == nil) != (is == nil) {
		return false
	}
	return is == nil || o.is.dir == is.dir && o.is.stamp == is.stamp
}

func newStampCache() *stampCache {
	return &stampCache{seed: maphash.MakeSeed(), files: map[string]known{}, own: map[string]ownChange{}, swept: time.Now()}
}

// get gives the hash of a file with a stamp, if it is known.
func (c *stampCache) get(name string, s Stamp) (hash string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.files[name]; ok && f.stamp == s {
		return f.hash, true
	}
	if o, ok := c.own[name]; ok && o.trusted() && o.is.stamp == s {
		c.trust(name, *o.is)
		return o.is.hash, true
	}
	return "", false
}

// trusted reports a file whose stamp tells that nobody has changed it since.
func (o ownChange) trusted() bool {
	return o.told && o.is != nil && !o.is.dir && time.Since(o.at) > time.Second
}

func (c *stampCache) trust(name string, f known) {
	c.files[name] = f
	c.changed = true
}

// put remembers what was read of a file.
func (c *stampCache) put(name string, s Stamp, hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.own[name]; o.is != nil && o.is.hash != hash {
		delete(c.own, name)
	}
	c.set(name, &known{stamp: s, hash: hash})
}

// set remembers what a name is if its stamp tells it from all that may come.
func (c *stampCache) set(name string, is *known) {
	if is == nil || is.dir || time.Since(time.Unix(0, is.stamp.MTime)) < clockStep {
		delete(c.files, name)
		c.changed = true
		return
	}
	c.trust(name, *is)
}

// change makes a change of one name that this process knows of, by do.
func (c *stampCache) change(name string, before, after *known, do func() error) error {
	c.mu.Lock()
	c.sweep()
	o := ownChange{is: after, at: time.Now()}
	if last, ok := c.own[name]; ok {
		last.after = nil
		o.after = &last
	}
	c.own[name] = o // first: the system may tell at once
	c.shifts++
	c.mu.Unlock()
	err := do()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shifts++
	if err != nil {
		delete(c.own, name)
		return err
	}
	if o, ok := c.own[name]; ok {
		o.after = nil
		c.own[name] = o
	}
	c.shift += c.sum(name, after) - c.sum(name, before)
	c.set(name, after)
	return nil
}

// sweep forgets changes that are long over. The lock is held.
func (c *stampCache) sweep() {
	now := time.Now()
	if now.Sub(c.swept) < ownTime {
		return
	}
	c.swept = now
	for name, o := range c.own {
		if now.Sub(o.at) > ownTime {
			c.keep(name, o)
			delete(c.own, name)
		}
	}
}

func (c *stampCache) keep(name string, o ownChange) {
	if o.trusted() {
		c.trust(name, *o.is)
	}
}

// isOwn reports whether a name is what a change of ours has made of it, now
// that the system has told of a change; nil: there is nothing of that name.
func (c *stampCache) isOwn(name string, is *known) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.own[name]
	if !ok {
		return false
	}
	if o.made(is) {
		o.told = true
		c.own[name] = o
		return true
	}
	return o.after.made(is)
}

// drop forgets a file that somebody else has changed, whatever its stamp says.
func (c *stampCache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.own, name)
	delete(c.files, name)
	c.changed = true
}

// dropOwn forgets the changes of ours: what the system has told is incomplete.
func (c *stampCache) dropOwn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.own)
}

// sum is the part of one name in the fingerprint of a folder, which is the sum
// of all; 0 for nothing.
func (c *stampCache) sum(name string, is *known) uint64 {
	if is == nil {
		return 0
	}
	type part struct {
		name  string
		dir   bool
		stamp Stamp
	}
	return maphash.Comparable(c.seed, part{name, is.dir, is.stamp})
}

// shifted gives how far our own changes have moved a fingerprint, and a number
// that is another one when there was a change in between.
func (c *stampCache) shifted() (shift uint64, shifts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shift, c.shifts
}

const indexName = "index"

// save writes down what is known, one file a line: hash, size, time, inode,
// path.
func (c *stampCache) save(d disk) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, o := range c.own {
		c.keep(name, o)
	}
	if !c.changed {
		return nil
	}
	var b bytes.Buffer
	for name, f := range c.files {
		fmt.Fprintf(&b, "%s %d %d %d %s\n", f.hash, f.stamp.Size, f.stamp.MTime, f.stamp.Inode, name)
	}
	tmp, err := writeTemp(d, b.Bytes())
	if err != nil {
		return err
	}
	c.changed = false
	return d.Rename(tmp, indexName)
}

// load reads what an earlier process has saved.
func (c *stampCache) load(d disk) {
	b, err := readAll(d, indexName)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		if len(parts) != 5 || !validHash(parts[0]) {
			continue
		}
		size, err1 := strconv.ParseInt(parts[1], 10, 64)
		mtime, err2 := strconv.ParseInt(parts[2], 10, 64)
		inode, err3 := strconv.ParseUint(parts[3], 10, 64)
		if err1 == nil && err2 == nil && err3 == nil {
			c.files[parts[4]] = known{stamp: Stamp{Size: size, MTime: mtime, Inode: inode}, hash: parts[0]}
		}
	}
}
