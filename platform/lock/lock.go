// Package lock has a lock that waits no longer than a context lasts, for goroutines whose holder may be waiting for a server. Where
// the holder waits for nothing, use a sync.Mutex.
//
// It locks within one process. Instances exclude each other by locks of the database.
package lock

import "context"

// Lock is unlocked when it is new.
type Lock chan struct{}

// New returns a lock.
func New() Lock { return make(Lock, 1) }

// Lock waits without an end.
func (l Lock) Lock() { l <- struct{}{} }

// Unlock gives the lock back.
func (l Lock) Unlock() { <-l }

// Within waits until ctx ends, and returns its cause then.
func (l Lock) Within(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
