package tokens

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// verifiedFor is how long a token's signature need not be checked again; it bounds how long a token outlives the key
	// of an identity provider that signed it. Whatever can change otherwise (its user, what it may do) is checked each time.
	verifiedFor = time.Minute
	// verifiedTokens is how many tokens are remembered; beyond it an arbitrary one makes room.
	verifiedTokens = 10_000
)

// verified remembers the claims of tokens whose signature and times have been found good: parsing and checking one costs
// more than many a request does otherwise. It holds hashes, not tokens.
type verified struct {
	now func() time.Time

	mu     sync.Mutex
	tokens map[[sha256.Size]byte]verifiedToken
}

type verifiedToken struct {
	claims *claims
	until  time.Time
}

func newVerified(now func() time.Time) *verified {
	return &verified{now: now, tokens: map[[sha256.Size]byte]verifiedToken{}}
}

// find returns the claims of a token that was kept a short while ago and has not expired since.
func (v *verified) find(text string) (*claims, bool) {
	sum := sha256.Sum256([]byte(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	token, ok := v.tokens[sum]
	if !ok || !v.now().Before(token.until) {
		return nil, false
	}
	return token.claims, true
}

// keep remembers the claims of a token that has just been found good.
func (v *verified) keep(text string, c *claims) {
	until := v.now().Add(verifiedFor)
	if c.ExpiresAt.Before(until) {
		until = c.ExpiresAt.Time
	}
	sum := sha256.Sum256([]byte(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	for other := range v.tokens {
		if len(v.tokens) < verifiedTokens {
			break
		}
		delete(v.tokens, other)
	}
	v.tokens[sum] = verifiedToken{c, until}
}
