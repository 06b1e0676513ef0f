// Package turns bounds how many queries run at once, and shares the permits fairly between users: a small query does not wait behind
// large ones, and no user waits behind another user's many queries.
//
// It does not know what a query does, and it ends none.
package turns

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Reasons why there is no permit.
var (
	// ErrFull says that others have had the permits for as long as a query waits.
	ErrFull = errors.New("too many queries are running")
	// ErrShare says that the user has as many queries running or waiting as one user may have.
	ErrShare = errors.New("too many queries of this user are running")
)

// maxWaiting is how many queries of one user wait at most; further ones are told so at once.
const maxWaiting = 100

// Gate has the permits. Its methods are safe for concurrent use.
type Gate struct {
	permits  int
	share    int // that one user may have
	large    int // that large queries may have
	patience time.Duration

	mu       sync.Mutex
	running  map[string]int // by user
	taken    int
	takenBig int
	waiting  []*waiter // in the order in which they are to be served, but for their users' shares
}

type waiter struct {
	user  string
	small bool
	ready chan struct{} // closed with the permit taken
}

// New returns a gate with that many permits. One user gets three quarters of them at most, and so do large queries: the
// rest is for others, and for small ones. A query waits as long as patience says.
func New(permits int, patience time.Duration) *Gate {
	most := max(1, permits*3/4)
	return &Gate{permits: permits, share: most, large: most, patience: patience, running: map[string]int{}}
}

// Taken returns how many permits are taken.
func (g *Gate) Taken() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken
}

// Waiting returns how many queries wait for a permit.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Permits returns how many permits there are.
func (g *Gate) Permits() int { return g.permits }

// enter waits for a permit. again is for a query that had one before: it waits before others, for as long as it may run.
func (g *Gate) enter(ctx context.Context, user string, small, again bool) error {
	w, err := g.queue(user, small, again)
	if err != nil {
		return err
	}
	var over <-chan time.Time
	if !again {
		timer := time.NewTimer(g.patience)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-w.ready:
		return nil
	case <-over:
		return g.giveUp(w, ErrFull)
	case <-ctx.Done():
		return g.giveUp(w, ctx.Err())
	}
}

func (g *Gate) queue(user string, small, again bool) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	theirs := 0
	for _, w := range g.waiting {
		if w.user == user {
			theirs++
		}
	}
	if theirs >= maxWaiting && !again {
		return nil, ErrShare
	}
	w := &waiter{user: user, small: small, ready: make(chan struct{})}
	if again {
		g.waiting = slices.Insert(g.waiting, 0, w)
	} else {
		g.waiting = append(g.waiting, w)
	}
	g.admit()
	return w, nil
}

// giveUp ends a wait. The error is nil when the permit has come after all.
func (g *Gate) giveUp(w *waiter, reason error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return nil
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	if errors.Is(reason, ErrFull) && g.running[w.user] >= g.share {
		return ErrShare
	}
	return reason
}

// leave gives a permit back.
func (g *Gate) leave(user string, small bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken--
	if !small {
		g.takenBig--
	}
	if g.running[user]--; g.running[user] == 0 {
		delete(g.running, user)
	}
	g.admit()
}

// admit gives free permits to those who wait: first to small queries, then to the user who has the fewest permits, then by the
// order of waiting. The caller holds mu.
func (g *Gate) admit() {
	for g.taken < g.permits {
		next := -1
		for i, w := range g.waiting {
			if g.running[w.user] >= g.share || !w.small && g.takenBig >= g.large {
				continue
			}
			if next < 0 || g.before(w, g.waiting[next]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := g.waiting[next]
		g.waiting = slices.Delete(g.waiting, next, next+1)
		g.taken++
		g.running[w.user]++
		if !w.small {
			g.takenBig++
		}
		close(w.ready)
	}
}

// before reports whether a, which has waited less long than b, is to be served before it.
func (g *Gate) before(a, b *waiter) bool {
	if a.small != b.small {
		return a.small
	}
	return g.running[a.user] < g.running[b.user]
}
