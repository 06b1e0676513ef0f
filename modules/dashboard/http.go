package dashboard

import (
	"sync"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/dashboard/assets"
	"telltale/modules/dashboard/boards"
	"telltale/modules/dashboard/operations"
	"telltale/platform/httpapi"
)

// views are the paths that the page has views for, as a browser's address bar shows them. What a view shows is in the URL's
// query, which only the page reads.
var views = []string{
	"/", "/signin", "/devices", "/devices/:id", "/compare", "/boards", "/boards/:id", "/import", "/users", "/keys", "/operations", "/account",
}

// Guard lets a request through whose credentials have the scopes.
type Guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

// Routes returns the routes of the module: the calls about boards and operations, and, without credentials, the page at the path of
// each of its views with its assets. The page is made when it is first asked for: a program that no browser visits starts sooner.
func Routes(newPage func() (*assets.Page, error), kept *boards.Boards, recorder *operations.Recorder, guard Guard) httpapi.Routes {
	page := sync.OnceValues(newPage)
	serve := func(send func(*assets.Page, *fiber.Ctx) error) fiber.Handler {
		return func(c *fiber.Ctx) error {
			made, err := page()
			if err != nil {
				return err
			}
			return send(made, c)
		}
	}
	return httpapi.Routes{
		Name: "dashboard",
		Mount: func(api fiber.Router) {
			boards.Mount(api, kept, guard)
			operations.Mount(api, recorder, guard)
		},
		Root: func(root fiber.Router) {
			for _, path := range views {
				root.Get(path, serve((*assets.Page).Index))
			}
			root.Get(assets.Prefix+":name", serve((*assets.Page).Asset))
		},
	}
}
