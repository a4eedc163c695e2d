package blog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Day is a day of the calendar: the number of days since 1 January 1970.
type Day int

const dayForm = "2006-01-02"

// calendarDay is the day on which t falls in its own zone.
func calendarDay(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// Date is the day's midnight in UTC.
func (d Day) Date() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// String is the day as 2006-01-02.
func (d Day) String() string { return d.Date().Format(dayForm) }

// MarshalText returns the day as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText returns.
func (d *Day) UnmarshalText(b []byte) error {
	t, err := time.Parse(dayForm, string(b))
	if err == nil {
		*d = calendarDay(t)
	}
	return err
}

// A Count is how often something has happened.
type Count struct {
	Total int
	Month int // in the last 30 days, today among them
	Week  int // in the last 7
	Today int
	Days  map[Day]int // those on which it did; the last 400 at most
}

// Stats say how much the blog is read: readers' views and sessions, never an
// author's or a guest's. They hold nothing about a person.
type Stats struct {
	Today    Day // in the blog's time zone
	Now      int // sessions that are open
	Sessions Count
	Views    Count       // of all posts, also of those that are gone
	Posts    []PostCount // that have been viewed and are there: most of the last 30 days first
}

// A PostCount is how often a post was viewed.
type PostCount struct {
	Post *Post
	Count
}

// statsState names the small state that the counts are kept in, damagedStats
// begins the names of those that could not be read.
const (
	statsState   = "stats"
	damagedStats = "stats-damaged-"
)

// What is kept is bounded: days before the last maxStatsDays are known in sum
// only, and so are the oldest when there are more than maxStatsCells days of
// all posts together. Of more than maxStatsPosts posts those that nobody has
// viewed for the longest time are forgotten.
const (
	maxStatsDays  = 400
	maxStatsCells = 100_000
	maxStatsPosts = 10_000
)

// statsPause is how long counts gather before they are saved.
const statsPause = time.Minute

// stats counts in memory, and saves the counts now and then.
type stats struct {
	state store.State
	zone  func() *time.Location
	now   func() time.Time

	mu      sync.Mutex
	file    statsFile
	today   Day // that old days were last summed up
	cells   int // days of all posts
	open    int // sessions
	changed bool

	saving sync.Mutex
	lost   bool          // what is kept already cannot be read: nothing is written over it
	said   string        // why they were not kept last
	dirty  chan struct{} // cap 1: there is something to keep
}

// statsFile is what is saved.
type statsFile struct {
	Rev      Rev               `json:"rev"` // renamings up to it have been followed
	Views    tally             `json:"views"`
	Sessions tally             `json:"sessions"`
	Posts    map[string]*tally `json:"posts"` // by path
}

// A tally counts by day.
type tally struct {
	Earlier int         `json:"earlier,omitempty"` // before all days that are kept
	Days    map[Day]int `json:"days,omitempty"`

	sum int // of all
}

// add counts once more, and reports whether it is the day's first.
func (t *tally) add(d Day) (first bool) {
	if t.Days == nil {
		t.Days = map[Day]int{}
	}
	t.Days[d]++
	t.sum++
	return t.Days[d] == 1
}

// fold adds the days before one to Earlier, and returns how many they were.
func (t *tally) fold(before Day) (gone int) {
	for d, n := range t.Days {
		if d < before {
			t.Earlier += n
			delete(t.Days, d)
			gone++
		}
	}
	return gone
}

// merge adds another tally to this one.
func (t *tally) merge(u *tally) {
	t.Earlier += u.Earlier
	t.sum += u.sum
	for d, n := range u.Days {
		if t.Days == nil {
			t.Days = map[Day]int{}
		}
		t.Days[d] += n
	}
}

// sumUp computes the sum of a tally that was read, and checks it.
func (t *tally) sumUp() error {
	t.sum = t.Earlier
	for _, n := range t.Days {
		if n < 0 {
			return errors.New("a count is below zero")
		}
		t.sum += n
	}
	if t.Earlier < 0 {
		return errors.New("a count is below zero")
	}
	return nil
}

func (t *tally) last() (last Day) {
	for d := range t.Days {
		last = max(last, d)
	}
	return last
}

// count returns the tally as a Count.
func (t *tally) count(today Day) Count {
	c := Count{Total: t.sum, Days: maps.Clone(t.Days)}
	for d, n := range t.Days {
		switch {
		case d > today:
		case d == today:
			c.Today += n
			fallthrough
		case d > today-7:
			c.Week += n
			fallthrough
		case d > today-30:
			c.Month += n
		}
	}
	return c
}

// loadStats reads what was counted before the start. What cannot be read is put
// aside, and the counting begins anew.
func (b *Blog) loadStats() {
	s := &b.stats
	s.state, s.now = b.state, b.lib.now
	s.zone = func() *time.Location {
		if v := b.current.Load(); v != nil && v.author.site.Location != nil {
			return v.author.site.Location
		}
		return time.Local
	}
	s.dirty = make(chan struct{}, 1)
	head := b.lib.worktree.Ledger().Rev()
	s.file = statsFile{Rev: head, Posts: map[string]*tally{}}
	const countedAnew = "views and sessions not read: they are counted anew"
	src, err := b.state.State(statsState)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.lost = true
		b.log.Warn(countedAnew+" and not kept", "err", markdown.Line(err.Error()))
		return
	}
	file, err := readStats(src)
	if err != nil {
		check := sha256.Sum256(src)
		aside := damagedStats + hex.EncodeToString(check[:4])
		if kept := b.state.SetState(aside, src); kept != nil {
			s.lost = true
			b.log.Warn(countedAnew+" and not kept", "err", markdown.Line(err.Error()))
			return
		}
		b.log.Warn(countedAnew, "err", markdown.Line(err.Error()), "aside", aside)
		return
	}
	s.file = file
	s.file.Rev = min(head, file.Rev)
	for _, t := range file.Posts {
		s.cells += len(t.Days)
	}
}

func readStats(src []byte) (file statsFile, err error) {
	if err := json.Unmarshal(src, &file); err != nil {
		return file, err
	}
	err = errors.Join(file.Views.sumUp(), file.Sessions.sumUp())
	if file.Posts == nil {
		file.Posts = map[string]*tally{}
	}
	for at, t := range file.Posts {
		if t == nil {
			return file, fmt.Errorf("%s has no counts", at)
		}
		err = errors.Join(err, t.sumUp())
	}
	return file, err
}

// day returns today, after the days that have become too old were summed up.
// The caller holds the lock.
func (s *stats) day(today Day) Day {
	if today != s.today {
		s.today = today
		before := today - maxStatsDays + 1
		s.file.Views.fold(before)
		s.file.Sessions.fold(before)
		for _, t := range s.file.Posts {
			s.cells -= t.fold(before)
		}
	}
	return today
}

func (s *stats) date() Day { return calendarDay(s.now().In(s.zone())) }

// touch notes that there is something to save. The caller holds the lock.
func (s *stats) touch() {
	s.changed = true
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

func (s *stats) viewed(at string) {
	today := s.date()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.day(today)
	t := s.file.Posts[at]
	if t == nil {
		if len(s.file.Posts) >= maxStatsPosts {
			s.forgetPosts()
		}
		t = &tally{}
		s.file.Posts[at] = t
	}
	if t.add(today) {
		if s.cells++; s.cells > maxStatsCells {
			s.forgetDays()
		}
	}
	s.file.Views.add(today)
	s.touch()
}

// forgetDays sums up the oldest days of all posts until a tenth is free. The
// caller holds the lock.
func (s *stats) forgetDays() {
	on := map[Day]int{}
	for _, t := range s.file.Posts {
		for d := range t.Days {
			on[d]++
		}
	}
	left := s.cells
	for _, d := range slices.Sorted(maps.Keys(on)) {
		if left <= maxStatsCells-maxStatsCells/10 {
			for _, t := range s.file.Posts {
				s.cells -= t.fold(d)
			}
			return
		}
		left -= on[d]
	}
}

// forgetPosts forgets a tenth of the posts. The caller holds the lock.
func (s *stats) forgetPosts() {
	paths := slices.SortedFunc(maps.Keys(s.file.Posts), func(a, b string) int {
		x, y := s.file.Posts[a], s.file.Posts[b]
		return cmp.Or(cmp.Compare(x.last(), y.last()), cmp.Compare(x.sum, y.sum), strings.Compare(a, b))
	})
	for _, at := range paths[:len(paths)/10] {
		s.cells -= len(s.file.Posts[at].Days)
		delete(s.file.Posts, at)
	}
}

// followMoves follows posts that were moved.
func (s *stats) followMoves(l *store.Ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range l.Commits(s.file.Rev) {
		s.file.Rev = c.Rev
		_, moved := renamings(c)
		maps.DeleteFunc(moved, func(from, _ string) bool { return s.file.Posts[from] == nil })
		if len(moved) == 0 {
			continue
		}
		next := make(map[string]*tally, len(s.file.Posts))
		s.cells = 0
		for at, t := range s.file.Posts {
			if to, is := moved[at]; is {
				at = to
			}
			if next[at] != nil {
				t.merge(next[at])
			}
			next[at] = t
		}
		for _, t := range next {
			s.cells += len(t.Days)
		}
		s.file.Posts = next
		s.touch()
	}
}

// save saves the counts if any is new. The log is told only once why it cannot:
// that a folder is read-only is no news every minute.
func (s *stats) save(log *slog.Logger) {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	if !s.changed || s.lost {
		s.mu.Unlock()
		return
	}
	s.changed = false
	file := s.file.clone()
	s.mu.Unlock()
	src, err := json.Marshal(file)
	if err == nil {
		err = s.state.SetState(statsState, src)
	}
	if err == nil {
		s.said = ""
		return
	}
	s.mu.Lock()
	s.touch()
	s.mu.Unlock()
	if why := markdown.Line(err.Error()); why != s.said {
		s.said = why
		log.Warn("views and sessions not kept", "err", why)
	}
}

func (f statsFile) clone() statsFile {
	posts := make(map[string]*tally, len(f.Posts))
	for at, t := range f.Posts {
		c := t.clone()
		posts[at] = &c
	}
	return statsFile{Rev: f.Rev, Views: f.Views.clone(), Sessions: f.Sessions.clone(), Posts: posts}
}

func (t tally) clone() tally {
	t.Days = maps.Clone(t.Days)
	return t
}

// keepStats saves the counts, a pause after the first new one, until ctx ends.
func (b *Blog) keepStats(ctx context.Context, pause time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.stats.dirty:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		_ = b.contain(func() { b.stats.save(b.log) })
	}
}

// counted reports whether what the visitor does is counted.
func (v Visitor) counted() bool { return v.blog != nil && !v.author && v.guest == nil }

// Viewed counts that a reader has been shown a post. Call it once for each post
// and session. Authors and guests are not counted, nor are posts that readers
// do not see.
func (v Visitor) Viewed(p *Post) {
	if v.counted() && p != nil && p.State.Visible() {
		v.blog.stats.viewed(p.Path)
	}
}

// Visit counts a reader's session, which is open until leave is called. leave
// may be called again.
func (v Visitor) Visit() (leave func()) {
	if !v.counted() {
		return func() {}
	}
	s := &v.blog.stats
	today := s.date()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.file.Sessions.add(s.day(today))
	s.touch()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
	})
}

// Views returns how often readers have viewed a post. It costs one look into a
// table.
func (a Author) Views(p *Post) int {
	if p == nil {
		return 0
	}
	s := &a.blog.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.file.Posts[p.Path]; t != nil {
		return t.sum
	}
	return 0
}

// Stats returns how much the blog is read. The caller may change it.
func (a Author) Stats() Stats {
	e := a.Edition()
	s := &a.blog.stats
	today := s.date()
	s.mu.Lock()
	st := Stats{
		Today: s.day(today), Now: s.open, Sessions: s.file.Sessions.count(today), Views: s.file.Views.count(today),
	}
	for at, t := range s.file.Posts {
		if p := e.byFile(at); p != nil {
			st.Posts = append(st.Posts, PostCount{p, t.count(today)})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(st.Posts, func(a, b PostCount) int {
		return cmp.Or(cmp.Compare(b.Month, a.Month), cmp.Compare(b.Total, a.Total),
			strings.Compare(a.Post.Path, b.Post.Path))
	})
	return st
}
