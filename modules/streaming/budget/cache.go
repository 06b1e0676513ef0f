package budget

import (
	"container/list"
	"maps"
	"sync"
)

// Cache keeps the values used last, as many as fit into a budget of bytes, and at least one. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	budget int

	mu    sync.Mutex
	items map[K]*list.Element
	order *list.List // of *item, the one used last in front
	bytes int
	gone  int // keys removed since items was made
}

type item[K comparable, V any] struct {
	key   K
	value V
	bytes int
}

// NewCache returns an empty cache.
func NewCache[K comparable, V any](budget int) *Cache[K, V] {
	return &Cache[K, V]{budget: budget, items: map[K]*list.Element{}, order: list.New()}
}

// Get returns the value of the key. When there is none, it stores the result of fresh, whose size is bytes. It holds the cache's
// lock while fresh runs.
func (c *Cache[K, V]) Get(key K, bytes int, fresh func() V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element := c.items[key]; element != nil {
		c.order.MoveToFront(element)
		return element.Value.(*item[K, V]).value
	}
	value := fresh()
	c.items[key] = c.order.PushFront(&item[K, V]{key: key, value: value, bytes: bytes})
	c.bytes += bytes
	c.shrink()
	return value
}

// Weigh sets the size of the key's value, if the cache still has it, and evicts the values that no longer fit.
func (c *Cache[K, V]) Weigh(key K, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.items[key]
	if element == nil {
		return
	}
	i := element.Value.(*item[K, V])
	c.bytes += bytes - i.bytes
	i.bytes = bytes
	c.shrink()
}

// shrink evicts the values that no longer fit, the least recently used first. The caller holds mu.
func (c *Cache[K, V]) shrink() {
	for c.bytes > c.budget && c.order.Len() > 1 {
		c.evict(c.order.Back())
	}
}

// EvictAll evicts everything.
func (c *Cache[K, V]) EvictAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.items)
	c.order.Init()
	c.bytes = 0
}

// evict removes one value. The caller holds mu.
func (c *Cache[K, V]) evict(element *list.Element) {
	i := element.Value.(*item[K, V])
	delete(c.items, i.key)
	c.order.Remove(element)
	c.bytes -= i.bytes
	if c.gone++; c.gone > renewal*(len(c.items)+renewal) {
		c.renew()
	}
}

// renewal is how many times the number of keys in the map must be evicted before renew copies it.
const renewal = 8

// renew replaces the map by a copy. A map whose keys keep changing grows to several times the size of its contents, and never
// shrinks. The caller holds mu.
func (c *Cache[K, V]) renew() {
	items := make(map[K]*list.Element, len(c.items))
	maps.Copy(items, c.items)
	c.items, c.gone = items, 0
}
