// Package lru keeps what was used last, up to a number of bytes.
package lru

import "container/list"

// A Cache holds values by key. When they take more bytes than its limit, those
// that have not been used for the longest time go; the one that was put last
// stays, however big it is. A Cache is not safe for concurrent use.
type Cache[K comparable, V any] struct {
	limit int64
	bytes int64
	items map[K]*list.Element
	order list.List // of *item[K, V], the last used in front
}

type item[K comparable, V any] struct {
	key   K
	value V
	bytes int64
}

// New makes a cache for values of limit bytes together.
func New[K comparable, V any](limit int64) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, items: map[K]*list.Element{}}
}

// Get gives the value of a key, which counts as using it.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	el, ok := c.items[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(el)
	return el.Value.(*item[K, V]).value, true
}

// Put takes in a value of so many bytes, in place of the one that has the key.
func (c *Cache[K, V]) Put(key K, value V, bytes int64) {
	c.Delete(key)
	c.items[key] = c.order.PushFront(&item[K, V]{key, value, bytes})
	for c.bytes += bytes; c.bytes > c.limit && c.order.Len() > 1; {
		c.remove(c.order.Back())
	}
}

// Delete gives up the value of a key, if there is one.
func (c *Cache[K, V]) Delete(key K) {
	if el, ok := c.items[key]; ok {
		c.remove(el)
	}
}

func (c *Cache[K, V]) remove(el *list.Element) {
	it := c.order.Remove(el).(*item[K, V])
	delete(c.items, it.key)
	c.bytes -= it.bytes
}

// Len is the number of values.
func (c *Cache[K, V]) Len() int { return len(c.items) }

// Bytes is what the values take together.
func (c *Cache[K, V]) Bytes() int64 { return c.bytes }
