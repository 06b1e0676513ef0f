package readings

import (
	"context"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/modules/readings/render"
	"telltale/platform/postgres/pgtest"
)

// BenchmarkChart draws charts of one series that has a reading each 10 s for a year: 3.15 million.
func BenchmarkChart(b *testing.B) {
	e := startEngine(b, pgtest.New(b))
	_, err := e.registry.Register(b.Context(), []devices.Name{{Device: "a", Metric: "m"}}, true)
	require.NoError(b, err)
	id, _ := e.registry.Find("a", "m")
	start := benchStart - 365*day
	for from := start; from < benchStart; from += 73 * day {
		var series []int32
		var ts []int64
		var value []float64
		for at := from; at < from+73*day; at += benchStep {
			series, ts = append(series, id), append(ts, at)
			value = append(value, math.Round(10*math.Sin(float64(at)/7e6))/10+20)
		}
		_, err := e.appender.Append(b.Context(), series, ts, value)
		require.NoError(b, err)
		e.fold(b)
	}
	year, dayOnly := Query{From: start, To: benchStart, MaxPoints: 1000}, Query{From: benchStart - day, To: benchStart, MaxPoints: 1000}
	with := func(q Query, change func(*Query)) Query { change(&q); return q }
	for _, c := range []struct {
		name  string
		query Query
	}{
		{"day", dayOnly},
		{"month", with(year, func(q *Query) { q.From = q.To - 30*day })},
		{"year", year},
		{"year, 300 points", with(year, func(q *Query) { q.MaxPoints = 300 })},
		{"year, versioned", with(year, func(q *Query) { q.Versioned = true })},
		{"year, lttb of the last 100 days", with(year, func(q *Query) { q.From, q.Downsample = q.To-100*day, LTTB })},
		{"year, p95 by day", with(year, func(q *Query) {
			q.MaxPoints, q.Interval, q.Aggregates = 0, &Interval{Millis: day, Days: 1}, []Aggregate{P95}
		})},
		{"day, raw", with(dayOnly, func(q *Query) { q.MaxPoints = 0 })},
		{"day, raw, versioned", with(dayOnly, func(q *Query) { q.MaxPoints, q.Versioned = 0, true })},
		{"day, raw, page of 1000 of a year", with(year, func(q *Query) { q.MaxPoints, q.Limit = 0, 1000 })},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, e.render(context.Background(), everyone, c.query, render.JSON, io.Discard))
			}
		})
	}
	b.Run("year, not modified", func(b *testing.B) {
		q := with(year, func(q *Query) { q.Versioned = true })
		known := e.history(b, q)
		for b.Loop() {
			require.ErrorIs(b, e.History(context.Background(), everyone, q, &collected{have: known.version}), errNotModified)
		}
	})
	b.Run("day, not modified", func(b *testing.B) {
		q := with(dayOnly, func(q *Query) { q.MaxPoints, q.Versioned = 0, true })
		known := e.history(b, q)
		for b.Loop() {
			require.ErrorIs(b, e.History(context.Background(), everyone, q, &collected{have: known.version}), errNotModified)
		}
	})
}
