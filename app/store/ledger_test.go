package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A ledger that grew commit by commit is the one that is read from a log.
func TestLedgerGrowsAsItIsFolded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	l := &Ledger{}
	var kept []*Ledger
	for rev := range Rev(300) {
		c := Commit{Rev: rev + 1}
		for i := range 1 + r.IntN(1+r.IntN(40)) {
			e := Entry{Path: fmt.Sprint(r.IntN(200) + 1000*i)}
			if r.IntN(3) > 0 {
				e.Hash = fmt.Sprint(rev, i)
			}
			c.Entries = append(c.Entries, e)
		}
		l = l.Apply(c)
		kept = append(kept, l)
	}
	for i, l := range kept { // also those that have successors
		if i%10 > 0 {
			continue
		}
		want := fold(l.Commits(0))
		if l.Rev() != Rev(i+1) || l.Len() != want.Len() || !slices.Equal(l.Entries(), want.Entries()) {
			t.Fatalf("revision %d: %d files, want %d", l.Rev(), l.Len(), want.Len())
		}
		for _, e := range want.Entries() {
			if got, ok := l.Entry(e.Path); !ok || got != e {
				t.Fatalf("revision %d: %v, want %v", l.Rev(), got, e)
			}
		}
		last := kept[len(kept)-1]
		if len(last.At(l.Rev())) != l.Len() || last.until(l.Rev()).Len() != l.Len() {
			t.Fatalf("revision %d", l.Rev())
		}
	}
}
