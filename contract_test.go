package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"telltale/config"
	"telltale/platform/openapi"
	"telltale/platform/openapi/openapitest"
)

// A value group with a mistyped tag would lose a module's routes or its part of the document without a word, so the table
// of routes is written down. A change of the API changes this file; UPDATE_ROUTES=1 writes it again.
func TestRoutes_AreThoseWrittenDownAndThoseDocumented(t *testing.T) {
	t.Parallel()
	var app *fiber.App
	var doc *openapi.Document
	built := fx.New(
		fx.Supply(config.Config{
			Auth: config.Auth{Algorithm: "HS256"}, Log: config.Log{Format: "json"}, DataDir: t.TempDir(),
		}),
		fx.Provide(announce), fx.NopLogger, modules, fx.Populate(&app, &doc),
	)
	require.NoError(t, built.Err())
	table := openapitest.Table(app)
	var text strings.Builder
	for _, route := range table {
		text.WriteString(route.Method + " " + route.Path + "\n")
	}
	golden := filepath.Join("testdata", "routes.txt")
	if os.Getenv("UPDATE_ROUTES") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())

	contract, err := openapitest.Load(t.Context(), doc.JSON)
	require.NoError(t, err)
	require.NoError(t, contract.CompareRoutes(table, openapitest.Undocumented...))
}
