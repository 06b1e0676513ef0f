package httpapi

import (
	"fmt"
	"runtime/debug"

	"github.com/gofiber/fiber/v2"
)

// panicError is a panic of a handler, with the stack at which it happened.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Recovered is middleware that turns a panic of a later handler into an error, which ErrorHandler logs with its stack.
func Recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return c.Next()
}
