package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A witness is what somebody who publishes has been told.
type witness struct {
	commits []Commit          // acknowledged; those that were not may stand or not
	texts   map[string]string // by hash, of all that was put
	state   map[string]string // acknowledged
	tried   map[string]string // a state that was not, after the last that was
	refused int
}

func newWitness() *witness {
	return &witness{texts: map[string]string{}, state: map[string]string{}, tried: map[string]string{}}
}

// A step does something with a blog and notes what it was told. A failure is
// no reason to stop.
type step func(w *Worktree, seen *witness)

// committing is a step that makes one commit: of each path its text, "" removes.
func committing(files map[string]string) step {
	return func(w *Worktree, seen *witness) {
		c := Commit{Author: "Ada"}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			text := files[name]
			e := Entry{Path: name}
			if text != "" {
				hash, err := w.Put(context.Background(), []byte(text))
				if err != nil {
					seen.refused++
					return
				}
				seen.texts[hash] = text
				e.Hash, e.Size = hash, int64(len(text))
			}
			c.Entries = append(c.Entries, e)
		}
		rev, err := w.Commit(context.Background(), w.Ledger().Rev(), c)
		if err != nil {
			seen.refused++
			return
		}
		c, _ = w.Ledger().Commit(rev)
		seen.commits = append(seen.commits, c)
	}
}

func keeping(name, text string) step {
	return func(w *Worktree, seen *witness) {
		if err := w.State().SetState(name, []byte(text)); err != nil {
			seen.refused++
			seen.tried[name] = text
			return
		}
		seen.state[name] = text
		delete(seen.tried, name)
	}
}

// story is what happens to the blog: a first commit, changes, a folder that
// comes and goes, a large blob, many files at once, small state, packs that
// fill and are cleaned.
func story() []step {
	many := map[string]string{}
	for i := range 3 * few {
		many[fmt.Sprintf("many/%d/x.md", i)] = fmt.Sprintf("number %d %s", i, strings.Repeat("m", 700))
	}
	fewer := map[string]string{}
	for name := range many {
		fewer[name] = ""
	}
	delete(fewer, "many/0/x.md")
	long := func(s string) string { return s + strings.Repeat(s, 1500) }
	return []step{
		committing(map[string]string{"a.md": "first"}),
		committing(map[string]string{"a.md": long("second"), "posts/deep/b.md": long("b")}),
		keeping("kept", "one"),
		committing(map[string]string{"picture.png": strings.Repeat("p", 20<<10)}),
		committing(many),
		keeping("kept", long("two")),
		committing(map[string]string{"posts/deep/b.md": "", "posts/c.md": long("c")}),
		committing(fewer),
		committing(map[string]string{"a.md": long("third"), "posts/c.md": "", "posts": "a file where a folder was"}),
		committing(map[string]string{"a.md": long("second")}), // as it was
		keeping("other", "x"),
		func(w *Worktree, _ *witness) { _, _ = w.Put(context.Background(), []byte("p")) }, // and never committed
	}
}

// live opens the blog of a disk and lets the story happen to it. What begins
// with the power gone is told nothing.
func live(top string, d *crashDisk, opts ...Option) *witness {
	seen := newWitness()
	w, err := openCrashed(top, d, opts...)
	if err != nil {
		return seen
	}
	w.local.objects.packs.limit, w.local.objects.maxPacked = 16<<10, 10<<10
	for _, s := range story() {
		s(w, seen)
	}
	w.Close() // fails where the power has gone
	return seen
}

// openCrashed opens the blog on a disk. The lock is a real one, in top.
func openCrashed(top string, d *crashDisk, opts ...Option) (*Worktree, error) {
	opts = append(opts, func(o *options) { o.disk = d.at(top) })
	return Open(top, slog.New(slog.DiscardHandler), opts...)
}

// lockFolder is a folder on the real disk for the lock.
func lockFolder(t *testing.T) string {
	top := t.TempDir()
	if err := os.Mkdir(path.Join(top, sheafDir), privateDir); err != nil {
		t.Fatal(err)
	}
	return top
}

// broken says what is not as those were told who published, or "".
func broken(top string, d *crashDisk, seen *witness) string {
	w, err := openCrashed(top, d)
	if err != nil {
		return fmt.Sprintf("the blog does not open: %v", err)
	}
	defer w.Close()
	ledger := w.Ledger()
	for _, want := range seen.commits {
		is, ok := ledger.Commit(want.Rev)
		if !ok || is.ID != want.ID || !slices.EqualFunc(is.Entries, want.Entries, func(a, b Entry) bool { return a.Path == b.Path && a.Hash == b.Hash }) {
			return fmt.Sprintf("revision %d is not as it was acknowledged", want.Rev)
		}
	}
	for hash := range ledger.hashes() {
		if hash == "" {
			continue
		}
		if b, err := w.local.Get(context.Background(), hash); err != nil || string(b) != seen.texts[hash] {
			return fmt.Sprintf("a version of a commit is not what was put: %v", err)
		}
	}
	for _, e := range ledger.Entries() {
		if b, err := w.local.Get(context.Background(), e.Hash); err != nil || string(b) != seen.texts[e.Hash] {
			return fmt.Sprintf("%s is not in the store: %v", e.Path, err)
		}
		if b, _, err := w.ReadFile(e.Path, maxKept); err != nil || string(b) != seen.texts[e.Hash] {
			return fmt.Sprintf("the file %s is %.20q, want %.20q, %v", e.Path, b, seen.texts[e.Hash], err)
		}
	}
	if rev, err := w.Import(context.Background(), func(string, bool) bool { return false }); rev != ledger.Rev() || err != nil {
		c, _ := w.Ledger().Commit(rev)
		return fmt.Sprintf("the plain files are not those of the head: revision %d of %v, %v", rev, c.Entries, err)
	}
	for name, want := range seen.state {
		if b, err := w.State().State(name); err != nil || string(b) != want && string(b) != seen.tried[name] {
			return fmt.Sprintf("state %s is %.20q, want %.20q, %v", name, b, want, err)
		}
	}
	left := ""
	_ = w.Walk(func(dir *Dir) []string {
		for _, name := range dir.Dots {
			if isStaged(name) {
				left = path.Join(dir.Path, name)
			}
		}
		return dir.Dirs
	})
	if left != "" {
		return left + " is left"
	}
	next := newWitness()
	committing(map[string]string{"next.md": "goes on"})(w, next)
	if next.refused > 0 {
		return "nothing can be committed any more"
	}
	if wrong := brokenNext(top, d.afterPowerCut(func() bool { return false }), next); wrong != "" {
		return "after one more power cut " + wrong
	}
	return ""
}

// brokenNext is broken for the one commit that was made after a power cut.
func brokenNext(top string, d *crashDisk, next *witness) string {
	d.before = nil
	other := top + "-next" // the first server still has the lock of top
	if err := os.MkdirAll(path.Join(other, sheafDir), privateDir); err != nil {
		return err.Error()
	}
	w, err := openCrashed(other, d)
	if err != nil {
		return fmt.Sprintf("the blog does not open: %v", err)
	}
	defer w.Close()
	want := next.commits[0]
	if is, ok := w.Ledger().Commit(want.Rev); !ok || is.ID != want.ID {
		return "the next commit is gone"
	}
	if b, err := w.local.Get(context.Background(), want.Entries[0].Hash); err != nil || string(b) != "goes on" {
		return fmt.Sprintf("the text of the next commit is gone: %v", err)
	}
	return ""
}

// effort chooses between what is enough with -short, what is usual and what a
// release deserves: see SHEAF_TEST_EFFORT in CONTRIBUTING.
func effort(short, usual, full int) int {
	switch {
	case testing.Short():
		return short
	case os.Getenv("SHEAF_TEST_EFFORT") == "full":
		return full
	}
	return usual
}

// variants are what a power cut may leave of what was not synced: nothing, all,
// and so many times some of it.
func variants(n, some int) map[string]func() bool {
	v := map[string]func() bool{
		"nothing": func() bool { return false },
		"all":     func() bool { return true },
	}
	for i := range some {
		v[fmt.Sprintf("some (%d)", i)] = chance(uint64(n*100+i), []float64{0.5, 0.5, 0.9, 0.1}[i%4])
	}
	return v
}

// powerCuts has the power go before every operation of the story, from the
// first to the last, and says of the first one that breaks a promise what is
// wrong. skip names syncs that do nothing.
func powerCuts(top, skip string) string {
	upTo := func(n int) (*crashDisk, *witness) {
		d := newCrashDisk()
		d.before = func(o operation) error {
			switch {
			case o.n >= n:
				return errPower
			case o.site != "" && o.site == skip:
				return errNotSynced
			}
			return nil
		}
		return d, live(top, d)
	}
	whole, seen := upTo(math.MaxInt)
	if len(seen.commits) != 8 {
		return fmt.Sprintf("%d commits of the story were made", len(seen.commits))
	}
	total := whole.count
	for i := 0; i <= total; i += effort(11, 1, 1) {
		n := i
		if n == 0 {
			n = total + 1 // first, as it is the one that finds most
		}
		some := effort(1, 1, 4)
		if n > total { // what is never synced at all is lost here
			some = 60
		}
		for what, keep := range variants(n, some) {
			d, seen := upTo(n)
			if wrong := broken(top, d.afterPowerCut(keep), seen); wrong != "" {
				return fmt.Sprintf("power cut before operation %d of %d, %s of what was not synced is there: %s", n, total, what, wrong)
			}
		}
	}
	return ""
}

func TestWhatIsAcknowledgedOutlivesAPowerCutAtEveryOperation(t *testing.T) {
	if wrong := powerCuts(lockFolder(t), ""); wrong != "" {
		t.Error(wrong)
	}
}

// A start that is cut short loses nothing either, wherever the one before it
// was: what it carries out again, or puts aside, is there for the next one.
func TestWhatIsAcknowledgedOutlivesAPowerCutDuringAStart(t *testing.T) {
	if wrong := powerCutsAtStart(lockFolder(t), ""); wrong != "" {
		t.Error(wrong)
	}
}

// powerCutsAtStart has the power go at some of the operations of the story, and
// then once more at every one of the start that follows.
func powerCutsAtStart(top, skip string) string {
	without := func(n int, d *crashDisk) *crashDisk {
		d.before = func(o operation) error {
			switch {
			case o.n >= n:
				return errPower
			case o.site != "" && o.site == skip:
				return errNotSynced
			}
			return nil
		}
		return d
	}
	whole := without(math.MaxInt, newCrashDisk())
	live(top, whole)
	for n := 1; n <= whole.count; n += effort(97, 37, 9) {
		d := without(n, newCrashDisk())
		seen := live(top, d)
		for m := 1; ; m++ {
			again := without(m, d.afterPowerCut(chance(uint64(n), 0.6)))
			w, err := openCrashed(top, again)
			if err == nil {
				w.Close()
			}
			if again.count < m {
				break
			}
			for what, keep := range variants(n+m, effort(1, 1, 4)) {
				if wrong := broken(top, again.afterPowerCut(keep), seen); wrong != "" {
					return fmt.Sprintf("power cut before operation %d, and before %d of the start after it, %s of what was not synced is there: %s", n, m, what, wrong)
				}
			}
		}
	}
	return ""
}

// syncSites lists the places in the code that sync while the story happens.
func syncSites(top string) []string {
	var mu sync.Mutex
	sites := map[string]bool{}
	d := newCrashDisk()
	d.before = func(o operation) error {
		mu.Lock()
		defer mu.Unlock()
		if o.site != "" {
			sites[o.site] = true
		}
		return nil
	}
	live(top, d)
	return slices.Sorted(maps.Keys(sites))
}

// The test above can fail: it does without any one of the syncs.
func TestNoSyncCanBeLeftOut(t *testing.T) {
	top := lockFolder(t)
	for i, site := range syncSites(top) {
		if i%effort(8, 1, 1) > 0 {
			continue
		}
		wrong := powerCuts(top, site)
		if wrong == "" && !testing.Short() {
			wrong = powerCutsAtStart(top, site)
		}
		if wrong == "" {
			t.Errorf("without the sync at %s no promise is broken: the test is blind, or the sync is for nothing", site)
		} else {
			t.Logf("without the sync at %s: %s", site, wrong)
		}
	}
}

// failures are what an operation may say.
var failures = map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}

// TestWhatIsAcknowledgedOutlivesAFailureOfEveryOperation fails one operation
// after the other, once and for good; then the power goes.
func TestWhatIsAcknowledgedOutlivesAFailureOfEveryOperation(t *testing.T) {
	top := lockFolder(t)
	counting := newCrashDisk()
	live(top, counting)
	for name, failure := range failures {
		for n := 1; n <= counting.count; n += effort(15, 3, 1) {
			for _, once := range []bool{true, false} {
				d := newCrashDisk()
				d.before = func(o operation) error {
					if o.n == n || !once && o.n > n && (!errors.Is(failure, syscall.ENOSPC) || o.what != "remove") {
						return failure
					}
					return nil
				}
				seen := live(top, d)
				if wrong := broken(top, d.afterPowerCut(chance(uint64(n), 0.5)), seen); wrong != "" {
					t.Fatalf("operation %d of %d gives %s (once: %v), then the power goes: %s", n, counting.count, name, once, wrong)
				}
			}
		}
	}
}
