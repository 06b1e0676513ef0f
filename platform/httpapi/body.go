package httpapi

import (
	"bytes"
	"encoding/json"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// ReadBody returns the request's body when it is in one of the media types, not compressed, and has at most that many bytes.
// It lasts as long as the request.
func ReadBody(c *fiber.Ctx, most int, mediaTypes ...string) ([]byte, error) {
	mediaType, params, err := mime.ParseMediaType(string(c.Request().Header.ContentType()))
	charset := params["charset"]
	if err != nil || !slices.Contains(mediaTypes, mediaType) || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must be %s", strings.Join(mediaTypes, " or "))
	}
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must not be compressed")
	}
	return httpserver.Body(c, most)
}

// ReadObject returns the members of a JSON object, which the body of the request has to be; for the rest it is ReadBody. It
// keeps nothing of the request's own memory.
func ReadObject[T any](c *fiber.Ctx, most int, mediaTypes ...string) (map[string]T, error) {
	raw, err := ReadBody(c, most, mediaTypes...)
	if err != nil {
		return nil, err
	}
	var object map[string]T
	if !utf8.Valid(raw) || !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) || json.Unmarshal(raw, &object) != nil {
		return nil, fault.InvalidField("body", "must be a JSON object in UTF-8")
	}
	return object, nil
}
