package readings

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/authtest"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestAnAnswerWithoutANextCursorIsPagedThroughByItsLastRow(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1,"n":2}},{"device":"a","ts":7200000,"values":{"m":2,"n":3}},
		{"device":"b:1","ts":3600000,"values":{"m":3}}]}`)
	a.fold(t)
	a.post(t, `{"readings":[{"device":"a","ts":10800000,"values":{"m":5}},{"device":"b:1","ts":3600001,"values":{"m":4}}]}`)
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

func TestAPageOfALongRangeCostsNoConnection(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MinConnections, cfg.MaxConnections = 1, 1
	db := pgtest.Open(t, cfg)
	e := startEngine(t, db)
	a := &api{e, httpservertest.New(t, Routes(e.Service, authtest.As(everyone), 1<<20))}
	for device := range 3 {
		a.fill(t, fmt.Sprint("device-", device), 4000, 10*60_000) // chunks of a day
	}
	connection := func() (pid int) {
		require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
		return pid
	}
	for _, q := range []Query{
		{From: 0, To: 40 * day},
		{From: 0, To: 40 * day, Interval: &Interval{Millis: hour}, Aggregates: []Aggregate{Count, Last}},
	} {
		want := a.history(t, q)
		before := connection()
		for _, size := range []int{1, 1000, 11_999, 12_000, 20_000} {
			q.Limit, q.After = size, nil
			got := map[string][][]float64{}
			for pages := 0; pages < 50; pages++ {
				page := a.history(t, q)
				for name, points := range page.points {
					got[name] = append(got[name], points...)
				}
				if q.After = page.next; q.After == nil {
					break
				}
			}
			if size > 1 {
				require.Equal(t, want.points, got, size)
			}
		}
		require.Equal(t, before, connection(), "each page used the connection that was there")
	}
}
