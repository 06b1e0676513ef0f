package request

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/timeparam"

	"telltale/modules/devices"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/platform/glob"
	"telltale/platform/httpapi"
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

// selectionParameters are those of a filter.Selection, parameters those of a stream.
var (
	selectionParameters = httpapi.Parameters{}.Repeatable("device", "tag", "metric")
	parameters          = selectionParameters.Once("filter").Repeatable("last_event_id").
				Once("since", "snapshot", "every", "slow", "interval").Repeatable("agg").Once("tz")
)

// Values are the values of parameters by name, from a query or from a body.
type Values map[string][]string

// Parse reads the parameters of a stream. Of several positions to begin at, the header takes precedence over last_event_id, and
// that over since: a browser that reconnects repeats the query and adds the header. The Invalid fault names every error.
func Parse(values Values, header string, now time.Time) (r Request, err error) {
	p := parser{Query: parameters.Of(values), now: now}
	r.Selection = p.selection()
	r.Filter = p.filter("filter")
	r.Snapshot = p.Flag("snapshot")
	r.Every = httpapi.Parsed(p.Query, "every", 0, parsePace)
	r.Slow = httpapi.OneOf(p.Query, "slow", "", Replay, Coalesce, SkipAhead, Disconnect)
	p.begin(&r, header)
	p.buckets(&r)
	if r.Every > 0 && p.Has("slow") {
		p.Fail("slow", "has no meaning with every, which sends newest values anyway")
	}
	return r, p.Err()
}

// begin reads where the stream begins.
func (p *parser) begin(r *Request, header string) {
	resumed, lost := resume(header, p.All("last_event_id"))
	since, at := p.since("since")
	if r.Snapshot && p.Has("since") {
		p.Fail("snapshot", "cannot be combined with since: a snapshot is of now")
	}
	switch {
	case resumed != nil, lost:
		r.From, r.Lost, r.Snapshot = resumed, lost, false
	case since != nil:
		r.From = since
	default:
		r.Since = at
	}
}

// selection reads which readings the stream holds. A given list is never nil, even if it is empty, as it can be in a body: an
// empty list means none, nil means all.
func (p *parser) selection() (s filter.Selection) {
	if p.Has("device") {
		s.Devices = p.words("device")
		p.checkPatterns(s.Devices)
	}
	if p.Has("metric") {
		s.Metrics = p.words("metric")
	}
	if p.Has("tag") {
		s.Tags = p.tags("tag")
	}
	return s
}

// ParseSelection reads the lists of a filter, and nothing else.
func ParseSelection(values Values) (filter.Selection, error) {
	p := parser{Query: selectionParameters.Of(values)}
	for _, name := range selectionParameters.Names() {
		if slices.ContainsFunc(values[name], func(word string) bool { return strings.ContainsRune(word, 0) }) {
			p.Fail(name, "must not have a NUL in it")
		}
	}
	if err := p.Err(); err != nil {
		return filter.Selection{}, err
	}
	selection := p.selection()
	return selection, p.Err()
}

// filter reads the id of a saved filter.
func (p *parser) filter(name string) string {
	for _, other := range selectionParameters.Names() {
		if p.Has(name) && p.Has(other) {
			p.Fail(other, "does not go with filter, which has its own")
		}
	}
	return p.Text(name)
}

// parser reads the parameters of a stream.
type parser struct {
	*httpapi.Query
	now time.Time
}

// words is Query.Words, but never nil.
func (p *parser) words(name string) []string { return append([]string{}, p.Words(name, maxWords)...) }

func (p *parser) checkPatterns(texts []string) {
	patterns := 0
	for _, text := range texts {
		if !glob.Is(text) {
			continue
		}
		patterns++
		if err := glob.Check(text); err != nil {
			p.Fail("device", "%.140q %v", text, err)
		}
	}
	if patterns > maxPatterns {
		p.Fail("device", "may have at most %d patterns, not %d", maxPatterns, patterns)
	}
}

func (p *parser) tags(name string) []string {
	tags := p.All(name)
	for _, tag := range tags {
		if err := devices.ValidateTag(tag); err != nil {
			hint := ""
			if strings.Contains(tag, ",") {
				hint = "; repeat tag for devices that have several"
			}
			p.Fail(name, "%.140q %v%s", tag, err, hint)
			return nil
		}
	}
	if len(tags) > maxTags {
		p.Fail(name, "must be given at most %d times, not %d", maxTags, len(tags))
	}
	return slices.Compact(slices.Sorted(slices.Values(tags)))
}

// parsePace reads how often newest readings are sent.
func parsePace(text string) (time.Duration, error) {
	interval, err := bucket.ParseInterval(text)
	every := time.Duration(interval.Millis) * time.Millisecond
	if err != nil || every < leastEvery || every > mostEvery {
		return 0, errors.New(`must be a whole number and a unit, from "1s" to "1h"`)
	}
	return every, nil
}

const (
	// leastInstant is the smallest number that since takes for Unix ms (in 2001).
	leastInstant = 1_000_000_000_000
	// LeastStamp is the smallest number that since takes for a stamp: that instant in µs. Smaller numbers are positions of an
	// earlier version, which counted batches; they name nothing.
	LeastStamp = 1000 * leastInstant
)

// since reads a position that may also be a time: RFC 3339, Unix ms, or relative to now such as -10m. Empty is absent.
func (p *parser) since(name string) (*event.Position, time.Time) {
	text := p.First(name)
	if text == "" {
		return nil, time.Time{}
	}
	if at, err := event.ParsePosition(text); err == nil {
		if at.Next == 0 && at.Until == 0 && at.Stamp >= leastInstant && at.Stamp < LeastStamp {
			return nil, time.UnixMilli(at.Stamp)
		}
		return &at, time.Time{}
	}
	_, number := strconv.ParseInt(text, 10, 64)
	if at, err := timeparam.Parse(text, p.now); err == nil && (at >= 0 || number != nil) {
		return nil, time.UnixMilli(max(at, 0))
	}
	p.Fail(name, "must be a seq, the id of an event, RFC 3339, Unix ms or relative such as -10m, not %.140q", text)
	return nil, time.Time{}
}
