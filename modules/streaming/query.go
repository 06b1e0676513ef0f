package streaming

import (
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

const (
	// maxWords is the most devices, and the most metrics, that a stream may ask for.
	maxWords = 10_000
	// maxPatterns is the most of the devices that may be patterns, each of which is tried for each event.
	maxPatterns = 100
	// maxTags is the most tags that a stream may ask for.
	maxTags = 50
	// leastEvery and mostEvery are the limits of a stream's pace.
	leastEvery = time.Second
	mostEvery  = time.Hour
)

// lastEventID is the header in which a client says where it was.
const lastEventID = "Last-Event-ID"

// parameters are those that a stream knows.
const parameters = "device, tag, metric, filter, last_event_id, since, snapshot, every, slow, interval, agg, tz"

// Selection says which readings a stream holds. Nil means all, an empty list none.
type Selection struct {
	// Devices are ids and patterns.
	Devices []string `json:"device,omitzero"`
	// Tags must all be on the device.
	Tags    []string `json:"tag,omitzero"`
	Metrics []string `json:"metric,omitzero"`
}

// given are the values of parameters by name, from a query or from a body.
type given map[string][]string

// parseRequest reads what a stream is asked for. Of several places to begin at, the header counts before last_event_id, and
// that before since: a browser that reconnects repeats the query and adds the header. The Invalid fault names everything
// that is wrong.
func parseRequest(values given, header string, now time.Time) (r Request, err error) {
	p := parser{values: values, now: now}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch name {
		case "device", "metric", "tag":
			p.selection(&r, name)
		case "filter":
			r.Filter = p.filter(name)
		case "snapshot":
			r.Snapshot = p.truth(name)
		case "every":
			r.Every = p.pace(name)
		case "slow":
			r.Slow = p.slowness(name)
		case "last_event_id", "since", "interval", "agg", "tz":
		default:
			p.fail(name, "is not a parameter of this call; it knows %s", parameters)
		}
	}
	p.begin(&r, header)
	p.buckets(&r)
	if r.Every > 0 && values["slow"] != nil {
		p.fail("slow", "has no meaning with every, which sends newest values anyway")
	}
	return r, p.faults.Err()
}

// begin reads where the stream begins.
func (p *parser) begin(r *Request, header string) {
	resumed := p.position(lastEventID, []string{strings.Clone(header)})
	if id := p.position("last_event_id", p.values["last_event_id"]); resumed == nil {
		resumed = id
	}
	since, at := p.since("since", p.values["since"])
	if r.Snapshot && p.values["since"] != nil {
		p.fail("snapshot", "cannot be combined with since: a snapshot is of now")
	}
	switch {
	case resumed != nil:
		r.From, r.Snapshot = resumed, false
	case since != nil:
		r.From = since
	default:
		r.Since = at
	}
}

// selectionParameters are those of a Selection.
var selectionParameters = []string{"device", "tag", "metric"}

// selection reads one of them.
func (p *parser) selection(r *Request, name string) {
	switch name {
	case "device":
		r.Devices = p.words(name)
		p.checkPatterns(r.Devices)
	case "metric":
		r.Metrics = p.words(name)
	case "tag":
		r.Tags = p.tags(name)
	}
}

// filter reads which saved selection is to be used.
func (p *parser) filter(name string) string {
	for _, other := range selectionParameters {
		if _, given := p.values[other]; given {
			p.fail(other, "does not go with filter, which has its own")
		}
	}
	id := p.one(name)
	if id == "" {
		p.fail(name, "must not be empty")
	}
	return id
}

// parser collects what is wrong with parameters.
type parser struct {
	values given
	now    time.Time
	faults fault.Fields
}

func (p *parser) fail(name, format string, args ...any) { p.faults.Add(name, format, args...) }

// words returns each word of a parameter that may be repeated or list several with commas, once. The result is never nil:
// an empty list, which a body may have, means none, where nil would mean all.
func (p *parser) words(name string) []string {
	return append([]string{}, httpserver.Words(&p.faults, name, p.values[name], maxWords)...)
}

func (p *parser) checkPatterns(texts []string) {
	patterns := 0
	for _, text := range texts {
		if !devices.IsPattern(text) {
			continue
		}
		patterns++
		if err := devices.ValidatePattern(text); err != nil {
			p.fail("device", "%.140q %v", text, err)
		}
	}
	if patterns > maxPatterns {
		p.fail("device", "may have at most %d patterns, not %d", maxPatterns, patterns)
	}
}

func (p *parser) tags(name string) []string {
	tags := p.values[name]
	for _, tag := range tags {
		if err := devices.ValidateTag(tag); err != nil {
			hint := ""
			if strings.Contains(tag, ",") {
				hint = "; repeat tag for devices that have several"
			}
			p.fail(name, "%.140q %v%s", tag, err, hint)
			return nil
		}
	}
	if len(tags) > maxTags {
		p.fail(name, "must be given at most %d times, not %d", maxTags, len(tags))
	}
	return slices.Compact(sorted(tags))
}

// one returns a parameter that may be given once. It is empty for an empty list, which a body may have; no caller takes that.
func (p *parser) one(name string) string {
	values := p.values[name]
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		p.fail(name, "must be given once")
	}
	return values[0]
}

func (p *parser) truth(name string) bool {
	text := p.one(name)
	if text != "true" && text != "false" {
		p.fail(name, "must be true or false, not %.140q", text)
	}
	return text == "true"
}

func (p *parser) pace(name string) time.Duration {
	text := p.one(name)
	interval, err := readings.ParseInterval(text)
	every := time.Duration(interval.Millis) * time.Millisecond
	if err != nil || every < leastEvery || every > mostEvery {
		p.fail(name, `must be a whole number and a unit, from "1s" to "1h", not %.140q`, text)
	}
	return every
}

func (p *parser) slowness(name string) slowness {
	text := slowness(p.one(name))
	if !slices.Contains([]slowness{replay, coalesce, skipAhead, disconnect}, text) {
		p.fail(name, "must be one of %s, %s, %s and %s, not %.140q", replay, coalesce, skipAhead, disconnect, string(text))
	}
	return text
}

// leastInstant is the smallest number that since takes for Unix ms (in 2001) rather than for a seq, which would take a thousand
// commits a second for thirty years to get there.
const leastInstant = 1_000_000_000_000

// since reads a place that may also be a time: RFC 3339, Unix ms, or relative to now such as -10m.
func (p *parser) since(name string, values []string) (*Position, time.Time) {
	if len(values) != 1 || values[0] == "" {
		return p.position(name, values), time.Time{}
	}
	text := values[0]
	if at, err := ParsePosition(text); err == nil {
		if at.Next == 0 && at.Until == 0 && at.Seq >= leastInstant {
			return nil, time.UnixMilli(at.Seq)
		}
		return &at, time.Time{}
	}
	if text[0] == '-' {
		if interval, err := readings.ParseInterval(text[1:]); err == nil {
			return nil, p.now.Add(-time.Duration(interval.Millis) * time.Millisecond)
		}
	} else if at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)); err == nil {
		return nil, at // a plus sign in a URL that was not escaped had arrived as a space
	}
	p.fail(name, "must be a seq, the id of an event, RFC 3339, Unix ms or relative such as -10m, not %.140q", text)
	return nil, time.Time{}
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
		p.fail(name, "%v, not %.140q", err, values[0])
		return nil
	}
	return &position
}
