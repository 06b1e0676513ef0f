package history

import (
	"net/url"
	"strings"
	"time"

	"telltale/modules/readings/timeparam"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/instant"
	"telltale/platform/httpapi"
)

// Query is a question about history.
type Query struct {
	Selection
	// From is inclusive, To exclusive; Unix ms.
	From, To int64
	// Interval is the width of the buckets, nil for raw readings. Aggregates then has at least one element.
	Interval   *bucket.Interval
	Aggregates []bucket.Aggregate
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
	maxPatterns  = 100
	maxTags      = 50
	maxLimit     = 1_000_000
	minMaxPoints = 3
	maxMaxPoints = 100_000
	// autoBuckets is how many buckets an automatic interval makes at most, unless max_points says.
	autoBuckets = 500
)

// SelectionParameters say which series are meant.
var SelectionParameters = httpapi.Parameters{}.Repeatable("device", "tag", "metric")

// QueryParameters are the parameters of a query. ParseQuery reads all but format, which the handler reads.
var QueryParameters = SelectionParameters.Once("from", "to", "interval").Repeatable("agg").
	Once("tz", "fill", "max_points", "downsample", "limit", "cursor", "format")

// parser reads the parameters of a query.
type parser struct{ timeparam.Reader }

// ParseQuery reads a query from URL parameters. Relative times count from now; the default is the last hour. The Invalid
// fault lists everything that is wrong, unknown parameters and impossible combinations included.
func ParseQuery(values url.Values, now time.Time) (Query, error) {
	return ParseQueryFrom(QueryParameters.Of(values), now, instant.Floor)
}

// ParseQueryFrom is ParseQuery of parameters that were read, where there are no readings before the earliest time given.
func ParseQueryFrom(asked *httpapi.Query, now time.Time, earliest int64) (Query, error) {
	p := parser{timeparam.Reader{Query: asked, Now: now, Earliest: earliest}}
	q := Query{Selection: readSelection(p.Query), To: p.End("to", now.UnixMilli()), Zone: time.UTC}
	q.From = p.Begin("from", max(q.To-chunk.Hour, instant.Min))
	if q.From >= q.To && p.Faults.Empty() {
		p.Fail("from", "must be before to; %s is not before %s", timeparam.Format(q.From), timeparam.Format(q.To))
	}
	p.downsampling(&q)
	p.buckets(&q)
	p.page(&q)
	return q, p.Err()
}

// downsampling reads how many points a series may have.
func (p parser) downsampling(q *Query) {
	q.MaxPoints = p.Number("max_points", 0, minMaxPoints, maxMaxPoints)
	text := p.Text("downsample")
	if text != "" {
		method, err := ParseMethod(text)
		if err != nil {
			p.Fail("downsample", "%s", err)
		}
		q.Downsample = method
	}
	if !p.Has("max_points") {
		if text != "" {
			p.Fail("downsample", "needs max_points")
		}
		return
	}
	switch interval := p.First("interval"); {
	case interval == "auto" && text != "":
		p.Fail("downsample", "does not go with interval=auto, whose buckets are summed up by agg")
	case interval != "" && interval != "auto":
		p.Fail("max_points", "goes with interval=auto or without an interval, not with one of your choice")
	case interval == "":
		for _, name := range []string{"limit", "cursor"} {
			if p.Has(name) {
				p.Fail(name, "does not go with max_points, which leaves nothing to page through")
			}
		}
	}
}

func (p parser) buckets(q *Query) {
	interval, zone, fill, aggregates := p.Text("interval"), p.Text("tz"), p.Text("fill"), p.Words("agg", len(bucket.Aggregates))
	if interval == "" {
		for _, name := range []string{"agg", "tz", "fill"} {
			if p.Has(name) {
				p.Fail(name, "needs an interval, such as interval=1h")
			}
		}
		return
	}
	for _, name := range aggregates {
		if aggregate, err := bucket.ParseAggregate(name); err != nil {
			p.Fail("agg", "%s", err)
		} else {
			q.Aggregates = append(q.Aggregates, aggregate)
		}
	}
	if len(q.Aggregates) == 0 {
		q.Aggregates = []bucket.Aggregate{bucket.Avg}
	}
	if fill != "" {
		var err error
		if q.Fill, err = ParseFill(fill); err != nil {
			p.Fail("fill", "%s", err)
		}
	}
	if zone != "" {
		var err error
		if q.Zone, err = bucket.LoadZone(zone); err != nil {
			p.Fail("tz", "must be an IANA time zone such as Europe/Berlin, not %.140q", zone)
			q.Zone = time.UTC
		}
	}
	p.interval(q, interval)
}

func (p parser) interval(q *Query, text string) {
	if text == "auto" {
		most := autoBuckets
		if q.MaxPoints > 0 {
			most = q.MaxPoints
		}
		auto := bucket.AutoInterval(q.From, q.To, q.Zone, most, bucket.Interval{})
		q.Interval = &auto
		return
	}
	parsed, err := bucket.ParseInterval(text)
	if err != nil {
		p.Fail("interval", `must be "auto", or %s; not %q`, strings.TrimPrefix(err.Error(), "must be "), text)
		return
	}
	q.Interval = &parsed
}

func (p parser) page(q *Query) {
	q.Limit = p.Number("limit", 0, 1, maxLimit)
	text := p.Text("cursor")
	if text == "" {
		return
	}
	cursor, err := p.cursor(text, q)
	if err != nil {
		p.Fail("cursor", "%s", err)
		return
	}
	q.After = &cursor
}

func (p parser) cursor(text string, q *Query) (Cursor, error) {
	row, ok := strings.CutPrefix(text, afterRow)
	if !ok {
		return parseCursor(text)
	}
	cursor, err := parseRow(row, p.Now)
	if q.Fill != NoFill { // what filled the row is not known: it is found again from the start
		cursor.Seek = min(cursor.Seek, q.From)
	}
	return cursor, err
}
