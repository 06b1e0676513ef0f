package readings

import (
	"net/url"
	"strings"
	"time"

	"telltale/modules/readings/payload"
)

// Query is a question about history.
type Query struct {
	Selection
	// From is inclusive, To exclusive; Unix ms.
	From, To int64
	// Interval is the width of the buckets, nil for raw readings. Aggregates then has at least one element.
	Interval   *Interval
	Aggregates []Aggregate
	Zone       *time.Location
	// Fill says what becomes of buckets without a reading.
	Fill Fill
	// MaxPoints is the most points of each series; 0 for no limit. Without an interval, what is more is left out by the
	// method of Downsample, Chosen if it is for the server to choose. With one it has done its work already.
	MaxPoints  int
	Downsample Method
	// Versioned asks for the version of the answer; see Plan.
	Versioned bool
	// Limit is the most points of the answer, 0 for no limit; After is where a limited answer continues.
	Limit int
	After *Cursor
}

// Limits of a query.
const (
	maxDevices   = 10_000
	maxGlobs     = 100
	maxTags      = 50
	maxLimit     = 1_000_000
	minMaxPoints = 3
	maxMaxPoints = 100_000
	// autoBuckets is how many buckets an automatic interval makes at most, unless max_points says.
	autoBuckets = 500
)

// queryParameters are the parameters that ParseQuery knows; format belongs to the handler.
var queryParameters = []string{
	"device", "tag", "metric", "from", "to", "interval", "agg", "tz", "fill", "max_points", "downsample", "limit", "cursor", "format",
}

// ParseQuery reads a query from URL parameters. Relative times count from now; the default is the last hour. The Invalid
// fault lists everything that is wrong, unknown parameters and impossible combinations included.
func ParseQuery(values url.Values, now time.Time) (Query, error) {
	p := parser{values: values, now: now}
	p.known(queryParameters)
	q := Query{Selection: p.selection(), To: p.instant("to", now.UnixMilli()), Zone: time.UTC}
	q.From = p.instant("from", max(q.To-hour, payload.MinTS))
	if q.From >= q.To && len(p.faults) == 0 {
		p.fail("from", "must be before to; %s is not before %s", formatTime(q.From), formatTime(q.To))
	}
	p.downsampling(&q)
	p.buckets(&q)
	p.page(&q)
	return q, p.err()
}

// downsampling reads how many points a series may have.
func (p *parser) downsampling(q *Query) {
	q.MaxPoints = p.number("max_points", minMaxPoints, maxMaxPoints)
	text := p.one("downsample")
	if text != "" {
		method, err := ParseMethod(text)
		if err != nil {
			p.fail("downsample", "%s", err)
		}
		q.Downsample = method
	}
	if q.MaxPoints == 0 {
		if text != "" {
			p.fail("downsample", "needs max_points")
		}
		return
	}
	switch interval := p.values.Get("interval"); {
	case interval == "auto" && text != "":
		p.fail("downsample", "does not go with interval=auto, whose buckets are summed up by agg")
	case interval != "" && interval != "auto":
		p.fail("max_points", "goes with interval=auto or without an interval, not with one of your choice")
	case interval == "":
		for _, name := range []string{"limit", "cursor"} {
			if p.values.Has(name) {
				p.fail(name, "does not go with max_points, which leaves nothing to page through")
			}
		}
	}
}

func (p *parser) buckets(q *Query) {
	interval, zone, fill, aggregates := p.one("interval"), p.one("tz"), p.one("fill"), p.words("agg", len(Aggregates))
	if interval == "" {
		for _, name := range []string{"agg", "tz", "fill"} {
			if p.values.Has(name) {
				p.fail(name, "needs an interval, such as interval=1h")
			}
		}
		return
	}
	for _, name := range aggregates {
		if aggregate, err := ParseAggregate(name); err != nil {
			p.fail("agg", "%s", err)
		} else {
			q.Aggregates = append(q.Aggregates, aggregate)
		}
	}
	if len(q.Aggregates) == 0 {
		q.Aggregates = []Aggregate{Avg}
	}
	if fill != "" {
		var err error
		if q.Fill, err = ParseFill(fill); err != nil {
			p.fail("fill", "%s", err)
		}
	}
	if zone != "" {
		location, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			p.fail("tz", "must be an IANA time zone such as Europe/Berlin, not %q", zone)
		} else {
			q.Zone = location
		}
	}
	p.interval(q, interval)
}

func (p *parser) interval(q *Query, text string) {
	if text == "auto" {
		most := autoBuckets
		if q.MaxPoints > 0 {
			most = q.MaxPoints
		}
		auto := AutoInterval(q.From, q.To, q.Zone, most, Interval{})
		q.Interval = &auto
		return
	}
	parsed, err := ParseInterval(text)
	if err != nil {
		p.fail("interval", `must be "auto", or %s; not %q`, strings.TrimPrefix(err.Error(), "must be "), text)
		return
	}
	q.Interval = &parsed
}

func (p *parser) page(q *Query) {
	q.Limit = p.number("limit", 1, maxLimit)
	text := p.one("cursor")
	if text == "" {
		return
	}
	cursor, err := p.cursor(text, q)
	if err != nil {
		p.fail("cursor", "%s", err)
		return
	}
	q.After = &cursor
}

func (p *parser) cursor(text string, q *Query) (Cursor, error) {
	row, ok := strings.CutPrefix(text, afterRow)
	if !ok {
		return parseCursor(text)
	}
	cursor, err := parseRow(row, p.now)
	if q.Fill != NoFill { // what filled the row is not known: it is found again from the start
		cursor.Seek = min(cursor.Seek, q.From)
	}
	return cursor, err
}
