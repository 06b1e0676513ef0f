package render

import (
	"strconv"
	"strings"

	"telltale/platform/fault"
)

// Format is the syntax of an answer.
type Format int

// The formats, in the order in which they are preferred where the client does not mind.
const (
	JSON Format = iota
	NDJSON
	CSV
	Arrow
)

var formats = [...]struct {
	name, media string
	aliases     []string
}{
	JSON:   {"json", "application/json", nil},
	NDJSON: {"ndjson", "application/x-ndjson", []string{"application/ndjson", "application/jsonl"}},
	CSV:    {"csv", "text/csv", nil},
	Arrow:  {"arrow", "application/vnd.apache.arrow.stream", nil},
}

// String returns the format's name in the query: json, ndjson, csv or arrow.
func (f Format) String() string { return formats[f].name }

// ContentType returns the Content-Type of an answer in this format.
func (f Format) ContentType() string {
	if f == CSV {
		return "text/csv; charset=utf-8; header=present"
	}
	return formats[f].media
}

// Negotiate chooses the format: by the query parameter `format` if there is one (Invalid if it names none), else by the
// Accept header (RFC 9110, 12.5.1; NotAcceptable if it allows none). Without either it is JSON.
func Negotiate(accept, param string) (Format, error) {
	if param != "" {
		for f := range formats {
			if formats[f].name == param {
				return Format(f), nil
			}
		}
		return 0, fault.InvalidField("format", "%.40q is no format; allowed are json, csv, ndjson and arrow", param)
	}
	if strings.TrimSpace(accept) == "" {
		return JSON, nil
	}
	best, bestQuality := JSON, 0.0
	for f := range formats {
		if q := quality(accept, Format(f)); q > bestQuality {
			best, bestQuality = Format(f), q
		}
	}
	if bestQuality == 0 {
		return 0, fault.New(fault.NotAcceptable, "history is written as application/json, application/x-ndjson, text/csv and application/vnd.apache.arrow.stream only")
	}
	return best, nil
}

// quality returns what the Accept header gives the format: the q of the most specific range that covers it, 0 if none does.
func quality(accept string, f Format) (q float64) {
	specific := -1
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		if s := specificity(strings.ToLower(strings.TrimSpace(media)), f); s > specific {
			specific, q = s, weight(params)
		}
	}
	return q
}

// specificity tells how closely a media range names the format: -1 if it does not cover it.
func specificity(media string, f Format) int {
	major, _, _ := strings.Cut(formats[f].media, "/")
	switch media {
	case formats[f].media:
		return 3
	case major + "/*":
		return 1
	case "*/*", "*":
		return 0
	}
	for _, alias := range formats[f].aliases {
		if media == alias {
			return 2
		}
	}
	return -1
}

// weight returns the q among the parameters of a media range: 1 if there is none, 0 if it makes no sense.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
