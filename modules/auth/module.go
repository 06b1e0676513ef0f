package auth

import (
	"context"
	_ "embed"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/password"
	"telltale/modules/auth/signing"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/platform/health"
	"telltale/platform/httpapi"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the guard of every other module's routes, and the API of users, keys and tokens. It needs an Announce.
var Module = fx.Module("auth",
	fx.Provide(
		fx.Annotate(provideSecrets, fx.OnStart(func(ctx context.Context, s *signing.Secrets) error { return s.Start(ctx) })),
		fx.Annotate(
			provideKeySet,
			fx.OnStart(func(ctx context.Context, k *signing.KeySet) error { return k.Start(ctx) }),
			fx.OnStop(func(ctx context.Context, k *signing.KeySet) error { return k.Stop(ctx) }),
		),
		fx.Private,
	),
	fx.Provide(
		provideUsers,
		func(db *postgres.DB, log *zap.Logger) *keys.Service { return keys.New(db, time.Now, log.Named("auth")) },
		fx.Annotate(provideTokens, fx.OnStart(func(ctx context.Context, t *tokens.Service) error { return t.Start(ctx) })),
		func(users *users.Service, keys *keys.Service, tokens *tokens.Service) *Guard {
			return NewGuard(users, keys, tokens, time.Now)
		},
		fx.Annotate(
			provideBootstrap,
			fx.OnStart(func(ctx context.Context, b *bootstrap.Bootstrap) error { return b.Start(ctx) }),
			fx.OnStop(func(ctx context.Context, b *bootstrap.Bootstrap) error { return b.Stop(ctx) }),
		),
		fx.Annotate(provideRoutes, fx.ResultTags(`group:"routes"`)),
		fx.Annotate(provideProbe, fx.ResultTags(`group:"probes"`)),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "auth", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
	fx.Invoke(func(*bootstrap.Bootstrap) {}), // no other part asks for it
)

func provideSecrets(cfg config.Config, log *zap.Logger) *signing.Secrets {
	return signing.NewSecrets(cfg.Auth, cfg.DataDir, log.Named("auth"))
}

func provideKeySet(cfg config.Auth, log *zap.Logger) *signing.KeySet {
	return signing.NewKeySet(cfg.JWKSURL, cfg.Algorithm, log.Named("auth"))
}

func provideUsers(db *postgres.DB, log *zap.Logger) *users.Service {
	return users.New(db, password.NewHasher(password.Params), time.Now, log.Named("auth"))
}

func provideTokens(cfg config.Auth, secrets *signing.Secrets, keySet *signing.KeySet, log *zap.Logger) (*tokens.Service, error) {
	return tokens.New(cfg, secrets, keySet, time.Now, log.Named("auth"))
}

func provideRoutes(cfg config.HTTP, users *users.Service, keys *keys.Service, tokens *tokens.Service, guard *Guard) httpapi.Routes {
	return Routes(users, keys, tokens, guard, httpapi.NewSameSite(cfg.AllowedOrigins))
}

func provideBootstrap(cfg config.Config, users *users.Service, db *postgres.DB, announce bootstrap.Announce, log *zap.Logger) *bootstrap.Bootstrap {
	return bootstrap.New(cfg.Auth, cfg.DB.Embedded(), cfg.DataDir, users, db.Ready(), announce, log.Named("auth"))
}

func provideProbe(first *bootstrap.Bootstrap) health.Probe {
	return health.Probe{Name: "auth", Check: func() (map[string]any, error) { return nil, first.Check() }}
}
