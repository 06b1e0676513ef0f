package config

import "go.uber.org/fx"

// Module provides each section of a Config on its own. The Config is supplied by the caller, who has loaded it, so that its faults
// are reported before anything is built.
var Module = fx.Module("config",
	fx.Provide(func(c Config) (DB, HTTP, Log, Auth, Readings, Streaming) {
		return c.DB, c.HTTP, c.Log, c.Auth, c.Readings, c.Streaming
	}),
)
