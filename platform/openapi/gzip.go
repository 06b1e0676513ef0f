package openapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

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
