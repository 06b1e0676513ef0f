package authtest_test

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

func TestMain(m *testing.M) { httpservertest.Main(m) }

func TestGuard_KnowsOnePrincipalAndChecksScopes(t *testing.T) {
	t.Parallel()
	reader := authtest.As(access.Principal{Subject: "reader", Scopes: []access.Scope{access.DevicesRead}, Devices: []string{"a"}})
	subject := func(c *fiber.Ctx) error { return c.JSON(auth.PrincipalOf(c)) }
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "things", Mount: func(api fiber.Router) {
		api.Get("/read", reader.Require(access.DevicesRead), subject)
		api.Get("/write", reader.RequireBrowser(access.DevicesWrite), subject)
		api.Get("/all", authtest.Admin().Require(access.DevicesWrite, access.Admin), subject)
	}}})
	for path, status := range map[string]int{"/api/read": 200, "/api/write": 403, "/api/all": 200} {
		response, err := server.Client.Get(server.URL + path)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, status, response.StatusCode, path)
	}
	require.NoError(t, reader.Recheck(t.Context(), access.Principal{}))
}
