package openapi_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/openapi"
	"telltale/platform/openapi/openapitest"
)

func TestDocument_TheBaseDocumentTellsTheTruthAboutTheServer(t *testing.T) {
	t.Parallel()
	var (
		doc    *openapi.Document
		app    *fiber.App
		server *httpserver.Server
	)
	program := fxtest.New(t,
		fx.Supply(config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 1000}, zap.NewNop()),
		httpapp.Module, openapi.Module, fx.Populate(&doc, &app, &server),
	)
	program.RequireStart()
	defer program.RequireStop()

	contract, err := openapitest.Load(t.Context(), doc.JSON)
	require.NoError(t, err)
	require.NoError(t, contract.CheckComplete())
	require.NoError(t, contract.CompareRoutes(openapitest.Table(app), openapitest.Undocumented...))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	runner := &openapitest.Runner{
		Contract: contract, URL: "http://" + server.Addr().String(), Client: &http.Client{Transport: transport},
	}
	require.NoError(t, runner.Examples(t.Context()))
}
