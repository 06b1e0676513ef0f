package request

import (
	"slices"
	"strings"

	"telltale/modules/streaming/event"
)

// isResume reports whether a parameter of a URL holds the client's position: `last_event_id`, or the name that an EventSource
// substitute gives it, such as `lastEventId`, `Last-Event-ID` or `evs_last_event_id`.
func isResume(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	return strings.TrimPrefix(plain, "evs") == "lasteventid"
}

// cacheBusters are parameters that EventSource substitutes, and pages, put into a URL because of caches and old browsers. They
// have no meaning here.
var cacheBusters = []string{"_", "r", "t", "cb", "rnd", "random", "nocache", "no_cache", "cache", "cors", "padding", "evs_preamble"}

// FromQuery returns the parameters of a URL without those that have no meaning here, and with all positions of the client under
// one name.
func FromQuery(values Values) Values {
	tidied := Values{}
	var ids []string
	for name, texts := range values {
		switch {
		case isResume(name):
			ids = append(ids, texts...)
		case !slices.Contains(cacheBusters, strings.ToLower(name)):
			tidied[name] = texts
		}
	}
	if ids != nil {
		tidied["last_event_id"] = ids
	}
	return tidied
}

// resume reads the client's position. The header takes precedence over parameters: a substitute puts the id that it began with
// into the URL, and the EventSource beneath it adds a newer id to the header. Of several parameters the newest position counts.
//
// lost is set when a position cannot be read. That is not an error of the request: an EventSource that is refused stops for good,
// and it repeats whatever id it was given last.
func resume(header string, ids []string) (from *event.Position, lost bool) {
	if header = strings.TrimSpace(header); header != "" {
		ids = []string{header}
	}
	for _, id := range ids {
		if id = strings.TrimSpace(id); id == "" { // an EventSource that has seen no event sends that
			continue
		}
		at, err := event.ParsePosition(strings.Clone(id))
		switch {
		case err != nil:
			lost = true
		case from == nil || from.Before(at):
			from = &at
		}
	}
	return from, lost && from == nil
}
