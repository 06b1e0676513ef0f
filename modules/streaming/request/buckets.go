package request

import (
	"net/url"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/history"
)

// bucketParameters are the parameters of history that turn a stream into one of buckets.
var bucketParameters = []string{"interval", "agg", "tz"}

// buckets reads which buckets are asked for, if any.
func (p *parser) buckets(r *Request) {
	asked := url.Values{}
	for _, name := range bucketParameters {
		if p.Has(name) {
			asked[name] = p.All(name)
			if name != "agg" {
				asked[name] = []string{p.First(name)} // that it is given more than once has been noted
			}
		}
	}
	if len(asked) == 0 {
		if r.From != nil {
			r.From.Until = 0 // the id may be that of an event of buckets
		}
		return
	}
	if p.Has("every") {
		p.Fail("every", "does not go with interval: buckets come when they are over")
	}
	if p.Has("slow") {
		p.Fail("slow", "does not go with interval: buckets are asked of history when the connection takes them")
	}
	if asked.Has("interval") {
		text := p.First("interval")
		if _, err := bucket.ParseInterval(text); err != nil {
			p.Fail("interval", "%v; not %.140q", err, text)
			return
		}
	}
	query, err := history.ParseQuery(asked, p.now)
	if err != nil {
		p.Faults.Include(err)
		return
	}
	r.Buckets = &Buckets{Interval: *query.Interval, Aggregates: query.Aggregates, Zone: query.Zone}
}
