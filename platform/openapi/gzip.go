package openapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// compressed returns the text, compressed.
func compressed(text []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(text) // a buffer does not fail
	_ = writer.Close()
	return out.Bytes()
}

// sendGzipped sends what is held compressed, decompressed for a client that does not ask for compression: curl, which may pipe
// it into something, names no encoding at all.
func sendGzipped(c *fiber.Ctx, zipped []byte) error {
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderAcceptEncoding) != "" && c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(zipped)
	}
	reader, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return fmt.Errorf("decompressing an asset: %w", err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return fmt.Errorf("decompressing an asset: %w", err)
	}
	return c.Send(plain)
}

// zippedFiles keeps each file that a handler serves compressed from its first use on. There are as many as the handler
// has files. (Fiber's own middleware would compress them anew each time, in goroutines that never end.)
type zippedFiles struct {
	mu    sync.Mutex
	files map[string][]byte
}

// serve answers with what the handler answers, compressed.
func (z *zippedFiles) serve(c *fiber.Ctx, file string, handler fiber.Handler) error {
	if err := handler(c); err != nil || c.Response().StatusCode() != fiber.StatusOK {
		return err
	}
	if strings.HasSuffix(file, ".png") {
		return nil
	}
	z.mu.Lock()
	zipped, known := z.files[file]
	if !known {
		body := c.Response().Body()
		zipped = compressed(body)
		z.files[file] = zipped
	}
	z.mu.Unlock()
	return sendGzipped(c, zipped)
}
