package readings_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestPaging_WithoutANextCursorGoesByTheLastRow(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.Post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1,"n":2}},{"device":"a","ts":7200000,"values":{"m":2,"n":3}},
		{"device":"b:1","ts":3600000,"values":{"m":3}}]}`)
	a.FoldAll(t)
	a.Post(t, `{"readings":[{"device":"a","ts":10800000,"values":{"m":5}},{"device":"b:1","ts":3600001,"values":{"m":4}}]}`)
	for _, query := range []string{
		"",
		"&interval=1h&agg=avg&agg=count",
		"&interval=1h&agg=median&fill=previous",
		"&interval=1h&fill=linear",
		"&interval=1h&fill=null&device=b:1&device=a",
	} {
		query = "/api/readings?from=0&to=18000000&format=csv" + query
		_, _, text := a.call(t, "GET", query, "", nil)
		whole := strings.Split(strings.TrimSpace(text), "\n")[1:]
		require.Greater(t, len(whole), 5)
		for size := range 4 {
			var rows []string
			for cursor := ""; ; {
				status, _, text := a.call(t, "GET", fmt.Sprintf("%s&limit=%d%s", query, size+1, cursor), "", nil)
				require.Equal(t, 200, status, text)
				page := strings.Split(strings.TrimSpace(text), "\n")[1:]
				rows = append(rows, page...)
				if len(page) <= size {
					break
				}
				last := strings.SplitN(page[size], ",", 4)
				cursor = "&cursor=" + url.QueryEscape("after:"+strings.Join(last[:3], ","))
			}
			require.Equal(t, whole, rows, query)
		}
	}
	for _, cursor := range []string{"after:", "after:a,m", "after:a,m,yesterday", "after:a,,1", "after:a,m,1,2", "after:c,m,1"} {
		status, _, text := a.call(t, "GET", "/api/readings?from=0&to=1&limit=1&cursor="+url.QueryEscape(cursor), "", nil)
		require.Equal(t, 422, status, cursor)
		require.Contains(t, text, `"cursor"`)
	}
}

func TestPaging_OfALongRangeCostsNoConnection(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MinConnections, cfg.MaxConnections = 1, 1
	db := pgtest.Open(t, cfg)
	e := startEngine(t, db)
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	for device := range 3 {
		a.fill(t, fmt.Sprint("device-", device), 4000, 10*60_000) // chunks of a day
	}
	connection := func() (pid int) {
		require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
		return pid
	}
	for _, q := range []history.Query{
		{From: 0, To: 40 * chunk.Day},
		{From: 0, To: 40 * chunk.Day, Interval: &bucket.Interval{Millis: chunk.Hour}, Aggregates: []bucket.Aggregate{bucket.Count, bucket.Last}},
	} {
		want := a.Answer(t, q)
		before := connection()
		for _, size := range []int{1, 1000, 11_999, 12_000, 20_000} {
			q.Limit, q.After = size, nil
			got := map[string][][]float64{}
			for pages := 0; pages < 50; pages++ {
				page := a.Answer(t, q)
				for name, points := range page.Rows {
					got[name] = append(got[name], points...)
				}
				if q.After = page.Next; q.After == nil {
					break
				}
			}
			if size > 1 {
				require.Equal(t, want.Rows, got, size)
			}
		}
		require.Equal(t, before, connection(), "each page used the connection that was there")
	}
}

func TestCalendar_WeeksAreTheSameByPagesAndFilled(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	// A Sunday evening that is Monday in Berlin, and the Wednesday three weeks on.
	a.Post(t, `{"readings":[{"device":"a","ts":"2026-10-25T23:30:00Z","values":{"m":1}},{"device":"a","ts":"2026-11-18T12:00:00Z","values":{"m":3}}]}`)
	const path = "/api/readings?device=a&from=2026-10-19T00:00:00Z&to=2026-11-23T00:00:00Z&format=csv&fill=linear&agg=avg&interval="
	for query, want := range map[string]string{
		"1w":                  "2026-10-19T00,2026-10-26T00,2026-11-02T00,2026-11-09T00,2026-11-16T00",
		"1w&tz=Europe/Berlin": "2026-10-18T22,2026-10-25T23,2026-11-01T23,2026-11-08T23,2026-11-15T23,2026-11-22T23",
		"2w":                  "2026-10-19T00,2026-11-02T00,2026-11-16T00",
		"7d":                  "2026-10-15T00,2026-10-22T00,2026-10-29T00,2026-11-05T00,2026-11-12T00,2026-11-19T00",
	} {
		status, header, text := a.call(t, "GET", path+query, "", nil)
		require.Equal(t, 200, status, text)
		rows := strings.Split(strings.TrimSpace(text), "\n")[1:]
		var starts []string
		for _, row := range rows {
			starts = append(starts, strings.Split(row, ",")[2][:len("2026-10-19T00")])
		}
		require.Equal(t, want, strings.Join(starts, ","), query)
		status, _, _ = a.call(t, "GET", path+query, "", nil, "If-None-Match", header.Get("ETag"))
		require.Equal(t, 304, status)
		status, _, _ = a.call(t, "GET", path+"28d", "", nil, "If-None-Match", header.Get("ETag"))
		require.Equal(t, 200, status)
		var paged []string
		for cursor := ""; len(paged) < len(rows); {
			status, _, text := a.call(t, "GET", path+query+"&limit=1"+cursor, "", nil)
			require.Equal(t, 200, status, text)
			paged = append(paged, strings.Split(strings.TrimSpace(text), "\n")[1:]...)
			cells := strings.SplitN(paged[len(paged)-1], ",", 4)
			cursor = "&cursor=" + url.QueryEscape("after:"+strings.Join(cells[:3], ","))
		}
		require.Equal(t, rows, paged, query)
	}
}
