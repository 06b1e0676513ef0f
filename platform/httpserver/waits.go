package httpserver

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// blockedAfter is how long a write of a body waits for the client before its writer is told.
	blockedAfter = 250 * time.Millisecond
	// impatience is how long such a write may go on to wait when others need what the writer cannot give back.
	impatience = 5 * time.Second
)

// Waits is the writer of a body that gives back what others need while the client does not read.
type Waits interface {
	// Wait is called, in a goroutine of its own, when a write has waited for the client for a while. It ends soon after
	// over is closed, which says that the client reads on. It returns whether nothing that others need is left: otherwise
	// the client has a few seconds to read on, or the connection is cut.
	Wait(over <-chan struct{}) (patient bool)
	// Resume is called when the write is over, after Wait has returned. Its error ends the body.
	Resume() error
}

// OnWait has the writer of the request's body (see Stream) told when its client does not read. It is for the write
// function itself to call.
func OnWait(c *fiber.Ctx, waits Waits) {
	if body, ok := c.Locals(bodyKey).(*bodyWriter); ok {
		body.waits = waits
	}
}

// errWaits is the error of a body whose writer has panicked while it waited.
var errWaits = errors.New("the writer of the body panicked while it waited for the client")

// watch is called before a write; written after it, whose error ends the body.
func (b *bodyWriter) watch() (written func() error) {
	if b.waits == nil {
		return func() error { return nil }
	}
	over, told := make(chan struct{}), make(chan bool, 1)
	timer := time.AfterFunc(blockedAfter, func() {
		fine := false
		defer func() { told <- fine }()
		defer b.conn.contain()
		if !b.waits.Wait(over) {
			b.conn.hurry()
		}
		fine = true
	})
	return func() error {
		if timer.Stop() {
			return nil
		}
		close(over)
		if !<-told {
			return errWaits
		}
		return b.waits.Resume()
	}
}

// hurry shortens the deadline of the write under way.
func (c *conn) hurry() {
	if !c.manual.Load() {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(impatience)) // a connection on which this fails is closed
	}
}
