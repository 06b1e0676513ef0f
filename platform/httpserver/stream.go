package httpserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// bodyKey is where Streamed and OnWait find the writer of the request's body.
const bodyKey = "telltale.body"

const (
	// bodyBuffer is how much of an answer is held back before it is sent in pieces.
	bodyBuffer = 64 << 10
	// maxChunk is the most that one write, and so one write deadline, covers.
	maxChunk = 1 << 20
)

// Stream answers with a body that write produces piece by piece, in memory bounded whatever its length. Set status and
// header before.
//
// An answer that fits into 64 KiB goes out as an ordinary one with a Content-Length, and an error that write returns
// before that much has been written is answered as any handler's is. Once bytes are on their way an error (or a panic)
// can only cut the connection, which the client sees as an incomplete body; it is in the access log.
//
// write runs within the handler, so it may use the request. Writes fail when the client has gone, or has accepted
// nothing for 30 seconds; write should then return that error. The writer also has Flush() error, for a body whose
// pieces are wanted as soon as they exist.
func Stream(c *fiber.Ctx, write func(w io.Writer) error) error {
	body := &bodyWriter{ctx: c, conn: connOf(c.Context().Conn()), chunked: c.Context().Request.Header.IsHTTP11()}
	body.buf = buffers.Get().(*[]byte)
	defer body.release()
	c.Locals(bodyKey, body)
	finished := false
	defer func() {
		if !finished && body.begun { // write panicked
			body.cut(errors.New("the writer of the body panicked"))
		}
	}()
	err := write(body)
	finished = true
	switch {
	case body.headOnly && errors.Is(err, errHeadOnly):
		c.Response().Header.SetContentLength(-1)
		return nil
	case !body.begun && err != nil:
		return err
	case !body.begun:
		return c.Send(append([]byte(nil), body.held()...))
	}
	if err == nil {
		err = body.end()
	}
	if err != nil {
		body.cut(err)
	}
	return nil
}

// Streamed tells what Stream has sent for the request: the bytes of the body, and the error that cut it. Begun is false as
// long as the answer is an ordinary one.
func Streamed(c *fiber.Ctx) (bytes int64, begun bool, err error) {
	body, ok := c.Locals(bodyKey).(*bodyWriter)
	if !ok || !body.begun {
		return 0, false, nil
	}
	return body.sent, true, Blame(c, body.failed)
}

// errHeadOnly stops the writer of an answer to HEAD once its length can no longer matter.
var errHeadOnly = errors.New("the answer to HEAD has no body")

// room is what precedes the held-back bytes in the buffer: a chunk's length in hex and CRLF. Two more bytes follow them.
const room = len("1234567\r\n")

var buffers = sync.Pool{New: func() any {
	b := make([]byte, room+bodyBuffer+2)
	return &b
}}

// bodyWriter holds the first bytes of an answer back, and from the first flush on writes chunks to the connection itself.
// fasthttp's own way of streaming takes 4 KiB at a time from a pipe that another goroutine fills.
type bodyWriter struct {
	ctx     *fiber.Ctx
	conn    *conn
	chunked bool // otherwise the end of the connection ends the body (HTTP/1.0)
	buf     *[]byte
	n       int // held-back bytes

	begun    bool // the head has been sent
	headOnly bool
	sent     int64
	failed   error
	waits    Waits // nil for none
}

func (b *bodyWriter) held() []byte { return (*b.buf)[room : room+b.n] }

func (b *bodyWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if b.n == 0 && len(p) >= bodyBuffer { // nothing to join it with: spare the copy
			piece := p[:min(len(p), maxChunk)]
			if err := b.send(piece); err != nil {
				return written, err
			}
			written, p = written+len(piece), p[len(piece):]
			continue
		}
		n := copy((*b.buf)[room+b.n:room+bodyBuffer], p)
		b.n, written, p = b.n+n, written+n, p[n:]
		if b.n == bodyBuffer {
			if err := b.Flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// Flush sends what is held back.
func (b *bodyWriter) Flush() error {
	if b.n == 0 {
		return b.failed
	}
	err := b.send(nil)
	b.n = 0
	return err
}

// send writes one chunk: p, or what is held back when p is nil.
func (b *bodyWriter) send(p []byte) error {
	if b.failed == nil && !b.begun {
		b.failed = b.begin()
	}
	if b.failed != nil {
		return b.failed
	}
	size := len(p)
	if p == nil {
		size = b.n
	}
	parts := b.frame(p, size)
	if err := b.conn.renew(); err != nil {
		b.failed = err
		return err
	}
	written := b.watch()
	_, err := parts.WriteTo(b.conn.Conn)
	if resumed := written(); err == nil && resumed != nil {
		b.failed = resumed
		return resumed
	}
	if err != nil {
		b.failed = fmt.Errorf("%w: writing the body: %w", ErrGone, err)
		return b.failed
	}
	b.sent += int64(size)
	return nil
}

// frame returns the chunk as the pieces to write; the held-back bytes are framed in place.
func (b *bodyWriter) frame(p []byte, size int) net.Buffers {
	var length [room]byte
	head := append(strconv.AppendInt(length[:0], int64(size), 16), '\r', '\n')
	switch {
	case p == nil && !b.chunked:
		return net.Buffers{b.held()}
	case !b.chunked:
		return net.Buffers{p}
	case p == nil:
		start := room - len(head)
		copy((*b.buf)[start:], head)
		end := room + size
		copy((*b.buf)[end:], "\r\n")
		return net.Buffers{(*b.buf)[start : end+2]}
	default:
		return net.Buffers{append([]byte(nil), head...), p, []byte("\r\n")}
	}
}

// begin sends the head, and so takes the answer away from fasthttp.
func (b *bodyWriter) begin() error {
	ctx := b.ctx.Context()
	if ctx.IsHead() {
		b.headOnly = true
		return errHeadOnly
	}
	if b.conn == nil {
		return errors.New("a long answer can only be streamed by httpserver.Server")
	}
	settle(b.ctx)
	header := &ctx.Response.Header
	if !b.chunked || ctx.Request.Header.ConnectionClose() {
		ctx.SetConnectionClose()
	}
	if b.chunked {
		header.SetContentLength(-1)
	}
	b.begun = true
	if _, err := b.conn.Write(header.AppendBytes(nil)); err != nil {
		return fmt.Errorf("%w: writing the head of an answer: %w", ErrGone, err)
	}
	return nil
}

// end completes the body and has the connection go back to fasthttp for its next request.
func (b *bodyWriter) end() error {
	if err := b.Flush(); err != nil {
		return err
	}
	then := resume
	if b.ctx.Context().Response.ConnectionClose() {
		then = shut
	}
	if b.chunked {
		if _, err := b.conn.Write([]byte("0\r\n\r\n")); err != nil {
			return fmt.Errorf("%w: ending the body: %w", ErrGone, err)
		}
	}
	take(b.ctx, then, func(*conn, net.Conn) {})
	return nil
}

// cut ends the connection where it is, so that the client does not take the body for whole.
func (b *bodyWriter) cut(err error) {
	b.failed = err
	b.ctx.Context().SetConnectionClose()
	_ = b.conn.Conn.Close()
}

func (b *bodyWriter) release() {
	buffers.Put(b.buf)
	b.buf = nil
}
