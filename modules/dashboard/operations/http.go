package operations

import (
	"encoding/json"
	"io"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

var parameters = httpapi.Parameters{}.Once("since")

// lastTime is the end of the year 9999, in Unix milliseconds.
const lastTime = 253402300799999

// Mount adds the route of the figures, which are for administrators.
func Mount(api fiber.Router, recorder *Recorder, guard guard) {
	api.Get("/operations", guard.Require(access.Admin), func(c *fiber.Ctx) error {
		q := parameters.Read(c)
		since := q.Number("since", 0, 0, lastTime)
		if err := q.Err(); err != nil {
			return err
		}
		report := recorder.Report(int64(since))
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return httpserver.StreamCompressed(c, func(w io.Writer) error { return json.NewEncoder(w).Encode(report) })
	})
}
