package openapitest

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
)

func TestTable_IsSortedAndHasNoMiddleware(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	answer := func(*fiber.Ctx) error { return nil }
	app.Use(answer)
	app.Post("/items", answer)
	app.Get("/items/:id", answer)
	app.Get("/fail", answer)
	require.Equal(t, []Route{{"GET", "/fail"}, {"POST", "/items"}, {"GET", "/items/:id"}}, Table(app))
}
