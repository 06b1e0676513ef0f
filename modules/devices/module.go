package devices

import (
	_ "embed"

	"go.uber.org/fx"

	"telltale/modules/auth"
	"telltale/modules/series"
	"telltale/platform/httpapi"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the API of devices. It needs a Deleter, which is the service that keeps the readings.
var Module = fx.Module("devices",
	fx.Provide(
		func(db *postgres.DB, registry *series.Registry, deleter Deleter) *Service {
			return NewService(db, registry, deleter)
		},
		fx.Annotate(
			func(service *Service, guard *auth.Guard) httpapi.Routes { return Routes(service, guard) },
			fx.ResultTags(`group:"routes"`),
		),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "devices", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
)
