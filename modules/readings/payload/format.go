package payload

import (
	"mime"
	"strings"

	"telltale/platform/fault"
)

// Format is the syntax of a body.
type Format int

// The formats, see FormatOf for their media types.
const (
	// JSON is `{"readings":[item, …]}` with items such as `{"device":"a","ts":1762128000000,"values":{"temperature":21.5}}`, or
	// in the long form that history is written in: `{"device":"a","metric":"temperature","ts":1762128000000,"value":21.5}`.
	JSON Format = iota
	// NDJSON is one such item a line; blank lines do not count.
	NDJSON
	// CSV is RFC 4180 with a header row: a column `device`, perhaps a column `ts`, and one column for each metric. An empty
	// cell is no value. A table of just the columns `device`, `metric`, `value` and perhaps `ts` is in the long form.
	CSV
	// lines is InfluxDB line protocol. No content type means it: the request says so, see LineProtocol.
	lines
)

const supported = "send application/json, application/x-ndjson or text/csv"

func formatOf(req Request) (Format, error) {
	if req.LineProtocol != nil {
		return lines, nil
	}
	return FormatOf(req.ContentType)
}

// FormatOf returns the format that a Content-Type header names. A charset other than UTF-8 and a CSV without header are
// refused like a foreign type: with an UnsupportedMedia fault.
func FormatOf(contentType string) (Format, error) {
	switch contentType {
	case "application/json":
		return JSON, nil
	case "":
		return 0, fault.New(fault.UnsupportedMedia, "the request names no content type; %s", supported)
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, fault.New(fault.UnsupportedMedia, "cannot read the content type %s; %s", quote([]byte(contentType)), supported)
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return 0, fault.New(fault.UnsupportedMedia, "charset %s is not read here; send UTF-8", quote([]byte(params["charset"])))
	}
	switch media {
	case "application/json":
		return JSON, nil
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		return NDJSON, nil
	case "text/csv":
		if strings.EqualFold(params["header"], "absent") {
			return 0, fault.New(fault.UnsupportedMedia, "CSV needs a header row: device,ts and the names of the metrics")
		}
		return CSV, nil
	}
	return 0, fault.New(fault.UnsupportedMedia, "content type %s is not read here; %s", quote([]byte(media)), supported)
}
