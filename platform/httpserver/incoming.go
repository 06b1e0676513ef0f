package httpserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"telltale/platform/fault"
)

// Body returns the request's body, which it reads now: call it when it is clear that the body is wanted, after credentials
// have been checked. A second call returns the same bytes. They are the handler's until it returns, and are another request's
// afterwards: an answer that has some of them in it copies them.
//
// It returns a TooLarge fault for more than that many bytes, and Unavailable when the bodies of all requests together have
// reached their limit (config.HTTP.BodyBudgetBytes).
func Body(c *fiber.Ctx, most int) ([]byte, error) {
	own := connOf(c.Context().Conn())
	if own == nil { // app.Test: fasthttp has read it
		raw := c.Request().Body()
		if len(raw) > most {
			return nil, tooLarge(most)
		}
		return raw, nil
	}
	in := &own.incoming
	if !in.asked {
		in.asked = true
		in.raw, in.failed = in.read(most)
	}
	return in.raw, in.failed
}

// Reserve takes that many bytes of the budget of bodies for what a handler makes of one, such as its inflated form, until the
// request ends. It returns an Unavailable fault when the requests of others leave no room; one that is alone has room, since
// it could never be served otherwise: its limit is what the size of a body allows.
func Reserve(c *fiber.Ctx, bytes int) error {
	own := connOf(c.Context().Conn())
	if own == nil { // app.Test
		return nil
	}
	in := &own.incoming
	if err := own.server.bodies.add(bytes, in.reserved+in.derived); err != nil {
		return err
	}
	in.derived += bytes
	return nil
}

func tooLarge(most int) error {
	return fault.New(fault.TooLarge, "a request body may have at most %s here", ByteCount(most))
}

// ByteCount writes a limit on bytes as error texts do: in MiB where that is a whole number.
func ByteCount(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.Itoa(n>>20) + " MiB"
	}
	return strconv.Itoa(n) + " bytes"
}

// incoming is the body of the request under way, which stays with the client until a handler asks for it. It is for the
// connection's own goroutine.
type incoming struct {
	framing
	own    *conn
	left   int  // bytes that are still to come, of a body whose length is known or of the chunk under way
	whole  bool // all of it has been read
	asked  bool
	raw    []byte
	failed error
	// reserved is what the body takes of the budget.
	reserved int
	// derived is what is made of the body takes of it, see Reserve.
	derived int
	pooled  *[]byte
}

// begin is for the next request.
func (in *incoming) begin(own *conn, f framing) {
	*in = incoming{framing: f, own: own, left: f.length, whole: !f.chunked && f.length == 0}
}

// end gives back what the body took.
func (in *incoming) end() {
	in.own.server.bodies.give(in.reserved + in.derived)
	if in.pooled != nil && cap(in.raw) <= maxPooled {
		*in.pooled = in.raw[:0]
		bodies.Put(in.pooled)
	}
	in.reserved, in.derived, in.raw, in.pooled = 0, 0, nil, nil
}

// maxPooled is the largest body whose memory is kept for others.
const maxPooled = 1 << 20

var bodies = sync.Pool{New: func() any { return new([]byte) }}

func (in *incoming) read(most int) ([]byte, error) {
	if in.whole {
		return nil, nil
	}
	if in.left > most {
		return nil, tooLarge(most)
	}
	in.pooled = bodies.Get().(*[]byte)
	raw := *in.pooled
	err := in.invite()
	switch {
	case err != nil:
	case in.chunked:
		raw, err = in.readChunks(raw, most)
	default:
		raw, err = in.readPlain(raw)
	}
	if err != nil {
		in.raw = raw // for the pool
		return raw[:0], in.refusal(err)
	}
	in.whole = true
	return raw, nil
}

// invite tells a client that has asked first to send the body.
func (in *incoming) invite() error {
	if !in.expects || len(in.own.ahead) > 0 {
		return nil
	}
	_, err := in.own.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	return err
}

func (in *incoming) readPlain(raw []byte) ([]byte, error) {
	raw, err := in.grow(raw, in.left)
	if err != nil {
		return raw, err
	}
	raw = raw[:in.left]
	_, err = io.ReadFull(ahead{in.own}, raw)
	return raw, err
}

// grow makes room for n bytes more, within the budget.
func (in *incoming) grow(raw []byte, n int) ([]byte, error) {
	need, size := len(raw)+n, cap(raw)
	if size < need {
		size = max(need, 2*len(raw))
	}
	if more := size - in.reserved; more > 0 {
		if err := in.own.server.bodies.take(more); err != nil {
			return raw, err
		}
		in.reserved = size
	}
	if size == cap(raw) {
		return raw, nil
	}
	larger := make([]byte, len(raw), size)
	copy(larger, raw)
	return larger, nil
}

// refusal is what the client is told when its body has not come as it should.
func (in *incoming) refusal(err error) error {
	switch {
	case fault.As(err) != nil:
		return err
	case errors.Is(err, errMalformedBody):
		return fiber.ErrBadRequest
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fiber.ErrRequestTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: reading the body: %w", ErrGone, err)
}

// settle is incoming.settle for the request's own connection.
func settle(c *fiber.Ctx) {
	if own := connOf(c.Context().Conn()); own != nil {
		own.incoming.settle(c.Context())
	}
}

// settle passes over a body that no handler has read, if it has come already. Otherwise the answer closes the connection,
// so that a refused body need not be sent to its end. Call it before the head of an answer is sent.
func (in *incoming) settle(ctx *fasthttp.RequestCtx) {
	own := in.own
	if !in.whole && !in.asked && !in.chunked && in.left <= len(own.ahead) {
		own.ahead = own.ahead[in.left:]
		in.whole = true
	}
	if !in.whole {
		ctx.SetConnectionClose()
		own.linger.Store(true)
	}
}

// ahead reads from a connection beneath fasthttp.
type ahead struct{ own *conn }

func (a ahead) Read(p []byte) (int, error) {
	if len(a.own.ahead) > 0 {
		n := copy(p, a.own.ahead)
		if a.own.ahead = a.own.ahead[n:]; len(a.own.ahead) == 0 {
			a.own.ahead = nil // an idle connection keeps no memory for it
		}
		return n, nil
	}
	return a.own.Conn.Read(p)
}
