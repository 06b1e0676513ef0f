// Package password owns everything about passwords: the rule for new ones, their argon2id hashes, computed a few at a time, and the
// throttle that slows repeated failed logins.
//
// It stores no user and no password.
package password

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"telltale/platform/fault"
)

// Passwords have from shortest to Longest characters; the upper bound keeps hashing cheap to predict.
const (
	shortest = 8
	Longest  = 128
)

// Params are the first choice of the OWASP Password Storage Cheat Sheet for argon2id: 19 MiB, two passes, one lane.
var Params = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Fault says what is wrong with a new password, "" when nothing is.
func Fault(username, password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "must be valid UTF-8"
	case n < shortest || n > Longest:
		return fmt.Sprintf("must have %d to %d characters", shortest, Longest)
	case strings.EqualFold(username, password):
		return "must not be the user name"
	}
	return ""
}

// Hasher computes argon2id hashes, a few at a time: each takes 19 MiB, so that a flood of logins without a bound would
// take all memory. A caller that gets no permit within wait is refused with an Unavailable fault.
type Hasher struct {
	params  argon2id.Params
	permits chan struct{}
	queue   chan struct{} // bounds who may wait for a permit
	wait    time.Duration
	dummy   string
}

// NewHasher returns a hasher with the parameters; see Params.
func NewHasher(params argon2id.Params) *Hasher {
	permits := min(4, runtime.GOMAXPROCS(0))
	return &Hasher{
		params:  params,
		permits: make(chan struct{}, permits),
		queue:   make(chan struct{}, permits+32),
		wait:    2 * time.Second,
		dummy:   dummyHash(params),
	}
}

// Dummy returns a hash that no password has, of the same cost as a real one.
func (h *Hasher) Dummy() string { return h.dummy }

// dummyHash is a well-formed hash with an all-zero key, which argon2 gives for no password that anyone will find.
func dummyHash(p argon2id.Params) string {
	zeros := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism, zeros(p.SaltLength), zeros(p.KeyLength))
}

// Acquire waits for a permit to hash; call release afterwards.
func (h *Hasher) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, busyHashing(nil)
	}
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	select {
	case h.permits <- struct{}{}:
		return func() { <-h.permits; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, busyHashing(ctx.Err())
	}
}

func busyHashing(cause error) error {
	return fault.Busy(2*time.Second, cause, "too many passwords are being checked at once: try again")
}

// Hash returns the PHC string of a new password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// Compare reports whether the password has the hash. It must be called between Acquire and release.
func (h *Hasher) Compare(password, hash string) (bool, error) {
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("check a password: %w", errors.Join(err, errors.New("the stored hash is damaged")))
	}
	return match, nil
}
