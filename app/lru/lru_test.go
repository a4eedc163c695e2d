package lru

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A Cache behaves like a list that is searched from the front and cut at the
// end.
func TestCache(t *testing.T) {
	const limit = 100
	r := rand.New(rand.NewPCG(1, 2))
	c := New[int, string](limit)
	type entry struct {
		key   int
		value string
		bytes int64
	}
	var want []entry
	find := func(key int) int { return slices.IndexFunc(want, func(e entry) bool { return e.key == key }) }
	for range 20_000 {
		key := r.IntN(20)
		i := find(key)
		switch r.IntN(5) {
		case 0, 1:
			value, ok := c.Get(key)
			if ok != (i >= 0) || ok && value != want[i].value {
				t.Fatalf("%d: %q, %v; want %+v", key, value, ok, want)
			}
			if ok {
				e := want[i]
				want = slices.Insert(slices.Delete(want, i, i+1), 0, e)
			}
		case 2, 3:
			e := entry{key, string(rune('a' + r.IntN(26))), int64(r.IntN(limit + 20))}
			if i >= 0 {
				want = slices.Delete(want, i, i+1)
			}
			want = slices.Insert(want, 0, e)
			sum := int64(0)
			for n, e := range want {
				if sum += e.bytes; sum > limit && n > 0 {
					want = want[:n]
					break
				}
			}
			c.Put(e.key, e.value, e.bytes)
		case 4:
			if c.Delete(key); i >= 0 {
				want = slices.Delete(want, i, i+1)
			}
		}
		sum := int64(0)
		for _, e := range want {
			sum += e.bytes
		}
		if c.Len() != len(want) || c.Bytes() != sum {
			t.Fatalf("%d values of %d bytes, want %d of %d", c.Len(), c.Bytes(), len(want), sum)
		}
	}
}
