package auth

import (
	"sync"
	"time"

	"telltale/platform/fault"
)

// pace says how quickly repeated failures are slowed.
type pace struct {
	free    int           // failures that cost nothing
	longest time.Duration // the wait after many of them; it begins at a second and doubles
}

// A person mistypes a few times; an address may stand for an office behind one router.
var (
	userPace    = pace{free: 5, longest: time.Minute}
	addressPace = pace{free: 20, longest: time.Minute}
)

const (
	// forgetFailures is how long after the last failure a name or address starts afresh.
	forgetFailures = 15 * time.Minute
	// maxFailureEntries bounds each table. When it is full, the least recent of a few arbitrary entries makes room.
	maxFailureEntries = 10_000
)

// throttle slows repeated failed logins, for each user name and each client address, in the memory of this instance.
type throttle struct {
	now func() time.Time

	mu        sync.Mutex
	users     map[string]*failures
	addresses map[string]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time // no attempt is looked at before
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, users: make(map[string]*failures), addresses: make(map[string]*failures)}
}

// check returns a TooManyRequests fault while either the name or the address has to wait.
func (t *throttle) check(username, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := max(t.wait(t.users[username]), t.wait(t.addresses[address]))
	if wait <= 0 {
		return nil
	}
	f := fault.New(fault.TooManyRequests, "too many failed logins: try again later")
	f.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
	return f
}

func (t *throttle) wait(f *failures) time.Duration {
	if f == nil {
		return 0
	}
	return f.until.Sub(t.now())
}

// fail counts a failed login.
func (t *throttle) fail(username, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(t.users, username, userPace)
	t.count(t.addresses, address, addressPace)
}

// succeed forgets the name's failures. The address keeps its own: one good password must not pay for guessing others.
func (t *throttle) succeed(username string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, username)
}

func (t *throttle) count(table map[string]*failures, name string, p pace) {
	now := t.now()
	f := table[name]
	if f == nil {
		if len(table) >= maxFailureEntries {
			evictOne(table)
		}
		f = &failures{}
		table[name] = f
	}
	if now.Sub(f.last) > forgetFailures {
		f.count = 0
	}
	f.count++
	f.last = now
	if beyond := f.count - p.free; beyond > 0 {
		f.until = now.Add(min(p.longest, time.Second<<min(beyond-1, 10)))
	}
}

// evictOne removes the least recent of up to sixteen entries; which sixteen is left to the map's random order.
func evictOne(table map[string]*failures) {
	var oldest string
	var last time.Time
	seen := 0
	for name, f := range table {
		if seen == 0 || f.last.Before(last) {
			oldest, last = name, f.last
		}
		if seen++; seen == 16 {
			break
		}
	}
	delete(table, oldest)
}
