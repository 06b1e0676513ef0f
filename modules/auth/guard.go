package auth

import (
	"context"
	"slices"
	"time"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/keytext"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

const (
	// sourceKey is where a guard leaves the source of the credentials in a request's locals.
	sourceKey = "telltale.source"
	// tokenKey is where the JWT middleware leaves the token.
	tokenKey = "telltale.token"
)

// Guard lets requests through to a route when their credentials cover it.
type Guard struct {
	users  *users.Service
	keys   *keys.Service
	tokens *tokens.Service
	now    func() time.Time
	parse  map[source]fiber.Handler // the JWT middleware, by where it finds the token
}

// NewGuard returns a guard that accepts the tokens and the keys, as long as their users may use them.
func NewGuard(users *users.Service, keys *keys.Service, tokens *tokens.Service, now func() time.Time) *Guard {
	middleware := func(lookup, scheme string) fiber.Handler {
		return jwtware.New(jwtware.Config{
			TokenLookup: lookup, AuthScheme: scheme, KeyFunc: tokens.Key, Claims: tokens.Claims(), ContextKey: tokenKey,
			SuccessHandler: func(*fiber.Ctx) error { return nil }, // the guard goes on by itself
			ErrorHandler:   func(_ *fiber.Ctx, err error) error { return err },
		})
	}
	return &Guard{users, keys, tokens, now, map[source]fiber.Handler{
		fromHeader: middleware("header:"+fiber.HeaderAuthorization, "Bearer"),
		fromQuery:  middleware("query:"+QueryToken, ""),
		fromCookie: middleware("cookie:"+sessionCookie, ""),
	}}
}

// Require returns a handler that lets a request pass when its credentials have all the scopes, and leaves their principal
// for PrincipalOf. Credentials are a token or API key in the Authorization header, an API key in X-API-Key, or the session
// cookie; for other methods than GET and HEAD the cookie counts only when a page of this server has sent the request.
//
// The handler returns an Unauthenticated fault without good credentials, Forbidden without a scope or for a cookie that does not count, and Unavailable when
// the credentials cannot be checked at the moment.
func (g *Guard) Require(scopes ...access.Scope) fiber.Handler { return g.require(false, scopes) }

// RequireBrowser is Require for routes that a browser opens where it cannot set headers, such as an EventSource: it also
// accepts the token or API key in the query parameter access_token.
func (g *Guard) RequireBrowser(scopes ...access.Scope) fiber.Handler { return g.require(true, scopes) }

func (g *Guard) require(browser bool, scopes []access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		principal, from, err := g.authenticate(c, browser)
		if err != nil {
			f := fault.As(err)
			switch {
			case f == nil || f.Kind != fault.Unauthenticated:
			case from == nowhere:
				httpapi.Challenge(c)
			default:
				httpapi.ChallengeToken(c, f.Message)
			}
			return err
		}
		c.Locals(sourceKey, from)
		if err := Admit(c, principal, scopes...); err != nil {
			httpapi.Challenge(c, "error", "insufficient_scope", "scope", access.JoinScopes(scopes))
			return err
		}
		return c.Next()
	}
}

// Recheck tells whether a principal's credentials, found good when a long-lived connection began, still are. It returns an
// Unauthenticated fault once they have expired or been revoked, their user is gone, disabled or has a new password, or
// they cover something else by now: the connection should end, and its client come back for a new principal. An
// Unavailable fault says only that it cannot be told at the moment. Recheck answers from memory nearly always; asking every
// few seconds for every connection is fine.
func (g *Guard) Recheck(ctx context.Context, p access.Principal) error {
	if !p.Expires.IsZero() && !g.now().Before(p.Expires) {
		return fault.New(fault.Unauthenticated, "the credentials have expired")
	}
	current, err := g.current(ctx, p)
	if err != nil {
		return err
	}
	if !slices.Equal(current.Scopes, p.Scopes) || !slices.Equal(current.Devices, p.Devices) || current.SeesAll() != p.SeesAll() {
		return fault.New(fault.Unauthenticated, "what the credentials cover has changed")
	}
	return nil
}

// OnChange has changed called after every change of a user or an API key that this instance has made, with a function that
// tells whose principals are concerned: Recheck finds the change at once. Of changes that other instances make, Recheck
// alone learns, seconds later. Changed must not wait; there is one at most.
func (g *Guard) OnChange(changed func(concerns func(access.Principal) bool)) {
	g.keys.OnChange(func(id string) {
		changed(func(p access.Principal) bool { return p.KeyID == id })
	})
	g.users.OnChange(func(username string) {
		changed(func(p access.Principal) bool { return p.IsUser() && p.Subject == username })
	})
}

// authenticate returns the principal that the request's credentials stand for, and where they were.
func (g *Guard) authenticate(c *fiber.Ctx, browser bool) (access.Principal, source, error) {
	text, from, err := credential(c, browser)
	switch {
	case err != nil:
		return access.Principal{}, from, err
	case from == nowhere:
		return access.Principal{}, from, fault.New(fault.Unauthenticated, "a token or an API key is needed")
	case len(text) > maxCredential:
		return access.Principal{}, from, fault.New(fault.Unauthenticated, "the credentials are too long")
	case from == fromAPIKeyHeader || keytext.IsKey(text):
		p, err := g.keys.Verify(c.UserContext(), text)
		return p, from, err
	}
	p, err := g.tokens.Verify(text, func() (*jwt.Token, error) {
		if err := g.parse[from](c); err != nil {
			return nil, err
		}
		return c.Locals(tokenKey).(*jwt.Token), nil
	})
	if err != nil {
		return access.Principal{}, from, err
	}
	p, err = g.current(c.UserContext(), p)
	return p, from, err
}

// current returns what the key or the user of a principal may do by now. A principal of another issuer's token stays as it is.
func (g *Guard) current(ctx context.Context, p access.Principal) (access.Principal, error) {
	switch {
	case p.KeyID != "":
		return g.keys.Current(ctx, p.KeyID)
	case p.IsUser():
		return g.users.Current(ctx, p)
	}
	return p, nil
}
