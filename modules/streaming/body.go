package streaming

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// maxBody is more than the longest lists of ids need.
const maxBody = 4 << 20

// bodyValues reads the parameters of a stream from a JSON object: each is a text, true or false, or a list of texts.
func bodyValues(c *fiber.Ctx) (given, error) {
	mediaType, params, err := mime.ParseMediaType(string(c.Request().Header.ContentType()))
	if charset := params["charset"]; err != nil || mediaType != fiber.MIMEApplicationJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must be application/json")
	}
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must not be compressed")
	}
	raw := c.Request().Body()
	if len(raw) > maxBody {
		return nil, fault.New(fault.TooLarge, "the body must have at most %d bytes", maxBody)
	}
	var members map[string]any
	if !utf8.Valid(raw) || !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) || json.Unmarshal(raw, &members) != nil {
		return nil, fault.InvalidField("body", "must be a JSON object in UTF-8")
	}
	var faults []fault.Field
	values := given{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		texts, ok := textsOf(members[name])
		if !ok {
			faults = append(faults, fault.Field{Name: name, Reason: "must be a string, true or false, or an array of strings"})
		}
		values[name] = texts
	}
	if len(faults) > 0 {
		return nil, fault.InvalidFields(faults...)
	}
	return values, nil
}

// textsOf returns what a query would have for the value.
func textsOf(value any) (texts []string, ok bool) {
	switch value := value.(type) {
	case string:
		return []string{value}, true
	case bool:
		return []string{map[bool]string{true: "true", false: "false"}[value]}, true
	case []any:
		for _, element := range value {
			text, ok := element.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, true
	}
	return nil, false
}
