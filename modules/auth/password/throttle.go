package password

import (
	"net/netip"
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
	loginPace   = pace{free: 5, longest: time.Minute}  // of a name from one address
	addressPace = pace{free: 20, longest: time.Minute} // of an address, over all names
	// warnedPace takes the place of loginPace for a name that is being guessed at from elsewhere.
	warnedPace = pace{free: 0, longest: time.Minute}
)

const (
	// forgetFailures is how long after the last failure a name or address starts afresh.
	forgetFailures = 15 * time.Minute
	// warnAfter is how many failures of a name, from all addresses, leave each of them a single attempt before it has to wait.
	warnAfter = 20
	// knownFor is how long an address counts as one of a user's own after a login.
	knownFor = 30 * 24 * time.Hour
	// maxFailureEntries bounds each table. When it is full, the least recent of a few arbitrary entries makes room.
	maxFailureEntries = 10_000
)

// Throttle slows repeated failed logins, in the memory of this instance. Failures of a name count for the address that they come
// from: failures from elsewhere do not keep a user out. Failures of an address count for every name,
// but for those that have logged in from it before.
type Throttle struct {
	now func() time.Time

	mu        sync.Mutex
	logins    map[login]*failures
	users     map[string]*failures // only counted
	addresses map[string]*failures
	known     map[login]*failures // last is that of a success
}

// login is a user name and the network that it is used from.
type login struct{ username, network string }

type failures struct {
	count int
	last  time.Time
	until time.Time // no attempt is looked at before
}

// NewThrottle returns a throttle that has seen no failure.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{
		now: now, logins: map[login]*failures{}, users: map[string]*failures{}, addresses: map[string]*failures{},
		known: map[login]*failures{},
	}
}

// Check returns a TooManyRequests fault while an attempt from the address at the name has to wait.
func (t *Throttle) Check(username, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := login{username, network(address)}
	wait := t.wait(t.logins[l])
	if !t.knows(l) {
		wait = max(wait, t.wait(t.addresses[l.network]))
	}
	if wait <= 0 {
		return nil
	}
	f := fault.New(fault.TooManyRequests, "too many failed logins: try again later")
	f.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
	return f
}

func (t *Throttle) wait(f *failures) time.Duration {
	if f == nil {
		return 0
	}
	return f.until.Sub(t.now())
}

// knows reports whether the user has logged in from that network lately.
func (t *Throttle) knows(l login) bool {
	success := t.known[l]
	return success != nil && t.now().Sub(success.last) < knownFor
}

// Fail counts a failed login.
func (t *Throttle) Fail(username, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := login{username, network(address)}
	now := t.now()
	p := loginPace
	if note(t.users, username, now) > warnAfter && !t.knows(l) {
		p = warnedPace
	}
	slow(t.logins, l, now, p)
	slow(t.addresses, l.network, now, addressPace)
}

// Succeed forgets the failures of the name from the address, which is known to be the user's own from now on. The address keeps
// those of other names: one good password must not pay for guessing others.
func (t *Throttle) Succeed(username, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := login{username, network(address)}
	delete(t.logins, l)
	note(t.known, l, t.now())
}

// Renew forgets all failures of a name, whose password is another one now, and from where it was used.
func (t *Throttle) Renew(username string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, username)
	for _, table := range []map[login]*failures{t.logins, t.known} {
		for l := range table {
			if l.username == username {
				delete(table, l)
			}
		}
	}
}

// slow notes a failure, and how long the next attempt has to wait.
func slow[K comparable](table map[K]*failures, key K, now time.Time, p pace) {
	beyond := note(table, key, now) - p.free
	if beyond > 0 {
		table[key].until = now.Add(min(p.longest, time.Second<<min(beyond-1, 10)))
	}
}

// note counts a failure, and returns how many there have been without a long pause.
func note[K comparable](table map[K]*failures, key K, now time.Time) int {
	f := table[key]
	if f == nil {
		if len(table) >= maxFailureEntries {
			evictOne(table)
		}
		f = &failures{}
		table[key] = f
	}
	if now.Sub(f.last) > forgetFailures {
		f.count = 0
	}
	f.count++
	f.last = now
	return f.count
}

// evictOne removes the least recent of up to sixteen entries; which sixteen is left to the map's random order.
func evictOne[K comparable](table map[K]*failures) {
	var oldest K
	var last time.Time
	seen := 0
	for key, f := range table {
		if seen == 0 || f.last.Before(last) {
			oldest, last = key, f.last
		}
		if seen++; seen == 16 {
			break
		}
	}
	delete(table, oldest)
}

// network returns what stands for a client: its IPv4 address, or the network of its IPv6 address, in which it has any number.
func network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	parsed = parsed.Unmap().WithZone("")
	if parsed.Is4() {
		return parsed.String()
	}
	prefix, _ := parsed.Prefix(64) // every IPv6 address has one
	return prefix.String()
}
