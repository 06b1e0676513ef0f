package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/clocktest"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/password"
	"telltale/modules/auth/signing"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/modules/schema"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New(), httpservertest.IgnoreClock()) }

const (
	testSecret    = "a-secret-of-the-tests-which-is-long-enough-for-HS512-and-more-0123"
	adminPassword = "a fine password"
)

// cheapParams make a hash in a fraction of a millisecond.
var cheapParams = argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// fullAdmin may do everything.
var fullAdmin = access.Principal{Subject: "root", Scopes: []access.Scope{access.Admin}}

// instance is one running Telltale, as far as this module goes.
type instance struct {
	t      *testing.T
	db     *postgres.DB
	users  *users.Service
	keys   *keys.Service
	tokens *tokens.Service
	guard  *Guard
	clock  *clocktest.Clock
	hasher *countingHasher
	logs   *observer.ObservedLogs
	server *httpservertest.Server
}

// newInstance serves the module's routes, and /api/things (devices:read to GET, devices:write to POST) and /api/live
// (readings:read, for browsers), which answer the subject. There is one user, admin.
func newInstance(t *testing.T) *instance {
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "HS256", SecretKey: testSecret})
	i.createUser("admin", adminPassword, nil, access.Admin)
	return i
}

func newInstanceOn(t *testing.T, db *postgres.DB, cfg config.Auth) *instance {
	if cfg.TokenLifetime == 0 {
		cfg.TokenLifetime = 30 * time.Minute
	}
	core, logs := observer.New(zapcore.DebugLevel)
	log := zap.New(core)
	clock, hasher := clocktest.New(), &countingHasher{Hasher: password.NewHasher(cheapParams)}
	users := users.New(db, hasher, clock.Now, log)
	keys := keys.New(db, clock.Now, log)
	keySet := signing.NewKeySet(cfg.JWKSURL, cfg.Algorithm, log)
	keySet.Retry = time.Hour // no second fetch, however long the test takes
	require.NoError(t, keySet.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, keySet.Stop(t.Context())) })
	tokens, err := tokens.New(cfg, signing.NewSecrets(cfg, t.TempDir(), log), keySet, clock.Now, log)
	require.NoError(t, err)
	guard := NewGuard(users, keys, tokens, clock.Now)
	subject := func(c *fiber.Ctx) error { return c.JSON(PrincipalOf(c).Subject) }
	things := httpapi.Routes{Name: "things", Mount: func(api fiber.Router) {
		api.Get("/things", guard.Require(access.DevicesRead), subject)
		api.Post("/things", guard.Require(access.DevicesWrite), subject)
		api.Get("/live", guard.RequireBrowser(access.ReadingsRead), subject)
	}}
	server := httpservertest.Serve(t, []httpapi.Routes{Routes(users, keys, tokens, guard, httpapi.NewSameSite(nil)), things}, httpservertest.WithLog(log),
		httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 16 << 20, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
	return &instance{t, db, users, keys, tokens, guard, clock, hasher, logs, server}
}

// countingHasher counts the hashes that are computed.
type countingHasher struct {
	*password.Hasher
	count atomic.Int64
}

func (h *countingHasher) Hash(ctx context.Context, text string) (string, error) {
	h.count.Add(1)
	return h.Hasher.Hash(ctx, text)
}

func (h *countingHasher) Compare(text, hash string) (bool, error) {
	h.count.Add(1)
	return h.Hasher.Compare(text, hash)
}

// another returns a second instance on the same database.
func (i *instance) another() *instance {
	return newInstanceOn(i.t, i.db, config.Auth{Algorithm: "HS256", SecretKey: testSecret})
}

func (i *instance) createUser(username, password string, devices []string, scopes ...access.Scope) {
	_, err := i.users.Create(i.t.Context(), fullAdmin, users.Draft{Username: username, Password: password, Scopes: scopes, Devices: devices})
	require.NoError(i.t, err)
}

// createKey returns the text of a new key and its id.
func (i *instance) createKey(key keys.Draft) (text, id string) {
	created, text, err := i.keys.Create(i.t.Context(), fullAdmin, key)
	require.NoError(i.t, err)
	return text, created.ID
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// into decodes the answer's JSON.
func into[T any](t *testing.T, a answer) T {
	var value T
	require.NoError(t, json.Unmarshal([]byte(a.body), &value), a.body)
	return value
}

// fields returns the reasons of a 422 by field.
func (a answer) fields(t *testing.T) map[string]string {
	require.Equal(t, http.StatusUnprocessableEntity, a.status, a.body)
	reasons := map[string]string{}
	for _, f := range into[httpapi.Problem](t, a).Errors {
		reasons[f.Name] = f.Reason
	}
	return reasons
}

// with sets a header of a request.
type with struct{ name, value string }

func bearer(credentials string) with { return with{"Authorization", "Bearer " + credentials} }

func (i *instance) call(method, path, body string, headers ...with) answer {
	request, err := http.NewRequestWithContext(i.t.Context(), method, i.server.URL+path, bytes.NewBufferString(body))
	require.NoError(i.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		request.Header.Set(h.name, h.value)
	}
	response, err := i.server.Client.Do(request)
	require.NoError(i.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(i.t, err)
	a := answer{response.StatusCode, response.Header, string(content)}
	requireContract(i.t, request, body, a)
	return a
}

// login posts the form with the fields given as name, value pairs.
func (i *instance) login(username, password string, more ...string) answer {
	form := url.Values{"username": {username}, "password": {password}}
	for n := 0; n < len(more); n += 2 {
		form.Add(more[n], more[n+1])
	}
	return i.call("POST", "/api/auth/token", form.Encode(), with{"Content-Type", "application/x-www-form-urlencoded"})
}

// token logs in and returns the access token.
func (i *instance) token(username, password string, more ...string) string {
	a := i.login(username, password, more...)
	require.Equal(i.t, http.StatusOK, a.status, a.body)
	return into[tokenAnswer](i.t, a).AccessToken
}

func (i *instance) requireRefused(a answer) {
	i.t.Helper()
	require.Equal(i.t, http.StatusUnauthorized, a.status, a.body)
	require.Equal(i.t, httpapi.ProblemType, a.header.Get("Content-Type"))
	require.True(i.t, strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm="telltale"`), a.header)
}

func stringOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
