// Package clocktest provides a clock for tests of what happens after a while. It stands still until the test moves it.
//
// It is for code that is handed its clock as a function. Test code that waits for timers with testing/synctest instead.
package clocktest

import (
	"sync"
	"time"
)

// Clock is a time that moves when a test says so.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// New returns a clock that shows the present time.
func New() *Clock { return &Clock{now: time.Now()} }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
