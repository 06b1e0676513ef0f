package readings_test

import (
	"context"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/readings/readingstest"
	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// BenchmarkChart draws charts of one series that has a reading each 10 s for a year: 3.15 million.
func BenchmarkChart(b *testing.B) {
	e := startEngine(b, pgtest.New(b))
	_, err := e.Registry.Register(b.Context(), []series.Name{{Device: "a", Metric: "m"}}, true)
	require.NoError(b, err)
	id, _ := e.Registry.Find("a", "m")
	start := benchStart - 365*chunk.Day
	for from := start; from < benchStart; from += 73 * chunk.Day {
		var series []int32
		var ts []int64
		var value []float64
		for at := from; at < from+73*chunk.Day; at += benchStep {
			series, ts = append(series, id), append(ts, at)
			value = append(value, math.Round(10*math.Sin(float64(at)/7e6))/10+20)
		}
		_, err := e.Appender.Append(b.Context(), series, ts, value)
		require.NoError(b, err)
		e.FoldAll(b)
	}
	year, dayOnly := history.Query{From: start, To: benchStart, MaxPoints: 1000}, history.Query{From: benchStart - chunk.Day, To: benchStart, MaxPoints: 1000}
	with := func(q history.Query, change func(*history.Query)) history.Query { change(&q); return q }
	for _, c := range []struct {
		name  string
		query history.Query
	}{
		{"day", dayOnly},
		{"month", with(year, func(q *history.Query) { q.From = q.To - 30*chunk.Day })},
		{"year", year},
		{"year, 300 points", with(year, func(q *history.Query) { q.MaxPoints = 300 })},
		{"year, versioned", with(year, func(q *history.Query) { q.Versioned = true })},
		{"year, lttb of the last 100 days", with(year, func(q *history.Query) { q.From, q.Downsample = q.To-100*chunk.Day, history.LTTB })},
		{"year, p95 by day", with(year, func(q *history.Query) {
			q.MaxPoints, q.Interval, q.Aggregates = 0, &bucket.Interval{Millis: chunk.Day, Days: 1}, []bucket.Aggregate{bucket.P95}
		})},
		{"day, raw", with(dayOnly, func(q *history.Query) { q.MaxPoints = 0 })},
		{"day, raw, versioned", with(dayOnly, func(q *history.Query) { q.MaxPoints, q.Versioned = 0, true })},
		{"day, raw, page of 1000 of a year", with(year, func(q *history.Query) { q.MaxPoints, q.Limit = 0, 1000 })},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, e.render(context.Background(), everyone, c.query, render.JSON, io.Discard))
			}
		})
	}
	b.Run("year, not modified", func(b *testing.B) {
		q := with(year, func(q *history.Query) { q.Versioned = true })
		known := e.Answer(b, q)
		for b.Loop() {
			require.ErrorIs(b, e.Queries.History(context.Background(), everyone, q, &collected{Have: known.Version}), readingstest.ErrNotModified)
		}
	})
	b.Run("day, not modified", func(b *testing.B) {
		q := with(dayOnly, func(q *history.Query) { q.MaxPoints, q.Versioned = 0, true })
		known := e.Answer(b, q)
		for b.Loop() {
			require.ErrorIs(b, e.Queries.History(context.Background(), everyone, q, &collected{Have: known.Version}), readingstest.ErrNotModified)
		}
	})
}
