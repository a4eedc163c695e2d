package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"sync"
	"testing"
)

// memory is a Store without a disk: what the interface promises and no more.
type memory struct {
	mu      sync.Mutex
	blobs   map[string][]byte
	commits []Commit
	more    chan struct{}
}

func (m *memory) Put(_ context.Context, b []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[hashOf(b)] = append([]byte(nil), b...)
	return hashOf(b), nil
}

func (m *memory) Get(_ context.Context, hash string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[hash]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]byte(nil), b...), nil
}

func (m *memory) Commit(_ context.Context, base Rev, c Commit) (Rev, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.commits {
		if c.ID != "" && old.ID == c.ID {
			return old.Rev, nil
		}
	}
	for _, e := range c.Entries {
		if _, ok := m.blobs[e.Hash]; e.Hash != "" && !ok {
			return 0, fs.ErrNotExist
		}
	}
	if base != Rev(len(m.commits)) {
		return 0, ErrConflict
	}
	c.Rev = base + 1
	m.commits = append(m.commits, c)
	close(m.more)
	m.more = make(chan struct{})
	return c.Rev, nil
}

func (m *memory) Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for {
			m.mu.Lock()
			more, list := m.more, m.commits[since:]
			m.mu.Unlock()
			for _, c := range list {
				if !yield(c, nil) {
					return
				}
				since = c.Rev
			}
			select {
			case <-more:
			case <-ctx.Done():
				yield(Commit{}, ctx.Err())
				return
			}
		}
	}
}

func (m *memory) Head(context.Context) (Rev, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Rev(len(m.commits)), nil
}

func (m *memory) Close() error { return nil }

func newMemory() *memory { return &memory{blobs: map[string][]byte{}, more: make(chan struct{})} }

func TestConformance(t *testing.T) {
	t.Run("local", func(t *testing.T) { conforms(t, openLocal(t, t.TempDir())) })
	t.Run("local of small packs", func(t *testing.T) {
		l := openLocal(t, t.TempDir())
		l.objects.packs.limit = 100
		conforms(t, l)
	})
	t.Run("memory", func(t *testing.T) { conforms(t, newMemory()) })
	overEveryStore(t, func(t *testing.T, open opener) { conforms(t, open(t, t.TempDir())) })
}

// conforms is what every Store must pass.
func conforms(t *testing.T, s Store) {
	ctx := t.Context()
	put := func(text string) Entry {
		t.Helper()
		hash, err := s.Put(ctx, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return Entry{Hash: hash, Size: int64(len(text))}
	}
	at := func(path string, e Entry) Entry {
		e.Path = path
		return e
	}
	head := func(want Rev) {
		t.Helper()
		if got, err := s.Head(ctx); err != nil || got != want {
			t.Fatalf("head %d, %v; want %d", got, err, want)
		}
	}
	head(0)
	one, two := put("one"), put("two")
	if again := put("one"); again != one {
		t.Error("the same bytes have two hashes")
	}
	if b, err := s.Get(ctx, two.Hash); err != nil || string(b) != "two" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Get(ctx, strings.Repeat("0", 64)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a hash of nothing: %v", err)
	}
	rev, err := s.Commit(ctx, 0, Commit{ID: "a", Author: "Ada", Channel: "pipe", Message: "first", Meta: map[string]string{"k": "v"},
		Entries: []Entry{at("a.md", one), at("b/c.md", two)}})
	if err != nil || rev != 1 {
		t.Fatal(rev, err)
	}
	if rev, err := s.Commit(ctx, 7, Commit{ID: "a", Entries: []Entry{at("a.md", two)}}); err != nil || rev != 1 {
		t.Errorf("the same ID again: %d, %v", rev, err)
	}
	if _, err := s.Commit(ctx, 0, Commit{ID: "b", Entries: []Entry{at("a.md", two)}}); !errors.Is(err, ErrConflict) {
		t.Errorf("an old base: %v", err)
	}
	if _, err := s.Commit(ctx, 1, Commit{ID: "c", Entries: []Entry{{Path: "x.md", Hash: strings.Repeat("1", 64), Size: 3}}}); err == nil {
		t.Error("a commit names a blob that is not there")
	}
	head(1)

	// Commits come in order, and then as they are made.
	type got struct {
		c   Commit
		err error
	}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	news := make(chan got)
	go func() {
		defer close(news)
		for c, err := range s.Commits(follow, 0) {
			news <- got{c, err}
		}
	}()
	first := <-news
	if c := first.c; first.err != nil || c.Rev != 1 || c.ID != "a" || c.Author != "Ada" || c.Channel != "pipe" || c.Message != "first" || c.Meta["k"] != "v" || len(c.Entries) != 2 {
		t.Errorf("%+v", first)
	}
	if rev, err := s.Commit(ctx, 1, Commit{ID: "d", Entries: []Entry{{Path: "b/c.md"}, at("d.md", one)}}); err != nil || rev != 2 {
		t.Fatal(rev, err)
	}
	if second := <-news; second.c.Rev != 2 || second.c.Entries[0].Hash != "" {
		t.Errorf("%+v", second)
	}
	stop()
	if last := <-news; !errors.Is(last.err, context.Canceled) {
		t.Errorf("the end: %v", last.err)
	}
	for range news {
	}

	// Many at once: each revision is one of them, none is lost.
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			e := put(fmt.Sprint("many", i))
			for {
				base, err := s.Head(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Commit(ctx, base, Commit{ID: fmt.Sprint("m", i), Entries: []Entry{at(fmt.Sprintf("m%d.md", i), e)}})
				if err == nil {
					return
				}
				if !errors.Is(err, ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	head(10)
	l := &Ledger{}
	for c, err := range s.Commits(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if l = l.Apply(c); c.Rev == 10 {
			break
		}
	}
	if l.Rev() != 10 || l.Len() != 10 {
		t.Errorf("revision %d of %d files", l.Rev(), l.Len())
	}
	if _, ok := l.Entry("b/c.md"); ok || len(l.At(1)) != 2 {
		t.Error("a removed file is in the tree, or not in the one before")
	}
}
