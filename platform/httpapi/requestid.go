package httpapi

import (
	"crypto/rand"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const requestIDKey = "telltale.request_id"

// RequestID returns the id of the request, which is in its answer's X-Request-ID and in every log line about it. It is a
// string of its own, safe to keep.
func RequestID(c *fiber.Ctx) string {
	if id, ok := c.Locals(requestIDKey).(string); ok {
		return id
	}
	// Only a request that fasthttp could not even parse has not been through the middleware.
	return setRequestID(c)
}

// setRequestID takes the client's X-Request-ID, so that one id follows a request through several services, or makes one.
func setRequestID(c *fiber.Ctx) string {
	id := strings.Clone(c.Get(fiber.HeaderXRequestID))
	if !saneID(id) {
		id = rand.Text()
	}
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	return id
}

// saneID keeps log lines readable and headers safe, whatever a client sends.
func saneID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}
