package blog

import (
	"container/list"
	"sync"

	"sheaf/app/markdown"
)

// What a parsed document is reckoned to take: its tree is many times its
// source.
const (
	documentFactor = 10
	documentBase   = 8 << 10
)

// documents keeps the parsed documents used last, up to a number of bytes. One
// that is dropped stays valid for those who have it, and is found again
// through the weak pointer of its entry while they do.
type documents struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	order *list.List // of keptDocument, the last used in front
	by    map[*entry]*list.Element
}

type keptDocument struct {
	entry *entry
	doc   *markdown.Document
	bytes int64
}

func newDocuments(limit int64) *documents {
	return &documents{limit: limit, order: list.New(), by: map[*entry]*list.Element{}}
}

// keep marks a document as just used; bytes 0 means as before, or little for
// one that was dropped meanwhile.
func (c *documents) keep(e *entry, d *markdown.Document, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.by[e]; el != nil {
		if el.Value.(keptDocument).doc == d {
			c.order.MoveToFront(el)
			return
		}
		c.drop(el)
	}
	bytes = max(bytes, int64(len(d.Source))*documentFactor+documentBase)
	c.by[e] = c.order.PushFront(keptDocument{e, d, bytes})
	c.bytes += bytes
	for c.bytes > c.limit && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

// forget drops the documents of entries that are in no edition any more.
func (c *documents) forget(gone []*entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range gone {
		if el := c.by[e]; el != nil {
			c.drop(el)
		}
	}
}

func (c *documents) drop(el *list.Element) {
	k := c.order.Remove(el).(keptDocument)
	delete(c.by, k.entry)
	c.bytes -= k.bytes
}
