package blog

import (
	"sync"

	"sheaf/app/lru"
	"sheaf/app/markdown"
)

// What a parsed document is reckoned to take: its tree is many times its
// source.
const (
	documentFactor = 10
	documentBase   = 8 << 10
)

// documents keeps the parsed documents that were used last, up to a number of
// bytes. One that is dropped stays valid for those who have it, and as long as
// they do its entry finds it again by a weak pointer.
type documents struct {
	mu    sync.Mutex
	cache *lru.Cache[*entry, *markdown.Document]
}

func newDocuments(limit int64) *documents {
	return &documents{cache: lru.New[*entry, *markdown.Document](limit)}
}

// use marks an entry's document as just used, and takes it in again if it was
// dropped.
func (c *documents) use(e *entry, d *markdown.Document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.cache.Get(e); !ok || kept != d {
		c.cache.Put(e, d, int64(len(d.Source))*documentFactor+documentBase)
	}
}

// forget drops the documents of entries that are in no edition any more.
func (c *documents) forget(gone []*entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range gone {
		c.cache.Delete(e)
	}
}
