package streaming

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"telltale/modules/auth"
	"telltale/platform/fault"
)

// maxWords is the most devices, and the most metrics, that a stream may ask for.
const maxWords = 10_000

// lastEventID is the header in which a client says where it was.
const lastEventID = "Last-Event-ID"

// parameters are those that parseQuery knows; access_token belongs to the guard.
const parameters = "device, metric, last_event_id, since, access_token"

// parseQuery reads what a stream is asked for. Of several places to begin at, the header counts before last_event_id, and
// that before since: a browser that reconnects repeats the query and adds the header. The Invalid fault names everything
// that is wrong.
func parseQuery(args *fasthttp.Args, header string) (r Request, err error) {
	given := map[string][]string{}
	args.VisitAll(func(name, value []byte) { given[string(name)] = append(given[string(name)], string(value)) })
	p := parser{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch name {
		case "device":
			r.Devices = p.words(name, given[name])
		case "metric":
			r.Metrics = p.words(name, given[name])
		case "last_event_id", "since", auth.QueryToken:
		default:
			p.fail(name, "is not a parameter of this call; it knows %s", parameters)
		}
	}
	for _, place := range []struct {
		name   string
		values []string
	}{{lastEventID, []string{strings.Clone(header)}}, {"last_event_id", given["last_event_id"]}, {"since", given["since"]}} {
		if from := p.position(place.name, place.values); r.From == nil {
			r.From = from
		}
	}
	if len(p.faults) > 0 {
		return r, fault.InvalidFields(p.faults...)
	}
	return r, nil
}

// parser collects what is wrong with parameters.
type parser struct{ faults []fault.Field }

func (p *parser) fail(name, format string, args ...any) {
	p.faults = append(p.faults, fault.Field{Name: name, Reason: fmt.Sprintf(format, args...)})
}

// words returns each word of a parameter that may be repeated or list several with commas, once.
func (p *parser) words(name string, values []string) []string {
	words := []string{}
	seen := map[string]bool{}
	for _, value := range values {
		for word := range strings.SplitSeq(value, ",") {
			switch {
			case word == "":
				p.fail(name, "must not be empty")
			case !seen[word]:
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	if len(words) > maxWords {
		p.fail(name, "must be given at most %d times, not %d", maxWords, len(words))
	}
	return words
}

// position reads a place that may be given once. Empty is absent: an EventSource that has seen no event sends that.
func (p *parser) position(name string, values []string) *Position {
	if len(values) > 1 {
		p.fail(name, "must be given once")
	}
	if len(values) == 0 || values[0] == "" {
		return nil
	}
	position, err := ParsePosition(values[0])
	if err != nil {
		p.fail(name, "%v, not %q", err, values[0])
		return nil
	}
	return &position
}
