package openapi

import (
	"go.uber.org/fx"

	"telltale/platform/httpapi"
	"telltale/platform/version"
)

// Module assembles the fragments of the group "openapi" and contributes the routes that show the document.
var Module = fx.Module("openapi",
	fx.Provide(
		fx.Annotate(
			func(fragments []Fragment) (*Document, error) { return Assemble(version.Number(), fragments...) },
			fx.ParamTags(`group:"openapi"`),
		),
		fx.Annotate(
			func(doc *Document) httpapi.Routes { return Routes(doc) },
			fx.ResultTags(`group:"routes"`),
		),
	),
)
