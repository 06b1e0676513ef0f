package readings

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/modules/readings/payload"
	"telltale/platform/fault"
)

// Query is a question about history.
type Query struct {
	// Devices and Metrics are what was asked for, in that order; none means all that the principal may see.
	Devices, Metrics []string
	// From is inclusive, To exclusive; Unix ms.
	From, To int64
	// Interval is the width of the buckets, nil for raw readings. Aggregates then has at least one element.
	Interval   *Interval
	Aggregates []Aggregate
	Zone       *time.Location
	// Limit is the most points of the answer, 0 for no limit; After is where a limited answer continues.
	Limit int
	After *Cursor
}

// Cursor is the place behind a point in an answer: its series and instant.
type Cursor struct {
	Device, Metric string
	TS             int64
}

// Limits of a query.
const (
	maxDevices = 10_000
	maxLimit   = 1_000_000
	// autoBuckets is how many buckets an automatic interval makes at most.
	autoBuckets = 500
)

// queryParameters are the parameters that ParseQuery knows; format belongs to the handler.
var queryParameters = []string{
	"device", "metric", "from", "to", "interval", "agg", "tz", "limit", "cursor", "format",
}

// ParseQuery reads a query from URL parameters. Relative times count from now; the default is the last hour. The Invalid
// fault lists everything that is wrong, unknown parameters included.
func ParseQuery(values url.Values, now time.Time) (Query, error) {
	p := parser{values: values, now: now}
	p.known(queryParameters)
	q := Query{
		Devices: p.words("device", maxDevices), Metrics: p.words("metric", maxDevices),
		To: p.instant("to", now.UnixMilli()), Zone: time.UTC,
	}
	q.From = p.instant("from", q.To-hour)
	if q.From >= q.To && len(p.faults) == 0 {
		p.fail("from", "must be before to; %s is not before %s", formatTime(q.From), formatTime(q.To))
	}
	p.buckets(&q)
	p.page(&q)
	return q, p.err()
}

func (p *parser) buckets(q *Query) {
	interval, zone, aggregates := p.one("interval"), p.one("tz"), p.words("agg", len(Aggregates))
	if interval == "" {
		for _, name := range []string{"agg", "tz"} {
			if p.values.Has(name) {
				p.fail(name, "needs an interval, such as interval=1h")
			}
		}
		return
	}
	if interval == "auto" {
		auto := AutoInterval(q.From, q.To, q.Zone, autoBuckets, Interval{})
		q.Interval = &auto
	} else if parsed, err := ParseInterval(interval); err != nil {
		p.fail("interval", `must be "auto", or %s; not %q`, strings.TrimPrefix(err.Error(), "must be "), interval)
	} else {
		q.Interval = &parsed
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
	if zone != "" {
		location, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			p.fail("tz", "must be an IANA time zone such as Europe/Berlin, not %q", zone)
			return
		}
		q.Zone = location
	}
}

func (p *parser) page(q *Query) {
	if text := p.one("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			p.fail("limit", "must be a number of points from 1 to %d, not %q", maxLimit, text)
		}
		q.Limit = n
	}
	text := p.one("cursor")
	if text == "" {
		return
	}
	cursor, err := parseCursor(text)
	if err != nil {
		p.fail("cursor", "must be the next_cursor of an answer to the same query")
		return
	}
	q.After = &cursor
}

// String returns the cursor as opaque text.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(
		fmt.Appendf(nil, "%s %s %d", url.QueryEscape(c.Device), url.QueryEscape(c.Metric), c.TS))
}

func parseCursor(text string) (c Cursor, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return c, err
	}
	parts := strings.Split(string(raw), " ")
	if len(parts) != 3 {
		return c, fmt.Errorf("cursor of %d parts", len(parts))
	}
	if c.Device, err = url.QueryUnescape(parts[0]); err != nil {
		return c, err
	}
	if c.Metric, err = url.QueryUnescape(parts[1]); err != nil {
		return c, err
	}
	c.TS, err = strconv.ParseInt(parts[2], 10, 64)
	return c, err
}

// parser reads URL parameters and collects what is wrong with them.
type parser struct {
	values url.Values
	now    time.Time
	faults []fault.Field
}

func (p *parser) fail(name, format string, args ...any) {
	p.faults = append(p.faults, fault.Field{Name: name, Reason: fmt.Sprintf(format, args...)})
}

func (p *parser) err() error {
	if len(p.faults) == 0 {
		return nil
	}
	return fault.InvalidFields(p.faults...)
}

// known rejects every parameter that is not among the names: a misspelt one must not be ignored.
func (p *parser) known(names []string) {
	for name := range p.values {
		if !slices.Contains(names, name) {
			p.fail(name, "is not a parameter of this call; it knows %s", strings.Join(names, ", "))
		}
	}
	slices.SortFunc(p.faults, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
}

// one returns a parameter that may be given once.
func (p *parser) one(name string) string {
	all := p.values[name]
	if len(all) == 0 {
		return ""
	}
	if len(all) > 1 {
		p.fail(name, "must be given once")
	}
	if all[0] == "" {
		p.fail(name, "must not be empty")
	}
	return all[0]
}

// words returns a parameter that may be repeated or list several words with commas, each word once.
func (p *parser) words(name string, most int) []string {
	var words []string
	seen := map[string]bool{}
	for _, value := range p.values[name] {
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
	if len(words) > most {
		p.fail(name, "must be given at most %d times, not %d", most, len(words))
	}
	return words
}

// instant reads a time: RFC 3339, Unix milliseconds, "now", or relative to now such as -24h.
func (p *parser) instant(name string, absent int64) int64 {
	text := p.one(name)
	if text == "" {
		return absent
	}
	ts, err := parseInstant(text, p.now)
	if err != nil {
		p.fail(name, "must be RFC 3339, Unix milliseconds or relative such as -24h, between %s and %s; not %q",
			formatTime(payload.MinTS), formatTime(payload.MaxTS), text)
	}
	return ts
}

func parseInstant(text string, now time.Time) (int64, error) {
	ts, err := int64(0), error(nil)
	switch {
	case text == "now":
		return now.UnixMilli(), nil
	case text[0] == '-' && strings.ContainsAny(text, "smhdw"):
		var back Interval
		back, err = parseDuration(text[1:])
		ts = now.UnixMilli() - back.Millis
	case strings.ContainsAny(text, "-:T"):
		// A plus sign in a URL that was not escaped arrives as a space.
		var t time.Time
		t, err = time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
		ts = t.UnixMilli()
	default:
		ts, err = strconv.ParseInt(text, 10, 64)
	}
	if err == nil && (ts < payload.MinTS || ts > payload.MaxTS+1) {
		err = strconv.ErrRange
	}
	return ts, err
}

// parseDuration reads a span such as 90m, 24h, 7d or 52w.
func parseDuration(text string) (Interval, error) {
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	unit := intervalUnits[text[len(text)-1]]
	if err != nil || unit == 0 || count > uint64(math.MaxInt64/unit) {
		return Interval{}, errInterval
	}
	return Interval{Millis: int64(count) * unit}, nil
}

// formatTime returns Unix milliseconds as RFC 3339.
func formatTime(ts int64) string { return millis(ts).Format("2006-01-02T15:04:05.000Z07:00") }
