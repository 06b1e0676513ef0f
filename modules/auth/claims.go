package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claims are what Telltale reads of a token, its own or another's.
type claims struct {
	jwt.RegisteredClaims
	Scope   scopeClaim  `json:"scope"`
	Devices deviceClaim `json:"devices,omitzero"`
	// Account is the fingerprint of the user's password; only tokens that Telltale issued have it.
	Account string `json:"acct,omitempty"`
}

// The year after which a time can no longer be written as RFC 3339, and the longest subject that is worth logging.
const (
	lastYear   = 9999
	maxSubject = 256
)

// Validate completes the checks that the JWT library makes of exp and nbf: it calls this once the signature is good.
func (c *claims) Validate() error {
	switch {
	case c.ExpiresAt == nil:
		return errors.New("the token has no exp claim")
	case c.ExpiresAt.Year() > lastYear || c.ExpiresAt.Before(time.Unix(0, 0)):
		return errors.New("the token's exp claim is out of range")
	case c.Subject == "":
		return errors.New("the token has no sub claim")
	case len(c.Subject) > maxSubject:
		return errors.New("the token's sub claim is too long")
	}
	return nil
}

// principal returns what the claims say, as they say it. Scopes of other systems' making are left out.
func (c *claims) principal() Principal {
	return Principal{
		Subject: c.Subject,
		Scopes:  sortedScopes(c.Scope),
		Devices: c.Devices.patterns,
		Expires: c.ExpiresAt.Time,
		account: c.Account,
	}
}

// scopeClaim is a space-separated string, as OAuth2 has it, or an array of strings.
type scopeClaim []Scope

func (s scopeClaim) MarshalJSON() ([]byte, error) { return json.Marshal(joinScopes(s)) }

func (s *scopeClaim) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil && text != nil {
		*s = splitScopes(*text)
		return nil
	}
	list, err := stringList(data)
	if err != nil {
		return fmt.Errorf("the scope claim is neither a string nor an array of strings: %w", err)
	}
	*s = make(scopeClaim, len(list))
	for i, scope := range list {
		(*s)[i] = Scope(scope)
	}
	return nil
}

// deviceClaim is an array of device patterns. Without the claim a token covers every device; a claim that says nothing
// sensible, null included, makes the token invalid rather than all-powerful.
type deviceClaim struct{ patterns []string }

// IsZero makes a token without the claim from a principal without a limit.
func (d deviceClaim) IsZero() bool { return d.patterns == nil }

func (d deviceClaim) MarshalJSON() ([]byte, error) { return json.Marshal(d.patterns) }

func (d *deviceClaim) UnmarshalJSON(data []byte) error {
	list, err := stringList(data)
	if err != nil {
		return fmt.Errorf("the devices claim is not an array of strings: %w", err)
	}
	if len(list) > maxPatterns {
		return fmt.Errorf("the devices claim has more than %d entries", maxPatterns)
	}
	for i, pattern := range list {
		if reason := patternFault(pattern); reason != "" {
			return fmt.Errorf("devices[%d] %s", i, reason)
		}
	}
	d.patterns = list
	return nil
}

// stringList reads a JSON array of strings and nothing else; the result is never nil.
func stringList(data []byte) ([]string, error) {
	var entries []*string
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	if entries == nil {
		return nil, errors.New("it is null")
	}
	list := make([]string, len(entries))
	for i, entry := range entries {
		if entry == nil {
			return nil, fmt.Errorf("entry %d is null", i)
		}
		list[i] = *entry
	}
	return list, nil
}
