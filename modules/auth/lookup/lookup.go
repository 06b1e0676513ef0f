// Package lookup caches what a database says about a name: for a few seconds, so that not every request asks the database, and for
// longer while the database cannot answer.
//
// It does not know what is looked up. It is not told of changes made elsewhere: those show when a cached answer expires.
package lookup

import (
	"context"
	"strings"
	"sync"
	"time"

	"telltale/platform/fault"
)

// Cache remembers for a few seconds what the database says about a user or a key, so that requests do not each ask it.
//
// An answer is trusted for ttl and then asked for again. While the database cannot answer, the last answer stands, for at
// most grace; a key without one is refused with an Unavailable fault. What the database does not know is not remembered,
// so names that a caller makes up take no room. When limit answers are held, an arbitrary one makes room.
type Cache[V any] struct {
	load    func(ctx context.Context, name string) (value V, found bool, err error)
	ttl     time.Duration
	grace   time.Duration
	timeout time.Duration
	limit   int
	now     func() time.Time
	permits chan struct{} // bounds the connections that look-ups may take from everyone else

	mu         sync.Mutex
	entries    map[string]*answer[V]
	generation uint64 // grows with every Forget, so that an answer from before it is not kept
	forgotten  func(name string)
}

type answer[V any] struct {
	value   V
	loaded  time.Time // when the database last said so
	fresh   time.Time // until when it need not be asked again
	loading bool      // one caller is asking; others take an answer that has only just aged
}

// New returns a cache of what load finds.
func New[V any](now func() time.Time, load func(context.Context, string) (V, bool, error)) *Cache[V] {
	return &Cache[V]{
		load: load, ttl: 3 * time.Second, grace: time.Hour, timeout: 2 * time.Second, limit: 10_000, now: now,
		permits: make(chan struct{}, 4), entries: make(map[string]*answer[V]),
	}
}

// Get returns what is known of the name; found is false when the database does not know it.
func (l *Cache[V]) Get(ctx context.Context, name string) (value V, found bool, err error) {
	l.mu.Lock()
	entry, generation, now := l.entries[name], l.generation, l.now()
	if entry != nil {
		if now.Before(entry.fresh) || entry.loading && now.Sub(entry.fresh) < l.timeout {
			defer l.mu.Unlock()
			return entry.value, true, nil
		}
		entry.loading = true
	}
	l.mu.Unlock()

	value, found, err = l.ask(ctx, name)

	l.mu.Lock()
	defer l.mu.Unlock()
	now = l.now()
	if entry != nil {
		entry.loading = false
	}
	switch {
	case err != nil && entry != nil && l.entries[name] == entry && now.Sub(entry.loaded) < l.grace:
		entry.fresh = now.Add(l.ttl)
		return entry.value, true, nil
	case err != nil:
		return value, false, fault.Busy(time.Second, err, "your credentials cannot be checked at the moment")
	case l.generation != generation: // something changed while the question was under way: use the answer, do not keep it
	case found:
		l.keep(name, &answer[V]{value: value, loaded: now, fresh: now.Add(l.ttl)})
	default:
		delete(l.entries, name)
	}
	return value, found, nil
}

// ask loads with one of the permits, within the timeout.
func (l *Cache[V]) ask(ctx context.Context, name string) (value V, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	select {
	case l.permits <- struct{}{}:
		defer func() { <-l.permits }()
		return l.load(ctx, name)
	case <-ctx.Done():
		return value, false, ctx.Err()
	}
}

// keep stores the entry; the caller holds mu.
func (l *Cache[V]) keep(name string, entry *answer[V]) {
	delete(l.entries, name)
	for other := range l.entries {
		if len(l.entries) < l.limit {
			break
		}
		delete(l.entries, other)
	}
	l.entries[strings.Clone(name)] = entry // the name may be part of a request, whose memory is reused
}

// Forget makes the next Get ask the database; call it once a change has been committed.
func (l *Cache[V]) Forget(name string) {
	l.mu.Lock()
	l.generation++
	delete(l.entries, name)
	tell := l.forgotten
	l.mu.Unlock()
	if tell != nil {
		tell(strings.Clone(name)) // as keep does
	}
}

// OnForget has tell called after each Forget, with the name.
func (l *Cache[V]) OnForget(tell func(name string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgotten = tell
}
