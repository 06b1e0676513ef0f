// Package timeparam reads and writes times as parameters of calls about readings: in every form that posted readings may have, and
// relative to now. It refuses ends of a range that look like a mistake.
//
// It does not read the times of posted readings: package instant does.
package timeparam

import (
	"errors"
	"strings"
	"time"

	"telltale/modules/readings/instant"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/platform/httpapi"
)

// Reader reads instants among the parameters of a call.
type Reader struct {
	*httpapi.Query
	// Now is what relative times count from.
	Now time.Time
	// Earliest is the time, in Unix ms, before which there are no readings.
	Earliest int64
}

// Begin reads the beginning of a range, in Unix ms. A present time in seconds would be one of 1970, and answer with nothing: so a
// number before the earliest time of readings is refused, unless it is 0.
func (p Reader) Begin(name string, absent int64) int64 {
	ts, counted := p.instant(name, absent)
	if counted && ts != 0 && ts < p.Earliest {
		p.Fail(name, "%s", instant.TooEarly(ts))
	}
	return ts
}

// End reads the end of a range, in Unix ms. One before the earliest time of readings is refused.
func (p Reader) End(name string, absent int64) int64 {
	ts, _ := p.instant(name, absent)
	if p.Has(name) && ts < p.Earliest {
		p.Fail(name, "%s", instant.TooEarly(ts))
	}
	return ts
}

// instant reads a time, see ParseInstant. Counted means that it is a number.
func (p Reader) instant(name string, absent int64) (ts int64, counted bool) {
	text := p.Text(name)
	if text == "" {
		return absent, false
	}
	ts, counted, err := parseInstant(text, p.Now)
	switch {
	case err == nil && ts >= instant.Min && ts <= instant.Max+1:
		return ts, counted
	case err == nil && counted:
		p.Fail(name, "%s", instant.TooEarly(ts))
	default:
		p.Fail(name, "must be RFC 3339, Unix milliseconds or relative such as -24h, between %s and %s; not %q",
			Format(instant.Min), Format(instant.Max), text)
	}
	return absent, false
}

// Parse reads a time, in Unix ms: every form that posted readings may have it in, "now", or relative to now such as
// -24h (s, m, h, d, w). It may be out of the range of readings.
func Parse(text string, now time.Time) (int64, error) {
	ts, _, err := parseInstant(text, now)
	return ts, err
}

func parseInstant(text string, now time.Time) (ts int64, counted bool, err error) {
	if text == "now" {
		return now.UnixMilli(), false, nil
	}
	if strings.HasPrefix(text, "-") && strings.ContainsAny(text, "smhdw") {
		back, err := bucket.ParseDuration(text[1:])
		return now.UnixMilli() - back, false, err
	}
	ts, counted, ok := instant.Parse(text)
	if at := strings.LastIndexByte(text, ' '); !ok && at >= 0 {
		// A plus sign in a URL that was not escaped arrives as a space.
		ts, counted, ok = instant.Parse(text[:at] + "+" + text[at+1:])
	}
	if !ok {
		return 0, false, errInstant
	}
	return ts, counted, nil
}

var errInstant = errors.New("is not a time")

// Format returns Unix milliseconds as RFC 3339.
func Format(ts int64) string { return chunk.UTC(ts).Format("2006-01-02T15:04:05.000Z07:00") }
