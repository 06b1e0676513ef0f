package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// items answers with the id that the path names.
func items() httpapi.Routes {
	return httpapi.Routes{Name: "items", Mount: func(api fiber.Router) {
		api.Get("/items/:id", func(c *fiber.Ctx) error {
			id, err := httpapi.PathParam(c, "id")
			if err != nil {
				return err
			}
			return c.SendString(id)
		})
		api.Post("/items", func(*fiber.Ctx) error { return nil })
	}}
}

func TestPathParam_IsDecodedOnce(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{items()})
	for path, want := range map[string]string{"a+b": "a+b", "caf%C3%A9": "café", "50%25": "50%", "a%2Fb": "a/b"} {
		res := server.Ask(t, "GET", "/api/items/"+path)
		require.Equal(t, 200, res.StatusCode)
		require.EqualValues(t, len(want), res.ContentLength, path)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	require.NoError(t, err)
	req.URL.Opaque = "/api/items/%zz"
	res, err := server.Client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 422, res.StatusCode)
}
