package openapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/httpserver"
)

// sendGzipped sends what is held compressed alone, decompressed for a client that does not ask for compression.
func sendGzipped(c *fiber.Ctx, zipped []byte) error {
	if httpserver.UseGzip(c) {
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
