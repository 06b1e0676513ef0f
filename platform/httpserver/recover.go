package httpserver

import (
	"fmt"
	"runtime/debug"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap/zapcore"
)

// never is a level that no entry has: a panic brings its own stack, so zap must not add the one of whoever logs it.
const never = zapcore.FatalLevel + 1

// panicError is a panic of a handler, with the stack at which it happened.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// recovered turns a panic of a later handler into an error.
func recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return c.Next()
}
