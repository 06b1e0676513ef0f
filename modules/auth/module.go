package auth

import (
	"context"
	_ "embed"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/health"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the guard of every other module's routes, and the API of users, keys and tokens. It needs an Announce.
var Module = fx.Module("auth",
	fx.Provide(
		fx.Annotate(provideSecrets, fx.OnStart(func(ctx context.Context, s *Secrets) error { return s.Start(ctx) })),
		fx.Annotate(
			provideKeySet,
			fx.OnStart(func(ctx context.Context, k *KeySet) error { return k.Start(ctx) }),
			fx.OnStop(func(ctx context.Context, k *KeySet) error { return k.Stop(ctx) }),
		),
		fx.Private,
	),
	fx.Provide(
		func(db *postgres.DB, log *zap.Logger) *Users { return NewUsers(db, log.Named("auth")) },
		func(db *postgres.DB, log *zap.Logger) *Keys { return NewKeys(db, log.Named("auth")) },
		func(cfg config.Auth, secrets *Secrets, keySet *KeySet, users *Users) (*Tokens, error) {
			return NewTokens(cfg, secrets, keySet, users)
		},
		NewGuard,
		fx.Annotate(
			provideBootstrap,
			fx.OnStart(func(ctx context.Context, b *Bootstrap) error { return b.Start(ctx) }),
			fx.OnStop(func(ctx context.Context, b *Bootstrap) error { return b.Stop(ctx) }),
		),
		fx.Annotate(Routes, fx.ResultTags(`group:"routes"`)),
		fx.Annotate(provideProbe, fx.ResultTags(`group:"probes"`)),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "auth", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
	fx.Invoke(func(*Bootstrap) {}), // nobody else may ask for it
)

func provideSecrets(cfg config.Config, log *zap.Logger) *Secrets {
	return NewSecrets(cfg.Auth, cfg.DataDir, log.Named("auth"))
}

func provideKeySet(cfg config.Auth, log *zap.Logger) *KeySet {
	return NewKeySet(cfg.JWKSURL, cfg.Algorithm, log.Named("auth"))
}

func provideBootstrap(cfg config.Config, users *Users, db *postgres.DB, announce Announce, log *zap.Logger) *Bootstrap {
	return NewBootstrap(cfg.Auth, cfg.DB.Embedded(), cfg.DataDir, users, db.Ready(), announce, log.Named("auth"))
}

func provideProbe(bootstrap *Bootstrap) health.Probe {
	return health.Probe{Name: "auth", Check: func() (map[string]any, error) { return nil, bootstrap.Check() }}
}
