// Package admission decides which streams may open. It limits the streams of each user and of each address, and fits streams with
// long lists into a budget.
//
// A Ticket is one stream's share of the limits. What else a stream holds from the start, such as tag sets, can be tied to its
// ticket, so that it is given back however the stream ends.
package admission

import (
	"strconv"
	"sync"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/budget"
	"telltale/platform/fault"
)

// limitRetry is how long a client with too many open streams is asked to wait.
const limitRetry = 10 * time.Second

// claimTimeout is longer than a response header can take; a viewer that has not begun by then never will.
const claimTimeout = time.Minute

// Limits bounds the streams that are open. It is safe for concurrent use.
type Limits struct {
	perUser, perAddress int // 0 for no limit
	lists               *budget.Bytes

	mu        sync.Mutex
	users     map[string]int
	addresses map[string]int
}

// New returns limits on the streams of each user and of each address; 0 means no limit.
func New(perUser, perAddress int) *Limits {
	return &Limits{
		perUser: perUser, perAddress: perAddress, lists: budget.NewBytes(listBytes), users: map[string]int{}, addresses: map[string]int{},
	}
}

// Ticket is one stream's share of the limits. It has to be claimed within claimTimeout, and released.
type Ticket struct {
	from          *Limits
	user, address string
	expiry        *time.Timer
	once          sync.Once
	last          []func() // run once it has been released
}

// Finally makes do run once the ticket has been released. It must be called before the ticket is claimed.
func (t *Ticket) Finally(do func()) {
	t.from.mu.Lock()
	defer t.from.mu.Unlock()
	t.last = append(t.last, do)
}

// Admit returns a ticket, or a TooManyRequests fault.
func (t *Limits) Admit(p access.Principal, address string) (*Ticket, error) {
	user := p.Owner()
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
	issued := &Ticket{from: t, user: user, address: address}
	issued.expiry = time.AfterFunc(claimTimeout, issued.Release)
	return issued, nil
}

func tooMany(limit int, whose, setting string) error {
	return &fault.Fault{
		Kind: fault.TooManyRequests, RetryAfter: limitRetry,
		Message: strconv.Itoa(limit) + " streams are open " + whose + " already, all that " + setting + " allows; close one first",
	}
}

// Claim keeps the ticket until it is released. It returns false when the ticket has been released already because it was not
// claimed in time.
func (t *Ticket) Claim() bool {
	if !t.expiry.Stop() {
		return false
	}
	t.expiry = nil // the memory of a timer for each viewer is worth saving
	return true
}

// Release returns the ticket's share to the limits, once.
func (t *Ticket) Release() {
	t.once.Do(func() {
		t.from.mu.Lock() // under which the timer that calls this was set
		if t.expiry != nil {
			t.expiry.Stop()
		}
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
