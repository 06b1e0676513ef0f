package httpserver

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// minCompressed is the size from which on an answer is worth compressing.
const minCompressed = 1400

// encoder compresses one answer after the other.
type encoder interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// The encoders are set for speed: an answer must not take longer to compress than to send. zstd's window bounds its
// memory.
var encoders = map[string]*sync.Pool{
	"gzip": {New: func() any {
		w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}},
	"zstd": {New: func() any {
		w, err := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10))
		if err != nil {
			panic(err) // the options are constants
		}
		return w
	}},
}

// Coding returns the content coding that the client likes best of those StreamCompressed can make, "" for none (RFC 9110,
// 12.5.3). Where it does not mind, that is zstd.
func Coding(c *fiber.Ctx) string {
	best, bestQuality := "", 0.0
	wildcard, named := -1.0, map[string]bool{}
	for part := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		quality := codingQuality(params)
		switch name {
		case "*":
			wildcard = quality
		case "gzip", "zstd":
			named[name] = true
			if quality > bestQuality || quality == bestQuality && quality > 0 && name == "zstd" {
				best, bestQuality = name, quality
			}
		}
	}
	if best == "" && wildcard > 0 {
		for _, name := range []string{"zstd", "gzip"} {
			if !named[name] {
				return name
			}
		}
	}
	return best
}

// codingQuality returns the q among parameters: 1 if there is none, 0 if it makes no sense.
func codingQuality(params string) float64 {
	name, value, given := strings.Cut(strings.TrimSpace(params), "=")
	if !given || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// StreamCompressed is Stream for a body that is compressed, as it is written, when the client accepts that and the body
// is not tiny. Flush is not for such a body.
func StreamCompressed(c *fiber.Ctx, write func(w io.Writer) error) error {
	c.Vary(fiber.HeaderAcceptEncoding)
	coding := Coding(c)
	if coding == "" {
		return Stream(c, write)
	}
	return Stream(c, func(out io.Writer) error {
		body := &compressed{ctx: c, coding: coding, out: out}
		defer body.release()
		if err := write(body); err != nil {
			return err
		}
		return body.close()
	})
}

// compressed holds the beginning of a body back until it is clear that it is worth compressing.
type compressed struct {
	ctx    *fiber.Ctx
	coding string
	out    io.Writer
	held   []byte
	to     encoder // nil until the body is being compressed
}

func (b *compressed) Write(p []byte) (int, error) {
	if b.to == nil {
		if len(b.held)+len(p) < minCompressed {
			b.held = append(b.held, p...)
			return len(p), nil
		}
		b.ctx.Set(fiber.HeaderContentEncoding, b.coding)
		b.to = encoders[b.coding].Get().(encoder)
		b.to.Reset(b.out)
		if _, err := b.to.Write(b.held); err != nil {
			return 0, fmt.Errorf("compressing the body: %w", err)
		}
	}
	n, err := b.to.Write(p)
	if err != nil {
		return n, fmt.Errorf("compressing the body: %w", err)
	}
	return n, nil
}

func (b *compressed) close() error {
	if b.to == nil {
		_, err := b.out.Write(b.held)
		return err
	}
	if err := b.to.Close(); err != nil {
		return fmt.Errorf("compressing the body: %w", err)
	}
	return nil
}

// release gives the encoder back, whatever state it is in: its next use begins with Reset.
func (b *compressed) release() {
	if b.to != nil {
		b.to.Reset(io.Discard)
		encoders[b.coding].Put(b.to)
	}
}
