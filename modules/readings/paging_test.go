package readings

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
