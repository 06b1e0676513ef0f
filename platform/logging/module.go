package logging

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
)

// Module provides the *zap.Logger, and *Events for fx.WithLogger.
var Module = fx.Module("logging", fx.Provide(provide, NewEvents))

func provide(lc fx.Lifecycle, cfg config.Log) (*zap.Logger, error) {
	log, err := New(cfg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(func(context.Context) {
		_ = log.Sync() // a terminal cannot be synced, and says so
	}))
	return log, nil
}
