package streaming

import (
	"container/list"
	"maps"
	"sync"
)

// lru keeps the values used last, as many as fit into a budget of bytes, and at least one. It is safe for concurrent use.
type lru[K comparable, V any] struct {
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

func newLRU[K comparable, V any](budget int) *lru[K, V] {
	return &lru[K, V]{budget: budget, items: map[K]*list.Element{}, order: list.New()}
}

// get returns the value of the key. When there is none it makes one, of so many bytes, with the function given, which must be
// quick.
func (l *lru[K, V]) get(key K, bytes int, fresh func() V) V {
	l.mu.Lock()
	defer l.mu.Unlock()
	if element := l.items[key]; element != nil {
		l.order.MoveToFront(element)
		return element.Value.(*item[K, V]).value
	}
	value := fresh()
	l.items[key] = l.order.PushFront(&item[K, V]{key: key, value: value, bytes: bytes})
	l.bytes += bytes
	l.shrink()
	return value
}

// find returns the value of the key, if there is one.
func (l *lru[K, V]) find(key K) (value V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	element := l.items[key]
	if element == nil {
		return value, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*item[K, V]).value, true
}

// weigh says how large the key's value has become, and drops what no longer fits.
func (l *lru[K, V]) weigh(key K, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	element := l.items[key]
	if element == nil {
		return
	}
	i := element.Value.(*item[K, V])
	l.bytes += bytes - i.bytes
	i.bytes = bytes
	l.shrink()
}

// shrink drops what no longer fits; the caller holds mu.
func (l *lru[K, V]) shrink() {
	for l.bytes > l.budget && l.order.Len() > 1 {
		l.remove(l.order.Back())
	}
}

// clear drops everything.
func (l *lru[K, V]) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.items)
	l.order.Init()
	l.bytes = 0
}

// remove drops an element; the caller holds mu.
func (l *lru[K, V]) remove(element *list.Element) {
	i := element.Value.(*item[K, V])
	delete(l.items, i.key)
	l.order.Remove(element)
	l.bytes -= i.bytes
	if l.gone++; l.gone > renewal*(len(l.items)+renewal) {
		l.renew()
	}
}

// renewal is how many times as many keys as there are have to go before the map is made anew.
const renewal = 8

// renew makes the map anew: one whose keys come and go grows to several times what it holds, and never shrinks. The caller
// holds mu.
func (l *lru[K, V]) renew() {
	items := make(map[K]*list.Element, len(l.items))
	maps.Copy(items, l.items)
	l.items, l.gone = items, 0
}
