package auth

import (
	"context"
	"crypto/rand"
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

// Tokens issues and checks JWTs of one algorithm, the configured one.
//
// With HS* Telltale issues tokens itself, and also accepts those that another program has signed with the same secret.
// With every other algorithm an outside identity provider issues them and only its public keys are known here.
type Tokens struct {
	algorithm string
	issuer    string // "" accepts any
	audience  string // "" accepts any
	lifetime  time.Duration
	secrets   *signing.Secrets
	provider  keySource // nil with HS*
	users     *Users
	now       func() time.Time
	log       *zap.Logger
}

// keySource finds the public key that a token says it was signed with.
type keySource interface {
	Find(token *jwt.Token) (any, error)
}

// NewTokens returns the tokens of the configured algorithm. KeySet is used when no public key is configured. It returns
// an error when the public key is none, or does not fit the algorithm.
func NewTokens(cfg config.Auth, secrets *signing.Secrets, keySet *signing.KeySet, users *Users, log *zap.Logger) (*Tokens, error) {
	t := &Tokens{
		algorithm: cfg.Algorithm, issuer: cfg.Issuer, audience: cfg.Audience, lifetime: cfg.TokenLifetime,
		secrets: secrets, users: users, now: time.Now, log: log,
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
func (t *Tokens) Start(context.Context) error {
	if !t.issues() && t.audience == "" {
		t.log.Warn("JWT_AUDIENCE is not set: tokens that the identity provider issues for other services are accepted too")
	}
	return nil
}

// issues reports whether Telltale issues tokens itself.
func (t *Tokens) issues() bool { return t.provider == nil }

// Issue returns a token for the user with the scopes given, and when it expires. Account is the fingerprint that Login
// returned. The token does not list the user's devices: those stored with the user apply whenever it is used, and a long list
// would not fit into a request's header.
func (t *Tokens) Issue(user User, account string, scopes []access.Scope) (token string, expires time.Time, err error) {
	now := t.now()
	c := &issued{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.ownIssuer(), Subject: user.Username, ID: rand.Text(),
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

func (t *Tokens) ownIssuer() string {
	if t.issuer != "" {
		return t.issuer
	}
	return ownIssuer
}

// key is the key function of every parse. The middleware takes whatever algorithm a token names as long as a key function
// is set, so the algorithm is held to the configured one here, before any key is looked for.
func (t *Tokens) key(token *jwt.Token) (any, error) {
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

// accept returns the principal of claims whose signature, exp and nbf have been found good.
func (t *Tokens) accept(ctx context.Context, c *claims) (access.Principal, error) {
	if !t.knows(c.Issuer) {
		return access.Principal{}, fault.New(fault.Unauthenticated, "the token comes from an issuer that is not accepted here")
	}
	if t.audience != "" && !slices.Contains(c.Audience, t.audience) {
		return access.Principal{}, fault.New(fault.Unauthenticated, "the token is for another audience: its aud claim has to name this service")
	}
	if !t.issues() {
		p := c.principal()
		p.Account = ""
		return p, nil
	}
	return t.current(ctx, c.principal())
}

// knows reports whether tokens of the issuer are accepted. Unless one is configured, a token signed with our own secret
// may also name none.
func (t *Tokens) knows(issuer string) bool {
	switch {
	case t.issuer != "":
		return issuer == t.issuer
	case t.issues():
		return issuer == ownIssuer || issuer == ""
	}
	return true
}

// current returns what a token's principal may do by now.
func (t *Tokens) current(ctx context.Context, p access.Principal) (access.Principal, error) {
	if p.Account == "" {
		return p, nil
	}
	return t.users.hold(ctx, p)
}
