package httpserver

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
)

// Gzip returns the content compressed as small as gzip can. It takes tens of milliseconds for a megabyte: it is for what is
// compressed once and sent often.
func Gzip(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(content) // a buffer does not fail
	_ = w.Close()
	return out.Bytes()
}

// UseGzip reports whether the answer is to be what Gzip has made, and says so in its header. A client that names no coding at
// all, such as curl, which may pipe the answer into something, gets the plain content.
func UseGzip(c *fiber.Ctx) bool {
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderAcceptEncoding) == "" || c.AcceptsEncodings("gzip") != "gzip" {
		return false
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return true
}
