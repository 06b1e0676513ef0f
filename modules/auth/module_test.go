package auth

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/auth/password"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/platform/health"
	"telltale/platform/httpapi"
	"telltale/platform/openapi"
	"telltale/platform/postgres/pgtest"
)

func TestModule_StartsAndStops(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	cfg := config.Config{Auth: config.Auth{Algorithm: "HS256", AdminUsername: "admin", TokenLifetime: time.Minute}, DataDir: t.TempDir()}
	told := make(chan string, 1)
	var probes struct {
		fx.In
		Probes    []health.Probe     `group:"probes"`
		Routes    []httpapi.Routes   `group:"routes"`
		Fragments []openapi.Fragment `group:"openapi"`
		Guard     *Guard
		Tokens    *tokens.Service
	}
	app := fxtest.New(t,
		fx.Supply(cfg, cfg.Auth, cfg.HTTP, db, bootstrap.Announce(func(_, password string) { told <- password })),
		fx.Provide(zap.NewNop), fx.NopLogger,
		Module, fx.Populate(&probes),
	)
	app.RequireStart()
	generated := <-told
	own, _, err := probes.Tokens.Issue("admin", "a fingerprint", nil)
	require.NoError(t, err)
	_, err = probes.Tokens.Verify(own, func() (*jwt.Token, error) { return jwt.ParseWithClaims(own, probes.Tokens.Claims(), probes.Tokens.Key) })
	require.NoError(t, err)
	require.Len(t, probes.Routes, 1)
	require.NotEmpty(t, probes.Fragments[0].YAML)
	app.RequireStop()
	_, err = probes.Probes[0].Check()
	require.NoError(t, err)
	_, _, err = users.New(db, password.NewHasher(password.Params), time.Now, zap.NewNop()).Login(t.Context(), "admin", generated, "::1")
	require.NoError(t, err)
}
