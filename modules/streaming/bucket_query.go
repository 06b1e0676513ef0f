package streaming

import (
	"net/url"
	"strings"

	"telltale/modules/readings"
	"telltale/platform/fault"
)

// bucketParameters are those of history that make a stream one of buckets.
var bucketParameters = []string{"interval", "agg", "tz"}

// buckets reads whether, and which, buckets are asked for.
func (p *parser) buckets(r *Request) {
	asked := url.Values{}
	for _, name := range bucketParameters {
		if values, ok := p.values[name]; ok {
			asked[name] = values
		}
	}
	if len(asked) == 0 {
		if r.From != nil {
			r.From.Until = 0 // the id may be that of an event of buckets
		}
		return
	}
	if p.values["every"] != nil {
		p.fail("every", "does not go with interval: buckets come when they are over")
	}
	if p.values["slow"] != nil {
		p.fail("slow", "does not go with interval: buckets are asked of history when the connection takes them")
	}
	if texts, given := asked["interval"]; given && len(texts) < 2 {
		text := strings.Join(texts, "") // a body may have an empty list
		if _, err := readings.ParseInterval(text); err != nil {
			p.fail("interval", "%v; not %.140q", err, text)
			return
		}
	}
	query, err := readings.ParseQuery(asked, p.now)
	if err != nil {
		if f := fault.As(err); f != nil {
			p.faults = append(p.faults, f.Fields...)
		}
		return
	}
	r.Buckets = &BucketRequest{Interval: *query.Interval, Aggregates: query.Aggregates, Zone: query.Zone}
}
