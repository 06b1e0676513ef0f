package tokens

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"telltale/modules/auth/access"
	"telltale/modules/auth/strictjson"
)

// claims are what Telltale reads of a token, its own or another's.
type claims struct {
	jwt.RegisteredClaims
	Scope   scopeClaim
	Devices deviceClaim
	// Account is the fingerprint of the user's password; only tokens that Telltale issued have it.
	Account string
}

// issued are the claims of Telltale's own tokens.
type issued struct {
	jwt.RegisteredClaims
	Scope   string `json:"scope"` // separated by spaces
	Account string `json:"acct"`
}

// UnmarshalJSON takes claims by their exact names. A claim that is there twice, or whose name differs from a known one in upper
// and lower case alone, is an error: what reads the token elsewhere may take it for another value than this does.
func (c *claims) UnmarshalJSON(data []byte) error {
	fields := map[string]any{
		"iss": &c.Issuer, "sub": &c.Subject, "aud": &c.Audience, "exp": &c.ExpiresAt, "nbf": &c.NotBefore, "iat": &c.IssuedAt,
		"jti": &c.ID, "scope": &c.Scope, "devices": &c.Devices, "acct": &c.Account,
	}
	members, err := strictjson.Members(data, slices.Collect(maps.Keys(fields)))
	if err != nil {
		return err
	}
	for name, value := range members {
		if field := fields[name]; field != nil {
			if err := json.Unmarshal(value, field); err != nil {
				return fmt.Errorf("the claim %s: %w", name, err)
			}
		}
	}
	return nil
}

// GetNotBefore returns the nbf claim less the leeway that the clocks of issuer and instance are given. There is none for exp.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) {
	if c.NotBefore == nil {
		return nil, nil
	}
	return jwt.NewNumericDate(c.NotBefore.Add(-clockSkew)), nil
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
	case strings.ContainsFunc(c.Subject, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return errors.New("the token's sub claim has control characters")
	}
	return nil
}

// principal returns what the claims say, as they say it. Scopes of other systems' making are left out.
func (c *claims) principal() access.Principal {
	return access.Principal{
		Subject: c.Subject,
		Scopes:  access.SortedScopes(c.Scope),
		Devices: c.Devices.patterns,
		Expires: c.ExpiresAt.Time,
		Account: c.Account,
	}
}

// scopeClaim is a space-separated string, as OAuth2 has it, or an array of strings.
type scopeClaim []access.Scope

func (s *scopeClaim) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil && text != nil {
		*s = access.SplitScopes(*text)
		return nil
	}
	list, err := strictjson.Strings(data)
	if err != nil {
		return fmt.Errorf("the scope claim is neither a string nor an array of strings: %w", err)
	}
	*s = make(scopeClaim, len(list))
	for i, scope := range list {
		(*s)[i] = access.Scope(scope)
	}
	return nil
}

// deviceClaim is an array of device patterns. Without the claim a token covers every device; a claim that says nothing
// sensible, null included, makes the token invalid rather than all-powerful.
type deviceClaim struct{ patterns []string }

func (d *deviceClaim) UnmarshalJSON(data []byte) error {
	list, err := strictjson.Strings(data)
	if err != nil {
		return fmt.Errorf("the devices claim is not an array of strings: %w", err)
	}
	if len(list) > access.MaxPatterns {
		return fmt.Errorf("the devices claim has more than %d entries", access.MaxPatterns)
	}
	for i, pattern := range list {
		if reason := access.PatternFault(pattern); reason != "" {
			return fmt.Errorf("devices[%d] %s", i, reason)
		}
	}
	d.patterns = list
	return nil
}
