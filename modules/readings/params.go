package readings

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/modules/devices"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// parser reads URL parameters and collects what is wrong with them.
type parser struct {
	values url.Values
	now    time.Time
	faults fault.Fields
}

func (p *parser) fail(name, format string, args ...any) { p.faults.Add(name, format, args...) }

func (p *parser) err() error { return p.faults.Err() }

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

// number returns a parameter that is a whole number from least to most, 0 when it is absent.
func (p *parser) number(name string, least, most int) int {
	text := p.one(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		p.fail(name, "must be a number from %d to %d, not %q", least, most, text)
	}
	return n
}

// selection reads which series are meant.
func (p *parser) selection() Selection {
	s := Selection{Devices: p.words("device", maxDevices), Metrics: p.words("metric", maxDevices)}
	globs := 0
	for _, device := range s.Devices {
		if !devices.IsPattern(device) {
			continue
		}
		globs++
		if err := devices.ValidatePattern(device); err != nil {
			p.fail("device", "%.140q %v", device, err)
		}
	}
	if globs > maxGlobs {
		p.fail("device", "may have at most %d patterns, not %d", maxGlobs, globs)
	}
	s.Tags = p.values["tag"]
	for _, tag := range s.Tags {
		if err := devices.ValidateTag(tag); err != nil {
			p.fail("tag", "%s", err)
		}
	}
	if len(s.Tags) > maxTags {
		p.fail("tag", "must be given at most %d times, not %d", maxTags, len(s.Tags))
	}
	return s
}

// words returns a parameter that may be repeated or list several words with commas, each word once.
func (p *parser) words(name string, most int) []string {
	return httpserver.Words(&p.faults, name, p.values[name], most)
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
