package bench

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// BenchmarkLatest asks for the newest reading of one metric, or of all, of 100 devices named, with 16 clients, beside the
// same in SQL over the plain table by 16 connections.
func BenchmarkLatest(b *testing.B) {
	for _, asked := range [][]string{metrics[1:], metrics[:]} {
		name := map[int]string{1: "one-metric", 2: "all-metrics"}[len(asked)]
		b.Run(name, func(b *testing.B) {
			p := data.serve(b)
			query := url.Values{}
			for _, d := range everyone() {
				query.Add("device", deviceName(d))
			}
			if len(asked) < len(metrics) {
				query["metric"] = asked
			}
			request := p.get("/api/readings/latest", query)
			var answer struct{ Series []struct{ TS int64 } }
			require.NoError(b, json.Unmarshal(p.ask(b, request), &answer))
			require.Len(b, answer.Series, fleet*len(asked))
			require.EqualValues(b, dataStart+days*day-step, answer.Series[0].TS)
			var api, sql []func() error
			for range senders {
				c := p.client(b)
				api = append(api, func() error { return c.call(request) })
			}
			for _, conn := range connectAll(b, data.cfg, senders) {
				sql = append(sql, func() error { return plainLatest(conn, len(asked)) })
			}
			medians := compare(b, "requests/s",
				contender{"", func() float64 { return hammer(b, *span/2, api) }},
				contender{"sql16", func() float64 { return hammer(b, *span/2, sql) }},
			)
			if len(asked) == 1 {
				latestGoal.is(medians[0], "/s: the same SQL alone, 16 connections", medians[1])
			}
		})
	}
}

// plainLatest reads the newest row of one or both series of each device.
func plainLatest(conn *pgx.Conn, each int) error {
	var series []int32
	for i := range int32(fleet) {
		series = append(series, []int32{2*i + 1, 2 * i}[:each]...)
	}
	rows, err := conn.Query(context.Background(), `
SELECT wanted, newest.ts, newest.value
FROM unnest($1::int[]) AS wanted
CROSS JOIN LATERAL (SELECT ts, value FROM plain WHERE series = wanted ORDER BY ts DESC LIMIT 1) AS newest`, series)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		rows.RawValues()
	}
	return rows.Err()
}
