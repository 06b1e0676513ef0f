package bucket

import (
	"testing"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/stretchr/testify/require"
)

// Zones whose clocks skip midnight, pass it twice, are put back over it, change by half an hour, or leave out a day.
var oddZones = []string{
	"America/Santiago", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Atlantic/Azores", "Asia/Amman",
	"America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati",
}

func TestCalendar_EveryInstantIsInItsDayWhateverTheClocksDo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: the days around every change of clocks are not walked through")
	}
	for _, name := range oddZones {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for _, days := range []int{1, 7} {
			interval := Interval{Millis: int64(days) * chunk.Day, Days: days}
			for _, change := range changes(zone) {
				following := NewGrid(interval, zone)
				for ts := change - 30*chunk.Hour; ts < change+30*chunk.Hour; ts += 15 * chunk.Minute {
					start, end := NewGrid(interval, zone).Bounds(ts)
					require.True(t, start <= ts && ts < end, "%s: %s is not from %s to %s", name, chunk.UTC(ts), chunk.UTC(start), chunk.UTC(end))
					nextStart, _ := NewGrid(interval, zone).Bounds(end)
					require.Equal(t, end, nextStart, "%s: a bucket begins where the one before ends", name)
					followingStart, followingEnd := following.Bounds(ts)
					require.Equal(t, []int64{start, end}, []int64{followingStart, followingEnd}, name)
				}
				require.NotPanics(t, func() { following.Unbroken(change-3*chunk.Day, change+3*chunk.Day, chunk.Hour) })
			}
		}
	}
}

func TestCalendar_DayBeginsWithItsFirstInstant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, within, start, end string }{
		{"America/Santiago", "2026-09-05T20:00:00-04:00", "2026-09-05T00:00:00-04:00", "2026-09-06T01:00:00-03:00"},
		{"America/Santiago", "2026-09-06T20:00:00-03:00", "2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"},
		{"Asia/Amman", "2021-10-29T12:00:00+02:00", "2021-10-29T00:00:00+03:00", "2021-10-30T00:00:00+02:00"},
		{"Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"Pacific/Apia", "2011-12-31T12:00:00+14:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"},
		{"Australia/Lord_Howe", "2026-10-04T12:00:00+11:00", "2026-10-04T00:00:00+10:30", "2026-10-05T00:00:00+11:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		ts := func(text string) int64 {
			at, err := time.Parse(time.RFC3339, text)
			require.NoError(t, err)
			return at.UnixMilli()
		}
		start, end := NewGrid(Interval{Millis: chunk.Day, Days: 1}, zone).Bounds(ts(c.within))
		require.Equal(t, chunk.UTC(ts(c.start)), chunk.UTC(start), c.within)
		require.Equal(t, chunk.UTC(ts(c.end)), chunk.UTC(end), c.within)
	}
}

// changes returns when the clocks of a zone change, from 1970 to 2040.
func changes(zone *time.Location) (list []int64) {
	for at := time.Unix(0, 0).In(zone); at.Year() < 2040; {
		_, next := at.ZoneBounds()
		if next.IsZero() {
			break
		}
		list, at = append(list, next.UnixMilli()), next
	}
	return list
}
