// Package tokens owns JSON Web Tokens: which claims Telltale reads and requires, its own tokens and how they are signed, and the checks
// that any token has to pass. What it makes of a token is a principal.
//
// It does not know users: whether the user of one of Telltale's own tokens may still use it, package users says. The keys that sign and
// verify are package signing's.
package tokens

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/signing"
	"telltale/platform/fault"
)

// ownIssuer is the iss claim of tokens that Telltale issues, unless another is configured.
const ownIssuer = "telltale"

// clockSkew is how much earlier than its nbf claim says a token is valid, our own or another's, because clocks differ.
const clockSkew = 30 * time.Second

// Service issues and verifies JWTs of one algorithm, the configured one.
//
// With HS* Telltale issues tokens itself, and also accepts those that another program has signed with the same secret.
// With every other algorithm an outside identity provider issues them and only its public keys are known here.
type Service struct {
	algorithm string
	issuer    string // "" accepts any
	audience  string // "" accepts any
	lifetime  time.Duration
	secrets   *signing.Secrets
	provider  keySource // nil with HS*
	seen      *verified
	now       func() time.Time
	log       *zap.Logger
}

// keySource finds the public key that a token says it was signed with.
type keySource interface {
	Find(token *jwt.Token) (any, error)
}

// New returns the tokens of the configured algorithm. KeySet is used when no public key is configured. It returns
// an error when the public key is none, or does not fit the algorithm.
func New(
	cfg config.Auth, secrets *signing.Secrets, keySet *signing.KeySet, now func() time.Time, log *zap.Logger,
) (*Service, error) {
	t := &Service{
		algorithm: cfg.Algorithm, issuer: cfg.Issuer, audience: cfg.Audience, lifetime: cfg.TokenLifetime,
		secrets: secrets, seen: newVerified(now), now: now, log: log,
	}
	switch {
	case signing.OwnKey(cfg.Algorithm):
	case cfg.PublicKey != "":
		key, err := signing.ParsePublicKey(cfg.Algorithm, cfg.PublicKey)
		if err != nil {
			return nil, err
		}
		t.provider = key
	case cfg.JWKSURL != "":
		t.provider = keySet
	default:
		return nil, fmt.Errorf("the algorithm %q needs a public key or a JWKS URL", cfg.Algorithm)
	}
	return t, nil
}

// Start warns when any token of the identity provider is accepted, those that it issues for other services included.
func (t *Service) Start(context.Context) error {
	if !t.Issues() && t.audience == "" {
		t.log.Warn("JWT_AUDIENCE is not set: tokens that the identity provider issues for other services are accepted too")
	}
	return nil
}

// Issues reports whether Telltale issues tokens itself.
func (t *Service) Issues() bool { return t.provider == nil }

// Lifetime returns how long an issued token is valid.
func (t *Service) Lifetime() time.Duration { return t.lifetime }

// Issue returns a token for the user with the scopes given, and when it expires. Account is the fingerprint of its password that
// access.Principal.Account is to have. The token does not list the user's devices: those stored with the user apply whenever it is used, and a long list
// would not fit into a request's header.
func (t *Service) Issue(username, account string, scopes []access.Scope) (token string, expires time.Time, err error) {
	now := t.now()
	c := &issued{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.ownIssuer(), Subject: username, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(t.lifetime)),
		},
		Scope: access.JoinScopes(scopes), Account: account,
	}
	if t.audience != "" {
		c.Audience = jwt.ClaimStrings{t.audience}
	}
	token, err = jwt.NewWithClaims(jwt.GetSigningMethod(t.algorithm), c).SignedString(t.secrets.Key())
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	return token, c.ExpiresAt.Time, nil
}

func (t *Service) ownIssuer() string {
	if t.issuer != "" {
		return t.issuer
	}
	return ownIssuer
}

// Verify returns the principal that a token stands for, as the token says it: what its user may do by now is for the caller to ask
// when IsUser is true. A text that was not found good of late is parsed by parse, with Claims and Key as a parser of JWTs takes them.
//
// It returns an Unauthenticated fault for a token that is not accepted, and Unavailable while the keys of the identity
// provider are not known.
func (t *Service) Verify(text string, parse func() (*jwt.Token, error)) (access.Principal, error) {
	c, ok := t.seen.find(text)
	if !ok {
		token, err := parse()
		if err != nil {
			return access.Principal{}, refusal(err)
		}
		c = token.Claims.(*claims)
		t.seen.keep(text, c)
	}
	if !t.knows(c.Issuer) {
		return access.Principal{}, fault.New(fault.Unauthenticated, "the token comes from an issuer that is not accepted here")
	}
	if t.audience != "" && !slices.Contains(c.Audience, t.audience) {
		return access.Principal{}, fault.New(fault.Unauthenticated, "the token is for another audience: its aud claim has to name this service")
	}
	p := c.principal()
	if !t.Issues() {
		p.Account = ""
	}
	return p, nil
}

// Claims returns what a parser reads a token's claims into.
func (*Service) Claims() jwt.Claims { return &claims{} }

// Key is the key function of every parse. The parser takes whatever algorithm a token names, so the algorithm is held to the
// configured one here, before any key is looked for.
func (t *Service) Key(token *jwt.Token) (any, error) {
	if alg := token.Method.Alg(); alg != t.algorithm {
		return nil, fmt.Errorf("the token is signed with %.16q, which is not accepted here", alg)
	}
	if err := checkHeader(token); err != nil {
		return nil, err
	}
	if t.provider == nil {
		return t.secrets.Key(), nil
	}
	return t.provider.Find(token)
}

// knows reports whether tokens of the issuer are accepted. Unless one is configured, a token signed with our own secret
// may also name none.
func (t *Service) knows(issuer string) bool {
	switch {
	case t.issuer != "":
		return issuer == t.issuer
	case t.Issues():
		return issuer == ownIssuer || issuer == ""
	}
	return true
}

// refusal turns an error of the parser into the fault that the caller gets. A fault from within, such as keys that
// are not known yet, stays what it is.
func refusal(err error) error {
	if f := fault.As(err); f != nil {
		return f
	}
	message := "the token is not valid"
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
	case errors.Is(err, jwt.ErrTokenExpired):
		message = "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		message = "the token is not valid yet"
	case errors.Is(err, jwt.ErrTokenMalformed):
		message = "the token is malformed"
	}
	return &fault.Fault{Kind: fault.Unauthenticated, Message: message, Err: err}
}
