package readings_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

// sqlWidths are intervals of the API as SQL has them.
var sqlWidths = map[string]string{
	"7m": "7 minutes", "2h": "2 hours", "15m": "15 minutes", "1h": "1 hour", "90m": "90 minutes", "6h": "6 hours", "1d": "24 hours", "2d": "2 days",
	"7d": "168 hours", "1w": "7 days", "2w": "14 days", "1mo": "1 month", "3mo": "3 months", "1y": "1 year",
}

// sqlBucketZones are UTC, whole and other numbers of hours from it, and one that puts its clocks back at midnight.
var sqlBucketZones = []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "America/Santiago"}

// querier is a connection, a transaction or a database.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// bucketsInSQL returns what readings_buckets answers, in the form of a Collected's rows with the aggregates in their order below.
func bucketsInSQL(t testing.TB, db querier, devices []string, since, until *time.Time, width, zone string) map[string][][]float64 {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT device || '/' || metric, (extract(epoch FROM ts) * 1000)::float8, avg, min, max, sum, count::float8, first, last
		FROM readings_buckets($1, NULL, $2, $3, $4::text::interval, $5) ORDER BY 1, ts`, devices, since, until, width, zone)
	require.NoError(t, err)
	answer := map[string][][]float64{}
	var series string
	row := make([]float64, 1+len(aggregates))
	into := []any{&series}
	for i := range row {
		into = append(into, &row[i])
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		answer[series] = append(answer[series], append([]float64(nil), row...))
		return nil
	})
	require.NoError(t, err)
	return answer
}

// requireBuckets compares answers; sums and averages may differ in their last digits.
func requireBuckets(t testing.TB, want, got map[string][][]float64, what string) {
	t.Helper()
	require.Equal(t, len(want), len(got), what)
	for series, rows := range want {
		require.Len(t, got[series], len(rows), "%s: %s", what, series)
		for i, row := range rows {
			for k, v := range row {
				if k == 1 || k == 4 {
					require.InDelta(t, v, got[series][i][k], 1e-12*row[5]*max(math.Abs(row[2]), math.Abs(row[3])), "%s: %s at %s: %v, %v", what, series, chunk.UTC(int64(row[0])), row, got[series][i])
				} else {
					require.Equal(t, v, got[series][i][k], "%s: %s at %s: %v, %v", what, series, chunk.UTC(int64(row[0])), row, got[series][i])
				}
			}
		}
	}
}

// zonesOf returns those in which buckets of an interval are compared.
func zonesOf(interval string) []string {
	switch interval {
	case "1d", "1w", "1mo":
		return sqlBucketZones
	case "2d", "2w", "3mo", "1y":
		return sqlBucketZones[1:2]
	}
	return sqlBucketZones[:1]
}

// compareBuckets asks the API and SQL for the same. Bounds of 0 are none.
func compareBuckets(t *testing.T, e *engine, from, to int64, interval, zone, stage string) {
	t.Helper()
	parsed, err := bucket.ParseInterval(interval)
	require.NoError(t, err)
	location, err := bucket.LoadZone(zone)
	require.NoError(t, err)
	var since, until *time.Time
	if to != 0 {
		a, b := chunk.UTC(from), chunk.UTC(to)
		since, until = &a, &b
	}
	want := e.Answer(t, history.Query{From: from, To: to, Interval: &parsed, Aggregates: aggregates, Zone: location}).Rows
	for series, rows := range want {
		if len(rows) == 0 {
			delete(want, series)
		}
	}
	got := bucketsInSQL(t, e.DB, nil, since, until, sqlWidths[interval], zone)
	requireBuckets(t, want, got, fmt.Sprintf("%s: %s in %s from %s to %s", stage, interval, zone, chunk.UTC(from), chunk.UTC(to)))
	require.NotEmpty(t, got)
}

// bucketsStart is 2026-03-01; clocks change in America on the 8th, in Europe on the 29th, in Chile on April 5th.
const bucketsStart = 1_772_323_200_000

// postBuckets ingests readings of which a device's days have many or few.
func postBuckets(t *testing.T, e *engine) {
	t.Helper()
	for device, c := range map[string]struct{ start, step, count int64 }{
		"dense":  {bucketsStart + 27*chunk.Day, chunk.Minute, 10 * 1440}, // over the end of the month
		"sparse": {bucketsStart + 6*chunk.Day, chunk.Hour - 7, 31 * 24},
		"rare":   {bucketsStart - 9*chunk.Day - 1, 7 * chunk.Hour, 150},
		// A day of many readings, and others of few in the same month.
		"mixed":  {bucketsStart + 3*chunk.Day, 20_000, 6000},
		"mixed2": {bucketsStart + 28*chunk.Day, chunk.Hour / 3, 240},
	} {
		var points chunk.Points
		for i := range c.count {
			points.TS, points.Value = append(points.TS, c.start+i*c.step), append(points.Value, math.Round(float64((i*7919)%1000))/10-20)
		}
		e.postPoints(t, strings.TrimSuffix(device, "2"), points)
	}
}

func TestSQLBuckets_AreThoseOfTheAPIAtEveryStage(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	_, err := db.Exec(t.Context(), setClosed, chunk.UTC(bucketsStart-30*chunk.Day))
	require.NoError(t, err)
	postBuckets(t, e)
	compare := func(stage string) {
		t.Helper()
		for _, bounds := range [][2]int64{
			{0, 0},
			{bucketsStart + 7*chunk.Day + 1, bucketsStart + 36*chunk.Day + 12*chunk.Hour + 20*chunk.Minute},
			{bucketsStart + 28*chunk.Day + 22*chunk.Hour + 10*chunk.Minute, bucketsStart + 30*chunk.Day - 80*chunk.Minute},
		} {
			for interval := range sqlWidths {
				for _, zone := range zonesOf(interval) {
					compareBuckets(t, e, bounds[0], bounds[1], interval, zone, stage)
				}
			}
		}
	}
	compare("log")
	e.SetNow(func() time.Time { return chunk.UTC(bucketsStart - 30*chunk.Day) })
	e.FoldAll(t)
	compare("hours")
	e.SetNow(func() time.Time { return chunk.UTC(bucketsStart + 39*chunk.Day) })
	require.NoError(t, e.Runner.CloseDays(t.Context()))
	var days, hourly, months int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE hours = 24 AND hourly IS NULL), count(hourly),
		count(*) FILTER (WHERE hours > 24) FROM reading_chunks`).Scan(&days, &hourly, &months))
	for _, n := range []int{days, hourly, months} {
		require.Positive(t, n, "%d, %d, %d", days, hourly, months)
	}
	compare("days and months")
	// What comes late is in the log: another value, an hour of its own, and two in an hour with others.
	for _, device := range []string{"dense", "sparse", "rare", "mixed"} {
		for _, ts := range []int64{bucketsStart + 28*chunk.Day, bucketsStart + 29*chunk.Day + 1, bucketsStart + 29*chunk.Day + 2, bucketsStart + 20*chunk.Day} {
			e.Post(t, `{"readings":[{"device":%q,"ts":%d,"values":{"m":-77.5}}]}`, device, ts)
		}
	}
	e.Post(t, `{"readings":[{"device":"dense","ts":%d,"values":{"m":99}}]}`, int64(bucketsStart+28*chunk.Day))
	compare("late readings")
}

// Midnight may be skipped, come twice, or belong to a day that never was.
func TestSQLBuckets_BeginWhereClocksSay(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	zones := []string{
		"America/Santiago", "Atlantic/Azores", "America/Havana", "Asia/Amman", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe",
		"Africa/Casablanca", "America/Sao_Paulo", "Asia/Tehran", "America/St_Johns", "Pacific/Kiritimati", "America/Godthab",
	}
	for _, name := range zones {
		zone, err := bucket.LoadZone(name)
		require.NoError(t, err)
		taken := map[int64]bool{}
		var points chunk.Points
		for at := time.Date(1980, 1, 1, 0, 0, 0, 0, zone); ; {
			_, next := at.ZoneBounds()
			if next.IsZero() || next.Year() > 2025 {
				break
			}
			at = next
			midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
			for _, near := range []time.Time{at, midnight, midnight.AddDate(0, 0, 1), at.Add(-time.Hour), at.Add(time.Hour), at.Add(30 * time.Minute)} {
				for _, ts := range []int64{near.UnixMilli() - 1, near.UnixMilli()} {
					if !taken[ts] {
						taken[ts] = true
						points.TS, points.Value = append(points.TS, ts), append(points.Value, float64(len(points.TS)))
					}
				}
			}
		}
		e.postPoints(t, strings.ReplaceAll(name, "/", "."), points)
	}
	e.FoldAll(t)
	for _, zone := range zones {
		for _, interval := range []string{"1d", "2d", "1w", "1mo", "1y"} {
			compareBuckets(t, e, 0, 0, interval, zone, "clock changes")
		}
	}
}

// Sums may be beyond the range of a float8, and means are not: at every stage, also where the statistics of hours have such sums.
func TestSQLBuckets_SumWhatOverflows(t *testing.T) {
	t.Parallel()
	all := hardSums()
	db := pgtest.New(t)
	e := startEngine(t, db)
	for name, values := range all {
		points := chunk.Points{Value: values}
		for i := range values {
			points.TS = append(points.TS, bucketsStart+int64(i)*chunk.Minute)
		}
		e.postPoints(t, strings.ReplaceAll(name, " ", "-"), points)
	}
	compare := func(stage string) {
		t.Helper()
		for _, interval := range []string{"15m", "1h", "6h", "1d", "1mo"} {
			for name, rows := range bucketsInSQL(t, db, nil, nil, nil, sqlWidths[interval], "UTC") {
				values := all[strings.ReplaceAll(strings.TrimSuffix(name, "/m"), "-", " ")]
				for _, row := range rows {
					part := values[:int(row[5])]
					values = values[len(part):]
					requireSums(t, part, row, fmt.Sprintf("%s: %s by %s", stage, name, interval))
				}
				require.Empty(t, values, "%s: %s by %s", stage, name, interval)
			}
		}
	}
	compare("log")
	_, err := db.Exec(t.Context(), setClosed, chunk.UTC(bucketsStart-chunk.Day))
	require.NoError(t, err)
	e.FoldWith(func(p *fold.Parts) { p.Pack = 2000 }) // days of two thousand have the statistics of their hours
	e.SetNow(func() time.Time { return chunk.UTC(bucketsStart) })
	e.FoldAll(t)
	compare("hours")
	e.SetNow(func() time.Time { return chunk.UTC(bucketsStart + 40*chunk.Day) })
	require.NoError(t, e.Runner.CloseDays(t.Context()))
	var hourly int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(hourly) FROM reading_chunks`).Scan(&hourly))
	require.Positive(t, hourly)
	compare("days and months")
}

// requireSums checks a row of bucketsInSQL against its values.
func requireSums(t *testing.T, values, row []float64, what string) {
	t.Helper()
	tolerance := magnitude(values)*1e-12 + math.SmallestNonzeroFloat64
	require.LessOrEqual(t, math.Abs(row[1]/2-bigMean(values)/2), tolerance, "%s: a mean of %v", what, row[1])
	require.True(t, row[2] <= row[1] && row[1] <= row[3], "%s: %v", what, row)
	require.True(t, row[2] == slices.Min(values) && row[3] == slices.Max(values) && row[6] == values[0] && row[7] == values[len(values)-1], "%s: %v", what, row)
	if sum, _ := bigSum(values).Float64(); !finite(sum) {
		require.Equal(t, sum, row[4], what)
	} else {
		require.InDelta(t, sum/2, row[4]/2, tolerance*float64(len(values)), what)
	}
}

func TestSQLBuckets_RefuseWidthsAndZonesThatTheyCannotMean(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Post(t, `{"readings":[{"device":"a","ts":1000,"values":{"m":1}}]}`)
	ask := func(width, zone any) error {
		_, err := e.DB.Exec(t.Context(), `SELECT * FROM readings_buckets(NULL, NULL, NULL, NULL, $1::text::interval, $2)`, width, zone)
		return err
	}
	for _, width := range []any{nil, "0", "-1 hour", "-1 month", "1 month 1 day", "1 month -1 hour", "1.5 milliseconds", "100 microseconds"} {
		require.ErrorContains(t, ask(width, nil), "the width must be", "%v", width)
	}
	// Names without a slash may be abbreviations, which timezone_abbreviations sets.
	for _, zone := range []string{"", "CET", "EST", "Berlin", "EST5EDT,M3.2.0/2,M11.1.0", "<+0520>-5:20"} {
		require.ErrorContains(t, ask("1 day", zone), "tz must be", zone)
	}
	require.ErrorContains(t, ask("1 day", "Europe/Nowhere"), "not recognized")
	for _, zone := range []any{nil, "UTC", "utc", "Etc/UTC", "Etc/GMT+12", "America/Argentina/Buenos_Aires"} {
		require.NoError(t, ask("1 day", zone), "%v", zone)
	}
}
