package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"telltale/platform/fault"
)

// Passwords have from minPassword to maxPassword characters; the upper bound keeps hashing cheap to predict.
const (
	minPassword = 8
	maxPassword = 128
)

// owaspParams are the first choice of the OWASP Password Storage Cheat Sheet for argon2id: 19 MiB, two passes, one lane.
var owaspParams = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// passwordFault says what is wrong with a new password, "" when nothing is.
func passwordFault(username, password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "must be valid UTF-8"
	case n < minPassword || n > maxPassword:
		return fmt.Sprintf("must have %d to %d characters", minPassword, maxPassword)
	case strings.EqualFold(username, password):
		return "must not be the user name"
	}
	return ""
}

// hasher computes argon2id hashes, a few at a time: each takes 19 MiB, so that a flood of logins without a bound would
// take all memory there is. Whoever does not get a turn within wait is refused with an Unavailable fault.
type hasher struct {
	params argon2id.Params
	turns  chan struct{}
	queue  chan struct{} // bounds who may wait for a turn
	wait   time.Duration
	nobody string // a hash that no password has, of the same cost as a real one
	count  atomic.Int64
}

func newHasher(params argon2id.Params) *hasher {
	turns := min(4, runtime.GOMAXPROCS(0))
	return &hasher{
		params: params,
		turns:  make(chan struct{}, turns),
		queue:  make(chan struct{}, turns+32),
		wait:   2 * time.Second,
		nobody: hashOfNobody(params),
	}
}

// hashOfNobody is a well-formed hash with an all-zero key, which argon2 gives for no password that anyone will find.
func hashOfNobody(p argon2id.Params) string {
	zeros := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism, zeros(p.SaltLength), zeros(p.KeyLength))
}

// turn waits for leave to hash; call done afterwards.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, busyHashing(nil)
	}
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, busyHashing(ctx.Err())
	}
}

func busyHashing(cause error) error {
	return fault.Busy(2*time.Second, cause, "too many passwords are being checked at once: try again")
}

// hash returns the PHC string of a new password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	h.count.Add(1)
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// compare reports whether the password has the hash. It must be called within a turn.
func (h *hasher) compare(password, hash string) (bool, error) {
	h.count.Add(1)
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("check a password: %w", errors.Join(err, errors.New("the stored hash is damaged")))
	}
	return match, nil
}
