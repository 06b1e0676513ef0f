package bucket

import (
	"archive/zip"
	"go/build"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/stretchr/testify/require"
)

// everyZone returns all zones of the tz database that the toolchain has.
func everyZone(t testing.TB) (zones []*time.Location) {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	require.NoError(t, err)
	defer archive.Close()
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		zone, err := time.LoadLocation(file.Name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	require.Greater(t, len(zones), 400)
	return zones
}

// calendarIntervals are those that follow the calendar, odd multiples among them.
var calendarIntervals = strings.Fields("1d 2d 5d 7d 1w 2w 3w 52w 97d 366d 1mo 2mo 3mo 5mo 7mo 1y")

// The naive calendar knows nothing of when clocks change: it looks at them.

// naiveWall returns what the clocks of a zone show, in ms since 1970-01-01 00:00 of them.
func naiveWall(zone *time.Location, ts int64) int64 {
	_, offset := time.UnixMilli(ts).In(zone).Zone()
	return ts + int64(offset)*1000
}

// naiveFirst returns the first instant at which the clocks show the wall time given or a later one. Their offsets are whole
// seconds, and do not change twice within a quarter of an hour.
func naiveFirst(zone *time.Location, wall int64) int64 {
	ts := wall - 26*chunk.Hour
	for naiveWall(zone, ts) < wall {
		ts += 15 * chunk.Minute
	}
	for ts -= 15 * chunk.Minute; naiveWall(zone, ts) < wall; {
		ts += 1000
	}
	return ts
}

// naiveMonths returns how many months after January 1970 a day is; days are counted from 1970-01-01.
func naiveMonths(days int64) (months int64) {
	year := int64(1970)
	for ; days < 0; year-- {
		days += naiveYear(year - 1)
	}
	for ; days >= naiveYear(year); year++ {
		days -= naiveYear(year)
	}
	month := 0
	for days >= naiveMonth(year, month) {
		days -= naiveMonth(year, month)
		month++
	}
	return (year-1970)*12 + int64(month)
}

func naiveYear(year int64) int64 {
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 366
	}
	return 365
}

func naiveMonth(year int64, month int) int64 {
	if month == 1 {
		return naiveYear(year) - 337
	}
	return []int64{31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month]
}

// naiveStart returns the start of the n-th bucket, in what clocks show.
func naiveStart(interval Interval, n int64) (wall int64) {
	if interval.Months == 0 {
		first := int64(0)
		if interval.Weeks > 0 {
			first = -3 // 1969-12-29, a Monday
		}
		return (first + n*int64(interval.Days)) * chunk.Day
	}
	months, days := n*int64(interval.Months), int64(0)
	for year, month := int64(1970), 0; months > 0; months-- {
		days += naiveMonth(year, month)
		if month++; month == 12 {
			year, month = year+1, 0
		}
	}
	for year, month := int64(1969), 11; months < 0; months++ {
		days -= naiveMonth(year, month)
		if month--; month < 0 {
			year, month = year-1, 11
		}
	}
	return days * chunk.Day
}

// naiveBounds returns the bucket of ts: of those around, the last that starts by then.
func naiveBounds(zone *time.Location, interval Interval, ts int64) (start, end int64) {
	var n int64
	days := chunk.Floor(naiveWall(zone, ts), chunk.Day) / chunk.Day
	if interval.Months > 0 {
		n = chunk.Floor(naiveMonths(days), int64(interval.Months)) / int64(interval.Months)
	} else {
		n = chunk.Floor(days*chunk.Day-naiveStart(interval, 0), interval.Millis) / interval.Millis
	}
	for n += 2; ; n-- {
		start, end = naiveFirst(zone, naiveStart(interval, n)), start
		if start <= ts {
			return start, end
		}
	}
}

func requireBounds(t testing.TB, zone *time.Location, interval Interval, ts int64) {
	t.Helper()
	start, end := NewGrid(interval, zone).Bounds(ts)
	wantStart, wantEnd := naiveBounds(zone, interval, ts)
	if wantStart != start || wantEnd != end { // the check is cheap, its words are not
		t.Fatalf("%s %s, %s: from %s to %s, not from %s to %s", interval, zone, chunk.UTC(ts),
			chunk.UTC(start), chunk.UTC(end), chunk.UTC(wantStart), chunk.UTC(wantEnd))
	}
}

// calendarEnd is where the range of instants in nanoseconds ends, beyond every reading: in 2262.
const calendarEnd = 9_223_372_036_854

// thorough has the calendars of all zones walked through day by day, which takes minutes.
var thorough = os.Getenv("TEST_CALENDARS") != ""

func TestCalendar_AgreesWithANaiveOneInEveryZone(t *testing.T) {
	t.Parallel()
	for i, zone := range everyZone(t) {
		t.Run(zone.String(), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && i%20 > 0 {
				t.Skip("-short: one zone of twenty is compared with a naive calendar")
			}
			random := rand.New(rand.NewPCG(2262, uint64(len(zone.String()))))
			for _, text := range calendarIntervals {
				interval, err := ParseInterval(text)
				require.NoError(t, err)
				tries := 2
				if thorough {
					tries = 200
				}
				for range tries {
					requireBounds(t, zone, interval, random.Int64N(calendarEnd))
					leap := time.Date(1972+4*random.IntN(73), time.December, 31, random.IntN(24), 59, 0, 0, time.UTC)
					requireBounds(t, zone, interval, leap.UnixMilli())
				}
			}
		})
	}
}

// A walk from end to end ends, and meets every bucket that Count counts.
func TestCalendar_AdvancesToTheEndOfTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: no zone is walked through from 1970 to 2262")
	}
	for i, zone := range everyZone(t) {
		names := []string{"3w", "1mo", "1y"}
		if thorough || i%37 == 0 || zone.String() == "Europe/Berlin" {
			names = append(names, "1d", "1w")
		}
		for _, text := range names {
			interval, err := ParseInterval(text)
			require.NoError(t, err)
			buckets, count := NewGrid(interval, zone), int64(0)
			for ts := int64(0); ts < calendarEnd; count++ {
				start, end := buckets.Bounds(ts)
				if start > ts || end <= ts || count > 0 && start != ts {
					t.Fatalf("%s %s: %s is not in its bucket, from %s to %s", text, zone, chunk.UTC(ts), chunk.UTC(start), chunk.UTC(end))
				}
				ts = end
			}
			// A day that a zone has left out is a bucket without an instant.
			require.Contains(t, []int64{count, count + 1}, buckets.Count(0, calendarEnd), "%s %s", text, zone)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	zones := everyZone(f)
	f.Add(uint16(0), uint16(0), int64(0))
	f.Add(uint16(len(zones)-1), uint16(10), int64(2_240_524_800_000)) // 2040-12-31
	f.Fuzz(func(t *testing.T, zone, interval uint16, ts int64) {
		parsed, err := ParseInterval(calendarIntervals[int(interval)%len(calendarIntervals)])
		require.NoError(t, err)
		requireBounds(t, zones[int(zone)%len(zones)], parsed, ((ts%calendarEnd)+calendarEnd)%calendarEnd)
	})
}

func TestCalendar_WeeksBeginOnMonday(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		interval      string
		zone          *time.Location
		within, start string
	}{
		{"1w", time.UTC, "2026-11-28T12:00:00Z", "2026-11-23T00:00:00Z"},
		{"1w", nil, "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"1w", time.UTC, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z"},
		{"2w", time.UTC, "1970-01-11T00:00:00Z", "1969-12-29T00:00:00Z"},
		{"1w", berlin, "2026-10-25T23:30:00Z", "2026-10-26T00:00:00+01:00"},
		{"1w", berlin, "2026-10-25T22:30:00Z", "2026-10-19T00:00:00+02:00"},
		{"7d", time.UTC, "2026-11-28T12:00:00Z", "2026-11-26T00:00:00Z"},
	} {
		interval, err := ParseInterval(c.interval)
		require.NoError(t, err)
		within, err := time.Parse(time.RFC3339, c.within)
		require.NoError(t, err)
		want, err := time.Parse(time.RFC3339, c.start)
		require.NoError(t, err)
		start, _ := NewGrid(interval, c.zone).Bounds(within.UnixMilli())
		require.Equal(t, want.UTC(), chunk.UTC(start), "%s of %s", c.interval, c.within)
		require.Equal(t, c.interval, interval.String())
	}
}

func TestZone_IsEveryOneOfTheDatabase(t *testing.T) {
	t.Parallel()
	for _, zone := range everyZone(t) {
		if zone.String() == "Factory" {
			continue
		}
		_, err := LoadZone(zone.String())
		require.NoError(t, err, zone)
	}
}
