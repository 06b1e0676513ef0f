package httpapi

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// eventStream is what an EventSource accepts, always and nothing else.
const eventStream = "text/event-stream"

// comeBackSpread is over how long the clients that were sent away at the same moment come back.
const comeBackSpread = 4 * time.Second

// wantsComeBack reports whether the request is an EventSource's and cannot be served just now. By the WHATWG's
// specification an EventSource ends for good at any status but 200, so that a database which restarts at night would leave
// dead pages behind. A 200 whose body ends has it come back.
func wantsComeBack(c *fiber.Ctx, f *fault.Fault) bool {
	return f.Kind == fault.Unavailable && c.Method() == fiber.MethodGet && c.Get(fiber.HeaderAccept) == eventStream
}

// comeBack answers with a stream that says why there is nothing in it, when to come back, and ends. The client's last
// event id stays what it was.
func comeBack(c *fiber.Ctx, f *fault.Fault) error {
	wait := max(time.Second, f.RetryAfter) + rand.N(comeBackSpread) //nolint:gosec // no secret
	c.Set(fiber.HeaderContentType, eventStream+"; charset=utf-8")
	return c.Status(fiber.StatusOK).SendString(fmt.Sprintf(": %s\nretry: %d\n\n",
		strings.ReplaceAll(f.Message, "\n", " "), wait.Milliseconds()))
}
