package streaming

import (
	"strconv"
	"sync"
	"time"

	"telltale/modules/auth"
	"telltale/platform/fault"
)

// limitRetry is how long a client that has too many streams open is asked to wait.
const limitRetry = 10 * time.Second

// claimTimeout is more than a response header can take; a viewer that has not begun by then never will.
const claimTimeout = time.Minute

// tickets limits how many viewers one user, and one address, may have open.
type tickets struct {
	perUser, perAddress int // 0 for no limit

	mu        sync.Mutex
	users     map[string]int
	addresses map[string]int
}

func newTickets(perUser, perAddress int) *tickets {
	return &tickets{perUser: perUser, perAddress: perAddress, users: map[string]int{}, addresses: map[string]int{}}
}

// ticket is one viewer's place within the limits. It has to be claimed within claimTimeout, and released.
type ticket struct {
	from          *tickets
	user, address string
	expiry        *time.Timer
	once          sync.Once
	last          []func() // to be done once it has been released
}

// finally has something done once the ticket has been released. It must be called before the ticket is claimed.
func (t *ticket) finally(do func()) {
	t.from.mu.Lock()
	defer t.from.mu.Unlock()
	t.last = append(t.last, do)
}

// issue returns a ticket, or a TooManyRequests fault.
func (t *tickets) issue(p auth.Principal, address string) (*ticket, error) {
	user := accountOf(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.perUser > 0 && t.users[user] >= t.perUser {
		return nil, tooMany(t.perUser, "with these credentials", "STREAM_MAX_PER_USER")
	}
	if t.perAddress > 0 && t.addresses[address] >= t.perAddress {
		return nil, tooMany(t.perAddress, "from this address", "STREAM_MAX_PER_ADDRESS")
	}
	t.users[user]++
	t.addresses[address]++
	issued := &ticket{from: t, user: user, address: address}
	issued.expiry = time.AfterFunc(claimTimeout, issued.release)
	return issued, nil
}

func tooMany(limit int, whose, setting string) error {
	return &fault.Fault{
		Kind: fault.TooManyRequests, RetryAfter: limitRetry,
		Message: strconv.Itoa(limit) + " streams are open " + whose + " already, all that " + setting + " allows; close one first",
	}
}

// claim keeps the ticket until it is released; it is false when that has happened already, for want of a claim.
func (t *ticket) claim() bool {
	if !t.expiry.Stop() {
		return false
	}
	t.expiry = nil // the memory of a timer for each viewer is worth saving
	return true
}

// release gives the place back, once.
func (t *ticket) release() {
	t.once.Do(func() {
		if t.expiry != nil {
			t.expiry.Stop()
		}
		t.from.mu.Lock()
		decrement(t.from.users, t.user)
		decrement(t.from.addresses, t.address)
		last := t.last
		t.from.mu.Unlock()
		for _, do := range last {
			do()
		}
	})
}

func decrement(counts map[string]int, key string) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
