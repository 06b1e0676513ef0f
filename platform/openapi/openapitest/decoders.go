package openapitest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// registerDecoders teaches openapi3filter, whose list of decoders is one for the process, the formats of streams.
var registerDecoders = sync.OnceFunc(func() {
	for _, mediaType := range []string{"text/csv", "text/event-stream"} {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.PlainBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", decodeNDJSON)
})

// decodeNDJSON checks each line against the schema, which describes one line, and returns the first. A schema of type
// string leaves the lines alone, and one of type array gets all of them.
func decodeNDJSON(body io.Reader, header http.Header, schema *openapi3.SchemaRef, encoding openapi3filter.EncodingFn) (any, error) {
	if schema.Value.Type.Is(openapi3.TypeString) {
		return openapi3filter.PlainBodyDecoder(body, header, schema, encoding)
	}
	lines, err := decodeLines(body)
	if err != nil || schema.Value.Type.Is(openapi3.TypeArray) {
		return lines, err
	}
	if len(lines) == 0 {
		return nil, invalid("there is no line")
	}
	for n, line := range lines[1:] {
		if err := schema.Value.VisitJSON(line); err != nil {
			return nil, invalid("line %d: %w", n+2, err)
		}
	}
	return lines[0], nil
}

func decodeLines(body io.Reader) ([]any, error) {
	var values []any
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		var value any
		if err := json.Unmarshal(scanner.Bytes(), &value); err != nil {
			return nil, invalid("line %d: %w", len(values)+1, err)
		}
		values = append(values, value)
	}
	return values, scanner.Err()
}

func invalid(format string, args ...any) error {
	return &openapi3filter.ParseError{Kind: openapi3filter.KindInvalidFormat, Cause: fmt.Errorf(format, args...)}
}
